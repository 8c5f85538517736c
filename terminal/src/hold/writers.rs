//! Who typed how much.

use super::codec::{Decode, Encode};
use crate::Error;

/// The writers of a terminal and how far the input of each is taken and applied.
///
/// It has at most [`WRITERS_MAX`] entries. When a new writer comes then, the one that was silent for the
/// longest time and of whom nothing waits is dropped; should it come again, it is new.
#[derive(Clone, Debug, Default)]
pub(crate) struct Writers {
    entries: Vec<Writer>,
    /// Counts up with every use.
    clock: u64,
}

/// How far a writer's input got.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Standing {
    /// What is below was taken.
    pub(crate) taken: u64,
    /// What is below was written to the terminal.
    pub(crate) applied: u64,
}

#[derive(Clone, Debug)]
struct Writer {
    name: String,
    standing: Standing,
    /// What was told of `applied`.
    told: u64,
    used: u64,
}

impl Writers {
    /// The writers as they were told.
    pub(crate) fn restore(standings: impl IntoIterator<Item = (String, Standing)>) -> Self {
        let mut writers = Self::default();
        for (name, standing) in standings.into_iter().take(WRITERS_MAX) {
            writers.clock += 1;
            writers.entries.push(Writer {
                name,
                standing,
                told: standing.applied,
                used: writers.clock,
            });
        }
        writers
    }

    /// All of them, the one that was silent for the longest time first.
    pub(crate) fn standings(&self) -> Vec<(String, Standing)> {
        let mut entries: Vec<&Writer> = self.entries.iter().collect();
        entries.sort_by_key(|writer| writer.used);
        let standing = |writer: &Writer| (writer.name.clone(), writer.standing);
        entries.into_iter().map(standing).collect()
    }

    /// The names in the order of the table.
    pub(crate) fn names(&self) -> Vec<&str> {
        self.entries
            .iter()
            .map(|writer| writer.name.as_str())
            .collect()
    }

    /// How far a writer is.
    pub(crate) fn standing(&self, name: &str) -> Option<Standing> {
        let writer = self.entries.iter().find(|writer| writer.name == name)?;
        Some(writer.standing)
    }

    /// How many of the bytes of a writer from an offset on were taken before.
    ///
    /// # Errors
    ///
    /// [`Error::InputGap`] when bytes before them are missing.
    pub(crate) fn known(&self, name: &str, offset: u64) -> Result<u64, Error> {
        let taken = self.standing(name).unwrap_or_default().taken;
        taken.checked_sub(offset).ok_or(Error::InputGap {
            offset,
            expected: taken,
        })
    }

    /// Whether there is a place for a writer.
    pub(crate) fn has_place(&self, name: &str) -> bool {
        self.standing(name).is_some()
            || self.entries.len() < WRITERS_MAX
            || self.entries.iter().any(Writer::is_idle)
    }

    /// Takes the bytes of a writer up to an offset; returns where it stands in the table.
    ///
    /// A new one begins at `offset`. `None` when there is no place.
    pub(crate) fn take(&mut self, name: &str, offset: u64, end: u64) -> Option<usize> {
        self.clock += 1;
        let known = self.entries.iter().position(|writer| writer.name == name);
        let slot = known.or_else(|| self.add(name, offset))?;
        let writer = self.entries.get_mut(slot)?;
        writer.used = self.clock;
        writer.standing.taken = writer.standing.taken.max(end);
        Some(slot)
    }

    /// Forgets what a writer of this name typed: another one begins.
    pub(crate) fn introduce(&mut self, name: &str) {
        let mut entries = self.entries.iter_mut();
        if let Some(writer) = entries.find(|writer| writer.name == name) {
            writer.standing = Standing::default();
            writer.told = 0;
        }
    }

    /// The bytes that were taken and are not written yet.
    pub(crate) fn waiting_bytes(&self) -> u64 {
        let waiting = |writer: &Writer| writer.standing.taken - writer.standing.applied;
        self.entries.iter().map(waiting).sum()
    }

    /// Says that so many more bytes of the writer at a place of the table were written.
    pub(crate) fn apply(&mut self, slot: usize, count: u64) {
        if let Some(writer) = self.entries.get_mut(slot) {
            let standing = &mut writer.standing;
            standing.applied = standing.taken.min(standing.applied.saturating_add(count));
        }
    }

    /// Notes how far a writer's input is written; `false` when that is nothing new.
    pub(crate) fn set_applied(&mut self, name: &str, applied: u64) -> bool {
        let mut entries = self.entries.iter_mut();
        let Some(writer) = entries.find(|writer| writer.name == name) else {
            return false;
        };
        let news = applied > writer.standing.applied;
        writer.standing.applied = writer.standing.applied.max(applied);
        writer.told = writer.standing.applied;
        writer.standing.taken = writer.standing.taken.max(applied);
        news
    }

    /// Notes how far a writer's input is written, which is told later.
    pub(crate) fn reach(&mut self, name: &str, applied: u64) {
        let mut entries = self.entries.iter_mut();
        if let Some(writer) = entries.find(|writer| writer.name == name) {
            let standing = &mut writer.standing;
            standing.applied = standing.applied.max(applied.min(standing.taken));
        }
    }

    /// What was told of how far a writer's input is written.
    pub(crate) fn told(&self, name: &str) -> u64 {
        let mut entries = self.entries.iter();
        let writer = entries.find(|writer| writer.name == name);
        writer.map_or(0, |writer| writer.told)
    }

    /// Whether something applied was not told.
    pub(crate) fn has_news(&self) -> bool {
        self.entries.iter().any(Writer::has_news)
    }

    /// Tells what was applied since it was told last.
    pub(crate) fn tell(&mut self, mut tell: impl FnMut(&str, u64)) {
        for writer in self.entries.iter_mut().filter(|writer| writer.has_news()) {
            writer.told = writer.standing.applied;
            tell(&writer.name, writer.told);
        }
    }

    /// Makes everything told: who comes now learns it another way.
    pub(crate) fn hush(&mut self) {
        self.tell(|_, _| {});
    }

    fn add(&mut self, name: &str, offset: u64) -> Option<usize> {
        let writer = Writer {
            name: name.to_owned(),
            standing: Standing {
                taken: offset,
                applied: offset,
            },
            told: offset,
            used: self.clock,
        };
        if self.entries.len() < WRITERS_MAX {
            self.entries.push(writer);
            return Some(self.entries.len() - 1);
        }
        // The places of the others stay: what waits refers to them.
        let idle = self.entries.iter_mut().enumerate();
        let idle = idle.filter(|(_, writer)| writer.is_idle());
        let (slot, oldest) = idle.min_by_key(|(_, writer)| writer.used)?;
        *oldest = writer;
        Some(slot)
    }
}

impl Writer {
    /// Whether nothing waits of what it typed, and everybody knows.
    fn is_idle(&self) -> bool {
        self.standing.taken == self.standing.applied && !self.has_news()
    }

    fn has_news(&self) -> bool {
        self.told != self.standing.applied
    }
}

impl Standing {
    pub(crate) fn encode(self, out: &mut Vec<u8>) {
        out.put_u64(self.taken);
        out.put_u64(self.applied);
    }

    pub(crate) fn decode(bytes: &mut Decode<'_>) -> Option<Self> {
        Some(Self {
            taken: bytes.u64()?,
            applied: bytes.u64()?,
        })
    }
}

/// How many writers are remembered.
pub const WRITERS_MAX: usize = 64;

/// The longest name of a writer; longer ones are refused.
pub const WRITER_BYTES: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn input_counts_once() {
        let mut writers = Writers::default();
        assert_eq!(writers.known("a", 0).unwrap(), 0);
        let slot = writers.take("a", 0, 10).unwrap();
        assert_eq!(writers.known("a", 0).unwrap(), 10);
        assert_eq!(writers.known("a", 10).unwrap(), 0);
        assert!(matches!(
            writers.known("a", 11),
            Err(Error::InputGap {
                offset: 11,
                expected: 10
            })
        ));
        writers.apply(slot, 4);
        let standing = writers.standing("a").unwrap();
        assert_eq!((standing.taken, standing.applied), (10, 4));
        let mut told = Vec::new();
        writers.tell(|name, offset| told.push((name.to_owned(), offset)));
        assert_eq!(told, [("a".to_owned(), 4)]);
        assert!(!writers.has_news());
    }

    #[test]
    fn the_table_is_bounded_and_keeps_those_of_whom_something_waits() {
        let mut writers = Writers::default();
        // The first one's input waits; the second is the oldest of the idle ones.
        writers.take("waits", 0, 5).unwrap();
        for number in 1..WRITERS_MAX {
            writers.take(&format!("w{number}"), 0, 0).unwrap();
        }
        assert!(writers.has_place("new"));
        let slot = writers.take("new", 0, 3).unwrap();
        assert_eq!(slot, 1);
        assert_eq!(writers.standings().len(), WRITERS_MAX);
        assert_eq!(writers.standing("w1"), None);
        assert_eq!(writers.standing("waits").unwrap().taken, 5);
        for number in 2..WRITERS_MAX {
            writers.take(&format!("w{number}"), 0, 1).unwrap();
        }
        assert!(!writers.has_place("newer"));
        assert_eq!(writers.take("newer", 0, 1), None);
        assert!(writers.has_place("w5"));
    }

    #[test]
    fn a_restored_table_is_the_same() {
        let mut writers = Writers::default();
        writers.take("b", 0, 7).unwrap();
        writers.take("a", 3, 9).unwrap();
        let restored = Writers::restore(writers.standings());
        assert_eq!(restored.standings(), writers.standings());
        assert!(!restored.has_news());
    }
}
