//! The rules that make the browser's keys the desktop's keys.

use vroom_desktop::{Evdev, InputEvent, KeyState, Layout};
use vroom_protocol::graphical::{Key, Modifiers};

use crate::compose::is_dead;
use crate::domkey::{self, DomModifier, Meaning};
use crate::keymap::{Keymap, KeymapError};
use crate::ledger::{Held, Ledger};
use crate::role::Role;
use crate::stroke::{Levels, Stroke};

/// The keyboard half of a translator.
///
/// A physical key is found by `code`. Where the desktop's layout would type another character than
/// the browser's did, the character decides: the key is found that types it, with Shift and AltGr
/// pressed or released around it, and where the layout has no such key the character goes as text.
pub(crate) struct Keyboard {
    keymap: Keymap,
    ledger: Ledger,
}

impl Keyboard {
    pub(crate) fn new(layout: &Layout) -> Result<Self, KeymapError> {
        Ok(Self {
            keymap: Keymap::new(layout)?,
            ledger: Ledger::default(),
        })
    }

    pub(crate) fn key_down(&mut self, key: &Key, out: &mut Vec<InputEvent>) {
        let code = domkey::from_code(&key.code);
        let source = code.or_else(|| domkey::from_name(&key.key));
        let modifier = DomModifier::of(&key.key, &key.code);
        self.release_lifted(key.modifiers, modifier, out);
        if modifier == Some(DomModifier::AltGraph) {
            self.drop_windows_control(key.modifiers, out);
        }
        if source.is_some_and(|source| self.ledger.has(source)) {
            // VROOM-Graphical §4.5: repeats are ignored; programs repeat by themselves.
            return;
        }
        self.sync_locks(key, source, out);
        if let Some(modifier) = modifier {
            self.modifier_down(modifier, source, out);
            return;
        }
        let press = match (Meaning::of(&key.key), code) {
            // What follows a dead key is part of one character; browsers differ in whether they
            // report the part or the whole.
            (_, Some(code)) if self.keymap.is_composing() => Some(code),
            (Meaning::Dead, Some(code)) => {
                // A layout without that accent would type something unrelated here. The browser
                // reports the whole character with the next key.
                is_dead(self.keymap.symbol(code)).then_some(code)
            }
            (Meaning::Dead, None) => None,
            (Meaning::Named, _) => source,
            (Meaning::Char(wanted), code) => self.char_key(wanted, code, out),
            (Meaning::Chars(text), _) => {
                self.text(text, out);
                None
            }
        };
        if let Some(code) = press {
            self.press_anew(code, out);
        }
        if let Some(source) = source {
            self.ledger.push(Held {
                source,
                modifier: None,
                with_meta: self.ledger.has_modifier(DomModifier::Meta),
                pressed: press,
            });
        } else if let Some(code) = press {
            // Nothing says which key-up belongs to a key without a code: it is typed at once.
            self.release(code, out);
        }
    }

    pub(crate) fn key_up(&mut self, key: &Key, out: &mut Vec<InputEvent>) {
        let code = domkey::from_code(&key.code);
        let source = code.or_else(|| domkey::from_name(&key.key));
        if let Some(held) = source.and_then(|source| self.ledger.take(source)) {
            if let Some(code) = held.pressed {
                self.release(code, out);
            }
            if held.modifier == Some(DomModifier::Meta) {
                self.release_unreported(out);
            }
        }
        self.release_lifted(key.modifiers, None, out);
    }

    pub(crate) fn text(&mut self, text: &str, out: &mut Vec<InputEvent>) {
        self.keymap.text();
        out.push(InputEvent::Text(text.to_owned()));
    }

    /// Releases every key, the newest first.
    pub(crate) fn release_all(&mut self, out: &mut Vec<InputEvent>) {
        while let Some(held) = self.ledger.take_newest(|_| true) {
            if let Some(code) = held.pressed {
                self.release(code, out);
            }
        }
    }

    pub(crate) fn is_idle(&self) -> bool {
        self.ledger.is_empty()
    }

    /// The key to hold for a character; types it at once where holding a key would not do.
    fn char_key(
        &mut self,
        wanted: char,
        code: Option<Evdev>,
        out: &mut Vec<InputEvent>,
    ) -> Option<Evdev> {
        let typed = code.and_then(|code| self.keymap.char(code));
        if typed == Some(wanted) {
            return code;
        }
        // AltGr is Ctrl and Alt together on Windows, where letters and digits are still shortcuts.
        let altgr = self.keymap.has_ctrl_alt() && !wanted.is_ascii_alphanumeric();
        let shortcut = self.keymap.has_shortcut_modifier() && !altgr;
        if shortcut && typed.is_some_and(|typed| same_letter(typed, wanted)) {
            return code;
        }
        let held = self.levels();
        let Some(stroke) = self.keymap.find(wanted, held) else {
            // A shortcut that the layout cannot express is known by its position.
            if shortcut {
                return code;
            }
            self.text(wanted.encode_utf8(&mut [0; 4]), out);
            return None;
        };
        if stroke.levels == held && !altgr {
            return Some(stroke.code);
        }
        self.tap(stroke, altgr, out);
        None
    }

    /// Types a character with its own modifiers, then restores those that are held.
    fn tap(&mut self, stroke: Stroke, altgr: bool, out: &mut Vec<InputEvent>) {
        let held = self.levels();
        let keys = self.ledger.pressed();
        let lifted: Vec<Evdev> = keys
            .filter(|code| match self.keymap.role(*code) {
                Role::Shift => !stroke.levels.shift,
                Role::Level3 => !stroke.levels.level3,
                Role::Control | Role::Alt => altgr,
                Role::Meta | Role::Other => false,
            })
            .collect();
        for code in lifted.iter().rev() {
            self.release(*code, out);
        }
        let level3 = (stroke.levels.level3 && !held.level3).then(|| self.keymap.level3_key());
        let shift = (stroke.levels.shift && !held.shift).then(|| self.keymap.shift_key());
        let added: Vec<Evdev> = level3.flatten().into_iter().chain(shift).collect();
        for code in &added {
            self.press(*code, out);
        }
        self.press_anew(stroke.code, out);
        self.release(stroke.code, out);
        for code in added.iter().rev() {
            self.release(*code, out);
        }
        for code in &lifted {
            self.press(*code, out);
        }
    }

    /// Presses the key that is this modifier on the desktop.
    fn modifier_down(
        &mut self,
        modifier: DomModifier,
        source: Option<Evdev>,
        out: &mut Vec<InputEvent>,
    ) {
        let Some(source) = source else {
            return;
        };
        let role = match modifier {
            DomModifier::Shift => Role::Shift,
            DomModifier::Control => Role::Control,
            DomModifier::Alt => Role::Alt,
            DomModifier::Meta => Role::Meta,
            DomModifier::AltGraph => Role::Level3,
        };
        let pressed = if self.keymap.role(source) == role {
            Some(source)
        } else if role == Role::Level3 {
            // A layout without AltGr: its characters are found one by one.
            None
        } else {
            self.keymap.key_for(role, source).or(Some(source))
        };
        let pressed = pressed.filter(|code| !self.ledger.is_pressed(*code));
        if let Some(code) = pressed {
            self.press(code, out);
        }
        self.ledger.push(Held {
            source,
            modifier: Some(modifier),
            with_meta: false,
            pressed,
        });
    }

    /// Windows presses Ctrl before AltGr and reports Ctrl and Alt for it; that Ctrl is no shortcut.
    fn drop_windows_control(&mut self, bits: Modifiers, out: &mut Vec<InputEvent>) {
        if !bits.contains(Modifiers::CTRL) || !bits.contains(Modifiers::ALT) {
            return;
        }
        let newest = self.ledger.newest().copied();
        if let Some(held) = newest
            && held.modifier == Some(DomModifier::Control)
            && let Some(code) = held.pressed
        {
            self.ledger.let_go(code);
            self.release(code, out);
        }
    }

    /// Releases the modifiers that the browser's byte says are up, except one.
    ///
    /// The exception is the modifier that the event itself speaks of: browsers differ in whether its
    /// own bit is set. AltGr has no bit and only goes up by itself.
    fn release_lifted(
        &mut self,
        bits: Modifiers,
        except: Option<DomModifier>,
        out: &mut Vec<InputEvent>,
    ) {
        for (modifier, bit) in MODIFIER_BITS {
            if bits.contains(bit) || except == Some(modifier) {
                continue;
            }
            while let Some(held) = self
                .ledger
                .take_newest(|held| held.modifier == Some(modifier))
            {
                if let Some(code) = held.pressed {
                    self.release(code, out);
                }
            }
        }
    }

    /// macOS reports no key-up for what is pressed together with Meta: Meta's own stands for them.
    fn release_unreported(&mut self, out: &mut Vec<InputEvent>) {
        while let Some(held) = self.ledger.take_newest(|held| held.with_meta) {
            if let Some(code) = held.pressed {
                self.release(code, out);
            }
        }
    }

    /// Makes Caps Lock and Num Lock of the desktop what they are at the browser.
    fn sync_locks(&mut self, key: &Key, source: Option<Evdev>, out: &mut Vec<InputEvent>) {
        let caps = key.modifiers.contains(Modifiers::CAPS_LOCK);
        // The key itself switches the lock, before or after the byte was made.
        if source != Some(KEY_CAPSLOCK) && caps != self.keymap.caps_lock() {
            self.keymap.set_caps_lock(caps);
            // A layout without the lock stays as it is.
            if caps == self.keymap.caps_lock() {
                out.push(InputEvent::Locks {
                    caps: Some(caps),
                    num: None,
                });
            }
        }
        if !source.is_some_and(domkey::keypad_follows_num_lock) || self.keymap.shift() {
            return;
        }
        let num = match Meaning::of(&key.key) {
            Meaning::Char(_) => true,
            Meaning::Named if !matches!(&*key.key, "" | "Process" | "Unidentified") => false,
            _ => return,
        };
        if num != self.keymap.num_lock() {
            self.keymap.set_num_lock(num);
            if num == self.keymap.num_lock() {
                out.push(InputEvent::Locks {
                    caps: None,
                    num: Some(num),
                });
            }
        }
    }

    fn levels(&self) -> Levels {
        let has = |role| {
            let mut keys = self.ledger.pressed();
            keys.any(|code| self.keymap.role(code) == role)
        };
        Levels {
            shift: has(Role::Shift),
            level3: has(Role::Level3),
        }
    }

    /// Presses a key; when another of the browser's keys holds it, that one lets it go first.
    fn press_anew(&mut self, code: Evdev, out: &mut Vec<InputEvent>) {
        if self.ledger.is_pressed(code) {
            self.ledger.let_go(code);
            self.release(code, out);
        }
        self.press(code, out);
    }

    fn press(&mut self, code: Evdev, out: &mut Vec<InputEvent>) {
        self.keymap.press(code);
        out.push(InputEvent::Key {
            code,
            state: KeyState::Pressed,
        });
    }

    fn release(&mut self, code: Evdev, out: &mut Vec<InputEvent>) {
        self.keymap.release(code);
        out.push(InputEvent::Key {
            code,
            state: KeyState::Released,
        });
    }
}

/// Whether two characters are the same but for their case.
fn same_letter(one: char, other: char) -> bool {
    one.to_lowercase().eq(other.to_lowercase())
}

/// The modifiers that have a bit in the browser's byte.
const MODIFIER_BITS: [(DomModifier, Modifiers); 4] = [
    (DomModifier::Shift, Modifiers::SHIFT),
    (DomModifier::Control, Modifiers::CTRL),
    (DomModifier::Alt, Modifiers::ALT),
    (DomModifier::Meta, Modifiers::META),
];

const KEY_CAPSLOCK: Evdev = Evdev(58);
