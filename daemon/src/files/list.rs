//! What is said about files: lists and single entries.

use rustix::fd::OwnedFd;
use rustix::fs::{self, AtFlags, Dir, FileType, Stat};
use rustix::io::Errno;
use vroom_protocol::files::{Entry, EntryKind, LIST_ENTRIES_MAX, Permissions, Response};

use super::failure::Failure;

/// Lists a directory in answers of bounded size, in the order of the file system.
///
/// `answer` says whether somebody still listens.
pub(super) fn list(folder: OwnedFd, answer: impl Fn(Response) -> bool) -> Result<(), Failure> {
    let mut entries = Vec::new();
    let mut name_bytes = 0;
    // The reader has a position of its own.
    for found in Dir::read_from(&folder)? {
        let found = found?;
        let name = found.file_name();
        if matches!(name.to_bytes(), b"." | b"..") {
            continue;
        }
        let stat = match fs::statat(&folder, name, AtFlags::SYMLINK_NOFOLLOW) {
            Ok(stat) => stat,
            // Gone since it was listed.
            Err(Errno::NOENT) => continue,
            Err(errno) => return Err(errno.into()),
        };
        name_bytes += name.to_bytes().len();
        entries.push(entry(name.to_string_lossy().into_owned(), &stat));
        if entries.len() >= LIST_ENTRIES_MAX || name_bytes >= NAME_BYTES_MAX {
            name_bytes = 0;
            let entries = std::mem::take(&mut entries);
            if !answer(Response::Listed {
                entries,
                more: true,
            }) {
                return Ok(());
            }
        }
    }
    answer(Response::Listed {
        entries,
        more: false,
    });
    Ok(())
}

/// One file; a name that is not UTF-8 is shown as well as it can be.
pub(super) fn entry(name: String, stat: &Stat) -> Entry {
    let kind = match FileType::from_raw_mode(stat.st_mode) {
        FileType::RegularFile => EntryKind::File,
        FileType::Directory => EntryKind::Directory,
        FileType::Symlink => EntryKind::Symlink,
        _ => EntryKind::Other,
    };
    Entry {
        name,
        kind,
        size: u64::try_from(stat.st_size).unwrap_or(0),
        modified: stat.st_mtime,
        permissions: Permissions::from_mode(stat.st_mode),
    }
}

/// The names in one answer, in bytes; the rest goes into the next one.
const NAME_BYTES_MAX: usize = 48 * 1024;

#[cfg(test)]
mod tests {
    use std::cell::RefCell;
    use std::collections::BTreeSet;

    use rustix::fs::{CWD, Mode, OFlags};

    use super::*;

    #[test]
    fn a_long_list_comes_in_pieces_that_say_so() {
        let folder = tempfile::tempdir().unwrap();
        let name = |at: usize| format!("{at:0>120}");
        for at in 0..1000 {
            std::fs::write(folder.path().join(name(at)), "").unwrap();
        }
        let flags = OFlags::RDONLY | OFlags::DIRECTORY;
        let opened = fs::openat(CWD, folder.path(), flags, Mode::empty()).unwrap();
        let answers = RefCell::new(Vec::new());
        list(opened, |answer| {
            answers.borrow_mut().push(answer);
            true
        })
        .unwrap();
        let mut answers = answers.into_inner();
        assert!(answers.len() > 1);
        let mut names = BTreeSet::new();
        let last = answers.len() - 1;
        for (at, answer) in answers.drain(..).enumerate() {
            assert!(answer.encode().1.len() < 256 * 1024);
            let Response::Listed { entries, more } = answer else {
                panic!("{answer:?}");
            };
            assert_eq!(more, at < last);
            names.extend(entries.into_iter().map(|entry| entry.name));
        }
        assert_eq!(names, (0..1000).map(name).collect());
    }
}
