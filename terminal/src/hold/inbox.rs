//! Bytes from a stream, on their way to frames.

use super::frame::{HEADER_BYTES, PAYLOAD_BYTES};

/// The bytes of a stream that are no whole frame yet.
///
/// It has a fixed size that the largest frame fits, and touches only as much memory as arrives at once.
#[derive(Debug)]
pub(crate) struct Inbox {
    bytes: Vec<u8>,
    start: usize,
    end: usize,
}

/// A frame that announces more than is allowed.
#[derive(Debug, Eq, PartialEq)]
pub(crate) struct TooLarge;

impl Inbox {
    pub(crate) fn new() -> Self {
        Self {
            bytes: vec![0; INBOX_BYTES],
            start: 0,
            end: 0,
        }
    }

    /// Where to read to; never empty after all frames were taken.
    pub(crate) fn space(&mut self) -> &mut [u8] {
        if self.start == self.end {
            (self.start, self.end) = (0, 0);
        } else if self.bytes.len() - self.end < SPACE_MIN {
            self.bytes.copy_within(self.start..self.end, 0);
            (self.start, self.end) = (0, self.end - self.start);
        }
        self.bytes.get_mut(self.end..).unwrap_or_default()
    }

    /// Says how much was read there.
    pub(crate) fn filled(&mut self, count: usize) {
        self.end = (self.end + count).min(self.bytes.len());
    }

    /// What is no whole frame yet.
    pub(crate) fn rest(&self) -> &[u8] {
        self.bytes.get(self.start..self.end).unwrap_or_default()
    }

    /// Takes bytes that are no frame; `None` while they are not all there.
    pub(crate) fn take(&mut self, count: usize) -> Option<&[u8]> {
        let start = self.start;
        if self.end - start < count {
            return None;
        }
        self.start += count;
        self.bytes.get(start..self.start)
    }

    /// Takes the next frame: its kind and payload.
    pub(crate) fn frame(&mut self) -> Result<Option<(u8, &[u8])>, TooLarge> {
        let rest = self.bytes.get(self.start..self.end).unwrap_or_default();
        let [kind, a, b, c, d, ..] = *rest else {
            return Ok(None);
        };
        let length = usize::try_from(u32::from_le_bytes([a, b, c, d])).unwrap_or(usize::MAX);
        if length > PAYLOAD_BYTES {
            return Err(TooLarge);
        }
        let frame = self.start + HEADER_BYTES..self.start + HEADER_BYTES + length;
        if frame.end > self.end {
            return Ok(None);
        }
        self.start = frame.end;
        Ok(self.bytes.get(frame).map(|payload| (kind, payload)))
    }
}

/// More than the largest frame, so that a whole one and the start of the next fit.
const INBOX_BYTES: usize = 64 * 1024;

/// With less space than this the rest moves to the front.
const SPACE_MIN: usize = 8 * 1024;

const _: () = assert!(INBOX_BYTES >= PAYLOAD_BYTES + HEADER_BYTES + SPACE_MIN);

#[cfg(test)]
mod tests {
    use super::super::report::Report;
    use super::super::request::Request;
    use super::*;

    #[test]
    fn frames_come_out_whole_however_they_are_cut() {
        let piece: Vec<u8> = (0..super::super::frame::PIECE_BYTES)
            .map(|at| u8::try_from(at % 251).unwrap())
            .collect();
        let mut stream = Vec::new();
        for offset in 0..40 {
            Report::Output {
                offset,
                bytes: &piece,
            }
            .encode(&mut stream);
            Report::Gone.encode(&mut stream);
        }
        for cut in [1, 7, 4096, 100_000] {
            let mut inbox = Inbox::new();
            let mut rest = &stream[..];
            let mut frames = 0;
            while !rest.is_empty() {
                let space = inbox.space();
                let count = space.len().min(cut).min(rest.len());
                assert!(count > 0, "there is always space");
                space[..count].copy_from_slice(&rest[..count]);
                rest = &rest[count..];
                inbox.filled(count);
                while let Some((kind, payload)) = inbox.frame().unwrap() {
                    let report = Report::decode(kind, payload).unwrap();
                    let expected = if frames % 2 == 0 {
                        Report::Output {
                            offset: frames / 2,
                            bytes: &piece,
                        }
                    } else {
                        Report::Gone
                    };
                    assert_eq!(report, expected);
                    frames += 1;
                }
            }
            assert_eq!(frames, 80);
            assert!(inbox.rest().is_empty());
        }
    }

    #[test]
    fn a_frame_that_is_too_large_is_refused_at_its_header() {
        let mut inbox = Inbox::new();
        inbox.space()[..5].copy_from_slice(&[1, 255, 255, 255, 255]);
        inbox.filled(5);
        assert_eq!(inbox.frame(), Err(TooLarge));
    }

    #[test]
    fn half_a_frame_is_none() {
        let mut bytes = Vec::new();
        Request::Signal(2).encode(&mut bytes);
        let mut inbox = Inbox::new();
        let count = bytes.len() - 1;
        inbox.space()[..count].copy_from_slice(&bytes[..count]);
        inbox.filled(count);
        assert_eq!(inbox.frame(), Ok(None));
    }
}
