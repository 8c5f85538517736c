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
//!   matter. A terminal whose last line may be reached scrolls for a guess in the line below as it would for its echo, and
//!   if that was wrong, stays one line further.
#![forbid(unsafe_code)]
#![warn(clippy::indexing_slicing)]

mod ground;
mod mirror;
mod paint;

use vroom_predict::{Grid as _, Mode, Predictor, Preference};

use crate::ground::Ground;
use crate::mirror::Mirror;
use crate::paint::Painter;

/// The program's output, with what is typed shown before its echo comes.
#[derive(Debug)]
pub struct Echo {
    mirror: Mirror,
    /// Plain text that the mirror has not read yet: it does when somebody looks.
    unread: Vec<u8>,
    ground: Ground,
    predictor: Predictor,
    painter: Painter,
}

impl Echo {
    /// For a terminal of this size, whose cursor is at the start of a line.
    pub fn new(rows: u16, cols: u16, preference: Preference) -> Self {
        Self {
            mirror: Mirror::new(rows, cols),
            unread: Vec::new(),
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
        if self.predictor.is_idle() && self.leave_unread(bytes) {
            return out;
        }
        self.read();
        self.ground.push(bytes);
        self.mirror.push(bytes);
        self.predictor.confirm(now_ms, &self.mirror);
        self.paint(&mut out);
        out
    }

    /// Takes bytes that are sent to the program, all of them and in order; returns what to write to the terminal.
    #[must_use]
    pub fn typed(&mut self, now_ms: u64, bytes: &[u8]) -> Vec<u8> {
        self.read();
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
        self.read();
        self.predictor.confirm(now_ms, &self.mirror);
        self.repaint()
    }

    /// Takes what the server told of the terminal; returns what to write.
    #[must_use]
    pub fn set_mode(&mut self, mode: Mode) -> Vec<u8> {
        self.read();
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
        self.read();
        let out = self.hide();
        let before = self.mirror.size();
        self.mirror.resize(rows, cols);
        if self.mirror.size() != before {
            self.ground.resized();
        }
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
        self.read();
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

    /// Keeps output that only shows characters and moves on, while nobody asks what it shows; false when it
    /// does more.
    fn leave_unread(&mut self, bytes: &[u8]) -> bool {
        let scrolls_whole = !self.ground.has_region();
        if !(self.ground.is_text() && scrolls_whole && Ground::are_plain(bytes)) {
            return false;
        }
        self.ground.push(bytes);
        self.unread.extend_from_slice(bytes);
        if self.unread.len() > UNREAD_BYTES {
            self.read();
        }
        true
    }

    /// Lets the mirror read what is left, as far as it is still to be seen.
    fn read(&mut self) {
        let gone = scrolled_off(&self.unread, self.mirror.size().0);
        self.mirror
            .push(self.unread.get(gone..).unwrap_or_default());
        self.unread.clear();
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
                self.ground.may_go_below(),
                out,
            );
        }
    }
}

/// How many of these bytes leave nothing on a screen of so many rows that scrolls as a whole.
///
/// A flood of plain lines moves everything off that stood there before and all of its own lines but
/// the last ones. A screen of rows is filled by as many lines, and emptied of what was below the cursor
/// by as many more; where the first of them began is known after a carriage return.
fn scrolled_off(bytes: &[u8], rows: u16) -> usize {
    let lines = 2 * usize::from(rows);
    let Some(at) = memchr::memrchr_iter(b'\n', bytes).nth(lines) else {
        return 0;
    };
    let follows_return = at.checked_sub(1).and_then(|before| bytes.get(before)) == Some(&b'\r');
    if follows_return { at + 1 } else { 0 }
}

/// The most that is left unread.
const UNREAD_BYTES: usize = 256 * 1024;

#[cfg(test)]
mod tests {
    use vroom_predict::Position;

    use super::*;

    const ROWS: u16 = 6;
    const COLS: u16 = 20;

    /// The screen of what was shown before a flood, and whether that may be cut short.
    fn begun(before: &[u8]) -> (Mirror, bool) {
        let mut mirror = Mirror::new(ROWS, COLS);
        let mut ground = Ground::default();
        mirror.push(before);
        ground.push(before);
        (mirror, ground.is_text() && !ground.has_region())
    }

    #[test]
    fn what_scrolls_off_leaves_no_trace() {
        let lines = |line: &str| line.repeat(4096 / line.len() + 20).into_bytes();
        let floods = [
            lines("yes\r\n"),
            lines("\tsome 漢字 and e\u{301}\r\n"),
            lines("longer than the screen is wide\r\n"),
            [lines("0123456789012345678x\r\n"), b"$ ".to_vec()].concat(),
            [lines("\r\n"), b"\r\nhalf of \xe6\xbc".to_vec()].concat(),
        ];
        let befores = [
            "",
            "$ cat\r\n",
            "12345678901234567890",
            "\x1b[31;44m\x1b[2J\x1b[3;4Htext",
            "\x1b[?1049h\x1b[5;18H",
            "\x1b[4h\x1b[?7l\x1b(0below\r\n",
            "a\r\nb\r\nc\r\nd\r\ne\r\nf\x1b[H",
        ];
        for flood in &floods {
            let gone = scrolled_off(flood, ROWS);
            assert!(gone > 2048, "only {gone} of {}", flood.len());
            for before in befores {
                let (mut whole, may_cut) = begun(before.as_bytes());
                let (mut cut, _) = begun(before.as_bytes());
                assert!(may_cut, "{before:?}");
                for bytes in [flood, &b"\xa2!\r\n"[..]] {
                    whole.push(bytes);
                }
                cut.push(flood.get(gone..).unwrap_or_default());
                cut.push(b"\xa2!\r\n");
                let cells = |mirror: &Mirror| -> Vec<_> {
                    let places = (0..ROWS).flat_map(|row| (0..COLS).map(move |col| (row, col)));
                    let cell = |(row, col)| mirror.cell(Position::new(row, col)).cloned();
                    places.map(cell).collect()
                };
                assert!(cells(&whole) == cells(&cut), "{before:?}");
                assert!(whole.place() == cut.place() && whole.pen() == cut.pen());
            }
        }
    }

    #[test]
    fn what_may_matter_is_not_cut() {
        assert_eq!(scrolled_off(&b"yes\n".repeat(1000), ROWS), 0);
        assert_eq!(scrolled_off(&b"x".repeat(1000), ROWS), 0);
        assert_eq!(scrolled_off(&b"yes\r\n".repeat(2 * 6), ROWS), 0);
        let mut echo = Echo::new(ROWS, COLS, Preference::Adaptive);
        assert!(echo.leave_unread(b"yes\r\n"));
        for bytes in [&b"\x1b[r"[..], b"\x0e", b"\x0f"] {
            assert!(!echo.leave_unread(bytes));
        }
        for before in [&b"\x1b[2;4r"[..], b"\x1b]0;half"] {
            let mut echo = Echo::new(ROWS, COLS, Preference::Adaptive);
            drop(echo.output(0, before));
            assert!(!echo.leave_unread(b"yes\r\n"), "{before:?}");
        }
    }

    #[test]
    fn what_was_left_unread_is_read_when_somebody_looks() {
        let mut echo = Echo::new(ROWS, COLS, Preference::Adaptive);
        for _ in 0..50_000 {
            assert_eq!(echo.output(0, b"some line\r\n"), b"some line\r\n");
            assert!(echo.unread.len() <= UNREAD_BYTES);
        }
        drop(echo.output(0, b"$ "));
        assert!(!echo.unread.is_empty());
        drop(echo.tick(1));
        assert!(echo.unread.is_empty());
        assert_eq!(echo.mirror.place(), (Position::new(ROWS - 1, 2), false));
        let first = echo.mirror.cell(Position::new(ROWS - 2, 0));
        assert_eq!(first.map(|cell| cell.c), Some('s'));
    }
}
