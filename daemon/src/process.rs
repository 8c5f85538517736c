//! Settings of the process itself.

use std::env;
use std::path::Path;

use nix::sys::resource::{Resource, getrlimit, setrlimit};
use nix::sys::signal::Signal;

/// Whether a program can be found, by its name or its path.
pub(crate) fn is_installed(program: &str) -> bool {
    if program.contains('/') {
        return Path::new(program).is_file();
    }
    env::var_os("PATH")
        .is_some_and(|path| env::split_paths(&path).any(|folder| folder.join(program).is_file()))
}

/// Raises the number of files that may be open as far as the system lets us.
pub fn raise_file_limit() {
    let raised = getrlimit(Resource::RLIMIT_NOFILE)
        .and_then(|(_, hard)| setrlimit(Resource::RLIMIT_NOFILE, hard, hard));
    if let Err(error) = raised {
        tracing::warn!(%error, "the limit of open files stays as it is");
    }
}

/// Keeps the allocator from making a heap for each thread, which idle ones would hold on to, and
/// from putting pictures among small things, where holes of their size stay.
///
/// By itself it begins to do so when the first picture is freed: 15 MiB more or less then stay after
/// the last viewer left.
pub fn share_heaps() {
    #[cfg(target_env = "gnu")]
    for (name, value) in [
        (nix::libc::M_ARENA_MAX, HEAPS),
        (nix::libc::M_MMAP_THRESHOLD, LARGE_BYTES),
    ] {
        #[expect(
            unsafe_code,
            reason = "there is no other way to say this to the allocator"
        )]
        // SAFETY: mallopt sets a number inside the allocator, under its own lock.
        let taken = unsafe { nix::libc::mallopt(name, value) };
        if taken == 0 {
            tracing::debug!(name, value, "the allocator takes no advice");
        }
    }
}

/// Gives memory that was freed back to the system; it takes a millisecond or so.
///
/// The allocator keeps it otherwise, spread over its heaps: 30 MiB after a day with many viewers.
pub fn give_memory_back() {
    #[cfg(target_env = "gnu")]
    {
        #[expect(
            unsafe_code,
            reason = "there is no other way to say this to the allocator"
        )]
        // SAFETY: malloc_trim works on free memory alone, under the allocator's own locks.
        unsafe {
            nix::libc::malloc_trim(0);
        }
    }
}

/// Whether a signal is ignored, as `nohup` and shells in the background arrange it.
///
/// Whoever cannot be asked is taken not to.
pub fn is_ignored(signal: Signal) -> bool {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let mask = status
        .lines()
        .find_map(|line| line.strip_prefix("SigIgn:"))
        .and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok());
    mask.is_some_and(|mask| mask >> (signal as u32 - 1) & 1 == 1)
}

/// Ends the process without the farewells of its libraries.
///
/// The media libraries may still be at work on threads of theirs, for example on a key, and what
/// their farewells free is torn away under them.
pub fn leave(status: u8) -> ! {
    #[expect(unsafe_code, reason = "the standard library's exit runs the farewells")]
    // SAFETY: it ends the process and touches no memory of ours.
    unsafe {
        nix::libc::_exit(status.into())
    }
}

/// The heaps of the process: one for each of our async threads.
#[cfg(target_env = "gnu")]
const HEAPS: i32 = 2;

/// What is at least this large is given back the moment that it is freed.
#[cfg(target_env = "gnu")]
const LARGE_BYTES: i32 = 1 << 20;
