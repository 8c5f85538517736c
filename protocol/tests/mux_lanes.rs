//! Links with a lane per channel, where lanes overtake each other.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "helpers of tests may fail the test"
)]

mod mux_support;

use std::time::Duration;

use bytes::Bytes;
use vroom_protocol::mux::control::ControlMessage;
use vroom_protocol::mux::frame::Frame;
use vroom_protocol::testing::{self, End, Pair, Weather};
use vroom_protocol::{
    ChannelId, ChannelSpec, ClientConfig, Code, Connection, Event, LaneChange, LinkKind,
    ServerConfig, Transmit, WelcomeInfo,
};

use mux_support::messages;

const SECOND: Duration = Duration::from_secs(1);

fn unruly(seed: u64) -> Weather {
    Weather {
        seed,
        delay_min: Duration::from_millis(1),
        delay_max: Duration::from_millis(200),
        loss_per_mille: 0,
    }
}

fn pair(channels: &[ChannelSpec], weather: Weather) -> Pair {
    let client = ClientConfig {
        channels: channels.to_vec(),
        ..ClientConfig::default()
    };
    Pair::up(
        client,
        ServerConfig::default(),
        WelcomeInfo::default(),
        LinkKind::PerChannel,
        weather,
    )
}

fn frames(connection: &mut Connection) -> Vec<Frame> {
    std::iter::from_fn(|| connection.poll_transmit())
        .map(|Transmit { frame, .. }| Frame::decode(&frame, usize::MAX).unwrap())
        .collect()
}

fn changes(connection: &mut Connection) -> Vec<LaneChange> {
    std::iter::from_fn(|| connection.poll_lane_change()).collect()
}

/// A server on lanes that has welcomed a client without channels.
fn server() -> (Connection, std::time::Instant) {
    let now = testing::start();
    let mut server = Connection::server(ServerConfig::default(), LinkKind::PerChannel, now);
    let hello = ControlMessage::Hello(vroom_protocol::Hello::default());
    hand_in(&mut server, now, "control", 0, &hello);
    server.accept(now, WelcomeInfo::default());
    drop((
        frames(&mut server),
        std::iter::from_fn(|| server.poll_event()).count(),
    ));
    (server, now)
}

fn hand_in(
    connection: &mut Connection,
    now: std::time::Instant,
    lane: &str,
    channel: u8,
    message: &ControlMessage,
) {
    let frame = Frame::whole(ChannelId(channel), message.kind(), message.encode()).encode();
    connection.handle_message(now, Some(lane), frame);
}

fn open(number: u64, name: &str) -> ControlMessage {
    let spec = ChannelSpec::reliable(name);
    ControlMessage::OpenChannel(vroom_protocol::mux::control::OpenChannel {
        request: number,
        spec,
        id: None,
    })
}

#[test]
fn the_side_that_asks_opens_the_lane_first() {
    let (mut server, now) = server();
    server
        .open_channel(now, ChannelSpec::lossy("omux/x"))
        .unwrap();
    assert_eq!(
        changes(&mut server),
        [LaneChange::Open(ChannelSpec::lossy("x"))]
    );

    let client = ClientConfig {
        channels: vec![ChannelSpec::reliable("y")],
        ..ClientConfig::default()
    };
    let mut client = Connection::client(client, LinkKind::PerChannel, now);
    assert_eq!(
        changes(&mut client),
        [LaneChange::Open(ChannelSpec::reliable("y"))]
    );
}

#[test]
fn a_request_waits_for_its_lane_and_is_rejected_without_it() {
    let (mut server, now) = server();
    hand_in(&mut server, now, "control", 0, &open(1, "a"));
    hand_in(&mut server, now, "control", 0, &open(2, "b"));
    assert_eq!(server.poll_event(), None);
    server.handle_lane_opened(now, "omux/a");
    assert!(
        matches!(server.poll_event(), Some(Event::ChannelRequested { spec, .. }) if spec.name == "a")
    );
    assert_eq!(server.poll_timeout(), Some(now + 10 * SECOND));
    server.handle_timeout(now + 10 * SECOND);
    let refused = frames(&mut server);
    assert_eq!(refused.len(), 1);
    let refused = ControlMessage::decode(refused[0].kind, &refused[0].payload).unwrap();
    assert!(
        matches!(refused, ControlMessage::ChannelReject(reject) if reject.request == 2 && reject.code == Code::UNSUPPORTED)
    );
}

#[test]
fn a_lane_that_nobody_asks_for_is_closed() {
    let (mut server, now) = server();
    server.handle_lane_opened(now, "stray");
    server.handle_timeout(now + 9 * SECOND);
    assert_eq!(changes(&mut server), []);
    server.handle_timeout(now + 10 * SECOND);
    assert_eq!(changes(&mut server), [LaneChange::Close("stray".into())]);
}

#[test]
fn a_channel_whose_lane_never_comes_is_closed() {
    let (mut server, now) = server();
    server.handle_lane_opened(now, "a");
    hand_in(&mut server, now, "control", 0, &open(1, "a"));
    let Some(Event::ChannelRequested { request, .. }) = server.poll_event() else {
        panic!()
    };
    server.handle_lane_closed(now, "a");
    let id = server.accept_channel(now, request).unwrap();
    server
        .send(now, id, 1, Bytes::from_static(b"waits"))
        .unwrap();
    assert!(
        frames(&mut server)
            .iter()
            .all(|frame| frame.channel == ChannelId::CONTROL)
    );
    server.handle_timeout(now + 10 * SECOND);
    assert_eq!(server.channel(id), None);
    let told = frames(&mut server);
    assert_eq!(
        told[0].payload,
        r#"{"id":1,"reason":"its lane did not come"}"#
    );
}

#[test]
fn a_lane_that_is_lost_closes_its_channel() {
    let mut pair = pair(&[ChannelSpec::reliable("a")], Weather::default());
    let id = pair.connection(End::Server).channel_id("a").unwrap();
    drop((pair.events(End::Client), pair.events(End::Server)));
    pair.on(End::Server, |server, now| {
        server.handle_lane_closed(now, "a");
    });
    assert!(
        matches!(&pair.events(End::Server)[..], [Event::ChannelClosed { id: closed, by_peer: true, .. }] if *closed == id)
    );
    pair.settle();
    assert!(
        matches!(&pair.events(End::Client)[..], [Event::ChannelClosed { id: closed, by_peer: true, .. }] if *closed == id)
    );
}

#[test]
fn without_the_control_lane_the_transport_is_lost() {
    let (mut server, now) = server();
    server.handle_lane_closed(now, "control");
    assert!(server.is_closed());
    assert!(matches!(
        server.poll_event(),
        Some(Event::Closed {
            code: Code::GOING_AWAY,
            by_peer: true,
            ..
        })
    ));
}

#[test]
fn the_time_to_say_hello_starts_when_the_control_lane_opens() {
    let now = testing::start();
    let mut server = Connection::server(ServerConfig::default(), LinkKind::PerChannel, now);
    server.handle_lane_opened(now + 9 * SECOND, "control");
    server.handle_timeout(now + 18 * SECOND);
    assert!(!server.is_closed() && frames(&mut server).is_empty());
    server.handle_timeout(now + 19 * SECOND);
    assert_eq!(frames(&mut server).len(), 1);
}

#[test]
fn a_channel_byte_that_is_not_its_lanes_gets_4003() {
    let mut pair = pair(
        &[ChannelSpec::reliable("a"), ChannelSpec::reliable("b")],
        Weather::default(),
    );
    let id = pair.connection(End::Server).channel_id("a").unwrap();
    drop(pair.events(End::Server));
    for (lane, channel) in [("b", id), ("control", id), ("a", ChannelId::CONTROL)] {
        let frame = Frame::whole(channel, 0x81, Bytes::from_static(b"{}")).encode();
        pair.on(End::Server, |server, now| {
            server.handle_message(now, Some(lane), frame);
        });
    }
    assert_eq!(pair.events(End::Server), []);
    pair.settle();
    let errors = pair.events(End::Client);
    let strange = |event: &Event| {
        matches!(
            event,
            Event::PeerError {
                code: Code::CHANNEL_NOT_FOUND,
                ..
            }
        )
    };
    assert_eq!(errors.iter().filter(|event| strange(event)).count(), 3);
    assert!(pair.connection(End::Server).is_up());
}

#[test]
fn data_may_overtake_the_ack_and_the_welcome() {
    for seed in 0..50 {
        let mut pair = pair(&[ChannelSpec::reliable("listed")], unruly(seed));
        let listed = pair.connection(End::Server).channel_id("listed").unwrap();
        pair.on(End::Client, |client, now| {
            client.open_channel(now, ChannelSpec::reliable("asked"))
        })
        .unwrap();
        let id = loop {
            pair.run_for(Duration::from_millis(1));
            if let Some(id) = pair.connection(End::Server).channel_id("asked") {
                break id;
            }
        };
        // Right behind the ACK, on another lane.
        for number in 0..20_u8 {
            let payload = Bytes::copy_from_slice(&[number]);
            pair.on(End::Server, |server, now| server.send(now, id, 1, payload))
                .unwrap();
        }
        pair.settle();
        let received = messages(pair.events(End::Client));
        let numbers: Vec<u8> = received
            .iter()
            .filter(|(channel, ..)| *channel == id.0)
            .map(|(.., body)| body[0])
            .collect();
        assert_eq!(numbers, (0..20).collect::<Vec<u8>>(), "seed {seed}");
        assert_ne!(listed, id);
    }
}

#[test]
fn data_for_a_channel_that_is_being_opened_is_bounded() {
    let now = testing::start();
    let config = ClientConfig {
        channels: vec![ChannelSpec::reliable("a")],
        ..ClientConfig::default()
    };
    let mut client = Connection::client(config, LinkKind::PerChannel, now);
    let frame = Frame::whole(ChannelId(1), 1, vec![0; 60_000].into()).encode();
    let mut kept = 0;
    while !matches!(
        client.poll_event(),
        Some(Event::Closed {
            code: Code::RATE_LIMITED,
            ..
        })
    ) {
        client.handle_message(now, Some("a"), frame.clone());
        kept += frame.len();
        assert!(kept < 2 << 20);
    }
    assert!(kept > 900_000);
}

#[test]
fn a_channel_can_be_closed_and_opened_again_at_once() {
    for seed in 0..50 {
        let mut pair = pair(&[ChannelSpec::lossy("pointer")], unruly(seed));
        for round in 0..5 {
            let id = pair.connection(End::Client).channel_id("pointer").unwrap();
            pair.on(End::Client, |client, now| {
                client.close_channel(now, id, "leaving");
                client
                    .open_channel(now, ChannelSpec::lossy("pointer"))
                    .unwrap();
            });
            pair.run_for(2 * SECOND);
            let client = pair.connection(End::Client).channel_id("pointer");
            assert!(client.is_some(), "seed {seed}, round {round}");
            assert_eq!(client, pair.connection(End::Server).channel_id("pointer"));
            pair.run_for(12 * SECOND);
            assert_eq!(client, pair.connection(End::Server).channel_id("pointer"));
            let payload = Bytes::from_static(b"move");
            drop(pair.events(End::Server));
            pair.on(End::Client, |client, now| {
                let id = client.channel_id("pointer").unwrap();
                client.send(now, id, 1, payload)
            })
            .unwrap();
            pair.settle();
            assert_eq!(
                messages(pair.events(End::Server)).len(),
                1,
                "seed {seed}, round {round}"
            );
        }
    }
}

#[test]
fn a_full_lane_does_not_hold_up_the_others() {
    let mut pair = pair(
        &[
            ChannelSpec::reliable("bulk"),
            ChannelSpec::reliable("button"),
        ],
        Weather::default(),
    );
    let server = End::Server;
    let (bulk, button) = {
        let connection = pair.connection(server);
        (
            connection.channel_id("bulk").unwrap(),
            connection.channel_id("button").unwrap(),
        )
    };
    pair.on(server, |connection, now| {
        connection.set_lane_writable("bulk", false);
        connection
            .send(now, bulk, 1, Bytes::from_static(b"later"))
            .unwrap();
        connection
            .send(now, button, 1, Bytes::from_static(b"now"))
            .unwrap();
    });
    pair.settle();
    let received = messages(pair.events(End::Client));
    assert_eq!(received, [(button.0, 1, Bytes::from_static(b"now"))]);
    pair.on(server, |connection, _| {
        connection.set_lane_writable("bulk", true);
    });
    pair.settle();
    assert_eq!(
        messages(pair.events(End::Client)),
        [(bulk.0, 1, Bytes::from_static(b"later"))]
    );
}
