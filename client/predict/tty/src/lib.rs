//! Draws predictions over the terminal that the person sits at.
//!
//! All output of the program passes through [`Echo`], which follows it with a screen model of its own. What it returns
//! is the same output, with the predictions taken off the screen before and drawn again behind it. This crate knows
//! nothing of connections and writes nowhere itself.
//!
//! Invariants:
//! - With the predictions taken off ([`Echo::hide`]) the terminal is as the program's output alone would have left it:
//!   cells, cursor, attributes, and whether the next character wraps.
//! - Nothing is drawn inside an unfinished sequence, or while the program has the terminal in a state in which plain
//!   text would not stay plain text.
//! - The cursor is moved relatively: what stood on the terminal before, and on which line the program began, does not
//!   matter.
#![forbid(unsafe_code)]
#![warn(clippy::indexing_slicing)]

mod ground;
mod mirror;
mod paint;

use vroom_predict::{Mode, Predictor, Preference};

use crate::ground::Ground;
use crate::mirror::Mirror;
use crate::paint::Painter;

/// The program's output, with what is typed shown before its echo comes.
#[derive(Debug)]
pub struct Echo {
    mirror: Mirror,
    ground: Ground,
    predictor: Predictor,
    painter: Painter,
}

impl Echo {
    /// For a terminal of this size, whose cursor is at the start of a line.
    pub fn new(rows: u16, cols: u16, preference: Preference) -> Self {
        Self {
            mirror: Mirror::new(rows, cols),
            ground: Ground::default(),
            predictor: Predictor::new(preference),
            painter: Painter::default(),
        }
    }

    /// Takes output of the program and returns what to write to the terminal.
    #[must_use]
    pub fn output(&mut self, now_ms: u64, bytes: &[u8]) -> Vec<u8> {
        let mut out = self.hide();
        out.extend_from_slice(bytes);
        self.ground.push(bytes);
        self.mirror.push(bytes);
        self.predictor.confirm(now_ms, &self.mirror);
        self.paint(&mut out);
        out
    }

    /// Takes bytes that are sent to the program, all of them and in order; returns what to write to the terminal.
    #[must_use]
    pub fn typed(&mut self, now_ms: u64, bytes: &[u8]) -> Vec<u8> {
        self.predictor.typed(now_ms, bytes, &self.mirror);
        self.repaint()
    }

    /// Takes the offset up to which input was applied, in the order of the stream; returns what to write.
    #[must_use]
    pub fn acknowledged(&mut self, now_ms: u64, input_offset: u64) -> Vec<u8> {
        self.predictor.acknowledged(now_ms, input_offset);
        self.tick(now_ms)
    }

    /// When to call [`Self::tick`] although nothing else happens.
    pub fn deadline(&self) -> Option<u64> {
        self.predictor.deadline()
    }

    /// Takes back what is overdue; returns what to write to the terminal.
    #[must_use]
    pub fn tick(&mut self, now_ms: u64) -> Vec<u8> {
        self.predictor.confirm(now_ms, &self.mirror);
        self.repaint()
    }

    /// Takes what the server told of the terminal; returns what to write.
    #[must_use]
    pub fn set_mode(&mut self, mode: Mode) -> Vec<u8> {
        let keys_as_codes = mode.keys_as_codes || self.mirror.reports_keys_as_codes();
        self.predictor.set_mode(Mode {
            keys_as_codes,
            ..mode
        });
        self.repaint()
    }

    /// Takes a measured round trip of the link in milliseconds; acknowledgements are measured besides.
    pub fn set_link(&mut self, rtt_ms: f32) {
        self.predictor.set_link(rtt_ms);
    }

    /// The terminal has another size; returns what to write first.
    #[must_use]
    pub fn resize(&mut self, rows: u16, cols: u16) -> Vec<u8> {
        let out = self.hide();
        self.mirror.resize(rows, cols);
        out
    }

    /// Starts over after an attach: the server has applied input up to one offset, and what was typed up to the other
    /// one is sent again. Returns what to write.
    #[must_use]
    pub fn restart(&mut self, applied: u64, sent: u64) -> Vec<u8> {
        let out = self.hide();
        self.predictor.restart(applied, sent);
        out
    }

    /// Output that was returned here was dropped before it was written: what is written next resets the terminal.
    pub fn dropped(&mut self) {
        self.painter = Painter::default();
        self.ground = Ground::default();
    }

    /// Takes the predictions off the screen until the next call: before anything else is written to the terminal.
    #[must_use]
    pub fn hide(&mut self) -> Vec<u8> {
        let mut out = Vec::new();
        self.painter.hide(&self.mirror, &mut out);
        out
    }

    fn repaint(&mut self) -> Vec<u8> {
        let mut out = Vec::new();
        if !self
            .painter
            .shows(self.predictor.overlay(), self.predictor.cursor())
        {
            self.painter.hide(&self.mirror, &mut out);
            self.paint(&mut out);
        }
        out
    }

    fn paint(&mut self, out: &mut Vec<u8>) {
        if self.ground.is_text() && self.mirror.takes_plain_text(self.ground.is_shifted()) {
            self.painter.paint(
                &self.mirror,
                self.predictor.overlay(),
                self.predictor.cursor(),
                out,
            );
        }
    }
}
