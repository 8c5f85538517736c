//! Typed access to the members of a JSON message.

use serde_json::{Map, Value};

use super::ControlError;
use crate::json;

/// The members of one object.
pub(crate) struct Fields(Map<String, Value>);

type Result<T> = std::result::Result<T, ControlError>;

impl Fields {
    pub(crate) fn parse(payload: &[u8]) -> Result<Self> {
        json::parse_object(payload)
            .map(Self)
            .map_err(|_| ControlError::Invalid)
    }

    pub(crate) fn get(&self, name: &str) -> Option<&Value> {
        self.0.get(name)
    }

    pub(crate) fn text(&self, name: &str) -> Result<Option<String>> {
        self.maybe(name, |value| value.as_str().map(str::to_owned))
    }

    /// An integer from zero up, written without a fraction.
    pub(crate) fn unsigned(&self, name: &str) -> Result<Option<u64>> {
        self.maybe(name, Value::as_u64)
    }

    pub(crate) fn boolean(&self, name: &str) -> Result<Option<bool>> {
        self.maybe(name, Value::as_bool)
    }

    pub(crate) fn texts(&self, name: &str) -> Result<Option<Vec<String>>> {
        self.maybe(name, |value| {
            value
                .as_array()?
                .iter()
                .map(|item| item.as_str().map(str::to_owned))
                .collect()
        })
    }

    pub(crate) fn version(&self) -> Result<Option<[u64; 3]>> {
        self.maybe("version", |value| match value.as_array()?.as_slice() {
            [major, minor, patch] => Some([major.as_u64()?, minor.as_u64()?, patch.as_u64()?]),
            _ => None,
        })
    }

    pub(crate) fn array(&self, name: &str) -> Result<Option<&Vec<Value>>> {
        self.get(name)
            .map(|value| value.as_array().ok_or(ControlError::Invalid))
            .transpose()
    }

    pub(crate) fn object(&self, name: &str) -> Result<Option<Self>> {
        self.maybe(name, |value| value.as_object().cloned().map(Self))
    }

    /// The members of an object inside an array.
    pub(crate) fn of(value: &Value) -> Result<Self> {
        value
            .as_object()
            .cloned()
            .map(Self)
            .ok_or(ControlError::Invalid)
    }

    pub(crate) fn into_map(self) -> Map<String, Value> {
        self.0
    }

    /// A member that may be absent, but not of another type.
    fn maybe<T>(&self, name: &str, read: impl FnOnce(&Value) -> Option<T>) -> Result<Option<T>> {
        self.get(name)
            .map(|value| read(value).ok_or(ControlError::Invalid))
            .transpose()
    }
}

/// Turns an absent member into an error.
pub(crate) trait Required<T> {
    fn required(self) -> Result<T>;
}

impl<T> Required<T> for Result<Option<T>> {
    fn required(self) -> Result<T> {
        self?.ok_or(ControlError::Invalid)
    }
}
