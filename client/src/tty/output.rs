//! Standard output or standard error, written as fast as it takes it.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, IoSlice, Write as _};
use std::os::fd::{AsFd, BorrowedFd};

use bytes::{Buf as _, Bytes};
use rustix::fs::{FileType, OFlags, fstat};
use tokio::io::AsyncWriteExt as _;
use tokio::net::unix::pipe;

use super::input::reopen;

/// Where bytes are shown, and those that wait for it.
#[derive(Debug)]
pub struct Output {
    sink: Sink,
    queue: VecDeque<Bytes>,
    queued: usize,
}

#[derive(Debug)]
enum Sink {
    /// A terminal or a pipe, opened anew.
    Polled(pipe::Sender),
    /// A file, or what cannot be opened anew.
    Plain(File),
}

impl Output {
    /// Writes to standard output.
    pub fn stdout() -> io::Result<Self> {
        Self::new(io::stdout().as_fd())
    }

    /// Writes to standard error.
    pub fn stderr() -> io::Result<Self> {
        Self::new(io::stderr().as_fd())
    }

    /// Writes to nowhere.
    #[cfg(test)]
    pub(crate) fn nowhere() -> Self {
        let sink = File::options().write(true).open("/dev/null");
        Self {
            sink: Sink::Plain(sink.expect("/dev/null is always there")),
            queue: VecDeque::new(),
            queued: 0,
        }
    }

    fn new(fd: BorrowedFd<'_>) -> io::Result<Self> {
        let kind = FileType::from_raw_mode(fstat(fd)?.st_mode);
        let plain = || Ok::<_, io::Error>(Sink::Plain(File::from(fd.try_clone_to_owned()?)));
        let sink = match kind {
            FileType::RegularFile => plain()?,
            _ => match reopen(fd, OFlags::WRONLY).and_then(pipe::Sender::from_owned_fd_unchecked) {
                Ok(polled) => Sink::Polled(polled),
                Err(_) => plain()?,
            },
        };
        Ok(Self {
            sink,
            queue: VecDeque::new(),
            queued: 0,
        })
    }

    /// Adds bytes to what waits. The caller bounds that.
    pub fn push(&mut self, bytes: Bytes) {
        if !bytes.is_empty() {
            self.queued += bytes.len();
            self.queue.push_back(bytes);
        }
    }

    /// How many bytes wait.
    #[must_use]
    pub fn queued(&self) -> usize {
        self.queued
    }

    /// Drops what waits, and says how much that was.
    pub fn discard(&mut self) -> usize {
        self.queue.clear();
        std::mem::take(&mut self.queued)
    }

    /// Writes some of what waits once there is room, and says how much; for ever with nothing to
    /// write. Cancel-safe.
    pub async fn write(&mut self) -> io::Result<usize> {
        if self.queue.is_empty() {
            return std::future::pending().await;
        }
        let mut slices = [IoSlice::new(&[]); SLICES];
        let mut count = 0;
        for (slice, bytes) in slices.iter_mut().zip(&self.queue) {
            *slice = IoSlice::new(bytes);
            count += 1;
        }
        let slices = slices.get(..count).unwrap_or_default();
        let written = match &mut self.sink {
            Sink::Polled(sender) => sender.write_vectored(slices).await?,
            Sink::Plain(file) => file.write_vectored(slices)?,
        };
        self.took(written);
        Ok(written)
    }

    /// Writes all that waits.
    pub async fn flush(&mut self) -> io::Result<()> {
        while self.queued > 0 {
            self.write().await?;
        }
        Ok(())
    }

    fn took(&mut self, mut written: usize) {
        self.queued = self.queued.saturating_sub(written);
        while let Some(bytes) = self.queue.front_mut() {
            if written < bytes.len() {
                return bytes.advance(written);
            }
            written -= bytes.len();
            self.queue.pop_front();
        }
    }
}

/// How many pieces go out at once.
const SLICES: usize = 16;
