//! The bytes that bring a freshly reset terminal to the state of a screen.
//!
//! The order matters: lines are written while every mode is as after a reset, then what one screen
//! keeps for itself, then the alternate screen, then what both share, the cursor, and last of all the
//! sequence that the program has begun.

mod lines;
mod pen;
mod pictures;
mod settings;

use std::io::Write;

use alacritty_terminal::term::cell::Cell;

use self::pen::Pen;
use super::charset::Charsets;
use super::keyboard::Keyboard;
use super::limits::SnapshotOptions;
use super::model::Model;
use super::modes::Modes;
use super::page::{Page, default_cell};

pub(super) use self::lines::{character_at, without_layout};
pub(super) use self::pen::sgr;

/// Writes a snapshot.
pub(super) struct Snapshot<'a> {
    model: &'a Model,
    options: &'a SnapshotOptions,
    out: Vec<u8>,
    pen: Pen,
    /// The modes of the terminal that reads this.
    modes: Modes,
    charsets: Charsets,
    /// The top of its scroll region, which origin mode counts from.
    top: usize,
}

impl<'a> Snapshot<'a> {
    /// Writes the whole snapshot; `unfinished` is the sequence that has begun.
    pub(super) fn of(model: &'a Model, unfinished: &[u8], options: &'a SnapshotOptions) -> Vec<u8> {
        let mut snapshot = Self {
            model,
            options,
            out: Vec::new(),
            pen: Pen::new(options.links),
            modes: Modes::default(),
            charsets: Charsets::default(),
            top: 0,
        };
        snapshot.write(unfinished);
        snapshot.out
    }

    fn write(&mut self, unfinished: &[u8]) {
        let model = self.model;
        // A reset leaves the colours in some terminals.
        self.put("\x1b]104\x1b\\\x1b]110\x1b\\\x1b]111\x1b\\\x1b]112\x1b\\");
        self.shared();
        self.images();
        self.page(model.main_page(), &model.keyboards[0]);
        if let Some(alternate) = model.alternate_page() {
            self.enter_alternate(model.main_page());
            self.page(alternate, &model.keyboards[1]);
        } else if model.keyboards[1] != Keyboard::default() {
            self.put("\x1b[?1047h");
            self.keyboard(&model.keyboards[1]);
            self.put("\x1b[?1047l");
        }
        self.tabs();
        self.modes(model.modes);
        self.upload();
        self.cursor();
        self.unfinished(unfinished);
    }

    /// One screen with what it keeps for itself.
    fn page(&mut self, page: &Page, keyboard: &Keyboard) {
        self.lines(page);
        self.keyboard(keyboard);
        self.saved(page);
        self.region(page);
    }

    /// Shows the alternate screen; what was saved of the main one's cursor is saved once more.
    fn enter_alternate(&mut self, main: &Page) {
        let cursor = &main.grid.saved_cursor;
        let line = usize::try_from(cursor.point.line.0).unwrap_or(0);
        if main.saved.origin && !(main.top..main.bottom).contains(&line) {
            // To restore it would move it into the region.
            self.put("\x1b[?1047h");
        } else {
            self.put("\x1b8\x1b[?1049h");
            self.modes = main.saved.modes();
            self.charsets = main.saved.charsets;
            self.pen.assume(&cursor.template);
            self.plain_pen();
            self.call(Charsets::default());
            self.modes(Modes::default());
            // It came in with the colour of the pen.
            self.put("\x1b[2J");
        }
        // Where both screens share the region, the lines are written without it.
        self.put("\x1b[r\x1b[H");
        self.top = 0;
    }

    /// The cursor, the pen, and the character before the cursor when it may be repeated.
    fn cursor(&mut self) {
        let page = &self.model.page;
        let (line, col) = (page.line(), page.col());
        let last = self.model.last;
        if page.pending() && last.is_none() {
            // The line is full when its last character is written once more.
            let col = character_at(page.row(line), col);
            self.go(line, col);
            self.cell(page.row(line), col);
            // But it is not the character before: nothing is repeated.
            self.put("\0");
        }
        self.call(self.model.charsets);
        self.pen.change(page.pen(), &mut self.out);
        if page.pending() && last.is_none() {
            return;
        }
        let Some(last) = last else {
            return self.go(line, col);
        };
        let before = if page.pending() {
            col
        } else {
            col.saturating_sub(1)
        };
        self.go(line, character_at(page.row(line), before));
        self.put(last.encode_utf8(&mut [0; 4]));
    }

    fn put(&mut self, text: &str) {
        self.out.extend_from_slice(text.as_bytes());
    }

    fn print(&mut self, arguments: std::fmt::Arguments<'_>) {
        // Writing into memory does not fail.
        self.out.write_fmt(arguments).unwrap_or_default();
    }

    /// Moves the cursor to a line and column counted from 0.
    fn go(&mut self, line: usize, col: usize) {
        let line = if self.modes.origin {
            line - self.top.min(line)
        } else {
            line
        };
        self.print(format_args!("\x1b[{};{}H", line + 1, col + 1));
    }

    fn plain_pen(&mut self) {
        self.pen.change(&default_cell(), &mut self.out);
    }

    fn draw(&mut self, cell: &Cell) {
        self.pen.change(cell, &mut self.out);
        let mut bytes = [0; 4];
        for character in [cell.c].iter().chain(cell.zerowidth().unwrap_or_default()) {
            self.out
                .extend_from_slice(character.encode_utf8(&mut bytes).as_bytes());
        }
    }
}
