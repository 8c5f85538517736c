//! When the next picture is encoded.

use std::time::{Duration, Instant};

/// Spaces pictures out, and counts those that refine a picture which stopped changing.
#[derive(Debug, Default)]
pub(crate) struct Pace {
    due: Option<Instant>,
    last: Option<Instant>,
    /// Refinements that are still to come.
    refinements: u32,
    /// Refinements of the present picture so far.
    refined: u32,
    /// Whether the last picture of all is still to come.
    closing: bool,
}

impl Pace {
    /// When the next picture may be encoded at the earliest; `None` means now.
    ///
    /// The ceiling is an eighth above the frame rate. A desktop that runs a hair faster than the
    /// ceiling would wait a little longer for each picture, up to a whole interval. After a rest
    /// the second picture may follow the first at once.
    pub(crate) fn due(&self, now: Instant) -> Option<Instant> {
        self.due.filter(|due| *due > now)
    }

    /// When the unchanged picture is encoded again; `None` when it is as good as it gets.
    ///
    /// One more picture comes [`CLOSING`] after the refinements. It costs a few bytes, and tells a
    /// receiver that lost the end of the burst that something is missing.
    pub(crate) fn refine_at(&self, interval: Duration) -> Option<Instant> {
        let last = self.last?;
        if self.refinements > 0 {
            Some(last + interval)
        } else {
            self.closing.then(|| last + CLOSING)
        }
    }

    /// Notes a picture that changed, or a key frame: both have to be refined.
    pub(crate) fn fresh(&mut self, now: Instant, interval: Duration) {
        self.refinements = REFINEMENTS;
        self.refined = 0;
        self.closing = true;
        self.encoded(now, interval);
    }

    /// Notes a picture of a change that everybody sees exactly already: it is not refined, but what
    /// was to be refined before is.
    pub(crate) fn exact(&mut self, now: Instant, interval: Duration) {
        self.closing = true;
        self.encoded(now, interval);
    }

    /// Notes a refinement.
    pub(crate) fn refined(&mut self, now: Instant, interval: Duration) {
        self.closing = self.refinements > 0;
        self.refinements = self.refinements.saturating_sub(1);
        self.refined += 1;
        self.encoded(now, interval);
    }

    /// Notes that the encoder wanted more bits than it may use, so that the picture is still
    /// coarse: there is one more refinement, up to [`REFINEMENTS_MAX`].
    pub(crate) fn coarse(&mut self) {
        if self.refined < REFINEMENTS_MAX {
            self.refinements = self.refinements.max(1);
        }
    }

    /// Forgets what was to be refined.
    pub(crate) fn rest(&mut self) {
        self.refinements = 0;
        self.closing = false;
    }

    fn encoded(&mut self, now: Instant, interval: Duration) {
        self.last = Some(now);
        let step = interval * 7 / 8;
        self.due = Some(self.due.map_or(now, |due| (due + step).max(now)));
    }
}

/// How often an unchanged picture is encoded again: with constant quality, text is sharp after
/// about five.
pub(crate) const REFINEMENTS: u32 = 6;

/// How long after the refinements the closing picture comes.
pub(crate) const CLOSING: Duration = Duration::from_millis(500);

/// How often it is while it is still coarse: a second at the highest usual frame rate.
const REFINEMENTS_MAX: u32 = 60;

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
        assert_eq!(pace.refine_at(INTERVAL), Some(now + CLOSING), "it closes");
        pace.refined(now + CLOSING, INTERVAL);
        assert_eq!(pace.refine_at(INTERVAL), None);
    }

    #[test]
    fn what_everybody_sees_exactly_is_not_refined() {
        let mut now = Instant::now();
        let mut pace = Pace::default();
        pace.exact(now, INTERVAL);
        assert_eq!(pace.refine_at(INTERVAL), Some(now + CLOSING), "it closes");
        pace.fresh(now, INTERVAL);
        now += INTERVAL;
        pace.refined(now, INTERVAL);
        pace.exact(now, INTERVAL);
        for _ in 1..REFINEMENTS {
            assert_eq!(pace.refine_at(INTERVAL), Some(now + INTERVAL));
            now += INTERVAL;
            pace.refined(now, INTERVAL);
        }
        assert_eq!(pace.refine_at(INTERVAL), Some(now + CLOSING));
    }

    #[test]
    fn a_coarse_picture_is_refined_for_longer_but_not_for_ever() {
        let mut now = Instant::now();
        let mut pace = Pace::default();
        pace.fresh(now, INTERVAL);
        let mut refinements = 0;
        while let Some(at) = pace.refine_at(INTERVAL) {
            now = at;
            pace.refined(now, INTERVAL);
            pace.coarse();
            refinements += 1;
        }
        assert_eq!(refinements, REFINEMENTS_MAX + 1, "with the closing one");
    }

    #[test]
    fn never_more_pictures_than_the_ceiling_allows() {
        let start = Instant::now();
        let mut now = start;
        let mut pace = Pace::default();
        let mut pictures = 0;
        let most = 100 * 8 / 7 + 3;
        // A frame is ready whenever it is asked for.
        while now < start + INTERVAL * 100 {
            now = pace.due(now).unwrap_or(now);
            pace.fresh(now, INTERVAL);
            pictures += 1;
        }
        assert!((100..=most).contains(&pictures), "{pictures}");
    }

    #[test]
    fn a_desktop_at_the_frame_rate_never_waits() {
        let mut now = Instant::now();
        let mut pace = Pace::default();
        pace.fresh(now, INTERVAL);
        for frame in 0..1000_u64 {
            // A clock that is 1 % fast, and jitters by a millisecond.
            now += Duration::from_micros(15_840) + Duration::from_micros(frame * 7 % 1000);
            now -= Duration::from_micros((frame + 999) * 7 % 1000);
            assert_eq!(pace.due(now), None, "frame {frame}");
            pace.fresh(now, INTERVAL);
        }
    }

    #[test]
    fn a_picture_after_a_rest_does_not_wait() {
        let start = Instant::now();
        let mut pace = Pace::default();
        pace.fresh(start, INTERVAL);
        pace.fresh(start, INTERVAL);
        assert_eq!(pace.due(start), Some(start + INTERVAL * 7 / 8));
        assert_eq!(pace.due(start + INTERVAL * 3), None);
    }
}
