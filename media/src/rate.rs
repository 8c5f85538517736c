//! How many bits and pictures per second an encoder makes.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use crate::fanout::ListenerId;

/// What one viewer can take; `None` leaves it to the others.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Limits {
    /// The most kbit/s.
    pub bitrate_kbps_max: Option<u32>,
    /// The most pictures per second.
    pub fps_max: Option<u32>,
}

/// Decides bitrate and frame rate of one encoder from what its viewers can take.
///
/// All viewers share one stream, so the slowest decides, down to a floor: below that a viewer
/// would spoil the picture for everybody, and it is better if it loses pictures.
#[derive(Debug)]
pub(crate) struct Rate {
    ceiling_kbps: u32,
    wanted_kbps: Option<u32>,
    fps_max: u32,
    viewers: HashMap<ListenerId, Limits>,
    applied: Option<(Instant, u32)>,
}

impl Rate {
    /// Starts at the ceiling.
    pub(crate) fn new(ceiling_kbps: u32, fps_max: u32) -> Self {
        Self {
            ceiling_kbps: ceiling_kbps.max(FLOOR_KBPS),
            wanted_kbps: None,
            fps_max: fps_max.clamp(1, FPS_MAX),
            viewers: HashMap::new(),
            applied: None,
        }
    }

    /// What all viewers together may have at most.
    pub(crate) fn ceiling_kbps(&self) -> u32 {
        self.ceiling_kbps
    }

    /// Sets what the caller wants; the ceiling and the viewers still hold.
    pub(crate) fn set_wanted_kbps(&mut self, bitrate_kbps: u32) {
        self.wanted_kbps = Some(bitrate_kbps);
    }

    /// Notes what a viewer can take.
    pub(crate) fn set_limits(&mut self, viewer: ListenerId, limits: Limits) {
        self.viewers.insert(viewer, limits);
    }

    /// Forgets a viewer that left.
    pub(crate) fn remove(&mut self, viewer: ListenerId) {
        self.viewers.remove(&viewer);
    }

    /// The bitrate that all viewers can take.
    pub(crate) fn bitrate_kbps(&self) -> u32 {
        let limits = self.viewers.values();
        limits
            .filter_map(|limits| limits.bitrate_kbps_max)
            .chain(self.wanted_kbps)
            .fold(self.ceiling_kbps, u32::min)
            .max(FLOOR_KBPS)
    }

    /// The frame rate that all viewers can take; fewer but sharp pictures when bits are rare.
    pub(crate) fn fps(&self) -> u32 {
        let scarce = (self.bitrate_kbps() < SCARCE_KBPS).then_some(SCARCE_FPS);
        let limits = self.viewers.values();
        limits
            .filter_map(|limits| limits.fps_max)
            .chain(scarce)
            .fold(self.fps_max, u32::min)
            .max(1)
    }

    /// The time from one picture to the next.
    pub(crate) fn interval(&self) -> Duration {
        Duration::from_secs(1) / self.fps()
    }

    /// The bitrate for the next picture.
    ///
    /// Going up is at most every [`CHANGE_INTERVAL`]; going down is at once.
    pub(crate) fn poll(&mut self, now: Instant) -> u32 {
        let wanted = self.bitrate_kbps();
        match self.applied {
            Some((_, applied)) if applied == wanted => {}
            Some((at, applied)) if wanted > applied && now < at + CHANGE_INTERVAL => {
                return applied;
            }
            _ => self.applied = Some((now, wanted)),
        }
        wanted
    }
}

/// No viewer can ask for less.
const FLOOR_KBPS: u32 = 300;

/// Below this the frame rate goes down first.
const SCARCE_KBPS: u32 = 1000;

/// The frame rate while bits are rare.
const SCARCE_FPS: u32 = 15;

/// The most pictures per second that can be configured.
const FPS_MAX: u32 = 240;

/// The least time before the bitrate goes up again.
const CHANGE_INTERVAL: Duration = Duration::from_millis(250);

#[cfg(test)]
mod tests {
    use super::*;

    fn limits(bitrate_kbps_max: u32) -> Limits {
        Limits {
            bitrate_kbps_max: Some(bitrate_kbps_max),
            fps_max: None,
        }
    }

    #[test]
    fn the_slowest_viewer_decides_until_it_leaves() {
        let mut rate = Rate::new(6000, 60);
        rate.set_limits(ListenerId(1), limits(4000));
        rate.set_limits(ListenerId(2), limits(2000));
        assert_eq!(rate.bitrate_kbps(), 2000);
        rate.remove(ListenerId(2));
        assert_eq!(rate.bitrate_kbps(), 4000);
        rate.set_wanted_kbps(9000);
        assert_eq!(rate.bitrate_kbps(), 4000);
        rate.remove(ListenerId(1));
        assert_eq!(rate.bitrate_kbps(), 6000);
    }

    #[test]
    fn no_viewer_can_spoil_the_picture_for_all() {
        let mut rate = Rate::new(6000, 60);
        rate.set_limits(ListenerId(1), limits(0));
        assert_eq!(rate.bitrate_kbps(), FLOOR_KBPS);
        assert_eq!(rate.fps(), SCARCE_FPS);
        let none = Limits {
            bitrate_kbps_max: None,
            fps_max: Some(0),
        };
        rate.set_limits(ListenerId(1), none);
        assert_eq!(rate.fps(), 1);
    }

    #[test]
    fn up_is_slow_and_down_is_at_once() {
        let now = Instant::now();
        let mut rate = Rate::new(6000, 60);
        assert_eq!(rate.poll(now), 6000);
        rate.set_wanted_kbps(1000);
        assert_eq!(rate.poll(now), 1000);
        rate.set_wanted_kbps(5000);
        assert_eq!(rate.poll(now), 1000);
        assert_eq!(rate.poll(now + CHANGE_INTERVAL), 5000);
    }
}
