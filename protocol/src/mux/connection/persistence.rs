//! Session-persistence: sessions are left, listed, renamed and ended.

use std::time::Instant;

use super::{Connection, SendError, Side, Stage};
use crate::mux::code::Code;
use crate::mux::config::SESSION_PERSISTENCE;
use crate::mux::control::{
    ControlMessage, Detach, ErrorReport, SessionControl, SessionEntry, SessionList,
    SessionListRequest, parse_list_request,
};
use crate::mux::event::Event;
use crate::mux::id::ChannelId;

impl Connection {
    /// Says whether sessions can be left, listed, renamed and ended: both sides listed
    /// `session-persistence`.
    #[must_use]
    pub const fn has_persistence(&self) -> bool {
        self.persistence.agreed
    }

    /// Server: answers [`Event::SessionListRequested`], or [`Event::SessionControl`].
    ///
    /// Before WELCOME the client takes no more than a small frame: then sessions at the end of
    /// the list are left out until the rest fits. Does nothing unless an answer is due.
    pub fn send_session_list(&mut self, now: Instant, sessions: Vec<SessionEntry>) {
        self.advance(now);
        if !self.is_server() || self.persistence.asked == 0 {
            return;
        }
        match self.stage {
            Stage::Up => {
                self.persistence.asked -= 1;
                self.send_control(&ControlMessage::SessionList(SessionList { sessions }));
            }
            Stage::AwaitHello { .. } | Stage::Deciding(_) => {
                self.persistence.asked -= 1;
                self.outbox.push_uncut(&fitting(sessions));
            }
            _ => {}
        }
    }

    /// Server: answers [`Event::SessionControl`] with ERROR: nothing was changed.
    ///
    /// Does nothing unless an answer is due.
    pub fn refuse_session_control(&mut self, now: Instant, code: Code, reason: &str) {
        self.advance(now);
        if !self.is_up() || self.persistence.asked == 0 {
            return;
        }
        self.persistence.asked -= 1;
        self.send_control(&ControlMessage::Error(ErrorReport {
            code,
            channel: Some(ChannelId::CONTROL),
            reason: super::closing::brief(reason).to_owned(),
        }));
    }

    /// Client: asks which sessions there are; [`Event::SessionList`] answers.
    pub fn request_session_list(&mut self, now: Instant) -> Result<(), SendError> {
        let request = SessionListRequest::default();
        self.ask_about_sessions(now, &ControlMessage::SessionListRequest(request))
    }

    /// Client: renames a session or ends it; [`Event::SessionList`] or [`Event::PeerError`]
    /// answers.
    pub fn session_control(
        &mut self,
        now: Instant,
        control: SessionControl,
    ) -> Result<(), SendError> {
        self.ask_about_sessions(now, &ControlMessage::SessionControl(control))
    }

    /// Client: leaves, and what runs stays; the server closes the connection.
    pub fn detach(&mut self, now: Instant, reason: &str) -> Result<(), SendError> {
        let reason = super::closing::brief(reason).to_owned();
        self.ask_about_sessions(now, &ControlMessage::Detach(Detach { reason }))
    }

    fn ask_about_sessions(
        &mut self,
        now: Instant,
        message: &ControlMessage,
    ) -> Result<(), SendError> {
        self.advance(now);
        if self.is_server() || !self.is_up() || !self.persistence.agreed {
            return Err(SendError::Closed);
        }
        if self.outbox.push_control(message) {
            Ok(())
        } else {
            Err(SendError::Full)
        }
    }

    /// Server: a SESSION_LIST_REQUEST before or instead of HELLO.
    pub(super) fn receive_early_list_request(&mut self, payload: &[u8]) {
        let Side::Server(config) = &self.side else {
            return;
        };
        let is_offered = config
            .extensions
            .iter()
            .any(|extension| extension == SESSION_PERSISTENCE);
        if !is_offered {
            return self.report_early(Code::UNSUPPORTED, "sessions are not listed here");
        }
        match parse_list_request(payload) {
            Ok(request) => self.list_requested(request),
            Err(error) => self.refuse_hello(error),
        }
    }

    /// Server: a message of session-persistence while the connection is up.
    pub(super) fn receive_about_sessions(&mut self, message: ControlMessage) {
        match message {
            ControlMessage::SessionListRequest(request) => self.list_requested(request),
            ControlMessage::SessionControl(control) if self.may_ask() => {
                self.persistence.asked += 1;
                self.emit(Event::SessionControl(control));
            }
            ControlMessage::Detach(Detach { reason }) => {
                self.emit(Event::Detached { reason });
                self.close_with(Code::NORMAL, "detached");
            }
            _ => {}
        }
    }

    fn list_requested(&mut self, request: SessionListRequest) {
        if self.may_ask() {
            self.persistence.asked += 1;
            self.emit(Event::SessionListRequested { auth: request.auth });
        }
    }

    /// Says whether one more question can wait for its answer; if not the client is told.
    fn may_ask(&mut self) -> bool {
        let has_room = self.persistence.asked < ASKED_MAX;
        if !has_room {
            let reason = "too many questions wait for their answers";
            if self.is_up() {
                self.report(Code::RATE_LIMITED, Some(ChannelId::CONTROL), reason);
            } else {
                self.close_with(Code::RATE_LIMITED, reason);
            }
        }
        has_room
    }
}

/// What a connection knows of session-persistence.
#[derive(Debug, Default)]
pub(super) struct Persistence {
    /// Whether both sides listed it.
    pub(super) agreed: bool,
    /// Server: how many questions wait for the owner's answer.
    asked: u32,
}

impl Persistence {
    /// What both sides listed, and no questions.
    pub(super) const fn new(agreed: bool) -> Self {
        Self { agreed, asked: 0 }
    }

    /// Notes what both sides listed; questions that came before stay open.
    pub(super) const fn agree(&mut self, agreed: bool) {
        self.agreed = agreed;
    }
}

/// The list as far as one frame before WELCOME can hold it.
fn fitting(mut sessions: Vec<SessionEntry>) -> ControlMessage {
    loop {
        let message = ControlMessage::SessionList(SessionList { sessions });
        if message.encode().len() <= super::FRAME_BYTES_BEFORE_WELCOME {
            return message;
        }
        let ControlMessage::SessionList(mut list) = message else {
            return message;
        };
        list.sessions.truncate(list.sessions.len() / 2);
        sessions = list.sessions;
    }
}

/// How many questions about sessions may wait for the owner's answer; the next one gets ERROR 4004,
/// before WELCOME CLOSE 4004.
const ASKED_MAX: u32 = 16;
