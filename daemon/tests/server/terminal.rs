//! A terminal at the other end of a raw client.

use std::time::Instant;

use bytes::Bytes;
use vroom_protocol::terminal::{
    AuthRequest, Client as State, ClientConfig, ClientEvent, ExecRequest, ExitStatus, PtyRequest,
    ShellRequest, WindowSize,
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
    granted: Option<String>,
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
        let control = client
            .open(&format!("vroom.terminal.control{suffix}"))
            .await?;
        let mut terminal = Self {
            state: State::new(ClientConfig::default(), Instant::now()),
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
        let request = PtyRequest {
            size: Some(WindowSize::new(24, 80)),
            ..PtyRequest::default()
        };
        self.state.request_pty(Instant::now(), request).unwrap();
        self.until(client, |terminal| terminal.granted.is_some())
            .await;
        let name = self.granted.clone().unwrap();
        assert_eq!(name, format!("vroom.terminal.pty{}", self.suffix));
        self.open_pty(client).await;
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
        assert_eq!(
            exit.pty_bytes,
            Some(self.output.len() as u64),
            "all output came before"
        );
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
                    channel, payload, ..
                } if *channel == control || Some(*channel) == pty => {
                    Some((*channel, payload.clone()))
                }
                _ => None,
            });
            let (channel, payload) = message.await;
            if channel == control {
                self.state.handle(Instant::now(), &payload);
            } else {
                self.output.extend_from_slice(&payload);
            }
        }
    }

    async fn flush(&mut self, client: &mut Client<impl LinkRx, impl LinkTx>) {
        while let Some(event) = self.state.poll_event() {
            match event {
                ClientEvent::Selected(_) => self.selected = true,
                ClientEvent::Authenticated { .. } => self.authenticated = true,
                ClientEvent::AuthFailed { .. } => self.failed = Some(Code::AUTH_FAILED),
                ClientEvent::PtyGranted(grant) => self.granted = Some(grant.channel),
                ClientEvent::Started { .. } => self.started = true,
                ClientEvent::Exited(exit) => self.exit = Some(exit),
                ClientEvent::StartDenied(_) => {}
                other => panic!("{other:?}"),
            }
        }
        while let Some(payload) = self.state.poll_transmit() {
            client.send(self.control, (0, payload)).await;
        }
    }
}
