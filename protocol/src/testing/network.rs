//! What is under way between the two ends.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::time::{Duration, Instant};

use bytes::Bytes;

use super::{End, Random, Weather};
use crate::mux::ChannelSpec;

/// Carries packets with a delay, in order within a lane that keeps order.
#[derive(Debug)]
pub(super) struct Network {
    weather: Weather,
    random: Random,
    under_way: BinaryHeap<Reverse<UnderWay>>,
    count: u64,
    /// When the last packet of an ordered lane arrives.
    last_arrival: HashMap<(End, String), Instant>,
}

/// A lane and what it promises.
#[derive(Clone, Debug)]
pub(super) struct Lane {
    name: String,
    reliable: bool,
    ordered: bool,
}

impl Lane {
    pub(super) fn of(spec: &ChannelSpec) -> Self {
        Self {
            name: spec.name.clone(),
            reliable: spec.reliable,
            ordered: spec.ordered,
        }
    }

    /// The one lane of a shared link.
    pub(super) fn shared() -> Self {
        Self {
            name: "control".to_owned(),
            reliable: true,
            ordered: true,
        }
    }
}

/// Something that arrives.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Packet {
    LaneOpened { name: String },
    Frame { lane: String, frame: Bytes },
    LaneClosed { name: String },
}

/// Ordered by arrival, then by departure.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct UnderWay {
    at: Instant,
    count: u64,
    to_server: bool,
    packet: Packet,
}

impl Network {
    pub(super) fn new(weather: Weather) -> Self {
        Self {
            weather,
            random: Random::new(weather.seed),
            under_way: BinaryHeap::new(),
            count: 0,
            last_arrival: HashMap::new(),
        }
    }

    pub(super) fn send(&mut self, from: End, now: Instant, lane: &Lane, frame: Bytes) {
        if !lane.reliable && self.random.below(1000) < self.weather.loss_per_mille.into() {
            return;
        }
        let at = now + self.delay();
        let at = if lane.ordered {
            self.in_order(from, &lane.name, at)
        } else {
            at
        };
        self.put(
            at,
            from.other(),
            Packet::Frame {
                lane: lane.name.clone(),
                frame,
            },
        );
    }

    /// A lane comes up at the far end first, then where it was opened.
    pub(super) fn open(&mut self, by: End, now: Instant, lane: &Lane) {
        let there = self.in_order(by, &lane.name, now + self.delay_max());
        let back = self.in_order(by.other(), &lane.name, there + self.delay_max());
        self.put(
            there,
            by.other(),
            Packet::LaneOpened {
                name: lane.name.clone(),
            },
        );
        self.put(
            back,
            by,
            Packet::LaneOpened {
                name: lane.name.clone(),
            },
        );
    }

    /// A lane goes down after what was sent on it.
    pub(super) fn close(&mut self, by: End, now: Instant, name: &str) {
        let there = self.in_order(by, name, now + self.delay_max());
        let back = self.in_order(by.other(), name, there + self.delay_max());
        self.put(
            there,
            by.other(),
            Packet::LaneClosed {
                name: name.to_owned(),
            },
        );
        self.put(
            back,
            by,
            Packet::LaneClosed {
                name: name.to_owned(),
            },
        );
    }

    pub(super) fn next_arrival(&self) -> Option<Instant> {
        self.under_way.peek().map(|Reverse(next)| next.at)
    }

    /// The next packet that has arrived by now, and where.
    pub(super) fn arrive(&mut self, now: Instant) -> Option<(End, Packet)> {
        self.next_arrival().filter(|at| *at <= now)?;
        let Reverse(next) = self.under_way.pop()?;
        Some((
            if next.to_server {
                End::Server
            } else {
                End::Client
            },
            next.packet,
        ))
    }

    pub(super) fn clear(&mut self) {
        self.under_way.clear();
        self.last_arrival.clear();
    }

    fn put(&mut self, at: Instant, to: End, packet: Packet) {
        self.count += 1;
        let to_server = to == End::Server;
        self.under_way.push(Reverse(UnderWay {
            at,
            count: self.count,
            to_server,
            packet,
        }));
    }

    fn delay(&mut self) -> Duration {
        let spread = self
            .weather
            .delay_max
            .saturating_sub(self.weather.delay_min);
        let micros = u64::try_from(spread.as_micros()).unwrap_or(u64::MAX);
        self.weather.delay_min + Duration::from_micros(self.random.below(micros.saturating_add(1)))
    }

    fn delay_max(&self) -> Duration {
        self.weather.delay_max
    }

    /// Not before what was sent earlier.
    fn in_order(&mut self, from: End, lane: &str, at: Instant) -> Instant {
        let last = self
            .last_arrival
            .entry((from, lane.to_owned()))
            .or_insert(at);
        *last = at.max(*last);
        *last
    }
}
