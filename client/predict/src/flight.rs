//! Input that is on its way.

use alloc::collections::VecDeque;

use crate::keys::Key;

/// Keys kept that are not acknowledged; when there are more, none of them is predicted again after an error.
const KEYS_MAX: usize = 256;

/// A key on its way.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sent {
    pub(crate) key: Key,
    /// The input offset after it.
    pub(crate) end: u64,
    /// When it was typed.
    pub(crate) at_ms: u64,
}

/// What was sent, what the server has applied of it, and the keys between.
#[derive(Debug, Default)]
pub(crate) struct Flight {
    keys: VecDeque<Sent>,
    sent: u64,
    acked: u64,
    acked_at_ms: u64,
    /// An offset whose acknowledgement is awaited, and when it was sent.
    probe: Option<(u64, u64)>,
}

impl Flight {
    /// Bytes on their way of which nothing is known but their offsets.
    pub(crate) fn at(applied: u64, sent: u64) -> Self {
        Self {
            sent: sent.max(applied),
            acked: applied,
            ..Self::default()
        }
    }

    /// The offset after all that was sent.
    pub(crate) fn sent(&self) -> u64 {
        self.sent
    }

    /// The offset up to which the server has applied input.
    pub(crate) fn acked(&self) -> u64 {
        self.acked
    }

    /// When it last said so.
    pub(crate) fn acked_at_ms(&self) -> u64 {
        self.acked_at_ms
    }

    /// Counts a byte.
    pub(crate) fn send(&mut self) {
        self.sent = self.sent.saturating_add(1);
    }

    /// Keeps a key that ends here; false when there were too many, and all are forgotten.
    pub(crate) fn keep(&mut self, key: Key, now_ms: u64) -> bool {
        if self.keys.len() >= KEYS_MAX {
            self.keys.clear();
            return false;
        }
        self.keys.push_back(Sent {
            key,
            end: self.sent,
            at_ms: now_ms,
        });
        true
    }

    /// Awaits the acknowledgement of what was sent by now.
    pub(crate) fn watch(&mut self, now_ms: u64) {
        if self.probe.is_none() && self.sent > self.acked {
            self.probe = Some((self.sent, now_ms));
        }
    }

    /// The keys that the server has not applied yet, the oldest first.
    pub(crate) fn keys(&self) -> impl Iterator<Item = Sent> + '_ {
        self.keys.iter().copied()
    }

    /// Forgets the keys, not the offsets.
    pub(crate) fn forget(&mut self) {
        self.keys.clear();
    }

    /// Takes an acknowledgement; None when it says nothing new, else the round trip if it was measured.
    pub(crate) fn acknowledge(&mut self, now_ms: u64, offset: u64) -> Option<Option<u64>> {
        let offset = offset.min(self.sent);
        if offset <= self.acked {
            return None;
        }
        self.acked = offset;
        self.acked_at_ms = now_ms;
        while self.keys.front().is_some_and(|sent| sent.end <= offset) {
            self.keys.pop_front();
        }
        let answered = self.probe.filter(|(end, _)| *end <= offset);
        if answered.is_some() {
            self.probe = None;
        }
        Some(answered.map(|(_, at_ms)| now_ms.saturating_sub(at_ms)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_acknowledgement_measures_the_round_trip_once() {
        let mut flight = Flight::default();
        flight.send();
        flight.watch(100);
        flight.send();
        flight.watch(150);
        assert_eq!(flight.acknowledge(180, 1), Some(Some(80)));
        assert_eq!(flight.acknowledge(190, 2), Some(None));
        assert_eq!(flight.acknowledge(200, 2), None, "nothing new");
    }

    #[test]
    fn what_was_never_sent_cannot_be_acknowledged() {
        let mut flight = Flight::at(7, 7);
        flight.send();
        flight.acknowledge(0, u64::MAX);
        assert_eq!(flight.acked(), 8);
    }

    #[test]
    fn too_many_keys_are_all_forgotten() {
        let mut flight = Flight::default();
        for _ in 0..KEYS_MAX {
            flight.send();
            assert!(flight.keep(Key::Erase, 0));
        }
        assert!(!flight.keep(Key::Erase, 0));
        assert_eq!(flight.keys().count(), 0);
    }
}
