//! What keys do to the line that is typed.

use alloc::vec::Vec;

use unicode_width::UnicodeWidthChar as _;

use crate::cells::Stamp;
use crate::glyph::Glyph;
use crate::grid::{Grid, Position};
use crate::keys::Key;
use crate::predictor::{Caret, Predictor};

impl Predictor {
    /// Predicts the effect of a key that ends at an offset of the input.
    pub(crate) fn apply(&mut self, key: Key, end: u64, at_ms: u64, grid: &impl Grid) {
        if self.lost.is_some() {
            return;
        }
        let Some(cursor) = grid.cursor() else {
            return self.lose(end);
        };
        let at = match self.caret {
            Some(caret) => caret.at,
            None => {
                if self.home != Some(cursor) {
                    self.begin_epoch();
                    self.line_start = Some(cursor);
                }
                cursor
            }
        };
        let (rows, cols) = self.size;
        if at.row >= rows || at.col > cols {
            return self.lose(end);
        }
        let edit = Edit {
            at,
            end,
            at_ms,
            cursor,
        };
        let done = match key {
            Key::Text(char) => self.text(char, &edit, grid),
            Key::Erase => self.erase(&edit, grid),
            Key::Left => self.left(&edit, grid),
            Key::Right => self.right(&edit, grid),
            Key::Other => None,
        };
        match done {
            Some(at) => self.move_caret(at, &edit),
            None => self.lose(end),
        }
    }

    /// Types a character; None when its effect is unknown.
    fn text(&mut self, char: char, edit: &Edit, grid: &impl Grid) -> Option<Position> {
        let Some(glyph) = Glyph::new(char).filter(|_| !joins(char)) else {
            return self.combine(char, edit, grid);
        };
        let width = u16::from(glyph.width());
        let (rows, cols) = self.size;
        let mut at = edit.at;
        if at.col.checked_add(width)? > cols {
            // The next line; whether the screen scrolls for it, or the program draws it otherwise, is open.
            at = Position::new(at.row.checked_add(1)?, 0);
            if at.row >= rows || width > cols {
                return None;
            }
            self.come_to_edge(edit);
            self.wrapped_to = Some(at);
        }
        let next = Position::new(at.row, at.col + width);
        if next.col == cols {
            // Programs differ in what they do at the edge.
            self.come_to_edge(edit);
        }
        if self.cells.glyph(at, grid) == Glyph::SPACER {
            return None;
        }
        if self.overwrites {
            if self.cells.glyph(next, grid) == Glyph::SPACER {
                self.put(next, Glyph::BLANK, true, edit, grid)?;
            }
        } else {
            self.shift(at, glyph.width(), edit, grid)?;
        }
        self.put(at, glyph, false, edit, grid)?;
        if width == 2 {
            self.put(
                Position::new(at.row, at.col + 1),
                Glyph::SPACER,
                true,
                edit,
                grid,
            )?;
        }
        Some(next)
    }

    /// At the edge keys are predicted as everywhere if the program is thought to wrap lines.
    fn come_to_edge(&mut self, edit: &Edit) {
        self.edge = Some(edit.end);
        if !self.wraps {
            self.begin_epoch();
        }
    }

    /// Adds a combining mark to what is left of the cursor; None when there is nothing, or it joins more than that.
    fn combine(&mut self, char: char, edit: &Edit, grid: &impl Grid) -> Option<Position> {
        if joins(char) || char.width() != Some(0) {
            return None;
        }
        let at = self.left_of(edit.at, grid)?;
        let mut glyph = self.cells.glyph(at, grid);
        if glyph.is_blank() {
            return None;
        }
        glyph.push(char);
        self.put(at, glyph, false, edit, grid)?;
        Some(edit.at)
    }

    /// Takes away what is left of the cursor.
    fn erase(&mut self, edit: &Edit, grid: &impl Grid) -> Option<Position> {
        let left = self.typed_left_of(edit.at, grid)?;
        let width = edit.at.col.checked_sub(left.col)?;
        let (tail, is_open) = self.tail(edit.at, grid);
        let mut col = left.col;
        if self.overwrites || is_open {
            // What is right of it may move or not.
            self.begin_epoch();
        } else {
            for glyph in tail {
                self.put(Position::new(left.row, col), glyph, true, edit, grid)?;
                col = col.checked_add(1)?;
            }
        }
        for col in col..col.checked_add(width)? {
            self.put(
                Position::new(left.row, col),
                Glyph::BLANK,
                false,
                edit,
                grid,
            )?;
        }
        Some(left)
    }

    fn left(&self, edit: &Edit, grid: &impl Grid) -> Option<Position> {
        if self.mode?.canonical {
            return None;
        }
        self.typed_left_of(edit.at, grid)
    }

    fn right(&self, edit: &Edit, grid: &impl Grid) -> Option<Position> {
        if self.mode?.canonical {
            return None;
        }
        let (tail, _) = self.tail(edit.at, grid);
        let Some(glyph) = tail.first() else {
            // Behind the end of the line the cursor stays.
            return Some(edit.at);
        };
        let col = edit.at.col.checked_add(u16::from(glyph.width().max(1)))?;
        (col < self.size.1).then_some(Position::new(edit.at.row, col))
    }

    /// Moves what is right of the cursor to make room.
    fn shift(&mut self, at: Position, width: u8, edit: &Edit, grid: &impl Grid) -> Option<()> {
        let (tail, is_open) = self.tail(at, grid);
        if is_open {
            // It goes on in the next row, or belongs to another part of the screen.
            self.begin_epoch();
            return Some(());
        }
        let mut col = at.col.checked_add(u16::from(width))?;
        for glyph in tail {
            if col >= self.size.1 {
                break;
            }
            self.put(Position::new(at.row, col), glyph, true, edit, grid)?;
            col = col.checked_add(1)?;
        }
        Some(())
    }

    /// What stands from here to the next gap of two columns, and whether it reaches the edge without one.
    ///
    /// What stands behind a gap is another pane, a prompt on the right side, or a table: it does not move.
    fn tail(&self, at: Position, grid: &impl Grid) -> (Vec<Glyph>, bool) {
        let mut tail = Vec::new();
        for col in at.col..self.size.1 {
            let glyph = self.cells.glyph(Position::new(at.row, col), grid);
            if glyph.is_blank()
                && (col + 1 == self.size.1 || tail.last().is_some_and(Glyph::is_blank))
            {
                if tail.last().is_some_and(Glyph::is_blank) {
                    tail.pop();
                }
                return (tail, false);
            }
            tail.push(glyph);
        }
        let is_open = !tail.is_empty();
        (tail, is_open)
    }

    /// The character left of a place in its row.
    fn left_of(&self, at: Position, grid: &impl Grid) -> Option<Position> {
        let left = Position::new(at.row, at.col.checked_sub(1)?);
        if self.cells.glyph(left, grid) == Glyph::SPACER {
            return Some(Position::new(at.row, left.col.checked_sub(1)?));
        }
        Some(left)
    }

    /// The character left of a place, if it belongs to the line that is typed.
    ///
    /// Left of where typing began may be the prompt, which ends with a space, or a line that was recalled.
    fn typed_left_of(&self, at: Position, grid: &impl Grid) -> Option<Position> {
        let left = self.left_of(at, grid)?;
        let is_typed = self.line_start.is_some_and(|start| start <= left);
        (is_typed || !self.cells.glyph(left, grid).is_blank()).then_some(left)
    }

    /// Predicts a cell; None when that made too many, and all of them are given up.
    fn put(
        &mut self,
        at: Position,
        glyph: Glyph,
        is_moved: bool,
        edit: &Edit,
        grid: &impl Grid,
    ) -> Option<()> {
        let stamp = self.stamp(edit);
        if self.cells.put(at, glyph, is_moved, stamp, grid) {
            return Some(());
        }
        self.cells.clear();
        self.caret = None;
        None
    }

    fn move_caret(&mut self, at: Position, edit: &Edit) {
        let stamp = self.stamp(edit);
        let old = self.caret.and_then(|caret| caret.drawn);
        let drawn = if stamp.epoch <= self.confirmed {
            Some(at)
        } else {
            old
        };
        self.caret = Some(Caret {
            at,
            stamp,
            acked_at_ms: None,
            before: edit.cursor,
            drawn,
        });
    }

    fn stamp(&self, edit: &Edit) -> Stamp {
        Stamp {
            epoch: self.epoch,
            end: edit.end,
            at_ms: edit.at_ms,
        }
    }
}

/// A key being applied.
struct Edit {
    /// Where it applies.
    at: Position,
    /// The input offset after it.
    end: u64,
    /// When it was typed.
    at_ms: u64,
    /// Where the screen has the cursor.
    cursor: Position,
}

/// Whether a character forms one glyph with its neighbours in ways that terminals disagree about.
fn joins(char: char) -> bool {
    matches!(char,
        // Zero-width spaces, joiners and directions.
        '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{206f}'
        // Hangul vowels and final consonants.
        | '\u{1160}'..='\u{11ff}'
        // Variation selectors, halves of flags, skin tones, tags.
        | '\u{fe00}'..='\u{fe0f}' | '\u{1f1e6}'..='\u{1f1ff}' | '\u{1f3fb}'..='\u{1f3ff}' | '\u{e0000}'..='\u{e0fff}')
}
