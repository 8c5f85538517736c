//! What a client asks about files.

use std::fmt;

use bytes::{BufMut as _, Bytes, BytesMut};

use super::entry::Permissions;
use super::open::Open;
use super::{
    FILE_CLOSE, FILE_LIST, FILE_MKDIR, FILE_OPEN, FILE_READ, FILE_REMOVE, FILE_RENAME, FILE_STAT,
    FILE_WRITE,
};
use crate::encoding::{DecodeError, Encoding, Fields, Limits, Members};

/// What a client asks; `Debug` shows no path and no content.
#[derive(Clone, Eq, PartialEq)]
pub enum Request {
    /// Opens a file.
    Open(Open),
    /// Reads from an open file.
    Read {
        /// Which one.
        handle: u32,
        /// From where on.
        offset: u64,
        /// How many bytes at most.
        length: u32,
    },
    /// Writes to an open file.
    Write {
        /// Which one.
        handle: u32,
        /// From where on; without meaning for a file opened to append.
        offset: u64,
        /// What.
        data: Bytes,
    },
    /// Closes an open file.
    Close {
        /// Which one.
        handle: u32,
        /// When its content is to have changed last, in seconds since 1970; only where it was
        /// opened to write.
        modified: Option<i64>,
    },
    /// Lists a directory.
    List {
        /// Which one.
        path: String,
    },
    /// Asks about one file.
    Stat {
        /// Which one.
        path: String,
        /// Whether about what a symbolic link leads to.
        follow: bool,
    },
    /// Makes a directory.
    Mkdir {
        /// Which one.
        path: String,
        /// Whether those above are made too; then it is no error if it is there.
        parents: bool,
        /// What it permits.
        permissions: Option<Permissions>,
    },
    /// Removes a file or a directory.
    Remove {
        /// Which one.
        path: String,
        /// Whether a directory goes with all that is in it.
        recursive: bool,
    },
    /// Gives a file another name or place.
    Rename {
        /// Which one.
        from: String,
        /// Its new path.
        to: String,
        /// Whether what is there goes.
        overwrite: bool,
    },
}

impl Request {
    /// The type byte.
    pub const fn kind(&self) -> u8 {
        match self {
            Self::Open(_) => FILE_OPEN,
            Self::Read { .. } => FILE_READ,
            Self::Write { .. } => FILE_WRITE,
            Self::Close { .. } => FILE_CLOSE,
            Self::List { .. } => FILE_LIST,
            Self::Stat { .. } => FILE_STAT,
            Self::Mkdir { .. } => FILE_MKDIR,
            Self::Remove { .. } => FILE_REMOVE,
            Self::Rename { .. } => FILE_RENAME,
        }
    }

    /// Reads a request by its type byte.
    pub fn decode(kind: u8, payload: &Bytes) -> Result<Self, DecodeError> {
        match kind {
            FILE_READ => return read_read(payload),
            FILE_WRITE => return read_write(payload),
            FILE_OPEN | FILE_CLOSE | FILE_LIST | FILE_STAT | FILE_MKDIR | FILE_REMOVE
            | FILE_RENAME => {}
            unknown => return Err(DecodeError::UnknownType(unknown.into())),
        }
        let members = &mut Members::decode_json(payload, &Limits::AUTHENTICATED)?;
        Ok(match kind {
            FILE_OPEN => Self::Open(Open::read(members)?),
            FILE_CLOSE => Self::Close {
                handle: members.required("handle")?,
                modified: members.optional("modified")?,
            },
            FILE_LIST => Self::List {
                path: members.required("path")?,
            },
            FILE_STAT => Self::Stat {
                path: members.required("path")?,
                follow: members.optional("follow")?.unwrap_or(true),
            },
            FILE_MKDIR => Self::Mkdir {
                path: members.required("path")?,
                parents: members.or_default("parents")?,
                permissions: members.optional("permissions")?,
            },
            FILE_REMOVE => Self::Remove {
                path: members.required("path")?,
                recursive: members.or_default("recursive")?,
            },
            _ => Self::Rename {
                from: members.required("from")?,
                to: members.required("to")?,
                overwrite: members.or_default("overwrite")?,
            },
        })
    }

    /// Writes the request: its type byte and its payload.
    pub fn encode(&self) -> (u8, Bytes) {
        let fields = match self {
            Self::Read {
                handle,
                offset,
                length,
            } => {
                let mut payload = BytesMut::with_capacity(READ_BYTES);
                payload.put_u32(*handle);
                payload.put_u64(*offset);
                payload.put_u32(*length);
                return (FILE_READ, payload.freeze());
            }
            Self::Write {
                handle,
                offset,
                data,
            } => {
                let mut payload = BytesMut::with_capacity(WRITE_HEADER_BYTES + data.len());
                payload.put_u32(*handle);
                payload.put_u64(*offset);
                payload.put_slice(data);
                return (FILE_WRITE, payload.freeze());
            }
            Self::Open(open) => open.fields(),
            Self::Close { handle, modified } => Fields::new()
                .with("handle", *handle)
                .maybe("modified", *modified),
            Self::List { path } => Fields::new().with("path", path),
            Self::Stat { path, follow } => Fields::new()
                .with("path", path)
                .maybe("follow", (!follow).then_some(false)),
            Self::Mkdir {
                path,
                parents,
                permissions,
            } => Fields::new()
                .with("path", path)
                .with("parents", *parents)
                .maybe("permissions", *permissions),
            Self::Remove { path, recursive } => Fields::new()
                .with("path", path)
                .with("recursive", *recursive),
            Self::Rename {
                from,
                to,
                overwrite,
            } => Fields::new()
                .with("from", from)
                .with("to", to)
                .with("overwrite", *overwrite),
        };
        (self.kind(), fields.encode(Encoding::Json))
    }
}

fn read_read(payload: &[u8]) -> Result<Request, DecodeError> {
    let &[
        h0,
        h1,
        h2,
        h3,
        o0,
        o1,
        o2,
        o3,
        o4,
        o5,
        o6,
        o7,
        l0,
        l1,
        l2,
        l3,
    ] = payload
    else {
        return Err(DecodeError::Layout("FILE_READ"));
    };
    Ok(Request::Read {
        handle: u32::from_be_bytes([h0, h1, h2, h3]),
        offset: u64::from_be_bytes([o0, o1, o2, o3, o4, o5, o6, o7]),
        length: u32::from_be_bytes([l0, l1, l2, l3]),
    })
}

fn read_write(payload: &Bytes) -> Result<Request, DecodeError> {
    const MALFORMED: DecodeError = DecodeError::Layout("FILE_WRITE");
    let (handle, rest) = payload.split_first_chunk().ok_or(MALFORMED)?;
    let (offset, _) = rest.split_first_chunk().ok_or(MALFORMED)?;
    Ok(Request::Write {
        handle: u32::from_be_bytes(*handle),
        offset: u64::from_be_bytes(*offset),
        data: payload.slice(WRITE_HEADER_BYTES..),
    })
}

impl fmt::Debug for Request {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Open(open) => write!(f, "Open({:?})", open.mode),
            Self::Read {
                handle,
                offset,
                length,
            } => write!(f, "Read({handle}, {offset}, {length})"),
            Self::Write {
                handle,
                offset,
                data,
            } => write!(f, "Write({handle}, {offset}, {} bytes)", data.len()),
            Self::Close { handle, .. } => write!(f, "Close({handle})"),
            Self::List { .. } => f.write_str("List"),
            Self::Stat { .. } => f.write_str("Stat"),
            Self::Mkdir { .. } => f.write_str("Mkdir"),
            Self::Remove { .. } => f.write_str("Remove"),
            Self::Rename { .. } => f.write_str("Rename"),
        }
    }
}

/// Handle, offset and length.
const READ_BYTES: usize = 16;

/// Handle and offset.
const WRITE_HEADER_BYTES: usize = 12;
