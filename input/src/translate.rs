//! From what a browser reports to what a desktop is told.

use vroom_desktop::{InputEvent, Layout, Size};
use vroom_protocol::graphical::{ButtonInput, Key, PointerInput, Preedit};

use crate::keyboard::Keyboard;
use crate::keymap::KeymapError;
use crate::pen::Stylus;
use crate::pointer::Pointer;
use crate::touch::Touch;

/// Translates the input of whoever drives a desktop, and remembers what is held down.
///
/// There is one for each desktop, not for each participant: it knows what the keys sent so far made of
/// the desktop's keyboard, locks and half-typed accents included. When the driver changes,
/// [`release_all`](Self::release_all) comes in between.
///
/// All methods append the events to `out`, in the order in which the desktop must get them. The
/// coordinates of the browser are those of the desktop's picture; `size` bounds them.
pub struct Translator {
    keyboard: Keyboard,
    pointer: Pointer,
    touch: Touch,
    pen: Stylus,
    /// Whether something is composed that is no text yet.
    composing: bool,
}

impl Translator {
    /// Makes a translator for a desktop whose keyboard has this layout.
    ///
    /// # Errors
    ///
    /// When xkb does not know the layout.
    pub fn new(layout: &Layout) -> Result<Self, KeymapError> {
        Ok(Self {
            keyboard: Keyboard::new(layout)?,
            pointer: Pointer::default(),
            touch: Touch::default(),
            pen: Stylus::default(),
            composing: false,
        })
    }

    /// Takes a key that goes down, or repeats.
    pub fn key_down(&mut self, key: &Key, out: &mut Vec<InputEvent>) {
        self.keyboard.key_down(key, out);
    }

    /// Takes a key that goes up.
    pub fn key_up(&mut self, key: &Key, out: &mut Vec<InputEvent>) {
        self.keyboard.key_up(key, out);
    }

    /// Takes what comes on the `pointer` channel.
    pub fn pointer(&mut self, input: PointerInput, size: Size, out: &mut Vec<InputEvent>) {
        match input {
            PointerInput::Move { x, y } => Pointer::motion(x, y, size, out),
            PointerInput::MoveRelative { dx, dy } => out.push(InputEvent::PointerMotionRelative {
                dx: dx.into(),
                dy: dy.into(),
            }),
            PointerInput::Scroll { dx, dy } => out.push(InputEvent::Scroll {
                dx: dx.into(),
                dy: dy.into(),
            }),
            // The desktop has no game controllers.
            _ => {}
        }
    }

    /// Takes what comes on the `button` channel.
    pub fn button(&mut self, input: ButtonInput, size: Size, out: &mut Vec<InputEvent>) {
        match input {
            ButtonInput::MouseDown { x, y, button } => self.pointer.down((x, y), button, size, out),
            ButtonInput::MouseUp { x, y, button } => self.pointer.up((x, y), button, size, out),
            ButtonInput::KeyDown(key) => self.keyboard.key_down(&key, out),
            ButtonInput::KeyUp(key) => self.keyboard.key_up(&key, out),
            ButtonInput::TouchStart { id, x, y, .. } => self.touch.start(id, (x, y), size, out),
            ButtonInput::TouchMove { id, x, y, .. } => self.touch.motion(id, (x, y), size, out),
            ButtonInput::TouchEnd { id } => self.touch.end(id, out),
            ButtonInput::Text(text) => {
                self.composing = false;
                self.keyboard.text(&text, out);
            }
            ButtonInput::Preedit(preedit) => self.compose(&preedit, out),
            ButtonInput::Pen(pen) => self.pen.update(pen, size, out),
            ButtonInput::PenLeave => self.pen.leave(out),
            // The desktop has no game controllers.
            _ => {}
        }
    }

    fn compose(&mut self, preedit: &Preedit, out: &mut Vec<InputEvent>) {
        let goes_on = !preedit.text().is_empty();
        if goes_on || self.composing {
            out.push(InputEvent::Preedit {
                text: preedit.text().to_owned(),
                caret: preedit
                    .caret()
                    .map(|(begin, end)| (begin.into(), end.into())),
            });
        }
        self.composing = goes_on;
    }

    /// Releases everything that is held: keys, then buttons, then fingers, the newest of each first;
    /// then takes the pen away, and what is composed and no text yet.
    ///
    /// For when the participant leaves interact, loses the floor or is gone.
    pub fn release_all(&mut self, out: &mut Vec<InputEvent>) {
        self.keyboard.release_all(out);
        self.pointer.release_all(out);
        self.touch.release_all(out);
        self.pen.leave(out);
        self.compose(&Preedit::default(), out);
    }

    /// Whether nothing is held.
    pub fn is_idle(&self) -> bool {
        self.keyboard.is_idle()
            && self.pointer.is_idle()
            && self.touch.is_idle()
            && self.pen.is_idle()
            && !self.composing
    }
}

impl std::fmt::Debug for Translator {
    /// Says no more than whether something is held: what is typed must not reach a log.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Translator")
            .field("idle", &self.is_idle())
            .finish_non_exhaustive()
    }
}
