//! SET_ENV: variables for the program, as far as the server allows.

use std::fmt;

use crate::encoding::{DecodeError, Fields, FromValue, Key, Members, Value};

/// Variables in the order in which they are set; `Debug` shows only how many.
#[derive(Clone, Default, Eq, PartialEq)]
pub struct Environment(pub Vec<(String, String)>);

impl Environment {
    /// What a client may set unless the server is told otherwise; `*` at the end is any ending.
    pub const DEFAULT_ALLOW_LIST: [&str; 8] = [
        "LANG",
        "LANGUAGE",
        "LC_*",
        "TERM_PROGRAM",
        "TERM_PROGRAM_VERSION",
        "COLORTERM",
        "NO_COLOR",
        "TZ",
    ];

    /// Most variables that one terminal takes; further ones are refused.
    pub const VARIABLES_MAX: usize = 128;

    /// Most bytes of names and values that one terminal takes; further ones are refused.
    pub const BYTES_MAX: usize = 64 * 1024;

    pub(super) fn read(members: Members) -> Result<Self, DecodeError> {
        let mut variables = Vec::new();
        for (key, value) in members.into_entries() {
            match (key, String::from_value(value)) {
                (Key::Text(name), Some(value)) => variables.push((name, value)),
                _ => return Err(DecodeError::Syntax("a variable that is not text")),
            }
        }
        Ok(Self(variables))
    }

    pub(super) fn fields(&self) -> Fields {
        self.0.iter().fold(Fields::new(), |fields, (name, value)| {
            fields.with_key(Key::Text(name.clone()), Value::from(value))
        })
    }
}

impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Environment({} variables)", self.0.len())
    }
}

/// Whether an allow-list has room for a variable name.
pub fn is_allowed(name: &str, allow_list: &[String]) -> bool {
    let is_name = !name.is_empty() && !name.contains(['=', '\0']);
    is_name
        && allow_list
            .iter()
            .any(|pattern| match pattern.strip_suffix('*') {
                Some(start) => name.starts_with(start),
                None => name == pattern,
            })
}
