//! NOTIFICATION, server to client.

use std::fmt;

use bytes::Bytes;

use super::notice::Notice;
use crate::Code;
use crate::encoding::{DecodeError, Fields, Members, names};

/// A message to the person, often the answer to one of theirs.
///
/// Its `Debug` output leaves out what may be a secret.
#[derive(Clone, Eq, PartialEq)]
pub struct Notification {
    /// How serious it is.
    pub kind: NotificationKind,
    /// The words.
    pub text: String,
    /// The `id` of the message that is answered.
    pub reference: Option<String>,
    /// Unix seconds.
    pub timestamp: Option<u64>,
    /// Why, in a number.
    pub code: Option<Code>,
    /// A result, for example a screenshot.
    pub data: Option<Bytes>,
    /// The type of `data`.
    pub mime_type: Option<String>,
    /// A share token.
    pub token: Option<String>,
    /// What a program of the desktop has to say, which `text` says in words alone.
    // Not in the public text: see docs/protocol.md.
    pub notice: Option<Notice>,
}

/// How serious a notification is.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum NotificationKind {
    /// On the way.
    Info,
    /// Done.
    Success,
    /// Not done, try otherwise.
    Warning,
    /// Failed.
    Error,
}

names!(NotificationKind {
    Info = "info",
    Success = "success",
    Warning = "warning",
    Error = "error",
});

impl Notification {
    /// A notification of words alone.
    pub fn new(kind: NotificationKind, text: impl Into<String>) -> Self {
        Self {
            kind,
            text: text.into(),
            reference: None,
            timestamp: None,
            code: None,
            data: None,
            mime_type: None,
            token: None,
            notice: None,
        }
    }

    pub(super) fn read(members: &mut Members) -> Result<Self, DecodeError> {
        Ok(Self {
            kind: members.required("type")?,
            text: members.required("text")?,
            reference: members.optional("ref")?,
            timestamp: members.optional("timestamp")?,
            code: members.optional("code")?.map(Code),
            data: members.optional("data")?,
            mime_type: members.optional("mimeType")?,
            token: members.optional("token")?,
            notice: members.optional("notice")?,
        })
    }

    pub(super) fn fields(&self) -> Fields {
        Fields::new()
            .maybe("ref", self.reference.as_ref())
            .with("type", self.kind)
            .with("text", &self.text)
            .maybe("timestamp", self.timestamp)
            .maybe("code", self.code.map(|code| code.0))
            .maybe("data", self.data.as_ref())
            .maybe("mimeType", self.mime_type.as_ref())
            .maybe("token", self.token.as_ref())
            .maybe("notice", self.notice.as_ref())
    }
}

impl fmt::Debug for Notification {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Notification")
            .field("kind", &self.kind)
            .field("reference", &self.reference)
            .field("code", &self.code)
            .finish_non_exhaustive()
    }
}
