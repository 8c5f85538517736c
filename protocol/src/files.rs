//! File transfer: files of the far end, over one channel.
//!
//! Requests may be sent ahead; they are answered in order. This module knows the messages and
//! nothing of files.

mod buffer;
mod code;
mod entry;
mod open;
mod request;
mod response;

pub use self::buffer::ReadBuffer;
pub use self::code::FileCode;
pub use self::entry::{Entry, EntryKind, Permissions};
pub use self::open::{Open, OpenFlags, OpenMode};
pub use self::request::Request;
pub use self::response::{FileError, Response};
pub use crate::encoding::DecodeError;

/// The name of the channel: reliable and ordered.
pub const CHANNEL: &str = "file-transfer";

/// The most bytes that one answer to FILE_READ carries; who asks for more gets so many.
pub const READ_BYTES_MAX: usize = 1024 * 1024;

/// The most entries in one FILE_LIST_RESPONSE; a longer list comes in several.
pub const LIST_ENTRIES_MAX: usize = 4096;

// file-transfer: the types of the channel.
const FILE_OPEN: u8 = 0x01;
const FILE_OPEN_ACK: u8 = 0x02;
const FILE_READ: u8 = 0x03;
const FILE_READ_RESPONSE: u8 = 0x04;
const FILE_WRITE: u8 = 0x05;
const FILE_WRITE_ACK: u8 = 0x06;
const FILE_CLOSE: u8 = 0x07;
const FILE_CLOSE_ACK: u8 = 0x08;
const FILE_LIST: u8 = 0x09;
const FILE_LIST_RESPONSE: u8 = 0x0A;
const FILE_STAT: u8 = 0x0B;
const FILE_STAT_RESPONSE: u8 = 0x0C;
const FILE_MKDIR: u8 = 0x0D;
const FILE_REMOVE: u8 = 0x0E;
const FILE_RENAME: u8 = 0x0F;
const FILE_ERROR: u8 = 0x10;
const FILE_OK: u8 = 0x11;
