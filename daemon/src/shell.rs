//! One terminal of a connection: what is agreed on, and the program that runs.

use std::future::pending;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::sync::oneshot;
use vroom_protocol::graphical::Role;
use vroom_protocol::terminal::{
    AuthMethod, AuthRequest, AuthResponse, Capabilities, Challenge, ChannelName, Denial,
    ErrorMessage, Event, ExecCommand, Extensions, Plane, PtyGrant, PtyRequest, PtyResponse, Server,
    ServerOffer, Stage, StartResponse, WindowSize,
};
use vroom_protocol::{ChannelId, Code, Connection};
use vroom_terminal::{Command, Error, Meta, PtySize, PtySpec, StderrTo, TermKind};

use crate::attached::Attached;
use crate::auth::{Credential, Refused};
use crate::daemon::Daemon;
use crate::feed::{Begin, SKIPPED_MIN};
use crate::identity::Identity;
use crate::origin::Origin;
use crate::party::Party;
use crate::publickey::{self, Asked};
use crate::running::Running;
use crate::session::refusal;
use crate::terminals::{NAME_CHARS, Program};
use crate::token::Secret;

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
    /// Where the program finds the client's SSH agent.
    agent: Option<PathBuf>,
    /// A program on pipes.
    running: Option<Running>,
    /// A program on a terminal that is about to run.
    starting: Option<Starting>,
    /// What was typed before the program ran.
    early: Vec<(u8, Bytes)>,
    early_bytes: usize,
    /// A terminal that this client is at.
    attached: Option<Attached>,
    /// How it begins to be shown, and what the client was told about it.
    begin: Begin,
    grant: PtyGrant,
    /// What the client was asked to sign.
    asked: Option<Asked>,
    /// Until when channels stay open whose last bytes may have to be sent again.
    open_until: Option<Instant>,
}

/// A program on a terminal that is about to run.
#[derive(Debug)]
struct Starting {
    answer: oneshot::Receiver<Result<Arc<Party>, Error>>,
    came: Option<Result<Arc<Party>, Error>>,
}

impl Starting {
    /// Waits until it runs, or does not; cancel-safe.
    async fn ready(&mut self) {
        if self.came.is_some() {
            return pending().await;
        }
        let came = (&mut self.answer).await;
        self.came = Some(came.unwrap_or(Err(Error::Ended)));
    }
}

impl Shell {
    /// Starts one whose control channel was opened.
    pub(crate) fn new(
        now: Instant,
        control: ChannelId,
        name: ChannelName,
        auth_failures: u8,
    ) -> Self {
        let mut capabilities = Capabilities::transparent();
        capabilities.extensions = Some(Extensions {
            structured_keys: Some(true),
            reconnect: Some(true),
            zstd_compression: Some(true),
            flow_control: Some(true),
            sharing: Some(true),
        });
        let offer = ServerOffer {
            capabilities,
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
            agent: None,
            running: None,
            starting: None,
            early: Vec::new(),
            early_bytes: 0,
            attached: None,
            begin: Begin::Bytes(0),
            grant: PtyGrant::default(),
            asked: None,
            open_until: None,
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

    /// Whether there is anything to wait for.
    pub(crate) fn is_running(&self) -> bool {
        self.running.is_some() || self.starting.is_some() || self.attached.is_some()
    }

    /// When there is something to do even if nothing happens.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        let attached = self.attached.as_ref().and_then(Attached::deadline);
        let server = self.open_until.or(self.server.poll_timeout());
        server.into_iter().chain(attached).min()
    }

    /// The transport is lost: the program does not wait for this client.
    pub(crate) fn leave(&mut self) {
        if let Some(attached) = &self.attached {
            attached.leave();
        }
    }

    /// Another transport carries it from now on.
    pub(crate) fn come_back(&mut self) {
        if let Some(attached) = &mut self.attached {
            attached.come_back();
        }
        // What the client missed is sent again first.
        if let Some(until) = &mut self.open_until {
            *until = Instant::now() + LAST_BYTES;
        }
    }

    /// The client leaves on purpose, and what runs is to stay.
    pub(crate) fn detach(&self) {
        if let Some(attached) = &self.attached
            && attached.place().role() >= Role::Owner
        {
            attached.place().session().set_persist(true);
        }
    }

    /// Where a program that is started from now on finds the client's SSH agent.
    pub(crate) fn set_agent(&mut self, socket: Option<&Path>) {
        if self.agent.as_deref() != socket {
            self.agent = socket.map(Path::to_owned);
        }
    }

    /// One of the other channels is open.
    pub(crate) fn on_opened(&mut self, now: Instant, id: ChannelId, plane: Plane) {
        match plane {
            Plane::Pty => {
                self.pty = Some(id);
                self.server.handle_pty_channel_opened(now);
                if let Some(attached) = &mut self.attached {
                    attached.begin(now, id, self.server.selected(), self.begin);
                }
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
                // Whoever has no channel is not there.
                self.attached = None;
                self.starting = None;
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
                if let Some(attached) = &mut self.attached {
                    let message = (kind, payload);
                    return attached.on_message(now, connection, &mut self.server, message);
                }
                let Some(running) = &self.running else {
                    return self.keep_early(now, connection, (kind, payload));
                };
                // Of the types of this channel only this one means something.
                if kind == END_OF_INPUT && payload.is_empty() {
                    return running.program().close_input();
                }
                match running.program().write(payload) {
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

    /// Keeps what is typed at a program that does not run yet: it has it once it does.
    fn keep_early(&mut self, now: Instant, connection: &mut Connection, message: (u8, Bytes)) {
        if self.early_bytes + message.1.len() > EARLY_BYTES {
            let reason = "too much was typed before the program ran";
            return connection.error(now, Code::LIMIT_REACHED, self.pty, reason);
        }
        self.early_bytes += message.1.len() + MESSAGE_COST;
        self.early.push(message);
    }

    /// Sends what the program wrote, and says how it ended once all of that is sent.
    pub(crate) fn pump(
        &mut self,
        now: Instant,
        connection: &mut Connection,
        daemon: &Daemon,
        identity: Option<&Identity>,
    ) {
        let is_confirmed = connection
            .unacknowledged_bytes()
            .is_none_or(|bytes| bytes == 0);
        match self.open_until {
            Some(until) if is_confirmed || now >= until => {
                self.open_until = None;
                self.close_program_channels(now, connection);
            }
            // Closing a channel would forget what may have to be sent again.
            Some(_) => {}
            None => self.server.handle_timeout(now),
        }
        if let Some(came) = self.starting.as_mut().and_then(|start| start.came.take()) {
            self.starting = None;
            self.started(now, came, identity);
        }
        if !self.early.is_empty() && (self.attached.is_some() || self.running.is_some()) {
            self.early_bytes = 0;
            for message in std::mem::take(&mut self.early) {
                self.on_message(now, connection, Plane::Pty, message);
            }
        }
        let status = if let Some(attached) = &mut self.attached {
            attached.pump(now, connection, &mut self.server, &daemon.auth);
            attached.finished(connection)
        } else if let Some(running) = &mut self.running {
            running.pump(now, connection, self.pty, self.stderr);
            running.finished(connection, self.pty, self.stderr)
        } else {
            None
        };
        if let Some(status) = status {
            self.server.exit_status(now, status);
            self.flush(now, connection);
            // Letting go ends what a program on pipes left behind.
            self.running = None;
            if let Some(attached) = self.attached.take() {
                attached.set_seen();
            }
            match connection.unacknowledged_bytes() {
                None => self.close_program_channels(now, connection),
                Some(_) => self.open_until = Some(now + LAST_BYTES),
            }
        }
        self.flush(now, connection);
    }

    fn close_program_channels(&self, now: Instant, connection: &mut Connection) {
        for channel in [self.pty, self.stderr].into_iter().flatten() {
            connection.close_channel(now, channel, "the program ended");
        }
    }

    /// Waits until the program wrote something that can be sent, or ended; cancel-safe.
    pub(crate) async fn ready(&mut self) {
        if let Some(starting) = &mut self.starting {
            starting.ready().await;
        } else if let Some(attached) = &mut self.attached {
            attached.ready().await;
        } else if let Some(running) = &self.running {
            running.ready().await;
        } else {
            pending::<()>().await;
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
                    let asked = &mut self.asked;
                    let response = authenticate(now, daemon, origin, identity, asked, request);
                    self.server.auth_result(now, response);
                }
                Event::PtyRequested(request) => {
                    let response = match identity {
                        Some(identity) => self.grant_pty(now, daemon, identity, request),
                        None => Err((Code::NOT_ALLOWED, "not authenticated")),
                    };
                    let response = match response {
                        Ok(grant) => PtyResponse::Granted(grant),
                        Err((code, reason)) => PtyResponse::Denied(Denial::new(code, reason)),
                    };
                    self.server.pty_response(now, response);
                }
                Event::EnvSet(environment) => self.variables.extend(environment.0),
                Event::Shell(request) => {
                    let command = Command::Shell {
                        shell: request.shell.map(PathBuf::from),
                        login: request.login,
                    };
                    self.start(now, daemon, identity.as_ref(), command, request.cwd);
                }
                Event::Exec(request) => {
                    let command = match request.command {
                        ExecCommand::Line(line) => Command::Line(line),
                        ExecCommand::Argv(argv) => Command::Program(argv),
                    };
                    self.start(now, daemon, identity.as_ref(), command, request.cwd);
                }
                Event::Resize(size) => self.resize(size),
                Event::Signal(signal) => self.signal(now, signal),
                Event::PeerError(error) => {
                    tracing::debug!(code = %error.code, "the client's terminal reports an error");
                }
                // It is shown since its channel was opened.
                Event::Attached => {}
                Event::KeyEvent(event) => {
                    if let Some(attached) = &mut self.attached {
                        attached.on_key(now, &mut self.server, &event);
                    }
                }
                Event::Share(request) => {
                    if let Some(attached) = &mut self.attached {
                        attached.share(now, &mut self.server, &daemon.auth, request);
                    }
                }
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

    /// Decides about a terminal that is asked for: a new one, or one to join.
    fn grant_pty(
        &mut self,
        now: Instant,
        daemon: &Daemon,
        identity: &Identity,
        request: PtyRequest,
    ) -> Result<PtyGrant, (Code, &'static str)> {
        let channel = self.name.sibling(Plane::Pty).to_string();
        let grant = if let Some(id) = &request.attach {
            self.join(now, daemon, identity, id, &request)?
        } else {
            if !identity.may_start() || !identity.may_have_pty() {
                return Err((Code::NOT_ALLOWED, "these credentials give no terminal"));
            }
            PtyGrant {
                terminal_id: Some(daemon.terminals.next_id(&identity.user)?),
                rows: request.size.map(|size| size.rows),
                cols: request.size.map(|size| size.cols),
                offset: Some(0),
                input_offset: Some(0),
                name: name_of(&request),
                role: Some(identity.role),
                ..PtyGrant::default()
            }
        };
        self.request = Some(request);
        self.grant = PtyGrant { channel, ..grant };
        Ok(self.grant.clone())
    }

    /// Sits down at a terminal that is there already.
    // VROOM-Terminal §5.7: a tail of bytes where that is short and still kept, else the screen.
    fn join(
        &mut self,
        now: Instant,
        daemon: &Daemon,
        identity: &Identity,
        id: &str,
        request: &PtyRequest,
    ) -> Result<PtyGrant, (Code, &'static str)> {
        let unknown = (Code::NO_SUCH_TERMINAL, "there is no such terminal");
        let (party, role) = daemon.terminals.find(identity, id).ok_or(unknown)?;
        let role = if request.readonly { Role::Viewer } else { role };
        let size = request.size.map(pty_size);
        let full = (Code::LIMIT_REACHED, "too many are at that terminal");
        let place = party.join(identity, role, size).ok_or(full)?;
        let session = Arc::clone(place.session());
        let attached = Attached::new(place, self.writer(request), self.has_flow());
        let (first, end) = (session.history().first(), session.history().end());
        let tail = request.have.filter(|have| {
            self.has_flow()
                && self.sees_everything()
                && (first..=end).contains(have)
                && end - have <= SKIPPED_MIN
        });
        self.begin = match tail {
            Some(have) => Begin::Bytes(have),
            None => Begin::Screen {
                lines: request.scrollback,
                from: end,
            },
        };
        tracing::debug!(id = session.id(), at = ?now, "a terminal was joined");
        let (meta, size) = (session.meta(), session.size());
        let grant = PtyGrant {
            terminal_id: Some(meta.id),
            rows: Some(size.rows),
            cols: Some(size.cols),
            readonly: role < Role::Operator,
            attached: true,
            offset: Some(tail.unwrap_or(end)),
            input_offset: Some(attached.typed()),
            name: meta.name,
            role: Some(role),
            ..PtyGrant::default()
        };
        self.attached = Some(attached);
        Ok(grant)
    }

    fn start(
        &mut self,
        now: Instant,
        daemon: &Daemon,
        identity: Option<&Identity>,
        command: Command,
        cwd: Option<String>,
    ) {
        let Some(identity) = identity.filter(|identity| identity.may_start()) else {
            let denial = Denial::new(Code::NOT_ALLOWED, "these credentials start nothing");
            return self
                .server
                .start_response(now, StartResponse::Denied(denial));
        };
        let mut variables = std::mem::take(&mut self.variables);
        let (asked, command) = forced(identity, command);
        let truecolor = self.announce_program(&mut variables);
        let pty = self
            .request
            .as_ref()
            .and_then(|request| pty_spec(request, truecolor));
        let shown = shown(&command);
        let mut env = daemon.terminals.environment(variables);
        if let Some(asked) = asked {
            env.vars.insert("SSH_ORIGINAL_COMMAND".into(), asked.into());
        }
        if let Some(socket) = &self.agent {
            env.vars.insert("SSH_AUTH_SOCK".into(), socket.into());
        }
        let program = Program {
            command,
            stderr: match self.stderr {
                Some(_) => StderrTo::Own,
                None => StderrTo::Output,
            },
            env,
            cwd: cwd.map(PathBuf::from),
            pty,
        };
        if program.pty.is_some() {
            self.starting = Some(self.launch(daemon, identity, program, shown));
            return;
        }
        let response = match daemon.terminals.spawn(program) {
            Ok(piped) => {
                let pid = Some(piped.pid());
                tracing::info!(pid, "a program was started on pipes");
                self.running = Some(Running::new(piped));
                StartResponse::Started { pid }
            }
            Err(error) => not_started(&error),
        };
        self.server.start_response(now, response);
    }

    /// Starts a program under a holder of its own, which takes a moment.
    fn launch(
        &self,
        daemon: &Daemon,
        identity: &Identity,
        program: Program,
        shown: String,
    ) -> Starting {
        let request = self.request.as_ref();
        let meta = Meta {
            name: self.grant.name.clone(),
            persist: request.is_some_and(|request| request.persist),
            owner: identity.user.to_string(),
            command: shown,
            ..Meta::new(self.grant.terminal_id.clone().unwrap_or_default())
        };
        let (terminals, auth) = (Arc::clone(&daemon.terminals), Arc::clone(&daemon.auth));
        let (sender, answer) = oneshot::channel();
        tokio::spawn(async move {
            let started = terminals.start(&auth, program, meta).await;
            if let Err(Ok(party)) = sender.send(started) {
                party.end("its client is gone");
            }
        });
        Starting { answer, came: None }
    }

    /// The program runs, or does not.
    fn started(
        &mut self,
        now: Instant,
        came: Result<Arc<Party>, Error>,
        identity: Option<&Identity>,
    ) {
        let response = match came {
            Ok(party) => match identity.zip(self.pty) {
                Some((identity, channel)) => self.sit_down(now, &party, identity, channel),
                None => {
                    party.end("its client is gone");
                    not_started(&Error::Ended)
                }
            },
            Err(error) => not_started(&error),
        };
        self.server.start_response(now, response);
    }

    fn sit_down(
        &mut self,
        now: Instant,
        party: &Arc<Party>,
        identity: &Identity,
        channel: ChannelId,
    ) -> StartResponse {
        let pid = Some(party.session().pid());
        tracing::info!(pid, "a program was started in a terminal");
        let request = self.request.clone().unwrap_or_default();
        let size = request.size.map(pty_size);
        if let Some(place) = party.join(identity, identity.role, size) {
            let mut attached = Attached::new(place, self.writer(&request), self.has_flow());
            attached.begin(now, channel, self.server.selected(), Begin::Bytes(0));
            self.attached = Some(attached);
        }
        StartResponse::Started { pid }
    }

    /// What the client's input is called: by itself, or so that it is like no other.
    fn writer(&self, request: &PtyRequest) -> String {
        let own = request.writer.as_ref().filter(|_| self.has_flow());
        match own {
            Some(writer) => writer.as_str().to_owned(),
            None => Secret::random().map_or_else(
                |_| "anonymous".to_owned(),
                |secret| secret.reveal().to_owned(),
            ),
        }
    }

    fn has_flow(&self) -> bool {
        let selected = self.server.selected();
        selected.is_some_and(|selected| selected.extensions().flow_control == Some(true))
    }

    /// Whether nothing is taken out of what this client is shown, so that its offsets are ours.
    fn sees_everything(&self) -> bool {
        let selected = self.server.selected();
        selected.is_some_and(|selected| {
            let kitty = selected.kitty.as_ref();
            kitty.is_some_and(|kitty| kitty.graphics == Some(true) && kitty.sixel == Some(true))
                && selected.keyboard_level() >= 3
        })
    }

    /// Tells the program which terminal shows it, as far as it was agreed on; says whether in all
    /// colours.
    fn announce_program(&self, variables: &mut Vec<(String, String)>) -> bool {
        let selected = self.server.selected();
        let terminal = selected.and_then(|selected| selected.terminal.as_ref());
        let truecolor = terminal.and_then(|terminal| terminal.truecolor) == Some(true);
        if !truecolor {
            variables.retain(|(name, _)| name != "COLORTERM");
        }
        let is_told = variables.iter().any(|(name, _)| name == "TERM_PROGRAM");
        if let Some(name) = terminal.and_then(|terminal| terminal.name.clone())
            && !is_told
        {
            variables.push(("TERM_PROGRAM".to_owned(), name));
        }
        truecolor
    }

    fn resize(&mut self, size: WindowSize) {
        if let Some(request) = &mut self.request {
            request.size = Some(size);
        }
        if let Some(attached) = &self.attached {
            attached.resize(pty_size(size));
        }
    }

    fn signal(&mut self, now: Instant, signal: u8) {
        let sent = if let Some(attached) = &self.attached {
            attached.signal(now, signal)
        } else if let Some(running) = &self.running {
            let sent = running.program().signal(signal);
            sent.map_err(|error| (Code::SIGNAL_FAILED, error.to_string()))
        } else {
            Ok(())
        };
        if let Err((code, reason)) = sent {
            self.server.error(now, ErrorMessage::new(code, reason));
        }
    }
}

/// What runs whatever was asked for, and what that was; or just what was asked for.
fn forced(identity: &Identity, command: Command) -> (Option<String>, Command) {
    match identity.forced_command() {
        None => (None, command),
        Some(forced) => {
            let asked = match command {
                Command::Line(line) => Some(line),
                Command::Program(argv) => Some(argv.join(" ")),
                Command::Shell { .. } => None,
            };
            (asked, Command::Line(forced.to_owned()))
        }
    }
}

/// A command as lists show it.
fn shown(command: &Command) -> String {
    match command {
        Command::Line(line) => line.clone(),
        Command::Program(argv) => argv.join(" "),
        Command::Shell { .. } => String::new(),
    }
}

fn not_started(error: &Error) -> StartResponse {
    tracing::debug!(code = %error.code(), "a program was not started");
    StartResponse::Denied(Denial::new(error.code(), error.to_string()))
}

/// The name that somebody asks for, as far as it can be one.
fn name_of(request: &PtyRequest) -> Option<String> {
    let name = request.name.as_deref()?;
    let name: String = name
        .chars()
        .filter(|c| !c.is_control())
        .take(NAME_CHARS)
        .collect();
    (!name.is_empty()).then_some(name)
}

/// Decides about an AUTH_REQUEST.
fn authenticate(
    now: Instant,
    daemon: &Daemon,
    origin: Origin,
    identity: &mut Option<Identity>,
    asked: &mut Option<Asked>,
    request: AuthRequest,
) -> AuthResponse {
    let user = request.user.as_deref().unwrap_or(daemon.terminals.user());
    // Whatever comes next, what was asked before is void.
    let before = asked.take();
    let source = origin.source;
    let proved = match request.method {
        AuthMethod::Inherit | AuthMethod::None => identity.clone().ok_or(Refused::Wrong),
        AuthMethod::Token(token) => daemon.auth.token(now, source, &token),
        AuthMethod::Pairing(code) => daemon.auth.check(now, source, Credential::Code(&code)),
        AuthMethod::PublicKey {
            algorithm,
            key,
            proof: None,
        } => match Asked::new(algorithm, key) {
            Ok(question) => {
                let nonce = question.nonce();
                *asked = Some(question);
                return AuthResponse::Continue(Challenge::Nonce(nonce));
            }
            Err(_) => Err(Refused::Wrong),
        },
        AuthMethod::PublicKey {
            algorithm,
            key,
            proof: Some(proof),
        } => {
            let (about, signed) = ((&*algorithm, &*key), (user, &proof));
            publickey::verify(now, daemon, origin, before, about, signed)
        }
        _ => Err(Refused::Wrong),
    };
    // Programs run as one user only; asking for another is asking for what is not there. Whoever came
    // by a link is nobody here, and asks for nobody.
    let is_guest = proved.as_ref().is_ok_and(|proved| proved.link().is_some());
    let foreign = match &request.user {
        Some(user) => is_guest || user != daemon.terminals.user(),
        None => false,
    };
    match proved {
        Ok(proved) if !foreign => {
            let user = proved.user.to_string();
            // Proving to be somebody never widens what a link opened.
            if identity.as_ref().is_none_or(|known| known.link().is_none()) {
                *identity = Some(proved);
            }
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
    let inherit = identity.map(|_| "inherit");
    let methods = inherit.into_iter().chain(["publickey", "token", "pairing"]);
    AuthResponse::Failure {
        methods: methods.map(str::to_owned).collect(),
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

/// What may be typed before the program runs, as much as a client keeps; more is refused and told.
const EARLY_BYTES: usize = 256 * 1024;

/// What a message that waits costs besides its bytes.
const MESSAGE_COST: usize = 64;

/// How long a client may take to confirm the last bytes of a program; then its channels are closed.
const LAST_BYTES: Duration = Duration::from_secs(10);
