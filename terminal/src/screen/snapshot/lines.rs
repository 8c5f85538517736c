//! The lines of a screen and those above it.

use alacritty_terminal::grid::Row;
use alacritty_terminal::index::Column;
use alacritty_terminal::term::cell::{Cell, Flags};

use super::super::page::{LAYOUT, Page, default_cell};
use super::Snapshot;
use super::pictures::Pictures;

/// Blank cells after which moving the cursor is shorter than writing them.
const SKIP_CELLS: usize = 5;

impl Snapshot<'_> {
    /// Writes the lines of an empty screen, the oldest first.
    pub(super) fn lines(&mut self, page: &Page) {
        let above = page.history().min(self.options.scrollback_lines);
        let first = page.history() - above;
        let pictures = Pictures::of(page, first);
        let mut end = page.history() + page.rows();
        if above == 0 {
            let continued = |at: usize| at > first && row_goes_on(page.row_from_oldest(at - 1));
            while end > first
                && is_blank(page.row_from_oldest(end - 1))
                && !continued(end - 1)
                && !pictures.cover(end)
            {
                end -= 1;
            }
        }
        // Whether the cursor stands behind the last column of a line that goes on.
        let mut goes_on = false;
        for at in first..end {
            let row = page.row_from_oldest(at);
            if goes_on {
                self.begin_wrapped(row);
            } else if at > first {
                // The colour of the pen would fill the line that scrolls in.
                self.plain_pen();
                self.put("\r\n");
            }
            goes_on = self.line(row);
            let ending = pictures.ending_at(at);
            let screen_line = (at - first).min(page.rows() - 1);
            for picture in &ending {
                self.picture(page, picture, screen_line);
            }
            if goes_on && !ending.is_empty() {
                self.end_again(row, screen_line);
            }
        }
        self.plain_pen();
    }

    /// Goes on in the next line, which then counts as a part of the one before.
    fn begin_wrapped(&mut self, row: &Row<Cell>) {
        let first = &row[Column(0)];
        if first.bg != default_cell().bg || *first == default_cell() {
            // The line scrolls in with the colour of the pen, and only when something is written.
            self.plain_pen();
            self.put(" \r");
        }
    }

    /// Writes one line, and says whether it goes on in the next one.
    fn line(&mut self, row: &Row<Cell>) -> bool {
        let goes_on = row_goes_on(row);
        let cols = row.len();
        let mut end = cols;
        let last = &row[Column(cols - 1)];
        let fills = !goes_on && is_erased(last);
        if fills {
            let same = row[..].iter().rev().take_while(|cell| *cell == last);
            end -= same.count();
        }
        let mut col = 0;
        while col < end {
            let cell = &row[Column(col)];
            if *cell == default_cell() {
                let rest = row[Column(col)..Column(end)].iter();
                let blanks = rest.take_while(|other| *other == cell).count();
                // Where nothing was written the cell stays as it is.
                if blanks >= SKIP_CELLS && col + blanks < end {
                    self.print(format_args!("\x1b[{blanks}C"));
                    col += blanks;
                    continue;
                }
            }
            col += self.cell(row, col);
        }
        if fills && *last != default_cell() {
            self.pen.change(last, &mut self.out);
            self.put("\x1b[K");
        }
        goes_on
    }

    /// Writes the character at a column, and says how many columns it takes.
    pub(super) fn cell(&mut self, row: &Row<Cell>, col: usize) -> usize {
        let cell = &row[Column(col)];
        self.draw(cell);
        1 + usize::from(cell.flags.contains(Flags::WIDE_CHAR))
    }

    /// Returns behind the last column of a line, as if it had just been written.
    fn end_again(&mut self, row: &Row<Cell>, line: usize) {
        let col = character_at(row, row.len() - 1);
        self.go(line, col);
        self.cell(row, col);
    }
}

/// Where the character begins that a column belongs to.
pub(in super::super) fn character_at(row: &Row<Cell>, col: usize) -> usize {
    let second = row[Column(col)].flags.contains(Flags::WIDE_CHAR_SPACER);
    col.saturating_sub(usize::from(second))
}

fn row_goes_on(row: &Row<Cell>) -> bool {
    row.last()
        .is_some_and(|cell| cell.flags.contains(Flags::WRAPLINE))
}

/// Whether a cell is as if it had been erased.
fn is_erased(cell: &Cell) -> bool {
    *cell == Cell::from(cell.bg)
}

/// Whether a line is as it is after a reset.
fn is_blank(row: &Row<Cell>) -> bool {
    row[..].iter().all(|cell| *cell == default_cell())
}

/// A cell without the marks of its line, which say nothing about its look.
pub(in super::super) fn without_layout(cell: &Cell) -> Cell {
    let mut cell = cell.clone();
    cell.flags.remove(LAYOUT);
    cell
}
