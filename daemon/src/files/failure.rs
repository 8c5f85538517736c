//! Why something about a file was not done.

use rustix::io::Errno;
use vroom_protocol::files::FileCode;

/// Why something about a file was not done.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Failure {
    /// In a number.
    pub(super) code: FileCode,
    /// In words.
    pub(super) reason: String,
}

impl Failure {
    /// A failure in number and words.
    pub(super) fn new(code: FileCode, reason: impl Into<String>) -> Self {
        Self {
            code,
            reason: reason.into(),
        }
    }

    /// A path that leads out of what is shown.
    pub(super) fn outside() -> Self {
        Self::new(
            FileCode::PERMISSION_DENIED,
            "the path leads out of the folder that is shown",
        )
    }
}

impl From<Errno> for Failure {
    fn from(errno: Errno) -> Self {
        let (code, reason) = match errno {
            Errno::NOENT => (FileCode::FILE_NOT_FOUND, "there is no such file"),
            // What openat2 says about a path that would leave the root.
            Errno::XDEV => return Self::outside(),
            Errno::ACCESS | Errno::PERM => (FileCode::PERMISSION_DENIED, "permission denied"),
            Errno::ROFS => (FileCode::PERMISSION_DENIED, "the file system is read-only"),
            Errno::LOOP => (
                FileCode::PERMISSION_DENIED,
                "too many symbolic links, or one that is not followed",
            ),
            Errno::EXIST => (FileCode::FILE_EXISTS, "something is there already"),
            Errno::NOTEMPTY => (FileCode::FILE_EXISTS, "the directory is not empty"),
            Errno::NOTDIR => (FileCode::NOT_A_DIRECTORY, "it is not a directory"),
            Errno::ISDIR => (FileCode::IS_A_DIRECTORY, "it is a directory"),
            Errno::NOSPC => (FileCode::DISK_FULL, "the disk is full"),
            Errno::DQUOT => (FileCode::DISK_FULL, "the quota is used up"),
            Errno::NAMETOOLONG => (FileCode::IO_ERROR, "the name is too long"),
            other => {
                let reason = std::io::Error::from(other).to_string();
                return Self::new(FileCode::IO_ERROR, reason);
            }
        };
        Self::new(code, reason)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_has_what_leads_to_it() {
        for (errno, code) in [
            (Errno::NOENT, FileCode::FILE_NOT_FOUND),
            (Errno::ACCESS, FileCode::PERMISSION_DENIED),
            (Errno::PERM, FileCode::PERMISSION_DENIED),
            (Errno::XDEV, FileCode::PERMISSION_DENIED),
            (Errno::LOOP, FileCode::PERMISSION_DENIED),
            (Errno::ROFS, FileCode::PERMISSION_DENIED),
            (Errno::EXIST, FileCode::FILE_EXISTS),
            (Errno::NOTEMPTY, FileCode::FILE_EXISTS),
            (Errno::NOTDIR, FileCode::NOT_A_DIRECTORY),
            (Errno::ISDIR, FileCode::IS_A_DIRECTORY),
            (Errno::NOSPC, FileCode::DISK_FULL),
            (Errno::DQUOT, FileCode::DISK_FULL),
            (Errno::IO, FileCode::IO_ERROR),
            (Errno::NAMETOOLONG, FileCode::IO_ERROR),
            (Errno::FBIG, FileCode::IO_ERROR),
        ] {
            assert_eq!(Failure::from(errno).code, code, "{errno:?}");
        }
    }
}
