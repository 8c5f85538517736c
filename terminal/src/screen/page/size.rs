//! A screen that changes its size.

use alacritty_terminal::grid::Dimensions;
use alacritty_terminal::index::{Column, Line};
use alacritty_terminal::term::cell::Flags;

use super::{LAYOUT, Page, default_cell};

impl Page {
    /// Follows a new size; long lines are broken anew when `reflow`.
    pub(in super::super) fn resize(&mut self, rows: usize, cols: usize, reflow: bool) {
        self.placements.pin(&mut self.grid);
        self.grid.resize(reflow, rows, cols);
        (self.top, self.bottom) = (0, rows);
        self.mend();
        self.placements.unpin(&mut self.grid);
    }

    /// Restores the invariants after a change of size.
    fn mend(&mut self) {
        let (rows, cols) = (self.rows(), self.cols());
        let last = Column(cols - 1);
        let oldest = self.grid.topmost_line().0;
        for line in oldest..=self.grid.bottommost_line().0 {
            let row = &mut self.grid[Line(line)];
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
