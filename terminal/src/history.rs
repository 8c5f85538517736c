//! What a program wrote, for any number of readers.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use tokio::sync::Notify;

/// The newest [`HISTORY_BYTES`] of what a program wrote.
///
/// A byte's offset counts all bytes before it since the program started. A reader is an offset and
/// nothing more: it pulls what it wants, when it wants, and learns when it fell behind. The one reader
/// who drives also sets the pace: the program is read at most [`DRIVER_AHEAD_BYTES`] ahead of it.
#[derive(Debug, Default)]
pub struct History {
    ring: Mutex<Ring>,
    /// Wakes the readers.
    changed: Notify,
    /// Wakes the readers who are not in a hurry.
    announced: Notify,
    /// Wakes the thread that fills the ring, when there is room or nothing more to do.
    room: Condvar,
}

/// What a reader gets.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Read {
    /// The bytes from its offset on; at least one, unless it asked for none.
    Bytes(Bytes),
    /// There is nothing from its offset on yet.
    Pending,
    /// There is nothing from its offset on, and never will be.
    Ended,
    /// Its offset is no longer kept.
    Behind {
        /// The oldest offset that is.
        first: u64,
    },
}

impl History {
    /// A history whose first byte is not the program's first.
    pub(crate) fn starting_at(first: u64) -> Self {
        let ring = Ring {
            first,
            ..Ring::default()
        };
        Self {
            ring: Mutex::new(ring),
            ..Self::default()
        }
    }

    /// Copies at most `max` bytes from an offset on.
    pub fn read_from(&self, offset: u64, max: usize) -> Read {
        let ring = self.lock();
        if offset < ring.first {
            return Read::Behind { first: ring.first };
        }
        let available = ring.end().saturating_sub(offset);
        if available == 0 {
            return if ring.ended {
                Read::Ended
            } else {
                Read::Pending
            };
        }
        let count = usize::try_from(available).map_or(max, |available| available.min(max));
        // It lies inside the ring, which is in memory.
        let start = usize::try_from(offset - ring.first).unwrap_or(usize::MAX);
        let (front, back) = ring.bytes.as_slices();
        let mut copy = Vec::with_capacity(count);
        if let Some(rest) = front.get(start..) {
            copy.extend_from_slice(rest.get(..count).unwrap_or(rest));
        }
        let start = start.saturating_sub(front.len());
        if let Some(rest) = back.get(start..) {
            let count = count - copy.len();
            copy.extend_from_slice(rest.get(..count).unwrap_or(rest));
        }
        Read::Bytes(copy.into())
    }

    /// Waits until there is something from an offset on, or never will be; cancel-safe.
    pub async fn changed(&self, offset: u64) {
        loop {
            let mut notified = std::pin::pin!(self.changed.notified());
            notified.as_mut().enable();
            {
                let ring = self.lock();
                if ring.end() > offset || ring.ended {
                    return;
                }
            }
            notified.await;
        }
    }

    /// The same for a reader who is not in a hurry: who only looks on while somebody else types.
    ///
    /// They wake together, a moment after the driver did, so that nobody's audience slows their keys down.
    pub async fn announced(&self, offset: u64) {
        loop {
            let mut notified = std::pin::pin!(self.announced.notified());
            notified.as_mut().enable();
            {
                let ring = self.lock();
                if ring.announced > offset || ring.ended {
                    return;
                }
            }
            notified.await;
        }
    }

    /// Tells those who are not in a hurry of all that was written so far.
    pub(crate) fn announce(&self) {
        {
            let mut ring = self.lock();
            ring.announced = ring.end();
        }
        self.announced.notify_waiters();
    }

    /// Whether those who are not in a hurry were told of all that was written.
    pub(crate) fn is_announced(&self) -> bool {
        let ring = self.lock();
        ring.announced >= ring.end()
    }

    /// The oldest offset that is kept.
    pub fn first(&self) -> u64 {
        self.lock().first
    }

    /// The offset of the next byte, which is also how many there were so far.
    pub fn end(&self) -> u64 {
        self.lock().end()
    }

    /// Whether nothing more will come.
    pub fn is_ended(&self) -> bool {
        self.lock().ended
    }

    /// Says how far the driver has read; `None` when nobody drives, and nobody is waited for.
    pub fn set_reader_offset(&self, offset: Option<u64>) {
        self.lock().driver = offset;
        self.room.notify_all();
    }

    /// Appends what the program wrote.
    pub(crate) fn push(&self, bytes: &[u8]) {
        self.lock().push(bytes);
        self.changed.notify_waiters();
    }

    /// Says that nothing more will come.
    pub(crate) fn close(&self) {
        self.lock().ended = true;
        self.changed.notify_waiters();
        self.announced.notify_waiters();
        self.room.notify_all();
    }

    /// Waits until the driver is near enough for more, and returns how much; `None` once closed.
    pub(crate) fn wait_room(&self) -> Option<usize> {
        let mut ring = self.lock();
        loop {
            if ring.ended {
                return None;
            }
            let room = ring.room();
            if room > 0 {
                return Some(room);
            }
            ring = self.room.wait(ring).unwrap_or_else(PoisonError::into_inner);
        }
    }

    /// Lets the rest of an ended program's output in, whatever the driver's pace.
    ///
    /// It is as much as the kernel holds, so a driver that kept the pace does not fall behind by it.
    pub(crate) fn drain(&self, draining: bool) {
        let mut ring = self.lock();
        ring.drain_until = if draining {
            ring.end().saturating_add(DRAIN_BYTES)
        } else {
            0
        };
        drop(ring);
        self.room.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, Ring> {
        self.ring.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[derive(Debug, Default)]
struct Ring {
    bytes: VecDeque<u8>,
    first: u64,
    driver: Option<u64>,
    drain_until: u64,
    /// All before this was announced.
    announced: u64,
    ended: bool,
}

impl Ring {
    fn end(&self) -> u64 {
        self.first + self.bytes.len() as u64
    }

    fn push(&mut self, bytes: &[u8]) {
        let kept = bytes.len().min(HISTORY_BYTES);
        let (skipped, bytes) = bytes.split_at(bytes.len() - kept);
        let surplus = (self.bytes.len() + kept).saturating_sub(HISTORY_BYTES);
        self.bytes.drain(..surplus);
        self.first += (surplus + skipped.len()) as u64;
        self.bytes.extend(bytes);
    }

    fn room(&self) -> usize {
        let Some(driver) = self.driver else {
            return usize::MAX;
        };
        let until = driver
            .saturating_add(DRIVER_AHEAD_BYTES)
            .max(self.drain_until);
        usize::try_from(until.saturating_sub(self.end())).unwrap_or(usize::MAX)
    }
}

/// The bytes that are kept; older ones are dropped, and readers who want them are behind.
pub const HISTORY_BYTES: usize = 2 * 1024 * 1024;

/// How far a program is read ahead of the driver; then it waits in its own write.
pub const DRIVER_AHEAD_BYTES: u64 = 256 * 1024;

/// How much more is read once the program has ended: more than the kernel keeps for a PTY or a pipe.
pub(crate) const DRAIN_BYTES: u64 = 1024 * 1024;

#[cfg(test)]
mod tests {
    use super::*;

    fn bytes(history: &History, offset: u64, max: usize) -> Vec<u8> {
        match history.read_from(offset, max) {
            Read::Bytes(bytes) => bytes.to_vec(),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn readers_read_from_any_kept_offset() {
        let history = History::default();
        assert_eq!(history.read_from(0, 10), Read::Pending);
        history.push(b"hello world");
        assert_eq!(bytes(&history, 0, 5), b"hello");
        assert_eq!(bytes(&history, 6, 100), b"world");
        assert_eq!(history.read_from(11, 10), Read::Pending);
        assert_eq!(history.read_from(u64::MAX, 10), Read::Pending);
        history.close();
        assert_eq!(history.read_from(11, 10), Read::Ended);
        assert_eq!(bytes(&history, 10, 10), b"d");
    }

    #[test]
    fn old_bytes_are_dropped_and_their_readers_told() {
        let history = History::default();
        let mut written = Vec::new();
        for round in 0..70u8 {
            let piece: Vec<u8> = (0..64 * 1024).map(|at| (at % 251) as u8 ^ round).collect();
            history.push(&piece);
            written.extend_from_slice(&piece);
        }
        let end = written.len() as u64;
        let first = end - HISTORY_BYTES as u64;
        assert_eq!((history.first(), history.end()), (first, end));
        assert_eq!(history.read_from(first - 1, 1), Read::Behind { first });
        let kept = bytes(&history, first, usize::MAX);
        assert_eq!(kept, written[written.len() - HISTORY_BYTES..]);
        // Every piece, wherever the ring's end lies.
        for offset in (first..end).step_by(9973) {
            let start = usize::try_from(offset).unwrap();
            let piece = bytes(&history, offset, 5000);
            assert_eq!(piece, written[start..written.len().min(start + 5000)]);
        }
    }

    #[test]
    fn one_push_larger_than_the_ring_keeps_its_end() {
        let history = History::default();
        history.push(b"before");
        let mut large = vec![b'x'; HISTORY_BYTES + 10];
        large.push(b'!');
        history.push(&large);
        assert_eq!(history.end(), 6 + large.len() as u64);
        assert_eq!(bytes(&history, history.end() - 2, 10), b"x!");
        assert_eq!(history.end() - history.first(), HISTORY_BYTES as u64);
    }

    #[test]
    fn the_driver_sets_the_pace() {
        let history = History::default();
        assert_eq!(history.wait_room(), Some(usize::MAX));
        history.set_reader_offset(Some(0));
        let ahead = usize::try_from(DRIVER_AHEAD_BYTES).unwrap();
        assert_eq!(history.wait_room(), Some(ahead));
        history.push(&vec![0; ahead - 1]);
        assert_eq!(history.wait_room(), Some(1));
        history.push(&[0]);
        history.set_reader_offset(Some(100));
        assert_eq!(history.wait_room(), Some(100));
        history.close();
        assert_eq!(history.wait_room(), None);
    }

    #[tokio::test]
    async fn who_only_looks_on_is_told_when_it_is_announced() {
        let history = History::default();
        let is_told = async |offset| {
            let told = tokio::time::timeout(std::time::Duration::ZERO, history.announced(offset));
            told.await.is_ok()
        };
        history.push(b"abc");
        assert!(!is_told(0).await && !history.is_announced());
        history.announce();
        assert!(history.is_announced());
        assert_eq!((is_told(2).await, is_told(3).await), (true, false));
        history.push(b"d");
        let waiting = history.announced(3);
        tokio::join!(waiting, async { history.announce() });
        history.close();
        assert!(is_told(4).await);
    }

    #[tokio::test]
    async fn a_waiting_reader_is_woken_by_bytes_and_by_the_end() {
        let history = std::sync::Arc::new(History::default());
        for step in 0..2u64 {
            let writer = std::sync::Arc::clone(&history);
            let wait = history.changed(step);
            let thread = std::thread::spawn(move || {
                if step == 0 {
                    writer.push(b"x");
                } else {
                    writer.close();
                }
            });
            wait.await;
            thread.join().unwrap();
        }
        assert_eq!(history.read_from(1, 1), Read::Ended);
    }
}
