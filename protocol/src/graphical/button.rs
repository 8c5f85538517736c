//! Input on `button`, in binary: what is pressed, and in which order.

use std::fmt;

use bytes::{BufMut, Bytes, BytesMut};

use super::key::{Key, put_short_text, short_text};
use super::pen::Pen;
use super::preedit::Preedit;
use crate::encoding::DecodeError;

/// What travels on `button`, in order and without loss; `Debug` shows neither keys nor text.
#[derive(Clone, Eq, PartialEq)]
pub enum ButtonInput {
    /// Moves the pointer, then presses a mouse button.
    MouseDown {
        /// Viewport pixels from the left.
        x: u16,
        /// Viewport pixels from the top.
        y: u16,
        /// 0 left, 1 middle, 2 right, 3 back, 4 forward.
        button: u8,
    },
    /// Moves the pointer, then releases a mouse button.
    MouseUp {
        /// Viewport pixels from the left.
        x: u16,
        /// Viewport pixels from the top.
        y: u16,
        /// As for pressing.
        button: u8,
    },
    /// Presses a key.
    KeyDown(Key),
    /// Releases a key.
    KeyUp(Key),
    /// A finger touches.
    TouchStart {
        /// Which finger.
        id: u8,
        /// Viewport pixels from the left.
        x: u16,
        /// Viewport pixels from the top.
        y: u16,
        /// 0 when the device reports none.
        pressure: u8,
    },
    /// A finger moves.
    TouchMove {
        /// Which finger.
        id: u8,
        /// Viewport pixels from the left.
        x: u16,
        /// Viewport pixels from the top.
        y: u16,
        /// 0 when the device reports none.
        pressure: u8,
    },
    /// A finger is lifted.
    TouchEnd {
        /// Which finger.
        id: u8,
    },
    /// Text from an input method; 1 to [`TEXT_BYTES_MAX`](Self::TEXT_BYTES_MAX) bytes.
    Text(String),
    /// A gamepad was plugged in.
    GamepadAttach {
        /// Which gamepad.
        pad: u8,
        /// How many buttons it has.
        buttons: u8,
        /// How many axes it has.
        axes: u8,
        /// Its name, at most 255 bytes.
        name: String,
    },
    /// A gamepad button changed.
    GamepadButton {
        /// Which gamepad.
        pad: u8,
        /// Which button, in the W3C standard order.
        button: u8,
        /// 0 released to 255 fully pressed.
        value: u8,
    },
    /// A gamepad was unplugged.
    GamepadDetach {
        /// Which gamepad.
        pad: u8,
    },
    /// A pen is near the screen, or on it.
    Pen(Pen),
    /// The pen has left; nothing of it is pressed any more.
    PenLeave,
    /// What a person composes, before it is text.
    Preedit(Preedit),
}

impl ButtonInput {
    /// Largest TEXT in bytes; a larger one is malformed.
    pub const TEXT_BYTES_MAX: usize = 4096;

    /// Highest mouse button; a higher one is malformed.
    pub const BUTTON_MAX: u8 = 4;

    /// Reads a message of `button`.
    pub fn decode(kind: u8, payload: &[u8]) -> Result<Self, DecodeError> {
        let (input, name) = match kind {
            MOUSE_DOWN => (Self::read_mouse_down(payload), "MOUSE_DOWN"),
            MOUSE_UP => (Self::read_mouse_up(payload), "MOUSE_UP"),
            KEY_DOWN => (Key::read(payload).map(Self::KeyDown), "KEY_DOWN"),
            KEY_UP => (Key::read(payload).map(Self::KeyUp), "KEY_UP"),
            TOUCH_START => (Self::read_touch_start(payload), "TOUCH_START"),
            TOUCH_MOVE => (Self::read_touch_move(payload), "TOUCH_MOVE"),
            TOUCH_END => (Self::read_touch_end(payload), "TOUCH_END"),
            TEXT => (Self::read_text(payload), "TEXT"),
            GAMEPAD_ATTACH => (Self::read_attach(payload), "GAMEPAD_ATTACH"),
            GAMEPAD_BUTTON => (Self::read_gamepad_button(payload), "GAMEPAD_BUTTON"),
            GAMEPAD_DETACH => (Self::read_detach(payload), "GAMEPAD_DETACH"),
            PEN => (Pen::read(payload).map(Self::Pen), "PEN"),
            PEN_LEAVE => (payload.is_empty().then_some(Self::PenLeave), "PEN_LEAVE"),
            PREEDIT => (Preedit::read(payload).map(Self::Preedit), "PREEDIT"),
            unknown => return Err(DecodeError::UnknownType(unknown.into())),
        };
        input.ok_or(DecodeError::Layout(name))
    }

    /// Writes the type and the payload.
    ///
    /// Names beyond 255 bytes are cut; a longer TEXT than allowed is the caller's to split.
    pub fn encode(&self) -> (u8, Bytes) {
        let mut out = BytesMut::new();
        let kind = match self {
            Self::MouseDown { x, y, button } => put_mouse(&mut out, MOUSE_DOWN, *x, *y, *button),
            Self::MouseUp { x, y, button } => put_mouse(&mut out, MOUSE_UP, *x, *y, *button),
            Self::KeyDown(key) => {
                key.write(&mut out);
                KEY_DOWN
            }
            Self::KeyUp(key) => {
                key.write(&mut out);
                KEY_UP
            }
            Self::TouchStart { id, x, y, pressure } => {
                put_touch(&mut out, TOUCH_START, *id, (*x, *y), *pressure)
            }
            Self::TouchMove { id, x, y, pressure } => {
                put_touch(&mut out, TOUCH_MOVE, *id, (*x, *y), *pressure)
            }
            Self::TouchEnd { id } => {
                out.put_u8(*id);
                TOUCH_END
            }
            Self::Text(text) => {
                out.extend_from_slice(text.as_bytes());
                TEXT
            }
            Self::GamepadAttach {
                pad,
                buttons,
                axes,
                name,
            } => {
                out.extend_from_slice(&[*pad, *buttons, *axes]);
                put_short_text(&mut out, name);
                GAMEPAD_ATTACH
            }
            Self::GamepadButton { pad, button, value } => {
                out.extend_from_slice(&[*pad, *button, *value]);
                GAMEPAD_BUTTON
            }
            Self::GamepadDetach { pad } => {
                out.put_u8(*pad);
                GAMEPAD_DETACH
            }
            Self::Pen(pen) => {
                pen.write(&mut out);
                PEN
            }
            Self::PenLeave => PEN_LEAVE,
            Self::Preedit(preedit) => {
                preedit.write(&mut out);
                PREEDIT
            }
        };
        (kind, out.freeze())
    }

    fn read_mouse_down(payload: &[u8]) -> Option<Self> {
        let (x, y, button) = read_mouse(payload)?;
        Some(Self::MouseDown { x, y, button })
    }

    fn read_mouse_up(payload: &[u8]) -> Option<Self> {
        let (x, y, button) = read_mouse(payload)?;
        Some(Self::MouseUp { x, y, button })
    }

    fn read_touch_start(payload: &[u8]) -> Option<Self> {
        let (id, x, y, pressure) = read_touch(payload)?;
        Some(Self::TouchStart { id, x, y, pressure })
    }

    fn read_touch_move(payload: &[u8]) -> Option<Self> {
        let (id, x, y, pressure) = read_touch(payload)?;
        Some(Self::TouchMove { id, x, y, pressure })
    }

    fn read_touch_end(payload: &[u8]) -> Option<Self> {
        let &[id] = payload else { return None };
        Some(Self::TouchEnd { id })
    }

    fn read_text(payload: &[u8]) -> Option<Self> {
        if payload.is_empty() || payload.len() > Self::TEXT_BYTES_MAX {
            return None;
        }
        let text = std::str::from_utf8(payload).ok()?;
        Some(Self::Text(text.to_owned()))
    }

    fn read_attach(payload: &[u8]) -> Option<Self> {
        let &[pad, buttons, axes, ref rest @ ..] = payload else {
            return None;
        };
        let (name, []) = short_text(rest)? else {
            return None;
        };
        Some(Self::GamepadAttach {
            pad,
            buttons,
            axes,
            name: name.to_owned(),
        })
    }

    fn read_gamepad_button(payload: &[u8]) -> Option<Self> {
        let &[pad, button, value] = payload else {
            return None;
        };
        Some(Self::GamepadButton { pad, button, value })
    }

    fn read_detach(payload: &[u8]) -> Option<Self> {
        let &[pad] = payload else { return None };
        Some(Self::GamepadDetach { pad })
    }
}

impl fmt::Debug for ButtonInput {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::MouseDown { .. } => "MouseDown(..)",
            Self::MouseUp { .. } => "MouseUp(..)",
            Self::KeyDown(_) => "KeyDown(..)",
            Self::KeyUp(_) => "KeyUp(..)",
            Self::TouchStart { .. } => "TouchStart(..)",
            Self::TouchMove { .. } => "TouchMove(..)",
            Self::TouchEnd { .. } => "TouchEnd(..)",
            Self::Text(_) => "Text(..)",
            Self::GamepadAttach { .. } => "GamepadAttach(..)",
            Self::GamepadButton { .. } => "GamepadButton(..)",
            Self::GamepadDetach { .. } => "GamepadDetach(..)",
            Self::Pen(_) => "Pen(..)",
            Self::PenLeave => "PenLeave",
            Self::Preedit(_) => "Preedit(..)",
        })
    }
}

fn read_mouse(payload: &[u8]) -> Option<(u16, u16, u8)> {
    let &[x0, x1, y0, y1, button] = payload else {
        return None;
    };
    (button <= ButtonInput::BUTTON_MAX).then_some((
        u16::from_be_bytes([x0, x1]),
        u16::from_be_bytes([y0, y1]),
        button,
    ))
}

fn read_touch(payload: &[u8]) -> Option<(u8, u16, u16, u8)> {
    let &[id, x0, x1, y0, y1, pressure] = payload else {
        return None;
    };
    let (x, y) = (u16::from_be_bytes([x0, x1]), u16::from_be_bytes([y0, y1]));
    Some((id, x, y, pressure))
}

fn put_mouse(out: &mut BytesMut, kind: u8, x: u16, y: u16, button: u8) -> u8 {
    out.put_u16(x);
    out.put_u16(y);
    out.put_u8(button);
    kind
}

fn put_touch(out: &mut BytesMut, kind: u8, id: u8, (x, y): (u16, u16), pressure: u8) -> u8 {
    out.put_u8(id);
    out.put_u16(x);
    out.put_u16(y);
    out.put_u8(pressure);
    kind
}

// VROOM-Graphical §4.5 and §4.6.
const MOUSE_DOWN: u8 = 0x10;
const MOUSE_UP: u8 = 0x11;
const KEY_DOWN: u8 = 0x12;
const KEY_UP: u8 = 0x13;
const TOUCH_START: u8 = 0x14;
const TOUCH_MOVE: u8 = 0x15;
const TOUCH_END: u8 = 0x16;
const TEXT: u8 = 0x17;
const GAMEPAD_ATTACH: u8 = 0x18;
const GAMEPAD_BUTTON: u8 = 0x19;
const GAMEPAD_DETACH: u8 = 0x1A;
// Not in the public text: see docs/protocol.md.
const PEN: u8 = 0x1B;
const PEN_LEAVE: u8 = 0x1C;
const PREEDIT: u8 = 0x1D;
