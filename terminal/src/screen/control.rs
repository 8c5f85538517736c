//! C0 controls and escape sequences.

use alacritty_terminal::term::cell::Flags;

use super::charset::{Charset, Charsets};
use super::model::Model;
use super::page::{Page, Saved};

impl Model {
    /// A C0 control, or DEL.
    pub(super) fn control(&mut self, byte: u8) {
        self.last = None;
        match byte {
            0x08 => self.backspace(),
            b'\t' => self.tab(1),
            b'\n' | 0x0b | 0x0c => self.line_feed(),
            b'\r' => self.page.go(self.page.line(), 0),
            0x0e => self.charsets.called = 1,
            0x0f => self.charsets.called = 0,
            _ => {}
        }
    }

    /// An escape sequence without its ESC.
    pub(super) fn escape(&mut self, sequence: &[u8]) {
        self.last = None;
        match sequence {
            b"7" => self.save_cursor(),
            b"8" => self.restore_cursor(),
            b"D" => self.page.feed(),
            b"E" => {
                self.page.feed();
                self.page.go(self.page.line(), 0);
            }
            b"H" => self.set_tab(true),
            b"M" => self.reverse_index(),
            b"Z" => self.answer_attributes(),
            b"c" => self.reset(),
            b"=" => self.modes.application_keypad = true,
            b">" => self.modes.application_keypad = false,
            b"~" => self.charsets.called = 1,
            b"n" | b"}" => self.charsets.called = 2,
            b"o" | b"|" => self.charsets.called = 3,
            b"#8" => self.fill_with_e(),
            b"%G" => {
                self.charsets.called = 0;
                self.charsets.sets[0] = Charset::Ascii;
            }
            [b'(', set] => self.charsets.sets[0] = Charset::named(*set),
            [b')' | b'-', set] => self.charsets.sets[1] = Charset::named(*set),
            [b'*' | b'.', set] => self.charsets.sets[2] = Charset::named(*set),
            [b'+', set] => self.charsets.sets[3] = Charset::named(*set),
            _ => {}
        }
    }

    fn line_feed(&mut self) {
        // A new line that was asked for does not continue the one before.
        self.page.end_wrap(self.page.line());
        self.page.feed();
        if self.modes.newline {
            self.page.go(self.page.line(), 0);
        }
    }

    fn backspace(&mut self) {
        let (line, col) = (self.page.line(), self.page.col());
        let wraps = self.modes.reverse_wrap;
        if wraps && self.page.pending() {
            self.page.settle();
        } else if col > 0 {
            self.page.go(line, col - 1);
        } else if wraps && line > self.page.top && line < self.page.bottom {
            let last = self.page.cols() - 1;
            if self.page.continues(line - 1) {
                self.page.end_wrap(line - 1);
                self.page.go(line - 1, last);
            }
        }
    }

    fn reverse_index(&mut self) {
        self.page.settle();
        let line = self.page.line();
        if line == self.page.top {
            let blank = self.page.blank();
            let bottom = self.page.bottom;
            self.page.shift_down(line, bottom, 1, &blank);
        } else {
            self.page.go(line.saturating_sub(1), self.page.col());
        }
    }

    /// Goes to the tab stop `count` further on.
    pub(super) fn tab(&mut self, count: usize) {
        if self.page.pending() {
            return;
        }
        let last = self.page.cols() - 1;
        let mut stops = (self.page.col() + 1..last).filter(|col| self.tabs[*col]);
        let col = stops.nth(count.saturating_sub(1)).unwrap_or(last);
        self.page.go(self.page.line(), col);
    }

    /// Goes to the tab stop `count` back.
    pub(super) fn back_tab(&mut self, count: usize) {
        if self.page.pending() {
            return;
        }
        let mut stops = (1..self.page.col()).rev().filter(|col| self.tabs[*col]);
        let col = stops.nth(count.saturating_sub(1)).unwrap_or(0);
        self.page.go(self.page.line(), col);
    }

    /// Sets or clears the tab stop at the cursor.
    pub(super) fn set_tab(&mut self, on: bool) {
        if !self.page.pending() {
            let col = self.page.col();
            self.tabs[col] = on;
        }
    }

    fn fill_with_e(&mut self) {
        let mut cell = self.page.pen().clone();
        (cell.c, cell.flags, cell.extra) = ('E', Flags::empty(), None);
        let (rows, cols) = (self.page.rows(), self.page.cols());
        for line in 0..rows {
            self.page.fill(line, 0, cols, &cell);
        }
        self.go(0, 0);
    }

    pub(super) fn save_cursor(&mut self) {
        self.page.save(Saved {
            charsets: self.charsets,
            origin: self.modes.origin,
            wrap: self.modes.wrap,
        });
    }

    pub(super) fn restore_cursor(&mut self) {
        self.page.restore();
        let saved = &self.page.saved;
        self.charsets = saved.charsets;
        self.modes.origin = saved.origin;
        self.modes.wrap = saved.wrap;
        self.keep_in_region();
    }

    /// The cursor is within the scroll region while lines count from its top.
    pub(super) fn keep_in_region(&mut self) {
        let line = self.page.line();
        if self.modes.origin && !(self.page.top..self.page.bottom).contains(&line) {
            let line = line.clamp(self.page.top, self.page.bottom - 1);
            self.page.go(line, self.page.col());
        }
    }

    /// Goes to a line, counted as the origin mode says, and a column.
    pub(super) fn go(&mut self, line: usize, col: usize) {
        if self.modes.origin {
            let line = line.saturating_add(self.page.top);
            self.page.go(line.min(self.page.bottom - 1), col);
        } else {
            self.page.go(line, col);
        }
    }

    /// A soft reset (DECSTR).
    pub(super) fn soft_reset(&mut self) {
        self.modes.soft_reset();
        self.charsets = Charsets::default();
        self.keyboards = Default::default();
        self.cursor_style = 0;
        let rows = self.page.rows();
        (self.page.top, self.page.bottom) = (0, rows);
        *self.page.pen_mut() = super::page::default_cell();
        self.page.forget_saved();
    }
}

impl Page {
    /// Whether the next line continues this one.
    pub(super) fn continues(&self, line: usize) -> bool {
        self.row(line)
            .last()
            .is_some_and(|cell| cell.flags.contains(Flags::WRAPLINE))
    }

    /// Forgets what DECSC saved.
    fn forget_saved(&mut self) {
        self.grid.saved_cursor = Default::default();
        self.saved = Saved::default();
    }
}
