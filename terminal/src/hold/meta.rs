//! What is known about a terminal besides what it runs.

use std::collections::BTreeMap;
use std::time::SystemTime;

/// What is known about a terminal besides what it runs; kept by its holder.
///
/// A [`Session`](crate::Session) can be found again by it after a restart of the daemon.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Meta {
    /// What it is called in requests: 1 to [`ID_BYTES`] letters, digits, `-` and `_`.
    ///
    /// No two terminals of one folder have the same.
    pub id: String,
    /// What people call it.
    pub name: Option<String>,
    /// When it was started.
    pub created: SystemTime,
    /// Whether it outlives its client.
    pub persist: bool,
    /// Whose it is.
    pub owner: String,
    /// What it runs, as people write it.
    pub command: String,
    /// What else the daemon wants to find again.
    pub extra: BTreeMap<String, String>,
}

impl Meta {
    /// A nameless terminal that does not outlive its client, made now.
    pub fn new(id: impl Into<String>) -> Self {
        Self {
            id: id.into(),
            name: None,
            created: SystemTime::now(),
            persist: false,
            owner: String::new(),
            command: String::new(),
            extra: BTreeMap::new(),
        }
    }

    /// Whether a text can be the id of a terminal.
    pub fn is_id(id: &str) -> bool {
        (1..=ID_BYTES).contains(&id.len())
            && id
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
    }
}

/// The longest id: it becomes a file's name.
pub const ID_BYTES: usize = 64;
