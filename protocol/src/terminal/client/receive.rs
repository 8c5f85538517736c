//! What a [`Client`] makes of the server's messages.

use super::super::authentication::AuthResponse;
use super::super::capabilities::Capabilities;
use super::super::error::ErrorMessage;
use super::super::event::ClientEvent;
use super::super::hello::{PROTOCOL, ServerHello, VERSION};
use super::super::message::{self, ServerMessage};
use super::super::pty::PtyResponse;
use super::super::start::StartResponse;
use super::super::tlv::Tlv;
use super::{Client, Stage};
use crate::Code;

impl Client {
    /// Reads messages until one means something to the owner.
    pub(super) fn advance(&mut self) {
        while self.events.is_empty() && self.stage != Stage::Closed {
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
            let fatal = self.stage == Stage::Hello || tlv.kind == message::HELLO;
            return self.fault(Code::WRONG_STATE, WRONG_STATE, tlv.kind, fatal);
        }
        match ServerMessage::decode(tlv.kind, &tlv.payload) {
            Ok(message) => self.apply(message),
            // An ERROR is never answered with an ERROR.
            Err(_) if tlv.kind == message::ERROR => {}
            Err(error) => {
                let fatal = self.stage == Stage::Hello;
                self.fault(error.code(), &error.to_string(), tlv.kind, fatal);
            }
        }
    }

    // VROOM-Terminal §5.7. An unknown type may come at any time but the first.
    fn may_come(&self, kind: u32) -> bool {
        if self.stage == Stage::Hello {
            return matches!(kind, message::HELLO | message::ERROR);
        }
        let has_terminal = matches!(
            self.stage,
            Stage::PtyAllocated | Stage::Starting | Stage::Active
        );
        match kind {
            message::HELLO => false,
            message::CAPABILITY_SELECT => self.stage == Stage::Capabilities,
            message::AUTH_RESPONSE => self.stage == Stage::Authenticating && self.is_waiting,
            message::PTY_RESPONSE => match self.stage {
                Stage::Authenticated => self.is_waiting,
                // What was asked for ahead of an identity that was not proved.
                Stage::Authenticating => self.sent_ahead.pty,
                _ => false,
            },
            message::WINDOW_SIZE | message::PTY_MODE => has_terminal && self.has_pty,
            message::SHARE_STATE => has_terminal && self.has_pty && self.has_sharing(),
            // It may overtake the ACK of the PTY channel.
            message::START_RESPONSE => matches!(self.stage, Stage::Starting | Stage::Active),
            message::EXIT_STATUS => has_terminal,
            _ => true,
        }
    }

    fn apply(&mut self, message: ServerMessage) {
        match message {
            ServerMessage::Hello(hello) => self.greet(&hello),
            // An offer of the server is for information and is not answered.
            ServerMessage::CapabilityOffer(_) => {}
            ServerMessage::CapabilitySelect(selected) => self.select(selected),
            ServerMessage::AuthResponse(response) => self.take_auth(response),
            ServerMessage::PtyResponse(response) => self.take_pty(response),
            ServerMessage::WindowSize(size) => self.events.push_back(ClientEvent::WindowSize(size)),
            ServerMessage::PtyMode(mode) => self.events.push_back(ClientEvent::PtyMode(mode)),
            ServerMessage::ShareState(state) => {
                self.events.push_back(ClientEvent::ShareState(state));
            }
            ServerMessage::StartResponse(response) => self.take_start(response),
            ServerMessage::ExitStatus(status) => {
                self.stage = Stage::Closing;
                self.events.push_back(ClientEvent::Exited(status));
            }
            ServerMessage::Error(error) => self.take_error(error),
        }
    }

    fn greet(&mut self, hello: &ServerHello) {
        if hello.protocol != PROTOCOL || hello.version != VERSION {
            let reason = "this client speaks vroom-terminal 1";
            return self.close(Code::VERSION_MISMATCH, reason, Some(message::HELLO));
        }
        if !self.config.encodings.contains(&hello.control_encoding) {
            let reason = "this encoding was not offered";
            return self.close(Code::UNSUPPORTED, reason, Some(message::HELLO));
        }
        self.wire.encoding = hello.control_encoding;
        self.stage = Stage::Capabilities;
        if !std::mem::take(&mut self.sent_ahead.offer) {
            self.offer();
        }
    }

    fn select(&mut self, selected: Capabilities) {
        self.stage = Stage::Authenticating;
        self.deadline = None;
        self.is_waiting = std::mem::take(&mut self.sent_ahead.auth);
        self.selected = Some(selected.clone());
        self.events.push_back(ClientEvent::Selected(selected));
    }

    fn take_auth(&mut self, response: AuthResponse) {
        self.is_waiting = false;
        self.events.push_back(match response {
            AuthResponse::Success { user } => {
                self.stage = Stage::Authenticated;
                self.is_waiting = std::mem::take(&mut self.sent_ahead.pty);
                ClientEvent::Authenticated { user }
            }
            AuthResponse::Failure {
                methods, reason, ..
            } => ClientEvent::AuthFailed { methods, reason },
            AuthResponse::Continue(challenge) => ClientEvent::Challenged(challenge),
        });
    }

    fn take_pty(&mut self, response: PtyResponse) {
        if self.stage == Stage::Authenticating {
            self.sent_ahead.pty = false;
            return;
        }
        self.is_waiting = false;
        match response {
            PtyResponse::Granted(grant) => {
                self.stage = Stage::PtyAllocated;
                self.has_pty = true;
                self.is_attached = grant.attached;
                self.events.push_back(ClientEvent::PtyGranted(grant));
            }
            PtyResponse::Denied(denial) => {
                self.events
                    .push_back(ClientEvent::PtyDenied(denial.clone()));
                self.end(denial.code, denial.reason.unwrap_or_default());
            }
        }
    }

    fn take_start(&mut self, response: StartResponse) {
        let event = match response {
            StartResponse::Started { pid } => ClientEvent::Started { pid },
            StartResponse::Denied(denial) => {
                // EXIT_STATUS follows a program that was not found.
                if denial.code != Code::EXEC_FAILED {
                    self.step_back();
                }
                ClientEvent::StartDenied(denial)
            }
        };
        self.events.push_back(event);
    }

    fn take_error(&mut self, error: ErrorMessage) {
        if error.fatal {
            return self.end(error.code, error.reason.unwrap_or_default());
        }
        // The first step of authentication was not the last: a PTY is asked for afterwards.
        if error.reference == Some(message::PTY_REQUEST)
            && self.stage == Stage::Authenticating
            && std::mem::take(&mut self.sent_ahead.pty)
        {
            return;
        }
        let is_denied_start = matches!(
            error.reference,
            Some(message::SHELL_REQUEST | message::EXEC_REQUEST)
        );
        if is_denied_start && matches!(self.stage, Stage::Starting | Stage::Active) {
            self.step_back();
        }
        self.events.push_back(ClientEvent::PeerError(error));
    }

    /// Nothing was started: something else may be.
    const fn step_back(&mut self) {
        self.stage = if self.has_pty {
            Stage::PtyAllocated
        } else {
            Stage::Authenticated
        };
    }

    /// Answers a fault of the server.
    fn fault(&mut self, code: Code, reason: &str, kind: u32, fatal: bool) {
        if fatal {
            return self.close(code, reason, Some(kind));
        }
        let error = ErrorMessage {
            reference: Some(kind),
            ..ErrorMessage::new(code, reason)
        };
        if !self.wire.fault(&error) {
            self.close(Code::RATE_LIMITED, "too many faulty messages", None);
        }
    }
}

const WRONG_STATE: &str = "the message may not come now";
