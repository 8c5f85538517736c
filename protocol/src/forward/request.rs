//! FORWARD_REQUEST: what is to be forwarded.

use std::fmt;

use crate::encoding::{DecodeError, Fields, Members, names};

/// Asks to forward connections.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ForwardRequest {
    /// Names the forward from now on; unique among those of the asker.
    pub forward_id: u64,
    /// Who listens and who connects.
    pub direction: Direction,
    /// Where is listened; port 0 for any that is free.
    pub bind: Endpoint,
    /// Where connections lead.
    pub target: Endpoint,
}

/// Who listens and who connects.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Direction {
    /// The asker listens, the other side connects to the target.
    Local,
    /// The other side listens, the asker connects to the target.
    Remote,
    /// As `Local`, where each connection names its own target.
    Dynamic,
    /// The other side listens for programs that look for an SSH agent.
    Agent,
}

names!(Direction { Local = "local", Remote = "remote", Dynamic = "dynamic", Agent = "agent" });

/// One end: a name or an address and a port, or the path of a Unix socket.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Endpoint {
    /// A name or an address; a path when it begins with `/`.
    pub address: String,
    /// The port; 0 with a path, and where the receiver picks one.
    pub port: u16,
}

impl Endpoint {
    /// A TCP port.
    pub fn tcp(address: impl Into<String>, port: u16) -> Self {
        Self {
            address: address.into(),
            port,
        }
    }

    /// A Unix socket, by its absolute path.
    pub fn unix(path: impl Into<String>) -> Self {
        Self {
            address: path.into(),
            port: 0,
        }
    }

    /// The path, if this is a Unix socket.
    pub fn unix_path(&self) -> Option<&str> {
        let is_unix = self.port == 0 && self.address.starts_with('/');
        is_unix.then_some(self.address.as_str())
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.unix_path() {
            Some(path) => f.write_str(path),
            None if self.address.contains(':') => write!(f, "[{}]:{}", self.address, self.port),
            None => write!(f, "{}:{}", self.address, self.port),
        }
    }
}

impl ForwardRequest {
    pub(super) fn read(members: &mut Members) -> Result<Self, DecodeError> {
        Ok(Self {
            forward_id: members.required("forwardId")?,
            direction: members.required("direction")?,
            bind: Endpoint {
                address: members.required("bindAddress")?,
                port: members.required("bindPort")?,
            },
            target: Endpoint {
                address: members.required("targetAddress")?,
                port: members.required("targetPort")?,
            },
        })
    }

    pub(super) fn fields(&self) -> Fields {
        Fields::new()
            .with("forwardId", self.forward_id)
            .with("direction", self.direction)
            .with("bindAddress", &self.bind.address)
            .with("bindPort", self.bind.port)
            .with("targetAddress", &self.target.address)
            .with("targetPort", self.target.port)
    }
}
