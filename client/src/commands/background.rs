//! `-f`: the process that was started ends once its successor is connected.
//!
//! The successor is this program once more, with one end of a socket pair in the place of standard
//! input, which it does not read. It writes a byte there when it is connected.

use std::ffi::OsString;
use std::io::{self, Read as _};
use std::os::fd::OwnedFd;
use std::os::unix::net::UnixStream;
use std::process::{Command, ExitCode};

use super::Failure;

/// Whether this is the successor.
pub(super) fn is_successor() -> bool {
    std::env::var_os(MARK).is_some()
}

/// Starts the successor, and waits until it is connected or has failed.
pub(super) fn start() -> Result<ExitCode, Failure> {
    let (mut near, far) = UnixStream::pair().map_err(Failure::new)?;
    let program = std::env::current_exe().map_err(Failure::new)?;
    let arguments: Vec<OsString> = std::env::args_os().skip(1).collect();
    let mut successor = Command::new(program)
        .args(arguments)
        .env(MARK, "1")
        .stdin(OwnedFd::from(far))
        .spawn()
        .map_err(Failure::new)?;
    let mut byte = [0];
    if near.read_exact(&mut byte).is_ok() {
        return Ok(ExitCode::SUCCESS);
    }
    // It has said what went wrong.
    let status = successor.wait().map_err(Failure::new)?;
    let code = status.code().and_then(|code| u8::try_from(code).ok());
    Ok(ExitCode::from(code.unwrap_or(super::CONNECTION)))
}

/// Lets the predecessor go, and leaves its terminal.
pub(super) fn ready() {
    if !is_successor() {
        return;
    }
    // A predecessor that is gone needs no word, and one that leads its own session stays in it.
    let _ = rustix::io::write(io::stdin(), &[1]);
    let _ = rustix::process::setsid();
}

/// The variable that tells the successor what it is.
const MARK: &str = "VROOM_BACKGROUND";
