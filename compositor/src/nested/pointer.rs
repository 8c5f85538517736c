//! The host's pointer over the window.

use std::collections::BTreeSet;

use vroom_desktop::{DesktopEvent, Evdev, InputEvent, KeyState};
use wayland_client::protocol::wl_pointer::{self, Axis, ButtonState, WlPointer};
use wayland_client::{Connection, Dispatch, Proxy as _, QueueHandle, WEnum};

use super::window::View;

/// The pointer and what it holds.
pub(super) struct Pointer {
    pub(super) device: WlPointer,
    /// The number of the event by which it came over the window; `None` while it is elsewhere.
    pub(super) entered: Option<u32>,
    held: BTreeSet<u16>,
    wheel: Wheel,
}

impl Pointer {
    pub(super) fn new(device: WlPointer) -> Self {
        Self {
            device,
            entered: None,
            held: BTreeSet::new(),
            wheel: Wheel::default(),
        }
    }
}

/// How the wheel was turned since the last complete report: across and down.
///
/// A host tells notches, parts of notches, or only how far to scroll; the first that it tells counts.
#[derive(Debug, Default)]
struct Wheel {
    notches: [Option<f64>; 2],
    distance: [f64; 2],
}

impl Wheel {
    /// What one report comes to, in 120ths of a notch.
    fn take(&mut self) -> Option<InputEvent> {
        let Self { notches, distance } = std::mem::take(self);
        let [dx, dy] = [0, 1].map(|axis: usize| {
            let far = distance.get(axis).copied().unwrap_or_default() * NOTCH / NOTCH_DISTANCE;
            notches.get(axis).copied().flatten().unwrap_or(far)
        });
        (dx != 0.0 || dy != 0.0).then_some(InputEvent::Scroll { dx, dy })
    }

    fn turn(&mut self, axis: WEnum<Axis>, parts: f64) {
        if let Some(notches) = self.notches.get_mut(index(axis)) {
            *notches = Some(notches.unwrap_or_default() + parts);
        }
    }

    fn move_by(&mut self, axis: WEnum<Axis>, value: f64) {
        if let Some(distance) = self.distance.get_mut(index(axis)) {
            *distance += value;
        }
    }
}

fn index(axis: WEnum<Axis>) -> usize {
    usize::from(axis == WEnum::Value(Axis::VerticalScroll))
}

impl View {
    fn move_pointer(&mut self, x: f64, y: f64) {
        self.afar.move_to(None);
        let (x, y) = self.to_desktop(x, y);
        self.inject(InputEvent::PointerMotion { x, y });
        // Others see where it is.
        (self.shared.events)(DesktopEvent::PointerMoved { x, y });
    }

    fn press_button(&mut self, code: u32, state: WEnum<ButtonState>) {
        let (Ok(code), Some(pointer)) = (u16::try_from(code), &mut self.devices.pointer) else {
            return;
        };
        let (state, changes) = match state {
            WEnum::Value(ButtonState::Pressed) => {
                let fits = pointer.held.len() < BUTTONS;
                (KeyState::Pressed, fits && pointer.held.insert(code))
            }
            _ => (KeyState::Released, pointer.held.remove(&code)),
        };
        if changes {
            let code = Evdev(code);
            self.inject(InputEvent::PointerButton { code, state });
        }
    }

    fn turn_wheel(&mut self) {
        let pointer = self.devices.pointer.as_mut();
        if let Some(event) = pointer.and_then(|pointer| pointer.wheel.take()) {
            self.inject(event);
        }
    }

    /// Lets go of the buttons that are held.
    fn release_buttons(&mut self) {
        let pointer = self.devices.pointer.as_mut();
        let held = pointer.map(|pointer| std::mem::take(&mut pointer.held));
        for code in held.into_iter().flatten() {
            self.inject(InputEvent::PointerButton {
                code: Evdev(code),
                state: KeyState::Released,
            });
        }
    }

    /// The host has no pointer any more.
    pub(super) fn lose_pointer(&mut self) {
        self.release_buttons();
        self.lock.let_go();
        if let Some(pointer) = self.devices.pointer.take()
            && pointer.device.version() >= RELEASE_SINCE
        {
            pointer.device.release();
        }
    }
}

impl Dispatch<WlPointer, ()> for View {
    fn event(
        view: &mut Self,
        device: &WlPointer,
        event: wl_pointer::Event,
        (): &(),
        _: &Connection,
        _: &QueueHandle<Self>,
    ) {
        let Some(pointer) = &mut view.devices.pointer else {
            return;
        };
        match event {
            wl_pointer::Event::Enter {
                serial,
                surface_x,
                surface_y,
                ..
            } => {
                pointer.entered = Some(serial);
                view.show_cursor();
                view.move_pointer(surface_x, surface_y);
            }
            wl_pointer::Event::Leave { .. } => {
                pointer.entered = None;
                view.release_buttons();
            }
            wl_pointer::Event::Motion {
                surface_x,
                surface_y,
                ..
            } => view.move_pointer(surface_x, surface_y),
            wl_pointer::Event::Button { button, state, .. } => view.press_button(button, state),
            wl_pointer::Event::Axis { axis, value, .. } => pointer.wheel.move_by(axis, value),
            wl_pointer::Event::AxisDiscrete { axis, discrete } => {
                pointer.wheel.turn(axis, f64::from(discrete) * NOTCH);
            }
            wl_pointer::Event::AxisValue120 { axis, value120 } => {
                pointer.wheel.turn(axis, f64::from(value120));
            }
            wl_pointer::Event::Frame => view.turn_wheel(),
            _ => {}
        }
        if device.version() < FRAME_SINCE {
            view.turn_wheel();
        }
    }
}

/// What one notch is as an input event.
const NOTCH: f64 = 120.0;

/// What one notch is in the units that hosts and programs scroll by.
const NOTCH_DISTANCE: f64 = 15.0;

/// The buttons that are held at a time; one more is not passed on.
const BUTTONS: usize = 32;

/// The version of pointers since which they can be given back.
const RELEASE_SINCE: u32 = 3;

/// The version of pointers since which they say when a report is complete.
const FRAME_SINCE: u32 = 5;

#[cfg(test)]
mod tests {
    use super::*;

    const DOWN: WEnum<Axis> = WEnum::Value(Axis::VerticalScroll);
    const ACROSS: WEnum<Axis> = WEnum::Value(Axis::HorizontalScroll);

    #[test]
    fn notches_win_over_distances_and_parts_add_up() {
        let mut wheel = Wheel::default();
        wheel.move_by(DOWN, 10.0);
        wheel.turn(DOWN, 30.0);
        wheel.turn(DOWN, 15.0);
        wheel.turn(ACROSS, -120.0);
        let turned = InputEvent::Scroll {
            dx: -120.0,
            dy: 45.0,
        };
        assert_eq!(wheel.take(), Some(turned));
        assert_eq!(wheel.take(), None);
    }

    #[test]
    fn a_distance_alone_arrives_as_that_distance() {
        let mut wheel = Wheel::default();
        wheel.move_by(DOWN, 3.0);
        let turned = InputEvent::Scroll { dx: 0.0, dy: 24.0 };
        assert_eq!(wheel.take(), Some(turned));
    }
}
