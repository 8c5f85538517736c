//! When to draw and when to tell programs to draw.

use std::time::{Duration, Instant};

/// The frame clock of the output.
///
/// It stands still until something [`want`](Self::want)s a tick. The first tick after a pause
/// comes at once, later ones at least a period apart. Programs are told to draw half a period
/// after a tick, so that what they then commit is fresh when the next tick comes; input brings
/// that moment forward.
///
/// While nobody watches the period is [`UNWATCHED_PERIOD`], which keeps programs alive and the
/// machine idle.
#[derive(Debug)]
pub(crate) struct FrameClock {
    period: Duration,
    watched: bool,
    /// Since when a tick is wanted.
    wanted_at: Option<Instant>,
    hurried: bool,
    last_tick: Option<Instant>,
    callbacks_at: Option<Instant>,
}

impl FrameClock {
    /// Makes a clock that stands still and that nobody watches.
    pub(crate) fn new(refresh_hz: u32) -> Self {
        Self {
            period: Duration::from_secs(1) / refresh_hz.clamp(1, REFRESH_HZ_MAX),
            watched: false,
            wanted_at: None,
            hurried: false,
            last_tick: None,
            callbacks_at: None,
        }
    }

    /// The time between two ticks at full rate.
    pub(crate) const fn period(&self) -> Duration {
        self.period
    }

    /// The rate that programs are told, in thousandths of a hertz.
    pub(crate) fn refresh_mhz(&self) -> u32 {
        let period = self.period.as_nanos().max(1);
        u32::try_from(1_000_000_000_000 / period).unwrap_or(u32::MAX)
    }

    /// Whether a clock can have this rate.
    pub(crate) fn can_be(refresh_hz: u32) -> bool {
        (1..=REFRESH_HZ_MAX).contains(&refresh_hz)
    }

    /// Goes at another rate from the next tick on.
    pub(crate) fn set_refresh(&mut self, refresh_hz: u32) {
        self.period = Duration::from_secs(1) / refresh_hz.clamp(1, REFRESH_HZ_MAX);
    }

    /// Whether somebody watches.
    pub(crate) const fn is_watched(&self) -> bool {
        self.watched
    }

    /// Says whether somebody watches; the first tick of a new viewer does not wait.
    pub(crate) fn set_watched(&mut self, watched: bool) {
        if watched && !self.watched {
            self.last_tick = None;
        }
        self.watched = watched;
    }

    /// Makes the next tick come at once.
    pub(crate) fn rush(&mut self) {
        self.last_tick = None;
        self.want();
    }

    /// Asks for a tick.
    pub(crate) fn want(&mut self) {
        self.wanted_at.get_or_insert_with(Instant::now);
    }

    /// When the first change was made that the next tick shows.
    pub(crate) const fn wanted_at(&self) -> Option<Instant> {
        self.wanted_at
    }

    /// A person did something: programs may draw now, and the next tick comes up to half a period
    /// sooner when `decisive`.
    pub(crate) fn input(&mut self, now: Instant, decisive: bool) {
        if self.watched {
            self.callbacks_at = self.callbacks_at.map(|at| at.min(now));
            self.hurried |= decisive;
        }
    }

    /// When the next tick is due; it may lie in the past.
    pub(crate) fn tick_at(&self, now: Instant) -> Option<Instant> {
        let gap = match (self.watched, self.hurried) {
            (false, _) => UNWATCHED_PERIOD,
            (true, true) => self.period / 2,
            (true, false) => self.period,
        };
        let due = self.last_tick.map_or(now, |last| last + gap);
        self.wanted_at.map(|_| due)
    }

    /// Notes that a tick happened, after which `callbacks` wait to be sent.
    pub(crate) fn ticked(&mut self, now: Instant, callbacks: bool) {
        self.wanted_at = None;
        self.hurried = false;
        self.last_tick = Some(now);
        let delay = if self.watched {
            self.period / 2
        } else {
            Duration::ZERO
        };
        // Callbacks of an earlier tick may still wait; they are not put off.
        let at = callbacks.then(|| now + delay);
        self.callbacks_at = self.callbacks_at.or(at);
    }

    /// When programs are told to draw.
    pub(crate) const fn callbacks_at(&self) -> Option<Instant> {
        self.callbacks_at
    }

    /// Notes that programs were told to draw.
    pub(crate) const fn called_back(&mut self) {
        self.callbacks_at = None;
    }
}

/// The fastest clock.
const REFRESH_HZ_MAX: u32 = 240;

/// The time between two ticks while nobody watches.
const UNWATCHED_PERIOD: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use super::*;

    fn watched() -> FrameClock {
        let mut clock = FrameClock::new(100);
        clock.set_watched(true);
        clock
    }

    #[test]
    fn a_clock_that_nobody_needs_stands_still() {
        let now = Instant::now();
        let mut clock = watched();
        assert_eq!(clock.tick_at(now), None);
        clock.want();
        clock.ticked(now, false);
        assert_eq!((clock.tick_at(now), clock.callbacks_at()), (None, None));
    }

    #[test]
    fn the_first_tick_comes_at_once_and_the_next_a_period_later() {
        let now = Instant::now();
        let mut clock = watched();
        clock.want();
        assert_eq!(clock.tick_at(now), Some(now));
        clock.ticked(now, true);
        assert_eq!(clock.callbacks_at(), Some(now + Duration::from_millis(5)));
        clock.want();
        assert_eq!(clock.tick_at(now), Some(now + Duration::from_millis(10)));
        let later = now + Duration::from_secs(1);
        assert!(clock.tick_at(later).is_some_and(|due| due < later));
    }

    #[test]
    fn callbacks_that_wait_outlive_a_tick() {
        let now = Instant::now();
        let mut clock = watched();
        clock.ticked(now, true);
        let due = clock.callbacks_at();
        clock.ticked(now + Duration::from_millis(10), false);
        assert_eq!(clock.callbacks_at(), due);
        clock.called_back();
        assert_eq!(clock.callbacks_at(), None);
    }

    #[test]
    fn input_brings_callbacks_and_the_next_tick_forward() {
        let now = Instant::now();
        let mut clock = watched();
        clock.ticked(now, true);
        let at = now + Duration::from_millis(1);
        clock.input(at, true);
        clock.want();
        assert_eq!(clock.callbacks_at(), Some(at));
        assert_eq!(clock.tick_at(at), Some(now + Duration::from_millis(5)));
    }

    #[test]
    fn an_unwatched_clock_is_slow_and_wakes_for_a_viewer() {
        let now = Instant::now();
        let mut clock = FrameClock::new(60);
        clock.ticked(now, true);
        assert_eq!(clock.callbacks_at(), Some(now));
        clock.called_back();
        clock.want();
        assert_eq!(clock.tick_at(now), Some(now + UNWATCHED_PERIOD));
        clock.set_watched(true);
        assert_eq!(clock.tick_at(now), Some(now));
    }
}
