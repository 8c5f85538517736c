//! Frames coming in.

use std::time::Instant;

use bytes::Bytes;

use super::{Connection, Stage};
use crate::mux::channel::{CONTROL_MESSAGE_BYTES, QUARANTINE, Slot};
use crate::mux::code::Code;
use crate::mux::control::{ControlMessage, kind};
use crate::mux::event::{Event, LinkKind};
use crate::mux::fragment::FragmentError;
use crate::mux::frame::{Frame, FrameError, Part};
use crate::mux::id::ChannelId;
use crate::mux::sequence::Arrival;
use crate::mux::spec;
use crate::mux::stream::StreamError;

impl Connection {
    /// Takes exactly one frame.
    ///
    /// `lane` names the lane it came on, without `omux/`, on [`LinkKind::PerChannel`] links, and is
    /// `None` on others.
    pub fn handle_message(&mut self, now: Instant, lane: Option<&str>, frame: Bytes) {
        self.advance(now);
        self.keepalive.heard(self.now);
        self.receive(lane.map(spec::canonical), frame);
    }

    /// Takes what a stream decoder reported: the stream cannot go on.
    pub fn handle_malformed(&mut self, now: Instant, error: StreamError) {
        self.advance(now);
        match error {
            // Whoever speaks something else entirely learns nothing.
            StreamError::Magic => self.lost(
                Code::PROTOCOL_ERROR,
                "the stream does not start with the magic",
            ),
            StreamError::OtherDialect => self.close_in_other_dialect(),
            // A stream cannot be read on after any of them.
            StreamError::Frame(FrameError::TooLarge) => {
                self.frame_error(FrameError::TooLarge, None);
            }
            StreamError::Frame(_) => {
                self.close_with(Code::PROTOCOL_ERROR, "the frame cannot be read");
            }
        }
    }

    pub(super) fn receive(&mut self, lane: Option<&str>, message: Bytes) {
        let on_control = lane.is_none_or(|lane| lane == spec::CONTROL);
        if on_control && !std::mem::replace(&mut self.heard, true) && message.get(1) == Some(&0) {
            self.close_in_other_dialect();
            return;
        }
        // What comes early may be larger than what may come before WELCOME.
        let answer_due = matches!(
            self.stage,
            Stage::AwaitWelcome { .. } | Stage::AwaitResume { .. }
        );
        if answer_due && !on_control && self.keep_early(lane, &message) {
            return;
        }
        let frame = match Frame::decode(&message, self.frame_bytes_max) {
            Ok(frame) => frame,
            Err(error) => return self.frame_error(error, message.first().copied().map(ChannelId)),
        };
        match &self.stage {
            Stage::AwaitHello { .. } | Stage::Deciding(_) => self.receive_before_welcome(frame),
            Stage::AwaitWelcome { .. } | Stage::AwaitResume { .. } => self.receive_answer(frame),
            Stage::Up => self.receive_up(lane, frame, &message),
            Stage::Closing { .. } => {
                if let Some(ControlMessage::Close(close)) = close_of(&frame) {
                    self.closed_by_peer(close);
                }
            }
            Stage::Closed { .. } => {}
        }
    }

    fn frame_error(&mut self, error: FrameError, channel: Option<ChannelId>) {
        match error {
            FrameError::TooLarge => {
                self.close_with(Code::MESSAGE_TOO_LARGE, "the frame is larger than agreed");
            }
            FrameError::Length if self.is_up() => {
                self.report(
                    Code::INVALID_MESSAGE,
                    channel,
                    "the frame is not as long as its header says",
                );
            }
            error => self.close_with(Code::PROTOCOL_ERROR, &error.to_string()),
        }
    }

    fn receive_up(&mut self, lane: Option<&str>, frame: Frame, message: &Bytes) {
        let id = frame.channel;
        let up_to_now = self.now;
        // The control lane belongs to channel 0 alone, and channel 0 to it.
        if self.kind == LinkKind::PerChannel
            && let Some(lane) = lane
            && (id == ChannelId::CONTROL) != (lane == spec::CONTROL)
        {
            return self.report(
                Code::CHANNEL_NOT_FOUND,
                Some(id),
                "the channel is not that of its lane",
            );
        }
        if id == ChannelId::CONTROL {
            let max = CONTROL_MESSAGE_BYTES;
            return match self
                .reassembly
                .push(id, frame.kind, frame.part, frame.payload, max)
            {
                Ok(Some(payload)) => self.receive_control(frame.kind, payload),
                Ok(None) => {}
                Err(FragmentError::Mixed) => self.mixed(),
                Err(FragmentError::TooLarge) => {
                    self.close_with(
                        Code::MESSAGE_TOO_LARGE,
                        "the message on channel 0 is too large",
                    );
                }
            };
        }
        let discarded = match self.channels.slot(id) {
            Some(Slot::Open(channel)) if channel.closing.is_none() => {
                let strange = self.kind == LinkKind::PerChannel
                    && lane.is_some_and(|lane| lane != channel.spec.name);
                if strange {
                    return self.report(
                        Code::CHANNEL_NOT_FOUND,
                        Some(id),
                        "the channel is not that of its lane",
                    );
                }
                return self.receive_on_channel(frame);
            }
            Some(Slot::Open(channel)) => channel.discard.sequence(frame.part, &frame.payload),
            Some(Slot::Freed { at, discard }) if up_to_now < *at + QUARANTINE => {
                discard.sequence(frame.part, &frame.payload)
            }
            _ => {
                if !self.keep_early(lane, message) {
                    self.report(Code::CHANNEL_NOT_FOUND, Some(id), "no such channel");
                }
                return;
            }
        };
        if let Some(sequence) = discarded {
            self.note_received(sequence, frame.payload.len());
        }
    }

    fn receive_on_channel(&mut self, frame: Frame) {
        let id = frame.channel;
        let Some(channel) = self.channels.get(id) else {
            return;
        };
        let (numbered, bytes_max) = (channel.numbered, channel.message_bytes_max());
        if frame.part != Part::Whole && !channel.spec.may_fragment() {
            return self.close_with(
                Code::PROTOCOL_ERROR,
                "fragments on a channel that may lose or reorder them",
            );
        }
        // The preface of a stream says nothing.
        if frame.part == Part::Whole && frame.kind == 0 && frame.payload.is_empty() {
            return;
        }
        match self
            .reassembly
            .push(id, frame.kind, frame.part, frame.payload, bytes_max)
        {
            Ok(Some(payload)) => self.deliver(id, frame.kind, payload, numbered),
            Ok(None) => {}
            Err(FragmentError::Mixed) => self.mixed(),
            Err(FragmentError::TooLarge) => {
                self.report(
                    Code::MESSAGE_TOO_LARGE,
                    Some(id),
                    "the message is too large",
                );
                self.close_channel_now(id, "a message was too large", false);
            }
        }
    }

    /// Hands over a whole message, unless it came before.
    fn deliver(&mut self, channel: ChannelId, kind: u8, mut payload: Bytes, numbered: bool) {
        if numbered {
            let Some(prefix) = payload.first_chunk().copied() else {
                return self.report(
                    Code::INVALID_MESSAGE,
                    Some(channel),
                    "the sequence number is missing",
                );
            };
            if !self.note_received(u64::from_be_bytes(prefix), payload.len()) {
                return;
            }
            payload = payload.slice(size_of::<u64>()..);
        }
        // An empty message of type 0 fills the gap that a closed channel left.
        if kind != 0 || !payload.is_empty() {
            self.emit(Event::Message {
                channel,
                kind,
                payload,
            });
        }
    }

    /// Notes a sequence number; true when its message is new.
    pub(super) fn note_received(&mut self, sequence: u64, bytes: usize) -> bool {
        let Some(sequences) = &mut self.sequences else {
            return false;
        };
        match sequences.note(sequence, bytes, self.now) {
            Arrival::New => {
                self.send_sequence_ack();
                true
            }
            Arrival::Duplicate => false,
            Arrival::TooManyGaps => {
                self.close_with(
                    Code::PROTOCOL_ERROR,
                    "too many sequence numbers are missing",
                );
                false
            }
        }
    }

    fn mixed(&mut self) {
        self.close_with(
            Code::PROTOCOL_ERROR,
            "another message between the pieces of one",
        );
    }
}

/// Reads a CLOSE, if the frame is one.
pub(super) fn close_of(frame: &Frame) -> Option<ControlMessage> {
    let is_close = frame.channel == ChannelId::CONTROL
        && frame.part == Part::Whole
        && frame.kind == kind::CLOSE;
    is_close.then(|| read_close(&frame.payload))
}

/// A CLOSE that cannot be read is still one.
pub(super) fn read_close(payload: &[u8]) -> ControlMessage {
    ControlMessage::decode(kind::CLOSE, payload).unwrap_or_else(|_| {
        ControlMessage::Close(crate::mux::control::Close {
            code: Code::NORMAL,
            reason: String::new(),
        })
    })
}
