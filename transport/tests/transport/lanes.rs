//! Links with a lane per channel.

use std::future::pending;

use vroom_protocol::{
    ChannelSpec, Code, Connection, Event, LaneChange, LinkKind, ServerConfig, Transmit,
};
use vroom_transport::memory::{self, MemoryTx};
use vroom_transport::{LinkTx, TrySend};

use crate::common::{Manual, Progress, Side, client_config, now, numbered};

fn sides(depth: usize) -> (Side, Side) {
    let [near, far] = memory::pair(depth, LinkKind::PerChannel);
    let kind = LinkKind::PerChannel;
    let server = Side::start(
        Connection::server(ServerConfig::default(), kind, now()),
        near,
    );
    let client = Side::start(Connection::client(client_config(), kind, now()), far);
    (server, client)
}

#[tokio::test(start_paused = true)]
async fn channels_get_lanes_and_messages_arrive_both_ways() {
    let (mut server, mut client) = sides(4);
    let id = client.channel().await;
    assert_eq!(server.channel().await, id);
    client.send_many(id, 50, 100);
    server.send_many(id, 50, 100);
    server.messages(50, 100).await;
    client.messages(50, 100).await;
}

#[tokio::test(start_paused = true)]
async fn a_channel_opened_later_works_too() {
    let (mut server, mut client) = sides(4);
    client.channel().await;
    client.perform(|now, connection| {
        connection
            .open_channel(now, ChannelSpec::lossy("pointer"))
            .unwrap();
        Progress::Done
    });
    let id = loop {
        if let (
            _,
            Event::ChannelOpened {
                id,
                spec,
                request: Some(_),
            },
        ) = client.next().await
        {
            assert_eq!(spec.name, "pointer");
            break id;
        }
    };
    client.perform(move |now, connection| {
        connection.send(now, id, 1, numbered(0, 4)).unwrap();
        Progress::Done
    });
    assert_eq!(server.message().await.1, numbered(0, 4));
}

#[tokio::test(start_paused = true)]
async fn a_full_lane_holds_back_no_other() {
    let [near, far] = memory::pair(4, LinkKind::PerChannel);
    let kind = LinkKind::PerChannel;
    let server = Side::start(
        Connection::server(ServerConfig::default(), kind, now()),
        near,
    );
    let mut peer = Manual::new(Connection::client(client_config(), kind, now()), far);
    while let Some(change) = peer.connection.poll_lane_change() {
        if let LaneChange::Open(spec) = change {
            peer.tx.open(&spec.name, &spec);
        }
    }
    let id = peer.channel().await;
    server.send_many(id, 50, 100);
    tokio::task::yield_now().await;
    // The lane `data` is full by now; the answer to a PING goes another way.
    peer.connection.ping(now());
    peer.write().await;
    tokio::task::yield_now().await;
    let mut before_pong = 0;
    loop {
        let frame = peer.read().await;
        if frame.starts_with(&[0, 0x11]) {
            break;
        }
        before_pong += 1;
    }
    assert!(
        before_pong <= 4,
        "{before_pong} messages came before the PONG"
    );
    for number in before_pong..50 {
        let frame = peer.read().await;
        assert_eq!(frame.slice(6..), numbered(number, 100));
    }
}

/// A link whose lane `data` is full for ever.
struct Blocked {
    tx: MemoryTx,
    refused: bool,
}

impl LinkTx for Blocked {
    fn try_send(&mut self, transmit: Transmit) -> Result<(), TrySend> {
        if &*transmit.lane == "data" {
            self.refused = true;
            return Err(TrySend::LaneFull(transmit));
        }
        self.tx.try_send(transmit)
    }

    async fn writable(&mut self) {
        if self.refused {
            pending::<()>().await;
        }
    }

    async fn shutdown(&mut self, code: Code) {
        self.tx.shutdown(code).await;
    }
}

#[tokio::test(start_paused = true)]
async fn what_a_session_has_flows_on_beside_a_full_lane() {
    let kind = LinkKind::PerChannel;
    // Deep enough to take everything, so that only the queues of the core fill up.
    let [(rx, tx), far] = memory::pair(10_000, kind);
    let server = Connection::server(ServerConfig::default(), kind, now());
    let server = Side::start(server, (rx, Blocked { tx, refused: false }));
    let mut config = client_config();
    config.channels.push(ChannelSpec::reliable("more"));
    let mut client = Side::start(Connection::client(config, kind, now()), far);
    let data = client.channel().await;
    let more = loop {
        if let (_, Event::ChannelOpened { id, .. }) = client.next().await {
            break id;
        }
    };
    let started = now();
    server.send_many(data, 1, 10);
    server.send_many(more, 512, 16 * 1024);
    client.messages(512, 16 * 1024).await;
    assert_eq!(now(), started, "nothing had to wait for a deadline");
}
