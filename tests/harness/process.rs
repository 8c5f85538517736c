//! Processes of a test, and the end of those that outlive it on purpose.

use std::fs;
use std::os::fd::AsRawFd as _;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::sys::socket::{getsockopt, sockopt::PeerCredentials};
use nix::unistd::Pid;

use crate::pty::PATIENCE;

/// Whether a process is there and no zombie.
pub fn is_alive(pid: u32) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let state = stat
        .rsplit_once(')')
        .and_then(|(_, rest)| rest.split_whitespace().next());
    state.is_some_and(|state| state != "Z" && state != "X")
}

/// All processes that a process started, and theirs.
pub fn descendants(of: u32) -> Vec<u32> {
    let mut found = Vec::new();
    let tasks = fs::read_dir(format!("/proc/{of}/task"));
    for task in tasks.into_iter().flatten().filter_map(Result::ok) {
        let children = fs::read_to_string(task.path().join("children")).unwrap_or_default();
        for child in children.split_whitespace() {
            if let Ok(child) = child.parse() {
                found.push(child);
                found.extend(descendants(child));
            }
        }
    }
    found
}

/// The `vroom-hold` processes whose terminals live somewhere below this folder.
///
/// The kernel says who listens on their sockets, whatever they are called.
pub fn holders(folder: &Path) -> Vec<u32> {
    let mut found = Vec::new();
    let Ok(entries) = fs::read_dir(folder) else {
        return found;
    };
    for entry in entries.filter_map(Result::ok) {
        let Ok(kind) = entry.file_type() else {
            continue;
        };
        if kind.is_dir() {
            let path = entry.path();
            if path.file_name().is_some_and(|name| name == "terminals") {
                found.extend(listeners(&path));
            } else {
                found.extend(holders(&path));
            }
        }
    }
    found
}

/// Ends every terminal below this folder and waits until it is gone; no daemon of it may run any more.
///
/// Holders outlive their daemon on purpose, so whoever starts a daemon calls this at the end.
pub fn end_holders(folder: &Path) {
    let holders = holders(folder);
    for holder in &holders {
        // Some programs of tests are deaf to everything else.
        for program in descendants(*holder) {
            signal(program, Signal::SIGKILL);
        }
        signal(*holder, Signal::SIGTERM);
    }
    let deadline = Instant::now() + PATIENCE;
    while holders.iter().any(|holder| is_alive(*holder)) {
        if Instant::now() > deadline {
            for holder in &holders {
                signal(*holder, Signal::SIGKILL);
            }
            eprintln!("holders of {} had to be killed", folder.display());
            return;
        }
        std::thread::sleep(LOOK);
    }
}

/// Who listens on the sockets in a folder.
fn listeners(folder: &Path) -> Vec<u32> {
    // Sockets have short paths only; one through an open folder is short.
    let (Ok(handle), Ok(entries)) = (fs::File::open(folder), fs::read_dir(folder)) else {
        return Vec::new();
    };
    let names = entries.filter_map(|entry| Some(entry.ok()?.file_name()));
    names
        .filter_map(|name| {
            let short = Path::new("/proc/self/fd").join(handle.as_raw_fd().to_string());
            let stream = UnixStream::connect(short.join(name)).ok()?;
            let peer = getsockopt(&stream, PeerCredentials).ok()?;
            u32::try_from(peer.pid()).ok()
        })
        .collect()
}

fn signal(pid: u32, signal: Signal) {
    if let Ok(pid) = i32::try_from(pid) {
        // It may have gone by itself meanwhile.
        kill(Pid::from_raw(pid), signal).unwrap_or_default();
    }
}

/// How often it is looked whether a process is gone that is not ours to wait for.
const LOOK: Duration = Duration::from_millis(5);
