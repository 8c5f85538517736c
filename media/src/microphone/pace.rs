//! Makes what a browser's clock measured fit the clock of this machine.

use std::time::{Duration, Instant};

use super::RATE;

/// Stretches or shortens sound by less than anybody hears, so that it comes out at 48000 samples a
/// second of this machine's clock: two clocks are apart by up to 100 ms in a quarter of an hour.
#[derive(Debug)]
pub(super) struct Pace {
    began_at: Instant,
    /// Samples out for each one in, if the clocks were the same.
    factor: f64,
    /// Samples of sound that came out since.
    written: f64,
    /// By how much it is stretched.
    ratio: f64,
    /// The least that the sound was late in this window, which is what no network added to.
    least: f64,
    window_ends: Instant,
    /// The same at first.
    usual: Option<f64>,
    /// The last samples of the block before.
    tail: [f32; TAIL],
    /// Where in the tail and the block after it the next sample comes from.
    position: f64,
}

impl Pace {
    /// Begins with the sound that comes now; `factor` samples come out for each one in.
    pub(super) fn new(now: Instant, factor: u32) -> Self {
        Self {
            began_at: now,
            factor: f64::from(factor),
            written: 0.0,
            ratio: 1.0,
            least: f64::INFINITY,
            window_ends: now + WINDOW,
            usual: None,
            tail: [0.0; TAIL],
            position: 1.0,
        }
    }

    /// Adds what comes of these samples to `out`.
    pub(super) fn push(&mut self, samples: &[i16], now: Instant, out: &mut Vec<i16>) {
        self.measure(now);
        let before = out.len();
        let input: Vec<f32> = self
            .tail
            .iter()
            .copied()
            .chain(samples.iter().map(|it| f32::from(*it)))
            .collect();
        let step = 1.0 / (self.ratio * self.factor);
        loop {
            let at = index(self.position);
            let Some([a, b, c, d]) = input.get(at - 1..at + 3) else {
                break;
            };
            out.push(sample(cubic([*a, *b, *c, *d], self.position.fract())));
            self.position += step;
        }
        self.position -= samples.len() as f64;
        if let Some(tail) = input.last_chunk() {
            self.tail = *tail;
        }
        self.written += (out.len() - before) as f64 / self.factor;
    }

    /// Looks how late the sound comes, and plays it faster or slower once a window has passed.
    fn measure(&mut self, now: Instant) {
        let passed = now.saturating_duration_since(self.began_at);
        let late = passed.as_secs_f64() - self.written / f64::from(RATE);
        self.least = self.least.min(late);
        if now < self.window_ends {
            return;
        }
        let least = std::mem::replace(&mut self.least, f64::INFINITY);
        self.window_ends = now + WINDOW;
        let off = least - *self.usual.get_or_insert(least);
        if off.abs() > JUMP {
            // No clock does that; a network did.
            self.usual = Some(least);
        } else {
            self.ratio = 1.0 + (off / SETTLE).clamp(-STRETCH, STRETCH);
        }
    }
}

/// What lies between the second and the third of four samples, by the curve of Catmull and Rom.
fn cubic([a, b, c, d]: [f32; 4], between: f64) -> f32 {
    #[expect(clippy::cast_possible_truncation, reason = "between 0 and 1")]
    let t = between as f32;
    let slope = (c - a) / 2.0;
    let (two, three) = (
        a - 2.5 * b + 2.0 * c - 0.5 * d,
        0.5 * (d - a) + 1.5 * (b - c),
    );
    b + t * (slope + t * (two + t * three))
}

#[expect(clippy::cast_possible_truncation, reason = "clamped to what fits")]
fn sample(value: f32) -> i16 {
    value
        .round()
        .clamp(f32::from(i16::MIN), f32::from(i16::MAX)) as i16
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "from 1 to the length of a block"
)]
fn index(position: f64) -> usize {
    position.max(1.0) as usize
}

/// The samples kept of a block, for the curve that leads into the next one.
const TAIL: usize = 4;

/// How often the pace is set.
const WINDOW: Duration = Duration::from_secs(2);

/// How long it takes to make up for being late, in seconds.
const SETTLE: f64 = 20.0;

/// The most that sound is stretched; clocks are apart by a tenth of that.
const STRETCH: f64 = 0.001;

/// Being late by this much more than before is for good, in seconds.
const JUMP: f64 = 0.05;

#[cfg(test)]
mod tests {
    use super::*;

    /// Speaks for so long at another clock's pace; how far what comes out is from this machine's
    /// clock at the end of each minute, in milliseconds.
    fn speak(minutes: u32, ppm: f64, jitter_ms: u64) -> Vec<f64> {
        let start = Instant::now();
        let mut pace = Pace::new(start, 1);
        let (mut written, mut out, mut off) = (0_usize, Vec::new(), Vec::new());
        let mut random = 1_u64;
        for block in 0..u64::from(minutes) * 60 * 50 {
            let due = Duration::from_millis(20 * block).div_f64(1.0 + ppm / 1e6);
            random = random
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            let late = Duration::from_millis((random >> 33) % (jitter_ms + 1));
            out.clear();
            pace.push(&[0; 960], start + due + late, &mut out);
            written += out.len();
            if (block + 1) % (50 * 60) == 0 {
                let ends = (due + Duration::from_millis(20)).as_secs_f64();
                off.push((written as f64 / 48_000.0 - ends) * 1000.0);
            }
        }
        off
    }

    #[test]
    fn clocks_that_differ_do_not_drift_apart() {
        for ppm in [-200.0, 50.0, 200.0] {
            let off = speak(10, ppm, 15);
            assert!(off.iter().all(|it| it.abs() < 8.0), "{ppm} ppm: {off:?}");
        }
    }

    #[test]
    fn a_tone_stays_the_tone_it_was() {
        let start = Instant::now();
        let mut pace = Pace::new(start, 1);
        pace.ratio = 1.0002;
        let tone = |n: f64| (n * std::f64::consts::TAU * 1000.0 / 48_000.0).sin() * 16_000.0;
        let mut out = Vec::new();
        for block in 0..40 {
            let block: Vec<i16> = (block * 480..(block + 1) * 480)
                .map(|n| {
                    #[expect(clippy::cast_possible_truncation, reason = "within 16000")]
                    let value = tone(f64::from(n)) as i16;
                    value
                })
                .collect();
            pace.push(&block, start, &mut out);
        }
        // The first comes from the second of the four zeros before.
        let off =
            |(n, value): (usize, &i16)| (f64::from(*value) - tone((n as f64) / 1.0002 - 3.0)).abs();
        let worst = out.iter().enumerate().skip(8).map(off).fold(0.0, f64::max);
        assert!(worst < 40.0, "{worst}");
    }

    #[test]
    fn a_server_that_reads_faster_gets_as_much_sound() {
        let start = Instant::now();
        let mut pace = Pace::new(start, 4);
        let mut out = Vec::new();
        for block in 0..100 {
            pace.push(
                &[0; 480],
                start + Duration::from_millis(10 * block),
                &mut out,
            );
        }
        assert!(out.len().abs_diff(4 * 48_000) < 32, "{}", out.len());
    }

    #[test]
    fn loud_sound_is_cut_and_does_not_wrap() {
        let start = Instant::now();
        let mut pace = Pace::new(start, 1);
        pace.ratio = 1.001;
        let square: Vec<i16> = (0..480)
            .map(|n| if n / 24 % 2 == 0 { i16::MAX } else { i16::MIN })
            .collect();
        let mut out = Vec::new();
        pace.push(&square, start, &mut out);
        assert!(out.contains(&i16::MAX) && out.contains(&i16::MIN));
    }
}
