//! What is typed, on its way to the program.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, ErrorKind, PipeReader, Write};
use std::os::fd::AsFd;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use bytes::{Buf, Bytes};
use nix::poll::PollFlags;

use crate::Error;
use crate::wait::wait_for;

/// The bytes that the program has not taken yet, in order.
#[derive(Debug, Default)]
pub(crate) struct Input {
    queue: Mutex<Queue>,
    changed: Condvar,
}

impl Input {
    /// Appends bytes; refuses them all when [`INPUT_BYTES`] would be exceeded.
    pub(crate) fn push(&self, bytes: Bytes) -> Result<(), Error> {
        if bytes.is_empty() {
            return Ok(());
        }
        let mut queue = self.lock();
        if queue.closing || queue.ended {
            return Err(Error::Ended);
        }
        if bytes.len() > INPUT_BYTES - queue.bytes {
            return Err(Error::InputFull);
        }
        queue.bytes += bytes.len();
        queue.pieces.push_back(bytes);
        self.changed.notify_all();
        Ok(())
    }

    /// Lets the program read to the end of what was typed so far, and then find the end.
    pub(crate) fn close(&self) {
        self.lock().closing = true;
        self.changed.notify_all();
    }

    /// Drops what is left; nothing can be typed any more.
    pub(crate) fn end(&self) {
        let mut queue = self.lock();
        queue.ended = true;
        queue.pieces.clear();
        queue.bytes = 0;
        self.changed.notify_all();
    }

    /// Waits for the next bytes; `None` at the end.
    fn next(&self) -> Option<Bytes> {
        let mut queue = self.lock();
        loop {
            if queue.ended {
                return None;
            }
            if let Some(piece) = queue.pieces.pop_front() {
                return Some(piece);
            }
            if queue.closing {
                return None;
            }
            let waited = self.changed.wait(queue);
            queue = waited.unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Says how many bytes the program took.
    fn taken(&self, bytes: usize) {
        let mut queue = self.lock();
        queue.bytes = queue.bytes.saturating_sub(bytes);
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Debug, Default)]
struct Queue {
    pieces: VecDeque<Bytes>,
    bytes: usize,
    closing: bool,
    ended: bool,
}

/// The thread that hands the bytes to the program.
pub(crate) struct Writer {
    /// Where they come from.
    pub(crate) input: Arc<Input>,
    /// Where they go; never blocks.
    pub(crate) sink: File,
    /// Ends the thread by being closed.
    pub(crate) stop: PipeReader,
}

impl Writer {
    /// Writes until the input ends, the program takes no more, or the thread is to end.
    pub(crate) fn run(mut self) {
        while let Some(mut piece) = self.input.next() {
            let length = piece.len();
            match self.write(&mut piece) {
                Ok(true) => self.input.taken(length),
                Ok(false) | Err(_) => break,
            }
        }
        self.input.end();
    }

    /// Writes all of a piece; `false` when the thread is to end.
    fn write(&mut self, piece: &mut Bytes) -> io::Result<bool> {
        while piece.has_remaining() {
            match self.sink.write(piece) {
                Ok(written) => piece.advance(written),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    if !wait_for(self.sink.as_fd(), PollFlags::POLLOUT, self.stop.as_fd())? {
                        return Ok(false);
                    }
                }
                Err(error) => return Err(error),
            }
        }
        Ok(true)
    }
}

/// The most that waits for a program that does not read; more is refused, and the caller says so.
///
/// It is more than the largest message of a client, so one paste always fits an empty queue.
pub const INPUT_BYTES: usize = 8 * 1024 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_full_queue_refuses_and_keeps_what_it_has() {
        let input = Input::default();
        input.push(Bytes::from(vec![0; INPUT_BYTES - 1])).unwrap();
        assert!(matches!(
            input.push(Bytes::from_static(b"ab")),
            Err(Error::InputFull)
        ));
        input.push(Bytes::from_static(b"a")).unwrap();
        assert_eq!(input.next().unwrap().len(), INPUT_BYTES - 1);
        input.taken(INPUT_BYTES - 1);
        input.push(Bytes::from_static(b"b")).unwrap();
        input.close();
        assert!(matches!(
            input.push(Bytes::from_static(b"c")),
            Err(Error::Ended)
        ));
        assert_eq!(&*input.next().unwrap(), b"a");
        assert_eq!(&*input.next().unwrap(), b"b");
        assert_eq!(input.next(), None);
    }
}
