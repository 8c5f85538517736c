//! One direction of an emulated link, as a pure machine: packets and times go in, packets come out.

use std::collections::VecDeque;
use std::num::NonZeroU64;
use std::time::Duration;

use super::Random;

/// Packets under way in one direction; further ones are dropped as a full queue drops them.
pub const IN_FLIGHT_MAX: usize = 65_536;

/// What a direction does to packets.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    /// How long every packet travels.
    pub delay: Duration,
    /// The part of the packets that is lost, 0 to 1.
    pub loss: f64,
    /// Bytes per second of the line; `None` for a line that is never busy.
    pub rate_bytes: Option<NonZeroU64>,
    /// Bytes that may wait for the line; a packet beyond them is dropped.
    pub queue_bytes: u64,
}

/// One direction of a link.
///
/// Time is a duration since any moment that all calls share, and never goes back.
#[derive(Debug)]
pub struct Shaper {
    shape: Shape,
    random: Random,
    /// When the line has sent all that it took.
    line_free_at: Duration,
    /// Packets under way with the time of their arrival, in order.
    under_way: VecDeque<(Duration, Vec<u8>)>,
    counts: Counts,
}

/// What became of the packets.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Counts {
    /// Packets that were put in.
    pub offered: u64,
    /// Packets lost by chance.
    pub lost: u64,
    /// Packets dropped because the queue was full.
    pub dropped: u64,
}

impl Shaper {
    /// An idle direction; the same seed loses the same packets.
    pub fn new(shape: Shape, seed: u64) -> Self {
        Self {
            shape,
            random: Random::new(seed),
            line_free_at: Duration::ZERO,
            under_way: VecDeque::new(),
            counts: Counts::default(),
        }
    }

    /// Puts in a packet.
    pub fn push(&mut self, now: Duration, packet: Vec<u8>) {
        self.counts.offered += 1;
        // One number per packet, whatever becomes of it, keeps the sequence the same.
        if self.random.unit() < self.shape.loss {
            self.counts.lost += 1;
            return;
        }
        let begins = self.line_free_at.max(now);
        let takes = self.sending(packet.len());
        let full = self.backlog_bytes(now) + packet.len() as u64 > self.shape.queue_bytes;
        if full || self.under_way.len() >= IN_FLIGHT_MAX {
            self.counts.dropped += 1;
            return;
        }
        self.line_free_at = begins + takes;
        self.under_way
            .push_back((self.line_free_at + self.shape.delay, packet));
    }

    /// When the next packet arrives.
    pub fn next_due(&self) -> Option<Duration> {
        self.under_way.front().map(|(due, _)| *due)
    }

    /// The next packet that has arrived by now, with the time at which it did.
    pub fn pop(&mut self, now: Duration) -> Option<(Duration, Vec<u8>)> {
        if self.next_due()? > now {
            return None;
        }
        self.under_way.pop_front()
    }

    /// What became of the packets so far.
    pub fn counts(&self) -> Counts {
        self.counts
    }

    /// How long the line takes for that many bytes.
    fn sending(&self, bytes: usize) -> Duration {
        match self.shape.rate_bytes {
            Some(rate) => Duration::from_nanos((bytes as u64).saturating_mul(SECOND_NS) / rate),
            None => Duration::ZERO,
        }
    }

    /// Bytes that the line has taken and not sent yet.
    fn backlog_bytes(&self, now: Duration) -> u64 {
        let Some(rate) = self.shape.rate_bytes else {
            return 0;
        };
        let busy_for = self.line_free_at.saturating_sub(now);
        let bytes = busy_for.as_nanos() * u128::from(rate.get()) / u128::from(SECOND_NS);
        u64::try_from(bytes).unwrap_or(u64::MAX)
    }
}

const SECOND_NS: u64 = 1_000_000_000;

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    const PERFECT: Shape = Shape {
        delay: Duration::from_millis(50),
        loss: 0.0,
        rate_bytes: None,
        queue_bytes: u64::MAX,
    };

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    /// Numbers of the packets that arrive when `count` are sent one per millisecond.
    fn survivors(shape: Shape, seed: u64, count: u32) -> Vec<u32> {
        let mut shaper = Shaper::new(shape, seed);
        for number in 0..count {
            shaper.push(ms(number.into()), number.to_be_bytes().to_vec());
        }
        std::iter::from_fn(|| shaper.pop(Duration::MAX))
            .map(|(_, packet)| u32::from_be_bytes(packet.try_into().unwrap()))
            .collect()
    }

    #[test]
    fn a_packet_arrives_after_the_delay_and_not_before() {
        let mut shaper = Shaper::new(PERFECT, 1);
        shaper.push(ms(10), vec![7]);
        assert_eq!(shaper.next_due(), Some(ms(60)));
        assert_eq!(shaper.pop(ms(59)), None);
        assert_eq!(shaper.pop(ms(60)), Some((ms(60), vec![7])));
        assert_eq!(shaper.next_due(), None);
    }

    #[test]
    fn the_same_seed_loses_the_same_packets() {
        let lossy = Shape {
            loss: 0.02,
            ..PERFECT
        };
        let first = survivors(lossy, 42, 10_000);
        assert_eq!(first, survivors(lossy, 42, 10_000));
        assert_ne!(first, survivors(lossy, 43, 10_000));
        let lost = 10_000 - first.len();
        assert!((120..=280).contains(&lost), "{lost} of 10,000 lost");
        assert!(first.is_sorted(), "order is kept");
    }

    #[test]
    fn no_loss_loses_nothing_and_all_loses_all() {
        assert_eq!(survivors(PERFECT, 9, 1000).len(), 1000);
        let deaf = Shape {
            loss: 1.0,
            ..PERFECT
        };
        assert_eq!(survivors(deaf, 9, 1000).len(), 0);
    }

    #[test]
    fn a_busy_line_delays_and_a_full_queue_drops() {
        let narrow = Shape {
            rate_bytes: NonZeroU64::new(1_000),
            queue_bytes: 250,
            ..PERFECT
        };
        let mut shaper = Shaper::new(narrow, 1);
        for _ in 0..4 {
            shaper.push(ms(0), vec![0; 100]);
        }
        let arrivals: Vec<Duration> = std::iter::from_fn(|| shaper.pop(Duration::MAX))
            .map(|(due, _)| due)
            .collect();
        assert_eq!(arrivals, [ms(150), ms(250)]);
        assert_eq!(
            shaper.counts(),
            Counts {
                offered: 4,
                lost: 0,
                dropped: 2
            }
        );
        // When the line has sent them, there is room again.
        shaper.push(ms(200), vec![0; 100]);
        assert_eq!(shaper.next_due(), Some(ms(350)));
    }

    #[test]
    fn packets_under_way_are_bounded() {
        let mut shaper = Shaper::new(PERFECT, 1);
        for _ in 0..IN_FLIGHT_MAX + 5 {
            shaper.push(ms(0), Vec::new());
        }
        assert_eq!(shaper.counts().dropped, 5);
    }
}
