//! The newest output of a terminal.

use std::fs::File;
use std::io::{self, Seek, SeekFrom};
use std::os::fd::OwnedFd;
use std::os::unix::fs::FileExt;

use rustix::fs::{FallocateFlags, fallocate};

use super::store::memory;

/// The newest output of a terminal, in a file that exists in memory only.
///
/// Each byte lies at its offset, and what is older than [`RING_BYTES`] is given back to the system. The
/// file has a position of its own, the same for everybody who has it open: with it the kernel itself
/// counts what is moved into the file, and the count survives whoever moves it.
#[derive(Debug)]
pub(crate) struct Ring {
    file: File,
    /// What is before it was given back.
    trimmed: u64,
}

impl Ring {
    /// An empty one.
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Self::adopt(memory("vroom-ring")?))
    }

    /// One that somebody else has, or had.
    pub(crate) fn adopt(file: File) -> Self {
        Self { file, trimmed: 0 }
    }

    /// The file itself.
    pub(crate) fn file(&self) -> &File {
        &self.file
    }

    /// The same file for somebody else, with the same position.
    pub(crate) fn share(&self) -> io::Result<OwnedFd> {
        Ok(self.file.try_clone()?.into())
    }

    /// Writes output at its offset.
    pub(crate) fn write(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all_at(bytes, offset)?;
        self.trim(offset + bytes.len() as u64);
        Ok(())
    }

    /// Copies output from its offset on.
    pub(crate) fn read(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        self.file.read_exact_at(buffer, offset)
    }

    /// Puts the file's position where the output ends.
    pub(crate) fn set_position(&self, end: u64) -> io::Result<()> {
        (&self.file).seek(SeekFrom::Start(end))?;
        Ok(())
    }

    /// Where the output ends that was moved into the file.
    pub(crate) fn position(&self) -> io::Result<u64> {
        (&self.file).stream_position()
    }

    /// Gives back what is too old, of output that ends here.
    pub(crate) fn trim(&mut self, end: u64) {
        let kept = end.saturating_sub(RING_BYTES) / TRIM_BYTES * TRIM_BYTES;
        if kept <= self.trimmed {
            return;
        }
        let hole = FallocateFlags::PUNCH_HOLE | FallocateFlags::KEEP_SIZE;
        if let Err(error) = fallocate(&self.file, hole, self.trimmed, kept - self.trimmed) {
            tracing::debug!(%error, "old output was not given back");
        }
        self.trimmed = kept;
    }
}

/// The output that is kept; a program that writes more without a new checkpoint waits.
pub(crate) const RING_BYTES: u64 = 4 * 1024 * 1024;

/// In which steps old output is given back.
const TRIM_BYTES: u64 = 1024 * 1024;

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt;

    use super::*;

    #[test]
    fn old_output_takes_no_memory() {
        let mut ring = Ring::new().unwrap();
        let piece = vec![7; 256 * 1024];
        let mut end = 0;
        while end < 16 * RING_BYTES {
            ring.write(end, &piece).unwrap();
            end += piece.len() as u64;
        }
        let bytes = ring.file().metadata().unwrap().blocks() * 512;
        assert!(bytes <= RING_BYTES + TRIM_BYTES, "{bytes} bytes");
        let mut buffer = vec![0; 1000];
        ring.read(end - RING_BYTES, &mut buffer).unwrap();
        assert_eq!(buffer, piece[..1000]);
    }

    #[test]
    fn who_shares_it_shares_the_position() {
        let ring = Ring::new().unwrap();
        ring.set_position(1 << 40).unwrap();
        let other = Ring::adopt(ring.share().unwrap().into());
        io::Write::write_all(&mut other.file(), b"hello").unwrap();
        assert_eq!(ring.position().unwrap(), (1 << 40) + 5);
        let mut buffer = [0; 5];
        ring.read(1 << 40, &mut buffer).unwrap();
        assert_eq!(&buffer, b"hello");
    }
}
