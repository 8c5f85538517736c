//! What every peer is to a measurement: a terminal to type into and to look at.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};
pub(crate) use vroom_tests::pty::Output;
use vroom_tests::pty::{LocalPty, PATIENCE};
use vroom_tests::strip::Strip;

/// A terminal at the near end of something.
pub(crate) trait Terminal {
    /// Types bytes.
    fn write(&mut self, bytes: &[u8]) -> Result<()>;

    /// What is to be shown, at the latest at the deadline.
    fn read(&mut self, deadline: Instant) -> Result<Output>;
}

/// Something that gives terminals at its far end.
pub(crate) trait Peer {
    /// Its name in the table.
    fn name(&self) -> &'static str;

    /// Runs a line of sh at the far end, on a terminal of 24 rows and 80 columns.
    fn open(&self, line: &str) -> Result<Box<dyn Terminal>>;
}

impl Terminal for LocalPty {
    fn write(&mut self, bytes: &[u8]) -> Result<()> {
        Self::write(self, bytes)
    }

    fn read(&mut self, deadline: Instant) -> Result<Output> {
        Self::read(self, deadline)
    }
}

/// A terminal and the text that it has shown.
pub(crate) struct Shown {
    terminal: Box<dyn Terminal>,
    strip: Strip,
    /// The end of the text, long enough for every mark.
    text: Vec<u8>,
    /// Bytes of output so far, escape sequences included.
    pub(crate) bytes: u64,
}

impl Shown {
    /// Runs a line of sh at the far end of a peer.
    pub(crate) fn open(peer: &dyn Peer, line: &str) -> Result<Self> {
        Ok(Self {
            terminal: peer.open(line)?,
            strip: Strip::default(),
            text: Vec::new(),
            bytes: 0,
        })
    }

    /// Types, and forgets what was shown before.
    pub(crate) fn write(&mut self, bytes: &[u8]) -> Result<()> {
        self.text.clear();
        self.terminal.write(bytes)
    }

    /// Waits until this text is shown; the moment when it was.
    pub(crate) fn shows(&mut self, mark: &str) -> Result<Instant> {
        self.shows_within(mark, PATIENCE)
    }

    /// The same with another patience.
    pub(crate) fn shows_within(&mut self, mark: &str, patience: Duration) -> Result<Instant> {
        let deadline = Instant::now() + patience;
        loop {
            if contains(&self.text, mark.as_bytes()) {
                return Ok(Instant::now());
            }
            self.forget();
            if !self.take(deadline)? || Instant::now() > deadline {
                let text = String::from_utf8_lossy(&self.text);
                bail!("{mark:?} was not shown within {patience:?}; last: {text:?}");
            }
        }
    }

    /// Reads until the time is up.
    pub(crate) fn watch_for(&mut self, time: Duration) -> Result<()> {
        let deadline = Instant::now() + time;
        while Instant::now() < deadline && self.take(deadline)? {
            self.forget();
        }
        Ok(())
    }

    /// Takes what has come already.
    pub(crate) fn drain(&mut self) -> Result<()> {
        while self.take(Instant::now())? {
            self.forget();
        }
        Ok(())
    }

    /// Takes what lies in this terminal already, of a flood that does not end: whoever wrote it cannot
    /// take it back.
    pub(crate) fn catch_up(&mut self) -> Result<()> {
        let end = self.bytes + LIES_MAX;
        while self.bytes < end && self.take(Instant::now())? {
            self.forget();
        }
        Ok(())
    }

    /// Keeps no more text than a mark that is cut needs.
    fn forget(&mut self) {
        let old = self.text.len().saturating_sub(KEPT_BYTES);
        self.text.drain(..old);
    }

    /// Takes output; false when there was none in time.
    fn take(&mut self, deadline: Instant) -> Result<bool> {
        match self.terminal.read(deadline)? {
            Output::Bytes(bytes) => {
                self.bytes += bytes.len() as u64;
                self.strip.push(&bytes, &mut self.text);
                Ok(true)
            }
            Output::Late => Ok(false),
            Output::Ended => {
                let text = String::from_utf8_lossy(&self.text);
                bail!("the terminal ended; last: {text:?}")
            }
        }
    }
}

/// Text that is kept to look for marks in; longer than any.
const KEPT_BYTES: usize = 64;

/// The most that lies in a terminal, with the kernel and with a socket.
const LIES_MAX: u64 = 128 * 1024;

fn contains(text: &[u8], mark: &[u8]) -> bool {
    text.windows(mark.len()).any(|window| window == mark)
}
