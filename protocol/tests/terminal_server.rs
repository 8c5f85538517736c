//! The server's side of a terminal: which message may come when, and what it gets.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests fail as tests do"
)]

mod codec_support;

use std::time::{Duration, Instant};

use codec_support::epoch;
use vroom_protocol::Code;
use vroom_protocol::terminal::{
    AuthMethod, AuthRequest, AuthResponse, Capabilities, ClientHello, ClientMessage, Denial,
    Encoding, Environment, ErrorMessage, Event, ExecRequest, ExitStatus, KeyAction, KeyEvent,
    Modifiers, PtyGrant, PtyMode, PtyRequest, PtyResponse, Server, ServerMessage, ServerOffer,
    ShellRequest, Stage, StartResponse, Tlv, TlvDecoder, Value, WindowSize,
};

/// A server, and a client that may do what it likes.
struct Fixture {
    now: Instant,
    server: Server,
    decoder: TlvDecoder,
}

impl Fixture {
    fn new() -> Self {
        Self::with_offer(ServerOffer::default())
    }

    fn with_offer(offer: ServerOffer) -> Self {
        let now = epoch();
        Self {
            now,
            server: Server::new(offer, now),
            decoder: TlvDecoder::new(),
        }
    }

    /// A server that has come to a stage by the ordinary way.
    fn at(stage: Stage) -> Self {
        let mut fixture = Self::new();
        fixture.advance_to(stage);
        fixture
    }

    fn advance_to(&mut self, stage: Stage) {
        while self.server.stage() != stage {
            match self.server.stage() {
                Stage::Hello => self.send(hello()),
                Stage::Capabilities => self.send(offer()),
                Stage::Authenticating => {
                    self.send(inherit());
                    self.events();
                    self.succeed();
                }
                Stage::Authenticated => {
                    self.send(pty());
                    self.events();
                    self.grant(false);
                }
                Stage::PtyAllocated => self.send(shell()),
                Stage::Starting => {
                    self.server.handle_pty_channel_opened(self.now);
                    self.events();
                    let started = StartResponse::Started { pid: None };
                    self.server.start_response(self.now, started);
                }
                Stage::Active => self.server.exit_status(self.now, ExitStatus::exited(0)),
                Stage::Closing => self.pass(Server::CLOSING_TIMEOUT),
                Stage::Closed => panic!("no way from closed to {stage:?}"),
            }
        }
        self.events();
        self.answers();
    }

    fn send(&mut self, message: ClientMessage) {
        let tlv = message.encode(self.server.encoding());
        self.server.handle(self.now, &tlv.encode());
    }

    fn send_raw(&mut self, kind: u32, payload: &[u8]) {
        let payload = payload.to_vec().into();
        self.server
            .handle(self.now, &Tlv { kind, payload }.encode());
    }

    fn pass(&mut self, time: Duration) {
        self.now += time;
        self.server.handle_timeout(self.now);
    }

    fn succeed(&mut self) {
        let user = "ann".to_owned();
        self.server
            .auth_result(self.now, AuthResponse::Success { user });
    }

    fn fail(&mut self) {
        let failure = AuthResponse::Failure {
            methods: vec!["token".to_owned()],
            code: Code::AUTH_FAILED,
            reason: None,
        };
        self.server.auth_result(self.now, failure);
    }

    fn grant(&mut self, attached: bool) {
        let grant = PtyGrant {
            channel: "vroom.terminal.pty".to_owned(),
            attached,
            ..PtyGrant::default()
        };
        self.server
            .pty_response(self.now, PtyResponse::Granted(grant));
    }

    fn events(&mut self) -> Vec<Event> {
        std::iter::from_fn(|| self.server.poll_event()).collect()
    }

    fn answers(&mut self) -> Vec<ServerMessage> {
        while let Some(bytes) = self.server.poll_transmit() {
            self.decoder.push(&bytes);
        }
        let tlvs = std::iter::from_fn(|| self.decoder.poll().unwrap());
        tlvs.map(|tlv| ServerMessage::decode(tlv.kind, &tlv.payload).unwrap())
            .collect()
    }

    /// The only answer, which is an ERROR: its code, and whether it was fatal.
    #[track_caller]
    fn error(&mut self) -> (Code, bool) {
        match &self.answers()[..] {
            [ServerMessage::Error(error)] => (error.code, error.fatal),
            other => panic!("{other:?}"),
        }
    }
}

fn hello() -> ClientMessage {
    ClientMessage::Hello(ClientHello::new(&Encoding::ALL))
}

fn offer() -> ClientMessage {
    let mut capabilities = Capabilities::transparent();
    let extensions = capabilities.extensions.get_or_insert_default();
    extensions.structured_keys = Some(true);
    ClientMessage::CapabilityOffer(capabilities)
}

fn inherit() -> ClientMessage {
    ClientMessage::AuthRequest(AuthRequest::INHERIT)
}

fn pty() -> ClientMessage {
    ClientMessage::PtyRequest(PtyRequest {
        size: Some(WindowSize::new(24, 80)),
        ..PtyRequest::default()
    })
}

fn shell() -> ClientMessage {
    ClientMessage::ShellRequest(ShellRequest::default())
}

fn exec() -> ClientMessage {
    ClientMessage::ExecRequest(ExecRequest::line("true"))
}

fn resize() -> ClientMessage {
    ClientMessage::WindowResize(WindowSize::new(40, 120))
}

fn set_env(variables: &[(&str, &str)]) -> ClientMessage {
    let owned = variables
        .iter()
        .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    ClientMessage::SetEnv(Environment(owned.collect()))
}

fn key_event() -> ClientMessage {
    ClientMessage::KeyEvent(KeyEvent {
        key: "a".to_owned(),
        code: "KeyA".to_owned(),
        modifiers: Modifiers::NONE,
        action: KeyAction::Press,
        text: None,
    })
}

/// Every message but HELLO and ERROR, with the stages that list it.
fn table() -> Vec<(ClientMessage, Vec<Stage>)> {
    use Stage::{Active, Authenticated, Authenticating, Capabilities, PtyAllocated, Starting};
    vec![
        (offer(), vec![Capabilities]),
        (inherit(), vec![Authenticating]),
        (pty(), vec![Authenticated]),
        (resize(), vec![PtyAllocated, Starting, Active]),
        (ClientMessage::Signal(2), vec![Active]),
        (set_env(&[("TZ", "UTC")]), vec![Authenticated, PtyAllocated]),
        (shell(), vec![PtyAllocated]),
        (exec(), vec![Authenticated, PtyAllocated]),
    ]
}

const STAGES: [Stage; 7] = [
    Stage::Capabilities,
    Stage::Authenticating,
    Stage::Authenticated,
    Stage::PtyAllocated,
    Stage::Starting,
    Stage::Active,
    Stage::Closing,
];

#[test]
fn a_message_in_a_stage_that_does_not_list_it_is_the_wrong_state_and_ignored() {
    for (message, stages) in table() {
        for stage in STAGES {
            let mut fixture = Fixture::at(stage);
            fixture.send(message.clone());
            if stages.contains(&stage) {
                let answers = fixture.answers();
                let refused = |answer: &_| matches!(answer, ServerMessage::Error(_));
                assert!(!answers.iter().any(refused), "{message:?} at {stage:?}");
            } else {
                assert_eq!(
                    fixture.error(),
                    (Code::WRONG_STATE, false),
                    "{message:?} at {stage:?}"
                );
                assert_eq!(fixture.server.stage(), stage);
                assert!(fixture.events().is_empty());
            }
        }
    }
}

#[test]
fn anything_but_hello_at_first_is_fatal() {
    for (message, _) in table() {
        let mut fixture = Fixture::new();
        fixture.send(message);
        assert_eq!(fixture.error(), (Code::WRONG_STATE, true));
        assert_eq!(fixture.server.stage(), Stage::Closed);
    }
    let mut fixture = Fixture::new();
    fixture.send_raw(0x1234, b"");
    assert_eq!(fixture.error(), (Code::WRONG_STATE, true));
}

#[test]
fn hello_outside_of_its_stage_is_fatal() {
    for stage in STAGES {
        let mut fixture = Fixture::at(stage);
        fixture.send(hello());
        assert_eq!(fixture.error(), (Code::WRONG_STATE, true), "{stage:?}");
        let code = Code::WRONG_STATE;
        assert!(matches!(&fixture.events()[..], [Event::Closed { code: c, .. }] if *c == code));
    }
}

#[test]
fn the_server_chooses_the_encoding_and_answers_hello_in_json() {
    for (offered, chosen) in [
        (&[Encoding::Cbor, Encoding::Json][..], Encoding::Cbor),
        (&[Encoding::Json, Encoding::Cbor], Encoding::Json),
    ] {
        let mut fixture = Fixture::new();
        fixture.send(ClientMessage::Hello(ClientHello::new(offered)));
        let bytes = fixture.server.poll_transmit().unwrap();
        assert_eq!(bytes[8], b'{');
        assert_eq!(fixture.server.encoding(), chosen);
        // What follows is in the chosen encoding.
        fixture.send(offer());
        let bytes = fixture.server.poll_transmit().unwrap();
        assert_eq!(bytes[8] == b'{', chosen == Encoding::Json);
    }
}

#[test]
fn a_hello_without_encodings_gets_json() {
    let mut fixture = Fixture::new();
    fixture.send_raw(0x01, br#"{"protocol":"vroom-terminal","version":1}"#);
    match &fixture.answers()[..] {
        [ServerMessage::Hello(hello)] => assert_eq!(hello.control_encoding, Encoding::Json),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_hello_that_cannot_be_served_is_fatal() {
    for (payload, code) in [
        (
            r#"{"protocol":"vroom-terminal","version":2}"#,
            Code::VERSION_MISMATCH,
        ),
        (r#"{"protocol":"ssh","version":1}"#, Code::VERSION_MISMATCH),
        (
            r#"{"protocol":"vroom-terminal","version":1,"control_encoding":["xml"]}"#,
            Code::UNSUPPORTED,
        ),
        (r#"{"protocol":"vroom-terminal"}"#, Code::INVALID_MESSAGE),
        ("SSH-2.0-OpenSSH", Code::INVALID_MESSAGE),
    ] {
        let mut fixture = Fixture::new();
        fixture.send_raw(0x01, payload.as_bytes());
        assert_eq!(fixture.error(), (code, true), "{payload}");
    }
}

#[test]
fn select_is_the_only_answer_to_an_offer_and_cannot_be_skipped() {
    let mut fixture = Fixture::at(Stage::Capabilities);
    fixture.send(inherit());
    assert_eq!(fixture.error(), (Code::WRONG_STATE, false));
    fixture.send(ClientMessage::CapabilityOffer(Capabilities::default()));
    let answers = fixture.answers();
    let [ServerMessage::CapabilitySelect(selected)] = &answers[..] else {
        panic!("{answers:?}");
    };
    assert_eq!(fixture.server.selected(), Some(selected));
    assert_eq!(selected.keyboard_level(), 0);
    fixture.send(offer());
    assert_eq!(
        fixture.error(),
        (Code::WRONG_STATE, false),
        "a second offer"
    );
}

#[test]
fn an_unknown_type_is_skipped_by_its_length() {
    for stage in STAGES {
        let mut fixture = Fixture::at(stage);
        fixture.send_raw(0xABCD, &[0xFF; 5000]);
        assert_eq!(fixture.error(), (Code::UNSUPPORTED, false), "{stage:?}");
        assert_eq!(fixture.server.stage(), stage);
    }
}

#[test]
fn an_error_is_never_answered_with_an_error() {
    for stage in STAGES {
        let mut fixture = Fixture::at(stage);
        fixture.send_raw(0xFF, b"garbage");
        fixture.send_raw(0xFF, br#"{"reason":"no code"}"#);
        fixture.send(ClientMessage::Error(ErrorMessage::new(
            Code::UNSUPPORTED,
            "x",
        )));
        assert!(fixture.answers().is_empty());
        assert!(matches!(&fixture.events()[..], [Event::PeerError(_)]));
    }
}

#[test]
fn a_fatal_error_of_the_client_ends_the_terminal() {
    let mut fixture = Fixture::at(Stage::Active);
    fixture.send(ClientMessage::Error(ErrorMessage {
        fatal: true,
        ..ErrorMessage::new(Code::GOING_AWAY, "bye")
    }));
    let closed = Event::Closed {
        code: Code::GOING_AWAY,
        reason: "bye".to_owned(),
    };
    assert_eq!(fixture.events(), [closed]);
    assert!(fixture.answers().is_empty());
}

#[test]
fn a_stranger_sends_16_kib_at_most_and_a_known_one_1_mib() {
    let mut fixture = Fixture::at(Stage::Capabilities);
    fixture
        .server
        .handle(fixture.now, &[0, 0, 0, 2, 0, 0, 0x40, 1]);
    assert_eq!(fixture.error(), (Code::MESSAGE_TOO_LARGE, true));

    let mut fixture = Fixture::at(Stage::Active);
    fixture
        .server
        .handle(fixture.now, &[0, 0, 0, 2, 0, 0, 0x40, 1]);
    assert!(fixture.answers().is_empty());
    let mut fixture = Fixture::at(Stage::Active);
    fixture
        .server
        .handle(fixture.now, &[0, 0, 0, 2, 0, 0x10, 0, 1]);
    assert_eq!(fixture.error(), (Code::MESSAGE_TOO_LARGE, true));
}

#[test]
fn a_stranger_has_256_items_at_most() {
    let features = vec!["x"; 300];
    let payload = format!(r#"{{"features":{features:?}}}"#);
    let mut fixture = Fixture::at(Stage::Capabilities);
    fixture.send_raw(0x02, payload.as_bytes());
    assert_eq!(fixture.error(), (Code::INVALID_MESSAGE, false));
    assert_eq!(fixture.server.stage(), Stage::Capabilities);
}

#[test]
fn three_failed_authentications_end_the_terminal() {
    let mut fixture = Fixture::at(Stage::Authenticating);
    for failures in 1..=3 {
        fixture.send(inherit());
        assert_eq!(
            fixture.events(),
            [Event::Authenticate(AuthRequest::INHERIT)]
        );
        fixture.fail();
        assert_eq!(fixture.server.auth_failures(), failures);
    }
    let answers = fixture.answers();
    assert_eq!(answers.len(), 4);
    assert!(matches!(&answers[3], ServerMessage::Error(error)
        if error.fatal && error.code == Code::AUTH_FAILED));
    assert!(matches!(
        &fixture.events()[..],
        [Event::Closed {
            code: Code::AUTH_FAILED,
            ..
        }]
    ));
}

#[test]
fn failures_on_other_terminals_of_the_connection_count() {
    let mut fixture = Fixture::with_offer(ServerOffer {
        auth_failures: 2,
        ..ServerOffer::default()
    });
    fixture.advance_to(Stage::Authenticating);
    fixture.send(inherit());
    fixture.fail();
    assert_eq!(fixture.server.stage(), Stage::Closed);
}

#[test]
fn pty_request_behind_a_failed_auth_request_is_denied() {
    let mut fixture = Fixture::at(Stage::Authenticating);
    // Both at once, as a client does that does not wait.
    let both: Vec<u8> = [inherit(), pty()]
        .iter()
        .flat_map(|message| message.encode(Encoding::Cbor).encode())
        .collect();
    fixture.server.handle(fixture.now, &both);
    assert_eq!(
        fixture.events(),
        [Event::Authenticate(AuthRequest::INHERIT)]
    );
    assert!(
        fixture.answers().is_empty(),
        "the second waits for the first"
    );
    fixture.fail();
    let answers = fixture.answers();
    assert!(matches!(
        &answers[..],
        [
            ServerMessage::AuthResponse(AuthResponse::Failure { .. }),
            ServerMessage::PtyResponse(PtyResponse::Denied(_)),
        ]
    ));
    // It may still try again.
    fixture.send(inherit());
    fixture.succeed();
    assert_eq!(fixture.server.stage(), Stage::Authenticated);
}

#[test]
fn what_is_sent_ahead_waits_its_turn() {
    let mut fixture = Fixture::new();
    let ahead = [
        hello(),
        offer(),
        inherit(),
        pty(),
        resize(),
        shell(),
        ClientMessage::Signal(15),
    ];
    let bytes: Vec<u8> = ahead
        .iter()
        .flat_map(|message| message.encode(Encoding::Json).encode())
        .collect();
    fixture.server.handle(fixture.now, &bytes);
    assert!(matches!(&fixture.events()[..], [Event::Authenticate(_)]));
    fixture.succeed();
    assert!(matches!(&fixture.events()[..], [Event::PtyRequested(_)]));
    fixture.grant(false);
    fixture.server.handle_pty_channel_opened(fixture.now);
    let size = WindowSize::new(40, 120);
    assert_eq!(fixture.server.poll_event(), Some(Event::Resize(size)));
    assert!(matches!(fixture.server.poll_event(), Some(Event::Shell(_))));
    assert_eq!(
        fixture.server.poll_event(),
        None,
        "the signal waits for the start"
    );
    let started = StartResponse::Started { pid: Some(7) };
    fixture.server.start_response(fixture.now, started);
    assert_eq!(fixture.events(), [Event::Signal(15)]);
}

#[test]
fn too_much_sent_ahead_ends_the_terminal() {
    let mut fixture = Fixture::at(Stage::Authenticating);
    fixture.send(inherit());
    let mut sent = 0;
    while fixture.server.stage() != Stage::Closed {
        fixture.send_raw(0x40, &[0; 1000]);
        sent += 1000;
        assert!(sent < 200_000, "memory is bounded");
    }
    assert!(sent > 64 * 1024);
    assert_eq!(fixture.error(), (Code::RATE_LIMITED, true));
}

#[test]
fn the_pty_channel_is_expected_after_a_grant_or_an_exec_request() {
    for (stage, expected) in [
        (Stage::Capabilities, false),
        (Stage::Authenticating, false),
        (Stage::Authenticated, false),
        (Stage::PtyAllocated, true),
        (Stage::Starting, true),
        (Stage::Active, false), // open already
        (Stage::Closing, false),
    ] {
        let fixture = Fixture::at(stage);
        assert_eq!(
            fixture.server.is_pty_channel_expected(),
            expected,
            "{stage:?}"
        );
    }
    let mut fixture = Fixture::at(Stage::Authenticated);
    fixture.send(exec());
    assert!(fixture.server.is_pty_channel_expected());
}

#[test]
fn a_program_without_a_terminal_starts_when_its_channel_is_open() {
    let mut fixture = Fixture::at(Stage::Authenticated);
    fixture.send(exec());
    assert!(fixture.events().is_empty());
    fixture.server.handle_pty_channel_opened(fixture.now);
    assert_eq!(fixture.events(), [Event::Exec(ExecRequest::line("true"))]);
    fixture
        .server
        .start_response(fixture.now, StartResponse::Started { pid: None });
    assert!(fixture.answers().is_empty(), "no reply was wanted");
    fixture.send(resize());
    assert_eq!(
        fixture.error(),
        (Code::WRONG_STATE, false),
        "there is no window"
    );
    fixture.send(ClientMessage::Signal(15));
    assert_eq!(fixture.events(), [Event::Signal(15)]);
}

#[test]
fn a_reply_is_sent_when_it_was_wanted() {
    let mut fixture = Fixture::at(Stage::PtyAllocated);
    fixture.server.handle_pty_channel_opened(fixture.now);
    fixture.send(ClientMessage::ShellRequest(ShellRequest {
        want_reply: true,
        ..ShellRequest::default()
    }));
    fixture.events();
    let started = StartResponse::Started { pid: Some(7) };
    fixture.server.start_response(fixture.now, started.clone());
    assert_eq!(fixture.answers(), [ServerMessage::StartResponse(started)]);
}

#[test]
fn a_program_that_is_not_found_exits_with_127() {
    for want_reply in [false, true] {
        let mut fixture = Fixture::at(Stage::Authenticated);
        fixture.send(ClientMessage::ExecRequest(ExecRequest {
            want_reply,
            ..ExecRequest::line("nonsense")
        }));
        fixture.server.handle_pty_channel_opened(fixture.now);
        fixture.events();
        let denied = StartResponse::Denied(Denial::new(Code::EXEC_FAILED, "no such program"));
        fixture.server.start_response(fixture.now, denied.clone());
        let answers = fixture.answers();
        let replies = usize::from(want_reply);
        assert_eq!(answers.len(), 1 + replies);
        assert_eq!(
            answers.contains(&ServerMessage::StartResponse(denied)),
            want_reply
        );
        assert!(
            matches!(&answers[replies], ServerMessage::ExitStatus(status)
            if status.exit_code == Some(127))
        );
        assert_eq!(fixture.server.stage(), Stage::Closing);
    }
}

#[test]
fn a_shell_that_is_not_allowed_is_told_in_the_reply_or_in_an_error() {
    for want_reply in [false, true] {
        let mut fixture = Fixture::at(Stage::PtyAllocated);
        fixture.server.handle_pty_channel_opened(fixture.now);
        let request = ShellRequest {
            want_reply,
            shell: Some("/bin/evil".to_owned()),
            ..ShellRequest::default()
        };
        fixture.send(ClientMessage::ShellRequest(request));
        fixture.events();
        let denied = StartResponse::Denied(Denial::new(Code::NOT_ALLOWED, "not in /etc/shells"));
        fixture.server.start_response(fixture.now, denied.clone());
        if want_reply {
            assert_eq!(fixture.answers(), [ServerMessage::StartResponse(denied)]);
        } else {
            assert_eq!(fixture.error(), (Code::NOT_ALLOWED, false));
        }
        // Another shell may be asked for.
        fixture.send(shell());
        assert!(matches!(&fixture.events()[..], [Event::Shell(_)]));
    }
}

#[test]
fn a_denied_terminal_ends_the_pair() {
    let mut fixture = Fixture::at(Stage::Authenticated);
    fixture.send(pty());
    fixture.events();
    let denial = Denial::new(Code::PTY_FAILED, "no more PTYs");
    fixture
        .server
        .pty_response(fixture.now, PtyResponse::Denied(denial.clone()));
    let response = ServerMessage::PtyResponse(PtyResponse::Denied(denial));
    assert_eq!(fixture.answers(), [response]);
    fixture.send(pty());
    assert_eq!(fixture.error(), (Code::WRONG_STATE, false));
    fixture.pass(Server::CLOSING_TIMEOUT);
    assert!(matches!(
        &fixture.events()[..],
        [Event::Closed {
            code: Code::PTY_FAILED,
            ..
        }]
    ));
}

#[test]
fn exit_status_tells_code_or_signal_and_the_pair_closes_after_5_s() {
    for status in [ExitStatus::exited(3), ExitStatus::killed(9)] {
        let mut fixture = Fixture::at(Stage::Active);
        let status = ExitStatus {
            pty_bytes: Some(1 << 40),
            ..status
        };
        fixture.server.exit_status(fixture.now, status.clone());
        assert_eq!(fixture.answers(), [ServerMessage::ExitStatus(status)]);
        fixture.pass(Server::CLOSING_TIMEOUT - Duration::from_millis(1));
        assert!(fixture.events().is_empty());
        fixture.pass(Duration::from_millis(1));
        assert!(matches!(
            &fixture.events()[..],
            [Event::Closed {
                code: Code::NORMAL,
                ..
            }]
        ));
        assert!(fixture.answers().is_empty(), "that is not an error");
    }
}

#[test]
fn a_joined_terminal_is_active_once_its_channel_is_open() {
    let mut fixture = Fixture::at(Stage::Authenticated);
    fixture.send(ClientMessage::PtyRequest(PtyRequest {
        attach: Some("t1".to_owned()),
        ..PtyRequest::default()
    }));
    fixture.grant(true);
    fixture.events();
    fixture.answers();
    fixture.send(shell());
    assert_eq!(
        fixture.error(),
        (Code::WRONG_STATE, false),
        "it runs already"
    );
    fixture.server.handle_pty_channel_opened(fixture.now);
    assert_eq!(fixture.events(), [Event::Attached]);
    assert_eq!(fixture.server.stage(), Stage::Active);
}

#[test]
fn a_signal_that_may_not_be_delivered_fails() {
    let mut fixture = Fixture::at(Stage::Active);
    for signal in [0, 4, 11, 19, 28, 64, 255] {
        fixture.send(ClientMessage::Signal(signal));
        assert_eq!(fixture.error(), (Code::SIGNAL_FAILED, false), "{signal}");
        assert!(fixture.events().is_empty());
    }
}

#[test]
fn refused_variables_are_listed_in_one_error() {
    let mut fixture = Fixture::at(Stage::Authenticated);
    fixture.send(set_env(&[
        ("LD_PRELOAD", "x"),
        ("LANG", "C"),
        ("PATH", "/"),
        ("TZ", "a\0b"),
    ]));
    let answers = fixture.answers();
    let [ServerMessage::Error(error)] = &answers[..] else {
        panic!("{answers:?}");
    };
    assert_eq!((error.code, error.fatal), (Code::ENV_REFUSED, false));
    let Some(Value::Array(names)) = &error.data else {
        panic!("no names");
    };
    for name in ["LD_PRELOAD", "PATH", "TZ"] {
        assert!(names.contains(&Value::from(name)), "{name}");
    }
    assert_eq!(names.len(), 3);
    let allowed = Environment(vec![("LANG".to_owned(), "C".to_owned())]);
    assert_eq!(fixture.events(), [Event::EnvSet(allowed)]);
}

#[test]
fn variables_are_limited_in_number_and_size() {
    let mut fixture = Fixture::at(Stage::Authenticated);
    let value = "x".repeat(40_000);
    fixture.send(set_env(&[("LC_A", &value), ("LC_B", &value)]));
    assert_eq!(fixture.error().0, Code::ENV_REFUSED);
    assert_eq!(fixture.events().len(), 1);

    let mut fixture = Fixture::at(Stage::Authenticated);
    let names: Vec<String> = (0..200).map(|n| format!("LC_{n}")).collect();
    let variables: Vec<_> = names.iter().map(|name| (name.as_str(), "")).collect();
    fixture.send(set_env(&variables));
    match &fixture.events()[..] {
        [Event::EnvSet(taken)] => assert_eq!(taken.0.len(), Environment::VARIABLES_MAX),
        other => panic!("{other:?}"),
    }
}

#[test]
fn key_events_need_the_selected_extension() {
    let mut fixture = Fixture::with_offer(ServerOffer {
        capabilities: {
            let mut capabilities = Capabilities::transparent();
            let extensions = capabilities.extensions.get_or_insert_default();
            extensions.structured_keys = Some(true);
            capabilities
        },
        ..ServerOffer::default()
    });
    fixture.advance_to(Stage::Active);
    fixture.send(key_event());
    assert!(matches!(&fixture.events()[..], [Event::KeyEvent(_)]));

    let mut fixture = Fixture::at(Stage::Active);
    fixture.send(key_event());
    assert_eq!(fixture.error(), (Code::WRONG_STATE, false));
}

#[test]
fn silence_before_select_and_before_a_proved_identity_ends_the_terminal() {
    for stage in [Stage::Hello, Stage::Capabilities] {
        let mut fixture = Fixture::at(stage);
        assert_eq!(
            fixture.server.poll_timeout(),
            Some(fixture.now + Server::SELECT_TIMEOUT)
        );
        fixture.pass(Server::SELECT_TIMEOUT - Duration::from_millis(1));
        assert!(fixture.answers().is_empty());
        fixture.pass(Duration::from_millis(1));
        assert_eq!(fixture.error(), (Code::HELLO_TIMEOUT, true));
        assert_eq!(fixture.server.poll_timeout(), None);
    }
    let mut fixture = Fixture::at(Stage::Authenticating);
    // An answer that is due does not stop the clock.
    fixture.send(inherit());
    fixture.pass(Server::AUTH_TIMEOUT);
    assert_eq!(fixture.error(), (Code::AUTH_FAILED, true));
    fixture.succeed();
    assert_eq!(fixture.server.stage(), Stage::Closed, "too late");
}

#[test]
fn a_known_client_has_all_the_time_in_the_world() {
    for stage in [
        Stage::Authenticated,
        Stage::PtyAllocated,
        Stage::Starting,
        Stage::Active,
    ] {
        assert_eq!(Fixture::at(stage).server.poll_timeout(), None, "{stage:?}");
    }
}

#[test]
fn faults_are_answered_ten_times_a_second_and_a_thousand_of_them_end_the_terminal() {
    let mut fixture = Fixture::at(Stage::Active);
    for _ in 0..100 {
        fixture.send_raw(0x30, &[]);
    }
    assert_eq!(fixture.answers().len(), 10);
    fixture.now += Duration::from_secs(1);
    fixture.send_raw(0x30, &[]);
    assert_eq!(fixture.error(), (Code::INVALID_MESSAGE, false));
    for _ in 0..1000 {
        fixture.send_raw(0x30, &[]);
    }
    assert!(matches!(
        &fixture.events()[..],
        [Event::Closed {
            code: Code::RATE_LIMITED,
            ..
        }]
    ));
}

#[test]
fn a_client_that_takes_nothing_is_not_told_more_than_fits() {
    let mut fixture = Fixture::at(Stage::Active);
    for round in 0..10_000_u16 {
        let size = WindowSize::new(1, round + 1);
        fixture.server.window_size(fixture.now, size);
        fixture.server.pty_mode(fixture.now, PtyMode::ECHO);
    }
    let answers = fixture.answers();
    assert!(answers.len() <= 64 + 2, "{}", answers.len());
    // Of each kind the newest is among them.
    let newest = WindowSize::new(1, 10_000);
    assert!(answers.contains(&ServerMessage::WindowSize(newest)));
}

#[test]
fn answers_without_a_question_are_ignored() {
    let mut fixture = Fixture::at(Stage::Authenticated);
    fixture.fail();
    fixture.grant(false);
    fixture
        .server
        .start_response(fixture.now, StartResponse::Started { pid: None });
    fixture
        .server
        .exit_status(fixture.now, ExitStatus::exited(0));
    fixture
        .server
        .window_size(fixture.now, WindowSize::new(1, 1));
    assert!(fixture.answers().is_empty());
    assert_eq!(fixture.server.stage(), Stage::Authenticated);
    assert_eq!(fixture.server.auth_failures(), 0);
}

#[test]
fn an_unknown_method_is_the_owners_to_refuse() {
    let mut fixture = Fixture::at(Stage::Authenticating);
    fixture.send_raw(0x10, br#"{"method":"magic"}"#);
    let method = AuthMethod::Unknown("magic".to_owned());
    let request = AuthRequest { user: None, method };
    assert_eq!(fixture.events(), [Event::Authenticate(request)]);
}

#[test]
fn refused_names_are_text_in_the_chosen_encoding() {
    let mut fixture = Fixture::at(Stage::Authenticated);
    fixture.send(set_env(&[("PATH", "/")]));
    let bytes = fixture.server.poll_transmit().unwrap();
    let value: ciborium::Value = ciborium::from_reader(&bytes[8..]).unwrap();
    let data = value
        .as_map()
        .unwrap()
        .iter()
        .find(|(key, _)| key.as_text() == Some("data"));
    assert_eq!(data.unwrap().1.as_array().unwrap(), &["PATH".into()]);
}
