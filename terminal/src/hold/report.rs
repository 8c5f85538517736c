//! What a holder says to the daemon.

use std::time::SystemTime;

use super::codec::{Decode, Encode};
use super::frame::{Mark, begin, finish, mode_bits, mode_of_bits, put_exit, take_exit};
use super::meta::Meta;
use super::writers::Standing;
use crate::{Exit, PtyMode, PtySize};

/// What a holder says to the daemon.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) enum Report<'a> {
    /// How everything stands; the answer to a start and to [`Request::Attach`].
    Welcome(Box<Welcome>),
    /// The program could not be started; see [`super::fault`].
    Failed(&'a [u8]),
    /// What the program wrote.
    Output { offset: u64, bytes: &'a [u8] },
    /// So much of a writer's input is written to the terminal.
    Applied { writer: &'a str, offset: u64 },
    /// What the terminal does with input.
    Tty(PtyMode),
    /// The size changed here, between the output before and after.
    Resized(PtySize),
    /// The program has ended, and all it wrote was sent.
    Exited(Exit),
    /// There will be no more output.
    OutputEnded,
    /// No process is left.
    Gone,
    /// Bytes of the checkpoint that was asked for.
    CheckpointPart(&'a [u8]),
    /// All of the checkpoint was sent.
    CheckpointEnd(Mark),
    /// Here is the terminal, with [its files](super::loan::Lent), and output from `end` on is not sent.
    /// Output from `kept_from` on is needed, and so many [inputs](super::request::Request::Input) were typed before; if more are on
    /// their way, it goes straight back.
    Lent {
        end: u64,
        kept_from: u64,
        inputs: u64,
    },
    /// The terminal is not lent now.
    Kept,
    /// The terminal that was lent is to be given back.
    GiveBack,
    /// Output from an offset on is needed, what was before not any more.
    Needs(u64),
}

/// How everything stands when a daemon comes.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Welcome {
    pub(crate) meta: Meta,
    pub(crate) pid: u32,
    /// The present size.
    pub(crate) size: PtySize,
    /// The oldest offset of the output that is kept.
    pub(crate) first: u64,
    /// Where the output ends so far.
    pub(crate) end: u64,
    /// Queries in the output before this are answered.
    pub(crate) answered: u64,
    /// How the program ended, once all it wrote is kept here.
    pub(crate) exit: Option<Exit>,
    /// When the program last wrote, or something was typed.
    pub(crate) active_at: SystemTime,
    pub(crate) checkpoint: Mark,
    /// The bytes of the checkpoint; 0 when it is a blank screen.
    pub(crate) checkpoint_bytes: u64,
    pub(crate) writers: Vec<(String, Standing)>,
    pub(crate) tty: PtyMode,
    /// Which build of the holder it is.
    pub(crate) build: String,
}

impl Report<'_> {
    pub(crate) fn encode(&self, out: &mut Vec<u8>) {
        let start = begin(out);
        let kind = match self {
            Self::Welcome(welcome) => {
                welcome.encode(out);
                1
            }
            Self::Failed(fault) => {
                out.put_raw(fault);
                2
            }
            Self::Output { offset, bytes } => {
                out.put_u64(*offset);
                out.put_raw(bytes);
                3
            }
            Self::Applied { writer, offset } => {
                out.put_text(writer);
                out.put_u64(*offset);
                4
            }
            Self::Tty(mode) => {
                out.put_u8(mode_bits(*mode));
                5
            }
            Self::Resized(size) => {
                out.put_size(*size);
                6
            }
            Self::Exited(exit) => {
                put_exit(out, exit);
                7
            }
            Self::OutputEnded => 8,
            Self::Gone => 9,
            Self::CheckpointPart(bytes) => {
                out.put_raw(bytes);
                10
            }
            Self::CheckpointEnd(mark) => {
                mark.encode(out);
                11
            }
            Self::Lent {
                end,
                kept_from,
                inputs,
            } => {
                out.put_u64(*end);
                out.put_u64(*kept_from);
                out.put_u64(*inputs);
                12
            }
            Self::Kept => 13,
            Self::GiveBack => 14,
            Self::Needs(offset) => {
                out.put_u64(*offset);
                15
            }
        };
        finish(out, start, kind);
    }
}

impl<'a> Report<'a> {
    /// `None` for what is no report.
    pub(crate) fn decode(kind: u8, payload: &'a [u8]) -> Option<Self> {
        let mut bytes = Decode(payload);
        let report = match kind {
            1 => Self::Welcome(Box::new(Welcome::decode(&mut bytes)?)),
            2 => Self::Failed(std::mem::take(&mut bytes.0)),
            3 => Self::Output {
                offset: bytes.u64()?,
                bytes: std::mem::take(&mut bytes.0),
            },
            4 => Self::Applied {
                writer: bytes.text()?,
                offset: bytes.u64()?,
            },
            5 => Self::Tty(mode_of_bits(bytes.u8()?)?),
            6 => Self::Resized(bytes.size()?),
            7 => Self::Exited(take_exit(&mut bytes)?),
            8 => Self::OutputEnded,
            9 => Self::Gone,
            10 => Self::CheckpointPart(std::mem::take(&mut bytes.0)),
            11 => Self::CheckpointEnd(Mark::decode(&mut bytes)?),
            12 => Self::Lent {
                end: bytes.u64()?,
                kept_from: bytes.u64()?,
                inputs: bytes.u64()?,
            },
            13 => Self::Kept,
            14 => Self::GiveBack,
            15 => Self::Needs(bytes.u64()?),
            _ => return None,
        };
        bytes.end(report)
    }
}

impl Welcome {
    fn encode(&self, out: &mut Vec<u8>) {
        self.meta.encode(out);
        out.put_u32(self.pid);
        out.put_size(self.size);
        out.put_u64(self.first);
        out.put_u64(self.end);
        out.put_u64(self.answered);
        out.put_option(self.exit.as_ref(), put_exit);
        out.put_time(self.active_at);
        self.checkpoint.encode(out);
        out.put_u64(self.checkpoint_bytes);
        out.put_u8(u8::try_from(self.writers.len()).unwrap_or(u8::MAX));
        for (name, standing) in &self.writers {
            out.put_text(name);
            standing.encode(out);
        }
        out.put_u8(mode_bits(self.tty));
        out.put_text(&self.build);
    }

    fn decode(bytes: &mut Decode<'_>) -> Option<Self> {
        Some(Self {
            meta: Meta::decode(bytes)?,
            pid: bytes.u32()?,
            size: bytes.size()?,
            first: bytes.u64()?,
            end: bytes.u64()?,
            answered: bytes.u64()?,
            exit: bytes.option(take_exit)?,
            active_at: bytes.time()?,
            checkpoint: Mark::decode(bytes)?,
            checkpoint_bytes: bytes.u64()?,
            writers: (0..bytes.u8()?)
                .map(|_| Some((bytes.string()?, Standing::decode(bytes)?)))
                .collect::<Option<_>>()?,
            tty: mode_of_bits(bytes.u8()?)?,
            build: bytes.string()?,
        })
    }
}
