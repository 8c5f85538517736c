//! A program on a PTY of this machine, as a terminal emulator runs it.

use std::io;
use std::os::fd::{AsFd as _, OwnedFd};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use nix::fcntl::{FcntlArg, FdFlag, OFlag, fcntl};
use nix::poll::{PollFd, PollFlags, ppoll};
use nix::pty::{Winsize, openpty};
use nix::sys::signal::{Signal, kill};
use nix::sys::termios::{LocalFlags, tcgetattr};
use nix::sys::time::TimeSpec;
use nix::unistd::Pid;

/// What a terminal gave within a time.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Output {
    /// Bytes.
    Bytes(Vec<u8>),
    /// Nothing, and there may be more later.
    Late,
    /// Nothing, and there will never be more.
    Ended,
}

/// A program and the master side of its PTY. The program is killed with this value.
#[derive(Debug)]
pub struct LocalPty {
    master: OwnedFd,
    child: Child,
}

/// The size of every terminal of the tests.
pub const ROWS: u16 = 24;
/// The size of every terminal of the tests.
pub const COLS: u16 = 80;

impl LocalPty {
    /// Runs a command on a new PTY of 24 rows and 80 columns, as the leader of a session of its
    /// own.
    pub fn spawn(command: &[String], env: &[(&str, &str)]) -> Result<Self> {
        let size = Winsize {
            ws_row: ROWS,
            ws_col: COLS,
            ws_xpixel: 0,
            ws_ypixel: 0,
        };
        let pty = openpty(&size, None).context("opening a PTY")?;
        fcntl_master(&pty.master).context("preparing a PTY")?;
        let child = Command::new("setsid")
            .args(["--ctty", "--wait"])
            .args(["env", "--default-signal=INT,QUIT,HUP,PIPE"])
            .args(command)
            .env("TERM", "xterm-256color")
            .env("LANG", "C.UTF-8")
            .env("LC_ALL", "C.UTF-8")
            .envs(env.iter().copied())
            .stdin(Stdio::from(pty.slave.try_clone()?))
            .stdout(Stdio::from(pty.slave.try_clone()?))
            .stderr(Stdio::from(pty.slave))
            .spawn()
            .with_context(|| format!("starting {}", command.join(" ")))?;
        Ok(Self {
            master: pty.master,
            child,
        })
    }

    /// The process.
    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Types bytes; waits while the terminal takes none, at most 30 s.
    pub fn write(&mut self, mut bytes: &[u8]) -> Result<()> {
        let deadline = Instant::now() + PATIENCE;
        while !bytes.is_empty() {
            match nix::unistd::write(&self.master, bytes) {
                Ok(written) => bytes = bytes.get(written..).unwrap_or_default(),
                Err(nix::Error::EAGAIN) => {
                    anyhow::ensure!(Instant::now() < deadline, "a terminal took no input");
                    self.wait(PollFlags::POLLOUT, deadline)?;
                }
                Err(nix::Error::EINTR) => {}
                Err(error) => return Err(error).context("typing"),
            }
        }
        Ok(())
    }

    /// What the program wrote, at the latest at the deadline.
    pub fn read(&mut self, deadline: Instant) -> Result<Output> {
        use std::os::fd::AsRawFd as _;
        let mut buffer = vec![0; READ_BYTES];
        loop {
            match nix::unistd::read(self.master.as_raw_fd(), &mut buffer) {
                // The last program has closed the terminal.
                Ok(0) | Err(nix::Error::EIO) => return Ok(Output::Ended),
                Ok(count) => {
                    buffer.truncate(count);
                    return Ok(Output::Bytes(buffer));
                }
                Err(nix::Error::EAGAIN) if Instant::now() >= deadline => return Ok(Output::Late),
                Err(nix::Error::EAGAIN) => self.wait(PollFlags::POLLIN, deadline)?,
                Err(nix::Error::EINTR) => {}
                Err(error) => return Err(error).context("reading a terminal"),
            }
        }
    }

    /// Gives the terminal another size, which the program is told.
    pub fn resize(&self, rows: u16, cols: u16) -> Result<()> {
        let size = Winsize {
            ws_row: rows,
            ws_col: cols,
            ws_xpixel: 0,
            ws_ypixel: 0,
        };
        set_size(&self.master, &size).context("resizing a terminal")
    }

    /// Whether the terminal itself shows what is typed, as it does while nobody has taken it.
    pub fn echoes(&self) -> Result<bool> {
        let modes = tcgetattr(&self.master).context("asking a terminal")?;
        Ok(modes.local_flags.contains(LocalFlags::ECHO))
    }

    /// Sends the program a signal.
    pub fn signal(&self, signal: Signal) -> Result<()> {
        Ok(kill(Pid::from_raw(self.child.id().try_into()?), signal)?)
    }

    /// Waits for the end of the program.
    pub fn wait_exit(&mut self) -> io::Result<ExitStatus> {
        self.child.wait()
    }

    fn wait(&self, what: PollFlags, deadline: Instant) -> Result<()> {
        let left = deadline.saturating_duration_since(Instant::now());
        let mut files = [PollFd::new(self.master.as_fd(), what)];
        match ppoll(&mut files, Some(TimeSpec::from(left)), None) {
            Ok(_) | Err(nix::Error::EINTR) => Ok(()),
            Err(error) => Err(error).context("waiting for a terminal"),
        }
    }
}

impl Drop for LocalPty {
    fn drop(&mut self) {
        if let Ok(None) = self.child.try_wait()
            && let Ok(pid) = i32::try_from(self.child.id())
        {
            // A hangup first, so that clients can say goodbye; whoever stays is killed.
            kill(Pid::from_raw(pid), Signal::SIGHUP).ok();
            let deadline = Instant::now() + GOODBYE;
            while let Ok(None) = self.child.try_wait() {
                if Instant::now() >= deadline {
                    drop(self.child.kill());
                    break;
                }
                // Whoever leaves may still want to write.
                if self
                    .read(Instant::now() + Duration::from_millis(5))
                    .is_err()
                {
                    break;
                }
            }
            drop(self.child.wait());
        }
    }
}

/// How long anything may take on a slow and busy machine.
pub const PATIENCE: Duration = Duration::from_secs(30);

/// How long a program may take to leave after a hangup.
const GOODBYE: Duration = Duration::from_secs(2);

/// Bytes taken from a PTY at once; the kernel gives less.
const READ_BYTES: usize = 64 * 1024;

fn set_size(master: &OwnedFd, size: &Winsize) -> nix::Result<()> {
    use std::os::fd::AsRawFd as _;
    // SAFETY: the descriptor is open and the size lives as long as the call.
    unsafe { ioctl::tiocswinsz(master.as_raw_fd(), size) }.map(drop)
}

mod ioctl {
    use nix::pty::Winsize;

    nix::ioctl_write_ptr_bad!(
        /// Sets the size of a terminal.
        tiocswinsz,
        nix::libc::TIOCSWINSZ,
        Winsize
    );
}

fn fcntl_master(master: &OwnedFd) -> nix::Result<()> {
    use std::os::fd::AsRawFd as _;
    fcntl(master.as_raw_fd(), FcntlArg::F_SETFL(OFlag::O_NONBLOCK))?;
    fcntl(master.as_raw_fd(), FcntlArg::F_SETFD(FdFlag::FD_CLOEXEC))?;
    Ok(())
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use super::*;

    #[test]
    fn a_program_has_a_terminal_and_hears_its_keys() {
        let line =
            "stty -echo; tty >/dev/null && echo re''ady; read line; echo \"got $line\"; exit 3";
        let command = ["sh", "-c", line].map(str::to_owned);
        let mut pty = LocalPty::spawn(&command, &[]).unwrap();
        let mut seen = String::new();
        let mut typed = false;
        loop {
            match pty.read(Instant::now() + PATIENCE).unwrap() {
                Output::Bytes(bytes) => seen.push_str(&String::from_utf8_lossy(&bytes)),
                Output::Ended => break,
                Output::Late => panic!("nothing came after {seen:?}"),
            }
            if seen.contains("ready") && !typed {
                typed = true;
                pty.write(b"keys\n").unwrap();
            }
        }
        assert!(seen.contains("got keys"), "{seen:?}");
        assert_eq!(pty.wait_exit().unwrap().code(), Some(3));
    }
}
