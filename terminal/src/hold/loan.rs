//! A terminal that the daemon has in its own hands.
//!
//! While all is well the daemon itself reads the program's output and writes what is typed, so that a key
//! does not wait for one more process. It does so in a way that leaves nothing to its survival: every step
//! is one call of the kernel, which moves bytes between the terminal and files that the holder has open,
//! too, and counts them in the positions of these files. Whatever the daemon was at when it died, the
//! holder finds what was read, what was typed, and how much of that was written.
//!
//! - Output goes from the terminal into a pipe and from there into the [ring](super::ring), whose position is where it ends.
//!   What is still in the pipe comes next.
//! - What is typed goes into a [journal](super::journal) and from there into the terminal.
//!
//! The loan is over when nobody has the end of another pipe open, the leash. Nothing ever goes through that one: it
//! does not wake the holder while the terminal is used.

use std::fs::File;
use std::io::{self, ErrorKind, Read};
use std::os::fd::{AsFd, OwnedFd};
use std::time::{Duration, Instant, SystemTime};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use rustix::pipe::{PipeFlags, pipe_with};

use super::core::Core;
use super::journal;
use super::request::Request;
use super::store::memory;
use crate::pty::Pty;

/// What a holder keeps of what it lent.
#[derive(Debug)]
pub(crate) struct Loan {
    journal: File,
    pipe: File,
    leash: OwnedFd,
    /// Whether the daemon's screen answers the program's queries.
    answers: bool,
    /// Since when it is asked for.
    asked_since: Option<Instant>,
}

/// What the daemon gets, in this order: the terminal, the ring, the journal, both ends of the pipe, and its
/// end of the leash.
pub(crate) type Lent = [OwnedFd; LENT_FILES];

impl Core {
    /// Whether a daemon may have the terminal now.
    pub(crate) fn may_lend(&self) -> bool {
        let program = &self.program;
        let is_calm = program.status.is_none() && program.ending.is_none() && !self.forget;
        let is_free = self.loan.is_none() && !self.typed.is_waiting() && !self.is_out_of_memory();
        let is_alive = |pty: &Pty| {
            let mut files = [PollFd::new(pty.master().as_fd(), PollFlags::empty())];
            poll(&mut files, PollTimeout::ZERO).is_ok_and(|ready| ready == 0)
        };
        is_calm && is_free && !self.wants_upgrade && program.pty.as_ref().is_some_and(is_alive)
    }

    /// Lends the terminal to a daemon that has all of the output so far.
    pub(crate) fn lend(&mut self, answers: bool) -> io::Result<Lent> {
        let pty = self.program.pty.as_ref().ok_or(ErrorKind::NotFound)?;
        let pty = pty.master().try_clone()?;
        let (from, into) = pipe_with(PipeFlags::CLOEXEC | PipeFlags::NONBLOCK)?;
        let (leash, end) = pipe_with(PipeFlags::CLOEXEC)?;
        let journal = memory("vroom-typed")?;
        let lent = [
            pty.into(),
            self.store.ring.share()?,
            journal.try_clone()?.into(),
            from.try_clone()?,
            into,
            end,
        ];
        self.store.ring.set_position(self.store.end)?;
        self.loan = Some(Loan {
            journal,
            pipe: from.into(),
            leash,
            answers,
            asked_since: None,
        });
        Ok(lent)
    }

    /// Whether the terminal is to come back, since what happens now is nothing for a daemon.
    pub(crate) fn wants_back(&self) -> bool {
        let program = &self.program;
        let is_calm = program.status.is_none() && program.ending.is_none() && !self.forget;
        self.loan.is_some() && (!is_calm || self.wants_upgrade)
    }

    /// Notes that it was asked for.
    pub(crate) fn asks_back(&mut self, now: Instant) {
        if let Some(loan) = &mut self.loan {
            loan.asked_since.get_or_insert(now);
        }
    }

    /// When a daemon that was asked has had time enough.
    pub(crate) fn overdue_at(&self) -> Option<Instant> {
        Some(self.loan.as_ref()?.asked_since? + PATIENCE)
    }

    /// Brings `end` up to what the daemon has read by now.
    pub(crate) fn look_at_loan(&mut self) {
        if self.loan.is_some()
            && let Ok(end) = self.store.ring.position()
        {
            self.store.end = end.max(self.store.end);
        }
    }

    /// Says who answers the queries in the output from here on.
    pub(crate) fn set_lent_answers(&mut self, answers: bool) {
        self.look_at_loan();
        let end = self.store.end;
        if let Some(loan) = &mut self.loan {
            if !loan.answers {
                self.answered = self.answered.max(end);
            }
            loan.answers = answers;
        }
    }

    /// Takes the terminal back if the daemon has let go of it; `true` when it just did.
    pub(crate) fn settle_loan(&mut self, now: Instant) -> bool {
        let is_over = self.loan.as_ref().is_some_and(Loan::is_over);
        if is_over {
            self.reclaim(now);
        }
        is_over
    }

    /// Takes the terminal back, with all that the daemon did.
    pub(crate) fn reclaim(&mut self, now: Instant) {
        self.look_at_loan();
        let Some(loan) = self.loan.take() else {
            return;
        };
        self.lent_until = self.store.end;
        self.active_at = self.active_at.max(loan.active_at());
        self.take_rest(&loan.pipe);
        if !loan.answers {
            self.answered = self.answered.max(self.store.end);
        }
        match journal::read(&loan.journal) {
            Ok((bytes, position)) => {
                for (request, written) in journal::entries(&bytes, position) {
                    self.replay(request, written);
                }
            }
            Err(error) => tracing::warn!(%error, "what was typed last is unknown"),
        }
        let size = self.program.pty.as_ref().and_then(Pty::size);
        if let Some(size) = size.filter(|size| *size != self.store.size) {
            self.store.resize(size);
        }
        if self.program.is_draining() {
            self.begin_drain();
        }
        self.look_at_tty();
        self.watch_again(now);
    }

    fn replay(&mut self, request: Request<'_>, written: usize) {
        match request {
            Request::Introduce { writer } => self.typed.writers.introduce(writer),
            Request::Input {
                writer,
                offset,
                bytes,
            } => {
                if writer.is_empty() {
                    self.answered = self.answered.max(offset);
                }
                self.typed.replay(writer, offset, bytes, written);
            }
            _ => {}
        }
    }
}

impl Loan {
    /// What is hung up when the daemon has let go of it.
    pub(crate) fn watched(&self) -> PollFd<'_> {
        PollFd::new(self.leash.as_fd(), PollFlags::empty())
    }

    /// Whether the daemon has let go of it.
    fn is_over(&self) -> bool {
        poll(&mut [self.watched()], PollTimeout::ZERO).is_ok_and(|ready| ready > 0)
    }

    /// When the daemon last moved something.
    fn active_at(&self) -> SystemTime {
        let modified = self.journal.metadata().and_then(|file| file.modified());
        modified.unwrap_or(SystemTime::UNIX_EPOCH)
    }
}

/// Reads all that is there.
pub(crate) fn read_all(mut file: &File, buffer: &mut [u8]) -> usize {
    let mut count = 0;
    while let Some(space) = buffer.get_mut(count..).filter(|space| !space.is_empty()) {
        match file.read(space) {
            Ok(0) => break,
            Ok(read) => count += read,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(_) => break,
        }
    }
    count
}

/// How many files a loan is.
pub(crate) const LENT_FILES: usize = 6;

/// How long a daemon may take to give the terminal back; then it is cut off.
const PATIENCE: Duration = Duration::from_secs(5);
