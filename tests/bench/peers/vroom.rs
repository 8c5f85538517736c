//! Ours: vroomd, its command-line client on a PTY, and its WebSocket as a page uses it.

use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use tokio::runtime::Runtime;
use vroom_protocol::Auth;
use vroom_tests::client::{Client, Dial, Launch, Terminal as Remote};
use vroom_tests::process::{end_holders, holders};
use vroom_tests::pty::LocalPty;

use super::quoted;
use crate::stage::{Server, Site, Stage, free_port, run};
use crate::terminal::{Output, Peer, Terminal};

/// A running vroomd.
pub(crate) struct Vroom<'a> {
    stage: &'a Stage,
    site: &'a Site,
    port: u16,
    folder: PathBuf,
    token: String,
    encrypted: bool,
    server: Server,
}

impl<'a> Vroom<'a> {
    /// Starts vroomd on the site's address, with TLS or without as a page on loopback has it, and
    /// waits until it is ready.
    pub(crate) fn start(stage: &'a Stage, site: &'a Site, encrypted: bool) -> Result<Self> {
        let port = free_port()?;
        let folder = stage.path(format!("vroomd-{port}"));
        fs::create_dir(&folder)?;
        let log = folder.join("log");
        let mut command = vec![
            stage.binary("vroomd")?.display().to_string(),
            "--desktop".to_owned(),
            "none".to_owned(),
            "--listen".to_owned(),
            format!("{}:{port}", site.address()),
            "--token-file".to_owned(),
            folder.join("token").display().to_string(),
            "--authorized-keys".to_owned(),
            stage.text("authorized_keys"),
            "--files-root".to_owned(),
            "/".to_owned(),
        ];
        if encrypted {
            let (cert, key) = certificate(stage, site)?;
            command.extend(["--tls-cert".to_owned(), cert, "--tls-key".to_owned(), key]);
        }
        let home = folder.display().to_string();
        let env = [
            ("XDG_CONFIG_HOME", home.as_str()),
            ("XDG_STATE_HOME", &home),
            ("XDG_RUNTIME_DIR", &home),
            ("LC_ALL", "C.UTF-8"),
            ("SHELL", "/bin/sh"),
            ("VROOM_LOG", "warn,vroom_daemon=info"),
        ];
        let mut server = Server::start(&site.server(command), &env, &log)?;
        let ready = server.says(&log, "/#token=").context("vroomd")?;
        let token = ready
            .lines()
            .find_map(|line| line.split_once("/#token="))
            .context("the ready line")?
            .1;
        Ok(Self {
            stage,
            site,
            port,
            token: token.trim().to_owned(),
            folder,
            encrypted,
            server,
        })
    }

    /// The process.
    pub(crate) fn pid(&self) -> u32 {
        self.server.pid()
    }

    /// The processes that hold its terminals.
    pub(crate) fn holders(&self) -> Vec<u32> {
        holders(&self.folder)
    }

    /// Where a client on loopback reaches it.
    pub(crate) fn address(&self) -> Result<SocketAddr> {
        Ok(format!("{}:{}", self.site.address(), self.port).parse()?)
    }

    /// What opens it.
    pub(crate) fn auth(&self) -> Auth {
        Auth::Token(self.token.clone())
    }

    fn program(&self) -> Result<Vec<String>> {
        Ok(vec![
            "env".to_owned(),
            format!("HOME={}", self.stage.text("home")),
            format!("XDG_CONFIG_HOME={}", self.stage.text("home")),
            format!("XDG_STATE_HOME={}", self.stage.text("home")),
            self.stage.binary("vroom")?.display().to_string(),
        ])
    }

    /// Who logs in where.
    ///
    /// On loopback `vroom` does without encryption, which ssh never does. What is compared with ssh
    /// must be encrypted, too, so the same address is written in a way that does not look like it.
    fn destination(&self) -> String {
        let host = match self.site {
            Site::Loopback if self.encrypted => "0x7f000001",
            site => site.address(),
        };
        format!("{}@{host}", self.stage.user)
    }

    fn options(&self) -> [String; 4] {
        [
            "-i".to_owned(),
            self.stage.text("user"),
            "-o".to_owned(),
            "StrictHostKeyChecking=accept-new".to_owned(),
        ]
    }

    /// Copies with `vroom cp`.
    pub(crate) fn copy(&self, from: &str, to: &str) -> Result<()> {
        let words = self.program()?;
        let to = format!("{}:{to}", self.destination());
        run(Command::new("env")
            .args(&words[1..])
            .args(["cp", "-r", "-q", "-P", &self.port.to_string()])
            .args(self.options())
            .args([from, &to]))
    }
}

impl Drop for Vroom<'_> {
    fn drop(&mut self) {
        // They outlive their daemon on purpose.
        end_holders(&self.folder);
    }
}

impl Peer for Vroom<'_> {
    fn name(&self) -> &'static str {
        if self.encrypted {
            "vroom term"
        } else {
            "vroom term, not encrypted"
        }
    }

    fn open(&self, line: &str) -> Result<Box<dyn Terminal>> {
        let mut command = self.program()?;
        command.extend(["term".to_owned(), "-tt".to_owned()]);
        command.extend(["-p".to_owned(), self.port.to_string()]);
        command.extend(self.options());
        command.push(self.destination());
        command.push(format!("sh -c {}", quoted(line)));
        Ok(Box::new(LocalPty::spawn(&self.site.client(command), &[])?))
    }
}

/// The same vroomd by the WebSocket of its page.
pub(crate) struct VroomWeb<'a>(pub(crate) &'a Vroom<'a>);

impl Peer for VroomWeb<'_> {
    fn name(&self) -> &'static str {
        "vroom WebSocket"
    }

    fn open(&self, line: &str) -> Result<Box<dyn Terminal>> {
        let runtime = runtime()?;
        let dial = Dial::Web(self.0.address()?);
        let auth = self.0.auth();
        let (client, remote) = runtime.block_on(async {
            let mut client = Client::login(&dial, auth).await?;
            let launch = Launch {
                persist: false,
                ..Launch::line(line)
            };
            let mut remote = Remote::open(&mut client, "", &launch).await?;
            remote.shows_nothing();
            anyhow::Ok((client, remote))
        })?;
        Ok(Box::new(Web {
            runtime,
            client,
            remote,
            interrupt: None,
        }))
    }
}

/// A runtime for one client.
pub(crate) fn runtime() -> Result<Runtime> {
    Ok(tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?)
}

/// A terminal on a WebSocket.
struct Web {
    runtime: Runtime,
    client: Client,
    remote: Remote,
    interrupt: Option<Interrupt>,
}

/// Ctrl-C was typed: as in the page, nothing is shown until the server has it, and what waits gives
/// way to the picture that the server sends for it.
struct Interrupt {
    /// The input that has to be applied.
    input: u64,
    /// The pictures that had come when it was.
    pictures: Option<u32>,
    until: Instant,
    waiting: Vec<u8>,
}

impl Web {
    /// What of the new output is shown now.
    fn show(&mut self, bytes: Vec<u8>) -> Vec<u8> {
        let Some(interrupt) = &mut self.interrupt else {
            return bytes;
        };
        if interrupt.pictures.is_some_and(|n| self.remote.repaints > n) {
            self.interrupt = None;
            self.remote.acknowledges = true;
            return bytes;
        }
        interrupt.waiting.extend(bytes);
        let now = Instant::now();
        let mut is_over = now >= interrupt.until;
        if interrupt.pictures.is_none() && self.remote.applied >= interrupt.input {
            interrupt.pictures = Some(self.remote.repaints);
            interrupt.until = now + PICTURE;
            is_over |= interrupt.waiting.len() <= LITTLE;
        }
        if !is_over {
            return Vec::new();
        }
        self.remote.acknowledges = true;
        let interrupt = self.interrupt.take();
        interrupt.map(|it| it.waiting).unwrap_or_default()
    }
}

/// The times and the amount of the page: see `web/src/core/terminal/output.ts`.
const PATIENCE: Duration = Duration::from_secs(1);
const PICTURE: Duration = Duration::from_millis(400);
const LITTLE: usize = 32 * 1024;

impl Terminal for Web {
    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        let write = self.remote.write(&mut self.client, bytes);
        self.runtime.block_on(write)?;
        if bytes.contains(&0x03) {
            // What is not shown is not acknowledged.
            self.remote.acknowledges = false;
            self.interrupt = Some(Interrupt {
                input: self.remote.sent,
                pictures: None,
                until: Instant::now() + PATIENCE,
                waiting: Vec::new(),
            });
        }
        Ok(())
    }

    fn read(&mut self, deadline: Instant) -> Result<Output> {
        // Even what is there already takes a look at the socket.
        let deadline = deadline.max(Instant::now() + Duration::from_micros(50));
        loop {
            let bytes = self.remote.take_output();
            let bytes = self.show(bytes);
            if !bytes.is_empty() {
                return Ok(Output::Bytes(bytes));
            }
            if self.remote.exit.is_some() {
                return Ok(Output::Ended);
            }
            let until = self.interrupt.as_ref().map_or(deadline, |it| it.until);
            let turn = self.remote.turn(&mut self.client, deadline.min(until));
            if !self.runtime.block_on(turn)? && Instant::now() >= deadline {
                return Ok(Output::Late);
            }
        }
    }
}

/// A certificate for the address of a site, made for this run.
fn certificate(stage: &Stage, site: &Site) -> Result<(String, String)> {
    let names = vec![site.address().to_owned()];
    let made = rcgen::generate_simple_self_signed(names)?;
    let (cert, key) = (stage.text("cert.pem"), stage.text("key.pem"));
    fs::write(&cert, made.cert.pem())?;
    fs::write(&key, made.signing_key.serialize_pem())?;
    Ok((cert, key))
}
