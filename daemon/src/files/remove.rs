//! Removing files and whole directories.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;

use rustix::fd::{AsFd, BorrowedFd};
use rustix::fs::{self, AtFlags, Dir, Mode, OFlags};
use rustix::io::Errno;
use vroom_protocol::files::FileCode;

use super::failure::Failure;

/// Removes what stands under a name: a file, a link, an empty directory, or with `recursive` one
/// with all that is in it.
///
/// Links are removed and never followed. `goes_on` is asked before each file.
pub(super) fn remove(
    folder: BorrowedFd<'_>,
    name: &OsStr,
    recursive: bool,
    goes_on: &dyn Fn() -> bool,
) -> Result<(), Failure> {
    match fs::unlinkat(folder, name, AtFlags::empty()) {
        // What Linux and POSIX say about a directory.
        Err(Errno::ISDIR | Errno::PERM) => {}
        removed => return Ok(removed?),
    }
    if recursive {
        empty(folder, name, DEPTH_MAX, goes_on)?;
    }
    match fs::unlinkat(folder, name, AtFlags::REMOVEDIR) {
        // It was no directory: the first answer was about permissions.
        Err(Errno::NOTDIR) => Err(Errno::PERM.into()),
        removed => Ok(removed?),
    }
}

fn empty(
    folder: BorrowedFd<'_>,
    name: &OsStr,
    depth_left: usize,
    goes_on: &dyn Fn() -> bool,
) -> Result<(), Failure> {
    let Some(depth_left) = depth_left.checked_sub(1) else {
        return Err(Failure::new(
            FileCode::IO_ERROR,
            "directories are nested too deeply",
        ));
    };
    let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
    let opened = match fs::openat(folder, name, flags, Mode::empty()) {
        Ok(opened) => opened,
        Err(Errno::NOTDIR | Errno::LOOP) => return Err(Errno::PERM.into()),
        Err(errno) => return Err(errno.into()),
    };
    for found in Dir::read_from(&opened)? {
        let found = found?;
        let name = found.file_name().to_bytes();
        if matches!(name, b"." | b"..") {
            continue;
        }
        if !goes_on() {
            return Err(Failure::new(FileCode::IO_ERROR, "the channel was closed"));
        }
        let name = OsStr::from_bytes(name);
        match fs::unlinkat(&opened, name, AtFlags::empty()) {
            Ok(()) | Err(Errno::NOENT) => {}
            Err(Errno::ISDIR | Errno::PERM) => {
                empty(opened.as_fd(), name, depth_left, goes_on)?;
                fs::unlinkat(&opened, name, AtFlags::REMOVEDIR)?;
            }
            Err(errno) => return Err(errno.into()),
        }
    }
    Ok(())
}

/// How deep a directory may be nested that is removed with all in it; a deeper one is refused.
const DEPTH_MAX: usize = 128;

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use rustix::fs::CWD;

    use super::*;

    #[test]
    fn what_links_lead_to_stays() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path();
        std::fs::create_dir_all(path.join("kept")).unwrap();
        std::fs::write(path.join("kept/file"), "k").unwrap();
        std::fs::create_dir_all(path.join("gone/sub/sub")).unwrap();
        std::fs::write(path.join("gone/sub/file"), "g").unwrap();
        symlink("../kept", path.join("gone/link")).unwrap();
        let opened = fs::openat(CWD, path, OFlags::PATH, Mode::empty()).unwrap();
        let remove =
            |name: &str, recursive| remove(opened.as_fd(), OsStr::new(name), recursive, &|| true);
        assert_eq!(
            remove("gone", false).unwrap_err().code,
            FileCode::FILE_EXISTS
        );
        remove("gone", true).unwrap();
        assert!(!path.join("gone").exists());
        assert!(path.join("kept/file").exists());
        symlink("kept", path.join("link")).unwrap();
        remove("link", true).unwrap();
        assert!(path.join("kept/file").exists());
        assert_eq!(
            remove("gone", true).unwrap_err().code,
            FileCode::FILE_NOT_FOUND
        );
    }
}
