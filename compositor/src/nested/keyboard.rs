//! The host's keyboard while the window has it.
//!
//! Keys are passed on by their place on the keyboard; what they mean is decided by the layout of the
//! session, and not by that of the host.

use std::collections::BTreeSet;

use vroom_desktop::{InputEvent, KeyState};
use wayland_client::protocol::wl_keyboard::{self, WlKeyboard};
use wayland_client::{Connection, Dispatch, Proxy as _, QueueHandle, WEnum};

use super::window::View;

/// The keyboard and what it holds.
pub(super) struct Keyboard {
    device: WlKeyboard,
    held: BTreeSet<u16>,
    /// Caps Lock and Num Lock as they were passed on; `None` until the window is told them.
    locks: Option<(bool, bool)>,
}

impl Keyboard {
    pub(super) fn new(device: WlKeyboard) -> Self {
        Self {
            device,
            held: BTreeSet::new(),
            locks: None,
        }
    }
}

impl View {
    fn press_key(&mut self, code: u32, pressed: bool) {
        let (Ok(code), Some(keyboard)) = (u16::try_from(code), &mut self.devices.keyboard) else {
            return;
        };
        let (state, changes) = if pressed {
            let fits = keyboard.held.len() < KEYS;
            (KeyState::Pressed, fits && keyboard.held.insert(code))
        } else {
            (KeyState::Released, keyboard.held.remove(&code))
        };
        if changes {
            self.inject_key(code, state);
        }
    }

    /// Takes the locks of the host, which may have been changed while others had its keyboard.
    fn set_locks(&mut self, locked: u32) {
        let locks = (locked & LOCK != 0, locked & NUM_LOCK != 0);
        let Some(keyboard) = &mut self.devices.keyboard else {
            return;
        };
        if keyboard.locks.replace(locks) != Some(locks) {
            self.inject(InputEvent::Locks {
                caps: Some(locks.0),
                num: Some(locks.1),
            });
        }
    }

    /// Lets go of the keys that are held.
    fn release_keys(&mut self) {
        let Some(keyboard) = &mut self.devices.keyboard else {
            return;
        };
        keyboard.locks = None;
        for code in std::mem::take(&mut keyboard.held) {
            self.inject_key(code, KeyState::Released);
        }
    }

    /// The host has no keyboard any more.
    pub(super) fn lose_keyboard(&mut self) {
        self.release_keys();
        if let Some(keyboard) = self.devices.keyboard.take()
            && keyboard.device.version() >= RELEASE_SINCE
        {
            keyboard.device.release();
        }
    }
}

impl Dispatch<WlKeyboard, ()> for View {
    fn event(
        view: &mut Self,
        _: &WlKeyboard,
        event: wl_keyboard::Event,
        (): &(),
        _: &Connection,
        _: &QueueHandle<Self>,
    ) {
        match event {
            wl_keyboard::Event::Enter { keys, .. } => {
                let (keys, _) = keys.as_chunks::<4>();
                for key in keys.iter().map(|key| u32::from_ne_bytes(*key)) {
                    // Whoever clicks into the window with Ctrl means Ctrl; a letter that is still held
                    // was typed elsewhere, and Super was for the host.
                    if MODIFIERS.contains(&key) {
                        view.press_key(key, true);
                    }
                }
            }
            wl_keyboard::Event::Leave { .. } => view.release_keys(),
            wl_keyboard::Event::Key { key, state, .. } => match state {
                WEnum::Value(wl_keyboard::KeyState::Pressed) => view.press_key(key, true),
                WEnum::Value(wl_keyboard::KeyState::Released) => view.press_key(key, false),
                _ => {}
            },
            wl_keyboard::Event::Modifiers { mods_locked, .. } => view.set_locks(mods_locked),
            _ => {}
        }
    }
}

/// Both Ctrl, Shift and Alt keys.
const MODIFIERS: [u32; 6] = [29, 97, 42, 54, 56, 100];

/// Caps Lock in the modifiers of every keymap.
const LOCK: u32 = 1 << 1;

/// The modifier that Num Lock is in all keymaps that xkb comes with, `Mod2`.
const NUM_LOCK: u32 = 1 << 4;

/// The keys that are held at a time; one more is not passed on.
const KEYS: usize = 64;

/// The version of keyboards since which they can be given back.
const RELEASE_SINCE: u32 = 3;
