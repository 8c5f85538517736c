//! What the daemon and a holder say to each other.
//!
//! A stream begins with a [`PREAMBLE`] from each side, the version of what follows being its last byte. Then come frames:
//! one byte that says which, a `u32` with the length of the payload, at most [`PAYLOAD_BYTES`], and the
//! payload. A frame counts once all of it is there, so one that a dying daemon left half written never
//! happened. Bytes that are no frame end the connection and nothing else.

use std::time::{Duration, SystemTime};

use super::codec::{Decode, Encode};
use super::meta::Meta;
use super::writers::Standing;
use crate::{Exit, PtyMode, PtySize};

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
    /// A writer that was not known, or not any more, begins.
    Introduce { writer: &'a str },
    /// Type the bytes of a writer; without a name they are nobody's and count for nobody.
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
    /// Become the program that the executable is now.
    Upgrade,
}

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
}

/// Where a checkpoint was made.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Mark {
    /// Output from here on continues it.
    pub(crate) offset: u64,
    /// The size of the screen.
    pub(crate) size: PtySize,
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
    /// The highest offset that any daemon was sent.
    pub(crate) seen: u64,
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
            UPGRADE => Self::Upgrade,
            _ => return None,
        };
        bytes.end(request)
    }
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
            _ => return None,
        };
        bytes.end(report)
    }
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

impl Welcome {
    fn encode(&self, out: &mut Vec<u8>) {
        self.meta.encode(out);
        out.put_u32(self.pid);
        out.put_size(self.size);
        out.put_u64(self.first);
        out.put_u64(self.end);
        out.put_u64(self.seen);
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
            seen: bytes.u64()?,
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

/// The mode of a terminal as bits.
pub(crate) fn mode_bits(mode: PtyMode) -> u8 {
    u8::from(mode.echo) | u8::from(mode.canonical) << 1 | u8::from(mode.isig) << 2
}

fn mode_of_bits(bits: u8) -> Option<PtyMode> {
    (bits < 8).then_some(PtyMode {
        echo: bits & 1 != 0,
        canonical: bits & 2 != 0,
        isig: bits & 4 != 0,
    })
}

pub(crate) fn put_exit(out: &mut Vec<u8>, exit: &Exit) {
    out.put_option(exit.code, Encode::put_u8);
    out.put_option(exit.signal, Encode::put_u8);
    out.put_bool(exit.core_dumped);
    out.put_u64(exit.output_bytes);
}

pub(crate) fn take_exit(bytes: &mut Decode<'_>) -> Option<Exit> {
    Some(Exit {
        code: bytes.option(Decode::u8)?,
        signal: bytes.option(Decode::u8)?,
        core_dumped: bytes.bool()?,
        output_bytes: bytes.u64()?,
    })
}

/// Leaves room for a frame's header, and returns where.
fn begin(out: &mut Vec<u8>) -> usize {
    out.extend_from_slice(&[0; HEADER_BYTES]);
    out.len()
}

/// Fills the header in.
fn finish(out: &mut [u8], start: usize, kind: u8) {
    let length = u32::try_from(out.len() - start).unwrap_or(u32::MAX);
    debug_assert!(out.len() - start <= PAYLOAD_BYTES, "a frame is bounded");
    if let Some([first, rest @ ..]) = out.get_mut(start - HEADER_BYTES..start) {
        *first = kind;
        rest.copy_from_slice(&length.to_le_bytes());
    }
}

/// What both sides send first: two letters and the version of what follows.
pub(crate) const PREAMBLE: [u8; 3] = [b'V', b'H', 1];

/// Which request is [`Request::Upgrade`]; the same in every version, so that versions can meet.
pub(crate) const UPGRADE: u8 = 255;

/// The bytes in front of a payload.
pub(crate) const HEADER_BYTES: usize = 5;

/// The largest payload; a frame that announces more is none, and ends the connection.
pub(crate) const PAYLOAD_BYTES: usize = 40 * 1024;

/// The most bytes of input, output or checkpoint in one frame; more goes into several.
pub(crate) const PIECE_BYTES: usize = 32 * 1024;
