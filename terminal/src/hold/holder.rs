//! The one loop of a holder.

use std::os::fd::AsFd;
use std::os::unix::net::{UnixListener, UnixStream};
use std::time::{Duration, Instant};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::Signal;
use nix::sys::signalfd::SignalFd;
use rustix::net::sockopt::socket_peercred;
use rustix::process::geteuid;

use super::core::Core;
use super::handover;
use super::loan::Loan;
use super::peer::{Over, Peer};
use crate::END_PATIENCE;

/// A holder at work.
pub(crate) struct Holder {
    pub(crate) core: Core,
    pub(crate) listener: UnixListener,
    pub(crate) signals: SignalFd,
    /// The daemon that has the terminal.
    pub(crate) client: Option<Peer>,
    /// Who connected last and has not asked for the terminal; a newer one takes its place.
    pub(crate) candidate: Option<Peer>,
    /// Since when no daemon has the terminal.
    pub(crate) alone_since: Option<Instant>,
    /// Since when the program has ended.
    pub(crate) ended_since: Option<Instant>,
    /// When it was seen that nobody has the terminal open, though the program runs.
    pub(crate) vacant_since: Option<Instant>,
}

/// What is to be looked at.
#[derive(Clone, Copy, Debug, Default)]
struct Ready {
    signals: bool,
    listener: bool,
    client: bool,
    candidate: bool,
    /// The daemon has let go of a terminal that it was lent.
    loan: bool,
    pty_readable: bool,
    pty_hung_up: bool,
}

impl Holder {
    /// Holds the terminal until nothing of it is to be kept.
    pub(crate) fn run(mut self) {
        // There may be something to say before anything happens.
        self.turn(Instant::now(), Ready::default());
        while !self.is_over() {
            let ready = self.wait();
            self.turn(Instant::now(), ready);
            if self.core.wants_upgrade && self.core.is_settled() {
                self.core.wants_upgrade = false;
                // When it returns there is no successor, and we go on.
                let error = handover::exec(&mut self);
                tracing::warn!(%error, "the holder was not upgraded");
            }
        }
        let socket = socket_path(&self.core.dir, &self.core.meta.id);
        if let Err(error) = std::fs::remove_file(socket) {
            tracing::debug!(%error, "the holder's socket was not removed");
        }
    }

    fn is_over(&self) -> bool {
        self.core.forget
            && self.core.program.gone
            && self.client.as_ref().is_none_or(Peer::knows_the_end)
    }

    /// Waits until there is something to do.
    fn wait(&self) -> Ready {
        let now = Instant::now();
        let core = &self.core;
        let signals = self.signals.as_fd();
        let nothing = || PollFd::new(signals, PollFlags::empty());
        let input = |fd| PollFd::new(fd, PollFlags::POLLIN);
        let ended = core.program.ended.as_ref().map(AsFd::as_fd);
        let client = self.client.as_ref().map(|client| {
            let mut flags = PollFlags::POLLIN;
            flags.set(PollFlags::POLLOUT, client.is_stuck());
            PollFd::new(client.stream.as_fd(), flags)
        });
        let candidate = self.candidate.as_ref();
        let candidate = candidate.map(|candidate| input(candidate.stream.as_fd()));
        let mut flags = PollFlags::empty();
        let is_ours = core.loan.is_none();
        let may_read = is_ours && core.room(self.until()) > 0 && !core.is_out_of_memory();
        flags.set(PollFlags::POLLIN, may_read);
        flags.set(PollFlags::POLLOUT, core.typed.is_waiting());
        // Even with no flags a hangup would be reported, again and again.
        let is_watched = is_ours && !flags.is_empty() && self.vacant_since.is_none();
        let pty = core.program.pty.as_ref().filter(|_| is_watched);
        let pty = pty.map(|pty| PollFd::new(pty.master().as_fd(), flags));
        let mut files = [
            input(signals),
            ended.map_or_else(nothing, input),
            input(self.listener.as_fd()),
            client.unwrap_or_else(nothing),
            candidate.unwrap_or_else(nothing),
            pty.unwrap_or_else(nothing),
            core.loan.as_ref().map_or_else(nothing, Loan::watched),
        ];
        // An interrupted wait finds nothing, and is begun again by the loop.
        if poll(&mut files, self.timeout(now)).is_err() {
            return Ready::default();
        }
        let [signals, _ended, listener, client, candidate, pty, loan] =
            files.map(|file| file.revents().unwrap_or(PollFlags::empty()));
        let any = |flags: PollFlags| !flags.is_empty();
        Ready {
            signals: any(signals),
            listener: any(listener),
            client: any(client),
            candidate: any(candidate),
            loan: any(loan),
            pty_readable: may_read && pty.intersects(PollFlags::POLLIN | PollFlags::POLLHUP),
            pty_hung_up: pty.intersects(PollFlags::POLLHUP | PollFlags::POLLERR),
        }
    }

    fn timeout(&self, now: Instant) -> PollTimeout {
        let core = &self.core;
        let client = self.client.as_ref();
        let unwatched = core.program.status.is_none() && core.program.ended.is_none();
        let retry = unwatched || core.is_out_of_memory();
        let deadlines = [
            core.program.deadline(now).filter(|_| core.loan.is_none()),
            core.overdue_at(),
            core.tty_deadline(),
            client.and_then(Peer::deadline),
            retry.then(|| now + RETRY),
            self.vacant_since.map(|since| since + VACANT_STEP),
            self.forget_at(),
        ];
        let Some(deadline) = deadlines.into_iter().flatten().min() else {
            return PollTimeout::NONE;
        };
        // Rounded up: a wait that ends too early would be begun again at once.
        let left = deadline.saturating_duration_since(now) + Duration::from_micros(999);
        PollTimeout::try_from(left.as_millis()).unwrap_or(PollTimeout::MAX)
    }

    /// Does what there is to do: first what was typed, then what the program wrote, then tells of it.
    fn turn(&mut self, now: Instant, ready: Ready) {
        if ready.signals {
            self.take_signals(now);
        }
        if ready.listener {
            self.accept();
        }
        if ready.client {
            self.attend(now);
        }
        if ready.candidate {
            self.audition(now);
        }
        self.settle_loan(now, ready.loan);
        self.work(now, ready);
        if let Some(client) = &mut self.client
            && let Err(over) = client.flush(now, &mut self.core)
        {
            // What it typed last may still be unread.
            self.attend(now);
            if self.client.is_some() {
                self.lose(now, &over);
            }
        }
        if self.forget_at().is_some_and(|at| now >= at) {
            self.core.forget = true;
            self.core.program.end(now, END_PATIENCE);
        }
    }

    /// Moves bytes to and from the program, and follows its life.
    fn work(&mut self, now: Instant, ready: Ready) {
        let until = self.until();
        let core = &mut self.core;
        if core.program.reap(now) {
            core.begin_drain();
        }
        if core.typed.is_waiting() {
            if ready.pty_hung_up {
                core.typed.clear();
            } else if let Some(pty) = &core.program.pty {
                core.typed.pass_on(pty.master());
            }
        }
        // What the kernel echoes to what was typed is there already.
        let may_have_written = ready.pty_readable || ready.client || core.is_out_of_memory();
        if may_have_written && core.read_program(now, until) {
            if core.program.status.is_some() {
                core.program.pty = None;
            } else {
                // Some programs close the terminal before they end. Letting go of it now would hang up on
                // them, and they would not end as they meant to; others open it again.
                self.vacant_since = Some(now);
            }
            core.typed.clear();
        } else if self.is_vacancy_over(now) {
            self.vacant_since = None;
        }
        let core = &mut self.core;
        // It goes on when the terminal is back, which takes a moment.
        if core.loan.is_some() {
            return;
        }
        if core.program.go_on_ending(now) {
            // What nobody can write to any more is read to its end, as far as it can be kept.
            let mut end = None;
            while end.replace(core.store.end) != Some(core.store.end) {
                core.read_program(now, u64::MAX);
            }
            core.program.close(core.store.end);
            core.typed.clear();
        }
        core.watch_tty(now);
        let has_room = core.room(until) > 0;
        if core.program.settle(now, core.store.end, has_room) {
            core.end_drain();
        }
        if core.program.exit.is_some() && self.ended_since.is_none() {
            self.ended_since = Some(now);
        }
    }

    /// Whether to look again at a terminal that nobody had open.
    fn is_vacancy_over(&self, now: Instant) -> bool {
        let is_reaped = self.core.program.status.is_some();
        let looked_at = self.vacant_since;
        looked_at.is_some_and(|since| is_reaped || now >= since + VACANT_STEP)
    }

    fn take_signals(&mut self, now: Instant) {
        while let Ok(Some(signal)) = self.signals.read_signal() {
            let signal = i32::try_from(signal.ssi_signo).unwrap_or_default();
            match Signal::try_from(signal) {
                Ok(Signal::SIGUSR2) => self.core.wants_upgrade = true,
                // The system goes down, or somebody means it.
                Ok(Signal::SIGTERM) => {
                    self.core.forget = true;
                    self.core.program.end(now, END_PATIENCE);
                }
                // Those are for whoever sits before a terminal, and here nobody does.
                _ => {}
            }
        }
    }

    fn accept(&mut self) {
        while let Ok((stream, _)) = self.listener.accept() {
            if !is_ours(&stream) || stream.set_nonblocking(true).is_err() {
                continue;
            }
            let mut peer = Peer::new(stream);
            if peer.flush(Instant::now(), &mut self.core).is_ok() {
                self.candidate = Some(peer);
            }
        }
    }

    fn attend(&mut self, now: Instant) {
        if let Some(client) = &mut self.client
            && let Err(over) = client.receive(now, &mut self.core)
        {
            self.lose(now, &over);
        }
    }

    /// Listens to someone who may become the one that has the terminal.
    fn audition(&mut self, now: Instant) {
        let Some(mut candidate) = self.candidate.take() else {
            return;
        };
        match candidate.receive(now, &mut self.core) {
            Err(over) => tracing::debug!(?over, "a connection was refused"),
            Ok(()) if candidate.attached && self.core.loan.is_some() => {
                // Who has the terminal is to hear of it, and let go.
                if self.client.is_some() {
                    self.attend(now);
                    self.lose(now, &Over::Replaced);
                }
                self.core.asks_back(now);
                self.candidate = Some(candidate);
            }
            Ok(()) if candidate.attached => self.seat(candidate),
            Ok(()) => self.candidate = Some(candidate),
        }
    }

    /// Gives the terminal to another daemon.
    fn seat(&mut self, peer: Peer) {
        self.core.store.checkpoint_abort();
        self.client = Some(peer);
        self.alone_since = None;
    }

    /// Takes a terminal back that the daemon has let go of, or that it keeps too long.
    fn settle_loan(&mut self, now: Instant, is_over: bool) {
        if is_over {
            // What it said before it let go comes first.
            self.attend(now);
            if self.core.settle_loan(now)
                && let Some(client) = &mut self.client
            {
                client.gave_back(&self.core);
            }
        } else if self.core.overdue_at().is_some_and(|at| now >= at) {
            if self.client.is_some() {
                self.lose(now, &Over::Misbehaved);
            }
            self.core.reclaim(now);
        }
        if self.core.loan.is_none()
            && let Some(candidate) = self.candidate.take_if(|candidate| candidate.attached)
        {
            self.seat(candidate);
        }
    }

    fn lose(&mut self, now: Instant, over: &Over) {
        tracing::debug!(?over, "the daemon is gone");
        self.client = None;
        self.alone_since = Some(now);
        self.core.store.checkpoint_abort();
    }

    /// How far the program's output may be read.
    fn until(&self) -> u64 {
        self.client.as_ref().map_or(u64::MAX, |client| client.until)
    }

    /// When nothing is to be kept any longer, if nothing changes.
    fn forget_at(&self) -> Option<Instant> {
        let core = &self.core;
        if core.forget {
            return None;
        }
        let alone = self.alone_since.filter(|_| !core.meta.persist);
        let unattended = alone.and_then(|since| since.checked_add(core.keep.unattended));
        let ended = self
            .ended_since
            .and_then(|since| since.checked_add(core.keep.ended));
        unattended.into_iter().chain(ended).min()
    }
}

/// Whether the other side belongs to the user that we run as.
fn is_ours(stream: &UnixStream) -> bool {
    socket_peercred(stream).is_ok_and(|peer| peer.uid == geteuid())
}

/// The socket of a terminal.
pub(crate) fn socket_path(dir: &std::path::Path, id: &str) -> std::path::PathBuf {
    dir.join(format!("{id}{SOCKET_SUFFIX}"))
}

/// What the name of a socket ends with.
pub(crate) const SOCKET_SUFFIX: &str = ".sock";

/// How often it is looked again for what does not say that it is there.
const RETRY: Duration = Duration::from_millis(200);

/// How soon it is looked again whether a program has its terminal open.
const VACANT_STEP: Duration = Duration::from_millis(50);
