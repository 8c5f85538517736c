//! What a holder leaves to its successor, besides open files.

use std::fs::File;
use std::os::fd::OwnedFd;
use std::os::unix::net::{UnixListener, UnixStream};
use std::time::{Duration, Instant};

use nix::sys::signalfd::SignalFd;
use nix::unistd::Pid;

use super::codec::{Decode, Encode};
use super::core::Core;
use super::frame::{Mark, PREAMBLE, put_exit, take_exit};
use super::holder::Holder;
use super::meta::Meta;
use super::peer::{Peer, Told};
use super::program::{Program, Status};
use super::ring::Ring;
use super::start::Keep;
use super::store::Store;
use super::typed::Typed;
use super::writers::{Standing, Writers};
use crate::pty::Pty;

/// Writes down all but the open files.
pub(super) fn encode(holder: &Holder, now: Instant, out: &mut Vec<u8>) {
    let core = &holder.core;
    core.meta.encode(out);
    core.keep.encode(out);
    out.put_os(&core.dir);
    out.put_os(&core.executable);
    out.put_u64(core.answered);
    out.put_time(core.active_at);
    out.put_bool(core.forget);
    encode_store(&core.store, out);
    encode_typed(&core.typed, out);
    encode_program(&core.program, now, out);
    for since in [holder.alone_since, holder.ended_since] {
        out.put_option(since, |out, since| put_duration(out, now - since));
    }
    out.put_option(holder.client.as_ref(), |out, client| {
        encode_peer(client, out);
    });
}

/// Makes a holder of it again; the files come in the order in which they are named in it.
pub(super) fn decode(
    state: &[u8],
    listener: UnixListener,
    ring: Ring,
    signals: SignalFd,
    next: &mut dyn FnMut() -> Option<OwnedFd>,
) -> Option<Holder> {
    let now = Instant::now();
    let mut bytes = Decode(state);
    let meta = Meta::decode(&mut bytes)?;
    let keep = Keep::decode(&mut bytes)?;
    let paths = (bytes.path()?, bytes.path()?);
    let (answered, active_at, forget) = (bytes.u64()?, bytes.time()?, bytes.bool()?);
    let store = decode_store(&mut bytes, ring, next)?;
    let typed = decode_typed(&mut bytes)?;
    let program = decode_program(&mut bytes, now, next)?;
    let mut core = Core::new(meta, keep, paths, program, store);
    core.answered = answered;
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
        vacant_since: None,
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
    ring: Ring,
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
    out.put_bool(peer.answers);
    out.put_bool(peer.told.welcome);
    out.put_u64(peer.told.resizes);
    for told in [peer.told.exit, peer.told.output_ended, peer.told.gone] {
        out.put_bool(told);
    }
    out.put_option(peer.follows, Encode::put_u64);
    out.put_u64(peer.until);
    out.put_option(peer.fetches, Encode::put_u64);
    out.put_bool(peer.borrows);
    out.put_u64(peer.inputs);
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
    peer.answers = bytes.bool()?;
    peer.told = Told {
        welcome: bytes.bool()?,
        // It is told the mode again, which is harmless.
        tty: None,
        resizes: bytes.u64()?,
        exit: bytes.bool()?,
        output_ended: bytes.bool()?,
        gone: bytes.bool()?,
        ..Told::default()
    };
    peer.follows = bytes.option(Decode::u64)?;
    peer.until = bytes.u64()?;
    peer.fetches = bytes.option(Decode::u64)?;
    peer.borrows = bytes.bool()?;
    peer.inputs = bytes.u64()?;
    Some(Some(peer))
}

fn put_duration(out: &mut Vec<u8>, duration: Duration) {
    out.put_u64(u64::try_from(duration.as_millis()).unwrap_or(u64::MAX));
}

fn take_duration(bytes: &mut Decode<'_>) -> Option<Duration> {
    bytes.u64().map(Duration::from_millis)
}
