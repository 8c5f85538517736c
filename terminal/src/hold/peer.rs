//! A daemon that is connected to a holder.

use std::io::{self, ErrorKind, IoSlice, Read, Write};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags, sendmsg};

use super::core::Core;
use super::frame::{HEADER_BYTES, Mark, PIECE_BYTES, PREAMBLE, UPGRADE};
use super::inbox::Inbox;
use super::loan::LENT_FILES;
use super::report::Report;
use super::request::Request;
use crate::PtyMode;

/// A daemon that is connected to a holder.
///
/// What it is told follows from how things stand and from what it was told before, so nothing piles up
/// for one that does not read: output waits in the ring, and of everything else the newest counts.
pub(crate) struct Peer {
    pub(crate) stream: UnixStream,
    pub(crate) inbox: Inbox,
    /// What the stream did not take yet; at most what one turn makes.
    pub(crate) out: Vec<u8>,
    /// How much of it was sent.
    pub(crate) out_start: usize,
    /// Whether it has said which version it speaks.
    pub(crate) greeted: bool,
    /// Whether it has the terminal.
    pub(crate) attached: bool,
    pub(crate) told: Told,
    /// Whether it answers the program's queries; when not, a terminal behind it does.
    pub(crate) answers: bool,
    /// The next byte of output that it gets, once it follows.
    pub(crate) follows: Option<u64>,
    /// How far the program's output may be read for it.
    pub(crate) until: u64,
    /// The next byte of the checkpoint that it gets, while it gets one.
    pub(crate) fetches: Option<u64>,
    /// How many inputs came from it.
    pub(crate) inputs: u64,
    /// Whether it waits for the terminal, or for hearing that it does not get it.
    pub(crate) borrows: bool,
    /// The files that belong to the first byte of `out`.
    files: Vec<OwnedFd>,
    /// When it is told what was applied, if nothing else is sent before.
    applied_at: Option<Instant>,
}

/// What a daemon was told.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Told {
    pub(crate) welcome: bool,
    pub(crate) tty: Option<PtyMode>,
    /// How many changes of size.
    pub(crate) resizes: u64,
    pub(crate) exit: bool,
    pub(crate) output_ended: bool,
    pub(crate) gone: bool,
    /// That the terminal is to come back.
    pub(crate) give_back: bool,
    /// From where on a lent terminal's output is needed.
    pub(crate) needs: u64,
}

/// Why a connection is over.
#[derive(Debug)]
pub(crate) enum Over {
    /// The other side closed it, or it failed.
    Closed,
    /// It sent what is no request, or more than it was allowed to.
    Misbehaved,
    /// Another daemon wants the terminal.
    Replaced,
}

impl Peer {
    /// Someone who just connected and has not said anything.
    pub(crate) fn new(stream: UnixStream) -> Self {
        Self {
            stream,
            inbox: Inbox::new(),
            out: PREAMBLE.to_vec(),
            out_start: 0,
            greeted: false,
            attached: false,
            told: Told::default(),
            answers: true,
            follows: None,
            until: u64::MAX,
            fetches: None,
            inputs: 0,
            borrows: false,
            files: Vec::new(),
            applied_at: None,
        }
    }

    /// The daemon that started the holder; it has the terminal from the start.
    pub(crate) fn starter(stream: UnixStream) -> Self {
        Self {
            out: Vec::new(),
            greeted: true,
            attached: true,
            answers: false,
            ..Self::new(stream)
        }
    }

    /// Reads what the daemon says and does it.
    pub(crate) fn receive(&mut self, now: Instant, core: &mut Core) -> Result<(), Over> {
        for _ in 0..READS_MAX {
            match self.stream.read(self.inbox.space()) {
                Ok(0) => return Err(Over::Closed),
                Ok(count) => self.inbox.filled(count),
                Err(error) if error.kind() == ErrorKind::Interrupted => continue,
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(_) => return Err(Over::Closed),
            }
            self.handle(now, core)?;
        }
        Ok(())
    }

    /// Does what arrived as whole frames.
    pub(crate) fn handle(&mut self, now: Instant, core: &mut Core) -> Result<(), Over> {
        if !self.greeted {
            let Some(preamble) = self.inbox.take(PREAMBLE.len()) else {
                return Ok(());
            };
            if preamble != PREAMBLE {
                // Another version still may ask for a holder that speaks it.
                let is_ours = preamble.get(..2) == PREAMBLE.get(..2);
                core.wants_upgrade |= is_ours && self.inbox.rest().first() == Some(&UPGRADE);
                return Err(Over::Misbehaved);
            }
            self.greeted = true;
        }
        while let Some((kind, payload)) = self.inbox.frame().map_err(|_| Over::Misbehaved)? {
            let request = Request::decode(kind, payload).ok_or(Over::Misbehaved)?;
            // Before it says one of these again it lets go of a terminal that it had.
            let is_after = matches!(
                request,
                Request::Introduce { .. }
                    | Request::Input { .. }
                    | Request::Resize(_)
                    | Request::Borrow
            );
            if is_after && core.settle_loan(now) {
                (self.follows, self.told.resizes) = after_loan(self.follows, core);
            }
            match request {
                Request::Attach => self.attached = true,
                Request::Upgrade => core.wants_upgrade = true,
                // Who has the terminal only changes with the first.
                _ if !self.attached => return Err(Over::Misbehaved),
                Request::FetchCheckpoint => self.fetches = Some(0),
                Request::Follow { from, until } => {
                    let from = from.clamp(core.store.first(), core.store.end);
                    self.follows = Some(from);
                    self.until = until;
                    let resizes = &core.store.resizes;
                    let passed = resizes.iter().filter(|resize| resize.offset < from);
                    self.told.resizes = core.store.resizes_before + passed.count() as u64;
                }
                Request::Room { until } => self.until = until,
                Request::Borrow => self.borrows = true,
                Request::Introduce { .. } | Request::Input { .. } => {
                    self.inputs += 1;
                    core.handle(now, request).map_err(|_| Over::Misbehaved)?;
                }
                Request::Resized(mark) => {
                    core.handle(now, Request::Resized(mark))
                        .map_err(|_| Over::Misbehaved)?;
                    // Who changed it need not be told.
                    let store = &core.store;
                    self.told.resizes = store.resizes_before + store.resizes.len() as u64;
                }
                Request::Answering(answering) => {
                    self.answers = answering;
                    core.set_lent_answers(answering);
                    self.note_answered(core);
                }
                other => core.handle(now, other).map_err(|_| Over::Misbehaved)?,
            }
        }
        Ok(())
    }

    /// Tells the daemon what it does not know, as far as the stream takes it.
    pub(crate) fn flush(&mut self, now: Instant, core: &mut Core) -> Result<(), Over> {
        loop {
            while self.out_start < self.out.len() {
                match self.send() {
                    Ok(count) => self.out_start += count,
                    Err(error) if error.kind() == ErrorKind::Interrupted => {}
                    Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                    Err(_) => return Err(Over::Closed),
                }
            }
            self.out.clear();
            self.out_start = 0;
            self.note_answered(core);
            self.compose(now, core).map_err(|_| Over::Closed)?;
            if self.out.is_empty() {
                return Ok(());
            }
        }
    }

    /// Sends some of what waits, and with its first byte the files that belong to it.
    fn send(&mut self) -> io::Result<usize> {
        let rest = self.out.get(self.out_start..).unwrap_or_default();
        if self.files.is_empty() {
            return self.stream.write(rest);
        }
        let files: Vec<_> = self.files.iter().map(AsFd::as_fd).collect();
        let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(LENT_FILES))];
        let mut message = SendAncillaryBuffer::new(&mut space);
        if !message.push(SendAncillaryMessage::ScmRights(&files)) {
            return Err(io::Error::other("too many files"));
        }
        let count = sendmsg(
            &self.stream,
            &[IoSlice::new(rest)],
            &mut message,
            SendFlags::NOSIGNAL,
        )?;
        self.files.clear();
        Ok(count)
    }

    /// Notes that a terminal behind the daemon answers the queries in what was sent.
    fn note_answered(&self, core: &mut Core) {
        if let Some(sent) = self.follows.filter(|_| !self.answers) {
            core.answered = core.answered.max(sent);
        }
    }

    /// Whether something waits for the stream to take it.
    pub(crate) fn is_stuck(&self) -> bool {
        self.out_start < self.out.len()
    }

    /// Whether it was told, or does not want to know, that nothing is left.
    pub(crate) fn knows_the_end(&self) -> bool {
        self.follows.is_none() || (self.told.gone && !self.is_stuck())
    }

    /// When it has to be told something though nothing happens.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.applied_at
    }

    /// Puts together what is to be sent next; nothing when there is nothing.
    fn compose(&mut self, now: Instant, core: &mut Core) -> io::Result<()> {
        if !self.attached {
            return Ok(());
        }
        if !self.told.welcome {
            self.told.welcome = true;
            self.told.tty = Some(core.tty);
            core.typed.writers.hush();
            return core.welcome(&mut self.out);
        }
        if let Some(position) = self.fetches {
            return self.compose_checkpoint(position, core);
        }
        if self.told.tty != Some(core.tty) {
            self.told.tty = Some(core.tty);
            Report::Tty(core.tty).encode(&mut self.out);
        }
        if core.loan.is_some() {
            self.compose_lent(now, core);
            return Ok(());
        }
        self.compose_output(core)?;
        self.compose_applied(now, core);
        if self.borrows && self.out.is_empty() {
            self.compose_loan(core)?;
        }
        Ok(())
    }

    /// What a daemon is told that has the terminal.
    fn compose_lent(&mut self, now: Instant, core: &mut Core) {
        if core.wants_back() && !self.told.give_back {
            self.told.give_back = true;
            core.asks_back(now);
            Report::GiveBack.encode(&mut self.out);
        }
        let needs = core.store.mark.offset;
        if self.told.needs != needs {
            self.told.needs = needs;
            Report::Needs(needs).encode(&mut self.out);
        }
    }

    /// Lends the terminal, or says that it is not lent now.
    fn compose_loan(&mut self, core: &mut Core) -> io::Result<()> {
        self.borrows = false;
        let end = core.store.end;
        if self.follows != Some(end) || !core.may_lend() {
            Report::Kept.encode(&mut self.out);
            return Ok(());
        }
        match core.lend(self.answers) {
            Ok(lent) => self.files = lent.into(),
            // Without enough memory or open files it goes on as it was.
            Err(error) => {
                tracing::debug!(%error, "the terminal was not lent");
                Report::Kept.encode(&mut self.out);
                return Ok(());
            }
        }
        let kept_from = core.store.mark.offset;
        self.told.give_back = false;
        self.told.needs = kept_from;
        let writers = &mut core.typed.writers;
        writers.tell(|writer, offset| Report::Applied { writer, offset }.encode(&mut self.out));
        self.applied_at = None;
        let inputs = self.inputs;
        Report::Lent {
            end,
            kept_from,
            inputs,
        }
        .encode(&mut self.out);
        Ok(())
    }

    /// The terminal that it had was taken back.
    pub(crate) fn gave_back(&mut self, core: &Core) {
        (self.follows, self.told.resizes) = after_loan(self.follows, core);
    }

    fn compose_checkpoint(&mut self, position: u64, core: &mut Core) -> io::Result<()> {
        let Some(bytes) = core.checkpoint(position, PIECE_BYTES)? else {
            return Ok(());
        };
        if bytes.is_empty() {
            self.fetches = None;
            Report::CheckpointEnd(core.store.mark).encode(&mut self.out);
        } else {
            self.fetches = Some(position + bytes.len() as u64);
            Report::CheckpointPart(bytes).encode(&mut self.out);
        }
        Ok(())
    }

    /// The output that comes next, and what happened in its course.
    fn compose_output(&mut self, core: &mut Core) -> io::Result<()> {
        let Some(offset) = self.follows else {
            return Ok(());
        };
        self.told.resizes = self.told.resizes.max(core.store.resizes_before);
        let resize: Option<Mark> = core.store.resize_at(self.told.resizes);
        if let Some(resize) = resize.filter(|resize| resize.offset <= offset) {
            self.told.resizes += 1;
            Report::Resized(resize.size).encode(&mut self.out);
            return Ok(());
        }
        let until = resize.map_or(u64::MAX, |resize| resize.offset);
        let piece =
            usize::try_from(until - offset).map_or(PIECE_BYTES, |left| left.min(PIECE_BYTES));
        let bytes = core.output(offset, piece)?;
        let sent = offset + bytes.len() as u64;
        if sent > offset {
            Report::Output { offset, bytes }.encode(&mut self.out);
            self.follows = Some(sent);
        }
        if let Some(exit) = core.program.exit.filter(|exit| sent >= exit.output_bytes)
            && !self.told.exit
        {
            self.told.exit = true;
            Report::Exited(exit).encode(&mut self.out);
        }
        if core.program.pty.is_none() && sent == core.store.end && !self.told.output_ended {
            self.told.output_ended = true;
            Report::OutputEnded.encode(&mut self.out);
        }
        if core.program.gone && self.told.output_ended && !self.told.gone {
            self.told.gone = true;
            Report::Gone.encode(&mut self.out);
        }
        Ok(())
    }

    /// What was applied, together with something else or after a short while.
    ///
    /// The program's answer to what was typed is nearly always there by then, and the daemon wakes once.
    fn compose_applied(&mut self, now: Instant, core: &mut Core) {
        let writers = &mut core.typed.writers;
        if !writers.has_news() {
            self.applied_at = None;
            return;
        }
        let due = *self.applied_at.get_or_insert(now + APPLIED_DELAY);
        if now >= due || !self.out.is_empty() {
            self.applied_at = None;
            writers.tell(|writer, offset| Report::Applied { writer, offset }.encode(&mut self.out));
        }
    }
}

/// What a daemon knows that had the terminal: the output that it read, and all sizes.
fn after_loan(follows: Option<u64>, core: &Core) -> (Option<u64>, u64) {
    let store = &core.store;
    let resizes = store.resizes_before + store.resizes.len() as u64;
    (follows.map(|_| core.lent_until), resizes)
}

/// How many times a connection is read before something else has its turn.
const READS_MAX: usize = 16;

/// How long it is waited for the program's answer before its daemon is told what it was given.
const APPLIED_DELAY: Duration = Duration::from_millis(2);

const _: () = assert!(PIECE_BYTES + HEADER_BYTES + 8 <= super::frame::PAYLOAD_BYTES);
