//! Whether the link is slow enough for predictions to help.

use crate::mode::Preference;

/// A round trip above this many milliseconds makes predictions visible.
pub(crate) const SHOW_ABOVE_MS: f32 = 30.0;
/// At or below this they go again, once none is outstanding.
pub(crate) const HIDE_BELOW_MS: f32 = 20.0;
/// A round trip above this has them underlined as guesses.
pub(crate) const UNDERLINE_ABOVE_MS: f32 = 80.0;
/// At or below this the lines under them go again.
pub(crate) const PLAIN_BELOW_MS: f32 = 50.0;
/// A prediction without an answer for this long is a glitch: predictions are shown on a fast link too.
pub(crate) const GLITCH_MS: u64 = 250;
/// One without an answer for this long has them underlined too.
pub(crate) const GLITCH_LONG_MS: u64 = 5_000;
/// Quick confirmations that cure a glitch.
const CURE_COUNT: u8 = 10;
/// Confirmations closer together than this count as one.
const CURE_INTERVAL_MS: u64 = 150;
/// Longer measurements count as this much: a suspended laptop is no slow link.
const RTT_MAX_MS: f32 = 5_000.0;
/// What a new measurement weighs.
const RTT_GAIN: f32 = 0.125;

/// The link's quality, and what follows from it.
#[derive(Debug, Default)]
pub(crate) struct Link {
    rtt_ms: Option<f32>,
    is_slow: bool,
    is_very_slow: bool,
    /// Quick confirmations that are still wanted.
    glitch: u8,
    cured_at: Option<u64>,
}

impl Link {
    /// Takes a measured round trip; nonsense is ignored.
    pub(crate) fn measured(&mut self, rtt_ms: f32) {
        if !rtt_ms.is_finite() || rtt_ms < 0.0 {
            return;
        }
        let rtt_ms = rtt_ms.min(RTT_MAX_MS);
        self.rtt_ms = Some(match self.rtt_ms {
            Some(smoothed) => smoothed + RTT_GAIN * (rtt_ms - smoothed),
            None => rtt_ms,
        });
    }

    /// The smoothed round trip; 0 when none was measured.
    pub(crate) fn rtt_ms(&self) -> u64 {
        // Clamped when measured, so nothing is cut off but the fraction.
        #[allow(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "0 to RTT_MAX_MS"
        )]
        let whole = self.rtt_ms.unwrap_or(0.0) as u64;
        whole
    }

    /// Draws the conclusions; `is_idle` when no prediction is outstanding.
    pub(crate) fn update(&mut self, is_idle: bool) {
        let Some(rtt_ms) = self.rtt_ms else { return };
        if rtt_ms > SHOW_ABOVE_MS {
            self.is_slow = true;
        } else if rtt_ms <= HIDE_BELOW_MS && is_idle {
            self.is_slow = false;
        }
        if rtt_ms > UNDERLINE_ABOVE_MS {
            self.is_very_slow = true;
        } else if rtt_ms <= PLAIN_BELOW_MS {
            self.is_very_slow = false;
        }
    }

    /// A prediction is outstanding for this long.
    pub(crate) fn waited(&mut self, waited_ms: u64) {
        if waited_ms >= GLITCH_LONG_MS {
            self.glitch = 2 * CURE_COUNT;
        } else if waited_ms >= GLITCH_MS {
            self.glitch = self.glitch.max(CURE_COUNT);
        }
    }

    /// A prediction proved right this long after it was made.
    pub(crate) fn confirmed(&mut self, now_ms: u64, waited_ms: u64) {
        let due = self
            .cured_at
            .is_none_or(|at| now_ms.saturating_sub(at) >= CURE_INTERVAL_MS);
        if waited_ms < GLITCH_MS && self.glitch > 0 && due {
            self.glitch -= 1;
            self.cured_at = Some(now_ms);
        }
    }

    /// Whether predictions are to be seen.
    pub(crate) fn shows(&self, preference: Preference) -> bool {
        match preference {
            Preference::Never => false,
            Preference::Adaptive => self.is_slow || self.glitch > 0,
            Preference::Always => true,
        }
    }

    /// Whether they are to be marked as guesses.
    pub(crate) fn underlines(&self) -> bool {
        self.is_very_slow || self.glitch > CURE_COUNT
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settled(rtt_ms: f32) -> Link {
        let mut link = Link::default();
        link.measured(rtt_ms);
        link.update(true);
        link
    }

    #[test]
    fn a_fast_link_shows_nothing_and_a_slow_one_does() {
        assert!(!settled(30.0).shows(Preference::Adaptive));
        assert!(settled(31.0).shows(Preference::Adaptive));
        assert!(!settled(80.0).underlines());
        assert!(settled(81.0).underlines());
        assert!(settled(1.0).shows(Preference::Always));
        assert!(!settled(500.0).shows(Preference::Never));
    }

    #[test]
    fn what_shows_goes_on_until_the_link_is_clearly_fast_and_idle() {
        let mut link = settled(100.0);
        link.rtt_ms = Some(25.0);
        link.update(true);
        assert!(link.shows(Preference::Adaptive));
        link.rtt_ms = Some(20.0);
        link.update(false);
        assert!(
            link.shows(Preference::Adaptive),
            "not under the eyes of the user"
        );
        link.update(true);
        assert!(!link.shows(Preference::Adaptive));
    }

    #[test]
    fn a_glitch_shows_predictions_until_ten_quick_answers_apart() {
        let mut link = settled(5.0);
        link.waited(249);
        assert!(!link.shows(Preference::Adaptive));
        link.waited(250);
        assert!(link.shows(Preference::Adaptive) && !link.underlines());
        for answer in 0..10_u64 {
            assert!(link.shows(Preference::Adaptive));
            link.confirmed(1_000 + answer * 150, 10);
            link.confirmed(1_001 + answer * 150, 10);
        }
        assert!(!link.shows(Preference::Adaptive));
        link.waited(5_000);
        assert!(link.underlines());
    }

    #[test]
    fn nonsense_is_no_measurement() {
        let mut link = settled(100.0);
        for rtt_ms in [f32::NAN, f32::INFINITY, -1.0] {
            link.measured(rtt_ms);
        }
        assert_eq!(link.rtt_ms(), 100);
    }
}
