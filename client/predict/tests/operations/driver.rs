//! Any bytes as a sequence of calls, and what must hold after each of them.

use std::collections::HashSet;

use vroom_predict::{
    ECHO_LATE_MS_MAX, ECHO_WAIT_MS, Glyph, Grid, Mode, Position, Predictor, Preference,
};

/// Cells of an overlay at most, as the crate promises to bound its memory.
const CELLS_MAX: usize = 1_024;
/// Deadlines that may follow each other when nothing else happens: five for each cell and the cursor.
const DEADLINES_MAX: usize = 5 * (CELLS_MAX + 2);

/// Makes the calls that the bytes stand for.
pub(crate) fn run(data: &[u8]) {
    let mut driver = Driver::new(data);
    // Most of what there is to see happens on a slow link, in a program that edits lines.
    driver.set_mode(Mode::default());
    driver.predictor.set_link(100.0);
    while let Some(operation) = driver.next() {
        driver.step(operation);
    }
    driver.settle();
}

struct Driver<'a> {
    data: &'a [u8],
    predictor: Predictor,
    screen: Screen,
    now_ms: u64,
    sent: u64,
    acked: u64,
    /// Typed characters that the screen does not show yet.
    echo: Vec<char>,
    /// All that was typed or on the screen: nothing else may be shown.
    known: HashSet<Glyph>,
    /// The last bytes that were typed.
    typed: Vec<u8>,
    mode: Option<Mode>,
    preference: Preference,
}

impl<'a> Driver<'a> {
    fn new(data: &'a [u8]) -> Self {
        Self {
            data,
            predictor: Predictor::new(Preference::Adaptive),
            screen: Screen::new(24, 80),
            now_ms: 0,
            sent: 0,
            acked: 0,
            echo: Vec::new(),
            known: HashSet::from([Glyph::BLANK]),
            typed: Vec::new(),
            mode: None,
            preference: Preference::Adaptive,
        }
    }

    fn next(&mut self) -> Option<u8> {
        let (first, rest) = self.data.split_first()?;
        self.data = rest;
        Some(*first)
    }

    fn byte(&mut self) -> u8 {
        self.next().unwrap_or(0)
    }

    fn step(&mut self, operation: u8) {
        match operation % 64 {
            0..=23 => {
                let text = [
                    "a",
                    "b",
                    " ",
                    "xy",
                    "漢",
                    "e\u{301}",
                    "\u{1f1e6}",
                    "\u{7f}",
                    "\x1b[C",
                    "\x1b[D",
                    "\r",
                    "\t",
                    "\x1b",
                ];
                let text = text[usize::from(self.byte()) % text.len()];
                if !text.starts_with('\x1b') {
                    self.echo.extend(text.chars());
                }
                self.type_bytes(text.as_bytes());
            }
            50 => {
                let len = usize::from(self.byte() % 8).min(self.data.len());
                let (bytes, rest) = self.data.split_at(len);
                self.data = rest;
                self.type_bytes(bytes);
            }
            51 => {
                let paste = vec![b'p'; usize::from(self.byte()) * 4];
                self.type_bytes(&paste);
            }
            24..=43 => {
                for char in std::mem::take(&mut self.echo) {
                    self.screen.echo(char, &mut self.known);
                }
                if operation % 64 < 40 {
                    self.acknowledge(self.sent);
                }
                self.confirm();
            }
            44..=47 => self.acknowledge(self.sent),
            48 | 49 => {
                let offset = self.acked + u64::from(self.byte());
                self.acknowledge(offset);
            }
            52 | 53 => {
                let at = Position::new(self.byte().into(), self.byte().into());
                let glyph = Glyph::from_cell([char::from(self.byte())], self.byte() % 3);
                self.known.insert(glyph);
                self.screen.put(at, glyph);
            }
            54 => {
                let (row, col) = (self.byte(), self.byte());
                let (rows, cols) = self.screen.size;
                let at = Position::new(u16::from(row) % rows.max(1), u16::from(col) % (cols + 1));
                self.screen.cursor = (row != 255).then_some(at);
            }
            55 => {
                let (rows, cols) = (self.byte(), self.byte());
                self.screen = Screen::new(rows.into(), cols.into());
                self.confirm();
            }
            56 => {
                let bits = self.byte();
                self.set_mode(Mode::from_bits(bits));
            }
            57 => match self.byte() {
                bits @ 0..=2 => {
                    self.preference = [Preference::Never, Preference::Adaptive, Preference::Always]
                        [usize::from(bits)];
                    self.predictor.set_preference(self.preference);
                }
                3 => {
                    let pending = u64::from(self.byte());
                    (self.acked, self.sent) = (self.sent, self.sent + pending);
                    self.predictor.restart(self.acked, self.sent);
                }
                other => {
                    let bits = [other, self.byte(), self.byte(), self.byte()];
                    self.predictor.set_link(f32::from_le_bytes(bits));
                }
            },
            58..=60 => self.now_ms += u64::from(self.byte()) * 8,
            _ => {
                self.now_ms += u64::from(self.byte());
                self.confirm();
            }
        }
        self.check();
    }

    fn set_mode(&mut self, mode: Mode) {
        self.mode = Some(mode);
        self.predictor.set_mode(mode);
    }

    fn type_bytes(&mut self, bytes: &[u8]) {
        // A character may come in two parts.
        self.typed.extend_from_slice(bytes);
        for char in String::from_utf8_lossy(&self.typed).chars() {
            self.known.extend(Glyph::new(char));
        }
        self.typed.drain(..self.typed.len().saturating_sub(3));
        self.sent += bytes.len() as u64;
        self.predictor.typed(self.now_ms, bytes, &self.screen);
        self.check_drawn();
    }

    fn acknowledge(&mut self, offset: u64) {
        self.acked = offset.min(self.sent).max(self.acked);
        self.predictor.acknowledged(self.now_ms, offset);
    }

    fn confirm(&mut self) {
        self.predictor.confirm(self.now_ms, &self.screen);
        self.check_drawn();
    }

    /// What holds after a call that looked at the screen.
    fn check_drawn(&self) {
        let (rows, cols) = self.screen.size;
        let mut last = None;
        for cell in self.predictor.overlay() {
            assert!(cell.row < rows && cell.col < cols, "outside the screen");
            assert!(last < Some((cell.row, cell.col)), "out of order");
            last = Some((cell.row, cell.col));
        }
        let cursor = self.predictor.cursor();
        assert!(
            cursor.is_none_or(|at| at.row < rows && at.col <= cols),
            "a cursor outside the screen"
        );
    }

    /// What holds after any call.
    fn check(&self) {
        let overlay = self.predictor.overlay();
        assert!(overlay.len() <= CELLS_MAX);
        for cell in overlay {
            let base = cell.glyph.chars().next().and_then(Glyph::new);
            assert!(
                base.is_some_and(|base| self.known.contains(&base))
                    || self.known.contains(&cell.glyph),
                "nobody typed it"
            );
        }
        let is_secret = self.mode.is_none_or(Mode::is_secret);
        if is_secret || self.preference == Preference::Never {
            assert!(
                overlay.is_empty() && self.predictor.cursor().is_none(),
                "shown though it must not be"
            );
        }
        if self.predictor.is_idle() {
            assert!(
                overlay.is_empty() && self.predictor.cursor().is_none(),
                "shown though nothing is outstanding"
            );
        }
    }

    /// Everything is acknowledged, and time goes by: nothing may be left.
    fn settle(&mut self) {
        self.acknowledge(self.sent);
        let end_ms = self.now_ms + ECHO_WAIT_MS + ECHO_LATE_MS_MAX;
        for _ in 0..DEADLINES_MAX {
            let Some(deadline) = self.predictor.deadline() else {
                break;
            };
            self.now_ms = self.now_ms.max(deadline);
            self.confirm();
            self.check();
            if self.now_ms > end_ms {
                break;
            }
        }
        self.now_ms = self.now_ms.max(end_ms);
        self.confirm();
        assert!(self.predictor.overlay().is_empty(), "cells are left");
        assert_eq!(self.predictor.cursor(), None, "a cursor is left");
        assert!(self.predictor.is_idle(), "something is left");
        assert_eq!(self.predictor.deadline(), None);
    }
}

/// A screen without rules.
struct Screen {
    size: (u16, u16),
    cells: Vec<Glyph>,
    cursor: Option<Position>,
}

impl Screen {
    fn new(rows: u16, cols: u16) -> Self {
        let cells = vec![Glyph::BLANK; usize::from(rows) * usize::from(cols)];
        Self {
            size: (rows, cols),
            cells,
            cursor: Some(Position::default()),
        }
    }

    fn put(&mut self, at: Position, glyph: Glyph) {
        if let Some(index) = self.index(at) {
            self.cells[index] = glyph;
        }
    }

    /// Shows what a program that edits a line would, as long as it is typed at its end.
    fn echo(&mut self, char: char, known: &mut HashSet<Glyph>) {
        let Some(at) = self.cursor else { return };
        match (char, Glyph::new(char)) {
            ('\x7f', _) => {
                let left = Position::new(at.row, at.col.saturating_sub(1));
                self.put(left, Glyph::BLANK);
                self.cursor = Some(left);
            }
            ('\r', _) => self.cursor = Some(Position::new((at.row + 1).min(self.size.0), 0)),
            (_, Some(glyph)) => {
                known.insert(glyph);
                self.put(at, glyph);
                if glyph.width() == 2 {
                    self.put(Position::new(at.row, at.col + 1), Glyph::SPACER);
                }
                let col = (at.col + u16::from(glyph.width())).min(self.size.1);
                self.cursor = Some(Position::new(at.row, col));
            }
            _ => {}
        }
    }

    fn index(&self, at: Position) -> Option<usize> {
        let (rows, cols) = self.size;
        (at.row < rows && at.col < cols)
            .then(|| usize::from(at.row) * usize::from(cols) + usize::from(at.col))
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
        self.index(at)
            .map_or(Glyph::BLANK, |index| self.cells[index])
    }
}
