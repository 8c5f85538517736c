//! One screen of a terminal: its lines, those above them, and where the cursor stands.

mod cells;
mod size;

use alacritty_terminal::grid::{Dimensions, Grid, Row};
use alacritty_terminal::index::{Column, Line};
use alacritty_terminal::term::cell::{Cell, Flags};
use alacritty_terminal::vte::ansi::{Color, NamedColor};

use super::charset::Charsets;
use super::images::Placements;
pub(super) use cells::part_wide;

/// One screen: the main one, which has lines above it, or the alternate one, which has none.
///
/// Invariants: a line is marked as wrapped only when the next one continues it, so never the last
/// one; both halves of a wide character stand or none; the cursor lies within the screen.
pub(super) struct Page {
    pub(super) grid: Grid<Cell>,
    /// The scroll region: first line, and the one after its last.
    pub(super) top: usize,
    pub(super) bottom: usize,
    /// What DECSC saved beside the position and the pen, which the grid keeps.
    pub(super) saved: Saved,
    pub(super) placements: Placements,
}

/// What DECSC saves beside the position and the pen.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Saved {
    pub(super) charsets: Charsets,
    pub(super) origin: bool,
    pub(super) wrap: bool,
}

impl Default for Saved {
    fn default() -> Self {
        Self {
            charsets: Charsets::default(),
            origin: false,
            wrap: true,
        }
    }
}

/// Text that blinks; the grid has no flag for it and leaves this one to others.
pub(super) const BLINK: Flags = Flags::from_bits_retain(1 << 15);
/// What a cell of a wide character or of a wrapped line is marked with.
pub(super) const LAYOUT: Flags = Flags::WIDE_CHAR
    .union(Flags::WIDE_CHAR_SPACER)
    .union(Flags::LEADING_WIDE_CHAR_SPACER)
    .union(Flags::WRAPLINE);

impl Page {
    pub(super) fn new(rows: usize, cols: usize, scrollback: usize) -> Self {
        Self {
            grid: Grid::new(rows, cols, scrollback),
            top: 0,
            bottom: rows,
            saved: Saved::default(),
            placements: Placements::default(),
        }
    }

    /// Makes the screen as it is after a reset, without the lines above it.
    pub(super) fn reset(&mut self) {
        self.grid.reset();
        (self.top, self.bottom) = (0, self.rows());
        self.saved = Saved::default();
        self.placements = Placements::default();
    }

    pub(super) fn rows(&self) -> usize {
        self.grid.screen_lines()
    }

    pub(super) fn cols(&self) -> usize {
        self.grid.columns()
    }

    /// How many lines lie above the visible ones.
    pub(super) fn history(&self) -> usize {
        self.grid.history_size()
    }

    /// The line of the cursor, counted from 0.
    pub(super) fn line(&self) -> usize {
        usize::try_from(self.grid.cursor.point.line.0).unwrap_or(0)
    }

    /// The column of the cursor, counted from 0.
    pub(super) fn col(&self) -> usize {
        self.grid.cursor.point.column.0
    }

    /// Whether the next character begins a new line.
    pub(super) fn pending(&self) -> bool {
        self.grid.cursor.input_needs_wrap
    }

    /// What characters are written with.
    pub(super) fn pen(&self) -> &Cell {
        &self.grid.cursor.template
    }

    pub(super) fn pen_mut(&mut self) -> &mut Cell {
        &mut self.grid.cursor.template
    }

    /// A line, counted from the first visible one.
    pub(super) fn row(&self, line: usize) -> &Row<Cell> {
        &self.grid[index(line)]
    }

    pub(super) fn row_mut(&mut self, line: usize) -> &mut Row<Cell> {
        &mut self.grid[index(line)]
    }

    /// A line, counted from the oldest one.
    pub(super) fn row_from_oldest(&self, at: usize) -> &Row<Cell> {
        let line = i32::try_from(at).unwrap_or(0) - i32::try_from(self.history()).unwrap_or(0);
        &self.grid[Line(line)]
    }

    /// The characters of a visible line, without trailing blanks.
    pub(super) fn text_of(&self, line: usize) -> String {
        let mut text = String::new();
        for cell in self.row(line) {
            if !cell.flags.contains(Flags::WIDE_CHAR_SPACER) {
                text.push(cell.c);
                text.extend(cell.zerowidth().unwrap_or_default());
            }
        }
        text.truncate(text.trim_end().len());
        text
    }

    /// Moves the cursor, within the screen.
    pub(super) fn go(&mut self, line: usize, col: usize) {
        self.grid.cursor.point.line = index(line.min(self.rows() - 1));
        self.grid.cursor.point.column = Column(col.min(self.cols() - 1));
        self.grid.cursor.input_needs_wrap = false;
    }

    /// Stays where it is, but the next character goes here rather than to a new line.
    pub(super) fn settle(&mut self) {
        self.grid.cursor.input_needs_wrap = false;
    }

    /// What erased cells become.
    pub(super) fn blank(&self) -> Cell {
        Cell::from(self.pen().bg)
    }

    /// Moves down by one line, scrolling at the end of the region.
    pub(super) fn feed(&mut self) {
        self.settle();
        if self.line() + 1 == self.bottom {
            self.end_wrap(self.bottom - 1);
            self.scroll_out();
        } else if self.line() + 1 < self.rows() {
            self.grid.cursor.point.line += 1;
        }
    }

    /// Goes on at the beginning of the next line, as text does that is too long for one.
    pub(super) fn wrap(&mut self) {
        self.settle();
        let (line, last) = (self.line(), Column(self.cols() - 1));
        if line + 1 == self.bottom {
            self.row_mut(line)[last].flags.insert(Flags::WRAPLINE);
            self.scroll_out();
        } else if line + 1 < self.rows() {
            self.row_mut(line)[last].flags.insert(Flags::WRAPLINE);
            self.grid.cursor.point.line += 1;
        }
        self.grid.cursor.point.column = Column(0);
    }

    /// Scrolls the region up by one line; what leaves at the top of the screen is kept above it.
    fn scroll_out(&mut self) {
        if let Some(above) = self.top.checked_sub(1) {
            self.end_wrap(above);
        }
        self.grid
            .scroll_up(&(index(self.top)..index(self.bottom)), 1);
        self.placements
            .scroll_out(self.top, self.bottom, self.rows());
    }

    /// Takes `count` lines out at `from`; those below move up, blank ones come in before `to`.
    pub(super) fn shift_up(&mut self, from: usize, to: usize, count: usize, blank: &Cell) {
        let count = count.min(to - from);
        self.end_wrap(to - 1);
        if let Some(above) = from.checked_sub(1) {
            self.end_wrap(above);
        }
        for line in from..to - count {
            self.swap_rows(line, line + count);
        }
        for line in to - count..to {
            self.row_mut(line).reset(blank);
        }
        self.placements.shift_up(from, to, count);
    }

    /// Puts `count` blank lines in at `from`; those below move down, the last before `to` go.
    pub(super) fn shift_down(&mut self, from: usize, to: usize, count: usize, blank: &Cell) {
        let count = count.min(to - from);
        if let Some(above) = from.checked_sub(1) {
            self.end_wrap(above);
        }
        for line in (from + count..to).rev() {
            self.swap_rows(line, line - count);
        }
        for line in from..from + count {
            self.row_mut(line).reset(blank);
        }
        self.end_wrap(to - 1);
        self.placements.shift_down(from, to, count);
    }

    fn swap_rows(&mut self, a: usize, b: usize) {
        let row = std::mem::take(self.row_mut(a));
        let row = std::mem::replace(self.row_mut(b), row);
        *self.row_mut(a) = row;
    }

    /// The next line does not continue this one any more.
    pub(super) fn end_wrap(&mut self, line: usize) {
        self.end_wrap_at(index(line));
    }

    /// The same for any line that exists.
    pub(super) fn end_wrap_at(&mut self, line: Line) {
        let last = Column(self.cols() - 1);
        if line >= self.grid.topmost_line() && self.grid[line][last].flags.contains(Flags::WRAPLINE)
        {
            self.grid[line][last].flags.remove(Flags::WRAPLINE);
        }
    }

    /// Saves the cursor (DECSC).
    pub(super) fn save(&mut self, saved: Saved) {
        self.grid.saved_cursor = self.grid.cursor.clone();
        self.saved = saved;
    }

    /// Restores the position and the pen (DECRC); the link under the pen stays.
    pub(super) fn restore(&mut self) {
        let link = self.pen().hyperlink();
        let point = self.grid.saved_cursor.point;
        self.grid.cursor.template = self.grid.saved_cursor.template.clone();
        self.grid.cursor.template.set_hyperlink(link);
        self.go(usize::try_from(point.line.0).unwrap_or(0), point.column.0);
    }

    /// Forgets the lines above the screen.
    pub(super) fn clear_history(&mut self) {
        self.grid.clear_history();
        self.placements.clear_history();
    }
}

/// A cell as it is after a reset.
pub(super) fn default_cell() -> Cell {
    Cell::from(Color::Named(NamedColor::Background))
}

fn index(line: usize) -> Line {
    Line(i32::try_from(line).unwrap_or(i32::MAX))
}
