//! The names of a terminal's channels.

use std::fmt;

use crate::Code;

/// Most terminals on one connection; a further pair is refused with 4114.
pub const TERMINALS_MAX: usize = 64;

/// A channel of a terminal: what it carries, and which terminal it belongs to.
///
/// `Display` writes the name on the wire, for example `vroom.terminal.control#2`.
#[derive(Clone, Debug, Eq, Hash, PartialEq)]
pub struct ChannelName {
    /// What it carries.
    pub plane: Plane,
    /// Absent for the connection's first terminal.
    pub key: Option<String>,
}

/// What a channel of a terminal carries.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Plane {
    /// The messages of this module.
    Control,
    /// Raw bytes to and from the PTY, or a program's stdin and stdout.
    Pty,
    /// A program's stderr, where there is no PTY.
    Stderr,
}

/// Why a channel name is not one of a terminal.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum ChannelNameError {
    /// It belongs to something else.
    #[error("not the name of a terminal channel")]
    NotATerminal,
    /// What follows `#` is not 1 to 32 letters, digits, `_` or `-`.
    #[error("the key after # has to be 1 to 32 letters, digits, _ or -")]
    IllegalKey,
}

impl ChannelNameError {
    /// The code for CHANNEL_REJECT.
    pub const fn code(self) -> Code {
        match self {
            Self::NotATerminal => Code::UNSUPPORTED,
            Self::IllegalKey => Code::INVALID_MESSAGE,
        }
    }
}

impl ChannelName {
    /// Reads a canonical name, without `omux/`.
    // VROOM-Terminal §5.1, decision D4.
    pub fn parse(name: &str) -> Result<Self, ChannelNameError> {
        let (plane, key) = match name.split_once('#') {
            Some((plane, key)) => (plane, Some(key)),
            None => (name, None),
        };
        let plane = match plane {
            CONTROL => Plane::Control,
            PTY => Plane::Pty,
            STDERR => Plane::Stderr,
            _ => return Err(ChannelNameError::NotATerminal),
        };
        if !key.is_none_or(is_key) {
            return Err(ChannelNameError::IllegalKey);
        }
        Ok(Self {
            plane,
            key: key.map(str::to_owned),
        })
    }

    /// The channel of the same terminal that carries something else.
    #[must_use]
    pub fn sibling(&self, plane: Plane) -> Self {
        Self {
            plane,
            key: self.key.clone(),
        }
    }
}

impl fmt::Display for ChannelName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.plane {
            Plane::Control => CONTROL,
            Plane::Pty => PTY,
            Plane::Stderr => STDERR,
        })?;
        match &self.key {
            Some(key) => write!(f, "#{key}"),
            None => Ok(()),
        }
    }
}

fn is_key(key: &str) -> bool {
    let is_allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    (1..=KEY_BYTES_MAX).contains(&key.len()) && key.bytes().all(is_allowed)
}

const CONTROL: &str = "vroom.terminal.control";
const PTY: &str = "vroom.terminal.pty";
const STDERR: &str = "vroom.terminal.stderr";
const KEY_BYTES_MAX: usize = 32;
