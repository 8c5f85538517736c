//! How a holder becomes its successor: the executable as it is now, with all that the process has.
//!
//! The process replaces its program by the new one, so the terminal's program keeps its parent. Open files
//! travel as a message that waits in a socket, and that socket is the standard input of the successor. A file in memory
//! carries the rest.

use std::fs::File;
use std::io::{self, IoSlice, Read, Seek, SeekFrom, Write};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::net::{UnixListener, UnixStream};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Instant;

use nix::sys::signalfd::SignalFd;
use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags, sendmsg};

use super::estate;
use super::holder::Holder;
use super::ring::Ring;
use super::store::memory;

/// Becomes the successor; returns only when there is none.
pub(crate) fn exec(holder: &mut Holder) -> io::Error {
    match try_exec(holder) {
        Ok(never) => match never {},
        Err(error) => error,
    }
}

fn try_exec(holder: &mut Holder) -> io::Result<std::convert::Infallible> {
    let executable = holder.core.executable.clone();
    check(&executable)?;
    let mut state = Vec::new();
    estate::encode(holder, Instant::now(), &mut state);
    let mut file = memory("vroom-handover")?;
    file.write_all(&state)?;
    file.seek(SeekFrom::Start(0))?;
    let core = &holder.core;
    let mut files: Vec<BorrowedFd<'_>> = vec![
        file.as_fd(),
        holder.listener.as_fd(),
        core.store.ring.file().as_fd(),
    ];
    files.extend(core.store.checkpoint.as_ref().map(AsFd::as_fd));
    files.extend(core.program.pty.as_ref().map(|pty| pty.master().as_fd()));
    files.extend(holder.client.as_ref().map(|client| client.stream.as_fd()));
    let (ours, successors) = UnixStream::pair()?;
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(FILES_MAX))];
    let mut message = SendAncillaryBuffer::new(&mut space);
    if !message.push(SendAncillaryMessage::ScmRights(&files)) {
        return Err(io::Error::other("too many open files to hand over"));
    }
    let header = [MAGIC, HANDOVER];
    let header = IoSlice::new(header.as_flattened());
    sendmsg(&ours, &[header], &mut message, SendFlags::empty())?;
    let error = Command::new(&executable)
        .arg(&core.meta.id)
        .stdin(Stdio::from(OwnedFd::from(successors)))
        .exec();
    Err(error)
}

/// Makes sure that the executable can take over before there is no way back.
fn check(executable: &Path) -> io::Result<()> {
    let output = Command::new(executable)
        .arg(CHECK)
        .stdin(Stdio::null())
        .stderr(Stdio::null())
        .output()?;
    let first = output.stdout.split(|byte| *byte == b'\n').next();
    if output.status.success() && first == Some(VERSION.as_bytes()) {
        return Ok(());
    }
    Err(io::Error::other(
        "the executable cannot take this terminal over",
    ))
}

/// Goes on from what another handed over.
pub(crate) fn receive(files: Vec<OwnedFd>, signals: SignalFd) -> io::Result<Holder> {
    let missing = || io::Error::other("a file is missing in what was handed over");
    let mut files = files.into_iter();
    let mut next = || files.next().ok_or_else(missing);
    let mut file = File::from(next()?);
    let mut state = Vec::new();
    file.read_to_end(&mut state)?;
    let listener = UnixListener::from(next()?);
    let ring = Ring::adopt(next()?.into());
    let decoded = estate::decode(&state, listener, ring, signals, &mut || next().ok());
    decoded.ok_or_else(|| io::Error::other("what was handed over makes no sense"))
}

/// What a holder's standard input begins with.
pub(crate) const MAGIC: [u8; 2] = *b"VH";

/// What follows when a holder hands over: the version of what it hands over, and that it does.
pub(crate) const HANDOVER: [u8; 2] = [2, 2];

/// What follows when a daemon starts a holder.
pub(crate) const START: [u8; 2] = [2, 1];

/// The argument that asks an executable what it can take over, and the answer.
pub(crate) const CHECK: &str = "--handover";
pub(crate) const VERSION: &str = "vroom-hold handover 2";

/// The most files that are handed over.
pub(crate) const FILES_MAX: usize = 6;
