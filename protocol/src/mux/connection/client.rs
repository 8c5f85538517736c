//! The client until WELCOME.

use std::time::Duration;

use super::receive::close_of;
use super::session::Sequences;
use super::{Connection, Side, Stage};
use crate::mux::code::Code;
use crate::mux::config::{
    MAX_MESSAGE_SIZE_MIN, PING_INTERVAL, PING_TIMEOUT, SEQ_ACK, SESSION_PERSISTENCE,
    SESSION_RESUME, VERSION,
};
use crate::mux::control::{ControlMessage, Hello, Welcome, kind};
use crate::mux::event::Event;
use crate::mux::frame::{Frame, Part};
use crate::mux::id::ChannelId;
use crate::mux::spec::{self, ChannelSpec};

impl Connection {
    /// Queues the HELLO that the configuration describes.
    pub(super) fn say_hello(&mut self) {
        let Side::Client(config) = &self.side else {
            return;
        };
        let canonical = |channel: &ChannelSpec| ChannelSpec {
            name: spec::canonical(&channel.name).to_owned(),
            ..channel.clone()
        };
        let channels: Vec<ChannelSpec> = config.channels.iter().map(canonical).collect();
        let hello = Hello {
            version: VERSION,
            application: config.application.clone(),
            extensions: config.extensions.clone(),
            max_message_size: Some(config.max_message_size.into()),
            ping_interval: None,
            ping_timeout: None,
            channels: channels.clone(),
            lists_control: true,
            auth: config.auth.clone(),
            session: config.session.clone(),
        };
        self.stage = Stage::AwaitWelcome {
            deadline: self.now + config.welcome_timeout,
        };
        self.outbox.push_uncut(&ControlMessage::Hello(hello));
        for channel in &channels {
            self.open_lane(channel);
        }
    }

    /// What the server says before the connection is up.
    pub(super) fn receive_answer(&mut self, frame: Frame) {
        if let Some(ControlMessage::Close(close)) = close_of(&frame) {
            return self.closed_by_peer(close);
        }
        if frame.channel != ChannelId::CONTROL || frame.part != Part::Whole {
            return self.close_with(Code::PROTOCOL_ERROR, "WELCOME comes first");
        }
        let resuming = matches!(self.stage, Stage::AwaitResume { .. });
        match (
            frame.kind,
            ControlMessage::decode(frame.kind, &frame.payload),
        ) {
            (kind::WELCOME, Ok(ControlMessage::Welcome(welcome))) if !resuming => {
                self.receive_welcome(welcome);
            }
            (kind::RESUME_RESPONSE, Ok(ControlMessage::ResumeResponse(response))) if resuming => {
                self.receive_resume_response(response);
            }
            (kind::WELCOME | kind::RESUME_RESPONSE, Err(_)) => {
                self.close_with(Code::INVALID_MESSAGE, "the answer cannot be read");
            }
            (kind::ERROR, Ok(ControlMessage::Error(error))) => self.emit(Event::PeerError {
                code: error.code,
                channel: error.channel,
                reason: error.reason,
            }),
            (kind::ERROR, Err(_)) => {
                self.fault();
            }
            _ => self.close_with(Code::PROTOCOL_ERROR, "WELCOME comes first"),
        }
    }

    fn receive_welcome(&mut self, mut welcome: Welcome) {
        if welcome.version[0] != VERSION[0] {
            return self.close_with(Code::VERSION_MISMATCH, "version 0 is spoken here");
        }
        if !is_message_size(welcome.max_message_size) {
            return self.close_with(Code::INVALID_MESSAGE, "the maxMessageSize cannot be");
        }
        let Side::Client(config) = &self.side else {
            return;
        };
        let asked = config.channels.clone();
        let extensions = config.extensions.clone();
        let replay_bytes = config.replay_bytes;
        let mut accepted = welcome.extensions.take().unwrap_or_default();
        accepted.retain(|name| extensions.contains(name));
        let has = |extension: &str| accepted.iter().any(|name| name == extension);
        if has(SESSION_RESUME) {
            self.sequences = Some(Sequences::new(replay_bytes, has(SEQ_ACK)));
        }
        self.persistence.agree(has(SESSION_PERSISTENCE));
        let max_message_size = self.agree_frame_bytes(welcome.max_message_size);
        let (interval, timeout) = self.run_as_told(welcome.ping_interval, welcome.ping_timeout);
        let assigned = welcome.channels.clone();
        welcome.extensions = Some(accepted);
        welcome.max_message_size = Some(max_message_size);
        welcome.ping_interval = Some(interval.as_secs());
        welcome.ping_timeout = Some(timeout.as_secs());
        self.emit(Event::Welcome(welcome));

        for channel in assigned
            .iter()
            .filter(|channel| channel.id != ChannelId::CONTROL)
        {
            match asked
                .iter()
                .find(|spec| spec::canonical(&spec.name) == channel.name)
            {
                Some(spec) => {
                    let spec = ChannelSpec {
                        name: channel.name.clone(),
                        ..spec.clone()
                    };
                    self.opened(channel.id, spec, None);
                }
                None => self.decline(channel.id),
            }
        }
        // What was asked for and is missing was refused.
        for spec in &asked {
            let name = spec::canonical(&spec.name);
            if !assigned.iter().any(|channel| channel.name == name) {
                self.drop_lane(name);
            }
        }
    }

    /// Takes the server's times for PING, in seconds.
    pub(super) fn run_as_told(
        &mut self,
        interval_s: Option<u64>,
        timeout_s: Option<u64>,
    ) -> (Duration, Duration) {
        let interval = interval_s.map_or(PING_INTERVAL, Duration::from_secs);
        let timeout = timeout_s.map_or(PING_TIMEOUT, Duration::from_secs);
        self.up(interval, timeout);
        (interval, timeout)
    }
}

/// Says whether a peer may name this limit.
pub(super) fn is_message_size(size: Option<u64>) -> bool {
    size.is_none_or(|size| size == 0 || size >= MAX_MESSAGE_SIZE_MIN.into())
}
