//! Frames out of a byte stream: the magic first, then frame after frame by length.

use bytes::{Buf as _, Bytes, BytesMut};

use super::frame::{EXTENDED_HEADER_BYTES, FrameError, Header};

/// Cuts the bytes of TCP, TLS, Unix sockets and stdio into frames.
///
/// Holds at most what was pushed and not yet polled; a frame above the limit is refused by its
/// header, before any of its payload is kept. After an error it stays in error.
#[derive(Debug, Default)]
pub struct StreamDecoder {
    buffer: BytesMut,
    stage: Stage,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Stage {
    #[default]
    Magic,
    FirstFrame,
    Frames,
    Failed(StreamError),
}

impl StreamDecoder {
    /// A decoder at the start of a stream, expecting the magic.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes bytes as they were read; what comes after an error is dropped.
    pub fn push(&mut self, bytes: &[u8]) {
        if !matches!(self.stage, Stage::Failed(_)) {
            self.buffer.extend_from_slice(bytes);
        }
    }

    /// Yields the next whole frame whose payload is at most `frame_limit` bytes.
    ///
    /// `None` means that more bytes are needed.
    pub fn poll(&mut self, frame_limit: usize) -> Result<Option<Bytes>, StreamError> {
        let outcome = self.try_poll(frame_limit);
        if let Err(error) = outcome {
            self.stage = Stage::Failed(error);
            self.buffer = BytesMut::new();
        }
        outcome
    }

    /// Says whether the right magic has been read; a server sends its own only after that.
    #[must_use]
    pub fn has_magic(&self) -> bool {
        !matches!(self.stage, Stage::Magic | Stage::Failed(StreamError::Magic))
    }

    /// How many bytes wait to become a frame.
    #[must_use]
    pub fn buffered_bytes(&self) -> usize {
        self.buffer.len()
    }

    fn try_poll(&mut self, frame_limit: usize) -> Result<Option<Bytes>, StreamError> {
        if let Stage::Failed(error) = self.stage {
            return Err(error);
        }
        if self.stage == Stage::Magic {
            let start = self
                .buffer
                .get(..MAGIC.len().min(self.buffer.len()))
                .unwrap_or_default();
            if !MAGIC.starts_with(start) {
                return Err(StreamError::Magic);
            }
            if start.len() < MAGIC.len() {
                return Ok(None);
            }
            self.buffer.advance(MAGIC.len());
            self.stage = Stage::FirstFrame;
        }
        // In the 8-byte dialect the second byte of the first frame is zero, in ours never.
        if self.stage == Stage::FirstFrame && self.buffer.get(1) == Some(&0) {
            return Err(StreamError::OtherDialect);
        }
        let Some(header) = Header::decode(&self.buffer)? else {
            return Ok(None);
        };
        if header.payload_bytes > frame_limit {
            return Err(StreamError::Frame(FrameError::TooLarge));
        }
        let frame_bytes = header.header_bytes + header.payload_bytes;
        if self.buffer.len() < frame_bytes {
            self.buffer.reserve(frame_bytes - self.buffer.len());
            return Ok(None);
        }
        self.stage = Stage::Frames;
        Ok(Some(self.buffer.split_to(frame_bytes).freeze()))
    }
}

/// Why a byte stream cannot go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum StreamError {
    /// The first four bytes are not the magic; close at once and send nothing.
    #[error("the stream does not start with the magic")]
    Magic,
    /// The first frame is of the 8-byte dialect.
    #[error("the peer speaks the 8-byte dialect")]
    OtherDialect,
    /// A header that cannot be, or a frame that is too large.
    #[error(transparent)]
    Frame(#[from] FrameError),
}

/// What each side sends once before its first frame, on byte streams only.
pub const MAGIC: [u8; 4] = *b"OMUX";

const _: () = assert!(
    EXTENDED_HEADER_BYTES == 8,
    "the largest header is read before its payload"
);

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::mux::frame::Frame;
    use crate::mux::id::ChannelId;

    #[test]
    fn a_wrong_first_byte_is_seen_at_once() {
        let mut decoder = StreamDecoder::new();
        decoder.push(b"G");
        assert_eq!(decoder.poll(100), Err(StreamError::Magic));
        decoder.push(b"OMUX");
        assert_eq!(decoder.poll(100), Err(StreamError::Magic));
        assert!(!decoder.has_magic());
        assert_eq!(decoder.buffered_bytes(), 0);
    }

    #[test]
    fn an_oversized_frame_is_refused_by_its_header() {
        let mut decoder = StreamDecoder::new();
        decoder.push(b"OMUX\x01\x01\x01\0\xff\xff\xff\xff");
        assert_eq!(
            decoder.poll(65_535),
            Err(StreamError::Frame(FrameError::TooLarge))
        );
        assert_eq!(decoder.buffered_bytes(), 0);
    }

    #[test]
    fn the_other_dialect_is_told_by_the_first_frame_only() {
        let mut decoder = StreamDecoder::new();
        decoder.push(b"OMUX\0\0\x31\0\0\0\0\x02{}");
        assert_eq!(decoder.poll(100), Err(StreamError::OtherDialect));

        let mut decoder = StreamDecoder::new();
        decoder.push(b"OMUX\0\x01\0\0\0\0\x03\0\0\0\0\0");
        assert!(decoder.poll(100).unwrap().is_some());
        assert!(decoder.poll(100).unwrap().is_some());
        assert_eq!(decoder.poll(100), Ok(None));
    }

    proptest! {
        #[test]
        fn frames_come_out_whole_however_the_bytes_are_cut(
            payloads in prop::collection::vec(prop::collection::vec(any::<u8>(), 0..300), 1..8),
            cuts in prop::collection::vec(1_usize..40, 1..50),
        ) {
            let frames: Vec<Bytes> = payloads
                .into_iter()
                .map(|payload| Frame::whole(ChannelId(3), 7, payload.into()).encode())
                .collect();
            let mut stream = MAGIC.to_vec();
            frames.iter().for_each(|frame| stream.extend_from_slice(frame));

            let mut decoder = StreamDecoder::new();
            let mut decoded = Vec::new();
            let mut rest = stream.as_slice();
            let mut cuts = cuts.into_iter().cycle();
            while !rest.is_empty() {
                let (piece, tail) = rest.split_at(cuts.next().unwrap().min(rest.len()));
                decoder.push(piece);
                rest = tail;
                while let Some(frame) = decoder.poll(65_535).unwrap() {
                    decoded.push(frame);
                }
            }
            prop_assert_eq!(decoded, frames);
            prop_assert_eq!(decoder.buffered_bytes(), 0);
        }
    }
}
