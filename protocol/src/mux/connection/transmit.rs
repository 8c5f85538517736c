//! What goes out, and in which order.

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;

use super::outbox::{CONTROL_MESSAGES_MAX, Class, Replayed};
use super::{Connection, SendError, Stage};
use crate::mux::channel::{CONTROL_MESSAGE_BYTES, Channel, LOSSY_QUEUE_MESSAGES, QUEUE_BYTES};
use crate::mux::event::{LinkKind, Transmit};
use crate::mux::id::ChannelId;
use crate::mux::queue::Message;
use crate::mux::spec;

impl Connection {
    /// Queues a message, to be cut into fragments as needed.
    ///
    /// On an unreliable channel whose queue is full the oldest message is dropped instead. An
    /// empty message of kind 0 says nothing and is not sent.
    pub fn send(
        &mut self,
        now: Instant,
        id: ChannelId,
        kind: u8,
        payload: Bytes,
    ) -> Result<(), SendError> {
        self.enqueue(now, id, Message::new(kind, payload), false)
    }

    /// Queues a message in the place of a waiting one of the same kind, if there is one.
    ///
    /// For what only the newest matters of: pointer moves, cursors.
    pub fn send_latest(
        &mut self,
        now: Instant,
        id: ChannelId,
        kind: u8,
        payload: Bytes,
    ) -> Result<(), SendError> {
        self.enqueue(now, id, Message::new(kind, payload), true)
    }

    /// How many payload bytes wait on a channel.
    #[must_use]
    pub fn queued_bytes(&self, id: ChannelId) -> usize {
        if id == ChannelId::CONTROL {
            return self.outbox.control.payload_bytes();
        }
        self.channels
            .get(id)
            .map_or(0, |channel| channel.queue.payload_bytes())
    }

    fn enqueue(
        &mut self,
        now: Instant,
        id: ChannelId,
        message: Message,
        latest: bool,
    ) -> Result<(), SendError> {
        self.advance(now);
        if !self.is_up() {
            return Err(SendError::Closed);
        }
        let bytes = message.payload.len();
        if id == ChannelId::CONTROL {
            if bytes > CONTROL_MESSAGE_BYTES {
                return Err(SendError::TooLarge);
            }
            let control = &mut self.outbox.control;
            let message = if latest {
                control.replace(message)
            } else {
                Some(message)
            };
            if let Some(message) = message {
                if control.len() >= CONTROL_MESSAGES_MAX / 2
                    || !control.has_room(bytes, QUEUE_BYTES)
                {
                    return Err(SendError::Full);
                }
                control.push(message);
            }
            return Ok(());
        }
        let frame_bytes_max = self.frame_bytes_max;
        let channel = self
            .channels
            .get_mut(id)
            .filter(|channel| channel.closing.is_none());
        let channel = channel.ok_or(SendError::NotOpen)?;
        let prefix = if channel.numbered {
            size_of::<u64>()
        } else {
            0
        };
        let bytes_max = if channel.spec.may_fragment() {
            channel.message_bytes_max()
        } else {
            frame_bytes_max
        };
        if bytes + prefix > bytes_max {
            return Err(SendError::TooLarge);
        }
        if message.kind == 0 && message.payload.is_empty() {
            return Ok(());
        }
        let message = if latest {
            channel.queue.replace(message)
        } else {
            Some(message)
        };
        if let Some(message) = message {
            if !channel.spec.reliable {
                channel.queue.keep_newest(LOSSY_QUEUE_MESSAGES - 1);
            } else if !channel.queue.has_room(bytes, channel.queue_cost_max()) {
                return Err(SendError::Full);
            }
            channel.queue.push(message);
        }
        self.outbox.schedule(id, channel);
        Ok(())
    }

    /// The next frame for the link.
    ///
    /// Channel 0 first, then input and terminal control, then the others in turn and in pieces, so
    /// that nothing small waits behind anything large.
    pub fn poll_transmit(&mut self) -> Option<Transmit> {
        if let Some(frame) = self.outbox.raw.take() {
            return Some(on_control(frame));
        }
        let control_writable = self.is_lane_writable(spec::CONTROL);
        if control_writable && let Some(frame) = self.outbox.next_short_control() {
            return Some(on_control(frame));
        }
        let up = matches!(self.stage, Stage::Up);
        if up
            && let Some(transmit) = self
                .next_replayed()
                .or_else(|| self.next_of(Class::Interactive))
        {
            return Some(transmit);
        }
        // A long message on channel 0 takes turns with the bulk channels.
        self.outbox.control_turn = !self.outbox.control_turn;
        let control_first = self.outbox.control_turn;
        if !control_first
            && up
            && let Some(transmit) = self.next_of(Class::Bulk)
        {
            return Some(transmit);
        }
        if control_writable && let Some(frame) = self.outbox.next_control() {
            return Some(on_control(frame));
        }
        if control_first && up {
            self.next_of(Class::Bulk)
        } else {
            None
        }
    }

    /// The next frame of the channels of one class, in turn.
    fn next_of(&mut self, class: Class) -> Option<Transmit> {
        let mut turns = self.outbox.class(class).len();
        while turns > 0 {
            turns -= 1;
            let id = self.outbox.class(class).pop_front()?;
            let Some(channel) = self.channels.get(id) else {
                continue;
            };
            if channel.queue.is_empty() {
                if let Some(channel) = self.channels.get_mut(id) {
                    channel.scheduled = false;
                }
                continue;
            }
            let held = channel.numbered && !self.outbox.replay.is_empty();
            if held || !self.may_send(channel) {
                self.outbox.class(class).push_back(id);
                continue;
            }
            if let Some(transmit) = self.next_frame(id) {
                return Some(transmit);
            }
        }
        None
    }

    fn next_frame(&mut self, id: ChannelId) -> Option<Transmit> {
        let cut = self.outbox.piece_bytes();
        let channel = self.channels.get_mut(id)?;
        let piece_bytes = if channel.spec.may_fragment() {
            cut
        } else {
            usize::MAX
        };
        let numbering = match &mut self.sequences {
            Some(sequences) if channel.numbered => Some(&mut sequences.numbering),
            _ => None,
        };
        let frame = channel.queue.next_frame(id, piece_bytes, numbering);
        let lane = Arc::clone(&channel.lane);
        channel.scheduled = false;
        if !channel.queue.is_empty() {
            self.outbox.schedule(id, channel);
        } else if channel.closing.is_some() {
            self.finish_closing(id);
        }
        Some(Transmit {
            channel: id,
            lane,
            frame: frame?,
        })
    }

    /// The next frame of the messages that the peer has missed.
    fn next_replayed(&mut self) -> Option<Transmit> {
        let wanted = self.outbox.replay.front()?.channel;
        let able = |id: &ChannelId| {
            let channel = self.channels.get(*id);
            channel.is_some_and(|channel| channel.numbered && self.may_send(channel))
        };
        let id = match wanted {
            Some(id) => Some(id).filter(able),
            None => self.channels.iter().map(|(id, _)| id).find(able),
        }?;
        let channel = self.channels.get(id)?;
        let lane = Arc::clone(&channel.lane);
        let piece_bytes = if channel.spec.may_fragment() {
            self.outbox.piece_bytes()
        } else {
            usize::MAX
        };
        let (frame, done) = self
            .outbox
            .replay
            .front_mut()?
            .message
            .next_frame(id, piece_bytes);
        if done {
            self.outbox.replay.pop_front();
        }
        Some(Transmit {
            channel: id,
            lane,
            frame,
        })
    }

    /// A channel is gone: what it would have sent again only fills gaps now.
    pub(super) fn blank_replay(&mut self, id: ChannelId) {
        if let Some(sequences) = &mut self.sequences {
            sequences.numbering.blank(id);
        }
        for replayed in self
            .outbox
            .replay
            .iter_mut()
            .filter(|replayed| replayed.channel == Some(id))
        {
            let sequence = replayed.message.sequence;
            // One that has begun is known to the peer by its first piece.
            let mut message = Message::new(0, Bytes::new());
            message.sequence = sequence;
            *replayed = Replayed {
                channel: None,
                message,
            };
        }
    }

    /// Says whether the peer knows of the channel and its lane takes frames.
    fn may_send(&self, channel: &Channel) -> bool {
        channel.after_control <= self.outbox.control.left()
            && self.is_lane_writable(&channel.spec.name)
    }

    fn is_lane_writable(&self, name: &str) -> bool {
        self.kind == LinkKind::Shared || self.lanes.is_writable(name)
    }
}

fn on_control(frame: Bytes) -> Transmit {
    Transmit {
        channel: ChannelId::CONTROL,
        lane: spec::CONTROL.into(),
        frame,
    }
}
