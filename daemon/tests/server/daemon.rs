//! The real binary, started for one test.

use std::fs::File;
use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::os::unix::process::ExitStatusExt as _;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Once, mpsc};
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use tempfile::TempDir;
use vroom_tests::process::{descendants, end_holders};

pub(crate) use vroom_tests::process::is_alive;

/// How long anything may take that a test waits for.
pub(crate) const WAIT: Duration = Duration::from_secs(30);

/// A `vroomd` that runs.
pub(crate) struct Daemon {
    child: Child,
    folder: TempDir,
    lines: mpsc::Receiver<String>,
    address: SocketAddr,
    token: String,
}

impl Daemon {
    /// Starts one on a free port and waits until it is ready.
    pub(crate) fn start(args: &[&str]) -> Self {
        Self::start_with("", args)
    }

    /// The same with a configuration file.
    pub(crate) fn start_with(config: &str, args: &[&str]) -> Self {
        Self::start_in(tempfile::tempdir().unwrap(), config, args, &[])
    }

    /// The same in a folder that was prepared, with more in the environment.
    pub(crate) fn start_in(
        folder: TempDir,
        config: &str,
        args: &[&str],
        env: &[(&str, &Path)],
    ) -> Self {
        Self::launch(command(folder.path()), folder, config, args, env)
    }

    /// The same through `nohup`, deaf to the end of its terminal.
    pub(crate) fn start_deaf(args: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let plain = command(folder.path());
        let mut deaf = Command::new("nohup");
        deaf.arg(plain.get_program());
        for (name, value) in plain.get_envs() {
            match value {
                Some(value) => deaf.env(name, value),
                None => deaf.env_remove(name),
            };
        }
        Self::launch(deaf, folder, "", args, &[])
    }

    fn launch(
        mut command: Command,
        folder: TempDir,
        config: &str,
        args: &[&str],
        env: &[(&str, &Path)],
    ) -> Self {
        let file = folder.path().join("vroomd.toml");
        std::fs::write(&file, config).unwrap();
        command
            .arg("--config")
            .arg(file)
            .args(["--listen", "127.0.0.1:0"])
            .args(args);
        command.envs(env.iter().copied());
        let log = File::create(folder.path().join("log")).unwrap();
        let mut child = command.stdout(Stdio::piped()).stderr(log).spawn().unwrap();
        let stdout = child.stdout.take().unwrap();
        let (sender, lines) = mpsc::channel();
        std::thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    return;
                }
            }
        });
        let Ok(line) = lines.recv_timeout(WAIT) else {
            let log = std::fs::read_to_string(folder.path().join("log")).unwrap();
            panic!("it did not get ready: {log}");
        };
        let url = line
            .strip_prefix("vroomd ready: http")
            .expect("the ready line");
        let url = url.trim_start_matches("s").trim_start_matches("://");
        let (address, token) = url.split_once("/#token=").expect("an address and a token");
        Self {
            child,
            folder,
            lines,
            address: address.parse().unwrap(),
            token: token.to_owned(),
        }
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// What opens it.
    pub(crate) fn token(&self) -> &str {
        &self.token
    }

    /// A folder of its own.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// What it wrote to the log so far.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(self.folder.path().join("log")).unwrap_or_default()
    }

    /// All processes that it started, and theirs.
    pub(crate) fn descendants(&self) -> Vec<u32> {
        descendants(self.child.id())
    }

    /// Memory that it holds now, in KiB.
    pub(crate) fn resident_kib(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.child.id())).unwrap();
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix("VmRSS:"))
            .unwrap();
        line.trim().trim_end_matches(" kB").parse().unwrap()
    }

    /// Sends SIGTERM and waits for the end; says how it ended, how long that took, and what it
    /// wrote to standard output after the ready line.
    pub(crate) fn terminate(mut self) -> (ExitStatus, Duration, Vec<String>) {
        let started = Instant::now();
        self.signal(Signal::SIGTERM);
        let status = self.child.wait().unwrap();
        let took = started.elapsed();
        let rest = self.lines.iter().collect();
        (status, took, rest)
    }

    /// Kills it, and starts another in the same folder.
    pub(crate) fn replace(mut self, args: &[&str]) -> Self {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        let nowhere = tempfile::tempdir().unwrap();
        let folder = std::mem::replace(&mut self.folder, nowhere);
        let config = std::fs::read_to_string(folder.path().join("vroomd.toml")).unwrap();
        Self::start_in(folder, &config, args, &[])
    }

    /// Sends it a signal.
    pub(crate) fn signal(&self, signal: Signal) {
        let pid = nix::unistd::Pid::from_raw(i32::try_from(self.child.id()).unwrap());
        nix::sys::signal::kill(pid, signal).unwrap();
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // Killing one that has ended already fails, which is as good.
        drop(self.child.kill());
        drop(self.child.wait());
        end_holders(self.folder.path());
        if std::thread::panicking() {
            eprintln!("what the server logged:\n{}", self.log());
        }
    }
}

/// Sees to it that the program that holds terminals lies beside the binary.
///
/// Cargo builds it for the tests of its own crate only.
fn have_holder() {
    static BUILT: Once = Once::new();
    BUILT.call_once(|| {
        let holder = Path::new(env!("CARGO_BIN_EXE_vroomd")).with_file_name("vroom-hold");
        if !holder.exists() {
            let mut build = Command::new(env!("CARGO"));
            build.args([
                "build",
                "--quiet",
                "--locked",
                "-p",
                "vroom-terminal",
                "--bin",
            ]);
            let built = build.arg("vroom-hold").status().unwrap();
            assert!(built.success() && holder.exists(), "{}", holder.display());
        }
    });
}

/// The binary with an environment of its own.
pub(crate) fn command(folder: &Path) -> Command {
    have_holder();
    let mut command = Command::new(env!("CARGO_BIN_EXE_vroomd"));
    let ours = std::env::vars_os().map(|(name, _)| name);
    for name in ours.filter(|name| name.to_string_lossy().starts_with("VROOM_")) {
        command.env_remove(name);
    }
    command
        .env("XDG_CONFIG_HOME", folder)
        .env("XDG_STATE_HOME", folder)
        .env("XDG_RUNTIME_DIR", folder)
        .env("TMPDIR", folder)
        .stdin(Stdio::null());
    command
}

/// Checks something again and again until it is so, or the time is up.
pub(crate) fn wait_until(what: &str, is_so: impl Fn() -> bool) {
    let deadline = Instant::now() + WAIT;
    while !is_so() {
        assert!(Instant::now() < deadline, "{what}");
        std::thread::yield_now();
    }
}

/// Whether it ended as a program that was asked to.
pub(crate) fn ended_well(status: ExitStatus) -> bool {
    status.code() == Some(0) && status.signal().is_none()
}
