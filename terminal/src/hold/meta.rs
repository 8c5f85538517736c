//! What is known about a terminal besides what it runs.

use std::collections::BTreeMap;
use std::time::SystemTime;

use super::codec::{Decode, Encode};

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
    /// When it was started, to the millisecond.
    pub created: SystemTime,
    /// Whether it outlives its client.
    pub persist: bool,
    /// Whose it is.
    pub owner: String,
    /// What it runs, as people write it; what is longer than 4 KiB is cut.
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

    /// Whether a holder can keep it: its id is one, and all of it is no more than [`META_BYTES`].
    pub(crate) fn is_possible(&self) -> bool {
        let mut bytes = Vec::new();
        self.encode(&mut bytes);
        Self::is_id(&self.id) && bytes.len() <= META_BYTES
    }

    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        let mut cut = self.command.len().min(COMMAND_BYTES);
        while !self.command.is_char_boundary(cut) {
            cut -= 1;
        }
        out.put_text(&self.id);
        out.put_option(self.name.as_deref(), |out, name| out.put_text(name));
        out.put_time(self.created);
        out.put_bool(self.persist);
        out.put_text(&self.owner);
        out.put_text(self.command.get(..cut).unwrap_or_default());
        out.put_texts(&self.extra);
    }

    pub(crate) fn decode(bytes: &mut Decode<'_>) -> Option<Self> {
        let meta = Self {
            id: bytes.string()?,
            name: bytes.option(Decode::string)?,
            created: bytes.time()?,
            persist: bytes.bool()?,
            owner: bytes.string()?,
            command: bytes.string()?,
            extra: bytes.texts()?,
        };
        Self::is_id(&meta.id).then_some(meta)
    }
}

/// The longest id: it becomes a file's name.
pub const ID_BYTES: usize = 64;

/// The longest line that is kept of what a terminal runs.
const COMMAND_BYTES: usize = 4096;

/// The most that a holder keeps of it, so that it fits a frame; what is larger is refused.
pub(crate) const META_BYTES: usize = 16 * 1024;
