//! The pointer, its buttons and its wheel.

use smithay::backend::input::{Axis, AxisSource, ButtonState};
use smithay::input::pointer::{
    AxisFrame, ButtonEvent, GrabStartData, MotionEvent, RelativeMotionEvent,
};
use smithay::utils::{Logical, Point, SERIAL_COUNTER, Serial};
use vroom_desktop::{Evdev, KeyState};

use crate::handlers::Freedom;
use crate::shell::ResizingEdge;
use crate::state::State;

impl State {
    /// Moves the pointer to a point of the picture.
    pub(super) fn pointer_to(&mut self, x: f64, y: f64) {
        let to = self.to_logical(x, y);
        let from = self
            .input
            .locked_at
            .unwrap_or_else(|| self.pointer.current_location());
        self.move_pointer(to, to - from, true);
    }

    /// Moves the pointer by pixels of the picture.
    pub(super) fn pointer_by(&mut self, dx: f64, dy: f64) {
        if !dx.is_finite() || !dy.is_finite() {
            return;
        }
        let scale = self.output.current_scale().fractional_scale();
        let delta = Point::from((dx / scale, dy / scale));
        let to = self.inside_output(self.pointer.current_location() + delta);
        self.move_pointer(to, delta, false);
    }

    fn move_pointer(
        &mut self,
        to: Point<f64, Logical>,
        delta: Point<f64, Logical>,
        absolute: bool,
    ) {
        self.input.pointer_is_known = true;
        let pointer = self.pointer.clone();
        let here = self.surface_under(pointer.current_location());
        let freedom = pointer
            .current_focus()
            .map_or(Freedom::Free, |surface| self.pointer_freedom(&surface));
        let relative = RelativeMotionEvent {
            delta,
            delta_unaccel: delta,
            utime: u64::from(self.time_ms()) * 1000,
        };
        let under = self.surface_under(to);
        let stays = match (&freedom, &here, &under) {
            (Freedom::Free, ..) => false,
            (Freedom::Locked, ..) => true,
            (Freedom::Confined, Some((surface, _)), Some((next, origin))) => {
                surface != next || !self.confinement_allows(surface, to - *origin)
            }
            (Freedom::Confined, ..) => true,
        };
        if stays {
            self.input.locked_at = absolute.then_some(to);
            pointer.relative_motion(self, here, &relative);
            pointer.frame(self);
            return;
        }
        self.input.locked_at = None;
        pointer.relative_motion(self, under.clone(), &relative);
        let event = MotionEvent {
            location: to,
            serial: SERIAL_COUNTER.next_serial(),
            time: self.time_ms(),
        };
        pointer.motion(self, under, &event);
        pointer.frame(self);
        if let Some(surface) = pointer.current_focus() {
            self.activate_constraint(&surface);
        }
    }

    /// Presses or releases a button.
    pub(super) fn button(&mut self, code: Evdev, state: KeyState) {
        let serial = SERIAL_COUNTER.next_serial();
        let pointer = self.pointer.clone();
        let pressed = state == KeyState::Pressed;
        if pressed && !pointer.is_grabbed() {
            self.press_window(code, serial);
        }
        let event = ButtonEvent {
            serial,
            time: self.time_ms(),
            button: u32::from(code.0),
            state: if pressed {
                ButtonState::Pressed
            } else {
                ButtonState::Released
            },
        };
        // A drag of ours has taken the focus from the program by now, so it does not see this.
        pointer.button(self, &event);
        pointer.frame(self);
    }

    /// Focuses the window under the pointer; with Alt or Super held starts to drag it.
    fn press_window(&mut self, code: Evdev, serial: Serial) {
        let location = self.pointer.current_location();
        let Some((surface, origin)) = self.surface_under(location) else {
            return;
        };
        let window = self.shell.space.element_under(location);
        let Some(window) = window.map(|(window, _)| window.clone()) else {
            return;
        };
        if self.focused().as_ref() != Some(&window) || !self.shell.is_topmost(&window) {
            self.focus(Some(&window));
        }
        let modifiers = self.keyboard.modifier_state();
        if !modifiers.alt && !modifiers.logo {
            return;
        }
        let start = GrabStartData {
            focus: Some((surface, origin)),
            button: u32::from(code.0),
            location,
        };
        if code == BTN_LEFT {
            self.start_move(&window, start, serial);
        } else if code == BTN_RIGHT
            && let Some(area) = self.shell.space.element_geometry(&window)
        {
            let edges = ResizingEdge::nearest(area, location);
            self.start_resize(&window, edges, start, serial);
        }
    }

    /// Turns the wheel by pixels, 120 of which are a notch.
    pub(super) fn scroll(&mut self, dx: f64, dy: f64) {
        let (rest_x, rest_y) = self.input.scroll_rest;
        let (x, rest_x) = whole_part(rest_x + dx);
        let (y, rest_y) = whole_part(rest_y + dy);
        self.input.scroll_rest = (rest_x, rest_y);
        if x == 0 && y == 0 {
            return;
        }
        let mut frame = AxisFrame::new(self.time_ms()).source(AxisSource::Wheel);
        for (axis, v120) in [(Axis::Horizontal, x), (Axis::Vertical, y)] {
            if v120 != 0 {
                let value = f64::from(v120) / NOTCH_V120 * NOTCH_VALUE;
                frame = frame.v120(axis, v120).value(axis, value);
            }
        }
        let pointer = self.pointer.clone();
        pointer.axis(self, frame);
        pointer.frame(self);
    }
}

/// Splits a number into its whole part, which is bounded, and the rest.
#[expect(
    clippy::cast_possible_truncation,
    reason = "the value is clamped to a few thousand before"
)]
fn whole_part(value: f64) -> (i32, f64) {
    if !value.is_finite() {
        return (0, 0.0);
    }
    let value = value.clamp(-SCROLL_MAX, SCROLL_MAX);
    (value.trunc() as i32, value.fract())
}

const BTN_LEFT: Evdev = Evdev(0x110);

const BTN_RIGHT: Evdev = Evdev(0x111);

/// What wl_pointer calls one notch of a wheel.
const NOTCH_V120: f64 = 120.0;

/// What programs scroll by for one notch, in their own pixels.
const NOTCH_VALUE: f64 = 15.0;

/// The furthest that one event scrolls: a hundred notches.
const SCROLL_MAX: f64 = 12_000.0;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scrolling_is_whole_and_bounded() {
        assert_eq!(whole_part(120.0), (120, 0.0));
        assert_eq!(whole_part(-0.5), (0, -0.5));
        assert_eq!(whole_part(1e300).0, 12_000);
        assert_eq!(whole_part(f64::NAN), (0, 0.0));
    }
}
