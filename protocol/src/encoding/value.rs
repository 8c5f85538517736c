//! What JSON and CBOR have in common.

use std::fmt;

use bytes::Bytes;

/// The name of a member of a map.
#[derive(Clone, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub enum Key {
    /// A text key, the ordinary case.
    Text(String),
    /// An integer key; decimal text in JSON.
    Int(i128),
}

/// One data item of a message.
///
/// Its `Debug` output shows the kind and size, never the content: it may be a secret.
#[derive(Clone, PartialEq)]
pub enum Value {
    /// Nothing; CBOR's `undefined` too.
    Null,
    /// True or false.
    Bool(bool),
    /// An integer, as far as CBOR and JSON go: -2^64 to 2^64 - 1.
    Int(i128),
    /// A floating point number.
    Float(f64),
    /// Text.
    Text(String),
    /// Bytes; base64 text in JSON.
    Bytes(Bytes),
    /// A list.
    Array(Vec<Self>),
    /// A map, in the order in which it was received or is to be written.
    Map(Vec<(Key, Self)>),
    /// A valid CBOR item that no message uses: a tagged item or an unassigned simple value.
    Other,
}

impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("Null"),
            Self::Bool(_) => f.write_str("Bool"),
            Self::Int(_) => f.write_str("Int"),
            Self::Float(_) => f.write_str("Float"),
            Self::Text(text) => write!(f, "Text({} bytes)", text.len()),
            Self::Bytes(bytes) => write!(f, "Bytes({} bytes)", bytes.len()),
            Self::Array(items) => write!(f, "Array({} items)", items.len()),
            Self::Map(entries) => write!(f, "Map({} members)", entries.len()),
            Self::Other => f.write_str("Other"),
        }
    }
}

/// Whether a key occurs twice.
pub(super) fn has_duplicates(entries: &[(Key, Value)]) -> bool {
    let mut keys: Vec<&Key> = entries.iter().map(|(key, _)| key).collect();
    keys.sort_unstable();
    keys.windows(2)
        .any(|pair| matches!(pair, [left, right] if left == right))
}

macro_rules! into_int {
    ($($int:ty),+) => {
        $(impl From<$int> for Value {
            fn from(int: $int) -> Self {
                Self::Int(i128::from(int))
            }
        })+
    };
}

into_int!(u8, u16, u32, u64, i32, i64);

impl From<bool> for Value {
    fn from(flag: bool) -> Self {
        Self::Bool(flag)
    }
}

impl From<f64> for Value {
    /// A float; what is not finite cannot be said in JSON and becomes null.
    fn from(float: f64) -> Self {
        if float.is_finite() {
            Self::Float(float)
        } else {
            Self::Null
        }
    }
}

impl From<&str> for Value {
    fn from(text: &str) -> Self {
        Self::Text(text.to_owned())
    }
}

impl From<&String> for Value {
    fn from(text: &String) -> Self {
        Self::Text(text.clone())
    }
}

impl From<&Bytes> for Value {
    fn from(bytes: &Bytes) -> Self {
        Self::Bytes(bytes.clone())
    }
}

impl From<&u32> for Value {
    fn from(int: &u32) -> Self {
        Self::from(*int)
    }
}
