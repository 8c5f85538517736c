//! wetty: a terminal in a page, over socket.io. Its protocol is spoken by hand here, as its page does.

use std::io;
use std::net::TcpStream;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, anyhow, bail, ensure};
use serde_json::{Value, json};
use tungstenite::client::IntoClientRequest as _;
use tungstenite::{Message, WebSocket, client};
use vroom_tests::pty::{COLS, Output, PATIENCE, ROWS};

use super::quoted;
use crate::stage::{Server, Stage, free_port};
use crate::terminal::{Peer, Terminal};

/// A running wetty.
pub(crate) struct Wetty {
    port: u16,
    _server: Server,
}

impl Wetty {
    /// Starts wetty and waits until it listens.
    pub(crate) fn start(stage: &Stage) -> Result<Self> {
        let port = free_port()?;
        let log = stage.path(format!("wetty-{port}.log"));
        let main = stage.wetty.join("build/main.js");
        ensure!(
            main.exists(),
            "{} is missing: make bench-terminal installs it",
            main.display()
        );
        // As root it runs a command of its own; then no ssh is in the way of the comparison.
        let command = [
            "node".to_owned(),
            main.display().to_string(),
            "--host".to_owned(),
            "127.0.0.1".to_owned(),
            "--port".to_owned(),
            port.to_string(),
            "--base".to_owned(),
            "/".to_owned(),
            "--ssh-host".to_owned(),
            "127.0.0.1".to_owned(),
            "--command".to_owned(),
            "sh".to_owned(),
        ];
        let mut server = Server::start(&command, &[("LC_ALL", "C.UTF-8"), ("PS1", "$ ")], &log)?;
        server.says(&log, "Server started").context("wetty")?;
        Ok(Self {
            port,
            _server: server,
        })
    }

    fn connect(&self, line: &str) -> Result<Session> {
        let address = format!("127.0.0.1:{}", self.port);
        let stream = TcpStream::connect(&address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        let url = format!("ws://{address}/socket.io/?EIO=4&transport=websocket");
        let mut request = url.into_client_request()?;
        let origin = format!("http://{address}").parse()?;
        request.headers_mut().insert("Origin", origin);
        let (socket, _) = client(request, stream).map_err(|error| anyhow!("wetty: {error}"))?;
        let mut session = Session { socket };
        session.socket.send(Message::text("40"))?;
        let deadline = Instant::now() + PATIENCE;
        while !session
            .packet(deadline)?
            .is_some_and(|packet| packet.starts_with("40"))
        {
            ensure!(Instant::now() < deadline, "wetty did not answer");
        }
        // What is typed before its shell is there would be lost.
        let mut prompt = String::new();
        while !prompt.contains('$') {
            match session.output(deadline)? {
                Output::Bytes(bytes) => prompt.push_str(&String::from_utf8_lossy(&bytes)),
                other => bail!("wetty's shell: {other:?} after {prompt:?}"),
            }
        }
        session.emit(&json!(["resize", {"cols": COLS, "rows": ROWS}]))?;
        // Its shell reads lines; this one takes the shell's place.
        session.emit(&json!(["input", format!("exec sh -c {}\r", quoted(line))]))?;
        Ok(session)
    }
}

impl Peer for Wetty {
    fn name(&self) -> &'static str {
        "wetty"
    }

    fn open(&self, line: &str) -> Result<Box<dyn Terminal>> {
        // It drops some connections that resize at once, within two seconds: those are made again.
        let mut last = anyhow!("not tried");
        for _ in 0..TRIES {
            let mut session = self.connect(line)?;
            match session.survives(Duration::from_millis(2500)) {
                Ok(early) => return Ok(Box::new(WithEarly { session, early })),
                Err(error) => last = error,
            }
        }
        Err(last.context(format!("wetty dropped {TRIES} connections")))
    }
}

/// Connections to try before giving up.
const TRIES: usize = 5;

/// One terminal of wetty.
struct Session {
    socket: WebSocket<TcpStream>,
}

impl Session {
    fn emit(&mut self, event: &Value) -> Result<()> {
        Ok(self.socket.send(Message::text(format!("42{event}")))?)
    }

    /// The next packet, or nothing by the deadline.
    fn packet(&mut self, deadline: Instant) -> Result<Option<String>> {
        let left = deadline
            .saturating_duration_since(Instant::now())
            .max(Duration::from_micros(1));
        self.socket.get_ref().set_read_timeout(Some(left))?;
        match self.socket.read() {
            Ok(Message::Text(text)) => {
                // Its heartbeat.
                if text.as_str() == "2" {
                    self.socket.send(Message::text("3"))?;
                }
                Ok(Some(text.as_str().to_owned()))
            }
            Ok(_) => Ok(Some(String::new())),
            Err(tungstenite::Error::Io(error))
                if matches!(
                    error.kind(),
                    io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut
                ) =>
            {
                Ok(None)
            }
            Err(error) => Err(error).context("wetty's WebSocket"),
        }
    }

    /// Output by the deadline. Acknowledges it as its page does, or it would stop at 2 MiB.
    fn output(&mut self, deadline: Instant) -> Result<Output> {
        loop {
            let Some(packet) = self.packet(deadline)? else {
                return Ok(Output::Late);
            };
            let Some(event) = packet.strip_prefix("42") else {
                continue;
            };
            let event: Value = serde_json::from_str(event)?;
            match event[0].as_str() {
                Some("data") => {
                    let data = event[1].as_str().context("wetty's data")?;
                    self.emit(&json!(["commit", data.encode_utf16().count()]))?;
                    return Ok(Output::Bytes(data.as_bytes().to_vec()));
                }
                Some("logout") => return Ok(Output::Ended),
                _ => {}
            }
        }
    }

    /// Waits out the time in which connections are dropped; gives what came.
    fn survives(&mut self, time: Duration) -> Result<Vec<u8>> {
        let deadline = Instant::now() + time;
        let mut early = Vec::new();
        loop {
            match self.output(deadline)? {
                Output::Bytes(bytes) => early.extend(bytes),
                Output::Late => return Ok(early),
                Output::Ended => bail!("wetty closed a terminal"),
            }
        }
    }
}

/// A terminal whose first output was read already.
struct WithEarly {
    session: Session,
    early: Vec<u8>,
}

impl Terminal for WithEarly {
    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.session
            .emit(&json!(["input", String::from_utf8_lossy(bytes)]))
    }

    fn read(&mut self, deadline: Instant) -> Result<Output> {
        if !self.early.is_empty() {
            return Ok(Output::Bytes(std::mem::take(&mut self.early)));
        }
        self.session.output(deadline)
    }
}
