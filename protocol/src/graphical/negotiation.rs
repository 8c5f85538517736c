//! The server's side of VROOM_HANDSHAKE: what holds on this connection from then on.

use super::VERSION;
use super::control::{ClientMessage, HANDSHAKE};
use super::handshake::{Agent, ClientHandshake, ServerHandshake};
use super::viewport::Viewport;
use crate::Code;
use crate::encoding::{DecodeError, Encoding};

/// What a connection has agreed on; until the handshake that is nothing.
#[derive(Clone, Debug)]
pub struct Negotiation {
    capabilities: Vec<String>,
    agreed: Option<Agreed>,
}

#[derive(Clone, Debug)]
struct Agreed {
    encoding: Encoding,
    client: Vec<String>,
}

/// Why a message is not taken.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Refusal {
    /// The code of the ERROR that answers it.
    pub code: Code,
    /// The reason, for a person.
    pub reason: String,
    /// Whether CLOSE with the same code follows.
    pub close: bool,
    /// The `id` of the message, for a NOTIFICATION that refers to it.
    pub reference: Option<String>,
}

impl Negotiation {
    /// A server with these capabilities.
    pub fn new(capabilities: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self {
            capabilities: capabilities.into_iter().map(Into::into).collect(),
            agreed: None,
        }
    }

    /// Reads a message of channel 0 and checks that it may come now.
    ///
    /// A handshake that it returns has still to be answered with [`accept`](Self::accept).
    // VROOM-Graphical §4.4: anything but a handshake before it, and a second handshake (C14), is
    // the wrong state.
    pub fn receive(&self, kind: u8, payload: &[u8]) -> Result<ClientMessage, Refusal> {
        if self.agreed.is_none() && kind != HANDSHAKE {
            return Err(Refusal::error(
                Code::WRONG_STATE,
                "VROOM_HANDSHAKE comes first",
            ));
        }
        if self.agreed.is_some() && kind == HANDSHAKE {
            return Err(Refusal::error(
                Code::WRONG_STATE,
                "VROOM_HANDSHAKE was exchanged already",
            ));
        }
        Ok(ClientMessage::decode(kind, payload)?)
    }

    /// Answers a handshake; from now on [`encoding`](Self::encoding) holds.
    pub fn accept(
        &mut self,
        client: &ClientHandshake,
        viewport: Viewport,
        agent: Option<Agent>,
    ) -> Result<ServerHandshake, Refusal> {
        if self.agreed.is_some() {
            return Err(Refusal::error(
                Code::WRONG_STATE,
                "VROOM_HANDSHAKE was exchanged already",
            ));
        }
        if !version_fits(&client.version) {
            return Err(Refusal::close(
                Code::VERSION_MISMATCH,
                "this server speaks VROOM-Graphical 0.1",
            ));
        }
        let Some(encoding) = Encoding::choose(client.control_encoding.as_deref()) else {
            return Err(Refusal::close(
                Code::UNSUPPORTED,
                "this server writes cbor and json",
            ));
        };
        self.agreed = Some(Agreed {
            encoding,
            client: client.capabilities.clone(),
        });
        Ok(ServerHandshake {
            version: VERSION.to_owned(),
            control_encoding: encoding,
            capabilities: self.capabilities.clone(),
            viewport,
            agent,
        })
    }

    /// Whether the handshakes were exchanged.
    pub const fn is_complete(&self) -> bool {
        self.agreed.is_some()
    }

    /// What both sides write.
    pub fn encoding(&self) -> Encoding {
        self.agreed
            .as_ref()
            .map_or(Encoding::Json, |agreed| agreed.encoding)
    }

    /// Whether both sides list a capability.
    pub fn is_usable(&self, capability: &str) -> bool {
        self.client_lists(capability) && self.capabilities.iter().any(|own| own == capability)
    }

    /// Whether the client lists a capability.
    pub fn client_lists(&self, capability: &str) -> bool {
        self.agreed
            .as_ref()
            .is_some_and(|agreed| agreed.client.iter().any(|listed| listed == capability))
    }
}

impl Refusal {
    fn error(code: Code, reason: &str) -> Self {
        Self {
            code,
            reason: reason.to_owned(),
            close: false,
            reference: None,
        }
    }

    fn close(code: Code, reason: &str) -> Self {
        Self {
            close: true,
            ..Self::error(code, reason)
        }
    }
}

impl From<DecodeError> for Refusal {
    fn from(error: DecodeError) -> Self {
        Self {
            reference: error.reference().map(str::to_owned),
            ..Self::error(error.code(), &error.to_string())
        }
    }
}

/// Same major and, as we are below 1.0, same minor version.
fn version_fits(version: &str) -> bool {
    parts(version).is_some_and(|theirs| Some(theirs) == parts(VERSION))
}

fn parts(version: &str) -> Option<(u32, u32)> {
    let mut numbers = version.split('.');
    let major = numbers.next()?.parse().ok()?;
    let minor = numbers.next()?.parse().ok()?;
    Some((major, minor))
}
