//! The kernel's half of a terminal.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::sync::{Mutex, MutexGuard, PoisonError};

use filedescriptor::FileDescriptor;
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::sys::termios::{LocalFlags, SetArg, tcgetattr, tcsetattr};
use nix::unistd::Pid;
use portable_pty::{MasterPty, SlavePty, native_pty_system};
use std::os::fd::AsRawFd;

use crate::terminal::PtyMode;
use crate::{PtySize, modes};

/// The master side of a PTY.
pub(crate) struct Pty {
    master: Mutex<Box<dyn MasterPty + Send>>,
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
        let pty = Self {
            master: Mutex::new(pair.master),
        };
        // On Linux both sides have the same attributes.
        let master = pty.file()?;
        let mut termios = tcgetattr(&master)?;
        modes::apply(modes, &mut termios);
        tcsetattr(&master, SetArg::TCSANOW, &termios)?;
        set_non_blocking(&master)?;
        Ok((pty, pair.slave))
    }

    /// Another handle to the master side; it never blocks.
    pub(crate) fn file(&self) -> io::Result<File> {
        let master = self.lock();
        let raw = master
            .as_raw_fd()
            .ok_or_else(|| io::Error::from(io::ErrorKind::Unsupported))?;
        let copy = FileDescriptor::dup(&raw).map_err(io::Error::other)?;
        copy.as_file().map_err(io::Error::other)
    }

    /// Changes the size; the kernel tells the foreground group.
    pub(crate) fn resize(&self, size: PtySize) -> io::Result<()> {
        self.lock().resize(size.into()).map_err(io::Error::other)
    }

    /// The process group that has the terminal now.
    pub(crate) fn foreground(&self) -> Option<Pid> {
        self.lock().process_group_leader().map(Pid::from_raw)
    }

    /// What the terminal does with what is typed now.
    pub(crate) fn mode(&self) -> Option<PtyMode> {
        let flags = self.lock().get_termios()?.local_flags.bits();
        Some(PtyMode {
            echo: flags & LocalFlags::ECHO.bits() != 0,
            canonical: flags & LocalFlags::ICANON.bits() != 0,
        })
    }

    fn lock(&self) -> MutexGuard<'_, Box<dyn MasterPty + Send>> {
        self.master.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Makes reads and writes return rather than wait.
pub(crate) fn set_non_blocking(file: &File) -> io::Result<()> {
    let flags = fcntl(file.as_raw_fd(), FcntlArg::F_GETFL)?;
    let flags = OFlag::from_bits_retain(flags) | OFlag::O_NONBLOCK;
    fcntl(file.as_raw_fd(), FcntlArg::F_SETFL(flags))?;
    Ok(())
}
