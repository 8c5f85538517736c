//! The files that a client has open.

use std::collections::BTreeMap;

use bytes::Bytes;
use rustix::fd::OwnedFd;
use rustix::fs::{self, FileType, Mode, OFlags, Timespec, Timestamps, UTIME_OMIT};
use rustix::io::{self, Errno};
use vroom_protocol::files::{FileCode, Open, OpenMode, READ_BYTES_MAX, ReadBuffer, Response};

use super::failure::Failure;
use super::root::Root;

/// The files that a client has open, by their handles.
#[derive(Debug, Default)]
pub(super) struct Handles {
    open: BTreeMap<u32, File>,
    /// The handle given last.
    last: u32,
}

#[derive(Debug)]
struct File {
    descriptor: OwnedFd,
    mode: OpenMode,
}

impl Handles {
    /// Opens a file.
    pub(super) fn open(&mut self, root: &Root, open: &Open) -> Result<Response, Failure> {
        if self.open.len() >= FILES_MAX {
            return Err(Failure::new(FileCode::IO_ERROR, "too many files are open"));
        }
        let handle = match open.handle {
            Some(wish) if self.open.contains_key(&wish) => {
                return Err(Failure::new(
                    FileCode::INVALID_HANDLE,
                    "the handle is in use",
                ));
            }
            Some(wish) => wish,
            None => self.next_handle(),
        };
        let mode = open
            .permissions
            .map_or(NEW_FILE, |permissions| permissions.mode());
        // Nobody waits for the other end of a pipe.
        let flags = flags(open) | OFlags::NONBLOCK;
        let descriptor = match root.open_at(&open.path, flags, Mode::from_raw_mode(mode)) {
            // What Linux says about a pipe without a reader, and about sockets.
            Err(failure) if failure == Errno::NXIO.into() => return Err(not_a_file()),
            opened => opened?,
        };
        let stat = fs::fstat(&descriptor)?;
        match FileType::from_raw_mode(stat.st_mode) {
            FileType::RegularFile => {}
            FileType::Directory => return Err(Errno::ISDIR.into()),
            _ => return Err(not_a_file()),
        }
        self.open.insert(
            handle,
            File {
                descriptor,
                mode: open.mode,
            },
        );
        Ok(Response::Opened {
            handle,
            size: u64::try_from(stat.st_size).ok(),
        })
    }

    /// Reads from a file; returns the message that answers.
    pub(super) fn read(
        &self,
        handle: u32,
        offset: u64,
        length: u32,
    ) -> Result<(u8, Bytes), Failure> {
        let file = self.get(handle, OpenMode::Read)?;
        let length = usize::try_from(length)
            .unwrap_or(usize::MAX)
            .min(READ_BYTES_MAX);
        let mut buffer = ReadBuffer::new(handle, length);
        let mut filled = 0;
        while let Some(space) = buffer
            .space()
            .get_mut(filled..)
            .filter(|space| !space.is_empty())
        {
            match io::pread(
                &file.descriptor,
                space,
                offset.saturating_add(filled as u64),
            ) {
                Ok(0) => break,
                Ok(read) => filled += read,
                Err(Errno::INTR) => {}
                // No file is that long.
                Err(Errno::INVAL | Errno::OVERFLOW) if filled == 0 => break,
                Err(_) if filled > 0 => break,
                Err(errno) => return Err(errno.into()),
            }
        }
        Ok(buffer.finish(filled))
    }

    /// Writes to a file.
    pub(super) fn write(&self, handle: u32, offset: u64, data: &[u8]) -> Result<Response, Failure> {
        let file = self.get(handle, OpenMode::Write)?;
        let mut written = 0;
        while let Some(rest) = data.get(written..).filter(|rest| !rest.is_empty()) {
            match io::pwrite(
                &file.descriptor,
                rest,
                offset.saturating_add(written as u64),
            ) {
                Ok(0) => return Err(Errno::NOSPC.into()),
                Ok(more) => written += more,
                Err(Errno::INTR) => {}
                Err(errno) => return Err(errno.into()),
            }
        }
        Ok(Response::Written {
            handle,
            bytes_written: u32::try_from(written).unwrap_or(u32::MAX),
        })
    }

    /// Closes a file, and says when it was changed last.
    pub(super) fn close(
        &mut self,
        handle: u32,
        modified: Option<i64>,
    ) -> Result<Response, Failure> {
        let file = self.open.remove(&handle).ok_or_else(no_such_handle)?;
        if let Some(seconds) = modified.filter(|_| file.mode == OpenMode::Write) {
            let times = Timestamps {
                last_access: Timespec {
                    tv_sec: 0,
                    tv_nsec: UTIME_OMIT,
                },
                last_modification: Timespec {
                    tv_sec: seconds,
                    tv_nsec: 0,
                },
            };
            fs::futimens(&file.descriptor, &times)?;
        }
        Ok(Response::Closed { handle })
    }

    fn get(&self, handle: u32, mode: OpenMode) -> Result<&File, Failure> {
        let file = self.open.get(&handle).ok_or_else(no_such_handle)?;
        if file.mode == mode {
            Ok(file)
        } else {
            Err(Failure::new(
                FileCode::PERMISSION_DENIED,
                "the file was opened for something else",
            ))
        }
    }

    /// A handle that is not in use; there are fewer files than handles.
    fn next_handle(&mut self) -> u32 {
        loop {
            self.last = self.last.wrapping_add(1).max(1);
            if !self.open.contains_key(&self.last) {
                return self.last;
            }
        }
    }
}

fn flags(open: &Open) -> OFlags {
    if open.mode == OpenMode::Read {
        return OFlags::RDONLY;
    }
    let mut flags = OFlags::WRONLY;
    for (is_set, flag) in [
        (open.flags.create, OFlags::CREATE),
        (open.flags.truncate, OFlags::TRUNC),
        (open.flags.append, OFlags::APPEND),
        (open.flags.create && open.flags.exclusive, OFlags::EXCL),
    ] {
        if is_set {
            flags |= flag;
        }
    }
    flags
}

fn no_such_handle() -> Failure {
    Failure::new(
        FileCode::INVALID_HANDLE,
        "no file is open under this handle",
    )
}

fn not_a_file() -> Failure {
    Failure::new(
        FileCode::PERMISSION_DENIED,
        "it is a device, a pipe or a socket",
    )
}

/// The files that a client may have open; with one more FILE_OPEN fails.
const FILES_MAX: usize = 256;

/// What a new file permits before the umask, where the client says nothing.
const NEW_FILE: u32 = 0o666;
