//! What is to be copied: one file.

use std::path::PathBuf;

/// How files are copied.
#[derive(Clone, Copy, Debug)]
pub(super) struct Options {
    /// Folders, too.
    pub(super) recursive: bool,
    /// Times and permissions are kept.
    pub(super) preserve: bool,
    /// What is there of an earlier copy is not used.
    pub(super) restart: bool,
}

/// One file to copy.
#[derive(Debug)]
pub(super) enum Job {
    Upload(Transfer),
    Download(Transfer),
}

/// A file here and one there.
#[derive(Debug)]
pub(super) struct Transfer {
    pub(super) here: PathBuf,
    pub(super) there: String,
    pub(super) size: u64,
    /// Permission bits of the source.
    pub(super) mode: u32,
    /// When the source was changed last, in seconds since 1970.
    pub(super) modified: i64,
}

impl Job {
    pub(super) fn size(&self) -> u64 {
        let (Self::Upload(transfer) | Self::Download(transfer)) = self;
        transfer.size
    }

    /// What it is called in messages.
    pub(super) fn name(&self) -> String {
        match self {
            Self::Upload(transfer) => transfer.here.display().to_string(),
            Self::Download(transfer) => {
                transfer.there.chars().filter(|c| !c.is_control()).collect()
            }
        }
    }
}

/// From this size on, a file is first written under another name, and a copy that broke off can go
/// on.
pub(super) const LARGE: u64 = 1024 * 1024;

/// What is put behind the name of a file that is not complete.
pub(super) const PARTIAL: &str = ".vroom-part";

/// How much of the end of an earlier copy has to be the same for it to be used.
pub(super) const CHECKED: u64 = 64 * 1024;
