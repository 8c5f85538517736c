//! Which keys type which text.

use std::collections::HashMap;
use std::fs::File;
use std::io::Write as _;

use nix::sys::memfd::{MemFdCreateFlag, memfd_create};
use smithay::input::keyboard::Keycode;
use smithay::input::keyboard::xkb;
use vroom_desktop::Layout;

/// Knows how to type any text on a keyboard of a given layout.
///
/// Characters that the layout has are typed with its own keys. Others are put on keys that
/// keyboards hardly have ([`POOL`]), by a keymap that extends the layout's. They stay there until
/// the keys are needed for other characters or a person presses one of them.
pub(crate) struct Typist {
    /// The layout's keymap as text.
    base: String,
    /// What the layout's own keys type.
    strokes: HashMap<char, Stroke>,
    /// The characters on the keys of the pool, and when each was last used.
    pool: Vec<Slot>,
    uses: u64,
}

/// One key with the modifiers that must be active.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Stroke {
    /// The key.
    pub(crate) keycode: Keycode,
    /// The mask of depressed modifiers.
    pub(crate) modifiers: u32,
}

/// How to type the beginning of a text.
#[derive(Debug, Default)]
pub(crate) struct Run {
    /// The keymap that is needed, when it is another one than before.
    pub(crate) keymap: Option<String>,
    /// What to press.
    pub(crate) strokes: Vec<Stroke>,
    /// The bytes of the text that this types.
    pub(crate) typed: usize,
}

#[derive(Clone, Copy, Debug)]
struct Slot {
    keycode: u32,
    name: &'static str,
    content: Option<char>,
    used: u64,
}

impl Typist {
    /// Makes a typist; `None` when xkb does not know the layout.
    pub(crate) fn new(layout: &Layout) -> Option<Self> {
        let context = xkb::Context::new(xkb::CONTEXT_NO_FLAGS);
        let keymap = xkb::Keymap::new_from_names(
            &context,
            "",
            &layout.model,
            &layout.layout,
            &layout.variant,
            (!layout.options.is_empty()).then(|| layout.options.clone()),
            xkb::KEYMAP_COMPILE_NO_FLAGS,
        )?;
        // A key is taken by its number and overridden by its name, which a keymap is free to
        // choose or to leave out.
        let pool = POOL.iter().filter_map(|&(keycode, name)| {
            let named = keymap.key_by_name(name)?;
            (named.raw() == keycode).then_some(Slot {
                keycode,
                name,
                content: None,
                used: 0,
            })
        });
        Some(Self {
            base: keymap.get_as_string(xkb::KEYMAP_FORMAT_TEXT_V1),
            strokes: own_strokes(&keymap),
            pool: pool.collect(),
            uses: 0,
        })
    }

    /// The keymap as it is now, as text.
    pub(crate) fn present(&self) -> String {
        self.keymap()
    }

    /// Plans how to type the beginning of a text, as much of it as one keymap allows.
    ///
    /// Control characters that no key types are left out.
    pub(crate) fn prepare(&mut self, text: &str) -> Run {
        self.uses += 1;
        let mut run = Run::default();
        let mut changed = false;
        for (at, character) in text.char_indices() {
            let stroke = match self.strokes.get(&character) {
                Some(stroke) => Some(*stroke),
                None if character.is_control() => None,
                None => match self.pooled(character, &mut changed) {
                    Some(stroke) => Some(stroke),
                    // All keys are needed for what comes before; the rest is another run.
                    None if !self.pool.is_empty() && at > 0 => break,
                    None => None,
                },
            };
            run.strokes.extend(stroke);
            run.typed = at + character.len_utf8();
        }
        run.keymap = changed.then(|| self.keymap());
        run
    }

    /// Gives a key of the pool its own meaning back; tells the keymap if that changes it.
    pub(crate) fn restore(&mut self, keycode: Keycode) -> Option<String> {
        let taken = self
            .pool
            .iter()
            .any(|slot| slot.keycode == keycode.raw() && slot.content.is_some());
        taken.then(|| {
            for slot in &mut self.pool {
                slot.content = None;
            }
            self.keymap()
        })
    }

    /// The key that types a character, put on one of the pool if it is not there yet.
    fn pooled(&mut self, character: char, changed: &mut bool) -> Option<Stroke> {
        let uses = self.uses;
        let there = self
            .pool
            .iter_mut()
            .find(|slot| slot.content == Some(character));
        let slot = match there {
            Some(slot) => slot,
            None => {
                let oldest = self.pool.iter_mut().min_by_key(|slot| slot.used);
                let slot = oldest.filter(|slot| slot.used < uses)?;
                slot.content = Some(character);
                *changed = true;
                slot
            }
        };
        slot.used = uses;
        Some(Stroke {
            keycode: Keycode::new(slot.keycode),
            modifiers: 0,
        })
    }

    /// The layout's keymap with the pool's keys overridden.
    fn keymap(&self) -> String {
        let mut keys = String::new();
        for slot in &self.pool {
            if let Some(character) = slot.content {
                let code = u32::from(character);
                let name = slot.name;
                keys.push_str(&format!("\treplace key <{name}> {{ [ U{code:04X} ] }};\n"));
            }
        }
        match section_end(&self.base, "xkb_symbols") {
            Some(at) if !keys.is_empty() => {
                let (before, after) = self.base.split_at(at);
                format!("{before}{keys}{after}")
            }
            _ => self.base.clone(),
        }
    }
}

/// A keymap in a file that can be sent to a program, and its size.
pub(crate) fn keymap_file(mut keymap: String) -> std::io::Result<(File, u32)> {
    keymap.push('\0');
    let fd = memfd_create(c"keymap", MemFdCreateFlag::MFD_CLOEXEC)?;
    let mut file = File::from(fd);
    file.write_all(keymap.as_bytes())?;
    let size = u32::try_from(keymap.len()).map_err(std::io::Error::other)?;
    Ok((file, size))
}

/// What each character of the first layout is typed with: the fewest modifiers, the lowest key.
fn own_strokes(keymap: &xkb::Keymap) -> HashMap<char, Stroke> {
    let mask = |name: &str| {
        let index = keymap.mod_get_index(name);
        if index == xkb::MOD_INVALID {
            0
        } else {
            1u32.checked_shl(index).unwrap_or(0)
        }
    };
    let (shift, level3) = (
        mask(xkb::MOD_NAME_SHIFT),
        mask(xkb::MOD_NAME_ISO_LEVEL3_SHIFT),
    );
    let mut strokes = HashMap::new();
    let mut state = xkb::State::new(keymap);
    for modifiers in [0, shift, level3, shift | level3] {
        state.update_mask(modifiers, 0, 0, 0, 0, 0);
        for raw in keymap.min_keycode().raw()..=keymap.max_keycode().raw().min(KEYCODE_MAX) {
            if POOL.iter().any(|(pool, _)| *pool == raw) || is_keypad(raw) {
                continue;
            }
            let keycode = Keycode::new(raw);
            // The character counts, not the keysym: many characters have several.
            let typed = char::from_u32(state.key_get_utf32(keycode));
            let character = typed.map(|typed| if typed == '\r' { '\n' } else { typed });
            // Text has lines and tabs; it presses neither Escape nor Delete.
            let is_text = |typed: &char| matches!(typed, '\n' | '\t') || !typed.is_control();
            if let Some(character) = character.filter(is_text) {
                strokes
                    .entry(character)
                    .or_insert(Stroke { keycode, modifiers });
            }
        }
    }
    strokes
}

/// Whether a key lies on the keypad, whose meaning depends on Num Lock.
const fn is_keypad(keycode: u32) -> bool {
    matches!(
        keycode,
        63 | 79..=91 | 104 | 106 | 125 | 126 | 129 | 187 | 188
    )
}

/// Where the closing brace of a section stands.
fn section_end(keymap: &str, section: &str) -> Option<usize> {
    let start = keymap.find(section)?;
    let mut depth = 0usize;
    let mut quoted = false;
    for (at, character) in keymap.get(start..)?.char_indices() {
        match character {
            '"' => quoted = !quoted,
            '{' if !quoted => depth += 1,
            '}' if !quoted => {
                depth = depth.checked_sub(1)?;
                if depth == 0 {
                    return Some(start + at);
                }
            }
            _ => {}
        }
    }
    None
}

/// Keys that take characters, as xkb numbers and names them.
///
/// They have a name in the keycodes section, a code below 256 and a DOM code: programs drop keys
/// that lack one of these.
const POOL: [(u32, &str); 12] = [
    (191, "FK13"),
    (192, "FK14"),
    (193, "FK15"),
    (194, "FK16"),
    (195, "FK17"),
    (196, "FK18"),
    (197, "FK19"),
    (198, "FK20"),
    (199, "FK21"),
    (200, "FK22"),
    (201, "FK23"),
    (202, "FK24"),
];

/// The highest keycode that X11 programs know.
const KEYCODE_MAX: u32 = 255;

#[cfg(test)]
mod tests {
    use super::*;

    fn typist(layout: &str) -> Typist {
        let layout = Layout {
            layout: layout.into(),
            ..Layout::default()
        };
        Typist::new(&layout).expect("a common layout")
    }

    /// Types a text and reads it back through the keymaps, as a program would.
    fn typed(typist: &mut Typist, text: &str) -> (String, usize) {
        let context = xkb::Context::new(xkb::CONTEXT_NO_FLAGS);
        let compile = |keymap: String| {
            let format = xkb::KEYMAP_FORMAT_TEXT_V1;
            let flags = xkb::KEYMAP_COMPILE_NO_FLAGS;
            let keymap = xkb::Keymap::new_from_string(&context, keymap, format, flags);
            xkb::State::new(&keymap.expect("the keymap compiles"))
        };
        let mut state = compile(typist.keymap());
        let (mut out, mut keymaps, mut rest) = (String::new(), 0, text);
        while !rest.is_empty() {
            let run = typist.prepare(rest);
            if let Some(keymap) = run.keymap {
                keymaps += 1;
                state = compile(keymap);
            }
            for stroke in run.strokes {
                state.update_mask(stroke.modifiers, 0, 0, 0, 0, 0);
                out.push_str(&state.key_get_utf8(stroke.keycode));
            }
            assert!(run.typed > 0, "every run types something");
            rest = &rest[run.typed..];
        }
        (out, keymaps)
    }

    #[test]
    fn the_layouts_own_keys_come_first() {
        let mut german = typist("de");
        assert_eq!(
            typed(&mut german, "Grüße @ 5 €, {}[]~ yz"),
            ("Grüße @ 5 €, {}[]~ yz".into(), 0)
        );
        assert_eq!(typed(&mut typist("us"), "a\tb\n"), ("a\tb\r".into(), 0));
    }

    #[test]
    fn missing_characters_cost_one_keymap() {
        let mut us = typist("us");
        let text = "äöü ÄÖÜ → 漢字 ^é";
        assert_eq!(typed(&mut us, text), (text.into(), 1));
        assert_eq!(typed(&mut us, text), (text.into(), 0), "they stay");
    }

    #[test]
    fn more_characters_than_keys_are_typed_in_runs() {
        let mut us = typist("us");
        let text: String = ('α'..='ω').chain('а'..='я').collect();
        let (out, keymaps) = typed(&mut us, &text);
        assert_eq!(out, text);
        assert_eq!(keymaps, text.chars().count().div_ceil(POOL.len()));
    }

    #[test]
    fn dead_keys_are_not_taken_for_their_characters() {
        let mut german = typist("de");
        assert_eq!(typed(&mut german, "^`´").0, "^`´");
    }

    #[test]
    fn a_pressed_key_of_the_pool_gets_its_meaning_back() {
        let mut us = typist("us");
        assert_eq!(us.restore(Keycode::new(191)), None);
        typed(&mut us, "ä");
        let keymap = us.restore(Keycode::new(191)).expect("it was taken");
        assert_eq!(keymap, us.base);
        assert_eq!(us.restore(Keycode::new(191)), None);
    }

    #[test]
    fn control_characters_are_left_out() {
        assert_eq!(typed(&mut typist("us"), "a\u{1}\u{7f}\u{1b}b").0, "ab");
        assert_eq!(typed(&mut typist("us"), "a\u{9d}b").0, "ab");
    }
}
