//! When the next picture is encoded.

use std::time::{Duration, Instant};

/// Spaces pictures out, and counts those that refine a picture which stopped changing.
#[derive(Debug, Default)]
pub(crate) struct Pace {
    due: Option<Instant>,
    last: Option<Instant>,
    refinements: u32,
}

impl Pace {
    /// When the next picture may be encoded at the earliest; `None` means now.
    ///
    /// Pictures keep to a grid that the first one starts, so that jitter of the desktop adds up to
    /// no delay. After a rest the second picture may follow the first at once.
    pub(crate) fn due(&self, now: Instant) -> Option<Instant> {
        self.due.filter(|due| *due > now)
    }

    /// When the unchanged picture is encoded again; `None` when it is as good as it gets.
    pub(crate) fn refine_at(&self, interval: Duration) -> Option<Instant> {
        self.last
            .filter(|_| self.refinements > 0)
            .map(|last| last + interval)
    }

    /// Notes a picture that changed, or a key frame: both have to be refined.
    pub(crate) fn fresh(&mut self, now: Instant, interval: Duration) {
        self.refinements = REFINEMENTS;
        self.encoded(now, interval);
    }

    /// Notes a refinement.
    pub(crate) fn refined(&mut self, now: Instant, interval: Duration) {
        self.refinements = self.refinements.saturating_sub(1);
        self.encoded(now, interval);
    }

    /// Forgets what was to be refined.
    pub(crate) fn rest(&mut self) {
        self.refinements = 0;
    }

    fn encoded(&mut self, now: Instant, interval: Duration) {
        self.last = Some(now);
        self.due = Some(self.due.map_or(now, |due| (due + interval).max(now)));
    }
}

/// How often an unchanged picture is encoded again: with constant quality, text is sharp after
/// about five.
pub(crate) const REFINEMENTS: u32 = 6;

#[cfg(test)]
mod tests {
    use super::*;

    const INTERVAL: Duration = Duration::from_millis(16);

    #[test]
    fn an_unchanged_picture_is_refined_and_then_left_alone() {
        let mut now = Instant::now();
        let mut pace = Pace::default();
        assert_eq!(pace.refine_at(INTERVAL), None);
        pace.fresh(now, INTERVAL);
        for _ in 0..REFINEMENTS {
            assert_eq!(pace.refine_at(INTERVAL), Some(now + INTERVAL));
            now += INTERVAL;
            pace.refined(now, INTERVAL);
        }
        assert_eq!(pace.refine_at(INTERVAL), None);
    }

    #[test]
    fn never_more_pictures_than_the_ceiling_allows() {
        let start = Instant::now();
        let mut now = start;
        let mut pace = Pace::default();
        let mut pictures = 0;
        // A frame is ready whenever it is asked for.
        while now < start + INTERVAL * 100 {
            now = pace.due(now).unwrap_or(now);
            pace.fresh(now, INTERVAL);
            pictures += 1;
        }
        assert!((100..=102).contains(&pictures), "{pictures}");
    }

    #[test]
    fn a_picture_after_a_rest_does_not_wait() {
        let start = Instant::now();
        let mut pace = Pace::default();
        pace.fresh(start, INTERVAL);
        pace.fresh(start, INTERVAL);
        assert_eq!(pace.due(start), Some(start + INTERVAL));
        assert_eq!(pace.due(start + INTERVAL * 3), None);
    }
}
