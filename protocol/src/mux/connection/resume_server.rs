//! The server going on with a session, or not.

use std::time::Instant;

use super::persistence::Persistence;
use super::session::{Rest, Suspended, replay_refusal};
use super::{Asked, Connection, Side, Stage};
use crate::mux::code::Code;
use crate::mux::config::{SESSION_RESUME, VERSION};
use crate::mux::control::{AssignedChannel, ControlMessage, Replay, ResumeResponse, parse_resume};
use crate::mux::event::Event;

impl Connection {
    /// Answers [`Event::ResumeRequested`]: the session goes on here, [`Event::Resumed`] follows.
    ///
    /// Gives the session back when what the client misses is no longer there, which the client is
    /// told; or when no RESUME_REQUEST waits for an answer.
    pub fn resume(&mut self, now: Instant, session: Suspended) -> Result<(), Suspended> {
        self.advance(now);
        let Stage::Deciding(Asked::Resume(request)) = &self.stage else {
            return Err(session);
        };
        let last_received = request.last_sequence;
        let missed = match session.0.sequences.numbering.replay(last_received) {
            Ok(missed) => missed,
            Err(error) => {
                let (code, reason) = replay_refusal(error);
                self.refuse_to_resume(code, reason);
                return Err(session);
            }
        };
        let Side::Server(config) = &self.side else {
            return Err(session);
        };
        let (interval, timeout) = (config.ping_interval, config.ping_timeout);
        let Rest {
            channels,
            mut requests,
            sequences,
            frame_bytes_max,
            is_persistent,
            ..
        } = *session.0;
        self.persistence = Persistence::new(is_persistent);
        let assigned = channels
            .iter()
            .map(|(id, channel)| AssignedChannel {
                name: channel.spec.name.clone(),
                id,
            })
            .collect();
        let response = ResumeResponse::Accepted(Replay {
            replay_start: last_received.saturating_add(1),
            replay_count: missed.len() as u64,
            last_sequence: Some(sequences.received.contiguous()),
            channels: Some(assigned),
            version: Some(VERSION),
            max_message_size: Some(frame_bytes_max as u64),
            ping_interval: Some(interval.as_secs()),
            ping_timeout: Some(timeout.as_secs()),
        });
        self.outbox
            .push_uncut(&ControlMessage::ResumeResponse(response));
        self.agree_frame_bytes(Some(frame_bytes_max as u64));
        self.up(interval, timeout);

        // What the client asked and nobody answered, it asks again; what we asked is void.
        requests.forget_theirs();
        let void = requests.void_ours();
        self.requests = requests;
        self.go_on(channels, sequences, missed);
        if let Some(sequences) = &mut self.sequences {
            sequences.numbering.acknowledged(last_received);
        }
        for (request, asked) in void {
            if let Some(id) = asked.id {
                self.channels.free(id, self.now);
            }
            let (code, reason) = (Code::GOING_AWAY, "the transport was lost".to_owned());
            self.emit(Event::ChannelRejected {
                request,
                code,
                reason,
            });
        }
        Ok(())
    }

    /// Answers [`Event::ResumeRequested`]: the session cannot go on; a HELLO may follow.
    pub fn refuse_resume(&mut self, now: Instant, code: Code, reason: &str) {
        self.advance(now);
        if matches!(self.stage, Stage::Deciding(Asked::Resume(_))) {
            self.refuse_to_resume(code, reason);
        }
    }

    pub(super) fn receive_resume_request(&mut self, payload: &[u8]) {
        let request = match parse_resume(payload) {
            Ok(request) => request,
            Err(error) => return self.refuse_hello(error),
        };
        let Side::Server(config) = &self.side else {
            return;
        };
        if !config
            .extensions
            .iter()
            .any(|extension| extension == SESSION_RESUME)
        {
            return self.refuse_to_resume(Code::SESSION_NOT_FOUND, "no session is kept here");
        }
        self.emit(Event::ResumeRequested {
            session_id: request.session_id.clone(),
            last_sequence: request.last_sequence,
            auth: request.auth.clone(),
        });
        self.stage = Stage::Deciding(Asked::Resume(Box::new(request)));
    }

    /// The time to say HELLO starts again, though not for ever.
    pub(super) fn refuse_to_resume(&mut self, code: Code, reason: &str) {
        let Side::Server(config) = &self.side else {
            return;
        };
        let deadline = self.now + config.hello_timeout;
        self.resume_attempts += 1;
        if self.resume_attempts > RESUME_ATTEMPTS_MAX {
            return self.close_with(Code::LIMIT_REACHED, "too many sessions were asked for");
        }
        let reason = super::closing::brief(reason).to_owned();
        let response = ResumeResponse::Refused { code, reason };
        self.outbox
            .push_uncut(&ControlMessage::ResumeResponse(response));
        self.stage = Stage::AwaitHello { deadline };
    }
}

/// How many sessions a client may ask for in vain before HELLO; then CLOSE 4114.
const RESUME_ATTEMPTS_MAX: u32 = 3;
