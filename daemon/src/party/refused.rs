//! Input that was refused: it counts as typed, and never was.

use std::collections::VecDeque;

/// What was refused of one writer's input, and where in it that stood.
///
/// A client counts all that it sends; the terminal counts what it was given. Where a refusal stands
/// decides when it may count as done: not before all that came before it was applied.
#[derive(Clone, Debug, Default)]
pub(crate) struct Refused {
    /// After how much of what the terminal was given, and how many bytes; in order.
    gaps: VecDeque<(u64, u64)>,
}

impl Refused {
    /// Notes that bytes were refused when the terminal had been given so much.
    pub(crate) fn add(&mut self, given: u64, bytes: u64) {
        match self.gaps.back_mut() {
            Some((at, sum)) if *at >= given => *sum = sum.saturating_add(bytes),
            _ => self.gaps.push_back((given, bytes)),
        }
        if self.gaps.len() > GAPS
            && let Some((_, bytes)) = self.gaps.pop_front()
            && let Some((_, sum)) = self.gaps.front_mut()
        {
            *sum = sum.saturating_add(bytes);
        }
    }

    /// All of it.
    pub(crate) fn all(&self) -> u64 {
        self.before(u64::MAX)
    }

    /// What stands within the first so many bytes that the terminal was given, or right behind them.
    pub(crate) fn before(&self, given: u64) -> u64 {
        let before = self.gaps.iter().take_while(|(at, _)| *at <= given);
        before.fold(0, |sum, (_, bytes)| sum.saturating_add(*bytes))
    }

    /// Forgets what stands behind: who comes again sends it again.
    pub(crate) fn keep_before(&mut self, given: u64) {
        self.gaps.retain(|(at, _)| *at <= given);
    }
}

/// The places that are told apart; then the oldest ones count as one, a little later.
const GAPS: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_counts_when_what_came_before_it_is_done() {
        let mut refused = Refused::default();
        refused.add(0, 2);
        refused.add(10, 3);
        refused.add(10, 4);
        refused.add(20, 5);
        assert_eq!(
            [0, 9, 10, 19, 20].map(|at| refused.before(at)),
            [2, 2, 9, 9, 14]
        );
        assert_eq!(refused.all(), 14);
        refused.keep_before(15);
        assert_eq!(refused.all(), 9);
    }

    #[test]
    fn many_refusals_take_little_room() {
        let mut refused = Refused::default();
        for given in 0..10_000 {
            refused.add(given, 1);
        }
        assert_eq!((refused.all(), refused.gaps.len()), (10_000, GAPS));
        assert!(refused.before(5000) <= 5001, "never too early");
    }
}
