//! What a daemon types into a terminal that it was lent.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, ErrorKind, Seek, SeekFrom};
use std::os::fd::OwnedFd;
use std::os::unix::fs::FileExt;

use rustix::fs::sendfile;

use super::frame::HEADER_BYTES;
use super::request::Request;

/// What a daemon types into a terminal that it was lent.
///
/// The file holds requests as they would have been sent, one after the other. Their bytes go from it into
/// the terminal, so its position says how far they were written: what lies before it was, and of an entry
/// that lies around it a part.
#[derive(Debug)]
pub(crate) struct Journal {
    file: File,
    /// Where the next entry goes.
    end: u64,
    /// Of entries that the program did not take: where what is left lies in the file, how much it is, and
    /// whose, and how far that writer is then.
    waiting: VecDeque<Waiting>,
    /// The system cannot write from a file to a terminal.
    unfit: bool,
    scratch: Vec<u8>,
}

#[derive(Debug)]
struct Waiting {
    at: u64,
    left: usize,
    writer: String,
    end: u64,
}

/// How far a writer's input is written.
pub(crate) type Applied = (String, u64);

impl Journal {
    /// An empty one.
    pub(crate) fn new(file: File) -> Self {
        Self {
            file,
            end: 0,
            waiting: VecDeque::new(),
            unfit: false,
            scratch: Vec::new(),
        }
    }

    /// Whether something waits for the program.
    pub(crate) fn is_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Whether the system cannot do what it takes.
    pub(crate) fn is_unfit(&self) -> bool {
        self.unfit
    }

    /// Whether it is time for a new one.
    pub(crate) fn is_full(&self) -> bool {
        self.end > JOURNAL_BYTES
    }

    /// Notes a request, and writes its bytes to the terminal as far as that takes them now.
    ///
    /// Returns how many of them.
    ///
    /// # Errors
    ///
    /// When it cannot be noted; then nothing is written.
    pub(crate) fn take(&mut self, request: &Request<'_>, pty: &OwnedFd) -> io::Result<usize> {
        self.scratch.clear();
        request.encode(&mut self.scratch);
        self.file.write_all_at(&self.scratch, self.end)?;
        self.end += self.scratch.len() as u64;
        let Request::Input {
            writer,
            offset,
            bytes,
        } = request
        else {
            return Ok(0);
        };
        let at = self.end - bytes.len() as u64;
        let mut written = 0;
        if self.waiting.is_empty() {
            written = self.write(at, bytes.len(), pty);
        }
        if written < bytes.len() {
            self.waiting.push_back(Waiting {
                at: at + written as u64,
                left: bytes.len() - written,
                writer: (*writer).to_owned(),
                end: offset.saturating_add(bytes.len() as u64),
            });
        }
        Ok(written)
    }

    /// Writes what waits, as far as the terminal takes it; returns how far that brought whom.
    pub(crate) fn go_on(&mut self, pty: &OwnedFd) -> Vec<Applied> {
        let mut applied = Vec::new();
        while let Some((at, left)) = self.waiting.front().map(|next| (next.at, next.left)) {
            let written = self.write(at, left, pty);
            let Some(next) = self.waiting.front_mut().filter(|_| written > 0) else {
                break;
            };
            next.at += written as u64;
            next.left = next.left.saturating_sub(written);
            if !next.writer.is_empty() {
                let offset = next.end.saturating_sub(next.left as u64);
                applied.push((next.writer.clone(), offset));
            }
            if next.left == 0 {
                self.waiting.pop_front();
            }
        }
        applied
    }

    fn write(&mut self, at: u64, count: usize, pty: &OwnedFd) -> usize {
        if (&self.file).seek(SeekFrom::Start(at)).is_err() {
            return 0;
        }
        let mut all = 0;
        while all < count {
            match sendfile(pty, &self.file, None, count - all) {
                Ok(0) => break,
                Ok(written) => all += written,
                Err(error) => {
                    let kind = io::Error::from(error).kind();
                    self.unfit |= kind == ErrorKind::InvalidInput;
                    // A terminal that is gone says so when it is read.
                    if kind != ErrorKind::Interrupted {
                        break;
                    }
                }
            }
        }
        all
    }
}

/// All that is in a journal, and its position.
pub(crate) fn read(file: &File) -> io::Result<(Vec<u8>, u64)> {
    let length = usize::try_from(file.metadata()?.len()).unwrap_or(usize::MAX);
    let mut bytes = vec![0; length];
    file.read_exact_at(&mut bytes, 0)?;
    let mut file = file;
    Ok((bytes, file.stream_position()?))
}

/// The entries of a journal with a position, each with how many of its bytes were written.
///
/// One that was being noted when its daemon died was not written, and never happened.
pub(crate) fn entries(bytes: &[u8], position: u64) -> impl Iterator<Item = (Request<'_>, usize)> {
    let mut at = 0usize;
    std::iter::from_fn(move || {
        let rest = bytes.get(at..)?;
        let [kind, a, b, c, d, ..] = *rest else {
            return None;
        };
        let length = usize::try_from(u32::from_le_bytes([a, b, c, d])).ok()?;
        let payload = rest.get(HEADER_BYTES..)?.get(..length)?;
        at += HEADER_BYTES + length;
        let request = Request::decode(kind, payload)?;
        let count = match &request {
            Request::Input { bytes, .. } => bytes.len(),
            _ => 0,
        };
        let start = (at - count) as u64;
        let written = usize::try_from(position.saturating_sub(start)).unwrap_or(usize::MAX);
        Some((request, written.min(count)))
    })
}

/// How long a journal grows; a full one is read by the holder, and a new one begun.
const JOURNAL_BYTES: u64 = 256 * 1024;

#[cfg(test)]
mod tests {
    use std::io::Read;

    use super::super::frame::PIECE_BYTES;
    use super::super::store::memory;
    use super::*;

    fn input<'a>(writer: &'a str, offset: u64, bytes: &'a [u8]) -> Request<'a> {
        Request::Input {
            writer,
            offset,
            bytes,
        }
    }

    /// A journal and a pipe in the place of a terminal.
    fn journal() -> (File, Journal, io::PipeReader, OwnedFd) {
        let file = memory("journal").unwrap();
        let (source, sink) = io::pipe().unwrap();
        let sink = File::from(OwnedFd::from(sink));
        crate::pty::set_non_blocking(&sink).unwrap();
        let journal = Journal::new(file.try_clone().unwrap());
        (file, journal, source, sink.into())
    }

    #[test]
    fn what_was_typed_is_found_again_with_how_much_was_written() {
        let (file, mut journal, mut source, sink) = journal();
        let large = vec![b'x'; PIECE_BYTES];
        let requests = [
            Request::Introduce { writer: "a" },
            input("a", 0, b"hello"),
            input("", 77, b"answer"),
            input("b", 3, &large),
            input("b", 3 + PIECE_BYTES as u64, &large),
            input("a", 5, b"!"),
        ];
        let written: Vec<usize> = requests
            .iter()
            .map(|request| journal.take(request, &sink).unwrap())
            .collect();
        // A pipe holds 64 KiB.
        assert_eq!(written[..4], [0, 5, 6, PIECE_BYTES]);
        assert!(written[4] < PIECE_BYTES);
        assert_eq!(written[5], 0);
        assert!(journal.is_waiting());
        let (bytes, position) = read(&file).unwrap();
        let found: Vec<_> = entries(&bytes, position).collect();
        let expected: Vec<_> = requests.iter().cloned().zip(written).collect();
        assert_eq!(found, expected);
        // The rest goes when there is room.
        let mut all = vec![0; 5 + 6 + 2 * PIECE_BYTES + 1];
        let mut count = 0;
        let mut last = Vec::new();
        while count < all.len() {
            count += source.read(&mut all[count..]).unwrap();
            last.extend(journal.go_on(&sink));
        }
        assert_eq!(last.last(), Some(&("a".to_owned(), 6)));
        assert!(last.contains(&("b".to_owned(), 3 + 2 * PIECE_BYTES as u64)));
        assert!(all.starts_with(b"helloanswerxxx") && all.ends_with(b"x!"));
        let (bytes, position) = read(&file).unwrap();
        let whole = |(request, written): (Request<'_>, usize)| match request {
            Request::Input { bytes, .. } => bytes.len() == written,
            _ => written == 0,
        };
        assert!(entries(&bytes, position).all(whole));
    }

    #[test]
    fn a_system_that_cannot_do_it_is_found_out() {
        let (file, mut journal, _source, sink) = journal();
        journal.take(&input("a", 0, b"hello"), &sink).unwrap();
        assert!(!journal.is_unfit());
        // Linux sends nothing to a file that is only appended to.
        let named = tempfile::NamedTempFile::new().unwrap();
        let other = File::options().append(true).open(named.path()).unwrap();
        let written = journal.take(&input("a", 5, b"x"), &other.into()).unwrap();
        assert!(written == 0 && journal.is_unfit() && journal.is_waiting());
        let (bytes, position) = read(&file).unwrap();
        let written: Vec<usize> = entries(&bytes, position)
            .map(|(_, written)| written)
            .collect();
        assert_eq!(written, [5, 0]);
    }

    #[test]
    fn half_an_entry_never_happened() {
        let (file, mut journal, _source, sink) = journal();
        journal.take(&input("a", 0, b"first"), &sink).unwrap();
        let whole = file.metadata().unwrap().len();
        journal.take(&input("a", 5, b"second"), &sink).unwrap();
        let (bytes, _) = read(&file).unwrap();
        for length in 0..bytes.len() {
            let found = entries(&bytes[..length], 0).count();
            assert_eq!(found, usize::from(length as u64 >= whole));
        }
    }
}
