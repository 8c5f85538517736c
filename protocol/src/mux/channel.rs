//! The channels of a connection and the ids they go by.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::frame::Part;
use super::id::ChannelId;
use super::queue::Queue;
use super::sequence::Numbering;
use super::spec::{self, ChannelSpec};

/// An open channel.
#[derive(Debug)]
pub(crate) struct Channel {
    pub(crate) spec: ChannelSpec,
    /// Its name as frames carry it to the link.
    pub(crate) lane: Arc<str>,
    pub(crate) queue: Queue,
    /// Whether its messages carry sequence numbers.
    pub(crate) numbered: bool,
    /// Set when we closed it but messages queued before still have to go out.
    pub(crate) closing: Option<String>,
    /// How many messages must have left channel 0 first: the last of them is our CHANNEL_ACK, which
    /// nothing on the channel may overtake.
    pub(crate) after_control: u64,
    /// When it is closed for want of a lane.
    pub(crate) lane_deadline: Option<Instant>,
    /// Whether it stands in one of the lists of channels with something to send.
    pub(crate) scheduled: bool,
    /// Whether a fragmented message of the peer had begun when we closed it.
    pub(crate) discard: Discard,
}

impl Channel {
    pub(crate) fn new(spec: ChannelSpec, numbered: bool) -> Self {
        Self {
            lane: spec.name.as_str().into(),
            numbered,
            queue: Queue::default(),
            closing: None,
            after_control: 0,
            lane_deadline: None,
            scheduled: false,
            discard: Discard {
                numbered,
                begun: false,
            },
            spec,
        }
    }

    /// Forgets what belonged to the transport that was lost.
    fn suspend(&mut self) {
        if self.numbered {
            // The ring has it whole.
            self.queue.drop_begun();
        } else {
            self.queue = Queue::default();
        }
        self.after_control = 0;
        self.lane_deadline = None;
        self.scheduled = false;
        self.discard.begun = false;
    }

    /// What the queue may cost; above it messages are refused with `Full`.
    pub(crate) fn queue_cost_max(&self) -> usize {
        if self.spec.name.starts_with(spec::PTY) {
            PTY_QUEUE_BYTES
        } else {
            QUEUE_BYTES
        }
    }

    /// Whether its messages go before those of other channels.
    pub(crate) fn is_interactive(&self) -> bool {
        !self.spec.reliable
            || self.spec.name == spec::BUTTON
            || self.spec.name.starts_with(spec::TERMINAL_CONTROL)
    }

    /// The largest message, prefix included, that the other side takes.
    pub(crate) fn message_bytes_max(&self) -> usize {
        if self.spec.name == spec::VIDEO {
            VIDEO_MESSAGE_BYTES
        } else {
            MESSAGE_BYTES
        }
    }
}

/// Finds the numbers of messages that are thrown away, so that they count as received.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Discard {
    pub(crate) numbered: bool,
    /// Whether the next piece belongs to a message that has begun.
    pub(crate) begun: bool,
}

impl Discard {
    /// The sequence number that a late frame carries, if any.
    pub(crate) fn sequence(&mut self, part: Part, payload: &[u8]) -> Option<u64> {
        let first = part == Part::Whole || !self.begun;
        self.begun = part == Part::Piece;
        if !self.numbered || !first {
            return None;
        }
        payload
            .first_chunk()
            .map(|prefix| u64::from_be_bytes(*prefix))
    }
}

/// All ids of a connection.
#[derive(Debug)]
pub(crate) struct Channels {
    slots: Vec<Slot>,
}

/// What is known of one id.
#[derive(Debug, Default)]
pub(crate) enum Slot {
    /// It was never given.
    #[default]
    Unused,
    /// We asked the peer for a channel and named this id.
    Reserved,
    /// A channel has it.
    Open(Box<Channel>),
    /// A channel had it.
    Freed { at: Instant, discard: Discard },
}

impl Channels {
    pub(crate) fn new() -> Self {
        Self {
            slots: (0..=ChannelId::MAX.0).map(|_| Slot::Unused).collect(),
        }
    }

    /// What is known of an id; `None` for 255, which no channel has.
    pub(crate) fn slot(&mut self, id: ChannelId) -> Option<&mut Slot> {
        self.slots.get_mut(usize::from(id.0))
    }

    pub(crate) fn get(&self, id: ChannelId) -> Option<&Channel> {
        match self.slots.get(usize::from(id.0)) {
            Some(Slot::Open(channel)) => Some(channel),
            _ => None,
        }
    }

    pub(crate) fn get_mut(&mut self, id: ChannelId) -> Option<&mut Channel> {
        match self.slots.get_mut(usize::from(id.0)) {
            Some(Slot::Open(channel)) => Some(channel),
            _ => None,
        }
    }

    pub(crate) fn open(&mut self, id: ChannelId, channel: Channel) {
        if let Some(slot) = self.slot(id).filter(|_| id.is_application()) {
            *slot = Slot::Open(Box::new(channel));
        }
    }

    pub(crate) fn reserve(&mut self, id: ChannelId) {
        if let Some(slot) = self.slot(id) {
            *slot = Slot::Reserved;
        }
    }

    /// Gives an id back; frames that are still under way are expected for a while.
    pub(crate) fn free(&mut self, id: ChannelId, now: Instant) -> Option<Channel> {
        let slot = self.slot(id)?;
        match std::mem::take(slot) {
            Slot::Open(channel) => {
                *slot = Slot::Freed {
                    at: now,
                    discard: channel.discard,
                };
                Some(*channel)
            }
            Slot::Reserved => {
                let discard = Discard {
                    numbered: false,
                    begun: false,
                };
                *slot = Slot::Freed { at: now, discard };
                None
            }
            other => {
                *slot = other;
                None
            }
        }
    }

    /// Expects frames for an id of which nothing is known, or no longer.
    pub(crate) fn quarantine(&mut self, id: ChannelId, now: Instant) {
        match self.slot(id).filter(|_| id.is_application()) {
            Some(Slot::Freed { at, .. }) => *at = now,
            Some(slot @ Slot::Unused) => {
                let discard = Discard {
                    numbered: false,
                    begun: false,
                };
                *slot = Slot::Freed { at: now, discard };
            }
            _ => {}
        }
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (ChannelId, &Channel)> {
        self.ids().filter_map(|id| Some((id, self.get(id)?)))
    }

    pub(crate) fn by_name(&self, name: &str) -> Option<ChannelId> {
        self.iter()
            .find(|(_, channel)| channel.spec.name == name)
            .map(|(id, _)| id)
    }

    /// The id that a server gives next: the lowest never used, then the oldest freed one that is
    /// out of quarantine.
    // xumux §Channel ids: late frames cannot be told from frames of a new channel with the same id.
    pub(crate) fn next_id(&self, now: Instant) -> Option<ChannelId> {
        let unused = self
            .ids()
            .find(|id| matches!(self.known(*id), Some(Slot::Unused)));
        unused.or_else(|| {
            let freed = self.ids().filter_map(|id| match self.known(id) {
                Some(Slot::Freed { at, .. }) if *at + QUARANTINE <= now => Some((*at, id)),
                _ => None,
            });
            freed.min().map(|(_, id)| id)
        })
    }

    /// The id that a client gives when the server, whose right it is, named none.
    pub(crate) fn highest_free_id(&self, now: Instant) -> Option<ChannelId> {
        self.ids().rev().find(|id| match self.known(*id) {
            Some(Slot::Unused) => true,
            Some(Slot::Freed { at, .. }) => *at + QUARANTINE <= now,
            _ => false,
        })
    }

    /// Says whether a channel may get this id: the peer, who gives it, knows when.
    pub(crate) fn is_free(&self, id: ChannelId) -> bool {
        id.is_application() && matches!(self.known(id), Some(Slot::Unused | Slot::Freed { .. }))
    }

    /// Makes ready for another transport: keeps what numbered channels have not sent, drops the
    /// rest, and ends the channels that were about to close.
    pub(crate) fn suspend(&mut self, now: Instant, numbering: &mut Numbering) {
        for id in self.ids() {
            if self
                .get(id)
                .is_some_and(|channel| channel.closing.is_some())
            {
                self.free(id, now);
                numbering.blank(id);
            }
            match self.slot(id) {
                Some(Slot::Open(channel)) => channel.suspend(),
                Some(Slot::Freed { discard, .. }) => discard.begun = false,
                _ => {}
            }
        }
    }

    fn known(&self, id: ChannelId) -> Option<&Slot> {
        self.slots.get(usize::from(id.0))
    }

    fn ids(&self) -> impl DoubleEndedIterator<Item = ChannelId> + use<> {
        (1..=ChannelId::MAX.0).map(ChannelId)
    }
}

/// How long frames for a closed channel are dropped silently and its id is not given again.
pub(crate) const QUARANTINE: Duration = Duration::from_secs(5);

/// What one channel may have waiting, in bytes; then `send` answers `Full`.
pub const QUEUE_BYTES: usize = 1024 * 1024;
/// What the PTY channel may have waiting, in bytes; then its reader pauses.
pub const PTY_QUEUE_BYTES: usize = 256 * 1024;
/// How many messages an unreliable channel may have waiting; then the oldest is dropped.
pub(crate) const LOSSY_QUEUE_MESSAGES: usize = 64;

/// The largest message on an ordinary channel; more closes the channel with 4005.
pub const MESSAGE_BYTES: usize = 4 * 1024 * 1024;
/// The largest message on `video`; more closes the channel with 4005.
pub const VIDEO_MESSAGE_BYTES: usize = 8 * 1024 * 1024;
/// The largest message on channel 0; more closes the connection with 4005.
pub const CONTROL_MESSAGE_BYTES: usize = 8 * 1024 * 1024;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::start;

    fn open(channels: &mut Channels, id: ChannelId) {
        channels.open(
            id,
            Channel::new(ChannelSpec::reliable(id.to_string()), false),
        );
    }

    #[test]
    fn ids_are_the_lowest_never_used_then_the_oldest_freed() {
        let now = start();
        let mut channels = Channels::new();
        for id in 1..=3 {
            assert_eq!(channels.next_id(now), Some(ChannelId(id)));
            open(&mut channels, ChannelId(id));
        }
        channels.free(ChannelId(2), now);
        channels.free(ChannelId(1), now + Duration::from_secs(1));
        assert_eq!(channels.next_id(now + 2 * QUARANTINE), Some(ChannelId(4)));
        for id in 4..=254 {
            open(&mut channels, ChannelId(id));
        }
        assert_eq!(channels.next_id(now + 2 * QUARANTINE), Some(ChannelId(2)));
    }

    #[test]
    fn ids_in_quarantine_count_as_used() {
        let now = start();
        let mut channels = Channels::new();
        (1..=254).for_each(|id| open(&mut channels, ChannelId(id)));
        assert_eq!(channels.next_id(now), None);
        channels.free(ChannelId(7), now);
        assert_eq!(
            channels.next_id(now + QUARANTINE - Duration::from_millis(1)),
            None
        );
        assert_eq!(channels.highest_free_id(now), None);
        assert_eq!(channels.next_id(now + QUARANTINE), Some(ChannelId(7)));
        assert_eq!(
            channels.highest_free_id(now + QUARANTINE),
            Some(ChannelId(7))
        );
    }

    #[test]
    fn a_client_counts_down_from_254() {
        let now = start();
        let mut channels = Channels::new();
        assert_eq!(channels.highest_free_id(now), Some(ChannelId(254)));
        open(&mut channels, ChannelId(254));
        assert_eq!(channels.highest_free_id(now), Some(ChannelId(253)));
    }

    #[test]
    fn numbers_of_late_messages_are_found_in_their_first_piece() {
        let mut discard = Discard {
            numbered: true,
            begun: true,
        };
        let first = 9_u64.to_be_bytes();
        assert_eq!(discard.sequence(Part::Piece, b"middle of one"), None);
        assert_eq!(discard.sequence(Part::LastPiece, b"end of the one"), None);
        assert_eq!(discard.sequence(Part::Piece, &first), Some(9));
        assert_eq!(discard.sequence(Part::LastPiece, b"end of nine"), None);
        assert_eq!(discard.sequence(Part::Whole, &first), Some(9));
        assert_eq!(discard.sequence(Part::Whole, b"short"), None);
    }
}
