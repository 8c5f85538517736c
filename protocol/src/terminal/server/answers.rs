//! What the owner of a [`Server`] answers and reports.

use std::time::Instant;

use super::super::authentication::AuthResponse;
use super::super::error::ErrorMessage;
use super::super::message::ServerMessage;
use super::super::pty::{Denial, PtyMode, PtyResponse};
use super::super::share::ShareState;
use super::super::start::{ExitStatus, StartResponse};
use super::super::tlv::Tlv;
use super::super::window::WindowSize;
use super::{Awaiting, Server, Stage};
use crate::Code;

/// Answers without a question, and reports at the wrong time, are ignored: the client may have
/// closed the terminal while its owner was still thinking.
impl Server {
    /// Answers [`Event::Authenticate`](super::super::Event::Authenticate).
    ///
    /// The last failure that a connection has closes it, with 4000.
    pub fn auth_result(&mut self, now: Instant, response: AuthResponse) {
        if !self.answers(now, Awaiting::Auth) {
            return;
        }
        let is_failure = matches!(response, AuthResponse::Failure { .. });
        let is_success = matches!(response, AuthResponse::Success { .. });
        self.send(&ServerMessage::AuthResponse(response));
        if is_success {
            self.stage = Stage::Authenticated;
            self.deadline = None;
            self.wire.set_length_max(Tlv::LENGTH_MAX);
        } else if is_failure {
            self.failed = true;
            self.offer.auth_failures = self.offer.auth_failures.saturating_add(1);
            if self.offer.auth_failures >= Self::AUTH_FAILURES_MAX {
                self.close(Code::AUTH_FAILED, "too many failures", None);
            }
        }
        self.advance();
    }

    /// Answers [`Event::PtyRequested`](super::super::Event::PtyRequested).
    ///
    /// A denial ends the terminal.
    pub fn pty_response(&mut self, now: Instant, response: PtyResponse) {
        if !self.answers(now, Awaiting::Pty) {
            return;
        }
        self.send(&ServerMessage::PtyResponse(response.clone()));
        match response {
            PtyResponse::Granted(grant) => {
                self.stage = Stage::PtyAllocated;
                self.has_pty = true;
                self.is_attached = grant.attached;
            }
            PtyResponse::Denied(denial) => {
                self.linger(denial.code, denial.reason.unwrap_or_default());
            }
        }
        self.advance();
    }

    /// Answers [`Event::Shell`](super::super::Event::Shell) and
    /// [`Event::Exec`](super::super::Event::Exec).
    ///
    /// After a program that was not found (4201) the terminal is over, EXIT_STATUS 127 says so;
    /// after another denial the client may ask for something else.
    pub fn start_response(&mut self, now: Instant, response: StartResponse) {
        if !self.answers(now, Awaiting::Start) {
            return;
        }
        let Some(start) = self.start.take() else {
            return;
        };
        if start.want_reply {
            self.send(&ServerMessage::StartResponse(response.clone()));
        }
        match response {
            StartResponse::Started { .. } => self.stage = Stage::Active,
            StartResponse::Denied(denial) if denial.code == Code::EXEC_FAILED => {
                self.send(&ServerMessage::ExitStatus(ExitStatus {
                    reason: denial.reason.clone(),
                    ..ExitStatus::exited(ExitStatus::NOT_FOUND)
                }));
                self.linger(denial.code, denial.reason.unwrap_or_default());
            }
            StartResponse::Denied(denial) => {
                self.stage = if self.has_pty {
                    Stage::PtyAllocated
                } else {
                    Stage::Authenticated
                };
                if !start.want_reply {
                    self.deny_start(start.kind, denial);
                }
            }
        }
        self.advance();
    }

    /// The program ended and all of its output is sent: tells the client, and waits for it to
    /// close the pair.
    pub fn exit_status(&mut self, now: Instant, status: ExitStatus) {
        self.wire.now = now;
        if !matches!(
            self.stage,
            Stage::PtyAllocated | Stage::Starting | Stage::Active
        ) {
            return;
        }
        self.send(&ServerMessage::ExitStatus(status));
        self.awaiting = None;
        self.linger(Code::NORMAL, "the program ended".to_owned());
        self.advance();
    }

    /// Tells the client about an error; a fatal one ends the terminal.
    pub fn error(&mut self, now: Instant, error: ErrorMessage) {
        self.wire.now = now;
        if self.stage == Stage::Closed {
            return;
        }
        if error.fatal {
            self.wire.error(&error);
            self.end(error.code, error.reason.unwrap_or_default());
        } else if !self.wire.is_stuck() {
            self.wire.error(&error);
        }
    }

    /// The terminal has another size because of someone else.
    ///
    /// While the client takes nothing only the newest size is kept.
    pub fn window_size(&mut self, now: Instant, size: WindowSize) {
        self.tell(now, &ServerMessage::WindowSize(size));
    }

    /// The modes that matter for predicting echo have changed.
    ///
    /// While the client takes nothing only the newest modes are kept.
    pub fn pty_mode(&mut self, now: Instant, mode: PtyMode) {
        self.tell(now, &ServerMessage::PtyMode(mode));
    }

    /// Who may do what has changed, or was asked to.
    ///
    /// Only for a client that knows SHARE_STATE, which [`has_sharing`](Self::has_sharing) says.
    /// While the client takes nothing only the newest state is kept.
    pub fn share_state(&mut self, now: Instant, state: ShareState) {
        if self.has_sharing() {
            self.tell(now, &ServerMessage::ShareState(state));
        }
    }

    fn tell(&mut self, now: Instant, message: &ServerMessage) {
        self.wire.now = now;
        let has_terminal = matches!(
            self.stage,
            Stage::PtyAllocated | Stage::Starting | Stage::Active
        );
        if self.has_pty && has_terminal {
            self.wire.send_news(&message.encode(self.wire.encoding));
        }
    }

    /// Whether this is the answer that is due.
    fn answers(&mut self, now: Instant, awaiting: Awaiting) -> bool {
        self.wire.now = now;
        let is_due = self.awaiting == Some(awaiting);
        if is_due {
            self.awaiting = None;
        }
        is_due
    }

    // C25: without START_RESPONSE an ERROR has to say it.
    fn deny_start(&mut self, kind: u32, denial: Denial) {
        self.wire.error(&ErrorMessage {
            code: denial.code,
            reason: denial.reason,
            reference: Some(kind),
            fatal: false,
            data: None,
        });
    }

    /// Gives the client time to close the pair.
    fn linger(&mut self, code: Code, reason: String) {
        self.stage = Stage::Closing;
        self.farewell = Some((code, reason));
        self.deadline = Some(self.wire.now + Self::CLOSING_TIMEOUT);
    }
}
