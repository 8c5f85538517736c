//! Keys as the program in a terminal wants to read them.

use vroom_protocol::graphical::Modifiers;
use vroom_protocol::terminal::{KeyAction, KeyEvent};

/// What the program reads for a key, in the mode it has set; empty for nothing.
///
/// `flags` are those of the kitty keyboard protocol; with none it is as terminals have always been.
pub(crate) fn encode(event: &KeyEvent, flags: u8, application_cursor: bool) -> Vec<u8> {
    let mods = event.modifiers;
    let kind = match event.action {
        KeyAction::Press => 1,
        KeyAction::Repeat => 2,
        KeyAction::Release => 3,
    };
    if kind == 3 && flags & EVENTS == 0 {
        return Vec::new();
    }
    let kind = if flags & EVENTS == 0 { 1 } else { kind };
    if let Some(key) = Named::of(&event.key) {
        return key.encode(mods, kind, flags, application_cursor);
    }
    let mut characters = event.key.chars();
    let (Some(character), None) = (characters.next(), characters.next()) else {
        // A key that only modifies, or one that has no name here.
        return Vec::new();
    };
    let is_held = [Modifiers::CTRL, Modifiers::ALT, Modifiers::META]
        .iter()
        .any(|held| mods.contains(*held));
    if flags & ALL_KEYS != 0 || (flags & DISAMBIGUATE != 0 && is_held) {
        return kitty_character(event, character, kind, flags);
    }
    if kind == 3 {
        return Vec::new();
    }
    legacy_character(event, character)
}

/// A key with a name: its number and the last byte of its sequence.
struct Named {
    number: u32,
    last: u8,
}

impl Named {
    fn of(key: &str) -> Option<Self> {
        let (number, last) = match key {
            "Enter" => (13, b'u'),
            "Tab" => (9, b'u'),
            "Backspace" => (127, b'u'),
            "Escape" => (27, b'u'),
            "ArrowUp" => (1, b'A'),
            "ArrowDown" => (1, b'B'),
            "ArrowRight" => (1, b'C'),
            "ArrowLeft" => (1, b'D'),
            "Home" => (1, b'H'),
            "End" => (1, b'F'),
            "Insert" => (2, b'~'),
            "Delete" => (3, b'~'),
            "PageUp" => (5, b'~'),
            "PageDown" => (6, b'~'),
            "F1" => (1, b'P'),
            "F2" => (1, b'Q'),
            "F3" => (13, b'~'),
            "F4" => (1, b'S'),
            "F5" => (15, b'~'),
            "F6" => (17, b'~'),
            "F7" => (18, b'~'),
            "F8" => (19, b'~'),
            "F9" => (20, b'~'),
            "F10" => (21, b'~'),
            "F11" => (23, b'~'),
            "F12" => (24, b'~'),
            _ => return None,
        };
        Some(Self { number, last })
    }

    fn encode(&self, mods: Modifiers, kind: u8, flags: u8, application_cursor: bool) -> Vec<u8> {
        let (number, last) = (self.number, char::from(self.last));
        let bits = modifier_bits(mods) & !CAPS_LOCK;
        let is_plain = bits == 0 && kind == 1;
        if self.last == b'u' {
            // Enter, Tab and Backspace stay what they were, so that a shell can always be left.
            let is_kept = number != 27 && flags & ALL_KEYS == 0 && bits == 0;
            if is_kept && kind == 3 {
                return Vec::new();
            }
            if flags & (DISAMBIGUATE | ALL_KEYS) == 0 || is_kept {
                return self.legacy(mods);
            }
            return format!("\x1b[{number}{}u", suffix(mods, kind)).into_bytes();
        }
        if is_plain && self.last != b'~' {
            let is_function = matches!(self.last, b'P' | b'Q' | b'S');
            let introducer = if application_cursor || is_function {
                'O'
            } else {
                '['
            };
            return format!("\x1b{introducer}{last}").into_bytes();
        }
        // F3 has two names, of which one means the cursor's place.
        if is_plain && number == 13 && flags == 0 {
            return b"\x1bOR".to_vec();
        }
        format!("\x1b[{number}{}{last}", suffix(mods, kind)).into_bytes()
    }

    /// What Enter, Tab, Backspace and Escape have always been.
    fn legacy(&self, mods: Modifiers) -> Vec<u8> {
        let byte = match self.number {
            13 => b'\r',
            9 if mods.contains(Modifiers::SHIFT) => return b"\x1b[Z".to_vec(),
            9 => b'\t',
            127 if mods.contains(Modifiers::CTRL) => 0x08,
            127 => 0x7F,
            _ => 0x1B,
        };
        with_alt(mods, &[byte])
    }
}

fn kitty_character(event: &KeyEvent, character: char, kind: u8, flags: u8) -> Vec<u8> {
    let base = character.to_lowercase().next().unwrap_or(character);
    let mut code = u32::from(base).to_string();
    if flags & ALTERNATES != 0 && event.modifiers.contains(Modifiers::SHIFT) && base != character {
        code.push_str(&format!(":{}", u32::from(character)));
    }
    let mut suffix = suffix(event.modifiers, kind);
    let text = event.text.as_deref().filter(|_| kind != 3);
    if let Some(text) = text.filter(|text| flags & TEXT != 0 && !text.is_empty()) {
        if suffix.is_empty() {
            suffix.push(';');
        }
        let points: Vec<_> = text
            .chars()
            .map(|point| u32::from(point).to_string())
            .collect();
        suffix.push_str(&format!(";{}", points.join(":")));
    }
    format!("\x1b[{code}{suffix}u").into_bytes()
}

fn legacy_character(event: &KeyEvent, character: char) -> Vec<u8> {
    let mods = event.modifiers;
    if mods.contains(Modifiers::CTRL)
        && let Some(byte) = control(character)
    {
        return with_alt(mods, &[byte]);
    }
    let typed = event.text.as_deref().filter(|text| !text.is_empty());
    with_alt(mods, typed.unwrap_or(&event.key).as_bytes())
}

/// What Control makes of a character.
fn control(character: char) -> Option<u8> {
    let byte = u8::try_from(character).ok()?.to_ascii_lowercase();
    Some(match byte {
        b'a'..=b'z' => byte & 0x1F,
        b' ' | b'2' | b'@' => 0,
        b'[' | b'3' => 0x1B,
        b'\\' | b'4' => 0x1C,
        b']' | b'5' => 0x1D,
        b'^' | b'6' | b'~' => 0x1E,
        b'_' | b'7' | b'/' | b'-' => 0x1F,
        b'?' | b'8' => 0x7F,
        _ => return None,
    })
}

fn with_alt(mods: Modifiers, bytes: &[u8]) -> Vec<u8> {
    let escape: &[u8] = if mods.contains(Modifiers::ALT) {
        b"\x1b"
    } else {
        b""
    };
    [escape, bytes].concat()
}

/// Modifiers and kind as they stand in a sequence; nothing when there is nothing to say.
fn suffix(mods: Modifiers, kind: u8) -> String {
    match (modifier_bits(mods), kind) {
        (0, 1) => String::new(),
        (bits, 1) => format!(";{}", bits + 1),
        (bits, kind) => format!(";{}:{kind}", bits + 1),
    }
}

fn modifier_bits(mods: Modifiers) -> u8 {
    let bits = [
        (Modifiers::SHIFT, 1),
        (Modifiers::ALT, 2),
        (Modifiers::CTRL, 4),
        (Modifiers::META, 8),
        (Modifiers::CAPS_LOCK, CAPS_LOCK),
    ];
    let held = bits.iter().filter(|(modifier, _)| mods.contains(*modifier));
    held.map(|(_, bit)| bit).sum()
}

/// The flags of the kitty keyboard protocol.
const DISAMBIGUATE: u8 = 1;
const EVENTS: u8 = 2;
const ALTERNATES: u8 = 4;
const ALL_KEYS: u8 = 8;
const TEXT: u8 = 16;

/// Its bit of Caps Lock.
const CAPS_LOCK: u8 = 64;

#[cfg(test)]
mod tests {
    use super::*;

    fn key(key: &str, modifiers: Modifiers, action: KeyAction, flags: u8) -> String {
        let event = KeyEvent {
            key: key.into(),
            code: String::new(),
            modifiers,
            action,
            text: None,
        };
        String::from_utf8(encode(&event, flags, false)).unwrap()
    }

    fn press(name: &str, modifiers: Modifiers, flags: u8) -> String {
        key(name, modifiers, KeyAction::Press, flags)
    }

    #[test]
    fn without_flags_keys_are_what_they_always_were() {
        let (none, ctrl, alt) = (Modifiers::NONE, Modifiers::CTRL, Modifiers::ALT);
        assert_eq!(press("a", none, 0), "a");
        assert_eq!(press("c", ctrl, 0), "\x03");
        assert_eq!(press("x", alt, 0), "\x1bx");
        assert_eq!(press("Enter", none, 0), "\r");
        assert_eq!(press("Tab", Modifiers::SHIFT, 0), "\x1b[Z");
        assert_eq!(press("ArrowUp", none, 0), "\x1b[A");
        assert_eq!(press("ArrowUp", ctrl, 0), "\x1b[1;5A");
        assert_eq!(press("F1", none, 0), "\x1bOP");
        assert_eq!(press("Delete", none, 0), "\x1b[3~");
        assert_eq!(press("Shift", Modifiers::SHIFT, 0), "");
        assert_eq!(key("a", none, KeyAction::Release, 0), "");
    }

    #[test]
    fn with_flags_no_two_keys_are_the_same() {
        let (none, ctrl) = (Modifiers::NONE, Modifiers::CTRL);
        assert_eq!(press("a", none, 1), "a");
        assert_eq!(press("i", ctrl, 1), "\x1b[105;5u");
        assert_eq!(press("Tab", none, 1), "\t");
        assert_eq!(press("Escape", none, 1), "\x1b[27u");
        assert_eq!(press("Enter", Modifiers::SHIFT, 1), "\x1b[13;2u");
        assert_eq!(key("a", none, KeyAction::Release, 11), "\x1b[97;1:3u");
        assert_eq!(press("A", Modifiers::SHIFT, 15), "\x1b[97:65;2u");
        assert_eq!(key("ArrowUp", none, KeyAction::Repeat, 3), "\x1b[1;1:2A");
        assert_eq!(key("Enter", none, KeyAction::Release, 3), "");
    }

    #[test]
    fn the_cursor_keys_follow_their_mode() {
        let event = KeyEvent {
            key: "ArrowLeft".into(),
            code: String::new(),
            modifiers: Modifiers::NONE,
            action: KeyAction::Press,
            text: None,
        };
        assert_eq!(encode(&event, 0, true), b"\x1bOD");
    }
}
