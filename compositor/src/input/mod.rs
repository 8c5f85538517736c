//! What a person does, applied to the seat.

mod keyboard;
mod pointer;
mod text;
mod touch;

use std::collections::HashSet;
use std::time::Instant;

use smithay::input::keyboard::Keycode;
use smithay::utils::{Logical, Point};
use vroom_desktop::InputEvent;

use crate::state::State;

/// What input needs to remember between two events.
#[derive(Default)]
pub(crate) struct InputState {
    /// Whether the pointer was ever moved; before that it is over nothing.
    pub(crate) pointer_is_known: bool,
    /// Keys whose press was a shortcut of ours, so that programs do not see the release.
    swallowed: HashSet<Keycode>,
    /// Keys that are held and were told to programs.
    held: HashSet<Keycode>,
    /// Parts of a wheel's hundred-and-twentieth that were not sent yet.
    scroll_rest: (f64, f64),
    /// Where an absolute pointer last was while a program held the pointer in place.
    locked_at: Option<Point<f64, Logical>>,
}

impl State {
    /// Applies one input event.
    pub(crate) fn apply_input(&mut self, event: &InputEvent) {
        self.clock.input(Instant::now(), !event.is_motion());
        match event {
            InputEvent::Key { code, state } => self.key(*code, *state),
            InputEvent::Text(text) => self.type_text(text),
            InputEvent::Locks { caps, num } => self.set_locks(*caps, *num),
            InputEvent::PointerMotion { x, y } => self.pointer_to(*x, *y),
            InputEvent::PointerMotionRelative { dx, dy } => self.pointer_by(*dx, *dy),
            InputEvent::PointerButton { code, state } => self.button(*code, *state),
            InputEvent::Scroll { dx, dy } => self.scroll(*dx, *dy),
            InputEvent::TouchDown { id, x, y } => self.touch_down(*id, *x, *y),
            InputEvent::TouchMotion { id, x, y } => self.touch_motion(*id, *x, *y),
            InputEvent::TouchUp { id } => self.touch_up(*id),
            _ => tracing::debug!("an input event of a kind that is not known here"),
        }
    }

    /// A point of the picture in logical coordinates, on the output.
    fn to_logical(&self, x: f64, y: f64) -> Point<f64, Logical> {
        let scale = self.output.current_scale().fractional_scale();
        self.inside_output((x / scale, y / scale).into())
    }

    /// The point of the output that is nearest; what is no number is the origin.
    pub(crate) fn inside_output(&self, at: Point<f64, Logical>) -> Point<f64, Logical> {
        let area = self.output_area().size.to_f64();
        let clamp = |value: f64, side: f64| {
            if value.is_finite() {
                value.clamp(0.0, (side - EDGE).max(0.0))
            } else {
                0.0
            }
        };
        (clamp(at.x, area.w), clamp(at.y, area.h)).into()
    }
}

/// How far from the far edge the pointer stays, in logical pixels: it is always on a pixel.
const EDGE: f64 = 1.0 / 256.0;
