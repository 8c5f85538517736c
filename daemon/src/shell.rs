//! One terminal of a connection: what is agreed on, and the program that runs.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use vroom_protocol::terminal::{
    AuthMethod, AuthRequest, AuthResponse, ChannelName, Denial, ErrorMessage, Event, ExecCommand,
    ExecRequest, ExitStatus, Plane, PtyGrant, PtyRequest, PtyResponse, Server, ServerOffer,
    ShellRequest, Stage, StartResponse, WindowSize,
};
use vroom_protocol::{ChannelId, Code, Connection};
use vroom_terminal::{Command, Error, PtySize, PtySpec, StderrTo, TermKind, Terminal};

use crate::auth::{Identity, Refused};
use crate::daemon::Daemon;
use crate::origin::Origin;
use crate::running::Running;
use crate::session::refusal;
use crate::terminals::Program;

/// One terminal of a connection.
#[derive(Debug)]
pub(crate) struct Shell {
    name: ChannelName,
    control: ChannelId,
    pty: Option<ChannelId>,
    stderr: Option<ChannelId>,
    server: Server,
    /// The failures that were told before, of this terminal and of others.
    told_failures: u8,
    request: Option<PtyRequest>,
    variables: Vec<(String, String)>,
    running: Option<Running>,
}

impl Shell {
    /// Starts one whose control channel was opened.
    pub(crate) fn new(
        now: Instant,
        control: ChannelId,
        name: ChannelName,
        auth_failures: u8,
    ) -> Self {
        let offer = ServerOffer {
            auth_failures,
            server: Some(concat!("vroomd/", env!("CARGO_PKG_VERSION")).to_owned()),
            ..ServerOffer::default()
        };
        Self {
            name,
            control,
            pty: None,
            stderr: None,
            server: Server::new(offer, now),
            told_failures: auth_failures,
            request: None,
            variables: Vec::new(),
            running: None,
        }
    }

    /// The channel that things are agreed on.
    pub(crate) fn control(&self) -> ChannelId {
        self.control
    }

    /// Whether the client may open the channel for what is typed and shown.
    pub(crate) fn expects_pty(&self) -> bool {
        self.server.is_pty_channel_expected()
    }

    /// Whether the client may open the channel for standard error.
    // C21: before the program starts, which is when the other channel opens.
    pub(crate) fn expects_stderr(&self) -> bool {
        let may_start = matches!(
            self.server.stage(),
            Stage::Authenticated | Stage::PtyAllocated | Stage::Starting
        );
        self.stderr.is_none() && may_start
    }

    /// Failed authentications that were not told before.
    pub(crate) fn new_failures(&mut self) -> u8 {
        let failures = self.server.auth_failures();
        let before = std::mem::replace(&mut self.told_failures, failures);
        failures.saturating_sub(before)
    }

    /// Whether a program runs, or has ended and was not reported yet.
    pub(crate) fn is_running(&self) -> bool {
        self.running.is_some()
    }

    /// When the client has taken too long.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.server.poll_timeout()
    }

    /// One of the other channels is open.
    pub(crate) fn on_opened(&mut self, now: Instant, id: ChannelId, plane: Plane) {
        match plane {
            Plane::Pty => {
                self.pty = Some(id);
                self.server.handle_pty_channel_opened(now);
            }
            Plane::Stderr => self.stderr = Some(id),
            Plane::Control => {}
        }
    }

    /// One of the other channels is gone; without the main one the program has to go, too.
    // C26.
    pub(crate) fn on_closed(&mut self, plane: Plane) {
        match plane {
            Plane::Pty => {
                self.pty = None;
                if let Some(running) = &mut self.running {
                    running.abandon();
                }
            }
            Plane::Stderr => self.stderr = None,
            Plane::Control => {}
        }
    }

    /// Takes a message of one of the channels.
    pub(crate) fn on_message(
        &mut self,
        now: Instant,
        connection: &mut Connection,
        plane: Plane,
        (kind, payload): (u8, Bytes),
    ) {
        match plane {
            Plane::Control => self.server.handle(now, &payload),
            Plane::Pty => {
                let Some(running) = &self.running else {
                    return;
                };
                // Of the types of this channel only this one means something.
                if kind == END_OF_INPUT && payload.is_empty() {
                    return running.terminal().close_input();
                }
                match running.terminal().write(payload) {
                    // What is typed at a program that just ended is nobody's loss.
                    Ok(()) | Err(Error::Ended) => {}
                    Err(error) => {
                        connection.error(now, error.code(), self.pty, &error.to_string());
                    }
                }
            }
            Plane::Stderr => {}
        }
    }

    /// Sends what the program wrote, and says how it ended once all of that is sent.
    pub(crate) fn pump(&mut self, now: Instant, connection: &mut Connection) {
        self.server.handle_timeout(now);
        let Some(running) = &mut self.running else {
            return;
        };
        running.pump(now, connection, self.pty, self.stderr);
        let Some(exit) = running.finished(connection, self.pty, self.stderr) else {
            return;
        };
        let status = ExitStatus {
            exit_code: exit.code,
            signal: exit.signal,
            signal_name: exit.signal_name().map(str::to_owned),
            core_dumped: exit.core_dumped.then_some(true),
            pty_bytes: Some(running.sent_bytes()),
            reason: None,
        };
        self.server.exit_status(now, status);
        self.flush(now, connection);
        // Dropping it ends what the program left behind.
        self.running = None;
        for channel in [self.pty, self.stderr].into_iter().flatten() {
            connection.close_channel(now, channel, "the program ended");
        }
    }

    /// Waits until the program wrote something that can be sent, or ended; cancel-safe.
    pub(crate) async fn ready(&self) {
        match &self.running {
            Some(running) => running.ready().await,
            None => std::future::pending().await,
        }
    }

    /// Does what the client asked for; returns why the terminal is over, once it is.
    pub(crate) fn work(
        &mut self,
        now: Instant,
        connection: &mut Connection,
        daemon: &Daemon,
        origin: Origin,
        identity: &mut Option<Identity>,
    ) -> Option<String> {
        let mut over = None;
        while let Some(event) = self.server.poll_event() {
            match event {
                Event::Authenticate(request) => {
                    let response = authenticate(now, daemon, origin, identity, &request);
                    self.server.auth_result(now, response);
                }
                Event::PtyRequested(request) => self.grant_pty(now, daemon, request),
                Event::EnvSet(environment) => self.variables.extend(environment.0),
                Event::Shell(request) => self.start_shell(now, daemon, request),
                Event::Exec(request) => self.start_program(now, daemon, request),
                Event::Resize(size) => self.resize(now, size),
                Event::Signal(signal) => self.signal(now, signal),
                Event::PeerError(error) => {
                    tracing::debug!(code = %error.code, "the client's terminal reports an error");
                }
                // Neither is offered to clients.
                Event::Attached | Event::KeyEvent(_) => {}
                Event::Closed { code, reason } => {
                    tracing::debug!(%code, reason, "a terminal is over");
                    over = Some(reason);
                }
            }
        }
        self.flush(now, connection);
        over
    }

    /// Closes all channels; the program ends with the terminal.
    pub(crate) fn close_channels(&self, now: Instant, connection: &mut Connection, reason: &str) {
        let channels = [self.pty, self.stderr, Some(self.control)];
        for channel in channels.into_iter().flatten() {
            connection.close_channel(now, channel, reason);
        }
    }

    /// Sends what the state machine has to say, as far as the client takes it.
    fn flush(&mut self, now: Instant, connection: &mut Connection) {
        while connection.queued_bytes(self.control) < CONTROL_BYTES {
            let Some(payload) = self.server.poll_transmit() else {
                return;
            };
            if let Err(error) = connection.send(now, self.control, MESSAGE, payload) {
                tracing::debug!(%error, "a terminal's message was not sent");
                return;
            }
        }
    }

    fn grant_pty(&mut self, now: Instant, daemon: &Daemon, request: PtyRequest) {
        if request.attach.is_some() {
            let denial = Denial::new(
                Code::NO_SUCH_TERMINAL,
                "there is no such terminal to attach to",
            );
            return self.server.pty_response(now, PtyResponse::Denied(denial));
        }
        let grant = PtyGrant {
            channel: self.name.sibling(Plane::Pty).to_string(),
            terminal_id: Some(daemon.terminals.next_id()),
            rows: request.size.map(|size| size.rows),
            cols: request.size.map(|size| size.cols),
            readonly: false,
            attached: false,
        };
        self.request = Some(request);
        self.server.pty_response(now, PtyResponse::Granted(grant));
    }

    fn start_shell(&mut self, now: Instant, daemon: &Daemon, request: ShellRequest) {
        let command = Command::Shell {
            shell: request.shell.map(PathBuf::from),
            login: request.login,
        };
        self.start(now, daemon, command, request.cwd);
    }

    fn start_program(&mut self, now: Instant, daemon: &Daemon, request: ExecRequest) {
        let command = match request.command {
            ExecCommand::Line(line) => Command::Line(line),
            ExecCommand::Argv(argv) => Command::Program(argv),
        };
        self.start(now, daemon, command, request.cwd);
    }

    fn start(&mut self, now: Instant, daemon: &Daemon, command: Command, cwd: Option<String>) {
        let truecolor = self
            .server
            .selected()
            .and_then(|selected| selected.terminal.as_ref());
        let truecolor = truecolor.and_then(|terminal| terminal.truecolor) == Some(true);
        let pty = self
            .request
            .as_ref()
            .and_then(|request| pty_spec(request, truecolor));
        let program = Program {
            command,
            pty,
            stderr: match self.stderr {
                Some(_) => StderrTo::Own,
                None => StderrTo::Output,
            },
            env: daemon
                .terminals
                .environment(std::mem::take(&mut self.variables)),
            cwd: cwd.map(PathBuf::from),
        };
        let response = match daemon.terminals.spawn(program) {
            Ok(terminal) => {
                let pid = Some(terminal.pid());
                tracing::info!(pid, "a program was started in a terminal");
                self.running = Some(Running::new(terminal));
                StartResponse::Started { pid }
            }
            Err(error) => {
                tracing::debug!(code = %error.code(), "a program was not started");
                StartResponse::Denied(Denial::new(error.code(), error.to_string()))
            }
        };
        self.server.start_response(now, response);
    }

    fn resize(&mut self, now: Instant, size: WindowSize) {
        if let Some(request) = &mut self.request {
            request.size = Some(size);
        }
        let terminal = self.running.as_ref().map(Running::terminal);
        if let Some(Err(error)) = terminal.map(|terminal| terminal.resize(pty_size(size))) {
            self.server
                .error(now, ErrorMessage::new(error.code(), error.to_string()));
        }
    }

    fn signal(&mut self, now: Instant, signal: u8) {
        let terminal: Option<&Arc<Terminal>> = self.running.as_ref().map(Running::terminal);
        if let Some(Err(error)) = terminal.map(|terminal| terminal.signal(signal)) {
            self.server.error(
                now,
                ErrorMessage::new(Code::SIGNAL_FAILED, error.to_string()),
            );
        }
    }
}

/// Decides about an AUTH_REQUEST.
fn authenticate(
    now: Instant,
    daemon: &Daemon,
    origin: Origin,
    identity: &mut Option<Identity>,
    request: &AuthRequest,
) -> AuthResponse {
    let proved = match &request.method {
        AuthMethod::Inherit | AuthMethod::None => identity.clone().ok_or(Refused::Wrong),
        AuthMethod::Token(token) => daemon.auth.token(now, origin.source, token),
        _ => Err(Refused::Wrong),
    };
    // Programs run as one user only; asking for another is asking for what is not there.
    let foreign = request
        .user
        .as_ref()
        .is_some_and(|user| user != daemon.terminals.user());
    match proved {
        Ok(proved) if !foreign => {
            let user = proved.user.to_string();
            *identity = Some(proved);
            AuthResponse::Success { user }
        }
        Ok(_) => failure(
            identity.as_ref(),
            Code::AUTH_FAILED,
            "only the user of the server can log in",
        ),
        Err(refused) => {
            let (code, reason) = refusal(refused);
            failure(identity.as_ref(), code, reason)
        }
    }
}

fn failure(identity: Option<&Identity>, code: Code, reason: &str) -> AuthResponse {
    let inherit = identity.map(|_| "inherit".to_owned());
    AuthResponse::Failure {
        methods: inherit.into_iter().chain(["token".to_owned()]).collect(),
        code,
        reason: Some(reason.to_owned()),
    }
}

fn pty_spec(request: &PtyRequest, truecolor: bool) -> Option<PtySpec> {
    Some(PtySpec {
        kind: TermKind {
            term: request
                .term
                .clone()
                .unwrap_or_else(|| PtyRequest::DEFAULT_TERM.to_owned()),
            truecolor,
        },
        size: pty_size(request.size?),
        modes: request.modes.clone(),
    })
}

const fn pty_size(size: WindowSize) -> PtySize {
    PtySize {
        rows: size.rows,
        cols: size.cols,
        px_w: size.pixel_width,
        px_h: size.pixel_height,
    }
}

/// The mux type of everything that is no end of input.
pub(crate) const MESSAGE: u8 = 0;

/// The mux type that ends what a program on pipes reads.
const END_OF_INPUT: u8 = 2;

/// With more than this waiting for the client, the state machine waits too.
const CONTROL_BYTES: usize = 64 * 1024;
