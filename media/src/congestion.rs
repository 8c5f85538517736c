//! How much one viewer's network carries, from what it tells of every packet's arrival.
//!
//! There is no limit until there is a reason for one. When packets arrive ever later, or many not at
//! all, the network carries less than is sent: the limit becomes a part of what did arrive. After a
//! quiet moment it grows again, and goes when it reaches what the encoder may use anyway.

use std::time::{Duration, Instant};

/// What the receiver told of the packets since its last report.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Report {
    /// Packets that it speaks of.
    pub(crate) packets: u32,
    /// The part of them that did not arrive, 0..=1.
    pub(crate) lost: f64,
    /// What arrived, in kbit/s.
    pub(crate) received_kbps: u32,
    /// How much later the last of them was than the first, compared with when they were sent.
    pub(crate) later: f64,
}

/// Decides the limit of one viewer.
#[derive(Debug, Default)]
pub(crate) struct Congestion {
    limit_kbps: Option<u32>,
    /// How long packets wait on the way, in seconds, above the least that was seen.
    queued: f64,
    /// Reports in a row with many losses.
    lossy: u32,
    /// When the limit was lowered.
    lowered_at: Option<Instant>,
    raised_at: Option<Instant>,
}

impl Congestion {
    /// The most kbit/s, if there is a reason for a limit.
    pub(crate) fn limit_kbps(&self) -> Option<u32> {
        self.limit_kbps
    }

    /// Takes a report; true when the limit changed. `ceiling_kbps` is what the encoder may use.
    pub(crate) fn on_report(&mut self, now: Instant, report: Report, ceiling_kbps: u32) -> bool {
        if report.packets == 0 {
            return false;
        }
        // Clocks drift and rounding adds up, so that what was long ago counts less and less.
        self.queued = (self.queued * FORGET + report.later).max(0.0);
        let is_lossy = report.lost > LOSS_MAX && report.packets >= PACKETS_MIN;
        self.lossy = if is_lossy { self.lossy + 1 } else { 0 };
        let congested = self.queued > QUEUED_MAX || self.lossy >= 2;
        let before = self.limit_kbps;
        if congested {
            self.lower(now, report, ceiling_kbps);
        } else {
            self.raise(now, report, ceiling_kbps);
        }
        self.limit_kbps != before
    }

    fn lower(&mut self, now: Instant, report: Report, ceiling_kbps: u32) {
        let since = |at: Instant| now.saturating_duration_since(at);
        if self.lowered_at.is_some_and(|at| since(at) < STEP) {
            return;
        }
        self.lowered_at = Some(now);
        self.raised_at = Some(now);
        // What waits has to drain before new packets pass; half of it in one step is soon enough.
        self.queued /= 2.0;
        let have = self.limit_kbps.unwrap_or(ceiling_kbps);
        let carried = report.received_kbps.max(FLOOR_KBPS);
        self.limit_kbps = Some(part(have.min(carried), LOWER).max(FLOOR_KBPS));
    }

    fn raise(&mut self, now: Instant, report: Report, ceiling_kbps: u32) {
        let Some(limit) = self.limit_kbps else { return };
        // What is not used proves nothing about the network.
        if report.received_kbps < part(limit, USED) {
            return;
        }
        let since = |at: Option<Instant>| at.map(|at| now.saturating_duration_since(at));
        if since(self.lowered_at).is_some_and(|quiet| quiet < HOLD) {
            return;
        }
        if since(self.raised_at).is_some_and(|quiet| quiet < STEP) {
            return;
        }
        self.raised_at = Some(now);
        let more = part(limit, RAISE).max(limit + 1);
        self.limit_kbps = (more < ceiling_kbps).then_some(more);
    }
}

/// A part of a rate.
fn part(kbps: u32, percent: u32) -> u32 {
    let part = u64::from(kbps) * u64::from(percent) / 100;
    u32::try_from(part).unwrap_or(u32::MAX)
}

/// What is left of the queue's estimate at each report; there are some ten a second.
const FORGET: f64 = 0.95;

/// A queue of so many seconds is one that grows, and no jitter.
const QUEUED_MAX: f64 = 0.08;

/// Losses up to this part are repaired by sending again, and slowing down would not help.
const LOSS_MAX: f64 = 0.15;

/// Fewer packets tell nothing about losses.
const PACKETS_MIN: u32 = 8;

/// What is left of the rate that arrived, in percent.
const LOWER: u32 = 80;

/// The next limit, in percent of the last.
const RAISE: u32 = 104;

/// The part of the limit that has to arrive before more is tried, in percent.
const USED: u32 = 50;

/// The least time from one change to the next.
const STEP: Duration = Duration::from_millis(200);

/// How long everything has to be well before the limit grows.
const HOLD: Duration = Duration::from_secs(2);

/// The least limit; below it a viewer loses pictures instead.
const FLOOR_KBPS: u32 = 300;

#[cfg(test)]
mod tests {
    use super::*;

    const CEILING: u32 = 6000;
    const TICK: Duration = Duration::from_millis(100);

    /// A link that carries so much and keeps a queue, seen through reports.
    struct Link {
        carries_kbps: f64,
        queue_max: f64,
        queue: f64,
    }

    /// A link that carries so many kbit/s and keeps 0.3 s of packets waiting.
    fn link(carries_kbps: f64) -> Link {
        Link {
            carries_kbps,
            queue_max: 0.3,
            queue: 0.0,
        }
    }

    impl Link {
        /// What a tenth of a second at this rate brings.
        fn send(&mut self, kbps: f64) -> Report {
            let before = self.queue;
            let wanted = self.queue + kbps / self.carries_kbps * 0.1 - 0.1;
            self.queue = wanted.clamp(0.0, self.queue_max);
            let lost =
                ((wanted - self.queue_max).max(0.0) / 0.1 * self.carries_kbps / kbps).min(1.0);
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "small"
            )]
            Report {
                packets: 40,
                lost,
                received_kbps: kbps.min(self.carries_kbps) as u32,
                later: self.queue - before,
            }
        }
    }

    /// Lets an encoder that wants `wants` kbit/s run for some seconds; the means of rate and queue
    /// over the last half.
    fn run(link: &mut Link, congestion: &mut Congestion, wants: f64, seconds: u32) -> (f64, f64) {
        let start = Instant::now() + Duration::from_secs(1000);
        let (mut rates, mut queues, mut count) = (0.0, 0.0, 0.0);
        for tick in 0..seconds * 10 {
            let limit = congestion.limit_kbps().map_or(f64::MAX, f64::from);
            let report = link.send(wants.min(limit));
            congestion.on_report(start + TICK * tick, report, CEILING);
            if tick >= seconds * 5 {
                rates += wants.min(limit);
                queues += link.queue;
                count += 1.0;
            }
        }
        (rates / count, queues / count)
    }

    #[test]
    fn a_thin_link_is_filled_and_its_queue_stays_short() {
        let mut link = link(2500.0);
        let mut congestion = Congestion::default();
        let (rate, queue) = run(&mut link, &mut congestion, 6000.0, 60);
        assert!((1700.0..=2500.0).contains(&rate), "{rate} kbit/s");
        assert!(queue < 0.12, "{queue} s");
    }

    #[test]
    fn a_link_that_carries_everything_has_no_limit() {
        let mut link = link(50_000.0);
        let mut congestion = Congestion::default();
        run(&mut link, &mut congestion, 6000.0, 30);
        assert_eq!(congestion.limit_kbps(), None);
    }

    #[test]
    fn a_link_that_recovers_loses_its_limit() {
        let mut link = link(1000.0);
        let mut congestion = Congestion::default();
        run(&mut link, &mut congestion, 6000.0, 20);
        assert!(congestion.limit_kbps().is_some_and(|limit| limit <= 1100));
        link.carries_kbps = 50_000.0;
        run(&mut link, &mut congestion, 6000.0, 60);
        assert_eq!(congestion.limit_kbps(), None);
    }

    #[test]
    fn a_limit_that_is_not_used_stays() {
        let mut link = link(1000.0);
        let mut congestion = Congestion::default();
        run(&mut link, &mut congestion, 6000.0, 20);
        let (rate, _) = run(&mut link, &mut congestion, 100.0, 60);
        assert!(rate < 101.0);
        assert!(congestion.limit_kbps().is_some_and(|limit| limit <= 1100));
    }

    #[test]
    fn random_losses_are_no_congestion_and_collapse_is() {
        let report = |lost: f64| Report {
            packets: 40,
            lost,
            received_kbps: 3000,
            later: 0.0,
        };
        let start = Instant::now();
        let mut congestion = Congestion::default();
        for tick in 0..100 {
            congestion.on_report(start + TICK * tick, report(0.05), CEILING);
        }
        assert_eq!(congestion.limit_kbps(), None);
        for tick in 100..103 {
            congestion.on_report(start + TICK * tick, report(0.5), CEILING);
        }
        assert_eq!(congestion.limit_kbps(), Some(2400));
    }

    #[test]
    fn jitter_is_no_congestion() {
        let start = Instant::now();
        let mut congestion = Congestion::default();
        for tick in 0..600 {
            let later = if tick % 2 == 0 { 0.03 } else { -0.03 };
            let report = Report {
                packets: 40,
                lost: 0.0,
                received_kbps: 3000,
                later,
            };
            congestion.on_report(start + TICK * tick, report, CEILING);
        }
        assert_eq!(congestion.limit_kbps(), None);
    }
}
