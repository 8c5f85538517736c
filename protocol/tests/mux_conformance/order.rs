//! What goes out before what.

use bytes::Bytes;
use vroom_protocol::mux::control::{ControlMessage, kind};
use vroom_protocol::{ChannelId, ChannelSpec, Event};

use crate::mux_support::Hand;

#[test]
fn control_goes_first_then_input_then_the_others_in_turn() {
    let mut hand = Hand::welcomed();
    hand.ask(1, ChannelSpec::reliable("bulk"));
    let [Event::ChannelRequested { request, .. }] = hand.events()[..] else {
        panic!()
    };
    hand.connection.accept_channel(hand.now, request);
    drop(hand.frames());
    let now = hand.now;
    let long = || Bytes::from(vec![0; 32 * 1024]);
    hand.connection.send(now, ChannelId(3), 1, long()).unwrap();
    hand.connection.send(now, ChannelId(4), 1, long()).unwrap();
    hand.connection
        .send(now, ChannelId::CONTROL, 0x83, long())
        .unwrap();
    let first = hand.connection.poll_transmit().unwrap();
    assert!(first.frame.len() <= 16 * 1024 + 6);
    hand.connection
        .send(now, ChannelId(2), 1, Bytes::from_static(b"key"))
        .unwrap();
    let order: Vec<u8> = hand.frames().iter().map(|frame| frame.channel.0).collect();
    assert_eq!(order[0], 2, "a key overtakes what is long");
    let turns = &order[1..];
    assert_eq!(turns.len(), 5);
    assert!(
        turns[..3].contains(&3) && turns[..3].contains(&4) && turns[..3].contains(&0),
        "{turns:?}"
    );
}

#[test]
fn a_ping_waits_for_a_message_on_channel_0_that_has_begun() {
    let mut hand = Hand::welcomed();
    hand.connection
        .send(hand.now, ChannelId::CONTROL, 0x83, vec![0; 40_000].into())
        .unwrap();
    drop(hand.connection.poll_transmit());
    hand.control(&ControlMessage::Ping(1));
    let kinds: Vec<u8> = hand.frames().iter().map(|frame| frame.kind).collect();
    assert_eq!(kinds, [0x83, 0x83, kind::PONG]);
}

#[test]
fn only_the_newest_of_a_kind_waits_when_asked_for() {
    let mut hand = Hand::welcomed();
    let send = |hand: &mut Hand, kind, text: &'static str| {
        hand.connection
            .send_latest(
                hand.now,
                ChannelId(1),
                kind,
                Bytes::from_static(text.as_bytes()),
            )
            .unwrap();
    };
    send(&mut hand, 1, "first");
    send(&mut hand, 2, "other");
    send(&mut hand, 1, "newest");
    assert_eq!(hand.connection.queued_bytes(ChannelId(1)), 11);
    let bodies: Vec<_> = hand
        .frames()
        .into_iter()
        .map(|frame| frame.payload)
        .collect();
    assert_eq!(bodies, ["newest", "other"]);
}

#[test]
fn nothing_on_a_channel_overtakes_its_ack() {
    let mut hand = Hand::welcomed();
    let now = hand.now;
    hand.connection
        .send(now, ChannelId::CONTROL, 0x83, vec![0; 60_000].into())
        .unwrap();
    hand.ask(1, ChannelSpec::reliable("new"));
    let [Event::ChannelRequested { request, .. }] = hand.events()[..] else {
        panic!()
    };
    let id = hand.connection.accept_channel(now, request).unwrap();
    hand.connection
        .send(now, id, 1, Bytes::from_static(b"x"))
        .unwrap();
    let order: Vec<(u8, u8)> = hand
        .frames()
        .iter()
        .map(|frame| (frame.channel.0, frame.kind))
        .collect();
    assert_eq!(
        order[order.len() - 2..],
        [(0, kind::CHANNEL_ACK), (id.0, 1)]
    );
}
