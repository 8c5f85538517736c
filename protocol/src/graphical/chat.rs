//! CHAT, both ways.

use std::fmt;

use crate::encoding::{DecodeError, Fields, Members, names};

/// A line of conversation; its `Debug` output leaves the text out.
#[derive(Clone, Eq, PartialEq)]
pub struct Chat {
    /// Who speaks; the server overwrites a client's with `user`.
    pub role: ChatRole,
    /// What is said.
    pub text: String,
    /// Unix seconds.
    pub timestamp: Option<u64>,
    /// The participant's id, added by the server.
    pub from: Option<String>,
}

/// Who speaks.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum ChatRole {
    /// A person.
    User,
    /// An agent.
    Agent,
    /// The server itself.
    System,
}

names!(ChatRole { User = "user", Agent = "agent", System = "system" });

impl Chat {
    /// Largest text in bytes; a larger one is refused as too large.
    pub const TEXT_BYTES_MAX: usize = 16 * 1024;

    pub(super) fn read(members: &mut Members) -> Result<Self, DecodeError> {
        let text: String = members.required("text")?;
        if text.len() > Self::TEXT_BYTES_MAX {
            return Err(DecodeError::TooLarge("CHAT"));
        }
        Ok(Self {
            role: members.required("role")?,
            text,
            timestamp: members.optional("timestamp")?,
            from: members.optional("from")?,
        })
    }

    pub(super) fn fields(&self) -> Fields {
        Fields::new()
            .with("role", self.role)
            .with("text", &self.text)
            .maybe("timestamp", self.timestamp)
            .maybe("from", self.from.as_ref())
    }
}

impl fmt::Debug for Chat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Chat")
            .field("role", &self.role)
            .field("from", &self.from)
            .finish_non_exhaustive()
    }
}
