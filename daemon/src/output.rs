//! The pictures of the desktop: who watches, and the encoder that exists while somebody does.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use vroom_desktop::Desktop;
use vroom_media::{Encoder, EncoderStats, Error, Media, StageHistograms, StageLatency};
use vroom_protocol::graphical::{Latency, MediaState};

use crate::hub::Hub;
use crate::process;
use crate::way::{Way, WayHistograms, milliseconds};

/// The pictures of the desktop.
///
/// The desktop draws and the encoder exists only while somebody watches.
pub(crate) struct Output {
    desktop: Arc<dyn Desktop>,
    media: Media,
    hub: Arc<Hub>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    live: Option<Live>,
    /// What encoders did that have ended.
    past: Totals,
    /// The pictures that viewers saw.
    shown: WayHistograms,
    measured_at: Option<Instant>,
}

/// What all encoders of the output did.
#[derive(Clone, Debug, Default)]
pub(crate) struct Totals {
    pub(crate) units: u64,
    pub(crate) key_frames: u64,
    pub(crate) refinements: u64,
    pub(crate) bytes: u64,
    pub(crate) jpegs: u64,
    pub(crate) failures: u64,
    pub(crate) stages: StageHistograms,
}

impl Totals {
    fn add(&mut self, stats: &EncoderStats) {
        self.units += stats.units;
        self.key_frames += stats.key_frames;
        self.refinements += stats.refinements;
        self.bytes += stats.bytes;
        self.jpegs += stats.jpegs;
        self.failures += stats.failures;
        self.stages.merge(&stats.histograms);
    }
}

struct Live {
    encoder: Encoder,
    watchers: usize,
}

impl Output {
    /// Shows this desktop by these means.
    pub(crate) fn new(desktop: Arc<dyn Desktop>, media: Media, hub: Arc<Hub>) -> Arc<Self> {
        Arc::new(Self {
            desktop,
            media,
            hub,
            state: Mutex::default(),
        })
    }

    /// Whether there is an encoder for H264.
    pub(crate) fn has_h264(&self) -> bool {
        self.media.report().chosen().is_some()
    }

    /// Starts to watch; the first one wakes the desktop.
    pub(crate) fn watch(self: &Arc<Self>) -> Result<Watch, Error> {
        let mut state = self.lock();
        let live = match &mut state.live {
            Some(live) => live,
            none => none.insert(Live {
                encoder: self.media.encoder(Arc::clone(self.desktop.frames()))?,
                watchers: 0,
            }),
        };
        live.watchers += 1;
        let encoder = live.encoder.clone();
        if live.watchers == 1 {
            self.desktop.set_watched(true);
        }
        Ok(Watch {
            output: Arc::clone(self),
            encoder,
        })
    }

    /// Counts a picture that a viewer saw.
    pub(crate) fn on_shown(&self, way: &Way) {
        self.lock().shown.add(way);
    }

    /// What was done since the start, and the encoder that does it now.
    pub(crate) fn totals(&self) -> (Totals, WayHistograms, Option<EncoderStats>) {
        let state = self.lock();
        let live = state.live.as_ref().map(|live| live.encoder.stats());
        let mut totals = state.past.clone();
        if let Some(live) = &live {
            totals.add(live);
        }
        (totals, state.shown.clone(), live)
    }

    /// Asks for a key frame, if anybody watches.
    pub(crate) fn request_key_frame(&self) {
        if let Some(live) = &self.lock().live {
            live.encoder.request_key_frame();
        }
    }

    fn unwatch(self: &Arc<Self>) {
        let mut state = self.lock();
        let Some(live) = &mut state.live else {
            return;
        };
        live.watchers -= 1;
        if live.watchers == 0 {
            self.desktop.set_watched(false);
            let ended = state.live.take();
            if let Some(ended) = &ended {
                state.past.add(&ended.encoder.stats());
            }
            // Ending it joins its thread, which an async one must not wait for unless it has to.
            let ender = std::thread::Builder::new().name("encode-end".into());
            let output = Arc::clone(self);
            let end = move || {
                drop(ended);
                // The connections of the last viewers end by themselves, on a busy machine late.
                for pause in RESTS {
                    std::thread::sleep(pause);
                    if output.lock().live.is_some() {
                        return;
                    }
                    process::give_memory_back();
                }
            };
            if let Err(error) = ender.spawn(end) {
                tracing::warn!(%error, "an encoder was ended in a hurry");
            }
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Output {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Output").finish_non_exhaustive()
    }
}

/// Somebody who watches; dropping it stops watching.
#[derive(Debug)]
pub(crate) struct Watch {
    output: Arc<Output>,
    encoder: Encoder,
}

impl Watch {
    /// The encoder of what is watched.
    pub(crate) fn encoder(&self) -> &Encoder {
        &self.encoder
    }

    /// Says that a picture went out: the properties of the video are told again when they are old.
    pub(crate) fn flowed(&self, now: Instant) {
        let mut state = self.output.lock();
        if state
            .measured_at
            .is_some_and(|at| now < at + MEASURE_INTERVAL)
        {
            return;
        }
        state.measured_at = Some(now);
        drop(state);
        let mut state = media_state(&self.encoder.stats());
        let declined = self.output.media.report().declined();
        state.declined.get_or_insert_default().extend(declined);
        self.output.hub.set_media(state);
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.output.unwatch();
    }
}

/// What an encoder measured, as viewers are told.
fn media_state(stats: &EncoderStats) -> MediaState {
    let latency = |part: fn(&StageLatency) -> Duration| Latency {
        capture: Some(milliseconds(part(&stats.capture))),
        convert: Some(milliseconds(part(&stats.convert))),
        encode: Some(milliseconds(part(&stats.encode))),
        age: Some(milliseconds(part(&stats.age))),
        ..Latency::default()
    };
    MediaState {
        codec: Some(stats.codec.to_owned()),
        width: Some(stats.size.width),
        height: Some(stats.size.height),
        fps: Some(stats.fps.into()),
        bitrate_kbps: Some(stats.bitrate_kbps.into()),
        encoder: Some(stats.encoder.to_owned()),
        declined: Some(stats.given_up.clone()),
        // Told to each for themselves.
        mic: None,
        latency: Some(latency(|stage| stage.p50)),
        latency_p95: Some(latency(|stage| stage.p95)),
        latency_p99: Some(latency(|stage| stage.p99)),
        transport: None,
    }
}

/// The least time between two measurements that viewers are told.
const MEASURE_INTERVAL: Duration = Duration::from_secs(1);

/// How long after the last viewer memory is given back, and how long after that once more.
const RESTS: [Duration; 2] = [Duration::from_secs(2), Duration::from_secs(8)];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stages_are_told_in_milliseconds() {
        let mut stats = EncoderStats::default();
        stats.encode.p50 = Duration::from_micros(4321);
        let state = media_state(&stats);
        assert_eq!(state.latency.unwrap().encode, Some(4.3));
    }
}
