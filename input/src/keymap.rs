//! The desktop's keyboard: its layout, its state, and how to type a character on it.

use vroom_desktop::{Evdev, Layout};
use xkbcommon::xkb::{self, Keycode, Keysym};

use crate::compose::Compose;
use crate::role::Role;
use crate::stroke::{Levels, Stroke};

/// Why a layout cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeymapError {
    /// xkb knows no such layout, variant, model or option.
    #[error(
        "keyboard layout `{layout}`, variant `{variant}` is unknown; `localectl list-x11-keymap-layouts` shows those that exist"
    )]
    UnknownLayout {
        /// The layout that was asked for.
        layout: String,
        /// Its variant.
        variant: String,
    },
    /// A field of the layout holds a zero byte.
    #[error("a keyboard layout holds a zero byte")]
    ZeroByte,
}

/// The keyboard of the desktop, in the state that the keys sent so far left it in.
pub(crate) struct Keymap {
    keymap: xkb::Keymap,
    state: xkb::State,
    compose: Compose,
    shift: Evdev,
    level3: Option<Evdev>,
}

// SAFETY: the objects of libxkbcommon are not bound to a thread; only their reference counts are
// unguarded. Every object that shares one (context, keymap, table, states) is made in `new` and stays
// inside this value, and no method hands one out, so they are always on the same thread.
unsafe impl Send for Keymap {}

impl Keymap {
    /// Compiles a layout.
    pub(crate) fn new(layout: &Layout) -> Result<Self, KeymapError> {
        let fields = [
            &layout.layout,
            &layout.variant,
            &layout.model,
            &layout.options,
        ];
        if fields.iter().any(|field| field.contains('\0')) {
            return Err(KeymapError::ZeroByte);
        }
        let mut context = xkb::Context::new(xkb::CONTEXT_NO_FLAGS);
        // Our own error says it; the library would write to standard error.
        context.set_log_level(xkb::LogLevel::Critical);
        let keymap = xkb::Keymap::new_from_names(
            &context,
            "",
            layout.model.as_str(),
            layout.layout.as_str(),
            layout.variant.as_str(),
            (!layout.options.is_empty()).then(|| layout.options.clone()),
            xkb::KEYMAP_COMPILE_NO_FLAGS,
        );
        let keymap = keymap.ok_or_else(|| KeymapError::UnknownLayout {
            layout: layout.layout.clone(),
            variant: layout.variant.clone(),
        })?;
        let state = xkb::State::new(&keymap);
        let mut this = Self {
            compose: Compose::new(&context),
            keymap,
            state,
            shift: KEY_LEFTSHIFT,
            level3: None,
        };
        this.level3 = this.key_for(Role::Level3, KEY_RIGHTALT);
        this.shift = this
            .key_for(Role::Shift, KEY_LEFTSHIFT)
            .unwrap_or(KEY_LEFTSHIFT);
        Ok(this)
    }

    /// Follows a key that goes down.
    pub(crate) fn press(&mut self, code: Evdev) {
        self.compose.feed(self.symbol(code));
        self.state
            .update_key(keycode(code), xkb::KeyDirection::Down);
    }

    /// Follows a key that goes up.
    pub(crate) fn release(&mut self, code: Evdev) {
        self.state.update_key(keycode(code), xkb::KeyDirection::Up);
    }

    /// Follows text that was committed around the keyboard.
    pub(crate) fn text(&mut self) {
        self.compose.reset();
    }

    /// Whether the next key is the second half of an accented character.
    pub(crate) fn is_composing(&self) -> bool {
        self.compose.is_pending()
    }

    /// The symbol that a key would produce now.
    pub(crate) fn symbol(&self, code: Evdev) -> Keysym {
        self.state.key_get_one_sym(keycode(code))
    }

    /// The character that a key would produce now, without what Ctrl makes of it.
    pub(crate) fn char(&self, code: Evdev) -> Option<char> {
        char_of(self.symbol(code))
    }

    /// What a key does to the others, from its unshifted symbol.
    pub(crate) fn role(&self, code: Evdev) -> Role {
        let code = keycode(code);
        let layout = self.state.key_get_layout(code);
        if layout == xkb::LAYOUT_INVALID {
            return Role::Other;
        }
        let symbols = self.keymap.key_get_syms_by_level(code, layout, 0);
        symbols
            .first()
            .map_or(Role::Other, |symbol| Role::of(*symbol))
    }

    /// A key that has a role: the given one where possible.
    pub(crate) fn key_for(&self, role: Role, preferred: Evdev) -> Option<Evdev> {
        let rest = (1..=KEY_CODE_MAX).map(Evdev);
        std::iter::once(preferred)
            .chain(role.usual_keys())
            .chain(rest)
            .find(|code| self.role(*code) == role)
    }

    /// Whether a key would be a shortcut now and type nothing.
    pub(crate) fn has_shortcut_modifier(&self) -> bool {
        [xkb::MOD_NAME_CTRL, xkb::MOD_NAME_ALT, xkb::MOD_NAME_LOGO]
            .iter()
            .any(|name| self.is_active(name, xkb::STATE_MODS_EFFECTIVE))
    }

    /// Whether Ctrl and Alt are both down, which is AltGr on some systems.
    pub(crate) fn has_ctrl_alt(&self) -> bool {
        [xkb::MOD_NAME_CTRL, xkb::MOD_NAME_ALT]
            .iter()
            .all(|name| self.is_active(name, xkb::STATE_MODS_EFFECTIVE))
    }

    /// Whether Caps Lock is on.
    pub(crate) fn caps_lock(&self) -> bool {
        self.is_active(xkb::MOD_NAME_CAPS, xkb::STATE_MODS_LOCKED)
    }

    /// Whether Num Lock is on.
    pub(crate) fn num_lock(&self) -> bool {
        self.is_active(xkb::MOD_NAME_NUM, xkb::STATE_MODS_LOCKED)
    }

    /// Whether Shift is down.
    pub(crate) fn shift(&self) -> bool {
        self.is_active(xkb::MOD_NAME_SHIFT, xkb::STATE_MODS_EFFECTIVE)
    }

    /// Turns Caps Lock on or off.
    pub(crate) fn set_caps_lock(&mut self, on: bool) {
        self.set_lock(xkb::MOD_NAME_CAPS, on);
    }

    /// Turns Num Lock on or off.
    pub(crate) fn set_num_lock(&mut self, on: bool) {
        self.set_lock(xkb::MOD_NAME_NUM, on);
    }

    /// The key that stands for temporary Shift.
    pub(crate) fn shift_key(&self) -> Evdev {
        self.shift
    }

    /// The key that stands for temporary AltGr, where the layout has one.
    pub(crate) fn level3_key(&self) -> Option<Evdev> {
        self.level3
    }

    /// How to type a character with the locks as they are, changing as few held modifiers as can be.
    pub(crate) fn find(&self, wanted: char, held: Levels) -> Option<Stroke> {
        let mut choices = Levels::ALL;
        choices.sort_by_key(|levels| levels.distance(held));
        choices.into_iter().find_map(|levels| {
            let scratch = self.scratch(levels)?;
            let code = TYPING_KEYS.iter().copied().find(|code| {
                let symbol = scratch.key_get_one_sym(keycode(Evdev(*code)));
                char_of(symbol) == Some(wanted)
            })?;
            Some(Stroke {
                code: Evdev(code),
                levels,
            })
        })
    }

    /// A state with the present locks and layout and these modifiers down; `None` without such keys.
    fn scratch(&self, levels: Levels) -> Option<xkb::State> {
        let mut scratch = xkb::State::new(&self.keymap);
        scratch.update_mask(
            0,
            0,
            self.state.serialize_mods(xkb::STATE_MODS_LOCKED),
            0,
            0,
            self.state.serialize_layout(xkb::STATE_LAYOUT_EFFECTIVE),
        );
        if levels.level3 {
            scratch.update_key(keycode(self.level3?), xkb::KeyDirection::Down);
        }
        if levels.shift {
            scratch.update_key(keycode(self.shift), xkb::KeyDirection::Down);
        }
        Some(scratch)
    }

    fn is_active(&self, name: &str, component: xkb::StateComponent) -> bool {
        self.state.mod_name_is_active(name, component)
    }

    fn set_lock(&mut self, name: &str, on: bool) {
        let index = self.keymap.mod_get_index(name);
        let Some(bit) = 1u32.checked_shl(index) else {
            return;
        };
        let locked = self.state.serialize_mods(xkb::STATE_MODS_LOCKED);
        self.state.update_mask(
            self.state.serialize_mods(xkb::STATE_MODS_DEPRESSED),
            self.state.serialize_mods(xkb::STATE_MODS_LATCHED),
            if on { locked | bit } else { locked & !bit },
            self.state.serialize_layout(xkb::STATE_LAYOUT_DEPRESSED),
            self.state.serialize_layout(xkb::STATE_LAYOUT_LATCHED),
            self.state.serialize_layout(xkb::STATE_LAYOUT_LOCKED),
        );
    }
}

/// xkb counts keys from 8 where evdev counts from 0.
fn keycode(code: Evdev) -> Keycode {
    Keycode::new(u32::from(code.0) + 8)
}

fn char_of(symbol: Keysym) -> Option<char> {
    match xkb::keysym_to_utf32(symbol) {
        0 => None,
        value => char::from_u32(value).filter(|char| !char.is_control()),
    }
}

/// The keys that type on every keyboard. Others may have characters in a layout, but programs that
/// know keys by their position ignore those.
const TYPING_KEYS: [u16; 51] = [
    41, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, // ` 1 … =
    16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, // Q … ]
    30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40, 43, // A … ' \
    86, 44, 45, 46, 47, 48, 49, 50, 51, 52, 53, // < Z … /
    57, 89, 124, // space and the two Japanese keys
];

const KEY_LEFTSHIFT: Evdev = Evdev(42);
const KEY_RIGHTALT: Evdev = Evdev(100);

/// The last code that X11 programs can see.
const KEY_CODE_MAX: u16 = 247;

#[cfg(test)]
mod tests {
    use super::*;

    fn keymap(layout: &str) -> Keymap {
        let layout = Layout {
            layout: layout.into(),
            ..Layout::default()
        };
        Keymap::new(&layout).unwrap()
    }

    #[test]
    fn an_unknown_layout_is_an_error() {
        let layout = Layout {
            layout: "no-such-layout".into(),
            ..Layout::default()
        };
        assert!(matches!(
            Keymap::new(&layout),
            Err(KeymapError::UnknownLayout { .. })
        ));
        let layout = Layout {
            layout: "us\0".into(),
            ..Layout::default()
        };
        assert!(matches!(Keymap::new(&layout), Err(KeymapError::ZeroByte)));
    }

    #[test]
    fn characters_are_found_with_their_modifiers() {
        let found = |layout: &str, wanted: char| {
            let stroke = keymap(layout).find(wanted, Levels::default())?;
            Some((stroke.code.0, stroke.levels.shift, stroke.levels.level3))
        };
        assert_eq!(found("us", '@'), Some((3, true, false)));
        assert_eq!(found("de", '@'), Some((16, false, true)));
        assert_eq!(found("de", 'z'), Some((21, false, false)));
        assert_eq!(found("us", '€'), None);
        assert_eq!(found("us", 'ä'), None);
    }

    #[test]
    fn caps_lock_changes_how_a_letter_is_found() {
        let mut keymap = keymap("us");
        keymap.set_caps_lock(true);
        assert!(keymap.caps_lock());
        let stroke = keymap.find('a', Levels::default()).unwrap();
        assert!(stroke.levels.shift);
    }

    #[test]
    fn altgr_is_where_the_layout_has_it() {
        assert_eq!(keymap("de").role(KEY_RIGHTALT), Role::Level3);
        assert_eq!(keymap("us").role(KEY_RIGHTALT), Role::Alt);
    }

    #[test]
    fn the_second_key_of_an_accent_is_awaited() {
        let mut keymap = keymap("de");
        keymap.press(Evdev(13));
        keymap.release(Evdev(13));
        assert!(keymap.is_composing());
        keymap.press(Evdev(18));
        assert!(!keymap.is_composing());
    }
}
