//! What is said to a holder.

use std::io::{self, ErrorKind};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tokio::net::unix::OwnedWriteHalf;
use tokio::sync::Notify;

use crate::hold::{Mark, PIECE_BYTES, Request};

/// The way to a holder: requests go out at once, in order, and a checkpoint in the gaps between them.
#[derive(Debug)]
pub(crate) struct Link {
    stream: OwnedWriteHalf,
    queue: Mutex<Queue>,
    /// Says that the stream did not take all.
    stuck: Notify,
}

#[derive(Debug, Default)]
struct Queue {
    /// Whole frames, of which the first may be sent in part.
    bytes: Vec<u8>,
    sent: usize,
    checkpoint: Option<Checkpoint>,
    failed: bool,
}

#[derive(Debug)]
struct Checkpoint {
    bytes: Vec<u8>,
    sent: usize,
    mark: Mark,
}

impl Link {
    pub(crate) fn new(stream: OwnedWriteHalf) -> Self {
        Self {
            stream,
            queue: Mutex::default(),
            stuck: Notify::new(),
        }
    }

    /// Says something; what the stream does not take now is sent by [`Self::pump`].
    ///
    /// A holder reads at once whatever its program does. One for which more than [`QUEUE_BYTES`] wait has
    /// failed, and nothing more is said to it.
    pub(crate) fn send(&self, request: Request<'_>) {
        self.send_all(std::iter::once(request));
    }

    /// Says several things with nothing between them.
    pub(crate) fn send_all<'a>(&self, requests: impl IntoIterator<Item = Request<'a>>) {
        let mut queue = self.lock();
        for request in requests {
            queue.say(&request);
        }
        self.flush(&mut queue);
    }

    /// Sends a checkpoint; `false` when one is on its way already.
    pub(crate) fn send_checkpoint(&self, mark: Mark, bytes: Vec<u8>) -> bool {
        let mut queue = self.lock();
        if queue.checkpoint.is_some() {
            return false;
        }
        queue.checkpoint = Some(Checkpoint {
            bytes,
            sent: 0,
            mark,
        });
        self.flush(&mut queue);
        true
    }

    /// Whether a checkpoint is on its way.
    pub(crate) fn has_checkpoint(&self) -> bool {
        self.lock().checkpoint.is_some()
    }

    /// Sends what the stream did not take, whenever it does; ends when the holder is gone. Cancel-safe.
    pub(crate) async fn pump(&self) -> io::Error {
        loop {
            let (is_stuck, failed) = {
                let mut queue = self.lock();
                self.flush(&mut queue);
                (queue.is_stuck(), queue.failed)
            };
            if failed {
                return ErrorKind::BrokenPipe.into();
            }
            if is_stuck {
                if let Err(error) = self.stream.writable().await {
                    return error;
                }
            } else {
                self.stuck.notified().await;
            }
        }
    }

    fn flush(&self, queue: &mut Queue) {
        while !queue.failed {
            queue.fill();
            let rest = queue.bytes.get(queue.sent..).unwrap_or_default();
            if rest.is_empty() {
                queue.bytes.clear();
                queue.bytes.shrink_to(KEPT_BYTES);
                queue.sent = 0;
                return;
            }
            match self.stream.try_write(rest) {
                Ok(count) => queue.sent += count,
                Err(error) if error.kind() == ErrorKind::WouldBlock => break,
                Err(_) => queue.failed = true,
            }
        }
        self.stuck.notify_one();
    }

    fn lock(&self) -> MutexGuard<'_, Queue> {
        self.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Queue {
    fn say(&mut self, request: &Request<'_>) {
        if self.bytes.len() - self.sent > QUEUE_BYTES {
            self.failed = true;
        }
        if !self.failed {
            request.encode(&mut self.bytes);
        }
    }

    fn is_stuck(&self) -> bool {
        self.sent < self.bytes.len()
    }

    /// Takes the next piece of a checkpoint when nothing else waits.
    fn fill(&mut self) {
        if self.is_stuck() {
            return;
        }
        let Some(checkpoint) = &mut self.checkpoint else {
            return;
        };
        self.bytes.clear();
        self.sent = 0;
        let rest = checkpoint.bytes.get(checkpoint.sent..).unwrap_or_default();
        let piece = rest.get(..PIECE_BYTES).unwrap_or(rest);
        if piece.is_empty() {
            Request::CheckpointEnd(checkpoint.mark).encode(&mut self.bytes);
            self.checkpoint = None;
        } else {
            Request::CheckpointPart(piece).encode(&mut self.bytes);
            checkpoint.sent += piece.len();
        }
    }
}

/// The most that waits for a holder: all the input that may wait for a program, and as much again.
const QUEUE_BYTES: usize = 2 * crate::INPUT_BYTES;

/// The memory that an empty queue keeps.
const KEPT_BYTES: usize = 64 * 1024;
