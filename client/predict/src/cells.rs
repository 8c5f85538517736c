//! The predicted cells.

use alloc::vec::Vec;

use crate::glyph::Glyph;
use crate::grid::{Grid, Position};

/// Cells predicted at once; one more gives up all of them.
pub(crate) const CELLS_MAX: usize = 1_024;
/// Contents remembered of one cell; a cell that had more earns no trust when it proves right.
const SEEN_MAX: usize = 8;

/// What caused a prediction.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stamp {
    /// Hidden until a prediction of this epoch or a later one proved right.
    pub(crate) epoch: u64,
    /// The input offset after the key.
    pub(crate) end: u64,
    /// When the key was typed.
    pub(crate) at_ms: u64,
}

/// A predicted cell.
#[derive(Clone, Debug)]
pub(crate) struct Cell {
    pub(crate) at: Position,
    pub(crate) glyph: Glyph,
    pub(crate) stamp: Stamp,
    /// It was moved here by a key typed to its left: right or wrong, it says nothing about the key.
    pub(crate) is_moved: bool,
    /// Whether being right means anything: it would not, had the cell shown the same before.
    pub(crate) is_telling: bool,
    /// When the server said that it has applied the key.
    pub(crate) acked_at_ms: Option<u64>,
    /// What the screen showed here when the key was typed.
    pub(crate) before: Glyph,
    /// What it showed in the next column then.
    pub(crate) before_next: Glyph,
    /// All that this cell has shown or was predicted to show while it was predicted.
    seen: Vec<Glyph>,
}

/// At most one prediction for each place.
#[derive(Debug, Default)]
pub(crate) struct Cells {
    cells: Vec<Cell>,
}

impl Cells {
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Cell> {
        self.cells.iter()
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.cells.is_empty()
    }

    pub(crate) fn clear(&mut self) {
        self.cells.clear();
    }

    pub(crate) fn retain(&mut self, keep: impl FnMut(&Cell) -> bool) {
        self.cells.retain(keep);
    }

    /// What will be shown here by what is known now.
    pub(crate) fn glyph(&self, at: Position, grid: &impl Grid) -> Glyph {
        self.cells
            .iter()
            .find(|cell| cell.at == at)
            .map_or_else(|| grid.glyph(at), |cell| cell.glyph)
    }

    /// Predicts a cell; a prediction that was there is replaced.
    ///
    /// False when there are too many: then it is not taken.
    pub(crate) fn put(
        &mut self,
        at: Position,
        glyph: Glyph,
        is_moved: bool,
        stamp: Stamp,
        grid: &impl Grid,
    ) -> bool {
        let before = grid.glyph(at);
        let mut seen = Vec::new();
        if let Some(place) = self.cells.iter().position(|cell| cell.at == at) {
            let old = self.cells.swap_remove(place);
            seen = old.seen;
            seen.push(old.glyph);
        }
        if self.cells.len() >= CELLS_MAX {
            return false;
        }
        seen.push(before);
        let is_telling =
            !is_moved && !glyph.is_blank() && seen.len() <= SEEN_MAX && !seen.contains(&glyph);
        seen.truncate(SEEN_MAX);
        let before_next = grid.glyph(Position::new(at.row, at.col.saturating_add(1)));
        let acked_at_ms = None;
        self.cells.push(Cell {
            at,
            glyph,
            stamp,
            is_moved,
            is_telling,
            acked_at_ms,
            before,
            before_next,
            seen,
        });
        true
    }

    /// Marks what the server has applied up to an offset.
    pub(crate) fn acknowledge(&mut self, now_ms: u64, offset: u64) {
        for cell in self
            .cells
            .iter_mut()
            .filter(|cell| cell.stamp.end <= offset)
        {
            cell.acked_at_ms.get_or_insert(now_ms);
        }
    }
}
