//! Forwarded connections over the real server.

use std::time::Instant;

use bytes::Bytes;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};
use tokio::time::timeout_at;
use vroom_protocol::forward::{
    CHANNEL, CONNECTIONS_MAX, ConnectionName, Data, Direction, Endpoint, ForwardCode,
    ForwardConnection, ForwardRequest, ForwardResponse, Message, Window,
};
use vroom_protocol::{ChannelId, ChannelSpec, Code, Event};

use crate::client::{WebClient, tcp};
use crate::daemon::{Daemon, WAIT, wait_until};
use crate::terminal::Terminal;

/// A client that forwards.
struct Forwards {
    client: WebClient,
    control: ChannelId,
}

impl Forwards {
    async fn start(daemon: &Daemon) -> Self {
        let mut client = WebClient::login(daemon).await;
        let control = client.open(CHANNEL).await.unwrap();
        Self { client, control }
    }

    async fn say(&mut self, message: &Message) {
        self.client.send(self.control, message.encode()).await;
    }

    async fn hear(&mut self) -> Message {
        let (kind, payload) = self.client.message(self.control).await;
        Message::decode(kind, &payload).unwrap()
    }

    /// Asks to forward; returns the port, or why not.
    async fn request(
        &mut self,
        forward_id: u64,
        direction: Direction,
        bind: Endpoint,
        target: Endpoint,
    ) -> Result<u16, ForwardCode> {
        self.say(&Message::Request(ForwardRequest {
            forward_id,
            direction,
            bind,
            target,
        }))
        .await;
        match self.hear().await {
            Message::Response(ForwardResponse {
                forward_id: told,
                outcome,
            }) if told == forward_id => outcome.map_err(|(code, _)| code),
            other => panic!("{other:?}"),
        }
    }

    /// Has the server connect to a port here.
    async fn local(&mut self, forward_id: u64, port: u16) {
        let target = Endpoint::tcp("127.0.0.1", port);
        let bind = Endpoint::tcp("127.0.0.1", 4000);
        let port = self
            .request(forward_id, Direction::Local, bind, target)
            .await;
        assert_eq!(port, Ok(4000));
    }

    async fn announce(&mut self, name: ConnectionName, target: Option<Endpoint>) {
        self.say(&Message::Connection(ForwardConnection {
            forward_id: name.forward,
            channel_name: name.to_string(),
            source_address: "127.0.0.1".to_owned(),
            source_port: 50000,
            target,
        }))
        .await;
    }

    /// Announces a connection and opens its channel; or says why both were refused.
    async fn connect(
        &mut self,
        name: ConnectionName,
        target: Option<Endpoint>,
    ) -> Result<ChannelId, (Code, ForwardCode)> {
        self.announce(name, target).await;
        let opened = self.client.open(&name.to_string()).await;
        let acknowledged = match self.hear().await {
            Message::ConnectionAck(ack) => {
                assert_eq!(ack.channel_name, name.to_string());
                ack.outcome
            }
            other => panic!("{other:?}"),
        };
        match (opened, acknowledged) {
            (Ok(channel), Ok(())) => Ok(channel),
            (Err(code), Err((forward, _))) => Err((code, forward)),
            other => panic!("{other:?}"),
        }
    }

    async fn send(&mut self, channel: ChannelId, data: Data) {
        self.client.send(channel, data.encode()).await;
    }

    /// Reads a channel until the other side writes nothing more, and acknowledges what comes.
    async fn read_to_end(&mut self, channel: ChannelId) -> Vec<u8> {
        let mut window = Window::default();
        let mut read = Vec::new();
        loop {
            let (kind, payload) = self.client.message(channel).await;
            match Data::decode(kind, payload).unwrap() {
                Data::Bytes(bytes) => {
                    window.received(bytes.len()).unwrap();
                    read.extend_from_slice(&bytes);
                    if let Some(ack) = window.taken(bytes.len()) {
                        self.send(channel, ack).await;
                    }
                }
                Data::Ack(_) => {}
                Data::HalfClose => return read,
            }
        }
    }

    /// Waits for a connection that the server has accepted, and takes its channel.
    async fn accept(&mut self) -> (ForwardConnection, ChannelId) {
        let announced = match self.hear().await {
            Message::Connection(announced) => announced,
            other => panic!("{other:?}"),
        };
        let wanted = announced.channel_name.clone();
        let request = self
            .client
            .find("OPEN_CHANNEL", |event| match event {
                Event::ChannelRequested { request, spec } if spec.name == wanted => Some(*request),
                _ => None,
            })
            .await;
        let channel = self
            .client
            .connection
            .accept_channel(Instant::now(), request)
            .unwrap();
        self.client.flush().await;
        (announced, channel)
    }
}

fn name(forward: u64, connection: u64) -> ConnectionName {
    ConnectionName {
        forward,
        connection,
    }
}

/// Answers each connection with what it says, until it says no more.
async fn echo() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            tokio::spawn(async move {
                let (mut read, mut write) = stream.split();
                drop(tokio::io::copy(&mut read, &mut write).await);
                drop(write.shutdown().await);
            });
        }
    });
    port
}

/// Waits as long as a test may.
async fn in_time<T>(what: &str, future: impl Future<Output = T>) -> T {
    timeout_at((Instant::now() + WAIT).into(), future)
        .await
        .unwrap_or_else(|_| panic!("waiting for {what}"))
}

#[tokio::test]
async fn what_is_said_comes_back_and_each_direction_ends_by_itself() {
    let daemon = Daemon::start(&["--desktop", "none"]);
    let mut forwards = Forwards::start(&daemon).await;
    forwards.local(1, echo().await).await;
    let channel = forwards.connect(name(1, 1), None).await.unwrap();
    forwards.send(channel, Data::Bytes("hello".into())).await;
    let (kind, payload) = forwards.client.message(channel).await;
    assert_eq!(Data::decode(kind, payload), Ok(Data::Bytes("hello".into())));
    // The other direction goes on after this one ended.
    forwards
        .send(channel, Data::Bytes("last words".into()))
        .await;
    forwards.send(channel, Data::HalfClose).await;
    assert_eq!(forwards.read_to_end(channel).await, b"last words");
    forwards.client.channel_closed(channel).await;
}

#[tokio::test]
async fn more_than_a_window_goes_through_both_ways() {
    let daemon = Daemon::start(&["--desktop", "none"]);
    let mut forwards = Forwards::start(&daemon).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    forwards
        .local(1, listener.local_addr().unwrap().port())
        .await;
    let channel = forwards.connect(name(1, 1), None).await.unwrap();
    let content: Vec<u8> = (0..5_000_000_u32)
        .map(|at| (at.wrapping_mul(at) / 3).to_le_bytes()[0])
        .collect();
    let expected = content.clone();
    let program = tokio::spawn(async move {
        let (mut stream, _) = listener.accept().await.unwrap();
        let mut heard = Vec::new();
        stream.read_to_end(&mut heard).await.unwrap();
        stream.write_all(&heard).await.unwrap();
        heard == expected
    });
    let mut window = Window::default();
    let mut rest = Bytes::from(content.clone());
    while !rest.is_empty() {
        let length = window.room().min(rest.len()).min(100_000);
        if length == 0 {
            let (kind, payload) = forwards.client.message(channel).await;
            match Data::decode(kind, payload).unwrap() {
                Data::Ack(total) => window.acknowledge(total).unwrap(),
                other => panic!("{other:?}"),
            }
            continue;
        }
        window.sent(length);
        forwards
            .send(channel, Data::Bytes(rest.split_to(length)))
            .await;
    }
    forwards.send(channel, Data::HalfClose).await;
    assert!(forwards.read_to_end(channel).await == content);
    assert!(program.await.unwrap());
}

#[tokio::test]
async fn who_sends_more_than_the_window_loses_the_connection() {
    let daemon = Daemon::start(&["--desktop", "none"]);
    let mut forwards = Forwards::start(&daemon).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    forwards
        .local(1, listener.local_addr().unwrap().port())
        .await;
    let channel = forwards.connect(name(1, 1), None).await.unwrap();
    // Nobody reads what comes, and the system takes some megabytes at most.
    let (_stream, _) = in_time("the connection", listener.accept()).await.unwrap();
    let block = Bytes::from(vec![0; 512 * 1024]);
    for _ in 0..64 {
        let sent = forwards
            .client
            .connection
            .send(Instant::now(), channel, 0, block.clone());
        if sent.is_err() {
            break;
        }
        forwards.client.flush().await;
    }
    assert_eq!(forwards.client.error().await, Code::MESSAGE_TOO_LARGE);
    forwards.client.channel_closed(channel).await;
}

#[tokio::test]
async fn each_connection_of_a_dynamic_forward_has_its_target() {
    let daemon = Daemon::start(&["--desktop", "none"]);
    let mut forwards = Forwards::start(&daemon).await;
    let nowhere = Endpoint::default;
    let port = forwards
        .request(1, Direction::Dynamic, nowhere(), nowhere())
        .await;
    assert_eq!(port, Ok(0));
    let echo = Endpoint::tcp("localhost", echo().await);
    let channel = forwards.connect(name(1, 1), Some(echo)).await.unwrap();
    forwards.send(channel, Data::Bytes("x".into())).await;
    forwards.send(channel, Data::HalfClose).await;
    assert_eq!(forwards.read_to_end(channel).await, b"x");

    let path = daemon.folder().join("echo");
    let listener = UnixListener::bind(&path).unwrap();
    let target = Endpoint::unix(path.to_str().unwrap());
    let channel = forwards.connect(name(1, 2), Some(target)).await.unwrap();
    let (mut stream, _) = in_time("the connection", listener.accept()).await.unwrap();
    stream.write_all(b"from a path").await.unwrap();
    drop(stream);
    assert_eq!(forwards.read_to_end(channel).await, b"from a path");
}

#[tokio::test]
async fn what_cannot_be_reached_is_refused_on_both_channels() {
    let daemon = Daemon::start(&["--desktop", "none"]);
    let mut forwards = Forwards::start(&daemon).await;
    let nowhere = Endpoint::default;
    let port = forwards
        .request(1, Direction::Dynamic, nowhere(), nowhere())
        .await;
    assert_eq!(port, Ok(0));
    // Bound and not listening: nobody else gets it meanwhile, and whoever connects is refused.
    let socket = tokio::net::TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.1:0".parse().unwrap()).unwrap();
    let closed = socket.local_addr().unwrap().port();
    let missing = daemon.folder().join("none");
    for (at, (target, code)) in [
        (
            Endpoint::tcp("127.0.0.1", closed),
            ForwardCode::CONNECT_FAILED,
        ),
        (
            Endpoint::unix(missing.to_str().unwrap()),
            ForwardCode::CONNECT_FAILED,
        ),
        (Endpoint::tcp("", 80), ForwardCode::INVALID_ADDRESS),
        (Endpoint::tcp("127.0.0.1", 0), ForwardCode::INVALID_ADDRESS),
        (Endpoint::tcp("a name", 80), ForwardCode::INVALID_ADDRESS),
    ]
    .into_iter()
    .enumerate()
    {
        let shown = target.to_string();
        let refused = forwards.connect(name(1, at as u64), Some(target)).await;
        assert_eq!(refused, Err((Code::NO_SUCH_TARGET, code)), "{shown}");
    }
    // Without a forward there is nothing to connect.
    assert_eq!(
        forwards.client.open("fwd-9-conn-1").await,
        Err(Code::WRONG_STATE)
    );
    forwards.announce(name(9, 1), None).await;
    assert!(matches!(
        forwards.hear().await,
        Message::ConnectionAck(ack) if matches!(ack.outcome, Err((ForwardCode::INVALID_ADDRESS, _)))
    ));
}

#[tokio::test]
async fn the_server_listens_until_it_is_told_not_to() {
    let daemon = Daemon::start(&["--desktop", "none"]);
    let mut forwards = Forwards::start(&daemon).await;
    let target = || Endpoint::tcp("localhost", 80);
    let any = Endpoint::tcp("localhost", 0);
    let port = forwards
        .request(1, Direction::Remote, any, target())
        .await
        .unwrap();
    assert_ne!(port, 0);
    let mut program = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
    let (announced, channel) = forwards.accept().await;
    assert_eq!(announced.forward_id, 1);
    assert_eq!(announced.source_address, "127.0.0.1");
    let own_port = program.local_addr().unwrap().port();
    assert_eq!(announced.source_port, u32::from(own_port));
    program.write_all(b"question").await.unwrap();
    program.shutdown().await.unwrap();
    assert_eq!(forwards.read_to_end(channel).await, b"question");
    forwards.send(channel, Data::Bytes("answer".into())).await;
    forwards.send(channel, Data::HalfClose).await;
    let mut answer = Vec::new();
    in_time("the answer", program.read_to_end(&mut answer))
        .await
        .unwrap();
    assert_eq!(answer, b"answer");

    // Somebody else listens there.
    let taken = Endpoint::tcp("127.0.0.1", port);
    let refused = forwards
        .request(2, Direction::Remote, taken, target())
        .await;
    assert_eq!(refused, Err(ForwardCode::PORT_IN_USE));
    let everywhere = Endpoint::tcp("*", 0);
    let refused = forwards
        .request(2, Direction::Remote, everywhere, target())
        .await;
    assert_eq!(refused, Err(ForwardCode::PERMISSION_DENIED));
    let unnamed = Endpoint::tcp("example.invalid", 0);
    let refused = forwards
        .request(2, Direction::Remote, unnamed, target())
        .await;
    assert_eq!(refused, Err(ForwardCode::INVALID_ADDRESS));

    forwards.say(&Message::Cancel { forward_id: 1 }).await;
    wait_until("nobody listens any more", || {
        std::net::TcpStream::connect(("127.0.0.1", port)).is_err()
    });
}

#[tokio::test]
async fn a_path_is_listened_on_and_goes_with_its_client() {
    let daemon = Daemon::start(&["--desktop", "none"]);
    let mut forwards = Forwards::start(&daemon).await;
    let path = daemon.folder().join("service");
    let bind = Endpoint::unix(path.to_str().unwrap());
    let target = Endpoint::tcp("localhost", 80);
    let port = forwards
        .request(1, Direction::Remote, bind.clone(), target.clone())
        .await;
    assert_eq!(port, Ok(0));
    let refused = forwards.request(2, Direction::Remote, bind, target).await;
    assert_eq!(refused, Err(ForwardCode::PORT_IN_USE));
    let mut program = UnixStream::connect(&path).await.unwrap();
    let (_, channel) = forwards.accept().await;
    forwards.send(channel, Data::Bytes("hi".into())).await;
    let mut heard = [0; 2];
    in_time("two bytes", program.read_exact(&mut heard))
        .await
        .unwrap();
    assert_eq!(&heard, b"hi");
    // What was sent before the client went still arrives.
    forwards.send(channel, Data::Bytes("bye".into())).await;
    drop(forwards);
    let mut rest = Vec::new();
    in_time("the end", program.read_to_end(&mut rest))
        .await
        .unwrap();
    assert_eq!(rest, b"bye");
    wait_until("the file is gone", || !path.exists());
}

#[tokio::test]
async fn two_hundred_connections_are_enough() {
    let daemon = Daemon::start(&["--desktop", "none"]);
    let mut forwards = Forwards::start(&daemon).await;
    forwards.local(1, echo().await).await;
    let count = CONNECTIONS_MAX as u64;
    for at in 1..=count {
        forwards.connect(name(1, at), None).await.unwrap();
    }
    let refused = forwards.connect(name(1, count + 1), None).await;
    assert_eq!(
        refused,
        Err((Code::LIMIT_REACHED, ForwardCode::FORWARD_LIMIT))
    );
    // One goes, another may come.
    let first = forwards
        .client
        .connection
        .channel_id("fwd-1-conn-1")
        .unwrap();
    forwards
        .client
        .connection
        .close_channel(Instant::now(), first, "");
    forwards.client.flush().await;
    forwards.connect(name(1, count + 2), None).await.unwrap();
}

#[tokio::test]
async fn programs_find_the_agent_of_the_client() {
    let daemon = Daemon::start(&["--desktop", "none"]);
    let mut forwards = Forwards::start(&daemon).await;
    let nowhere = Endpoint::default;
    let port = forwards
        .request(1, Direction::Agent, nowhere(), nowhere())
        .await;
    assert_eq!(port, Ok(0));
    let refused = forwards
        .request(2, Direction::Agent, nowhere(), nowhere())
        .await;
    assert_eq!(refused, Err(ForwardCode::FORWARD_LIMIT));
    let mut terminal = Terminal::inherit(&mut forwards.client, "").await;
    terminal.allocate(&mut forwards.client).await;
    terminal
        .exec(&mut forwards.client, "echo \"[$SSH_AUTH_SOCK]\"; cat")
        .await;
    terminal.says(&mut forwards.client, "]").await;
    let output = String::from_utf8_lossy(&terminal.output).into_owned();
    let socket = output
        .split_once('[')
        .and_then(|(_, rest)| rest.split_once(']'))
        .map(|(socket, _)| socket.to_owned())
        .unwrap();
    assert!(socket.contains("vroom-agent-"), "{socket}");
    let mut program = UnixStream::connect(&socket).await.unwrap();
    let (announced, channel) = forwards.accept().await;
    assert_eq!(announced.source_port, std::process::id());
    assert!(!announced.source_address.is_empty());
    program.write_all(b"who are you?").await.unwrap();
    let (kind, payload) = forwards.client.message(channel).await;
    let said = Data::Bytes("who are you?".into());
    assert_eq!(Data::decode(kind, payload), Ok(said));
    drop((forwards, terminal));
    wait_until("the socket is gone", || {
        !std::path::Path::new(&socket).exists()
    });
}

#[tokio::test]
async fn a_server_may_forward_nothing_and_strangers_never_do() {
    let daemon = Daemon::start(&["--desktop", "none", "--no-forwarding"]);
    let mut forwards = Forwards::start(&daemon).await;
    let target = Endpoint::tcp("127.0.0.1", 1);
    let refused = forwards
        .request(1, Direction::Local, Endpoint::default(), target)
        .await;
    assert_eq!(refused, Err(ForwardCode::FORWARD_DISABLED));
    let mut stranger = tcp(&daemon, None).await;
    stranger.welcome().await;
    for name in [CHANNEL, "fwd-1-conn-1"] {
        assert_eq!(stranger.open(name).await, Err(Code::AUTH_FAILED));
    }
    let lossy = ChannelSpec::lossy("fwd-1-conn-1");
    let request = forwards
        .client
        .connection
        .open_channel(Instant::now(), lossy)
        .unwrap();
    let code = forwards
        .client
        .find("CHANNEL_REJECT", |event| match event {
            Event::ChannelRejected {
                request: told,
                code,
                ..
            } if *told == request => Some(*code),
            _ => None,
        })
        .await;
    assert_eq!(code, Code::UNSUPPORTED);
}
