//! Keys, locks and our own shortcuts.

use smithay::backend::input::KeyState as SeatKeyState;
use smithay::input::keyboard::{
    FilterResult, KeyboardTarget as _, Keycode, KeysymHandle, ModifiersState, keysyms,
};
use smithay::utils::SERIAL_COUNTER;
use vroom_desktop::{Evdev, KeyState};

use crate::state::State;

/// What a key does instead of reaching a program.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Shortcut {
    /// Asks the focused window to close.
    Close,
    /// Gives the focus to the next window.
    Next,
    /// Gives the focus to the one before.
    Previous,
    /// Nothing: the press was a shortcut, this is its release.
    Swallowed,
}

impl State {
    /// Presses or releases a key.
    pub(super) fn key(&mut self, code: Evdev, state: KeyState) {
        let keycode = Keycode::new(u32::from(code.0) + XKB_OFFSET);
        if state == KeyState::Pressed {
            self.restore_key(keycode);
        }
        let shortcut = self.press(keycode, state);
        if let Some(shortcut) = shortcut {
            self.run(shortcut);
        }
        if !self.keyboard.modifier_state().alt {
            self.shell.cycle = None;
        }
    }

    /// Sends a key to the focused program unless it is a shortcut.
    fn press(&mut self, keycode: Keycode, state: KeyState) -> Option<Shortcut> {
        let keyboard = self.keyboard.clone();
        let time = self.time_ms();
        let pressed = state == KeyState::Pressed;
        keyboard.input(
            self,
            keycode,
            seat_state(state),
            SERIAL_COUNTER.next_serial(),
            time,
            |data, modifiers, key| {
                if !pressed {
                    return if data.input.swallowed.remove(&keycode) {
                        FilterResult::Intercept(Shortcut::Swallowed)
                    } else {
                        FilterResult::Forward
                    };
                }
                let Some(shortcut) = shortcut(modifiers, &key) else {
                    return FilterResult::Forward;
                };
                data.input.swallowed.insert(keycode);
                FilterResult::Intercept(shortcut)
            },
        )
    }

    fn run(&mut self, shortcut: Shortcut) {
        match shortcut {
            Shortcut::Close => {
                if let Some(window) = self.focused()
                    && let Some(toplevel) = window.toplevel()
                {
                    toplevel.send_close();
                }
            }
            Shortcut::Next => self.cycle(false),
            Shortcut::Previous => self.cycle(true),
            Shortcut::Swallowed => {}
        }
    }

    /// Locks or unlocks Caps Lock and Num Lock; `None` leaves one as it is.
    pub(super) fn set_locks(&mut self, caps: Option<bool>, num: Option<bool>) {
        let before = self.keyboard.modifier_state();
        let wanted = ModifiersState {
            caps_lock: caps.unwrap_or(before.caps_lock),
            num_lock: num.unwrap_or(before.num_lock),
            ..before
        };
        if wanted != before {
            self.keyboard.set_modifier_state(wanted);
            self.tell_modifiers(self.keyboard.modifier_state());
        }
    }

    /// Tells the focused program which modifiers are active.
    pub(super) fn tell_modifiers(&mut self, modifiers: ModifiersState) {
        if let Some(focus) = self.keyboard.current_focus() {
            let seat = self.seat.clone();
            focus.modifiers(&seat, self, modifiers, SERIAL_COUNTER.next_serial());
        }
    }
}

/// What a key press means to us.
fn shortcut(modifiers: &ModifiersState, key: &KeysymHandle<'_>) -> Option<Shortcut> {
    if !modifiers.alt || modifiers.ctrl || modifiers.logo {
        return None;
    }
    let is = |raw: u32| key.raw_syms().iter().any(|sym| sym.raw() == raw);
    if is(keysyms::KEY_F4) && !modifiers.shift {
        return Some(Shortcut::Close);
    }
    if is(keysyms::KEY_Tab) {
        return Some(if modifiers.shift {
            Shortcut::Previous
        } else {
            Shortcut::Next
        });
    }
    None
}

pub(super) const fn seat_state(state: KeyState) -> SeatKeyState {
    match state {
        KeyState::Pressed => SeatKeyState::Pressed,
        KeyState::Released => SeatKeyState::Released,
    }
}

/// What xkb adds to the codes of the Linux input layer.
pub(crate) const XKB_OFFSET: u32 = 8;
