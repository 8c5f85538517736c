//! The pointer, its buttons and its wheel.

use std::time::{Duration, Instant};

use smithay::backend::input::{Axis, AxisSource, ButtonState};
use smithay::input::pointer::{
    AxisFrame, ButtonEvent, CursorIcon, CursorImageStatus, GrabStartData, MotionEvent,
    RelativeMotionEvent,
};
use smithay::reexports::wayland_server::protocol::wl_surface::WlSurface;
use smithay::utils::{Logical, Point, SERIAL_COUNTER, Serial};
use vroom_desktop::{Evdev, KeyState};

use crate::handlers::Freedom;
use crate::shell::{Hit, Owner, Part, ResizingEdge, Window};
use crate::state::State;

/// What was pressed on the frames of windows.
#[derive(Default)]
pub(super) struct FrameInput {
    /// The button that is held.
    pressed: Option<(Window, Part)>,
    /// When and where a bar was pressed last, for the second press that maximises.
    bar: Option<(Instant, Point<f64, Logical>, Window)>,
}

/// By how much the pointer is moved.
struct Step {
    delta: Point<f64, Logical>,
    /// The same in pixels of the picture, as it was sent.
    raw: Point<f64, Logical>,
    /// Whether a place was sent, and no distance.
    absolute: bool,
}

impl State {
    /// Moves the pointer to a point of the picture.
    pub(super) fn pointer_to(&mut self, x: f64, y: f64) {
        let to = self.to_logical(x, y);
        // Presses tell a place, too: while the pointer is moved by distances, the same one as before.
        let still = self.input.absolute_at.replace(to) == Some(to) && self.is_pointer_locked();
        let from = self.input.locked_at.or(still.then_some(to));
        let delta = to - from.unwrap_or_else(|| self.pointer.current_location());
        let scale = self.output.current_scale().fractional_scale();
        let step = Step {
            delta,
            raw: delta.upscale(scale),
            absolute: true,
        };
        self.move_pointer(to, step);
    }

    /// Moves the pointer by pixels of the picture.
    pub(super) fn pointer_by(&mut self, dx: f64, dy: f64) {
        if !dx.is_finite() || !dy.is_finite() {
            return;
        }
        let scale = self.scale();
        let step = Step {
            delta: (dx / scale, dy / scale).into(),
            raw: (dx, dy).into(),
            absolute: false,
        };
        let to = self.inside_output(self.pointer.current_location() + step.delta);
        self.move_pointer(to, step);
    }

    fn move_pointer(&mut self, wanted: Point<f64, Logical>, step: Step) {
        self.input.pointer_is_known = true;
        let pointer = self.pointer.clone();
        let here = self.surface_under(pointer.current_location());
        let freedom = pointer
            .current_focus()
            .map_or(Freedom::Free, |surface| self.pointer_freedom(&surface));
        let relative = RelativeMotionEvent {
            delta: step.delta,
            delta_unaccel: step.raw,
            utime: u64::from(self.time_ms()) * 1000,
        };
        let to = match (&freedom, &here) {
            (Freedom::Free, _) => Some(wanted),
            (Freedom::Confined, Some((surface, origin))) => {
                let at = self.confined(surface, wanted - *origin);
                at.map(|at| *origin + at)
            }
            (Freedom::Locked, _) | (Freedom::Confined, None) => None,
        };
        let under = to.and_then(|to| self.surface_under(to));
        let leaves = matches!(freedom, Freedom::Confined)
            && under.as_ref().map(|under| &under.0) != here.as_ref().map(|here| &here.0);
        let Some(to) = to.filter(|_| !leaves) else {
            self.input.locked_at = step.absolute.then_some(wanted);
            if step.delta != Point::default() {
                pointer.relative_motion(self, here, &relative);
                pointer.frame(self);
            }
            return;
        };
        self.input.locked_at = (step.absolute && to != wanted).then_some(wanted);
        pointer.relative_motion(self, under.clone(), &relative);
        self.drag_over(under.as_ref().map(|(surface, _)| surface));
        let event = MotionEvent {
            location: to,
            serial: SERIAL_COUNTER.next_serial(),
            time: self.time_ms(),
        };
        self.input.pointer_origin = under.as_ref().map(|(_, origin)| *origin);
        pointer.motion(self, under, &event);
        pointer.frame(self);
        if let Some(surface) = pointer.current_focus() {
            self.activate_constraint(&surface);
        }
        self.hover();
        if self.cursor.is_drawn() || self.cursor.drag_icon.is_some() {
            self.clock.want();
        }
    }

    /// Shows which part of a frame the pointer is on.
    pub(super) fn hover(&mut self) {
        if self.pointer.is_grabbed() {
            return;
        }
        let (mut hot, mut spot) = (None, None);
        match self.hit(self.pointer.current_location()) {
            Some(Hit::Frame(window, part)) => hot = Some((window, part)),
            Some(Hit::Panel(under)) => spot = Some(under),
            Some(Hit::Launcher(Some(row))) => self.hover_launcher(row),
            _ => {}
        }
        if spot != self.shell.hot_spot {
            self.shell.hot_spot = spot;
            self.clock.want();
        }
        let before = self.shell.hot.as_ref().map(|(_, part)| *part);
        let now = hot.as_ref().map(|(_, part)| *part);
        if hot != self.shell.hot {
            self.shell.hot = hot;
            self.clock.want();
        }
        if before != now
            && (before.is_some() || now.is_some())
            && self.pointer.current_focus().is_none()
        {
            let icon = match now {
                Some(Part::Edge(edges)) => edges.cursor(),
                _ => CursorIcon::Default,
            };
            self.set_cursor(CursorImageStatus::Named(icon));
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
        if !pressed && code == BTN_LEFT {
            self.release_frame();
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
        self.hover();
    }

    /// Focuses what is under the pointer; starts to drag it where a frame, Alt or Super says so.
    fn press_window(&mut self, code: Evdev, serial: Serial) {
        let location = self.pointer.current_location();
        let hit = self.hit(location);
        if !matches!(hit, Some(Hit::Panel(_) | Hit::Launcher(_))) {
            self.close_launcher();
        }
        match hit {
            Some(Hit::Surface(surface, origin, Owner::Window(window))) => {
                self.press_content(&window, code, serial, (surface, origin));
            }
            Some(Hit::Surface(_, _, Owner::Layer(layer))) => {
                if layer.can_receive_keyboard_focus() {
                    self.focus_layer(&layer);
                }
            }
            Some(Hit::Frame(window, part)) => self.press_frame(&window, part, code, serial),
            Some(Hit::Panel(spot)) if code == BTN_LEFT => self.press_panel(&spot),
            Some(Hit::Launcher(row)) if code == BTN_LEFT => self.press_launcher(row),
            Some(
                Hit::Surface(_, _, Owner::Lock | Owner::Menu) | Hit::Panel(_) | Hit::Launcher(_),
            )
            | None => {}
        }
    }

    fn press_content(
        &mut self,
        window: &Window,
        code: Evdev,
        serial: Serial,
        under: (WlSurface, Point<f64, Logical>),
    ) {
        let location = self.pointer.current_location();
        if self.focused().as_ref() != Some(window) || !self.shell.is_topmost(window) {
            self.focus(Some(window));
        }
        let modifiers = self.keyboard.modifier_state();
        if !modifiers.alt && !modifiers.logo {
            return;
        }
        let start = GrabStartData {
            focus: Some(under),
            button: u32::from(code.0),
            location,
        };
        if code == BTN_LEFT {
            self.start_move(window, start, serial);
        } else if code == BTN_RIGHT
            && let Some(area) = self.shell.space.element_geometry(window)
        {
            let edges = ResizingEdge::nearest(area, location);
            self.start_resize(window, edges, start, serial);
        }
    }

    fn press_frame(&mut self, window: &Window, part: Part, code: Evdev, serial: Serial) {
        let location = self.pointer.current_location();
        self.focus(Some(window));
        let start = GrabStartData {
            focus: None,
            button: u32::from(code.0),
            location,
        };
        match (part, code) {
            (Part::Bar, BTN_LEFT) => {
                let now = Instant::now();
                let last = self.input.frame.bar.take();
                let twice = last.is_some_and(|(at, place, before)| {
                    let moved: Point<f64, Logical> = location - place;
                    before == *window
                        && now.duration_since(at) < DOUBLE_CLICK
                        && moved.x.abs().max(moved.y.abs()) < 6.0
                });
                if twice {
                    self.toggle_maximized(window);
                } else {
                    self.input.frame.bar = Some((now, location, window.clone()));
                    self.start_move(window, start, serial);
                }
            }
            (Part::Bar, BTN_MIDDLE) => self.lower(window),
            (Part::Edge(edges), BTN_LEFT) => self.start_resize(window, edges, start, serial),
            (Part::Close | Part::Maximize | Part::Minimize, BTN_LEFT) => {
                self.input.frame.pressed = Some((window.clone(), part));
            }
            _ => {}
        }
    }

    /// Does what a button of a frame is for, if it was let go where it was pressed.
    fn release_frame(&mut self) {
        let Some(pressed) = self.input.frame.pressed.take() else {
            return;
        };
        let (window, part) = match self.hit(self.pointer.current_location()) {
            Some(Hit::Frame(window, part)) if (&window, &part) == (&pressed.0, &pressed.1) => {
                (window, part)
            }
            _ => return,
        };
        match part {
            Part::Close => window.close(),
            Part::Maximize => self.toggle_maximized(&window),
            Part::Minimize => self.minimize(&window),
            Part::Bar | Part::Edge(_) => {}
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
        if self.launcher_hit(self.pointer.current_location()).is_some() {
            let rows = y.signum() * (y.abs() / NOTCH).max(1);
            return self.scroll_launcher(rows);
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

/// How soon a second press counts as a double click.
const DOUBLE_CLICK: Duration = Duration::from_millis(400);

pub(crate) const BTN_LEFT: Evdev = Evdev(0x110);

pub(super) const BTN_RIGHT: Evdev = Evdev(0x111);

pub(super) const BTN_MIDDLE: Evdev = Evdev(0x112);

/// What wl_pointer calls one notch of a wheel.
const NOTCH_V120: f64 = 120.0;

/// The same, as a whole number.
const NOTCH: i32 = 120;

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
