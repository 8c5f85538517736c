//! A pen on `button`: all of what it does, in every message.

use bytes::{BufMut, BytesMut};

use super::bits::bits;

/// Where a pen is near the screen, and how it is held.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Pen {
    /// What of it is pressed, and which end points at the screen.
    pub state: PenState,
    /// 256ths of viewport pixels from the left; at most [`PLACE_MAX`](Self::PLACE_MAX).
    pub x: u32,
    /// 256ths of viewport pixels from the top; at most [`PLACE_MAX`](Self::PLACE_MAX).
    pub y: u32,
    /// 0 none to 65535 all that the pen can tell.
    pub pressure: u16,
    /// Degrees to the right, -90 to 90; 0 stands upright.
    pub tilt_x: i8,
    /// Degrees towards the person, -90 to 90.
    pub tilt_y: i8,
    /// Degrees that the pen is turned around itself, clockwise, 0 to 359.
    pub twist: u16,
}

impl Pen {
    /// The furthest place: 24 bits.
    pub const PLACE_MAX: u32 = 0xFF_FFFF;

    /// The steepest tilt, in degrees.
    pub const TILT_MAX: i8 = 90;

    /// The degrees of a whole turn.
    pub const TURN: u16 = 360;

    // Not in the public text: see docs/protocol.md.
    pub(super) fn read(payload: &[u8]) -> Option<Self> {
        let &[
            state,
            x0,
            x1,
            x2,
            y0,
            y1,
            y2,
            pressure0,
            pressure1,
            tilt_x,
            tilt_y,
            twist0,
            twist1,
        ] = payload
        else {
            return None;
        };
        Some(Self {
            state: PenState::from_bits(state),
            x: u32::from_be_bytes([0, x0, x1, x2]),
            y: u32::from_be_bytes([0, y0, y1, y2]),
            pressure: u16::from_be_bytes([pressure0, pressure1]),
            tilt_x: tilt(i8::from_be_bytes([tilt_x])),
            tilt_y: tilt(i8::from_be_bytes([tilt_y])),
            twist: u16::from_be_bytes([twist0, twist1]) % Self::TURN,
        })
    }

    pub(super) fn write(&self, out: &mut BytesMut) {
        out.put_u8(self.state.bits());
        for place in [self.x, self.y] {
            out.put_uint(place.min(Self::PLACE_MAX).into(), 3);
        }
        out.put_u16(self.pressure);
        out.put_i8(tilt(self.tilt_x));
        out.put_i8(tilt(self.tilt_y));
        out.put_u16(self.twist % Self::TURN);
    }
}

/// What of a pen is pressed, and which end of it points at the screen.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub struct PenState(u8);

impl PenState {
    /// It is near, and nothing is pressed.
    pub const HOVERS: Self = Self(0);
    /// The tip is on the screen.
    pub const TIP: Self = Self(1);
    /// The button nearest to the tip is held.
    pub const LOWER: Self = Self(1 << 1);
    /// The second button is held.
    pub const UPPER: Self = Self(1 << 2);
    /// The end that erases points at the screen, and is what [`TIP`](Self::TIP) speaks of.
    pub const ERASER: Self = Self(1 << 3);
}

bits!(PenState, 0x0F);

/// The nearest tilt that there is.
fn tilt(degrees: i8) -> i8 {
    degrees.clamp(-Pen::TILT_MAX, Pen::TILT_MAX)
}
