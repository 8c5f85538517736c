//! Sequence numbers: what was sent and may be needed again, and what was received.

use std::collections::{BTreeMap, VecDeque};

use bytes::Bytes;

use super::id::ChannelId;
use super::queue::MESSAGE_COST;

/// Numbers the messages of one direction and keeps them in a ring for a replay.
// xumux §session-resume: one counter per direction for the whole session, starting at 1.
#[derive(Debug)]
pub(crate) struct Numbering {
    last: u64,
    ring: VecDeque<Kept>,
    cost: usize,
    cost_max: usize,
    /// Everything up to this number has left the ring.
    gone: u64,
}

/// A message in the ring.
#[derive(Clone, Debug)]
pub(crate) struct Kept {
    pub(crate) sequence: u64,
    /// None once the channel is closed: what is left is an empty message that fills the gap.
    pub(crate) channel: Option<ChannelId>,
    pub(crate) kind: u8,
    pub(crate) payload: Bytes,
}

/// Why a replay cannot be made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ReplayError {
    /// A needed message has left the ring.
    Overflow,
    /// The peer claims what was never sent.
    Mismatch,
}

impl Numbering {
    pub(crate) const fn new(ring_bytes: usize) -> Self {
        Self {
            last: 0,
            ring: VecDeque::new(),
            cost: 0,
            cost_max: ring_bytes,
            gone: 0,
        }
    }

    /// Gives a message its number and keeps it; the oldest leave when the ring is full.
    pub(crate) fn number(&mut self, channel: ChannelId, kind: u8, payload: &Bytes) -> u64 {
        self.last += 1;
        self.cost += MESSAGE_COST + payload.len();
        let sequence = self.last;
        self.ring.push_back(Kept {
            sequence,
            channel: Some(channel),
            kind,
            payload: payload.clone(),
        });
        while self.cost > self.cost_max && self.drop_oldest() {}
        sequence
    }

    /// Forgets what the peer has; false when it claims more than was sent.
    pub(crate) fn acknowledged(&mut self, sequence: u64) -> bool {
        while self
            .ring
            .front()
            .is_some_and(|kept| kept.sequence <= sequence)
        {
            self.drop_oldest();
        }
        sequence <= self.last
    }

    /// What the messages in the ring count for, in bytes.
    pub(crate) const fn kept_bytes(&self) -> usize {
        self.cost
    }

    /// The messages after `last_received`, all of them or an error.
    pub(crate) fn replay(&self, last_received: u64) -> Result<Vec<Kept>, ReplayError> {
        if last_received > self.last {
            return Err(ReplayError::Mismatch);
        }
        if last_received < self.gone {
            return Err(ReplayError::Overflow);
        }
        Ok(self
            .ring
            .iter()
            .filter(|kept| kept.sequence > last_received)
            .cloned()
            .collect())
    }

    /// Empties the messages of a channel that is closed: only their numbers still matter.
    pub(crate) fn blank(&mut self, channel: ChannelId) {
        for kept in self
            .ring
            .iter_mut()
            .filter(|kept| kept.channel == Some(channel))
        {
            self.cost -= kept.payload.len();
            *kept = Kept {
                sequence: kept.sequence,
                channel: None,
                kind: 0,
                payload: Bytes::new(),
            };
        }
    }

    fn drop_oldest(&mut self) -> bool {
        let Some(kept) = self.ring.pop_front() else {
            return false;
        };
        self.cost -= MESSAGE_COST + kept.payload.len();
        self.gone = kept.sequence;
        true
    }
}

/// The numbers that have been received.
#[derive(Debug, Default)]
pub(crate) struct Received {
    /// Every number up to this one.
    contiguous: u64,
    /// Runs of numbers above it, first to last, never touching each other.
    above: BTreeMap<u64, u64>,
}

/// What a number says about its message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Arrival {
    New,
    Duplicate,
    /// More gaps than any order of delivery explains.
    TooManyGaps,
}

impl Received {
    /// Everything up to this number has been received.
    pub(crate) const fn contiguous(&self) -> u64 {
        self.contiguous
    }

    /// Notes a number; 0 is never given and counts as received.
    pub(crate) fn note(&mut self, sequence: u64) -> Arrival {
        let run_before = self
            .above
            .range(..=sequence)
            .next_back()
            .map(|(first, last)| (*first, *last));
        if sequence <= self.contiguous || run_before.is_some_and(|(_, last)| sequence <= last) {
            return Arrival::Duplicate;
        }
        let mut first = sequence;
        let mut last = sequence;
        if let Some((before_first, before_last)) = run_before
            && before_last + 1 == sequence
        {
            self.above.remove(&before_first);
            first = before_first;
        }
        if let Some(after) = sequence.checked_add(1)
            && let Some(after_last) = self.above.remove(&after)
        {
            last = after_last;
        }
        if first == self.contiguous + 1 {
            self.contiguous = last;
        } else if self.above.len() >= GAPS_MAX {
            return Arrival::TooManyGaps;
        } else {
            self.above.insert(first, last);
        }
        Arrival::New
    }
}

/// How many gaps there may be among the numbers received; one more is a protocol error.
///
/// Numbers overtake each other only across channels, so honest gaps are as many as channels.
const GAPS_MAX: usize = 1024;

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    const CHANNEL: ChannelId = ChannelId(3);

    fn numbering(count: u64, ring_bytes: usize) -> Numbering {
        let mut numbering = Numbering::new(ring_bytes);
        for _ in 0..count {
            numbering.number(CHANNEL, 1, &Bytes::from_static(b"0123456789"));
        }
        numbering
    }

    fn replayed(numbering: &Numbering, last: u64) -> Result<Vec<u64>, ReplayError> {
        numbering
            .replay(last)
            .map(|all| all.iter().map(|kept| kept.sequence).collect())
    }

    #[test]
    fn exactly_the_missing_messages_are_replayed() {
        let numbering = numbering(5, 10_000);
        assert_eq!(replayed(&numbering, 3), Ok(vec![4, 5]));
        assert_eq!(replayed(&numbering, 5), Ok(vec![]));
        assert_eq!(replayed(&numbering, 0), Ok(vec![1, 2, 3, 4, 5]));
        assert_eq!(replayed(&numbering, 6), Err(ReplayError::Mismatch));
    }

    #[test]
    fn a_full_ring_drops_the_oldest() {
        let numbering = numbering(5, 3 * (MESSAGE_COST + 10));
        assert_eq!(replayed(&numbering, 1), Err(ReplayError::Overflow));
        assert_eq!(replayed(&numbering, 2), Ok(vec![3, 4, 5]));
    }

    #[test]
    fn acknowledged_messages_leave_the_ring() {
        let mut numbering = numbering(5, 10_000);
        assert!(numbering.acknowledged(4));
        assert_eq!(numbering.cost, MESSAGE_COST + 10);
        assert_eq!(replayed(&numbering, 3), Err(ReplayError::Overflow));
        assert!(!numbering.acknowledged(6));
        assert_eq!(numbering.cost, 0);
    }

    #[test]
    fn a_closed_channel_leaves_its_numbers_only() {
        let mut numbering = numbering(2, 10_000);
        numbering.blank(CHANNEL);
        assert_eq!(numbering.cost, 2 * MESSAGE_COST);
        let kept = numbering.replay(0).unwrap();
        assert!(
            kept.iter()
                .all(|kept| kept.channel.is_none() && kept.payload.is_empty())
        );
    }

    #[test]
    fn the_last_number_there_is_does_no_harm() {
        let mut received = Received::default();
        assert_eq!(received.note(u64::MAX), Arrival::New);
        assert_eq!(received.note(u64::MAX), Arrival::Duplicate);
        assert_eq!(received.note(u64::MAX - 1), Arrival::New);
        assert_eq!(received.note(0), Arrival::Duplicate);
        assert_eq!(received.contiguous(), 0);
    }

    #[test]
    fn gaps_are_bounded() {
        let mut received = Received::default();
        let noted = (1..=2000)
            .map(|step| received.note(step * 2))
            .collect::<Vec<_>>();
        assert_eq!(
            noted
                .iter()
                .filter(|arrival| **arrival == Arrival::New)
                .count(),
            GAPS_MAX
        );
        assert_eq!(noted.last(), Some(&Arrival::TooManyGaps));
    }

    proptest! {
        #[test]
        fn any_order_of_arrival_is_told_apart(numbers in prop::collection::vec(1_u64..60, 0..200)) {
            let mut received = Received::default();
            let mut model = BTreeSet::new();
            for number in numbers {
                let new = model.insert(number);
                prop_assert_eq!(received.note(number) == Arrival::New, new);
                let contiguous = (1..).take_while(|n| model.contains(n)).count() as u64;
                prop_assert_eq!(received.contiguous(), contiguous);
            }
        }
    }
}
