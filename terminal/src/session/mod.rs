//! A program on a terminal that outlives this process.

mod attach;
mod flood;
mod follow;
mod holds;
mod link;
mod model;
mod shared;
mod state;
mod typing;
mod unheard;
mod way;

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use tokio::sync::watch;
use tokio::task::AbortHandle;
use vroom_protocol::terminal::is_deliverable;

use self::shared::{Shared, lock};
use crate::hold::Request;
use crate::screen::{ScreenDigest, SnapshotOptions, ViewerCapabilities};
use crate::{END_PATIENCE, Error, Exit, History, Meta, PtySize};

pub use holds::Holds;
pub use state::TtyState;

/// A program on a terminal that outlives this process.
///
/// It runs under its holder; this is the connection to it, with the newest of its output and its screen.
/// Methods return at once and may be called from any thread; the asynchronous ones are cancel-safe.
/// Dropping it leaves the program alone.
pub struct Session {
    shared: Arc<Shared>,
    task: AbortHandle,
}

impl Session {
    /// What it is called in requests.
    pub fn id(&self) -> &str {
        &self.shared.id
    }

    /// What is known about it.
    pub fn meta(&self) -> Meta {
        lock(&self.shared.meta).clone()
    }

    /// Gives it another name, or none.
    pub fn set_name(&self, name: Option<String>) {
        self.shared.change_meta(|meta| meta.name = name);
    }

    /// Says whether it outlives its client from now on.
    pub fn set_persist(&self, persist: bool) {
        self.shared.change_meta(|meta| meta.persist = persist);
    }

    /// Notes something to be found again, or removes it; what is too much is not noted.
    pub fn set_extra(&self, key: &str, value: Option<String>) {
        self.shared.change_meta(|meta| {
            if let Some(value) = value {
                meta.extra.insert(key.to_owned(), value);
            } else {
                meta.extra.remove(key);
            }
        });
    }

    /// The program's process number.
    pub fn pid(&self) -> u32 {
        self.shared.pid
    }

    /// The size that was asked for last.
    pub fn size(&self) -> PtySize {
        *lock(&self.shared.size)
    }

    /// When the program last wrote, or someone last typed.
    pub fn last_activity(&self) -> SystemTime {
        self.shared.active_at()
    }

    /// The newest of what the program wrote.
    ///
    /// Its pace is set with [`Session::set_reader_offset`]. It ends when all is read that the program
    /// and its children ever wrote, and when the terminal is [lost](Self::is_lost).
    pub fn history(&self) -> &History {
        &self.shared.history
    }

    /// The screen as bytes that redraw it, and the offset of the history that continues them.
    pub fn snapshot(&self, options: &SnapshotOptions) -> (u64, Vec<u8>) {
        self.shared.snapshot(options)
    }

    /// The text of the screen, line by line.
    pub fn text(&self) -> Vec<String> {
        self.shared.with_model(|model| model.screen().text())
    }

    /// All that the screen shows and every mode of it; for tests.
    pub fn digest(&self) -> ScreenDigest {
        self.shared.with_model(|model| model.screen().digest())
    }

    /// Says how far the driver has read the history; `None` when nobody drives.
    ///
    /// The program is read at most [`DRIVER_AHEAD_BYTES`](crate::DRIVER_AHEAD_BYTES) ahead of it.
    pub fn set_reader_offset(&self, offset: Option<u64>) {
        self.shared.set_driver(offset);
    }

    /// Types bytes of a writer, exactly once.
    ///
    /// `offset` counts all that this writer typed before. What was taken already is dropped. A writer
    /// that is not known, or was forgotten since [`WRITERS_MAX`](crate::WRITERS_MAX) others came, begins at 0.
    ///
    /// # Errors
    ///
    /// [`Error::InputGap`] when bytes before these are missing; [`Error::InputFull`] when the program
    /// does not read and too much waits already: then nothing is taken; [`Error::BadWriter`];
    /// [`Error::Ended`].
    pub fn write(&self, writer: &str, offset: u64, bytes: Bytes) -> Result<(), Error> {
        if self.history().is_ended() {
            return Err(Error::Ended);
        }
        self.shared.type_in(writer, offset, &bytes)
    }

    /// Lets [`input_offset`](Self::input_offset) say at once what is written, rather than with the program's answer.
    pub fn announce_input(&self) {
        self.shared.typing.publish();
    }

    /// How much of what a writer typed is written to the terminal; 0 for one that never typed.
    pub fn input_offset(&self, writer: &str) -> u64 {
        self.shared.typing.applied(writer)
    }

    /// Waits until more of a writer's input than this is written to the terminal; cancel-safe.
    ///
    /// Returns as well when no more ever will be.
    pub async fn input_changed(&self, writer: &str, beyond: u64) {
        let is_over = || self.history().is_ended();
        let typing = &self.shared.typing;
        if typing.applied_beyond(writer, beyond, is_over).await {
            // It may have changed the terminal's mode without a word.
            self.shared.way.stir();
        }
    }

    /// What the terminal does with what is typed, and what its program made of it.
    pub fn state(&self) -> watch::Receiver<TtyState> {
        self.shared.state.subscribe()
    }

    /// Changes the size; the program gets `SIGWINCH`.
    ///
    /// # Errors
    ///
    /// [`Error::BadSize`], [`Error::Ended`].
    pub fn resize(&self, size: PtySize) -> Result<(), Error> {
        if size.rows == 0 || size.cols == 0 {
            return Err(Error::BadSize);
        }
        if self.history().is_ended() {
            return Err(Error::Ended);
        }
        let known = std::mem::replace(&mut *lock(&self.shared.size), size);
        if known != size {
            self.shared.resize();
        }
        Ok(())
    }

    /// Sends a signal to the foreground group.
    ///
    /// # Errors
    ///
    /// [`Error::SignalRefused`], [`Error::Ended`].
    pub fn signal(&self, signal: u8) -> Result<(), Error> {
        if !is_deliverable(signal) {
            return Err(Error::SignalRefused(signal));
        }
        if self.history().is_ended() {
            return Err(Error::Ended);
        }
        self.shared.way.link().send(Request::Signal(signal));
        Ok(())
    }

    /// How the program ended; `None` while it runs.
    ///
    /// By then all it wrote is in the history. What its children go on writing comes after.
    pub fn exit_status(&self) -> Option<Exit> {
        *self.shared.exit.borrow()
    }

    /// Waits until the program ended; cancel-safe.
    ///
    /// Without a status when the terminal was [lost](Self::is_lost).
    pub async fn wait_exit(&self) -> Exit {
        let mut exit = self.shared.exit.subscribe();
        loop {
            if let Some(exit) = *exit.borrow_and_update() {
                return exit;
            }
            if exit.changed().await.is_err() {
                // The sender lives as long as `self`.
                std::future::pending::<()>().await;
            }
        }
    }

    /// Ends the program and everything in its session.
    ///
    /// All get `SIGHUP` now and `SIGKILL` when they are still there after [`END_PATIENCE`]. Calling it
    /// twice is harmless.
    pub fn end(&self) {
        self.end_within(END_PATIENCE);
    }

    /// The same with another patience; a shorter one counts even when the end has begun.
    pub fn end_within(&self, patience: Duration) {
        self.shared.way.link().send(Request::End { patience });
    }

    /// Waits until no process of it is left after [`end`](Self::end), or it is lost; cancel-safe.
    pub async fn wait_ended(&self) {
        until(&self.shared.ended).await;
    }

    /// Lets go of all that is kept of it, once the program has ended and someone has seen that.
    ///
    /// What still runs on the terminal is [ended](Self::end).
    pub fn forget(&self) {
        self.shared.way.link().send(Request::Forget);
    }

    /// Whether this process has lost the terminal: its holder is gone, or another daemon has it.
    pub fn is_lost(&self) -> bool {
        *self.shared.lost.borrow()
    }

    /// Waits until [`is_lost`](Self::is_lost); cancel-safe.
    pub async fn lost(&self) {
        until(&self.shared.lost).await;
    }

    /// Says who answers the program's queries: the screen here, or else the driver's terminal.
    pub fn set_answering(&self, answering: bool) {
        self.shared.set_answering(answering);
    }

    /// Answers the queries between two offsets of the output: the driver's terminal gets the screen
    /// instead of them.
    pub fn answer_skipped(&self, from: u64, to: u64) {
        self.shared.answer_skipped(from, to);
    }

    /// Says which abilities the screen claims in its answers; all of them before the first call.
    pub fn set_claims(&self, claims: &ViewerCapabilities) {
        self.shared
            .with_model(|model| model.screen().set_claims(claims));
    }

    /// What the program last put into the clipboard, if that was after this offset of the output.
    ///
    /// Whoever skips output asks, since the screen does not show it.
    pub fn clipboard_after(&self, from: u64) -> Option<Vec<u8>> {
        self.shared.clipboard_after(from)
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.task.abort();
    }
}

impl std::fmt::Debug for Session {
    /// Says which; what it reads and writes must not reach a log.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session")
            .field("id", &self.id())
            .field("pid", &self.pid())
            .field("exit", &self.exit_status())
            .finish_non_exhaustive()
    }
}

/// Waits until a flag is set.
async fn until(flag: &watch::Sender<bool>) {
    let mut flag = flag.subscribe();
    while !*flag.borrow_and_update() {
        if flag.changed().await.is_err() {
            return;
        }
    }
}
