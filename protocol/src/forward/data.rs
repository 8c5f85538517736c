//! What travels on the channel of one forwarded connection.

use std::fmt;

use bytes::Bytes;

use crate::encoding::DecodeError;

/// One message of a forwarded connection; `Debug` shows no content.
#[derive(Clone, Eq, PartialEq)]
pub enum Data {
    /// Bytes, as they came.
    Bytes(Bytes),
    /// The sender's side writes nothing more; the other direction goes on.
    End,
}

impl Data {
    /// Reads a message by its type byte.
    pub fn decode(kind: u8, payload: Bytes) -> Result<Self, DecodeError> {
        match kind {
            BYTES => Ok(Self::Bytes(payload)),
            END if payload.is_empty() => Ok(Self::End),
            END => Err(DecodeError::Layout("the end of a direction")),
            unknown => Err(DecodeError::UnknownType(unknown.into())),
        }
    }

    /// Writes the message: its type byte and its payload.
    pub fn encode(&self) -> (u8, Bytes) {
        match self {
            Self::Bytes(bytes) => (BYTES, bytes.clone()),
            Self::End => (END, Bytes::new()),
        }
    }
}

impl fmt::Debug for Data {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bytes(bytes) => write!(f, "Bytes({})", bytes.len()),
            Self::End => f.write_str("End"),
        }
    }
}

const BYTES: u8 = 0x00;
const END: u8 = 0x02;
