//! The server until WELCOME.

use std::time::Instant;

use super::receive::close_of;
use super::{Asked, Connection, Side, Stage};
use crate::mux::code::Code;
use crate::mux::config::{
    SEQ_ACK, SESSION_PERSISTENCE, SESSION_RESUME, ServerConfig, VERSION, WelcomeInfo,
};
use crate::mux::control::{
    AssignedChannel, ControlMessage, ErrorReport, Hello, HelloError, Welcome, kind, parse_hello,
};
use crate::mux::event::Event;
use crate::mux::frame::{Frame, Part};
use crate::mux::id::ChannelId;
use crate::mux::spec;

impl Connection {
    /// Answers [`Event::Hello`] with WELCOME; the connection is up.
    ///
    /// `ChannelOpened` follows for every channel that was accepted and got an id. Does nothing
    /// unless a HELLO waits for an answer.
    pub fn accept(&mut self, now: Instant, welcome: WelcomeInfo) {
        self.advance(now);
        let Side::Server(config) = &self.side else {
            return;
        };
        let Stage::Deciding(Asked::Hello(hello)) = &self.stage else {
            return;
        };
        let hello = hello.clone();
        let config = config.clone();
        let resume = welcome
            .resume
            .filter(|_| accepts(&config, &hello, SESSION_RESUME));
        let mut extensions = hello.extensions.clone();
        extensions.retain(|name| {
            let needs_resume = name == SESSION_RESUME || name == SEQ_ACK;
            config.extensions.contains(name) && (!needs_resume || resume.is_some())
        });
        extensions.dedup();
        self.persistence
            .agree(extensions.iter().any(|name| name == SESSION_PERSISTENCE));

        let max_message_size = self.agree_frame_bytes(hello.max_message_size);
        let accepted = |name: &str| {
            welcome
                .channels
                .iter()
                .any(|spec| spec::canonical(&spec.name) == name)
        };
        let mut opened = Vec::new();
        for channel in hello
            .channels
            .iter()
            .filter(|channel| accepted(&channel.name))
        {
            if let Some(id) = self.channels.next_id(self.now) {
                self.channels.reserve(id);
                opened.push((id, channel.clone()));
            }
        }
        let control = AssignedChannel {
            name: spec::CONTROL.to_owned(),
            id: ChannelId::CONTROL,
        };
        let assigned = opened.iter().map(|(id, channel)| AssignedChannel {
            name: channel.name.clone(),
            id: *id,
        });
        let channels = hello
            .lists_control
            .then_some(control)
            .into_iter()
            .chain(assigned)
            .collect();
        let acknowledges = extensions.iter().any(|name| name == SEQ_ACK);
        self.outbox.push_uncut(&ControlMessage::Welcome(Welcome {
            version: agreed_version(&hello),
            extensions: Some(extensions),
            max_message_size: Some(max_message_size),
            ping_interval: Some(config.ping_interval.as_secs()),
            ping_timeout: Some(config.ping_timeout.as_secs()),
            channels,
            session: welcome.session,
            user: welcome.user,
            role: welcome.role,
            server: welcome.server,
            time: welcome.time,
        }));
        self.up(config.ping_interval, config.ping_timeout);
        if let Some(grant) = resume {
            self.grant_session(grant, acknowledges);
        }
        for (id, channel) in opened {
            self.opened(id, channel, None);
        }
    }

    /// Answers [`Event::Hello`] with CLOSE.
    pub fn refuse(&mut self, now: Instant, code: Code, reason: &str) {
        self.advance(now);
        if matches!(self.stage, Stage::Deciding(Asked::Hello(_))) {
            self.close_with(code, reason);
        }
    }

    /// Before WELCOME there is little to say, and anything else is the end.
    pub(super) fn receive_before_welcome(&mut self, frame: Frame) {
        if let Some(ControlMessage::Close(close)) = close_of(&frame) {
            return self.closed_by_peer(close);
        }
        let waiting = matches!(self.stage, Stage::AwaitHello { .. });
        if frame.channel != ChannelId::CONTROL || frame.part != Part::Whole || !waiting {
            return self.close_with(
                Code::PROTOCOL_ERROR,
                "HELLO comes first, and WELCOME before anything else",
            );
        }
        match frame.kind {
            kind::HELLO => self.receive_hello(&frame.payload),
            kind::RESUME_REQUEST => self.receive_resume_request(&frame.payload),
            // A terminal is joined on its own pair of channels, by whoever may.
            kind::ATTACH_REQUEST => self.refuse_to_resume(
                Code::SESSION_NOT_FOUND,
                "terminals are joined with PTY_REQUEST attach",
            ),
            kind::SESSION_LIST_REQUEST => self.receive_early_list_request(&frame.payload),
            _ => self.close_with(Code::PROTOCOL_ERROR, "HELLO comes first"),
        }
    }

    /// Reports an error before WELCOME, where nothing may be cut.
    pub(super) fn report_early(&mut self, code: Code, reason: &str) {
        let error = ErrorReport {
            code,
            channel: Some(ChannelId::CONTROL),
            reason: reason.to_owned(),
        };
        if self.fault() && self.error_limit.take(self.now) {
            self.outbox.push_uncut(&ControlMessage::Error(error));
        }
    }

    fn receive_hello(&mut self, payload: &[u8]) {
        let hello = match parse_hello(payload) {
            Ok(hello) => hello,
            Err(error) => return self.refuse_hello(error),
        };
        let Side::Server(config) = &self.side else {
            return;
        };
        let known = hello.application.as_deref().is_none_or(|application| {
            let name = application.split('/').next().unwrap_or_default();
            config.applications.iter().any(|known| known == name)
        });
        if !known {
            return self.close_with(Code::UNSUPPORTED, "the application is not known here");
        }
        self.emit(Event::Hello(hello.clone()));
        self.stage = Stage::Deciding(Asked::Hello(Box::new(hello)));
    }

    pub(super) fn refuse_hello(&mut self, error: HelloError) {
        let (code, reason) = error.close();
        self.close_with(code, reason);
    }

    /// The time to say HELLO starts again, when the control lane opens or a resume failed.
    pub(super) fn restart_hello_timer(&mut self) {
        if let (Side::Server(config), Stage::AwaitHello { deadline }) =
            (&self.side, &mut self.stage)
            && !self.heard
        {
            *deadline = self.now + config.hello_timeout;
        }
    }

    /// Says whether a channel of this name may come from a HELLO that is not answered yet.
    pub(super) fn is_listed_in_hello(&self, name: &str) -> bool {
        match (&self.side, &self.stage) {
            (Side::Client(config), Stage::AwaitWelcome { .. }) => config
                .channels
                .iter()
                .any(|channel| spec::canonical(&channel.name) == name),
            _ => self
                .resuming
                .as_ref()
                .is_some_and(|session| session.has_channel(name)),
        }
    }
}

fn accepts(config: &ServerConfig, hello: &Hello, extension: &str) -> bool {
    let listed = |list: &[String]| list.iter().any(|name| name == extension);
    listed(&config.extensions) && listed(&hello.extensions)
}

/// The smaller minor version counts, the patch level says nothing.
fn agreed_version(hello: &Hello) -> [u64; 3] {
    let [major, minor, patch] = VERSION;
    let [_, their_minor, _] = hello.version;
    if their_minor < minor {
        [major, their_minor, 0]
    } else {
        [major, minor, patch]
    }
}
