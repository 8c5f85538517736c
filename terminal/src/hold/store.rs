//! What is kept of a terminal: the newest output, a checkpoint, and the sizes since.

use std::collections::VecDeque;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;

use rustix::fs::{MemfdFlags, memfd_create};

use super::frame::Mark;
use super::ring::{RING_BYTES, Ring};
use crate::PtySize;

/// What is kept of a terminal's output, in files that exist in memory only.
///
/// With the newest checkpoint, the output after it and the sizes between, the screen can be rebuilt at
/// any time: output that a rebuild needs is never overwritten, and the program waits instead.
#[derive(Debug)]
pub(crate) struct Store {
    pub(crate) ring: Ring,
    /// The offset of the next byte.
    pub(crate) end: u64,
    /// Bytes that redraw the screen at `mark`; none when it was blank then.
    pub(crate) checkpoint: Option<File>,
    pub(crate) checkpoint_bytes: u64,
    pub(crate) mark: Mark,
    /// The checkpoint that is arriving.
    incoming: Option<Incoming>,
    /// The size now.
    pub(crate) size: PtySize,
    /// The changes of size since the checkpoint.
    pub(crate) resizes: VecDeque<Mark>,
    /// How many changes came before these.
    pub(crate) resizes_before: u64,
}

#[derive(Debug, Default)]
struct Incoming {
    file: Option<File>,
    bytes: u64,
}

impl Incoming {
    fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        let file = match &self.file {
            Some(file) => file,
            None => self.file.insert(memory("vroom-checkpoint")?),
        };
        file.write_all_at(bytes, self.bytes)
    }
}

impl Store {
    /// An empty one, for a terminal that begins with a size.
    pub(crate) fn new(size: PtySize) -> io::Result<Self> {
        Ok(Self {
            ring: Ring::new()?,
            end: 0,
            checkpoint: None,
            checkpoint_bytes: 0,
            mark: Mark { offset: 0, size },
            incoming: None,
            size,
            resizes: VecDeque::new(),
            resizes_before: 0,
        })
    }

    /// One that goes on from another, without the checkpoint that was arriving.
    pub(crate) fn restore(ring: Ring, checkpoint: Option<File>) -> Self {
        Self {
            ring,
            end: 0,
            checkpoint,
            checkpoint_bytes: 0,
            mark: Mark::default(),
            incoming: None,
            size: PtySize::default(),
            resizes: VecDeque::new(),
            resizes_before: 0,
        }
    }

    /// The oldest offset that is kept.
    pub(crate) fn first(&self) -> u64 {
        self.end.saturating_sub(RING_BYTES)
    }

    /// How much more output there may be before the next checkpoint.
    pub(crate) fn room(&self) -> u64 {
        let until = self.mark.offset.saturating_add(RING_BYTES);
        until.saturating_sub(self.end)
    }

    /// Appends output, no more than there is room for.
    pub(crate) fn append(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.ring.write(self.end, bytes)?;
        self.end += bytes.len() as u64;
        Ok(())
    }

    /// Copies output from a kept offset on; returns how much.
    pub(crate) fn read(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        if offset < self.first() {
            return Ok(0);
        }
        let available = self.end.saturating_sub(offset);
        let count =
            usize::try_from(available).map_or(buffer.len(), |count| count.min(buffer.len()));
        let buffer = buffer.get_mut(..count).unwrap_or_default();
        self.ring.read(offset, buffer)?;
        Ok(count)
    }

    /// Takes bytes of the next checkpoint; one that becomes larger than [`CHECKPOINT_BYTES`], or finds no
    /// memory, is dropped at its end.
    pub(crate) fn checkpoint_part(&mut self, bytes: &[u8]) {
        let incoming = self.incoming.get_or_insert_default();
        let end = incoming.bytes.saturating_add(bytes.len() as u64);
        let kept = end <= CHECKPOINT_BYTES && incoming.write(bytes).is_ok();
        incoming.bytes = if kept { end } else { u64::MAX };
    }

    /// Makes the parts that came the checkpoint, if they are whole and newer; no part is a blank screen.
    pub(crate) fn checkpoint_end(&mut self, mark: Mark) {
        let incoming = self.incoming.take().unwrap_or_default();
        let is_newer = (self.mark.offset..=self.end).contains(&mark.offset);
        if incoming.bytes > CHECKPOINT_BYTES || !is_newer {
            return;
        }
        self.checkpoint = incoming.file;
        self.checkpoint_bytes = incoming.bytes;
        self.mark = mark;
        while self
            .resizes
            .front()
            .is_some_and(|resize| resize.offset < mark.offset)
        {
            self.resizes.pop_front();
            self.resizes_before += 1;
        }
    }

    /// Whether a part of a checkpoint is there and the rest is not.
    pub(crate) fn is_receiving(&self) -> bool {
        self.incoming.is_some()
    }

    /// Drops the parts of a checkpoint whose sender is gone.
    pub(crate) fn checkpoint_abort(&mut self) {
        self.incoming = None;
    }

    /// Copies bytes of the checkpoint; returns how many.
    pub(crate) fn read_checkpoint(&self, position: u64, buffer: &mut [u8]) -> io::Result<usize> {
        match &self.checkpoint {
            Some(file) => file.read_at(buffer, position),
            None => Ok(0),
        }
    }

    /// Notes a new size.
    pub(crate) fn resize(&mut self, size: PtySize) {
        self.resize_at_offset(self.end, size);
    }

    /// Notes a size that was new at an offset of the output.
    pub(crate) fn resize_at_offset(&mut self, offset: u64, size: PtySize) {
        self.size = size;
        if self.resizes.len() >= RESIZES_MAX {
            self.resizes.pop_front();
            self.resizes_before += 1;
        }
        let newest = self.resizes.back().map_or(0, |resize| resize.offset);
        let offset = offset.clamp(newest, self.end.max(newest));
        self.resizes.push_back(Mark { offset, size });
    }

    /// The change of size with a number, counted from the first one ever.
    pub(crate) fn resize_at(&self, number: u64) -> Option<Mark> {
        let index = number.checked_sub(self.resizes_before)?;
        self.resizes.get(usize::try_from(index).ok()?).copied()
    }
}

/// Whether a holder keeps a checkpoint of this size.
pub(crate) fn is_checkpoint_possible(bytes: usize) -> bool {
    bytes as u64 <= CHECKPOINT_BYTES
}

/// A file that exists in memory only.
pub(crate) fn memory(name: &str) -> io::Result<File> {
    Ok(memfd_create(name, MemfdFlags::CLOEXEC)?.into())
}

/// The largest checkpoint; of a larger one nothing is kept, and the one before stays.
pub(crate) const CHECKPOINT_BYTES: u64 = 64 * 1024 * 1024;

/// The changes of size that are kept since the checkpoint; the oldest is forgotten for the next.
///
/// A daemon that is connected is told of each at once, and makes checkpoints far more often.
pub(crate) const RESIZES_MAX: usize = 256;

#[cfg(test)]
mod tests {
    use super::*;

    fn store() -> Store {
        Store::new(PtySize::default()).unwrap()
    }

    fn mark(offset: u64) -> Mark {
        Mark {
            offset,
            size: PtySize::default(),
        }
    }

    #[test]
    fn the_newest_output_is_read_back() {
        let mut store = store();
        let mut written: Vec<u8> = Vec::new();
        for round in 0..80u8 {
            let piece: Vec<u8> = (0..100_003).map(|at| (at % 251) as u8 ^ round).collect();
            store.append(&piece).unwrap();
            written.extend_from_slice(&piece);
        }
        assert_eq!(store.end, written.len() as u64);
        assert_eq!(store.end - store.first(), RING_BYTES);
        let mut buffer = vec![0; 70_000];
        let mut offset = store.first();
        while offset < store.end {
            let count = store.read(offset, &mut buffer).unwrap();
            let start = usize::try_from(offset).unwrap();
            assert_eq!(buffer[..count], written[start..start + count]);
            offset += count as u64;
        }
        assert_eq!(store.read(store.first() - 1, &mut buffer).unwrap(), 0);
        assert_eq!(store.read(store.end, &mut buffer).unwrap(), 0);
    }

    #[test]
    fn what_the_checkpoint_needs_is_not_overwritten() {
        let mut store = store();
        assert_eq!(store.room(), RING_BYTES);
        store.append(&vec![b'x'; 1_000_000]).unwrap();
        assert_eq!(store.room(), RING_BYTES - 1_000_000);
        store.checkpoint_part(b"screen");
        store.checkpoint_end(mark(600_000));
        assert_eq!(store.room(), RING_BYTES - 400_000);
        let mut buffer = [0; 10];
        assert_eq!(store.read_checkpoint(2, &mut buffer).unwrap(), 4);
        assert_eq!(&buffer[..4], b"reen");
        // Neither an older one, nor one of output that is to come, nor half a one.
        for offset in [599_999, 1_000_001] {
            store.checkpoint_part(b"other");
            store.checkpoint_end(mark(offset));
            assert_eq!((store.mark.offset, store.checkpoint_bytes), (600_000, 6));
        }
        let piece = vec![0; 1 << 20];
        for _ in 0..=CHECKPOINT_BYTES >> 20 {
            store.checkpoint_part(&piece);
        }
        store.checkpoint_end(mark(1_000_000));
        assert_eq!((store.mark.offset, store.checkpoint_bytes), (600_000, 6));
        store.checkpoint_part(b"half");
        store.checkpoint_abort();
        store.checkpoint_end(mark(1_000_000));
        assert_eq!((store.mark.offset, store.checkpoint_bytes), (1_000_000, 0));
        assert_eq!(store.read_checkpoint(0, &mut buffer).unwrap(), 0);
    }

    #[test]
    fn sizes_since_the_checkpoint_are_kept() {
        let mut store = store();
        let size = |rows| PtySize {
            rows,
            ..PtySize::default()
        };
        for rows in 1..=3 {
            store.append(b"0123456789").unwrap();
            store.resize(size(rows));
        }
        assert_eq!(store.resize_at(1).unwrap().offset, 20);
        store.checkpoint_part(b"s");
        store.checkpoint_end(mark(20));
        assert_eq!(store.resize_at(0), None);
        assert_eq!(store.resize_at(1).unwrap().size, size(2));
        assert_eq!(store.resize_at(2).unwrap().size, size(3));
        assert_eq!(store.resize_at(3), None);
        for rows in 0..2000 {
            store.resize(size(rows));
        }
        assert_eq!(store.resizes.len(), RESIZES_MAX);
        assert_eq!(store.resizes.back().unwrap().size, size(1999));
    }
}
