//! Recordings: what viewers get, pictures and sound as they are sent, written into movies.
//!
//! A recorder is one more listener of the encoder and of the sound. It encodes nothing, and writes on
//! a thread of its own, which sleeps while nothing comes.

mod header;
mod movie;

use std::collections::VecDeque;
use std::io::{self, Seek, Write};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use gstreamer as gst;
use vroom_desktop::Size;

use self::header::Pictures;
use self::movie::Movie;
use crate::encoder::Shared;
use crate::fanout::{Listener, ListenerId, Pushed};
use crate::media::Timeline;
use crate::units::Unit;
use crate::{Encoder, Error, Limits, Sound};

/// A file that a movie is written into.
pub trait MovieFile: Write + Seek + Send {}

impl<T: Write + Seek + Send> MovieFile for T {}

/// Where the movies of a recording go.
pub trait Movies: Send + 'static {
    /// Opens the file of the next movie; what follows is in it and not in the last one any more.
    ///
    /// Its pictures have this size in pixels; it begins that long after the recording did.
    ///
    /// # Errors
    ///
    /// When there cannot be one: then the recording of pictures and sound ends.
    fn next(&mut self, size: (u32, u32), at: Duration) -> io::Result<Box<dyn MovieFile>>;

    /// Nothing more is written, because of this.
    fn failed(&mut self, error: io::Error);
}

/// Writes movies until it is finished or dropped.
///
/// Each can be played at any moment of its making. Another one begins when the size of the pictures
/// changes, or their encoder.
#[derive(Debug)]
pub struct Recorder {
    encoder: Arc<Shared>,
    pictures: ListenerId,
    sound: Option<(Sound, u64)>,
    queue: Arc<Queue>,
    thread: Option<JoinHandle<()>>,
}

impl Recorder {
    /// Starts the thread.
    pub(crate) fn start(
        encoder: &Encoder,
        sound: Option<&Sound>,
        (timeline, began): (Timeline, Instant),
        movies: impl Movies,
    ) -> Result<Self, Error> {
        let queue = Arc::new(Queue::default());
        let began = timeline.at(began).nseconds();
        let encoder = Arc::clone(encoder.rungs().main());
        let clock = timeline.clone();
        let run = Run {
            encoder: Arc::clone(&encoder),
            queue: Arc::clone(&queue),
            timeline,
            began,
            has_sound: sound.is_some(),
            movies: Box::new(movies),
            movie: None,
            flush_at: None,
            key_at: Instant::now(),
        };
        let thread = std::thread::Builder::new()
            .name("record".into())
            .spawn(move || run.run())
            .map_err(Error::Thread)?;
        // What is written is what most see; it asks for nothing of its own.
        let listener = Arc::clone(&queue) as Arc<dyn Listener>;
        let pictures = encoder.attach(listener, Limits::default());
        let sound = sound.map(|sound| {
            let queue = Arc::clone(&queue);
            let hear = move |packet: &gst::Buffer| {
                queue.hear(packet, clock.at(Instant::now()));
            };
            (sound.clone(), sound.attach(hear))
        });
        Ok(Self {
            encoder,
            pictures,
            sound,
            queue,
            thread: Some(thread),
        })
    }

    /// Ends it; returns when all is written, which may block.
    pub fn finish(mut self) {
        self.stop();
        if let Some(thread) = self.thread.take()
            && thread.join().is_err()
        {
            tracing::error!("a recording thread panicked");
        }
    }

    fn stop(&self) {
        self.encoder.detach(self.pictures);
        if let Some((sound, id)) = &self.sound {
            sound.detach(*id);
        }
        self.queue.finish();
    }
}

impl Drop for Recorder {
    fn drop(&mut self) {
        self.stop();
    }
}

/// What waits to be written.
#[derive(Debug, Default)]
struct Queue {
    state: Mutex<State>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct State {
    items: VecDeque<Item>,
    bytes: usize,
    /// Pictures were lost, and the next one has to be a key frame.
    behind: bool,
    finished: bool,
}

#[derive(Debug)]
struct Item {
    /// In nanoseconds since media started.
    at: u64,
    bytes: Bytes,
    kind: Kind,
}

type Bytes = gst::MappedBuffer<gst::buffer::Readable>;

#[derive(Clone, Copy, Debug)]
enum Kind {
    Picture { key: bool, size: Size },
    Packet,
}

enum Popped {
    Item(Item),
    Due,
    Finished,
}

impl Queue {
    /// Adds something; false when there is no room.
    fn push(&self, item: Item) -> bool {
        let mut state = self.lock();
        if state.bytes + item.bytes.len() > QUEUE_BYTES || state.items.len() >= QUEUE_ITEMS {
            return false;
        }
        state.bytes += item.bytes.len();
        state.items.push_back(item);
        self.changed.notify_one();
        true
    }

    /// Adds a packet of sound that came now.
    fn hear(&self, packet: &gst::Buffer, now: gst::ClockTime) {
        let Some(at) = packet.pts() else {
            return;
        };
        // The encoder stamps the first packet after a silence as if there had been none.
        let at = if at + STALE < now { now - FRESH } else { at };
        if let Ok(bytes) = packet.clone().into_mapped_buffer_readable() {
            let item = Item {
                at: at.nseconds(),
                bytes,
                kind: Kind::Packet,
            };
            if !self.push(item) {
                tracing::debug!("a packet of sound is not recorded: the disk is too slow");
            }
        }
    }

    fn finish(&self) {
        self.lock().finished = true;
        self.changed.notify_one();
    }

    /// Waits for something to write, or until it is time to write what there is.
    fn pop(&self, due: Option<Instant>) -> Popped {
        let mut state = self.lock();
        loop {
            if let Some(item) = state.items.pop_front() {
                state.bytes -= item.bytes.len();
                if state.items.is_empty() {
                    state.behind = false;
                }
                return Popped::Item(item);
            }
            if state.finished {
                return Popped::Finished;
            }
            state = match due {
                None => self
                    .changed
                    .wait(state)
                    .unwrap_or_else(PoisonError::into_inner),
                Some(due) => {
                    let Some(left) = due.checked_duration_since(Instant::now()) else {
                        return Popped::Due;
                    };
                    let waited = self.changed.wait_timeout(state, left);
                    waited.unwrap_or_else(PoisonError::into_inner).0
                }
            };
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Listener for Queue {
    fn is_ready(&self) -> bool {
        !self.lock().behind
    }

    fn push(&self, unit: &Unit) -> Pushed {
        let Ok(bytes) = unit.buffer.clone().into_mapped_buffer_readable() else {
            return Pushed::Resync;
        };
        let item = Item {
            at: unit.pts.nseconds(),
            bytes,
            kind: Kind::Picture {
                key: unit.key_frame,
                size: unit.size,
            },
        };
        if self.push(item) {
            return Pushed::Taken;
        }
        tracing::debug!("pictures are not recorded: the disk is too slow");
        self.lock().behind = true;
        Pushed::Behind
    }

    fn end(&self) {
        self.finish();
    }
}

/// What the thread owns.
struct Run {
    encoder: Arc<Shared>,
    queue: Arc<Queue>,
    timeline: Timeline,
    /// When the recording began, in nanoseconds since media started.
    began: u64,
    has_sound: bool,
    movies: Box<dyn Movies>,
    movie: Option<Open>,
    /// When what waits in the movie is written.
    flush_at: Option<Instant>,
    /// When the last key frame came, or was asked for.
    key_at: Instant,
}

struct Open {
    movie: Movie,
    /// When it began, in nanoseconds since media started.
    zero: u64,
}

impl Run {
    fn run(mut self) {
        if let Err(error) = self.write_all() {
            tracing::warn!(%error, "a recording ends");
            self.movies.failed(error);
        }
    }

    fn write_all(&mut self) -> io::Result<()> {
        loop {
            match self.queue.pop(self.flush_at) {
                Popped::Item(item) => self.take(&item)?,
                Popped::Due => self.flush(self.now())?,
                Popped::Finished => {
                    return self.finish_movie(self.now());
                }
            }
        }
    }

    fn now(&self) -> u64 {
        self.timeline.at(Instant::now()).nseconds()
    }

    fn take(&mut self, item: &Item) -> io::Result<()> {
        match item.kind {
            Kind::Picture { key, size } => {
                if key {
                    self.key_at = Instant::now();
                    self.begin_where_due(item, size)?;
                } else if self.key_at.elapsed() > KEY_INTERVAL {
                    // Without key frames nobody could jump to a place in it.
                    self.key_at = Instant::now();
                    self.encoder.request_key_frame();
                }
                if let Some(Open { movie, zero }) = &mut self.movie {
                    movie.add_picture(item.at.saturating_sub(*zero), key, &item.bytes);
                }
            }
            Kind::Packet => {
                if let Some(Open { movie, zero }) = &mut self.movie
                    && let Some(at) = item.at.checked_sub(*zero)
                {
                    movie.add_packet(at, &item.bytes)?;
                }
            }
        }
        let waiting = self.movie.as_ref().map_or(0, |it| it.movie.waiting_bytes());
        if waiting > FRAGMENT_BYTES {
            self.flush(self.now())?;
        } else if waiting > 0 && self.flush_at.is_none() {
            self.flush_at = Some(Instant::now() + FRAGMENT);
        }
        Ok(())
    }

    /// Begins a fragment with a key frame, and a movie where the last one cannot hold it.
    fn begin_where_due(&mut self, item: &Item, size: Size) -> io::Result<()> {
        let Some(pictures) = Pictures::of(&item.bytes, size) else {
            return Err(io::Error::other("a key frame has no parameter sets"));
        };
        match &self.movie {
            Some(open) if *open.movie.pictures() == pictures => return self.flush(item.at),
            Some(_) => self.finish_movie(item.at)?,
            None => {}
        }
        // The first picture is what was seen when the recording began.
        let zero = if self.movie.is_none() && item.at.saturating_sub(self.began) < FIRST_NS {
            self.began
        } else {
            item.at
        };
        let at = Duration::from_nanos(zero.saturating_sub(self.began));
        let file = self.movies.next((size.width, size.height), at)?;
        let movie = Movie::begin(file, pictures, self.has_sound)?;
        self.movie = Some(Open { movie, zero });
        Ok(())
    }

    fn flush(&mut self, now: u64) -> io::Result<()> {
        self.flush_at = None;
        match &mut self.movie {
            Some(Open { movie, zero }) => movie.flush(now.saturating_sub(*zero)),
            None => Ok(()),
        }
    }

    fn finish_movie(&mut self, now: u64) -> io::Result<()> {
        self.flush_at = None;
        match self.movie.take() {
            Some(Open { movie, zero }) => movie.finish(now.saturating_sub(zero)),
            None => Ok(()),
        }
    }
}

/// A packet that comes so long after its time has a wrong one.
const STALE: gst::ClockTime = gst::ClockTime::from_mseconds(250);

/// How long after its time a packet comes.
const FRESH: gst::ClockTime = gst::ClockTime::from_mseconds(5);

/// What may wait for the disk; pictures beyond it are lost up to a key frame.
const QUEUE_BYTES: usize = 16 << 20;

/// The same in pictures and packets.
const QUEUE_ITEMS: usize = 4096;

/// How long what came waits for more: all that is lost when the machine stops.
const FRAGMENT: Duration = Duration::from_secs(1);

/// More than that does not wait.
const FRAGMENT_BYTES: usize = 4 << 20;

/// How far apart the places are that a player can jump to, while something changes.
const KEY_INTERVAL: Duration = Duration::from_secs(10);

/// How long after the beginning the first picture may come and still stand for it.
const FIRST_NS: u64 = 1_000_000_000;
