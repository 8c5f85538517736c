//! Where measurements happen: scratch folders, keys, and the two ends of a network.

use std::fs;
use std::net::TcpListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tempfile::TempDir;
use vroom_tests::link::{Link, Namespace};
use vroom_tests::pty::PATIENCE;

/// What all measurements share.
pub(crate) struct Stage {
    folder: TempDir,
    binaries: PathBuf,
    pub(crate) wetty: PathBuf,
    pub(crate) samples: usize,
    pub(crate) seed: u64,
    /// Who logs in: the user that runs this.
    pub(crate) user: String,
}

impl Stage {
    /// Makes folders and keys.
    pub(crate) fn new(binaries: &Path, wetty: &Path, samples: usize, seed: u64) -> Result<Self> {
        let user = nix::unistd::User::from_uid(nix::unistd::geteuid())?
            .context("the user that runs this has no account")?
            .name;
        let absolute = |path: &Path| std::path::absolute(path).context("a path");
        let stage = Self {
            folder: tempfile::Builder::new().prefix("vroom-bench-").tempdir()?,
            binaries: absolute(binaries)?,
            wetty: absolute(wetty)?,
            samples,
            seed,
            user,
        };
        for key in ["host", "user"] {
            let path = stage.path(key);
            run(Command::new("ssh-keygen")
                .args(["-q", "-t", "ed25519", "-N", "", "-f"])
                .arg(path))?;
        }
        fs::copy(stage.path("user.pub"), stage.path("authorized_keys"))?;
        fs::create_dir(stage.path("home"))?;
        Ok(stage)
    }

    /// A path in the scratch folder.
    pub(crate) fn path(&self, name: impl AsRef<Path>) -> PathBuf {
        self.folder.path().join(name)
    }

    /// A path in the scratch folder, as text.
    pub(crate) fn text(&self, name: &str) -> String {
        self.path(name).display().to_string()
    }

    /// A program of ours.
    pub(crate) fn binary(&self, name: &str) -> Result<PathBuf> {
        let path = self.binaries.join(name);
        ensure!(
            path.exists(),
            "{} is missing: build it first",
            path.display()
        );
        Ok(path)
    }

    /// A file of lines of text, made once.
    pub(crate) fn lines(&self, mebibytes: usize) -> Result<String> {
        let path = self.path(format!("lines-{mebibytes}"));
        if !path.exists() {
            let line =
                "The quick brown fox jumps over the lazy dog 0123456789 and back over the fox.\r\n";
            let mut content = line.repeat(mebibytes * MIB / line.len() + 1).into_bytes();
            content.truncate(mebibytes * MIB);
            fs::write(&path, content)?;
        }
        Ok(path.display().to_string())
    }
}

pub(crate) const MIB: usize = 1024 * 1024;

/// The network between servers and clients.
pub(crate) enum Site {
    /// None: the loopback of this machine.
    Loopback,
    /// A link between two namespaces; servers live at its near end.
    Link(Link),
}

impl Site {
    /// A link of 100 ms there and back that loses 2 % each way.
    pub(crate) fn bad_link(stage: &Stage) -> Result<Self> {
        let arguments = [
            "--delay-ms",
            "50",
            "--loss",
            "0.02",
            "--rate-bytes",
            "12500000",
            "--seed",
        ];
        let mut arguments: Vec<String> = arguments.map(str::to_owned).to_vec();
        arguments.push(stage.seed.to_string());
        Ok(Self::Link(Link::start(
            &stage.binary("vroom-link")?,
            &arguments,
        )?))
    }

    /// The address of the servers.
    pub(crate) fn address(&self) -> &str {
        match self {
            Self::Loopback => "127.0.0.1",
            Self::Link(link) => &link.near.address,
        }
    }

    /// A command that runs where servers do.
    pub(crate) fn server(&self, command: Vec<String>) -> Vec<String> {
        self.within(command, |link| &link.near.namespace)
    }

    /// A command that runs where clients do.
    pub(crate) fn client(&self, command: Vec<String>) -> Vec<String> {
        self.within(command, |link| &link.far.namespace)
    }

    fn within(&self, command: Vec<String>, end: impl Fn(&Link) -> &Namespace) -> Vec<String> {
        match self {
            Self::Loopback => command,
            Self::Link(link) => end(link).prefix().into_iter().chain(command).collect(),
        }
    }
}

/// A server that was started for a measurement. It is stopped with this value.
pub(crate) struct Server {
    child: Child,
}

impl Server {
    /// Starts one; what it says goes to the file.
    pub(crate) fn start(command: &[String], env: &[(&str, &str)], log: &Path) -> Result<Self> {
        let (program, arguments) = command.split_first().context("a command")?;
        let file = fs::File::create(log)?;
        let child = Command::new("env")
            // What a script starts in the background ignores Ctrl-C, and so would its shells.
            .args(["--default-signal=INT,QUIT,HUP,PIPE", program])
            .args(arguments)
            .envs(env.iter().copied())
            .stdin(Stdio::null())
            .stdout(file.try_clone()?)
            .stderr(file)
            .spawn()
            .with_context(|| format!("starting {program}"))?;
        Ok(Self { child })
    }

    /// The process.
    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Waits until its log has a line like this, and gives the log.
    pub(crate) fn says(&mut self, log: &Path, what: &str) -> Result<String> {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let text = fs::read_to_string(log).unwrap_or_default();
            if text.contains(what) {
                return Ok(text);
            }
            if let Some(status) = self.child.try_wait()? {
                bail!("{status} before it said {what:?}: {text}");
            }
            ensure!(Instant::now() < deadline, "it did not say {what:?}: {text}");
            std::thread::sleep(LOOK_AGAIN);
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let (Ok(None), Ok(pid)) = (self.child.try_wait(), i32::try_from(self.child.id())) {
            kill(Pid::from_raw(pid), Signal::SIGTERM).ok();
            let deadline = Instant::now() + STOPPING;
            while let Ok(None) = self.child.try_wait() {
                if Instant::now() > deadline {
                    drop(self.child.kill());
                    break;
                }
                std::thread::sleep(LOOK_AGAIN);
            }
            drop(self.child.wait());
        }
    }
}

/// How often a file is looked at.
const LOOK_AGAIN: Duration = Duration::from_millis(10);

/// How long a server may take to stop.
const STOPPING: Duration = Duration::from_secs(10);

/// A TCP port that nobody listens on.
pub(crate) fn free_port() -> Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}

/// Runs a command to its end and says what went wrong with it.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let output = command
        .stdin(Stdio::null())
        .output()
        .with_context(|| format!("starting {}", command.get_program().display()))?;
    ensure!(
        output.status.success(),
        "{} failed: {}{}",
        command.get_program().display(),
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    Ok(())
}
