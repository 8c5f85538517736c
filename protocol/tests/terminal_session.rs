//! Client and server talk to each other, whole messages and single bytes at a time.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests fail as tests do"
)]

mod codec_support;

use std::time::{Duration, Instant};

use codec_support::epoch;
use proptest::prelude::*;
use vroom_protocol::Code;
use vroom_protocol::terminal::{
    Ahead, AuthMethod, AuthRequest, AuthResponse, Capabilities, Challenge, Client, ClientConfig,
    ClientEvent, ClientMessage, Denial, Encoding, Environment, ErrorMessage, Event, ExecRequest,
    ExitStatus, Extensions, KeyAction, KeyEvent, Modifiers, PtyGrant, PtyMode, PtyRequest,
    PtyResponse, Server, ServerMessage, ServerOffer, ShareAction, ShareRequest, ShareState,
    ShellRequest, Stage, StartResponse, Tlv, WindowSize,
};

/// Both machines, joined by pieces of some size.
struct Pair {
    now: Instant,
    client: Client,
    server: Server,
    piece: usize,
    client_events: Vec<ClientEvent>,
    server_events: Vec<Event>,
}

impl Pair {
    fn new(piece: usize, encodings: &[Encoding]) -> Self {
        let config = ClientConfig {
            encodings: encodings.to_vec(),
            ..ClientConfig::default()
        };
        Self::with(config, ServerOffer::default(), piece)
    }

    fn with(config: ClientConfig, offer: ServerOffer, piece: usize) -> Self {
        let now = epoch();
        let mut pair = Self {
            now,
            client: Client::new(config, now),
            server: Server::new(offer, now),
            piece,
            client_events: Vec::new(),
            server_events: Vec::new(),
        };
        pair.run();
        pair
    }

    /// Carries bytes until nobody has anything to say.
    fn run(&mut self) {
        loop {
            let mut is_idle = true;
            while let Some(bytes) = self.client.poll_transmit() {
                is_idle = false;
                for piece in bytes.chunks(self.piece) {
                    self.server.handle(self.now, piece);
                    self.server_events
                        .extend(std::iter::from_fn(|| self.server.poll_event()));
                }
            }
            while let Some(bytes) = self.server.poll_transmit() {
                is_idle = false;
                for piece in bytes.chunks(self.piece) {
                    self.client.handle(self.now, piece);
                    self.client_events
                        .extend(std::iter::from_fn(|| self.client.poll_event()));
                }
            }
            self.server_events
                .extend(std::iter::from_fn(|| self.server.poll_event()));
            self.client_events
                .extend(std::iter::from_fn(|| self.client.poll_event()));
            if is_idle {
                return;
            }
        }
    }

    #[track_caller]
    fn client_event(&mut self) -> ClientEvent {
        assert_eq!(self.client_events.len(), 1, "{:?}", self.client_events);
        self.client_events.remove(0)
    }

    #[track_caller]
    fn server_event(&mut self) -> Event {
        assert_eq!(self.server_events.len(), 1, "{:?}", self.server_events);
        self.server_events.remove(0)
    }

    fn authenticate(&mut self) {
        self.client_events.clear();
        self.client
            .authenticate(self.now, AuthRequest::INHERIT)
            .unwrap();
        self.run();
        assert_eq!(
            self.server_event(),
            Event::Authenticate(AuthRequest::INHERIT)
        );
        let user = "ann".to_owned();
        self.server
            .auth_result(self.now, AuthResponse::Success { user: user.clone() });
        self.run();
        assert_eq!(self.client_event(), ClientEvent::Authenticated { user });
    }

    fn allocate(&mut self) {
        let request = PtyRequest {
            size: Some(WindowSize::new(24, 80)),
            ..PtyRequest::default()
        };
        self.client.request_pty(self.now, request.clone()).unwrap();
        self.run();
        assert_eq!(self.server_event(), Event::PtyRequested(request));
        let grant = PtyGrant {
            channel: "vroom.terminal.pty".to_owned(),
            ..PtyGrant::default()
        };
        self.server
            .pty_response(self.now, PtyResponse::Granted(grant.clone()));
        self.run();
        assert_eq!(self.client_event(), ClientEvent::PtyGranted(grant));
    }

    fn open_channel(&mut self) {
        assert!(self.server.is_pty_channel_expected());
        self.server.handle_pty_channel_opened(self.now);
        self.client.handle_pty_channel_opened(self.now);
        self.run();
    }

    fn start_shell(&mut self) {
        let request = ShellRequest {
            want_reply: true,
            ..ShellRequest::default()
        };
        self.client.shell(self.now, request.clone()).unwrap();
        self.run();
        assert_eq!(self.server_event(), Event::Shell(request));
        let started = StartResponse::Started { pid: Some(42) };
        self.server.start_response(self.now, started);
        self.run();
        assert_eq!(self.client_event(), ClientEvent::Started { pid: Some(42) });
    }

    fn active() -> Self {
        let mut pair = Self::new(usize::MAX, &Encoding::ALL);
        pair.authenticate();
        pair.allocate();
        pair.open_channel();
        pair.start_shell();
        pair
    }
}

/// A whole life: everything in its order.
fn live(piece: usize, encodings: &[Encoding]) {
    let mut pair = Pair::new(piece, encodings);
    assert_eq!(pair.client.encoding(), encodings[0]);
    assert_eq!(pair.server.encoding(), encodings[0]);
    let ClientEvent::Selected(selected) = pair.client_event() else {
        panic!("no selection");
    };
    assert_eq!(pair.server.selected(), Some(&selected));
    assert_eq!(selected.keyboard_level(), 3);
    pair.authenticate();
    let lang = Environment(vec![("LANG".to_owned(), "C.UTF-8".to_owned())]);
    pair.client.set_env(pair.now, lang.clone()).unwrap();
    pair.run();
    assert_eq!(pair.server_event(), Event::EnvSet(lang));
    pair.allocate();
    pair.open_channel();
    pair.start_shell();

    let size = WindowSize::new(40, 120);
    pair.client.resize(pair.now, size).unwrap();
    pair.client.signal(pair.now, 2).unwrap();
    pair.run();
    assert_eq!(pair.server_events, [Event::Resize(size), Event::Signal(2)]);
    pair.server_events.clear();

    pair.server.window_size(pair.now, WindowSize::new(30, 100));
    pair.server.pty_mode(pair.now, PtyMode::ECHO);
    pair.run();
    let size = ClientEvent::WindowSize(WindowSize::new(30, 100));
    assert_eq!(
        pair.client_events,
        [size, ClientEvent::PtyMode(PtyMode::ECHO)]
    );
    pair.client_events.clear();

    let status = ExitStatus {
        pty_bytes: Some(12),
        ..ExitStatus::exited(0)
    };
    pair.server.exit_status(pair.now, status.clone());
    pair.run();
    assert_eq!(pair.client_event(), ClientEvent::Exited(status));
    assert_eq!(pair.client.stage(), Stage::Closing);
    assert_eq!(pair.server.stage(), Stage::Closing);
}

#[test]
fn a_terminal_lives_in_either_encoding() {
    live(usize::MAX, &[Encoding::Cbor, Encoding::Json]);
    live(usize::MAX, &[Encoding::Json]);
}

#[test]
fn a_terminal_lives_byte_by_byte() {
    live(1, &[Encoding::Cbor]);
    live(1, &[Encoding::Json, Encoding::Cbor]);
}

#[test]
fn a_public_key_is_proved_in_two_steps() {
    let mut pair = Pair::new(7, &Encoding::ALL);
    pair.client_events.clear();
    let request = AuthRequest {
        user: Some("ann".to_owned()),
        method: AuthMethod::PublicKey {
            algorithm: "ssh-ed25519".to_owned(),
            key: vec![1; 51].into(),
            proof: None,
        },
    };
    pair.client.authenticate(pair.now, request.clone()).unwrap();
    assert!(
        pair.client.authenticate(pair.now, request.clone()).is_err(),
        "one step at a time"
    );
    pair.run();
    assert_eq!(pair.server_event(), Event::Authenticate(request));
    let challenge = Challenge::Nonce(vec![7; 32].into());
    pair.server
        .auth_result(pair.now, AuthResponse::Continue(challenge.clone()));
    pair.run();
    assert_eq!(pair.client_event(), ClientEvent::Challenged(challenge));
    assert_eq!(pair.server.auth_failures(), 0);
    pair.authenticate();
}

#[test]
fn failed_authentication_ends_the_pair_on_both_sides_at_last() {
    let mut pair = Pair::new(usize::MAX, &Encoding::ALL);
    pair.client_events.clear();
    for _ in 0..Server::AUTH_FAILURES_MAX {
        pair.client
            .authenticate(pair.now, AuthRequest::INHERIT)
            .unwrap();
        pair.run();
        let failure = AuthResponse::Failure {
            methods: vec!["token".to_owned()],
            code: Code::AUTH_FAILED,
            reason: Some("no".to_owned()),
        };
        pair.server.auth_result(pair.now, failure);
        pair.run();
    }
    let last = pair.client_events.last();
    assert!(matches!(
        last,
        Some(ClientEvent::Closed {
            code: Code::AUTH_FAILED,
            ..
        })
    ));
    let last = pair.server_events.last();
    assert!(matches!(
        last,
        Some(Event::Closed {
            code: Code::AUTH_FAILED,
            ..
        })
    ));
    assert!(
        pair.client
            .authenticate(pair.now, AuthRequest::INHERIT)
            .is_err()
    );
}

#[test]
fn a_denied_terminal_closes_the_client() {
    let mut pair = Pair::new(usize::MAX, &Encoding::ALL);
    pair.authenticate();
    pair.client
        .request_pty(
            pair.now,
            PtyRequest {
                size: Some(WindowSize::new(1, 1)),
                ..PtyRequest::default()
            },
        )
        .unwrap();
    pair.run();
    let denial = Denial::new(Code::LIMIT_REACHED, "enough");
    pair.server
        .pty_response(pair.now, PtyResponse::Denied(denial.clone()));
    pair.run();
    let closed = ClientEvent::Closed {
        code: Code::LIMIT_REACHED,
        reason: "enough".to_owned(),
    };
    assert_eq!(pair.client_events, [ClientEvent::PtyDenied(denial), closed]);
}

#[test]
fn a_program_runs_without_a_terminal() {
    let mut pair = Pair::new(3, &Encoding::ALL);
    pair.authenticate();
    let request = ExecRequest::line("uname -a");
    pair.client.exec(pair.now, request.clone()).unwrap();
    pair.run();
    assert!(pair.server_events.is_empty(), "its channel is not open");
    pair.open_channel();
    assert_eq!(pair.server_event(), Event::Exec(request));
    assert!(pair.client.resize(pair.now, WindowSize::new(1, 1)).is_err());
    pair.server
        .start_response(pair.now, StartResponse::Started { pid: None });
    pair.server.exit_status(pair.now, ExitStatus::killed(15));
    pair.run();
    assert_eq!(
        pair.client_event(),
        ClientEvent::Exited(ExitStatus::killed(15))
    );
}

#[test]
fn a_refused_shell_may_be_followed_by_another() {
    for want_reply in [false, true] {
        let mut pair = Pair::new(usize::MAX, &Encoding::ALL);
        pair.authenticate();
        pair.allocate();
        pair.open_channel();
        let request = ShellRequest {
            want_reply,
            ..ShellRequest::default()
        };
        pair.client.shell(pair.now, request).unwrap();
        pair.run();
        pair.server_events.clear();
        let denied = StartResponse::Denied(Denial::new(Code::NOT_ALLOWED, "no"));
        pair.server.start_response(pair.now, denied);
        pair.run();
        pair.client_event();
        assert_eq!(pair.client.stage(), Stage::PtyAllocated);
        pair.start_shell();
    }
}

#[test]
fn steps_out_of_order_are_refused_by_the_client_itself() {
    let mut pair = Pair::new(usize::MAX, &Encoding::ALL);
    let now = pair.now;
    let client = &mut pair.client;
    assert!(client.request_pty(now, PtyRequest::default()).is_err());
    assert!(client.shell(now, ShellRequest::default()).is_err());
    assert!(client.exec(now, ExecRequest::line("ls")).is_err());
    assert!(client.resize(now, WindowSize::new(1, 1)).is_err());
    assert!(client.signal(now, 2).is_err());
    assert!(client.set_env(now, Environment::default()).is_err());
    pair.authenticate();
    pair.allocate();
    let before_the_channel = pair.client.shell(now, ShellRequest::default());
    assert_eq!(before_the_channel.unwrap_err().stage, Stage::PtyAllocated);
    pair.open_channel();
    pair.start_shell();
    assert!(pair.client.shell(now, ShellRequest::default()).is_err());
    assert!(pair.client.set_env(now, Environment::default()).is_err());
    let key = KeyEvent {
        key: "a".to_owned(),
        code: "KeyA".to_owned(),
        modifiers: Modifiers::NONE,
        action: KeyAction::Press,
        text: None,
    };
    assert!(pair.client.key_event(now, key).is_err(), "not selected");
}

/// What a client answers to messages of a server that does what it likes.
fn client_answer(messages: &[ServerMessage]) -> Option<ErrorMessage> {
    use vroom_protocol::terminal::{ClientMessage, TlvDecoder};
    let now = epoch();
    let mut client = Client::new(ClientConfig::default(), now);
    for message in messages {
        client.handle(now, &message.encode(Encoding::Json).encode());
        while client.poll_event().is_some() {}
    }
    let mut decoder = TlvDecoder::new();
    while let Some(bytes) = client.poll_transmit() {
        decoder.push(&bytes);
    }
    let mut last = None;
    while let Some(tlv) = decoder.poll().unwrap() {
        last = ClientMessage::decode(tlv.kind, &tlv.payload).ok();
    }
    match last {
        Some(ClientMessage::Error(error)) => Some(error),
        _ => None,
    }
}

fn server_hello() -> ServerMessage {
    use vroom_protocol::terminal::ServerHello;
    ServerMessage::Hello(ServerHello::new(Encoding::Json))
}

#[test]
fn a_server_out_of_order_is_told_so() {
    use vroom_protocol::terminal::Capabilities;
    let select = || ServerMessage::CapabilitySelect(Capabilities::default());
    let user = "ann".to_owned();
    let success = ServerMessage::AuthResponse(AuthResponse::Success { user });
    let exit = ServerMessage::ExitStatus(ExitStatus::exited(0));
    for message in [success, exit, ServerMessage::PtyMode(PtyMode::ECHO)] {
        let error = client_answer(&[server_hello(), select(), message.clone()]).unwrap();
        assert_eq!((error.code, error.fatal), (Code::WRONG_STATE, false));
        let error = client_answer(&[message]).unwrap();
        assert_eq!((error.code, error.fatal), (Code::WRONG_STATE, true));
    }
    let error = client_answer(&[server_hello(), server_hello()]).unwrap();
    assert_eq!((error.code, error.fatal), (Code::WRONG_STATE, true));
    let error = client_answer(&[server_hello(), select(), select()]).unwrap();
    assert_eq!((error.code, error.fatal), (Code::WRONG_STATE, false));
}

#[test]
fn an_offer_of_the_server_is_not_answered() {
    use vroom_protocol::terminal::Capabilities;
    let offer = ServerMessage::CapabilityOffer(Capabilities::transparent());
    assert_eq!(client_answer(&[server_hello(), offer]), None);
}

#[test]
fn a_server_that_never_selects_is_left() {
    let now = epoch();
    let mut client = Client::new(ClientConfig::default(), now);
    assert_eq!(client.poll_timeout(), Some(now + Client::SELECT_TIMEOUT));
    client.handle_timeout(now + Client::SELECT_TIMEOUT - Duration::from_millis(1));
    assert_eq!(client.poll_event(), None);
    client.handle_timeout(now + Client::SELECT_TIMEOUT);
    let code = Code::HELLO_TIMEOUT;
    assert!(matches!(client.poll_event(), Some(ClientEvent::Closed { code: c, .. }) if c == code));
}

#[test]
fn debug_output_of_the_machines_shows_no_secret() {
    let mut pair = Pair::new(usize::MAX, &Encoding::ALL);
    let request = AuthRequest {
        user: None,
        method: AuthMethod::Password("hunter2".to_owned()),
    };
    pair.client.authenticate(pair.now, request).unwrap();
    let shown = |pair: &Pair| {
        let Pair {
            client,
            server,
            server_events,
            ..
        } = pair;
        format!("{client:?} {server:?} {server_events:?}")
    };
    assert!(!shown(&pair).contains("hunter2"), "before it was sent");
    pair.run();
    assert!(!shown(&pair).contains("hunter2"), "after it was sent");
}

proptest! {
    #[test]
    fn no_bytes_make_a_machine_panic(
        pieces in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..100), 0..20),
    ) {
        let mut pair = Pair::active();
        for piece in &pieces {
            pair.server.handle(pair.now, piece);
            pair.client.handle(pair.now, piece);
        }
        pair.run();
    }

    #[test]
    fn no_messages_make_a_machine_panic_or_talk_without_end(
        messages in prop::collection::vec((0..=0x60_u32, "\\{(\"[a-z]{1,6}\":[0-9]{1,3})?\\}"), 0..60),
    ) {
        let mut pair = Pair::active();
        for (kind, payload) in messages {
            let tlv = Tlv { kind, payload: payload.into_bytes().into() };
            pair.server.handle(pair.now, &tlv.encode());
            pair.client.handle(pair.now, &tlv.encode());
        }
        pair.run();
        prop_assert!(pair.server.poll_transmit().is_none());
        prop_assert!(pair.client.poll_transmit().is_none());
    }
}

/// A client that asks for everything at once.
fn ahead(piece: usize) -> (Pair, PtyRequest) {
    let request = PtyRequest {
        attach: Some("t1".to_owned()),
        have: Some(7),
        ..PtyRequest::default()
    };
    let config = ClientConfig {
        ahead: Some(Ahead {
            auth: AuthRequest::INHERIT,
            pty: Some(request.clone()),
        }),
        ..ClientConfig::default()
    };
    (Pair::with(config, ServerOffer::default(), piece), request)
}

#[test]
fn a_terminal_is_joined_in_one_round_trip() {
    for piece in [1, usize::MAX] {
        let (mut pair, request) = ahead(piece);
        assert!(matches!(pair.client_event(), ClientEvent::Selected(_)));
        assert_eq!(
            pair.server_event(),
            Event::Authenticate(AuthRequest::INHERIT)
        );
        let taken = pair.client.authenticate(pair.now, AuthRequest::INHERIT);
        assert!(taken.is_err(), "that was asked ahead");
        let user = "ann".to_owned();
        pair.server
            .auth_result(pair.now, AuthResponse::Success { user: user.clone() });
        let asked = pair.server.poll_event();
        assert_eq!(asked, Some(Event::PtyRequested(request.clone())));
        let grant = PtyGrant {
            channel: "vroom.terminal.pty".to_owned(),
            attached: true,
            offset: Some(7),
            ..PtyGrant::default()
        };
        pair.server
            .pty_response(pair.now, PtyResponse::Granted(grant.clone()));
        // Nothing more was sent by the client for all of this.
        pair.run();
        assert_eq!(
            pair.client_events,
            [
                ClientEvent::Authenticated { user },
                ClientEvent::PtyGranted(grant)
            ]
        );
        pair.open_channel();
        assert_eq!(pair.server_events, [Event::Attached]);
        assert_eq!(
            (pair.client.stage(), pair.server.stage()),
            (Stage::Active, Stage::Active)
        );
    }
}

#[test]
fn what_was_asked_ahead_in_vain_is_asked_again() {
    let (mut pair, request) = ahead(usize::MAX);
    pair.client_events.clear();
    pair.server_events.clear();
    let failure = AuthResponse::Failure {
        methods: vec!["token".to_owned()],
        code: Code::AUTH_FAILED,
        reason: None,
    };
    pair.server.auth_result(pair.now, failure);
    pair.run();
    assert!(matches!(
        pair.client_event(),
        ClientEvent::AuthFailed { .. }
    ));
    let token = AuthRequest {
        user: None,
        method: AuthMethod::Token("T".to_owned()),
    };
    pair.client.authenticate(pair.now, token).unwrap();
    pair.run();
    pair.server_event();
    let user = "ann".to_owned();
    pair.server
        .auth_result(pair.now, AuthResponse::Success { user });
    pair.run();
    pair.client_event();
    pair.client.request_pty(pair.now, request.clone()).unwrap();
    pair.run();
    assert_eq!(pair.server_event(), Event::PtyRequested(request));
}

#[test]
fn a_key_asked_ahead_needs_its_second_step_first() {
    let (mut pair, request) = ahead(usize::MAX);
    pair.client_events.clear();
    pair.server_events.clear();
    let nonce = Challenge::Nonce(vec![7; 32].into());
    pair.server
        .auth_result(pair.now, AuthResponse::Continue(nonce.clone()));
    pair.run();
    assert_eq!(pair.client_event(), ClientEvent::Challenged(nonce));
    pair.authenticate();
    pair.client.request_pty(pair.now, request.clone()).unwrap();
    pair.run();
    assert_eq!(pair.server_event(), Event::PtyRequested(request));
}

/// A pair that has agreed on sharing and runs a shell.
fn sharing() -> Pair {
    let mut capabilities = Capabilities::transparent();
    capabilities.extensions = Some(Extensions {
        sharing: Some(true),
        ..Extensions::default()
    });
    let config = ClientConfig {
        capabilities: capabilities.clone(),
        ..ClientConfig::default()
    };
    let offer = ServerOffer {
        capabilities,
        ..ServerOffer::default()
    };
    let mut pair = Pair::with(config, offer, usize::MAX);
    pair.authenticate();
    pair.allocate();
    pair.open_channel();
    pair.client
        .shell(pair.now, ShellRequest::default())
        .unwrap();
    pair.run();
    pair.server
        .start_response(pair.now, StartResponse::Started { pid: None });
    pair.run();
    pair.client_events.clear();
    pair.server_events.clear();
    pair
}

#[test]
fn people_share_a_terminal() {
    let mut pair = sharing();
    let request = ShareRequest {
        action: ShareAction::Take,
        id: Some(3),
    };
    pair.client.share(pair.now, request.clone()).unwrap();
    pair.run();
    assert_eq!(pair.server_event(), Event::Share(request));
    let state = ShareState {
        own_id: "p1".to_owned(),
        reference: Some(3),
        ..ShareState::default()
    };
    pair.server.share_state(pair.now, state.clone());
    pair.run();
    assert_eq!(pair.client_event(), ClientEvent::ShareState(state));
}

#[test]
fn nobody_shares_where_that_was_not_agreed_on() {
    let mut pair = Pair::new(usize::MAX, &Encoding::ALL);
    pair.authenticate();
    pair.allocate();
    pair.open_channel();
    let request = ShareRequest::new(ShareAction::Take);
    assert!(pair.client.share(pair.now, request.clone()).is_err());
    pair.server.share_state(pair.now, ShareState::default());
    assert_eq!(pair.server.poll_transmit(), None);
    let message = ClientMessage::Share(request).encode(Encoding::Cbor);
    pair.server.handle(pair.now, &message.encode());
    pair.run();
    assert!(pair.server_events.is_empty());
    assert!(matches!(
        pair.client_event(),
        ClientEvent::PeerError(ErrorMessage {
            code: Code::WRONG_STATE,
            fatal: false,
            ..
        })
    ));
}

#[test]
fn of_news_that_nobody_takes_the_newest_is_kept() {
    let mut pair = sharing();
    let state = |at: u64| ShareState {
        own_id: "p1".to_owned(),
        reference: Some(at),
        ..ShareState::default()
    };
    for at in 0..1000_u16 {
        pair.server.share_state(pair.now, state(at.into()));
        pair.server
            .window_size(pair.now, WindowSize::new(24, 1 + at));
    }
    let waiting: Vec<_> = std::iter::from_fn(|| pair.server.poll_transmit()).collect();
    assert!(waiting.len() < 100, "{}", waiting.len());
    for bytes in waiting {
        pair.client.handle(pair.now, &bytes);
        pair.client_events
            .extend(std::iter::from_fn(|| pair.client.poll_event()));
    }
    let last = |wanted: fn(&ClientEvent) -> bool| {
        let mut events = pair.client_events.iter();
        events.rfind(|event| wanted(event)).cloned()
    };
    assert_eq!(
        last(|event| matches!(event, ClientEvent::ShareState(_))),
        Some(ClientEvent::ShareState(state(999)))
    );
    assert_eq!(
        last(|event| matches!(event, ClientEvent::WindowSize(_))),
        Some(ClientEvent::WindowSize(WindowSize::new(24, 1000)))
    );
}
