//! What the daemon and a holder say to each other.
//!
//! A stream begins with a [`PREAMBLE`] from each side, the version of what follows being its last byte. Then come frames:
//! one byte that says which, a `u32` with the length of the payload, at most [`PAYLOAD_BYTES`], and the
//! payload. A frame counts once all of it is there, so one that a dying daemon left half written never
//! happened. Bytes that are no frame end the connection and nothing else.

use super::codec::{Decode, Encode};
use crate::{Exit, PtyMode, PtySize};

/// Where a checkpoint was made.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Mark {
    /// Output from here on continues it.
    pub(crate) offset: u64,
    /// The size of the screen.
    pub(crate) size: PtySize,
}

impl Mark {
    pub(crate) fn encode(self, out: &mut Vec<u8>) {
        out.put_u64(self.offset);
        out.put_size(self.size);
    }

    pub(crate) fn decode(bytes: &mut Decode<'_>) -> Option<Self> {
        Some(Self {
            offset: bytes.u64()?,
            size: bytes.size()?,
        })
    }
}

/// The mode of a terminal as bits.
pub(super) fn mode_bits(mode: PtyMode) -> u8 {
    u8::from(mode.echo) | u8::from(mode.canonical) << 1 | u8::from(mode.isig) << 2
}

pub(super) fn mode_of_bits(bits: u8) -> Option<PtyMode> {
    (bits < 8).then_some(PtyMode {
        echo: bits & 1 != 0,
        canonical: bits & 2 != 0,
        isig: bits & 4 != 0,
    })
}

pub(super) fn put_exit(out: &mut Vec<u8>, exit: &Exit) {
    out.put_option(exit.code, Encode::put_u8);
    out.put_option(exit.signal, Encode::put_u8);
    out.put_bool(exit.core_dumped);
    out.put_u64(exit.output_bytes);
}

pub(super) fn take_exit(bytes: &mut Decode<'_>) -> Option<Exit> {
    Some(Exit {
        code: bytes.option(Decode::u8)?,
        signal: bytes.option(Decode::u8)?,
        core_dumped: bytes.bool()?,
        output_bytes: bytes.u64()?,
    })
}

/// Leaves room for a frame's header, and returns where.
pub(super) fn begin(out: &mut Vec<u8>) -> usize {
    out.extend_from_slice(&[0; HEADER_BYTES]);
    out.len()
}

/// Fills the header in.
pub(super) fn finish(out: &mut [u8], start: usize, kind: u8) {
    let length = u32::try_from(out.len() - start).unwrap_or(u32::MAX);
    debug_assert!(out.len() - start <= PAYLOAD_BYTES, "a frame is bounded");
    if let Some([first, rest @ ..]) = out.get_mut(start - HEADER_BYTES..start) {
        *first = kind;
        rest.copy_from_slice(&length.to_le_bytes());
    }
}

/// What both sides send first: two letters and the version of what follows.
pub(crate) const PREAMBLE: [u8; 3] = [b'V', b'H', 2];

/// Which request is [`Request::Upgrade`]; the same in every version, so that versions can meet.
pub(crate) const UPGRADE: u8 = 255;

/// The bytes in front of a payload.
pub(crate) const HEADER_BYTES: usize = 5;

/// The largest payload; a frame that announces more is none, and ends the connection.
pub(crate) const PAYLOAD_BYTES: usize = 40 * 1024;

/// The most bytes of input, output or checkpoint in one frame; more goes into several.
pub(crate) const PIECE_BYTES: usize = 32 * 1024;

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::collection::vec;
    use proptest::prelude::*;

    use super::super::inbox::Inbox;
    use super::super::meta::{META_BYTES, Meta};
    use super::super::report::{Report, Welcome};
    use super::super::request::Request;
    use super::super::writers::{Standing, WRITER_BYTES, WRITERS_MAX};
    use super::*;

    fn mark() -> Mark {
        Mark {
            offset: 77,
            size: PtySize::default(),
        }
    }

    fn requests() -> Vec<Request<'static>> {
        vec![
            Request::Attach,
            Request::FetchCheckpoint,
            Request::Follow { from: 1, until: 2 },
            Request::Room { until: u64::MAX },
            Request::Answering(true),
            Request::Introduce { writer: "a" },
            Request::Input {
                writer: "a",
                offset: 9,
                bytes: b"ls\n",
            },
            Request::Resize(PtySize::default()),
            Request::Signal(15),
            Request::End {
                patience: Duration::from_millis(1500),
            },
            Request::Forget,
            Request::SetMeta(Meta {
                created: std::time::UNIX_EPOCH,
                ..Meta::new("one")
            }),
            Request::CheckpointPart(b"screen"),
            Request::CheckpointEnd(mark()),
            Request::Borrow,
            Request::Resized(mark()),
            Request::Upgrade,
        ]
    }

    fn reports() -> Vec<Report<'static>> {
        let exit = Exit {
            code: Some(1),
            signal: None,
            core_dumped: false,
            output_bytes: 5,
        };
        let welcome = Welcome {
            meta: Meta {
                created: std::time::UNIX_EPOCH,
                ..Meta::new("one")
            },
            pid: 7,
            size: PtySize::default(),
            first: 1,
            end: 9,
            answered: 4,
            exit: Some(exit),
            active_at: std::time::UNIX_EPOCH,
            checkpoint: mark(),
            checkpoint_bytes: 12,
            writers: vec![("a".into(), Standing::default())],
            tty: PtyMode::default(),
            build: "1".into(),
        };
        vec![
            Report::Welcome(Box::new(welcome)),
            Report::Failed(b"why"),
            Report::Output {
                offset: 3,
                bytes: b"hello",
            },
            Report::Applied {
                writer: "a",
                offset: 6,
            },
            Report::Tty(PtyMode {
                echo: true,
                canonical: false,
                isig: true,
            }),
            Report::Resized(PtySize::default()),
            Report::Exited(exit),
            Report::OutputEnded,
            Report::Gone,
            Report::CheckpointPart(b"screen"),
            Report::CheckpointEnd(mark()),
            Report::Lent {
                end: 9,
                kept_from: 3,
                inputs: 2,
            },
            Report::Kept,
            Report::GiveBack,
            Report::Needs(7),
        ]
    }

    #[test]
    fn what_is_said_is_heard() {
        let mut bytes = Vec::new();
        for request in requests() {
            bytes.clear();
            request.encode(&mut bytes);
            let payload = &bytes[HEADER_BYTES..];
            assert_eq!(Request::decode(bytes[0], payload), Some(request));
        }
        for report in reports() {
            bytes.clear();
            report.encode(&mut bytes);
            let payload = &bytes[HEADER_BYTES..];
            assert_eq!(Report::decode(bytes[0], payload), Some(report));
        }
    }

    #[test]
    fn the_largest_frames_are_within_the_bound() {
        let piece = vec![0; PIECE_BYTES];
        let name = "x".repeat(WRITER_BYTES);
        let mut bytes = Vec::new();
        Request::Input {
            writer: &name,
            offset: 0,
            bytes: &piece,
        }
        .encode(&mut bytes);
        assert!(bytes.len() <= HEADER_BYTES + PAYLOAD_BYTES);
        let mut meta = Meta::new("one");
        let most = META_BYTES - 100;
        meta.extra.insert("key".into(), "x".repeat(most));
        assert!(meta.is_possible());
        let writer = |number: usize| (format!("{number:064}"), Standing::default());
        let Some(Report::Welcome(welcome)) = reports().into_iter().next() else {
            panic!("it is the first");
        };
        let welcome = Welcome {
            meta,
            writers: (0..WRITERS_MAX).map(writer).collect(),
            ..*welcome
        };
        bytes.clear();
        Report::Welcome(Box::new(welcome)).encode(&mut bytes);
        assert!(bytes.len() <= HEADER_BYTES + PAYLOAD_BYTES);
    }

    proptest! {
        #[test]
        fn whatever_comes_is_understood_or_refused(kind: u8, payload in vec(any::<u8>(), 0..300)) {
            let mut bytes = Vec::new();
            if let Some(request) = Request::decode(kind, &payload) {
                request.encode(&mut bytes);
                prop_assert_eq!(Request::decode(bytes[0], &bytes[HEADER_BYTES..]), Some(request));
            }
            bytes.clear();
            if let Some(report) = Report::decode(kind, &payload) {
                report.encode(&mut bytes);
                prop_assert_eq!(Report::decode(bytes[0], &bytes[HEADER_BYTES..]), Some(report));
            }
        }

        #[test]
        fn frames_that_were_changed_on_the_way_are_understood_or_refused(
            changes in vec((any::<proptest::sample::Index>(), any::<u8>()), 0..20),
        ) {
            let mut stream = Vec::new();
            requests().iter().for_each(|request| request.encode(&mut stream));
            reports().iter().for_each(|report| report.encode(&mut stream));
            for (at, byte) in changes {
                *at.get_mut(&mut stream) = byte;
            }
            let mut inbox = Inbox::new();
            let mut rest = &stream[..];
            while !rest.is_empty() {
                let space = inbox.space();
                let count = space.len().min(rest.len()).min(61);
                space[..count].copy_from_slice(&rest[..count]);
                rest = &rest[count..];
                inbox.filled(count);
                loop {
                    match inbox.frame() {
                        Ok(Some((kind, payload))) => {
                            drop(Request::decode(kind, payload));
                            drop(Report::decode(kind, payload));
                        }
                        Ok(None) => break,
                        Err(_) => return Ok(()),
                    }
                }
            }
        }
    }
}
