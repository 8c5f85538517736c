//! How characters look: select graphic rendition.

use alacritty_terminal::term::cell::{Cell, Flags};
use alacritty_terminal::vte::ansi::{Color, NamedColor, Rgb};

use super::page::BLINK;
use super::params::Params;

/// Changes the pen as the parameters say.
pub(super) fn apply(params: &Params, pen: &mut Cell) {
    let mut groups = params.groups();
    while let Some(group) = groups.next() {
        match group {
            [38 | 48 | 58] => {
                if let Some(color) = color(&mut groups.by_ref().map(|group| group[0])) {
                    paint(pen, group[0], color);
                }
            }
            [38 | 48 | 58, rest @ ..] => {
                // With five values the first after the kind names a colour space.
                let space = usize::from(rest.len() > 4);
                let (kind, values) = rest.split_at(1);
                let values = values.get(space..).unwrap_or_default();
                if let Some(color) = color(&mut kind.iter().chain(values).copied()) {
                    paint(pen, group[0], color);
                }
            }
            [4, style, ..] => underline(pen, *style),
            [code, ..] => attribute(pen, *code),
            [] => {}
        }
    }
}

fn attribute(pen: &mut Cell, code: u16) {
    match code {
        0 => {
            pen.fg = Color::Named(NamedColor::Foreground);
            pen.bg = Color::Named(NamedColor::Background);
            pen.flags = Flags::empty();
            pen.set_underline_color(None);
        }
        1 => pen.flags.insert(Flags::BOLD),
        2 => pen.flags.insert(Flags::DIM),
        3 => pen.flags.insert(Flags::ITALIC),
        4 => underline(pen, 1),
        5 => pen.flags.insert(BLINK),
        7 => pen.flags.insert(Flags::INVERSE),
        8 => pen.flags.insert(Flags::HIDDEN),
        9 => pen.flags.insert(Flags::STRIKEOUT),
        21 => underline(pen, 2),
        22 => pen.flags.remove(Flags::BOLD | Flags::DIM),
        23 => pen.flags.remove(Flags::ITALIC),
        24 => underline(pen, 0),
        25 => pen.flags.remove(BLINK),
        27 => pen.flags.remove(Flags::INVERSE),
        28 => pen.flags.remove(Flags::HIDDEN),
        29 => pen.flags.remove(Flags::STRIKEOUT),
        30..=37 => pen.fg = Color::Named(NAMED[usize::from(code - 30)]),
        39 => pen.fg = Color::Named(NamedColor::Foreground),
        40..=47 => pen.bg = Color::Named(NAMED[usize::from(code - 40)]),
        49 => pen.bg = Color::Named(NamedColor::Background),
        59 => pen.set_underline_color(None),
        90..=97 => pen.fg = Color::Named(NAMED[usize::from(code - 90) + 8]),
        100..=107 => pen.bg = Color::Named(NAMED[usize::from(code - 100) + 8]),
        // kitty's way to end one of the two alone.
        221 => pen.flags.remove(Flags::BOLD),
        222 => pen.flags.remove(Flags::DIM),
        _ => {}
    }
}

fn underline(pen: &mut Cell, style: u16) {
    pen.flags.remove(Flags::ALL_UNDERLINES);
    pen.flags.insert(match style {
        0 => Flags::empty(),
        2 => Flags::DOUBLE_UNDERLINE,
        3 => Flags::UNDERCURL,
        4 => Flags::DOTTED_UNDERLINE,
        5 => Flags::DASHED_UNDERLINE,
        _ => Flags::UNDERLINE,
    });
}

fn paint(pen: &mut Cell, what: u16, color: Color) {
    match what {
        38 => pen.fg = color,
        48 => pen.bg = color,
        _ => pen.set_underline_color(Some(color)),
    }
}

/// A colour of the palette or of its own: `5;index` or `2;r;g;b`.
fn color(values: &mut dyn Iterator<Item = u16>) -> Option<Color> {
    let kind = values.next()?;
    let mut value = || u8::try_from(values.next()?).ok();
    match kind {
        2 => Some(Color::Spec(Rgb {
            r: value()?,
            g: value()?,
            b: value()?,
        })),
        5 => Some(Color::Indexed(value()?)),
        _ => None,
    }
}

/// The named colours in the order of their codes.
pub(super) const NAMED: [NamedColor; 16] = [
    NamedColor::Black,
    NamedColor::Red,
    NamedColor::Green,
    NamedColor::Yellow,
    NamedColor::Blue,
    NamedColor::Magenta,
    NamedColor::Cyan,
    NamedColor::White,
    NamedColor::BrightBlack,
    NamedColor::BrightRed,
    NamedColor::BrightGreen,
    NamedColor::BrightYellow,
    NamedColor::BrightBlue,
    NamedColor::BrightMagenta,
    NamedColor::BrightCyan,
    NamedColor::BrightWhite,
];
