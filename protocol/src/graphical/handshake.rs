//! VROOM_HANDSHAKE, both ways.

use super::mode::Mode;
use super::viewport::Viewport;
use crate::encoding::{DecodeError, Encoding, Fields, FromValue, Members, Value};

/// What the client says first.
#[derive(Clone, Debug, PartialEq)]
pub struct ClientHandshake {
    /// A semantic version.
    pub version: String,
    /// Encoding names, the preferred one first; a client without a list knows JSON only.
    pub control_encoding: Option<Vec<String>>,
    /// See [`capability`](super::capability).
    pub capabilities: Vec<String>,
    /// The size that the client has to show the desktop.
    pub viewport: Viewport,
    /// The mode to start in; anything but view acts like a MODE message.
    pub mode: Mode,
    /// Who the client is, for logs.
    pub client: Option<ClientInfo>,
}

impl ClientHandshake {
    pub(super) fn read(members: &mut Members) -> Result<Self, DecodeError> {
        Ok(Self {
            version: members.required("version")?,
            control_encoding: members.optional("control_encoding")?,
            capabilities: members.required("capabilities")?,
            viewport: members.required("viewport")?,
            mode: members.or_default("mode")?,
            client: members.optional("client")?,
        })
    }

    pub(super) fn fields(&self) -> Fields {
        Fields::new()
            .with("version", &self.version)
            .maybe_list("control_encoding", self.control_encoding.as_deref())
            .with_list("capabilities", &self.capabilities)
            .with("viewport", &self.viewport)
            .with("mode", self.mode)
            .maybe("client", self.client.as_ref())
    }
}

/// Who a client is, for logs.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct ClientInfo {
    /// The program's name.
    pub name: Option<String>,
    /// The program's version.
    pub version: Option<String>,
    /// What it runs on.
    pub platform: Option<String>,
}

impl FromValue for ClientInfo {
    fn from_value(value: Value) -> Option<Self> {
        let mut members = Members::from_value(value)?;
        Some(Self {
            name: members.optional("name").ok()?,
            version: members.optional("version").ok()?,
            platform: members.optional("platform").ok()?,
        })
    }
}

impl From<&ClientInfo> for Value {
    fn from(client: &ClientInfo) -> Self {
        Fields::new()
            .maybe("name", client.name.as_ref())
            .maybe("version", client.version.as_ref())
            .maybe("platform", client.platform.as_ref())
            .into()
    }
}

/// What the server answers.
#[derive(Clone, Debug, PartialEq)]
pub struct ServerHandshake {
    /// A semantic version.
    pub version: String,
    /// What both sides write from now on.
    pub control_encoding: Encoding,
    /// See [`capability`](super::capability).
    pub capabilities: Vec<String>,
    /// The coordinate space of all input.
    pub viewport: Viewport,
    /// What is at the other end.
    pub agent: Option<Agent>,
}

impl ServerHandshake {
    pub(super) fn read(members: &mut Members) -> Result<Self, DecodeError> {
        Ok(Self {
            version: members.required("version")?,
            // A 0.1.0 server does not say it and knows JSON only.
            control_encoding: members
                .optional("control_encoding")?
                .unwrap_or(Encoding::Json),
            capabilities: members.required("capabilities")?,
            viewport: members.required("viewport")?,
            agent: members.optional("agent")?,
        })
    }

    pub(super) fn fields(&self) -> Fields {
        Fields::new()
            .with("version", &self.version)
            .with("control_encoding", self.control_encoding)
            .with_list("capabilities", &self.capabilities)
            .with("viewport", &self.viewport)
            .maybe("agent", self.agent.as_ref())
    }
}

/// What is at the server's end.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Agent {
    /// The host's name.
    pub name: Option<String>,
    /// As in STATE.
    pub state: Option<String>,
    /// Whether NAVIGATE and page commands work.
    pub browser: Option<bool>,
}

impl FromValue for Agent {
    fn from_value(value: Value) -> Option<Self> {
        let mut members = Members::from_value(value)?;
        Some(Self {
            name: members.optional("name").ok()?,
            state: members.optional("state").ok()?,
            browser: members.optional("browser").ok()?,
        })
    }
}

impl From<&Agent> for Value {
    fn from(agent: &Agent) -> Self {
        Fields::new()
            .maybe("name", agent.name.as_ref())
            .maybe("state", agent.state.as_ref())
            .maybe("browser", agent.browser)
            .into()
    }
}
