//! The lanes of a link that has one per channel.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use super::spec;

/// Which lanes are up.
///
/// A lane is told by its name alone. When a channel is closed and opened again, the old lane may
/// go down after the new one came up: lanes of dead channels are counted apart.
#[derive(Debug)]
pub(crate) struct Lanes {
    lanes: HashMap<String, Lane>,
}

#[derive(Debug, Default)]
struct Lane {
    /// Lanes of this name that are up.
    up: u32,
    /// How many of them belonged to a channel that is closed.
    stale: u32,
    /// Since when one has been up that nobody asked for.
    unmatched: Option<Instant>,
    blocked: bool,
}

impl Default for Lanes {
    /// The control lane is there from the start.
    fn default() -> Self {
        let control = Lane {
            up: 1,
            ..Lane::default()
        };
        Self {
            lanes: HashMap::from([(spec::CONTROL.to_owned(), control)]),
        }
    }
}

impl Lanes {
    /// Notes a lane; false when there are too many and it has to be closed.
    pub(crate) fn opened(&mut self, name: &str, matched: bool, now: Instant) -> bool {
        if self.lanes.len() >= LANES_MAX && !self.lanes.contains_key(name) {
            return false;
        }
        let lane = self.lanes.entry(name.to_owned()).or_default();
        lane.up = lane.up.saturating_add(1);
        lane.blocked = false;
        if !matched {
            lane.unmatched = Some(now);
        }
        true
    }

    /// Notes the end of a lane; true when it was the one in use.
    pub(crate) fn closed(&mut self, name: &str) -> bool {
        let Some(lane) = self.lanes.get_mut(name) else {
            return false;
        };
        lane.up = lane.up.saturating_sub(1);
        let in_use = lane.stale == 0;
        lane.stale = lane.stale.saturating_sub(1);
        if lane.up == 0 {
            self.lanes.remove(name);
        }
        in_use
    }

    /// Says whether the lane of a present or coming channel is up.
    pub(crate) fn is_up(&self, name: &str) -> bool {
        self.lanes
            .get(name)
            .is_some_and(|lane| lane.up > lane.stale)
    }

    pub(crate) fn is_writable(&self, name: &str) -> bool {
        self.lanes
            .get(name)
            .is_some_and(|lane| lane.up > lane.stale && !lane.blocked)
    }

    pub(crate) fn set_writable(&mut self, name: &str, writable: bool) {
        if let Some(lane) = self.lanes.get_mut(name) {
            lane.blocked = !writable;
        }
    }

    /// A request or a channel has come for this lane.
    pub(crate) fn matched(&mut self, name: &str) {
        if let Some(lane) = self.lanes.get_mut(name) {
            lane.unmatched = None;
        }
    }

    /// The channel of this lane is gone, the lane is expected to follow.
    pub(crate) fn abandoned(&mut self, name: &str) {
        if let Some(lane) = self.lanes.get_mut(name)
            && lane.up > lane.stale
        {
            lane.stale += 1;
            lane.unmatched = None;
        }
    }

    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.lanes
            .values()
            .filter_map(|lane| lane.unmatched)
            .min()
            .map(|since| since + LANE_TIMEOUT)
    }

    /// The lanes that nobody asked for in time.
    pub(crate) fn expired(&mut self, now: Instant) -> Vec<String> {
        let late = |lane: &Lane| {
            lane.unmatched
                .is_some_and(|since| since + LANE_TIMEOUT <= now)
        };
        let names: Vec<_> = self
            .lanes
            .iter()
            .filter(|(_, lane)| late(lane))
            .map(|(name, _)| name.clone())
            .collect();
        for name in &names {
            self.abandoned(name);
        }
        names
    }
}

/// How long a lane may be without its channel, and a channel without its lane.
pub(crate) const LANE_TIMEOUT: Duration = Duration::from_secs(10);

/// How many names of lanes are remembered; a lane beyond is closed at once.
const LANES_MAX: usize = 512;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::start;

    #[test]
    fn the_old_lane_may_go_after_the_new_one_came() {
        let now = start();
        let mut lanes = Lanes::default();
        lanes.opened("pointer", true, now);
        lanes.abandoned("pointer");
        assert!(!lanes.is_up("pointer"));
        lanes.opened("pointer", true, now);
        assert!(lanes.is_up("pointer"));
        assert!(!lanes.closed("pointer"));
        assert!(lanes.is_up("pointer"));
        assert!(lanes.closed("pointer"));
        assert!(!lanes.is_up("pointer"));
    }

    #[test]
    fn lanes_that_nobody_asks_for_are_named_after_ten_seconds() {
        let now = start();
        let mut lanes = Lanes::default();
        lanes.opened("x", false, now);
        assert_eq!(lanes.deadline(), Some(now + LANE_TIMEOUT));
        assert!(lanes.expired(now + Duration::from_secs(9)).is_empty());
        assert_eq!(lanes.expired(now + LANE_TIMEOUT), ["x"]);
        assert_eq!(lanes.deadline(), None);
    }

    #[test]
    fn the_number_of_lanes_is_bounded() {
        let now = start();
        let mut lanes = Lanes::default();
        let taken = (0..1000)
            .filter(|n| lanes.opened(&n.to_string(), false, now))
            .count();
        assert_eq!(taken, LANES_MAX - 1);
    }
}
