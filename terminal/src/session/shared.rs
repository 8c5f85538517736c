//! What a session and its task share.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use tokio::sync::watch;

use super::model::Model;
use super::state::TtyState;
use super::typing::Typing;
use super::way::Way;
use crate::hold::{PIECE_BYTES, Report, Request, Welcome};
use crate::screen::SnapshotOptions;
use crate::{DRIVER_AHEAD_BYTES, Error, Exit, History, Meta, PtyMode, PtySize};

/// What a session and its task share.
pub(crate) struct Shared {
    pub(crate) id: String,
    pub(crate) pid: u32,
    pub(crate) way: Way,
    pub(crate) history: History,
    pub(crate) typing: Typing,
    pub(crate) meta: Mutex<Meta>,
    pub(crate) size: Mutex<PtySize>,
    pub(crate) state: watch::Sender<TtyState>,
    pub(crate) exit: watch::Sender<Option<Exit>>,
    pub(crate) ended: watch::Sender<bool>,
    pub(crate) lost: watch::Sender<bool>,
    answering: AtomicBool,
    /// What the program last put into the clipboard, and an offset not before the end of that.
    clipboard: Mutex<Option<(u64, Vec<u8>)>>,
    /// Milliseconds since 1970.
    active_at: AtomicU64,
    /// The history goes forward under this lock only, so who has it finds both at the same offset.
    model: Mutex<Model>,
    /// How far the program's output may be read, as whoever reads it knows.
    until: Mutex<u64>,
}

impl Shared {
    /// A terminal as its holder describes it, whose output comes from an offset on.
    ///
    /// `answering` is what the holder takes for granted.
    pub(crate) fn new(
        welcome: &Welcome,
        mut model: Model,
        way: Way,
        from: u64,
        answering: bool,
    ) -> Self {
        let mut state = TtyState::default().with_mode(welcome.tty);
        state.follow(model.screen());
        Self {
            id: welcome.meta.id.clone(),
            pid: welcome.pid,
            way,
            history: History::starting_at(from),
            typing: Typing::new(&welcome.writers),
            meta: Mutex::new(welcome.meta.clone()),
            size: Mutex::new(welcome.size),
            state: watch::Sender::new(state),
            exit: watch::Sender::new(None),
            ended: watch::Sender::new(false),
            lost: watch::Sender::new(false),
            answering: AtomicBool::new(answering),
            clipboard: Mutex::default(),
            active_at: AtomicU64::new(millis(welcome.active_at)),
            model: Mutex::new(model),
            until: Mutex::new(u64::MAX),
        }
    }

    /// Takes in what the holder says; `false` when it makes no sense.
    pub(crate) fn handle(&self, report: Report<'_>) -> bool {
        match report {
            Report::Output { offset, bytes } => return self.output(offset, bytes),
            Report::Applied { writer, offset } => self.typing.set_applied(writer, offset),
            Report::Tty(mode) => self.set_mode(mode),
            Report::Resized(size) => lock(&self.model).resize(size),
            Report::Exited(exit) => drop(self.exit.send_replace(Some(exit))),
            Report::OutputEnded => self.close(),
            Report::Gone => drop(self.ended.send_replace(true)),
            // Those belong to a beginning, or to who has the terminal in its hands.
            Report::Welcome(_)
            | Report::Failed(_)
            | Report::CheckpointPart(_)
            | Report::CheckpointEnd(_)
            | Report::Lent { .. }
            | Report::Kept
            | Report::GiveBack
            | Report::Needs(_) => return false,
        }
        true
    }

    fn set_mode(&self, mode: PtyMode) {
        self.state.send_if_modified(|state| {
            let next = state.clone().with_mode(mode);
            let changed = *state != next;
            *state = next;
            changed
        });
    }

    /// Whether the screen has another size than the one that was asked for last.
    pub(crate) fn has_wrong_size(&self) -> bool {
        let size = lock(&self.model).size();
        size != *lock(&self.size)
    }

    /// Looks at the mode of a lent terminal.
    pub(crate) fn look(&self) {
        if let Some(mode) = self.way.look() {
            self.set_mode(mode);
        }
    }

    /// Types what a writer typed.
    pub(crate) fn type_in(&self, writer: &str, offset: u64, bytes: &Bytes) -> Result<(), Error> {
        self.touch();
        let mode = self.typing.pass_on(writer, offset, bytes, &self.way)?;
        if let Some(mode) = mode {
            self.set_mode(mode);
        }
        Ok(())
    }

    /// Gives the terminal the size that was asked for last, and the screen, if nobody says when that
    /// happens.
    pub(crate) fn resize(&self) {
        let mut model = lock(&self.model);
        let size = *lock(&self.size);
        if self.way.resize(self.history.end(), size) {
            model.resize(size);
        }
    }

    /// The holder is gone, or another daemon has the terminal.
    pub(crate) fn lose(&self) {
        self.lost.send_replace(true);
        let unknown = Exit {
            code: None,
            signal: None,
            core_dumped: false,
            output_bytes: self.history.end(),
        };
        let exit = self.exit.borrow().unwrap_or(unknown);
        self.exit.send_replace(Some(exit));
        self.ended.send_replace(true);
        self.close();
        self.way.abandon();
    }

    /// Nothing more will come, and nothing be taken.
    fn close(&self) {
        self.history.close();
        self.typing.wake();
    }

    /// Takes in output; `false` when some before it is missing.
    pub(crate) fn output(&self, offset: u64, bytes: &[u8]) -> bool {
        let mut model = lock(&self.model);
        if offset != self.history.end() {
            return false;
        }
        // The readers first: they go on while the screen follows.
        self.history.push(bytes);
        self.touch();
        let Some(wishes) = model.advance(offset, bytes) else {
            return true;
        };
        if self.answering.load(Ordering::SeqCst) {
            let replies = wishes.replies.into_iter().flat_map(|(_, reply)| reply);
            self.answer(&replies.collect::<Vec<u8>>());
        } else {
            model.unheard.keep(wishes.replies);
        }
        if let Some(text) = wishes.clipboard {
            *lock(&self.clipboard) = Some((self.history.end(), text));
        }
        self.state
            .send_if_modified(|state| state.follow(model.screen()));
        true
    }

    fn answer(&self, replies: &[u8]) {
        if replies.is_empty() {
            return;
        }
        let pieces = replies.chunks(PIECE_BYTES);
        let pieces = pieces.map(|bytes| Request::Input {
            writer: "",
            offset: self.history.end(),
            bytes,
        });
        if let Some(mode) = self.way.type_in(pieces, |_, _| {}) {
            self.set_mode(mode);
        }
    }

    /// Answers the queries in output that the driver's terminal never gets to read.
    pub(crate) fn answer_skipped(&self, from: u64, to: u64) {
        let replies = lock(&self.model).unheard.take(from, to);
        self.answer(&replies);
    }

    /// The screen at the end of the history, as bytes that redraw it.
    pub(crate) fn snapshot(&self, options: &SnapshotOptions) -> (u64, Vec<u8>) {
        let mut model = lock(&self.model);
        (self.history.end(), model.screen().snapshot(options))
    }

    /// Looks at the screen.
    pub(crate) fn with_model<T>(&self, look: impl FnOnce(&mut Model) -> T) -> T {
        look(&mut lock(&self.model))
    }

    /// How much output there was since the newest checkpoint.
    pub(crate) fn since_checkpoint(&self) -> u64 {
        let mark = lock(&self.model).mark;
        self.history.end().saturating_sub(mark)
    }

    /// The program is quiet: there is time for what it wrote.
    pub(crate) fn catch_up(&self) {
        lock(&self.model).screen();
        self.make_checkpoint();
    }

    /// Gives the holder a new checkpoint, unless one is on its way.
    pub(crate) fn make_checkpoint(&self) {
        if self.way.link().has_checkpoint() {
            return;
        }
        let mut model = lock(&self.model);
        let (mark, bytes) = model.checkpoint(self.history.end());
        if self.way.link().send_checkpoint(mark, bytes) {
            model.mark = mark.offset;
        }
    }

    /// Lets the program's output be read as far as the driver's pace allows.
    ///
    /// Whoever reads it is not told of every step: that would wake it for nothing.
    pub(crate) fn set_driver(&self, offset: Option<u64>) {
        let until = offset.map_or(u64::MAX, |offset| offset.saturating_add(DRIVER_AHEAD_BYTES));
        let mut told = lock(&self.until);
        let is_news = match *told {
            u64::MAX => until != u64::MAX,
            told => until < told || until >= told.saturating_add(PACE_STEP_BYTES),
        };
        if is_news {
            *told = until;
            self.way.pace(until);
        }
    }

    /// How far the program's output may be read.
    pub(crate) fn until(&self) -> u64 {
        *lock(&self.until)
    }

    /// Says whether the screen answers the program's queries.
    pub(crate) fn set_answering(&self, answering: bool) {
        lock(&self.model).unheard.forget();
        if self.answering.swap(answering, Ordering::SeqCst) != answering {
            self.way.link().send(Request::Answering(answering));
        }
    }

    /// Changes what is known about the terminal, here and in the holder.
    pub(crate) fn change_meta(&self, change: impl FnOnce(&mut Meta)) {
        let mut meta = lock(&self.meta);
        let mut next = meta.clone();
        change(&mut next);
        if next.is_possible() {
            self.way.link().send(Request::SetMeta(next.clone()));
            *meta = next;
        } else {
            tracing::warn!(id = meta.id, "there is too much to know about a terminal");
        }
    }

    /// What the program put into the clipboard after an offset, if it did.
    pub(crate) fn clipboard_after(&self, from: u64) -> Option<Vec<u8>> {
        let clipboard = lock(&self.clipboard);
        let (_, text) = clipboard.as_ref().filter(|(end, _)| *end > from)?;
        Some(text.clone())
    }

    /// When the program last wrote, or someone typed.
    pub(crate) fn active_at(&self) -> SystemTime {
        let since = Duration::from_millis(self.active_at.load(Ordering::Relaxed));
        UNIX_EPOCH.checked_add(since).unwrap_or(UNIX_EPOCH)
    }

    pub(crate) fn touch(&self) {
        let now = millis(SystemTime::now());
        self.active_at.store(now, Ordering::Relaxed);
    }
}

fn millis(time: SystemTime) -> u64 {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

pub(crate) fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// How far the driver reads on before the holder is told: a part of what the program may be ahead.
const PACE_STEP_BYTES: u64 = DRIVER_AHEAD_BYTES / 4;
