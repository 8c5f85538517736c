//! FILE_OPEN: which file, and what for.

use super::entry::Permissions;
use crate::encoding::{DecodeError, Fields, Members, names};

/// Opens a file.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Open {
    /// Which one; relative to the root, or absolute and below it.
    pub path: String,
    /// What for.
    pub mode: OpenMode,
    /// What else is to happen; only when opening to write.
    pub flags: OpenFlags,
    /// What a new file permits.
    pub permissions: Option<Permissions>,
    /// The handle that the client would like, so that it can send on at once; the one in
    /// FILE_OPEN_ACK counts.
    pub handle: Option<u32>,
}

/// What a file is opened for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum OpenMode {
    /// FILE_READ.
    Read,
    /// FILE_WRITE.
    Write,
}

names!(OpenMode { Read = "read", Write = "write" });

/// What happens when a file is opened to write.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct OpenFlags {
    /// Make the file if there is none.
    pub create: bool,
    /// Empty it first.
    pub truncate: bool,
    /// Write at its end, whatever offsets say.
    pub append: bool,
    /// Fail if it is there already; only with `create`.
    pub exclusive: bool,
}

impl Open {
    /// Opens a file to read.
    pub fn read_only(path: impl Into<String>) -> Self {
        Self {
            path: path.into(),
            mode: OpenMode::Read,
            flags: OpenFlags::default(),
            permissions: None,
            handle: None,
        }
    }

    /// Opens a file to write it anew.
    pub fn write_anew(path: impl Into<String>) -> Self {
        Self {
            mode: OpenMode::Write,
            flags: OpenFlags {
                create: true,
                truncate: true,
                ..OpenFlags::default()
            },
            ..Self::read_only(path)
        }
    }

    pub(super) fn read(members: &mut Members) -> Result<Self, DecodeError> {
        Ok(Self {
            path: members.required("path")?,
            mode: members.required("mode")?,
            flags: OpenFlags::from_names(&members.or_default::<Vec<String>>("flags")?)?,
            permissions: members.optional("permissions")?,
            handle: members.optional("handle")?,
        })
    }

    pub(super) fn fields(&self) -> Fields {
        let flags = self.flags.names();
        Fields::new()
            .with("path", &self.path)
            .with("mode", self.mode)
            .maybe_list("flags", (!flags.is_empty()).then_some(&flags[..]))
            .maybe("permissions", self.permissions)
            .maybe("handle", self.handle)
    }
}

impl OpenFlags {
    fn from_names(names: &[String]) -> Result<Self, DecodeError> {
        let mut flags = Self::default();
        for name in names {
            match name.as_str() {
                CREATE => flags.create = true,
                TRUNCATE => flags.truncate = true,
                APPEND => flags.append = true,
                EXCLUSIVE => flags.exclusive = true,
                _ => return Err(DecodeError::member("flags")),
            }
        }
        Ok(flags)
    }

    fn names(self) -> Vec<String> {
        [
            (self.create, CREATE),
            (self.truncate, TRUNCATE),
            (self.append, APPEND),
            (self.exclusive, EXCLUSIVE),
        ]
        .into_iter()
        .filter(|(is_set, _)| *is_set)
        .map(|(_, name)| name.to_owned())
        .collect()
    }
}

const CREATE: &str = "create";
const TRUNCATE: &str = "truncate";
const APPEND: &str = "append";
const EXCLUSIVE: &str = "exclusive";
