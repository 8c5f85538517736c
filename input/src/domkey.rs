//! The names that browsers give to keys, as evdev codes.

use std::str::FromStr;

use keycode::{KeyMap, KeyMappingCode};
use vroom_desktop::Evdev;

/// The key at a DOM `code`, or `None` when the code is empty or unknown.
pub(crate) fn from_code(code: &str) -> Option<Evdev> {
    // The names that Firefox used before the standard settled.
    let code = match code {
        "OSLeft" => "MetaLeft",
        "OSRight" => "MetaRight",
        "VolumeUp" => "AudioVolumeUp",
        "VolumeDown" => "AudioVolumeDown",
        "VolumeMute" => "AudioVolumeMute",
        code => code,
    };
    let code = KeyMappingCode::from_str(code).ok()?;
    match KeyMap::from(code).evdev {
        0 => None,
        evdev => Some(Evdev(evdev)),
    }
}

/// The key that a named DOM `key` means when there is no usable `code`, as on virtual keyboards.
pub(crate) fn from_name(key: &str) -> Option<Evdev> {
    let code = match key {
        "Shift" => "ShiftLeft",
        "Control" => "ControlLeft",
        "Alt" => "AltLeft",
        "AltGraph" => "AltRight",
        "Meta" | "OS" | "Super" => "MetaLeft",
        "Esc" => "Escape",
        "Del" => "Delete",
        "Left" => "ArrowLeft",
        "Right" => "ArrowRight",
        "Up" => "ArrowUp",
        "Down" => "ArrowDown",
        "Spacebar" => "Space",
        "Hangul" | "HangulMode" => "Lang1",
        "Hanja" | "HanjaMode" => "Lang2",
        "Apps" => "ContextMenu",
        // Every other named key that has a code of the same name; printable ones have longer codes.
        key if key.len() > 1 => key,
        _ => return None,
    };
    from_code(code)
}

/// A modifier as the browser sees it; each has a bit in the modifier byte except AltGr.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum DomModifier {
    Shift,
    Control,
    Alt,
    AltGraph,
    Meta,
}

impl DomModifier {
    /// The modifier that a key event speaks of, if any.
    ///
    /// `code` goes first: with Shift held, Alt's `key` is "Meta" in some browsers. Alt on the right
    /// may be AltGr, which only `key` tells.
    pub(crate) fn of(key: &str, code: &str) -> Option<Self> {
        match code {
            "ShiftLeft" | "ShiftRight" if matches!(key, "Shift" | "" | "Unidentified") => {
                Some(Self::Shift)
            }
            "ControlLeft" | "ControlRight" if matches!(key, "Control" | "" | "Unidentified") => {
                Some(Self::Control)
            }
            "AltLeft" if matches!(key, "Alt" | "Meta" | "" | "Unidentified") => Some(Self::Alt),
            "AltRight" if matches!(key, "Alt" | "Meta") => Some(Self::Alt),
            _ => match key {
                "Shift" => Some(Self::Shift),
                "Control" => Some(Self::Control),
                "Alt" => Some(Self::Alt),
                "AltGraph" => Some(Self::AltGraph),
                "Meta" | "OS" => Some(Self::Meta),
                _ => None,
            },
        }
    }
}

/// What a DOM `key` says about the text that the press means.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Meaning<'a> {
    /// One character.
    Char(char),
    /// Several characters from one key, as some scripts have.
    Chars(&'a str),
    /// The first half of an accented character.
    Dead,
    /// A named key, or nothing.
    Named,
}

impl<'a> Meaning<'a> {
    /// Reads a DOM `key`.
    pub(crate) fn of(key: &'a str) -> Self {
        let mut chars = key.chars();
        match (chars.next(), chars.next()) {
            (None, _) => Self::Named,
            (Some(only), None) if only.is_control() => Self::Named,
            (Some(only), None) => Self::Char(only),
            _ if key == "Dead" => Self::Dead,
            // Names of keys are ASCII.
            (Some(first), Some(_)) if !first.is_ascii() => Self::Chars(key),
            _ => Self::Named,
        }
    }
}

/// What a key of the numeric keypad types while Num Lock is on.
pub(crate) fn keypad_follows_num_lock(code: Evdev) -> bool {
    matches!(code.0, 71..=73 | 75..=77 | 79..=83)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_evdev_codes() {
        for (code, evdev) in [
            ("KeyA", 30),
            ("Digit1", 2),
            ("Space", 57),
            ("Enter", 28),
            ("NumpadEnter", 96),
            ("IntlBackslash", 86),
            ("IntlRo", 89),
            ("IntlYen", 124),
            ("AltRight", 100),
            ("MetaLeft", 125),
            ("OSRight", 126),
            ("F1", 59),
            ("F12", 88),
            ("F24", 194),
            ("ArrowUp", 103),
            ("ContextMenu", 127),
            ("Pause", 119),
            ("PrintScreen", 99),
            ("Convert", 92),
            ("Lang1", 122),
            ("BrowserBack", 158),
            ("AudioVolumeUp", 115),
        ] {
            assert_eq!(from_code(code), Some(Evdev(evdev)), "{code}");
        }
        for code in ["", "Fn", "Unidentified", "keya", "KeyÄ"] {
            assert_eq!(from_code(code), None, "{code}");
        }
    }

    #[test]
    fn names_are_keys_where_no_code_is() {
        for (name, evdev) in [
            ("Enter", 28),
            ("Backspace", 14),
            ("Tab", 15),
            ("ArrowLeft", 105),
            ("Home", 102),
            ("PageDown", 109),
            ("Delete", 111),
            ("Escape", 1),
            ("F5", 63),
            ("Shift", 42),
            ("Control", 29),
            ("AltGraph", 100),
            ("CapsLock", 58),
        ] {
            assert_eq!(from_name(name), Some(Evdev(evdev)), "{name}");
        }
        for name in ["", "a", "ä", "Dead", "Process", "Unidentified"] {
            assert_eq!(from_name(name), None, "{name}");
        }
    }

    #[test]
    fn alt_on_the_right_is_altgr_only_when_the_key_says_so() {
        assert_eq!(
            DomModifier::of("AltGraph", "AltRight"),
            Some(DomModifier::AltGraph)
        );
        assert_eq!(DomModifier::of("Alt", "AltRight"), Some(DomModifier::Alt));
        assert_eq!(DomModifier::of("Meta", "AltLeft"), Some(DomModifier::Alt));
        assert_eq!(
            DomModifier::of("Control", "CapsLock"),
            Some(DomModifier::Control)
        );
        assert_eq!(DomModifier::of("a", "KeyA"), None);
    }
}
