//! From the start of a program to the last trace of it.

use std::io::PipeWriter;
use std::process::Child;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::sys::signal::Signal;
use nix::sys::wait::{Id, WaitPidFlag, waitid};
use nix::unistd::Pid;
use tokio::sync::watch;

use crate::Exit;
use crate::family::Family;
use crate::input::Input;
use crate::output::Output;

/// What the threads of a program on pipes share.
pub(crate) struct Life {
    pub(crate) pid: Pid,
    pub(crate) input: Arc<Input>,
    pub(crate) exit: watch::Sender<Option<Exit>>,
    pub(crate) ended: watch::Sender<bool>,
    family: Family,
    output: Output,
    stderr: Option<Output>,
    state: Mutex<State>,
    /// Wakes who waits for the program or its outputs to end.
    changed: Condvar,
}

struct State {
    /// Taken by the one who waits for it; its number stays its own until `reaped`.
    child: Option<Child>,
    reaped: bool,
    readers: usize,
    /// When what is left is killed, once the end has begun.
    kill_at: Option<Instant>,
    /// Closing it ends the readers and the writer.
    stop: Option<PipeWriter>,
    threads: Vec<JoinHandle<()>>,
}

impl Life {
    /// A program that runs.
    pub(crate) fn new(
        child: Child,
        output: Output,
        stderr: Option<Output>,
        stop: PipeWriter,
    ) -> Self {
        // Process numbers fit: the kernel's limit is 2^22.
        let pid = Pid::from_raw(i32::try_from(child.id()).unwrap_or(i32::MAX));
        Self {
            pid,
            family: Family::Group(pid),
            input: Arc::default(),
            exit: watch::Sender::new(None),
            ended: watch::Sender::new(false),
            state: Mutex::new(State {
                child: Some(child),
                reaped: false,
                readers: 1 + usize::from(stderr.is_some()),
                kill_at: None,
                stop: Some(stop),
                threads: Vec::new(),
            }),
            output,
            stderr,
            changed: Condvar::new(),
        }
    }

    /// Standard output.
    pub(crate) fn output(&self) -> &Output {
        &self.output
    }

    /// Standard error, when it is apart.
    pub(crate) fn stderr(&self) -> Option<&Output> {
        self.stderr.as_ref()
    }

    /// The program's own group, while it surely is the program's.
    pub(crate) fn group(&self) -> Option<Pid> {
        (!self.lock().reaped).then_some(self.pid)
    }

    /// Takes a thread into care.
    pub(crate) fn add_thread(&self, thread: JoinHandle<()>) {
        self.lock().threads.push(thread);
    }

    /// Says that one of the outputs came to its end.
    pub(crate) fn reader_ended(&self) {
        let mut state = self.lock();
        state.readers = state.readers.saturating_sub(1);
        drop(state);
        self.changed.notify_all();
    }

    /// Waits for the program, lets its output arrive, and says how it ended.
    pub(crate) fn await_exit(&self) {
        // Its number must not be given away before `reaped` says so: first only look.
        let flags = WaitPidFlag::WEXITED | WaitPidFlag::WNOWAIT;
        while waitid(Id::Pid(self.pid), flags) == Err(Errno::EINTR) {}
        let mut state = self.lock();
        let status = state.child.take().and_then(|mut child| child.wait().ok());
        state.reaped = true;
        drop(state);
        self.changed.notify_all();
        self.drain();
        let bytes = self.output.history.end();
        self.exit.send_replace(Some(Exit::new(status, bytes)));
        self.input.end();
    }

    /// Waits until all that the program wrote is in the history.
    ///
    /// That is when its outputs ended. When a child of it keeps them open, it is when nothing more is
    /// there after a short while, and [`DRAIN_MAX`] later in any case.
    fn drain(&self) {
        let outputs = || std::iter::once(&self.output).chain(&self.stderr);
        outputs().for_each(|output| output.history.drain(true));
        let start = Instant::now();
        let mut state = self.lock();
        while state.readers > 0 && start.elapsed() < DRAIN_MAX {
            if start.elapsed() >= DRAIN_MIN && outputs().all(Output::is_drained) {
                break;
            }
            let waited = self.changed.wait_timeout(state, DRAIN_STEP);
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
        drop(state);
        outputs().for_each(|output| output.history.drain(false));
    }

    /// Begins the end, or brings the moment of killing forward; `false` when it had begun already.
    pub(crate) fn begin_end(&self, kill_at: Instant) -> bool {
        let mut state = self.lock();
        let begun = state.kill_at;
        state.kill_at = Some(begun.map_or(kill_at, |begun| begun.min(kill_at)));
        drop(state);
        self.changed.notify_all();
        begun.is_none()
    }

    /// Tells all processes that nobody is there any more, waits for them, helps them, and cleans up.
    pub(crate) fn finish(&self) {
        self.signal(Signal::SIGHUP);
        // Those who are stopped would not notice.
        self.signal(Signal::SIGCONT);
        if !self.wait_gone(|state| state.kill_at) {
            self.kill();
        }
        self.stop();
        let mut state = self.lock();
        let reaped = state.reaped;
        let threads = std::mem::take(&mut state.threads);
        drop(state);
        if reaped {
            for thread in threads {
                if thread.join().is_err() {
                    tracing::error!("a thread of a program panicked");
                }
            }
        } else {
            // The kernel holds on to it, and one thread waits for it with nothing else to do.
            tracing::warn!(pid = %self.pid, "a killed program does not end");
        }
        self.ended.send_replace(true);
    }

    /// Kills what is left and waits until it is gone.
    pub(crate) fn kill(&self) {
        self.signal(Signal::SIGKILL);
        // Processes that were being born meanwhile are killed, too.
        let until = Instant::now() + KILL_PATIENCE;
        let mut step = Instant::now() + KILL_STEP;
        while !self.wait_gone(|_| Some(step)) && step < until {
            self.signal(Signal::SIGKILL);
            step += KILL_STEP;
        }
    }

    /// Ends the reading and the writing, whoever keeps the files open.
    pub(crate) fn stop(&self) {
        drop(self.lock().stop.take());
        self.input.end();
        for output in std::iter::once(&self.output).chain(&self.stderr) {
            output.history.close();
        }
    }

    /// Waits until no process is left; `false` when some are at the end of the time.
    fn wait_gone(&self, until: impl Fn(&State) -> Option<Instant>) -> bool {
        let mut state = self.lock();
        loop {
            if state.reaped && self.family.groups(true).is_empty() {
                return true;
            }
            let left = until(&state).map(|until| until.saturating_duration_since(Instant::now()));
            let left = left.unwrap_or_default();
            if left.is_zero() {
                return false;
            }
            // Children of the program go without a word to us: look again from time to time.
            let waited = self.changed.wait_timeout(state, left.min(GONE_STEP));
            state = waited.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    fn signal(&self, signal: Signal) {
        // With the state locked the program's number cannot be given away meanwhile.
        let state = self.lock();
        self.family.signal(signal, state.reaped);
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How long killed processes may take to go; what the kernel holds longer is left to it.
pub(crate) const KILL_PATIENCE: Duration = Duration::from_secs(2);

/// How often those who were born during the killing are looked for.
pub(crate) const KILL_STEP: Duration = Duration::from_millis(100);

/// How often processes that are not ours to wait for are looked for.
pub(crate) const GONE_STEP: Duration = Duration::from_millis(20);

/// How long an exit is kept back when a child of the program keeps its outputs open and silent.
pub(crate) const DRAIN_MIN: Duration = Duration::from_millis(100);

/// How long it is kept back when such a child goes on writing.
pub(crate) const DRAIN_MAX: Duration = Duration::from_secs(2);

/// How often it is looked whether all has arrived.
pub(crate) const DRAIN_STEP: Duration = Duration::from_millis(20);
