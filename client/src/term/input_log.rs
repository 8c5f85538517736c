//! What was typed and is not known to have reached the program.

use std::collections::VecDeque;

use bytes::Bytes;

/// Input from the first byte that the server did not acknowledge.
#[derive(Clone, Debug, Default)]
pub(super) struct InputLog {
    /// The offset of the first byte that is kept.
    start: u64,
    bytes: VecDeque<u8>,
}

impl InputLog {
    /// Keeps bytes that are sent now; returns the offset behind them.
    pub(super) fn push(&mut self, bytes: &[u8]) -> u64 {
        self.bytes.extend(bytes);
        self.end()
    }

    /// The offset behind the last byte.
    #[must_use]
    pub(super) fn end(&self) -> u64 {
        self.start + self.bytes.len() as u64
    }

    /// The program has been given all up to here.
    pub(super) fn acknowledged(&mut self, offset: u64) {
        let count = offset.saturating_sub(self.start);
        let count = usize::try_from(count)
            .unwrap_or(usize::MAX)
            .min(self.bytes.len());
        self.bytes.drain(..count);
        self.start += count as u64;
    }

    /// What is to be sent again after the program was given all up to here.
    pub(super) fn resend(&mut self, offset: u64) -> Bytes {
        self.acknowledged(offset);
        let (front, back) = self.bytes.as_slices();
        Bytes::from([front, back].concat())
    }

    /// Whether more may be typed; otherwise nothing is read until the server acknowledges.
    #[must_use]
    pub(super) fn has_room(&self) -> bool {
        self.bytes.len() < INPUT_BYTES
    }
}

/// How much is kept that the server has not acknowledged.
const INPUT_BYTES: usize = 256 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_did_not_arrive_is_sent_again() {
        let mut log = InputLog::default();
        assert_eq!(log.push(b"abc"), 3);
        assert_eq!(log.push(b"def"), 6);
        log.acknowledged(2);
        assert_eq!(log.resend(4), "ef");
        assert_eq!(log.resend(4), "ef");
        // An old acknowledgement takes nothing back.
        log.acknowledged(1);
        assert_eq!(log.resend(6), "");
        assert_eq!(log.push(b"g"), 7);
        assert_eq!(log.resend(6), "g");
    }

    #[test]
    fn a_server_that_claims_more_than_was_sent_loses_nothing() {
        let mut log = InputLog::default();
        log.push(b"abc");
        log.acknowledged(u64::MAX);
        assert_eq!(log.end(), 3);
        assert_eq!(log.push(b"d"), 4);
        assert_eq!(log.resend(3), "d");
    }

    #[test]
    fn a_server_that_never_acknowledges_stops_the_typing() {
        let mut log = InputLog::default();
        log.push(&vec![0; INPUT_BYTES]);
        assert!(!log.has_room());
        log.acknowledged(1);
        assert!(log.has_room());
    }
}
