//! What the conformance checklist asks of the mux, item by item where the mux alone can show it.
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
use vroom_protocol::mux::control::{
    ChannelAck, ChannelReject, Close, CloseChannel, ControlMessage, ErrorReport, OpenChannel, kind,
};
use vroom_protocol::mux::frame::{Frame, Part};
use vroom_protocol::testing::{End, Pair, Weather};
use vroom_protocol::{
    Auth, ChannelId, ChannelSpec, ClientConfig, Code, Connection, Event, LinkKind, SendError,
    ServerConfig, StreamDecoder, StreamError, Welcome, WelcomeInfo, testing,
};

use mux_support::{Hand, hex, messages};

const SECOND: Duration = Duration::from_secs(1);

fn bytes_of(connection: &mut Connection) -> Vec<Bytes> {
    std::iter::from_fn(|| connection.poll_transmit())
        .map(|transmit| transmit.frame)
        .collect()
}

/// Feeds a server this HELLO and yields its answer to it.
fn hello(text: &str) -> Hand {
    let mut hand = Hand::server();
    hand.json(kind::HELLO, text);
    hand
}

/// The WELCOME that answers this HELLO.
fn welcome(config: ServerConfig, text: &str) -> Welcome {
    let mut hand = Hand::server_with(config);
    hand.json(kind::HELLO, text);
    hand.accept_all();
    match hand.answer() {
        ControlMessage::Welcome(welcome) => welcome,
        other => panic!("{other:?}"),
    }
}

#[test]
fn item_1_a_mouse_move_is_ten_bytes_on_the_wire() {
    let mut hand = Hand::welcomed();
    hand.connection
        .send(
            hand.now,
            ChannelId(1),
            1,
            Bytes::from_static(&[2, 0, 1, 0x2C]),
        )
        .unwrap();
    assert_eq!(
        bytes_of(&mut hand.connection),
        [hex("01 01 00 00 00 04 02 00 01 2C")]
    );
}

#[test]
fn item_2_lengths_clocks_and_numbers_are_big_endian() {
    let frame = Frame::whole(ChannelId(1), 2, vec![0; 0x0102].into()).encode();
    assert_eq!(frame[4..6], [1, 2]);
    assert_eq!(
        ControlMessage::Ping(0x0102_0304).encode(),
        Bytes::from_static(&[1, 2, 3, 4])
    );
    let ack = ControlMessage::SeqAck(0x0102_0304_0506_0708).encode();
    assert_eq!(ack, Bytes::from_static(&[1, 2, 3, 4, 5, 6, 7, 8]));
}

#[test]
fn item_3_long_payloads_get_a_four_byte_length() {
    let config = ServerConfig {
        max_message_size: 100_000,
        ..ServerConfig::default()
    };
    let mut hand = Hand::welcomed_with(config, r#","maxMessageSize":0"#);
    let payload = Bytes::from(vec![5; 70_000]);
    // Only an unreliable channel, where nothing may be cut, sends one.
    hand.connection
        .send(hand.now, ChannelId(1), 9, payload.clone())
        .unwrap();
    let frames = bytes_of(&mut hand.connection);
    assert_eq!(frames[0][..8], [1, 9, 1, 0, 0, 1, 0x11, 0x70]);
    assert_eq!(frames[0][8..], payload);
    hand.bytes(&frames[0]);
    assert_eq!(messages(hand.events()), [(1, 9, payload)]);
}

#[test]
fn item_4_reserved_bytes_and_bits_are_sent_as_zero() {
    let mut pair = busy_pair(LinkKind::Shared);
    let (mut client, mut server) = pair_frames(&mut pair);
    client.append(&mut server);
    assert!(client.len() > 20);
    for frame in client {
        assert_eq!((frame[2] & 0xF8, frame[3]), (0, 0));
    }
}

#[test]
fn item_5_pieces_are_put_together() {
    let mut hand = Hand::welcomed();
    hand.part(3, 7, Part::Piece, b"one ");
    hand.part(3, 7, Part::Piece, b"two ");
    assert_eq!(hand.events(), []);
    hand.part(3, 7, Part::LastPiece, b"three");
    assert_eq!(
        messages(hand.events()),
        [(3, 7, Bytes::from_static(b"one two three"))]
    );

    // And ours are cut the same way.
    let long = Bytes::from(vec![1; 40_000]);
    hand.connection
        .send(hand.now, ChannelId(3), 7, long.clone())
        .unwrap();
    let frames = hand.frames();
    let parts: Vec<Part> = frames.iter().map(|frame| frame.part).collect();
    assert_eq!(parts, [Part::Piece, Part::Piece, Part::LastPiece]);
    assert!(
        frames
            .iter()
            .all(|frame| (frame.channel, frame.kind) == (ChannelId(3), 7))
    );
    assert_eq!(
        frames
            .iter()
            .flat_map(|frame| frame.payload.clone())
            .collect::<Bytes>(),
        long
    );
}

#[test]
fn item_6_unreliable_channels_carry_no_fragments() {
    let mut hand = Hand::welcomed();
    let long = Bytes::from(vec![1; 40_000]);
    hand.connection
        .send(hand.now, ChannelId(1), 7, long)
        .unwrap();
    assert!(hand.frames().iter().all(|frame| frame.part == Part::Whole));
    let too_long = Bytes::from(vec![1; 65_536]);
    assert_eq!(
        hand.connection.send(hand.now, ChannelId(1), 7, too_long),
        Err(SendError::TooLarge)
    );
    hand.part(1, 7, Part::LastPiece, b"");
    hand.expect_close(Code::PROTOCOL_ERROR);
}

#[test]
fn item_7_a_message_between_the_pieces_of_one_is_a_protocol_error() {
    for (kind, part) in [(7, Part::Whole), (8, Part::Piece), (8, Part::LastPiece)] {
        let mut hand = Hand::welcomed();
        hand.part(3, 7, Part::Piece, b"begun");
        hand.part(3, kind, part, b"other");
        hand.expect_close(Code::PROTOCOL_ERROR);
    }
    // On channel 0 that includes PING.
    let mut hand = Hand::welcomed();
    hand.part(0, 0x83, Part::Piece, b"{");
    hand.control(&ControlMessage::Ping(1));
    hand.expect_close(Code::PROTOCOL_ERROR);
}

#[test]
fn item_8_pieces_of_different_channels_interleave() {
    let mut hand = Hand::welcomed();
    hand.part(2, 1, Part::Piece, b"a");
    hand.part(3, 1, Part::Piece, b"x");
    hand.part(2, 1, Part::LastPiece, b"b");
    hand.part(3, 1, Part::LastPiece, b"y");
    let expected = [
        (2, 1, Bytes::from_static(b"ab")),
        (3, 1, Bytes::from_static(b"xy")),
    ];
    assert_eq!(messages(hand.events()), expected);
}

#[test]
fn item_9_the_magic_comes_first_and_another_closes_at_once() {
    let mut decoder = StreamDecoder::new();
    decoder.push(b"OMUX");
    decoder.push(&hex("00 10 00 00 00 04 00 00 03 E8"));
    assert!(decoder.poll(100).unwrap().is_some());
    for wrong in ["OMUY", "omux", "X", "\0"] {
        let mut decoder = StreamDecoder::new();
        decoder.push(wrong.as_bytes());
        assert_eq!(decoder.poll(100), Err(StreamError::Magic));
    }
}

#[test]
fn item_10_a_connection_itself_sends_no_magic() {
    let now = testing::start();
    let mut client = Connection::client(ClientConfig::default(), LinkKind::Shared, now);
    let first = client.poll_transmit().unwrap();
    assert_eq!(first.frame[..2], [0, kind::HELLO]);
}

#[test]
fn item_11_hello_comes_first() {
    // A PING, a channel, a fragment, an unknown type, an application message.
    for frame in [
        "00 10 00 00 00 04 00 00 03 E8",
        "01 01 00 00 00 00",
        "00 01 02 00 00 00",
        "00 7F 00 00 00 00",
        "00 80 00 00 00 02 7B 7D",
    ] {
        let mut hand = Hand::server();
        hand.hex(frame);
        hand.expect_close(Code::PROTOCOL_ERROR);
    }
    // A wrong length, a reserved bit.
    for frame in ["00 01 00 00 00 05 7B", "00 01 10 00 00 00", "00"] {
        let mut hand = Hand::server();
        hand.hex(frame);
        hand.expect_close(Code::PROTOCOL_ERROR);
    }
    // Anything while the HELLO is not answered yet.
    let mut hand = hello(r#"{"version":[0,1,0]}"#);
    hand.control(&ControlMessage::Ping(1));
    hand.expect_close(Code::PROTOCOL_ERROR);
}

#[test]
fn item_11_sessions_can_be_asked_for_before_hello() {
    let mut hand = Hand::server();
    hand.json(kind::SESSION_LIST_REQUEST, "{}");
    assert!(matches!(
        hand.answer(),
        ControlMessage::Error(ErrorReport {
            code: Code::UNSUPPORTED,
            ..
        })
    ));
    hand.json(kind::HELLO, r#"{"version":[0,1,0]}"#);
    hand.accept_all();
    assert!(hand.connection.is_up());
}

#[test]
fn item_12_silence_before_hello_closes_with_4007_after_ten_seconds() {
    let mut hand = Hand::server();
    hand.after(Duration::from_millis(9_999));
    assert_eq!(hand.frames(), []);
    hand.after(Duration::from_millis(1));
    hand.expect_close(Code::HELLO_TIMEOUT);
    assert!(!hand.connection.is_closed());
    hand.after(2 * SECOND);
    assert!(hand.connection.is_closed());
}

#[test]
fn item_13_a_hello_that_is_refused_gets_close_instead_of_welcome() {
    let mut hand = hello(r#"{"version":[0,1,0],"auth":{"type":"token","token":"wrong"}}"#);
    let [Event::Hello(asked)] = &hand.events()[..] else {
        panic!()
    };
    assert_eq!(asked.auth, Some(Auth::Token("wrong".to_owned())));
    hand.connection
        .refuse(hand.now, Code::AUTH_FAILED, "wrong token");
    hand.expect_close(Code::AUTH_FAILED);

    let mut hand = hello(r#"{"version":[0,1,0],"application":"fax/1"}"#);
    hand.expect_close(Code::UNSUPPORTED);
    let mut hand = hello(r#"{"version":[0,1,0],"auth":{"type":"retina"}}"#);
    hand.expect_close(Code::AUTH_FAILED);
    let mut hand = hello(r#"{"version":[7,1,0]}"#);
    hand.expect_close(Code::VERSION_MISMATCH);

    // And the client takes it as a refusal.
    let mut hand = Hand::client();
    hand.control(&ControlMessage::Close(Close {
        code: Code::AUTH_FAILED,
        reason: "no".to_owned(),
    }));
    let closed = Event::Closed {
        code: Code::AUTH_FAILED,
        reason: "no".to_owned(),
        by_peer: true,
    };
    assert_eq!(hand.events(), [closed]);
}

#[test]
fn item_13_known_applications_are_welcome() {
    for application in ["vroom", "vroom/9", "vroom-graphical/0.1", "vroom-terminal"] {
        let text = format!(r#"{{"version":[0,1,0],"application":"{application}"}}"#);
        assert!(matches!(&hello(&text).events()[..], [Event::Hello(_)]));
    }
}

#[test]
fn item_13_a_hello_that_cannot_be_read_closes_with_4001() {
    for text in [
        "",
        "[]",
        "{",
        r#"{"channels":[]}"#,
        r#"{"version":"0.1.0"}"#,
        r#"{"version":[0,1]}"#,
        r#"{"version":[0,1,0.5]}"#,
        r#"{"version":[0,1,0],"version":[0,1,0]}"#,
        r#"{"version":[0,1,0],"application":7}"#,
        r#"{"version":[0,1,0],"channels":{}}"#,
        r#"{"version":[0,1,0],"channels":["a","a"]}"#,
        r#"{"version":[0,1,0],"channels":["a","omux/a"]}"#,
        r#"{"version":[0,1,0],"channels":[{"name":"a"}]}"#,
        r#"{"version":[0,1,0],"channels":[{"name":"a","reliable":true,"ordered":true,"maxRetransmits":1,"maxPacketLifeTime":1}]}"#,
        r#"{"version":[0,1,0],"maxMessageSize":-1}"#,
        r#"{"version":[0,1,0],"maxMessageSize":4096.5}"#,
        r#"{"version":[0,1,0],"maxMessageSize":1}"#,
        r#"{"version":[0,1,0],"maxMessageSize":1023}"#,
        r#"{"version":[0,1,0],"auth":{"type":"token"}}"#,
        r#"{"version":[0,1,0],"x":[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]}"#,
    ] {
        hello(text).expect_close(Code::INVALID_MESSAGE);
    }
}

#[test]
fn item_14_another_major_version_closes_with_4006_and_minor_and_patch_do_not() {
    hello(r#"{"version":[1,0,0]}"#).expect_close(Code::VERSION_MISMATCH);
    let version = |text| welcome(ServerConfig::default(), text).version;
    assert_eq!(version(r#"{"version":[0,9,3]}"#), [0, 1, 0]);
    assert_eq!(version(r#"{"version":[0,0,3]}"#), [0, 0, 0]);
    // The client is as strict.
    let mut hand = Hand::client();
    hand.json(kind::WELCOME, r#"{"version":[1,0,0],"channels":[]}"#);
    hand.expect_close(Code::VERSION_MISMATCH);
}

#[test]
fn item_15_the_smaller_message_size_counts_and_0_is_infinite() {
    let size = |ours: u32, theirs: &str| {
        let config = ServerConfig {
            max_message_size: ours,
            ..ServerConfig::default()
        };
        let mut hand = Hand::welcomed_with(config, theirs);
        let limit = hand.connection.frame_limit();
        hand.message(3, 1, &vec![0; limit.min(65_535)]);
        assert_eq!(messages(hand.events()).len(), 1);
        limit
    };
    assert_eq!(size(65_535, ""), 65_535);
    assert_eq!(size(65_535, r#","maxMessageSize":2000"#), 2000);
    assert_eq!(size(3000, r#","maxMessageSize":20000"#), 3000);
    assert_eq!(size(3000, r#","maxMessageSize":0"#), 3000);
    assert_eq!(size(100_000, r#","maxMessageSize":0"#), 100_000);
    assert_eq!(size(100_000, ""), 65_535);

    let client = ClientConfig {
        max_message_size: 0,
        ..ClientConfig::default()
    };
    let server = ServerConfig {
        max_message_size: 5000,
        ..ServerConfig::default()
    };
    let pair = Pair::up(
        client,
        server,
        WelcomeInfo::default(),
        LinkKind::Shared,
        Weather::default(),
    );
    assert_eq!(pair.connection(End::Client).frame_limit(), 5000);
    assert_eq!(pair.connection(End::Server).frame_limit(), 5000);
}

#[test]
fn item_15_the_server_sets_the_pings_and_extensions_intersect() {
    let config = ServerConfig {
        ping_interval: 7 * SECOND,
        ping_timeout: 3 * SECOND,
        extensions: vec!["fragmentation".to_owned(), "x".to_owned()],
        ..ServerConfig::default()
    };
    let text = r#"{"version":[0,1,0],"pingInterval":99,"pingTimeout":98,"extensions":["y","fragmentation","session-resume"]}"#;
    let welcome = welcome(config, text);
    assert_eq!(
        (welcome.ping_interval, welcome.ping_timeout),
        (Some(7), Some(3))
    );
    assert_eq!(welcome.extensions, Some(vec!["fragmentation".to_owned()]));

    // The client pings as it was told.
    let mut hand = Hand::client();
    hand.json(
        kind::WELCOME,
        r#"{"version":[0,1,0],"pingInterval":5,"channels":[]}"#,
    );
    hand.after(5 * SECOND);
    assert!(matches!(hand.answer(), ControlMessage::Ping(5000)));
}

#[test]
fn item_16_welcome_lists_an_id_for_each_accepted_channel() {
    let mut hand = hello(r#"{"version":[0,1,0],"channels":["a","omux/b","c"]}"#);
    let [Event::Hello(asked)] = &hand.events()[..] else {
        panic!()
    };
    let names: Vec<&str> = asked
        .channels
        .iter()
        .map(|spec| spec.name.as_str())
        .collect();
    assert_eq!(names, ["a", "b", "c"]);
    let channels = vec![
        asked.channels[0].clone(),
        asked.channels[2].clone(),
        ChannelSpec::reliable("z"),
    ];
    hand.connection.accept(
        hand.now,
        WelcomeInfo {
            channels,
            ..WelcomeInfo::default()
        },
    );
    let ControlMessage::Welcome(welcome) = hand.answer() else {
        panic!()
    };
    let assigned: Vec<_> = welcome
        .channels
        .iter()
        .map(|channel| (channel.name.as_str(), channel.id.0))
        .collect();
    assert_eq!(assigned, [("a", 1), ("c", 2)]);
    let opened: Vec<_> = hand.events();
    assert!(matches!(
        &opened[..],
        [
            Event::ChannelOpened {
                id: ChannelId(1),
                request: None,
                ..
            },
            Event::ChannelOpened {
                id: ChannelId(2),
                ..
            }
        ]
    ));
}

#[test]
fn item_17_a_hello_that_lists_control_has_it_echoed_with_id_0() {
    for entry in [
        r#""control""#,
        r#""omux/control""#,
        r#"{"name":"control","reliable":true,"ordered":true}"#,
    ] {
        let text = format!(r#"{{"version":[0,1,0],"channels":[{entry},"a"]}}"#);
        let channels = welcome(ServerConfig::default(), &text).channels;
        let listed: Vec<_> = channels
            .iter()
            .map(|channel| (channel.name.as_str(), channel.id.0))
            .collect();
        assert_eq!(listed, [("control", 0), ("a", 1)]);
    }
}

#[test]
fn item_18_a_hello_without_control_works_the_same() {
    let channels = welcome(
        ServerConfig::default(),
        r#"{"version":[0,1,0],"channels":["a"]}"#,
    )
    .channels;
    assert_eq!(channels.len(), 1);
    assert_eq!(
        welcome(ServerConfig::default(), r#"{"version":[0,1,0]}"#).channels,
        []
    );
}

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

#[test]
fn item_31_a_payload_above_the_agreed_size_closes_with_4005() {
    let mut hand = Hand::welcomed_with(ServerConfig::default(), r#","maxMessageSize":2000"#);
    hand.message(3, 1, &[0; 2000]);
    assert_eq!(messages(hand.events()).len(), 1);
    hand.message(3, 1, &[0; 2001]);
    hand.expect_close(Code::MESSAGE_TOO_LARGE);
}

#[test]
fn item_31_before_welcome_16_kib_are_enough() {
    let mut hand = Hand::server();
    hand.message(0, kind::HELLO, &[b' '; 16 * 1024 + 1]);
    hand.expect_close(Code::MESSAGE_TOO_LARGE);
}

#[test]
fn a_second_hello_closes_with_1002() {
    let mut hand = Hand::welcomed();
    hand.json(kind::HELLO, r#"{"version":[0,1,0]}"#);
    hand.expect_close(Code::PROTOCOL_ERROR);
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

#[test]
fn a_client_that_is_not_answered_gives_up() {
    let mut hand = Hand::client();
    hand.after(30 * SECOND);
    hand.expect_close(Code::HELLO_TIMEOUT);
}

#[test]
fn a_client_expects_welcome_first() {
    for text in [
        r#"{"version":[0,1,0]}"#,
        "",
        r#"{"version":[0,1,0],"channels":[{"name":"a","id":0}]}"#,
        r#"{"version":[0,1,0],"channels":[{"name":"a","id":1},{"name":"b","id":1}]}"#,
    ] {
        let mut hand = Hand::client();
        hand.json(kind::WELCOME, text);
        hand.expect_close(Code::INVALID_MESSAGE);
    }
    let mut hand = Hand::client();
    hand.control(&ControlMessage::Ping(1));
    hand.expect_close(Code::PROTOCOL_ERROR);
}

#[test]
fn a_client_closes_what_it_did_not_ask_for() {
    let mut hand = Hand::client();
    hand.json(
        kind::WELCOME,
        r#"{"version":[0,1,0],"channels":[{"name":"surprise","id":7}]}"#,
    );
    assert!(matches!(
        hand.answer(),
        ControlMessage::CloseChannel(CloseChannel { id: 7, .. })
    ));
}

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

/// A pair with `pointer`, `button` and `data` open and something said on each.
fn busy_pair(kind: LinkKind) -> Pair {
    let client = ClientConfig {
        channels: vec![
            ChannelSpec::lossy("pointer"),
            ChannelSpec::reliable("button"),
            ChannelSpec::reliable("data"),
        ],
        ..ClientConfig::default()
    };
    let mut pair = Pair::up(
        client,
        ServerConfig::default(),
        WelcomeInfo::default(),
        kind,
        Weather::default(),
    );
    for end in [End::Client, End::Server] {
        for name in ["pointer", "button", "data"] {
            let id = pair.connection(end).channel_id(name).unwrap();
            pair.on(end, |connection, now| {
                connection.send(now, id, 3, Bytes::from_static(b"hi"))
            })
            .unwrap();
        }
    }
    pair.settle();
    for end in [End::Client, End::Server] {
        assert_eq!(messages(pair.events(end)).len(), 3);
    }
    pair
}

/// The frames that both ends send for much of everything.
fn pair_frames(pair: &mut Pair) -> (Vec<Bytes>, Vec<Bytes>) {
    let mut frames = |end: End| {
        pair.set_reading(end.other(), false);
        pair.on(end, |connection, now| {
            for id in 0..=3 {
                let _ = connection.send(now, ChannelId(id), 0x80, vec![1; 40_000].into());
            }
            connection.ping(now);
            connection.error(now, Code::NOT_ALLOWED, None, "no");
            let _ = connection.open_channel(now, ChannelSpec::reliable("more"));
            connection.close_channel(now, ChannelId(2), "done");
            let mut all = bytes_of(connection);
            connection.close(now, Code::NORMAL, "bye");
            all.extend(bytes_of(connection));
            all
        })
    };
    (frames(End::Client), frames(End::Server))
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
