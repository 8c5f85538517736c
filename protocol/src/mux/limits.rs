//! How much of something may happen in how much time.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

/// Lets a number of things happen within any stretch of time.
#[derive(Debug)]
pub(crate) struct RateLimit {
    times: VecDeque<Instant>,
    count: usize,
    window: Duration,
}

impl RateLimit {
    pub(crate) const fn new(count: usize, window: Duration) -> Self {
        Self {
            times: VecDeque::new(),
            count,
            window,
        }
    }

    /// Takes one turn if there is one left.
    pub(crate) fn take(&mut self, now: Instant) -> bool {
        while self
            .times
            .front()
            .is_some_and(|time| now.saturating_duration_since(*time) >= self.window)
        {
            self.times.pop_front();
        }
        let free = self.times.len() < self.count;
        if free {
            self.times.push_back(now);
        }
        free
    }
}

/// Counts the faulty frames of the last ten seconds, in slices of one second.
#[derive(Debug)]
pub(crate) struct Faults {
    /// The second each slice belongs to, and what was counted in it; newest last.
    slices: VecDeque<(u64, u32)>,
    start: Instant,
}

impl Faults {
    pub(crate) const fn new(start: Instant) -> Self {
        Self {
            slices: VecDeque::new(),
            start,
        }
    }

    /// Counts one fault; true when that is one too many.
    pub(crate) fn add(&mut self, now: Instant) -> bool {
        let second = now.saturating_duration_since(self.start).as_secs();
        match self.slices.back_mut() {
            Some((at, count)) if *at == second => *count += 1,
            _ => self.slices.push_back((second, 1)),
        }
        while self
            .slices
            .front()
            .is_some_and(|(at, _)| at + FAULT_WINDOW_S <= second)
        {
            self.slices.pop_front();
        }
        self.slices.iter().map(|(_, count)| count).sum::<u32>() > FAULTS_MAX
    }
}

/// ERRORs per second on one connection; those beyond are dropped silently.
pub(crate) const ERRORS_PER_SECOND: usize = 10;
/// ERRORs per second about unknown types on channel 0; those beyond are dropped silently.
pub(crate) const UNKNOWN_TYPE_ERRORS_PER_SECOND: usize = 1;
/// Faulty frames within [`FAULT_WINDOW_S`] that are borne; one more closes with 4004.
const FAULTS_MAX: u32 = 1000;
/// For how many seconds a faulty frame is remembered.
const FAULT_WINDOW_S: u64 = 10;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::start;

    #[test]
    fn turns_come_back_after_the_window() {
        let start = start();
        let mut limit = RateLimit::new(2, Duration::from_secs(1));
        let turns = |limit: &mut RateLimit, ms| limit.take(start + Duration::from_millis(ms));
        assert!(turns(&mut limit, 0));
        assert!(turns(&mut limit, 900));
        assert!(!turns(&mut limit, 999));
        assert!(turns(&mut limit, 1000));
        assert!(!turns(&mut limit, 1001));
    }

    #[test]
    fn a_thousand_faults_in_ten_seconds_are_borne() {
        let start = start();
        let mut faults = Faults::new(start);
        assert!((0..1000).all(|_| !faults.add(start)));
        assert!(faults.add(start + Duration::from_secs(9)));
        assert!(!faults.add(start + Duration::from_secs(10)));
    }
}
