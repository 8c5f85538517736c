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
    /// What the participant is called, added by the server: they may be gone when it is read.
    // Not in the public text, like what follows: see docs/protocol.md.
    pub name: Option<String>,
    /// Counts the lines of a session from 1, added by the server.
    pub id: Option<u64>,
    /// Whether it was said before the receiver came.
    pub earlier: bool,
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

    /// What a person says, as they send it.
    pub fn said(text: impl Into<String>) -> Self {
        Self {
            role: ChatRole::User,
            text: text.into(),
            timestamp: None,
            from: None,
            name: None,
            id: None,
            earlier: false,
        }
    }

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
            name: members.optional("name")?,
            id: members.optional("id")?,
            earlier: members.or_default("earlier")?,
        })
    }

    pub(super) fn fields(&self) -> Fields {
        Fields::new()
            .with("role", self.role)
            .with("text", &self.text)
            .maybe("timestamp", self.timestamp)
            .maybe("from", self.from.as_ref())
            .maybe("name", self.name.as_ref())
            .maybe("id", self.id)
            .maybe("earlier", self.earlier.then_some(true))
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
