//! Keys, locks and our own shortcuts.

use smithay::backend::input::KeyState as SeatKeyState;
use smithay::input::keyboard::{
    FilterResult, KeyboardTarget as _, Keycode, KeysymHandle, ModifiersState, keysyms,
};
use smithay::utils::SERIAL_COUNTER;
use smithay::wayland::keyboard_shortcuts_inhibit::KeyboardShortcutsInhibitorSeat as _;
use vroom_desktop::{Evdev, KeyState};

use crate::shell::{Fill, LauncherKey, Snap, Window};
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
    /// Lets the focused window take a part of the desktop.
    Fill(Fill),
    /// Maximises the focused window.
    Larger,
    /// Makes the focused window smaller, or puts it away.
    Smaller,
    /// Opens the launcher, or closes it.
    Launcher,
    /// A key for the launcher.
    Launch(LauncherKey),
    /// Nothing: the press was a shortcut, this is its release.
    Swallowed,
}

impl State {
    /// Presses or releases a key.
    pub(super) fn key(&mut self, code: Evdev, state: KeyState) {
        let keycode = Keycode::new(u32::from(code.0) + XKB_OFFSET);
        if state == KeyState::Pressed {
            self.use_own_keymap();
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
                    let alone = data.input.super_alone.take() == Some(keycode);
                    return if data.input.swallowed.remove(&keycode) {
                        FilterResult::Intercept(Shortcut::Swallowed)
                    } else if alone {
                        // Programs see it go up all the same.
                        data.handle.insert_idle(Self::toggle_launcher);
                        FilterResult::Forward
                    } else {
                        FilterResult::Forward
                    };
                }
                let is_super = key
                    .raw_syms()
                    .iter()
                    .any(|sym| matches!(sym.raw(), keysyms::KEY_Super_L | keysyms::KEY_Super_R));
                data.input.super_alone = is_super.then_some(keycode);
                if data.seat.keyboard_shortcuts_inhibited() {
                    data.input.super_alone = None;
                    return FilterResult::Forward;
                }
                let own = shortcut(modifiers, &key);
                let own = own.or_else(|| data.launcher_shortcut(modifiers, &key));
                let Some(shortcut) = own else {
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
                if let Some(window) = self.focused() {
                    window.close();
                }
            }
            Shortcut::Launcher => self.toggle_launcher(),
            Shortcut::Launch(key) => self.launcher_key(key),
            Shortcut::Fill(fill) => self.fill_focused(|_| fill),
            Shortcut::Larger => self.fill_focused(|_| Fill::Maximized),
            Shortcut::Smaller => {
                let window = self.focused();
                if self.focused_fill() == Some(Fill::None) {
                    if let Some(window) = window {
                        self.minimize(&window);
                    }
                } else {
                    self.fill_focused(|_| Fill::None);
                }
            }
            Shortcut::Next => self.cycle(false),
            Shortcut::Previous => self.cycle(true),
            Shortcut::Swallowed => {}
        }
    }

    /// What a key means while the launcher is open.
    fn launcher_shortcut(
        &self,
        modifiers: &ModifiersState,
        key: &KeysymHandle<'_>,
    ) -> Option<Shortcut> {
        self.shell.launcher.as_ref()?;
        let is_modifier = key.raw_syms().iter().any(|sym| sym.is_modifier_key());
        let command = modifiers.ctrl || modifiers.logo;
        let key = LauncherKey::read(key, SeatKeyState::Pressed, command)?;
        (!is_modifier).then_some(Shortcut::Launch(key))
    }

    fn focused_fill(&self) -> Option<Fill> {
        let window = self.focused()?;
        self.fill(window.wl_surface()?)
    }

    /// Changes how the focused window fills a desktop.
    fn fill_focused(&mut self, change: impl FnOnce(Fill) -> Fill) {
        if !self.has_panel() {
            return;
        }
        let window = self.focused();
        if let Some(surface) = window.as_ref().and_then(Window::wl_surface)
            && let Some(fill) = self.fill(surface)
        {
            self.set_fill(surface, change(fill));
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
    pub(crate) fn tell_modifiers(&mut self, modifiers: ModifiersState) {
        if let Some(focus) = self.keyboard.current_focus() {
            let seat = self.seat.clone();
            focus.modifiers(&seat, self, modifiers, SERIAL_COUNTER.next_serial());
        }
    }
}

/// What a key press means to us.
fn shortcut(modifiers: &ModifiersState, key: &KeysymHandle<'_>) -> Option<Shortcut> {
    let is = |raw: u32| key.raw_syms().iter().any(|sym| sym.raw() == raw);
    if modifiers.logo && !modifiers.alt && !modifiers.ctrl && !modifiers.shift {
        return Some(match () {
            () if is(keysyms::KEY_Left) => Shortcut::Fill(Fill::Snapped(Snap::Left)),
            () if is(keysyms::KEY_Right) => Shortcut::Fill(Fill::Snapped(Snap::Right)),
            () if is(keysyms::KEY_Up) => Shortcut::Larger,
            () if is(keysyms::KEY_Down) => Shortcut::Smaller,
            () => return None,
        });
    }
    if modifiers.alt && !modifiers.ctrl && !modifiers.logo && is(keysyms::KEY_F1) {
        return Some(Shortcut::Launcher);
    }
    if !modifiers.alt || modifiers.ctrl || modifiers.logo {
        return None;
    }
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
