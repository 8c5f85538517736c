//! Typed bytes as keys.

/// What a key means for a line that is edited.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Key {
    /// Text: one character.
    Text(char),
    /// Takes away the character before the cursor.
    Erase,
    Left,
    Right,
    /// Anything with an effect that cannot be guessed.
    Other,
}

/// A sequence that was not finished after this many milliseconds was a lone Escape.
const SEQUENCE_MS: u64 = 50;

/// Cuts typed bytes into keys; any cut of the bytes gives the same keys, as long as they follow each other at once.
#[derive(Debug, Default)]
pub(crate) struct Keys {
    state: State,
    last_ms: u64,
}

#[derive(Clone, Copy, Debug, Default)]
enum State {
    #[default]
    Ground,
    Escape,
    /// Inside a sequence; whether nothing came between its introducer and its end.
    Sequence {
        is_bare: bool,
    },
    /// Inside a character of several bytes.
    Text {
        value: u32,
        least: u32,
        missing: u8,
    },
}

impl Keys {
    /// Takes the next byte; a key when it ends one.
    pub(crate) fn push(&mut self, now_ms: u64, byte: u8) -> Option<Key> {
        if now_ms.saturating_sub(self.last_ms) > SEQUENCE_MS {
            self.state = State::Ground;
        }
        self.last_ms = now_ms;
        let (state, key) = match (self.state, byte) {
            (_, 0x1b) => (State::Escape, None),
            (State::Escape, b'[' | b'O') => (State::Sequence { is_bare: true }, None),
            (State::Escape, _) => (State::Ground, Some(Key::Other)),
            (State::Sequence { is_bare: true }, b'C') => (State::Ground, Some(Key::Right)),
            (State::Sequence { is_bare: true }, b'D') => (State::Ground, Some(Key::Left)),
            (State::Sequence { .. }, 0x40..=0x7e) => (State::Ground, Some(Key::Other)),
            (State::Sequence { .. }, 0x20..=0x3f) => (State::Sequence { is_bare: false }, None),
            (
                State::Text {
                    value,
                    least,
                    missing,
                },
                0x80..=0xbf,
            ) => continued(value, least, missing, byte),
            (_, 0x7f) => (State::Ground, Some(Key::Erase)),
            (_, 0x20..=0x7e) => (State::Ground, Some(Key::Text(char::from(byte)))),
            (_, 0xc2..=0xdf) => (text(byte & 0x1f, 0x80, 1), None),
            (_, 0xe0..=0xef) => (text(byte & 0x0f, 0x800, 2), None),
            (_, 0xf0..=0xf4) => (text(byte & 0x07, 0x1_0000, 3), None),
            _ => (State::Ground, Some(Key::Other)),
        };
        self.state = state;
        key
    }

    /// Nothing more comes for now: a sequence without its end may be all there is, and then has an effect.
    pub(crate) fn pause(&self) -> Option<Key> {
        matches!(self.state, State::Escape | State::Sequence { .. }).then_some(Key::Other)
    }
}

fn text(bits: u8, least: u32, missing: u8) -> State {
    State::Text {
        value: u32::from(bits),
        least,
        missing,
    }
}

fn continued(value: u32, least: u32, missing: u8, byte: u8) -> (State, Option<Key>) {
    let value = value << 6 | u32::from(byte & 0x3f);
    if missing > 1 {
        return (
            State::Text {
                value,
                least,
                missing: missing - 1,
            },
            None,
        );
    }
    let char = char::from_u32(value).filter(|_| value >= least.max(0xa0));
    (State::Ground, Some(char.map_or(Key::Other, Key::Text)))
}

#[cfg(test)]
mod tests {
    use alloc::vec;
    use alloc::vec::Vec;

    use super::*;

    fn keys(bytes: &[u8]) -> Vec<Key> {
        let mut keys = Keys::default();
        bytes
            .iter()
            .filter_map(|byte| keys.push(0, *byte))
            .collect()
    }

    #[test]
    fn text_of_any_length_is_text() {
        let expected: Vec<Key> = "aé漢🦀".chars().map(Key::Text).collect();
        assert_eq!(keys("aé漢🦀".as_bytes()), expected);
    }

    #[test]
    fn arrows_of_both_modes_are_known() {
        for (bytes, key) in [
            (b"\x1b[C", Key::Right),
            (b"\x1bOC", Key::Right),
            (b"\x1b[D", Key::Left),
        ] {
            assert_eq!(keys(bytes), vec![key]);
        }
    }

    #[test]
    fn other_sequences_leave_no_text_behind() {
        for bytes in [
            &b"\x1b[1;5C"[..],
            b"\x1b[<0;10;10M",
            b"\x1b[200~",
            b"\x1bb",
            b"\x1bOP",
            b"\x1b[97;5u",
        ] {
            assert_eq!(keys(bytes), vec![Key::Other], "{bytes:?}");
        }
    }

    #[test]
    fn a_lone_escape_does_not_swallow_the_next_key() {
        let mut keys = Keys::default();
        assert_eq!(keys.push(0, 0x1b), None);
        assert_eq!(keys.pause(), Some(Key::Other));
        assert_eq!(keys.push(51, b'['), Some(Key::Text('[')));
    }

    #[test]
    fn what_is_not_utf8_is_nothing_known() {
        for bytes in [
            &b"\xff"[..],
            b"\xc0\xaf",
            b"\xe0\x80\xaf",
            b"\xed\xa0\x80",
            b"\x80",
            b"\xc2\x85",
        ] {
            assert!(
                keys(bytes).iter().all(|key| *key == Key::Other),
                "{bytes:?}"
            );
        }
        assert_eq!(keys(b"\xe6a"), vec![Key::Text('a')]);
    }
}
