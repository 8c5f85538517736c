//! Plain text that comes faster than anybody reads it.

use memchr::{memchr, memchr3, memrchr_iter};

use crate::screen::{Screen, SnapshotOptions};

/// Plain text that a screen has not read yet.
///
/// Text changes nothing but what is shown, so it waits until somebody looks; and when more lines wait than
/// a screen keeps, all but the last of them need not be read at all.
#[derive(Debug, Default)]
pub(crate) struct Flood {
    bytes: Vec<u8>,
    /// Whether it leaves nothing of what the screen shows; it then begins at the start of a line.
    replaces_all: bool,
}

impl Flood {
    /// Takes output that a screen can read later; `false` when that is not so.
    pub(crate) fn take(&mut self, screen: &mut Screen, bytes: &[u8]) -> bool {
        if self.bytes.is_empty() && bytes.len() < FIRST_BYTES || !is_plain(bytes) {
            return false;
        }
        let Some(lines) = screen.lines_to_replace_all() else {
            return false;
        };
        self.bytes.extend_from_slice(bytes);
        if self.bytes.len() > FLOOD_BYTES && !self.skip(lines) {
            self.pour(screen);
        }
        true
    }

    /// Lets the screen read what waits.
    pub(crate) fn pour(&mut self, screen: &mut Screen) {
        if self.bytes.is_empty() {
            return;
        }
        if let Some(lines) = screen.lines_to_replace_all() {
            self.skip(lines);
        }
        if self.replaces_all {
            screen.advance(START_OF_LINE);
        }
        screen.advance(&self.bytes);
        *self = Self::default();
    }

    /// What redraws as much of a screen as matters to what waits, and how many bytes that is; `None` when
    /// all of the screen does.
    pub(crate) fn checkpoint(&mut self, screen: &Screen) -> Option<(Vec<u8>, u64)> {
        let lines = screen.lines_to_replace_all()?;
        if !self.skip(lines) {
            return None;
        }
        let mut bytes = screen.snapshot(&SnapshotOptions {
            scrollback_lines: 0,
            ..SnapshotOptions::EVERYTHING
        });
        bytes.extend_from_slice(START_OF_LINE);
        Some((bytes, self.bytes.len() as u64))
    }

    /// Drops all but the last lines that replace everything; `false` when there are not as many, or they
    /// take too much.
    fn skip(&mut self, lines: usize) -> bool {
        let Some(end) = memrchr_iter(b'\n', &self.bytes).nth(lines) else {
            return false;
        };
        let at_start = end > 0 && self.bytes.get(end - 1) == Some(&b'\r');
        if self.bytes.len() - end > FLOOD_BYTES / 2 || !at_start {
            return false;
        }
        self.bytes.drain(..=end);
        self.replaces_all = true;
        true
    }
}

/// Whether bytes only show characters and move on: no sequence, no other character set, no way back.
fn is_plain(bytes: &[u8]) -> bool {
    memchr3(ESC, SHIFT_OUT, SHIFT_IN, bytes).is_none() && memchr(BACKSPACE, bytes).is_none()
}

const ESC: u8 = 0x1B;
const SHIFT_OUT: u8 = 0x0E;
const SHIFT_IN: u8 = 0x0F;
const BACKSPACE: u8 = 0x08;
const START_OF_LINE: &[u8] = b"\r";

/// A flood begins with as much in one piece: what comes in smaller ones is read at once.
const FIRST_BYTES: usize = 1024;

/// The most that waits.
const FLOOD_BYTES: usize = 2 * 1024 * 1024;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::PtySize;
    use crate::screen::ScreenLimits;

    fn screen(before: &[u8]) -> Screen {
        let size = PtySize {
            rows: 6,
            cols: 20,
            ..PtySize::default()
        };
        let limits = ScreenLimits {
            scrollback_lines: 40,
            ..ScreenLimits::default()
        };
        let mut screen = Screen::new(size, limits);
        screen.advance(before);
        screen
    }

    /// What stands on a screen that a flood may go over.
    const BEFORES: [&[u8]; 6] = [
        b"",
        b"$ cat\r\n",
        b"12345678901234567890",
        b"\x1b[31;44m\x1b[2J\x1b[3;4Htext\x1b[?7l\x1b[4h",
        b"\x1b]2;title\x07\x1b[?2004h\x1b(0\x1b7a\r\nb\r\nc\r\nd\r\ne\r\nf\x1b[H",
        b"\x1b[?45h\x1b_Ga=T,f=24,s=1,v=1;AAAA\x1b\\\x1b[?25l",
    ];

    fn floods() -> Vec<Vec<u8>> {
        let lines = |line: &str, count: usize| line.repeat(count).into_bytes();
        vec![
            lines("yes\r\n", 3000),
            lines("\tsome \u{6f22}\u{5b57} and e\u{301}\r\n", 400),
            lines("longer than the screen is wide\r\n", 300),
            [lines("\r\n", 3000), b"half of \xe6\xbc".to_vec()].concat(),
            lines("no start of line\n", 400),
            lines("one line without an end ", 300),
            [lines("x\r\n", 2000), lines("y\n", 20)].concat(),
        ]
    }

    #[test]
    fn a_screen_reads_late_what_it_would_have_read_at_once() {
        for before in BEFORES {
            for flood in floods() {
                let (mut at_once, mut late) = (screen(before), screen(before));
                let mut waiting = Flood::default();
                for (round, piece) in flood.chunks(FIRST_BYTES).enumerate() {
                    at_once.advance(piece);
                    if !waiting.take(&mut late, piece) {
                        waiting.pour(&mut late);
                        late.advance(piece);
                    }
                    if round == 0 {
                        // A look in between changes nothing.
                        let lines = late.lines_to_replace_all().unwrap();
                        waiting.skip(lines);
                    }
                }
                for rest in [&b"\xa2!\x1b[A"[..], b"end"] {
                    assert!(!waiting.take(&mut late, rest));
                    waiting.pour(&mut late);
                    late.advance(rest);
                    at_once.advance(rest);
                }
                assert!(at_once.digest() == late.digest(), "{before:?}");
            }
        }
    }

    #[test]
    fn a_checkpoint_in_a_flood_and_what_follows_it_make_the_same_screen() {
        let mut found = 0;
        for before in BEFORES {
            for flood in floods() {
                let mut at_once = screen(before);
                at_once.advance(&flood);
                let mut late = screen(before);
                let mut waiting = Flood::default();
                assert!(waiting.take(&mut late, &flood));
                let Some((checkpoint, count)) = waiting.checkpoint(&late) else {
                    continue;
                };
                found += 1;
                let mut again = screen(b"");
                again.advance(&checkpoint);
                again.advance(&flood[flood.len() - usize::try_from(count).unwrap()..]);
                assert!(at_once.digest() == again.digest(), "{before:?}");
                // The flood goes on, and is the same all the same.
                waiting.pour(&mut late);
                assert!(at_once.digest() == late.digest(), "{before:?}");
            }
        }
        assert!(found >= 4 * BEFORES.len(), "only {found}");
    }

    #[test]
    fn what_waits_is_bounded() {
        let (mut at_once, mut late) = (screen(b""), screen(b""));
        let mut waiting = Flood::default();
        for line in ["line\r\n", "without an end "] {
            let piece = line.repeat(FIRST_BYTES).into_bytes();
            for _ in 0..3 * FLOOD_BYTES / piece.len() {
                assert!(waiting.take(&mut late, &piece));
                assert!(waiting.bytes.len() <= FLOOD_BYTES + piece.len());
                at_once.advance(&piece);
            }
        }
        waiting.pour(&mut late);
        assert!(at_once.digest() == late.digest());
    }

    #[test]
    fn what_may_do_more_than_show_is_read_at_once() {
        let text = b"text\r\n".repeat(FIRST_BYTES);
        for byte in [ESC, SHIFT_OUT, SHIFT_IN, BACKSPACE] {
            let bytes = [&text, &[byte][..]].concat();
            assert!(!Flood::default().take(&mut screen(b""), &bytes));
        }
        for before in [&b"\x1b[2;4r"[..], b"\x1b[?1049h", b"\x1b]2;half"] {
            assert!(!Flood::default().take(&mut screen(before), &text));
        }
        assert!(!Flood::default().take(&mut screen(b""), b"short"));
    }
}
