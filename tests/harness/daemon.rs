//! A vroomd of a test's own.

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;

use anyhow::{Context as _, Result};
use tempfile::TempDir;
use vroom_protocol::Auth;

use crate::client::Dial;
use crate::process::end_holders;
use crate::pty::PATIENCE;

/// A running vroomd in a folder of its own. Both go with this value.
#[derive(Debug)]
pub struct Daemon {
    executable: PathBuf,
    arguments: Vec<String>,
    folder: TempDir,
    child: Child,
    address: SocketAddr,
    token: String,
}

impl Daemon {
    /// Starts one without a desktop and waits until it is ready.
    pub fn start(executable: &Path, arguments: &[&str]) -> Result<Self> {
        let folder = tempfile::Builder::new().prefix("vroom-test-").tempdir()?;
        let arguments: Vec<String> = arguments.iter().copied().map(str::to_owned).collect();
        let (child, address, token) = launch(executable, folder.path(), &arguments, "127.0.0.1:0")?;
        Ok(Self {
            executable: executable.to_owned(),
            arguments,
            folder,
            child,
            address,
            token,
        })
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// How to reach it as a program does.
    pub fn dial(&self) -> Dial {
        Dial::Tcp(self.address)
    }

    /// What opens it.
    pub fn auth(&self) -> Auth {
        Auth::Token(self.token.clone())
    }

    /// What opens it, as text.
    pub fn token(&self) -> &str {
        &self.token
    }

    /// The process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Its folder.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Kills it with SIGKILL and starts it again on the same state and address.
    pub fn kill_and_restart(&mut self) -> Result<()> {
        self.child.kill()?;
        self.child.wait()?;
        let listen = self.address.to_string();
        let (child, address, token) = launch(
            &self.executable,
            self.folder.path(),
            &self.arguments,
            &listen,
        )?;
        self.child = child;
        self.address = address;
        self.token = token;
        Ok(())
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
        end_holders(self.folder.path());
    }
}

fn launch(
    executable: &Path,
    folder: &Path,
    arguments: &[String],
    listen: &str,
) -> Result<(Child, SocketAddr, String)> {
    let mut command = Command::new(executable);
    let ours = std::env::vars_os().map(|(name, _)| name);
    for name in ours.filter(|name| name.to_string_lossy().starts_with("VROOM_")) {
        command.env_remove(name);
    }
    let log = File::options()
        .create(true)
        .append(true)
        .open(folder.join("log"))?;
    let mut child = command
        .args(["--desktop", "none", "--listen", listen])
        .arg("--token-file")
        .arg(folder.join("token"))
        .args(arguments)
        .env("XDG_CONFIG_HOME", folder)
        .env("XDG_STATE_HOME", folder)
        .env("XDG_RUNTIME_DIR", folder)
        .env("HOME", folder)
        .env("SHELL", "/bin/sh")
        .env("PS1", "$ ")
        .env("LC_ALL", "C.UTF-8")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(log)
        .spawn()
        .with_context(|| format!("starting {}", executable.display()))?;
    let stdout = child.stdout.take().context("its standard output")?;
    let (sender, receiver) = mpsc::channel();
    std::thread::spawn(move || {
        for line in BufReader::new(stdout).lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    let Ok(line) = receiver.recv_timeout(PATIENCE) else {
        drop(child.kill());
        drop(child.wait());
        let log = fs::read_to_string(folder.join("log")).unwrap_or_default();
        anyhow::bail!("vroomd did not get ready: {log}");
    };
    let (_, url) = line.split_once("://").context("the ready line")?;
    let (address, token) = url.split_once("/#token=").context("the ready line")?;
    Ok((child, address.parse()?, token.to_owned()))
}
