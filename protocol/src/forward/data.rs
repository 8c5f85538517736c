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
    HalfClose,
    /// How many bytes were handed on in all since the connection began, so that more may come.
    ///
    /// Whoever receives bytes has to send it: see [`Window`](super::Window).
    Ack(u64),
}

impl Data {
    /// Reads a message by its type byte.
    pub fn decode(kind: u8, payload: Bytes) -> Result<Self, DecodeError> {
        match kind {
            BYTES => Ok(Self::Bytes(payload)),
            HALF_CLOSE if payload.is_empty() => Ok(Self::HalfClose),
            HALF_CLOSE => Err(DecodeError::Layout("the end of a direction")),
            ACK => match payload.as_ref().try_into() {
                Ok(total) => Ok(Self::Ack(u64::from_be_bytes(total))),
                Err(_) => Err(DecodeError::Layout("ACK")),
            },
            unknown => Err(DecodeError::UnknownType(unknown.into())),
        }
    }

    /// Writes the message: its type byte and its payload.
    pub fn encode(&self) -> (u8, Bytes) {
        match self {
            Self::Bytes(bytes) => (BYTES, bytes.clone()),
            Self::HalfClose => (HALF_CLOSE, Bytes::new()),
            Self::Ack(total) => (ACK, Bytes::copy_from_slice(&total.to_be_bytes())),
        }
    }
}

impl fmt::Debug for Data {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bytes(bytes) => write!(f, "Bytes({})", bytes.len()),
            Self::HalfClose => f.write_str("HalfClose"),
            Self::Ack(total) => write!(f, "Ack({total})"),
        }
    }
}

const BYTES: u8 = 0x00;
const HALF_CLOSE: u8 = 0x02;
const ACK: u8 = 0x04;
