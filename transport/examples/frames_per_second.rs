//! Prints how many mux frames per second go from a client to a server, per link and size.
//!
//! Both sides run on one thread, with the real core and the real driver loop, so this is the whole
//! cost of a frame on one core: queueing, encoding, the link, decoding, delivery.

#![expect(
    clippy::print_stdout,
    clippy::expect_used,
    reason = "a program that measures and prints"
)]

use std::future::pending;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::HeaderMap;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use vroom_protocol::{
    ChannelId, ChannelSpec, ClientConfig, Connection, Event, LinkKind, ServerConfig, WelcomeInfo,
};
use vroom_transport::{LinkRx, LinkTx, Session, drive, memory, stream, tcp, websocket};

/// Sends messages of one size until it is dropped.
struct Sender {
    channel: Option<ChannelId>,
    payload: Bytes,
}

impl Session for Sender {
    fn on_event(&mut self, _now: Instant, _connection: &mut Connection, event: Event) {
        if let Event::ChannelOpened { id, .. } = event {
            self.channel = Some(id);
        }
    }

    fn pump(&mut self, now: Instant, connection: &mut Connection) {
        let Some(channel) = self.channel else { return };
        while connection
            .send(now, channel, 0, self.payload.clone())
            .is_ok()
        {}
    }

    async fn ready(&mut self) {
        // It pumps again whenever the link took something.
        pending::<()>().await;
    }
}

/// Counts messages for a while, after a little warming up.
struct Receiver {
    started: Option<Instant>,
    counted: u32,
    result: Option<oneshot::Sender<f64>>,
}

impl Session for Receiver {
    fn on_event(&mut self, now: Instant, connection: &mut Connection, event: Event) {
        match event {
            Event::Hello(hello) => {
                let welcome = WelcomeInfo {
                    channels: hello.channels,
                    ..WelcomeInfo::default()
                };
                connection.accept(now, welcome);
            }
            Event::Message { .. } => {
                let started = *self.started.get_or_insert(now + WARMING);
                if now < started {
                    return;
                }
                self.counted += 1;
                let elapsed = now - started;
                if elapsed >= MEASURING
                    && let Some(result) = self.result.take()
                {
                    let rate = f64::from(self.counted) / elapsed.as_secs_f64();
                    // The program is waiting for it.
                    let _sent = result.send(rate).is_ok();
                }
            }
            _ => {}
        }
    }

    fn pump(&mut self, _now: Instant, _connection: &mut Connection) {}

    async fn ready(&mut self) {
        pending::<()>().await;
    }
}

#[tokio::main(flavor = "current_thread")]
async fn main() {
    println!("mux frames per second, one way, both ends on one thread");
    for len in [16, 1024, 16 * 1024] {
        let [near, far] = memory::pair(64, LinkKind::Shared);
        report("memory", len, measure(near, far, len).await);

        let (near, far) = tcp_pair().await;
        let (near, far) = tokio::join!(stream::accept(near, soon()), stream::connect(far, soon()));
        let (near, far) = (near.expect("the magic"), far.expect("the magic"));
        report("tcp", len, measure(near, far, len).await);

        let (near, far) = websocket_pair().await;
        report("websocket", len, measure(near, far, len).await);
    }
}

fn report(link: &str, len: usize, rate: f64) {
    let mebibytes = rate * f64::from(u32::try_from(len).unwrap_or(u32::MAX)) / 1_048_576.0;
    println!("{link:<10} {len:>6} bytes {rate:>12.0} frames/s {mebibytes:>9.1} MiB/s");
}

async fn measure(
    near: (impl LinkRx + 'static, impl LinkTx + 'static),
    far: (impl LinkRx + 'static, impl LinkTx + 'static),
    len: usize,
) -> f64 {
    let now = Instant::now();
    let server = Connection::server(ServerConfig::default(), LinkKind::Shared, now);
    let channels = vec![ChannelSpec::reliable("data")];
    let config = ClientConfig {
        channels,
        ..ClientConfig::default()
    };
    let client = Connection::client(config, LinkKind::Shared, now);
    let (result_tx, result) = oneshot::channel();
    let receiver = Receiver {
        started: None,
        counted: 0,
        result: Some(result_tx),
    };
    let sender = Sender {
        channel: None,
        payload: vec![0; len].into(),
    };
    tokio::select! {
        ended = drive(server, near.0, near.1, receiver) => unexpected("server", &ended),
        ended = drive(client, far.0, far.1, sender) => unexpected("client", &ended),
        rate = result => rate.expect("the receiver reports before it ends"),
    }
}

#[expect(clippy::panic, reason = "there is nothing to measure then")]
fn unexpected(side: &str, ended: &(vroom_protocol::Code, String)) -> f64 {
    panic!("the {side} ended: {} {}", ended.0, ended.1)
}

async fn tcp_pair() -> (TcpStream, TcpStream) {
    let listener = TcpListener::bind("127.0.0.1:0")
        .await
        .expect("a port on loopback");
    let address = listener
        .local_addr()
        .expect("a bound socket has an address");
    let (near, far) = tokio::join!(listener.accept(), TcpStream::connect(address));
    let (near, far) = (near.expect("a connection").0, far.expect("a connection"));
    tcp::tune(&near).expect("socket options");
    tcp::tune(&far).expect("socket options");
    (near, far)
}

type WebSocketLink<S> = (websocket::WebSocketRx<S>, websocket::WebSocketTx<S>);

async fn websocket_pair() -> (WebSocketLink<TcpStream>, WebSocketLink<TcpStream>) {
    let (near, far) = tcp_pair().await;
    let far = websocket::connect_over(far, "ws://localhost/vroom", None, HeaderMap::new(), soon());
    let near = tokio_tungstenite::accept_async(near);
    let (near, far) = tokio::join!(near, far);
    // Only its handshake is used; the stream goes on under our link.
    let near = websocket::accept(near.expect("the upgrade").into_inner());
    let far = far.expect("the upgrade");
    (near, (far.rx, far.tx))
}

fn soon() -> Instant {
    Instant::now() + Duration::from_secs(10)
}

/// How long frames flow before they are counted.
const WARMING: Duration = Duration::from_millis(200);
/// How long frames are counted.
const MEASURING: Duration = Duration::from_secs(1);
