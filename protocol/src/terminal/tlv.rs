//! Type, length, value: how messages follow each other on the control channel.

use std::fmt;

use bytes::{Buf, BufMut, Bytes, BytesMut};

/// One message as it travels.
#[derive(Clone, Eq, PartialEq)]
pub struct Tlv {
    /// The type number.
    pub kind: u32,
    /// The payload; may be a secret.
    pub payload: Bytes,
}

impl Tlv {
    /// Largest payload of an authenticated peer.
    pub const LENGTH_MAX: usize = 1024 * 1024;

    /// Largest payload of a peer that nobody knows yet.
    pub const LENGTH_MAX_UNAUTHENTICATED: usize = 16 * 1024;

    /// Bytes before the payload.
    pub const HEADER_LEN: usize = 8;

    /// Writes the message.
    pub fn encode(&self) -> Bytes {
        let mut out = BytesMut::with_capacity(Self::HEADER_LEN + self.payload.len());
        out.put_u32(self.kind);
        out.put_u32(u32::try_from(self.payload.len()).unwrap_or(u32::MAX));
        out.extend_from_slice(&self.payload);
        out.freeze()
    }
}

impl fmt::Debug for Tlv {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Tlv({:#04x}, {} bytes)", self.kind, self.payload.len())
    }
}

/// Finds messages in a stream of bytes, wherever it was cut.
///
/// It holds what was pushed and not yet polled; the caller keeps that small by polling until
/// nothing comes before it pushes more.
pub struct TlvDecoder {
    buffer: BytesMut,
    length_max: usize,
}

/// A message states a length above the limit; nothing can be read after it.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("a message of {length} bytes is larger than {length_max}")]
pub struct TlvTooLong {
    /// The type of the message.
    pub kind: u32,
    /// The payload length that it states.
    pub length: usize,
    /// The limit that was in force.
    pub length_max: usize,
}

impl TlvDecoder {
    /// Takes payloads of at most [`Tlv::LENGTH_MAX`].
    pub fn new() -> Self {
        Self::with_length_max(Tlv::LENGTH_MAX)
    }

    /// Takes payloads of at most `length_max` bytes.
    pub fn with_length_max(length_max: usize) -> Self {
        Self {
            buffer: BytesMut::new(),
            length_max,
        }
    }

    /// Changes the limit for the messages not yet polled.
    pub fn set_length_max(&mut self, length_max: usize) {
        self.length_max = length_max;
    }

    /// Adds received bytes.
    pub fn push(&mut self, bytes: &[u8]) {
        self.buffer.extend_from_slice(bytes);
    }

    /// The next whole message; a length above the limit is reported before its payload comes.
    pub fn poll(&mut self) -> Result<Option<Tlv>, TlvTooLong> {
        let Some((header, rest)) = self.buffer.split_first_chunk::<{ Tlv::HEADER_LEN }>() else {
            return Ok(None);
        };
        let [k0, k1, k2, k3, l0, l1, l2, l3] = *header;
        let kind = u32::from_be_bytes([k0, k1, k2, k3]);
        let length = u32::from_be_bytes([l0, l1, l2, l3]);
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        if length > self.length_max {
            return Err(TlvTooLong {
                kind,
                length,
                length_max: self.length_max,
            });
        }
        if rest.len() < length {
            return Ok(None);
        }
        self.buffer.advance(Tlv::HEADER_LEN);
        let payload = self.buffer.split_to(length).freeze();
        Ok(Some(Tlv { kind, payload }))
    }

    /// Bytes that are pushed and not yet polled.
    pub fn buffered_bytes(&self) -> usize {
        self.buffer.len()
    }
}

// The bytes may be a secret.
impl fmt::Debug for TlvDecoder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TlvDecoder({} bytes)", self.buffer.len())
    }
}

impl Default for TlvDecoder {
    fn default() -> Self {
        Self::new()
    }
}
