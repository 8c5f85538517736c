//! What travels on a PTY channel once flow control was agreed on.

use std::fmt;

use bytes::{BufMut as _, Bytes, BytesMut};

use crate::encoding::DecodeError;

/// One message of a PTY channel; the type byte of the mux says which.
///
/// Without `flow_control` only [`Bytes`](Self::Bytes) counts, besides [`Zstd`](Self::Zstd) where
/// that was agreed on and [`EndOfInput`](Self::EndOfInput) where there are pipes. `Debug` shows no
/// content.
#[derive(Clone, Eq, PartialEq)]
pub enum PtyMessage {
    /// Bytes of the program, or for it.
    Bytes(Bytes),
    /// One zstd frame of bytes of the program; only where `zstd_compression` was selected.
    Zstd(Bytes),
    /// Nothing more is written to the program; only where it reads from a pipe.
    EndOfInput,
    /// Draws the whole screen anew on a terminal that is reset first.
    Repaint {
        /// Where in the output the bytes continue that come after this message.
        offset: u64,
        /// Whether the body is one zstd frame.
        compressed: bool,
        /// Whether the lines above the screen are part of it.
        scrollback: bool,
        /// What a terminal that was just reset has to be fed.
        body: Bytes,
    },
    /// To the server: how much of the output the terminal has parsed. To the client: how much of
    /// its input the program's terminal was given.
    Ack(u64),
}

impl PtyMessage {
    /// The most that one zstd frame of bytes may hold, decompressed; more is malformed.
    pub const ZSTD_CONTENT_MAX: usize = 1024 * 1024;

    /// The most that a compressed repaint may hold, decompressed; more is malformed.
    pub const REPAINT_CONTENT_MAX: usize = 16 * 1024 * 1024;

    /// The longest body of a repaint; what is longer does not fit one message of the mux.
    pub const REPAINT_BODY_MAX: usize =
        crate::mux::MESSAGE_BYTES - size_of::<u64>() - REPAINT_HEADER_BYTES;

    /// How much a server may send before the first ACK.
    pub const CREDIT_BYTES: u64 = 256 * 1024;

    /// How much a server may ever send beyond the last ACK.
    pub const CREDIT_BYTES_MAX: u64 = 1024 * 1024;

    /// A client acknowledges at least once in so many parsed bytes, and whenever it has parsed all
    /// that came.
    pub const ACK_BYTES: u64 = 64 * 1024;

    /// Reads a message by its type byte.
    pub fn decode(kind: u8, payload: Bytes) -> Result<Self, DecodeError> {
        match kind {
            BYTES => Ok(Self::Bytes(payload)),
            ZSTD => Ok(Self::Zstd(payload)),
            END_OF_INPUT if payload.is_empty() => Ok(Self::EndOfInput),
            END_OF_INPUT => Err(DecodeError::Layout("the end of input")),
            REPAINT => read_repaint(&payload),
            ACK => match payload.as_ref().try_into() {
                Ok(offset) => Ok(Self::Ack(u64::from_be_bytes(offset))),
                Err(_) => Err(DecodeError::Layout("ACK")),
            },
            unknown => Err(DecodeError::UnknownType(unknown.into())),
        }
    }

    /// Writes the message: its type byte and its payload.
    pub fn encode(&self) -> (u8, Bytes) {
        match self {
            Self::Bytes(bytes) => (BYTES, bytes.clone()),
            Self::Zstd(frame) => (ZSTD, frame.clone()),
            Self::EndOfInput => (END_OF_INPUT, Bytes::new()),
            Self::Repaint {
                offset,
                compressed,
                scrollback,
                body,
            } => {
                let mut payload = BytesMut::with_capacity(REPAINT_HEADER_BYTES + body.len());
                payload.put_u64(*offset);
                payload.put_u8(
                    (u8::from(*compressed) * COMPRESSED) | (u8::from(*scrollback) * SCROLLBACK),
                );
                payload.put_slice(body);
                (REPAINT, payload.freeze())
            }
            Self::Ack(offset) => (ACK, Bytes::copy_from_slice(&offset.to_be_bytes())),
        }
    }
}

fn read_repaint(payload: &Bytes) -> Result<PtyMessage, DecodeError> {
    const MALFORMED: DecodeError = DecodeError::Layout("REPAINT");
    let (offset, rest) = payload.split_first_chunk().ok_or(MALFORMED)?;
    let flags = *rest.first().ok_or(MALFORMED)?;
    if flags & !(COMPRESSED | SCROLLBACK) != 0 {
        return Err(MALFORMED);
    }
    Ok(PtyMessage::Repaint {
        offset: u64::from_be_bytes(*offset),
        compressed: flags & COMPRESSED != 0,
        scrollback: flags & SCROLLBACK != 0,
        body: payload.slice(REPAINT_HEADER_BYTES..),
    })
}

impl fmt::Debug for PtyMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bytes(bytes) => write!(f, "Bytes({})", bytes.len()),
            Self::Zstd(frame) => write!(f, "Zstd({})", frame.len()),
            Self::EndOfInput => f.write_str("EndOfInput"),
            Self::Repaint { offset, body, .. } => write!(f, "Repaint({offset}, {})", body.len()),
            Self::Ack(offset) => write!(f, "Ack({offset})"),
        }
    }
}

const BYTES: u8 = 0x00;
const ZSTD: u8 = 0x01;
const END_OF_INPUT: u8 = 0x02;
const REPAINT: u8 = 0x03;
const ACK: u8 = 0x04;

/// Bits of the flags of REPAINT; the others are 0.
const COMPRESSED: u8 = 1;
const SCROLLBACK: u8 = 1 << 1;

/// Offset and flags.
const REPAINT_HEADER_BYTES: usize = size_of::<u64>() + 1;
