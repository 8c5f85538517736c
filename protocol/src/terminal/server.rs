//! The server's side of one terminal: which message may come when, and what it means.

mod answers;
mod receive;
mod stage;
mod variables;

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use bytes::Bytes;

use super::capabilities::Capabilities;
use super::error::ErrorMessage;
use super::event::Event;
use super::message::ServerMessage;
use super::tlv::Tlv;
use super::wire::Wire;
use crate::Code;
use crate::encoding::Encoding;

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
