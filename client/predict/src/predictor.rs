//! The predictor as its owner uses it.

use alloc::vec::Vec;

use crate::cells::{Cells, Stamp};
use crate::flight::Flight;
use crate::glyph::Glyph;
use crate::grid::{Grid, Position};
use crate::keys::{Key, Keys};
use crate::link::Link;
use crate::mode::{Mode, Preference};

/// Bytes typed at once from which on they count as a paste, which is not predicted.
pub const PASTE_BYTES: usize = 100;

/// A cell to draw over the screen.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Predicted {
    /// Its row.
    pub row: u16,
    /// Its column, the left one of a wide character.
    pub col: u16,
    /// What it shows; [`Glyph::BLANK`] for a cell that was cleared.
    pub glyph: Glyph,
    /// Whether to mark it as a guess, because the answer takes long.
    pub underline: bool,
}

/// Guesses what the terminal will show for what was typed.
///
/// The order of calls: [`Self::typed`] when input is sent, [`Self::acknowledged`] when the server says what it
/// applied, [`Self::confirm`] after the terminal parsed output and when [`Self::deadline`] has come. After each of
/// them [`Self::overlay`] and [`Self::cursor`] say what to draw. All times are milliseconds of one clock.
#[derive(Debug, Default)]
pub struct Predictor {
    pub(crate) preference: Preference,
    pub(crate) mode: Option<Mode>,
    pub(crate) link: Link,
    pub(crate) flight: Flight,
    keys: Keys,
    pub(crate) cells: Cells,
    /// Where the next key applies, while that differs from what the screen says or is not settled.
    pub(crate) caret: Option<Caret>,
    /// Set while it is not known where the next key applies.
    pub(crate) lost: Option<Lost>,
    /// The epoch of predictions made now.
    pub(crate) epoch: u64,
    /// The newest epoch of which a prediction proved right.
    pub(crate) confirmed: u64,
    /// Where the cursor was when the last prediction was settled: typing goes on there or starts anew.
    pub(crate) home: Option<Position>,
    /// Where the line being typed began, as far as it is known.
    pub(crate) line_start: Option<Position>,
    /// Whether typing replaces what is under the cursor; learned from what was seen.
    pub(crate) overwrites: bool,
    /// Whether typing goes on in the next row at the edge: assumed of lines, learned of full screens, and no longer
    /// believed once it was wrong.
    pub(crate) wraps: bool,
    /// Whether that was wrong when it was last tried: then it is not assumed either.
    pub(crate) doubts_wrap: bool,
    /// Where the last key was predicted that did so.
    pub(crate) wrapped_to: Option<Position>,
    /// The offset after the last key at the edge, until that or a later key proved right.
    pub(crate) edge: Option<u64>,
    /// The size that the predictions are for.
    pub(crate) size: (u16, u16),
    /// When the predictions were last held against the screen.
    pub(crate) judged_at_ms: Option<u64>,
    overlay: Vec<Predicted>,
    cursor: Option<Position>,
}

/// The predicted cursor.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Caret {
    pub(crate) at: Position,
    pub(crate) stamp: Stamp,
    pub(crate) acked_at_ms: Option<u64>,
    /// Where the screen had it when the key was typed.
    pub(crate) before: Position,
    /// Where it is drawn: the newest place in an epoch that proved right.
    pub(crate) drawn: Option<Position>,
}

/// The cursor is somewhere unknown until what was sent up to an offset is applied and has shown its effect.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Lost {
    pub(crate) until: u64,
    pub(crate) acked_at_ms: Option<u64>,
}

impl Predictor {
    /// A predictor that has seen nothing; it stays silent until the first [`Self::set_mode`].
    pub fn new(preference: Preference) -> Self {
        Self {
            preference,
            epoch: 1,
            ..Self::default()
        }
    }

    /// Changes when predictions are shown.
    pub fn set_preference(&mut self, preference: Preference) {
        self.preference = preference;
        self.check_allowed();
    }

    /// Takes a measured round trip of the link, in milliseconds; acknowledgements are measured besides.
    pub fn set_link(&mut self, rtt_ms: f32) {
        self.link.measured(rtt_ms);
    }

    /// Takes what the server told of the terminal.
    pub fn set_mode(&mut self, mode: Mode) {
        let old = self.mode.replace(mode);
        if old == Some(mode) {
            return;
        }
        // Another program may do otherwise at the edge. Lines nearly always wrap; fields of full screens scroll.
        self.wraps = !mode.alternate && !self.doubts_wrap;
        if old.is_some_and(|old| old.alternate != mode.alternate) {
            self.forget();
        } else {
            self.begin_epoch();
        }
        self.check_allowed();
    }

    /// Starts over after an attach: the server has applied input up to one offset, and what was typed up to the
    /// other one is sent again.
    pub fn restart(&mut self, applied: u64, sent: u64) {
        self.drop_predictions();
        self.flight = Flight::at(applied, sent);
        self.keys = Keys::default();
        self.lost = None;
        self.lose(self.flight.sent());
    }

    /// Takes bytes that are sent to the program now; the grid is the screen as it is now.
    ///
    /// [`PASTE_BYTES`] and more at once are a paste: what was predicted is given up.
    pub fn typed(&mut self, now_ms: u64, bytes: &[u8], grid: &impl Grid) {
        self.fit(grid);
        let allowed = self.is_allowed() && bytes.len() < PASTE_BYTES;
        for byte in bytes {
            self.flight.send();
            let key = self.keys.push(now_ms, *byte);
            if let Some(key) = key.filter(|_| allowed) {
                self.key(now_ms, key, grid);
            }
        }
        if allowed {
            if self.keys.pause() == Some(Key::Other) {
                self.lose(self.flight.sent());
            }
        } else if !bytes.is_empty() {
            self.give_up();
        }
        self.flight.watch(now_ms);
        self.draw(grid);
    }

    /// Takes the server's acknowledgement: input up to this offset was written to the terminal.
    ///
    /// To be called in the order of the stream: when all output before it was parsed.
    pub fn acknowledged(&mut self, now_ms: u64, input_offset: u64) {
        let Some(rtt_ms) = self.flight.acknowledge(now_ms, input_offset) else {
            return;
        };
        if let Some(rtt_ms) = rtt_ms {
            // Beyond what is clamped to anyway.
            let rtt_ms = u16::try_from(rtt_ms).unwrap_or(u16::MAX);
            self.link.measured(f32::from(rtt_ms));
        }
        let acked = self.flight.acked();
        self.cells.acknowledge(now_ms, acked);
        if let Some(caret) = self.caret.as_mut().filter(|caret| caret.stamp.end <= acked) {
            caret.acked_at_ms.get_or_insert(now_ms);
        }
        if let Some(lost) = self.lost.as_mut().filter(|lost| lost.until <= acked) {
            lost.acked_at_ms.get_or_insert(now_ms);
        }
    }

    /// Judges the predictions against the screen; called after output was parsed and at the deadline.
    pub fn confirm(&mut self, now_ms: u64, grid: &impl Grid) {
        self.fit(grid);
        self.judge(now_ms, grid);
        self.find(now_ms, grid);
        self.link
            .update(self.cells.is_empty() && self.caret.is_none());
        self.judged_at_ms = Some(now_ms);
        self.draw(grid);
    }

    /// The cells to draw over the screen, from the upper left to the lower right.
    pub fn overlay(&self) -> &[Predicted] {
        &self.overlay
    }

    /// Where to draw the cursor, when not where the screen has it; the column may equal the number of columns.
    pub fn cursor(&self) -> Option<Position> {
        self.cursor
    }

    /// Whether nothing is outstanding: then output need not be confirmed.
    pub fn is_idle(&self) -> bool {
        self.cells.is_empty() && self.caret.is_none() && self.lost.is_none()
    }

    /// The rows that the next call will look at: the first and the last, or None when it looks at the cursor's only.
    pub fn rows(&self) -> Option<(u16, u16)> {
        let rows = self
            .cells
            .iter()
            .map(|cell| cell.at.row)
            .chain(self.caret.map(|caret| caret.at.row));
        rows.fold(None, |range, row| match range {
            None => Some((row, row)),
            Some((first, last)) => Some((row.min(first), row.max(last))),
        })
    }

    /// Takes a key that ends at what was sent by now.
    fn key(&mut self, now_ms: u64, key: Key, grid: &impl Grid) {
        if !self.flight.keep(key, now_ms) {
            self.lose(self.flight.sent());
        }
        self.apply(key, self.flight.sent(), now_ms, grid);
    }

    /// Goes on from the screen when all that made the cursor's place unknown has shown its effect.
    fn find(&mut self, now_ms: u64, grid: &impl Grid) {
        let Some(acked_at_ms) = self.lost.and_then(|lost| lost.acked_at_ms) else {
            return;
        };
        if now_ms < self.found_at_ms(acked_at_ms) {
            return;
        }
        self.lost = None;
        self.caret = None;
        // The keys that the screen cannot show yet apply from where its cursor is now.
        let keys: Vec<_> = self.flight.keys().collect();
        for sent in keys {
            self.apply(sent.key, sent.end, sent.at_ms, grid);
        }
    }

    /// Nothing is known of keys from here until this offset of the input has shown its effect.
    pub(crate) fn lose(&mut self, until: u64) {
        let until = self.lost.map_or(until, |lost| lost.until.max(until));
        let acked_at_ms = (until <= self.flight.acked()).then(|| self.flight.acked_at_ms());
        self.lost = Some(Lost { until, acked_at_ms });
        self.home = None;
        self.line_start = None;
        self.begin_epoch();
    }

    /// Predictions from now on are hidden until one of them proves right.
    pub(crate) fn begin_epoch(&mut self) {
        self.epoch = self.epoch.max(self.confirmed).saturating_add(1);
    }

    /// Drops all predictions and goes on from the screen as soon as it is at rest.
    pub(crate) fn forget(&mut self) {
        self.drop_predictions();
        self.lost = None;
        self.lose(self.flight.acked());
    }

    /// Drops all predictions and the keys on their way: only what is typed after they arrived is predicted.
    fn give_up(&mut self) {
        self.drop_predictions();
        self.flight.forget();
        self.lose(self.flight.sent());
    }

    fn drop_predictions(&mut self) {
        self.cells.clear();
        self.caret = None;
        self.overlay.clear();
        self.cursor = None;
    }

    fn is_allowed(&self) -> bool {
        self.mode.is_some_and(|mode| mode.allows(self.preference))
    }

    fn check_allowed(&mut self) {
        if !self.is_allowed() {
            self.give_up();
        }
    }

    /// A resized screen is laid out anew by the program.
    fn fit(&mut self, grid: &impl Grid) {
        let size = grid.size();
        if size != self.size {
            self.size = size;
            if !self.is_idle() {
                self.forget();
            }
        }
    }

    /// Sets what is to be drawn.
    fn draw(&mut self, grid: &impl Grid) {
        self.overlay.clear();
        self.cursor = None;
        if !self.link.shows(self.preference) {
            return;
        }
        let underline = self.link.underlines();
        let shown = self
            .cells
            .iter()
            .filter(|cell| cell.stamp.epoch <= self.confirmed && cell.glyph.width() > 0);
        for cell in shown.filter(|cell| grid.glyph(cell.at) != cell.glyph) {
            let (Position { row, col }, glyph) = (cell.at, cell.glyph);
            self.overlay.push(Predicted {
                row,
                col,
                glyph,
                underline,
            });
        }
        self.overlay
            .sort_unstable_by_key(|cell| (cell.row, cell.col));
        let drawn = self.caret.and_then(|caret| caret.drawn);
        self.cursor = drawn.filter(|at| grid.cursor() != Some(*at));
    }
}
