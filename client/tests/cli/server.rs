//! A server on a Unix socket whose one terminal runs a small program: it echoes what is typed, tells
//! what else happens to it, and does what lines say.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use bytes::Bytes;
use tokio::net::UnixListener;
use tokio::sync::Notify;
use vroom_protocol::terminal::{
    AuthResponse, Capabilities, ChannelName, Event as TerminalEvent, ExitStatus, Extensions, Plane,
    PtyGrant, PtyMessage, PtyResponse, Server as Terminal, ServerOffer, StartResponse,
};
use vroom_protocol::{ChannelId, Code, Connection, Event, LinkKind, ServerConfig, WelcomeInfo};
use vroom_transport::{drive, stream};

/// A server that runs in a thread of its own.
pub(crate) struct Server {
    pub(crate) path: PathBuf,
    program: Arc<Mutex<Program>>,
    cut: Arc<Notify>,
    _dir: tempfile::TempDir,
}

/// The program in the terminal, which outlives connections.
#[derive(Default)]
struct Program {
    /// All output so far.
    output: Vec<u8>,
    /// All input that was applied.
    input: Vec<u8>,
    line: Vec<u8>,
    exit: Option<ExitStatus>,
    /// What was asked for, in words.
    seen: Vec<String>,
}

impl Server {
    pub(crate) fn start() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("server");
        let program = Arc::new(Mutex::new(Program::default()));
        let cut = Arc::new(Notify::new());
        let (ready, is_ready) = std::sync::mpsc::channel();
        let served = (path.clone(), Arc::clone(&program), Arc::clone(&cut));
        std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread()
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(async move {
                let (path, program, cut) = served;
                let listener = UnixListener::bind(&path).unwrap();
                ready.send(()).unwrap();
                serve(&listener, &program, &cut).await;
            });
        });
        is_ready.recv().unwrap();
        Self {
            path,
            program,
            cut,
            _dir: dir,
        }
    }

    /// Breaks the present connection.
    pub(crate) fn cut(&self) {
        self.cut.notify_one();
    }

    /// All input that was applied.
    pub(crate) fn input(&self) -> Vec<u8> {
        self.program.lock().unwrap().input.clone()
    }

    /// What was asked for, in words.
    pub(crate) fn seen(&self) -> Vec<String> {
        self.program.lock().unwrap().seen.clone()
    }

    pub(crate) fn url(&self) -> String {
        format!("unix:{}", Path::new(&self.path).display())
    }
}

async fn serve(listener: &UnixListener, program: &Arc<Mutex<Program>>, cut: &Arc<Notify>) {
    loop {
        let (stream, _) = listener.accept().await.unwrap();
        let now = Instant::now();
        let deadline = now + std::time::Duration::from_secs(10);
        let Ok((rx, tx)) = stream::accept(stream, deadline).await else {
            continue;
        };
        let connection = Connection::server(ServerConfig::default(), LinkKind::Shared, now);
        let session = Session::new(Arc::clone(program));
        tokio::select! {
            _ = drive(connection, rx, tx, session) => {}
            () = cut.notified() => {}
        }
    }
}

struct Session {
    program: Arc<Mutex<Program>>,
    channels: BTreeMap<ChannelId, ChannelName>,
    pairs: BTreeMap<Option<String>, Pair>,
}

/// One terminal of the connection.
struct Pair {
    terminal: Terminal,
    control: ChannelId,
    pty: Option<ChannelId>,
    stderr: Option<ChannelId>,
    /// How much of the output was sent.
    sent: usize,
    acknowledged: usize,
    is_pipe: bool,
    has_exited: bool,
}

impl Session {
    fn new(program: Arc<Mutex<Program>>) -> Self {
        Self {
            program,
            channels: BTreeMap::new(),
            pairs: BTreeMap::new(),
        }
    }
}

impl vroom_transport::Session for Session {
    fn on_event(&mut self, now: Instant, connection: &mut Connection, event: Event) {
        match event {
            Event::Hello(_) => connection.accept(
                now,
                WelcomeInfo {
                    user: Some("somebody".to_owned()),
                    ..WelcomeInfo::default()
                },
            ),
            Event::ChannelRequested { request, spec } => match ChannelName::parse(&spec.name) {
                Ok(_) => {
                    connection.accept_channel(now, request);
                }
                Err(_) => connection.reject_channel(now, request, Code::UNSUPPORTED, "no"),
            },
            Event::ChannelOpened { id, spec, .. } => {
                let name = ChannelName::parse(&spec.name).unwrap();
                match name.plane {
                    Plane::Control => {
                        let pair = Pair::new(now, id);
                        self.pairs.insert(name.key.clone(), pair);
                    }
                    Plane::Pty => {
                        let pair = self.pairs.get_mut(&name.key).unwrap();
                        pair.pty = Some(id);
                        pair.terminal.handle_pty_channel_opened(now);
                    }
                    Plane::Stderr => {
                        self.pairs.get_mut(&name.key).unwrap().stderr = Some(id);
                    }
                }
                self.channels.insert(id, name);
            }
            Event::ChannelClosed { id, .. } => {
                if let Some(name) = self.channels.remove(&id)
                    && name.plane == Plane::Control
                {
                    self.pairs.remove(&name.key);
                }
            }
            Event::Message {
                channel,
                kind,
                payload,
            } => {
                let Some(name) = self.channels.get(&channel) else {
                    return;
                };
                let Some(pair) = self.pairs.get_mut(&name.key) else {
                    return;
                };
                let mut program = self.program.lock().unwrap();
                match name.plane {
                    Plane::Control => pair.terminal.handle(now, &payload),
                    Plane::Pty => match PtyMessage::decode(kind, payload).unwrap() {
                        PtyMessage::Bytes(bytes) => program.typed(&bytes),
                        PtyMessage::Ack(offset) => {
                            pair.acknowledged = usize::try_from(offset).unwrap();
                        }
                        PtyMessage::EndOfInput => program.exit = Some(ExitStatus::exited(0)),
                        other => panic!("{other:?}"),
                    },
                    Plane::Stderr => {}
                }
            }
            _ => {}
        }
    }

    fn pump(&mut self, now: Instant, connection: &mut Connection) {
        let mut program = self.program.lock().unwrap();
        for pair in self.pairs.values_mut() {
            pair.pump(now, connection, &mut program);
        }
    }

    async fn ready(&mut self) {
        std::future::pending::<()>().await;
    }
}

impl Pair {
    fn new(now: Instant, control: ChannelId) -> Self {
        let capabilities = Capabilities {
            extensions: Some(Extensions {
                flow_control: Some(true),
                reconnect: Some(true),
                ..Extensions::default()
            }),
            ..Capabilities::transparent()
        };
        let offer = ServerOffer {
            capabilities,
            ..ServerOffer::default()
        };
        Self {
            terminal: Terminal::new(offer, now),
            control,
            pty: None,
            stderr: None,
            sent: 0,
            acknowledged: 0,
            is_pipe: true,
            has_exited: false,
        }
    }

    fn pump(&mut self, now: Instant, connection: &mut Connection, program: &mut Program) {
        while let Some(event) = self.terminal.poll_event() {
            self.on_event(now, event, program);
        }
        while let Some(payload) = self.terminal.poll_transmit() {
            connection.send(now, self.control, 0, payload).unwrap();
        }
        let Some(pty) = self.pty else {
            return;
        };
        let flow = !self.is_pipe;
        if program.output.len() > self.sent {
            let bytes = Bytes::copy_from_slice(&program.output[self.sent..]);
            self.sent = program.output.len();
            connection.send(now, pty, 0, bytes).unwrap();
        }
        if flow && !program.input.is_empty() {
            let (kind, ack) = PtyMessage::Ack(program.input.len() as u64).encode();
            // Told often; the newest counts.
            let _ = connection.send_latest(now, pty, kind, ack);
        }
        let Some(exit) = program.exit.clone().filter(|_| !self.has_exited) else {
            return;
        };
        self.has_exited = true;
        let status = ExitStatus {
            pty_bytes: Some(self.sent as u64),
            offset: flow.then_some(self.sent as u64),
            ..exit
        };
        self.terminal.exit_status(now, status);
        while let Some(payload) = self.terminal.poll_transmit() {
            connection.send(now, self.control, 0, payload).unwrap();
        }
        for channel in [Some(pty), self.stderr].into_iter().flatten() {
            connection.close_channel(now, channel, "the program ended");
        }
    }

    fn on_event(&mut self, now: Instant, event: TerminalEvent, program: &mut Program) {
        match event {
            TerminalEvent::Authenticate(_) => {
                let user = "somebody".to_owned();
                self.terminal
                    .auth_result(now, AuthResponse::Success { user });
            }
            TerminalEvent::PtyRequested(request) => {
                self.is_pipe = false;
                let attached = request.attach.is_some();
                if let Some(size) = request.size {
                    program
                        .seen
                        .push(format!("size {}x{}", size.cols, size.rows));
                }
                let have = usize::try_from(request.have.unwrap_or(0)).unwrap();
                self.sent = if attached { have } else { 0 };
                if attached {
                    program.seen.push("attached".to_owned());
                }
                let grant = PtyGrant {
                    channel: "vroom.terminal.pty".to_owned(),
                    terminal_id: Some("t1".to_owned()),
                    attached,
                    offset: Some(self.sent as u64),
                    input_offset: Some(program.input.len() as u64),
                    ..PtyGrant::default()
                };
                self.terminal.pty_response(now, PtyResponse::Granted(grant));
            }
            TerminalEvent::Shell(_) => {
                program
                    .output
                    .extend_from_slice(b"\x1b[?2004h\x1b[?25lready\r\n");
                self.started(now);
            }
            TerminalEvent::Exec(request) => {
                let command = format!("{:?}", request.command);
                program.seen.push(command);
                program.output.extend_from_slice(b"done\n");
                program.exit = Some(ExitStatus::exited(7));
                self.started(now);
            }
            TerminalEvent::Resize(size) => {
                let text = format!("size {}x{}", size.cols, size.rows);
                program
                    .output
                    .extend_from_slice(format!("{text}\r\n").as_bytes());
                program.seen.push(text);
            }
            _ => {}
        }
    }

    fn started(&mut self, now: Instant) {
        let response = StartResponse::Started { pid: None };
        self.terminal.start_response(now, response);
    }
}

impl Program {
    /// Echoes, and obeys lines.
    fn typed(&mut self, bytes: &[u8]) {
        self.input.extend_from_slice(bytes);
        for byte in bytes {
            self.output.push(*byte);
            if *byte != b'\r' {
                self.line.push(*byte);
                continue;
            }
            self.output.push(b'\n');
            let line = String::from_utf8(std::mem::take(&mut self.line)).unwrap();
            match line.split_once(' ') {
                Some(("exit", code)) => {
                    self.exit = Some(ExitStatus::exited(code.parse().unwrap()));
                }
                Some(("killed", signal)) => {
                    self.exit = Some(ExitStatus::killed(signal.parse().unwrap()));
                }
                _ => {}
            }
        }
    }
}
