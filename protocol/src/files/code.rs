//! The codes of FILE_ERROR.

use std::fmt;

/// Why a request about files was not carried out; only inside FILE_ERROR.
#[derive(Clone, Copy, Eq, Hash, PartialEq)]
pub struct FileCode(pub u16);

impl FileCode {
    /// There is no such file.
    pub const FILE_NOT_FOUND: Self = Self(6000);
    /// The user may not, or the path leads out of what is shown.
    pub const PERMISSION_DENIED: Self = Self(6001);
    /// Something is there already.
    pub const FILE_EXISTS: Self = Self(6002);
    /// It should be a directory and is none.
    pub const NOT_A_DIRECTORY: Self = Self(6003);
    /// It should be a file and is a directory.
    pub const IS_A_DIRECTORY: Self = Self(6004);
    /// No room is left.
    pub const DISK_FULL: Self = Self(6005);
    /// No file is open under this handle.
    pub const INVALID_HANDLE: Self = Self(6006);
    /// Anything else.
    pub const IO_ERROR: Self = Self(6007);

    /// The code's name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::FILE_NOT_FOUND => "FILE_NOT_FOUND",
            Self::PERMISSION_DENIED => "PERMISSION_DENIED",
            Self::FILE_EXISTS => "FILE_EXISTS",
            Self::NOT_A_DIRECTORY => "NOT_A_DIRECTORY",
            Self::IS_A_DIRECTORY => "IS_A_DIRECTORY",
            Self::DISK_FULL => "DISK_FULL",
            Self::INVALID_HANDLE => "INVALID_HANDLE",
            Self::IO_ERROR => "IO_ERROR",
            _ => "UNKNOWN",
        }
    }
}

impl fmt::Debug for FileCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}", self.0, self.name())
    }
}

impl fmt::Display for FileCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Debug::fmt(self, f)
    }
}
