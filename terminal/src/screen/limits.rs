//! How much a screen keeps, and what a snapshot holds.

/// How much a [`Screen`](super::Screen) keeps.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct ScreenLimits {
    /// Lines above the visible ones; the oldest goes when there are more.
    pub scrollback_lines: usize,
    /// Bytes of images; the oldest image goes when there are more.
    pub image_bytes: usize,
}

impl Default for ScreenLimits {
    fn default() -> Self {
        Self {
            scrollback_lines: 10_000,
            image_bytes: 32 << 20,
        }
    }
}

/// What the terminal can take that a snapshot is for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct SnapshotOptions {
    /// Lines above the visible ones to write, counted from the newest.
    pub scrollback_lines: usize,
    /// Whether it shows kitty graphics.
    pub graphics: bool,
    /// Whether it shows sixel images.
    pub sixel: bool,
    /// The kitty keyboard level in force, 0 to 3; flags above it are left out. Above that, none is.
    pub kitty_level: u32,
    /// Whether it knows hyperlinks (OSC 8).
    pub links: bool,
}

impl SnapshotOptions {
    /// Everything that a screen knows: a second screen fed with it equals the first.
    pub const EVERYTHING: Self = Self {
        scrollback_lines: usize::MAX,
        graphics: true,
        sixel: true,
        kitty_level: u32::MAX,
        links: true,
    };
}

impl Default for SnapshotOptions {
    fn default() -> Self {
        Self::EVERYTHING
    }
}
