//! How much of a forwarded connection may be under way.

use super::data::Data;
use crate::encoding::DecodeError;

/// What one side knows of the bytes of one connection, in both directions.
///
/// Nobody sends more than [`BYTES`](Self::BYTES) beyond what the other has handed on, so whoever
/// has a slow reader never has to keep more than that, and nothing else on the mux waits for it.
#[derive(Clone, Copy, Debug, Default)]
pub struct Window {
    sent: u64,
    /// What the other side said to have handed on.
    acknowledged: u64,
    received: u64,
    /// What this side has handed on.
    taken: u64,
    /// What it has told of that.
    told: u64,
}

impl Window {
    /// How much may be under way in one direction.
    pub const BYTES: u64 = 1024 * 1024;

    /// An ACK is sent after this many bytes were handed on.
    pub const ACK_BYTES: u64 = 256 * 1024;

    /// How many bytes may be sent now.
    pub fn room(&self) -> usize {
        let under_way = self.sent.saturating_sub(self.acknowledged);
        usize::try_from(Self::BYTES.saturating_sub(under_way)).unwrap_or(usize::MAX)
    }

    /// Notes bytes that were sent.
    pub const fn sent(&mut self, bytes: usize) {
        self.sent = self.sent.saturating_add(bytes as u64);
    }

    /// Takes an ACK; one for what was never sent, or taken back, is malformed.
    pub const fn acknowledge(&mut self, total: u64) -> Result<(), DecodeError> {
        if total > self.sent || total < self.acknowledged {
            return Err(DecodeError::Layout("ACK"));
        }
        self.acknowledged = total;
        Ok(())
    }

    /// Notes bytes that came; more than may be under way is malformed.
    pub const fn received(&mut self, bytes: usize) -> Result<(), DecodeError> {
        self.received = self.received.saturating_add(bytes as u64);
        if self.received.saturating_sub(self.told) > Self::BYTES {
            return Err(DecodeError::TooLarge("what waits for its reader"));
        }
        Ok(())
    }

    /// Notes bytes that were handed on; returns the ACK that is due.
    pub const fn taken(&mut self, bytes: usize) -> Option<Data> {
        self.taken = self.taken.saturating_add(bytes as u64);
        if self.taken.saturating_sub(self.told) < Self::ACK_BYTES {
            return None;
        }
        self.told = self.taken;
        Some(Data::Ack(self.taken))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_is_under_way_than_the_window() {
        let mut window = Window::default();
        let all = window.room();
        assert_eq!(all as u64, Window::BYTES);
        window.sent(all);
        assert_eq!(window.room(), 0);
        assert_eq!(window.acknowledge(300_000), Ok(()));
        assert_eq!(window.room(), 300_000);
        assert!(window.acknowledge(299_999).is_err(), "it was taken back");
        assert!(window.acknowledge(all as u64 + 1).is_err(), "never sent");
    }

    #[test]
    fn what_is_handed_on_is_told_in_time() {
        let (mut ours, mut theirs) = (Window::default(), Window::default());
        let mut waiting = 0;
        for _ in 0..1000 {
            let bytes = ours.room().min(10_000);
            assert!(bytes > 0, "the other side told in time");
            ours.sent(bytes);
            assert_eq!(theirs.received(bytes), Ok(()));
            waiting += bytes;
            // A reader who keeps up.
            let acknowledgement = theirs.taken(std::mem::take(&mut waiting));
            if let Some(Data::Ack(total)) = acknowledgement {
                assert_eq!(ours.acknowledge(total), Ok(()));
            }
        }
    }

    #[test]
    fn who_sends_too_much_is_found_out() {
        let mut window = Window::default();
        assert_eq!(window.received(1024 * 1024), Ok(()));
        assert!(window.received(1).is_err());
    }
}
