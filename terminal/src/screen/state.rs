//! What others ask of a screen: its modes and its progress.

/// The modes that a program has set.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct ScreenModes {
    /// The alternate screen is shown.
    pub alternate: bool,
    /// Some mouse reporting is on.
    pub mouse: bool,
    /// The kitty keyboard flags in force on the shown screen.
    pub kitty_flags: u8,
    /// Pasted text is bracketed (2004).
    pub bracketed_paste: bool,
    /// Cursor keys send application sequences (DECCKM).
    pub application_cursor: bool,
    /// The keypad sends application sequences (DECKPAM).
    pub application_keypad: bool,
    /// Focus changes are reported (1004).
    pub focus: bool,
    /// An update is being drawn (2026).
    pub synchronized: bool,
    /// The cursor is shown (DECTCEM).
    pub cursor_visible: bool,
}

/// The progress that a program shows (OSC 9;4).
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Progress {
    /// Percent done.
    Normal(u8),
    /// Failed, at this many percent.
    Error(u8),
    /// At work, for how long is unknown.
    Indeterminate,
    /// Paused, at this many percent.
    Paused(u8),
}
