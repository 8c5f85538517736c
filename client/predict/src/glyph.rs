//! What one cell of a terminal shows.

use core::fmt;

use unicode_width::UnicodeWidthChar as _;

/// Characters kept of one cell; further combining marks are left out, here and in what is compared with.
pub const GLYPH_CHARS: usize = 4;

/// The text of one cell: a character with its combining marks, and how many columns it covers.
#[derive(Clone, Copy, Eq, Hash, PartialEq)]
pub struct Glyph {
    /// Unused places hold NUL, so that equal glyphs have equal fields.
    chars: [char; GLYPH_CHARS],
    width: u8,
}

impl Glyph {
    /// An empty cell.
    pub const BLANK: Self = Self::of(' ', 1);
    /// The right half of a wide character.
    pub const SPACER: Self = Self::of('\0', 0);

    /// A character that covers one or two columns by its Unicode width.
    ///
    /// None for what covers no column of its own: control characters and combining marks.
    pub fn new(base: char) -> Option<Self> {
        match base.width() {
            Some(1) => Some(Self::of(base, 1)),
            Some(2) => Some(Self::of(base, 2)),
            _ => None,
        }
    }

    /// The cell of a terminal: its characters, and the columns it covers there (0 for the right half of a wide one).
    ///
    /// No characters, or a NUL, are an empty cell.
    pub fn from_cell(chars: impl IntoIterator<Item = char>, width: u8) -> Self {
        if width == 0 {
            return Self::SPACER;
        }
        let mut glyph = Self::of('\0', width.min(2));
        for (place, char) in glyph.chars.iter_mut().zip(chars) {
            *place = char;
        }
        if glyph.chars.first() == Some(&'\0') {
            return Self::BLANK;
        }
        glyph
    }

    /// Adds a combining mark; one too many is left out.
    pub fn push(&mut self, mark: char) {
        if let Some(place) = self.chars.iter_mut().find(|place| **place == '\0') {
            *place = mark;
        }
    }

    /// The character and its marks; nothing for [`Self::SPACER`].
    pub fn chars(&self) -> impl Iterator<Item = char> + '_ {
        self.chars.iter().copied().take_while(|char| *char != '\0')
    }

    /// Columns that it covers: 1 or 2, and 0 for [`Self::SPACER`].
    pub const fn width(&self) -> u8 {
        self.width
    }

    /// Whether nothing is to be seen.
    pub fn is_blank(&self) -> bool {
        *self == Self::BLANK
    }

    const fn of(base: char, width: u8) -> Self {
        Self {
            chars: [base, '\0', '\0', '\0'],
            width,
        }
    }
}

impl fmt::Display for Glyph {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.chars()
            .try_for_each(|char| fmt::Write::write_char(formatter, char))
    }
}

/// Never the text: it may have been typed.
impl fmt::Debug for Glyph {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Glyph")
            .field("width", &self.width)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use alloc::string::ToString as _;

    use super::*;

    #[test]
    fn widths_are_those_of_unicode() {
        assert_eq!(Glyph::new('a').unwrap().width(), 1);
        assert_eq!(Glyph::new('漢').unwrap().width(), 2);
        assert_eq!(Glyph::new('\u{301}'), None);
        assert_eq!(Glyph::new('\u{7}'), None);
    }

    #[test]
    fn a_cell_without_text_is_blank() {
        assert!(Glyph::from_cell([], 1).is_blank());
        assert!(Glyph::from_cell(['\0'], 1).is_blank());
        assert!(Glyph::from_cell([' '], 1).is_blank());
        assert_eq!(Glyph::from_cell(['x'], 0), Glyph::SPACER);
    }

    #[test]
    fn marks_beyond_the_limit_are_left_out_everywhere() {
        let marks = "e\u{301}\u{302}\u{303}\u{304}\u{305}";
        let mut glyph = Glyph::new('e').unwrap();
        marks.chars().skip(1).for_each(|mark| glyph.push(mark));
        assert_eq!(glyph, Glyph::from_cell(marks.chars(), 1));
        assert_eq!(glyph.to_string(), "e\u{301}\u{302}\u{303}");
    }
}
