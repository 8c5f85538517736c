//! The character sets that a program designates and calls.

/// The four character sets and which one is called.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) struct Charsets {
    pub(super) sets: [Charset; 4],
    /// Which of the four printable bytes mean.
    pub(super) called: usize,
}

/// What printable ASCII means.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) enum Charset {
    #[default]
    Ascii,
    /// Lines and other drawing characters of the VT100.
    Drawing,
    /// ASCII with the pound sign.
    British,
}

impl Charsets {
    /// Whether characters mean themselves.
    pub(super) fn is_plain(&self) -> bool {
        self.active() == Charset::Ascii
    }

    /// Which set is called.
    pub(super) fn active(&self) -> Charset {
        self.sets.get(self.called).copied().unwrap_or_default()
    }
}

impl Charset {
    /// The set that the final byte of a designation names; unknown ones are ASCII, as in xterm.js.
    pub(super) fn named(byte: u8) -> Self {
        match byte {
            b'0' => Self::Drawing,
            b'A' => Self::British,
            _ => Self::Ascii,
        }
    }

    /// The final byte that designates the set.
    pub(super) fn name(self) -> u8 {
        match self {
            Self::Ascii => b'B',
            Self::Drawing => b'0',
            Self::British => b'A',
        }
    }

    /// What a character means in this set.
    pub(super) fn map(self, character: char) -> char {
        match self {
            Self::Ascii => character,
            Self::British if character == '#' => '£',
            Self::British => character,
            Self::Drawing => drawing(character),
        }
    }
}

fn drawing(character: char) -> char {
    const DRAWING: [char; 31] = [
        '◆', '▒', '␉', '␌', '␍', '␊', '°', '±', '␤', '␋', '┘', '┐', '┌', '└', '┼', '⎺', '⎻', '─',
        '⎼', '⎽', '├', '┤', '┴', '┬', '│', '≤', '≥', 'π', '≠', '£', '·',
    ];
    match character {
        '`'..='~' => DRAWING[character as usize - '`' as usize],
        _ => character,
    }
}
