//! Opening and closing channels: items 19 to 23, 29 and 30.

use std::time::Duration;

use bytes::Bytes;
use vroom_protocol::mux::control::{
    ChannelAck, ChannelReject, CloseChannel, ControlMessage, OpenChannel, kind,
};
use vroom_protocol::testing::End;
use vroom_protocol::{ChannelId, ChannelSpec, Code, Event, LinkKind, SendError};

use crate::busy_pair;
use crate::mux_support::{Hand, messages};

const SECOND: Duration = Duration::from_secs(1);

#[test]
fn item_19_a_request_gets_an_ack_or_a_reject_with_its_number() {
    let mut hand = Hand::welcomed();
    hand.ask(40, ChannelSpec::reliable("omux/x"));
    hand.ask(41, ChannelSpec::reliable("y"));
    let events = hand.events();
    let [
        Event::ChannelRequested { request: x, spec },
        Event::ChannelRequested { request: y, .. },
    ] = &events[..]
    else {
        panic!("{events:?}")
    };
    assert_eq!(spec.name, "x");
    hand.connection
        .reject_channel(hand.now, *y, Code::NOT_ALLOWED, "no");
    assert_eq!(
        hand.connection.accept_channel(hand.now, *x),
        Some(ChannelId(4))
    );
    assert_eq!(hand.connection.accept_channel(hand.now, *x), None);
    assert_eq!(
        hand.controls(),
        [
            ControlMessage::ChannelReject(ChannelReject {
                request: 41,
                code: Code::NOT_ALLOWED,
                reason: "no".to_owned()
            }),
            ControlMessage::ChannelAck(ChannelAck {
                request: 40,
                id: ChannelId(4),
                name: "x".to_owned()
            }),
        ]
    );
    hand.message(4, 1, b"at once");
    assert_eq!(messages(hand.events()).len(), 1);
}

#[test]
fn item_19_a_request_that_cannot_be_read_is_rejected_when_its_number_can() {
    let mut hand = Hand::welcomed();
    let mut reject = |text: &str| {
        hand.json(kind::OPEN_CHANNEL, text);
        match hand.answer() {
            ControlMessage::ChannelReject(ChannelReject {
                request: 9, code, ..
            }) => code,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(
        reject(r#"{"requestId":9,"name":"a"}"#),
        Code::INVALID_MESSAGE
    );
    assert_eq!(
        reject(r#"{"requestId":9,"name":"","reliable":true,"ordered":true}"#),
        Code::INVALID_MESSAGE
    );
    assert_eq!(
        reject(r#"{"requestId":9,"name":"t#a b","reliable":true,"ordered":true}"#),
        Code::INVALID_MESSAGE
    );
    assert_eq!(
        reject(r#"{"requestId":9,"name":"control","reliable":true,"ordered":true}"#),
        Code::UNSUPPORTED
    );
    hand.json(
        kind::OPEN_CHANNEL,
        r#"{"name":"a","reliable":true,"ordered":true}"#,
    );
    hand.expect_error(Code::INVALID_MESSAGE, Some(0));
}

#[test]
fn item_19_both_sides_can_ask() {
    let mut pair = busy_pair(LinkKind::Shared);
    let request = pair
        .on(End::Server, |server, now| {
            server.open_channel(now, ChannelSpec::reliable("s"))
        })
        .unwrap();
    pair.settle();
    let opened = |events: Vec<Event>| {
        events.into_iter().find_map(|event| match event {
            Event::ChannelOpened { id, spec, request } if spec.name == "s" => Some((id, request)),
            _ => None,
        })
    };
    let (id, answered) = opened(pair.events(End::Server)).unwrap();
    assert_eq!(answered, Some(request));
    assert_eq!(opened(pair.events(End::Client)).unwrap().0, id);
    pair.on(End::Client, |client, now| {
        client.send(now, id, 1, Bytes::from_static(b"up"))
    })
    .unwrap();
    pair.settle();
    assert_eq!(messages(pair.events(End::Server)).len(), 1);
}

#[test]
fn item_19_a_client_counts_down_when_the_server_names_no_id() {
    let mut hand = Hand::client();
    hand.json(kind::WELCOME, r#"{"version":[0,1,0],"channels":[]}"#);
    drop(hand.events());
    for (number, name, expected) in [(1, "a", 254), (2, "b", 253)] {
        hand.ask(number, ChannelSpec::reliable(name));
        let [Event::ChannelRequested { request, .. }] = hand.events()[..] else {
            panic!()
        };
        assert_eq!(
            hand.connection.accept_channel(hand.now, request),
            Some(ChannelId(expected))
        );
        drop(hand.events());
    }
    let given = OpenChannel {
        request: 3,
        spec: ChannelSpec::reliable("c"),
        id: Some(ChannelId(9)),
    };
    hand.control(&ControlMessage::OpenChannel(given));
    let [Event::ChannelRequested { request, .. }] = hand.events()[..] else {
        panic!()
    };
    assert_eq!(
        hand.connection.accept_channel(hand.now, request),
        Some(ChannelId(9))
    );
}

#[test]
fn item_20_a_name_that_is_open_or_asked_for_is_rejected() {
    let mut hand = Hand::welcomed();
    hand.ask(1, ChannelSpec::reliable("data"));
    hand.ask(2, ChannelSpec::reliable("new"));
    hand.ask(3, ChannelSpec::reliable("omux/new"));
    let rejected: Vec<_> = hand.controls();
    let in_use = |request| move |message: &ControlMessage| matches!(message, ControlMessage::ChannelReject(reject) if reject.request == request && reject.code == Code::NAME_IN_USE);
    assert_eq!(rejected.len(), 2);
    assert!(in_use(1)(&rejected[0]) && in_use(3)(&rejected[1]));
    assert_eq!(
        hand.connection
            .open_channel(hand.now, ChannelSpec::reliable("data")),
        Err(SendError::Name)
    );
}

#[test]
fn item_21_channel_0_cannot_be_closed() {
    let mut hand = Hand::welcomed();
    hand.control(&ControlMessage::CloseChannel(CloseChannel {
        id: 0,
        reason: String::new(),
    }));
    hand.expect_error(Code::PROTOCOL_ERROR, Some(0));
    hand.connection
        .close_channel(hand.now, ChannelId::CONTROL, "no");
    hand.expect_silence();
}

#[test]
fn item_22_after_close_channel_nothing_is_sent_and_late_frames_are_dropped() {
    let mut hand = Hand::welcomed();
    hand.connection
        .send(hand.now, ChannelId(3), 1, Bytes::from_static(b"queued"))
        .unwrap();
    hand.control(&ControlMessage::CloseChannel(CloseChannel {
        id: 3,
        reason: "bye".to_owned(),
    }));
    let name = "data".to_owned();
    let closed = Event::ChannelClosed {
        id: ChannelId(3),
        name,
        reason: "bye".to_owned(),
        by_peer: true,
    };
    assert_eq!(hand.events(), [closed]);
    assert_eq!(hand.frames(), []);
    let late = hand
        .connection
        .send(hand.now, ChannelId(3), 1, Bytes::from_static(b"late"));
    assert_eq!(late, Err(SendError::NotOpen));

    hand.after(Duration::from_millis(4_999));
    hand.message(3, 1, b"late");
    hand.control(&ControlMessage::CloseChannel(CloseChannel {
        id: 3,
        reason: String::new(),
    }));
    assert_eq!(hand.events(), []);
    hand.expect_silence();
    hand.after(Duration::from_millis(1));
    hand.message(3, 1, b"much too late");
    hand.expect_error(Code::CHANNEL_NOT_FOUND, Some(3));
    hand.control(&ControlMessage::CloseChannel(CloseChannel {
        id: 3,
        reason: String::new(),
    }));
    hand.expect_error(Code::CHANNEL_NOT_FOUND, Some(3));
}

#[test]
fn item_22_what_was_queued_goes_out_before_our_own_close_channel() {
    let mut hand = Hand::welcomed();
    let long = Bytes::from(vec![1; 40_000]);
    hand.connection
        .send(hand.now, ChannelId(3), 1, long)
        .unwrap();
    hand.connection
        .close_channel(hand.now, ChannelId(3), "done");
    let refused = hand
        .connection
        .send(hand.now, ChannelId(3), 1, Bytes::from_static(b"late"));
    assert_eq!(refused, Err(SendError::NotOpen));
    let frames = hand.frames();
    let channels: Vec<u8> = frames.iter().map(|frame| frame.channel.0).collect();
    assert_eq!(channels, [3, 3, 3, 0]);
    assert_eq!(frames[3].payload, r#"{"id":3,"reason":"done"}"#);
    // What the peer still sends is dropped.
    drop(hand.events());
    hand.message(3, 1, b"late");
    assert_eq!(hand.events(), []);
    hand.expect_silence();
}

#[test]
fn item_23_unknown_channels_get_4003() {
    let mut hand = Hand::welcomed();
    hand.message(9, 1, b"x");
    hand.expect_error(Code::CHANNEL_NOT_FOUND, Some(9));
    hand.message(255, 1, b"x");
    hand.expect_error(Code::CHANNEL_NOT_FOUND, Some(255));
    hand.control(&ControlMessage::CloseChannel(CloseChannel {
        id: 77,
        reason: String::new(),
    }));
    hand.expect_error(Code::CHANNEL_NOT_FOUND, Some(77));
    hand.json(kind::CLOSE_CHANNEL, r#"{"id":1000}"#);
    hand.expect_error(Code::CHANNEL_NOT_FOUND, None);
}

#[test]
fn item_29_the_channel_byte_is_right_on_lanes_of_their_own() {
    let mut pair = busy_pair(LinkKind::PerChannel);
    let id = pair.connection(End::Client).channel_id("data").unwrap();
    pair.set_reading(End::Server, false);
    let payload = Bytes::from_static(b"x");
    pair.on(End::Client, |client, now| client.send(now, id, 1, payload))
        .unwrap();
    let transmit = pair
        .on(End::Client, |client, _| client.poll_transmit())
        .unwrap();
    assert_eq!(
        (&*transmit.lane, transmit.channel, transmit.frame[0]),
        ("data", id, id.0)
    );
}

#[test]
fn item_30_the_255th_channel_is_rejected_with_4002() {
    let mut hand = Hand::welcomed();
    for number in 4..=254 {
        hand.ask(number, ChannelSpec::reliable(number.to_string()));
        let [Event::ChannelRequested { request, .. }] = hand.events()[..] else {
            panic!()
        };
        assert!(hand.connection.accept_channel(hand.now, request).is_some());
        drop((hand.frames(), hand.events()));
    }
    hand.ask(255, ChannelSpec::reliable("one more"));
    let full = |hand: &mut Hand| match hand.answer() {
        ControlMessage::ChannelReject(reject) => assert_eq!(reject.code, Code::CHANNEL_FULL),
        other => panic!("{other:?}"),
    };
    full(&mut hand);
    assert_eq!(
        hand.connection
            .open_channel(hand.now, ChannelSpec::reliable("s")),
        Err(SendError::Full)
    );
    // An id that has just been freed counts as used.
    hand.control(&ControlMessage::CloseChannel(CloseChannel {
        id: 100,
        reason: String::new(),
    }));
    hand.ask(256, ChannelSpec::reliable("too soon"));
    full(&mut hand);
    hand.after(5 * SECOND);
    hand.ask(257, ChannelSpec::reliable("now"));
    let events = hand.events();
    let Some(Event::ChannelRequested { request, .. }) = events.last() else {
        panic!()
    };
    assert_eq!(
        hand.connection.accept_channel(hand.now, *request),
        Some(ChannelId(100))
    );
}
