//! The rows of the screen that the page has handed over.

use vroom_predict::{GLYPH_CHARS, Glyph, Grid, Position};

/// Words for each cell.
pub(crate) const CELL_WORDS: usize = GLYPH_CHARS;
/// Where the columns of a cell lie in its first word.
const WIDTH_SHIFT: u32 = 24;

/// The screen as far as it is needed: what was not handed over is blank.
#[derive(Debug, Default)]
pub(crate) struct Screen {
    size: (u16, u16),
    cursor: Option<Position>,
    rows: Vec<(u16, Vec<Glyph>)>,
}

impl Screen {
    pub(crate) fn set(&mut self, rows: u32, cols: u32, cursor_row: u32, cursor_col: u32) {
        self.size = (short(rows), short(cols));
        self.cursor = u16::try_from(cursor_row)
            .ok()
            .map(|row| Position::new(row, short(cursor_col)));
    }

    pub(crate) fn set_row(&mut self, row: u32, words: &[u32]) {
        let cells = words
            .chunks_exact(CELL_WORDS)
            .take(usize::from(self.size.1));
        self.rows.push((short(row), cells.map(glyph).collect()));
    }

    pub(crate) fn clear(&mut self) {
        self.rows.clear();
    }
}

impl Grid for Screen {
    fn size(&self) -> (u16, u16) {
        self.size
    }

    fn cursor(&self) -> Option<Position> {
        self.cursor
    }

    fn glyph(&self, at: Position) -> Glyph {
        let row = self.rows.iter().find(|(row, _)| *row == at.row);
        row.and_then(|(_, cells)| cells.get(usize::from(at.col)))
            .copied()
            .unwrap_or(Glyph::BLANK)
    }
}

/// The words of a cell.
pub(crate) fn words(glyph: Glyph) -> [u32; CELL_WORDS] {
    let mut words = [0; CELL_WORDS];
    for (word, char) in words.iter_mut().zip(glyph.chars()) {
        *word = char.into();
    }
    if let Some(first) = words.first_mut() {
        *first |= u32::from(glyph.width()) << WIDTH_SHIFT;
    }
    words
}

fn glyph(words: &[u32]) -> Glyph {
    let width = words
        .first()
        .map_or(1, |word| (word >> WIDTH_SHIFT).to_le_bytes()[0]);
    let chars = words
        .iter()
        .map(|word| char::from_u32(word & ((1 << WIDTH_SHIFT) - 1)).unwrap_or('\0'));
    Glyph::from_cell(chars, width)
}

fn short(number: u32) -> u16 {
    u16::try_from(number).unwrap_or(u16::MAX)
}
