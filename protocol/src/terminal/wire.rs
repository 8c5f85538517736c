//! What both state machines have of the control channel: bytes in, messages out, faults counted.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::time::Instant;

use bytes::Bytes;

use super::budget::{Budget, Verdict};
use super::error::ErrorMessage;
use super::message::ERROR;
use super::tlv::{Tlv, TlvDecoder, TlvTooLong};
use crate::encoding::Encoding;

/// One end of a control channel.
pub(super) struct Wire {
    /// What this end writes.
    pub(super) encoding: Encoding,
    /// The time of the last call.
    pub(super) now: Instant,
    decoder: TlvDecoder,
    length_max: usize,
    budget: Budget,
    outgoing: VecDeque<Bytes>,
    /// News that found the queue full, the newest of each type.
    late: BTreeMap<u32, Bytes>,
}

impl Wire {
    pub(super) fn new(now: Instant, length_max: usize) -> Self {
        Self {
            // Until HELLO has settled it, JSON is what everybody reads.
            encoding: Encoding::Json,
            now,
            decoder: TlvDecoder::with_length_max(length_max),
            length_max,
            budget: Budget::default(),
            outgoing: VecDeque::new(),
            late: BTreeMap::new(),
        }
    }

    pub(super) fn set_length_max(&mut self, length_max: usize) {
        self.length_max = length_max;
        self.decoder.set_length_max(length_max);
    }

    pub(super) fn push(&mut self, bytes: &[u8]) {
        self.decoder.push(bytes);
    }

    pub(super) fn poll(&mut self) -> Result<Option<Tlv>, TlvTooLong> {
        self.decoder.poll()
    }

    /// Whether more is waiting than one message and what may be sent ahead of an answer.
    pub(super) fn is_overrun(&self) -> bool {
        self.decoder.buffered_bytes() > Tlv::HEADER_LEN + self.length_max + AHEAD_BYTES_MAX
    }

    /// Forgets what was received and not read.
    pub(super) fn clear(&mut self) {
        self.decoder = TlvDecoder::with_length_max(self.length_max);
    }

    pub(super) fn send(&mut self, tlv: &Tlv) {
        self.outgoing.push_back(tlv.encode());
    }

    /// Sends what only the newest matters of: while nothing is taken, one of each type waits.
    pub(super) fn send_news(&mut self, tlv: &Tlv) {
        self.late.remove(&tlv.kind);
        if self.is_stuck() {
            self.late.insert(tlv.kind, tlv.encode());
        } else {
            self.send(tlv);
        }
    }

    /// Sends an ERROR.
    pub(super) fn error(&mut self, error: &ErrorMessage) {
        let payload = error.fields().encode(self.encoding);
        self.send(&Tlv {
            kind: ERROR,
            payload,
        });
    }

    /// Counts a fault of the peer and answers it, unless that was done often enough.
    ///
    /// `false`: the peer errs so often that it has to go.
    pub(super) fn fault(&mut self, error: &ErrorMessage) -> bool {
        match self.budget.fault(self.now) {
            Verdict::Answer if self.outgoing.len() < OUTGOING_MAX => {
                self.error(error);
                true
            }
            Verdict::Answer | Verdict::Silence => true,
            Verdict::Close => false,
        }
    }

    /// Whether nobody takes what this end wants to send.
    pub(super) fn is_stuck(&self) -> bool {
        self.outgoing.len() >= OUTGOING_MAX
    }

    pub(super) fn poll_transmit(&mut self) -> Option<Bytes> {
        let first = self.outgoing.pop_front();
        first.or_else(|| Some(self.late.pop_first()?.1))
    }
}

// What is waiting may be a secret.
impl fmt::Debug for Wire {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Wire")
            .field("encoding", &self.encoding)
            .field("decoder", &self.decoder)
            .field("outgoing", &self.outgoing.len())
            .finish_non_exhaustive()
    }
}

/// What a peer may send ahead while its last request is not answered; more closes the pair.
const AHEAD_BYTES_MAX: usize = 64 * 1024;

/// Messages waiting to be polled; at that many errors are dropped, and of news only the newest
/// is kept.
const OUTGOING_MAX: usize = 64;
