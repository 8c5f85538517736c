//! The pointer's buttons and where it may be.

use vroom_desktop::{Evdev, InputEvent, KeyState, Size};

/// The pointer half of a translator: the buttons that are held, oldest first.
#[derive(Debug, Default)]
pub(crate) struct Pointer {
    held: Vec<Evdev>,
}

impl Pointer {
    /// Moves to a place, the nearest one inside the picture.
    pub(crate) fn motion(x: u16, y: u16, size: Size, out: &mut Vec<InputEvent>) {
        let (x, y) = clamp(x, y, size);
        out.push(InputEvent::PointerMotion { x, y });
    }

    /// Moves to a place and presses a button there.
    pub(crate) fn down(
        &mut self,
        at: (u16, u16),
        button: u8,
        size: Size,
        out: &mut Vec<InputEvent>,
    ) {
        let Some(code) = evdev(button) else {
            return;
        };
        Self::motion(at.0, at.1, size, out);
        if !self.held.contains(&code) {
            self.held.push(code);
            out.push(event(code, KeyState::Pressed));
        }
    }

    /// Moves to a place and releases a button there.
    pub(crate) fn up(&mut self, at: (u16, u16), button: u8, size: Size, out: &mut Vec<InputEvent>) {
        let Some(code) = evdev(button) else {
            return;
        };
        Self::motion(at.0, at.1, size, out);
        if let Some(index) = self.held.iter().position(|held| *held == code) {
            self.held.remove(index);
            out.push(event(code, KeyState::Released));
        }
    }

    /// Releases every button, the newest first.
    pub(crate) fn release_all(&mut self, out: &mut Vec<InputEvent>) {
        let held = self.held.drain(..).rev();
        out.extend(held.map(|code| event(code, KeyState::Released)));
    }

    pub(crate) fn is_idle(&self) -> bool {
        self.held.is_empty()
    }
}

/// The nearest place inside the picture.
pub(crate) fn clamp(x: u16, y: u16, size: Size) -> (f64, f64) {
    let nearest = |at: u16, side: u32| f64::from(u32::from(at).min(side.saturating_sub(1)));
    (nearest(x, size.width), nearest(y, size.height))
}

/// The evdev button of a DOM button; the DOM counts left, middle, right, back, forward.
fn evdev(button: u8) -> Option<Evdev> {
    let code = match button {
        0 => 0x110, // BTN_LEFT
        1 => 0x112, // BTN_MIDDLE
        2 => 0x111, // BTN_RIGHT
        3 => 0x113, // BTN_SIDE
        4 => 0x114, // BTN_EXTRA
        _ => return None,
    };
    Some(Evdev(code))
}

fn event(code: Evdev, state: KeyState) -> InputEvent {
    InputEvent::PointerButton { code, state }
}
