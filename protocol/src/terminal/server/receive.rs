//! What a [`Server`] makes of the client's messages.

use super::super::capabilities::Capabilities;
use super::super::error::ErrorMessage;
use super::super::event::Event;
use super::super::hello::{ClientHello, PROTOCOL, ServerHello, VERSION};
use super::super::intersection::intersect;
use super::super::message::{self, ClientMessage, ServerMessage};
use super::super::pty::{Denial, PtyRequest, PtyResponse};
use super::super::signal::is_deliverable;
use super::super::start::{ExecRequest, ShellRequest};
use super::super::tlv::Tlv;
use super::{Awaiting, Server, Stage, Start};
use crate::Code;
use crate::encoding::{Encoding, Limits};

impl Server {
    /// Reads messages until one means something to the owner.
    pub(super) fn advance(&mut self) {
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
            message::SHARE => is_running && self.has_pty && self.has_sharing(),
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

    /// Whether SHARE and SHARE_STATE were agreed on.
    pub fn has_sharing(&self) -> bool {
        self.selected
            .as_ref()
            .is_some_and(|selected| selected.extensions().sharing == Some(true))
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
            ClientMessage::Share(request) => self.events.push_back(Event::Share(request)),
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
    pub(super) fn start_if_ready(&mut self) {
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
}

const WRONG_STATE: &str = "the message may not come now";
