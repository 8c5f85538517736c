//! Sessions that go on after their transport was lost.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "helpers of tests may fail the test"
)]

mod mux_support;

use std::time::{Duration, Instant};

use bytes::Bytes;
use vroom_protocol::mux::control::{ControlMessage, ResumeRequest, kind};
use vroom_protocol::mux::frame::Frame;
use vroom_protocol::mux::{SEQ_ACK, SESSION_RESUME};
use vroom_protocol::testing::{End, Pair, Weather};
use vroom_protocol::{
    Auth, ChannelId, ChannelSpec, ClientConfig, Code, Connection, Event, LinkKind, ResumeGrant,
    Secret, ServerConfig, Suspended, WelcomeInfo,
};

use mux_support::{Hand, messages};

const SECOND: Duration = Duration::from_secs(1);
const ID: &str = "00112233445566778899aabbccddeeff";

fn server_config() -> ServerConfig {
    ServerConfig {
        extensions: extensions(true),
        ..ServerConfig::default()
    }
}

fn client_config(acknowledges: bool) -> ClientConfig {
    ClientConfig {
        extensions: extensions(acknowledges),
        channels: ["data", "more", "video"]
            .map(ChannelSpec::reliable)
            .into_iter()
            .chain([ChannelSpec::lossy("pointer")])
            .collect(),
        auth: Some(Auth::Token("secret".to_owned())),
        ..ClientConfig::default()
    }
}

fn extensions(acknowledges: bool) -> Vec<String> {
    let seq_ack = acknowledges.then_some(SEQ_ACK);
    ["fragmentation", SESSION_RESUME]
        .into_iter()
        .chain(seq_ack)
        .map(str::to_owned)
        .collect()
}

fn welcome(buffer_bytes: usize) -> WelcomeInfo {
    let grant = ResumeGrant {
        buffer_bytes,
        ..ResumeGrant::new(Secret::new(ID))
    };
    WelcomeInfo {
        resume: Some(grant),
        ..WelcomeInfo::default()
    }
}

fn pair_with(kind: LinkKind, buffer_bytes: usize, acknowledges: bool) -> Pair {
    Pair::up(
        client_config(acknowledges),
        server_config(),
        welcome(buffer_bytes),
        kind,
        Weather::default(),
    )
}

fn pair() -> Pair {
    pair_with(LinkKind::Shared, 1 << 20, true)
}

fn send(pair: &mut Pair, end: End, name: &str, payload: impl Into<Bytes>) {
    let id = pair.connection(end).channel_id(name).unwrap();
    let payload = payload.into();
    pair.on(end, |connection, now| connection.send(now, id, 1, payload))
        .unwrap();
}

/// Takes the sessions of both ends out of the lost transport.
fn suspend(pair: Pair) -> (Suspended, Suspended, Instant) {
    let now = pair.now();
    let (mut client, mut server) = pair.split();
    (
        client.suspend(now).unwrap(),
        server.suspend(now).unwrap(),
        now,
    )
}

/// Joins the two again over a new transport and lets the server answer.
fn resume(
    kind: LinkKind,
    client: Suspended,
    server: Suspended,
    now: Instant,
) -> (Pair, Option<Suspended>) {
    let client = Connection::client_resume(client_config(true), kind, now, client);
    let fresh = Connection::server(server_config(), kind, now);
    let mut pair = Pair::join(client, fresh, kind, now, Weather::default());
    let asked = loop {
        pair.run_for(Duration::from_millis(1));
        if let Some(event) = pair.events(End::Server).pop() {
            break event;
        }
    };
    let Event::ResumeRequested {
        session_id, auth, ..
    } = asked
    else {
        panic!("{asked:?}")
    };
    assert_eq!(session_id.expose(), ID);
    assert_eq!(auth, Some(Auth::Token("secret".to_owned())));
    let left = pair.on(End::Server, |connection, now| {
        connection.resume(now, server).err()
    });
    pair.settle();
    (pair, left)
}

fn bodies(events: Vec<Event>) -> Vec<String> {
    messages(events)
        .into_iter()
        .map(|(.., body)| String::from_utf8(body.to_vec()).unwrap())
        .collect()
}

#[test]
fn item_75_session_id_follows_welcome() {
    let mut hand = Hand::server_with(server_config());
    hand.json(
        kind::HELLO,
        r#"{"version":[0,1,0],"extensions":["session-resume"]}"#,
    );
    drop(hand.events());
    hand.connection.accept(hand.now, welcome(1 << 20));
    hand.control(&ControlMessage::Ping(1));
    let controls = hand.controls();
    let [
        ControlMessage::Welcome(welcome),
        ControlMessage::SessionId(grant),
        ControlMessage::Pong { .. },
    ] = &controls[..]
    else {
        panic!("{controls:?}")
    };
    assert_eq!(welcome.extensions, Some(vec![SESSION_RESUME.to_owned()]));
    assert_eq!(grant.session_id.expose(), ID);
    assert_eq!((grant.resume_timeout_s, grant.buffer_bytes), (300, 1 << 20));
}

#[test]
fn item_75_without_the_extension_there_is_no_session_id() {
    let mut hand = Hand::server_with(server_config());
    hand.json(kind::HELLO, r#"{"version":[0,1,0]}"#);
    drop(hand.events());
    hand.connection.accept(hand.now, welcome(1 << 20));
    assert!(matches!(hand.answer(), ControlMessage::Welcome(_)));
    assert!(hand.connection.suspend(hand.now).is_none());

    // Nor when the server does not grant it.
    let mut hand = Hand::server_with(server_config());
    hand.json(
        kind::HELLO,
        r#"{"version":[0,1,0],"extensions":["session-resume","vroom-seq-ack"]}"#,
    );
    drop(hand.events());
    hand.connection.accept(hand.now, WelcomeInfo::default());
    match hand.answer() {
        ControlMessage::Welcome(welcome) => assert_eq!(welcome.extensions, Some(vec![])),
        other => panic!("{other:?}"),
    }
}

#[test]
fn messages_on_reliable_channels_are_numbered_and_others_are_not() {
    let mut pair = pair();
    pair.set_reading(End::Client, false);
    for name in ["data", "video", "pointer", "more", "data"] {
        send(&mut pair, End::Server, name, "x");
    }
    let payloads = pair.on(End::Server, |server, _| {
        std::iter::from_fn(|| server.poll_transmit())
            .map(|transmit| (transmit.lane.to_string(), transmit.frame.slice(6..)))
            .collect::<Vec<_>>()
    });
    let mut numbers = Vec::new();
    for (lane, payload) in &payloads {
        match lane.as_str() {
            "data" | "more" => {
                assert_eq!(payload.len(), 9);
                numbers.push(u64::from_be_bytes(payload[..8].try_into().unwrap()));
            }
            _ => assert_eq!(payload, "x"),
        }
    }
    assert_eq!(numbers, [1, 2, 3]);
}

#[test]
fn item_76_exactly_the_missing_messages_are_sent_again_both_ways() {
    for kind in [LinkKind::Shared, LinkKind::PerChannel] {
        let mut pair = pair_with(kind, 1 << 20, false);
        let before = pair.connection(End::Client).channel_id("more");
        for end in [End::Client, End::Server] {
            drop(pair.events(end));
            send(&mut pair, end, "data", "1");
            send(&mut pair, end, "more", "2");
        }
        pair.settle();
        for end in [End::Client, End::Server] {
            assert_eq!(bodies(pair.events(end)), ["1", "2"]);
            send(&mut pair, end, "more", "3");
            send(&mut pair, end, "data", "4".repeat(100_000));
            send(&mut pair, end, "pointer", "lost");
            send(&mut pair, end, "video", "lost");
        }
        pair.cut();
        let (client, server, now) = suspend(pair);
        let (mut pair, left) = resume(kind, client, server, now + 100 * SECOND);
        assert!(left.is_none());
        assert_eq!(pair.connection(End::Client).channel_id("more"), before);
        for end in [End::Client, End::Server] {
            let events = pair.events(end);
            assert!(
                matches!(&events[0], Event::Resumed { channels } if channels.len() == 4),
                "{events:?}"
            );
            assert_eq!(bodies(events), ["3".to_owned(), "4".repeat(100_000)]);
            send(&mut pair, end, "data", "5");
        }
        pair.settle();
        for end in [End::Client, End::Server] {
            assert_eq!(bodies(pair.events(end)), ["5"]);
        }
    }
}

#[test]
fn item_76_the_response_tells_what_is_sent_again() {
    let mut pair = pair();
    for text in ["1", "2", "3"] {
        send(&mut pair, End::Server, "data", text);
    }
    pair.cut();
    let (_, server, now) = suspend(pair);
    let mut hand = Hand::new(
        Connection::server(server_config(), LinkKind::Shared, now),
        now,
    );
    let request = ResumeRequest {
        session_id: Secret::new(ID),
        last_sequence: 1,
        auth: None,
    };
    hand.control(&ControlMessage::ResumeRequest(request));
    drop(hand.events());
    hand.connection.resume(now, server).unwrap();
    let frames = hand.frames();
    let text = std::str::from_utf8(&frames[0].payload).unwrap();
    assert!(text.starts_with(r#"{"success":true,"replayStart":2,"replayCount":2,"lastSequence":0,"channels":[{"name":"#), "{text}");
    let numbers: Vec<u8> = frames[1..].iter().map(|frame| frame.payload[7]).collect();
    assert_eq!(numbers, [2, 3]);
}

#[test]
fn nothing_is_delivered_twice_when_the_peer_forgot_that_it_has_it() {
    let mut pair = pair();
    send(&mut pair, End::Server, "data", "1");
    pair.settle();
    // The client has it; a peer that asks for it again gets it, and the client would drop it.
    let id = pair.connection(End::Client).channel_id("data").unwrap();
    drop(pair.events(End::Client));
    let again = Frame::whole(id, 1, Bytes::from_static(b"\0\0\0\0\0\0\0\x011")).encode();
    pair.on(End::Client, |client, now| {
        client.handle_message(now, None, again);
    });
    assert_eq!(pair.events(End::Client), []);
    assert!(pair.connection(End::Client).is_up());
}

#[test]
fn what_was_not_sent_yet_is_sent_after_the_replay() {
    let mut pair = pair();
    drop(pair.events(End::Client));
    pair.set_reading(End::Client, false);
    send(&mut pair, End::Server, "data", "a".repeat(40_000));
    send(&mut pair, End::Server, "data", "b");
    // One piece of the first goes out and is lost.
    pair.on(End::Server, |server, _| server.poll_transmit())
        .unwrap();
    pair.cut();
    let (client, server, now) = suspend(pair);
    let (mut pair, _) = resume(LinkKind::Shared, client, server, now);
    assert_eq!(
        bodies(pair.events(End::Client)),
        ["a".repeat(40_000), "b".to_owned()]
    );
}

#[test]
fn item_77_a_ring_that_overflowed_refuses_with_4102() {
    let mut pair = pair_with(LinkKind::Shared, 0, false);
    // 64 KiB are kept whatever was asked for.
    for _ in 0..60 {
        send(&mut pair, End::Server, "data", "x".repeat(900));
    }
    pair.cut();
    let (client, server, now) = suspend(pair);
    let (pair, left) = resume(LinkKind::Shared, client, server, now);
    assert!(left.is_none(), "60 KB fit");
    let mut pair = pair;
    drop(pair.events(End::Client));
    for _ in 0..80 {
        send(&mut pair, End::Server, "data", "x".repeat(900));
    }
    pair.cut();
    let (client, server, now) = suspend(pair);
    let (mut pair, left) = resume(LinkKind::Shared, client, server, now);
    assert!(left.is_some());
    assert!(matches!(
        pair.events(End::Client)[..],
        [Event::ResumeFailed {
            code: Code::BUFFER_OVERFLOW,
            ..
        }]
    ));
}

#[test]
fn item_77_a_session_is_kept_for_a_minute_at_least() {
    let mut hand = Hand::server_with(server_config());
    hand.json(
        kind::HELLO,
        r#"{"version":[0,1,0],"extensions":["session-resume"]}"#,
    );
    drop(hand.events());
    let grant = ResumeGrant {
        timeout: SECOND,
        buffer_bytes: 1,
        session_id: Secret::new(ID),
    };
    hand.connection.accept(
        hand.now,
        WelcomeInfo {
            resume: Some(grant),
            ..WelcomeInfo::default()
        },
    );
    let controls = hand.controls();
    let ControlMessage::SessionId(told) = &controls[1] else {
        panic!()
    };
    assert_eq!((told.resume_timeout_s, told.buffer_bytes), (60, 64 * 1024));
    let session = hand.connection.suspend(hand.now).unwrap();
    assert_eq!(session.timeout(), 60 * SECOND);
}

#[test]
fn item_78_after_a_resume_that_failed_hello_works_on_the_same_transport() {
    let pair = pair();
    let mut pair = pair;
    pair.cut();
    let (client, _, now) = suspend(pair);
    let client = Connection::client_resume(client_config(true), LinkKind::Shared, now, client);
    let server = Connection::server(server_config(), LinkKind::Shared, now);
    let mut pair = Pair::join(client, server, LinkKind::Shared, now, Weather::default());
    pair.run_for(Duration::from_millis(500));
    assert!(matches!(
        pair.events(End::Server)[..],
        [Event::ResumeRequested { .. }]
    ));
    pair.on(End::Server, |server, now| {
        server.refuse_resume(now, Code::SESSION_EXPIRED, "too late");
    });
    pair.greet(welcome(1 << 20));
    let events = pair.events(End::Client);
    assert!(
        matches!(
            &events[..2],
            [
                Event::ResumeFailed {
                    code: Code::SESSION_EXPIRED,
                    ..
                },
                Event::Welcome(_),
            ]
        ),
        "{events:?}"
    );
    assert!(pair.connection(End::Client).is_up());
    drop(pair.events(End::Server));
    send(&mut pair, End::Client, "data", "fresh");
    pair.settle();
    assert_eq!(bodies(pair.events(End::Server)), ["fresh"]);
}

#[test]
fn item_78_a_server_without_resume_refuses_with_4100_and_takes_hello() {
    let mut hand = Hand::server();
    for kind in [kind::RESUME_REQUEST, kind::ATTACH_REQUEST] {
        hand.json(kind, r#"{"sessionId":"x","lastSequence":0}"#);
        assert_eq!(
            hand.frames()[0].payload,
            r#"{"success":false,"code":4100,"reason":"#.to_owned()
                + if kind == kind::RESUME_REQUEST {
                    r#""no session is kept here"}"#
                } else {
                    r#""terminals are joined with PTY_REQUEST attach"}"#
                }
        );
        // The time to say HELLO starts again.
        hand.after(9 * SECOND);
    }
    hand.json(kind::HELLO, r#"{"version":[0,1,0]}"#);
    hand.accept_all();
    assert!(hand.connection.is_up());
}

#[test]
fn asking_for_sessions_does_not_keep_a_connection_open_for_ever() {
    let mut hand = Hand::server();
    for _ in 0..3 {
        hand.json(
            kind::RESUME_REQUEST,
            r#"{"sessionId":"x","lastSequence":0}"#,
        );
        hand.after(9 * SECOND);
    }
    drop(hand.frames());
    hand.json(
        kind::RESUME_REQUEST,
        r#"{"sessionId":"x","lastSequence":0}"#,
    );
    hand.expect_close(Code::LIMIT_REACHED);
}

#[test]
fn a_resume_request_that_cannot_be_read_closes() {
    for (text, code) in [
        ("{}", Code::INVALID_MESSAGE),
        (
            r#"{"sessionId":"x","lastSequence":-1}"#,
            Code::INVALID_MESSAGE,
        ),
        (
            r#"{"sessionId":"x","lastSequence":0,"auth":{"type":"retina"}}"#,
            Code::AUTH_FAILED,
        ),
    ] {
        let mut hand = Hand::server_with(server_config());
        hand.json(kind::RESUME_REQUEST, text);
        hand.expect_close(code);
    }
}

#[test]
fn a_client_that_claims_too_much_is_refused_with_4103() {
    let mut pair = pair();
    pair.cut();
    let (_, server, now) = suspend(pair);
    let mut hand = Hand::new(
        Connection::server(server_config(), LinkKind::Shared, now),
        now,
    );
    let request = ResumeRequest {
        session_id: Secret::new(ID),
        last_sequence: 42,
        auth: None,
    };
    hand.control(&ControlMessage::ResumeRequest(request));
    drop(hand.events());
    let server = hand.connection.resume(hand.now, server).unwrap_err();
    assert_eq!(
        hand.frames()[0].payload,
        r#"{"success":false,"code":4103,"reason":"there never were so many messages"}"#
    );
    // The session is not lost by it.
    assert_eq!(server.session_id().expose(), ID);
    assert!(
        hand.connection.resume(hand.now, server).is_err(),
        "nobody asks for it now"
    );
}

#[test]
fn item_79_a_session_moves_from_one_kind_of_transport_to_another() {
    for (from, to) in [
        (LinkKind::Shared, LinkKind::PerChannel),
        (LinkKind::PerChannel, LinkKind::Shared),
    ] {
        let mut pair = pair_with(from, 1 << 20, true);
        drop(pair.events(End::Client));
        send(&mut pair, End::Server, "data", "under way");
        pair.cut();
        let (client, server, now) = suspend(pair);
        let (mut pair, _) = resume(to, client, server, now);
        assert_eq!(bodies(pair.events(End::Client)), ["under way"]);
        send(&mut pair, End::Client, "more", "there");
        pair.settle();
        assert_eq!(bodies(pair.events(End::Server)), ["there"]);
    }
}

#[test]
fn a_transport_that_is_still_open_is_closed_with_4115() {
    let mut pair = pair();
    drop(pair.events(End::Client));
    let session = pair.on(End::Server, Connection::suspend);
    assert!(session.is_some());
    pair.settle();
    assert!(matches!(
        pair.events(End::Client)[..],
        [Event::Closed {
            code: Code::REPLACED,
            by_peer: true,
            ..
        }]
    ));
    assert!(pair.connection(End::Server).is_closed());
}

#[test]
fn a_session_that_was_closed_properly_cannot_be_resumed() {
    let mut pair = pair();
    pair.on(End::Client, |client, now| {
        client.close(now, Code::NORMAL, "bye");
    });
    pair.settle();
    assert!(pair.on(End::Client, Connection::suspend).is_none());
    assert!(pair.on(End::Server, Connection::suspend).is_none());
}

#[test]
fn a_channel_that_the_server_closed_meanwhile_is_closed_by_the_list() {
    let mut pair = pair();
    let data = pair.connection(End::Server).channel_id("data").unwrap();
    pair.on(End::Server, |server, now| {
        server
            .send(now, data, 1, Bytes::from_static(b"never seen"))
            .unwrap();
        server.close_channel(now, data, "gone");
    });
    send(&mut pair, End::Server, "more", "1");
    pair.cut();
    let (client, server, now) = suspend(pair);
    let (mut pair, _) = resume(LinkKind::Shared, client, server, now);
    let events = pair.events(End::Client);
    let closed: Vec<_> = events
        .iter()
        .filter(
            |event| matches!(event, Event::ChannelClosed { id, by_peer: true, .. } if *id == data),
        )
        .collect();
    assert_eq!(closed.len(), 1);
    assert_eq!(bodies(events), ["1"], "the gap is filled without a message");
    assert!(
        !pair
            .events(End::Server)
            .iter()
            .any(|event| matches!(event, Event::PeerError { .. }))
    );

    // The numbers are whole again: nothing is sent twice after another loss.
    pair.run_for(2 * SECOND);
    pair.cut();
    let (client, server, now) = suspend(pair);
    let (mut pair, _) = resume(LinkKind::Shared, client, server, now);
    assert_eq!(bodies(pair.events(End::Client)), Vec::<String>::new());
}

#[test]
fn a_request_whose_answer_was_lost_is_answered_by_the_list_or_asked_again() {
    let mut pair = pair();
    let open = |pair: &mut Pair, name: &str| {
        pair.on(End::Client, |client, now| {
            client.open_channel(now, ChannelSpec::reliable(name))
        })
        .unwrap()
    };
    let granted = open(&mut pair, "granted");
    while pair.connection(End::Server).channel_id("granted").is_none() {
        pair.run_for(Duration::from_millis(1));
    }
    let unheard = open(&mut pair, "unheard");
    pair.cut();
    drop(pair.events(End::Client));
    let (client, server, now) = suspend(pair);
    let (mut pair, _) = resume(LinkKind::Shared, client, server, now);
    let opened: Vec<_> = pair
        .events(End::Client)
        .into_iter()
        .filter_map(|event| match event {
            Event::ChannelOpened { spec, request, .. } => Some((spec.name, request)),
            _ => None,
        })
        .collect();
    assert_eq!(
        opened,
        [
            ("granted".to_owned(), Some(granted)),
            ("unheard".to_owned(), Some(unheard))
        ]
    );
    assert_eq!(
        pair.connection(End::Client).channel_id("granted"),
        pair.connection(End::Server).channel_id("granted")
    );
}

#[test]
fn a_request_of_the_server_is_void_after_a_loss() {
    let mut pair = pair();
    pair.set_accept_channels(false);
    let request = pair
        .on(End::Server, |server, now| {
            server.open_channel(now, ChannelSpec::reliable("s"))
        })
        .unwrap();
    pair.cut();
    let (client, server, now) = suspend(pair);
    let (mut pair, _) = resume(LinkKind::Shared, client, server, now);
    let events = pair.events(End::Server);
    assert!(events.iter().any(|event| matches!(event, Event::ChannelRejected { request: void, code: Code::GOING_AWAY, .. } if *void == request)));
    pair.on(End::Server, |server, now| {
        server.open_channel(now, ChannelSpec::reliable("s"))
    })
    .unwrap();
    pair.settle();
    let events = pair.events(End::Client);
    assert!(
        events
            .iter()
            .any(|event| matches!(event, Event::ChannelOpened { spec, .. } if spec.name == "s"))
    );
}

#[test]
fn what_was_received_is_acknowledged_after_64_kib_or_a_second() {
    let mut pair = pair();
    pair.set_reading(End::Server, false);
    let id: ChannelId = pair.connection(End::Server).channel_id("data").unwrap();
    let acks = |pair: &mut Pair| {
        pair.on(End::Client, |client, _| {
            std::iter::from_fn(|| client.poll_transmit())
                .filter(|transmit| transmit.frame[1] == kind::SEQ_ACK)
                .map(|transmit| transmit.frame[13])
                .collect::<Vec<u8>>()
        })
    };
    pair.on(End::Server, |server, now| {
        server.send(now, id, 1, Bytes::from_static(b"x"))
    })
    .unwrap();
    pair.settle();
    assert!(acks(&mut pair).is_empty());
    pair.run_for(SECOND);
    assert_eq!(acks(&mut pair), [1]);
    pair.run_for(5 * SECOND);
    assert!(acks(&mut pair).is_empty());
    for _ in 0..2 {
        pair.on(End::Server, |server, now| {
            server.send(now, id, 1, vec![0; 33_000].into())
        })
        .unwrap();
    }
    pair.settle();
    assert_eq!(acks(&mut pair), [3]);
}

#[test]
fn acknowledged_messages_leave_the_ring() {
    // A ring of 64 KiB, and four times as much received and acknowledged.
    let mut pair = pair_with(LinkKind::Shared, 0, true);
    for _ in 0..8 {
        send(&mut pair, End::Server, "data", "x".repeat(33_000));
        pair.run_for(2 * SECOND);
    }
    drop(pair.events(End::Client));
    send(&mut pair, End::Server, "data", "last");
    pair.cut();
    let (client, server, now) = suspend(pair);
    let (mut pair, left) = resume(LinkKind::Shared, client, server, now);
    assert!(left.is_none());
    assert_eq!(bodies(pair.events(End::Client)), ["last"]);
}

#[test]
fn an_acknowledgement_of_what_was_never_sent_gets_4001() {
    let mut hand = Hand::server_with(server_config());
    hand.json(
        kind::HELLO,
        r#"{"version":[0,1,0],"extensions":["session-resume","vroom-seq-ack"]}"#,
    );
    drop(hand.events());
    hand.connection.accept(hand.now, welcome(1 << 20));
    drop(hand.frames());
    hand.control(&ControlMessage::SeqAck(1));
    hand.expect_error(Code::INVALID_MESSAGE, Some(0));
    hand.message(0, kind::SEQ_ACK, b"short");
    hand.expect_error(Code::INVALID_MESSAGE, Some(0));
}

#[test]
fn acknowledgements_that_were_not_agreed_on_are_not_known() {
    let mut hand = Hand::welcomed();
    hand.control(&ControlMessage::SeqAck(0));
    hand.expect_error(Code::UNSUPPORTED, Some(0));
}

#[test]
fn a_numbered_message_without_its_number_gets_4001() {
    let mut pair = pair();
    let id = pair.connection(End::Server).channel_id("data").unwrap();
    let short = Frame::whole(id, 1, Bytes::from_static(b"1234567")).encode();
    drop(pair.events(End::Client));
    pair.on(End::Server, |server, now| {
        server.handle_message(now, None, short);
    });
    pair.settle();
    assert!(
        matches!(pair.events(End::Client)[..], [Event::PeerError { code: Code::INVALID_MESSAGE, channel: Some(about), .. }] if about == id)
    );
}

#[test]
fn a_second_loss_during_the_resume_loses_nothing() {
    let mut pair = pair();
    drop(pair.events(End::Client));
    send(&mut pair, End::Server, "data", "kept");
    pair.cut();
    let (client, server, now) = suspend(pair);
    // The new transport dies before the answer.
    let mut unlucky = Connection::client_resume(client_config(true), LinkKind::Shared, now, client);
    unlucky.handle_disconnected(now);
    let client = unlucky.suspend(now).unwrap();
    let (mut pair, _) = resume(LinkKind::Shared, client, server, now);
    assert_eq!(bodies(pair.events(End::Client)), ["kept"]);
}

#[test]
fn debug_output_shows_no_session_id_and_no_payload() {
    let mut pair = pair();
    let events = pair.events(End::Client);
    assert!(
        events
            .iter()
            .any(|event| matches!(event, Event::SessionId { .. }))
    );
    assert!(!format!("{events:?}").contains(ID));
    let event = Event::Message {
        channel: ChannelId(1),
        kind: 1,
        payload: Bytes::from_static(b"hunter2"),
    };
    assert_eq!(format!("{event:?}"), "Message(#1, 0x01, 7 bytes)");
}

#[test]
fn a_channel_that_the_client_closed_meanwhile_leaves_no_gap_in_the_numbers() {
    let mut pair = pair();
    let data = pair.connection(End::Client).channel_id("data").unwrap();
    for text in ["1", "2"] {
        send(&mut pair, End::Server, "data", text);
    }
    pair.on(End::Client, |client, now| {
        client.close_channel(now, data, "gone");
    });
    pair.cut();
    let (client, server, now) = suspend(pair);
    let (mut pair, _) = resume(LinkKind::Shared, client, server, now);
    let events = pair.events(End::Server);
    assert!(events.iter().any(
        |event| matches!(event, Event::ChannelClosed { id, by_peer: true, .. } if *id == data)
    ));
    assert_eq!(pair.events(End::Client).len(), 1, "only Resumed");

    pair.cut();
    let (client, ..) = suspend(pair);
    assert_eq!(last_sequence(client, now), 2);
}

/// The last sequence number that a client would name to go on.
fn last_sequence(client: Suspended, now: Instant) -> u64 {
    let mut client = Connection::client_resume(client_config(true), LinkKind::Shared, now, client);
    let request = client.poll_transmit().unwrap().frame;
    match ControlMessage::decode(kind::RESUME_REQUEST, &request[6..]).unwrap() {
        ControlMessage::ResumeRequest(request) => request.last_sequence,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_message_that_was_cut_short_by_the_close_of_its_channel_counts_as_received() {
    let mut pair = pair();
    let data = pair.connection(End::Client).channel_id("data").unwrap();
    send(&mut pair, End::Server, "more", "1");
    pair.settle();
    pair.set_reading(End::Client, false);
    send(&mut pair, End::Server, "data", "2".repeat(40_000));
    let first = pair
        .on(End::Server, |server, _| server.poll_transmit())
        .unwrap();
    pair.on(End::Client, |client, now| {
        client.handle_message(now, None, first.frame);
        client.close_channel(now, data, "enough");
    });
    pair.cut();
    let (client, _, now) = suspend(pair);
    assert_eq!(last_sequence(client, now), 2);
}

#[test]
fn nothing_new_overtakes_what_is_sent_again() {
    let mut pair = pair_with(LinkKind::PerChannel, 1 << 20, true);
    send(&mut pair, End::Server, "data", "1");
    send(&mut pair, End::Server, "more", "2");
    pair.cut();
    let (_, session, now) = suspend(pair);
    let mut server = Connection::server(server_config(), LinkKind::PerChannel, now);
    let request = ControlMessage::ResumeRequest(ResumeRequest {
        session_id: Secret::new(ID),
        last_sequence: 0,
        auth: None,
    });
    let frame = Frame::whole(ChannelId::CONTROL, request.kind(), request.encode()).encode();
    server.handle_message(now, Some("control"), frame);
    server.resume(now, session).unwrap();
    // The lane of the first message is not up yet, that of the second is.
    server.handle_lane_opened(now, "more");
    let more = server.channel_id("more").unwrap();
    server.send(now, more, 1, Bytes::from_static(b"3")).unwrap();
    let numbers = |server: &mut Connection| {
        std::iter::from_fn(|| server.poll_transmit())
            .filter(|transmit| transmit.channel != ChannelId::CONTROL)
            .map(|transmit| transmit.frame[13])
            .collect::<Vec<u8>>()
    };
    assert!(numbers(&mut server).is_empty());
    server.handle_lane_opened(now, "data");
    assert_eq!(numbers(&mut server), [1, 2, 3]);
}
