//! Whether the output may be interrupted where it ends now.

use memchr::memchr3;

/// Follows output as far as that takes.
#[derive(Debug, Default)]
pub(crate) struct Ground {
    state: State,
    /// The second character set is in use.
    is_shifted: bool,
    /// Lines may scroll in a part of the screen only.
    has_region: bool,
    /// The cursor's place was saved, and may be gone back to.
    has_saved: bool,
}

#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
enum State {
    /// Text; a character still misses this many bytes.
    Text { missing: u8 },
    /// After Escape, and intermediates.
    Escape,
    Control {
        /// Nothing came since it began.
        is_bare: bool,
    },
    /// A string that ends with ST; whether BEL ends it too.
    String { takes_bell: bool },
    #[default]
    Start,
}

impl Ground {
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        let mut rest = bytes;
        while !rest.is_empty() {
            if self.is_text() {
                // Nearly all of the output is text; of that only a character at its end matters.
                let text = memchr3(ESC, SHIFT_OUT, SHIFT_IN, rest).unwrap_or(rest.len());
                rest = rest
                    .get(text.saturating_sub(CHARACTER_MAX)..)
                    .unwrap_or_default();
            }
            let (now, later) = rest.split_at(rest.len().min(CHARACTER_MAX + 1));
            for byte in now {
                self.state = self.next(*byte);
            }
            rest = later;
        }
    }

    /// Whether these bytes neither begin a sequence nor change what characters mean.
    pub(crate) fn are_plain(bytes: &[u8]) -> bool {
        memchr3(ESC, SHIFT_OUT, SHIFT_IN, bytes).is_none()
    }

    /// The terminal has another size, and scrolls as a whole.
    pub(crate) fn resized(&mut self) {
        self.has_region = false;
    }

    /// Whether nothing is unfinished.
    pub(crate) fn is_text(&self) -> bool {
        matches!(self.state, State::Start | State::Text { missing: 0 })
    }

    /// Whether SO is in effect.
    pub(crate) fn is_shifted(&self) -> bool {
        self.is_shifted
    }

    /// Whether a part of the screen may scroll by itself.
    pub(crate) fn has_region(&self) -> bool {
        self.has_region
    }

    /// Whether the line below the cursor may be drawn on, though the terminal may have to scroll for it.
    ///
    /// Which line the cursor is in is known of a program that said so, and then nothing scrolls. Otherwise all that it does
    /// is relative to the cursor, but for a place that it has saved.
    pub(crate) fn may_go_below(&self) -> bool {
        !self.has_region && !self.has_saved
    }

    fn next(&mut self, byte: u8) -> State {
        let text = State::Text { missing: 0 };
        match (self.state, byte) {
            (_, ESC) => State::Escape,
            (_, 0x18 | 0x1a) => text,
            (State::String { takes_bell: true }, 0x07) => text,
            (state @ State::String { .. }, _) => state,
            (state @ (State::Escape | State::Control { .. }), 0..=0x1f) => {
                self.shift(byte);
                state
            }
            (State::Escape, b'[') => State::Control { is_bare: true },
            (State::Escape, b']') => State::String { takes_bell: true },
            (State::Escape, b'P' | b'X' | b'^' | b'_') => State::String { takes_bell: false },
            (State::Escape, 0x20..=0x2f) => State::Escape,
            (State::Escape, b'c') => {
                self.is_shifted = false;
                self.has_region = false;
                self.has_saved = false;
                text
            }
            (State::Escape, b'7') | (State::Control { is_bare: true }, b's') => {
                self.has_saved = true;
                text
            }
            (State::Escape, b'8') | (State::Control { is_bare: true }, b'u') => {
                self.has_saved = false;
                text
            }
            (State::Control { .. }, 0x20..=0x3f) => State::Control { is_bare: false },
            (State::Control { is_bare }, b'r') => {
                self.has_region = !is_bare;
                text
            }
            (State::Escape | State::Control { .. }, _) => text,
            (State::Text { missing }, 0x80..=0xbf) => State::Text {
                missing: missing.saturating_sub(1),
            },
            (_, 0xc2..=0xdf) => State::Text { missing: 1 },
            (_, 0xe0..=0xef) => State::Text { missing: 2 },
            (_, 0xf0..=0xf4) => State::Text { missing: 3 },
            _ => {
                self.shift(byte);
                text
            }
        }
    }

    fn shift(&mut self, byte: u8) {
        match byte {
            SHIFT_OUT => self.is_shifted = true,
            SHIFT_IN => self.is_shifted = false,
            _ => {}
        }
    }
}

const ESC: u8 = 0x1b;
const SHIFT_OUT: u8 = 0x0e;
const SHIFT_IN: u8 = 0x0f;

/// The bytes of the longest character.
const CHARACTER_MAX: usize = 4;

#[cfg(test)]
mod tests {
    use super::*;

    fn after(bytes: &[u8]) -> Ground {
        let mut ground = Ground::default();
        ground.push(bytes);
        ground
    }

    #[test]
    fn whole_sequences_and_characters_may_be_followed_by_others() {
        for bytes in [
            &b""[..],
            b"text\r\n",
            b"\x1b[1;31m",
            b"\x1b(B",
            b"\x1b]0;title\x07",
            b"\x1b]0;title\x1b\\",
            b"\x1bPq#0\x1b\\",
            b"\x1b_Ga=d\x1b\\",
            b"\x1b7",
            b"\x1b[2\x18",
            "漢".as_bytes(),
        ] {
            assert!(after(bytes).is_text(), "{bytes:?}");
            for cut in 1..bytes.len() {
                let rest = bytes.get(cut..).unwrap_or_default();
                let mut ground = after(bytes.get(..cut).unwrap_or_default());
                ground.push(rest);
                assert!(ground.is_text(), "{bytes:?} cut at {cut}");
            }
        }
    }

    #[test]
    fn unfinished_ones_may_not() {
        for bytes in [
            &b"\x1b"[..],
            b"\x1b[",
            b"\x1b[38;5",
            b"\x1b(",
            b"\x1b]0;ti",
            b"\x1bPq#\x07",
            b"\x1b]0;title\x1b",
            b"\xe6\xbc",
            b"\xc3",
        ] {
            assert!(!after(bytes).is_text(), "{bytes:?}");
        }
    }

    #[test]
    fn only_the_end_of_a_long_text_matters() {
        for end in ["", "x", "é", "漢", "😀", "x\u{301}"] {
            let text = [b"long text ".repeat(9).as_slice(), end.as_bytes()].concat();
            for cut in 0..=end.len() {
                let mut whole = Ground::default();
                for byte in text.get(..text.len() - cut).unwrap_or_default() {
                    whole.push(&[*byte]);
                }
                let at_once = after(text.get(..text.len() - cut).unwrap_or_default());
                assert_eq!(at_once.is_text(), whole.is_text(), "{end:?} less {cut}");
            }
        }
    }

    #[test]
    fn a_region_is_seen_until_the_whole_screen_scrolls_again() {
        assert!(!after(b"\x1b[31m").has_region());
        assert!(after(b"\x1b[2;9r").has_region());
        assert!(after(b"\x1b[2;9rtext\x1b[1m").has_region());
        assert!(!after(b"\x1b[2;9r\x1b[r").has_region());
        assert!(!after(b"\x1b[2;9r\x1bc").has_region());
    }

    #[test]
    fn shifts_are_seen() {
        assert!(after(b"\x0e").is_shifted());
        assert!(!after(b"\x0e\x0f").is_shifted());
        assert!(!after(b"\x0e\x1bc").is_shifted());
    }
}
