//! The microphone of the desktop: what a viewer says, written into a pipe that its sound server
//! reads.

mod level;
mod pace;

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rustix::fs::OFlags;
use rustix::io::ioctl_fionread;

use self::level::{Correction, Level};
use self::pace::Pace;
use crate::Error;

/// The named pipe that a sound server reads, and how it does.
#[derive(Clone, Debug)]
pub struct MicrophonePipe {
    /// Where it lies. It takes samples of 16 bits, one channel, at [`PipeReader::rate`].
    pub path: PathBuf,
    /// How it is read.
    pub reader: PipeReader,
}

/// How a sound server reads a pipe.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum PipeReader {
    /// It takes what it needs when it needs it: what waits in the pipe is what bridges gaps.
    Direct,
    /// It takes everything at once and keeps 8192 samples waiting, whatever their rate: at four
    /// times the rate that is 43 ms instead of 171.
    Buffered,
}

impl PipeReader {
    /// Samples in a second.
    pub const fn rate(self) -> u32 {
        RATE * self.factor()
    }

    /// Samples for each one of sound.
    const fn factor(self) -> u32 {
        match self {
            Self::Direct => 1,
            Self::Buffered => 4,
        }
    }
}

/// What the programs of a desktop record; cloning it gives another handle.
///
/// The pipe is opened when somebody speaks for the first time. What is in it that nobody recorded
/// goes when they stop.
#[derive(Clone, Debug)]
pub struct Microphone {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    pipe: MicrophonePipe,
    last_id: AtomicU64,
    voice: Mutex<Option<Voice>>,
}

/// Tells one peer's voice from another's.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct VoiceId(u64);

impl Microphone {
    /// Prepares to fill this pipe.
    pub(crate) fn new(pipe: MicrophonePipe) -> Self {
        let shared = Shared {
            pipe,
            last_id: AtomicU64::new(0),
            voice: Mutex::default(),
        };
        Self {
            shared: Arc::new(shared),
        }
    }

    /// A number for one more peer.
    pub(crate) fn voice(&self) -> VoiceId {
        VoiceId(self.shared.last_id.fetch_add(1, Ordering::Relaxed) + 1)
    }

    /// Takes what somebody said; never waits for those who record.
    ///
    /// There is one voice at a time: another one begins where the last one is cut off.
    pub(crate) fn hear(&self, id: VoiceId, samples: &[i16], now: Instant) -> Result<(), Error> {
        let mut voice = self.lock();
        let goes_on = |voice: &Voice| voice.id == id && now < voice.heard_at + PAUSE;
        if !voice.as_ref().is_some_and(goes_on) {
            *voice = Some(Voice::begin(&self.shared.pipe, id, now).map_err(Error::Voice)?);
        }
        match voice.as_mut() {
            Some(voice) => voice.hear(samples, now).map_err(Error::Voice),
            None => Ok(()),
        }
    }

    /// Ends this voice, if it is the one that is heard.
    pub(crate) fn end(&self, id: VoiceId) {
        let mut voice = self.lock();
        if voice.as_ref().is_some_and(|voice| voice.id == id)
            && let Some(mut ended) = voice.take()
            && let Err(error) = ended.forget(usize::MAX)
        {
            tracing::warn!(%error, "the end of a voice stays behind");
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<Voice>> {
        self.shared
            .voice
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }
}

/// Somebody who speaks.
#[derive(Debug)]
struct Voice {
    id: VoiceId,
    /// Both ends of it: so it opens without anybody at the other one, and what nobody takes can be
    /// taken back.
    pipe: File,
    heard_at: Instant,
    pace: Pace,
    /// Where it is ours to see how much waits.
    level: Option<Level>,
    block: Vec<i16>,
}

impl Voice {
    fn begin(to: &MicrophonePipe, id: VoiceId, now: Instant) -> io::Result<Self> {
        let flags = i32::try_from(OFlags::NONBLOCK.bits()).unwrap_or_default();
        let pipe = OpenOptions::new()
            .read(true)
            .write(true)
            .custom_flags(flags)
            .open(&to.path)?;
        let mut voice = Self {
            id,
            pipe,
            heard_at: now,
            pace: Pace::new(now, to.reader.factor()),
            level: (to.reader == PipeReader::Direct).then(Level::default),
            block: Vec::new(),
        };
        voice.forget(usize::MAX)?;
        Ok(voice)
    }

    fn hear(&mut self, samples: &[i16], now: Instant) -> io::Result<()> {
        self.heard_at = now;
        self.block.clear();
        self.pace.push(samples, now, &mut self.block);
        if let Some(level) = &mut self.level {
            let waiting = usize::try_from(ioctl_fionread(&self.pipe)?).unwrap_or(usize::MAX);
            match level.correct(waiting / SAMPLE_BYTES, samples.len()) {
                Correction::None => {}
                Correction::Pad(count) => self.write(&vec![0; count])?,
                Correction::Skip(count) => self.forget(count)?,
            }
        }
        let block = std::mem::take(&mut self.block);
        let written = self.write(&block);
        self.block = block;
        written
    }

    /// Writes as much as the pipe takes.
    fn write(&self, samples: &[i16]) -> io::Result<()> {
        let bytes: Vec<u8> = samples.iter().flat_map(|it| it.to_le_bytes()).collect();
        match (&self.pipe).write(&bytes) {
            Ok(_) => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// Takes back up to this many samples, the oldest first.
    fn forget(&mut self, count: usize) -> io::Result<()> {
        let mut left = count.saturating_mul(SAMPLE_BYTES);
        let mut bytes = [0; 4096];
        while left > 0 {
            let length = left.min(bytes.len());
            match self.pipe.read(bytes.get_mut(..length).unwrap_or_default()) {
                Ok(0) => break,
                Ok(taken) => left -= taken,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => break,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

/// Samples of sound in a second.
const RATE: u32 = 48_000;

const SAMPLE_BYTES: usize = 2;

/// Somebody who sends nothing for so long begins anew.
const PAUSE: Duration = Duration::from_millis(300);
