//! The fingers on the screen.

use vroom_desktop::{InputEvent, Size};

use crate::pointer::clamp;

/// The touch half of a translator: the fingers that are down, oldest first.
#[derive(Debug, Default)]
pub(crate) struct Touch {
    held: Vec<u8>,
}

impl Touch {
    /// Puts a finger down; one that is down already is lifted first.
    pub(crate) fn start(&mut self, id: u8, at: (u16, u16), size: Size, out: &mut Vec<InputEvent>) {
        self.end(id, out);
        self.held.push(id);
        let (x, y) = clamp(at.0, at.1, size);
        let id = id.into();
        out.push(InputEvent::TouchDown { id, x, y });
    }

    /// Moves a finger; unknown ones are dropped.
    pub(crate) fn motion(&self, id: u8, at: (u16, u16), size: Size, out: &mut Vec<InputEvent>) {
        if self.held.contains(&id) {
            let (x, y) = clamp(at.0, at.1, size);
            let id = id.into();
            out.push(InputEvent::TouchMotion { id, x, y });
        }
    }

    /// Lifts a finger; unknown ones are dropped.
    pub(crate) fn end(&mut self, id: u8, out: &mut Vec<InputEvent>) {
        if let Some(index) = self.held.iter().position(|held| *held == id) {
            self.held.remove(index);
            out.push(InputEvent::TouchUp { id: id.into() });
        }
    }

    /// Lifts every finger, the newest first.
    pub(crate) fn release_all(&mut self, out: &mut Vec<InputEvent>) {
        let held = self.held.drain(..).rev();
        out.extend(held.map(|id| InputEvent::TouchUp { id: id.into() }));
    }

    pub(crate) fn is_idle(&self) -> bool {
        self.held.is_empty()
    }
}
