//! ERROR, both ways.

use crate::Code;
use crate::encoding::{DecodeError, Fields, Members, Value};

/// Something went wrong.
#[derive(Clone, Debug, PartialEq)]
pub struct ErrorMessage {
    /// What, in a number.
    pub code: Code,
    /// What, in words.
    pub reason: Option<String>,
    /// The type of the message that it answers.
    pub reference: Option<u32>,
    /// Whether the sender closes the pair.
    pub fatal: bool,
    /// More about it.
    pub data: Option<Value>,
}

impl ErrorMessage {
    /// An error that closes nothing.
    pub fn new(code: Code, reason: impl Into<String>) -> Self {
        Self {
            code,
            reason: Some(reason.into()),
            reference: None,
            fatal: false,
            data: None,
        }
    }

    pub(super) fn read(members: &mut Members) -> Result<Self, DecodeError> {
        Ok(Self {
            code: Code(members.required("code")?),
            reason: members.optional("reason")?,
            reference: members.optional("ref")?,
            fatal: members.or_default("fatal")?,
            data: members.optional("data")?,
        })
    }

    pub(super) fn fields(&self) -> Fields {
        Fields::new()
            .with("code", self.code.0)
            .maybe("reason", self.reason.as_ref())
            .maybe("ref", self.reference)
            .maybe("fatal", self.fatal.then_some(true))
            .maybe("data", self.data.clone())
    }
}
