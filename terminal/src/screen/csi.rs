//! Control sequences.

use super::keyboard::Keyboard;
use super::model::Model;
use super::page::{Page, default_cell};
use super::params::Params;

impl Model {
    /// A control sequence without its CSI.
    pub(super) fn csi(&mut self, sequence: &[u8]) {
        let last = self.last.take();
        let Some(params) = Params::parse(sequence) else {
            return;
        };
        match (params.prefix, params.intermediate, params.last) {
            (0, 0, b'b') => {
                self.last = last;
                self.repeat(params.count());
                self.last = None;
            }
            (0, 0, b'm') => super::sgr::apply(&params, self.page.pen_mut()),
            (0, 0, _) => self.plain(&params),
            (b'?', 0, b'h') => self.private_modes(&params, true),
            (b'?', 0, b'l') => self.private_modes(&params, false),
            (b'?', 0, b'J') => self.erase_display(params.get(0, 0)),
            (b'?', 0, b'K') => self.erase_line(params.get(0, 0)),
            (_, 0, b'u') => self.keyboard_flags(&params),
            (b'>', 0, b'm') if params.get(0, 0) == 4 => {
                let level = params.get(1, 0).min(2);
                self.modes.modify_other_keys = u8::try_from(level).unwrap_or(0);
            }
            // A soft reset, DECSTR.
            (0, b'!', b'p') => self.soft_reset(),
            // The shape of the cursor, DECSCUSR.
            (0, b' ', b'q') => {
                if let Ok(style @ 0..=6) = u8::try_from(params.get(0, 0)) {
                    self.cursor_style = style;
                }
            }
            _ => self.query(&params),
        }
    }

    /// Sequences without prefix and intermediate.
    fn plain(&mut self, params: &Params) {
        let count = params.count();
        let (line, col) = (self.page.line(), self.page.col());
        match params.last {
            b'@' => {
                let blank = self.page.blank();
                self.page.insert_cells(count, &blank);
            }
            b'A' => self.page.up(count),
            b'B' | b'e' => self.page.down(count),
            b'C' | b'a' => self.page.go(line, col.saturating_add(count)),
            b'D' => self.page.go(line, col.saturating_sub(count)),
            b'E' => {
                self.page.down(count);
                self.page.go(self.page.line(), 0);
            }
            b'F' => {
                self.page.up(count);
                self.page.go(self.page.line(), 0);
            }
            b'G' | b'`' => self.page.go(line, count - 1),
            b'H' | b'f' => {
                let col = usize::from(params.get(1, 1)) - 1;
                self.go(count - 1, col);
            }
            b'd' => self.go(count - 1, col),
            b'I' => self.tab(count),
            b'Z' => self.back_tab(count),
            b'J' => self.erase_display(params.get(0, 0)),
            b'K' => self.erase_line(params.get(0, 0)),
            b'L' | b'M' => self.shift_lines(params.last == b'L', count),
            b'P' => {
                let blank = self.page.blank();
                self.page.delete_cells(count, &blank);
            }
            b'S' | b'T' | b'^' => self.scroll(params.last == b'S', count),
            b'X' => {
                self.page.settle();
                let blank = self.page.blank();
                self.page.fill(line, col, col.saturating_add(count), &blank);
            }
            b'g' => match params.get(0, 0) {
                0 => self.set_tab(false),
                3 => self.tabs.fill(false),
                _ => {}
            },
            b'h' | b'l' => {
                for mode in params.values() {
                    self.modes.set_ansi(mode, params.last == b'h');
                }
            }
            b'r' => self.set_region(params),
            b's' => self.save_cursor(),
            b'u' => self.restore_cursor(),
            b't' => self.window(params),
            _ => self.query(params),
        }
    }

    fn erase_display(&mut self, what: u16) {
        let (line, rows) = (self.page.line(), self.page.rows());
        let blank = self.page.blank();
        match what {
            0 => {
                self.erase_line(0);
                self.page.fill_rows(line + 1, rows, &blank);
            }
            1 => {
                self.erase_line(1);
                self.page.fill_rows(0, line, &blank);
            }
            2 => {
                self.page.fill_rows(0, rows, &blank);
                self.page.placements.clear_screen(rows);
            }
            3 => self.page.clear_history(),
            _ => {}
        }
    }

    fn erase_line(&mut self, what: u16) {
        let (line, col, cols) = (self.page.line(), self.page.col(), self.page.cols());
        let blank = self.page.blank();
        match what {
            // The cursor stands behind the last column.
            0 if self.page.pending() => {}
            0 => self.page.fill(line, col, cols, &blank),
            1 => self.page.fill(line, 0, col + 1, &blank),
            2 => self.page.fill(line, 0, cols, &blank),
            _ => {}
        }
    }

    fn shift_lines(&mut self, insert: bool, count: usize) {
        self.page.settle();
        let (line, bottom) = (self.page.line(), self.page.bottom);
        if !(self.page.top..bottom).contains(&line) {
            return;
        }
        let blank = self.page.blank();
        if insert {
            self.page.shift_down(line, bottom, count, &blank);
        } else {
            self.page.shift_up(line, bottom, count, &blank);
        }
        self.page.go(line, 0);
    }

    fn scroll(&mut self, up: bool, count: usize) {
        let (top, bottom) = (self.page.top, self.page.bottom);
        if up {
            let blank = self.page.blank();
            self.page.shift_up(top, bottom, count, &blank);
        } else {
            // Without the colour of the pen, as in xterm.js.
            self.page.shift_down(top, bottom, count, &default_cell());
        }
        if self.page.pending() {
            // The next character makes the line go on, whatever it is now.
            self.page.end_wrap(self.page.line());
        }
    }

    fn set_region(&mut self, params: &Params) {
        let rows = self.page.rows();
        let top = params.count();
        let bottom = match usize::from(params.get(1, 0)) {
            bottom if bottom == 0 || bottom > rows => rows,
            bottom => bottom,
        };
        if bottom > top {
            (self.page.top, self.page.bottom) = (top - 1, bottom);
            self.go(0, 0);
        }
    }

    fn private_modes(&mut self, params: &Params, on: bool) {
        for mode in params.values() {
            match mode {
                // ANSI rather than VT52.
                2 if on => self.charsets.sets = Default::default(),
                6 => {
                    self.modes.origin = on;
                    self.go(0, 0);
                }
                47 | 1047 if on => self.enter_alternate(),
                47 | 1047 => self.leave_alternate(),
                1048 if on => self.save_cursor(),
                1048 => self.restore_cursor(),
                1049 if on => {
                    self.save_cursor();
                    self.enter_alternate();
                }
                1049 => {
                    self.leave_alternate();
                    self.restore_cursor();
                }
                _ => self.modes.set_private(mode, on),
            }
            if mode == 2048 && on {
                self.report_size();
            }
        }
    }

    fn enter_alternate(&mut self) {
        if self.main.is_some() {
            return;
        }
        let (rows, cols) = (self.page.rows(), self.page.cols());
        let spare = self.spare.take();
        let mut alternate = spare.unwrap_or_else(|| Page::new(rows, cols, 0));
        alternate.reset();
        alternate.grid.cursor = self.page.grid.cursor.clone();
        let blank = alternate.blank();
        alternate.fill_rows(0, rows, &blank);
        self.main = Some(std::mem::replace(&mut self.page, alternate));
        self.keep_in_region();
    }

    fn leave_alternate(&mut self) {
        let Some(mut main) = self.main.take() else {
            return;
        };
        main.grid.cursor = self.page.grid.cursor.clone();
        let (line, col) = (main.line(), main.col());
        if main.pending() {
            main.end_wrap(line);
        } else {
            main.go(line, col);
        }
        self.spare = Some(std::mem::replace(&mut self.page, main));
        self.keep_in_region();
    }

    /// The flags of the kitty keyboard protocol on the screen that is shown.
    fn keyboard_flags(&mut self, params: &Params) {
        let flags = params.get(0, 0);
        match params.prefix {
            b'>' => self.keyboard_mut().push(flags),
            b'<' => self.keyboard_mut().pop(params.count()),
            b'=' => self.keyboard_mut().set(flags, params.get(1, 1)),
            _ => self.query(params),
        }
    }

    fn keyboard_mut(&mut self) -> &mut Keyboard {
        &mut self.keyboards[usize::from(self.main.is_some())]
    }

    /// The flags in force on the screen that is shown.
    pub(super) fn keyboard(&self) -> &Keyboard {
        &self.keyboards[usize::from(self.main.is_some())]
    }
}

impl Page {
    /// Moves up, not beyond the region when the cursor is in it or below.
    fn up(&mut self, count: usize) {
        let line = self.line();
        let first = if line >= self.top { self.top } else { 0 };
        self.go(line.saturating_sub(count).max(first), self.col());
    }

    /// Moves down, not beyond the region when the cursor is in it or above.
    fn down(&mut self, count: usize) {
        let line = self.line();
        let end = if line < self.bottom {
            self.bottom
        } else {
            self.rows()
        };
        self.go(line.saturating_add(count).min(end - 1), self.col());
    }
}
