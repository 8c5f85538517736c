//! What the program writes, on its way into the history.

use std::fs::File;
use std::io::{ErrorKind, PipeReader, Read};
use std::os::fd::AsFd;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use nix::poll::PollFlags;

use crate::History;
use crate::spawn::Source;
use crate::wait::{is_readable, wait_for};

/// The thread that reads one of the program's files.
pub(crate) struct Reader {
    source: File,
    history: Arc<History>,
    /// Says when all that was written has arrived.
    idle: Arc<AtomicBool>,
    /// Ends the thread by being closed.
    stop: PipeReader,
}

impl Reader {
    /// Reads until the file ends, nobody wants more, or the thread is to end.
    pub(crate) fn run(mut self) {
        let mut buffer = vec![0; READ_BYTES];
        while let Some(room) = self.history.wait_room() {
            self.idle.store(true, Ordering::SeqCst);
            let ready = wait_for(self.source.as_fd(), PollFlags::POLLIN, self.stop.as_fd());
            self.idle.store(false, Ordering::SeqCst);
            if !ready.unwrap_or(false) {
                break;
            }
            let room = room.min(READ_BYTES);
            match self.source.read(buffer.get_mut(..room).unwrap_or_default()) {
                Ok(0) => break,
                Ok(count) => self.history.push(buffer.get(..count).unwrap_or_default()),
                Err(error) => match error.kind() {
                    ErrorKind::Interrupted | ErrorKind::WouldBlock => {}
                    _ => break,
                },
            }
        }
        self.history.close();
    }
}

/// One of the program's files as seen from outside its reader.
pub(crate) struct Output {
    /// What was read.
    pub(crate) history: Arc<History>,
    /// The file, to look whether there is more.
    source: File,
    /// Whether the reader waits for the file.
    idle: Arc<AtomicBool>,
}

impl Output {
    /// An output, and its reader.
    pub(crate) fn new(source: Source, stop: PipeReader) -> (Self, Reader) {
        let output = Self {
            history: Arc::default(),
            source: source.look,
            idle: Arc::default(),
        };
        let reader = Reader {
            source: source.read,
            history: Arc::clone(&output.history),
            idle: Arc::clone(&output.idle),
            stop,
        };
        (output, reader)
    }

    /// Whether everything written so far is in the history.
    pub(crate) fn is_drained(&self) -> bool {
        // The order matters: bytes that are no longer in the file are in the reader's hands, which is
        // not idle until it has passed them on.
        self.history.is_ended()
            || (!is_readable(self.source.as_fd()) && self.idle.load(Ordering::SeqCst))
    }
}

/// The most that is read at once.
const READ_BYTES: usize = 64 * 1024;
