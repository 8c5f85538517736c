//! PING, CLOSE, ERROR and what is not known: items 24 to 28.

use std::time::Duration;

use bytes::Bytes;
use vroom_protocol::mux::control::{Close, ControlMessage, kind};
use vroom_protocol::testing::End;
use vroom_protocol::{ChannelId, ChannelSpec, Code, Connection, Event, LinkKind};

use crate::busy_pair;
use crate::mux_support::{Hand, messages};

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn item_24_pong_echoes_the_ping_and_adds_its_own_clock() {
    let mut hand = Hand::welcomed();
    hand.after(Duration::from_millis(1234));
    hand.control(&ControlMessage::Ping(0xFFFF_FFFF));
    assert_eq!(
        hand.answer(),
        ControlMessage::Pong {
            echo: 0xFFFF_FFFF,
            clock: 1234
        }
    );
    for wrong in [kind::PING, kind::PONG] {
        hand.message(0, wrong, b"12345");
        hand.expect_error(Code::INVALID_MESSAGE, Some(0));
    }
}

#[test]
fn item_24_the_round_trip_is_measured() {
    let mut pair = busy_pair(LinkKind::Shared);
    pair.on(End::Client, Connection::ping);
    pair.settle();
    assert_eq!(
        pair.connection(End::Client).rtt(),
        Some(Duration::from_millis(20))
    );
}

#[test]
fn item_25_a_peer_that_says_nothing_after_a_ping_is_dropped() {
    let mut hand = Hand::welcomed();
    hand.after(30 * SECOND);
    assert!(matches!(hand.answer(), ControlMessage::Ping(30_000)));
    hand.after(Duration::from_millis(9_999));
    hand.message(3, 1, b"still there");
    drop(hand.events());
    hand.after(30 * SECOND);
    assert!(matches!(hand.answer(), ControlMessage::Ping(_)));
    hand.after(10 * SECOND);
    assert!(hand.connection.is_closed());
    assert_eq!(hand.frames(), []);
    assert!(matches!(
        hand.events()[..],
        [Event::Closed {
            code: Code::GOING_AWAY,
            by_peer: true,
            ..
        }]
    ));
}

#[test]
fn item_26_close_is_answered_by_close() {
    let mut hand = Hand::welcomed();
    hand.connection
        .send(hand.now, ChannelId(3), 1, Bytes::from_static(b"dropped"))
        .unwrap();
    hand.control(&ControlMessage::Close(Close {
        code: Code::NORMAL,
        reason: "done".to_owned(),
    }));
    assert!(!hand.connection.is_closed());
    let answer = hand.answer();
    assert!(
        matches!(
            answer,
            ControlMessage::Close(Close {
                code: Code::NORMAL,
                ..
            })
        ),
        "{answer:?}"
    );
    assert!(hand.connection.is_closed());
    let closed = Event::Closed {
        code: Code::NORMAL,
        reason: "done".to_owned(),
        by_peer: true,
    };
    assert_eq!(hand.events(), [closed]);
}

#[test]
fn item_26_the_one_who_closes_waits_two_seconds_at_most() {
    let mut hand = Hand::welcomed();
    hand.connection.close(hand.now, Code::GOING_AWAY, "bye");
    hand.expect_close(Code::GOING_AWAY);
    hand.message(3, 1, b"ignored");
    hand.after(Duration::from_millis(1_999));
    assert!(!hand.connection.is_closed());
    hand.after(Duration::from_millis(1));
    assert!(hand.connection.is_closed());
    assert_eq!(hand.events(), []);

    let mut hand = Hand::welcomed();
    hand.connection.close(hand.now, Code::GOING_AWAY, "bye");
    hand.expect_close(Code::GOING_AWAY);
    hand.control(&ControlMessage::Close(Close {
        code: Code::GOING_AWAY,
        reason: String::new(),
    }));
    assert!(hand.connection.is_closed());
    assert_eq!(hand.frames(), []);
}

#[test]
fn item_26_a_link_that_takes_nothing_is_not_waited_for_either() {
    let mut hand = Hand::welcomed();
    hand.control(&ControlMessage::Close(Close {
        code: Code::NORMAL,
        reason: String::new(),
    }));
    assert!(!hand.connection.is_closed());
    hand.after(2 * SECOND);
    assert!(hand.connection.is_closed());
}

#[test]
fn item_27_error_alone_closes_nothing_and_is_never_answered() {
    let mut hand = Hand::welcomed();
    hand.json(kind::ERROR, r#"{"code":1002,"channel":3,"reason":"what"}"#);
    hand.json(kind::ERROR, r#"{"code":123456789}"#);
    hand.json(kind::ERROR, "no JSON");
    let reason = "what".to_owned();
    assert_eq!(
        hand.events(),
        [
            Event::PeerError {
                code: Code::PROTOCOL_ERROR,
                channel: Some(ChannelId(3)),
                reason
            },
            Event::PeerError {
                code: Code(u16::MAX),
                channel: None,
                reason: String::new()
            },
        ]
    );
    hand.expect_silence();
}

#[test]
fn item_28_mux_messages_are_json_and_application_messages_pass_through() {
    let mut hand = Hand::welcomed();
    // A CBOR map where JSON has to be, and where it need not be.
    hand.message(0, kind::OPEN_CHANNEL, &[0xA1, 0x61, 0x61, 1]);
    hand.expect_error(Code::INVALID_MESSAGE, Some(0));
    hand.message(0, 0x81, &[0xA1, 0x61, 0x61, 1]);
    assert_eq!(
        messages(hand.events()),
        [(0, 0x81, Bytes::from_static(&[0xA1, 0x61, 0x61, 1]))]
    );
    hand.connection
        .open_channel(hand.now, ChannelSpec::reliable("x"))
        .unwrap();
    assert_eq!(hand.frames()[0].payload[0], b'{');
}

#[test]
fn what_only_a_server_sends_is_not_known_from_a_client() {
    for kind in [
        kind::WELCOME,
        kind::SESSION_ID,
        kind::RESUME_RESPONSE,
        kind::SESSION_LIST_RESPONSE,
    ] {
        let mut hand = Hand::welcomed();
        hand.json(kind, r#"{"version":[0,1,0],"channels":[]}"#);
        hand.expect_error(Code::UNSUPPORTED, Some(0));
    }
}

#[test]
fn unknown_types_on_channel_0_get_one_error_a_second() {
    let mut hand = Hand::welcomed();
    hand.json(0x7F, "{}");
    hand.json(0xF1, "{}");
    hand.expect_error(Code::UNSUPPORTED, Some(0));
    hand.after(SECOND);
    hand.json(kind::DETACH, "{}");
    hand.expect_error(Code::UNSUPPORTED, Some(0));
}

#[test]
fn a_websocket_text_message_closes_with_1003() {
    let mut hand = Hand::welcomed();
    hand.connection.handle_text_message(hand.now);
    hand.expect_close(Code::UNSUPPORTED);
}
