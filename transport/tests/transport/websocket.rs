//! WebSocket, against an independent client and behind a real HTTP server.

use std::time::Duration;

use bytes::Bytes;
use futures_util::{SinkExt, StreamExt};
use http::{HeaderMap, Request, Response};
use http_body_util::Empty;
use hyper::body::Incoming as Body;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::net::TcpListener;
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::Role;
use tokio_tungstenite::tungstenite::protocol::frame::coding::CloseCode;
use vroom_protocol::{Code, Connection, Event, Transmit};
use vroom_transport::{Error, Incoming, LinkRx, LinkTx, TrySend, websocket};

use crate::common::{Side, client, now, numbered, soon};

type Upgraded = TokioIo<hyper::upgrade::Upgraded>;

/// A client that speaks WebSocket through another library, steered by the real core.
struct Browser {
    socket: WebSocketStream<DuplexStream>,
    connection: Connection,
}

impl Browser {
    /// A server, and a client that has said hello to it.
    async fn welcomed() -> (Side, Self) {
        let (near, far) = duplex(64 * 1024);
        let server = Side::server(websocket::accept(near));
        let socket = WebSocketStream::from_raw_socket(far, Role::Client, None).await;
        let mut browser = Self {
            socket,
            connection: client(),
        };
        browser.write().await;
        while browser
            .event(|event| matches!(event, Event::Welcome(_)))
            .is_none()
        {
            browser.read().await;
        }
        (server, browser)
    }

    async fn write(&mut self) {
        while let Some(transmit) = self.connection.poll_transmit() {
            self.socket
                .send(Message::Binary(transmit.frame))
                .await
                .unwrap();
        }
    }

    async fn read(&mut self) {
        match self.message().await {
            Message::Binary(frame) => self.connection.handle_message(now(), None, frame),
            other => panic!("{other:?} in place of a frame"),
        }
    }

    async fn message(&mut self) -> Message {
        let next = timeout(Duration::from_secs(120), self.socket.next()).await;
        next.expect("nothing comes")
            .expect("the stream ended")
            .unwrap()
    }

    fn event(&mut self, wanted: impl Fn(&Event) -> bool) -> Option<Event> {
        while let Some(event) = self.connection.poll_event() {
            if wanted(&event) {
                return Some(event);
            }
        }
        None
    }

    /// Reads the CLOSE of the mux, answers it, and reads the close of the WebSocket.
    async fn closed(mut self) -> (Code, CloseCode) {
        let code = loop {
            self.read().await;
            if let Some(Event::Closed { code, .. }) =
                self.event(|event| matches!(event, Event::Closed { .. }))
            {
                break code;
            }
        };
        self.write().await;
        match self.message().await {
            Message::Close(Some(frame)) => (code, frame.code),
            other => panic!("{other:?} in place of the close"),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn a_text_message_is_answered_with_close_1003() {
    let (server, mut browser) = Browser::welcomed().await;
    browser.socket.send(Message::text("{}")).await.unwrap();
    assert_eq!(
        browser.closed().await,
        (Code::UNSUPPORTED, CloseCode::Normal)
    );
    assert_eq!(server.ended().await.0, Code::UNSUPPORTED);
}

#[tokio::test(start_paused = true)]
async fn an_oversized_message_is_answered_with_close_4005() {
    let (server, mut browser) = Browser::welcomed().await;
    browser
        .socket
        .send(Message::Binary(vec![0; 10_000_000].into()))
        .await
        .unwrap();
    assert_eq!(
        browser.closed().await,
        (Code::MESSAGE_TOO_LARGE, CloseCode::Normal)
    );
    assert_eq!(server.ended().await.0, Code::MESSAGE_TOO_LARGE);
}

#[tokio::test(start_paused = true)]
async fn an_oversized_message_in_pieces_is_answered_with_close_4005() {
    use tokio_tungstenite::tungstenite::protocol::frame::Frame;
    use tokio_tungstenite::tungstenite::protocol::frame::coding::{Data, OpCode};

    let (server, mut browser) = Browser::welcomed().await;
    let piece = Bytes::from(vec![0; 30_000]);
    let mut kind = Data::Binary;
    for _ in 0..4 {
        let frame = Frame::message(piece.clone(), OpCode::Data(kind), false);
        browser.socket.send(Message::Frame(frame)).await.unwrap();
        kind = Data::Continue;
    }
    assert_eq!(browser.closed().await.0, Code::MESSAGE_TOO_LARGE);
    assert_eq!(server.ended().await.0, Code::MESSAGE_TOO_LARGE);
}

#[tokio::test(start_paused = true)]
async fn before_hello_the_limit_is_lower() {
    let (near, far) = duplex(1024 * 1024);
    let server = Side::server(websocket::accept(near));
    let socket = WebSocketStream::from_raw_socket(far, Role::Client, None).await;
    let mut browser = Browser {
        socket,
        connection: client(),
    };
    browser
        .socket
        .send(Message::Binary(vec![0; 16 * 1024 + 9].into()))
        .await
        .unwrap();
    assert_eq!(browser.closed().await.0, Code::MESSAGE_TOO_LARGE);
    assert_eq!(server.ended().await.0, Code::MESSAGE_TOO_LARGE);
}

#[tokio::test(start_paused = true)]
async fn a_server_that_goes_away_says_so_in_both_closes() {
    let (server, browser) = Browser::welcomed().await;
    server.close(Code::GOING_AWAY, "shutting down");
    assert_eq!(browser.closed().await, (Code::GOING_AWAY, CloseCode::Away));
    assert_eq!(
        server.ended().await,
        (Code::GOING_AWAY, "shutting down".to_owned())
    );
}

#[tokio::test(start_paused = true)]
async fn a_websocket_closed_without_close_ends_the_connection() {
    let (server, mut browser) = Browser::welcomed().await;
    browser.socket.close(None).await.unwrap();
    // The close is answered before the stream ends.
    while let Some(message) = browser.socket.next().await {
        message.unwrap();
    }
    assert_eq!(server.ended().await.0, Code::GOING_AWAY);
}

#[tokio::test(start_paused = true)]
async fn pings_of_the_websocket_are_answered() {
    let (_server, mut browser) = Browser::welcomed().await;
    browser
        .socket
        .send(Message::Ping(Bytes::from_static(b"there?")))
        .await
        .unwrap();
    loop {
        match browser.message().await {
            Message::Pong(payload) => {
                assert_eq!(payload, "there?");
                return;
            }
            Message::Binary(_) => {}
            other => panic!("{other:?} in place of the pong"),
        }
    }
}

#[tokio::test(start_paused = true)]
async fn garbage_closes_the_websocket_with_1002() {
    let (near, mut far) = duplex(64 * 1024);
    let server = Side::server(websocket::accept(near));
    far.write_all(&[0xFF; 1000]).await.unwrap();
    far.shutdown().await.unwrap();
    let mut answer = Vec::new();
    far.read_to_end(&mut answer).await.unwrap();
    assert_eq!(answer, [0x88, 0x02, 0x03, 0xEA], "a close with 1002");
    assert_eq!(server.ended().await.0, Code::GOING_AWAY);
}

#[tokio::test(start_paused = true)]
async fn receiving_can_be_cancelled_at_every_byte() {
    let (near, mut far) = duplex(1024);
    let (mut rx, _tx) = websocket::accept(near);
    // Masked with zeroes, which is no mask.
    let message = [&[0x82, 0x80 | 10, 0, 0, 0, 0][..], &numbered(0, 10)].concat();
    let mut received = 0;
    for byte in message.iter().cycle().take(3 * message.len()) {
        tokio::select! {
            biased;
            incoming = rx.recv(1024) => panic!("{incoming:?} without a whole message"),
            () = tokio::task::yield_now() => {}
        }
        far.write_u8(*byte).await.unwrap();
        tokio::select! {
            biased;
            incoming = rx.recv(1024) => match incoming {
                Incoming::Message { lane: None, frame } => {
                    assert_eq!(frame, numbered(0, 10));
                    received += 1;
                }
                other => panic!("{other:?} in place of a message"),
            },
            () = tokio::task::yield_now() => {}
        }
    }
    assert_eq!(received, 3);
}

#[tokio::test(start_paused = true)]
async fn the_queue_is_bounded_also_when_pings_are_answered() {
    let (near, mut far) = duplex(256);
    let (mut rx, mut tx) = websocket::accept(near);
    let frame = |number| Transmit {
        channel: vroom_protocol::ChannelId(1),
        lane: "data".into(),
        frame: numbered(number, 1000),
    };
    let mut sent = 0;
    while tx.try_send(frame(sent)).is_ok() {
        sent += 1;
        assert!(sent < 1000, "the link takes everything");
    }
    assert!(matches!(tx.try_send(frame(sent)), Err(TrySend::Full(_))));
    // Pings while nothing can be written: answered later, the newest only, without piling up.
    for _ in 0..10_000 {
        far.write_all(&[0x89, 0x80 | 4, 0, 0, 0, 0, 1, 2, 3, 4])
            .await
            .unwrap();
        tokio::select! {
            biased;
            incoming = rx.recv(1024) => panic!("{incoming:?} out of nothing"),
            () = tokio::task::yield_now() => {}
        }
    }
    let (mut reader, _writer) = tokio::io::split(far);
    let mut bytes = 0;
    let reading = async {
        let mut buffer = [0; 4096];
        while let Ok(Ok(count)) = timeout(Duration::from_secs(1), reader.read(&mut buffer)).await {
            bytes += count;
        }
    };
    let ((), ()) = tokio::join!(tx.writable(), reading);
    let least = usize::try_from(sent).unwrap() * 1004;
    assert!(
        (least..least + 1000).contains(&bytes),
        "{bytes} of {least} and a few pongs"
    );
    assert!(tx.try_send(frame(0)).is_ok());
}

#[tokio::test]
async fn a_connection_works_behind_an_http_server() {
    let (url, mut links) = serve().await;
    let connected = websocket::connect(&url, Some("xumux.0.1"), HeaderMap::new(), soon());
    let connected = connected.await.unwrap();
    assert_eq!(connected.subprotocol.as_deref(), Some("xumux.0.1"));
    let mut client = Side::client((connected.rx, connected.tx));
    let mut server = Side::server(websocket::accept(links.recv().await.unwrap()));
    let id = client.channel().await;
    server.channel().await;
    client.send_many(id, 500, 10_000);
    server.send_many(id, 500, 10_000);
    server.messages(500, 10_000).await;
    client.messages(500, 10_000).await;
    client.close(Code::NORMAL, "done");
    assert_eq!(client.ended().await.0, Code::NORMAL);
    assert_eq!(server.ended().await.0, Code::NORMAL);
}

#[tokio::test]
async fn an_unknown_subprotocol_is_refused_with_400() {
    let (url, _links) = serve().await;
    let refused = websocket::connect(&url, Some("chat"), HeaderMap::new(), soon()).await;
    let Err(Error::Refused(status)) = refused else {
        panic!("not refused")
    };
    assert_eq!(status, 400);
}

#[tokio::test]
async fn addresses_that_are_not_ours_are_refused() {
    for url in [
        "http://localhost/",
        "wss://localhost/",
        "localhost",
        "ws:///vroom",
        "",
    ] {
        let refused = websocket::connect(url, None, HeaderMap::new(), soon()).await;
        assert!(matches!(refused, Err(Error::BadUrl(_))), "{url}");
    }
}

#[tokio::test(start_paused = true)]
async fn answers_that_are_no_upgrade_are_refused() {
    for (answer, words) in [
        ("SSH-2.0-OpenSSH_9.2\r\n", "not HTTP"),
        ("HTTP/1.1 101 OK\r\n\r\n", "does not upgrade"),
        (
            "HTTP/1.1 101 OK\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\
             Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\n\r\n",
            "does not answer the key",
        ),
        ("HTTP/1.1 200 OK\r\n\r\n", "status 200"),
        ("HTTP/1.1 200 ", "too early"),
    ] {
        let (near, mut far) = duplex(64 * 1024);
        far.write_all(answer.as_bytes()).await.unwrap();
        far.shutdown().await.unwrap();
        let connecting =
            websocket::connect_over(near, "ws://localhost/vroom", None, HeaderMap::new(), soon());
        let refused = connecting.await.map(|_| ()).unwrap_err();
        assert!(
            refused.to_string().contains(words),
            "{refused} lacks {words:?}"
        );
    }
    let (near, mut far) = duplex(64 * 1024);
    let endless = format!("HTTP/1.1 101 OK\r\nX: {}", "x".repeat(20_000));
    far.write_all(endless.as_bytes()).await.unwrap();
    let connecting =
        websocket::connect_over(near, "ws://localhost/vroom", None, HeaderMap::new(), soon());
    let refused = connecting.await.map(|_| ()).unwrap_err();
    assert!(refused.to_string().contains("too long"), "{refused}");
}

/// Serves upgrades on loopback: the URL, and the upgraded streams.
async fn serve() -> (String, tokio::sync::mpsc::Receiver<Upgraded>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("ws://{}/vroom", listener.local_addr().unwrap());
    let (links_tx, links) = tokio::sync::mpsc::channel(1);
    tokio::spawn(async move {
        let (stream, _) = listener.accept().await.unwrap();
        let service = service_fn(move |request: Request<Body>| {
            let links = links_tx.clone();
            async move { Ok::<_, std::convert::Infallible>(answer(request, links)) }
        });
        hyper::server::conn::http1::Builder::new()
            .serve_connection(TokioIo::new(stream), service)
            .with_upgrades()
            .await
            .unwrap();
    });
    (url, links)
}

fn answer(
    mut request: Request<Body>,
    links: tokio::sync::mpsc::Sender<Upgraded>,
) -> Response<Empty<Bytes>> {
    match websocket::respond(request.method(), request.headers()) {
        Ok(response) => {
            let upgraded = hyper::upgrade::on(&mut request);
            tokio::spawn(async move {
                let link = TokioIo::new(upgraded.await.unwrap());
                links.send(link).await.unwrap();
            });
            response.map(|()| Empty::new())
        }
        Err(refused) => {
            let mut response = Response::new(Empty::new());
            *response.status_mut() = refused.status();
            response
        }
    }
}
