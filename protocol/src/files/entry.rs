//! What is said about one file.

use crate::encoding::{DecodeError, Fields, FromValue, Members, Value, names};

/// A file as lists show it.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Entry {
    /// Its name, without a path.
    pub name: String,
    /// What it is.
    pub kind: EntryKind,
    /// Its bytes; of little meaning for what is no file.
    pub size: u64,
    /// When its content last changed, in seconds since 1970.
    pub modified: i64,
    /// Who may do what with it.
    pub permissions: Permissions,
}

/// What stands in a directory.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum EntryKind {
    /// A file.
    File,
    /// A directory.
    Directory,
    /// A symbolic link.
    Symlink,
    /// A socket, a pipe, a device.
    Other,
}

names!(EntryKind { File = "file", Directory = "dir", Symlink = "symlink", Other = "other" });

/// The permission bits of a file: `0o7777` at most.
///
/// On the wire their octal digits are written as if they were decimal: 0o644 is 644.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub struct Permissions(u16);

impl Permissions {
    /// The permission bits of a mode; its other bits are left out.
    pub const fn from_mode(mode: u32) -> Self {
        Self((mode & 0o7777) as u16)
    }

    /// The bits.
    pub const fn mode(self) -> u32 {
        self.0 as u32
    }

    fn digits(self) -> u16 {
        let digit = |place: u16| (self.0 >> (3 * place)) & 7;
        digit(3) * 1000 + digit(2) * 100 + digit(1) * 10 + digit(0)
    }
}

impl FromValue for Permissions {
    fn from_value(value: Value) -> Option<Self> {
        let mut rest = u16::from_value(value)?;
        let mut bits = 0;
        for place in 0..4_u16 {
            let digit = rest % 10;
            if digit > 7 {
                return None;
            }
            bits |= digit << (3 * place);
            rest /= 10;
        }
        (rest == 0).then_some(Self(bits))
    }
}

impl From<Permissions> for Value {
    fn from(permissions: Permissions) -> Self {
        Self::from(permissions.digits())
    }
}

impl Entry {
    pub(super) fn read(members: &mut Members) -> Result<Self, DecodeError> {
        Ok(Self {
            name: members.required("name")?,
            // A kind that is not known here is none of the others either.
            kind: members
                .required::<String>("type")
                .map(|kind| EntryKind::from_name(&kind).unwrap_or(EntryKind::Other))?,
            size: members.required("size")?,
            modified: members.required("modified")?,
            permissions: members.or_default("permissions")?,
        })
    }

    pub(super) fn fields(&self) -> Fields {
        Fields::new()
            .with("name", &self.name)
            .with("type", self.kind)
            .with("size", self.size)
            .with("modified", self.modified)
            .with("permissions", self.permissions)
    }
}

impl FromValue for Entry {
    fn from_value(value: Value) -> Option<Self> {
        Self::read(&mut Members::from_value(value)?).ok()
    }
}

impl From<&Entry> for Value {
    fn from(entry: &Entry) -> Self {
        entry.fields().into()
    }
}
