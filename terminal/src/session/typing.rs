//! What is typed, on its way to a holder.

use std::sync::Mutex;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::Notify;
use tokio::time::timeout;

use super::shared::lock;
use super::way::Way;
use crate::hold::{Applied, PIECE_BYTES, Request, Standing, WRITER_BYTES, Writers};
use crate::{Error, INPUT_BYTES, PtyMode};

/// Who typed how much, and how much of it is written to the terminal.
#[derive(Debug)]
pub(crate) struct Typing {
    writers: Mutex<Writers>,
    changed: Notify,
}

impl Typing {
    /// The writers as a holder knows them.
    pub(crate) fn new(standings: &[(String, Standing)]) -> Self {
        Self {
            writers: Mutex::new(Writers::restore(standings.iter().cloned())),
            changed: Notify::new(),
        }
    }

    /// Passes on what a writer typed, as far as that was not taken before; returns the terminal's mode
    /// when it is another now.
    pub(crate) fn pass_on(
        &self,
        writer: &str,
        offset: u64,
        bytes: &Bytes,
        way: &Way,
    ) -> Result<Option<PtyMode>, Error> {
        if !(1..=WRITER_BYTES).contains(&writer.len()) {
            return Err(Error::BadWriter);
        }
        // Kept until all is on its way: the pieces of two callers must not change places.
        let mut writers = lock(&self.writers);
        let known = usize::try_from(writers.known(writer, offset)?).unwrap_or(usize::MAX);
        let fresh = bytes.get(known..).unwrap_or_default();
        if fresh.is_empty() {
            return Ok(None);
        }
        if !writers.has_place(writer) && writers.has_news() {
            writers.hush();
            self.changed.notify_waiters();
        }
        let free = (INPUT_BYTES as u64).saturating_sub(writers.waiting_bytes());
        if fresh.len() as u64 > free || !writers.has_place(writer) {
            return Err(Error::InputFull);
        }
        let is_new = writers.standing(writer).is_none();
        let end = offset.saturating_add(bytes.len() as u64);
        writers.take(writer, offset, end);
        let start = end - fresh.len() as u64;
        let introduce = is_new.then_some(Request::Introduce { writer });
        let pieces = (start..)
            .step_by(PIECE_BYTES)
            .zip(fresh.chunks(PIECE_BYTES));
        let pieces = pieces.map(|(offset, bytes)| Request::Input {
            writer,
            offset,
            bytes,
        });
        let pieces = introduce.into_iter().chain(pieces);
        Ok(way.type_in(pieces, |writer, offset| writers.reach(writer, offset)))
    }

    /// The holder says how far a writer's input is written.
    pub(crate) fn set_applied(&self, writer: &str, offset: u64) {
        if lock(&self.writers).set_applied(writer, offset) {
            self.changed.notify_waiters();
        }
    }

    /// So much of the input of each of these is written.
    pub(crate) fn set_all_applied(&self, applied: Vec<Applied>) {
        for (writer, offset) in applied {
            self.set_applied(&writer, offset);
        }
    }

    /// Says how much is written that was written without saying.
    ///
    /// That is done together with the program's answer, which is nearly always there soon, so that who
    /// waits for both wakes once.
    pub(crate) fn publish(&self) {
        let mut writers = lock(&self.writers);
        if writers.has_news() {
            writers.hush();
            self.changed.notify_waiters();
        }
    }

    /// How much of a writer's input is written to the terminal.
    pub(crate) fn applied(&self, writer: &str) -> u64 {
        lock(&self.writers).told(writer)
    }

    /// Waits until more of a writer's input is written, or `is_over`; cancel-safe.
    ///
    /// `true` when the program gave no answer to it.
    pub(crate) async fn applied_beyond(
        &self,
        writer: &str,
        beyond: u64,
        is_over: impl Fn() -> bool,
    ) -> bool {
        loop {
            let mut changed = std::pin::pin!(self.changed.notified());
            changed.as_mut().enable();
            let (told, has_news) = {
                let writers = lock(&self.writers);
                (writers.told(writer), writers.has_news())
            };
            if told > beyond || is_over() {
                return false;
            }
            if !has_news {
                changed.await;
            } else if timeout(APPLIED_DELAY, changed).await.is_err() {
                self.publish();
                return true;
            }
        }
    }

    /// Wakes those who wait: nothing more will be written.
    pub(crate) fn wake(&self) {
        self.changed.notify_waiters();
    }
}

/// How long it is waited for the program's answer before it is told what it was given.
const APPLIED_DELAY: Duration = Duration::from_millis(2);
