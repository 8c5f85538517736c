//! The folder of one recording, and how much may be written into it.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Seek, SeekFrom, Write};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::rules::{MIB, RecordingRules};

/// The folder of one recording, which only its owner may enter.
#[derive(Debug)]
pub(super) struct Folder {
    path: PathBuf,
    budget: Budget,
}

/// What may be written.
#[derive(Debug)]
struct Budget {
    written: AtomicU64,
    /// When the disk is asked again, in bytes written.
    ask_at: AtomicU64,
    bytes_max: u64,
    free_min: u64,
}

impl Folder {
    /// Makes it, with a name that is not taken: `id`, or that and a number.
    pub(super) fn make(all: &Path, id: &str, rules: &RecordingRules) -> io::Result<Arc<Self>> {
        let context = |error: io::Error| {
            let text = format!("cannot make a folder in {}: {error}", all.display());
            io::Error::new(error.kind(), text)
        };
        let mut builder = DirBuilder::new();
        builder
            .mode(0o700)
            .recursive(true)
            .create(all)
            .map_err(context)?;
        builder.recursive(false);
        let mut attempt = 1;
        let path = loop {
            let name = match attempt {
                1 => id.to_owned(),
                more => format!("{id}-{more}"),
            };
            let path = all.join(name);
            match builder.create(&path) {
                Ok(()) => break path,
                Err(error)
                    if error.kind() == io::ErrorKind::AlreadyExists && attempt < ATTEMPTS =>
                {
                    attempt += 1;
                }
                Err(error) => return Err(context(error)),
            }
        };
        let folder = Self {
            path,
            budget: Budget {
                written: AtomicU64::new(0),
                ask_at: AtomicU64::new(0),
                bytes_max: rules.bytes_max,
                free_min: rules.free_min,
            },
        };
        folder.spend(0, 0)?;
        Ok(Arc::new(folder))
    }

    /// Makes a file in it that only its owner may read.
    pub(super) fn create(self: &Arc<Self>, name: &str) -> io::Result<Kept> {
        let mut options = OpenOptions::new();
        options.write(true).create_new(true).mode(0o600);
        Ok(Kept {
            file: options.open(self.path.join(name))?,
            folder: Arc::clone(self),
            at: 0,
            end: 0,
            reserve: 0,
        })
    }

    /// Makes a file for a movie: what it has in hand when others filled the room still fits.
    pub(super) fn create_movie(self: &Arc<Self>, name: &str) -> io::Result<Kept> {
        let reserve = self.budget.bytes_max / RESERVE_PART;
        self.create(name).map(|file| Kept { reserve, ..file })
    }

    /// Takes this many bytes out of what may be written, and of `reserve` more.
    fn spend(&self, bytes: u64, reserve: u64) -> io::Result<()> {
        let budget = &self.budget;
        let written = budget.written.fetch_add(bytes, Ordering::Relaxed) + bytes;
        if written > budget.bytes_max.saturating_add(reserve) {
            budget.written.fetch_sub(bytes, Ordering::Relaxed);
            let text = format!("it has its largest size, {} MiB", budget.bytes_max / MIB);
            return Err(io::Error::new(io::ErrorKind::StorageFull, text));
        }
        if written < budget.ask_at.load(Ordering::Relaxed) {
            return Ok(());
        }
        budget.ask_at.store(written + ASK_BYTES, Ordering::Relaxed);
        let disk = rustix::fs::statvfs(&self.path)?;
        if disk.f_bavail.saturating_mul(disk.f_frsize) < budget.free_min {
            let text = format!(
                "less than {} MiB are free on its disk",
                budget.free_min / MIB
            );
            return Err(io::Error::new(io::ErrorKind::StorageFull, text));
        }
        Ok(())
    }
}

/// A file of a recording.
#[derive(Debug)]
pub(super) struct Kept {
    file: File,
    folder: Arc<Folder>,
    at: u64,
    end: u64,
    reserve: u64,
}

impl Kept {
    /// Writes what has to be there in any case: how it ended.
    pub(super) fn write_last(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all(bytes)
    }
}

impl Write for Kept {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let until = self.at + bytes.len() as u64;
        self.folder
            .spend(until.saturating_sub(self.end), self.reserve)?;
        let written = self.file.write(bytes)?;
        self.at += written as u64;
        self.end = self.end.max(self.at);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl Seek for Kept {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.at = self.file.seek(to)?;
        Ok(self.at)
    }
}

/// The part of the largest size that movies may use beyond it.
const RESERVE_PART: u64 = 16;

/// How often the disk is asked, in bytes written.
const ASK_BYTES: u64 = MIB;

/// The names that are tried for a folder.
const ATTEMPTS: u32 = 100;

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt as _;

    use super::*;

    fn rules(bytes_max: u64, free_min: u64) -> RecordingRules {
        RecordingRules {
            allowed: None,
            directory: None,
            autostart: false,
            bytes_max,
            free_min,
            pointer: true,
        }
    }

    #[test]
    fn recordings_are_private_and_have_names_of_their_own() {
        let all = tempfile::tempdir().unwrap();
        let place = all.path().join("a/b");
        let first = Folder::make(&place, "now", &rules(100, 0)).unwrap();
        let second = Folder::make(&place, "now", &rules(100, 0)).unwrap();
        assert_ne!(first.path, second.path);
        first.create("file").unwrap();
        assert_eq!(
            first.create("file").unwrap_err().kind(),
            io::ErrorKind::AlreadyExists
        );
        let mode = |path: &Path| path.metadata().unwrap().mode() & 0o777;
        assert_eq!((mode(&place), mode(&first.path)), (0o700, 0o700));
        assert_eq!(mode(&first.path.join("file")), 0o600);
    }

    #[test]
    fn only_what_makes_files_longer_counts_and_too_much_is_refused() {
        let all = tempfile::tempdir().unwrap();
        let folder = Folder::make(all.path(), "now", &rules(100, 0)).unwrap();
        let mut file = folder.create("file").unwrap();
        file.write_all(&[1; 90]).unwrap();
        file.seek(SeekFrom::Start(0)).unwrap();
        file.write_all(&[2; 90]).unwrap();
        file.write_all(&[3; 10]).unwrap();
        let error = file.write_all(&[4]).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::StorageFull);
        file.write_last(b"end").unwrap();
        let mut movie = folder.create_movie("movie").unwrap();
        movie.write_all(&[5; 6]).unwrap();
        let error = movie.write_all(&[6]).unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::StorageFull);
    }

    #[test]
    fn a_disk_without_room_is_found_out_at_once() {
        let all = tempfile::tempdir().unwrap();
        let error = Folder::make(all.path(), "now", &rules(100, u64::MAX)).unwrap_err();
        assert!(error.to_string().contains("are free"), "{error}");
    }
}
