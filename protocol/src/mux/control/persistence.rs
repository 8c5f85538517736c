//! The messages of session-persistence.

use serde::{Serialize, Serializer};

use super::ControlError;
use super::fields::{Fields, Required as _};
use super::hello::{AuthWire, HelloError, read_auth};
use crate::mux::auth::Auth;

/// DETACH.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize)]
pub struct Detach {
    /// Why, in words.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub reason: String,
}

impl Detach {
    pub(super) fn read(fields: &Fields) -> Result<Self, ControlError> {
        Ok(Self {
            reason: fields.text("reason")?.unwrap_or_default(),
        })
    }
}

/// SESSION_LIST_REQUEST.
#[derive(Clone, Debug, PartialEq, Eq, Default)]
pub struct SessionListRequest {
    /// Who asks, where the connection does not say it.
    pub auth: Option<Auth>,
}

impl SessionListRequest {
    pub(super) fn to_wire(&self) -> impl Serialize + '_ {
        #[derive(Serialize)]
        struct Wire<'a> {
            #[serde(skip_serializing_if = "Option::is_none")]
            auth: Option<AuthWire<'a>>,
        }
        Wire {
            auth: self.auth.as_ref().map(AuthWire::new),
        }
    }
}

/// Reads a SESSION_LIST_REQUEST, which may be empty, and says which CLOSE answers one that cannot
/// be read.
pub(crate) fn parse_list_request(payload: &[u8]) -> Result<SessionListRequest, HelloError> {
    if payload.is_empty() {
        return Ok(SessionListRequest::default());
    }
    let fields = Fields::parse(payload)?;
    let auth = fields.object("auth")?;
    Ok(SessionListRequest {
        auth: auth.map(|auth| read_auth(&auth)).transpose()?,
    })
}

/// SESSION_LIST_RESPONSE.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize)]
pub struct SessionList {
    /// The sessions that the asker may join.
    pub sessions: Vec<SessionEntry>,
}

impl SessionList {
    pub(super) fn read(fields: &Fields) -> Result<Self, ControlError> {
        let entries = fields.array("sessions").required()?;
        let read = |entry| SessionEntry::read(&Fields::of(entry)?);
        Ok(Self {
            sessions: entries.iter().map(read).collect::<Result<_, _>>()?,
        })
    }
}

/// A session that can be joined.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SessionEntry {
    /// Its public id; a terminal is joined by it with PTY_REQUEST.
    pub session_id: String,
    /// What people call it; may be empty.
    pub name: String,
    /// When it began, in seconds since 1970.
    pub created: u64,
    /// When something last happened in it, in seconds since 1970.
    pub last_activity: u64,
    /// How many clients are there now.
    pub attached_clients: u32,
    /// The channels that belong to it.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub channels: Vec<String>,
    /// What it shows; absent where it is something not known here.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub kind: Option<SessionKind>,
    /// The title that its program set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Pixels of a desktop.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub width: Option<u32>,
    /// Pixels of a desktop.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub height: Option<u32>,
    /// Lines of a terminal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rows: Option<u16>,
    /// Characters per line of a terminal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub cols: Option<u16>,
    /// What the asker would be: `owner`, `operator` or `viewer`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// How its program ended, which nobody has seen yet: its code, or 128 and the signal.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exit: Option<u32>,
    /// Its program's process.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pid: Option<u32>,
}

impl SessionEntry {
    fn read(fields: &Fields) -> Result<Self, ControlError> {
        Ok(Self {
            session_id: fields.text("sessionId").required()?,
            name: fields.text("name")?.unwrap_or_default(),
            created: fields.unsigned("created")?.unwrap_or_default(),
            last_activity: fields.unsigned("lastActivity")?.unwrap_or_default(),
            attached_clients: narrow(fields, "attachedClients")?.unwrap_or_default(),
            channels: fields.texts("channels")?.unwrap_or_default(),
            kind: fields
                .text("kind")?
                .and_then(|kind| SessionKind::from_name(&kind)),
            title: fields.text("title")?,
            width: narrow(fields, "width")?,
            height: narrow(fields, "height")?,
            rows: narrow(fields, "rows")?,
            cols: narrow(fields, "cols")?,
            role: fields.text("role")?,
            exit: narrow(fields, "exit")?,
            pid: narrow(fields, "pid")?,
        })
    }
}

/// What a session shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SessionKind {
    /// A desktop.
    Graphical,
    /// A terminal.
    Terminal,
}

impl SessionKind {
    /// The name on the wire.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Graphical => "graphical",
            Self::Terminal => "terminal",
        }
    }

    fn from_name(name: &str) -> Option<Self> {
        [Self::Graphical, Self::Terminal]
            .into_iter()
            .find(|kind| kind.name() == name)
    }
}

impl Serialize for SessionKind {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.name())
    }
}

/// ATTACH_REQUEST.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attach {
    /// The session's public id.
    pub session_id: String,
    /// How many lines above the screen are wanted.
    pub scrollback_lines: Option<u64>,
    /// Who asks, where the connection does not say it.
    pub auth: Option<Auth>,
}

impl Attach {
    pub(super) fn to_wire(&self) -> impl Serialize + '_ {
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Wire<'a> {
            session_id: &'a str,
            #[serde(skip_serializing_if = "Option::is_none")]
            scrollback_lines: Option<u64>,
            #[serde(skip_serializing_if = "Option::is_none")]
            auth: Option<AuthWire<'a>>,
        }
        Wire {
            session_id: &self.session_id,
            scrollback_lines: self.scrollback_lines,
            auth: self.auth.as_ref().map(AuthWire::new),
        }
    }

    pub(super) fn read(fields: &Fields) -> Result<Self, ControlError> {
        let auth = fields.object("auth")?;
        Ok(Self {
            session_id: fields.text("sessionId").required()?,
            scrollback_lines: fields.unsigned("scrollbackLines")?,
            auth: auth
                .map(|auth| read_auth(&auth))
                .transpose()
                .map_err(|_| ControlError::Invalid)?,
        })
    }
}

/// SESSION_CONTROL.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum SessionControl {
    /// Gives a session another name.
    Rename {
        /// Which one.
        session_id: String,
        /// The name; empty takes it away.
        name: String,
    },
    /// Ends a session and what runs in it.
    End {
        /// Which one.
        session_id: String,
    },
}

impl SessionControl {
    /// The session that is meant.
    #[must_use]
    pub fn session_id(&self) -> &str {
        match self {
            Self::Rename { session_id, .. } | Self::End { session_id } => session_id,
        }
    }

    pub(super) fn to_wire(&self) -> impl Serialize + '_ {
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Wire<'a> {
            action: &'static str,
            session_id: &'a str,
            #[serde(skip_serializing_if = "Option::is_none")]
            name: Option<&'a str>,
        }
        let (action, name) = match self {
            Self::Rename { name, .. } => ("rename", Some(name.as_str())),
            Self::End { .. } => ("end", None),
        };
        Wire {
            action,
            session_id: self.session_id(),
            name,
        }
    }

    pub(super) fn read(fields: &Fields) -> Result<Self, ControlError> {
        let session_id = fields.text("sessionId").required()?;
        match fields.text("action").required()?.as_str() {
            "rename" => Ok(Self::Rename {
                session_id,
                name: fields.text("name").required()?,
            }),
            "end" => Ok(Self::End { session_id }),
            _ => Err(ControlError::Invalid),
        }
    }
}

/// Reads a number that has to fit its member.
fn narrow<T: TryFrom<u64>>(fields: &Fields, name: &str) -> Result<Option<T>, ControlError> {
    match fields.unsigned(name)? {
        Some(number) => T::try_from(number)
            .map(Some)
            .map_err(|_| ControlError::Invalid),
        None => Ok(None),
    }
}
