//! How much a viewer may be sent that it has not parsed yet.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use vroom_protocol::terminal::PtyMessage;

/// How much a viewer may be sent that it has not parsed yet.
///
/// It begins with what the protocol says, grows while the viewer takes that as fast as the first
/// bytes, and shrinks when bytes wait for long: what lies before its terminal cannot be recalled.
#[derive(Debug)]
pub(super) struct Credit {
    window: u64,
    /// All up to here was parsed.
    acked: u64,
    /// What was sent last ends here.
    end: u64,
    /// The bytes on their way: what was sent and is not parsed yet, also before the last screen.
    flying: u64,
    /// The bytes since the last screen that this viewer does not get to see. Below zero while the end of
    /// a sequence came that was held back before the screen.
    removed: i64,
    /// What was sent and is not parsed yet, oldest first.
    flight: VecDeque<Flight>,
    /// When output came that is not parsed yet, oldest first.
    seen: VecDeque<(u64, Instant)>,
    /// The shortest time from sending to knowing that it was parsed.
    rtt_min: Option<Duration>,
    limited: bool,
    /// What may be sent though the window is full.
    lent: u64,
}

#[derive(Clone, Copy, Debug)]
struct Flight {
    /// Where it ends in the terminal's output.
    end: u64,
    /// Where it ends for the viewer.
    shown_end: u64,
    bytes: u64,
    at: Instant,
}

impl Credit {
    /// For a viewer that begins at an offset.
    pub(super) fn new(offset: u64) -> Self {
        Self {
            window: PtyMessage::CREDIT_BYTES,
            acked: offset,
            end: offset,
            flying: 0,
            removed: 0,
            flight: VecDeque::new(),
            seen: VecDeque::new(),
            rtt_min: None,
            limited: false,
            lent: 0,
        }
    }

    /// All up to here was parsed.
    pub(super) fn acked(&self) -> u64 {
        self.acked
    }

    /// Where an offset of the output is for the viewer.
    pub(super) fn to_viewer(&self, offset: u64) -> u64 {
        offset.saturating_add_signed(self.removed.saturating_neg())
    }

    /// How much more may be sent.
    pub(super) fn left(&self) -> u64 {
        let lent = PtyMessage::CREDIT_BYTES_MAX.saturating_sub(self.flying);
        let lent = self.lent.min(lent);
        self.window.saturating_sub(self.flying).max(lent)
    }

    /// Lets so much be sent though the window is full: what came before is shown to nobody any more.
    pub(super) fn lend(&mut self, bytes: u64) {
        self.lent = bytes;
    }

    /// How much was sent and is not parsed yet.
    pub(super) fn in_flight(&self) -> u64 {
        self.flying
    }

    /// Whether it takes long until the viewer has something, as far as is known.
    pub(super) fn is_slow(&self) -> bool {
        self.rtt_min.is_none_or(|rtt| rtt > FAST)
    }

    /// Whether it always takes long until the viewer has something.
    pub(super) fn is_far(&self) -> bool {
        self.rtt_min.is_some_and(|rtt| rtt > FAR)
    }

    /// When what waits will have waited for too long; `None` while there is no more than fits.
    pub(super) fn late_at(&self) -> Option<Instant> {
        let (_, at) = self.seen.front()?;
        let (end, _) = self.seen.back()?;
        let waiting = end.saturating_sub(self.end).saturating_add(self.flying);
        let late = if self.is_far() { LATE_FAR } else { LATE };
        (waiting > self.window).then(|| *at + late)
    }

    /// Whether nothing has been on its way for longer than it takes when nothing waits.
    ///
    /// More may be sent then, though the viewer has not said yet that it has what came before.
    pub(super) fn is_on_time(&self, now: Instant) -> bool {
        self.oldest()
            .is_none_or(|at| self.rtt_min.is_some_and(|rtt| now <= at + rtt + SLACK))
    }

    /// When the oldest of what is on its way was sent.
    pub(super) fn oldest(&self) -> Option<Instant> {
        self.flight.front().map(|first| first.at)
    }

    /// Notes that the output goes as far as this now.
    pub(super) fn saw(&mut self, now: Instant, end: u64) {
        let last = self.seen.back().map_or(self.acked, |(end, _)| *end);
        let is_far = end >= last.saturating_add(STEP);
        if end > last && (is_far || self.seen.is_empty()) {
            if self.seen.len() >= STEPS {
                // What came first counts; the newest one moves.
                self.seen.pop_back();
            }
            self.seen.push_back((end, now));
        }
    }

    /// Notes that bytes were sent up to this offset, and how many of them the viewer gets to see.
    pub(super) fn sent(&mut self, now: Instant, end: u64, length: u64, shown: u64) {
        let signed = |bytes: u64| i64::try_from(bytes).unwrap_or(i64::MAX);
        self.removed = self
            .removed
            .saturating_add(signed(length))
            .saturating_sub(signed(shown));
        self.end = end;
        self.lent = self.lent.saturating_sub(length);
        self.fly(now, end, shown);
        if self.left() == 0 {
            self.limited = true;
        }
    }

    /// Notes that the screen was sent, which the output continues from this offset on.
    pub(super) fn repainted(&mut self, now: Instant, offset: u64) {
        self.end = offset;
        self.removed = 0;
        self.seen.clear();
        self.fly(now, offset, 0);
    }

    /// Takes the viewer's word that all up to here was parsed.
    ///
    /// What was never sent, and what goes backwards, counts as nothing.
    pub(super) fn acknowledge(&mut self, now: Instant, shown: u64) {
        let mut parsed = self.acked;
        let mut sent_at = None;
        while let Some(first) = self.flight.front().filter(|first| first.shown_end <= shown) {
            parsed = parsed.max(first.end);
            sent_at = Some(first.at);
            self.flying = self.flying.saturating_sub(first.bytes);
            self.flight.pop_front();
        }
        if self.removed == 0 && shown <= self.end {
            parsed = parsed.max(shown);
        }
        self.acked = parsed;
        while self.seen.front().is_some_and(|(end, _)| *end <= parsed) {
            self.seen.pop_front();
        }
        if let Some(sent_at) = sent_at {
            self.adapt(now.saturating_duration_since(sent_at));
        }
    }

    fn fly(&mut self, now: Instant, end: u64, bytes: u64) {
        if bytes == 0 && end <= self.acked {
            // Nobody says again that they parsed what they said they had.
            return;
        }
        self.flying = self.flying.saturating_add(bytes);
        let merged = if self.flight.len() >= FLIGHTS {
            self.flight.pop_back().map_or(0, |last| last.bytes)
        } else {
            0
        };
        self.flight.push_back(Flight {
            end,
            shown_end: self.to_viewer(end),
            bytes: bytes.saturating_add(merged),
            at: now,
        });
    }

    fn adapt(&mut self, rtt: Duration) {
        let least = self.rtt_min.map_or(rtt, |least| least.min(rtt));
        self.rtt_min = Some(least);
        if rtt > least * 2 + SLACK {
            self.window = (self.window / 4 * 3).max(WINDOW_MIN);
        } else if std::mem::take(&mut self.limited) {
            self.window = (self.window / 4 * 5).min(WINDOW_MAX);
        }
    }
}

/// Whoever has something after this time is near.
const FAST: Duration = Duration::from_millis(5);

/// What waits for longer than this is not worth sending any more; the screen says as much.
const LATE: Duration = Duration::from_millis(200);

/// Whoever has nothing before this time is far.
const FAR: Duration = Duration::from_millis(20);

/// The same for who is far, where what waits is shown still later.
const LATE_FAR: Duration = Duration::from_millis(100);

/// Bytes may wait this much longer than the first did.
const SLACK: Duration = Duration::from_millis(25);

/// The least that may be on its way: as much as a client parses before it says so.
const WINDOW_MIN: u64 = PtyMessage::ACK_BYTES;

/// The most that may be; what is lent comes on top of it.
const WINDOW_MAX: u64 = PtyMessage::CREDIT_BYTES_MAX - super::AFTER_INTERRUPT_MAX;

/// How finely the age of output is known.
const STEP: u64 = 16 * 1024;

/// The ages that are kept; then the newest is less exact.
const STEPS: usize = 64;

/// The messages on their way that are told apart; then the newest count as one.
const FLIGHTS: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;

    const MS: Duration = Duration::from_millis(1);

    #[test]
    fn no_more_is_sent_than_was_parsed_and_the_window() {
        let (mut credit, now) = (Credit::new(0), Instant::now());
        assert_eq!(credit.left(), PtyMessage::CREDIT_BYTES);
        credit.sent(now, 150_000, 150_000, 150_000);
        credit.sent(now, 200_000, 50_000, 50_000);
        assert_eq!(credit.in_flight(), 200_000);
        credit.acknowledge(now + MS, 150_000);
        assert_eq!((credit.acked(), credit.in_flight()), (150_000, 50_000));
        // What was never sent, and what goes back, counts as nothing.
        credit.acknowledge(now + MS, u64::MAX);
        credit.acknowledge(now + MS, 7);
        assert_eq!((credit.acked(), credit.in_flight()), (200_000, 0));
    }

    #[test]
    fn a_screen_gives_no_credit_to_who_has_not_parsed_what_came_before() {
        let (mut credit, now) = (Credit::new(0), Instant::now());
        let all = PtyMessage::CREDIT_BYTES;
        credit.sent(now, all, all, all);
        credit.repainted(now, 10 * all);
        assert_eq!(credit.left(), 0);
        credit.acknowledge(now, 10 * all);
        assert_eq!((credit.in_flight(), credit.acked()), (0, 10 * all));
    }

    #[test]
    fn what_is_lent_is_there_once_though_the_window_is_full() {
        let (mut credit, now) = (Credit::new(0), Instant::now());
        let all = PtyMessage::CREDIT_BYTES;
        credit.sent(now, all, all, all);
        credit.repainted(now, 2 * all);
        credit.lend(1000);
        assert_eq!(credit.left(), 1000);
        credit.sent(now, 2 * all + 600, 600, 600);
        assert_eq!(credit.left(), 400);
        credit.sent(now, 2 * all + 1000, 400, 400);
        assert_eq!(credit.left(), 0);
        credit.lend(1000);
        credit.acknowledge(now, 2 * all + 1000);
        assert!(credit.left() >= all, "the window is as it was");
        credit.sent(now, 10 * all, 4 * all, 4 * all);
        assert_eq!(credit.left(), 0, "no more than a client ever has to take");
    }

    #[test]
    fn a_screen_that_skips_nothing_is_not_waited_for() {
        let (mut credit, now) = (Credit::new(5000), Instant::now());
        credit.repainted(now, 5000);
        assert_eq!((credit.acked(), credit.oldest()), (5000, None));
        credit.sent(now, 6000, 1000, 1000);
        credit.acknowledge(now, 6000);
        credit.repainted(now, 6000);
        assert_eq!((credit.acked(), credit.oldest()), (6000, None));
        credit.repainted(now, 9000);
        assert_eq!(credit.oldest(), Some(now), "this one skips something");
    }

    #[test]
    fn the_window_grows_with_a_fast_viewer_and_shrinks_with_a_slow_one() {
        let (mut credit, mut now) = (Credit::new(0), Instant::now());
        let mut offset = 0;
        let mut round = |credit: &mut Credit, took: Duration| {
            let length = credit.left();
            offset += length;
            credit.sent(now, offset, length, length);
            now += took;
            credit.acknowledge(now, offset);
            credit.left()
        };
        for _ in 0..20 {
            round(&mut credit, 10 * MS);
        }
        assert_eq!(round(&mut credit, 10 * MS), WINDOW_MAX);
        for _ in 0..20 {
            round(&mut credit, 500 * MS);
        }
        assert_eq!(round(&mut credit, 500 * MS), WINDOW_MIN);
    }

    #[test]
    fn only_what_waits_for_long_is_late() {
        let (mut credit, now) = (Credit::new(0), Instant::now());
        credit.saw(now, 100);
        assert_eq!(credit.late_at(), None, "it fits");
        credit.saw(now + MS, 10_000_000);
        assert_eq!(credit.late_at(), Some(now + LATE));
        credit.sent(now, 200_000, 200_000, 200_000);
        credit.acknowledge(now + 5 * MS, 200_000);
        assert_eq!(
            credit.late_at(),
            Some(now + MS + LATE),
            "the oldest is gone"
        );
        let mut far = Credit::new(0);
        far.sent(now, 1, 1, 1);
        far.acknowledge(now + 50 * MS, 1);
        far.saw(now, 10_000_000);
        assert_eq!(far.late_at(), Some(now + LATE_FAR));
    }

    #[test]
    fn what_takes_longer_than_usual_is_not_on_time() {
        let (mut credit, now) = (Credit::new(0), Instant::now());
        assert!(credit.is_on_time(now), "nothing is on its way");
        credit.sent(now, 1, 1, 1);
        assert!(!credit.is_on_time(now), "nobody knows how long it takes");
        credit.acknowledge(now + 100 * MS, 1);
        credit.repainted(now + 200 * MS, 1000);
        assert!(credit.is_on_time(now + 300 * MS));
        assert!(!credit.is_on_time(now + 400 * MS));
    }

    #[test]
    fn a_viewer_that_does_not_see_everything_counts_what_it_sees() {
        let (mut credit, now) = (Credit::new(1000), Instant::now());
        credit.sent(now, 2000, 1000, 400);
        assert_eq!(credit.to_viewer(2000), 1400);
        credit.acknowledge(now, 1400);
        assert_eq!(credit.acked(), 2000);
        credit.repainted(now, 5000);
        assert_eq!(credit.to_viewer(5000), 5000);
        credit.acknowledge(now, 5000);
        assert_eq!((credit.acked(), credit.in_flight()), (5000, 0));
        // What was held back before the screen comes with what completes it.
        credit.sent(now, 5010, 10, 25);
        assert_eq!(credit.to_viewer(5010), 5025);
        credit.acknowledge(now, 5025);
        assert_eq!((credit.acked(), credit.in_flight()), (5010, 0));
    }
}
