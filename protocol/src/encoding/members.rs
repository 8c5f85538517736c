//! Reads the members of a message into typed fields.

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use bytes::Bytes;

use super::{DecodeError, Key, Limits, Value};

/// The members of a received message; what is not asked for is ignored.
pub(crate) struct Members(Vec<(Key, Value)>);

impl Members {
    /// Decodes a payload, whichever encoding it has.
    pub(crate) fn decode(payload: &[u8], limits: &Limits) -> Result<Self, DecodeError> {
        super::decode(payload, limits).map(Self)
    }

    /// Decodes a payload that is always JSON.
    pub(crate) fn decode_json(payload: &[u8], limits: &Limits) -> Result<Self, DecodeError> {
        match payload.first() {
            Some(b'{') => Self::decode(payload, limits),
            _ => Err(DecodeError::NotAMap),
        }
    }

    /// A member that has to be there.
    pub(crate) fn required<T: FromValue>(&mut self, name: &'static str) -> Result<T, DecodeError> {
        self.optional(name)?
            .ok_or_else(|| DecodeError::member(name))
    }

    /// A member that may be absent; null counts as absent.
    pub(crate) fn optional<T: FromValue>(
        &mut self,
        name: &'static str,
    ) -> Result<Option<T>, DecodeError> {
        match self.take(name) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => match T::from_value(value) {
                Some(field) => Ok(Some(field)),
                None => Err(DecodeError::member(name)),
            },
        }
    }

    /// A member that may be absent and then has its type's default.
    pub(crate) fn or_default<T: FromValue + Default>(
        &mut self,
        name: &'static str,
    ) -> Result<T, DecodeError> {
        Ok(self.optional(name)?.unwrap_or_default())
    }

    /// The members as they came.
    pub(crate) fn into_entries(self) -> Vec<(Key, Value)> {
        self.0
    }

    fn take(&mut self, name: &str) -> Option<Value> {
        let index = self
            .0
            .iter()
            .position(|(key, _)| matches!(key, Key::Text(text) if text == name))?;
        Some(self.0.swap_remove(index).1)
    }
}

/// What a member can be turned into.
pub(crate) trait FromValue: Sized {
    /// The field, if the value has its type and range.
    fn from_value(value: Value) -> Option<Self>;
}

impl FromValue for Value {
    fn from_value(value: Value) -> Option<Self> {
        Some(value)
    }
}

impl FromValue for bool {
    fn from_value(value: Value) -> Option<Self> {
        match value {
            Value::Bool(flag) => Some(flag),
            _ => None,
        }
    }
}

impl FromValue for String {
    fn from_value(value: Value) -> Option<Self> {
        match value {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }
}

impl FromValue for i128 {
    // Integers and floats are taken alike, as long as nothing is lost.
    fn from_value(value: Value) -> Option<Self> {
        match value {
            Value::Int(int) => Some(int),
            Value::Float(float) if float.fract() == 0.0 && float.abs() < INTEGER_LIMIT =>
            {
                #[expect(clippy::cast_possible_truncation, reason = "whole and below 2^64")]
                Some(float as Self)
            }
            _ => None,
        }
    }
}

macro_rules! from_int {
    ($($int:ty),+) => {
        $(impl FromValue for $int {
            fn from_value(value: Value) -> Option<Self> {
                Self::try_from(i128::from_value(value)?).ok()
            }
        })+
    };
}

from_int!(u8, u16, u32, u64, i32, i64);

impl FromValue for f64 {
    fn from_value(value: Value) -> Option<Self> {
        match value {
            Value::Float(float) => float.is_finite().then_some(float),
            #[expect(
                clippy::cast_precision_loss,
                reason = "a float field takes the nearest float"
            )]
            Value::Int(int) => Some(int as Self),
            _ => None,
        }
    }
}

impl FromValue for Bytes {
    fn from_value(value: Value) -> Option<Self> {
        match value {
            Value::Bytes(bytes) => Some(bytes),
            Value::Text(text) => BASE64.decode(text).ok().map(Self::from),
            _ => None,
        }
    }
}

impl<T: FromValue> FromValue for Vec<T> {
    fn from_value(value: Value) -> Option<Self> {
        match value {
            Value::Array(items) => items.into_iter().map(T::from_value).collect(),
            _ => None,
        }
    }
}

impl FromValue for Members {
    fn from_value(value: Value) -> Option<Self> {
        match value {
            Value::Map(entries) => Some(Self(entries)),
            _ => None,
        }
    }
}

/// Gives an enum its names on the wire.
macro_rules! names {
    ($type:ident { $($variant:ident = $name:literal),+ $(,)? }) => {
        impl $type {
            /// The name on the wire.
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $name,)+
                }
            }

            /// The value with this name on the wire.
            pub fn from_name(name: &str) -> Option<Self> {
                match name {
                    $($name => Some(Self::$variant),)+
                    _ => None,
                }
            }
        }

        impl $crate::encoding::FromValue for $type {
            fn from_value(value: $crate::encoding::Value) -> Option<Self> {
                match value {
                    $crate::encoding::Value::Text(name) => Self::from_name(&name),
                    _ => None,
                }
            }
        }

        impl From<$type> for $crate::encoding::Value {
            fn from(value: $type) -> Self {
                Self::from(value.name())
            }
        }
    };
}

pub(crate) use names;

/// 2^64: what no integer of the wire reaches.
const INTEGER_LIMIT: f64 = 18_446_744_073_709_551_616.0;

/// Standard base64; the padding may be missing on receipt.
pub(super) const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);
