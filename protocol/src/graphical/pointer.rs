//! Input on `pointer`, in binary: where the pointer is, now.

use bytes::{BufMut, Bytes, BytesMut};

use crate::encoding::DecodeError;

/// What travels on `pointer`, where a message may be lost.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum PointerInput {
    /// Moves the pointer to viewport pixels.
    Move {
        /// From the left.
        x: u16,
        /// From the top.
        y: u16,
    },
    /// Moves the pointer by pixels.
    MoveRelative {
        /// To the right.
        dx: i16,
        /// Down.
        dy: i16,
    },
    /// Scrolls by pixels; 120 are one notch of a wheel.
    Scroll {
        /// To the right.
        dx: i16,
        /// Down.
        dy: i16,
    },
    /// The position of all axes of a gamepad.
    GamepadAxes {
        /// Which gamepad.
        pad: u8,
        /// Counts up and wraps; see [`axes_are_newer`].
        seq: u16,
        /// -32767 to 32767 each; at most 255 of them.
        axes: Vec<i16>,
    },
}

impl PointerInput {
    /// Reads a message of `pointer`.
    pub fn decode(kind: u8, payload: &[u8]) -> Result<Self, DecodeError> {
        match kind {
            MOUSE_MOVE => Self::read_move(payload).ok_or(DecodeError::Layout("MOUSE_MOVE")),
            MOUSE_MOVE_REL => read_delta(payload)
                .map(|(dx, dy)| Self::MoveRelative { dx, dy })
                .ok_or(DecodeError::Layout("MOUSE_MOVE_REL")),
            SCROLL => read_delta(payload)
                .map(|(dx, dy)| Self::Scroll { dx, dy })
                .ok_or(DecodeError::Layout("SCROLL")),
            GAMEPAD_AXES => Self::read_axes(payload).ok_or(DecodeError::Layout("GAMEPAD_AXES")),
            unknown => Err(DecodeError::UnknownType(unknown.into())),
        }
    }

    /// Writes the type and the payload.
    pub fn encode(&self) -> (u8, Bytes) {
        let mut out = BytesMut::new();
        let kind = match self {
            Self::Move { x, y } => {
                out.put_u16(*x);
                out.put_u16(*y);
                MOUSE_MOVE
            }
            Self::MoveRelative { dx, dy } => {
                out.put_i16(*dx);
                out.put_i16(*dy);
                MOUSE_MOVE_REL
            }
            Self::Scroll { dx, dy } => {
                out.put_i16(*dx);
                out.put_i16(*dy);
                SCROLL
            }
            Self::GamepadAxes { pad, seq, axes } => {
                out.put_u8(*pad);
                out.put_u16(*seq);
                let count = u8::try_from(axes.len()).unwrap_or(u8::MAX);
                out.put_u8(count);
                for axis in axes.iter().take(count.into()) {
                    out.put_i16(*axis);
                }
                GAMEPAD_AXES
            }
        };
        (kind, out.freeze())
    }

    fn read_move(payload: &[u8]) -> Option<Self> {
        let &[x0, x1, y0, y1] = payload else {
            return None;
        };
        Some(Self::Move {
            x: u16::from_be_bytes([x0, x1]),
            y: u16::from_be_bytes([y0, y1]),
        })
    }

    fn read_axes(payload: &[u8]) -> Option<Self> {
        let &[pad, seq0, seq1, count, ref rest @ ..] = payload else {
            return None;
        };
        let (axes, []) = rest.as_chunks::<2>() else {
            return None;
        };
        if axes.len() != usize::from(count) {
            return None;
        }
        Some(Self::GamepadAxes {
            pad,
            seq: u16::from_be_bytes([seq0, seq1]),
            // -32768 has no counterpart and means the same as -32767.
            axes: axes
                .iter()
                .map(|axis| i16::from_be_bytes(*axis).max(-i16::MAX))
                .collect(),
        })
    }
}

/// Whether a GAMEPAD_AXES is newer than the newest one so far, the counter having wrapped or not.
pub const fn axes_are_newer(seq: u16, newest: u16) -> bool {
    let ahead = seq.wrapping_sub(newest);
    ahead != 0 && ahead < 1 << 15
}

fn read_delta(payload: &[u8]) -> Option<(i16, i16)> {
    let &[x0, x1, y0, y1] = payload else {
        return None;
    };
    Some((i16::from_be_bytes([x0, x1]), i16::from_be_bytes([y0, y1])))
}

// VROOM-Graphical §4.5 and §4.6.
const MOUSE_MOVE: u8 = 0x01;
const MOUSE_MOVE_REL: u8 = 0x02;
const SCROLL: u8 = 0x03;
const GAMEPAD_AXES: u8 = 0x04;
