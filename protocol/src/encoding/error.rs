//! Why a message could not be read.

use crate::Code;

/// Why a message could not be read; [`code`](Self::code) is what the sender is told.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum DecodeError {
    /// The type number is unknown, or only the other side may send it.
    #[error("message type {0:#04x} is not known here")]
    UnknownType(u32),
    /// The payload is neither a JSON object nor a CBOR map.
    #[error("the payload is neither a JSON object nor a CBOR map")]
    NotAMap,
    /// The payload is not valid JSON or CBOR, or goes beyond what a message may hold.
    #[error("the payload is malformed: {0}")]
    Syntax(&'static str),
    /// A member is missing, has the wrong type, or a value that is not allowed.
    #[error("member `{name}` is missing or not valid")]
    Member {
        /// The member's name.
        name: &'static str,
        /// The `id` of the message, when it had one that could be read.
        reference: Option<String>,
    },
    /// A binary payload has the wrong size or a value that is not allowed.
    #[error("the payload does not have the layout of {0}")]
    Layout(&'static str),
    /// The message is larger than its kind may be.
    #[error("the message is larger than {0} may be")]
    TooLarge(&'static str),
}

impl DecodeError {
    /// The code for the ERROR that answers the message.
    pub fn code(&self) -> Code {
        match self {
            Self::UnknownType(_) => Code::UNSUPPORTED,
            Self::TooLarge(_) => Code::MESSAGE_TOO_LARGE,
            Self::NotAMap | Self::Syntax(_) | Self::Member { .. } | Self::Layout(_) => {
                Code::INVALID_MESSAGE
            }
        }
    }

    /// The `id` of the malformed message, for a NOTIFICATION that refers to it.
    pub fn reference(&self) -> Option<&str> {
        match self {
            Self::Member { reference, .. } => reference.as_deref(),
            _ => None,
        }
    }

    /// A member that is missing or wrong.
    pub(crate) fn member(name: &'static str) -> Self {
        Self::Member {
            name,
            reference: None,
        }
    }

    /// Adds the `id` of the message.
    pub(crate) fn with_reference(mut self, id: Option<&str>) -> Self {
        if let Self::Member { reference, .. } = &mut self {
            *reference = id.map(str::to_owned);
        }
        self
    }
}
