//! The messages of session-resume.

use serde::Serialize;

use super::ControlError;
use super::fields::{Fields, Required as _};
use super::hello::{AuthWire, HelloError, read_auth};
use super::welcome::{AssignedChannel, read_assigned};
use crate::mux::auth::{Auth, Secret};
use crate::mux::code::Code;

/// SESSION_ID.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SessionGrant {
    /// What resumes the session.
    pub session_id: Secret,
    /// For how many seconds; 0 for ever.
    pub resume_timeout_s: u64,
    /// How many bytes the server keeps for a replay.
    pub buffer_bytes: u64,
    /// What stays without a client; absent where nothing does.
    pub persistence: Option<SessionPersistence>,
}

/// What SESSION_ID adds with session-persistence.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SessionPersistence {
    /// Whether several clients may be there at once.
    pub multi_client: bool,
    /// How many lines above its screen a terminal keeps.
    pub scrollback_lines: u64,
}

impl Default for SessionPersistence {
    fn default() -> Self {
        Self {
            multi_client: true,
            scrollback_lines: SCROLLBACK_LINES,
        }
    }
}

/// The lines that a terminal keeps where nothing else is said.
const SCROLLBACK_LINES: u64 = 10_000;

impl SessionGrant {
    pub(super) fn to_wire(&self) -> impl Serialize + '_ {
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Wire<'a> {
            session_id: &'a str,
            resume_timeout: u64,
            buffer_size: u64,
            #[serde(skip_serializing_if = "Option::is_none")]
            persistent: Option<bool>,
            #[serde(skip_serializing_if = "Option::is_none")]
            multi_client: Option<bool>,
            #[serde(skip_serializing_if = "Option::is_none")]
            scrollback_lines: Option<u64>,
        }
        let stays = self.persistence;
        Wire {
            session_id: self.session_id.expose(),
            resume_timeout: self.resume_timeout_s,
            buffer_size: self.buffer_bytes,
            persistent: stays.map(|_| true),
            multi_client: stays.map(|stays| stays.multi_client),
            scrollback_lines: stays.map(|stays| stays.scrollback_lines),
        }
    }

    pub(super) fn read(fields: &Fields) -> Result<Self, ControlError> {
        let persistence = SessionPersistence {
            multi_client: fields.boolean("multiClient")?.unwrap_or_default(),
            scrollback_lines: fields
                .unsigned("scrollbackLines")?
                .unwrap_or(SCROLLBACK_LINES),
        };
        let is_persistent = fields.boolean("persistent")?.unwrap_or_default();
        Ok(Self {
            persistence: is_persistent.then_some(persistence),
            session_id: Secret::new(fields.text("sessionId").required()?),
            resume_timeout_s: fields.unsigned("resumeTimeout").required()?,
            buffer_bytes: fields.unsigned("bufferSize").required()?,
        })
    }
}

/// RESUME_REQUEST.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ResumeRequest {
    /// The session to go on with.
    pub session_id: Secret,
    /// The last message from the server that the client has, with all before it.
    pub last_sequence: u64,
    /// Who asks.
    pub auth: Option<Auth>,
}

impl ResumeRequest {
    pub(super) fn to_wire(&self) -> impl Serialize + '_ {
        #[derive(Serialize)]
        #[serde(rename_all = "camelCase")]
        struct Wire<'a> {
            session_id: &'a str,
            last_sequence: u64,
            #[serde(skip_serializing_if = "Option::is_none")]
            auth: Option<AuthWire<'a>>,
        }
        Wire {
            session_id: self.session_id.expose(),
            last_sequence: self.last_sequence,
            auth: self.auth.as_ref().map(AuthWire::new),
        }
    }
}

/// Reads a RESUME_REQUEST and says which CLOSE answers one that cannot be read.
pub(crate) fn parse_resume(payload: &[u8]) -> Result<ResumeRequest, HelloError> {
    let fields = Fields::parse(payload)?;
    Ok(ResumeRequest {
        session_id: Secret::new(fields.text("sessionId").required()?),
        last_sequence: fields.unsigned("lastSequence").required()?,
        auth: fields
            .object("auth")?
            .map(|auth| read_auth(&auth))
            .transpose()?,
    })
}

/// RESUME_RESPONSE.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ResumeResponse {
    /// The session goes on.
    Accepted(Replay),
    /// It does not; HELLO may follow on the same transport.
    Refused {
        /// Why.
        code: Code,
        /// Why, in words.
        reason: String,
    },
}

/// What follows an accepted resume.
#[derive(Clone, Debug, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Replay {
    /// The number of the first message that is sent again.
    pub replay_start: u64,
    /// How many messages are sent again.
    pub replay_count: u64,
    /// The last message from the client that the server has, with all before it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub last_sequence: Option<u64>,
    /// All channels that are open.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channels: Option<Vec<AssignedChannel>>,
    /// The mux version spoken on this connection.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<[u64; 3]>,
    /// As in WELCOME.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_message_size: Option<u64>,
    /// As in WELCOME.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ping_interval: Option<u64>,
    /// As in WELCOME.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ping_timeout: Option<u64>,
}

impl ResumeResponse {
    pub(super) fn to_wire(&self) -> impl Serialize + '_ {
        #[derive(Serialize)]
        #[serde(untagged)]
        enum Wire<'a> {
            Accepted {
                success: bool,
                #[serde(flatten)]
                replay: &'a Replay,
            },
            Refused {
                success: bool,
                code: Code,
                #[serde(skip_serializing_if = "str::is_empty")]
                reason: &'a str,
            },
        }
        match self {
            Self::Accepted(replay) => Wire::Accepted {
                success: true,
                replay,
            },
            Self::Refused { code, reason } => Wire::Refused {
                success: false,
                code: *code,
                reason,
            },
        }
    }

    pub(super) fn read(fields: &Fields) -> Result<Self, ControlError> {
        if !fields.boolean("success").required()? {
            return Ok(Self::Refused {
                code: super::closing::read_code(fields)?,
                reason: fields.text("reason")?.unwrap_or_default(),
            });
        }
        Ok(Self::Accepted(Replay {
            replay_start: fields.unsigned("replayStart").required()?,
            replay_count: fields.unsigned("replayCount").required()?,
            last_sequence: fields.unsigned("lastSequence")?,
            channels: read_assigned(fields)?,
            version: fields.version()?,
            max_message_size: fields.unsigned("maxMessageSize")?,
            ping_interval: fields.unsigned("pingInterval")?,
            ping_timeout: fields.unsigned("pingTimeout")?,
        }))
    }
}
