//! Answers that another terminal gives instead of the screen, as long as it reads the questions.

use std::collections::VecDeque;

/// The screen's answers while the driver's terminal answers, for what that terminal never gets to read.
#[derive(Debug, Default)]
pub(crate) struct Unheard {
    /// Each with the offset behind its query, in their order.
    replies: VecDeque<(u64, Vec<u8>)>,
}

impl Unheard {
    /// Keeps answers, each with the offset behind its query; when there are too many the oldest go.
    pub(crate) fn keep(&mut self, replies: Vec<(u64, Vec<u8>)>) {
        self.replies.extend(replies);
        let surplus = self.replies.len().saturating_sub(REPLIES_MAX);
        self.replies.drain(..surplus);
    }

    /// Takes the answers to the queries that end after one offset and not after another; earlier ones
    /// were read.
    pub(crate) fn take(&mut self, from: u64, to: u64) -> Vec<u8> {
        let count = self.replies.partition_point(|(end, _)| *end <= to);
        let taken = self.replies.drain(..count);
        let skipped = taken.filter(|(end, _)| *end > from);
        skipped.flat_map(|(_, reply)| reply).collect()
    }

    /// Another terminal answers from now on.
    pub(crate) fn forget(&mut self) {
        self.replies.clear();
    }
}

/// Answers that are kept: more than fit between two looks of a viewer that is skipped ahead.
const REPLIES_MAX: usize = 4096;

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(ends: &[u64]) -> Unheard {
        let mut unheard = Unheard::default();
        let replies = ends
            .iter()
            .map(|end| (*end, format!("{end};").into_bytes()));
        unheard.keep(replies.collect());
        unheard
    }

    #[test]
    fn only_what_was_skipped_is_answered_and_only_once() {
        let mut unheard = kept(&[10, 20, 30, 40]);
        assert_eq!(unheard.take(10, 30), b"20;30;");
        assert_eq!(unheard.take(10, 30), b"");
        assert_eq!(unheard.take(30, 100), b"40;");
    }

    #[test]
    fn the_newest_are_kept_and_a_new_driver_owes_nothing() {
        let ends: Vec<u64> = (1..=REPLIES_MAX as u64 + 2).collect();
        let mut unheard = kept(&ends);
        assert!(unheard.take(0, 2).is_empty());
        assert_eq!(unheard.take(0, 3), b"3;");
        unheard.forget();
        assert!(unheard.take(0, u64::MAX).is_empty());
    }
}
