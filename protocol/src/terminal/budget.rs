//! How many faults of a peer are answered, and how many are suffered.

use std::time::{Duration, Instant};

/// Counts the faults of one peer.
#[derive(Debug, Default)]
pub(super) struct Budget {
    answers: Window,
    faults: Window,
}

/// What to do about a fault.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Verdict {
    /// Answer with ERROR.
    Answer,
    /// Say nothing; enough was said this second.
    Silence,
    /// Close: nobody errs that often.
    Close,
}

impl Budget {
    /// Counts a fault.
    pub(super) fn fault(&mut self, now: Instant) -> Verdict {
        if self.faults.count(now, FAULTS_WINDOW) > FAULTS_MAX {
            Verdict::Close
        } else if self.answers.count(now, ANSWERS_WINDOW) > ANSWERS_MAX {
            Verdict::Silence
        } else {
            Verdict::Answer
        }
    }
}

/// Counts within a time that starts with the first count.
#[derive(Debug, Default)]
struct Window {
    start: Option<Instant>,
    count: u32,
}

impl Window {
    fn count(&mut self, now: Instant, length: Duration) -> u32 {
        let fresh = self
            .start
            .is_none_or(|start| now.saturating_duration_since(start) >= length);
        if fresh {
            self.start = Some(now);
            self.count = 0;
        }
        self.count = self.count.saturating_add(1);
        self.count
    }
}

/// ERRORs in [`ANSWERS_WINDOW`]; further ones are not sent.
const ANSWERS_MAX: u32 = 10;
const ANSWERS_WINDOW: Duration = Duration::from_secs(1);
/// Faults in [`FAULTS_WINDOW`]; one more closes the pair.
const FAULTS_MAX: u32 = 1000;
const FAULTS_WINDOW: Duration = Duration::from_secs(10);
