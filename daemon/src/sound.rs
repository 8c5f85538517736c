//! The sound server of the session's own: PipeWire, when it is installed.
//!
//! The programs of the session find it in their runtime directory, by PipeWire's protocol and by
//! that of PulseAudio. It touches no sound card: what they play goes into a pipe that we read, and
//! what they record comes out of one that we write.

use std::ffi::OsStr;
use std::io::{BufRead as _, BufReader};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex, PoisonError, mpsc};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};
use std::{fs, io};

use nix::sys::signal::{Signal, kill};
use nix::sys::stat::Mode;
use nix::unistd::{Pid, mkfifo};
use vroom_media::{MicrophonePipe, PipeReader};

use crate::process::is_installed;

/// The server and its session manager; both end with this value.
#[derive(Debug)]
pub(crate) struct SoundServer {
    played: PathBuf,
    spoken: Option<MicrophonePipe>,
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
    /// Starts it in this runtime directory and waits until programs can connect; `microphone` says
    /// whether they find one.
    ///
    /// # Errors
    ///
    /// When its configuration cannot be written or it does not start.
    pub(crate) fn start(runtime_dir: &Path, microphone: bool) -> io::Result<Self> {
        let home = runtime_dir.join("sound");
        let reader = pipe_reader(&version("pipewire"));
        write_config(&home, microphone.then_some(reader))?;
        // Ours, so that they stay the same ones when the server has to be started again.
        let mode = Mode::S_IRUSR | Mode::S_IWUSR;
        let (played, spoken) = (home.join(PLAYED), home.join(SPOKEN));
        mkfifo(&played, mode)?;
        if microphone {
            mkfifo(&spoken, mode)?;
        }
        let running = Arc::new(Running::default());
        let keeper = Keeper {
            home,
            runtime_dir: runtime_dir.to_owned(),
            sockets: SOCKETS.map(|socket| runtime_dir.join(socket)),
            manager: manager_arguments(&version("wireplumber")),
            running: Arc::clone(&running),
        };
        let (ready, is_ready) = mpsc::sync_channel(1);
        let keeper = thread::Builder::new()
            .name("sound".into())
            .spawn(move || keeper.keep(&ready))?;
        let server = Self {
            played,
            spoken: microphone.then_some(MicrophonePipe {
                path: spoken,
                reader,
            }),
            running,
            keeper: Some(keeper),
        };
        match is_ready.recv_timeout(READY) {
            Ok(Ok(())) => Ok(server),
            Ok(Err(error)) => Err(error),
            Err(_) => Err(io::ErrorKind::TimedOut.into()),
        }
    }

    /// The pipe that it writes into what programs play.
    pub(crate) fn played(&self) -> &Path {
        &self.played
    }

    /// The pipe that it reads what programs record from, where they find a microphone.
    pub(crate) fn spoken(&self) -> Option<&MicrophonePipe> {
        self.spoken.as_ref()
    }
}

/// Writes what both programs read, for the versions of WirePlumber that are read here: up to 0.4
/// its configuration has parts in Lua, since 0.5 it has none.
fn write_config(home: &Path, microphone: Option<PipeReader>) -> io::Result<()> {
    let (old, new) = (
        home.join("wireplumber/policy.lua.d"),
        home.join("wireplumber/wireplumber.conf.d"),
    );
    fs::create_dir_all(&old)?;
    fs::create_dir_all(&new)?;
    let source = microphone.map(|reader| MICROPHONE.replace(RATE, &reader.rate().to_string()));
    let server = PIPEWIRE.replace(MICROPHONE_PLACE, &source.unwrap_or_default());
    fs::write(home.join("pipewire.conf"), server)?;
    fs::write(home.join("wireplumber/vroom.conf"), WIREPLUMBER_0_4)?;
    fs::write(old.join("95-vroom.lua"), RULES_0_4)?;
    fs::write(new.join("95-vroom.conf"), WIREPLUMBER_0_5)
}

/// The arguments that give WirePlumber our configuration.
///
/// Up to 0.4 ours stands in the place of its own; since 0.5 ours is added to its own, which names
/// parts of each version that we cannot know.
fn manager_arguments(version: &[u32]) -> &'static [&'static str] {
    if version < [0, 5].as_slice() {
        &["-c", "vroom.conf"]
    } else {
        &[]
    }
}

/// How this version of PipeWire reads a pipe; those between are read in the way that does for both.
fn pipe_reader(version: &[u32]) -> PipeReader {
    if version < [1].as_slice() {
        PipeReader::Direct
    } else {
        PipeReader::Buffered
    }
}

/// The version of a program, as it says itself; a new one where it says nothing that is understood.
fn version(program: &str) -> Vec<u32> {
    let output = Command::new(program)
        .arg("--version")
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output();
    let text = output.map(|it| String::from_utf8_lossy(&it.stdout).into_owned());
    read_version(&text.unwrap_or_default()).unwrap_or(vec![u32::MAX])
}

/// Reads `Linked with libpipewire 0.3.65`.
fn read_version(text: &str) -> Option<Vec<u32>> {
    let line = text.lines().find(|line| line.starts_with("Linked with"))?;
    let number = line.split(' ').next_back()?;
    number.split('.').map(|part| part.parse().ok()).collect()
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
    /// What programs connect to.
    sockets: [PathBuf; 2],
    manager: &'static [&'static str],
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
            self.settle();
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
        let server = self.spawn("pipewire", &["-c".as_ref(), config.as_os_str()])?;
        // A program that connects too early plays nothing for as long as it runs.
        let deadline = Instant::now() + START;
        while !self.sockets.iter().all(|socket| listens(socket)) && Instant::now() < deadline {
            thread::sleep(POLL);
        }
        let arguments: Vec<&OsStr> = self.manager.iter().map(AsRef::as_ref).collect();
        match self.spawn("wireplumber", &arguments) {
            Ok(manager) => Ok((server, manager)),
            Err(error) => {
                terminate(server.id());
                self.reap(server);
                Err(error)
            }
        }
    }

    /// Waits until the session manager has said where programs play to.
    ///
    /// One that comes before that is refused, and plays nothing for as long as it runs. Without the
    /// program that tells so nobody waits.
    fn settle(&self) {
        let arguments = [
            START.as_secs().to_string(),
            "pw-metadata".into(),
            "-m".into(),
        ];
        let arguments = arguments.each_ref().map(OsStr::new);
        let watching = self
            .command("timeout", &arguments)
            .stdout(Stdio::piped())
            .spawn();
        let Ok(mut watching) = watching.inspect(|child| self.running.started(child)) else {
            return;
        };
        if let Some(said) = watching.stdout.take() {
            let lines = BufReader::new(said).lines().map_while(Result::ok);
            if !lines.into_iter().any(|line| line.contains(DEFAULT_SINK)) {
                tracing::debug!("nobody says where programs play to");
            }
        }
        terminate(watching.id());
        self.reap(watching);
    }

    fn spawn(&self, program: &str, arguments: &[&OsStr]) -> io::Result<Child> {
        let child = self.command(program, arguments).spawn()?;
        self.running.started(&child);
        Ok(child)
    }

    /// A program that ends when we do, even if we are killed, and even if that happens before
    /// it could ask for this.
    fn command(&self, program: &str, arguments: &[&OsStr]) -> Command {
        let mut command = Command::new("setpriv");
        command
            .args(["--pdeathsig", "KILL", "sh", "-c", UNLESS_ORPHANED])
            .arg(std::process::id().to_string())
            .arg(program)
            .args(arguments)
            .current_dir(&self.home)
            .env("XDG_RUNTIME_DIR", &self.runtime_dir)
            .env("PIPEWIRE_RUNTIME_DIR", &self.runtime_dir)
            .env("XDG_CONFIG_HOME", &self.home)
            .env("XDG_STATE_HOME", &self.home)
            .env_remove("DBUS_SESSION_BUS_ADDRESS")
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        command
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

/// Whether programs can connect here.
fn listens(socket: &Path) -> bool {
    UnixStream::connect(socket).is_ok()
}

/// The programs needed, and the packages that bring them.
const PROGRAMS: [(&str, &str); 3] = [
    ("pipewire", "pipewire"),
    ("wireplumber", "wireplumber"),
    ("setpriv", "util-linux"),
];

/// The names of the pipes in the configuration.
const PLAYED: &str = "played";
const SPOKEN: &str = "spoken";

/// The sockets that PipeWire makes, for its own protocol and for that of PulseAudio.
const SOCKETS: [&str; 2] = ["pipewire-0", "pulse/native"];

/// What the session manager calls the sink that programs play to.
const DEFAULT_SINK: &str = "default.audio.sink";

/// Runs what is named behind the number of the process that has to be the parent.
const UNLESS_ORPHANED: &str = r#"[ "$PPID" = "$0" ] && exec "$@""#;

/// How long the server may take to start, and the session manager after it; both need some 30 ms.
const START: Duration = Duration::from_secs(3);

/// When there is no sound any more to be expected.
const READY: Duration = Duration::from_secs(8);

const POLL: Duration = Duration::from_millis(2);

/// How often it is started again.
const ATTEMPTS: u32 = 5;

const PIPEWIRE: &str = include_str!("sound/pipewire.conf");
const MICROPHONE: &str = include_str!("sound/microphone.conf");
const WIREPLUMBER_0_4: &str = include_str!("sound/wireplumber-0.4.conf");
const RULES_0_4: &str = include_str!("sound/rules-0.4.lua");
const WIREPLUMBER_0_5: &str = include_str!("sound/wireplumber-0.5.conf");

/// What stands for the rate of the microphone in the configuration.
const RATE: &str = "@RATE@";

/// Where in the configuration the microphone belongs.
const MICROPHONE_PLACE: &str = "    # The microphone belongs here.\n";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn programs_can_connect_when_it_is_started_and_it_ends_with_us() {
        assert_eq!(missing(), None);
        let dir = tempfile::tempdir().unwrap();
        let server = SoundServer::start(dir.path(), true).unwrap();
        for socket in SOCKETS {
            UnixStream::connect(dir.path().join(socket)).unwrap();
        }
        let pids = server.running.0.lock().unwrap().pids.clone();
        assert_eq!(pids.len(), 2);
        drop(server);
        for pid in pids {
            assert!(!Path::new(&format!("/proc/{pid}")).exists());
        }
    }

    #[test]
    fn versions_are_told_apart() {
        let said = |number: &str| {
            let text = format!("it\nCompiled with libit 0.0.1\nLinked with libit {number}\n");
            read_version(&text).unwrap()
        };
        assert_eq!(manager_arguments(&said("0.4.17")).len(), 2);
        for new in ["0.5.8", "0.10", "1.0.0"] {
            assert!(manager_arguments(&said(new)).is_empty(), "{new}");
        }
        assert_eq!(pipe_reader(&said("0.3.65")), PipeReader::Direct);
        assert_eq!(pipe_reader(&said("1.4.2")), PipeReader::Buffered);
        for nothing in ["", "Linked with libit", "Linked with libit 1.x"] {
            assert_eq!(read_version(nothing), None);
        }
    }
}
