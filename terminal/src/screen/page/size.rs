//! A screen that changes its size.

use alacritty_terminal::grid::Dimensions;
use alacritty_terminal::index::{Column, Line};
use alacritty_terminal::term::cell::Flags;

use super::{LAYOUT, Page, default_cell, index};

impl Page {
    /// Follows a new size; long lines are broken anew when `reflow`.
    pub(in super::super) fn resize(&mut self, rows: usize, cols: usize, reflow: bool) {
        self.placements.pin(&mut self.grid);
        self.resize_rows(rows);
        let kept = self.history() > 0;
        self.grid.resize(reflow, rows, cols);
        if !kept {
            self.use_blank_lines();
        }
        (self.top, self.bottom) = (0, rows);
        self.mend();
        self.placements.unpin(&mut self.grid);
    }

    /// Follows a new number of lines. As in xterm.js, lines from above come back only when the cursor
    /// is on the last one; else blank lines come in below it.
    fn resize_rows(&mut self, rows: usize) {
        let (history, cols) = (self.history(), self.cols());
        let below = self.line() + 1 < self.rows();
        self.grid.resize(false, rows, cols);
        let came_back = history.saturating_sub(self.history());
        if below && came_back > 0 {
            let pen = std::mem::take(self.pen_mut());
            self.grid.scroll_up(&(index(0)..index(rows)), came_back);
            *self.pen_mut() = pen;
            let line =
                |at: Line| index(usize::try_from(at.0).unwrap_or(0).saturating_sub(came_back));
            self.grid.cursor.point.line = line(self.grid.cursor.point.line);
            self.grid.saved_cursor.point.line = line(self.grid.saved_cursor.point.line);
        }
    }

    /// Lets lines that were pushed out at the top come back in place of blank ones at the bottom.
    fn use_blank_lines(&mut self) {
        let (rows, cols) = (self.rows(), self.cols());
        let below = (self.line() + 1..rows).rev();
        let blank = below.take_while(|line| self.row(*line).is_clear()).count();
        let count = blank.min(self.history());
        if count > 0 {
            self.grid.resize(false, rows + count, cols);
            self.grid.resize(false, rows, cols);
        }
    }

    /// Restores the invariants after a change of size.
    fn mend(&mut self) {
        let (rows, cols) = (self.rows(), self.cols());
        let last = Column(cols - 1);
        let oldest = self.grid.topmost_line().0;
        for line in oldest..=self.grid.bottommost_line().0 {
            let row = &mut self.grid[Line(line)];
            // Cells that a row grew by count as never written, which a later reset relies upon.
            row.into_iter().for_each(drop);
            for col in 0..cols {
                let flags = row[Column(col)].flags;
                if !flags.intersects(LAYOUT) {
                    continue;
                }
                let follows =
                    col + 1 < cols && row[Column(col + 1)].flags.contains(Flags::WIDE_CHAR_SPACER);
                let led = col > 0 && row[Column(col - 1)].flags.contains(Flags::WIDE_CHAR);
                if (flags.contains(Flags::WIDE_CHAR) && !follows)
                    || (flags.contains(Flags::WIDE_CHAR_SPACER) && !led)
                {
                    row[Column(col)] = default_cell();
                }
                if col != last.0 {
                    row[Column(col)].flags.remove(Flags::WRAPLINE);
                }
            }
        }
        self.end_wrap(rows - 1);
        let point = self.grid.cursor.point;
        let (line, col) = (point.line.0.clamp(0, i32::MAX), point.column.0);
        let pending = self.grid.cursor.input_needs_wrap;
        self.go(usize::try_from(line).unwrap_or(0), col);
        let wrapped = self.row(self.line())[last].flags.contains(Flags::WRAPLINE);
        self.grid.cursor.input_needs_wrap = pending && self.col() == last.0 && !wrapped;
        let saved = &mut self.grid.saved_cursor.point;
        saved.line.0 = saved.line.0.clamp(0, i32::try_from(rows - 1).unwrap_or(0));
        saved.column = saved.column.min(last);
    }
}
