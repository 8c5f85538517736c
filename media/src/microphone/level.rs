//! How much waits in the pipe for those who record: enough to bridge what a network does to it, and
//! no more.

use super::RATE;

/// What has to be done to the pipe before more is written.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Correction {
    /// Nothing.
    None,
    /// Write this many samples of silence first.
    Pad(usize),
    /// Take this many of the oldest samples out.
    Skip(usize),
}

/// Watches what waits in the pipe.
///
/// A server that ran out of sound needs more to wait; with more than needed waiting all the time,
/// everything is heard late. A server that empties the pipe at once keeps a buffer of its own
/// and is left alone.
#[derive(Debug)]
pub(super) struct Level {
    /// How much is to wait at least.
    target: usize,
    /// The least that waited in this window.
    least: usize,
    /// Samples of this window so far.
    window: usize,
    began: bool,
    /// How often in a row nothing waited.
    empty: u32,
}

impl Default for Level {
    fn default() -> Self {
        Self {
            target: TARGET,
            least: usize::MAX,
            window: 0,
            began: false,
            empty: 0,
        }
    }
}

impl Level {
    /// Decides what to do with `waiting` samples in the pipe and `coming` ones about to be written.
    pub(super) fn correct(&mut self, waiting: usize, coming: usize) -> Correction {
        if !std::mem::replace(&mut self.began, true) {
            return Correction::Pad(self.target);
        }
        if self.empty >= EMPTIED_AT_ONCE {
            return Correction::None;
        }
        if waiting == 0 {
            self.empty += 1;
            self.target = (self.target + STEP).min(TARGET_MAX);
            self.restart_window();
            return Correction::Pad(self.target);
        }
        self.empty = 0;
        if waiting > self.target + CEILING {
            self.restart_window();
            return Correction::Skip(waiting - self.target);
        }
        self.least = self.least.min(waiting);
        self.window += coming;
        if self.window < WINDOW {
            return Correction::None;
        }
        let least = self.least;
        self.restart_window();
        if least > self.target + SLACK {
            Correction::Skip(least - self.target)
        } else {
            Correction::None
        }
    }

    fn restart_window(&mut self) {
        self.least = usize::MAX;
        self.window = 0;
    }
}

/// Samples in a millisecond.
const MS: usize = RATE as usize / 1000;

/// What is to wait at first: two reads of the server, and what Chromium is irregular by.
const TARGET: usize = 15 * MS;

/// By how much more when that was not enough.
const STEP: usize = 5 * MS;

/// The most that is to wait at least.
const TARGET_MAX: usize = 80 * MS;

/// With so much more waiting, nobody records.
const CEILING: usize = 60 * MS;

/// So much more may wait all the time before somebody hears that sound is skipped.
const SLACK: usize = 10 * MS;

/// How long something waits all the time before it is skipped.
const WINDOW: usize = 2 * RATE as usize;

/// A server that leaves nothing this often in a row, whatever was added, keeps a buffer itself.
const EMPTIED_AT_ONCE: u32 = 4;

#[cfg(test)]
mod tests {
    use super::*;

    /// A server that takes `read` samples at a time; what is corrected while so many blocks come.
    fn record(
        level: &mut Level,
        waiting: &mut usize,
        blocks: usize,
        reads: impl Fn(usize) -> usize,
    ) -> (usize, usize) {
        let (mut padded, mut skipped) = (0, 0);
        for block in 0..blocks {
            match level.correct(*waiting, 960) {
                Correction::None => {}
                Correction::Pad(count) => {
                    *waiting += count;
                    padded += 1;
                }
                Correction::Skip(count) => {
                    *waiting -= count;
                    skipped += 1;
                }
            }
            *waiting += 960;
            *waiting -= reads(block).min(*waiting);
        }
        (padded, skipped)
    }

    #[test]
    fn a_server_that_reads_at_its_pace_is_left_alone() {
        let (mut level, mut waiting) = (Level::default(), 0);
        // 256 samples at a time: three reads or four in 20 ms.
        let reads = |block: usize| ((block + 1) * 960 / 256 - block * 960 / 256) * 256;
        let (padded, skipped) = record(&mut level, &mut waiting, 3000, reads);
        assert_eq!((padded, skipped), (1, 0));
        assert!(waiting < 30 * MS, "{waiting}");
    }

    #[test]
    fn what_nobody_records_does_not_pile_up_and_is_not_heard_late() {
        let (mut level, mut waiting) = (Level::default(), 0);
        record(&mut level, &mut waiting, 500, |_| 0);
        assert!(waiting <= TARGET + CEILING + 960, "{waiting}");
        record(&mut level, &mut waiting, 500, |_| 960);
        assert!(waiting <= TARGET + SLACK + 960, "{waiting}");
    }

    #[test]
    fn a_network_with_gaps_gets_more_room_once() {
        let (mut level, mut waiting) = (Level::default(), 0);
        // Every second 40 ms come late, and together.
        let reads = |block: usize| match block % 50 {
            10 => 960 * 3,
            11 | 12 => 0,
            _ => 960,
        };
        record(&mut level, &mut waiting, 500, reads);
        let (padded, skipped) = record(&mut level, &mut waiting, 5000, reads);
        assert_eq!((padded, skipped), (0, 0));
    }

    #[test]
    fn a_server_with_a_buffer_of_its_own_is_fed_and_no_more() {
        let (mut level, mut waiting) = (Level::default(), 0);
        let (padded, skipped) = record(&mut level, &mut waiting, 5000, |_| usize::MAX);
        assert_eq!((padded, skipped), (1 + EMPTIED_AT_ONCE as usize, 0));
    }
}
