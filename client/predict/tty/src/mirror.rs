//! What the program's output has left on the screen.

use core::fmt;
use std::iter;
use std::time::Duration;

use alacritty_terminal::event::VoidListener;
use alacritty_terminal::grid::Dimensions;
use alacritty_terminal::index::{Column, Line};
use alacritty_terminal::term::cell::{Cell, Flags};
use alacritty_terminal::term::{Config, Term, TermMode};
use alacritty_terminal::vte::ansi::{CharsetIndex, Processor, StandardCharset, Timeout};
use vroom_predict::{Glyph, Grid, Position};

/// The smallest screen that is modelled; a smaller one is modelled as this.
const SIDE_MIN: u16 = 2;

/// A terminal without a window.
pub(crate) struct Mirror {
    term: Term<VoidListener>,
    parser: Processor<Immediate>,
}

impl Mirror {
    pub(crate) fn new(rows: u16, cols: u16) -> Self {
        let config = Config {
            scrolling_history: 0,
            kitty_keyboard: true,
            ..Config::default()
        };
        Self {
            term: Term::new(config, &Size::new(rows, cols), VoidListener),
            parser: Processor::new(),
        }
    }

    pub(crate) fn push(&mut self, bytes: &[u8]) {
        self.parser.advance(&mut self.term, bytes);
    }

    pub(crate) fn resize(&mut self, rows: u16, cols: u16) {
        self.term.resize(Size::new(rows, cols));
    }

    /// A cell of the screen; None outside it.
    pub(crate) fn cell(&self, at: Position) -> Option<&Cell> {
        let (rows, cols) = self.size();
        // The grid panics outside.
        (at.row < rows && at.col < cols).then(|| {
            let row = &self.term.grid()[Line(i32::from(at.row))];
            &row[Column(usize::from(at.col))]
        })
    }

    /// What the next character takes its attributes from.
    pub(crate) fn pen(&self) -> &Cell {
        &self.term.grid().cursor.template
    }

    /// Where the cursor is, hidden or not, and whether the next character wraps.
    pub(crate) fn place(&self) -> (Position, bool) {
        let cursor = &self.term.grid().cursor;
        let row = u16::try_from(cursor.point.line.0).unwrap_or(0);
        let col = u16::try_from(cursor.point.column.0).unwrap_or(u16::MAX);
        (Position::new(row, col), cursor.input_needs_wrap)
    }

    /// Whether characters that are written now appear where the cursor is, as they are, and move nothing.
    pub(crate) fn takes_plain_text(&self, is_shifted: bool) -> bool {
        let mode = self.term.mode();
        let charset = if is_shifted {
            CharsetIndex::G1
        } else {
            CharsetIndex::G0
        };
        !mode.intersects(TermMode::INSERT | TermMode::ORIGIN)
            && self.term.grid().cursor.charsets[charset] == StandardCharset::Ascii
            && self.pen().hyperlink().is_none()
    }

    /// Whether the program has text keys reported as codes.
    pub(crate) fn reports_keys_as_codes(&self) -> bool {
        self.term.mode().contains(TermMode::REPORT_ALL_KEYS_AS_ESC)
    }
}

impl Grid for Mirror {
    fn size(&self) -> (u16, u16) {
        let size = |count: usize| u16::try_from(count).unwrap_or(u16::MAX);
        (size(self.term.screen_lines()), size(self.term.columns()))
    }

    fn cursor(&self) -> Option<Position> {
        let (at, wraps) = self.place();
        let is_shown = self.term.mode().contains(TermMode::SHOW_CURSOR);
        is_shown.then(|| Position::new(at.row, at.col.saturating_add(wraps.into())))
    }

    fn glyph(&self, at: Position) -> Glyph {
        let Some(cell) = self.cell(at) else {
            return Glyph::BLANK;
        };
        let marks = cell.zerowidth().unwrap_or_default().iter().copied();
        Glyph::from_cell(iter::once(cell.c).chain(marks), columns(cell))
    }
}

impl fmt::Debug for Mirror {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Mirror")
            .field("size", &self.size())
            .finish_non_exhaustive()
    }
}

/// Columns that a cell covers: 0 for the right half of a wide character.
pub(crate) fn columns(cell: &Cell) -> u8 {
    if cell.flags.contains(Flags::WIDE_CHAR_SPACER) {
        0
    } else {
        1 + u8::from(cell.flags.contains(Flags::WIDE_CHAR))
    }
}

struct Size {
    rows: u16,
    cols: u16,
}

impl Size {
    fn new(rows: u16, cols: u16) -> Self {
        Self {
            rows: rows.max(SIDE_MIN),
            cols: cols.max(SIDE_MIN),
        }
    }
}

impl Dimensions for Size {
    fn total_lines(&self) -> usize {
        self.screen_lines()
    }

    fn screen_lines(&self) -> usize {
        self.rows.into()
    }

    fn columns(&self) -> usize {
        self.cols.into()
    }
}

/// Synchronized updates are followed as they come: nothing waits, and no clock is read.
#[derive(Debug, Default)]
struct Immediate;

impl Timeout for Immediate {
    fn set_timeout(&mut self, _: Duration) {}

    fn clear_timeout(&mut self) {}

    fn pending_timeout(&self) -> bool {
        false
    }
}
