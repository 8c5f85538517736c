//! How a character is typed.

use vroom_desktop::Evdev;

/// The modifiers that choose between the characters of a key.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(crate) struct Levels {
    /// Shift is down.
    pub(crate) shift: bool,
    /// AltGr is down.
    pub(crate) level3: bool,
}

impl Levels {
    /// All combinations.
    pub(crate) const ALL: [Self; 4] = [
        Self::new(false, false),
        Self::new(true, false),
        Self::new(false, true),
        Self::new(true, true),
    ];

    const fn new(shift: bool, level3: bool) -> Self {
        Self { shift, level3 }
    }

    /// How many modifiers differ.
    pub(crate) fn distance(self, other: Self) -> u8 {
        u8::from(self.shift != other.shift) + u8::from(self.level3 != other.level3)
    }
}

/// A key and the modifiers that make it a character.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Stroke {
    /// The key.
    pub(crate) code: Evdev,
    /// The modifiers.
    pub(crate) levels: Levels,
}
