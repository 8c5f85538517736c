//! Holding predictions against the screen.

use crate::cells::Cell;
use crate::glyph::Glyph;
use crate::grid::{Grid, Position};
use crate::link::{GLITCH_LONG_MS, GLITCH_MS};
use crate::predictor::{Caret, Predictor};

/// How long after the server's acknowledgement the echo may take before a missing one counts against a prediction.
pub const ECHO_WAIT_MS: u64 = 50;
/// What a shown prediction may wait longer than that, at most, for an echo that a lost packet holds up: one round
/// trip, as long as the screen shows no other effect of the key.
pub const ECHO_LATE_MS_MAX: u64 = 500;
/// Without a new acknowledgement for this long, the screen shows the effect of all that was acknowledged.
const QUIET_MS: u64 = 20;

/// What the screen says of a prediction.
enum Verdict {
    Pending,
    Right,
    Wrong,
}

impl Predictor {
    /// Drops what proved right; what proved wrong takes everything that was built on it along.
    pub(crate) fn judge(&mut self, now_ms: u64, grid: &impl Grid) {
        let mut wrong_epoch = None;
        let mut moved_wrong = false;
        let mut confirmed = self.confirmed;
        let late_ms = self.late_ms();
        let old_confirmed = self.confirmed;
        let link = &mut self.link;
        let overwrites = &mut self.overwrites;
        let (wraps, wrapped_to) = (&mut self.wraps, self.wrapped_to);
        let (edge, doubts_wrap) = (&mut self.edge, &mut self.doubts_wrap);
        self.cells.retain(|cell| {
            let late_ms = if cell.stamp.epoch <= old_confirmed {
                late_ms
            } else {
                0
            };
            match verdict(cell, now_ms, late_ms, grid) {
                Verdict::Pending => {
                    link.waited(now_ms.saturating_sub(cell.stamp.at_ms));
                    true
                }
                Verdict::Right => {
                    if cell.is_telling {
                        confirmed = confirmed.max(cell.stamp.epoch);
                        link.confirmed(now_ms, now_ms.saturating_sub(cell.stamp.at_ms));
                        if *overwrites && made_room(cell, grid) {
                            *overwrites = false;
                        }
                        if edge.is_some_and(|edge| edge <= cell.stamp.end) {
                            *edge = None;
                        }
                        if wrapped_to == Some(cell.at) {
                            *wraps = true;
                            *doubts_wrap = false;
                        }
                    }
                    false
                }
                Verdict::Wrong if cell.is_moved => {
                    moved_wrong |= cell.stamp.epoch <= old_confirmed;
                    false
                }
                Verdict::Wrong => {
                    let epoch = wrong_epoch.get_or_insert(cell.stamp.epoch);
                    *epoch = cell.stamp.epoch.min(*epoch);
                    false
                }
            }
        });
        self.confirmed = confirmed;
        if moved_wrong {
            // What is right of the cursor stays where it is: typing replaces it.
            self.overwrites = true;
            self.cells.retain(|cell| !cell.is_moved);
        }
        if let Some(epoch) = wrong_epoch {
            return self.reject(epoch);
        }
        self.judge_caret(now_ms, grid);
    }

    fn judge_caret(&mut self, now_ms: u64, grid: &impl Grid) {
        let Some(caret) = self.caret.as_mut() else {
            return;
        };
        if caret.stamp.epoch <= self.confirmed && self.lost.is_none() {
            caret.drawn = Some(caret.at);
        }
        let caret = *caret;
        let late_ms = if caret.stamp.epoch <= self.confirmed {
            self.late_ms()
        } else {
            0
        };
        match self.caret_verdict(&caret, now_ms, late_ms, grid) {
            Verdict::Pending => {}
            Verdict::Right => {
                self.caret = None;
                if self.lost.is_none() {
                    self.home = grid.cursor();
                }
            }
            // While the place is unknown the caret was only drawn where it was last.
            Verdict::Wrong if self.lost.is_some() => self.caret = None,
            Verdict::Wrong => self.reject(caret.stamp.epoch),
        }
    }

    fn caret_verdict(&self, caret: &Caret, now_ms: u64, late_ms: u64, grid: &impl Grid) -> Verdict {
        let Some(acked_at_ms) = caret.acked_at_ms else {
            return Verdict::Pending;
        };
        let cursor = grid.cursor();
        if cursor.is_some_and(|cursor| is_same_place(cursor, caret.at, self.size.1)) {
            return Verdict::Right;
        }
        let late_ms = if cursor == Some(caret.before) {
            late_ms
        } else {
            0
        };
        if now_ms
            < acked_at_ms
                .saturating_add(ECHO_WAIT_MS)
                .saturating_add(late_ms)
        {
            return Verdict::Pending;
        }
        Verdict::Wrong
    }

    /// A prediction of this epoch was wrong. If nothing of it was shown, the epochs before it may be right.
    fn reject(&mut self, epoch: u64) {
        if self.edge.take().is_some() {
            self.wraps = false;
            self.doubts_wrap = true;
        }
        if epoch <= self.confirmed {
            return self.forget();
        }
        self.cells.retain(|cell| cell.stamp.epoch < epoch);
        self.caret = self.caret.filter(|caret| caret.drawn.is_some());
        self.lose(self.flight.acked());
    }

    /// What a shown prediction may take longer when nothing speaks against it.
    fn late_ms(&self) -> u64 {
        self.link.rtt_ms().min(ECHO_LATE_MS_MAX)
    }

    /// When the screen shows the effect of all that was acknowledged, given when that was known to be enough.
    pub(crate) fn found_at_ms(&self, acked_at_ms: u64) -> u64 {
        let settled = acked_at_ms.saturating_add(ECHO_WAIT_MS);
        settled.max(self.flight.acked_at_ms().saturating_add(QUIET_MS))
    }

    /// When [`Self::confirm`] has to be called although nothing was parsed; None when nothing comes to an end by time.
    pub fn deadline(&self) -> Option<u64> {
        let late_ms = self.late_ms();
        let cells = self
            .cells
            .iter()
            .map(|cell| (cell.acked_at_ms, cell.stamp.at_ms));
        let caret = self
            .caret
            .map(|caret| (caret.acked_at_ms, caret.stamp.at_ms));
        let judged = cells.chain(caret).flat_map(|(acked_at_ms, at_ms)| {
            let settled = acked_at_ms.map(|at| at.saturating_add(ECHO_WAIT_MS));
            let late = settled.map(|at| at.saturating_add(late_ms));
            let glitch = [GLITCH_MS, GLITCH_LONG_MS].map(|wait| Some(at_ms.saturating_add(wait)));
            [acked_at_ms, settled, late]
                .into_iter()
                .chain(glitch)
                .flatten()
        });
        let found = self
            .lost
            .and_then(|lost| lost.acked_at_ms)
            .map(|at| self.found_at_ms(at));
        judged
            .chain(found)
            .filter(|at| self.judged_at_ms.is_none_or(|judged| *at > judged))
            .min()
    }
}

fn verdict(cell: &Cell, now_ms: u64, late_ms: u64, grid: &impl Grid) -> Verdict {
    let Some(acked_at_ms) = cell.acked_at_ms else {
        return Verdict::Pending;
    };
    let current = grid.glyph(cell.at);
    if current == cell.glyph {
        return Verdict::Right;
    }
    let late_ms = if current == cell.before { late_ms } else { 0 };
    if now_ms
        < acked_at_ms
            .saturating_add(ECHO_WAIT_MS)
            .saturating_add(late_ms)
    {
        return Verdict::Pending;
    }
    Verdict::Wrong
}

/// Whether what stood under a typed character is now right of it.
fn made_room(cell: &Cell, grid: &impl Grid) -> bool {
    let next = Position::new(
        cell.at.row,
        cell.at.col.saturating_add(u16::from(cell.glyph.width())),
    );
    let moved: Glyph = grid.glyph(next);
    !cell.before.is_blank() && moved == cell.before && cell.before_next != cell.before
}

/// Whether the cursor is in both places: behind the last column is before the first one of the next row.
fn is_same_place(one: Position, other: Position, cols: u16) -> bool {
    let normal = |at: Position| {
        if at.col == cols {
            Position::new(at.row.saturating_add(1), 0)
        } else {
            at
        }
    };
    one == other || normal(one) == normal(other)
}
