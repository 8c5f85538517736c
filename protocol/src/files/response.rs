//! What a server answers about files.

use std::fmt;

use bytes::Bytes;

use super::buffer::ReadBuffer;
use super::code::FileCode;
use super::entry::Entry;
use super::{
    FILE_CLOSE_ACK, FILE_ERROR, FILE_LIST_RESPONSE, FILE_OK, FILE_OPEN_ACK, FILE_READ_RESPONSE,
    FILE_STAT_RESPONSE, FILE_WRITE_ACK,
};
use crate::encoding::{DecodeError, Encoding, Fields, Limits, Members};

/// What a server answers; `Debug` shows no path and no content.
#[derive(Clone, Eq, PartialEq)]
pub enum Response {
    /// A file is open.
    Opened {
        /// Names it from now on.
        handle: u32,
        /// Its bytes; absent where nobody knows.
        size: Option<u64>,
    },
    /// What was read.
    Data {
        /// The open file.
        handle: u32,
        /// Maybe less than was asked for; nothing at the end of the file.
        data: Bytes,
    },
    /// It was written.
    Written {
        /// The open file.
        handle: u32,
        /// How much of it.
        bytes_written: u32,
    },
    /// A file is closed.
    Closed {
        /// What it was named.
        handle: u32,
    },
    /// What is in a directory.
    Listed {
        /// In no order.
        entries: Vec<Entry>,
        /// Whether another answer to the same request follows with the rest.
        more: bool,
    },
    /// What one file is.
    Stat {
        /// The path that was asked about.
        path: String,
        /// The answer.
        entry: Entry,
    },
    /// It was not done.
    Error(FileError),
    /// It was done.
    Done {
        /// The type of the request.
        op: u8,
        /// The path of the request.
        path: String,
    },
}

/// Why something was not done.
#[derive(Clone, Eq, PartialEq)]
pub struct FileError {
    /// Why, in a number.
    pub code: FileCode,
    /// Why, in words.
    pub reason: String,
    /// The handle of the request.
    pub handle: Option<u32>,
    /// The type of the request.
    pub op: Option<u8>,
    /// The path of the request.
    pub path: Option<String>,
}

impl Response {
    /// Reads an answer by its type byte.
    pub fn decode(kind: u8, payload: &Bytes) -> Result<Self, DecodeError> {
        match kind {
            FILE_READ_RESPONSE => return read_data(payload),
            FILE_OPEN_ACK | FILE_WRITE_ACK | FILE_CLOSE_ACK | FILE_LIST_RESPONSE
            | FILE_STAT_RESPONSE | FILE_ERROR | FILE_OK => {}
            unknown => return Err(DecodeError::UnknownType(unknown.into())),
        }
        let members = &mut Members::decode_json(payload, &Limits::AUTHENTICATED)?;
        Ok(match kind {
            FILE_OPEN_ACK => Self::Opened {
                handle: members.required("handle")?,
                // -1: nobody knows.
                size: u64::try_from(members.required::<i64>("size")?).ok(),
            },
            FILE_WRITE_ACK => Self::Written {
                handle: members.required("handle")?,
                bytes_written: members.required("bytesWritten")?,
            },
            FILE_CLOSE_ACK => Self::Closed {
                handle: members.required("handle")?,
            },
            FILE_LIST_RESPONSE => Self::Listed {
                entries: members.required("entries")?,
                more: members.or_default("more")?,
            },
            FILE_STAT_RESPONSE => Self::Stat {
                path: members.required("path")?,
                entry: Entry::read(members)?,
            },
            FILE_ERROR => Self::Error(FileError {
                code: FileCode(members.required("code")?),
                reason: members.or_default("reason")?,
                handle: members.optional("handle")?,
                op: members.optional("op")?,
                path: members.optional("path")?,
            }),
            _ => Self::Done {
                op: members.required("op")?,
                path: members.required("path")?,
            },
        })
    }

    /// Writes the answer: its type byte and its payload.
    pub fn encode(&self) -> (u8, Bytes) {
        let (kind, fields) = match self {
            Self::Data { handle, data } => {
                let mut buffer = ReadBuffer::new(*handle, data.len());
                buffer.space().copy_from_slice(data);
                return buffer.finish(data.len());
            }
            Self::Opened { handle, size } => {
                let size = size.and_then(|size| i64::try_from(size).ok()).unwrap_or(-1);
                let fields = Fields::new().with("handle", *handle).with("size", size);
                (FILE_OPEN_ACK, fields)
            }
            Self::Written {
                handle,
                bytes_written,
            } => {
                let fields = Fields::new()
                    .with("handle", *handle)
                    .with("bytesWritten", *bytes_written);
                (FILE_WRITE_ACK, fields)
            }
            Self::Closed { handle } => (FILE_CLOSE_ACK, Fields::new().with("handle", *handle)),
            Self::Listed { entries, more } => {
                let fields = Fields::new()
                    .with_list("entries", entries)
                    .maybe("more", more.then_some(true));
                (FILE_LIST_RESPONSE, fields)
            }
            Self::Stat { path, entry } => (FILE_STAT_RESPONSE, entry.fields().with("path", path)),
            Self::Error(error) => (FILE_ERROR, error.fields()),
            Self::Done { op, path } => (FILE_OK, Fields::new().with("op", *op).with("path", path)),
        };
        (kind, fields.encode(Encoding::Json))
    }
}

impl FileError {
    fn fields(&self) -> Fields {
        Fields::new()
            .maybe("handle", self.handle)
            .with("code", self.code.0)
            .with("reason", &self.reason)
            .maybe("op", self.op)
            .maybe("path", self.path.as_ref())
    }
}

fn read_data(payload: &Bytes) -> Result<Response, DecodeError> {
    const MALFORMED: DecodeError = DecodeError::Layout("FILE_READ_RESPONSE");
    let (handle, _) = payload.split_first_chunk().ok_or(MALFORMED)?;
    Ok(Response::Data {
        handle: u32::from_be_bytes(*handle),
        data: payload.slice(size_of::<u32>()..),
    })
}

impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Opened { handle, size } => write!(f, "Opened({handle}, {size:?})"),
            Self::Data { handle, data } => write!(f, "Data({handle}, {} bytes)", data.len()),
            Self::Written {
                handle,
                bytes_written,
            } => write!(f, "Written({handle}, {bytes_written})"),
            Self::Closed { handle } => write!(f, "Closed({handle})"),
            Self::Listed { entries, more } => {
                write!(f, "Listed({} entries, more: {more})", entries.len())
            }
            Self::Stat { .. } => f.write_str("Stat"),
            Self::Error(error) => write!(f, "Error({error:?})"),
            Self::Done { op, .. } => write!(f, "Done({op:#04x})"),
        }
    }
}

impl fmt::Debug for FileError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {:?}, op {:?}", self.code, self.reason, self.op)
    }
}
