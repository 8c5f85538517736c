//! The client asking to go on with a session.

use std::time::Instant;

use super::client::is_message_size;
use super::persistence::Persistence;
use super::session::{Rest, Suspended, replay_refusal};
use super::{Connection, Side, Stage};
use crate::mux::channel::Channels;
use crate::mux::code::Code;
use crate::mux::config::ClientConfig;
use crate::mux::control::{
    AssignedChannel, CloseChannel, ControlMessage, OpenChannel, Replay, ResumeRequest,
    ResumeResponse,
};
use crate::mux::event::{Event, LinkKind};
use crate::mux::id::ChannelId;

impl Connection {
    /// A client that asks to go on with a session.
    ///
    /// [`Event::Resumed`] tells that it does; after [`Event::ResumeFailed`] all is as if
    /// [`Connection::client`] had been called.
    #[must_use]
    pub fn client_resume(
        config: ClientConfig,
        kind: LinkKind,
        now: Instant,
        session: Suspended,
    ) -> Self {
        let stage = Stage::AwaitResume {
            deadline: now + config.welcome_timeout,
        };
        let request = ResumeRequest {
            session_id: session.session_id().clone(),
            last_sequence: session.0.sequences.received.contiguous(),
            auth: config.auth.clone(),
        };
        let mut connection = Self::new(Side::Client(config), kind, stage, now);
        connection
            .outbox
            .push_uncut(&ControlMessage::ResumeRequest(request));
        for (_, channel) in session.0.channels.iter() {
            connection.open_lane(&channel.spec);
        }
        for (_, request) in session.0.requests.ours() {
            connection.open_lane(&request.spec);
        }
        connection.resuming = Some(session);
        connection
    }

    /// The server says what becomes of the session.
    pub(super) fn receive_resume_response(&mut self, response: ResumeResponse) {
        let Some(session) = self.resuming.take() else {
            return;
        };
        match response {
            ResumeResponse::Accepted(replay) => self.resumed(*session.0, replay),
            ResumeResponse::Refused { code, reason } => {
                for (_, channel) in session.0.channels.iter() {
                    self.drop_lane(&channel.spec.name);
                }
                for (_, request) in session.0.requests.ours() {
                    self.drop_lane(&request.spec.name);
                }
                self.emit(Event::ResumeFailed { code, reason });
                self.say_hello();
            }
        }
    }

    fn resumed(&mut self, session: Rest, replay: Replay) {
        if !is_message_size(replay.max_message_size) {
            return self.close_with(Code::INVALID_MESSAGE, "the maxMessageSize cannot be");
        }
        let Rest {
            channels,
            requests,
            mut sequences,
            frame_bytes_max,
            is_persistent,
            ..
        } = session;
        self.persistence = Persistence::new(is_persistent);
        let missed = match replay
            .last_sequence
            .map(|last| sequences.numbering.replay(last))
        {
            None => Vec::new(),
            Some(Ok(missed)) => missed,
            Some(Err(error)) => {
                let (code, reason) = replay_refusal(error);
                return self.close_with(code, reason);
            }
        };
        if let Some(last) = replay.last_sequence {
            sequences.numbering.acknowledged(last);
        }
        self.agree_frame_bytes(replay.max_message_size.or(Some(frame_bytes_max as u64)));
        self.run_as_told(replay.ping_interval, replay.ping_timeout);
        self.requests = requests;
        self.requests.forget_theirs();

        let lost = unlisted(&channels, replay.channels.as_deref());
        self.go_on(channels, sequences, missed);
        for id in lost {
            self.close_channel_now(id, "it was not resumed", true);
        }
        for channel in replay.channels.into_iter().flatten() {
            if channel.id != ChannelId::CONTROL && self.channels.get(channel.id).is_none() {
                self.answered_by_list(&channel);
            }
        }
        self.repeat_requests();
    }

    /// A channel of the server's list that is not open here: our request was granted, and the
    /// answer lost; or it is none of ours.
    fn answered_by_list(&mut self, channel: &AssignedChannel) {
        let request = self
            .requests
            .ours()
            .find(|(_, asked)| asked.spec.name == channel.name);
        match request
            .map(|(request, _)| request)
            .and_then(|request| self.requests.take_ours(request.0))
        {
            Some((request, asked)) => self.opened(channel.id, asked.spec, Some(request)),
            None => self.decline(channel.id),
        }
    }

    /// Closes a channel that we know nothing of.
    pub(super) fn decline(&mut self, id: ChannelId) {
        self.channels.quarantine(id, self.now);
        let reason = "it was not asked for".to_owned();
        self.send_control(&ControlMessage::CloseChannel(CloseChannel {
            id: id.0.into(),
            reason,
        }));
    }

    /// Asks again for what was not answered on the transport that was lost.
    fn repeat_requests(&mut self) {
        let open: Vec<_> = self
            .requests
            .ours()
            .map(|(request, asked)| OpenChannel {
                request: request.0,
                spec: asked.spec.clone(),
                id: None,
            })
            .collect();
        for open in open {
            self.send_control(&ControlMessage::OpenChannel(open));
        }
    }
}

/// The channels that the server no longer has.
fn unlisted(channels: &Channels, listed: Option<&[AssignedChannel]>) -> Vec<ChannelId> {
    let Some(listed) = listed else {
        return Vec::new();
    };
    let is_listed = |id: ChannelId, name: &str| {
        listed
            .iter()
            .any(|channel| channel.id == id && channel.name == name)
    };
    let open = channels
        .iter()
        .filter(|(id, channel)| !is_listed(*id, &channel.spec.name));
    open.map(|(id, _)| id).collect()
}
