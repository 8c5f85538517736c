//! The session bus of the session's own: `dbus-daemon`, when it is installed.
//!
//! Programs find it by `DBUS_SESSION_BUS_ADDRESS`. Nothing of a bus that the person has elsewhere is
//! used: what a program notifies of or asks for stays in this session.

use std::ffi::OsString;
use std::io::{self, BufRead as _, BufReader};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, mpsc};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;
use vroom_compositor::{DESKTOP_NAME, FOREIGN_VARIABLES};

use crate::hub::Hub;
use crate::notices::NoticeService;
use crate::process::is_installed;

/// The bus; it ends with this value, and with us however we end.
#[derive(Debug)]
pub(crate) struct SessionBus {
    address: String,
    /// What takes the notifications of programs.
    notices: Option<NoticeService>,
    group: Pid,
    /// Closed when the keeper may reap what it waits for.
    reap: Option<mpsc::Sender<()>>,
    keeper: Option<JoinHandle<()>>,
}

/// What is missing for a bus, in words, or `None`.
pub(crate) fn missing() -> Option<String> {
    let programs = PROGRAMS
        .iter()
        .filter(|(program, _)| !is_installed(program));
    let packages: Vec<&str> = programs.map(|(_, package)| *package).collect();
    (!packages.is_empty()).then(|| format!("install {}", packages.join(", ")))
}

impl SessionBus {
    /// Starts it in this runtime directory and waits until programs can connect.
    ///
    /// # Errors
    ///
    /// When it does not start, or not in time.
    pub(crate) fn start(runtime_dir: &Path) -> io::Result<Self> {
        let socket = runtime_dir.join(SOCKET);
        let runtime_dir = runtime_dir.to_owned();
        let mut address = OsString::from("--address=unix:path=");
        address.push(&socket);
        let (ready, is_ready) = mpsc::sync_channel(1);
        let (reap, may_reap) = mpsc::channel();
        // The thread that starts it waits for it as well: it is ended when its parent thread is.
        let keeper = thread::Builder::new()
            .name("bus".into())
            .stack_size(STACK_BYTES)
            .spawn(move || match spawn(&address, &runtime_dir) {
                Ok(child) => keep(child, &ready, &may_reap),
                Err(error) => drop(ready.try_send(Err(error))),
            })?;
        match is_ready.recv_timeout(START) {
            Ok(Ok((address, pid))) => Ok(Self {
                address,
                notices: None,
                group: pid,
                reap: Some(reap),
                keeper: Some(keeper),
            }),
            Ok(Err(error)) => Err(error),
            Err(_) => Err(io::ErrorKind::TimedOut.into()),
        }
    }

    /// Offers a service on it that takes what programs notify of; before the first of them looks for it.
    ///
    /// # Errors
    ///
    /// When the bus does not answer.
    pub(crate) async fn serve_notices(&mut self, hub: &Arc<Hub>) -> zbus::Result<()> {
        self.notices = Some(NoticeService::start(&self.address, hub).await?);
        Ok(())
    }

    /// Says what programs that the bus starts find in their environment, besides what is there.
    pub(crate) async fn set_environment(&self, variables: &[(&'static str, OsString)]) {
        let text = |(name, value): &'_ (&'static str, OsString)| {
            value.to_str().map(|value| (*name, value.to_owned()))
        };
        let variables = variables.iter().filter_map(text).collect();
        if let Some(notices) = &self.notices
            && let Err(error) = notices.set_environment(&variables).await
        {
            tracing::warn!(%error, "what the session bus starts may not find the display");
        }
    }

    /// Where it is, as in `DBUS_SESSION_BUS_ADDRESS`.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }
}

impl Drop for SessionBus {
    fn drop(&mut self) {
        // With whatever it started for programs that asked; one that is gone needs no signal.
        killpg(self.group, Signal::SIGTERM).ok();
        self.reap = None;
        if let Some(keeper) = self.keeper.take()
            && keeper.join().is_err()
        {
            tracing::error!("the keeper of the session bus panicked");
        }
    }
}

fn spawn(address: &OsString, runtime_dir: &Path) -> io::Result<Child> {
    let mut command = Command::new("setpriv");
    command
        .args(["--pdeathsig", "TERM", "dbus-daemon", "--session"])
        .args(["--nofork", "--nopidfile", "--nosyslog", "--print-address=1"])
        .arg(address);
    for name in FOREIGN_VARIABLES {
        command.env_remove(name);
    }
    // What it starts finds what programs of the session find. The display is told again once it is
    // certain; in a directory of its own it is the first.
    command
        .env("XDG_RUNTIME_DIR", runtime_dir)
        .env("WAYLAND_DISPLAY", "wayland-1")
        .env("XDG_SESSION_TYPE", "wayland")
        .env("XDG_CURRENT_DESKTOP", DESKTOP_NAME)
        .process_group(0)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
}

/// Tells the address once the bus is there, then waits for its end.
///
/// It is reaped late, since until then its number, which is also that of its group, is nobody else's.
fn keep(
    mut child: Child,
    ready: &mpsc::SyncSender<io::Result<(String, Pid)>>,
    may_reap: &mpsc::Receiver<()>,
) {
    let mut address = String::new();
    let read = match child.stdout.take() {
        Some(stdout) => BufReader::new(stdout).read_line(&mut address),
        None => Ok(0),
    };
    let pid = i32::try_from(child.id()).map(Pid::from_raw);
    let told = match (read, pid) {
        (Ok(length), Ok(pid)) if length > 0 => Ok((address.trim_end().to_owned(), pid)),
        (Err(error), _) => Err(error),
        _ => Err(io::Error::other("dbus-daemon ended while it started")),
    };
    drop(ready.try_send(told));
    // Ends without a message, when the other side is gone.
    may_reap.recv().ok();
    if let Err(error) = child.wait() {
        tracing::warn!(%error, "the session bus could not be reaped");
    }
}

/// The programs needed, and the packages that bring them.
const PROGRAMS: [(&str, &str); 2] = [("dbus-daemon", "dbus"), ("setpriv", "util-linux")];

/// The socket's usual name.
const SOCKET: &str = "bus";

/// How long the bus may take to start; it needs some 20 ms.
const START: Duration = Duration::from_secs(3);

/// The stack of the thread that waits for it.
const STACK_BYTES: usize = 128 * 1024;

#[cfg(test)]
mod tests {
    use std::os::unix::net::UnixStream;

    use super::*;

    #[test]
    fn programs_can_connect_when_it_is_started_and_it_ends_with_us() {
        assert_eq!(missing(), None);
        let dir = tempfile::tempdir().unwrap();
        let bus = SessionBus::start(dir.path()).unwrap();
        UnixStream::connect(dir.path().join(SOCKET)).unwrap();
        let path = format!("unix:path={}", dir.path().join(SOCKET).display());
        assert!(bus.address().starts_with(&path), "{}", bus.address());
        let pid = bus.group;
        drop(bus);
        assert!(!Path::new(&format!("/proc/{pid}")).exists());
    }
}
