//! WELCOME: what the server agreed to.

use serde::Serialize;

use super::ControlError;
use super::fields::{Fields, Required as _};
use crate::mux::id::ChannelId;
use crate::mux::spec;

/// WELCOME.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Welcome {
    /// The mux version spoken on this connection.
    pub version: [u64; 3],
    /// The accepted extensions; none accepted when absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub extensions: Option<Vec<String>>,
    /// The largest frame payload; 0 for no limit, absent for 65535.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub max_message_size: Option<u64>,
    /// Seconds of silence before a PING; 0 for never, absent for 30.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ping_interval: Option<u64>,
    /// Seconds of silence after a PING before the transport is dropped; absent for 10.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ping_timeout: Option<u64>,
    /// The opened channels of the HELLO; `control` only where it was listed.
    pub channels: Vec<AssignedChannel>,
    /// Public id of the session joined.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session: Option<String>,
    /// The user that the credentials stand for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub user: Option<String>,
    /// `owner`, `operator` or `viewer`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub role: Option<String>,
    /// What the server is, for people, for example `vroomd/0.1.0`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub server: Option<String>,
    /// The server's clock: milliseconds since 1970.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub time: Option<u64>,
}

/// A channel and the id that it goes by.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct AssignedChannel {
    /// Canonical name.
    pub name: String,
    /// 1..=254; 0 for `control` only.
    pub id: ChannelId,
}

impl Welcome {
    pub(super) fn read(fields: &Fields) -> Result<Self, ControlError> {
        Ok(Self {
            version: fields.version().required()?,
            extensions: fields.texts("extensions")?,
            max_message_size: fields.unsigned("maxMessageSize")?,
            ping_interval: fields.unsigned("pingInterval")?,
            ping_timeout: fields.unsigned("pingTimeout")?,
            channels: read_assigned(fields).required()?,
            session: fields.text("session")?,
            user: fields.text("user")?,
            role: fields.text("role")?,
            server: fields.text("server")?,
            time: fields.unsigned("time")?,
        })
    }
}

/// Reads a list of assigned channels in which no id and no name is there twice.
pub(super) fn read_assigned(fields: &Fields) -> Result<Option<Vec<AssignedChannel>>, ControlError> {
    let Some(entries) = fields.array("channels")? else {
        return Ok(None);
    };
    let mut channels: Vec<AssignedChannel> = Vec::new();
    for entry in entries {
        let entry = Fields::of(entry)?;
        let name = entry.text("name").required()?;
        let name = spec::canonical(&name).to_owned();
        let id =
            u8::try_from(entry.unsigned("id").required()?).map_err(|_| ControlError::Invalid)?;
        let id = ChannelId(id);
        let legal = if name == spec::CONTROL {
            id == ChannelId::CONTROL
        } else {
            id.is_application()
        };
        if !legal
            || channels
                .iter()
                .any(|other| other.id == id || other.name == name)
        {
            return Err(ControlError::Invalid);
        }
        channels.push(AssignedChannel { name, id });
    }
    Ok(Some(channels))
}
