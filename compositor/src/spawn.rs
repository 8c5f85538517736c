//! The session command: the program that a desktop is started for.

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::PathBuf;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::sys::signal::{Signal, killpg};
use nix::sys::wait::{Id, WaitPidFlag, waitid};
use nix::unistd::Pid;
use vroom_desktop::DesktopEvent;

use crate::apps::{App, DESKTOP_NAME, find_program};
use crate::inbox::{Command as Request, Inbox};
use crate::state::State;
use crate::{CompositorConfig, OnExit, ShellStyle, autostart};

/// The session command and what is left of it.
pub(crate) struct Session {
    command: Option<Vec<OsString>>,
    env: Vec<(OsString, OsString)>,
    runtime_dir: PathBuf,
    socket_name: OsString,
    x11_display: Option<OsString>,
    on_exit: OnExit,
    /// Whether what is to be started with every desktop is.
    autostart: bool,
    inbox: Arc<Inbox>,
    running: Option<Running>,
    /// The process group of the last command; programs it started may live on in it.
    group: Option<Pid>,
    /// The process groups of programs that a person started besides.
    beside: Vec<Pid>,
    restart_at: Option<Instant>,
    restart_delay: Duration,
    /// What ran this long and showed something is started again as if it had never failed.
    pub(crate) steady_after: Duration,
    /// Whether a window was shown since the command was started.
    pub(crate) shown: bool,
}

/// A command that was started and not reaped yet.
struct Running {
    child: Child,
    waiter: JoinHandle<()>,
    started_at: Instant,
}

impl Session {
    /// Notes what to start.
    pub(crate) fn new(
        config: &CompositorConfig,
        socket_name: &OsStr,
        x11_display: Option<OsString>,
        inbox: Arc<Inbox>,
    ) -> Self {
        Self {
            command: config.command.clone(),
            env: config.env.clone(),
            runtime_dir: config.runtime_dir.clone(),
            socket_name: socket_name.to_owned(),
            x11_display,
            on_exit: config.on_exit,
            autostart: config.autostart && config.shell == ShellStyle::Desktop,
            inbox,
            running: None,
            group: None,
            beside: Vec::new(),
            restart_at: None,
            restart_delay: RESTART_DELAY_MIN,
            steady_after: STEADY_AFTER,
            shown: false,
        }
    }

    /// When the command is started again.
    pub(crate) const fn deadline(&self) -> Option<Instant> {
        self.restart_at
    }

    fn name(&self) -> String {
        let program = self.command.as_ref().and_then(|command| command.first());
        program.map_or_else(
            || "the session command".into(),
            |program| program.to_string_lossy().into_owned(),
        )
    }

    fn start(&mut self) -> io::Result<()> {
        self.shown = false;
        let Some((program, arguments)) = self.command.as_deref().and_then(<[_]>::split_first)
        else {
            return Ok(());
        };
        let mut child = self.program(program).args(arguments).spawn()?;
        let pid = Pid::from_raw(child.id().try_into().map_err(io::Error::other)?);
        let inbox = Arc::clone(&self.inbox);
        let waiter = std::thread::Builder::new()
            .name("session".into())
            .stack_size(WAITER_STACK_BYTES)
            .spawn(move || {
                wait_for_end(pid);
                inbox.post(Request::SessionEnded);
            });
        let waiter = match waiter {
            Ok(waiter) => waiter,
            Err(error) => {
                signal_group(pid, Signal::SIGKILL);
                reap(&mut child);
                return Err(error);
            }
        };
        tracing::info!(%pid, program = ?program, "the session command was started");
        self.group = Some(pid);
        self.running = Some(Running {
            child,
            waiter,
            started_at: Instant::now(),
        });
        Ok(())
    }

    /// A program in the environment of the session, in a process group of its own.
    fn program(&self, program: &OsStr) -> Command {
        let mut command = Command::new(program);
        for name in FOREIGN_VARIABLES {
            command.env_remove(name);
        }
        command
            .env("XDG_RUNTIME_DIR", &self.runtime_dir)
            .env("WAYLAND_DISPLAY", &self.socket_name)
            .envs(self.x11_display.iter().map(|name| ("DISPLAY", name)))
            .env("XDG_SESSION_TYPE", "wayland")
            .env("XDG_CURRENT_DESKTOP", DESKTOP_NAME)
            .envs(self.env.iter().map(|(name, value)| (name, value)))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .process_group(0);
        command
    }

    /// Starts a program beside the session command; it ends with the session.
    ///
    /// With a number it is told when the program fails soon.
    fn start_beside(&mut self, command: &[String], number: Option<u64>) -> io::Result<()> {
        let Some((program, arguments)) = command.split_first() else {
            return Ok(());
        };
        self.beside
            .retain(|group| killpg(*group, None::<Signal>).is_ok());
        if self.beside.len() >= PROGRAMS {
            return Err(io::Error::other("too many programs were started already"));
        }
        let mut child = self.program(program.as_ref()).args(arguments).spawn()?;
        let pid = Pid::from_raw(child.id().try_into().map_err(io::Error::other)?);
        self.beside.push(pid);
        let waiter = std::thread::Builder::new()
            .name("program".into())
            .stack_size(WAITER_STACK_BYTES);
        let name = program.clone();
        let (inbox, started) = (Arc::clone(&self.inbox), Instant::now());
        let wait = move || {
            let status = reap(&mut child);
            let soon = started.elapsed() < SOON;
            if let (Some(number), Some(status)) = (number, status)
                && soon
                && !status.success()
            {
                let reason = describe(&name, status);
                inbox.post(Request::LaunchFailed { number, reason });
            }
        };
        waiter.spawn(wait).map(drop)
    }

    /// Reaps the command; tells how it ended and how long it ran.
    fn reap(&mut self) -> Option<(io::Result<ExitStatus>, Duration)> {
        let mut running = self.running.take()?;
        let status = running.child.wait();
        // It has posted its message, so it is at its end.
        if running.waiter.join().is_err() {
            tracing::error!("the thread that waits for the session panicked");
        }
        Some((status, running.started_at.elapsed()))
    }

    fn signal(&self, signal: Signal) {
        for group in self.group.iter().chain(&self.beside) {
            signal_group(*group, signal);
        }
    }

    /// Whether the command or anything in its process group is still there.
    fn is_alive(&self) -> bool {
        let mut groups = self.group.iter().chain(&self.beside);
        self.running.is_some() || groups.any(|group| killpg(*group, None::<Signal>).is_ok())
    }
}

impl State {
    /// Starts a program that a person chose.
    pub(crate) fn launch(&mut self, app: &App) {
        let mut command = app.command.clone();
        if app.terminal {
            let terminal = TERMINALS
                .iter()
                .find(|(name, _)| find_program(name).is_some());
            let Some((terminal, option)) = terminal else {
                return tracing::warn!(app = app.id, "no terminal was found to run a program in");
            };
            command.splice(0..0, [*terminal, *option].map(str::to_owned));
        }
        match self.session.start_beside(&command, None) {
            Ok(()) => tracing::info!(app = app.id, "a program was started"),
            Err(error) => tracing::warn!(app = app.id, %error, "a program could not be started"),
        }
    }

    /// Starts a program that somebody asked for by its command.
    pub(crate) fn launch_command(&mut self, number: u64, command: &[String]) {
        if let Err(error) = self.session.start_beside(command, Some(number)) {
            let name = command.first().map_or("", String::as_str);
            let reason = format!("cannot start {name}: {error}");
            self.tell(DesktopEvent::ProgramFailed { number, reason });
        }
    }

    /// Starts the session command, if there is one.
    pub(crate) fn start_session(&mut self) {
        if let Err(error) = self.session.start() {
            let name = self.session.name();
            let reason = if error.kind() == io::ErrorKind::NotFound {
                format!("cannot start {name}: it is not installed")
            } else {
                format!("cannot start {name}: {error}")
            };
            self.session_over(reason, Duration::ZERO);
        }
        if self.session.autostart {
            for app in autostart::entries(&autostart::folders()) {
                self.launch(&app);
            }
        }
    }

    /// Reaps the session command after it ended.
    pub(crate) fn session_ended(&mut self) {
        let Some((status, ran_for)) = self.session.reap() else {
            return;
        };
        let name = self.session.name();
        let reason = match status {
            Ok(status) => describe(&name, status),
            Err(error) => format!("{name} ended, and how is unknown: {error}"),
        };
        if self.running {
            // What it says itself goes to the log at best.
            let reason = match self.x11.failure.take() {
                Some(failure) => format!("{reason}. {failure}"),
                None => reason,
            };
            self.session_over(reason, ran_for);
        }
    }

    fn session_over(&mut self, reason: String, ran_for: Duration) {
        tracing::info!(reason, "the session ended");
        let restarting = self.session.on_exit == OnExit::Restart;
        if restarting {
            // What is left of the old session would stand beside the new one.
            self.session.signal(Signal::SIGTERM);
            // What worked for a while comes back at once; what fails at once is given time.
            if self.session.shown && ran_for >= self.session.steady_after {
                self.session.restart_delay = RESTART_DELAY_MIN;
            }
            let delay = self.session.restart_delay;
            self.session.restart_at = Some(Instant::now() + delay);
            self.session.restart_delay = (delay * 2).min(RESTART_DELAY_MAX);
        }
        let next = if restarting {
            "It is started again."
        } else {
            "Nothing else was started here."
        };
        self.show_notice(&reason, next);
        self.tell(DesktopEvent::SessionEnded { reason, restarting });
        if self.session.on_exit == OnExit::Exit {
            self.running = false;
        }
    }

    /// Starts the session command again when it is time.
    pub(crate) fn watch_session(&mut self, now: Instant) {
        if self.running && self.session.restart_at.is_some_and(|at| at <= now) {
            self.session.restart_at = None;
            self.start_session();
        }
    }

    /// Asks the session to end.
    pub(crate) fn terminate_session(&mut self) {
        self.running = false;
        self.session.restart_at = None;
        self.session.signal(Signal::SIGTERM);
    }

    /// Whether anything of the session is still there.
    pub(crate) fn session_is_alive(&self) -> bool {
        self.session.is_alive()
    }

    /// Ends what is left of the session and reaps it.
    pub(crate) fn kill_session(&mut self) {
        self.session.signal(Signal::SIGKILL);
        drop(self.session.reap());
        self.session.group = None;
    }
}

/// Waits until a process has ended, and leaves it to be reaped.
///
/// Until then its number, which is also that of its group, cannot become another process's.
fn wait_for_end(pid: Pid) {
    let flags = WaitPidFlag::WEXITED | WaitPidFlag::WNOWAIT;
    while waitid(Id::Pid(pid), flags) == Err(Errno::EINTR) {}
}

fn signal_group(group: Pid, signal: Signal) {
    // A group that is gone needs no signal.
    if let Err(error) = killpg(group, signal)
        && error != Errno::ESRCH
    {
        tracing::warn!(%group, %signal, %error, "a signal could not be sent");
    }
}

fn reap(child: &mut Child) -> Option<ExitStatus> {
    let status = child.wait();
    status
        .inspect_err(|error| tracing::warn!(%error, "a program could not be reaped"))
        .ok()
}

fn describe(name: &str, status: ExitStatus) -> String {
    match (status.code(), status.signal()) {
        (Some(code), _) => format!("{name} ended with status {code}"),
        (None, Some(number)) => match Signal::try_from(number) {
            Ok(signal) => format!("{name} was ended by {signal}"),
            Err(_) => format!("{name} was ended by signal {number}"),
        },
        (None, None) => format!("{name} ended"),
    }
}

/// Variables that belong to the program around us, not to the session.
pub const FOREIGN_VARIABLES: [&str; 9] = [
    // The session has a bus of its own, or none.
    "DBUS_SESSION_BUS_ADDRESS",
    "DISPLAY",
    "WAYLAND_SOCKET",
    "NOTIFY_SOCKET",
    "WATCHDOG_PID",
    "WATCHDOG_USEC",
    "LISTEN_FDS",
    "LISTEN_FDNAMES",
    "LISTEN_PID",
];

/// Terminals that run a program, and the option that names it.
const TERMINALS: [(&str, &str); 4] = [
    ("foot", "--"),
    ("kitty", "--"),
    ("alacritty", "-e"),
    ("xterm", "-e"),
];

/// What fails within this time after it was started has not done what it was started for.
const SOON: Duration = Duration::from_secs(10);

/// The most programs that run beside the session command.
const PROGRAMS: usize = 256;

/// The pause before the first restart; it doubles with each one.
const RESTART_DELAY_MIN: Duration = Duration::from_millis(250);

/// The longest pause before a restart.
const RESTART_DELAY_MAX: Duration = Duration::from_secs(30);

/// A command that ran this long and showed something is restarted as if it had never failed.
const STEADY_AFTER: Duration = Duration::from_secs(2);

/// The stack of the thread that waits for the command.
const WAITER_STACK_BYTES: usize = 64 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reason_is_readable() {
        let describe = |raw| describe("foot", ExitStatus::from_raw(raw));
        assert_eq!(describe(1 << 8), "foot ended with status 1");
        assert_eq!(describe(11), "foot was ended by SIGSEGV");
    }
}
