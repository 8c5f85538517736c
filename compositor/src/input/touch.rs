//! Fingers.

use smithay::backend::input::TouchSlot;
use smithay::input::touch::{DownEvent, MotionEvent, UpEvent};
use smithay::utils::SERIAL_COUNTER;

use crate::state::State;

impl State {
    /// A finger touched the picture.
    pub(super) fn touch_down(&mut self, id: u32, x: f64, y: f64) {
        let location = self.to_logical(x, y);
        let window = self.shell.space.element_under(location);
        let window = window.map(|(window, _)| window.clone());
        if window.is_some() && !self.pointer.is_grabbed() && self.focused() != window {
            self.focus(window.as_ref());
        }
        let under = self.surface_under(location);
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
        let event = UpEvent {
            slot: slot(id),
            serial: SERIAL_COUNTER.next_serial(),
            time: self.time_ms(),
        };
        let touch = self.touch.clone();
        touch.up(self, &event);
        touch.frame(self);
    }
}

fn slot(id: u32) -> TouchSlot {
    TouchSlot::from(Some(id))
}
