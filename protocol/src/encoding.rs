//! The two encodings that Graphical and Terminal messages share: JSON and deterministic CBOR.
//!
//! Both decode into one [`Value`], so every typed message is written down once. A decoder takes
//! any valid form; the encoder writes exactly one.

mod cbor;
mod error;
mod fields;
mod json;
mod members;
mod value;

use bytes::Bytes;

pub use self::error::DecodeError;
pub(crate) use self::fields::{Fields, number};
pub(crate) use self::members::{FromValue, Members, names};
pub use self::value::{Key, Value};

/// How the members of a message are written.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Encoding {
    /// One JSON object; byte strings are base64 text.
    Json,
    /// One CBOR map, RFC 8949 core deterministic encoding.
    Cbor,
}

names!(Encoding { Json = "json", Cbor = "cbor" });

impl Encoding {
    /// Every encoding, the one that we prefer first.
    pub const ALL: [Self; 2] = [Self::Cbor, Self::Json];

    /// The first encoding of a client's list that we know.
    ///
    /// A client without a list knows JSON only. `None`: nothing in common.
    pub fn choose(offered: Option<&[String]>) -> Option<Self> {
        match offered {
            Some(names) => names.iter().find_map(|name| Self::from_name(name)),
            None => Some(Self::Json),
        }
    }
}

/// What one message may cost its decoder.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Limits {
    /// Nested containers, the outermost included; a deeper message is malformed.
    pub(crate) depth_max: usize,
    /// Data items and keys together; a message with more is malformed.
    pub(crate) items_max: usize,
}

impl Limits {
    /// For messages of peers that nobody knows yet.
    pub(crate) const UNAUTHENTICATED: Self = Self {
        depth_max: 16,
        items_max: 256,
    };

    /// For messages of authenticated peers.
    pub(crate) const AUTHENTICATED: Self = Self {
        depth_max: 16,
        items_max: 65_536,
    };
}

/// Decodes a map, telling the encoding by its first byte.
// VROOM-Graphical §4.3: 0x7B is JSON, 0xA0..0xBF a CBOR map, anything else is malformed.
fn decode(payload: &[u8], limits: &Limits) -> Result<Vec<(Key, Value)>, DecodeError> {
    let value = match payload.first() {
        Some(b'{') => json::decode(payload, limits)?,
        Some(0xA0..=0xBF) => cbor::decode(payload, limits)?,
        _ => return Err(DecodeError::NotAMap),
    };
    match value {
        Value::Map(entries) => Ok(entries),
        _ => Err(DecodeError::NotAMap),
    }
}

/// Writes a map.
fn encode(entries: Vec<(Key, Value)>, encoding: Encoding) -> Bytes {
    let mut out = Vec::new();
    let value = Value::Map(entries);
    match encoding {
        Encoding::Json => json::encode(&value, &mut out),
        Encoding::Cbor => cbor::encode(&value, &mut out),
    }
    out.into()
}

#[cfg(test)]
mod tests;
