//! The program of a holder, from its start to the last trace of it.

use std::os::fd::OwnedFd;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, killpg};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;
use rustix::process::{PidfdFlags, pidfd_open};
use vroom_protocol::terminal::is_deliverable;

use crate::Exit;
use crate::family::Family;
use crate::life::{DRAIN_MAX, DRAIN_MIN, DRAIN_STEP, GONE_STEP, KILL_PATIENCE, KILL_STEP};
use crate::pty::Pty;
use crate::wait::is_readable;

/// The program of a holder, and everyone in its session.
pub(crate) struct Program {
    pub(crate) pid: Pid,
    /// Readable when it has ended; closed once that was seen.
    pub(crate) ended: Option<OwnedFd>,
    /// Its terminal; gone once nobody has it open, or everybody was ended.
    pub(crate) pty: Option<Pty>,
    /// What it returned, once it ended.
    pub(crate) status: Option<Status>,
    /// How it ended, once all it wrote was read.
    pub(crate) exit: Option<Exit>,
    /// Since when its last output is waited for.
    draining: Option<Instant>,
    pub(crate) ending: Option<Ending>,
    /// Nobody of its session is left, or they cannot be killed.
    pub(crate) gone: bool,
}

/// What the system says of a program that ended.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Status {
    pub(crate) code: Option<u8>,
    pub(crate) signal: Option<u8>,
    pub(crate) core_dumped: bool,
}

/// The end of all processes, which has begun.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ending {
    /// When what is left is killed.
    pub(crate) kill_at: Instant,
    /// When it is looked again who is left.
    look_at: Instant,
    /// When what is left is left to the kernel.
    give_up_at: Option<Instant>,
}

impl Program {
    /// A program that runs on a terminal.
    pub(crate) fn new(pid: Pid, pty: Pty) -> Self {
        Self {
            pid,
            ended: watch(pid),
            pty: Some(pty),
            status: None,
            exit: None,
            draining: None,
            ending: None,
            gone: false,
        }
    }

    /// One whose holder was another.
    pub(crate) fn restore(pid: Pid, pty: Option<Pty>, status: Option<Status>) -> Self {
        Self {
            pid,
            ended: if status.is_none() { watch(pid) } else { None },
            pty,
            status,
            exit: None,
            draining: status.map(|_| Instant::now()),
            ending: None,
            gone: false,
        }
    }

    /// Sends a signal to the foreground of the terminal.
    pub(crate) fn signal(&self, signal: u8) {
        let foreground = self.pty.as_ref().and_then(Pty::foreground);
        let known = Signal::try_from(i32::from(signal)).ok();
        let known = known.filter(|_| is_deliverable(signal));
        if let (Some(group), Some(signal)) = (foreground, known) {
            // Whoever it was may have ended meanwhile, or be another user's.
            if let Err(error) = killpg(group, signal) {
                tracing::debug!(%error, "a signal was not delivered");
            }
        }
    }

    /// Looks whether the program has ended; `true` when it just did.
    pub(crate) fn reap(&mut self, now: Instant) -> bool {
        if self.status.is_some() {
            return false;
        }
        let narrow = |value: i32| u8::try_from(value).ok();
        let status = match waitpid(self.pid, Some(WaitPidFlag::WNOHANG)) {
            Ok(WaitStatus::Exited(_, code)) => Status {
                code: narrow(code),
                ..Status::default()
            },
            Ok(WaitStatus::Signaled(_, signal, core_dumped)) => Status {
                code: None,
                signal: narrow(signal as i32),
                core_dumped,
            },
            Err(nix::Error::ECHILD) => Status::default(),
            _ => return false,
        };
        self.status = Some(status);
        self.ended = None;
        self.draining = Some(now);
        true
    }

    /// Whether all that the program wrote may be read whatever the driver's pace.
    pub(crate) fn is_draining(&self) -> bool {
        self.draining.is_some() && self.exit.is_none()
    }

    /// Decides whether the program's output has arrived, and with it the exit; `true` when it did now.
    ///
    /// It has when the terminal is gone; when a child keeps it and nothing is there after a short while;
    /// and a while later in any case, unless it waits for room.
    pub(crate) fn settle(&mut self, now: Instant, output_bytes: u64, has_room: bool) -> bool {
        let (Some(status), Some(since), None) = (self.status, self.draining, self.exit) else {
            return false;
        };
        let waited = now.saturating_duration_since(since);
        if let Some(pty) = &self.pty {
            let is_dry =
                waited >= DRAIN_MIN && !is_readable(std::os::fd::AsFd::as_fd(pty.master()));
            if !is_dry && (waited < DRAIN_MAX || !has_room) {
                return false;
            }
        }
        self.exit = Some(status.exit(output_bytes));
        true
    }

    /// Begins the end of everybody, or brings the moment of killing forward.
    pub(crate) fn end(&mut self, now: Instant, patience: Duration) {
        let kill_at = now.checked_add(patience).unwrap_or(now);
        match &mut self.ending {
            Some(ending) => ending.kill_at = ending.kill_at.min(kill_at),
            None if self.gone => {}
            none => {
                let family = Family::Session(self.pid);
                family.signal(Signal::SIGHUP, self.status.is_some());
                // Those who are stopped would not notice.
                family.signal(Signal::SIGCONT, self.status.is_some());
                *none = Some(Ending {
                    kill_at,
                    look_at: now,
                    give_up_at: None,
                });
            }
        }
    }

    /// Goes on with the end that has begun; `true` when it is over now.
    pub(crate) fn go_on_ending(&mut self, now: Instant) -> bool {
        let reaped = self.status.is_some();
        let Some(ending) = &mut self.ending else {
            return false;
        };
        if now < ending.look_at.min(ending.kill_at) {
            return false;
        }
        let family = Family::Session(self.pid);
        let is_left = !(reaped && family.groups(true).is_empty());
        if is_left && ending.give_up_at.is_none_or(|give_up_at| now < give_up_at) {
            if now >= ending.kill_at {
                family.signal(Signal::SIGKILL, reaped);
                ending.give_up_at.get_or_insert(now + KILL_PATIENCE);
                // Processes that were being born meanwhile are killed, too.
                ending.kill_at = now + KILL_STEP;
            }
            ending.look_at = now + GONE_STEP;
            return false;
        }
        self.ending = None;
        self.gone = true;
        true
    }

    /// Lets go of the terminal, whoever has it open; what was not read is lost.
    pub(crate) fn close(&mut self, output_bytes: u64) {
        self.pty = None;
        let status = self.status.unwrap_or_default();
        self.exit.get_or_insert(status.exit(output_bytes));
    }

    /// When something has to be looked at again.
    pub(crate) fn deadline(&self, now: Instant) -> Option<Instant> {
        let look_at = self.ending.map(|ending| ending.look_at.min(ending.kill_at));
        let drained_at = self
            .draining
            .filter(|_| self.exit.is_none())
            .and_then(|since| {
                let waited = now.saturating_duration_since(since);
                let next = if waited < DRAIN_MIN {
                    since + DRAIN_MIN
                } else {
                    now + DRAIN_STEP
                };
                // What waits for room wakes us by itself.
                (waited < DRAIN_MAX + DRAIN_STEP).then_some(next)
            });
        look_at.into_iter().chain(drained_at).min()
    }
}

impl Status {
    fn exit(self, output_bytes: u64) -> Exit {
        Exit {
            code: self.code,
            signal: self.signal,
            core_dumped: self.core_dumped,
            output_bytes,
        }
    }
}

/// Something that becomes readable when a child of ours ends.
fn watch(pid: Pid) -> Option<OwnedFd> {
    let pid = rustix::process::Pid::from_raw(pid.as_raw())?;
    pidfd_open(pid, PidfdFlags::empty()).ok()
}
