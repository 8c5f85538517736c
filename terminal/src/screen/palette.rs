//! The colours that a program has changed.

use std::collections::BTreeMap;

/// What stands in a place of its own beside the 256 colours, named by its OSC.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub(super) enum Slot {
    Indexed(u8),
    Foreground,
    Background,
    Cursor,
}

/// The colours that differ from the user's own.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) struct Palette {
    /// At most one for each slot.
    pub(super) changed: BTreeMap<Slot, [u8; 3]>,
}

impl Slot {
    /// The slots of OSC 10, 11 and 12, in this order.
    pub(super) const SPECIAL: [Self; 3] = [Self::Foreground, Self::Background, Self::Cursor];

    /// How the slot is named in an OSC that sets it.
    pub(super) fn name(self) -> String {
        match self {
            Self::Indexed(index) => format!("4;{index}"),
            Self::Foreground => "10".to_owned(),
            Self::Background => "11".to_owned(),
            Self::Cursor => "12".to_owned(),
        }
    }

    /// The colour that a terminal has here as a rule: those of xterm.
    fn usual(self) -> [u8; 3] {
        const BASIC: [[u8; 3]; 16] = [
            [0, 0, 0],
            [205, 0, 0],
            [0, 205, 0],
            [205, 205, 0],
            [0, 0, 238],
            [205, 0, 205],
            [0, 205, 205],
            [229, 229, 229],
            [127, 127, 127],
            [255, 0, 0],
            [0, 255, 0],
            [255, 255, 0],
            [92, 92, 255],
            [255, 0, 255],
            [0, 255, 255],
            [255, 255, 255],
        ];
        let level = |value: u8| if value == 0 { 0 } else { 55 + 40 * value };
        match self {
            Self::Background => [0; 3],
            Self::Foreground | Self::Cursor => [229; 3],
            Self::Indexed(index @ 0..=15) => BASIC[usize::from(index)],
            Self::Indexed(index @ 16..=231) => {
                let index = index - 16;
                [level(index / 36), level(index / 6 % 6), level(index % 6)]
            }
            Self::Indexed(index) => [8 + 10 * (index - 232); 3],
        }
    }
}

impl Palette {
    /// The colour of a slot, in the words of an OSC.
    pub(super) fn spec(&self, slot: Slot) -> String {
        spec(self.changed.get(&slot).copied().unwrap_or(slot.usual()))
    }
}

/// A colour in the words of an OSC.
pub(super) fn spec([r, g, b]: [u8; 3]) -> String {
    format!("rgb:{r:02x}{r:02x}/{g:02x}{g:02x}/{b:02x}{b:02x}")
}

/// Reads `rgb:r/g/b` with one to four digits each, or `#rgb` with equally many each.
pub(super) fn parse(text: &str) -> Option<[u8; 3]> {
    let parts: Vec<&str> = match (text.strip_prefix("rgb:"), text.strip_prefix('#')) {
        (Some(parts), _) => parts.split('/').collect(),
        (_, Some(digits)) if digits.is_ascii() && digits.len() % 3 == 0 => {
            let len = digits.len() / 3;
            (0..3).map(|at| &digits[at * len..(at + 1) * len]).collect()
        }
        _ => return None,
    };
    let [r, g, b] = parts.try_into().ok()?;
    Some([level(r)?, level(g)?, level(b)?])
}

fn level(digits: &str) -> Option<u8> {
    if !(1..=4).contains(&digits.len()) || !digits.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    let value = u32::from_str_radix(digits, 16).ok()?;
    let most = (1_u32 << (4 * digits.len())) - 1;
    u8::try_from((value * 255 + most / 2) / most).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_are_read_in_all_their_lengths() {
        assert_eq!(parse("rgb:f/0/8"), Some([255, 0, 136]));
        assert_eq!(parse("rgb:ffff/0000/8080"), Some([255, 0, 128]));
        assert_eq!(parse("#102030"), Some([16, 32, 48]));
        assert_eq!(parse("#fff"), Some([255; 3]));
    }

    #[test]
    fn what_is_no_colour_is_refused() {
        for text in [
            "",
            "#",
            "red",
            "rgb:1/2",
            "rgb:12345/0/0",
            "#12",
            "rgb:+1/2/3",
            "#ä12",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_colour_survives_its_words() {
        for colour in [[0, 1, 2], [255, 128, 7]] {
            assert_eq!(parse(&spec(colour)), Some(colour));
        }
    }
}
