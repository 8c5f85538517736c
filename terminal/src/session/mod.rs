//! A program on a terminal that outlives this process.

mod holds;
mod state;

use std::sync::Arc;
use std::time::{Duration, SystemTime};

use bytes::Bytes;
use tokio::sync::watch;

use crate::{Error, Exit, History, Meta, PtySize};

pub use holds::Holds;
pub use state::TtyState;

/// A program on a terminal that outlives this process.
///
/// It runs under its holder; this is the connection to it, with the newest of its output and its screen.
/// Methods return at once and may be called from any thread; the asynchronous ones are cancel-safe.
/// Dropping it leaves the program alone.
pub struct Session {
    meta: Meta,
    history: History,
    state: watch::Sender<TtyState>,
}

impl Session {
    /// What it is called in requests.
    pub fn id(&self) -> &str {
        &self.meta.id
    }

    /// What is known about it.
    pub fn meta(&self) -> Meta {
        self.meta.clone()
    }

    /// Gives it another name.
    pub fn set_name(&self, name: Option<String>) {
        let _ = name;
    }

    /// Whether it outlives its client from now on.
    pub fn set_persist(&self, persist: bool) {
        let _ = persist;
    }

    /// Notes something to be found again, or removes it.
    pub fn set_extra(&self, key: &str, value: Option<String>) {
        let _ = (key, value);
    }

    /// The program's process number.
    pub fn pid(&self) -> u32 {
        0
    }

    /// The size that was asked for last.
    pub fn size(&self) -> PtySize {
        PtySize::default()
    }

    /// When the program last wrote, or someone last typed.
    pub fn last_activity(&self) -> SystemTime {
        self.meta.created
    }

    /// The newest of what the program wrote.
    ///
    /// Its pace is set with [`Session::set_reader_offset`].
    pub fn history(&self) -> &History {
        &self.history
    }

    /// Says how far the driver has read the history; `None` when nobody drives.
    ///
    /// The program is read at most [`DRIVER_AHEAD_BYTES`](crate::DRIVER_AHEAD_BYTES) ahead of it.
    pub fn set_reader_offset(&self, offset: Option<u64>) {
        let _ = offset;
    }

    /// Types bytes of a writer, exactly once.
    ///
    /// `offset` counts all that this writer typed before. What was taken already is dropped.
    ///
    /// # Errors
    ///
    /// [`Error::InputGap`] when bytes before these are missing; [`Error::InputFull`] when the program
    /// does not read and too much waits already: then nothing is taken; [`Error::Ended`].
    pub fn write(&self, writer: &str, offset: u64, bytes: Bytes) -> Result<(), Error> {
        let _ = (writer, offset, bytes);
        Err(Error::Ended)
    }

    /// How much of what a writer typed is written to the terminal; 0 for one that never typed.
    pub fn input_offset(&self, writer: &str) -> u64 {
        let _ = writer;
        0
    }

    /// Waits until more of a writer's input than this is written to the terminal; cancel-safe.
    ///
    /// Returns as well when no more ever will be.
    pub async fn input_changed(&self, writer: &str, beyond: u64) {
        let _ = (writer, beyond);
    }

    /// What the terminal does with what is typed.
    pub fn state(&self) -> watch::Receiver<TtyState> {
        self.state.subscribe()
    }

    /// Changes the size; the program gets `SIGWINCH`.
    ///
    /// # Errors
    ///
    /// [`Error::BadSize`], [`Error::Ended`].
    pub fn resize(&self, size: PtySize) -> Result<(), Error> {
        let _ = size;
        Err(Error::Ended)
    }

    /// Sends a signal to the foreground group, as [`Terminal::signal`](crate::Terminal::signal).
    ///
    /// # Errors
    ///
    /// [`Error::SignalRefused`], [`Error::Ended`].
    pub fn signal(&self, signal: u8) -> Result<(), Error> {
        let _ = signal;
        Err(Error::Ended)
    }

    /// How the program ended; `None` while it runs.
    pub fn exit_status(&self) -> Option<Exit> {
        None
    }

    /// Waits until the program ended; cancel-safe.
    ///
    /// Without a status when the holder is gone.
    pub async fn wait_exit(&self) -> Exit {
        std::future::pending().await
    }

    /// Ends the program and everything in its session, as [`Terminal::end`](crate::Terminal::end).
    pub fn end(&self) {
        self.end_within(crate::END_PATIENCE);
    }

    /// The same with another patience; a shorter one counts even when the end has begun.
    pub fn end_within(&self, patience: Duration) {
        let _ = patience;
    }

    /// Waits until no process of it is left after [`end`](Self::end), or the holder is gone; cancel-safe.
    pub async fn wait_ended(&self) {}

    /// Lets go of all that is kept of it, once the program has ended and someone has seen that.
    ///
    /// A program that still runs is ended.
    pub fn forget(&self) {}

    /// Whether this process has lost the terminal: its holder is gone, or another process has it.
    pub fn is_lost(&self) -> bool {
        false
    }

    /// Waits until [`is_lost`](Self::is_lost); cancel-safe.
    pub async fn lost(&self) {}

    /// Who answers the program's queries: the screen here when true, the driver's terminal when false.
    pub fn set_answering(&self, answering: bool) {
        let _ = answering;
    }

    /// Waits for what the program puts into the clipboard next, and takes it; cancel-safe.
    ///
    /// An older one that nobody took is replaced.
    pub async fn clipboard(&self) -> Vec<u8> {
        std::future::pending().await
    }
}

impl std::fmt::Debug for Session {
    /// Says which; what it reads and writes must not reach a log.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session")
            .field("id", &self.id())
            .field("pid", &self.pid())
            .finish_non_exhaustive()
    }
}

impl Session {
    #[allow(dead_code, reason = "the holder connects it")]
    fn new(meta: Meta) -> Arc<Self> {
        Arc::new(Self {
            meta,
            history: History::default(),
            state: watch::Sender::default(),
        })
    }
}
