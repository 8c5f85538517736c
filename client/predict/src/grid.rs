//! What the predictor has to know of a terminal's screen.

use crate::glyph::Glyph;

/// A place on the screen, counted from 0 at the upper left.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Position {
    /// Lines below the first visible one.
    pub row: u16,
    /// Columns right of the first one.
    pub col: u16,
}

impl Position {
    /// The place in this row and column.
    pub const fn new(row: u16, col: u16) -> Self {
        Self { row, col }
    }
}

/// The visible screen as the terminal shows it after parsing what arrived; scrollback is no part of it.
pub trait Grid {
    /// Rows and columns.
    fn size(&self) -> (u16, u16);

    /// Where the next character goes; None while the program hides the cursor.
    ///
    /// The column equals the number of columns when the next character wraps.
    fn cursor(&self) -> Option<Position>;

    /// What a cell shows; [`Glyph::BLANK`] outside the screen.
    fn glyph(&self, at: Position) -> Glyph;
}
