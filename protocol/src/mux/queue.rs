//! What waits to be sent on one channel.

use std::collections::VecDeque;

use bytes::Bytes;

use super::frame::{self, Part};
use super::id::ChannelId;
use super::sequence::Numbering;

/// A message that waits, or is partly sent.
#[derive(Clone, Debug)]
pub(crate) struct Message {
    pub(crate) kind: u8,
    pub(crate) payload: Bytes,
    /// Its sequence number, given when its first piece goes out; replayed messages have theirs.
    pub(crate) sequence: Option<u64>,
    /// How many bytes of prefix and payload are sent.
    pub(crate) sent: usize,
}

impl Message {
    pub(crate) const fn new(kind: u8, payload: Bytes) -> Self {
        Self {
            kind,
            payload,
            sequence: None,
            sent: 0,
        }
    }

    /// Writes the next frame; true when it was the last one of the message.
    pub(crate) fn next_frame(&mut self, channel: ChannelId, piece_bytes: usize) -> (Bytes, bool) {
        let prefix = self.sequence.map(u64::to_be_bytes);
        let prefix = prefix.as_ref().map_or(&[][..], |prefix| &prefix[..]);
        let total = prefix.len() + self.payload.len();
        let end = self.sent.saturating_add(piece_bytes).min(total);
        let part = match (self.sent, end == total) {
            (0, true) => Part::Whole,
            (_, true) => Part::LastPiece,
            (_, false) => Part::Piece,
        };
        // Only a first piece holds prefix bytes: pieces are longer than the prefix.
        let from_prefix = prefix.get(self.sent..).unwrap_or_default();
        let payload_start = self.sent.saturating_sub(prefix.len());
        let payload_end = end.saturating_sub(prefix.len());
        let from_payload = self
            .payload
            .get(payload_start..payload_end)
            .unwrap_or_default();
        self.sent = end;
        (
            frame::encode(channel, self.kind, part, &[from_prefix, from_payload]),
            end == total,
        )
    }
}

/// The messages of one channel, in order.
#[derive(Debug, Default)]
pub(crate) struct Queue {
    messages: VecDeque<Message>,
    payload_bytes: usize,
    /// How many messages have left the queue.
    left: u64,
}

impl Queue {
    pub(crate) fn is_empty(&self) -> bool {
        self.messages.is_empty()
    }

    pub(crate) fn len(&self) -> usize {
        self.messages.len()
    }

    /// How many messages have left the queue.
    pub(crate) const fn left(&self) -> u64 {
        self.left
    }

    /// What [`Self::left`] will be once all that is here now has left.
    pub(crate) fn left_by_then(&self) -> u64 {
        self.left + self.messages.len() as u64
    }

    /// Payload bytes of messages that are not wholly sent.
    pub(crate) const fn payload_bytes(&self) -> usize {
        self.payload_bytes
    }

    /// What the queue costs in memory, which is what its bound is about.
    pub(crate) fn cost(&self) -> usize {
        self.payload_bytes + self.messages.len() * MESSAGE_COST
    }

    /// Says whether a message may be added: within the bound, or the only one.
    pub(crate) fn has_room(&self, payload_bytes: usize, cost_max: usize) -> bool {
        self.is_empty() || self.cost() + payload_bytes + MESSAGE_COST <= cost_max
    }

    pub(crate) fn push(&mut self, message: Message) {
        self.payload_bytes += message.payload.len();
        self.messages.push_back(message);
    }

    /// Drops the oldest messages until at most `count` are left.
    pub(crate) fn keep_newest(&mut self, count: usize) {
        while self.messages.len() > count {
            self.pop();
        }
    }

    /// Puts a message in the place of a waiting one of its kind; gives it back when there is none.
    pub(crate) fn replace(&mut self, message: Message) -> Option<Message> {
        let same = |waiting: &&mut Message| waiting.kind == message.kind && waiting.sent == 0;
        let Some(waiting) = self.messages.iter_mut().find(same) else {
            return Some(message);
        };
        self.payload_bytes = self.payload_bytes - waiting.payload.len() + message.payload.len();
        *waiting = message;
        None
    }

    /// The message that is sent next, and whether some of it is sent already.
    pub(crate) fn head(&self) -> Option<&Message> {
        self.messages.front()
    }

    /// Writes the next frame, giving the message its number when it has none yet.
    pub(crate) fn next_frame(
        &mut self,
        channel: ChannelId,
        piece_bytes: usize,
        numbering: Option<&mut Numbering>,
    ) -> Option<Bytes> {
        let message = self.messages.front_mut()?;
        if let Some(numbering) = numbering
            && message.sequence.is_none()
        {
            message.sequence = Some(numbering.number(channel, message.kind, &message.payload));
        }
        let (frame, done) = message.next_frame(channel, piece_bytes);
        if done {
            self.pop();
        }
        Some(frame)
    }

    /// Drops a message that is partly sent: the ring has it whole.
    pub(crate) fn drop_begun(&mut self) {
        if self
            .messages
            .front()
            .is_some_and(|message| message.sent > 0)
        {
            self.pop();
        }
    }

    fn pop(&mut self) {
        if let Some(message) = self.messages.pop_front() {
            self.payload_bytes -= message.payload.len();
            self.left += 1;
        }
    }
}

/// What a waiting message costs besides its payload, so that empty ones are bounded too.
pub(crate) const MESSAGE_COST: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::mux::frame::Frame;

    fn frames(mut message: Message, piece_bytes: usize) -> Vec<Frame> {
        let mut frames = Vec::new();
        loop {
            let (frame, done) = message.next_frame(ChannelId(1), piece_bytes);
            frames.push(Frame::decode(&frame, usize::MAX).unwrap());
            if done {
                return frames;
            }
        }
    }

    #[test]
    fn pieces_are_marked_and_the_prefix_is_in_the_first_only() {
        let mut message = Message::new(9, Bytes::from(vec![7; 20]));
        message.sequence = Some(2);
        let frames = frames(message, 10);
        let parts: Vec<Part> = frames.iter().map(|frame| frame.part).collect();
        assert_eq!(parts, [Part::Piece, Part::Piece, Part::LastPiece]);
        let body = frames
            .iter()
            .flat_map(|frame| frame.payload.to_vec())
            .collect::<Vec<u8>>();
        assert_eq!(body[..8], 2_u64.to_be_bytes());
        assert_eq!(body[8..], [7; 20]);
    }

    #[test]
    fn a_message_as_long_as_a_piece_is_whole() {
        let frames = frames(Message::new(9, Bytes::from(vec![7; 10])), 10);
        assert_eq!(frames.len(), 1);
        assert_eq!(frames[0].part, Part::Whole);
    }

    #[test]
    fn a_message_above_the_bound_is_taken_alone() {
        let mut queue = Queue::default();
        assert!(queue.has_room(1000, 100));
        queue.push(Message::new(0, Bytes::from(vec![0; 1000])));
        assert!(!queue.has_room(0, 100));
        queue.keep_newest(0);
        assert_eq!(queue.payload_bytes(), 0);
    }

    #[test]
    fn only_waiting_messages_are_replaced() {
        let mut queue = Queue::default();
        queue.push(Message::new(1, Bytes::from_static(b"old")));
        queue.push(Message::new(2, Bytes::from_static(b"other")));
        assert!(
            queue
                .replace(Message::new(1, Bytes::from_static(b"newer")))
                .is_none()
        );
        assert_eq!(queue.payload_bytes(), 10);
        assert_eq!(queue.head().unwrap().payload, "newer");
        assert!(queue.replace(Message::new(3, Bytes::new())).is_some());
    }
}
