//! The recording that is under way.

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant, SystemTime};

use serde_json::json;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use vroom_media::{MovieFile, Movies, Recorder};
use vroom_protocol::graphical::Recording;

use super::folder::Folder;
use super::shelf;
use super::terminals::{Follow, follow_all};
use super::timeline::{Journal, Timeline};
use super::writer::Writer;
use super::{Order, Recordings};
use crate::daemon::Daemon;
use crate::hub::unix_seconds;
use crate::output::Watch;

/// The recording that is under way.
#[derive(Debug)]
pub(super) struct Running {
    number: u64,
    timeline: Timeline,
    movies: Option<(Recorder, Watch)>,
    terminals: JoinHandle<()>,
    stop: watch::Sender<bool>,
    writers: [Writer; 2],
}

impl Running {
    /// Begins it, and tells everybody first; blocks, inside of the runtime.
    pub(super) fn begin(daemon: &Arc<Daemon>, by: String, number: u64) -> io::Result<Self> {
        let Recordings {
            rules,
            folder: all,
            orders,
        } = &daemon.recordings;
        let now = SystemTime::now();
        let folder = Folder::make(all, &shelf::id_of(now), rules)?;
        let failed = Failed {
            number,
            orders: orders.clone(),
        };
        let fail = || {
            let failed = failed.clone();
            move |error| failed.say(&error)
        };
        let own = Arc::clone(&folder);
        let (lines, jobs) = Writer::start(own, "record-lines", LINES, fail())?;
        let own = Arc::clone(&folder);
        let (casts, pieces) = Writer::start(own, "record-casts", PIECES, fail())?;
        let began = Instant::now();
        let timeline = Timeline::begin(began, jobs);
        let unix = now.duration_since(SystemTime::UNIX_EPOCH);
        let unix_ms = unix.unwrap_or(Duration::ZERO).as_millis();
        timeline.say_at(
            Duration::ZERO,
            json!({"event": "start", "version": 1, "unix_ms": unix_ms, "by": by}),
        );
        let since = unix_seconds(now);
        let recording = Recording { by, since };
        daemon.terminals.set_recording(Some(&recording));
        let journal = Journal::new(timeline.clone());
        daemon
            .hub
            .begin_recording(recording, journal, rules.pointer);
        let movies = Reel {
            folder,
            timeline: timeline.clone(),
            movies: 0,
            failed,
        };
        let (stop, stopped) = watch::channel(false);
        let follow = Follow {
            timeline: timeline.clone(),
            jobs: pieces,
            began: since,
        };
        let terminals = follow_all(Arc::clone(&daemon.terminals), follow, stopped);
        Ok(Self {
            number,
            movies: record_desktop(daemon, began, movies),
            terminals: tokio::spawn(terminals),
            timeline,
            stop,
            writers: [lines, casts],
        })
    }

    /// Which one it is.
    pub(super) fn number(&self) -> u64 {
        self.number
    }

    /// Ends it; returns when all is written.
    pub(super) async fn finish(self, daemon: &Daemon, reason: &str) {
        self.stop.send_replace(true);
        let movies = self.movies;
        let movies = tokio::task::spawn_blocking(move || {
            if let Some((recorder, watch)) = movies {
                recorder.finish();
                drop(watch);
            }
        });
        let (movies, terminals) = tokio::join!(movies, self.terminals);
        if movies.is_err() || terminals.is_err() {
            tracing::error!("a recording ended in disorder");
        }
        daemon.terminals.set_recording(None);
        daemon.hub.forget_journal();
        self.timeline.end(reason);
        drop(self.timeline);
        let joined = tokio::task::spawn_blocking(move || self.writers.map(Writer::join));
        if joined.await.is_err() {
            tracing::error!("a recording ended in disorder");
        }
    }
}

/// Records what the desktop shows and plays, where there is one and an encoder for it.
fn record_desktop(daemon: &Daemon, began: Instant, reel: Reel) -> Option<(Recorder, Watch)> {
    let output = daemon.output.as_ref().filter(|output| output.has_h264())?;
    let watch = output.watch();
    let recorder = watch.and_then(|watch| {
        let encoder = watch.encoder();
        let sound = daemon.sound.as_ref().map(|sound| &sound.played);
        let recorder = daemon.media.record(encoder, sound, began, reel)?;
        Ok((recorder, watch))
    });
    recorder
        .inspect_err(|error| tracing::error!(%error, "the desktop is not recorded"))
        .ok()
}

/// Says that a recording cannot go on.
#[derive(Clone, Debug)]
struct Failed {
    number: u64,
    orders: mpsc::Sender<Order>,
}

impl Failed {
    fn say(&self, error: &io::Error) {
        let order = Order::Fail {
            number: self.number,
            reason: format!("the recording ended: {error}"),
        };
        if self.orders.try_send(order).is_err() {
            tracing::warn!(%error, "a recording goes on in part only");
        }
    }
}

/// The movies of the desktop.
struct Reel {
    folder: Arc<Folder>,
    timeline: Timeline,
    movies: u32,
    failed: Failed,
}

impl Movies for Reel {
    fn next(&mut self, size: (u32, u32), at: Duration) -> io::Result<Box<dyn MovieFile>> {
        self.movies += 1;
        let name = match self.movies {
            1 => "desktop.mp4".to_owned(),
            more => format!("desktop-{more}.mp4"),
        };
        let file = self.folder.create_movie(&name)?;
        let (width, height) = size;
        self.timeline.say_at(
            at,
            json!({"event": "desktop", "file": name, "width": width, "height": height}),
        );
        Ok(Box::new(file))
    }

    fn failed(&mut self, error: io::Error) {
        self.failed.say(&error);
    }
}

/// The lines of the timeline that may wait; one more is lost.
const LINES: usize = 4096;

/// The pieces of terminals that may wait; the terminals' own histories hold the rest.
const PIECES: usize = 32;
