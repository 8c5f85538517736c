//! The frame: six bytes of header, eight when the length needs four, and a payload.

use bytes::{BufMut as _, Bytes, BytesMut};

use super::id::ChannelId;

/// One frame, as it stands on the wire.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Frame {
    /// Where it belongs.
    pub channel: ChannelId,
    /// Its type byte, scoped to the channel.
    pub kind: u8,
    /// Whether it is a whole message or a piece of one.
    pub part: Part,
    /// What it carries.
    pub payload: Bytes,
}

/// What part of a message a frame is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// All of it.
    Whole,
    /// A first or middle piece.
    Piece,
    /// The last piece.
    LastPiece,
}

/// The fields before the payload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header {
    /// Where the frame belongs.
    pub channel: ChannelId,
    /// Its type byte.
    pub kind: u8,
    /// What part of a message it is.
    pub part: Part,
    /// How many bytes the header takes: 6 or 8.
    pub header_bytes: usize,
    /// How many bytes of payload follow.
    pub payload_bytes: usize,
}

impl Header {
    /// Reads a header from the first bytes of a frame; `None` while there are too few of them.
    ///
    /// Says nothing about the size of the payload: that is the reader's limit to know.
    pub fn decode(bytes: &[u8]) -> Result<Option<Self>, FrameError> {
        let Some(&[channel, kind, flags, reserved, high, low]) = bytes.first_chunk() else {
            return Ok(None);
        };
        if reserved != 0 || flags & !(EXTENDED_LENGTH | FRAGMENT | FRAGMENT_END) != 0 {
            return Err(FrameError::Reserved);
        }
        let part = match (flags & FRAGMENT != 0, flags & FRAGMENT_END != 0) {
            (false, false) => Part::Whole,
            (true, false) => Part::Piece,
            (true, true) => Part::LastPiece,
            (false, true) => return Err(FrameError::EndWithoutFragment),
        };
        let (header_bytes, payload_bytes) = if flags & EXTENDED_LENGTH == 0 {
            (HEADER_BYTES, usize::from(u16::from_be_bytes([high, low])))
        } else {
            let Some(&[.., a, b, c, d]) = bytes.first_chunk::<EXTENDED_HEADER_BYTES>() else {
                return Ok(None);
            };
            // A length that usize cannot hold is above every limit too.
            let length = usize::try_from(u32::from_be_bytes([a, b, c, d])).unwrap_or(usize::MAX);
            (EXTENDED_HEADER_BYTES, length)
        };
        Ok(Some(Self {
            channel: ChannelId(channel),
            kind,
            part,
            header_bytes,
            payload_bytes,
        }))
    }
}

impl Frame {
    /// A frame that is a whole message.
    #[must_use]
    pub const fn whole(channel: ChannelId, kind: u8, payload: Bytes) -> Self {
        Self {
            channel,
            kind,
            part: Part::Whole,
            payload,
        }
    }

    /// Reads exactly one frame whose payload is at most `limit` bytes.
    pub fn decode(message: &Bytes, limit: usize) -> Result<Self, FrameError> {
        let header = Header::decode(message)?.ok_or(FrameError::Length)?;
        if header.payload_bytes > limit {
            return Err(FrameError::TooLarge);
        }
        if message.len() - header.header_bytes != header.payload_bytes {
            return Err(FrameError::Length);
        }
        Ok(Self {
            channel: header.channel,
            kind: header.kind,
            part: header.part,
            payload: message.slice(header.header_bytes..),
        })
    }

    /// Writes the frame; the length is extended only when it has to be.
    ///
    /// # Panics
    ///
    /// When the payload is 4 GiB or more, which no limit here allows.
    #[must_use]
    pub fn encode(&self) -> Bytes {
        encode(self.channel, self.kind, self.part, &[&self.payload])
    }
}

/// Writes a frame whose payload is the concatenation of `payload`.
#[expect(
    clippy::expect_used,
    reason = "message limits keep payloads below 4 GiB"
)]
pub(crate) fn encode(channel: ChannelId, kind: u8, part: Part, payload: &[&[u8]]) -> Bytes {
    let length: usize = payload.iter().map(|slice| slice.len()).sum();
    let flags = match part {
        Part::Whole => 0,
        Part::Piece => FRAGMENT,
        Part::LastPiece => FRAGMENT | FRAGMENT_END,
    };
    let mut frame = BytesMut::with_capacity(EXTENDED_HEADER_BYTES + length);
    frame.put_u8(channel.0);
    frame.put_u8(kind);
    if let Ok(short) = u16::try_from(length) {
        frame.put_u8(flags);
        frame.put_u8(0);
        frame.put_u16(short);
    } else {
        frame.put_u8(flags | EXTENDED_LENGTH);
        frame.put_u8(0);
        frame.put_u32(u32::try_from(length).expect("a payload is below 4 GiB"));
    }
    for slice in payload {
        frame.put_slice(slice);
    }
    frame.freeze()
}

/// What is wrong with a frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum FrameError {
    /// The reserved byte or a reserved flag is set.
    #[error("a reserved byte or flag is set")]
    Reserved,
    /// FRAGMENT_END without FRAGMENT.
    #[error("the end of a fragmented message without a fragment")]
    EndWithoutFragment,
    /// The payload is larger than agreed.
    #[error("the payload is larger than agreed")]
    TooLarge,
    /// The message is shorter or longer than its header says.
    #[error("the message is not as long as its header says")]
    Length,
}

/// The size of a standard header.
pub const HEADER_BYTES: usize = 6;
/// The size of a header with a four-byte length.
pub const EXTENDED_HEADER_BYTES: usize = 8;

const EXTENDED_LENGTH: u8 = 0x01;
const FRAGMENT: u8 = 0x02;
const FRAGMENT_END: u8 = 0x04;

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn part() -> impl Strategy<Value = Part> {
        prop_oneof![Just(Part::Whole), Just(Part::Piece), Just(Part::LastPiece)]
    }

    proptest! {
        #[test]
        fn frames_survive_a_round_trip(
            channel: u8, kind: u8, part in part(), payload in prop::collection::vec(any::<u8>(), 0..70_000)
        ) {
            let frame = Frame { channel: ChannelId(channel), kind, part, payload: payload.into() };
            let bytes = frame.encode();
            let expected = if frame.payload.len() > 65_535 { 8 } else { 6 };
            prop_assert_eq!(bytes.len(), frame.payload.len() + expected);
            prop_assert_eq!(Frame::decode(&bytes, usize::MAX), Ok(frame));
        }

        #[test]
        fn every_truncation_is_refused(payload in prop::collection::vec(any::<u8>(), 0..200), cut: prop::sample::Index) {
            let bytes = Frame::whole(ChannelId(1), 2, payload.into()).encode();
            let short = bytes.slice(..cut.index(bytes.len()));
            prop_assert_eq!(Frame::decode(&short, usize::MAX), Err(FrameError::Length));
        }

        #[test]
        fn any_bytes_are_a_frame_or_an_error(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
            let bytes = Bytes::from(bytes);
            if let Ok(frame) = Frame::decode(&bytes, 65_535) {
                prop_assert_eq!(Frame::decode(&frame.encode(), 65_535), Ok(frame));
            }
        }
    }

    #[test]
    fn an_extended_header_may_hold_a_short_length() {
        let frame = Frame::decode(&Bytes::from_static(b"\x05\0\x01\0\0\0\0\x03abc"), 10).unwrap();
        assert_eq!(
            frame,
            Frame::whole(ChannelId(5), 0, Bytes::from_static(b"abc"))
        );
    }

    #[test]
    fn a_lying_length_is_too_large_before_it_is_wrong() {
        let lie = Bytes::from_static(b"\x01\0\x01\0\xff\xff\xff\xff");
        assert_eq!(Frame::decode(&lie, 65_535), Err(FrameError::TooLarge));
    }
}
