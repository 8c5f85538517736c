//! What a person does to a desktop.

use crate::drag::Drag;

/// A key or button code of `linux/input-event-codes.h`.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Evdev(pub u16);

/// Whether a key or button went down or up.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum KeyState {
    /// It went down.
    Pressed,
    /// It went up.
    Released,
}

/// One input event, in the terms of the Linux input layer.
///
/// Coordinates are pixels of the desktop's picture from its top left corner.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum InputEvent {
    /// A key of the keyboard; the desktop's layout decides what it means.
    Key {
        /// The key.
        code: Evdev,
        /// Down or up.
        state: KeyState,
    },
    /// Text to commit where the focus is, whatever the layout.
    Text(String),
    /// What a person composes where the focus is, before it is text; each replaces the one before, and
    /// a text replaces them all. What cannot show it shows only the text.
    Preedit {
        /// What is composed; empty when nothing is any more.
        text: String,
        /// The bytes of the text before the caret, or around what is selected; `None` shows no caret.
        caret: Option<(usize, usize)>,
    },
    /// Locks or unlocks Caps Lock and Num Lock; `None` leaves one as it is.
    Locks {
        /// Caps Lock.
        caps: Option<bool>,
        /// Num Lock.
        num: Option<bool>,
    },
    /// The pointer is here now.
    PointerMotion {
        /// Pixels from the left.
        x: f64,
        /// Pixels from the top.
        y: f64,
    },
    /// The pointer moved by this much.
    PointerMotionRelative {
        /// Pixels to the right.
        dx: f64,
        /// Pixels down.
        dy: f64,
    },
    /// A button of the pointer, `BTN_LEFT` (0x110) and so on.
    PointerButton {
        /// The button.
        code: Evdev,
        /// Down or up.
        state: KeyState,
    },
    /// The wheel turned by this many pixels; 120 pixels are one notch.
    Scroll {
        /// Pixels to the right.
        dx: f64,
        /// Pixels down.
        dy: f64,
    },
    /// Files are dragged in from outside, or what a program drags is taken outside.
    Drag(Drag),
    /// A finger touched.
    TouchDown {
        /// Tells fingers apart.
        id: u32,
        /// Pixels from the left.
        x: f64,
        /// Pixels from the top.
        y: f64,
    },
    /// A finger moved.
    TouchMotion {
        /// Tells fingers apart.
        id: u32,
        /// Pixels from the left.
        x: f64,
        /// Pixels from the top.
        y: f64,
    },
    /// A finger was lifted.
    TouchUp {
        /// Tells fingers apart.
        id: u32,
    },
    /// A pen is near the picture, or on it, and moved or is held in another way.
    PenMotion(PenMotion),
    /// The tip of the pen (`BTN_TOUCH`, 0x14a) or one of its buttons (`BTN_STYLUS`, 0x14b, and
    /// `BTN_STYLUS2`, 0x14c).
    PenButton {
        /// The button.
        code: Evdev,
        /// Down or up.
        state: KeyState,
    },
    /// The pen left; it holds nothing any more.
    PenAway,
}

impl InputEvent {
    /// Whether a later event of the same kind makes this one worthless.
    pub const fn is_motion(&self) -> bool {
        matches!(
            self,
            Self::PointerMotion { .. }
                | Self::PointerMotionRelative { .. }
                | Self::TouchMotion { .. }
                | Self::PenMotion(_)
        )
    }
}

/// Where a pen is and how it is held.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct PenMotion {
    /// Which end points at the picture.
    pub tool: PenTool,
    /// Pixels from the left.
    pub x: f64,
    /// Pixels from the top.
    pub y: f64,
    /// 0 none to 1 all that the pen can tell.
    pub pressure: f64,
    /// Degrees to the right, -90 to 90; 0 stands upright.
    pub tilt_x: f64,
    /// Degrees towards the person, -90 to 90.
    pub tilt_y: f64,
    /// Degrees that it is turned around itself, clockwise, below 360.
    pub rotation: f64,
}

/// Which end of a pen points at the picture.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum PenTool {
    /// The one that draws.
    Pen,
    /// The one that erases.
    Eraser,
}

/// A keyboard layout in xkb's terms; empty fields mean xkb's defaults.
#[derive(Clone, Debug, Default, Eq, Hash, PartialEq)]
pub struct Layout {
    /// For example `de`, or `us,de`.
    pub layout: String,
    /// For example `nodeadkeys`.
    pub variant: String,
    /// For example `pc105`.
    pub model: String,
    /// For example `ctrl:nocaps`.
    pub options: String,
}
