//! Messages put together from their fragments.

use std::collections::HashMap;

use bytes::{Bytes, BytesMut};

use super::frame::Part;
use super::id::ChannelId;

/// The unfinished messages of a connection, at most one per channel.
#[derive(Debug, Default)]
pub(crate) struct Reassembly {
    partial: HashMap<ChannelId, Partial>,
    bytes: usize,
}

#[derive(Debug)]
struct Partial {
    kind: u8,
    body: BytesMut,
}

/// Why a frame does not fit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FragmentError {
    /// Another message, or another type, in the middle of a fragmented one.
    Mixed,
    /// The message, or all unfinished ones together, grew too large.
    TooLarge,
}

impl Reassembly {
    /// Takes one frame and yields the message that it completes.
    // xumux §Fragmentation: one message in flight per channel and direction.
    pub(crate) fn push(
        &mut self,
        channel: ChannelId,
        kind: u8,
        part: Part,
        payload: Bytes,
        message_bytes_max: usize,
    ) -> Result<Option<Bytes>, FragmentError> {
        let begun = match self.partial.get(&channel) {
            None => 0,
            Some(partial) if part != Part::Whole && partial.kind == kind => partial.body.len(),
            Some(_) => return Err(FragmentError::Mixed),
        };
        if part == Part::Whole {
            return Ok(Some(payload));
        }
        if begun + payload.len() > message_bytes_max
            || self.bytes + payload.len() > REASSEMBLY_BYTES
        {
            return Err(FragmentError::TooLarge);
        }
        let partial = self.partial.entry(channel).or_insert_with(|| Partial {
            kind,
            body: BytesMut::with_capacity(payload.len()),
        });
        partial.body.extend_from_slice(&payload);
        self.bytes += payload.len();
        if part == Part::Piece {
            return Ok(None);
        }
        Ok(self.take(channel).map(BytesMut::freeze))
    }

    /// Takes out what has come of an unfinished message.
    pub(crate) fn take(&mut self, channel: ChannelId) -> Option<BytesMut> {
        let partial = self.partial.remove(&channel)?;
        self.bytes -= partial.body.len();
        Some(partial.body)
    }

    #[cfg(test)]
    fn bytes(&self) -> usize {
        self.bytes
    }
}

/// What all unfinished messages of a connection may hold; a piece beyond it closes its channel
/// with 4005.
pub(crate) const REASSEMBLY_BYTES: usize = 16 * 1024 * 1024;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const CHANNEL: ChannelId = ChannelId(3);

    fn push(
        reassembly: &mut Reassembly,
        part: Part,
        payload: &[u8],
    ) -> Result<Option<Bytes>, FragmentError> {
        reassembly.push(CHANNEL, 1, part, Bytes::copy_from_slice(payload), 1000)
    }

    #[test]
    fn a_message_of_one_piece_is_legal() {
        let mut reassembly = Reassembly::default();
        assert_eq!(
            push(&mut reassembly, Part::LastPiece, b"all"),
            Ok(Some(Bytes::from_static(b"all")))
        );
        assert_eq!(reassembly.bytes(), 0);
    }

    #[test]
    fn nothing_may_come_between_the_pieces_of_one_channel() {
        let mut reassembly = Reassembly::default();
        assert_eq!(push(&mut reassembly, Part::Piece, b"a"), Ok(None));
        assert_eq!(
            push(&mut reassembly, Part::Whole, b"b"),
            Err(FragmentError::Mixed)
        );
        let other = reassembly.push(CHANNEL, 2, Part::LastPiece, Bytes::new(), 1000);
        assert_eq!(other, Err(FragmentError::Mixed));
    }

    #[test]
    fn many_channels_together_stay_within_the_bound() {
        let mut reassembly = Reassembly::default();
        let piece = Bytes::from(vec![0; 1024 * 1024]);
        let mut taken = 0;
        for channel in 1..=254 {
            let pushed =
                reassembly.push(ChannelId(channel), 0, Part::Piece, piece.clone(), 4 << 20);
            taken += usize::from(pushed.is_ok());
        }
        assert_eq!(taken, 16);
        assert_eq!(reassembly.bytes(), REASSEMBLY_BYTES);
    }

    proptest! {
        #[test]
        fn pieces_add_up_to_the_message(pieces in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..50), 1..20)) {
            let mut reassembly = Reassembly::default();
            let whole = pieces.concat();
            let (last, first) = pieces.split_last().unwrap();
            for piece in first {
                prop_assert_eq!(push(&mut reassembly, Part::Piece, piece), Ok(None));
            }
            prop_assert_eq!(push(&mut reassembly, Part::LastPiece, last), Ok(Some(Bytes::from(whole))));
            prop_assert_eq!(reassembly.bytes(), 0);
        }
    }
}
