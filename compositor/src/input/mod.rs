//! What a person does, applied to the seat.

mod keyboard;
mod pen;
mod pointer;
mod text;
mod touch;

use std::collections::{HashMap, HashSet, VecDeque};
use std::time::{Duration, Instant};

use smithay::input::keyboard::Keycode;
use smithay::reexports::wayland_server::backend::{ClientId, ObjectId};
use smithay::reexports::wayland_server::protocol::wl_surface::WlSurface;
use smithay::utils::{Logical, Point};
use vroom_desktop::InputEvent;

pub(crate) use keyboard::XKB_OFFSET;
use pen::Near;
pub(crate) use pointer::BTN_LEFT;
use pointer::FrameInput;

use crate::state::State;

/// What input needs to remember between two events.
#[derive(Default)]
pub(crate) struct InputState {
    /// Whether the pointer was ever moved; before that it is over nothing.
    pub(crate) pointer_is_known: bool,
    /// Where the surface that the pointer is on began when the pointer was last told where it is.
    pub(crate) pointer_origin: Option<Point<f64, Logical>>,
    /// Keys whose press was a shortcut of ours, so that programs do not see the release.
    swallowed: HashSet<Keycode>,
    /// The Super key that is held and nothing else was pressed with.
    super_alone: Option<Keycode>,
    /// Text that is still to be typed, and what came after it.
    waiting: VecDeque<InputEvent>,
    /// When the next part of a text may be typed.
    type_at: Option<Instant>,
    /// Parts of a wheel's hundred-and-twentieth that were not sent yet.
    scroll_rest: (f64, f64),
    /// The virtual keyboard whose keymap the seat has at the moment.
    pub(crate) foreign_keymap: Option<ObjectId>,
    /// Surfaces whose programs want nobody to take the person for absent.
    pub(crate) inhibitors: Vec<WlSurface>,
    /// The surfaces that fingers are on, and whose they are.
    fingers: HashMap<u32, (WlSurface, ClientId)>,
    /// The finger that moves the pointer because it is on a frame of ours.
    finger_as_pointer: Option<u32>,
    /// The button of a frame that was pressed, and when and where the bar was pressed last.
    frame: FrameInput,
    /// Where an absolute pointer last was while a program held the pointer in place.
    locked_at: Option<Point<f64, Logical>>,
    /// Where an absolute pointer was last.
    absolute_at: Option<Point<f64, Logical>>,
    /// Whether it was told that a program holds the pointer in place.
    pub(crate) told_locked: bool,
    /// The pen, while it is near.
    pen: Option<Near>,
}

impl InputState {
    /// When there is more to type.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.type_at.filter(|_| !self.waiting.is_empty())
    }
}

impl State {
    /// Applies one input event, after the text that is still being typed.
    pub(crate) fn input_event(&mut self, event: InputEvent) {
        let bound = if event.is_motion() {
            WAITING_MOTION
        } else {
            WAITING_INPUT
        };
        // Of what is composed only the newest counts, and nothing once it is text.
        if let Some(InputEvent::Preedit { .. }) = self.input.waiting.back()
            && matches!(event, InputEvent::Preedit { .. } | InputEvent::Text(_))
        {
            self.input.waiting.pop_back();
        }
        if self.input.waiting.len() < bound {
            self.input.waiting.push_back(event);
            self.apply_waiting(Instant::now());
        }
    }

    /// A text field told its new state, so it has taken the text before.
    pub(crate) fn field_caught_up(&mut self) {
        if self.input.type_at.is_some() {
            self.input.type_at = Some(Instant::now());
        }
    }

    /// Applies input until there is more text than a program can take at once.
    pub(crate) fn apply_waiting(&mut self, now: Instant) {
        while let Some(event) = self.input.waiting.pop_front() {
            let written = matches!(event, InputEvent::Text(_) | InputEvent::Preedit { .. });
            if written && self.input.type_at.is_some_and(|at| at > now) {
                self.input.waiting.push_front(event);
                return;
            }
            let text = match event {
                InputEvent::Text(text) => text,
                InputEvent::Preedit { text, caret } => {
                    self.compose(now, &text, caret);
                    continue;
                }
                other => {
                    self.apply(&other);
                    continue;
                }
            };
            self.clock.input(now, true);
            let pause = if self.text_inputs.is_active() {
                FIELD_PAUSE
            } else {
                TYPE_PAUSE
            };
            self.input.type_at = Some(now + pause);
            let (part, rest) = split_text(&text);
            self.enter_text(part);
            if !rest.is_empty() {
                let rest = InputEvent::Text(rest.to_owned());
                self.input.waiting.push_front(rest);
            }
        }
    }

    /// Shows what a person composes where a field can; elsewhere only the text will be seen.
    fn compose(&mut self, now: Instant, text: &str, caret: Option<(usize, usize)>) {
        if self.text_inputs.is_active() && self.shell.launcher.is_none() {
            self.clock.input(now, true);
            self.input.type_at = Some(now + FIELD_PAUSE);
            self.text_inputs.preedit(text, caret);
        }
    }

    fn apply(&mut self, event: &InputEvent) {
        self.clock.input(Instant::now(), !event.is_motion());
        self.switch_output(true);
        let seat = self.seat.clone();
        self.protocols.idle.notify_activity(&seat);
        match event {
            InputEvent::Key { code, state } => self.key(*code, *state),
            InputEvent::Locks { caps, num } => self.set_locks(*caps, *num),
            InputEvent::PointerMotion { x, y } => self.pointer_to(*x, *y),
            InputEvent::PointerMotionRelative { dx, dy } => self.pointer_by(*dx, *dy),
            InputEvent::PointerButton { code, state } => self.button(*code, *state),
            InputEvent::Scroll { dx, dy } => self.scroll(*dx, *dy),
            InputEvent::Drag(drag) => self.drag(drag),
            InputEvent::TouchDown { id, x, y } => self.touch_down(*id, *x, *y),
            InputEvent::TouchMotion { id, x, y } => self.touch_motion(*id, *x, *y),
            InputEvent::TouchUp { id } => self.touch_up(*id),
            InputEvent::PenMotion(pen) => self.pen_motion(pen),
            InputEvent::PenButton { code, state } => self.pen_button(*code, *state),
            InputEvent::PenAway => self.pen_away(),
            _ => tracing::debug!("an input event of a kind that is not known here"),
        }
    }

    /// A point of the picture in logical coordinates, on the output.
    fn to_logical(&self, x: f64, y: f64) -> Point<f64, Logical> {
        let scale = self.scale();
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

/// Splits a text after what is typed at once.
fn split_text(text: &str) -> (&str, &str) {
    let end = text.char_indices().nth(TYPE_CHARS).map(|(end, _)| end);
    text.split_at(end.unwrap_or(text.len()))
}

/// How long a key is held before it repeats.
pub(crate) const REPEAT_DELAY_MS: i32 = 600;

/// How often a held key repeats.
pub(crate) const REPEAT_PER_SECOND: i32 = 25;

/// The characters typed at once. A program that is sent more than it reads loses its connection,
/// so text goes out in parts that fit the buffer of a socket many times.
const TYPE_CHARS: usize = 128;

/// The pause between two parts of a text.
const TYPE_PAUSE: Duration = Duration::from_millis(5);

/// The longest pause after a text that went into a text field; it ends when the field says where its
/// caret went. Programs such as foot drop a text that crosses what they say.
const FIELD_PAUSE: Duration = Duration::from_millis(50);

/// The motion that waits behind a text; more is dropped.
const WAITING_MOTION: usize = 64;

/// All that waits behind a text; more is dropped.
const WAITING_INPUT: usize = 1024;

/// How far from the far edge the pointer stays, in logical pixels: it is always on a pixel.
const EDGE: f64 = 1.0 / 256.0;
