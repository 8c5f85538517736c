//! What an encoder measures about itself.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use vroom_desktop::Size;

/// What an encoder has done and how long it took.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct EncoderStats {
    /// The codec, `h264`.
    pub codec: &'static str,
    /// The element that encodes; empty while none runs.
    pub encoder: &'static str,
    /// The size of the desktop's picture.
    pub size: Size,
    /// The size that is encoded: the same, with both sides even.
    pub encoded_size: Size,
    /// Pictures in the last second.
    pub fps: u32,
    /// Kilobits in the last second.
    pub bitrate_kbps: u32,
    /// The bitrate that the encoder may not pass for long.
    pub bitrate_kbps_max: u32,
    /// From the first change that the picture shows to the encode thread taking it.
    pub capture: StageLatency,
    /// From there to planes.
    pub convert: StageLatency,
    /// From there to the access unit.
    pub encode: StageLatency,
    /// From the first change that the picture shows to the access unit being handed to all listeners.
    pub age: StageLatency,
    /// How often each of these took how long.
    pub histograms: StageHistograms,
    /// Access units so far.
    pub units: u64,
    /// How many of them were key frames.
    pub key_frames: u64,
    /// How many of them repeated an unchanged picture to sharpen it.
    pub refinements: u64,
    /// Bytes of all access units.
    pub bytes: u64,
    /// JPEG pictures so far.
    pub jpegs: u64,
    /// Times that the encode thread woke up.
    pub wakeups: u64,
    /// Times that an encoder failed and another was started.
    pub failures: u64,
    /// What the last failure said.
    pub last_failure: Option<String>,
    /// Encoders that are not used any more because they kept failing, and what they said.
    pub given_up: Vec<String>,
    /// Peers and feeds that take access units now.
    pub listeners: usize,
    /// Encodings that are made of the picture: two while somebody can take far less than others.
    /// What is said of pictures and bits is of the better one.
    pub encodings: usize,
}

/// How long one stage took, over the last pictures.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct StageLatency {
    /// Half were faster.
    pub p50: Duration,
    /// One in twenty was slower.
    pub p95: Duration,
    /// One in a hundred was slower.
    pub p99: Duration,
}

/// How often a stage took how long, since it was first counted.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct StageHistogram {
    /// One for each of [`BOUNDS`](Self::BOUNDS), and one for what took longer.
    counts: [u64; Self::BOUNDS.len() + 1],
    sum: Duration,
}

impl StageHistogram {
    /// The upper ends of the classes.
    pub const BOUNDS: [Duration; 13] = [
        Duration::from_micros(250),
        Duration::from_micros(500),
        Duration::from_millis(1),
        Duration::from_millis(2),
        Duration::from_millis(4),
        Duration::from_millis(6),
        Duration::from_millis(8),
        Duration::from_millis(12),
        Duration::from_millis(16),
        Duration::from_millis(25),
        Duration::from_millis(50),
        Duration::from_millis(100),
        Duration::from_millis(250),
    ];

    /// Counts one.
    pub fn add(&mut self, sample: Duration) {
        let class = Self::BOUNDS.iter().position(|bound| sample <= *bound);
        if let Some(count) = self.counts.get_mut(class.unwrap_or(Self::BOUNDS.len())) {
            *count += 1;
        }
        self.sum += sample;
    }

    /// Counts all of another.
    pub fn merge(&mut self, other: &Self) {
        for (count, more) in self.counts.iter_mut().zip(other.counts) {
            *count += more;
        }
        self.sum += other.sum;
    }

    /// For each bound how many took no longer.
    pub fn cumulative(&self) -> impl Iterator<Item = (Duration, u64)> {
        let mut so_far = 0;
        Self::BOUNDS
            .into_iter()
            .zip(self.counts)
            .map(move |(bound, count)| {
                so_far += count;
                (bound, so_far)
            })
    }

    /// How many there are.
    pub fn count(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// How long all took together.
    pub fn sum(&self) -> Duration {
        self.sum
    }
}

/// The histograms of all stages of one encoder.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct StageHistograms {
    /// See [`EncoderStats::capture`].
    pub capture: StageHistogram,
    /// See [`EncoderStats::convert`].
    pub convert: StageHistogram,
    /// See [`EncoderStats::encode`].
    pub encode: StageHistogram,
    /// See [`EncoderStats::age`].
    pub age: StageHistogram,
}

impl StageHistograms {
    /// Counts all of another.
    pub fn merge(&mut self, other: &Self) {
        self.capture.merge(&other.capture);
        self.convert.merge(&other.convert);
        self.encode.merge(&other.encode);
        self.age.merge(&other.age);
    }
}

/// Keeps the latencies of the last pictures, and counts those of all.
#[derive(Debug, Default)]
pub struct StageSamples(VecDeque<Duration>, StageHistogram);

impl StageSamples {
    /// Adds one; of more than 240 the oldest goes.
    pub fn add(&mut self, sample: Duration) {
        if self.0.len() == SAMPLES {
            self.0.pop_front();
        }
        self.0.push_back(sample);
        self.1.add(sample);
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// All of them.
    pub fn histogram(&self) -> StageHistogram {
        self.1.clone()
    }

    /// The quantiles.
    pub fn latency(&self) -> StageLatency {
        let mut sorted: Vec<_> = self.0.iter().copied().collect();
        sorted.sort_unstable();
        let at = |percent: usize| {
            let index = sorted.len().saturating_sub(1) * percent / 100;
            sorted.get(index).copied().unwrap_or_default()
        };
        StageLatency {
            p50: at(50),
            p95: at(95),
            p99: at(99),
        }
    }
}

/// Keeps the access units of the last second.
#[derive(Debug, Default)]
pub(crate) struct Throughput(VecDeque<(Instant, usize)>);

impl Throughput {
    /// Adds one; beyond [`WINDOW_UNITS`] the oldest goes.
    pub(crate) fn add(&mut self, now: Instant, bytes: usize) {
        if self.0.len() == WINDOW_UNITS {
            self.0.pop_front();
        }
        self.0.push_back((now, bytes));
    }

    /// Units and kilobits of the last second.
    pub(crate) fn last_second(&self, now: Instant) -> (u32, u32) {
        let recent = |(at, _): &&(Instant, usize)| now.saturating_duration_since(*at) < WINDOW;
        let (units, bytes) = self
            .0
            .iter()
            .rev()
            .take_while(recent)
            .fold((0_u32, 0_usize), |(units, all), (_, bytes)| {
                (units + 1, all + bytes)
            });
        (units, u32::try_from(bytes * 8 / 1000).unwrap_or(u32::MAX))
    }
}

/// Pictures that latencies are taken over.
const SAMPLES: usize = 240;

/// Pictures that can lie within the window, at the highest frame rate.
const WINDOW_UNITS: usize = 256;

/// The window that throughput is taken over.
const WINDOW: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_those_of_the_last_samples() {
        let mut samples = StageSamples::default();
        assert_eq!(samples.latency(), StageLatency::default());
        for _ in 0..50 {
            samples.add(Duration::from_secs(9));
        }
        for ms in 0..240 {
            samples.add(Duration::from_millis(ms));
        }
        let latency = samples.latency();
        assert_eq!(latency.p50, Duration::from_millis(119));
        assert_eq!(latency.p95, Duration::from_millis(227));
        assert_eq!(latency.p99, Duration::from_millis(236));
        assert_eq!(samples.histogram().count(), 290, "all are counted");
    }

    #[test]
    fn a_histogram_counts_up_to_each_bound() {
        let mut histogram = StageHistogram::default();
        for us in [250, 251, 3_000, 9_000_000] {
            histogram.add(Duration::from_micros(us));
        }
        let mut both = histogram.clone();
        both.merge(&histogram);
        assert_eq!((both.count(), both.sum()), (8, histogram.sum() * 2));
        let counts: Vec<_> = histogram.cumulative().map(|(_, count)| count).collect();
        assert_eq!(counts, [1, 2, 2, 2, 3, 3, 3, 3, 3, 3, 3, 3, 3]);
        assert_eq!(histogram.sum(), Duration::from_micros(9_003_501));
    }

    #[test]
    fn throughput_forgets_what_is_older_than_a_second() {
        let now = Instant::now();
        let mut throughput = Throughput::default();
        throughput.add(now, 1000);
        throughput.add(now + Duration::from_millis(900), 500);
        assert_eq!(
            throughput.last_second(now + Duration::from_millis(950)),
            (2, 12)
        );
        assert_eq!(
            throughput.last_second(now + Duration::from_millis(1500)),
            (1, 4)
        );
        assert_eq!(throughput.last_second(now + Duration::from_secs(5)), (0, 0));
    }
}
