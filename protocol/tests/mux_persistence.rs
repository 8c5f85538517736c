//! Sessions that are left, listed, renamed and ended.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "helpers of tests may fail the test"
)]

mod mux_support;

use proptest::prelude::*;
use vroom_protocol::mux::control::{
    Attach, Close, ControlMessage, Detach, ErrorReport, ResumeResponse, SessionControl,
    SessionEntry, SessionKind, SessionList, SessionListRequest, SessionPersistence, kind,
};
use vroom_protocol::mux::{
    FRAME_BYTES_BEFORE_WELCOME, SEQ_ACK, SESSION_PERSISTENCE, SESSION_RESUME,
};
use vroom_protocol::testing::{End, Pair, Weather};
use vroom_protocol::{
    Auth, ClientConfig, Code, Connection, Event, LinkKind, ResumeGrant, Secret, SendError,
    ServerConfig, WelcomeInfo,
};

use mux_support::Hand;

const EXTENSIONS: [&str; 3] = [SESSION_RESUME, SEQ_ACK, SESSION_PERSISTENCE];

fn server_config() -> ServerConfig {
    ServerConfig {
        extensions: EXTENSIONS.map(str::to_owned).to_vec(),
        ..ServerConfig::default()
    }
}

fn client_config() -> ClientConfig {
    ClientConfig {
        extensions: EXTENSIONS.map(str::to_owned).to_vec(),
        ..ClientConfig::default()
    }
}

fn welcome() -> WelcomeInfo {
    WelcomeInfo {
        resume: Some(ResumeGrant::new(Secret::new("00112233445566778899"))),
        ..WelcomeInfo::default()
    }
}

fn pair() -> Pair {
    Pair::up(
        client_config(),
        server_config(),
        welcome(),
        LinkKind::Shared,
        Weather::default(),
    )
}

/// A server whose client listed the extension.
fn persistent() -> Hand {
    let members = r#","extensions":["session-persistence"]"#;
    Hand::welcomed_with(server_config(), members)
}

fn entry(id: &str) -> SessionEntry {
    SessionEntry {
        session_id: id.to_owned(),
        name: "build".to_owned(),
        created: 1_700_000_000,
        last_activity: 1_700_000_060,
        attached_clients: 2,
        kind: Some(SessionKind::Terminal),
        rows: Some(24),
        cols: Some(80),
        role: Some("owner".to_owned()),
        ..SessionEntry::default()
    }
}

#[test]
fn a_list_has_its_published_form() {
    let list = ControlMessage::SessionList(SessionList {
        sessions: vec![entry("t1")],
    });
    let text = r#"{"sessions":[{"sessionId":"t1","name":"build","created":1700000000,"lastActivity":1700000060,"attachedClients":2,"kind":"terminal","rows":24,"cols":80,"role":"owner"}]}"#;
    assert_eq!(list.encode(), text);
    assert_eq!(ControlMessage::decode(0x35, text.as_bytes()), Ok(list));
    let strange = br#"{"sessions":[{"sessionId":"t1","kind":"hologram","more":[1]}]}"#;
    let Ok(ControlMessage::SessionList(list)) = ControlMessage::decode(0x35, strange) else {
        panic!("an entry of an unknown kind is still one");
    };
    assert_eq!(list.sessions[0].kind, None);
    for text in [
        "{}",
        r#"{"sessions":{}}"#,
        r#"{"sessions":[{}]}"#,
        r#"{"sessions":["t1"]}"#,
        r#"{"sessions":[{"sessionId":"t1","rows":65536}]}"#,
        r#"{"sessions":[{"sessionId":"t1","created":-1}]}"#,
    ] {
        assert!(
            ControlMessage::decode(0x35, text.as_bytes()).is_err(),
            "{text}"
        );
    }
}

#[test]
fn requests_have_their_published_form() {
    let rename = SessionControl::Rename {
        session_id: "t1".to_owned(),
        name: "web".to_owned(),
    };
    let end = SessionControl::End {
        session_id: "t1".to_owned(),
    };
    let attach = Attach {
        session_id: "t1".to_owned(),
        scrollback_lines: Some(100),
        auth: Some(Auth::Peer),
    };
    let list = SessionListRequest {
        auth: Some(Auth::Token("T".to_owned())),
    };
    let detach = |reason: &str| Detach {
        reason: reason.to_owned(),
    };
    for (kind, text, message) in [
        (0x33, "{}", ControlMessage::Detach(detach(""))),
        (
            0x33,
            r#"{"reason":"lunch"}"#,
            ControlMessage::Detach(detach("lunch")),
        ),
        (
            0x34,
            "{}",
            ControlMessage::SessionListRequest(SessionListRequest::default()),
        ),
        (
            0x34,
            r#"{"auth":{"type":"token","token":"T"}}"#,
            ControlMessage::SessionListRequest(list),
        ),
        (
            0x36,
            r#"{"sessionId":"t1","scrollbackLines":100,"auth":{"type":"peer"}}"#,
            ControlMessage::Attach(attach),
        ),
        (
            0x38,
            r#"{"action":"rename","sessionId":"t1","name":"web"}"#,
            ControlMessage::SessionControl(rename),
        ),
        (
            0x38,
            r#"{"action":"end","sessionId":"t1"}"#,
            ControlMessage::SessionControl(end),
        ),
    ] {
        assert_eq!(
            (message.kind(), &message.encode()[..]),
            (kind, text.as_bytes())
        );
        assert_eq!(ControlMessage::decode(kind, text.as_bytes()), Ok(message));
    }
    for text in [
        "{}",
        r#"{"action":"end"}"#,
        r#"{"action":"rename","sessionId":"t1"}"#,
        r#"{"action":"paint","sessionId":"t1"}"#,
    ] {
        assert!(
            ControlMessage::decode(0x38, text.as_bytes()).is_err(),
            "{text}"
        );
    }
}

#[test]
fn the_session_id_says_what_stays() {
    let pair = pair();
    let (.., server) = pair.split();
    drop(server);
    let text = br#"{"sessionId":"s","resumeTimeout":300,"bufferSize":65536,"persistent":true,"multiClient":true,"scrollbackLines":10000}"#;
    let Ok(ControlMessage::SessionId(grant)) = ControlMessage::decode(kind::SESSION_ID, text)
    else {
        panic!("the grant can be read");
    };
    assert_eq!(grant.persistence, Some(SessionPersistence::default()));
    assert_eq!(ControlMessage::SessionId(grant).encode(), text[..]);

    let mut hand = Hand::server_with(server_config());
    hand.json(
        1,
        r#"{"version":[0,1,0],"extensions":["session-resume","session-persistence"]}"#,
    );
    hand.events();
    hand.connection.accept(hand.now, welcome());
    let told = hand
        .controls()
        .into_iter()
        .find_map(|message| match message {
            ControlMessage::SessionId(grant) => Some(grant.persistence),
            _ => None,
        });
    assert_eq!(told, Some(Some(SessionPersistence::default())));
}

#[test]
fn both_sides_talk_about_sessions() {
    let mut pair = pair();
    assert!(pair.connection(End::Client).has_persistence());
    pair.events(End::Client);
    pair.on(End::Client, Connection::request_session_list)
        .unwrap();
    pair.settle();
    assert_eq!(
        pair.events(End::Server),
        [Event::SessionListRequested { auth: None }]
    );
    let sessions = vec![entry("t1"), entry("t2")];
    pair.on(End::Server, |connection, now| {
        connection.send_session_list(now, sessions.clone());
    });
    pair.settle();
    assert_eq!(pair.events(End::Client), [Event::SessionList(sessions)]);

    let end = SessionControl::End {
        session_id: "t1".to_owned(),
    };
    pair.on(End::Client, |connection, now| {
        connection.session_control(now, end.clone())
    })
    .unwrap();
    pair.settle();
    assert_eq!(pair.events(End::Server), [Event::SessionControl(end)]);
    pair.on(End::Server, |connection, now| {
        connection.refuse_session_control(now, Code::NOT_ALLOWED, "it is not yours");
    });
    pair.settle();
    assert!(matches!(
        &pair.events(End::Client)[..],
        [Event::PeerError {
            code: Code::NOT_ALLOWED,
            ..
        }]
    ));
}

#[test]
fn who_detaches_is_told_so_and_goes() {
    let mut pair = pair();
    pair.events(End::Client);
    pair.on(End::Client, |connection, now| {
        connection.detach(now, "lunch")
    })
    .unwrap();
    pair.settle();
    let events = pair.events(End::Server);
    assert!(
        matches!(
            &events[..],
            [
                Event::Detached { reason },
                Event::Closed { code: Code::NORMAL, by_peer: false, .. }
            ] if reason == "lunch"
        ),
        "{events:?}"
    );
    let events = pair.events(End::Client);
    assert!(
        matches!(
            &events[..],
            [Event::Closed { code: Code::NORMAL, reason, by_peer: true }] if reason == "detached"
        ),
        "{events:?}"
    );
}

#[test]
fn persistence_outlives_the_transport() {
    let pair = pair();
    let now = pair.now();
    let (mut client, mut server) = pair.split();
    let (client, kept) = (client.suspend(now).unwrap(), server.suspend(now).unwrap());
    let client = Connection::client_resume(client_config(), LinkKind::Shared, now, client);
    let server = Connection::server(server_config(), LinkKind::Shared, now);
    let mut pair = Pair::join(client, server, LinkKind::Shared, now, Weather::default());
    pair.settle();
    pair.on(End::Server, |connection, now| connection.resume(now, kept))
        .unwrap();
    pair.settle();
    for end in [End::Client, End::Server] {
        assert!(pair.connection(end).has_persistence());
    }
}

#[test]
fn sessions_are_listed_before_hello_and_hello_may_follow() {
    let mut hand = Hand::server_with(server_config());
    hand.json(
        kind::SESSION_LIST_REQUEST,
        r#"{"auth":{"type":"token","token":"T"}}"#,
    );
    assert_eq!(
        hand.events(),
        [Event::SessionListRequested {
            auth: Some(Auth::Token("T".to_owned()))
        }]
    );
    hand.connection
        .send_session_list(hand.now, vec![entry("t1")]);
    assert_eq!(
        hand.answer(),
        ControlMessage::SessionList(SessionList {
            sessions: vec![entry("t1")]
        })
    );
    hand.json(1, r#"{"version":[0,1,0]}"#);
    hand.accept_all();
    assert!(hand.connection.is_up());
}

#[test]
fn an_empty_request_is_one_and_a_stranger_is_sent_away() {
    let mut hand = Hand::server_with(server_config());
    hand.message(0, kind::SESSION_LIST_REQUEST, b"");
    assert_eq!(hand.events(), [Event::SessionListRequested { auth: None }]);
    hand.connection
        .close(hand.now, Code::AUTH_FAILED, "who is there?");
    hand.expect_close(Code::AUTH_FAILED);

    for (text, code) in [
        (r#"{"auth":{"type":"wink"}}"#, Code::AUTH_FAILED),
        (r#"{"auth":{}}"#, Code::INVALID_MESSAGE),
        ("[]", Code::INVALID_MESSAGE),
    ] {
        let mut hand = Hand::server_with(server_config());
        hand.json(kind::SESSION_LIST_REQUEST, text);
        hand.expect_close(code);
    }
}

#[test]
fn a_long_list_is_cut_before_hello_and_whole_after_it() {
    let sessions: Vec<_> = (0..1000).map(|at| entry(&format!("t{at}"))).collect();
    let mut hand = Hand::server_with(server_config());
    hand.json(kind::SESSION_LIST_REQUEST, "{}");
    hand.connection
        .send_session_list(hand.now, sessions.clone());
    let [frame] = &hand.frames()[..] else {
        panic!("one whole frame");
    };
    assert!(frame.payload.len() <= FRAME_BYTES_BEFORE_WELCOME);
    let Ok(ControlMessage::SessionList(list)) = ControlMessage::decode(frame.kind, &frame.payload)
    else {
        panic!("a list");
    };
    assert!(!list.sessions.is_empty());
    assert_eq!(list.sessions[..], sessions[..list.sessions.len()]);

    let mut pair = pair();
    pair.events(End::Client);
    pair.on(End::Client, Connection::request_session_list)
        .unwrap();
    pair.settle();
    pair.on(End::Server, |connection, now| {
        connection.send_session_list(now, sessions.clone());
    });
    pair.settle();
    assert_eq!(pair.events(End::Client), [Event::SessionList(sessions)]);
}

#[test]
fn without_the_extension_nothing_is_known_of_sessions() {
    let mut hand = Hand::server();
    hand.json(kind::SESSION_LIST_REQUEST, "{}");
    assert!(matches!(
        hand.answer(),
        ControlMessage::Error(ErrorReport {
            code: Code::UNSUPPORTED,
            ..
        })
    ));
    for kind in [
        kind::DETACH,
        kind::SESSION_LIST_REQUEST,
        kind::SESSION_CONTROL,
    ] {
        let mut hand = Hand::welcomed_with(server_config(), "");
        hand.json(kind, r#"{"action":"end","sessionId":"t1"}"#);
        hand.expect_error(Code::UNSUPPORTED, Some(0));
        assert_eq!(hand.events(), []);
    }
    let mut client = Hand::client();
    client.json(2, r#"{"version":[0,1,0],"channels":[]}"#);
    assert_eq!(
        client.connection.request_session_list(client.now),
        Err(SendError::Closed)
    );
    client.events();
    client.json(kind::SESSION_LIST_RESPONSE, r#"{"sessions":[]}"#);
    client.expect_error(Code::UNSUPPORTED, Some(0));
    assert_eq!(client.events(), []);
}

#[test]
fn before_welcome_nobody_detaches_or_ends_sessions() {
    for kind in [kind::DETACH, kind::SESSION_CONTROL] {
        let mut hand = Hand::server_with(server_config());
        hand.json(kind, r#"{"action":"end","sessionId":"t1"}"#);
        hand.expect_close(Code::PROTOCOL_ERROR);
    }
}

#[test]
fn an_attach_request_is_pointed_to_the_terminals() {
    let mut hand = Hand::server_with(server_config());
    hand.json(kind::ATTACH_REQUEST, r#"{"sessionId":"t1"}"#);
    let ControlMessage::ResumeResponse(ResumeResponse::Refused { code, reason }) = hand.answer()
    else {
        panic!("a RESUME_RESPONSE");
    };
    assert_eq!(code, Code::SESSION_NOT_FOUND);
    assert!(reason.contains("PTY_REQUEST attach"), "{reason}");
    hand.json(1, r#"{"version":[0,1,0]}"#);
    hand.accept_all();
    assert!(hand.connection.is_up());
}

#[test]
fn only_so_many_questions_wait_for_their_answers() {
    let mut hand = persistent();
    for _ in 0..16 {
        hand.json(kind::SESSION_LIST_REQUEST, "{}");
    }
    assert_eq!(hand.events().len(), 16);
    hand.json(
        kind::SESSION_CONTROL,
        r#"{"action":"end","sessionId":"t1"}"#,
    );
    hand.expect_error(Code::RATE_LIMITED, Some(0));
    assert_eq!(hand.events(), []);
    hand.connection.send_session_list(hand.now, Vec::new());
    hand.json(kind::SESSION_LIST_REQUEST, "{}");
    assert_eq!(hand.events().len(), 1);
    for _ in 0..20 {
        hand.connection.send_session_list(hand.now, Vec::new());
    }
    let lists = hand.controls().len();
    assert_eq!(lists, 17, "an answer needs a question");

    let mut hand = Hand::server_with(server_config());
    for _ in 0..17 {
        hand.json(kind::SESSION_LIST_REQUEST, "{}");
    }
    match hand.answer() {
        ControlMessage::Close(Close { code, .. }) => assert_eq!(code, Code::RATE_LIMITED),
        other => panic!("{other:?}"),
    }
}

fn session() -> impl Strategy<Value = SessionEntry> {
    let text = || ".{0,12}";
    let maybe = || prop::option::of(".{0,12}");
    (
        (text(), text(), any::<u64>(), any::<u64>(), any::<u32>()),
        prop::collection::vec(text(), 0..3),
        prop::option::of(prop::sample::select(vec![
            SessionKind::Graphical,
            SessionKind::Terminal,
        ])),
        (maybe(), maybe()),
        any::<[Option<u32>; 4]>(),
        any::<[Option<u16>; 2]>(),
    )
        .prop_map(
            |(
                (session_id, name, created, last_activity, attached_clients),
                channels,
                kind,
                (title, role),
                [width, height, exit, pid],
                [rows, cols],
            )| SessionEntry {
                session_id,
                name,
                created,
                last_activity,
                attached_clients,
                channels,
                kind,
                title,
                width,
                height,
                rows,
                cols,
                role,
                exit,
                pid,
            },
        )
}

proptest! {
    #[test]
    fn every_list_survives_and_no_truncation_is_one(sessions in prop::collection::vec(session(), 0..4)) {
        let list = ControlMessage::SessionList(SessionList { sessions });
        let payload = list.encode();
        prop_assert_eq!(ControlMessage::decode(0x35, &payload), Ok(list));
        for length in 0..payload.len() {
            prop_assert!(ControlMessage::decode(0x35, &payload[..length]).is_err());
        }
    }
}
