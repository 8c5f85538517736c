//! What the configuration says about recordings.

use std::path::PathBuf;

use serde::Deserialize;
use vroom_protocol::graphical::Role;

/// What is in force about recordings.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct RecordingRules {
    /// The least role that may begin and end them, and fetch them; `None` for nobody.
    pub allowed: Option<Role>,
    /// Where they lie; `None` is the usual place.
    pub directory: Option<PathBuf>,
    /// Whether one begins with the server.
    pub autostart: bool,
    /// The largest one, in bytes; then it ends.
    pub bytes_max: u64,
    /// What is left free on the disk, in bytes; then it ends.
    pub free_min: u64,
    /// Whether the pointer is in the picture while it is recorded.
    pub pointer: bool,
}

/// Who may begin and end recordings, and fetch them.
#[derive(Clone, Copy, Debug, Default, Deserialize, Eq, PartialEq)]
#[serde(rename_all = "lowercase")]
pub enum MayRecord {
    /// Nobody.
    #[default]
    Nobody,
    /// Owners.
    Owner,
    /// Whoever may drive.
    Operator,
}

impl MayRecord {
    /// The least role that may.
    pub(crate) const fn least(self) -> Option<Role> {
        match self {
            Self::Nobody => None,
            Self::Owner => Some(Role::Owner),
            Self::Operator => Some(Role::Operator),
        }
    }
}

/// The largest recording by default, in MiB.
pub(crate) const SIZE_MIB_MAX: u64 = 4096;

/// What is left free on the disk by default, in MiB.
pub(crate) const FREE_MIB_MIN: u64 = 512;

/// One MiB in bytes.
pub(crate) const MIB: u64 = 1 << 20;
