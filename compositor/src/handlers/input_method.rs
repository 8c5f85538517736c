//! input-method: a program in the session that turns keys into text, such as fcitx or ibus.
//!
//! A person who looks at the desktop from afar usually has one at home, whose text arrives without
//! this; one in the session works, too.

use std::os::fd::AsFd as _;

use smithay::backend::input::KeyState;
use smithay::input::keyboard::{
    GrabStartData, KeyboardGrab, KeyboardInnerHandle, Keycode, ModifiersState,
};
use smithay::reexports::wayland_protocols_misc::zwp_input_method_v2::server::zwp_input_method_keyboard_grab_v2::{
    self, ZwpInputMethodKeyboardGrabV2,
};
use smithay::reexports::wayland_protocols_misc::zwp_input_method_v2::server::zwp_input_method_manager_v2::{
    self, ZwpInputMethodManagerV2,
};
use smithay::reexports::wayland_protocols_misc::zwp_input_method_v2::server::zwp_input_method_v2::{
    self, ZwpInputMethodV2,
};
use smithay::reexports::wayland_protocols_misc::zwp_input_method_v2::server::zwp_input_popup_surface_v2::{
    self, ZwpInputPopupSurfaceV2,
};
use smithay::reexports::wayland_server::backend::ClientId;
use smithay::reexports::wayland_server::protocol::wl_keyboard::{self, KeymapFormat};
use smithay::reexports::wayland_server::protocol::wl_surface::WlSurface;
use smithay::reexports::wayland_server::{
    Client, DataInit, Dispatch, DisplayHandle, GlobalDispatch, New, Resource,
};
use smithay::utils::{IsAlive as _, Logical, Point, SERIAL_COUNTER, Serial};
use smithay::wayland::compositor::give_role;

use super::sandbox::{self, Trusted};
use crate::input::{REPEAT_DELAY_MS, REPEAT_PER_SECOND, XKB_OFFSET};
use crate::keymap::keymap_file;
use crate::state::State;

/// The input method program, if there is one.
#[derive(Debug, Default)]
pub(crate) struct InputMethod {
    object: Option<ZwpInputMethodV2>,
    /// The `done`s sent so far, which its commits name.
    serial: u32,
    active: bool,
    grab: Option<ZwpInputMethodKeyboardGrabV2>,
    popup: Option<(ZwpInputPopupSurfaceV2, WlSurface)>,
}

impl InputMethod {
    fn done(&mut self) {
        if let Some(object) = &self.object {
            object.done();
            self.serial = self.serial.wrapping_add(1);
        }
    }
}

impl State {
    /// A text field is active and said something new about itself.
    pub(super) fn input_method_entered(&mut self, fresh: bool) {
        let (Some(object), Some(known)) = (&self.input_method.object, self.text_inputs.known())
        else {
            return;
        };
        if fresh {
            object.activate();
            self.input_method.active = true;
        }
        if let Some((text, cursor, anchor)) = known.surrounding {
            object.surrounding_text(text, cursor, anchor);
        }
        if let Some(cause) = known.cause {
            object.text_change_cause(cause);
        }
        if let Some((hint, purpose)) = known.content {
            object.content_type(hint, purpose);
        }
        if let (Some(caret), Some((popup, _))) = (known.caret, &self.input_method.popup) {
            popup.text_input_rectangle(0, -caret.size.h, caret.size.w, caret.size.h);
        }
        self.input_method.done();
        self.clock.want();
    }

    /// No text field is active any more.
    pub(super) fn input_method_left(&mut self) {
        if std::mem::take(&mut self.input_method.active)
            && let Some(object) = &self.input_method.object
        {
            object.deactivate();
            self.input_method.done();
        }
        self.clock.want();
    }

    /// The popup of the input method and where it belongs: below the caret.
    pub(crate) fn input_popup(&self) -> Option<(WlSurface, Point<i32, Logical>)> {
        let (_, surface) = self.input_method.popup.as_ref()?;
        let (focus, caret) = self.text_inputs.caret()?;
        if !surface.alive() {
            return None;
        }
        let origin = self.surface_origin(&focus)?.to_i32_round();
        let below = caret.loc + Point::from((0, caret.size.h));
        Some((surface.clone(), origin + below))
    }

    /// Tells a grabbing input method which keymap its keys are in.
    fn tell_grab_keymap(&self, grab: &ZwpInputMethodKeyboardGrabV2) {
        grab.repeat_info(REPEAT_PER_SECOND, REPEAT_DELAY_MS);
        match keymap_file(self.typist.present()) {
            Ok((file, size)) => grab.keymap(KeymapFormat::XkbV1, file.as_fd(), size),
            Err(error) => tracing::warn!(%error, "an input method got no keymap"),
        }
        tell_modifiers(grab, &self.keyboard.modifier_state());
    }
}

fn tell_modifiers(grab: &ZwpInputMethodKeyboardGrabV2, modifiers: &ModifiersState) {
    let mods = modifiers.serialized;
    grab.modifiers(
        SERIAL_COUNTER.next_serial().into(),
        mods.depressed,
        mods.latched,
        mods.locked,
        mods.layout_effective,
    );
}

/// Keys go to the input method; it hands on what it does not want.
struct Grab {
    object: ZwpInputMethodKeyboardGrabV2,
    start: GrabStartData<State>,
}

impl KeyboardGrab<State> for Grab {
    fn input(
        &mut self,
        data: &mut State,
        handle: &mut KeyboardInnerHandle<'_, State>,
        keycode: Keycode,
        state: KeyState,
        modifiers: Option<ModifiersState>,
        serial: Serial,
        time: u32,
    ) {
        if !self.object.is_alive() || !data.input_method.active {
            handle.input(data, keycode, state, modifiers, serial, time);
            return;
        }
        let state = match state {
            KeyState::Pressed => wl_keyboard::KeyState::Pressed,
            KeyState::Released => wl_keyboard::KeyState::Released,
        };
        let code = keycode.raw().saturating_sub(XKB_OFFSET);
        self.object.key(serial.into(), time, code, state);
        if let Some(modifiers) = modifiers {
            tell_modifiers(&self.object, &modifiers);
        }
    }

    fn set_focus(
        &mut self,
        data: &mut State,
        handle: &mut KeyboardInnerHandle<'_, State>,
        focus: Option<WlSurface>,
        serial: Serial,
    ) {
        handle.set_focus(data, focus, serial);
    }

    fn start_data(&self) -> &GrabStartData<State> {
        &self.start
    }

    fn unset(&mut self, _: &mut State) {}
}

/// Puts the global into the registry.
pub(super) fn offer(display: &DisplayHandle) {
    display.create_global::<State, ZwpInputMethodManagerV2, Trusted>(1, Trusted);
}

impl GlobalDispatch<ZwpInputMethodManagerV2, Trusted> for State {
    fn bind(
        _: &mut Self,
        _: &DisplayHandle,
        _: &Client,
        resource: New<ZwpInputMethodManagerV2>,
        _: &Trusted,
        data_init: &mut DataInit<'_, Self>,
    ) {
        data_init.init(resource, ());
    }

    fn can_view(client: Client, _: &Trusted) -> bool {
        sandbox::is_trusted(&client)
    }
}

impl Dispatch<ZwpInputMethodManagerV2, ()> for State {
    fn request(
        state: &mut Self,
        _: &Client,
        _: &ZwpInputMethodManagerV2,
        request: zwp_input_method_manager_v2::Request,
        (): &(),
        _: &DisplayHandle,
        data_init: &mut DataInit<'_, Self>,
    ) {
        let zwp_input_method_manager_v2::Request::GetInputMethod { input_method, .. } = request
        else {
            return;
        };
        let object = data_init.init(input_method, ());
        if state.input_method.object.is_some() {
            object.unavailable();
            return;
        }
        state.input_method = InputMethod {
            object: Some(object),
            ..InputMethod::default()
        };
        if state.text_inputs.is_active() {
            state.input_method_entered(true);
        }
    }
}

impl Dispatch<ZwpInputMethodV2, ()> for State {
    fn request(
        state: &mut Self,
        _: &Client,
        object: &ZwpInputMethodV2,
        request: zwp_input_method_v2::Request,
        (): &(),
        _: &DisplayHandle,
        data_init: &mut DataInit<'_, Self>,
    ) {
        use zwp_input_method_v2::Request;
        let ours = state.input_method.object.as_ref() == Some(object);
        match request {
            Request::GetInputPopupSurface { id, surface } => {
                let popup = data_init.init(id, ());
                if give_role(&surface, POPUP_ROLE).is_err() {
                    object.post_error(0u32, "the surface already has a role");
                } else if ours {
                    state.input_method.popup = Some((popup, surface));
                }
            }
            Request::GrabKeyboard { keyboard } => {
                let grab = data_init.init(keyboard, ());
                if !ours {
                    return;
                }
                state.tell_grab_keymap(&grab);
                state.input_method.grab = Some(grab.clone());
                let handle = state.keyboard.clone();
                let start = GrabStartData {
                    focus: handle.current_focus(),
                };
                let grab = Grab {
                    object: grab,
                    start,
                };
                handle.set_grab(state, grab, SERIAL_COUNTER.next_serial());
            }
            _ if !ours => {}
            Request::CommitString { text } => {
                state
                    .text_inputs
                    .with_active(|field| field.commit_string(Some(text)));
            }
            Request::SetPreeditString {
                text,
                cursor_begin,
                cursor_end,
            } => {
                state.text_inputs.with_active(|field| {
                    field.preedit_string(Some(text), cursor_begin, cursor_end);
                });
            }
            Request::DeleteSurroundingText {
                before_length,
                after_length,
            } => {
                state.text_inputs.with_active(|field| {
                    field.delete_surrounding_text(before_length, after_length);
                });
            }
            Request::Commit { serial } => {
                state.text_inputs.done(serial == state.input_method.serial);
            }
            _ => {}
        }
    }

    fn destroyed(state: &mut Self, _: ClientId, object: &ZwpInputMethodV2, (): &()) {
        if state.input_method.object.as_ref() == Some(object) {
            state.release_keyboard_grab();
            state.input_method = InputMethod::default();
            state.clock.want();
        }
    }
}

impl State {
    fn release_keyboard_grab(&mut self) {
        if self.input_method.grab.take().is_some() {
            let keyboard = self.keyboard.clone();
            keyboard.unset_grab(self);
        }
    }
}

impl Dispatch<ZwpInputMethodKeyboardGrabV2, ()> for State {
    fn request(
        _: &mut Self,
        _: &Client,
        _: &ZwpInputMethodKeyboardGrabV2,
        _: zwp_input_method_keyboard_grab_v2::Request,
        (): &(),
        _: &DisplayHandle,
        _: &mut DataInit<'_, Self>,
    ) {
    }

    fn destroyed(state: &mut Self, _: ClientId, object: &ZwpInputMethodKeyboardGrabV2, (): &()) {
        if state.input_method.grab.as_ref() == Some(object) {
            state.release_keyboard_grab();
        }
    }
}

impl Dispatch<ZwpInputPopupSurfaceV2, ()> for State {
    fn request(
        _: &mut Self,
        _: &Client,
        _: &ZwpInputPopupSurfaceV2,
        _: zwp_input_popup_surface_v2::Request,
        (): &(),
        _: &DisplayHandle,
        _: &mut DataInit<'_, Self>,
    ) {
    }

    fn destroyed(state: &mut Self, _: ClientId, object: &ZwpInputPopupSurfaceV2, (): &()) {
        let popup = &mut state.input_method.popup;
        if popup.as_ref().is_some_and(|(popup, _)| popup == object) {
            *popup = None;
            state.clock.want();
        }
    }
}

/// The role of an input method's popup.
const POPUP_ROLE: &str = "zwp_input_popup_surface_v2";
