//! How long pictures took to those who see them, stage by stage.

use std::time::{Duration, Instant};

use vroom_media::{StageHistogram, StageLatency, StageSamples, Stamps};
use vroom_protocol::graphical::{Latency, Shown};

/// The way of one picture to one viewer: how long it took in each of [`STAGES`].
///
/// The last one is the whole way, and the others add up to it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Way([Duration; STAGES.len()]);

impl Way {
    /// Joins what was noted here with what the viewer tells.
    ///
    /// `clock` is where the clock of that viewer's connection starts. `None` for what cannot be.
    pub(crate) fn new(
        stamps: &Stamps,
        sent_at: Instant,
        clock: Instant,
        shown: &Shown,
    ) -> Option<Self> {
        let later = |at: Instant, us: u64| at.checked_add(Duration::from_micros(us));
        let received_at = later(clock, shown.received_us)?;
        let decoded_at = later(received_at, shown.decode_us.into())?;
        let presented_at = later(decoded_at, shown.present_us.into())?;
        let moments = [
            stamps.taken_at,
            stamps.converted_at,
            stamps.encoded_at,
            sent_at,
            received_at,
            decoded_at,
            presented_at,
        ];
        let mut stages = [Duration::ZERO; STAGES.len()];
        let mut reached = stamps.captured_at;
        for (stage, moment) in stages.iter_mut().zip(moments) {
            // Clocks agree to about a millisecond, and no stage ends before it begins.
            let end = reached.max(moment);
            *stage = end.saturating_duration_since(reached);
            reached = end;
        }
        let whole = reached.saturating_duration_since(stamps.captured_at);
        if let Some(last) = stages.last_mut() {
            *last = whole;
        }
        (whole < WAY_MAX).then_some(Self(stages))
    }
}

/// How long the last pictures took to one viewer.
#[derive(Debug, Default)]
pub(crate) struct Ways([StageSamples; STAGES.len()]);

impl Ways {
    /// Counts one.
    pub(crate) fn add(&mut self, way: &Way) {
        for (samples, time) in self.0.iter_mut().zip(way.0) {
            samples.add(time);
        }
    }

    /// Tells of these pictures what is told of those that left the encoder.
    pub(crate) fn tell(&self, latency: &mut Latency, part: fn(&StageLatency) -> Duration) {
        let told = [
            &mut latency.capture,
            &mut latency.convert,
            &mut latency.encode,
            &mut latency.packetise,
            &mut latency.network,
            &mut latency.decode,
            &mut latency.present,
            &mut latency.total,
        ];
        for (told, samples) in told.into_iter().zip(&self.0) {
            if !samples.is_empty() {
                *told = Some(milliseconds(part(&samples.latency())));
            }
        }
    }
}

/// How long all pictures took to all viewers.
#[derive(Clone, Debug, Default)]
pub(crate) struct WayHistograms([StageHistogram; STAGES.len()]);

impl WayHistograms {
    /// Counts one.
    pub(crate) fn add(&mut self, way: &Way) {
        for (histogram, time) in self.0.iter_mut().zip(way.0) {
            histogram.add(time);
        }
    }

    /// Each stage and its histogram.
    pub(crate) fn stages(&self) -> impl Iterator<Item = (&'static str, &StageHistogram)> {
        STAGES.into_iter().zip(&self.0)
    }
}

/// Milliseconds as they are told: to a tenth.
pub(crate) fn milliseconds(duration: Duration) -> f64 {
    (duration.as_secs_f64() * 10_000.0).round() / 10.0
}

/// What a picture passes, and the whole of it: from the first change that it shows to the encoder
/// taking it, to planes, to an access unit, to packets, to the last byte at the viewer, to a decoded
/// picture, to the screen.
const STAGES: [&str; 8] = [
    "capture",
    "convert",
    "encode",
    "packetise",
    "network",
    "decode",
    "present",
    "total",
];

/// Longer than anything that is still a live picture.
const WAY_MAX: Duration = Duration::from_secs(10);

#[cfg(test)]
mod tests {
    use super::*;

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    fn stamps(start: Instant) -> Stamps {
        Stamps {
            captured_at: start + ms(1000),
            taken_at: start + ms(1001),
            converted_at: start + ms(1003),
            encoded_at: start + ms(1007),
        }
    }

    fn shown(received_us: u64) -> Shown {
        Shown {
            rtp_time: 1,
            received_us,
            decode_us: 16_000,
            present_us: 32_000,
        }
    }

    #[test]
    fn the_stages_add_up() {
        let start = Instant::now();
        let (stamps, sent_at) = (stamps(start), start + ms(1008));
        let way = Way::new(&stamps, sent_at, start, &shown(1_016_000)).unwrap();
        assert_eq!(way.0, [1, 2, 4, 1, 8, 16, 32, 64].map(ms));
        // The viewer's clock is a millisecond behind.
        let way = Way::new(&stamps, sent_at, start, &shown(1_007_000)).unwrap();
        assert_eq!(way.0, [1, 2, 4, 1, 0, 15, 32, 55].map(ms));
        let mut all = WayHistograms::default();
        all.add(&way);
        let sums: Vec<_> = all.stages().map(|(_, histogram)| histogram.sum()).collect();
        assert_eq!(sums[..7].iter().sum::<Duration>(), sums[7]);
    }

    #[test]
    fn what_cannot_be_counts_nothing() {
        let start = Instant::now();
        for received_us in [u64::MAX, 60_000_000] {
            let way = Way::new(&stamps(start), start, start, &shown(received_us));
            assert_eq!(way, None);
        }
    }

    #[test]
    fn a_viewer_is_told_of_its_own_pictures_where_there_are_any() {
        let mut latency = Latency {
            capture: Some(7.0),
            age: Some(9.0),
            ..Latency::default()
        };
        let mut ways = Ways::default();
        ways.tell(&mut latency, |stage| stage.p50);
        assert_eq!((latency.capture, latency.total), (Some(7.0), None));
        let start = Instant::now();
        ways.add(&Way::new(&stamps(start), start + ms(1008), start, &shown(1_016_000)).unwrap());
        ways.tell(&mut latency, |stage| stage.p50);
        assert_eq!((latency.capture, latency.total), (Some(1.0), Some(64.0)));
        assert_eq!(latency.age, Some(9.0));
    }
}
