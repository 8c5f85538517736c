//! What a desktop is: pictures out, input in.
//!
//! This crate is the seam between whatever owns a screen (the compositor, a portal session, the
//! synthetic desktop) and whatever shows it. It deliberately knows nothing of encoders, networks,
//! Wayland or PipeWire.
//!
//! Invariants:
//! - A producer never waits for a reader: [`FrameSlot`] keeps the newest frame only.
//! - Damage is never lost: what an unread frame had changed is added to its successor.
//! - [`Desktop::inject`] returns at once, whatever the desktop is doing.
#![forbid(unsafe_code)]

mod clipboard;
mod cursor;
mod damage;
mod drag;
mod frame;
mod geometry;
mod input;
mod pool;
mod slot;
mod synthetic;

use std::sync::Arc;

pub use clipboard::{ClipboardData, SELECTION_BYTES_MAX, Selection};
pub use cursor::{Cursor, CursorImage, CursorShape};
pub use damage::{DAMAGE_RECTS, Damage};
pub use drag::{Drag, DragEvent, UriList};
pub use frame::{BYTES_PER_PIXEL, Frame, PixelBuffer};
pub use geometry::{Rect, Size};
pub use input::{Evdev, InputEvent, KeyState, Layout, PenMotion, PenTool};
pub use pool::{FramePool, POOL_BUFFERS, TILE_PX};
pub use slot::{FrameSlot, Wake};
pub use synthetic::{Synthetic, SyntheticConfig};

/// Something that shows a picture and takes input.
///
/// All methods may be called from any thread and return at once; what takes time happens on the
/// desktop's own thread.
pub trait Desktop: Send + Sync {
    /// Names the kind of desktop for logs and status pages, for example `headless` or `nested`.
    fn kind(&self) -> &'static str;

    /// The slot that the newest frame waits in.
    fn frames(&self) -> &Arc<FrameSlot>;

    /// The present size in pixels, which is also the coordinate space of input.
    fn size(&self) -> Size;

    /// Says whether anyone looks; unwatched desktops draw nothing.
    ///
    /// Turning it on makes the desktop publish one whole frame.
    fn set_watched(&self, watched: bool);

    /// Applies one input event; never blocks.
    ///
    /// When the desktop's queue is full, pointer motion is dropped first; keys and buttons are not.
    fn inject(&self, event: InputEvent);

    /// Asks for another size in pixels and another scale factor.
    ///
    /// The desktop answers with [`DesktopEvent::Resized`] once it follows; it may also ignore it.
    fn resize(&self, size: Size, scale: f64);

    /// Says whether the pointer is part of the picture; at first it is not.
    fn draw_cursor(&self, drawn: bool) {
        // A desktop without a pointer of its own has nothing to draw.
        let _ = drawn;
    }

    /// Puts content into a selection, replacing what was there: one or more formats of the same.
    fn set_selection(&self, selection: Selection, formats: Vec<ClipboardData>);

    /// Starts a program beside the session command, in its environment; it ends with the session.
    ///
    /// When that fails, or the program fails soon, [`DesktopEvent::ProgramFailed`] with its number
    /// says so.
    // A desktop without programs starts none.
    fn launch(&self, _number: u64, _command: Vec<String>) {}

    /// Ends the desktop and everything it started; returns when both are gone.
    ///
    /// Calling it twice is harmless.
    fn shut_down(&self);
}

/// Something a desktop tells whoever runs it.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum DesktopEvent {
    /// The picture now has this size in pixels, at this scale factor.
    Resized {
        /// The new size in pixels.
        size: Size,
        /// Pixels per logical unit.
        scale: f64,
    },
    /// The pointer has another shape or image.
    Cursor(Cursor),
    /// A program holds the pointer in place and is told only by how much it is moved, or no longer.
    PointerLocked(bool),
    /// Somebody moved the pointer at the desktop itself, and not through [`Desktop::inject`].
    PointerMoved {
        /// Pixels from the left.
        x: f64,
        /// Pixels from the top.
        y: f64,
    },
    /// A program put something into a selection.
    Selection {
        /// Which selection.
        selection: Selection,
        /// Its content; empty when the selection was cleared.
        data: ClipboardData,
    },
    /// What was put into a selection last has another format, too.
    SelectionFormat {
        /// Which selection.
        selection: Selection,
        /// The same content in another format.
        data: ClipboardData,
    },
    /// A program put more into a selection than [`SELECTION_BYTES_MAX`], which stays with it.
    SelectionTooLarge {
        /// Which selection.
        selection: Selection,
    },
    /// How a drag of files goes.
    Drag(DragEvent),
    /// The focused window has another title; `None` when no window has the focus.
    Title(Option<String>),
    /// A program that was to be started was not, or failed at once.
    ProgramFailed {
        /// The number that it was started with.
        number: u64,
        /// What a person should read about it.
        reason: String,
    },
    /// The session command ended.
    SessionEnded {
        /// What a person should read about it, for example `foot ended with status 1`.
        reason: String,
        /// Whether the desktop starts it again by itself.
        restarting: bool,
    },
    /// The desktop itself failed and shows nothing any more.
    Failed {
        /// What a person should read about it.
        reason: String,
    },
}

/// Takes the events of a desktop.
///
/// It is called on the desktop's own thread and must hand over and return.
pub type EventSink = Arc<dyn Fn(DesktopEvent) + Send + Sync>;
