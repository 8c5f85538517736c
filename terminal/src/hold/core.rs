//! What a holder holds.

use std::fs::File;
use std::io;
use std::path::PathBuf;
use std::time::{Duration, Instant, SystemTime};

use super::loan::{Loan, read_all};
use super::meta::Meta;
use super::program::Program;
use super::report::{Report, Welcome};
use super::request::Request;
use super::start::Keep;
use super::store::Store;
use super::typed::{TooMuch, Typed};
use crate::history::DRAIN_BYTES;
use crate::pty::Pty;
use crate::{END_PATIENCE, PtyMode};

/// What a holder holds, whoever is connected.
pub(crate) struct Core {
    pub(crate) meta: Meta,
    pub(crate) keep: Keep,
    pub(crate) dir: PathBuf,
    pub(crate) executable: PathBuf,
    pub(crate) program: Program,
    pub(crate) store: Store,
    pub(crate) typed: Typed,
    /// The terminal is with a daemon.
    pub(crate) loan: Option<Loan>,
    /// Where the output ended that the last daemon read which had the terminal.
    pub(crate) lent_until: u64,
    pub(crate) tty: PtyMode,
    /// Queries in the output before this offset are answered, or will be by a terminal that got them.
    pub(crate) answered: u64,
    /// When the program last wrote, or something was typed.
    pub(crate) active_at: SystemTime,
    /// Nothing is to be kept once everybody has ended.
    pub(crate) forget: bool,
    /// A successor is to take over.
    pub(crate) wants_upgrade: bool,
    /// For bytes on their way.
    scratch: Vec<u8>,
    /// The output that was read last: where it begins, and how much of `scratch` it is.
    fresh: (u64, usize),
    /// Output that the ring could not take, at the start of `scratch`.
    unstored: usize,
    /// When the terminal's mode is looked at again, and how often that happened.
    tty_look: Option<(Instant, usize)>,
    /// How far output is read after the exit whatever the driver's pace.
    drain_until: u64,
}

impl Core {
    pub(crate) fn new(
        meta: Meta,
        keep: Keep,
        (dir, executable): (PathBuf, PathBuf),
        program: Program,
        store: Store,
    ) -> Self {
        let mut core = Self {
            meta,
            keep,
            dir,
            executable,
            program,
            store,
            typed: Typed::default(),
            loan: None,
            lent_until: 0,
            tty: PtyMode::default(),
            answered: 0,
            active_at: SystemTime::now(),
            forget: false,
            wants_upgrade: false,
            scratch: vec![0; SCRATCH_BYTES],
            fresh: (0, 0),
            unstored: 0,
            tty_look: None,
            drain_until: 0,
        };
        core.look_at_tty();
        core
    }

    /// Does what a daemon asks for, other than what concerns its connection.
    pub(crate) fn handle(&mut self, now: Instant, request: Request<'_>) -> Result<(), TooMuch> {
        match request {
            Request::Introduce { writer } => self.typed.writers.introduce(writer),
            Request::Input {
                writer,
                offset,
                bytes,
            } => {
                self.look_at_tty();
                self.active(now);
                if writer.is_empty() {
                    self.answered = self.answered.max(offset);
                }
                let sink = self.program.pty.as_ref().map(Pty::master);
                // What was on its way when the terminal was lent is typed when it comes back.
                let is_ours = self.loan.is_none();
                self.typed.take(writer, offset, bytes, sink, is_ours)?;
            }
            // Who has just been lent the terminal sees to it.
            Request::Resize(_) if self.loan.is_some() => {}
            Request::Resize(size) => {
                let pty = self.program.pty.as_ref();
                if size.rows > 0 && size.cols > 0 && pty.is_some_and(|pty| pty.resize(size).is_ok())
                {
                    self.store.resize(size);
                }
            }
            Request::Signal(signal) => self.program.signal(signal),
            Request::End { patience } => self.program.end(now, patience),
            Request::Forget => {
                self.forget = true;
                self.program.end(now, END_PATIENCE);
            }
            Request::SetMeta(meta) => {
                // Its id is its file's name and stays.
                let id = std::mem::take(&mut self.meta.id);
                self.meta = Meta { id, ..meta };
            }
            Request::CheckpointPart(bytes) => self.store.checkpoint_part(bytes),
            Request::CheckpointEnd(mark) => {
                self.look_at_loan();
                self.store.checkpoint_end(mark);
            }
            Request::Resized(mark) => {
                self.look_at_loan();
                self.store.resize_at_offset(mark.offset, mark.size);
            }
            Request::Attach
            | Request::FetchCheckpoint
            | Request::Follow { .. }
            | Request::Room { .. }
            | Request::Answering(_)
            | Request::Borrow
            | Request::Upgrade => {}
        }
        Ok(())
    }

    /// How everything stands.
    pub(crate) fn welcome(&self, out: &mut Vec<u8>) -> io::Result<()> {
        let welcome = Welcome {
            meta: self.meta.clone(),
            pid: self.program.pid.as_raw().unsigned_abs(),
            size: self.store.size,
            first: self.store.first(),
            end: self.store.end,
            answered: self.answered,
            exit: self.program.exit,
            active_at: self.active_at,
            checkpoint: self.store.mark,
            checkpoint_bytes: self.store.checkpoint_bytes,
            writers: self.typed.writers.standings(),
            tty: self.tty,
            build: BUILD.to_owned(),
        };
        Report::Welcome(Box::new(welcome)).encode(out);
        Ok(())
    }

    /// How much of the program's output may be read now, for a daemon that allows it up to an offset.
    pub(crate) fn room(&self, until: u64) -> u64 {
        let until = until.max(self.drain_until);
        self.store.room().min(until.saturating_sub(self.store.end))
    }

    /// Reads what the program wrote, as far as there is room; returns whether the terminal is gone.
    pub(crate) fn read_program(&mut self, now: Instant, until: u64) -> bool {
        if self.unstored > 0 {
            self.store_fresh(self.unstored);
        }
        let is_ours = self.unstored == 0 && self.loan.is_none();
        let Some(pty) = self.program.pty.as_ref().filter(|_| is_ours) else {
            return false;
        };
        let room = usize::try_from(self.room(until)).unwrap_or(usize::MAX);
        let buffer = self.scratch.get_mut(..room.min(SCRATCH_BYTES));
        let buffer = buffer.unwrap_or_default();
        let mut count = 0;
        let mut is_gone = false;
        // What a program writes piece by piece is one piece for everybody after us.
        while let Some(space) = buffer.get_mut(count..).filter(|space| !space.is_empty()) {
            match io::Read::read(&mut pty.master(), space) {
                Ok(0) => is_gone = true,
                Ok(read) => {
                    count += read;
                    continue;
                }
                Err(error) => match error.kind() {
                    io::ErrorKind::Interrupted => continue,
                    io::ErrorKind::WouldBlock => {}
                    // Linux reports the end of a PTY as an input/output error.
                    _ => is_gone = true,
                },
            }
            break;
        }
        if count > 0 {
            self.active(now);
            self.look_at_tty();
            self.store_fresh(count);
        }
        is_gone
    }

    /// Reads what somebody read from the program and left in a pipe, which holds no more than fits.
    pub(crate) fn take_rest(&mut self, pipe: &File) {
        let count = read_all(pipe, &mut self.scratch);
        if count > 0 {
            self.store_fresh(count);
        }
    }

    /// Puts output that was just read into the ring.
    fn store_fresh(&mut self, count: usize) {
        let offset = self.store.end;
        match self
            .store
            .append(self.scratch.get(..count).unwrap_or_default())
        {
            Ok(()) => {
                self.fresh = (offset, count);
                self.unstored = 0;
            }
            Err(error) => {
                // Nothing is lost: it is tried again before more is read.
                tracing::debug!(%error, "no memory for output");
                self.unstored = count;
            }
        }
    }

    /// At most `max` bytes of output from an offset on, and fewer when memory is short.
    pub(crate) fn output(&mut self, offset: u64, max: usize) -> io::Result<&[u8]> {
        if self.unstored > 0 {
            return Ok(&[]);
        }
        // Nearly always it is of what was just read.
        let (start, count) = self.fresh;
        let skipped = offset
            .checked_sub(start)
            .and_then(|skipped| usize::try_from(skipped).ok());
        if let Some(skipped) = skipped.filter(|skipped| *skipped < count) {
            let bytes = self.scratch.get(skipped..count).unwrap_or_default();
            return Ok(bytes.get(..max).unwrap_or(bytes));
        }
        self.fresh = (0, 0);
        let buffer = self
            .scratch
            .get_mut(..max.min(SCRATCH_BYTES))
            .unwrap_or_default();
        let count = self.store.read(offset, buffer)?;
        Ok(buffer.get(..count).unwrap_or_default())
    }

    /// At most `max` bytes of the checkpoint; `None` when memory is short.
    pub(crate) fn checkpoint(&mut self, position: u64, max: usize) -> io::Result<Option<&[u8]>> {
        if self.unstored > 0 {
            return Ok(None);
        }
        self.fresh = (0, 0);
        let buffer = self
            .scratch
            .get_mut(..max.min(SCRATCH_BYTES))
            .unwrap_or_default();
        let count = self.store.read_checkpoint(position, buffer)?;
        Ok(buffer.get(..count))
    }

    /// Whether output waits for memory.
    pub(crate) fn is_out_of_memory(&self) -> bool {
        self.unstored > 0
    }

    /// Whether nothing is under way that a successor could not go on with.
    pub(crate) fn is_settled(&self) -> bool {
        !self.is_out_of_memory() && !self.store.is_receiving() && self.loan.is_none()
    }

    /// The program ended: the rest of its output is let in.
    pub(crate) fn begin_drain(&mut self) {
        self.drain_until = self.store.end.saturating_add(DRAIN_BYTES);
    }

    /// The rest of the output has arrived.
    pub(crate) fn end_drain(&mut self) {
        self.drain_until = 0;
    }

    /// Looks at the terminal's mode for a while after something happened.
    pub(crate) fn watch_tty(&mut self, now: Instant) {
        if let Some((at, step)) = self.tty_look
            && now >= at
        {
            self.look_at_tty();
            self.tty_look = TTY_LOOKS
                .get(step + 1)
                .map(|after| (now + *after, step + 1));
        }
    }

    /// When the terminal's mode is looked at again.
    pub(crate) fn tty_deadline(&self) -> Option<Instant> {
        Some(self.tty_look?.0)
    }

    fn active(&mut self, now: Instant) {
        self.active_at = SystemTime::now();
        self.watch_again(now);
    }

    /// Looks at the terminal's mode now and for a while.
    pub(crate) fn watch_again(&mut self, now: Instant) {
        self.tty_look = TTY_LOOKS.first().map(|after| (now + *after, 0));
    }

    pub(crate) fn look_at_tty(&mut self) {
        // A daemon that has the terminal looks itself.
        let is_ours = self.loan.is_none();
        if is_ours && let Some(mode) = self.program.pty.as_ref().and_then(Pty::mode) {
            self.tty = mode;
        }
    }
}

/// Which build this is: a daemon of another one asks its holders to become the new one.
pub(crate) const BUILD: &str = env!("CARGO_PKG_VERSION");

/// The most output that is read at once.
const SCRATCH_BYTES: usize = 64 * 1024;

/// After how long the terminal's mode is looked at, each after the other, once something happened.
///
/// Programs change it mostly right before they write; later changes are seen when the next key comes.
pub(crate) const TTY_LOOKS: [Duration; 4] = [
    Duration::from_millis(10),
    Duration::from_millis(40),
    Duration::from_millis(200),
    Duration::from_millis(750),
];
