//! Fingers.

use smithay::backend::input::TouchSlot;
use smithay::input::touch::{DownEvent, MotionEvent, UpEvent};
use smithay::reexports::wayland_server::Resource as _;
use smithay::reexports::wayland_server::protocol::wl_surface::WlSurface;
use smithay::reexports::wayland_server::protocol::wl_touch::WlTouch;
use smithay::utils::SERIAL_COUNTER;
use vroom_desktop::KeyState;

use super::pointer::BTN_LEFT;
use crate::shell::{Hit, Owner};
use crate::state::State;

impl State {
    /// A finger touched the picture.
    pub(super) fn touch_down(&mut self, id: u32, x: f64, y: f64) {
        let location = self.to_logical(x, y);
        let under = match self.hit(location) {
            Some(Hit::Frame(..) | Hit::Panel(_) | Hit::Launcher(_))
                if self.input.finger_as_pointer.is_none() =>
            {
                // These are ours; a finger does there what the pointer does.
                self.input.finger_as_pointer = Some(id);
                self.pointer_to(x, y);
                self.button(BTN_LEFT, KeyState::Pressed);
                return;
            }
            Some(Hit::Surface(surface, origin, owner)) => {
                self.focus_owner(&owner);
                Some((surface, origin))
            }
            _ => None,
        };
        if let Some((surface, _)) = &under
            && self.input.fingers.len() < FINGERS
            && let Some(client) = surface.client()
        {
            let at = (surface.clone(), client.id());
            self.input.fingers.insert(id, at);
        }
        let event = DownEvent {
            slot: slot(id),
            location,
            serial: SERIAL_COUNTER.next_serial(),
            time: self.time_ms(),
        };
        let touch = self.touch.clone();
        touch.down(self, under, &event);
        touch.frame(self);
    }

    /// A finger moved.
    pub(super) fn touch_motion(&mut self, id: u32, x: f64, y: f64) {
        if self.input.finger_as_pointer == Some(id) {
            return self.pointer_to(x, y);
        }
        let location = self.to_logical(x, y);
        let event = MotionEvent {
            slot: slot(id),
            location,
            time: self.time_ms(),
        };
        let under = self.surface_under(location);
        let touch = self.touch.clone();
        touch.motion(self, under, &event);
        touch.frame(self);
    }

    /// A finger was lifted.
    pub(super) fn touch_up(&mut self, id: u32) {
        if self.input.finger_as_pointer == Some(id) {
            self.input.finger_as_pointer = None;
            return self.button(BTN_LEFT, KeyState::Released);
        }
        self.input.fingers.remove(&id);
        let event = UpEvent {
            slot: slot(id),
            serial: SERIAL_COUNTER.next_serial(),
            time: self.time_ms(),
        };
        let touch = self.touch.clone();
        touch.up(self, &event);
        touch.frame(self);
    }

    /// Gives the keyboard to whose surface is touched.
    pub(super) fn focus_owner(&mut self, owner: &Owner) {
        match owner {
            Owner::Window(window) => {
                if !self.pointer.is_grabbed() && self.focused().as_ref() != Some(window) {
                    self.focus(Some(window));
                }
            }
            Owner::Layer(layer) if layer.can_receive_keyboard_focus() => {
                self.focus_layer(layer);
            }
            Owner::Layer(_) | Owner::Menu | Owner::Lock => {}
        }
    }

    /// Tells a program that fingers left its surface, which ended under them.
    pub(crate) fn lift_fingers(&mut self, gone: &WlSurface) {
        let lifted: Vec<_> = self
            .input
            .fingers
            .extract_if(|_, (surface, _)| surface == gone)
            .collect();
        let Some((_, (_, client))) = lifted.first() else {
            return;
        };
        let mut ids = Vec::new();
        let backend = self.display.backend_handle();
        let found = backend.with_all_objects_for(client.clone(), |id| ids.push(id));
        if found.is_err() {
            return;
        }
        let touches = ids.into_iter();
        let touches = touches.filter_map(|id| WlTouch::from_id(&self.display, id).ok());
        for touch in touches {
            for (finger, _) in &lifted {
                let serial = SERIAL_COUNTER.next_serial().into();
                touch.up(serial, self.time_ms(), slot(*finger).into());
            }
            touch.frame();
        }
    }
}

/// The fingers that are remembered; of more, a surface is not told that they left when it ends.
const FINGERS: usize = 64;

fn slot(id: u32) -> TouchSlot {
    TouchSlot::from(Some(id))
}
