//! What the daemon says to a holder.

use std::time::Duration;

use super::codec::{Decode, Encode};
use super::frame::{Mark, UPGRADE, begin, finish};
use super::meta::Meta;
use crate::PtySize;

/// What the daemon says to a holder.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Request<'a> {
    /// It takes the terminal over from whoever had it; answered by [`Report::Welcome`].
    Attach,
    /// Send the newest checkpoint.
    FetchCheckpoint,
    /// Send the output from an offset on, and read the program's until another.
    Follow { from: u64, until: u64 },
    /// Read the program's output until this offset.
    Room { until: u64 },
    /// Whether the daemon answers the program's queries; who attaches does until it says otherwise.
    Answering(bool),
    /// A writer that was not known, or not any more, begins.
    Introduce { writer: &'a str },
    /// Type the bytes of a writer; without a name they answer all queries in the output before `offset`.
    Input {
        writer: &'a str,
        offset: u64,
        bytes: &'a [u8],
    },
    /// Change the size.
    Resize(PtySize),
    /// Send a signal to the foreground.
    Signal(u8),
    /// End all processes.
    End { patience: Duration },
    /// End all processes and keep nothing.
    Forget,
    /// Keep this about the terminal.
    SetMeta(Meta),
    /// Bytes of the next checkpoint.
    CheckpointPart(&'a [u8]),
    /// The parts so far redraw the screen at an offset of the output.
    CheckpointEnd(Mark),
    /// Lend the terminal; answered by [`Report::Lent`] or [`Report::Kept`].
    Borrow,
    /// The size was changed with a lent terminal, between the output before and after an offset.
    Resized(Mark),
    /// Become the program that the executable is now.
    Upgrade,
}

impl Request<'_> {
    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        let start = begin(out);
        let kind = match self {
            Self::Attach => 1,
            Self::FetchCheckpoint => 2,
            Self::Follow { from, until } => {
                out.put_u64(*from);
                out.put_u64(*until);
                3
            }
            Self::Room { until } => {
                out.put_u64(*until);
                4
            }
            Self::Input {
                writer,
                offset,
                bytes,
            } => {
                out.put_text(writer);
                out.put_u64(*offset);
                out.put_raw(bytes);
                5
            }
            Self::Resize(size) => {
                out.put_size(*size);
                6
            }
            Self::Signal(signal) => {
                out.put_u8(*signal);
                7
            }
            Self::End { patience } => {
                let patience = u32::try_from(patience.as_millis()).unwrap_or(u32::MAX);
                out.put_u32(patience);
                8
            }
            Self::Forget => 9,
            Self::SetMeta(meta) => {
                meta.encode(out);
                10
            }
            Self::CheckpointPart(bytes) => {
                out.put_raw(bytes);
                11
            }
            Self::CheckpointEnd(mark) => {
                mark.encode(out);
                12
            }
            Self::Introduce { writer } => {
                out.put_text(writer);
                13
            }
            Self::Answering(answering) => {
                out.put_bool(*answering);
                14
            }
            Self::Borrow => 15,
            Self::Resized(mark) => {
                mark.encode(out);
                16
            }
            Self::Upgrade => UPGRADE,
        };
        finish(out, start, kind);
    }
}

impl<'a> Request<'a> {
    /// `None` for what is no request.
    pub(crate) fn decode(kind: u8, payload: &'a [u8]) -> Option<Self> {
        let mut bytes = Decode(payload);
        let request = match kind {
            1 => Self::Attach,
            2 => Self::FetchCheckpoint,
            3 => Self::Follow {
                from: bytes.u64()?,
                until: bytes.u64()?,
            },
            4 => Self::Room {
                until: bytes.u64()?,
            },
            5 => Self::Input {
                writer: bytes.text()?,
                offset: bytes.u64()?,
                bytes: std::mem::take(&mut bytes.0),
            },
            6 => Self::Resize(bytes.size()?),
            7 => Self::Signal(bytes.u8()?),
            8 => Self::End {
                patience: Duration::from_millis(bytes.u32()?.into()),
            },
            9 => Self::Forget,
            10 => Self::SetMeta(Meta::decode(&mut bytes)?),
            11 => Self::CheckpointPart(std::mem::take(&mut bytes.0)),
            12 => Self::CheckpointEnd(Mark::decode(&mut bytes)?),
            13 => Self::Introduce {
                writer: bytes.text()?,
            },
            14 => Self::Answering(bytes.bool()?),
            15 => Self::Borrow,
            16 => Self::Resized(Mark::decode(&mut bytes)?),
            UPGRADE => Self::Upgrade,
            _ => return None,
        };
        bytes.end(request)
    }
}
