//! What wrong credentials cost, after OpenSSH's `PerSourcePenalties`.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use crate::source::Source;

/// The penalties of all sources.
///
/// Each failure adds to the time that its source owes. Once that exceeds [`PENALTY_MIN`] the source
/// is refused until it has served it; it never owes more than [`PENALTY_MAX`].
#[derive(Debug, Default)]
pub(crate) struct Penalties {
    debts: HashMap<Source, Debt>,
}

#[derive(Clone, Copy, Debug)]
struct Debt {
    until: Instant,
    enforced: bool,
}

impl Penalties {
    /// How long the source has yet to wait, when it has to.
    pub(crate) fn wait(&self, now: Instant, source: Source) -> Option<Duration> {
        let debt = self.debts.get(&source).filter(|debt| debt.enforced)?;
        debt.until
            .checked_duration_since(now)
            .filter(|owed| !owed.is_zero())
    }

    /// Adds a penalty.
    pub(crate) fn add(&mut self, now: Instant, source: Source, penalty: Duration) {
        if self.debts.len() >= SOURCES && !self.debts.contains_key(&source) {
            self.debts.retain(|_, debt| debt.until > now);
            if self.debts.len() >= SOURCES {
                let least = self.debts.iter().min_by_key(|(_, debt)| debt.until);
                if let Some(least) = least.map(|(source, _)| *source) {
                    self.debts.remove(&least);
                }
            }
        }
        let served = Debt {
            until: now,
            enforced: false,
        };
        let debt = self.debts.entry(source).or_insert(served);
        if debt.until <= now {
            *debt = served;
        }
        debt.until = (debt.until + penalty).min(now + PENALTY_MAX);
        debt.enforced |= debt.until >= now + PENALTY_MIN;
    }

    /// Forgives a source that proved itself.
    pub(crate) fn forgive(&mut self, source: Source) {
        self.debts.remove(&source);
    }
}

/// A wrong token, or a wrong signature.
pub(crate) const WRONG_TOKEN: Duration = Duration::from_secs(5);

/// A key that is its owner's but not, or no longer, known here: browsers come back with old ones, and agents
/// offer all that they have.
pub(crate) const UNKNOWN_KEY: Duration = Duration::from_secs(1);

/// Less than this is not enforced.
const PENALTY_MIN: Duration = Duration::from_secs(15);

/// The most that a source owes.
const PENALTY_MAX: Duration = Duration::from_secs(600);

/// The sources remembered; one more and the one that owes least is forgotten.
const SOURCES: usize = 4096;

#[cfg(test)]
mod tests {
    use std::net::{IpAddr, Ipv4Addr};

    use super::*;

    fn source(number: u32) -> Source {
        Source::Net(IpAddr::V4(Ipv4Addr::from(number)))
    }

    #[test]
    fn a_few_mistakes_are_free_and_more_are_not() {
        let now = Instant::now();
        let mut penalties = Penalties::default();
        for _ in 0..2 {
            penalties.add(now, source(1), WRONG_TOKEN);
            assert_eq!(penalties.wait(now, source(1)), None);
        }
        penalties.add(now, source(1), WRONG_TOKEN);
        assert_eq!(
            penalties.wait(now, source(1)),
            Some(Duration::from_secs(15))
        );
        assert_eq!(
            penalties.wait(now, source(2)),
            None,
            "others are not concerned"
        );
        let later = |seconds| penalties.wait(now + Duration::from_secs(seconds), source(1));
        assert_eq!(later(10), Some(Duration::from_secs(5)));
        assert_eq!(later(15), None);
        penalties.add(now + Duration::from_secs(20), source(1), WRONG_TOKEN);
        let again = penalties.wait(now + Duration::from_secs(20), source(1));
        assert_eq!(again, None, "what was served is forgotten");
    }

    #[test]
    fn the_penalty_has_a_ceiling() {
        let now = Instant::now();
        let mut penalties = Penalties::default();
        for _ in 0..10_000 {
            penalties.add(now, source(1), WRONG_TOKEN);
        }
        assert_eq!(penalties.wait(now, source(1)), Some(PENALTY_MAX));
        assert_eq!(penalties.wait(now + PENALTY_MAX, source(1)), None);
    }

    #[test]
    fn the_table_is_bounded_and_keeps_the_worst() {
        let now = Instant::now();
        let mut penalties = Penalties::default();
        for _ in 0..10 {
            penalties.add(now, source(0), WRONG_TOKEN);
        }
        for number in 1..10_000 {
            penalties.add(now, source(number), WRONG_TOKEN);
        }
        assert!(penalties.debts.len() <= SOURCES);
        assert!(penalties.wait(now, source(0)).is_some());
    }
}
