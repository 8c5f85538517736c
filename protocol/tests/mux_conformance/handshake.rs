//! From the first frame to WELCOME: items 11 to 18.

use std::time::Duration;

use vroom_protocol::mux::control::{Close, CloseChannel, ControlMessage, ErrorReport, kind};
use vroom_protocol::testing::{End, Pair, Weather};
use vroom_protocol::{
    Auth, ChannelId, ChannelSpec, ClientConfig, Code, Event, LinkKind, ServerConfig, Welcome,
    WelcomeInfo,
};

use crate::mux_support::{Hand, messages};

const SECOND: Duration = Duration::from_secs(1);

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
fn a_second_hello_closes_with_1002() {
    let mut hand = Hand::welcomed();
    hand.json(kind::HELLO, r#"{"version":[0,1,0]}"#);
    hand.expect_close(Code::PROTOCOL_ERROR);
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
