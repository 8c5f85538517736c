//! How a holder begins.

use std::io::{self, IoSliceMut, Read, Write};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::{UnixListener, UnixStream};
use std::process::ExitCode;

use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use nix::unistd::Pid;
use rustix::net::{RecvAncillaryBuffer, RecvAncillaryMessage, RecvFlags, recvmsg};

use super::codec::Decode;
use super::core::Core;
use super::fault;
use super::handover::{self, CHECK, FILES_MAX, HANDOVER, MAGIC, START, VERSION};
use super::holder::{Holder, socket_path};
use super::peer::Peer;
use super::program::Program;
use super::report::Report;
use super::start::Start;
use super::store::Store;
use crate::Error;
use crate::spawn::on_pty;

/// All that `vroom-hold` does.
///
/// Its standard input is a socket from which it learns what to run, or what to go on with; that socket is
/// also its first connection to the daemon.
pub fn hold() -> ExitCode {
    if std::env::args_os().nth(1).is_some_and(|arg| arg == CHECK) {
        let told = writeln!(io::stdout(), "{VERSION}");
        return if told.is_ok() {
            ExitCode::SUCCESS
        } else {
            ExitCode::FAILURE
        };
    }
    match begin() {
        Ok(Some(holder)) => {
            holder.run();
            ExitCode::SUCCESS
        }
        Ok(None) => ExitCode::FAILURE,
        Err(error) => {
            let usage = "vroom-hold is started by vroomd, which talks to it on its standard input";
            let told = writeln!(io::stderr(), "{usage}: {error}");
            ExitCode::from(if told.is_ok() { 2 } else { 1 })
        }
    }
}

/// Learns what to do and prepares it; `None` when the program could not be started, which was told.
fn begin() -> io::Result<Option<Holder>> {
    let mut stream = UnixStream::from(io::stdin().as_fd().try_clone_to_owned()?);
    let mut header = [0; 4];
    let mut files = Vec::new();
    receive_header(&stream, &mut header, &mut files)?;
    let [magic @ .., version, what] = header;
    if magic != MAGIC {
        return Err(io::Error::other("this is not vroomd"));
    }
    rustix::stdio::dup2_stdin(std::fs::File::open("/dev/null")?)?;
    match [version, what] {
        HANDOVER => handover::receive(files, signals()?).map(Some),
        START => start(&mut stream),
        _ => Err(io::Error::other("this vroomd is of another version")),
    }
}

/// Reads the first bytes, and the files that may come with them.
fn receive_header(
    stream: &UnixStream,
    header: &mut [u8; 4],
    files: &mut Vec<OwnedFd>,
) -> io::Result<()> {
    let mut space = [MaybeUninit::uninit(); rustix::cmsg_space!(ScmRights(FILES_MAX))];
    let mut message = RecvAncillaryBuffer::new(&mut space);
    let mut pieces = [IoSliceMut::new(header)];
    let received = recvmsg(stream, &mut pieces, &mut message, RecvFlags::CMSG_CLOEXEC)?;
    for part in message.drain() {
        if let RecvAncillaryMessage::ScmRights(rights) = part {
            files.extend(rights);
        }
    }
    let rest = header.get_mut(received.bytes..).unwrap_or_default();
    let mut stream = stream;
    stream.read_exact(rest)
}

/// Starts the program and everything around it.
fn start(stream: &mut UnixStream) -> io::Result<Option<Holder>> {
    let mut length = [0; 4];
    stream.read_exact(&mut length)?;
    let length = u64::from(u32::from_le_bytes(length));
    let mut bytes = Vec::new();
    stream
        .take(length.min(START_BYTES))
        .read_to_end(&mut bytes)?;
    let start = Start::decode(&mut Decode(&bytes));
    let start = start.ok_or_else(|| io::Error::other("this start makes no sense"))?;
    // Neither a terminal nor a shell that vroomd was started from takes us along when it goes.
    rustix::process::setsid()?;
    std::env::set_current_dir("/")?;
    let prepared = prepare(start, stream.try_clone()?);
    prepared.map_or_else(
        |error| {
            let mut fault = Vec::new();
            fault::encode(&error, &mut fault);
            let mut out = Vec::new();
            Report::Failed(&fault).encode(&mut out);
            stream.write_all(&out).map(|()| None)
        },
        |holder| Ok(Some(holder)),
    )
}

fn prepare(start: Start, stream: UnixStream) -> Result<Holder, Error> {
    let size = start.config.pty.as_ref().ok_or(Error::NoPty)?.size;
    let signals = signals()?;
    let store = Store::new(size)?;
    stream.set_nonblocking(true)?;
    let socket = socket_path(&start.dir, &start.meta.id);
    let listener = listen(&start)?;
    let spawned = on_pty(start.config).map(|(child, pty)| {
        // Process numbers fit: the kernel's limit is 2^22.
        let pid = i32::try_from(child.id()).unwrap_or(i32::MAX);
        Program::new(Pid::from_raw(pid), pty)
    });
    let program = match spawned {
        Ok(program) => program,
        Err(error) => {
            if let Err(error) = std::fs::remove_file(socket) {
                tracing::debug!(%error, "the holder's socket was not removed");
            }
            return Err(error);
        }
    };
    let paths = (start.dir, start.executable);
    Ok(Holder {
        core: Core::new(start.meta, start.keep, paths, program, store),
        listener,
        signals,
        client: Some(Peer::starter(stream)),
        candidate: None,
        alone_since: None,
        ended_since: None,
        vacant_since: None,
    })
}

/// Opens the socket, in place of one that nobody listens to any more.
fn listen(start: &Start) -> Result<UnixListener, Error> {
    // Going there makes the path short enough for a socket, however long it is.
    std::env::set_current_dir(&start.dir)?;
    let path = socket_path("".as_ref(), &start.meta.id);
    if path.symlink_metadata().is_ok() {
        if UnixStream::connect(&path).is_ok() {
            return Err(Error::BadId {
                id: start.meta.id.clone(),
            });
        }
        std::fs::remove_file(&path)?;
    }
    let listener = UnixListener::bind(&path)?;
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600))?;
    listener.set_nonblocking(true)?;
    std::env::set_current_dir("/")?;
    Ok(listener)
}

/// The signals that are taken as messages; all others are left as they are.
fn signals() -> io::Result<SignalFd> {
    let mut set = SigSet::empty();
    for signal in [
        Signal::SIGHUP,
        Signal::SIGINT,
        Signal::SIGQUIT,
        Signal::SIGTERM,
        Signal::SIGUSR1,
        Signal::SIGUSR2,
    ] {
        set.add(signal);
    }
    set.thread_block()?;
    let flags = SfdFlags::SFD_NONBLOCK | SfdFlags::SFD_CLOEXEC;
    Ok(SignalFd::with_flags(&set, flags)?)
}

/// The largest start: all that the system allows for arguments and environment, and more.
pub(crate) const START_BYTES: u64 = 8 * 1024 * 1024;
