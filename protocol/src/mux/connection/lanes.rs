//! Lanes coming and going, on links that have one per channel.

use std::time::Instant;

use bytes::Bytes;

use super::{Connection, Stage};
use crate::mux::code::Code;
use crate::mux::control::{ChannelReject, ControlMessage};
use crate::mux::event::{Event, LaneChange, LinkKind};
use crate::mux::id::{ChannelId, RequestId};
use crate::mux::lane::LANE_TIMEOUT;
use crate::mux::spec;

/// Frames that came on a lane before the control lane told which channel it is.
#[derive(Debug, Default)]
pub(super) struct Early {
    frames: Vec<(String, Bytes)>,
    bytes: usize,
}

impl Early {
    /// Keeps a frame; false when there is no room.
    fn push(&mut self, lane: &str, frame: Bytes) -> bool {
        let cost = frame.len() + FRAME_COST;
        if self.bytes + cost > EARLY_BYTES {
            return false;
        }
        self.bytes += cost;
        self.frames.push((lane.to_owned(), frame));
        true
    }

    /// Takes out the frames of one lane, in order.
    fn take(&mut self, lane: &str) -> Vec<Bytes> {
        let taken = self.frames.extract_if(.., |(name, _)| name == lane);
        let frames: Vec<_> = taken.map(|(_, frame)| frame).collect();
        self.bytes -= frames
            .iter()
            .map(|frame| frame.len() + FRAME_COST)
            .sum::<usize>();
        frames
    }
}

impl Connection {
    /// Takes the news that a lane is up, from whichever side it was opened; before its first frame.
    ///
    /// For the control lane of a server the time to say HELLO starts again.
    pub fn handle_lane_opened(&mut self, now: Instant, name: &str) {
        self.advance(now);
        let name = spec::canonical(name);
        if self.kind == LinkKind::Shared || matches!(self.stage, Stage::Closed { .. }) {
            return;
        }
        if name == spec::CONTROL {
            self.restart_hello_timer();
            return;
        }
        let matched = self.channels.by_name(name).is_some() || self.requests.is_name_asked(name);
        if !self.lanes.opened(name, matched, self.now) {
            self.lane_changes.push_back(LaneChange::Close(name.into()));
            return;
        }
        if let Some(id) = self.channels.by_name(name)
            && let Some(channel) = self.channels.get_mut(id)
        {
            channel.lane_deadline = None;
        }
        let mut ready = Vec::new();
        for (request, waiting) in self.requests.theirs() {
            if waiting.spec.name == name && waiting.lane_deadline.take().is_some() {
                ready.push((request, waiting.spec.clone()));
            }
        }
        for (request, spec) in ready {
            self.emit(Event::ChannelRequested { request, spec });
        }
    }

    /// Takes the news that a lane is gone; without the control lane the transport is lost.
    pub fn handle_lane_closed(&mut self, now: Instant, name: &str) {
        self.advance(now);
        let name = spec::canonical(name);
        if name == spec::CONTROL {
            self.lost(Code::GOING_AWAY, "the control lane was lost");
            return;
        }
        if self.kind == LinkKind::PerChannel
            && self.lanes.closed(name)
            && let Some(id) = self.channels.by_name(name)
        {
            self.close_channel_for_peer(id, "its lane was closed");
        }
    }

    /// Says whether a lane takes frames, so that one full lane does not hold up the others.
    ///
    /// A link that can always queue needs not call this.
    pub fn set_lane_writable(&mut self, name: &str, writable: bool) {
        self.lanes.set_writable(spec::canonical(name), writable);
    }

    /// A channel was opened: it gets its lane, or some time for it to come.
    pub(super) fn match_lane(&mut self, id: ChannelId) {
        if self.kind == LinkKind::Shared {
            return;
        }
        let Some(channel) = self.channels.get_mut(id) else {
            return;
        };
        self.lanes.matched(&channel.spec.name);
        if !self.lanes.is_up(&channel.spec.name) {
            channel.lane_deadline = Some(self.now + LANE_TIMEOUT);
        }
        let lane = channel.spec.name.clone();
        for frame in self.early.take(&lane) {
            self.receive(Some(&lane), frame);
        }
    }

    /// We ask for a channel: its lane comes first.
    pub(super) fn open_lane(&mut self, spec: &spec::ChannelSpec) {
        if self.kind == LinkKind::PerChannel {
            self.lane_changes.push_back(LaneChange::Open(spec.clone()));
        }
    }

    /// Nothing comes of the lane that we opened.
    pub(super) fn drop_lane(&mut self, name: &str) {
        if self.kind == LinkKind::PerChannel {
            self.early.take(name);
            self.lanes.abandoned(name);
            self.lane_changes.push_back(LaneChange::Close(name.into()));
        }
    }

    /// The peer closed the channel and will close its lane.
    pub(super) fn abandon_lane(&mut self, name: &str) {
        if self.kind == LinkKind::PerChannel {
            self.early.take(name);
            self.lanes.abandoned(name);
        }
    }

    /// Says whether a request must wait for its lane, and until when.
    pub(super) fn lane_wait(&mut self, name: &str) -> Option<Instant> {
        if self.kind == LinkKind::Shared {
            return None;
        }
        self.lanes.matched(name);
        (!self.lanes.is_up(name)).then(|| self.now + LANE_TIMEOUT)
    }

    /// Keeps a frame for a channel whose opening is under way on the slower control lane.
    ///
    /// True when the frame is dealt with.
    pub(super) fn keep_early(&mut self, lane: Option<&str>, frame: &Bytes) -> bool {
        let Some(lane) = lane.filter(|_| self.kind == LinkKind::PerChannel) else {
            return false;
        };
        let expected = self.requests.is_name_ours(lane) || self.is_listed_in_hello(lane);
        if expected && !self.early.push(lane, frame.clone()) {
            self.close_with(
                Code::RATE_LIMITED,
                "too much came before the channel was open",
            );
        }
        expected
    }

    /// Lanes without a channel are closed, channels and requests without a lane refused.
    pub(super) fn expire_lanes(&mut self) {
        for name in self.lanes.expired(self.now) {
            self.lane_changes.push_back(LaneChange::Close(name.into()));
        }
        let late =
            |deadline: Option<Instant>| deadline.is_some_and(|deadline| deadline <= self.now);
        let channels: Vec<ChannelId> = self
            .channels
            .iter()
            .filter(|(_, channel)| late(channel.lane_deadline))
            .map(|(id, _)| id)
            .collect();
        let now = self.now;
        let requests: Vec<RequestId> = self
            .requests
            .theirs()
            .filter(|(_, request)| {
                request
                    .lane_deadline
                    .is_some_and(|deadline| deadline <= now)
            })
            .map(|(request, _)| request)
            .collect();
        for id in channels {
            self.close_channel_for_peer(id, "its lane did not come");
        }
        for request in requests {
            if let Some(request) = self.requests.take_theirs(request) {
                self.send_control(&ControlMessage::ChannelReject(ChannelReject {
                    request: request.number,
                    code: Code::UNSUPPORTED,
                    reason: "its lane did not come".to_owned(),
                }));
            }
        }
    }
}

/// What may wait for channels that are not open yet, in bytes; when full the connection is closed
/// with 4004.
const EARLY_BYTES: usize = 1024 * 1024;

/// What a waiting frame costs besides its bytes.
const FRAME_COST: usize = 64;
