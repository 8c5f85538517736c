//! When each picture passed each stage, to be asked for by the time in its packets.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

/// When a picture passed the stages of an encoder.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Stamps {
    /// The first change that it shows was made.
    pub captured_at: Instant,
    /// The encode thread took it.
    pub taken_at: Instant,
    /// It lay in planes.
    pub converted_at: Instant,
    /// Its access unit was there.
    pub encoded_at: Instant,
}

/// The RTP timestamp of a presentation time in microseconds: 90 kHz, modulo 2^32.
///
/// WebRTC peers get it as it is, without an offset, so that it names a picture everywhere.
#[must_use]
pub fn rtp_time(pts_us: u64) -> u32 {
    let ticks = u128::from(pts_us) * 9 / 100 % (1 << 32);
    u32::try_from(ticks).unwrap_or_default()
}

/// What is known of the last pictures, by their RTP timestamps.
#[derive(Debug)]
pub struct Recent<T>(Mutex<VecDeque<(u32, T)>>);

impl<T> Default for Recent<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T: Copy> Recent<T> {
    /// Notes a picture, or replaces what was noted of the newest; beyond [`RECENT`] the oldest goes.
    pub fn note(&self, rtp_time: u32, what: T) {
        let mut recent = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if recent.back().is_some_and(|(newest, _)| *newest == rtp_time) {
            recent.pop_back();
        } else if recent.len() == RECENT {
            recent.pop_front();
        }
        recent.push_back((rtp_time, what));
    }

    /// What was noted of a picture, if it is not too long ago.
    pub fn find(&self, rtp_time: u32) -> Option<T> {
        let recent = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let found = recent.iter().rev().find(|(each, _)| *each == rtp_time);
        found.map(|(_, what)| *what)
    }
}

/// Pictures that are remembered: viewers tell of them a second later, or a few.
const RECENT: usize = 512;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_those_of_rtp() {
        assert_eq!(rtp_time(0), 0);
        assert_eq!(rtp_time(1_000_000), 90_000);
        assert_eq!(rtp_time(11), 0);
        assert_eq!(rtp_time(12), 1);
        // A little over 13 hours later it begins anew.
        assert_eq!(rtp_time(47_721_858_845), 0);
        assert_eq!(rtp_time(u64::MAX), rtp_time(u64::MAX));
    }

    #[test]
    fn the_last_pictures_are_found_and_older_ones_forgotten() {
        let recent = Recent::default();
        for (time, number) in (0..).zip(0..RECENT + 2) {
            recent.note(time, number);
        }
        assert_eq!(recent.find(1), None);
        assert_eq!(recent.find(2), Some(2));
        let newest = u32::try_from(RECENT + 1).unwrap();
        recent.note(newest, 7);
        assert_eq!(recent.find(newest), Some(7), "the last word counts");
        assert_eq!(recent.find(2), Some(2), "and took no place of another");
    }
}
