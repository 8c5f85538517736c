//! What other threads tell the window.

use std::io;
use std::os::fd::{AsFd as _, BorrowedFd};
use std::sync::{Mutex, PoisonError};

use nix::sys::eventfd::{EfdFlags, EventFd};
use vroom_desktop::{CursorShape, DesktopEvent};

/// The newest of everything that the window has to know, and a bell; putting something in never waits.
#[derive(Debug)]
pub(super) struct Mailbox {
    mail: Mutex<Mail>,
    bell: EventFd,
}

/// What is new; `None` where nothing is.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Mail {
    /// What the pointer looks like.
    pub(super) cursor: Option<CursorShape>,
    /// Whether the picture has the pointer in it.
    pub(super) pointer_drawn: Option<bool>,
    /// Whether a program holds the pointer in place.
    pub(super) pointer_locked: Option<bool>,
    /// Where the pointer was put from afar, in pixels of the desktop.
    pub(super) moved_afar: Option<(f64, f64)>,
    /// The title of the focused window.
    pub(super) title: Option<Option<String>>,
    /// Whether there is another frame.
    pub(super) frame: bool,
    /// Whether it is the end.
    pub(super) end: bool,
}

impl Mailbox {
    /// Makes an empty one.
    pub(super) fn new() -> io::Result<Self> {
        let flags = EfdFlags::EFD_CLOEXEC | EfdFlags::EFD_NONBLOCK;
        Ok(Self {
            mail: Mutex::default(),
            bell: EventFd::from_flags(flags)?,
        })
    }

    /// Takes what the window shows of what the desktop tells.
    pub(super) fn on_desktop(&self, event: &DesktopEvent) {
        match event {
            DesktopEvent::Cursor(cursor) => {
                self.put(|mail| mail.cursor = Some(cursor.shape.clone()));
            }
            DesktopEvent::PointerLocked(locked) => {
                self.put(|mail| mail.pointer_locked = Some(*locked));
            }
            DesktopEvent::Title(title) => self.put(|mail| mail.title = Some(title.clone())),
            _ => {}
        }
    }

    /// Puts something in.
    pub(super) fn put(&self, write: impl FnOnce(&mut Mail)) {
        write(&mut self.mail.lock().unwrap_or_else(PoisonError::into_inner));
        // It fails only where the bell has been rung 2^64 times and not been heard.
        self.bell.arm().ok();
    }

    /// Can be read when there is something new.
    pub(super) fn bell(&self) -> BorrowedFd<'_> {
        self.bell.as_fd()
    }

    /// Takes all that is new.
    pub(super) fn take(&self) -> Mail {
        // There is nothing to read where nobody rang.
        self.bell.read().ok();
        std::mem::take(&mut self.mail.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
