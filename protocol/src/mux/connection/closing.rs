//! The end of a connection, and the errors on the way there.

use std::time::{Duration, Instant};

use bytes::{BufMut as _, BytesMut};

use super::{Connection, Stage};
use crate::mux::code::Code;
use crate::mux::control::{Close, ControlMessage, ErrorReport, kind};
use crate::mux::event::Event;
use crate::mux::id::ChannelId;

impl Connection {
    /// Ends the connection: sends CLOSE and waits at most 2 s for the peer's.
    ///
    /// What waits on channel 0 goes out before it, what waits on other channels is dropped.
    pub fn close(&mut self, now: Instant, code: Code, reason: &str) {
        self.advance(now);
        self.close_with(code, reason);
    }

    /// Tells the peer that something is wrong; nothing closes.
    ///
    /// Counts as a faulty frame of the peer: more than 1,000 within 10 s close the connection with
    /// 4004. More than 10 per second are not sent.
    pub fn error(&mut self, now: Instant, code: Code, channel: Option<ChannelId>, reason: &str) {
        self.advance(now);
        self.report(code, channel, reason);
    }

    /// Takes the loss of the transport; a resumable session can still be suspended.
    pub fn handle_disconnected(&mut self, now: Instant) {
        self.advance(now);
        self.lost(Code::GOING_AWAY, "the transport was lost");
    }

    /// Takes a WebSocket text message, which no peer of ours sends.
    pub fn handle_text_message(&mut self, now: Instant) {
        self.advance(now);
        self.close_with(Code::UNSUPPORTED, "text messages are not understood");
    }

    pub(super) fn close_with(&mut self, code: Code, reason: &str) {
        if matches!(self.stage, Stage::Closing { .. } | Stage::Closed { .. }) {
            return;
        }
        self.end(code, reason, false);
        let close = Close {
            code,
            reason: brief(reason).to_owned(),
        };
        self.outbox.push_control(&ControlMessage::Close(close));
        self.stage = Stage::Closing {
            deadline: self.now + CLOSE_TIMEOUT,
        };
    }

    /// Answers a peer that speaks the 8-byte dialect in its own words, and is done.
    pub(super) fn close_in_other_dialect(&mut self) {
        if matches!(self.stage, Stage::Closing { .. } | Stage::Closed { .. }) {
            return;
        }
        let reason = "the 6-byte header is spoken here";
        let close = Close {
            code: Code::VERSION_MISMATCH,
            reason: reason.to_owned(),
        };
        let body = ControlMessage::Close(close).encode();
        // channel u16, type u8, flags u8, length u32.
        let mut frame = BytesMut::with_capacity(8 + body.len());
        frame.put_slice(&[0, 0, kind::CLOSE, 0]);
        frame.put_u32(u32::try_from(body.len()).unwrap_or_default());
        frame.put_slice(&body);
        self.end(Code::VERSION_MISMATCH, reason, false);
        self.outbox.clear();
        self.outbox.push_raw(frame.freeze());
        self.stage = Stage::Closed {
            flush_until: Some(self.now + CLOSE_TIMEOUT),
        };
    }

    /// Takes the peer's CLOSE: answers with our own unless that was sent already.
    pub(super) fn closed_by_peer(&mut self, close: Close) {
        let flush_until = Some(self.now + CLOSE_TIMEOUT);
        if !matches!(self.stage, Stage::Closing { .. }) {
            let code = close.code;
            self.end(code, &close.reason, true);
            self.outbox.clear();
            self.outbox.push_control(&ControlMessage::Close(Close {
                code,
                reason: String::new(),
            }));
        }
        self.stage = Stage::Closed { flush_until };
    }

    /// The transport is useless: nothing more is sent.
    pub(super) fn lost(&mut self, code: Code, reason: &str) {
        match self.stage {
            Stage::Closed { .. } => {}
            Stage::Closing { .. } => self.drop_now(),
            _ => {
                self.keepalive.stop();
                self.events.push_back(Event::Closed {
                    code,
                    reason: reason.to_owned(),
                    by_peer: true,
                });
                self.drop_now();
            }
        }
    }

    /// Sends nothing more, not even CLOSE.
    pub(super) fn drop_now(&mut self) {
        self.outbox.clear();
        self.stage = Stage::Closed { flush_until: None };
    }

    /// A proper end: the session cannot be resumed after it.
    fn end(&mut self, code: Code, reason: &str, by_peer: bool) {
        self.keepalive.stop();
        self.sequences = None;
        self.resuming = None;
        self.outbox.drop_channels();
        self.events.push_back(Event::Closed {
            code,
            reason: reason.to_owned(),
            by_peer,
        });
    }

    /// Counts a faulty frame and tells the peer about it, as often as that is allowed.
    pub(super) fn report(&mut self, code: Code, channel: Option<ChannelId>, reason: &str) {
        if self.fault() && self.error_limit.take(self.now) {
            let error = ErrorReport {
                code,
                channel,
                reason: brief(reason).to_owned(),
            };
            self.send_control(&ControlMessage::Error(error));
        }
    }

    /// Counts a faulty frame; false when it was one too many or the connection is over anyway.
    pub(super) fn fault(&mut self) -> bool {
        if matches!(self.stage, Stage::Closing { .. } | Stage::Closed { .. }) {
            return false;
        }
        if self.faults.add(self.now) {
            self.close_with(Code::RATE_LIMITED, "too many faulty frames");
            return false;
        }
        true
    }

    /// Queues a message of the mux; a peer that asks and never reads is given up.
    pub(super) fn send_control(&mut self, message: &ControlMessage) {
        let over = matches!(self.stage, Stage::Closing { .. } | Stage::Closed { .. });
        if !over && !self.outbox.push_control(message) {
            self.outbox.clear();
            self.close_with(Code::RATE_LIMITED, "answers are not being read");
        }
    }
}

/// Cuts a reason to what a small frame can hold.
pub(super) fn brief(reason: &str) -> &str {
    let mut end = reason.len().min(REASON_BYTES_MAX);
    while !reason.is_char_boundary(end) {
        end -= 1;
    }
    reason.get(..end).unwrap_or_default()
}

/// How long the peer may take to answer CLOSE, and the link to take our last frames.
pub(super) const CLOSE_TIMEOUT: Duration = Duration::from_secs(2);

/// The longest reason sent, in bytes; longer ones are cut.
const REASON_BYTES_MAX: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_reasons_are_cut_between_characters() {
        assert_eq!(brief("short"), "short");
        let cut = brief(&format!("{}ä", "x".repeat(255))).to_owned();
        assert_eq!(cut, "x".repeat(255));
    }
}
