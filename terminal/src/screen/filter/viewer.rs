//! What a viewer's terminal can take.

/// What a viewer's terminal can take.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct ViewerCapabilities {
    /// It shows kitty graphics.
    pub graphics: bool,
    /// It shows sixel images.
    pub sixel: bool,
    /// The kitty keyboard level in force, 0 to 3; above that, every flag is known.
    pub kitty_level: u32,
}

impl ViewerCapabilities {
    /// Everything that a screen knows.
    pub const EVERYTHING: Self = Self {
        graphics: true,
        sixel: true,
        kitty_level: u32::MAX,
    };

    /// The keyboard flags that the viewer can take.
    pub(in super::super) fn kitty_flags(&self) -> u8 {
        kitty_flags(self.kitty_level)
    }
}

/// The keyboard flags of a level of the protocol; of a level above those, all flags.
pub(in super::super) fn kitty_flags(level: u32) -> u8 {
    match level {
        0..=3 => vroom_protocol::terminal::kitty_flags(level),
        _ => 0x1f,
    }
}
