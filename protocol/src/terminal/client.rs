//! The client's side of one terminal.

mod ahead;
mod receive;

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use bytes::Bytes;

use super::authentication::AuthRequest;
use super::capabilities::Capabilities;
use super::environment::Environment;
use super::error::ErrorMessage;
use super::event::ClientEvent;
use super::hello::ClientHello;
use super::key_event::KeyEvent;
use super::message::ClientMessage;
use super::pty::PtyRequest;
use super::server::Stage;
use super::share::ShareRequest;
use super::start::{ExecRequest, ShellRequest};
use super::tlv::Tlv;
use super::window::WindowSize;
use super::wire::Wire;
use crate::Code;
use crate::encoding::Encoding;

pub use self::ahead::Ahead;
use self::ahead::SentAhead;

/// The client's side of one terminal.
///
/// It says HELLO and offers capabilities by itself; from [`ClientEvent::Selected`] on its owner
/// goes on step by step, one step at a time, unless [`ClientConfig::ahead`] has said the first
/// steps already.
#[derive(Debug)]
pub struct Client {
    config: ClientConfig,
    stage: Stage,
    wire: Wire,
    selected: Option<Capabilities>,
    /// Whether a request is not answered yet.
    is_waiting: bool,
    has_pty: bool,
    is_attached: bool,
    is_channel_open: bool,
    /// What was sent before it was asked for and is not answered yet.
    sent_ahead: SentAhead,
    /// When the stage has lasted too long.
    deadline: Option<Instant>,
    /// At most the events of one message.
    events: VecDeque<ClientEvent>,
}

/// What a client has to offer.
#[derive(Clone, Debug)]
pub struct ClientConfig {
    /// What it reads, the preferred encoding first.
    pub encodings: Vec<Encoding>,
    /// What its terminal can do.
    pub capabilities: Capabilities,
    /// Who it is, for the server's logs.
    pub client: Option<String>,
    /// What to ask for with the first message, without waiting for answers.
    pub ahead: Option<Ahead>,
}

impl Default for ClientConfig {
    fn default() -> Self {
        Self {
            encodings: Encoding::ALL.to_vec(),
            capabilities: Capabilities::transparent(),
            client: None,
            ahead: None,
        }
    }
}

/// A step that cannot be taken now.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the terminal is at stage {stage:?} or waits for an answer")]
pub struct WrongState {
    /// Where the terminal stands.
    pub stage: Stage,
}

impl Client {
    /// How long the server may take from the open channel to CAPABILITY_SELECT.
    pub const SELECT_TIMEOUT: Duration = Duration::from_secs(30);

    /// The control channel is open: says HELLO.
    pub fn new(config: ClientConfig, now: Instant) -> Self {
        let mut client = Self {
            stage: Stage::Hello,
            wire: Wire::new(now, Tlv::LENGTH_MAX),
            selected: None,
            is_waiting: false,
            has_pty: false,
            is_attached: false,
            is_channel_open: false,
            sent_ahead: SentAhead::default(),
            deadline: Some(now + Self::SELECT_TIMEOUT),
            events: VecDeque::new(),
            config,
        };
        client.send(&ClientMessage::Hello(ClientHello {
            client: client.config.client.clone(),
            ..ClientHello::new(&client.config.encodings)
        }));
        client.send_ahead();
        client
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

    /// Says who is there.
    pub fn authenticate(&mut self, now: Instant, request: AuthRequest) -> Result<(), WrongState> {
        self.check(now, self.stage == Stage::Authenticating && !self.is_waiting)?;
        self.is_waiting = true;
        self.send(&ClientMessage::AuthRequest(request));
        Ok(())
    }

    /// Asks for a terminal.
    pub fn request_pty(&mut self, now: Instant, request: PtyRequest) -> Result<(), WrongState> {
        self.check(now, self.stage == Stage::Authenticated && !self.is_waiting)?;
        self.is_waiting = true;
        self.send(&ClientMessage::PtyRequest(request));
        Ok(())
    }

    /// The PTY channel is open.
    pub fn handle_pty_channel_opened(&mut self, now: Instant) {
        self.wire.now = now;
        self.is_channel_open = true;
        let is_started = self.stage == Stage::Starting
            || (self.stage == Stage::PtyAllocated && self.is_attached);
        if is_started {
            self.stage = Stage::Active;
        }
    }

    /// Sets variables for the program.
    pub fn set_env(&mut self, now: Instant, variables: Environment) -> Result<(), WrongState> {
        self.check(now, self.may_start())?;
        self.send(&ClientMessage::SetEnv(variables));
        Ok(())
    }

    /// Starts a shell in the terminal, whose channel has to be open.
    pub fn shell(&mut self, now: Instant, request: ShellRequest) -> Result<(), WrongState> {
        self.check(
            now,
            self.may_start() && self.has_pty && self.is_channel_open,
        )?;
        self.stage = Stage::Active;
        self.send(&ClientMessage::ShellRequest(request));
        Ok(())
    }

    /// Starts a program: in the terminal, whose channel has to be open, or without one.
    ///
    /// Without one the PTY channel is opened afterwards, and carries stdin and stdout.
    pub fn exec(&mut self, now: Instant, request: ExecRequest) -> Result<(), WrongState> {
        self.check(
            now,
            self.may_start() && (!self.has_pty || self.is_channel_open),
        )?;
        self.stage = if self.is_channel_open {
            Stage::Active
        } else {
            Stage::Starting
        };
        self.send(&ClientMessage::ExecRequest(request));
        Ok(())
    }

    /// Tells the terminal's new size.
    pub fn resize(&mut self, now: Instant, size: WindowSize) -> Result<(), WrongState> {
        let has_size = matches!(self.stage, Stage::PtyAllocated | Stage::Active);
        self.check(now, self.has_pty && has_size)?;
        self.send(&ClientMessage::WindowResize(size));
        Ok(())
    }

    /// Sends a signal to the foreground process group.
    pub fn signal(&mut self, now: Instant, signal: u8) -> Result<(), WrongState> {
        self.check(now, self.stage == Stage::Active)?;
        self.send(&ClientMessage::Signal(signal));
        Ok(())
    }

    /// Sends a key for the server to encode, if `structured_keys` was selected.
    pub fn key_event(&mut self, now: Instant, event: KeyEvent) -> Result<(), WrongState> {
        let is_selected = self
            .selected
            .as_ref()
            .is_some_and(|selected| selected.extensions().structured_keys == Some(true));
        self.check(
            now,
            self.stage == Stage::Active && self.has_pty && is_selected,
        )?;
        self.send(&ClientMessage::KeyEvent(event));
        Ok(())
    }

    /// Asks to change who may do what, if `sharing` was selected.
    pub fn share(&mut self, now: Instant, request: ShareRequest) -> Result<(), WrongState> {
        let may_share = self.stage == Stage::Active && self.has_pty && self.has_sharing();
        self.check(now, may_share)?;
        self.send(&ClientMessage::Share(request));
        Ok(())
    }

    /// Whether SHARE and SHARE_STATE were agreed on.
    pub fn has_sharing(&self) -> bool {
        self.selected
            .as_ref()
            .is_some_and(|selected| selected.extensions().sharing == Some(true))
    }

    /// Tells the server about an error; a fatal one ends the terminal.
    pub fn error(&mut self, now: Instant, error: ErrorMessage) {
        self.wire.now = now;
        if self.stage == Stage::Closed {
            return;
        }
        self.wire.error(&error);
        if error.fatal {
            self.end(error.code, error.reason.unwrap_or_default());
        }
    }

    /// Ends what has lasted too long.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.wire.now = now;
        if self.deadline.is_some_and(|deadline| now >= deadline) {
            self.close(Code::HELLO_TIMEOUT, "no CAPABILITY_SELECT in time", None);
        }
    }

    /// When [`handle_timeout`](Self::handle_timeout) is due.
    pub const fn poll_timeout(&self) -> Option<Instant> {
        self.deadline
    }

    /// The next event; reads on when there is none.
    pub fn poll_event(&mut self) -> Option<ClientEvent> {
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

    fn may_start(&self) -> bool {
        !self.is_waiting
            && match self.stage {
                Stage::Authenticated => true,
                Stage::PtyAllocated => !self.is_attached,
                _ => false,
            }
    }

    fn check(&mut self, now: Instant, is_right: bool) -> Result<(), WrongState> {
        self.wire.now = now;
        if is_right {
            Ok(())
        } else {
            Err(WrongState { stage: self.stage })
        }
    }

    fn send(&mut self, message: &ClientMessage) {
        self.wire.send(&message.encode(self.wire.encoding));
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
        self.wire.clear();
        self.events.push_back(ClientEvent::Closed { code, reason });
    }
}
