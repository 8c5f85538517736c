//! What waits to be sent, besides the queues of the channels.

use std::collections::VecDeque;

use bytes::Bytes;

use crate::mux::channel::Channel;
use crate::mux::control::ControlMessage;
use crate::mux::frame::{self, Part};
use crate::mux::id::ChannelId;
use crate::mux::queue::{Message, Queue};
use crate::mux::sequence::Kept;

/// What waits to be sent, except for the queues of the channels themselves.
#[derive(Debug)]
pub(super) struct Outbox {
    /// A last frame in another dialect.
    pub(super) raw: Option<Bytes>,
    /// PING and PONG, which wait for nothing but a message that has begun.
    urgent: VecDeque<ControlMessage>,
    /// Channel 0, in order.
    pub(super) control: Queue,
    /// The first message on channel 0 may not be cut: the peer takes no fragments yet.
    control_uncut: usize,
    /// Messages of the ring that the peer has missed, before anything new that is numbered.
    pub(super) replay: VecDeque<Replayed>,
    /// Channels that have something to send.
    interactive: VecDeque<ChannelId>,
    bulk: VecDeque<ChannelId>,
    /// Whether a long message on channel 0 or a bulk channel is next.
    pub(super) control_turn: bool,
    pub(super) frame_bytes_max: usize,
}

/// A message that is sent again.
#[derive(Debug)]
pub(super) struct Replayed {
    /// None: it only fills a gap and goes wherever it can.
    pub(super) channel: Option<ChannelId>,
    pub(super) message: Message,
}

impl From<Kept> for Replayed {
    fn from(kept: Kept) -> Self {
        let mut message = Message::new(kept.kind, kept.payload);
        message.sequence = Some(kept.sequence);
        Self {
            channel: kept.channel,
            message,
        }
    }
}

impl Default for Outbox {
    fn default() -> Self {
        Self {
            raw: None,
            urgent: VecDeque::new(),
            control: Queue::default(),
            control_uncut: 0,
            replay: VecDeque::new(),
            interactive: VecDeque::new(),
            bulk: VecDeque::new(),
            control_turn: false,
            frame_bytes_max: super::FRAME_BYTES_BEFORE_WELCOME,
        }
    }
}

impl Outbox {
    /// Queues a message of the mux; false when there are too many.
    pub(super) fn push_control(&mut self, message: &ControlMessage) -> bool {
        if self.control.len() >= CONTROL_MESSAGES_MAX {
            return false;
        }
        self.control
            .push(Message::new(message.kind(), message.encode()));
        true
    }

    /// Queues a message in the place of a waiting one of its type.
    pub(super) fn push_latest(&mut self, message: &ControlMessage) {
        let message = Message::new(message.kind(), message.encode());
        if let Some(message) = self.control.replace(message) {
            self.control.push(message);
        }
    }

    /// Queues a message that comes before fragments are allowed, in one piece.
    pub(super) fn push_uncut(&mut self, message: &ControlMessage) {
        self.control
            .push(Message::new(message.kind(), message.encode()));
        self.control_uncut = self.control.len();
    }

    /// Queues a PING or PONG; when there are too many the oldest goes.
    pub(super) fn push_urgent(&mut self, message: ControlMessage) {
        if self.urgent.len() >= URGENT_MAX {
            self.urgent.pop_front();
        }
        self.urgent.push_back(message);
    }

    pub(super) fn push_raw(&mut self, frame: Bytes) {
        self.raw = Some(frame);
    }

    pub(super) fn is_empty(&self) -> bool {
        self.raw.is_none() && self.urgent.is_empty() && self.control.is_empty()
    }

    /// Drops what application channels have.
    pub(super) fn drop_channels(&mut self) {
        self.replay.clear();
        self.interactive.clear();
        self.bulk.clear();
    }

    pub(super) fn clear(&mut self) {
        *self = Self {
            frame_bytes_max: self.frame_bytes_max,
            ..Self::default()
        };
    }

    /// What the queue of channel 0 counts once all that waits in it now has left.
    pub(super) fn control_left_by_then(&self) -> u64 {
        self.control.left_by_then()
    }

    /// Forgets a channel that is gone.
    pub(super) fn unschedule(&mut self, id: ChannelId) {
        self.interactive.retain(|scheduled| *scheduled != id);
        self.bulk.retain(|scheduled| *scheduled != id);
    }

    /// Puts a channel among those that have something to send.
    pub(super) fn schedule(&mut self, id: ChannelId, channel: &mut Channel) {
        if !channel.scheduled {
            channel.scheduled = true;
            let list = if channel.is_interactive() {
                &mut self.interactive
            } else {
                &mut self.bulk
            };
            list.push_back(id);
        }
    }

    /// The channels of one class that have something to send.
    pub(super) const fn class(&mut self, class: Class) -> &mut VecDeque<ChannelId> {
        match class {
            Class::Interactive => &mut self.interactive,
            Class::Bulk => &mut self.bulk,
        }
    }

    pub(super) fn piece_bytes(&self) -> usize {
        PIECE_BYTES.min(self.frame_bytes_max)
    }

    /// Channel 0: urgent messages unless one has begun, then short ones.
    pub(super) fn next_short_control(&mut self) -> Option<Bytes> {
        if self.control_uncut > 0 {
            return self.next_control();
        }
        let begun = self.control.head().is_some_and(|message| message.sent > 0);
        if !begun && let Some(message) = self.urgent.pop_front() {
            return Some(frame::encode(
                ChannelId::CONTROL,
                message.kind(),
                Part::Whole,
                &[&message.encode()],
            ));
        }
        let short = self.control.head()?.payload.len() <= self.piece_bytes();
        if short && !begun {
            self.next_control()
        } else {
            None
        }
    }

    pub(super) fn next_control(&mut self) -> Option<Bytes> {
        let uncut = self.control_uncut > 0;
        self.control_uncut = self.control_uncut.saturating_sub(1);
        let piece_bytes = if uncut {
            usize::MAX
        } else {
            self.piece_bytes()
        };
        self.control
            .next_frame(ChannelId::CONTROL, piece_bytes, None)
    }
}

/// What goes before what.
#[derive(Clone, Copy)]
pub(super) enum Class {
    Interactive,
    Bulk,
}

/// The largest piece of a message, so that a pointer move never waits behind more.
pub const PIECE_BYTES: usize = 16 * 1024;

/// How many messages may wait on channel 0; the owner gets `Full` at half of it, a peer whose
/// requests need more answers is closed with 4004.
pub(super) const CONTROL_MESSAGES_MAX: usize = 1024;

/// How many PINGs and PONGs may wait; then the oldest is dropped.
const URGENT_MAX: usize = 16;
