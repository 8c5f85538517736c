//! Much to send, and peers that do not read.

use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use tokio::sync::mpsc;
use tokio::time::sleep;
use vroom_protocol::{ChannelId, Code, Connection, Event, LinkKind, ServerConfig, Transmit};
use vroom_transport::memory::{self, MemoryRx, MemoryTx};
use vroom_transport::{LinkTx, Session, drive};

use crate::common::{Manual, Progress, Side, client, now, numbered};

/// A server, and a client by hand that has just opened the channel `data`.
async fn server_and_manual() -> (Side, Manual<MemoryRx, MemoryTx>, ChannelId) {
    let [near, far] = memory::pair(16, LinkKind::Shared);
    let mut server = Side::server(near);
    let mut manual = Manual::new(client(), far);
    let id = manual.channel().await;
    assert_eq!(server.channel().await, id);
    (server, manual, id)
}

#[tokio::test(start_paused = true)]
async fn two_bursts_over_a_small_link_both_arrive() {
    let [near, far] = memory::pair(16, LinkKind::Shared);
    let (mut server, mut client) = (Side::server(near), Side::client(far));
    let id = client.channel().await;
    assert_eq!(server.channel().await, id);
    let started = now();
    client.send_many(id, 100, 500);
    server.send_many(id, 100, 500);
    server.messages(100, 500).await;
    client.messages(100, 500).await;
    assert_eq!(now(), started, "nothing had to wait for a deadline");
}

#[tokio::test(start_paused = true)]
async fn more_than_the_core_queues_is_sent_as_the_link_takes_it() {
    let [near, far] = memory::pair(1, LinkKind::Shared);
    let (mut server, mut client) = (Side::server(near), Side::client(far));
    let id = client.channel().await;
    server.channel().await;
    // 8 MiB, much more than any queue of the core holds.
    server.send_many(id, 512, 16 * 1024);
    client.messages(512, 16 * 1024).await;
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_never_reads_cannot_silence_us() {
    let (mut server, mut peer, id) = server_and_manual().await;
    server.send_many(id, 100_000, 1000);
    for number in 0..50 {
        sleep(Duration::from_millis(100)).await;
        let sent = now();
        peer.connection
            .send(now(), id, 7, numbered(number, 10))
            .unwrap();
        peer.write().await;
        let (received, payload) = server.message().await;
        assert_eq!(payload, numbered(number, 10));
        assert_eq!(received, sent, "message {number} is late");
    }
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_never_reads_cannot_grow_our_memory() {
    let (server, mut peer, id) = server_and_manual().await;
    let taken = Arc::new(AtomicUsize::new(0));
    let counter = Arc::clone(&taken);
    server.perform(move |now, connection| {
        while connection.send(now, id, 7, numbered(0, 1000)).is_ok() {
            counter.fetch_add(1000, Ordering::Relaxed);
        }
        Progress::Again
    });
    for number in 0..1000 {
        sleep(Duration::from_millis(10)).await;
        peer.connection
            .send(now(), id, 7, numbered(number, 10))
            .unwrap();
        peer.write().await;
    }
    let taken = taken.load(Ordering::Relaxed);
    assert!(
        (16_000..2 << 20).contains(&taken),
        "{taken} bytes were queued"
    );
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_asks_and_never_reads_the_answers_is_dropped() {
    let (server, mut peer, id) = server_and_manual().await;
    server.send_many(id, 1000, 1000);
    // What cannot be opened is rejected by the core itself.
    let body = br#"{"requestId":1,"name":"control","reliable":true,"ordered":true}"#;
    let header = [0, 0x03, 0, 0, 0, u8::try_from(body.len()).unwrap()];
    let request = Transmit {
        channel: ChannelId::CONTROL,
        lane: "control".into(),
        frame: [&header[..], body].concat().into(),
    };
    let mut asked = 0;
    while !server.is_over() {
        asked += 1;
        assert!(asked < 100_000, "answers pile up without end");
        if peer.tx.try_send(request.clone()).is_err() {
            sleep(Duration::from_millis(1)).await;
        }
    }
    let (code, _) = server.ended().await;
    assert_eq!(code, Code::RATE_LIMITED);
}

#[tokio::test(start_paused = true)]
async fn pings_while_the_link_is_full_cost_nothing() {
    let (mut server, mut peer, id) = server_and_manual().await;
    server.send_many(id, 100, 1000);
    for _ in 0..10_000 {
        peer.connection.ping(now());
        peer.write().await;
        tokio::task::yield_now().await;
    }
    peer.connection.send(now(), id, 7, numbered(0, 10)).unwrap();
    peer.write().await;
    assert_eq!(server.message().await.1, numbered(0, 10));
    // The newest PONGs come through, and then everything that was held back.
    let (mut pongs, mut messages) = (0, 0);
    while messages < 100 {
        let frame = peer.read().await;
        if frame.starts_with(&[0, 0x11]) {
            pongs += 1;
        } else if frame.starts_with(&[id.0, 7]) {
            messages += 1;
        }
    }
    assert!((1..100).contains(&pongs), "{pongs} PONGs were kept");
}

#[tokio::test(start_paused = true)]
async fn a_peer_that_stops_reading_for_a_while_misses_nothing() {
    let (server, mut peer, id) = server_and_manual().await;
    server.send_many(id, 200, 1000);
    sleep(Duration::from_secs(5)).await;
    for number in 0..200 {
        let frame = peer.read().await;
        assert_eq!(frame.slice(6..), numbered(number, 1000));
    }
}

/// Notes when it pumps; wants to at every full second.
struct Ticking {
    next: Instant,
    pumped: mpsc::UnboundedSender<Instant>,
}

impl Session for Ticking {
    fn on_event(&mut self, _now: Instant, _connection: &mut Connection, _event: Event) {}

    fn pump(&mut self, now: Instant, _connection: &mut Connection) {
        if now >= self.next {
            self.next += Duration::from_secs(1);
            // The test ends before the session.
            let _heard = self.pumped.send(now).is_ok();
        }
    }

    async fn ready(&mut self) {
        pending::<()>().await;
    }

    fn deadline(&self) -> Option<Instant> {
        Some(self.next)
    }
}

#[tokio::test(start_paused = true)]
async fn a_session_pumps_at_its_deadline() {
    let [(rx, tx), _peer] = memory::pair(16, LinkKind::Shared);
    let started = now();
    let (pumped, mut heard) = mpsc::unbounded_channel();
    let next = started + Duration::from_secs(1);
    let server = Connection::server(ServerConfig::default(), LinkKind::Shared, started);
    tokio::spawn(drive(server, rx, tx, Ticking { next, pumped }));
    for seconds in 1..=5 {
        assert_eq!(
            heard.recv().await,
            Some(started + Duration::from_secs(seconds))
        );
    }
}
