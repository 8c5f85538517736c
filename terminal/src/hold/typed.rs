//! What is typed, on its way from the daemon to the program.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{ErrorKind, Write};

use super::writers::Writers;
use crate::INPUT_BYTES;

/// What was typed and the program has not taken yet, and who typed how much.
#[derive(Debug, Default)]
pub(crate) struct Typed {
    pub(crate) writers: Writers,
    /// The bytes that the program has not taken, in order; at most [`INPUT_BYTES`] and one frame.
    pub(crate) waiting: VecDeque<u8>,
    /// Whose they are, in the same order: a place in the table of writers, or nobody's.
    pub(crate) owners: VecDeque<(Option<usize>, u64)>,
}

/// The daemon sent more than it was allowed to.
#[derive(Debug)]
pub(crate) struct TooMuch;

impl Typed {
    /// Takes bytes of a writer from an offset on; those that it typed before are dropped. They are written now, or
    /// wait for [`Self::pass_on`].
    pub(crate) fn take(
        &mut self,
        writer: &str,
        offset: u64,
        bytes: &[u8],
        sink: Option<&File>,
        now: bool,
    ) -> Result<(), TooMuch> {
        let mut fresh = bytes;
        let mut slot = None;
        if !writer.is_empty() {
            let end = offset.checked_add(bytes.len() as u64).ok_or(TooMuch)?;
            let taken = self.writers.standing(writer).map(|standing| standing.taken);
            let known = taken.map_or(0, |taken| taken.saturating_sub(offset));
            let known = usize::try_from(known).unwrap_or(usize::MAX);
            fresh = bytes.get(known..).unwrap_or_default();
            slot = Some(self.writers.take(writer, offset, end).ok_or(TooMuch)?);
        }
        if self.waiting.len() > INPUT_BYTES || self.owners.len() > OWNERS_MAX {
            return Err(TooMuch);
        }
        // Without a terminal nobody takes it, and there is nothing to keep it for.
        let Some(sink) = sink.filter(|_| !fresh.is_empty()) else {
            return Ok(());
        };
        let count = fresh.len() as u64;
        match self.owners.back_mut() {
            Some((last, waiting)) if *last == slot => *waiting += count,
            _ => self.owners.push_back((slot, count)),
        }
        if now && self.waiting.is_empty() {
            let written = write(sink, fresh);
            self.wrote(written);
            fresh = fresh.get(written..).unwrap_or_default();
        }
        self.waiting.extend(fresh);
        Ok(())
    }

    /// Takes what somebody else typed for a writer, and of which `written` bytes are with the program.
    pub(crate) fn replay(&mut self, writer: &str, offset: u64, bytes: &[u8], written: usize) {
        let mut slot = None;
        if !writer.is_empty() {
            let end = offset.saturating_add(bytes.len() as u64);
            slot = self.writers.take(writer, offset, end);
        }
        self.owners.push_back((slot, bytes.len() as u64));
        let (written, waiting) = bytes.split_at(written.min(bytes.len()));
        self.wrote(written.len());
        // Who wrote it knows, or is told another way, and its place is free for the next writer.
        self.writers.hush();
        self.waiting.extend(waiting);
    }

    /// Whether something waits for the program.
    pub(crate) fn is_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Gives the program as much as it takes; `true` when it took something.
    pub(crate) fn pass_on(&mut self, sink: &File) -> bool {
        let mut all = 0;
        loop {
            let written = write(sink, self.waiting.as_slices().0);
            if written == 0 {
                break;
            }
            all += written;
            self.waiting.drain(..written);
            self.wrote(written);
        }
        if self.waiting.is_empty() && self.waiting.capacity() > KEPT_BYTES {
            self.waiting = VecDeque::new();
        }
        all > 0
    }

    /// Drops what nobody will take.
    pub(crate) fn clear(&mut self) {
        self.waiting = VecDeque::new();
        self.owners.clear();
    }

    fn wrote(&mut self, count: usize) {
        let mut left = count as u64;
        while let Some((slot, waiting)) = self.owners.front_mut().filter(|_| left > 0) {
            let part = left.min(*waiting);
            if let Some(slot) = *slot {
                self.writers.apply(slot, part);
            }
            *waiting -= part;
            left -= part;
            if *waiting == 0 {
                self.owners.pop_front();
            }
        }
    }
}

/// Writes as much as the program takes now.
fn write(mut sink: &File, bytes: &[u8]) -> usize {
    if bytes.is_empty() {
        return 0;
    }
    loop {
        match sink.write(bytes) {
            Ok(written) => return written,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            // A terminal that is gone says so when it is read.
            Err(_) => return 0,
        }
    }
}

/// How often the writer may change within what waits; a daemon that lets more pile up is cut off.
const OWNERS_MAX: usize = 64 * 1024;

/// The memory that an empty queue keeps.
const KEPT_BYTES: usize = 64 * 1024;

#[cfg(test)]
mod tests {
    use std::io::Read;
    use std::os::fd::OwnedFd;

    use super::*;
    use crate::pty::set_non_blocking;

    fn sink() -> (std::io::PipeReader, File) {
        let (source, sink) = std::io::pipe().unwrap();
        let sink = File::from(OwnedFd::from(sink));
        set_non_blocking(&sink).unwrap();
        (source, sink)
    }

    #[test]
    fn what_comes_twice_is_written_once() {
        let (mut source, sink) = sink();
        let mut typed = Typed::default();
        typed.take("a", 0, b"hello", Some(&sink), true).unwrap();
        typed.take("a", 2, b"llo wor", Some(&sink), true).unwrap();
        typed.take("a", 0, b"he", Some(&sink), true).unwrap();
        typed.take("b", 0, b"!", Some(&sink), true).unwrap();
        typed.take("", 0, b"?", Some(&sink), true).unwrap();
        typed.take("a", 9, b"ld", Some(&sink), true).unwrap();
        drop(sink);
        let mut text = String::new();
        source.read_to_string(&mut text).unwrap();
        assert_eq!(text, "hello wor!?ld");
        assert_eq!(typed.writers.standing("a").unwrap().applied, 11);
        assert!(!typed.is_waiting());
    }

    #[test]
    fn what_the_program_does_not_take_waits_and_is_not_applied() {
        let (mut source, sink) = sink();
        let mut typed = Typed::default();
        let piece = vec![b'x'; 32 * 1024];
        let mut offset = 0;
        while offset < 300 * 1024 {
            typed.take("a", offset, &piece, Some(&sink), true).unwrap();
            offset += piece.len() as u64;
        }
        typed.take("b", 0, b"y", Some(&sink), true).unwrap();
        assert!(typed.is_waiting());
        let applied = typed.writers.standing("a").unwrap().applied;
        assert_eq!(applied + typed.waiting.len() as u64 - 1, offset);
        let mut buffer = vec![0; 100 * 1024];
        while typed.is_waiting() {
            assert!(source.read(&mut buffer).unwrap() > 0);
            typed.pass_on(&sink);
        }
        assert_eq!(typed.writers.standing("a").unwrap().applied, offset);
        assert_eq!(typed.writers.standing("b").unwrap().applied, 1);
        assert!(typed.owners.is_empty());
    }

    #[test]
    fn what_somebody_else_wrote_counts_and_the_rest_waits() {
        let (mut source, sink) = sink();
        let mut typed = Typed::default();
        typed.replay("a", 0, b"hello", 5);
        typed.replay("", 0, b"?", 1);
        typed.replay("b", 7, b"world", 2);
        typed.replay("a", 5, b"!", 0);
        let standing = |typed: &Typed, name| typed.writers.standing(name).unwrap();
        assert_eq!(standing(&typed, "a").applied, 5);
        assert_eq!(
            (standing(&typed, "b").applied, standing(&typed, "b").taken),
            (9, 12)
        );
        typed.take("b", 10, b"ld?", Some(&sink), true).unwrap();
        assert!(typed.pass_on(&sink));
        drop(sink);
        let mut text = String::new();
        source.read_to_string(&mut text).unwrap();
        assert_eq!(text, "rld!?");
        assert_eq!(
            (standing(&typed, "a").applied, standing(&typed, "b").applied),
            (6, 13)
        );
    }

    #[test]
    fn more_than_is_allowed_is_refused() {
        let (_source, sink) = sink();
        let mut typed = Typed::default();
        let piece = vec![b'x'; 1024 * 1024];
        let refused = (0..20u64).find(|round| {
            let offset = round * piece.len() as u64;
            typed.take("a", offset, &piece, Some(&sink), true).is_err()
        });
        assert!(refused.is_some());
        assert!(typed.take("a", u64::MAX, b"xy", Some(&sink), true).is_err());
    }
}
