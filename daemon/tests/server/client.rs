//! A raw client: the mux, and as little as possible around it.

use std::collections::VecDeque;
use std::time::Instant;

use bytes::Bytes;
use http::{HeaderMap, HeaderValue};
use serde_json::Value;
use tokio::net::{TcpStream, UnixStream};
use tokio::time::timeout_at;
use vroom_protocol::graphical::{
    ClientHandshake, ClientMessage, Encoding, Mode, ServerHandshake, ServerMessage, ShareState,
    State, Viewport,
};
use vroom_protocol::mux::Suspended;
use vroom_protocol::{
    Auth, ChannelId, ChannelSpec, ClientConfig, Code, Connection, Event, LinkKind, Welcome, mux,
};
use vroom_transport::{Incoming, LinkRx, LinkTx, TrySend, stream, websocket};

use crate::daemon::{Daemon, WAIT};

/// A client over some link.
pub(crate) struct Client<R, T> {
    pub(crate) connection: Connection,
    config: ClientConfig,
    rx: R,
    tx: T,
    /// What came and was not asked for yet.
    backlog: VecDeque<Event>,
    gone: bool,
}

/// A client over WebSocket.
pub(crate) type WebClient =
    Client<websocket::WebSocketRx<TcpStream>, websocket::WebSocketTx<TcpStream>>;

impl WebClient {
    /// Connects and says HELLO with the token.
    pub(crate) async fn login(daemon: &Daemon) -> Self {
        let mut client = Self::connect(daemon, Some(token(daemon))).await;
        client.welcome().await;
        client
    }

    /// Connects and says HELLO.
    pub(crate) async fn connect(daemon: &Daemon, auth: Option<Auth>) -> Self {
        Self::dial(daemon, auth, Vec::new()).await
    }

    /// Goes on with a session that another client lost.
    pub(crate) async fn resume(daemon: &Daemon, lost: Lost) -> Self {
        let (rx, tx) = web_link(daemon).await;
        Self::go_on(rx, tx, lost)
    }

    /// Connects and says HELLO with the token and these channels.
    pub(crate) async fn connect_listing(daemon: &Daemon, channels: Vec<ChannelSpec>) -> Self {
        Self::dial(daemon, Some(token(daemon)), channels).await
    }

    async fn dial(daemon: &Daemon, auth: Option<Auth>, channels: Vec<ChannelSpec>) -> Self {
        let (rx, tx) = web_link(daemon).await;
        Self::new(rx, tx, auth, channels)
    }
}

/// A client over TCP.
pub(crate) type TcpClient = Client<stream::StreamRx<TcpStream>, stream::StreamTx<TcpStream>>;

impl TcpClient {
    /// Connects, and says HELLO with the token and the wish to resume.
    pub(crate) async fn login_resumable(daemon: &Daemon) -> Self {
        let (rx, tx) = tcp_link(daemon).await;
        let mut client = Self::configured(rx, tx, resumable(Some(token(daemon))));
        client.welcome().await;
        client
    }

    /// Goes on with a session that another client lost.
    pub(crate) async fn resume(daemon: &Daemon, lost: Lost) -> Self {
        let (rx, tx) = tcp_link(daemon).await;
        Self::go_on(rx, tx, lost)
    }
}

/// What a client has left when its transport is lost.
pub(crate) struct Lost {
    pub(crate) session: Suspended,
    config: ClientConfig,
    backlog: VecDeque<Event>,
}

/// The configuration of a client that can resume.
pub(crate) fn resumable(auth: Option<Auth>) -> ClientConfig {
    let mut config = ClientConfig {
        auth,
        ..ClientConfig::default()
    };
    config
        .extensions
        .extend([mux::SESSION_RESUME, mux::SEQ_ACK].map(str::to_owned));
    config
}

async fn tcp_link(daemon: &Daemon) -> (stream::StreamRx<TcpStream>, stream::StreamTx<TcpStream>) {
    let socket = TcpStream::connect(daemon.address()).await.unwrap();
    let linked = stream::connect(socket, Instant::now() + WAIT).await;
    linked.unwrap()
}

async fn web_link(
    daemon: &Daemon,
) -> (
    websocket::WebSocketRx<TcpStream>,
    websocket::WebSocketTx<TcpStream>,
) {
    let url = format!("ws://{}/vroom", daemon.address());
    let origin = HeaderValue::from_str(&format!("http://{}", daemon.address())).unwrap();
    let headers = HeaderMap::from_iter([(http::header::ORIGIN, origin)]);
    let deadline = Instant::now() + WAIT;
    let connected = websocket::connect(&url, Some("xumux.0.1"), headers, deadline);
    let connected = connected.await.unwrap();
    assert_eq!(connected.subprotocol.as_deref(), Some("xumux.0.1"));
    (connected.rx, connected.tx)
}

/// Connects over TCP and says HELLO.
pub(crate) async fn tcp(daemon: &Daemon, auth: Option<Auth>) -> TcpClient {
    let (rx, tx) = tcp_link(daemon).await;
    Client::new(rx, tx, auth, Vec::new())
}

/// Connects over a Unix socket and says HELLO.
pub(crate) async fn unix(
    path: &std::path::Path,
    auth: Option<Auth>,
) -> Client<stream::StreamRx<UnixStream>, stream::StreamTx<UnixStream>> {
    let socket = UnixStream::connect(path).await.unwrap();
    let (rx, tx) = stream::connect(socket, Instant::now() + WAIT)
        .await
        .unwrap();
    Client::new(rx, tx, auth, Vec::new())
}

/// The token as HELLO carries it.
pub(crate) fn token(daemon: &Daemon) -> Auth {
    Auth::Token(daemon.token().to_owned())
}

impl<R: LinkRx, T: LinkTx> Client<R, T> {
    /// Says HELLO over a link that was made elsewhere.
    pub(crate) fn over(rx: R, tx: T, auth: Option<Auth>) -> Self {
        Self::new(rx, tx, auth, Vec::new())
    }

    fn new(rx: R, tx: T, auth: Option<Auth>, channels: Vec<ChannelSpec>) -> Self {
        let mut config = ClientConfig {
            auth,
            channels,
            ..ClientConfig::default()
        };
        config.extensions.push(mux::SESSION_PERSISTENCE.to_owned());
        Self::configured(rx, tx, config)
    }

    /// Says HELLO as it is configured.
    pub(crate) fn configured(rx: R, tx: T, config: ClientConfig) -> Self {
        Self {
            connection: Connection::client(config.clone(), LinkKind::Shared, Instant::now()),
            config,
            rx,
            tx,
            backlog: VecDeque::new(),
            gone: false,
        }
    }

    /// Asks to go on with a session.
    fn go_on(rx: R, tx: T, lost: Lost) -> Self {
        let (config, now) = (lost.config, Instant::now());
        Self {
            connection: Connection::client_resume(
                config.clone(),
                LinkKind::Shared,
                now,
                lost.session,
            ),
            config,
            rx,
            tx,
            backlog: lost.backlog,
            gone: false,
        }
    }

    /// Waits until the session can be resumed, and lets go of it; the transport stays as it is.
    pub(crate) async fn suspend(&mut self) -> Lost {
        self.find("SESSION_ID", |event| match event {
            Event::SessionId { .. } => Some(()),
            _ => None,
        })
        .await;
        self.let_go()
    }

    /// The same for one whose SESSION_ID came before.
    pub(crate) fn let_go(&mut self) -> Lost {
        let session = self.connection.suspend(Instant::now());
        let session = session.expect("a session that can be resumed");
        let mut backlog = std::mem::take(&mut self.backlog);
        backlog.retain(|event| !matches!(event, Event::Closed { .. }));
        Lost {
            session,
            config: self.config.clone(),
            backlog,
        }
    }

    /// Waits until the session goes on, or says why it does not.
    pub(crate) async fn resumed(&mut self) -> Result<(), Code> {
        self.find("RESUME_RESPONSE", |event| match event {
            Event::Resumed { .. } => Some(Ok(())),
            Event::ResumeFailed { code, .. } => Some(Err(*code)),
            _ => None,
        })
        .await
    }

    /// Receives a frame and makes nothing of it; `None` at the end.
    pub(crate) async fn receive_raw(&mut self) -> Option<Bytes> {
        let received = timeout_at((Instant::now() + WAIT).into(), self.rx.recv(usize::MAX));
        match received.await.expect("a frame") {
            Incoming::Message { frame, .. } => Some(frame),
            _ => None,
        }
    }

    /// Waits until the server takes us in.
    pub(crate) async fn welcome(&mut self) -> Welcome {
        self.find("WELCOME", |event| match event {
            Event::Welcome(welcome) => Some(welcome.clone()),
            _ => None,
        })
        .await
    }

    /// Waits until the connection is over.
    pub(crate) async fn closed(&mut self) -> Code {
        self.find("the end", |event| match event {
            Event::Closed { code, .. } => Some(*code),
            _ => None,
        })
        .await
    }

    /// Waits until the server reports an error.
    pub(crate) async fn error(&mut self) -> Code {
        self.find("ERROR", |event| match event {
            Event::PeerError { code, .. } => Some(*code),
            _ => None,
        })
        .await
    }

    /// Opens a channel, or says why the server does not.
    pub(crate) async fn open(&mut self, name: &str) -> Result<ChannelId, Code> {
        let request = self
            .connection
            .open_channel(Instant::now(), ChannelSpec::reliable(name));
        let wanted = request.unwrap();
        self.find("an answer to OPEN_CHANNEL", |event| match event {
            Event::ChannelOpened { id, request, .. } if *request == Some(wanted) => Some(Ok(*id)),
            Event::ChannelRejected { request, code, .. } if *request == wanted => Some(Err(*code)),
            _ => None,
        })
        .await
    }

    /// Waits until a channel was closed, and says why.
    pub(crate) async fn channel_closed(&mut self, channel: ChannelId) -> String {
        self.find("CLOSE_CHANNEL", |event| match event {
            Event::ChannelClosed { id, reason, .. } if *id == channel => Some(reason.clone()),
            _ => None,
        })
        .await
    }

    /// Sends a message and hands it to the link.
    pub(crate) async fn send(&mut self, channel: ChannelId, (kind, payload): (u8, Bytes)) {
        self.connection
            .send(Instant::now(), channel, kind, payload)
            .unwrap();
        self.flush().await;
    }

    /// Sends a message of channel 0.
    pub(crate) async fn tell(&mut self, message: &ClientMessage) {
        self.send(ChannelId::CONTROL, message.encode(Encoding::Cbor))
            .await;
    }

    /// Exchanges handshakes.
    pub(crate) async fn handshake(&mut self, capabilities: &[&str]) -> ServerHandshake {
        let handshake = ClientHandshake {
            version: "0.1.0".into(),
            control_encoding: Some(vec!["cbor".into()]),
            capabilities: capabilities.iter().map(|name| (*name).to_owned()).collect(),
            viewport: Viewport::new(640, 480),
            mode: Mode::View,
            client: None,
        };
        self.tell(&ClientMessage::Handshake(handshake)).await;
        self.told("VROOM_HANDSHAKE", |message| match message {
            ServerMessage::Handshake(handshake) => Some(handshake),
            _ => None,
        })
        .await
    }

    /// Changes the mode and waits until the server agrees.
    pub(crate) async fn set_mode(&mut self, mode: Mode) {
        self.tell(&ClientMessage::Mode { mode, take: false }).await;
        self.state(|state| state.mode == Some(mode)).await;
    }

    /// Waits for a STATE like this.
    pub(crate) async fn state(&mut self, is_it: impl Fn(&State) -> bool) -> State {
        self.told("STATE", |message| match message {
            ServerMessage::State(state) if is_it(&state) => Some(state),
            _ => None,
        })
        .await
    }

    /// Waits for a SHARE_STATE like this.
    pub(crate) async fn share_state(&mut self, is_it: impl Fn(&ShareState) -> bool) -> ShareState {
        self.told("SHARE_STATE", |message| match message {
            ServerMessage::ShareState(state) if is_it(&state) => Some(state),
            _ => None,
        })
        .await
    }

    /// Waits for a message of channel 0.
    pub(crate) async fn told<X>(
        &mut self,
        what: &str,
        mut pick: impl FnMut(ServerMessage) -> Option<X>,
    ) -> X {
        self.find(what, |event| match event {
            Event::Message {
                channel: ChannelId::CONTROL,
                kind,
                payload,
            } => pick(ServerMessage::decode(*kind, payload).unwrap()),
            _ => None,
        })
        .await
    }

    /// Waits for a message of a channel.
    pub(crate) async fn message(&mut self, wanted: ChannelId) -> (u8, Bytes) {
        self.find("a message", |event| match event {
            Event::Message {
                channel,
                kind,
                payload,
            } if *channel == wanted => Some((*kind, payload.clone())),
            _ => None,
        })
        .await
    }

    /// The first event that is wanted; the others wait for those who ask later.
    pub(crate) async fn find<X>(
        &mut self,
        what: &str,
        mut pick: impl FnMut(&Event) -> Option<X>,
    ) -> X {
        let deadline = Instant::now() + WAIT;
        let mut looked_at = 0;
        loop {
            while let Some(event) = self.backlog.get(looked_at) {
                if let Some(picked) = pick(event) {
                    self.backlog.remove(looked_at);
                    return picked;
                }
                looked_at += 1;
            }
            let turned = timeout_at(deadline.into(), self.turn()).await;
            assert!(
                turned == Ok(true),
                "waiting for {what}; there is {:?}",
                self.backlog
            );
        }
    }

    /// Receives once; false when nothing can come any more.
    async fn turn(&mut self) -> bool {
        self.flush().await;
        if self.gone {
            return false;
        }
        let now = Instant::now();
        if self.connection.poll_timeout().is_some_and(|due| due <= now) {
            self.connection.handle_timeout(now);
        }
        match self.rx.recv(self.connection.frame_limit()).await {
            Incoming::Message { lane, frame } => {
                self.connection.handle_message(now, lane.as_deref(), frame);
            }
            Incoming::Malformed(error) => self.connection.handle_malformed(now, error),
            Incoming::Closed => {
                self.gone = true;
                self.connection.handle_disconnected(now);
            }
            other => panic!("{other:?}"),
        }
        self.collect();
        self.flush().await;
        true
    }

    /// Hands everything to the link.
    pub(crate) async fn flush(&mut self) {
        while let Some(mut transmit) = self.connection.poll_transmit() {
            loop {
                match self.tx.try_send(transmit) {
                    Ok(()) => break,
                    Err(TrySend::Full(back) | TrySend::LaneFull(back)) => transmit = back,
                    Err(TrySend::Closed) => return,
                }
                self.tx.writable().await;
            }
        }
        self.tx.writable().await;
        self.collect();
    }

    fn collect(&mut self) {
        while let Some(event) = self.connection.poll_event() {
            self.backlog.push_back(event);
        }
    }
}

/// Sends an HTTP request and reads the answer: its status, its headers and its body.
pub(crate) async fn http(
    daemon: &Daemon,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: &str,
) -> (u16, String, String) {
    let mut request = format!("{method} {path} HTTP/1.1\r\nConnection: close\r\n");
    if !headers
        .iter()
        .any(|(name, _)| name.eq_ignore_ascii_case("host"))
    {
        request.push_str(&format!("Host: {}\r\n", daemon.address()));
    }
    for (name, value) in headers {
        request.push_str(&format!("{name}: {value}\r\n"));
    }
    request.push_str(&format!("Content-Length: {}\r\n\r\n{body}", body.len()));
    let answer = raw(daemon, request.as_bytes()).await;
    let answer = String::from_utf8_lossy(&answer);
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
    let status = head
        .split(' ')
        .nth(1)
        .and_then(|status| status.parse().ok())
        .unwrap_or(0);
    (status, head.to_ascii_lowercase(), body.to_owned())
}

/// Logs in with this token.
pub(crate) async fn login(daemon: &Daemon, token: &str) -> (u16, Value) {
    let body = serde_json::json!({"token": token}).to_string();
    let headers = [("Content-Type", "application/json")];
    let (status, _, body) = http(daemon, "POST", "/login", &headers, &body).await;
    (status, serde_json::from_str(&body).unwrap_or_default())
}

/// Sends bytes and reads until the server closes.
pub(crate) async fn raw(daemon: &Daemon, bytes: &[u8]) -> Vec<u8> {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let mut stream = TcpStream::connect(daemon.address()).await.unwrap();
    let mut answer = Vec::new();
    let exchange = async {
        // The server may close before it has read everything.
        drop(stream.write_all(bytes).await);
        drop(stream.read_to_end(&mut answer).await);
    };
    timeout_at((Instant::now() + WAIT).into(), exchange)
        .await
        .expect("the server closes");
    answer
}
