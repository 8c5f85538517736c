//! A terminal at the other end of a raw client.

use std::time::Instant;

use bytes::Bytes;
use vroom_protocol::terminal::{
    AuthRequest, Capabilities, Challenge, Client as State, ClientConfig, ClientEvent, ExecRequest,
    ExitStatus, Extensions, PtyGrant, PtyMessage, PtyMode, PtyRequest, ShareAction, ShareRequest,
    ShareState, ShellRequest, WindowSize,
};
use vroom_protocol::{ChannelId, Code, Event};
use vroom_transport::{LinkRx, LinkTx};

use crate::client::Client;

/// A terminal of a client.
pub(crate) struct Terminal {
    state: State,
    control: ChannelId,
    pty: Option<ChannelId>,
    suffix: String,
    /// All that came on the channel for output.
    pub(crate) output: Vec<u8>,
    exit: Option<ExitStatus>,
    /// What the server said about the terminal.
    pub(crate) granted: Option<PtyGrant>,
    pub(crate) denied: Option<Code>,
    pub(crate) mode: Option<PtyMode>,
    pub(crate) size: Option<WindowSize>,
    pub(crate) share: Option<ShareState>,
    pub(crate) errors: Vec<Code>,
    pub(crate) challenge: Option<Challenge>,
    shares: u64,
    over: bool,
    /// The screens that were sent, each with where the output continues it.
    pub(crate) screens: Vec<(u64, Vec<u8>)>,
    /// How much of the output was parsed; acknowledged where that was agreed on.
    pub(crate) parsed: u64,
    /// How much of what was typed has arrived.
    pub(crate) arrived: u64,
    flow: bool,
    /// Whether what comes is acknowledged.
    pub(crate) acknowledges: bool,
    failed: Option<Code>,
    authenticated: bool,
    selected: bool,
    started: bool,
}

impl Terminal {
    /// Opens one and comes as far as to be allowed in.
    pub(crate) async fn open(
        client: &mut Client<impl LinkRx, impl LinkTx>,
        suffix: &str,
        auth: AuthRequest,
    ) -> Result<Self, Code> {
        let mut terminal = Self::start(client, suffix).await?;
        terminal.authenticate(client, auth).await?;
        Ok(terminal)
    }

    /// Opens one and comes as far as to be asked for credentials.
    pub(crate) async fn start(
        client: &mut Client<impl LinkRx, impl LinkTx>,
        suffix: &str,
    ) -> Result<Self, Code> {
        Self::start_with(client, suffix, ClientConfig::default()).await
    }

    /// The same with something to offer.
    pub(crate) async fn start_with(
        client: &mut Client<impl LinkRx, impl LinkTx>,
        suffix: &str,
        config: ClientConfig,
    ) -> Result<Self, Code> {
        let control = client
            .open(&format!("vroom.terminal.control{suffix}"))
            .await?;
        let extensions = config.capabilities.extensions();
        let mut terminal = Self {
            flow: extensions.flow_control == Some(true),
            acknowledges: true,
            denied: None,
            mode: None,
            size: None,
            share: None,
            errors: Vec::new(),
            challenge: None,
            over: false,
            shares: 0,
            screens: Vec::new(),
            parsed: 0,
            arrived: 0,
            state: State::new(config, Instant::now()),
            control,
            pty: None,
            suffix: suffix.to_owned(),
            output: Vec::new(),
            exit: None,
            granted: None,
            failed: None,
            authenticated: false,
            selected: false,
            started: false,
        };
        terminal.until(client, |terminal| terminal.selected).await;
        Ok(terminal)
    }

    /// Shows credentials and waits for the verdict.
    pub(crate) async fn authenticate(
        &mut self,
        client: &mut Client<impl LinkRx, impl LinkTx>,
        auth: AuthRequest,
    ) -> Result<(), Code> {
        self.state.authenticate(Instant::now(), auth).unwrap();
        self.until(client, |terminal| {
            terminal.authenticated || terminal.failed.is_some()
        })
        .await;
        self.failed.map_or(Ok(()), Err)
    }

    /// Asks what to sign.
    pub(crate) async fn challenge(
        &mut self,
        client: &mut Client<impl LinkRx, impl LinkTx>,
        auth: AuthRequest,
    ) -> Bytes {
        self.challenge = None;
        self.state.authenticate(Instant::now(), auth).unwrap();
        self.until(client, |terminal| terminal.challenge.is_some())
            .await;
        match self.challenge.take() {
            Some(Challenge::Nonce(nonce)) => nonce,
            other => panic!("{other:?}"),
        }
    }

    /// One with flow control and sharing, whose connection is authenticated.
    pub(crate) async fn flowing(
        client: &mut Client<impl LinkRx, impl LinkTx>,
        suffix: &str,
    ) -> Self {
        let mut capabilities = Capabilities::transparent();
        capabilities.extensions = Some(Extensions {
            flow_control: Some(true),
            sharing: Some(true),
            ..Extensions::default()
        });
        if let Some(keyboard) = capabilities
            .kitty
            .as_mut()
            .and_then(|kitty| kitty.keyboard.as_mut())
        {
            keyboard.preferred_level = Some(3);
        }
        let config = ClientConfig {
            capabilities,
            ..ClientConfig::default()
        };
        let mut terminal = Self::start_with(client, suffix, config).await.unwrap();
        terminal
            .authenticate(client, AuthRequest::INHERIT)
            .await
            .unwrap();
        terminal
    }

    /// Joins a terminal that is there, and opens its channel.
    pub(crate) async fn attach(
        &mut self,
        client: &mut Client<impl LinkRx, impl LinkTx>,
        id: &str,
    ) -> Result<(), Code> {
        let request = PtyRequest {
            attach: Some(id.to_owned()),
            ..PtyRequest::default()
        };
        self.attach_as(client, request).await
    }

    /// The same with wishes.
    pub(crate) async fn attach_as(
        &mut self,
        client: &mut Client<impl LinkRx, impl LinkTx>,
        request: PtyRequest,
    ) -> Result<(), Code> {
        self.ask(client, request).await?;
        let granted = self.granted.clone().unwrap();
        self.parsed = granted.offset.unwrap_or_default();
        self.open_pty(client).await;
        Ok(())
    }

    /// Waits until the newest screen shows this.
    pub(crate) async fn shows(
        &mut self,
        client: &mut Client<impl LinkRx, impl LinkTx>,
        text: &str,
    ) {
        let text = text.as_bytes();
        self.until(client, |terminal| {
            let screen = terminal.screens.last();
            screen.is_some_and(|(_, body)| body.windows(text.len()).any(|window| window == text))
        })
        .await;
    }

    /// What the server called the terminal.
    pub(crate) fn id(&self) -> String {
        let granted = self
            .granted
            .as_ref()
            .and_then(|granted| granted.terminal_id.clone());
        granted.expect("a terminal's id")
    }

    /// The same for one whose connection is authenticated.
    pub(crate) async fn inherit(
        client: &mut Client<impl LinkRx, impl LinkTx>,
        suffix: &str,
    ) -> Self {
        Self::open(client, suffix, AuthRequest::INHERIT)
            .await
            .unwrap()
    }

    /// Asks for a PTY of 24 rows and 80 columns and opens its channel.
    pub(crate) async fn allocate(&mut self, client: &mut Client<impl LinkRx, impl LinkTx>) {
        self.allocate_as(client, PtyRequest::default()).await;
    }

    /// The same with wishes.
    pub(crate) async fn allocate_as(
        &mut self,
        client: &mut Client<impl LinkRx, impl LinkTx>,
        request: PtyRequest,
    ) {
        self.ask(client, request).await.unwrap();
        let name = self.granted.clone().unwrap().channel;
        assert_eq!(name, format!("vroom.terminal.pty{}", self.suffix));
        self.open_pty(client).await;
    }

    /// Asks for a PTY.
    pub(crate) async fn ask(
        &mut self,
        client: &mut Client<impl LinkRx, impl LinkTx>,
        request: PtyRequest,
    ) -> Result<(), Code> {
        let request = PtyRequest {
            size: request.size.or(Some(WindowSize::new(24, 80))),
            ..request
        };
        self.state.request_pty(Instant::now(), request).unwrap();
        self.until(client, |terminal| {
            terminal.granted.is_some() || terminal.denied.is_some()
        })
        .await;
        self.denied.map_or(Ok(()), Err)
    }

    async fn open_pty(&mut self, client: &mut Client<impl LinkRx, impl LinkTx>) {
        let name = format!("vroom.terminal.pty{}", self.suffix);
        self.flush(client).await;
        self.pty = Some(client.open(&name).await.unwrap());
        self.state.handle_pty_channel_opened(Instant::now());
    }

    /// Runs a command line on the PTY.
    pub(crate) async fn exec(&mut self, client: &mut Client<impl LinkRx, impl LinkTx>, line: &str) {
        let request = ExecRequest {
            want_reply: true,
            ..ExecRequest::line(line)
        };
        self.state.exec(Instant::now(), request).unwrap();
        if self.pty.is_none() {
            self.open_pty(client).await;
        }
        self.until(client, |terminal| {
            terminal.started || terminal.exit.is_some()
        })
        .await;
    }

    /// Runs the user's shell on the PTY.
    pub(crate) async fn shell(&mut self, client: &mut Client<impl LinkRx, impl LinkTx>) {
        let request = ShellRequest {
            want_reply: true,
            ..ShellRequest::default()
        };
        self.state.shell(Instant::now(), request).unwrap();
        self.until(client, |terminal| terminal.started).await;
    }

    /// Types bytes.
    pub(crate) async fn write(&self, client: &mut Client<impl LinkRx, impl LinkTx>, bytes: &[u8]) {
        let channel = self.pty.expect("an open PTY");
        client
            .send(channel, (0, Bytes::copy_from_slice(bytes)))
            .await;
    }

    /// Ends what a program on pipes reads.
    pub(crate) async fn end_input(&self, client: &mut Client<impl LinkRx, impl LinkTx>) {
        let channel = self.pty.expect("an open PTY");
        client.send(channel, (2, Bytes::new())).await;
    }

    /// Changes the size.
    pub(crate) async fn resize(
        &mut self,
        client: &mut Client<impl LinkRx, impl LinkTx>,
        size: WindowSize,
    ) {
        self.state.resize(Instant::now(), size).unwrap();
        self.flush(client).await;
    }

    /// Sends a signal.
    pub(crate) async fn signal(
        &mut self,
        client: &mut Client<impl LinkRx, impl LinkTx>,
        signal: u8,
    ) {
        self.state.signal(Instant::now(), signal).unwrap();
        self.flush(client).await;
    }

    /// Waits until the program has said this.
    pub(crate) async fn says(&mut self, client: &mut Client<impl LinkRx, impl LinkTx>, text: &str) {
        let text = text.as_bytes();
        self.until(client, |terminal| {
            terminal
                .output
                .windows(text.len())
                .any(|window| window == text)
        })
        .await;
    }

    /// Waits until the program has ended and all of its output is here.
    pub(crate) async fn exit(
        &mut self,
        client: &mut Client<impl LinkRx, impl LinkTx>,
    ) -> ExitStatus {
        self.until(client, |terminal| terminal.exit.is_some()).await;
        let exit = self.exit.clone().unwrap();
        if self.flow {
            assert_eq!(exit.offset, Some(self.parsed), "all output came before");
        } else {
            let sent = Some(self.output.len() as u64);
            assert_eq!(exit.pty_bytes, sent, "all output came before");
        }
        exit
    }

    /// Works on what comes until something is so.
    pub(crate) async fn until(
        &mut self,
        client: &mut Client<impl LinkRx, impl LinkTx>,
        is_so: impl Fn(&Self) -> bool,
    ) {
        loop {
            self.flush(client).await;
            if is_so(self) {
                return;
            }
            let (control, pty) = (self.control, self.pty);
            let message = client.find("a terminal's message", |event| match event {
                Event::Message {
                    channel,
                    kind,
                    payload,
                } if *channel == control || Some(*channel) == pty => {
                    Some((*channel, *kind, payload.clone()))
                }
                _ => None,
            });
            let (channel, kind, payload) = message.await;
            if channel == control {
                self.state.handle(Instant::now(), &payload);
            } else if self.flow {
                self.receive(client, channel, kind, payload).await;
            } else {
                self.output.extend_from_slice(&payload);
            }
        }
    }

    /// Takes a message where flow control was agreed on.
    async fn receive(
        &mut self,
        client: &mut Client<impl LinkRx, impl LinkTx>,
        channel: ChannelId,
        kind: u8,
        payload: Bytes,
    ) {
        match PtyMessage::decode(kind, payload).unwrap() {
            PtyMessage::Bytes(bytes) => {
                self.parsed += bytes.len() as u64;
                self.output.extend_from_slice(&bytes);
            }
            PtyMessage::Repaint {
                offset,
                compressed: false,
                body,
                ..
            } => {
                self.parsed = offset;
                self.screens.push((offset, body.to_vec()));
            }
            PtyMessage::Ack(offset) => {
                self.arrived = offset;
                return;
            }
            other => panic!("{other:?}"),
        }
        if self.acknowledges {
            let message = PtyMessage::Ack(self.parsed).encode();
            client.send(channel, message).await;
        }
    }

    /// Sends a SHARE and waits for the answer to it.
    pub(crate) async fn share(
        &mut self,
        client: &mut Client<impl LinkRx, impl LinkTx>,
        action: ShareAction,
    ) -> ShareState {
        self.shares += 1;
        let id = Some(self.shares);
        let request = ShareRequest { action, id };
        self.state.share(Instant::now(), request).unwrap();
        self.until(client, |terminal| {
            let share = terminal.share.as_ref();
            share.is_some_and(|share| share.reference == id)
        })
        .await;
        self.share.clone().unwrap()
    }

    /// Waits for a SHARE_STATE like this.
    pub(crate) async fn share_state(
        &mut self,
        client: &mut Client<impl LinkRx, impl LinkTx>,
        is_it: impl Fn(&ShareState) -> bool,
    ) {
        self.until(client, |terminal| {
            terminal.share.as_ref().is_some_and(&is_it)
        })
        .await;
    }

    /// Waits until the server said that something is wrong.
    pub(crate) async fn error(
        &mut self,
        client: &mut Client<impl LinkRx, impl LinkTx>,
        code: Code,
    ) {
        self.until(client, |terminal| terminal.errors.contains(&code))
            .await;
    }

    async fn flush(&mut self, client: &mut Client<impl LinkRx, impl LinkTx>) {
        while let Some(event) = self.state.poll_event() {
            match event {
                ClientEvent::Selected(_) => self.selected = true,
                ClientEvent::Authenticated { .. } => self.authenticated = true,
                ClientEvent::AuthFailed { .. } => self.failed = Some(Code::AUTH_FAILED),
                ClientEvent::PtyGranted(grant) => self.granted = Some(grant),
                ClientEvent::Started { .. } => self.started = true,
                ClientEvent::Exited(exit) => self.exit = Some(exit),
                ClientEvent::StartDenied(_) => {}
                ClientEvent::PtyDenied(denial) => self.denied = Some(denial.code),
                ClientEvent::PtyMode(mode) => self.mode = Some(mode),
                ClientEvent::WindowSize(size) => self.size = Some(size),
                ClientEvent::ShareState(share) => self.share = Some(share),
                ClientEvent::PeerError(error) => self.errors.push(error.code),
                ClientEvent::Challenged(challenge) => self.challenge = Some(challenge),
                ClientEvent::Closed { .. } => self.over = true,
            }
        }
        while let Some(payload) = self.state.poll_transmit() {
            client.send(self.control, (0, payload)).await;
        }
    }
}
