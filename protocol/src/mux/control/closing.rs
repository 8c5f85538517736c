//! CLOSE and ERROR.

use serde::{Serialize, Serializer};

use super::ControlError;
use super::fields::Fields;
use crate::mux::code::Code;
use crate::mux::id::ChannelId;

/// CLOSE.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Close {
    /// Why.
    pub code: Code,
    /// Why, in words.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub reason: String,
}

impl Close {
    pub(super) fn read(fields: &Fields) -> Result<Self, ControlError> {
        Ok(Self {
            code: read_code(fields)?,
            reason: fields.text("reason")?.unwrap_or_default(),
        })
    }
}

/// ERROR.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ErrorReport {
    /// What went wrong.
    pub code: Code,
    /// The channel it is about.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub channel: Option<ChannelId>,
    /// In words.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub reason: String,
}

impl ErrorReport {
    pub(super) fn read(fields: &Fields) -> Result<Self, ControlError> {
        // A channel that no byte can hold says as little as none.
        let channel = fields
            .unsigned("channel")?
            .and_then(|id| u8::try_from(id).ok())
            .map(ChannelId);
        Ok(Self {
            code: read_code(fields)?,
            channel,
            reason: fields.text("reason")?.unwrap_or_default(),
        })
    }
}

/// Reads `code`: any integer is accepted, those that fit no code are kept as 65535.
pub(super) fn read_code(fields: &Fields) -> Result<Code, ControlError> {
    let value = fields.get("code").ok_or(ControlError::Invalid)?;
    if let Some(code) = value.as_u64() {
        return Ok(Code(u16::try_from(code).unwrap_or(u16::MAX)));
    }
    if value.is_i64() {
        Ok(Code(u16::MAX))
    } else {
        Err(ControlError::Invalid)
    }
}

impl Serialize for Code {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u16(self.0)
    }
}
