//! The server's side of one terminal: which message may come when, and what it means.

mod answers;
mod stage;
mod variables;

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use bytes::Bytes;

use super::capabilities::Capabilities;
use super::error::ErrorMessage;
use super::event::Event;
use super::hello::{ClientHello, PROTOCOL, ServerHello, VERSION};
use super::intersection::intersect;
use super::message::{self, ClientMessage, ServerMessage};
use super::pty::{Denial, PtyRequest, PtyResponse};
use super::signal::is_deliverable;
use super::start::{ExecRequest, ShellRequest};
use super::tlv::Tlv;
use super::wire::Wire;
use crate::Code;
use crate::encoding::{Encoding, Limits};

pub use self::stage::Stage;
use self::variables::Variables;

/// The server's side of one terminal.
///
/// Bytes of the control channel go in, [`Event`]s come out, and bytes to send. Messages are handled
/// strictly in order: while an event waits for its answer, those behind it wait too. The owner
/// polls events until none is left after every call.
#[derive(Debug)]
pub struct Server {
    offer: ServerOffer,
    stage: Stage,
    wire: Wire,
    selected: Option<Capabilities>,
    variables: Variables,
    awaiting: Option<Awaiting>,
    start: Option<Start>,
    has_pty: bool,
    is_attached: bool,
    is_channel_open: bool,
    failed: bool,
    /// When the stage has lasted too long.
    deadline: Option<Instant>,
    /// What `Closed` will say when the client does not close the pair itself.
    farewell: Option<(Code, String)>,
    /// At most the events of one message.
    events: VecDeque<Event>,
}

/// What a server has to offer, and what it suffers.
#[derive(Clone, Debug)]
pub struct ServerOffer {
    /// What can be selected.
    pub capabilities: Capabilities,
    /// The variables that a client may set; see [`is_allowed`](super::is_allowed).
    pub allow_list: Vec<String>,
    /// Failed authentications of this connection so far, on all of its terminals.
    pub auth_failures: u8,
    /// Who the server is, for logs.
    pub server: Option<String>,
}

impl Default for ServerOffer {
    fn default() -> Self {
        Self {
            capabilities: Capabilities::transparent(),
            allow_list: super::Environment::DEFAULT_ALLOW_LIST
                .iter()
                .map(|pattern| (*pattern).to_owned())
                .collect(),
            auth_failures: 0,
            server: None,
        }
    }
}

/// What has to be answered before the next message is read.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Awaiting {
    Auth,
    Pty,
    Start,
}

/// A program that is to be started, or is.
#[derive(Debug)]
struct Start {
    /// The type of the request.
    kind: u32,
    want_reply: bool,
    /// What the owner is told once the PTY channel is open.
    event: Option<Event>,
}

impl Server {
    /// Failed authentications on one connection; the last of them closes it.
    pub const AUTH_FAILURES_MAX: u8 = 3;

    /// How long the client may take from the open channel to CAPABILITY_SELECT.
    pub const SELECT_TIMEOUT: Duration = Duration::from_secs(30);

    /// How long the client may take from CAPABILITY_SELECT to a proved identity.
    pub const AUTH_TIMEOUT: Duration = Duration::from_secs(120);

    /// How long the client may take to close the pair when it is over.
    pub const CLOSING_TIMEOUT: Duration = Duration::from_secs(5);

    /// A control channel was opened.
    pub fn new(offer: ServerOffer, now: Instant) -> Self {
        Self {
            offer,
            stage: Stage::Hello,
            wire: Wire::new(now, Tlv::LENGTH_MAX_UNAUTHENTICATED),
            selected: None,
            variables: Variables::default(),
            awaiting: None,
            start: None,
            has_pty: false,
            is_attached: false,
            is_channel_open: false,
            failed: false,
            deadline: Some(now + Self::SELECT_TIMEOUT),
            farewell: None,
            events: VecDeque::new(),
        }
    }

    /// Takes bytes of the control channel, cut anywhere.
    pub fn handle(&mut self, now: Instant, bytes: &[u8]) {
        self.wire.now = now;
        if self.stage == Stage::Closed {
            return;
        }
        self.wire.push(bytes);
        self.advance();
        if self.wire.is_overrun() {
            self.close(Code::RATE_LIMITED, "too much was sent ahead", None);
        }
    }

    /// The PTY channel is open; see [`is_pty_channel_expected`](Self::is_pty_channel_expected).
    pub fn handle_pty_channel_opened(&mut self, now: Instant) {
        self.wire.now = now;
        self.is_channel_open = true;
        if self.stage == Stage::PtyAllocated && self.is_attached {
            self.stage = Stage::Active;
            self.events.push_back(Event::Attached);
        }
        self.start_if_ready();
        self.advance();
    }

    /// Ends what has lasted too long.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.wire.now = now;
        if self.deadline.is_none_or(|deadline| now < deadline) {
            return;
        }
        match self.stage {
            Stage::Hello | Stage::Capabilities => {
                self.close(Code::HELLO_TIMEOUT, "no CAPABILITY_OFFER in time", None);
            }
            Stage::Authenticating => {
                self.close(Code::AUTH_FAILED, "not authenticated in time", None);
            }
            _ => {
                let ended = (Code::NORMAL, String::new());
                let (code, reason) = self.farewell.take().unwrap_or(ended);
                self.end(code, reason);
            }
        }
    }

    /// When [`handle_timeout`](Self::handle_timeout) is due.
    pub const fn poll_timeout(&self) -> Option<Instant> {
        self.deadline
    }

    /// The next event; reads on when there is none.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.advance();
        self.events.pop_front()
    }

    /// The next payload for the control channel.
    pub fn poll_transmit(&mut self) -> Option<Bytes> {
        self.wire.poll_transmit()
    }

    /// Where the terminal stands.
    pub const fn stage(&self) -> Stage {
        self.stage
    }

    /// What both can do, once that is settled.
    pub const fn selected(&self) -> Option<&Capabilities> {
        self.selected.as_ref()
    }

    /// What is written, once that is settled; JSON before.
    pub const fn encoding(&self) -> Encoding {
        self.wire.encoding
    }

    /// Failed authentications of this connection so far, for the next terminal's offer.
    pub const fn auth_failures(&self) -> u8 {
        self.offer.auth_failures
    }

    /// Whether the client may open the PTY channel now; otherwise it is rejected with 4113.
    // VROOM-Terminal §5.1 and clarification C21.
    pub const fn is_pty_channel_expected(&self) -> bool {
        !self.is_channel_open
            && matches!(
                self.stage,
                Stage::PtyAllocated | Stage::Starting | Stage::Active
            )
    }

    /// Reads messages until one means something to the owner.
    fn advance(&mut self) {
        while self.events.is_empty() && self.awaiting.is_none() && self.stage != Stage::Closed {
            match self.wire.poll() {
                Ok(Some(tlv)) => self.receive(&tlv),
                Ok(None) => break,
                Err(error) => {
                    let reason = error.to_string();
                    self.close(Code::MESSAGE_TOO_LARGE, &reason, Some(error.kind));
                }
            }
        }
    }

    fn receive(&mut self, tlv: &Tlv) {
        if !self.may_come(tlv.kind) {
            // C22: what is wrong about HELLO is fatal.
            let fatal = self.stage == Stage::Hello || tlv.kind == message::HELLO;
            return self.fault(Code::WRONG_STATE, WRONG_STATE, tlv.kind, fatal);
        }
        match ClientMessage::decode_within(tlv.kind, &tlv.payload, &self.limits()) {
            Ok(message) => self.apply(message),
            // An ERROR is never answered with an ERROR.
            Err(_) if tlv.kind == message::ERROR => {}
            Err(error) => {
                let fatal = self.stage == Stage::Hello;
                self.fault(error.code(), &error.to_string(), tlv.kind, fatal);
            }
        }
    }

    // VROOM-Terminal §5.7; C21, C22 and C24. An unknown type may come at any time but the first.
    fn may_come(&self, kind: u32) -> bool {
        if self.stage == Stage::Hello {
            return matches!(kind, message::HELLO | message::ERROR);
        }
        let is_running = self.stage == Stage::Active;
        match kind {
            message::HELLO => false,
            message::CAPABILITY_OFFER => self.stage == Stage::Capabilities,
            message::AUTH_REQUEST => self.stage == Stage::Authenticating,
            message::PTY_REQUEST => {
                self.stage == Stage::Authenticated
                    || (self.stage == Stage::Authenticating && self.failed)
            }
            message::SHELL_REQUEST => self.may_start() && self.has_pty,
            message::EXEC_REQUEST | message::SET_ENV => self.may_start(),
            message::WINDOW_RESIZE => {
                let has_size = matches!(self.stage, Stage::PtyAllocated | Stage::Starting);
                self.has_pty && (has_size || is_running)
            }
            message::SIGNAL => is_running,
            message::KEY_EVENT => is_running && self.has_pty && self.has_structured_keys(),
            _ => true,
        }
    }

    fn may_start(&self) -> bool {
        match self.stage {
            Stage::Authenticated => true,
            Stage::PtyAllocated => !self.is_attached,
            _ => false,
        }
    }

    fn has_structured_keys(&self) -> bool {
        self.selected
            .as_ref()
            .is_some_and(|selected| selected.extensions().structured_keys == Some(true))
    }

    const fn limits(&self) -> Limits {
        match self.stage {
            Stage::Hello | Stage::Capabilities | Stage::Authenticating => Limits::UNAUTHENTICATED,
            _ => Limits::AUTHENTICATED,
        }
    }

    fn apply(&mut self, message: ClientMessage) {
        match message {
            ClientMessage::Hello(hello) => self.greet(&hello),
            ClientMessage::CapabilityOffer(offer) => self.select(&offer),
            ClientMessage::AuthRequest(request) => {
                self.ask(Awaiting::Auth, Event::Authenticate(request));
            }
            ClientMessage::PtyRequest(request) => self.request_pty(request),
            ClientMessage::WindowResize(size) => self.events.push_back(Event::Resize(size)),
            ClientMessage::Signal(signal) if is_deliverable(signal) => {
                self.events.push_back(Event::Signal(signal));
            }
            ClientMessage::Signal(_) => self.fault(
                Code::SIGNAL_FAILED,
                "this signal is not delivered",
                message::SIGNAL,
                false,
            ),
            ClientMessage::SetEnv(environment) => self.set_env(environment),
            ClientMessage::ShellRequest(request) => self.start_shell(request),
            ClientMessage::ExecRequest(request) => self.start_program(request),
            ClientMessage::KeyEvent(event) => self.events.push_back(Event::KeyEvent(event)),
            ClientMessage::Error(error) => self.receive_error(error),
        }
    }

    fn greet(&mut self, hello: &ClientHello) {
        if hello.protocol != PROTOCOL || hello.version != VERSION {
            let reason = "this server speaks vroom-terminal 1";
            return self.close(Code::VERSION_MISMATCH, reason, Some(message::HELLO));
        }
        let Some(encoding) = Encoding::choose(hello.control_encoding.as_deref()) else {
            let reason = "this server writes cbor and json";
            return self.close(Code::UNSUPPORTED, reason, Some(message::HELLO));
        };
        self.wire.encoding = encoding;
        self.send(&ServerMessage::Hello(ServerHello {
            server: self.offer.server.clone(),
            ..ServerHello::new(encoding)
        }));
        self.stage = Stage::Capabilities;
    }

    fn select(&mut self, offer: &Capabilities) {
        let selected = intersect(offer, &self.offer.capabilities);
        self.send(&ServerMessage::CapabilitySelect(selected.clone()));
        self.selected = Some(selected);
        self.stage = Stage::Authenticating;
        self.deadline = Some(self.wire.now + Self::AUTH_TIMEOUT);
    }

    fn request_pty(&mut self, request: PtyRequest) {
        if self.stage == Stage::Authenticated {
            return self.ask(Awaiting::Pty, Event::PtyRequested(request));
        }
        // C22: it was sent right behind an AUTH_REQUEST that failed.
        self.send(&ServerMessage::PtyResponse(PtyResponse::Denied(
            Denial::new(Code::NOT_ALLOWED, "not authenticated"),
        )));
    }

    fn start_shell(&mut self, request: ShellRequest) {
        self.start = Some(Start {
            kind: message::SHELL_REQUEST,
            want_reply: request.want_reply,
            event: Some(Event::Shell(request)),
        });
        self.stage = Stage::Starting;
        self.start_if_ready();
    }

    fn start_program(&mut self, request: ExecRequest) {
        self.start = Some(Start {
            kind: message::EXEC_REQUEST,
            want_reply: request.want_reply,
            event: Some(Event::Exec(request)),
        });
        self.stage = Stage::Starting;
        self.start_if_ready();
    }

    /// Tells the owner to start the program once its channel is open.
    fn start_if_ready(&mut self) {
        if self.stage != Stage::Starting || !self.is_channel_open {
            return;
        }
        if let Some(event) = self.start.as_mut().and_then(|start| start.event.take()) {
            self.ask(Awaiting::Start, event);
        }
    }

    fn receive_error(&mut self, error: ErrorMessage) {
        if error.fatal {
            self.end(error.code, error.reason.unwrap_or_default());
        } else {
            self.events.push_back(Event::PeerError(error));
        }
    }

    /// Tells the owner something that it has to answer.
    fn ask(&mut self, awaiting: Awaiting, event: Event) {
        self.awaiting = Some(awaiting);
        self.events.push_back(event);
    }

    fn send(&mut self, message: &ServerMessage) {
        self.wire.send(&message.encode(self.wire.encoding));
    }

    /// Answers a fault of the client.
    fn fault(&mut self, code: Code, reason: &str, kind: u32, fatal: bool) {
        if fatal {
            return self.close(code, reason, Some(kind));
        }
        let error = ErrorMessage {
            reference: Some(kind),
            ..ErrorMessage::new(code, reason)
        };
        self.report(&error);
    }

    fn report(&mut self, error: &ErrorMessage) {
        if !self.wire.fault(error) {
            self.close(Code::RATE_LIMITED, "too many faulty messages", None);
        }
    }

    /// Ends the terminal with a fatal ERROR.
    fn close(&mut self, code: Code, reason: &str, reference: Option<u32>) {
        if self.stage == Stage::Closed {
            return;
        }
        self.wire.error(&ErrorMessage {
            reference,
            fatal: true,
            ..ErrorMessage::new(code, reason)
        });
        self.end(code, reason.to_owned());
    }

    /// Ends the terminal; nothing is read any more.
    fn end(&mut self, code: Code, reason: String) {
        if self.stage == Stage::Closed {
            return;
        }
        self.stage = Stage::Closed;
        self.deadline = None;
        self.awaiting = None;
        self.wire.clear();
        self.events.push_back(Event::Closed { code, reason });
    }
}

const WRONG_STATE: &str = "the message may not come now";
