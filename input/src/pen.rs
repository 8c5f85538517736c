//! The pen near the screen.

use vroom_desktop::{Evdev, InputEvent, KeyState, PenMotion, PenTool, Size};
use vroom_protocol::graphical::{Pen, PenState};

/// The pen of a translator: which end of it is near, and what of it is pressed.
#[derive(Debug, Default)]
pub(crate) struct Stylus {
    near: Option<(PenTool, PenState)>,
}

impl Stylus {
    /// Follows the pen: what is let go first, then where it is now, then what is pressed there.
    pub(crate) fn update(&mut self, pen: Pen, size: Size, out: &mut Vec<InputEvent>) {
        let tool = if pen.state.contains(PenState::ERASER) {
            PenTool::Eraser
        } else {
            PenTool::Pen
        };
        if self.near.is_some_and(|(near, _)| near != tool) {
            self.leave(out);
        }
        let before = self.near.map_or(PenState::HOVERS, |(_, state)| state);
        self.near = Some((tool, pen.state));
        release(before, pen.state, out);
        out.push(InputEvent::PenMotion(PenMotion {
            tool,
            x: place(pen.x, size.width),
            y: place(pen.y, size.height),
            pressure: f64::from(pen.pressure) / f64::from(u16::MAX),
            tilt_x: pen.tilt_x.into(),
            tilt_y: pen.tilt_y.into(),
            rotation: pen.twist.into(),
        }));
        for (bit, code) in BUTTONS {
            if pen.state.contains(bit) && !before.contains(bit) {
                out.push(button(code, KeyState::Pressed));
            }
        }
    }

    /// Lets go of everything and takes the pen away, if it is there.
    pub(crate) fn leave(&mut self, out: &mut Vec<InputEvent>) {
        if let Some((_, before)) = self.near.take() {
            release(before, PenState::HOVERS, out);
            out.push(InputEvent::PenAway);
        }
    }

    pub(crate) fn is_idle(&self) -> bool {
        self.near.is_none()
    }
}

/// Lets go of what was pressed and is not any more.
fn release(before: PenState, now: PenState, out: &mut Vec<InputEvent>) {
    for (bit, code) in BUTTONS.into_iter().rev() {
        if before.contains(bit) && !now.contains(bit) {
            out.push(button(code, KeyState::Released));
        }
    }
}

/// The nearest place inside the picture, in pixels.
fn place(at: u32, side: u32) -> f64 {
    let last = f64::from(side) - 1.0 / PLACES_PER_PIXEL;
    (f64::from(at) / PLACES_PER_PIXEL).min(last).max(0.0)
}

fn button(code: u16, state: KeyState) -> InputEvent {
    let code = Evdev(code);
    InputEvent::PenButton { code, state }
}

/// What can be pressed, in the order in which it is: a program knows the buttons when the tip
/// comes down.
const BUTTONS: [(PenState, u16); 3] = [
    (PenState::LOWER, 0x14b), // BTN_STYLUS
    (PenState::UPPER, 0x14c), // BTN_STYLUS2
    (PenState::TIP, 0x14a),   // BTN_TOUCH
];

/// The fractions of a pixel that the wire tells.
const PLACES_PER_PIXEL: f64 = 256.0;
