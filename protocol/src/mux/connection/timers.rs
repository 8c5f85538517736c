//! What happens when time passes.

use std::time::{Duration, Instant};

use super::{Connection, Stage};
use crate::mux::code::Code;
use crate::mux::control::ControlMessage;
use crate::mux::event::LinkKind;
use crate::mux::keepalive::Due;

impl Connection {
    /// When `handle_timeout` is due; `None` for never.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        match &self.stage {
            Stage::AwaitHello { deadline }
            | Stage::AwaitWelcome { deadline }
            | Stage::AwaitResume { deadline }
            | Stage::Closing { deadline } => Some(*deadline),
            Stage::Deciding(_) => None,
            Stage::Closed { flush_until } => *flush_until,
            Stage::Up => {
                let acknowledge = self
                    .sequences
                    .as_ref()
                    .and_then(|sequences| sequences.ack_due());
                let mut deadlines = vec![self.keepalive.deadline(), acknowledge];
                if self.kind == LinkKind::PerChannel {
                    deadlines.push(self.lanes.deadline());
                    deadlines.push(self.requests.lane_deadline());
                    deadlines.push(
                        self.channels
                            .iter()
                            .filter_map(|(_, channel)| channel.lane_deadline)
                            .min(),
                    );
                }
                deadlines.into_iter().flatten().min()
            }
        }
    }

    /// Does what is due; harmless when nothing is.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.advance(now);
        let now = self.now;
        match &self.stage {
            Stage::AwaitHello { deadline } if *deadline <= now => {
                self.close_with(Code::HELLO_TIMEOUT, "no HELLO came");
            }
            Stage::AwaitWelcome { deadline } | Stage::AwaitResume { deadline }
                if *deadline <= now =>
            {
                self.close_with(Code::HELLO_TIMEOUT, "no answer to HELLO came");
            }
            Stage::Closing { deadline }
            | Stage::Closed {
                flush_until: Some(deadline),
            } if *deadline <= now => {
                self.drop_now();
            }
            Stage::Up => {
                if self
                    .sequences
                    .as_ref()
                    .is_some_and(|sequences| sequences.ack_due().is_some_and(|due| due <= now))
                {
                    self.send_sequence_ack();
                }
                if self.kind == LinkKind::PerChannel {
                    self.expire_lanes();
                }
                match self.keepalive.due(now) {
                    Due::Nothing => {}
                    Due::Ping => self.send_ping(),
                    // The peer is not there to read a CLOSE.
                    Due::GiveUp => self.lost(Code::GOING_AWAY, "nothing came after a PING"),
                }
            }
            _ => {}
        }
    }

    /// Sends a PING besides those that keep the connection alive, to measure.
    pub fn ping(&mut self, now: Instant) {
        self.advance(now);
        if self.is_up() {
            self.send_ping();
        }
    }

    /// The connection is up.
    pub(super) fn up(&mut self, ping_interval: Duration, ping_timeout: Duration) {
        self.stage = Stage::Up;
        self.keepalive.run(self.now, ping_interval, ping_timeout);
    }

    fn send_ping(&mut self) {
        let clock = self.keepalive.ping(self.now);
        self.outbox.push_urgent(ControlMessage::Ping(clock));
    }
}
