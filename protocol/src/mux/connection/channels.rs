//! Opening and closing channels.

use std::time::Instant;

use super::closing::brief;
use super::requests::OwnRequest;
use super::{Connection, SendError};
use crate::mux::channel::Channel;
use crate::mux::code::Code;
use crate::mux::control::{ChannelAck, CloseChannel, ControlMessage, OpenChannel};
use crate::mux::event::Event;
use crate::mux::id::{ChannelId, RequestId};
use crate::mux::spec::{self, ChannelSpec};

impl Connection {
    /// Asks the peer for a channel; `ChannelOpened` or `ChannelRejected` answers.
    ///
    /// `Full` when 64 requests are unanswered or, on a server, no id is free; `Name` when the name
    /// is not legal, open, or asked for.
    pub fn open_channel(
        &mut self,
        now: Instant,
        spec: ChannelSpec,
    ) -> Result<RequestId, SendError> {
        self.advance(now);
        if !self.is_up() {
            return Err(SendError::Closed);
        }
        let spec = ChannelSpec {
            name: spec::canonical(&spec.name).to_owned(),
            ..spec
        };
        let limits = spec.max_retransmits.is_some() && spec.max_packet_life_time_ms.is_some();
        if spec.name == spec::CONTROL
            || limits
            || !spec::is_legal(&spec.name)
            || self.channels.by_name(&spec.name).is_some()
            || self.requests.is_name_asked(&spec.name)
        {
            return Err(SendError::Name);
        }
        let id = match self.is_server() {
            true => Some(self.channels.next_id(self.now).ok_or(SendError::Full)?),
            false => None,
        };
        let asked = OwnRequest {
            spec: spec.clone(),
            id,
        };
        let request = self.requests.ask(asked).ok_or(SendError::Full)?;
        if let Some(id) = id {
            self.channels.reserve(id);
        }
        self.open_lane(&spec);
        self.send_control(&ControlMessage::OpenChannel(OpenChannel {
            request: request.0,
            spec,
            id,
        }));
        Ok(request)
    }

    /// Opens the channel that the peer asked for; `ChannelOpened` follows.
    ///
    /// `None` when the request is gone or no id is free, which the peer is told.
    pub fn accept_channel(&mut self, now: Instant, request: RequestId) -> Option<ChannelId> {
        self.advance(now);
        if !self.is_up() {
            return None;
        }
        let asked = self.requests.take_theirs(request)?;
        let id = if self.is_server() {
            self.channels.next_id(self.now)
        } else {
            // A server that names no id leaves it to us.
            let free = |id: &ChannelId| self.channels.is_free(*id);
            asked
                .id
                .filter(free)
                .or_else(|| self.channels.highest_free_id(self.now))
        };
        let Some(id) = id else {
            self.refuse_open(
                asked.number,
                Code::CHANNEL_FULL,
                "all 254 channel ids are in use",
            );
            return None;
        };
        let name = asked.spec.name.clone();
        self.send_control(&ControlMessage::ChannelAck(ChannelAck {
            request: asked.number,
            id,
            name,
        }));
        self.opened(id, asked.spec, Some(request));
        if let Some(channel) = self.channels.get_mut(id) {
            channel.after_control = self.outbox.control_left_by_then();
        }
        Some(id)
    }

    /// Does not open the channel that the peer asked for.
    pub fn reject_channel(&mut self, now: Instant, request: RequestId, code: Code, reason: &str) {
        self.advance(now);
        if !self.is_up() {
            return;
        }
        if let Some(asked) = self.requests.take_theirs(request) {
            self.refuse_open(asked.number, code, reason);
        }
    }

    /// Closes a channel: what waits in its queue goes out first, what still comes in is dropped.
    pub fn close_channel(&mut self, now: Instant, id: ChannelId, reason: &str) {
        self.advance(now);
        if !self.is_up() {
            return;
        }
        let Some(channel) = self
            .channels
            .get_mut(id)
            .filter(|channel| channel.closing.is_none())
        else {
            return;
        };
        channel.closing = Some(brief(reason).to_owned());
        let idle = channel.queue.is_empty();
        let name = channel.spec.name.clone();
        let reason = reason.to_owned();
        self.emit(Event::ChannelClosed {
            id,
            name,
            reason,
            by_peer: false,
        });
        self.discard_partial(id);
        if idle {
            self.finish_closing(id);
        }
    }

    /// A channel is open from now on.
    pub(super) fn opened(&mut self, id: ChannelId, spec: ChannelSpec, request: Option<RequestId>) {
        let numbered = self.sequences.is_some() && spec.is_numbered();
        self.channels.open(id, Channel::new(spec.clone(), numbered));
        self.emit(Event::ChannelOpened { id, spec, request });
        self.match_lane(id);
    }

    /// The last message of a channel that we close went out: now the peer is told.
    pub(super) fn finish_closing(&mut self, id: ChannelId) {
        let Some(channel) = self.freed(id) else {
            return;
        };
        let reason = channel.closing.unwrap_or_default();
        self.send_control(&ControlMessage::CloseChannel(CloseChannel {
            id: id.0.into(),
            reason,
        }));
        self.drop_lane(&channel.spec.name);
    }

    /// Closes a channel at once; what waits in its queue is dropped.
    pub(super) fn close_channel_now(&mut self, id: ChannelId, reason: &str, by_peer: bool) {
        self.discard_partial(id);
        let Some(channel) = self.freed(id) else {
            return;
        };
        if by_peer {
            self.abandon_lane(&channel.spec.name);
        } else {
            let reason = brief(reason).to_owned();
            self.send_control(&ControlMessage::CloseChannel(CloseChannel {
                id: id.0.into(),
                reason,
            }));
            self.drop_lane(&channel.spec.name);
        }
        // We said so already when we closed it ourselves.
        if channel.closing.is_none() {
            let (name, reason) = (channel.spec.name, reason.to_owned());
            self.emit(Event::ChannelClosed {
                id,
                name,
                reason,
                by_peer,
            });
        }
    }

    /// Closes a channel whose lane is missing: the peer's doing, but the peer has to be told.
    pub(super) fn close_channel_for_peer(&mut self, id: ChannelId, reason: &str) {
        if !self.is_up() {
            return;
        }
        self.discard_partial(id);
        let Some(channel) = self.freed(id) else {
            return;
        };
        let told = brief(reason).to_owned();
        self.send_control(&ControlMessage::CloseChannel(CloseChannel {
            id: id.0.into(),
            reason: told,
        }));
        self.drop_lane(&channel.spec.name);
        if channel.closing.is_none() {
            let (name, reason) = (channel.spec.name, reason.to_owned());
            self.emit(Event::ChannelClosed {
                id,
                name,
                reason,
                by_peer: true,
            });
        }
    }

    /// Gives the id back and forgets what was to be sent.
    fn freed(&mut self, id: ChannelId) -> Option<Channel> {
        let channel = self.channels.free(id, self.now)?;
        self.outbox.unschedule(id);
        self.blank_replay(id);
        Some(channel)
    }

    /// Throws away an unfinished message; its number counts as received.
    fn discard_partial(&mut self, id: ChannelId) {
        let Some(partial) = self.reassembly.take(id) else {
            return;
        };
        let Some(channel) = self.channels.get_mut(id) else {
            return;
        };
        channel.discard.begun = true;
        if channel.numbered
            && let Some(prefix) = partial.first_chunk()
        {
            let sequence = u64::from_be_bytes(*prefix);
            self.note_received(sequence, partial.len());
        }
    }
}
