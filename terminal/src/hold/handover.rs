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
use std::time::{Duration, Instant};

use nix::sys::signalfd::SignalFd;
use nix::unistd::Pid;
use rustix::net::{SendAncillaryBuffer, SendAncillaryMessage, SendFlags, sendmsg};

use super::codec::{Decode, Encode};
use super::core::Core;
use super::frame::{Mark, PREAMBLE, put_exit, take_exit};
use super::holder::Holder;
use super::meta::Meta;
use super::peer::{Peer, Told};
use super::program::{Program, Status};
use super::start::Keep;
use super::store::{Store, memory};
use super::typed::Typed;
use super::writers::{Standing, Writers};
use crate::pty::Pty;

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
    encode(holder, Instant::now(), &mut state);
    let mut file = memory("vroom-handover")?;
    file.write_all(&state)?;
    file.seek(SeekFrom::Start(0))?;
    let core = &holder.core;
    let mut files: Vec<BorrowedFd<'_>> = vec![
        file.as_fd(),
        holder.listener.as_fd(),
        core.store.ring.as_fd(),
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
    let ring = File::from(next()?);
    let decoded = decode(&state, listener, ring, signals, &mut || next().ok());
    decoded.ok_or_else(|| io::Error::other("what was handed over makes no sense"))
}

fn encode(holder: &Holder, now: Instant, out: &mut Vec<u8>) {
    let core = &holder.core;
    core.meta.encode(out);
    core.keep.encode(out);
    out.put_os(&core.dir);
    out.put_os(&core.executable);
    out.put_u64(core.seen);
    out.put_time(core.active_at);
    out.put_bool(core.forget);
    encode_store(&core.store, out);
    encode_typed(&core.typed, out);
    encode_program(&core.program, now, out);
    for since in [holder.alone_since, holder.ended_since] {
        out.put_option(since, |out, since| put_duration(out, now - since));
    }
    out.put_option(holder.client.as_ref(), |out, client| {
        encode_peer(client, out)
    });
}

fn decode(
    state: &[u8],
    listener: UnixListener,
    ring: File,
    signals: SignalFd,
    next: &mut dyn FnMut() -> Option<OwnedFd>,
) -> Option<Holder> {
    let now = Instant::now();
    let mut bytes = Decode(state);
    let meta = Meta::decode(&mut bytes)?;
    let keep = Keep::decode(&mut bytes)?;
    let paths = (bytes.path()?, bytes.path()?);
    let (seen, active_at, forget) = (bytes.u64()?, bytes.time()?, bytes.bool()?);
    let store = decode_store(&mut bytes, ring, next)?;
    let typed = decode_typed(&mut bytes)?;
    let program = decode_program(&mut bytes, now, next)?;
    let mut core = Core::new(meta, keep, paths, program, store);
    core.seen = seen;
    core.active_at = active_at;
    core.forget = forget;
    core.typed = typed;
    if core.program.is_draining() {
        core.begin_drain();
    }
    let mut since = || {
        let ago = bytes.option(take_duration)?;
        Some(ago.map(|ago| now.checked_sub(ago).unwrap_or(now)))
    };
    let (alone_since, ended_since) = (since()?, since()?);
    let client = bytes.option(|bytes| decode_peer(bytes, next))?;
    // A client of another version comes again by itself.
    let client = client.flatten();
    Some(Holder {
        core,
        listener,
        signals,
        alone_since: alone_since.or_else(|| client.is_none().then_some(now)),
        ended_since,
        client,
        candidate: None,
    })
}

fn encode_store(store: &Store, out: &mut Vec<u8>) {
    out.put_u64(store.end);
    out.put_bool(store.checkpoint.is_some());
    out.put_u64(store.checkpoint_bytes);
    store.mark.encode(out);
    out.put_size(store.size);
    out.put_u64(store.resizes_before);
    out.put_u32(u32::try_from(store.resizes.len()).unwrap_or(u32::MAX));
    store.resizes.iter().for_each(|resize| resize.encode(out));
}

fn decode_store(
    bytes: &mut Decode<'_>,
    ring: File,
    next: &mut dyn FnMut() -> Option<OwnedFd>,
) -> Option<Store> {
    let end = bytes.u64()?;
    let checkpoint = match bytes.bool()? {
        true => Some(File::from(next()?)),
        false => None,
    };
    let mut store = Store::restore(ring, checkpoint);
    store.end = end;
    store.checkpoint_bytes = bytes.u64()?;
    store.mark = Mark::decode(bytes)?;
    store.size = bytes.size()?;
    store.resizes_before = bytes.u64()?;
    let resizes = (0..bytes.u32()?).map(|_| Mark::decode(bytes));
    store.resizes = resizes.collect::<Option<_>>()?;
    Some(store)
}

fn encode_typed(typed: &Typed, out: &mut Vec<u8>) {
    let (front, back) = typed.waiting.as_slices();
    out.put_bytes(&[front, back].concat());
    out.put_u32(u32::try_from(typed.owners.len()).unwrap_or(u32::MAX));
    // By name: the places in the table are not kept.
    let names = typed.writers.names();
    for (slot, count) in &typed.owners {
        let name = slot.and_then(|slot| names.get(slot).copied());
        out.put_text(name.unwrap_or_default());
        out.put_u64(*count);
    }
    let standings = typed.writers.standings();
    out.put_u32(u32::try_from(standings.len()).unwrap_or(u32::MAX));
    for (name, standing) in standings {
        out.put_text(&name);
        standing.encode(out);
    }
}

fn decode_typed(bytes: &mut Decode<'_>) -> Option<Typed> {
    let waiting = bytes.bytes()?.to_vec().into();
    let owners = 0..bytes.u32()?;
    let owners: Option<Vec<(String, u64)>> = owners
        .map(|_| Some((bytes.string()?, bytes.u64()?)))
        .collect();
    let standings: Option<Vec<(String, Standing)>> = (0..bytes.u32()?)
        .map(|_| Some((bytes.string()?, Standing::decode(bytes)?)))
        .collect();
    let writers = Writers::restore(standings?);
    let names = writers.names();
    let slot = |name: &str| names.iter().position(|known| *known == name);
    let owners = owners?.into_iter();
    let owners = owners.map(|(name, count)| (slot(&name), count)).collect();
    Some(Typed {
        waiting,
        owners,
        writers,
    })
}

fn encode_program(program: &Program, now: Instant, out: &mut Vec<u8>) {
    out.put_u32(program.pid.as_raw().unsigned_abs());
    out.put_bool(program.pty.is_some());
    out.put_option(program.status, |out, status| {
        out.put_option(status.code, Encode::put_u8);
        out.put_option(status.signal, Encode::put_u8);
        out.put_bool(status.core_dumped);
    });
    out.put_option(program.exit.as_ref(), put_exit);
    out.put_option(program.ending, |out, ending| {
        put_duration(out, ending.kill_at.saturating_duration_since(now));
    });
    out.put_bool(program.gone);
}

fn decode_program(
    bytes: &mut Decode<'_>,
    now: Instant,
    next: &mut dyn FnMut() -> Option<OwnedFd>,
) -> Option<Program> {
    let pid = Pid::from_raw(i32::try_from(bytes.u32()?).ok()?);
    let pty = match bytes.bool()? {
        true => Some(Pty::adopt(next()?.into())),
        false => None,
    };
    let status = bytes.option(|bytes| {
        Some(Status {
            code: bytes.option(Decode::u8)?,
            signal: bytes.option(Decode::u8)?,
            core_dumped: bytes.bool()?,
        })
    })?;
    let mut program = Program::restore(pid, pty, status);
    program.exit = bytes.option(take_exit)?;
    let ending = bytes.option(take_duration)?;
    program.gone = bytes.bool()?;
    if let Some(patience) = ending {
        program.end(now, patience);
    }
    Some(program)
}

fn encode_peer(peer: &Peer, out: &mut Vec<u8>) {
    out.put_raw(&PREAMBLE);
    out.put_bytes(peer.inbox.rest());
    out.put_bytes(peer.out.get(peer.out_start..).unwrap_or_default());
    out.put_bool(peer.told.welcome);
    out.put_u64(peer.told.resizes);
    for told in [peer.told.exit, peer.told.output_ended, peer.told.gone] {
        out.put_bool(told);
    }
    out.put_option(peer.follows, Encode::put_u64);
    out.put_u64(peer.until);
    out.put_option(peer.fetches, Encode::put_u64);
}

/// The inner `None` is a peer of another version.
fn decode_peer(
    bytes: &mut Decode<'_>,
    next: &mut dyn FnMut() -> Option<OwnedFd>,
) -> Option<Option<Peer>> {
    let stream = UnixStream::from(next()?);
    if bytes.raw(PREAMBLE.len())? != PREAMBLE {
        return Some(None);
    }
    let mut peer = Peer::starter(stream);
    let rest = bytes.bytes()?;
    let space = peer.inbox.space().get_mut(..rest.len())?;
    space.copy_from_slice(rest);
    peer.inbox.filled(rest.len());
    peer.out = bytes.bytes()?.to_vec();
    peer.told = Told {
        welcome: bytes.bool()?,
        // It is told the mode again, which is harmless.
        tty: None,
        resizes: bytes.u64()?,
        exit: bytes.bool()?,
        output_ended: bytes.bool()?,
        gone: bytes.bool()?,
    };
    peer.follows = bytes.option(Decode::u64)?;
    peer.until = bytes.u64()?;
    peer.fetches = bytes.option(Decode::u64)?;
    Some(Some(peer))
}

fn put_duration(out: &mut Vec<u8>, duration: Duration) {
    out.put_u64(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX));
}

fn take_duration(bytes: &mut Decode<'_>) -> Option<Duration> {
    bytes.u64().map(Duration::from_millis)
}

/// What a holder's standard input begins with.
pub(crate) const MAGIC: [u8; 2] = *b"VH";

/// What follows when a holder hands over: the version of what it hands over, and that it does.
pub(crate) const HANDOVER: [u8; 2] = [1, 2];

/// What follows when a daemon starts a holder.
pub(crate) const START: [u8; 2] = [1, 1];

/// The argument that asks an executable what it can take over, and the answer.
pub(crate) const CHECK: &str = "--handover";
pub(crate) const VERSION: &str = "vroom-hold handover 1";

/// The most files that are handed over.
pub(crate) const FILES_MAX: usize = 6;
