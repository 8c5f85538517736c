//! The predictor as its owner uses it.

use alloc::vec::Vec;

use crate::glyph::Glyph;
use crate::grid::{Grid, Position};
use crate::mode::{Mode, Preference};

/// How long after the server's acknowledgement the echo may take before a missing one counts against a prediction.
pub const ECHO_WAIT_MS: u64 = 50;

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
    preference: Preference,
    mode: Option<Mode>,
    sent: u64,
    overlay: Vec<Predicted>,
}

impl Predictor {
    /// A predictor that has seen nothing; it stays silent until the first [`Self::set_mode`].
    pub fn new(preference: Preference) -> Self {
        Self {
            preference,
            ..Self::default()
        }
    }

    /// Changes when predictions are shown.
    pub fn set_preference(&mut self, preference: Preference) {
        self.preference = preference;
    }

    /// Takes a measured round trip of the link, in milliseconds.
    pub fn set_link(&mut self, _rtt_ms: f32) {}

    /// Takes what the server told of the terminal.
    pub fn set_mode(&mut self, mode: Mode) {
        self.mode = Some(mode);
    }

    /// Starts over at an offset of the input, with nothing in flight: after an attach.
    pub fn restart(&mut self, input_offset: u64) {
        self.sent = input_offset;
        self.overlay.clear();
    }

    /// Takes bytes that are sent to the program now; the grid is the screen as it is now.
    pub fn typed(&mut self, _now_ms: u64, bytes: &[u8], _grid: &impl Grid) {
        self.sent = self.sent.saturating_add(bytes.len() as u64);
    }

    /// Takes the server's acknowledgement: input up to this offset was written to the terminal.
    ///
    /// To be called in the order of the stream: when all output before it was parsed.
    pub fn acknowledged(&mut self, _now_ms: u64, _input_offset: u64) {}

    /// Judges the predictions against the screen; called after output was parsed and at the deadline.
    pub fn confirm(&mut self, _now_ms: u64, _grid: &impl Grid) {}

    /// When [`Self::confirm`] has to be called although nothing was parsed; None when nothing is outstanding.
    pub fn deadline(&self) -> Option<u64> {
        None
    }

    /// The cells to draw over the screen.
    pub fn overlay(&self) -> &[Predicted] {
        &self.overlay
    }

    /// Where to draw the cursor, when not where the screen has it.
    pub fn cursor(&self) -> Option<Position> {
        None
    }
}
