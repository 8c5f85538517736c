//! Writes the members of a message.

use bytes::Bytes;

use super::{Encoding, Key, Value};

/// The members of a message that is being written, in the order in which JSON shows them.
#[derive(Default)]
pub(crate) struct Fields(Vec<(Key, Value)>);

impl Fields {
    /// No members yet.
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// Adds a member; a null value leaves it out.
    pub(crate) fn with(self, name: &str, value: impl Into<Value>) -> Self {
        match value.into() {
            Value::Null => self,
            value => self.with_key(Key::Text(name.to_owned()), value),
        }
    }

    /// Adds a member if there is a value.
    pub(crate) fn maybe(self, name: &str, value: Option<impl Into<Value>>) -> Self {
        match value {
            Some(value) => self.with(name, value),
            None => self,
        }
    }

    /// Adds a member that is a list.
    pub(crate) fn with_list<'a, T>(self, name: &str, items: &'a [T]) -> Self
    where
        &'a T: Into<Value>,
    {
        self.with(name, Value::Array(items.iter().map(Into::into).collect()))
    }

    /// Adds a member that is a list, if there is one.
    pub(crate) fn maybe_list<'a, T>(self, name: &str, items: Option<&'a [T]>) -> Self
    where
        &'a T: Into<Value>,
    {
        match items {
            Some(items) => self.with_list(name, items),
            None => self,
        }
    }

    /// Adds a member that says null.
    pub(crate) fn with_null(self, name: &str) -> Self {
        self.with_key(Key::Text(name.to_owned()), Value::Null)
    }

    /// Adds a member under any key.
    pub(crate) fn with_key(mut self, key: Key, value: Value) -> Self {
        self.0.push((key, value));
        self
    }

    /// Writes the message.
    pub(crate) fn encode(self, encoding: Encoding) -> Bytes {
        super::encode(self.0, encoding)
    }
}

impl From<Fields> for Value {
    fn from(fields: Fields) -> Self {
        Self::Map(fields.0)
    }
}

/// A number that is written as an integer when it is one.
///
/// For members typed `number`; `scale` and `pixelRatio` are floats even when whole.
pub(crate) fn number(value: f64) -> Value {
    if value.fract() == 0.0 && value.abs() <= INTEGER_MAX {
        #[expect(
            clippy::cast_possible_truncation,
            reason = "a whole number of at most 53 bits"
        )]
        Value::Int(value as i128)
    } else {
        Value::from(value)
    }
}

/// Beyond 2^53 not every integer is a float.
const INTEGER_MAX: f64 = 9_007_199_254_740_992.0;
