//! HELLO, both ways, always JSON.

use crate::encoding::{DecodeError, Encoding, Fields, Members};

/// The protocol's name in both HELLOs.
pub const PROTOCOL: &str = "vroom-terminal";

/// The protocol's version in both HELLOs.
pub const VERSION: u32 = 1;

/// What the client says first.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ClientHello {
    /// See [`PROTOCOL`].
    pub protocol: String,
    /// See [`VERSION`].
    pub version: u32,
    /// Encoding names, the preferred one first; a client without a list knows JSON only.
    pub control_encoding: Option<Vec<String>>,
    /// Who the client is, for logs.
    pub client: Option<String>,
}

impl ClientHello {
    /// A HELLO of this version that offers encodings, the preferred one first.
    pub fn new(encodings: &[Encoding]) -> Self {
        let names = encodings.iter().map(|encoding| encoding.name().to_owned());
        Self {
            protocol: PROTOCOL.to_owned(),
            version: VERSION,
            control_encoding: Some(names.collect()),
            client: None,
        }
    }

    pub(super) fn read(members: &mut Members) -> Result<Self, DecodeError> {
        Ok(Self {
            protocol: members.required("protocol")?,
            version: members.required("version")?,
            control_encoding: members.optional("control_encoding")?,
            client: members.optional("client")?,
        })
    }

    pub(super) fn fields(&self) -> Fields {
        Fields::new()
            .with("protocol", &self.protocol)
            .with("version", self.version)
            .maybe_list("control_encoding", self.control_encoding.as_deref())
            .maybe("client", self.client.as_ref())
    }
}

/// What the server answers.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ServerHello {
    /// See [`PROTOCOL`].
    pub protocol: String,
    /// See [`VERSION`].
    pub version: u32,
    /// What both sides write from now on.
    pub control_encoding: Encoding,
    /// Who the server is, for logs.
    pub server: Option<String>,
}

impl ServerHello {
    /// A HELLO of this version.
    pub fn new(control_encoding: Encoding) -> Self {
        Self {
            protocol: PROTOCOL.to_owned(),
            version: VERSION,
            control_encoding,
            server: None,
        }
    }

    pub(super) fn read(members: &mut Members) -> Result<Self, DecodeError> {
        Ok(Self {
            protocol: members.required("protocol")?,
            version: members.required("version")?,
            control_encoding: members
                .optional("control_encoding")?
                .unwrap_or(Encoding::Json),
            server: members.optional("server")?,
        })
    }

    pub(super) fn fields(&self) -> Fields {
        Fields::new()
            .with("protocol", &self.protocol)
            .with("version", self.version)
            .with("control_encoding", self.control_encoding)
            .maybe("server", self.server.as_ref())
    }
}
