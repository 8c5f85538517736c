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
}

impl InputEvent {
    /// Whether a later event of the same kind makes this one worthless.
    pub const fn is_motion(&self) -> bool {
        matches!(
            self,
            Self::PointerMotion { .. }
                | Self::PointerMotionRelative { .. }
                | Self::TouchMotion { .. }
        )
    }
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
