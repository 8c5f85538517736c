//! What the program turned on in the person's terminal, so that it can be turned off again.

use std::collections::BTreeSet;

/// Follows the output and remembers what has to be undone.
#[derive(Clone, Debug, Default)]
pub struct Trail {
    state: State,
    /// Parameters and intermediates of the sequence being read, as far as kept.
    sequence: Vec<u8>,
    /// Private modes that are on and normally off.
    on: BTreeSet<u16>,
    /// Private modes that are off and normally on.
    off: BTreeSet<u16>,
    keypad: bool,
    insert: bool,
    modify_keys: bool,
    cursor_style: bool,
    region: bool,
    colours: bool,
    charset: bool,
    hyperlink: bool,
    palette: BTreeSet<u8>,
    titles: u16,
    /// How many sets of kitty flags were pushed, on the main and the other screen.
    kitty: [u16; 2],
    kitty_set: [bool; 2],
}

#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
enum State {
    #[default]
    Ground,
    Escape,
    /// After `ESC (` and the like.
    Charset,
    Csi,
    /// OSC, whose beginning is kept.
    Osc,
    /// Another string, which is skipped.
    Skipped,
    /// ESC within a string.
    StringEscape {
        is_osc: bool,
    },
}

impl Trail {
    /// Follows bytes that go to the terminal, cut anywhere.
    pub fn push(&mut self, bytes: &[u8]) {
        let mut rest = bytes;
        while let Some((&byte, after)) = rest.split_first() {
            if self.state == State::Ground {
                // Nearly all of the output is text.
                let Some(at) = memchr::memchr2(0x0E, 0x1B, rest) else {
                    return;
                };
                if rest.get(at) == Some(&0x0E) {
                    self.charset = true;
                } else {
                    self.state = State::Escape;
                }
                rest = rest.get(at + 1..).unwrap_or_default();
                continue;
            }
            self.step(byte);
            rest = after;
        }
    }

    /// Whether the output stopped inside a sequence.
    #[must_use]
    pub fn is_inside(&self) -> bool {
        self.state != State::Ground
    }

    /// Whether the other screen is shown.
    #[must_use]
    pub fn is_alternate(&self) -> bool {
        ALTERNATE.iter().any(|mode| self.on.contains(mode))
    }

    /// What turns off all that was turned on, and forgets it.
    pub fn undo(&mut self) -> Vec<u8> {
        let mut out = Vec::new();
        match self.state {
            State::Ground => {}
            State::Osc | State::Skipped | State::StringEscape { .. } => {
                out.extend_from_slice(b"\x1b\\");
            }
            _ => out.push(CANCEL),
        }
        if self.on.contains(&SYNCHRONIZED) {
            out.extend_from_slice(b"\x1b[?2026l");
        }
        if self.hyperlink {
            out.extend_from_slice(b"\x1b]8;;\x1b\\");
        }
        if self.is_alternate() {
            self.undo_kitty_of(1, &mut out);
            let shown = ALTERNATE.iter().rev().find(|mode| self.on.contains(mode));
            let shown = shown.copied().unwrap_or(1049);
            out.extend_from_slice(format!("\x1b[?{shown}l").as_bytes());
        }
        self.undo_kitty_of(0, &mut out);
        for mode in &self.on {
            if !ALTERNATE.contains(mode) && *mode != SYNCHRONIZED {
                out.extend_from_slice(format!("\x1b[?{mode}l").as_bytes());
            }
        }
        for mode in &self.off {
            out.extend_from_slice(format!("\x1b[?{mode}h").as_bytes());
        }
        let flags: [(bool, &[u8]); 7] = [
            (self.keypad, b"\x1b>"),
            (self.insert, b"\x1b[4l"),
            (self.modify_keys, b"\x1b[>4m"),
            (self.cursor_style, b"\x1b[0 q"),
            // Setting the region moves the cursor, which is kept.
            (self.region, b"\x1b7\x1b[r\x1b8"),
            (self.charset, b"\x0f\x1b(B"),
            (self.colours, b"\x1b[m"),
        ];
        for (is_on, bytes) in flags {
            if is_on {
                out.extend_from_slice(bytes);
            }
        }
        for command in &self.palette {
            out.extend_from_slice(format!("\x1b]{}\x1b\\", u16::from(*command) + 100).as_bytes());
        }
        for _ in 0..self.titles {
            out.extend_from_slice(b"\x1b[23;0t");
        }
        *self = Self::default();
        out
    }

    fn undo_kitty_of(&self, screen: usize, out: &mut Vec<u8>) {
        let pushed = self.kitty.get(screen).copied().unwrap_or_default();
        if pushed > 0 {
            out.extend_from_slice(format!("\x1b[<{pushed}u").as_bytes());
        }
        if self.kitty_set.get(screen).copied().unwrap_or_default() {
            out.extend_from_slice(b"\x1b[=0;1u");
        }
    }

    fn step(&mut self, byte: u8) {
        // Begins or ends a sequence wherever it stands.
        match (self.state, byte) {
            (State::Osc, 0x1B) => {
                self.state = State::StringEscape { is_osc: true };
                return;
            }
            (State::Skipped, 0x1B) => {
                self.state = State::StringEscape { is_osc: false };
                return;
            }
            (State::StringEscape { is_osc }, byte) => {
                if is_osc {
                    self.end_osc();
                }
                self.state = State::Ground;
                if byte != b'\\' {
                    self.begin(byte);
                }
                return;
            }
            (_, CANCEL | 0x1A) => {
                self.state = State::Ground;
                return;
            }
            (_, 0x1B) => {
                self.state = State::Escape;
                return;
            }
            _ => {}
        }
        match self.state {
            State::Escape => self.begin(byte),
            State::Charset => {
                self.charset |= byte != b'B';
                self.state = State::Ground;
            }
            State::Csi => match byte {
                0x40..=0x7E => {
                    self.state = State::Ground;
                    self.end_csi(byte);
                }
                0x20..=0x3F => self.keep(byte),
                _ => {}
            },
            State::Osc if byte == 0x07 => {
                self.end_osc();
                self.state = State::Ground;
            }
            State::Osc => self.keep(byte),
            _ => {}
        }
    }

    /// After ESC.
    fn begin(&mut self, byte: u8) {
        self.sequence.clear();
        self.state = match byte {
            b'[' => State::Csi,
            b']' => State::Osc,
            b'P' | b'_' | b'^' | b'X' => State::Skipped,
            b'(' | b')' | b'*' | b'+' => State::Charset,
            // Intermediates: the sequence goes on.
            0x20..=0x2F => State::Escape,
            _ => State::Ground,
        };
        match byte {
            b'=' => self.keypad = true,
            b'>' => self.keypad = false,
            b'c' => *self = Self::default(),
            _ => {}
        }
    }

    fn keep(&mut self, byte: u8) {
        if self.sequence.len() < SEQUENCE_BYTES_MAX {
            self.sequence.push(byte);
        }
    }

    fn end_csi(&mut self, end: u8) {
        let sequence = std::mem::take(&mut self.sequence);
        let screen = usize::from(self.is_alternate());
        match (sequence.as_slice(), end) {
            ([b'?', modes @ ..], b'h') => self.set_private(modes, true),
            ([b'?', modes @ ..], b'l') => self.set_private(modes, false),
            ([b'>', ..], b'u') => {
                if let Some(pushed) = self.kitty.get_mut(screen) {
                    *pushed = (*pushed + 1).min(STACK_MAX);
                }
            }
            ([b'<', count @ ..], b'u') => {
                let count = number(count).unwrap_or(1).max(1);
                if let Some(pushed) = self.kitty.get_mut(screen) {
                    *pushed = pushed.saturating_sub(count);
                }
            }
            ([b'=', flags @ ..], b'u') => {
                if let Some(set) = self.kitty_set.get_mut(screen) {
                    *set = number(flags.split(|byte| *byte == b';').next().unwrap_or_default())
                        .unwrap_or(0)
                        != 0;
                }
            }
            ([b'>', b'4', rest @ ..], b'm') => {
                self.modify_keys = !matches!(rest, b"" | b";0");
            }
            ([style @ .., b' '], b'q') => self.cursor_style = !matches!(style, b"" | b"0"),
            (b"!", b'p') => {
                let titles = self.titles;
                let palette = std::mem::take(&mut self.palette);
                let on = std::mem::take(&mut self.on);
                *self = Self {
                    titles,
                    palette,
                    on,
                    ..Self::default()
                };
                // What a soft reset turns off; mouse and paste modes stay.
                for mode in [1, 6] {
                    self.on.remove(&mode);
                }
            }
            ([b'0'..=b'9' | b';', ..] | [], b'r') => self.region = !sequence.is_empty(),
            ([b'0'..=b'9' | b';' | b':', ..] | [], b'm') => {
                self.colours = !matches!(sequence.as_slice(), b"" | b"0");
            }
            (b"4", b'h') => self.insert = true,
            (b"4", b'l') => self.insert = false,
            ([b'2', b'2', ..], b't') => self.titles = (self.titles + 1).min(STACK_MAX),
            ([b'2', b'3', ..], b't') => self.titles = self.titles.saturating_sub(1),
            _ => {}
        }
    }

    fn set_private(&mut self, modes: &[u8], is_set: bool) {
        for mode in modes.split(|byte| *byte == b';').filter_map(number) {
            if NORMALLY_OFF.contains(&mode) {
                if is_set {
                    self.on.insert(mode);
                } else {
                    self.on.remove(&mode);
                }
            } else if NORMALLY_ON.contains(&mode) {
                if is_set {
                    self.off.remove(&mode);
                } else {
                    self.off.insert(mode);
                }
            }
        }
    }

    fn end_osc(&mut self) {
        let sequence = std::mem::take(&mut self.sequence);
        let mut parts = sequence.splitn(3, |byte| *byte == b';');
        let command = parts.next().unwrap_or_default();
        match command {
            b"8" => {
                let url = parts.nth(1).unwrap_or_default();
                self.hyperlink = !url.is_empty();
            }
            b"4" | b"10" | b"11" | b"12" => {
                // A question changes nothing.
                if !sequence.ends_with(b"?")
                    && let Some(command) =
                        number(command).and_then(|number| u8::try_from(number).ok())
                {
                    self.palette.insert(command);
                }
            }
            b"104" | b"110" | b"111" | b"112" => {
                if let Some(command) =
                    number(command).and_then(|number| u8::try_from(number - 100).ok())
                {
                    self.palette.remove(&command);
                }
            }
            _ => {}
        }
    }
}

fn number(digits: &[u8]) -> Option<u16> {
    std::str::from_utf8(digits).ok()?.parse().ok()
}

/// Makes any terminal as good as new without losing what is above the screen: what a repaint is
/// drawn on.
pub const FRESH: &[u8] = b"\x18\x1b\\\x1b[?2026l\x1b[<99u\x1b[=0;1u\x1b[?1049l\x1b[<99u\x1b[=0;1u\
\x1b[!p\x1b[?1;5;6;9;66;69;1000;1001;1002;1003;1004;1005;1006;1015;1016;2004l\x1b[?7;25h\x1b>\
\x1b[4l\x1b[20l\x1b[>4m\x1b[0 q\x1b[r\x0f\x1b(B\x1b)B\x1b[m\x1b]8;;\x1b\\\x1b]104\x1b\\\x1b]110\x1b\\\
\x1b]111\x1b\\\x1b]112\x1b\\\x1b[?5W\x1b[H\x1b[2J";

const CANCEL: u8 = 0x18;
const SYNCHRONIZED: u16 = 2026;

/// The modes that show the other screen.
const ALTERNATE: [u16; 3] = [47, 1047, 1049];

/// Modes that a fresh terminal has off and that are noticed when they stay on.
const NORMALLY_OFF: [u16; 23] = [
    1, 5, 6, 9, 47, 66, 69, 1000, 1001, 1002, 1003, 1004, 1005, 1006, 1015, 1016, 1047, 1049, 2004,
    2026, 2031, 2048, 5522,
];

/// Modes that a fresh terminal has on.
const NORMALLY_ON: [u16; 2] = [7, 25];

/// How much of a sequence is kept; the rest of a longer one is not looked at.
const SEQUENCE_BYTES_MAX: usize = 256;

/// The deepest stack that is counted; no terminal keeps as many.
const STACK_MAX: u16 = 99;

#[cfg(test)]
mod tests {
    use super::*;

    fn undo(output: &[u8]) -> String {
        let mut trail = Trail::default();
        trail.push(output);
        let whole = trail.undo();
        assert_eq!(trail.undo(), b"", "all is forgotten");
        for cut in 0..output.len() {
            let mut trail = Trail::default();
            trail.push(&output[..cut]);
            trail.push(&output[cut..]);
            assert_eq!(trail.undo(), whole, "cut at {cut}");
        }
        String::from_utf8(whole).unwrap()
    }

    #[test]
    fn what_was_left_as_it_was_needs_nothing() {
        assert_eq!(undo(b"plain text\r\n"), "");
        assert_eq!(undo(b"\x1b[?2004h\x1b[?2004l\x1b[1m\x1b[0m"), "");
        assert_eq!(undo(b"\x1b[?25l\x1b[?25h\x1b=\x1b>"), "");
        assert_eq!(undo(b"\x1b]10;?\x07\x1b]0;title\x07"), "");
    }

    #[test]
    fn modes_are_turned_off() {
        assert_eq!(
            undo(b"\x1b[?1000;1006h\x1b[?2004h\x1b[?25l"),
            "\x1b[?1000l\x1b[?1006l\x1b[?2004l\x1b[?25h"
        );
        assert_eq!(undo(b"\x1b[?1049h\x1b[31m"), "\x1b[?1049l\x1b[m");
    }

    #[test]
    fn kitty_flags_are_taken_off_both_screens() {
        assert_eq!(
            undo(b"\x1b[>1u\x1b[?1049h\x1b[>3u\x1b[>5u"),
            "\x1b[<2u\x1b[?1049l\x1b[<1u"
        );
        assert_eq!(undo(b"\x1b[>1u\x1b[<u"), "");
        assert_eq!(undo(b"\x1b[=5;1u"), "\x1b[=0;1u");
    }

    #[test]
    fn an_unfinished_sequence_is_ended_first() {
        assert_eq!(undo(b"\x1b[?25l\x1b]0;tit"), "\x1b\\\x1b[?25h");
        assert_eq!(undo(b"\x1b[31"), "\x18");
        assert_eq!(undo(b"\x1b_Gf=24;AAAA"), "\x1b\\");
    }

    #[test]
    fn a_full_reset_turns_off_all_by_itself() {
        assert_eq!(undo(b"\x1b[?1049h\x1b[>1u\x1bc"), "");
    }

    #[test]
    fn links_titles_and_colours_are_given_back() {
        assert_eq!(undo(b"\x1b]8;id=1;http://a\x1b\\x"), "\x1b]8;;\x1b\\");
        assert_eq!(undo(b"\x1b]8;;http://a\x07x\x1b]8;;\x07"), "");
        assert_eq!(
            undo(b"\x1b[22;0t\x1b]4;1;red\x07"),
            "\x1b]104\x1b\\\x1b[23;0t"
        );
    }
}
