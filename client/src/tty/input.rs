//! Standard input, read without waiting where the system can do that.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _};
use std::os::fd::{AsFd, AsRawFd as _, BorrowedFd, OwnedFd};
use std::os::unix::fs::OpenOptionsExt as _;

use bytes::Bytes;
use rustix::fs::{FileType, OFlags, fstat};
use tokio::io::AsyncReadExt as _;
use tokio::net::unix::pipe;
use tokio::sync::mpsc;

/// Standard input.
#[derive(Debug)]
pub struct Input {
    source: Source,
    /// What was read already, by the probe.
    ahead: Bytes,
    /// Where it is read to; kept, as one is waited for again and again.
    buffer: Vec<u8>,
}

#[derive(Debug)]
enum Source {
    /// A terminal or a pipe, opened anew: the mode of the file that others share stays as it is.
    /// The type is that of a pipe, and does for all that can be waited for.
    Polled(pipe::Receiver),
    /// A file, which never waits for long.
    Plain(File),
    /// What cannot be opened anew, read by a thread.
    Thread(mpsc::Receiver<io::Result<Bytes>>),
    Nothing,
}

impl Input {
    /// Reads standard input.
    pub fn stdin() -> io::Result<Self> {
        let stdin = io::stdin();
        let fd = stdin.as_fd();
        let kind = FileType::from_raw_mode(fstat(fd)?.st_mode);
        let source = match kind {
            FileType::RegularFile => Source::Plain(File::from(fd.try_clone_to_owned()?)),
            _ => match reopen(fd, OFlags::RDONLY).and_then(pipe::Receiver::from_owned_fd_unchecked)
            {
                Ok(polled) => Source::Polled(polled),
                Err(_) => Source::Thread(read_in_thread(fd.try_clone_to_owned()?)?),
            },
        };
        Ok(Self {
            source,
            ahead: Bytes::new(),
            buffer: vec![0; READ_BYTES],
        })
    }

    /// Reads nothing: the end comes at once.
    #[must_use]
    pub fn nothing() -> Self {
        Self {
            source: Source::Nothing,
            ahead: Bytes::new(),
            buffer: Vec::new(),
        }
    }

    /// Puts bytes back that were read too early.
    pub fn put_back(&mut self, bytes: Bytes) {
        self.ahead = bytes;
    }

    /// Reads what is there, at least one byte; nothing at the end. Cancel-safe.
    pub async fn read(&mut self) -> io::Result<Bytes> {
        if !self.ahead.is_empty() {
            return Ok(std::mem::take(&mut self.ahead));
        }
        let buffer = &mut self.buffer;
        let read = match &mut self.source {
            Source::Polled(receiver) => receiver.read(buffer).await,
            Source::Plain(file) => file.read(buffer),
            Source::Thread(receiver) => {
                return receiver.recv().await.unwrap_or(Ok(Bytes::new()));
            }
            Source::Nothing => Ok(0),
        };
        match read {
            Ok(len) => Ok(Bytes::copy_from_slice(
                buffer.get(..len).unwrap_or_default(),
            )),
            // What a terminal says whose other end is gone.
            Err(error) if error.raw_os_error() == Some(rustix::io::Errno::IO.raw_os_error()) => {
                Ok(Bytes::new())
            }
            Err(error) => Err(error),
        }
    }
}

/// Opens what a descriptor leads to once more, without waiting.
pub(super) fn reopen(fd: BorrowedFd<'_>, access: OFlags) -> io::Result<OwnedFd> {
    let path = format!("/proc/self/fd/{}", fd.as_raw_fd());
    let flags = OFlags::NONBLOCK | OFlags::NOCTTY | OFlags::CLOEXEC;
    let mut options = OpenOptions::new();
    options
        .read(access == OFlags::RDONLY)
        .write(access == OFlags::WRONLY)
        .custom_flags(i32::try_from(flags.bits()).map_err(io::Error::other)?);
    Ok(options.open(path)?.into())
}

fn read_in_thread(fd: OwnedFd) -> io::Result<mpsc::Receiver<io::Result<Bytes>>> {
    let (sender, receiver) = mpsc::channel(THREAD_READS);
    let mut file = File::from(fd);
    let read = move || {
        loop {
            let mut buffer = vec![0; READ_BYTES];
            let (bytes, is_last) = match file.read(&mut buffer) {
                Ok(0) => return,
                Ok(len) => {
                    buffer.truncate(len);
                    (Ok(buffer.into()), false)
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => (Err(error), true),
            };
            if sender.blocking_send(bytes).is_err() || is_last {
                return;
            }
        }
    };
    std::thread::Builder::new()
        .name("stdin".to_owned())
        .spawn(read)?;
    Ok(receiver)
}

/// How much is read at once.
const READ_BYTES: usize = 16 * 1024;

/// How many reads of the thread may wait; then it waits.
const THREAD_READS: usize = 4;
