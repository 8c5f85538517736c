//! What a terminal keeps beside its lines.

use super::super::charset::Charsets;
use super::super::keyboard::Keyboard;
use super::super::model::tabs;
use super::super::modes::Modes;
use super::super::page::{Page, Saved, default_cell};
use super::super::palette;
use super::super::state::Progress;
use super::Snapshot;

impl Saved {
    /// The modes as they are when the cursor was restored and nothing else was set.
    pub(super) fn modes(&self) -> Modes {
        Modes {
            origin: self.origin,
            wrap: self.wrap,
            ..Modes::default()
        }
    }
}

impl Snapshot<'_> {
    /// What is neither of a screen nor a mode.
    pub(super) fn shared(&mut self) {
        let model = self.model;
        for (slot, colour) in &model.palette.changed {
            let colour = palette::spec(*colour);
            self.print(format_args!("\x1b]{};{colour}\x1b\\", slot.name()));
        }
        for title in &model.titles.stack {
            self.print(format_args!("\x1b]2;{title}\x1b\\\x1b[22;2t"));
        }
        if !model.titles.title.is_empty() || !model.titles.stack.is_empty() {
            self.print(format_args!("\x1b]2;{}\x1b\\", model.titles.title));
        }
        if let Some(directory) = &model.directory {
            self.print(format_args!("\x1b]7;{directory}\x1b\\"));
        }
        if let Some(mark) = &model.prompt {
            self.print(format_args!("\x1b]133;{mark}\x1b\\"));
        }
        if let Some(progress) = model.progress {
            let (state, percent) = match progress {
                Progress::Normal(percent) => (1, percent),
                Progress::Error(percent) => (2, percent),
                Progress::Indeterminate => (3, 0),
                Progress::Paused(percent) => (4, percent),
            };
            self.print(format_args!("\x1b]9;4;{state};{percent}\x1b\\"));
        }
        if model.cursor_style != 0 {
            self.print(format_args!("\x1b[{} q", model.cursor_style));
        }
    }

    /// The keyboard flags of the screen that is shown to the reader.
    pub(super) fn keyboard(&mut self, keyboard: &Keyboard) {
        let known = super::super::filter::kitty_flags(self.options.kitty_level);
        let mut flags = keyboard.stack.iter().chain([&keyboard.flags]);
        if let Some(first) = flags.next()
            && first & known != 0
        {
            self.print(format_args!("\x1b[={};1u", first & known));
        }
        for flags in flags {
            self.print(format_args!("\x1b[>{}u", flags & known));
        }
    }

    /// What the program has saved of the cursor.
    pub(super) fn saved(&mut self, page: &Page) {
        self.virtual_places(page);
        let cursor = &page.grid.saved_cursor;
        let nothing = (cursor.point, &page.saved) == (Default::default(), &Saved::default())
            && cursor.template == default_cell();
        if nothing {
            return;
        }
        self.modes(page.saved.modes());
        self.call(page.saved.charsets);
        let mut pen = cursor.template.clone();
        pen.set_hyperlink(None);
        self.pen.change(&pen, &mut self.out);
        let line = usize::try_from(cursor.point.line.0).unwrap_or(0);
        self.go(line, cursor.point.column.0);
        self.put("\x1b7");
        self.plain_pen();
        self.call(Charsets::default());
        self.modes(Modes::default());
    }

    /// The scroll region of the screen that is shown to the reader.
    pub(super) fn region(&mut self, page: &Page) {
        self.top = page.top;
        if (page.top, page.bottom) != (0, page.rows()) {
            self.print(format_args!("\x1b[{};{}r", page.top + 1, page.bottom));
        }
    }

    /// Designates and calls the character sets.
    pub(super) fn call(&mut self, charsets: Charsets) {
        let known = self.charsets;
        for (at, set) in charsets.sets.iter().enumerate() {
            if *set != known.sets[at] {
                let which = char::from(b"()*+"[at]);
                self.print(format_args!("\x1b{which}{}", char::from(set.name())));
            }
        }
        if charsets.called != known.called {
            self.put(match charsets.called {
                0 => "\x0f",
                1 => "\x0e",
                2 => "\x1bn",
                _ => "\x1bo",
            });
        }
        self.charsets = charsets;
    }

    pub(super) fn tabs(&mut self) {
        let wanted = &self.model.tabs;
        if *wanted == tabs(wanted.len()) {
            return;
        }
        self.put("\x1b[3g");
        for (col, stops) in wanted.iter().enumerate() {
            if *stops {
                self.print(format_args!("\x1b[{}G\x1bH", col + 1));
            }
        }
    }

    /// Sets the modes; the cursor may move.
    pub(super) fn modes(&mut self, wanted: Modes) {
        for (mode, on) in wanted.differences(self.modes) {
            let last = if on { 'h' } else { 'l' };
            self.print(format_args!("\x1b[?{mode}{last}"));
        }
        for (mode, on, known) in [
            (4, wanted.insert, self.modes.insert),
            (20, wanted.newline, self.modes.newline),
        ] {
            if on != known {
                let last = if on { 'h' } else { 'l' };
                self.print(format_args!("\x1b[{mode}{last}"));
            }
        }
        if wanted.modify_other_keys != self.modes.modify_other_keys {
            self.print(format_args!("\x1b[>4;{}m", wanted.modify_other_keys));
        }
        self.modes = wanted;
    }

    /// The sequence that the program has begun, for a reader that can take it.
    pub(super) fn unfinished(&mut self, bytes: &[u8]) {
        let foreign = (bytes.starts_with(b"\x1b_G") && !self.options.graphics)
            || (bytes.starts_with(b"\x1bP") && !self.options.sixel);
        // The rest is skipped by a reader that does not know what it is.
        let bytes = if foreign { b"\x1bX" } else { bytes };
        self.out.extend_from_slice(bytes);
    }
}
