//! Changes to the cells of a line.

use alacritty_terminal::grid::Row;
use alacritty_terminal::index::Column;
use alacritty_terminal::term::cell::{Cell, Flags};

use super::Page;

impl Page {
    /// Fills cells of one line.
    pub(in super::super) fn fill(&mut self, line: usize, from: usize, to: usize, blank: &Cell) {
        let to = to.min(self.cols());
        if from >= to {
            return;
        }
        let row = self.row_mut(line);
        part_wide(row, from, blank);
        part_wide(row, to, blank);
        row[Column(from)..Column(to)].fill(blank.clone());
        self.placements.overwrite(line..line + 1, from..to);
    }

    /// Fills whole lines.
    pub(in super::super) fn fill_rows(&mut self, from: usize, to: usize, blank: &Cell) {
        for line in from..to {
            self.row_mut(line).reset(blank);
        }
        let cols = self.cols();
        self.placements.overwrite(from..to, 0..cols);
    }

    /// Puts blank cells in at the cursor; what is pushed over the end of the line is gone.
    pub(in super::super) fn insert_cells(&mut self, count: usize, blank: &Cell) {
        self.settle();
        let (line, col, cols) = (self.line(), self.col(), self.cols());
        let count = count.min(cols - col);
        self.end_wrap(line);
        let row = self.row_mut(line);
        part_wide(row, col, blank);
        let cells = &mut row[Column(col)..];
        cells.rotate_right(count);
        cells[..count].fill(blank.clone());
        let last = &mut row[Column(cols - 1)];
        if last.flags.contains(Flags::WIDE_CHAR) {
            *last = blank.clone();
        }
        self.placements.overwrite(line..line + 1, col..cols);
    }

    /// Takes cells out at the cursor; blank ones come in at the end of the line.
    pub(in super::super) fn delete_cells(&mut self, count: usize, blank: &Cell) {
        self.settle();
        let (line, col, cols) = (self.line(), self.col(), self.cols());
        let count = count.min(cols - col);
        self.end_wrap(line);
        let row = self.row_mut(line);
        part_wide(row, col, blank);
        part_wide(row, col + count, blank);
        let cells = &mut row[Column(col)..];
        cells.rotate_left(count);
        let kept = cells.len() - count;
        cells[kept..].fill(blank.clone());
        self.placements.overwrite(line..line + 1, col..cols);
    }
}

/// Takes a wide character apart whose second half stands at `col`.
pub(in super::super) fn part_wide(row: &mut Row<Cell>, col: usize, blank: &Cell) {
    if col > 0 && col < row.len() && row[Column(col)].flags.contains(Flags::WIDE_CHAR_SPACER) {
        let wrap = row[Column(col)].flags & Flags::WRAPLINE;
        row[Column(col - 1)] = blank.clone();
        row[Column(col)] = blank.clone();
        row[Column(col)].flags.insert(wrap);
    }
}
