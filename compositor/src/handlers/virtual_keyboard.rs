//! virtual-keyboard: a program that types, such as wtype or an input method.
//!
//! It is served here and not by smithay, which maps a keymap's file without knowing its size.

use std::collections::HashSet;
use std::fs::File;
use std::os::fd::OwnedFd;
use std::os::unix::fs::FileExt as _;

use smithay::backend::input::KeyState;
use smithay::input::keyboard::{FilterResult, Keycode, ModifiersState, SerializedMods, xkb};
use smithay::reexports::wayland_protocols_misc::zwp_virtual_keyboard_v1::server::zwp_virtual_keyboard_manager_v1::{
    self, ZwpVirtualKeyboardManagerV1,
};
use smithay::reexports::wayland_protocols_misc::zwp_virtual_keyboard_v1::server::zwp_virtual_keyboard_v1::{
    self, Error, ZwpVirtualKeyboardV1,
};
use smithay::reexports::wayland_server::backend::{ClientId, ObjectId};
use smithay::reexports::wayland_server::protocol::wl_keyboard::KeymapFormat;
use smithay::reexports::wayland_server::{
    Client, DataInit, Dispatch, DisplayHandle, GlobalDispatch, New, Resource,
};
use smithay::utils::SERIAL_COUNTER;

use std::sync::{Mutex, PoisonError};

use super::sandbox::{self, Trusted};
use crate::input::XKB_OFFSET;
use crate::state::State;

/// What one virtual keyboard has told us.
#[derive(Debug, Default)]
pub(crate) struct VirtualKeyboard {
    keymap: Option<String>,
    held: HashSet<u32>,
}

/// Puts the global into the registry.
pub(super) fn offer(display: &DisplayHandle) {
    display.create_global::<State, ZwpVirtualKeyboardManagerV1, Trusted>(1, Trusted);
}

impl GlobalDispatch<ZwpVirtualKeyboardManagerV1, Trusted> for State {
    fn bind(
        _: &mut Self,
        _: &DisplayHandle,
        _: &Client,
        resource: New<ZwpVirtualKeyboardManagerV1>,
        _: &Trusted,
        data_init: &mut DataInit<'_, Self>,
    ) {
        data_init.init(resource, ());
    }

    fn can_view(client: Client, _: &Trusted) -> bool {
        sandbox::is_trusted(&client)
    }
}

impl Dispatch<ZwpVirtualKeyboardManagerV1, ()> for State {
    fn request(
        _: &mut Self,
        _: &Client,
        _: &ZwpVirtualKeyboardManagerV1,
        request: zwp_virtual_keyboard_manager_v1::Request,
        (): &(),
        _: &DisplayHandle,
        data_init: &mut DataInit<'_, Self>,
    ) {
        if let zwp_virtual_keyboard_manager_v1::Request::CreateVirtualKeyboard { id, .. } = request
        {
            data_init.init(id, Mutex::default());
        }
    }
}

impl Dispatch<ZwpVirtualKeyboardV1, Mutex<VirtualKeyboard>> for State {
    fn request(
        state: &mut Self,
        _: &Client,
        object: &ZwpVirtualKeyboardV1,
        request: zwp_virtual_keyboard_v1::Request,
        keyboard: &Mutex<VirtualKeyboard>,
        _: &DisplayHandle,
        _: &mut DataInit<'_, Self>,
    ) {
        use zwp_virtual_keyboard_v1::Request;
        let mut keyboard = keyboard.lock().unwrap_or_else(PoisonError::into_inner);
        match request {
            Request::Keymap { format, fd, size } => {
                if format != KeymapFormat::XkbV1 as u32 {
                    return;
                }
                keyboard.keymap = read_keymap(fd, size);
                state.input.foreign_keymap = None;
            }
            Request::Key {
                time,
                key,
                state: key_state,
            } => {
                let Some(keymap) = keyboard.keymap.clone() else {
                    return object.post_error(Error::NoKeymap, "a key came before the keymap");
                };
                let pressed = key_state == 1;
                if pressed {
                    keyboard.held.insert(key);
                } else if !keyboard.held.remove(&key) {
                    return;
                }
                if key < KEYS {
                    state.use_foreign_keymap(&object.id(), &keymap);
                    state.virtual_key(key, pressed, time);
                }
            }
            Request::Modifiers {
                mods_depressed: depressed,
                mods_latched: latched,
                mods_locked: locked,
                group,
            } => {
                let Some(keymap) = &keyboard.keymap else {
                    return object.post_error(Error::NoKeymap, "modifiers came before the keymap");
                };
                state.use_foreign_keymap(&object.id(), keymap);
                state.tell_modifiers(ModifiersState {
                    serialized: SerializedMods {
                        depressed,
                        latched,
                        locked,
                        layout_effective: group,
                    },
                    ..state.keyboard.modifier_state()
                });
            }
            _ => {}
        }
    }

    fn destroyed(
        state: &mut Self,
        _: ClientId,
        object: &ZwpVirtualKeyboardV1,
        keyboard: &Mutex<VirtualKeyboard>,
    ) {
        let held = {
            let mut keyboard = keyboard.lock().unwrap_or_else(PoisonError::into_inner);
            std::mem::take(&mut keyboard.held)
        };
        let time = state.time_ms();
        for key in held {
            state.virtual_key(key, false, time);
        }
        if state.input.foreign_keymap.as_ref() == Some(&object.id()) {
            state.use_own_keymap();
        }
    }
}

impl State {
    fn virtual_key(&mut self, key: u32, pressed: bool, time: u32) {
        let keyboard = self.keyboard.clone();
        let key_state = if pressed {
            KeyState::Pressed
        } else {
            KeyState::Released
        };
        // A virtual keyboard sends modifiers apart from keys, so keys have no shortcuts of ours.
        keyboard.input::<(), _>(
            self,
            Keycode::new(key + XKB_OFFSET),
            key_state,
            SERIAL_COUNTER.next_serial(),
            time,
            |_, _, _| FilterResult::Forward,
        );
    }

    /// Lets the seat have the keymap of a virtual keyboard, until a person presses a key.
    fn use_foreign_keymap(&mut self, owner: &ObjectId, keymap: &str) {
        if self.input.foreign_keymap.as_ref() == Some(owner) {
            return;
        }
        self.input.foreign_keymap = Some(owner.clone());
        self.change_keymap(keymap.to_owned());
    }

    /// Gives the seat its own keymap back.
    pub(crate) fn use_own_keymap(&mut self) {
        if self.input.foreign_keymap.take().is_some() {
            self.change_keymap(self.typist.present());
        }
    }
}

/// Reads a keymap that makes sense from a file, whatever the file turns out to be.
fn read_keymap(fd: OwnedFd, size: u32) -> Option<String> {
    let size = usize::try_from(size)
        .ok()
        .filter(|size| *size <= KEYMAP_BYTES)?;
    let file = File::from(fd);
    if !file.metadata().ok()?.is_file() {
        return None;
    }
    let mut bytes = vec![0; size];
    let mut filled = 0;
    while let Some(rest) = bytes.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match file.read_at(rest, filled as u64).ok()? {
            0 => break,
            count => filled += count,
        }
    }
    bytes.truncate(filled);
    let end = bytes.iter().position(|byte| *byte == 0);
    bytes.truncate(end.unwrap_or(filled));
    let text = String::from_utf8(bytes).ok()?;
    let context = xkb::Context::new(xkb::CONTEXT_NO_FLAGS);
    let (format, flags) = (xkb::KEYMAP_FORMAT_TEXT_V1, xkb::KEYMAP_COMPILE_NO_FLAGS);
    xkb::Keymap::new_from_string(&context, text.clone(), format, flags)?;
    Some(text)
}

/// The largest keymap.
const KEYMAP_BYTES: usize = 1024 * 1024;

/// Keys that there are; others are dropped.
const KEYS: u32 = 0x300;
