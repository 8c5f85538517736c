//! Characters, as they reach the cells.

use alacritty_terminal::index::Column;
use alacritty_terminal::term::cell::{Cell, Flags};
use unicode_width::UnicodeWidthChar;

use super::model::Model;
use super::page::{Page, part_wide};

/// Combining characters on one cell; further ones are dropped.
const COMBINING_MAX: usize = 16;
/// Takes no place and is not shown, as in xterm.js.
const SOFT_HYPHEN: char = '\u{ad}';

impl Model {
    /// Shows text and obeys the C0 controls in it.
    pub(super) fn text(&mut self, text: &str) {
        let bytes = text.as_bytes();
        let mut at = 0;
        while let Some(&byte) = bytes.get(at) {
            match byte {
                0x20..=0x7e => {
                    let run = &bytes[at..];
                    let len = run
                        .iter()
                        .position(|byte| !(0x20..=0x7e).contains(byte))
                        .unwrap_or(run.len());
                    self.ascii(&run[..len]);
                    at += len;
                }
                0x00..=0x1f | 0x7f => {
                    self.control(byte);
                    at += 1;
                }
                _ => {
                    let Some(character) = text.get(at..).and_then(|text| text.chars().next())
                    else {
                        return;
                    };
                    // The C1 controls have no meaning in UTF-8.
                    if !('\u{80}'..='\u{9f}').contains(&character) {
                        self.character(character);
                    }
                    at += character.len_utf8();
                }
            }
        }
    }

    fn ascii(&mut self, run: &[u8]) {
        if self.modes.insert || !self.charsets.is_plain() {
            for &byte in run {
                self.character(char::from(byte));
            }
            return;
        }
        let mut rest = run;
        while !rest.is_empty() {
            self.make_room();
            let room = self.page.cols() - self.page.col();
            let (now, later) = rest.split_at(rest.len().min(room));
            self.page.write_ascii(now);
            rest = later;
        }
        self.last = run.last().copied().map(char::from);
    }

    pub(super) fn character(&mut self, character: char) {
        if character == SOFT_HYPHEN {
            return;
        }
        self.last = None;
        let width = match character.width() {
            Some(width @ (1 | 2)) => width,
            Some(0) => return self.page.combine(character),
            _ => return,
        };
        self.make_room();
        let cols = self.page.cols();
        if self.page.col() + width > cols {
            if !self.modes.wrap {
                return;
            }
            self.page.write(' ', Flags::LEADING_WIDE_CHAR_SPACER);
            self.page.wrap();
        }
        if self.modes.insert {
            let blank = self.page.blank();
            self.page.insert_cells(width, &blank);
        } else {
            self.last = Some(character);
        }
        let shown = self.charsets.active().map(character);
        if width == 1 {
            self.page.write(shown, Flags::empty());
        } else {
            self.page.write(shown, Flags::WIDE_CHAR);
            self.page.write(' ', Flags::WIDE_CHAR_SPACER);
        }
    }

    /// Repeats the character before, when nothing came since (REP).
    pub(super) fn repeat(&mut self, count: usize) {
        let Some(character) = self.last else {
            return;
        };
        // More would only scroll on.
        for _ in 0..count.min(self.page.rows() * self.page.cols()) {
            self.character(character);
        }
    }

    /// Sees to it that the cursor stands where the next character goes.
    fn make_room(&mut self) {
        if self.page.pending() {
            if self.modes.wrap {
                self.page.wrap();
            } else {
                self.page.settle();
            }
        }
    }
}

impl Page {
    /// Writes printable ASCII that fits into the line.
    fn write_ascii(&mut self, text: &[u8]) {
        let (line, from) = (self.line(), self.col());
        let to = from + text.len();
        let pen = self.pen().clone();
        let row = self.row_mut(line);
        part_wide(row, from, &pen);
        part_wide(row, to, &pen);
        for (cell, &byte) in row[Column(from)..Column(to)].iter_mut().zip(text) {
            cell.c = char::from(byte);
            cell.fg = pen.fg;
            cell.bg = pen.bg;
            cell.flags = pen.flags;
            if cell.extra.is_some() || pen.extra.is_some() {
                cell.extra.clone_from(&pen.extra);
            }
        }
        self.advance(to);
        self.placements.overwrite(line..line + 1, from..to);
    }

    /// Writes one cell and goes on.
    fn write(&mut self, character: char, layout: Flags) {
        let (line, col) = (self.line(), self.col());
        let pen = self.pen().clone();
        let row = self.row_mut(line);
        if layout != Flags::WIDE_CHAR_SPACER {
            part_wide(row, col, &pen);
        }
        part_wide(row, col + 1, &pen);
        let flags = pen.flags | layout;
        row[Column(col)] = Cell {
            c: character,
            flags,
            ..pen
        };
        self.advance(col + 1);
        self.placements.overwrite(line..line + 1, col..col + 1);
    }

    fn advance(&mut self, col: usize) {
        let cols = self.cols();
        self.grid.cursor.point.column = Column(col.min(cols - 1));
        self.grid.cursor.input_needs_wrap = col >= cols;
    }

    /// Goes behind what was put into the line; behind the last column the line is full.
    pub(super) fn go_behind(&mut self, col: usize) {
        self.advance(col);
        if self.pending() {
            let (line, cols) = (self.line(), self.cols());
            self.end_wrap(line);
            self.placements.overwrite(line..line + 1, cols - 1..cols);
        }
    }

    /// Puts a combining character onto the one before the cursor.
    fn combine(&mut self, character: char) {
        let (line, mut col) = (self.line(), self.col());
        if !self.pending() {
            col = col.saturating_sub(1);
        }
        let row = self.row_mut(line);
        if row[Column(col)].flags.contains(Flags::WIDE_CHAR_SPACER) {
            col = col.saturating_sub(1);
        }
        let cell = &mut row[Column(col)];
        if cell.zerowidth().map_or(0, <[char]>::len) < COMBINING_MAX {
            cell.push_zerowidth(character);
        }
    }
}
