//! The sound server of the session's own: PipeWire, when it is installed.
//!
//! The programs of the session find it in their runtime directory, by PipeWire's protocol and by
//! that of PulseAudio. It touches no sound card: what they play goes into a pipe that we read.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};
use std::{fs, io};

use nix::sys::signal::{Signal, kill};
use nix::sys::stat::Mode;
use nix::unistd::{Pid, mkfifo};

use crate::process::is_installed;

/// The server and its session manager; both end with this value.
#[derive(Debug)]
pub(crate) struct SoundServer {
    played: PathBuf,
    running: Arc<Running>,
    keeper: Option<JoinHandle<()>>,
}

#[derive(Debug, Default)]
struct Running(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    ending: bool,
    pids: Vec<u32>,
}

/// What is missing for sound, in words, or `None`.
pub(crate) fn missing() -> Option<String> {
    let programs = PROGRAMS
        .iter()
        .filter(|(program, _)| !is_installed(program));
    let packages: Vec<&str> = programs.map(|(_, package)| *package).collect();
    (!packages.is_empty()).then(|| format!("install {}", packages.join(", ")))
}

impl SoundServer {
    /// Starts it in this runtime directory and waits until programs can connect.
    ///
    /// # Errors
    ///
    /// When its configuration cannot be written or it does not start.
    pub(crate) fn start(runtime_dir: &Path) -> io::Result<Self> {
        let home = runtime_dir.join("sound");
        let rules = home.join("wireplumber/policy.lua.d");
        fs::create_dir_all(&rules)?;
        fs::write(home.join("pipewire.conf"), PIPEWIRE)?;
        fs::write(home.join("wireplumber/vroom.conf"), WIREPLUMBER)?;
        fs::write(rules.join("95-vroom.lua"), RULES)?;
        // Ours, so that it stays the same one when the server has to be started again.
        let played = home.join(PLAYED);
        mkfifo(&played, Mode::S_IRUSR | Mode::S_IWUSR)?;
        let running = Arc::new(Running::default());
        let keeper = Keeper {
            home,
            runtime_dir: runtime_dir.to_owned(),
            socket: runtime_dir.join(SOCKET),
            running: Arc::clone(&running),
        };
        let (ready, is_ready) = mpsc::sync_channel(1);
        let keeper = thread::Builder::new()
            .name("sound".into())
            .spawn(move || keeper.keep(&ready))?;
        let server = Self {
            played,
            running,
            keeper: Some(keeper),
        };
        match is_ready.recv_timeout(START) {
            Ok(Ok(())) => Ok(server),
            Ok(Err(error)) => Err(error),
            Err(_) => Err(io::ErrorKind::TimedOut.into()),
        }
    }

    /// The pipe that it writes into what programs play.
    pub(crate) fn played(&self) -> &Path {
        &self.played
    }
}

impl Drop for SoundServer {
    fn drop(&mut self) {
        self.running.end();
        if let Some(keeper) = self.keeper.take()
            && keeper.join().is_err()
        {
            tracing::error!("the keeper of the sound panicked");
        }
    }
}

impl Running {
    fn started(&self, child: &Child) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.pids.push(child.id());
        if state.ending {
            terminate(child.id());
        }
    }

    /// A child was waited for: its number may be another's soon.
    fn ended(&self, child: &Child) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.pids.retain(|pid| *pid != child.id());
    }

    fn is_ending(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).ending
    }

    fn end(&self) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.ending = true;
        for pid in &state.pids {
            terminate(*pid);
        }
    }
}

/// The thread that the children belong to: they end when it does, even if we are killed.
struct Keeper {
    home: PathBuf,
    runtime_dir: PathBuf,
    socket: PathBuf,
    running: Arc<Running>,
}

impl Keeper {
    fn keep(&self, ready: &mpsc::SyncSender<io::Result<()>>) {
        for attempt in 0..ATTEMPTS {
            let (server, manager) = match self.start() {
                Ok(children) => children,
                Err(error) => {
                    tracing::warn!(%error, "the sound server does not start");
                    drop(ready.try_send(Err(error)));
                    return;
                }
            };
            drop(ready.try_send(Ok(())));
            self.wait(server, manager);
            if self.running.is_ending() {
                return;
            }
            tracing::warn!(attempt, "the sound server ended");
        }
        tracing::error!("the sound server keeps ending; there is no sound any more");
    }

    fn start(&self) -> io::Result<(Child, Child)> {
        let config = self.home.join("pipewire.conf");
        let server = self.spawn("pipewire", &["-c".as_ref(), config.as_ref()])?;
        let deadline = Instant::now() + START;
        while !self.socket.exists() && Instant::now() < deadline {
            thread::sleep(POLL);
        }
        match self.spawn("wireplumber", &["-c".as_ref(), "vroom.conf".as_ref()]) {
            Ok(manager) => Ok((server, manager)),
            Err(error) => {
                terminate(server.id());
                self.reap(server);
                Err(error)
            }
        }
    }

    fn spawn(&self, program: &str, arguments: &[&Path]) -> io::Result<Child> {
        let child = Command::new("setpriv")
            .args(["--pdeathsig", "TERM", program])
            .args(arguments)
            .current_dir(&self.home)
            .env("XDG_RUNTIME_DIR", &self.runtime_dir)
            .env("PIPEWIRE_RUNTIME_DIR", &self.runtime_dir)
            .env("XDG_CONFIG_HOME", &self.home)
            .env("XDG_STATE_HOME", &self.home)
            .env_remove("DBUS_SESSION_BUS_ADDRESS")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()?;
        self.running.started(&child);
        Ok(child)
    }

    /// Waits for the end of both; neither is of use without the other.
    fn wait(&self, server: Child, manager: Child) {
        let server_pid = server.id();
        let running = Arc::clone(&self.running);
        let manager = thread::spawn(move || {
            let mut manager = manager;
            drop(manager.wait());
            running.ended(&manager);
            terminate(server_pid);
        });
        self.reap(server);
        self.running.end_others();
        drop(manager.join());
    }

    fn reap(&self, mut child: Child) {
        drop(child.wait());
        self.running.ended(&child);
    }
}

impl Running {
    /// Ends whatever still runs, without ending for good.
    fn end_others(&self) {
        let state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for pid in &state.pids {
            terminate(*pid);
        }
    }
}

fn terminate(pid: u32) {
    if let Ok(pid) = i32::try_from(pid) {
        // One that is gone already needs no signal.
        kill(Pid::from_raw(pid), Signal::SIGTERM).ok();
    }
}

/// The programs needed, and the packages that bring them.
const PROGRAMS: [(&str, &str); 3] = [
    ("pipewire", "pipewire"),
    ("wireplumber", "wireplumber"),
    ("setpriv", "util-linux"),
];

/// The pipe's name in the configuration.
const PLAYED: &str = "played";

/// The socket that PipeWire makes.
const SOCKET: &str = "pipewire-0";

/// How long the server may take to start; it needs some 30 ms.
const START: Duration = Duration::from_secs(3);

const POLL: Duration = Duration::from_millis(2);

/// How often it is started again.
const ATTEMPTS: u32 = 5;

const PIPEWIRE: &str = include_str!("sound/pipewire.conf");
const WIREPLUMBER: &str = include_str!("sound/wireplumber.conf");
const RULES: &str = include_str!("sound/rules.lua");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_can_connect_when_it_is_started_and_it_ends_with_us() {
        assert_eq!(missing(), None);
        let dir = tempfile::tempdir().unwrap();
        let server = SoundServer::start(dir.path()).unwrap();
        std::os::unix::net::UnixStream::connect(dir.path().join(SOCKET)).unwrap();
        let pids = server.running.0.lock().unwrap().pids.clone();
        assert_eq!(pids.len(), 2);
        drop(server);
        for pid in pids {
            assert!(!Path::new(&format!("/proc/{pid}")).exists());
        }
    }
}
