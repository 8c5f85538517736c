//! Drawing predictions on a terminal, and taking them off again.

use std::collections::BTreeSet;
use std::io::Write as _;

use alacritty_terminal::term::cell::{Cell, Flags};
use alacritty_terminal::vte::ansi::{Color, NamedColor};
use vroom_predict::{Grid as _, Position, Predicted};

use crate::mirror::{Mirror, columns};

/// What is drawn over the program's output, and where the cursor was left.
#[derive(Debug, Default)]
pub(crate) struct Painter {
    /// Cells that do not show what the program left there.
    painted: BTreeSet<Position>,
    /// Where the cursor is, when not where the program left it.
    cursor: Option<Position>,
    shown: Vec<Predicted>,
    shown_cursor: Option<Position>,
}

impl Painter {
    /// Whether this is what is drawn already.
    pub(crate) fn shows(&self, overlay: &[Predicted], cursor: Option<Position>) -> bool {
        self.shown == overlay && self.shown_cursor == cursor
    }

    /// Draws predictions on a terminal that has none; `below` says whether also in the lines below the cursor's.
    pub(crate) fn paint(
        &mut self,
        mirror: &Mirror,
        overlay: &[Predicted],
        cursor: Option<Position>,
        below: bool,
        out: &mut Vec<u8>,
    ) {
        let (home, _) = mirror.place();
        let rows = overlay.iter().map(|cell| cell.row).filter(|_| below);
        let lowest = rows.fold(home.row, u16::max);
        let mut at = home;
        for _ in home.row..lowest {
            // Where the terminal's last line is may not be known: it scrolls if it has to, as it will for the echo.
            out.push(b'\n');
            at.row = at.row.saturating_add(1);
        }
        for cell in overlay.iter().filter(|cell| cell.row <= lowest) {
            let to = Position::new(cell.row, cell.col);
            let width = u16::from(cell.glyph.width());
            if !self.mark(to, width, mirror) {
                continue;
            }
            travel(at, to, out);
            let mut pen = mirror.pen().clone();
            pen.flags.set(
                Flags::UNDERLINE,
                cell.underline || pen.flags.contains(Flags::UNDERLINE),
            );
            set_pen(&pen, out);
            write(out, format_args!("{}", cell.glyph));
            at = Position::new(to.row, to.col.saturating_add(width));
        }
        self.shown = overlay.to_vec();
        self.shown_cursor = cursor;
        let cursor = cursor.filter(|cursor| cursor.row <= lowest);
        let target = cursor.unwrap_or(home);
        if !self.painted.is_empty() || cursor.is_some() || at != home {
            let last = mirror.size().1.saturating_sub(1);
            let target = Position::new(target.row, target.col.min(last));
            travel(at, target, out);
            if !self.painted.is_empty() {
                set_pen(mirror.pen(), out);
            }
            self.cursor = Some(target);
        }
    }

    /// Brings back what the program left.
    pub(crate) fn hide(&mut self, mirror: &Mirror, out: &mut Vec<u8>) {
        self.shown.clear();
        self.shown_cursor = None;
        let Some(mut at) = self.cursor.take() else {
            return;
        };
        let painted = core::mem::take(&mut self.painted);
        let is_painted = !painted.is_empty();
        for to in painted {
            if let Some(cell) = mirror.cell(to).filter(|cell| columns(cell) > 0) {
                at = put(at, to, cell, out);
            }
        }
        let (home, wraps) = mirror.place();
        // Only writing the last cell makes the next character wrap.
        let last = Position::new(home.row, home.col.saturating_sub(1));
        let ends = [home, last]
            .into_iter()
            .find_map(|at| Some((at, mirror.cell(at).filter(|cell| columns(cell) > 0)?)));
        match ends.filter(|_| wraps) {
            Some((to, cell)) => {
                put(at, to, cell, out);
                set_pen(mirror.pen(), out);
            }
            None => {
                travel(at, home, out);
                if is_painted {
                    set_pen(mirror.pen(), out);
                }
            }
        }
    }

    /// Notes which cells a character will cover; false when they cannot be brought back.
    fn mark(&mut self, at: Position, width: u16, mirror: &Mirror) -> bool {
        let mut cells = BTreeSet::new();
        let half = |at: Position| mirror.cell(at).is_some_and(|cell| columns(cell) == 0);
        if half(at) {
            // The other half of a wide character goes with this one.
            cells.insert(Position::new(at.row, at.col.saturating_sub(1)));
        }
        for col in at.col..at.col.saturating_add(width) {
            cells.insert(Position::new(at.row, col));
        }
        let is_plain = |at: &Position| {
            mirror
                .cell(*at)
                .is_some_and(|cell| cell.hyperlink().is_none())
        };
        if !cells.iter().all(is_plain) {
            return false;
        }
        self.painted.extend(cells);
        true
    }
}

/// Writes a cell as it was; returns where the cursor is then.
fn put(at: Position, to: Position, cell: &Cell, out: &mut Vec<u8>) -> Position {
    travel(at, to, out);
    set_pen(cell, out);
    write(
        out,
        format_args!("{}", if cell.c < ' ' { ' ' } else { cell.c }),
    );
    for mark in cell.zerowidth().unwrap_or_default() {
        write(out, format_args!("{mark}"));
    }
    Position::new(to.row, to.col.saturating_add(columns(cell).into()))
}

/// Moves the cursor without knowing which line of the terminal it is in.
fn travel(from: Position, to: Position, out: &mut Vec<u8>) {
    match (to.row.checked_sub(from.row), from.row.checked_sub(to.row)) {
        (Some(down @ 1..), _) => write(out, format_args!("\x1b[{down}B")),
        (_, Some(up @ 1..)) => write(out, format_args!("\x1b[{up}A")),
        _ => {}
    }
    write(out, format_args!("\x1b[{}G", u32::from(to.col) + 1));
}

/// Sets the attributes of a cell.
fn set_pen(cell: &Cell, out: &mut Vec<u8>) {
    write(out, format_args!("\x1b[0"));
    for (flag, code) in FLAGS {
        if cell.flags.contains(flag) {
            write(out, format_args!(";{code}"));
        }
    }
    for (colour, first) in [(cell.fg, 30), (cell.bg, 40)] {
        set_colour(colour, first, out);
    }
    match cell.underline_color() {
        Some(Color::Indexed(index)) => write(out, format_args!(";58:5:{index}")),
        Some(Color::Spec(rgb)) => write(out, format_args!(";58:2::{}:{}:{}", rgb.r, rgb.g, rgb.b)),
        _ => {}
    }
    out.push(b'm');
}

const FLAGS: [(Flags, &str); 11] = [
    (Flags::BOLD, "1"),
    (Flags::DIM, "2"),
    (Flags::ITALIC, "3"),
    (Flags::UNDERLINE, "4"),
    (Flags::DOUBLE_UNDERLINE, "4:2"),
    (Flags::UNDERCURL, "4:3"),
    (Flags::DOTTED_UNDERLINE, "4:4"),
    (Flags::DASHED_UNDERLINE, "4:5"),
    (Flags::INVERSE, "7"),
    (Flags::HIDDEN, "8"),
    (Flags::STRIKEOUT, "9"),
];

/// Adds a colour; `first` is the code of black: 30 for the text, 40 for the background.
fn set_colour(colour: Color, first: u32, out: &mut Vec<u8>) {
    match colour {
        Color::Named(named) if (named as u32) < 8 => {
            write(out, format_args!(";{}", first + named as u32));
        }
        Color::Named(named) if named as u32 <= NamedColor::BrightWhite as u32 => {
            write(out, format_args!(";{}", first + 60 + named as u32 - 8));
        }
        // The terminal's own, which the reset has set.
        Color::Named(_) => {}
        Color::Indexed(index) => write(out, format_args!(";{};5;{index}", first + 8)),
        Color::Spec(rgb) => write(
            out,
            format_args!(";{};2;{};{};{}", first + 8, rgb.r, rgb.g, rgb.b),
        ),
    }
}

fn write(out: &mut Vec<u8>, text: core::fmt::Arguments<'_>) {
    // A vector takes everything.
    out.write_fmt(text).unwrap_or_default();
}
