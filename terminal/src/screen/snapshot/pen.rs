//! How characters look, in as few bytes as it takes.

use std::io::Write;

use alacritty_terminal::term::cell::{Cell, Flags};
use alacritty_terminal::vte::ansi::{Color, NamedColor};

use super::super::page::{BLINK, LAYOUT, default_cell};
use super::super::sgr::NAMED;

/// What the terminal that reads a snapshot writes with.
pub(super) struct Pen {
    cell: Cell,
    links: bool,
}

/// Flags, the code that sets each and the one that ends it.
const CODES: [(Flags, &str, &str); 7] = [
    (Flags::BOLD, "1", "22"),
    (Flags::DIM, "2", "22"),
    (Flags::ITALIC, "3", "23"),
    (BLINK, "5", "25"),
    (Flags::INVERSE, "7", "27"),
    (Flags::HIDDEN, "8", "28"),
    (Flags::STRIKEOUT, "9", "29"),
];
const UNDERLINES: [(Flags, &str); 5] = [
    (Flags::UNDERLINE, "4"),
    (Flags::DOUBLE_UNDERLINE, "4:2"),
    (Flags::UNDERCURL, "4:3"),
    (Flags::DOTTED_UNDERLINE, "4:4"),
    (Flags::DASHED_UNDERLINE, "4:5"),
];

impl Pen {
    pub(super) fn new(links: bool) -> Self {
        Self {
            cell: default_cell(),
            links,
        }
    }

    /// Takes note that the reader has changed by itself; links do not change so.
    pub(super) fn assume(&mut self, cell: &Cell) {
        let link = self.cell.hyperlink();
        self.cell = cell.clone();
        self.cell.set_hyperlink(link);
    }

    /// Changes to the look of a cell.
    pub(super) fn change(&mut self, cell: &Cell, out: &mut Vec<u8>) {
        let pen = &self.cell;
        let is_simple = pen.extra.is_none() && cell.extra.is_none();
        if is_simple && (pen.fg, pen.bg, pen.flags) == (cell.fg, cell.bg, cell.flags - LAYOUT) {
            // As nearly all cells are like the one before.
            return;
        }
        if self.links && self.cell.hyperlink() != cell.hyperlink() {
            let (id, uri) = cell.hyperlink().map_or_else(Default::default, |link| {
                (link.id().to_owned(), link.uri().to_owned())
            });
            let id = if id.is_empty() {
                id
            } else {
                format!("id={id}")
            };
            write!(out, "\x1b]8;{id};{uri}\x1b\\").unwrap_or_default();
        }
        let codes = differences(&self.cell, cell);
        if !codes.is_empty() {
            let codes = if looks_plain(cell) { "" } else { &codes };
            write!(out, "\x1b[{codes}m").unwrap_or_default();
        }
        self.cell = cell.clone();
        self.cell.flags.remove(LAYOUT);
    }
}

/// The codes that give a plain pen this look.
pub(in super::super) fn sgr(cell: &Cell) -> String {
    let codes = differences(&default_cell(), cell);
    if codes.is_empty() {
        "0".to_owned()
    } else {
        format!("0;{codes}")
    }
}

fn looks_plain(cell: &Cell) -> bool {
    (cell.flags - LAYOUT).is_empty()
        && cell.fg == Color::Named(NamedColor::Foreground)
        && cell.bg == Color::Named(NamedColor::Background)
        && cell.underline_color().is_none()
}

fn differences(from: &Cell, to: &Cell) -> String {
    let mut codes: Vec<String> = Vec::new();
    let (old, new) = (from.flags - LAYOUT, to.flags - LAYOUT);
    let mut old_flags = old;
    for (flag, _, end) in CODES {
        if old_flags.contains(flag) && !new.contains(flag) {
            codes.push(end.to_owned());
            // Bold and dim end together.
            old_flags.remove(if end == "22" {
                Flags::BOLD | Flags::DIM
            } else {
                flag
            });
        }
    }
    for (flag, code, _) in CODES {
        if new.contains(flag) && !old_flags.contains(flag) {
            codes.push(code.to_owned());
        }
    }
    let underline = |flags: Flags| UNDERLINES.iter().find(|(flag, _)| flags.contains(*flag));
    if underline(old) != underline(new) {
        codes.push(underline(new).map_or("24", |(_, code)| code).to_owned());
    }
    if from.fg != to.fg {
        codes.push(color(to.fg, 30));
    }
    if from.bg != to.bg {
        codes.push(color(to.bg, 40));
    }
    if from.underline_color() != to.underline_color() {
        codes.push(match to.underline_color() {
            None => "59".to_owned(),
            Some(Color::Indexed(index)) => format!("58:5:{index}"),
            Some(Color::Spec(rgb)) => format!("58:2::{}:{}:{}", rgb.r, rgb.g, rgb.b),
            Some(Color::Named(_)) => String::new(),
        });
    }
    codes.join(";")
}

/// The code of a colour; `base` is 30 for the foreground and 40 for the background.
fn color(color: Color, base: usize) -> String {
    match color {
        Color::Named(named) => match NAMED.iter().position(|other| *other == named) {
            Some(index @ 0..=7) => format!("{}", base + index),
            Some(index) => format!("{}", base + 52 + index),
            None => format!("{}", base + 9),
        },
        Color::Indexed(index) => format!("{};5;{index}", base + 8),
        Color::Spec(rgb) => format!("{};2;{};{};{}", base + 8, rgb.r, rgb.g, rgb.b),
    }
}
