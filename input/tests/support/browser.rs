//! What browsers report for a keyboard with some layout.

use keycode::{KeyMap, KeyMapping};
use vroom_desktop::{InputEvent, Layout};
use vroom_input::Translator;
use vroom_protocol::graphical::{Key, Modifiers};
use xkbcommon::xkb::{self, Keysym};

use super::keycode;

/// How a browser reports AltGr.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Style {
    /// As a key of its own without any bit.
    Linux,
    /// With Ctrl before it, and the bits of Ctrl and Alt.
    Windows,
}

/// A browser on a machine with a keyboard layout, connected to a translator.
pub struct Browser {
    pub translator: Translator,
    pub out: Vec<InputEvent>,
    state: xkb::State,
    style: Style,
}

impl Browser {
    pub fn new(browser: &str, session: &Layout, style: Style) -> Self {
        Self {
            translator: Translator::new(session).unwrap(),
            out: Vec::new(),
            state: xkb::State::new(&super::keymap(browser)),
            style,
        }
    }

    /// What the events since the last call were.
    pub fn take(&mut self) -> Vec<InputEvent> {
        std::mem::take(&mut self.out)
    }

    /// The symbol that a key types with these modifiers on the browser's keyboard.
    pub fn symbol(&self, evdev: u16, shift: bool, altgr: bool) -> Keysym {
        let mut state = xkb::State::new(&self.state.get_keymap());
        for (code, held) in [(SHIFT, shift), (ALT_RIGHT, altgr)] {
            if held {
                state.update_key(keycode(code), xkb::KeyDirection::Down);
            }
        }
        state.key_get_one_sym(keycode(evdev))
    }

    /// Whether the browser's layout has AltGr.
    pub fn has_altgr(&self) -> bool {
        self.symbol(ALT_RIGHT, false, false) == Keysym::ISO_Level3_Shift
    }

    /// Strikes a key with modifiers held around it.
    pub fn strike(&mut self, evdev: u16, shift: bool, altgr: bool) {
        self.strike_as(evdev, shift, altgr, None);
    }

    /// The same, with a browser that reports this `key` for it.
    pub fn strike_as(&mut self, evdev: u16, shift: bool, altgr: bool, key: Option<&str>) {
        if shift {
            self.down(SHIFT);
        }
        if altgr {
            if self.style == Style::Windows {
                self.down(CONTROL);
            }
            self.down(ALT_RIGHT);
        }
        self.down_as(evdev, key);
        self.up_as(evdev, key);
        if altgr {
            if self.style == Style::Windows {
                self.up(CONTROL);
            }
            self.up(ALT_RIGHT);
        }
        if shift {
            self.up(SHIFT);
        }
    }

    /// Holds keys in this order, then lets them go in the reverse order.
    pub fn chord(&mut self, codes: &[&str]) {
        for code in codes {
            self.down(super::evdev(code));
        }
        for code in codes.iter().rev() {
            self.up(super::evdev(code));
        }
    }

    pub fn down(&mut self, evdev: u16) {
        self.down_as(evdev, None);
    }

    pub fn up(&mut self, evdev: u16) {
        self.up_as(evdev, None);
    }

    fn down_as(&mut self, evdev: u16, key: Option<&str>) {
        // A modifier's own bit is set in its key-down and cleared in its key-up.
        let name = key.map_or_else(|| self.key(evdev), str::to_owned);
        self.state
            .update_key(keycode(evdev), xkb::KeyDirection::Down);
        let key = self.event(evdev, name);
        self.translator.key_down(&key, &mut self.out);
    }

    fn up_as(&mut self, evdev: u16, key: Option<&str>) {
        let name = key.map_or_else(|| self.key(evdev), str::to_owned);
        self.state.update_key(keycode(evdev), xkb::KeyDirection::Up);
        let key = self.event(evdev, name);
        self.translator.key_up(&key, &mut self.out);
    }

    fn event(&self, evdev: u16, key: String) -> Key {
        let active = |name: &str| {
            self.state
                .mod_name_is_active(name, xkb::STATE_MODS_EFFECTIVE)
        };
        let mut modifiers = Modifiers::NONE;
        for (name, bit) in [
            (xkb::MOD_NAME_SHIFT, Modifiers::SHIFT),
            (xkb::MOD_NAME_CTRL, Modifiers::CTRL),
            (xkb::MOD_NAME_ALT, Modifiers::ALT),
            (xkb::MOD_NAME_LOGO, Modifiers::META),
            (xkb::MOD_NAME_CAPS, Modifiers::CAPS_LOCK),
        ] {
            if active(name) {
                modifiers |= bit;
            }
        }
        if self.style == Style::Windows && active("Mod5") {
            modifiers |= Modifiers::CTRL | Modifiers::ALT;
        }
        let code = KeyMap::from_key_mapping(KeyMapping::Evdev(evdev))
            .unwrap()
            .code;
        Key {
            key,
            code: code.unwrap().to_string(),
            modifiers,
        }
    }

    /// The DOM `key` of a key now.
    fn key(&self, evdev: u16) -> String {
        let symbol = self.state.key_get_one_sym(keycode(evdev));
        let name = match symbol {
            Keysym::Shift_L | Keysym::Shift_R => "Shift",
            Keysym::Control_L | Keysym::Control_R => "Control",
            Keysym::Alt_L | Keysym::Alt_R => "Alt",
            Keysym::Meta_L | Keysym::Meta_R | Keysym::Super_L | Keysym::Super_R => "Meta",
            Keysym::ISO_Level3_Shift => "AltGraph",
            Keysym::Caps_Lock => "CapsLock",
            Keysym::Num_Lock => "NumLock",
            Keysym::Return | Keysym::KP_Enter => "Enter",
            Keysym::Tab | Keysym::ISO_Left_Tab => "Tab",
            Keysym::BackSpace => "Backspace",
            Keysym::Escape => "Escape",
            Keysym::Delete | Keysym::KP_Delete => "Delete",
            Keysym::Up | Keysym::KP_Up => "ArrowUp",
            Keysym::Down | Keysym::KP_Down => "ArrowDown",
            Keysym::Left | Keysym::KP_Left => "ArrowLeft",
            Keysym::Right | Keysym::KP_Right => "ArrowRight",
            Keysym::Home | Keysym::KP_Home => "Home",
            Keysym::End | Keysym::KP_End => "End",
            Keysym::Prior | Keysym::KP_Prior => "PageUp",
            Keysym::Next | Keysym::KP_Next => "PageDown",
            Keysym::Insert | Keysym::KP_Insert => "Insert",
            Keysym::KP_Begin => "Clear",
            _ => "",
        };
        if !name.is_empty() {
            return name.to_owned();
        }
        let symbol_name = xkb::keysym_get_name(symbol);
        if symbol_name.starts_with("dead_") {
            return "Dead".to_owned();
        }
        match char::from_u32(xkb::keysym_to_utf32(symbol)) {
            Some(char) if !char.is_control() => char.to_string(),
            _ if symbol_name.starts_with('F') => symbol_name,
            _ => "Unidentified".to_owned(),
        }
    }
}

const SHIFT: u16 = 42;
const CONTROL: u16 = 29;
const ALT_RIGHT: u16 = 100;
