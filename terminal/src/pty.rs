//! The kernel's half of a terminal.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};

use filedescriptor::FileDescriptor;
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::unistd::{Pid, tcgetpgrp};
use portable_pty::{SlavePty, native_pty_system};
use rustix::termios::{
    LocalModes, OptionalActions, Winsize, tcgetattr, tcgetwinsize, tcsetattr, tcsetwinsize,
};

use crate::{PtySize, modes};

/// The master side of a PTY; it never blocks.
pub(crate) struct Pty {
    master: File,
}

/// What a PTY does with what is typed.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct PtyMode {
    /// It shows it (`ECHO`).
    pub echo: bool,
    /// It gives the program whole lines (`ICANON`).
    pub canonical: bool,
    /// It makes signals of Ctrl-C and its like (`ISIG`).
    pub isig: bool,
}

impl Pty {
    /// Allocates a PTY with a size and modes; the slave is for the program.
    pub(crate) fn open(
        size: PtySize,
        modes: &BTreeMap<u8, u32>,
    ) -> io::Result<(Self, Box<dyn SlavePty + Send>)> {
        let pair = native_pty_system()
            .openpty(size.into())
            .map_err(io::Error::other)?;
        let raw = pair.master.as_raw_fd();
        let raw = raw.ok_or_else(|| io::Error::from(io::ErrorKind::Unsupported))?;
        let master = FileDescriptor::dup(&raw).map_err(io::Error::other)?;
        let master = master.as_file().map_err(io::Error::other)?;
        // On Linux both sides have the same attributes.
        let mut termios = tcgetattr(&master)?;
        modes::apply(modes, &mut termios);
        tcsetattr(&master, OptionalActions::Now, &termios)?;
        set_non_blocking(&master)?;
        Ok((Self { master }, pair.slave))
    }

    /// The master side that someone else opened this way.
    pub(crate) fn adopt(master: File) -> Self {
        Self { master }
    }

    /// The master side itself.
    pub(crate) fn master(&self) -> &File {
        &self.master
    }

    /// Changes the size; the kernel tells the foreground group.
    pub(crate) fn resize(&self, size: PtySize) -> io::Result<()> {
        resize(self.master.as_fd(), size)
    }

    /// The size that it has.
    pub(crate) fn size(&self) -> Option<PtySize> {
        let size = tcgetwinsize(&self.master).ok()?;
        Some(PtySize {
            rows: size.ws_row,
            cols: size.ws_col,
            px_w: size.ws_xpixel,
            px_h: size.ws_ypixel,
        })
    }

    /// The process group that has the terminal now.
    pub(crate) fn foreground(&self) -> Option<Pid> {
        tcgetpgrp(&self.master)
            .ok()
            .filter(|group| group.as_raw() > 0)
    }

    /// What the terminal does with what is typed now.
    pub(crate) fn mode(&self) -> Option<PtyMode> {
        mode(self.master.as_fd())
    }
}

/// Changes the size of a terminal by its master side; the kernel tells the foreground group.
pub(crate) fn resize(master: BorrowedFd<'_>, size: PtySize) -> io::Result<()> {
    let size = Winsize {
        ws_row: size.rows,
        ws_col: size.cols,
        ws_xpixel: size.px_w,
        ws_ypixel: size.px_h,
    };
    Ok(tcsetwinsize(master, size)?)
}

/// What a terminal does with what is typed now, by its master side.
pub(crate) fn mode(master: BorrowedFd<'_>) -> Option<PtyMode> {
    let flags = tcgetattr(master).ok()?.local_modes;
    Some(PtyMode {
        echo: flags.contains(LocalModes::ECHO),
        canonical: flags.contains(LocalModes::ICANON),
        isig: flags.contains(LocalModes::ISIG),
    })
}

/// Makes reads and writes return rather than wait.
pub(crate) fn set_non_blocking(file: &File) -> io::Result<()> {
    let flags = fcntl(file.as_raw_fd(), FcntlArg::F_GETFL)?;
    let flags = OFlag::from_bits_retain(flags) | OFlag::O_NONBLOCK;
    fcntl(file.as_raw_fd(), FcntlArg::F_SETFL(flags))?;
    Ok(())
}
