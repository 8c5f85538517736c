//! Waiting for a file without being stuck in it.

use std::io;
use std::os::fd::BorrowedFd;

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

/// Waits until a file is ready; `false` when `stop` was closed first.
pub(crate) fn wait_for(
    file: BorrowedFd<'_>,
    ready: PollFlags,
    stop: BorrowedFd<'_>,
) -> io::Result<bool> {
    loop {
        let mut files = [
            PollFd::new(file, ready),
            PollFd::new(stop, PollFlags::POLLIN),
        ];
        match poll(&mut files, PollTimeout::NONE) {
            Ok(_) => {}
            Err(Errno::EINTR) => continue,
            Err(error) => return Err(error.into()),
        }
        let [file, stop] = files.map(|file| file.any().unwrap_or(true));
        if stop || file {
            return Ok(!stop);
        }
    }
}

/// Whether reading a file would give something at once.
pub(crate) fn is_readable(file: BorrowedFd<'_>) -> bool {
    let mut files = [PollFd::new(file, PollFlags::POLLIN)];
    poll(&mut files, PollTimeout::ZERO).is_ok_and(|ready| ready > 0)
}
