//! Whether the output may be interrupted where it ends now.

/// Follows output as far as that takes.
#[derive(Debug, Default)]
pub(crate) struct Ground {
    state: State,
    /// The second character set is in use.
    is_shifted: bool,
}

#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
enum State {
    /// Text; a character still misses this many bytes.
    Text {
        missing: u8,
    },
    /// After Escape, and intermediates.
    Escape,
    Control,
    /// A string that ends with ST; whether BEL ends it too.
    String {
        takes_bell: bool,
    },
    #[default]
    Start,
}

impl Ground {
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.state = self.next(*byte);
        }
    }

    /// Whether nothing is unfinished.
    pub(crate) fn is_text(&self) -> bool {
        matches!(self.state, State::Start | State::Text { missing: 0 })
    }

    /// Whether SO is in effect.
    pub(crate) fn is_shifted(&self) -> bool {
        self.is_shifted
    }

    fn next(&mut self, byte: u8) -> State {
        let text = State::Text { missing: 0 };
        match (self.state, byte) {
            (_, 0x1b) => State::Escape,
            (_, 0x18 | 0x1a) => text,
            (State::String { takes_bell: true }, 0x07) => text,
            (state @ State::String { .. }, _) => state,
            (state @ (State::Escape | State::Control), 0..=0x1f) => {
                self.shift(byte);
                state
            }
            (State::Escape, b'[') => State::Control,
            (State::Escape, b']') => State::String { takes_bell: true },
            (State::Escape, b'P' | b'X' | b'^' | b'_') => State::String { takes_bell: false },
            (State::Escape, 0x20..=0x2f) => State::Escape,
            (State::Escape, b'c') => {
                self.is_shifted = false;
                text
            }
            (State::Control, 0x20..=0x3f) => State::Control,
            (State::Escape | State::Control, _) => text,
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
            0x0e => self.is_shifted = true,
            0x0f => self.is_shifted = false,
            _ => {}
        }
    }
}

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
    fn shifts_are_seen() {
        assert!(after(b"\x0e").is_shifted());
        assert!(!after(b"\x0e\x0f").is_shifted());
        assert!(!after(b"\x0e\x1bc").is_shifted());
    }
}
