//! When to flash and to beep, and the sound of it.

use std::io::{self, Read as _, Write as _};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use rustix::io::ioctl_fionread;
use wayland_client::EventQueue;

/// The beat: a thread plays it and tells each change.
pub(crate) struct Beat {
    changes: UnixStream,
}

impl Beat {
    /// Starts to play on standard output.
    pub(crate) fn start() -> Result<Self> {
        let (changes, mut tell) = UnixStream::pair().context("making a pipe")?;
        thread::spawn(move || play(&mut tell));
        Ok(Self { changes })
    }

    /// Takes what the compositor sends until the beat changes; says whether it is loud now, if it
    /// changed.
    pub(crate) fn wait<S>(
        &mut self,
        queue: &mut EventQueue<S>,
        state: &mut S,
    ) -> Result<Option<bool>> {
        queue.dispatch_pending(state)?;
        queue.flush()?;
        let Some(guard) = queue.prepare_read() else {
            return Ok(None);
        };
        let display = guard.connection_fd();
        let mut both = [
            PollFd::new(display, PollFlags::POLLIN),
            PollFd::new(self.changes.as_fd(), PollFlags::POLLIN),
        ];
        poll(&mut both, PollTimeout::NONE).context("waiting")?;
        let [from_display, beats] = both.map(|fd| fd.any().unwrap_or_default());
        if from_display {
            guard.read().context("reading from the display")?;
        }
        queue.dispatch_pending(state)?;
        if !beats {
            return Ok(None);
        }
        let mut loud = [0];
        self.changes
            .read_exact(&mut loud)
            .context("the beat ended")?;
        Ok(Some(loud == [1]))
    }
}

/// Plays one block after another, each when it is due; a change is told as its sound is written.
///
/// Whoever plays it may begin to read late. What waits then would stay late for ever, so a block is
/// left out while one that nobody took is before it.
fn play(tell: &mut UnixStream) {
    let start = Instant::now();
    let mut samples = 0_u32;
    for block in 0_u32.. {
        let place = block % BEAT;
        let loud = place < LOUD;
        let mut bytes = Vec::with_capacity(BLOCK as usize * 4);
        for _ in 0..BLOCK {
            let phase =
                f64::from(samples % RATE) * TONE_HZ * std::f64::consts::TAU / f64::from(RATE);
            // Not silence between the beeps, which would not be sent.
            let value = phase.sin() * if loud { 8000.0 } else { 30.0 };
            #[expect(clippy::cast_possible_truncation, reason = "8000 at most")]
            let value = (value as i16).to_le_bytes();
            bytes.extend([value, value].concat());
            samples += 1;
        }
        let changes = place == 0 || place == LOUD;
        let told = if changes {
            tell.write_all(&[u8::from(loud)])
        } else {
            Ok(())
        };
        let mut out = io::stdout().lock();
        let goes_on = told.and_then(|()| {
            if waiting(&out) >= bytes.len() {
                return Ok(());
            }
            out.write_all(&bytes)?;
            out.flush()
        });
        if goes_on.is_err() {
            return;
        }
        thread::sleep((start + BLOCK_TIME * (block + 1)).saturating_duration_since(Instant::now()));
    }
}

/// Bytes in a pipe that nobody has read yet; 0 for what is none.
fn waiting(pipe: &impl AsFd) -> usize {
    let bytes = ioctl_fionread(pipe).unwrap_or_else(|error| {
        eprintln!("the sound may be late: {error}");
        0
    });
    bytes.try_into().unwrap_or(usize::MAX)
}

const RATE: u32 = 48_000;

const TONE_HZ: f64 = 1000.0;

/// Samples of each side in a block, which is a hundredth of a second.
const BLOCK: u32 = RATE / 100;

const BLOCK_TIME: Duration = Duration::from_millis(10);

/// Blocks from one beep to the next.
const BEAT: u32 = 50;

/// Blocks of a beep.
const LOUD: u32 = 10;
