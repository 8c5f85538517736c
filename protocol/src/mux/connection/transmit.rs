//! What goes out, and in which order.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;

use super::{Connection, SendError, Stage};
use crate::mux::channel::{CONTROL_MESSAGE_BYTES, Channel, LOSSY_QUEUE_MESSAGES, QUEUE_BYTES};
use crate::mux::control::ControlMessage;
use crate::mux::event::{LinkKind, Transmit};
use crate::mux::frame::{self, Part};
use crate::mux::id::ChannelId;
use crate::mux::queue::{Message, Queue};
use crate::mux::sequence::Kept;
use crate::mux::spec;

/// What waits to be sent, except for the queues of the channels themselves.
#[derive(Debug)]
pub(super) struct Outbox {
    /// A last frame in another dialect.
    raw: Option<Bytes>,
    /// PING and PONG, which wait for nothing but a message that has begun.
    urgent: VecDeque<ControlMessage>,
    /// Channel 0, in order.
    control: Queue,
    /// The first message on channel 0 may not be cut: the peer takes no fragments yet.
    control_uncut: usize,
    /// Messages of the ring that the peer has missed, before anything new that is numbered.
    pub(super) replay: VecDeque<Replayed>,
    /// Channels that have something to send.
    interactive: VecDeque<ChannelId>,
    bulk: VecDeque<ChannelId>,
    /// Whether a long message on channel 0 or a bulk channel is next.
    control_turn: bool,
    pub(super) frame_bytes_max: usize,
}

/// A message that is sent again.
#[derive(Debug)]
pub(super) struct Replayed {
    /// None: it only fills a gap and goes wherever it can.
    pub(super) channel: Option<ChannelId>,
    message: Message,
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

    fn piece_bytes(&self) -> usize {
        PIECE_BYTES.min(self.frame_bytes_max)
    }

    /// Channel 0: urgent messages unless one has begun, then short ones.
    fn next_short_control(&mut self) -> Option<Bytes> {
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

    fn next_control(&mut self) -> Option<Bytes> {
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

#[derive(Clone, Copy)]
enum Class {
    Interactive,
    Bulk,
}

impl Outbox {
    const fn class(&mut self, class: Class) -> &mut VecDeque<ChannelId> {
        match class {
            Class::Interactive => &mut self.interactive,
            Class::Bulk => &mut self.bulk,
        }
    }
}

fn on_control(frame: Bytes) -> Transmit {
    Transmit {
        channel: ChannelId::CONTROL,
        lane: spec::CONTROL.into(),
        frame,
    }
}

/// The largest piece of a message, so that a pointer move never waits behind more.
pub const PIECE_BYTES: usize = 16 * 1024;

/// How many messages may wait on channel 0; the owner gets `Full` at half of it, a peer whose
/// requests need more answers is closed with 4004.
const CONTROL_MESSAGES_MAX: usize = 1024;

/// How many PINGs and PONGs may wait; then the oldest is dropped.
const URGENT_MAX: usize = 16;
