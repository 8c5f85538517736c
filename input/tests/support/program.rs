//! A program on the desktop, which reads keys as all programs do.

use std::ffi::OsStr;

use vroom_desktop::{InputEvent, KeyState, Layout};
use xkbcommon::xkb::{self, Keysym, compose};

use super::keycode;

/// A program with the focus.
pub struct Program {
    /// What was typed into it.
    pub text: String,
    /// The names of all symbols that were pressed together with Ctrl, Alt or Super.
    pub chords: Vec<String>,
    state: xkb::State,
    compose: compose::State,
}

impl Program {
    pub fn new(session: &Layout) -> Self {
        let context = xkb::Context::new(xkb::CONTEXT_NO_FLAGS);
        let locale = OsStr::new("en_US.UTF-8");
        let table =
            compose::Table::new_from_locale(&context, locale, compose::COMPILE_NO_FLAGS).unwrap();
        Self {
            text: String::new(),
            chords: Vec::new(),
            state: xkb::State::new(&super::keymap(&session.layout)),
            compose: compose::State::new(&table, compose::STATE_NO_FLAGS),
        }
    }

    /// Takes what the desktop gives to it.
    pub fn take(&mut self, events: &[InputEvent]) {
        for event in events {
            match event {
                InputEvent::Key {
                    code,
                    state: KeyState::Pressed,
                } => {
                    self.press(code.0);
                    let code = keycode(code.0);
                    self.state.update_key(code, xkb::KeyDirection::Down);
                }
                InputEvent::Key { code, .. } => {
                    self.state
                        .update_key(keycode(code.0), xkb::KeyDirection::Up);
                }
                InputEvent::Text(text) => self.text.push_str(text),
                InputEvent::Locks { caps, num } => {
                    self.lock(xkb::MOD_NAME_CAPS, *caps);
                    self.lock(xkb::MOD_NAME_NUM, *num);
                }
                other => panic!("a keyboard does not {other:?}"),
            }
        }
    }

    /// Whether a modifier is down.
    pub fn holds(&self, name: &str) -> bool {
        self.state
            .mod_name_is_active(name, xkb::STATE_MODS_DEPRESSED)
    }

    /// Whether a lock is on.
    pub fn is_locked(&self, name: &str) -> bool {
        self.state.mod_name_is_active(name, xkb::STATE_MODS_LOCKED)
    }

    fn press(&mut self, evdev: u16) {
        let symbol = self.state.key_get_one_sym(keycode(evdev));
        if symbol.is_modifier_key() || symbol == Keysym::ISO_Level3_Shift {
            return;
        }
        let mut chord = String::new();
        for (name, short) in [
            (xkb::MOD_NAME_CTRL, "Ctrl+"),
            (xkb::MOD_NAME_ALT, "Alt+"),
            (xkb::MOD_NAME_LOGO, "Super+"),
            (xkb::MOD_NAME_SHIFT, "Shift+"),
        ] {
            if self
                .state
                .mod_name_is_active(name, xkb::STATE_MODS_EFFECTIVE)
            {
                chord.push_str(short);
            }
        }
        let is_text = chord.is_empty() || chord == "Shift+";
        let typed = self.state.key_get_utf8(keycode(evdev));
        let typed = typed.trim_matches(char::is_control);
        if !is_text || typed.is_empty() && !xkb::keysym_get_name(symbol).starts_with("dead_") {
            self.chords.push(chord + &xkb::keysym_get_name(symbol));
            return;
        }
        self.compose.feed(symbol);
        match self.compose.status() {
            compose::Status::Composing | compose::Status::Cancelled => {}
            compose::Status::Composed => {
                self.text.push_str(&self.compose.utf8().unwrap_or_default());
            }
            compose::Status::Nothing => self.text.push_str(typed),
        }
    }

    fn lock(&mut self, name: &str, on: Option<bool>) {
        let Some(on) = on else { return };
        let bit = 1 << self.state.get_keymap().mod_get_index(name);
        let locked = self.state.serialize_mods(xkb::STATE_MODS_LOCKED);
        self.state.update_mask(
            self.state.serialize_mods(xkb::STATE_MODS_DEPRESSED),
            self.state.serialize_mods(xkb::STATE_MODS_LATCHED),
            if on { locked | bit } else { locked & !bit },
            0,
            0,
            0,
        );
    }
}
