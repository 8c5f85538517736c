//! Fingers.

use smithay::backend::input::TouchSlot;
use smithay::input::touch::{DownEvent, MotionEvent, UpEvent};
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
}

fn slot(id: u32) -> TouchSlot {
    TouchSlot::from(Some(id))
}
