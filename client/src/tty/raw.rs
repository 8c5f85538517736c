//! Raw mode, and the size.

use std::io;
use std::os::fd::{AsFd, OwnedFd};

use rustix::termios::{OptionalActions, Termios, tcgetattr, tcgetwinsize, tcsetattr};
use vroom_protocol::terminal::WindowSize;

/// A terminal in raw mode; dropping it gives it back as it was, also while panicking.
#[derive(Debug)]
pub struct Raw {
    tty: OwnedFd,
    before: Termios,
}

impl Raw {
    /// Takes a terminal.
    pub fn take(tty: impl AsFd) -> io::Result<Self> {
        let tty = tty.as_fd().try_clone_to_owned()?;
        let before = tcgetattr(&tty)?;
        let raw = Self { tty, before };
        raw.resume()?;
        Ok(raw)
    }

    /// Gives it back for a while.
    pub fn pause(&self) {
        // A terminal that is gone needs nothing back.
        let _ = tcsetattr(&self.tty, OptionalActions::Drain, &self.before);
    }

    /// Takes it again.
    pub fn resume(&self) -> io::Result<()> {
        let mut raw = self.before.clone();
        raw.make_raw();
        Ok(tcsetattr(&self.tty, OptionalActions::Drain, &raw)?)
    }
}

impl Drop for Raw {
    fn drop(&mut self) {
        // Not Drain: a terminal that takes no output must not keep us here.
        let _ = tcsetattr(&self.tty, OptionalActions::Now, &self.before);
    }
}

/// The size of a terminal; `None` when it has none.
pub fn window_size(tty: impl AsFd) -> Option<WindowSize> {
    let size = tcgetwinsize(tty).ok()?;
    (size.ws_row > 0 && size.ws_col > 0).then_some(WindowSize {
        rows: size.ws_row,
        cols: size.ws_col,
        pixel_width: size.ws_xpixel,
        pixel_height: size.ws_ypixel,
    })
}
