//! Which of two encodings a viewer gets: those who can take far less than the others have one of
//! their own, so that they drag nobody down.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Instant;

use vroom_desktop::{Damage, Frame, FrameSlot, PixelBuffer};

use crate::Limits;
use crate::encoder::Shared;
use crate::fanout::{Listener, ListenerId};
use crate::rate::Rate;
use crate::run::Setup;
use crate::stamps::Stamps;

/// Tells the viewers of one output apart, whatever encoding they get.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub(crate) struct ViewerId(u64);

/// The encodings of one output, and who gets which.
///
/// Usually there is one. A viewer that can take less than half of what the best one can gets a
/// second encoding, which is started then, has its own bitrate and frame rate, and ends with the
/// last such viewer. Moving costs a viewer one key frame.
pub(crate) struct Rungs {
    main: Arc<Shared>,
    setup: Setup,
    ceiling: Ceiling,
    last_id: AtomicU64,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    viewers: HashMap<ViewerId, Viewer>,
    lower: Option<Lower>,
    ended: bool,
}

/// The second encoding.
struct Lower {
    shared: Arc<Shared>,
    thread: JoinHandle<()>,
}

struct Viewer {
    listener: Arc<dyn Listener>,
    /// What it is called where it listens.
    id: ListenerId,
    is_lower: bool,
    playing: bool,
    limits: Limits,
}

/// What the configuration allows, which is what a viewer without limits can take.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ceiling {
    /// The most kbit/s.
    pub(crate) bitrate_kbps: u32,
    /// The most pictures per second.
    pub(crate) fps: u32,
}

impl Ceiling {
    /// What a viewer with these limits can take.
    fn of(self, limits: Limits) -> Self {
        let bitrate_kbps = limits.bitrate_kbps_max.unwrap_or(self.bitrate_kbps);
        Self {
            bitrate_kbps: bitrate_kbps.min(self.bitrate_kbps),
            fps: limits.fps_max.unwrap_or(self.fps).clamp(1, self.fps),
        }
    }

    /// Whether this is less than so many percent of another in any way.
    fn is_below(self, percent: u64, other: Self) -> bool {
        let below = |own: u32, other: u32| u64::from(own) * 100 < u64::from(other) * percent;
        below(self.bitrate_kbps, other.bitrate_kbps) || below(self.fps, other.fps)
    }

    /// The better of both in every way.
    fn or(self, other: Self) -> Self {
        Self {
            bitrate_kbps: self.bitrate_kbps.max(other.bitrate_kbps),
            fps: self.fps.max(other.fps),
        }
    }
}

impl Rungs {
    /// Adds a second encoding to this one, for when it is needed.
    pub(crate) fn new(main: Arc<Shared>, ceiling: Ceiling, setup: Setup) -> Self {
        Self {
            main,
            setup,
            ceiling,
            last_id: AtomicU64::new(0),
            state: Mutex::default(),
        }
    }

    /// The encoding of most viewers.
    pub(crate) fn main(&self) -> &Arc<Shared> {
        &self.main
    }

    /// A name for a viewer that is going to be attached.
    pub(crate) fn reserve(&self) -> ViewerId {
        ViewerId(self.last_id.fetch_add(1, Ordering::Relaxed))
    }

    /// Adds a viewer; it begins with a key frame.
    pub(crate) fn attach(&self, viewer: ViewerId, listener: Arc<dyn Listener>, limits: Limits) {
        let mut state = self.lock();
        let id = self.main.attach(Arc::clone(&listener), limits);
        let entry = Viewer {
            listener,
            id,
            is_lower: false,
            playing: true,
            limits,
        };
        state.viewers.insert(viewer, entry);
        self.settle(&mut state);
    }

    /// Removes a viewer and what it asked for.
    pub(crate) fn detach(&self, viewer: ViewerId) {
        let mut state = self.lock();
        if let Some(gone) = state.viewers.remove(&viewer) {
            self.shared(&state, gone.is_lower).detach(gone.id);
        }
        self.settle(&mut state);
    }

    /// Pauses a viewer or lets it go on.
    pub(crate) fn set_playing(&self, viewer: ViewerId, playing: bool) {
        let mut state = self.lock();
        let Some(entry) = state.viewers.get_mut(&viewer) else {
            return;
        };
        entry.playing = playing;
        let (id, is_lower) = (entry.id, entry.is_lower);
        self.shared(&state, is_lower).set_playing(id, playing);
        self.settle(&mut state);
    }

    /// Notes what a viewer can take.
    pub(crate) fn set_limits(&self, viewer: ViewerId, limits: Limits) {
        let mut state = self.lock();
        let Some(entry) = state.viewers.get_mut(&viewer) else {
            return;
        };
        entry.limits = limits;
        // First of all it moves: the others are not to feel what it cannot take.
        self.settle(&mut state);
        if let Some(entry) = state.viewers.get(&viewer) {
            let shared = self.shared(&state, entry.is_lower);
            shared.set_limits(entry.id, limits);
        }
    }

    /// A viewer cannot go on without a key frame.
    pub(crate) fn request_key_frame(&self, viewer: ViewerId) {
        let state = self.lock();
        if let Some(entry) = state.viewers.get(&viewer) {
            self.shared(&state, entry.is_lower).request_key_frame();
        }
    }

    /// A viewer's browser asks for a key frame, because of a loss or of its own timer.
    pub(crate) fn receiver_asks_key_frame(&self, viewer: ViewerId) {
        let state = self.lock();
        if let Some(entry) = state.viewers.get(&viewer) {
            let shared = self.shared(&state, entry.is_lower);
            shared.receiver_asks_key_frame();
        }
    }

    /// The bitrate of what a viewer gets, in kbit/s.
    pub(crate) fn bitrate_kbps(&self, viewer: ViewerId) -> u32 {
        let state = self.lock();
        let is_lower = state.viewers.get(&viewer).is_some_and(|it| it.is_lower);
        let shared = Arc::clone(self.shared(&state, is_lower));
        drop(state);
        shared.control().rate.bitrate_kbps()
    }

    /// Encodings that there are.
    pub(crate) fn count(&self) -> usize {
        1 + usize::from(self.lock().lower.is_some())
    }

    /// When a picture of either encoding passed the stages, by the time in its packets.
    pub(crate) fn stamps(&self, rtp_time: u32) -> Option<Stamps> {
        let main = self.main.recent.find(rtp_time);
        main.or_else(|| self.lock().lower.as_ref()?.shared.recent.find(rtp_time))
    }

    /// Asks everybody's encoding for a key frame.
    pub(crate) fn request_key_frames(&self) {
        let state = self.lock();
        self.main.request_key_frame();
        if let Some(lower) = &state.lower {
            lower.shared.request_key_frame();
        }
    }

    /// Ends the second encoding for good; returns when its thread is gone.
    pub(crate) fn end(&self) {
        let mut state = self.lock();
        state.ended = true;
        let lower = state.lower.take();
        // Whoever is left there hears of the end of the other one no more.
        drop(state);
        self.main.forward_no_more();
        if let Some(lower) = lower {
            lower.stop();
            if lower.thread.join().is_err() {
                tracing::error!("the second encode thread panicked");
            }
        }
    }

    /// Moves everybody to the encoding that fits.
    fn settle(&self, state: &mut State) {
        let playing = state.viewers.values().filter(|it| it.playing);
        let best = playing
            .map(|it| self.ceiling.of(it.limits))
            .reduce(Ceiling::or);
        let fits = |viewer: &Viewer| {
            let percent = if viewer.is_lower { UP } else { DOWN };
            let own = self.ceiling.of(viewer.limits);
            viewer.playing && best.is_some_and(|best| own.is_below(percent, best))
        };
        let moving: Vec<_> = state
            .viewers
            .iter()
            .map(|(id, viewer)| (*id, fits(viewer)))
            .filter(|(id, lower)| {
                state
                    .viewers
                    .get(id)
                    .is_some_and(|it| it.is_lower != *lower)
            })
            .collect();
        for (id, is_lower) in moving {
            if !is_lower || self.start_lower(state) {
                self.move_to(state, id, is_lower);
            }
        }
        let count = state.viewers.values().filter(|it| it.is_lower).count();
        self.main.set_elsewhere(count);
        if count == 0
            && let Some(lower) = state.lower.take()
        {
            self.main.forward_no_more();
            lower.stop();
            tracing::debug!("nobody needs a second encoding any more");
        }
    }

    fn move_to(&self, state: &mut State, viewer: ViewerId, is_lower: bool) {
        let from = Arc::clone(self.shared(state, !is_lower));
        let to = Arc::clone(self.shared(state, is_lower));
        if let Some(entry) = state.viewers.get_mut(&viewer) {
            from.detach(entry.id);
            entry.id = to.attach(Arc::clone(&entry.listener), entry.limits);
            if !entry.playing {
                to.set_playing(entry.id, false);
            }
            entry.is_lower = is_lower;
        }
    }

    /// Starts the second encoding, if there is none; false when it cannot.
    ///
    /// It cannot without a picture to begin with: on a desktop that rests nobody would ever see one.
    fn start_lower(&self, state: &mut State) -> bool {
        if state.lower.is_some() {
            return true;
        }
        if state.ended {
            return false;
        }
        let frames = Arc::new(FrameSlot::new());
        if !self.main.forward_to(Arc::clone(&frames)) {
            return false;
        }
        let rate = Rate::new(self.ceiling.bitrate_kbps, self.ceiling.fps);
        match Shared::start(frames, rate, self.setup.clone()) {
            Ok((shared, thread)) => {
                tracing::debug!("a second encoding, for a viewer that can take less");
                state.lower = Some(Lower { shared, thread });
                true
            }
            Err(error) => {
                self.main.forward_no_more();
                tracing::warn!(%error, "no second encoding: the slowest viewer decides for all");
                false
            }
        }
    }

    fn shared<'a>(&'a self, state: &'a State, is_lower: bool) -> &'a Arc<Shared> {
        let lower = state.lower.as_ref().filter(|_| is_lower);
        lower.map_or(&self.main, |lower| &lower.shared)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Rungs {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Rungs").finish_non_exhaustive()
    }
}

impl Lower {
    fn stop(&self) {
        self.shared.change(|control| control.stopped = true);
    }
}

/// Frames for the second encoding: those that the first one takes.
#[derive(Debug, Default)]
pub(crate) struct Forward(Mutex<Option<Arc<FrameSlot>>>);

impl Forward {
    /// Passes a frame on, if somebody wants it.
    pub(crate) fn frame(&self, frame: &Frame) {
        if let Some(slot) = &*self.lock() {
            slot.publish(frame.clone());
        }
    }

    /// Passes frames on to this slot from now on, beginning with `newest`, if there is one.
    pub(crate) fn start(
        &self,
        slot: Arc<FrameSlot>,
        newest: impl FnOnce() -> Option<Arc<PixelBuffer>>,
    ) -> bool {
        let mut own = self.lock();
        // Not before the lock: a frame that comes now waits for it, and is passed on after this.
        let Some(pixels) = newest() else {
            return false;
        };
        slot.publish(Frame {
            seq: 0,
            captured_at: Instant::now(),
            damage: Damage::full(pixels.size()),
            pixels,
        });
        *own = Some(slot);
        true
    }

    /// Passes nothing on any more.
    pub(crate) fn stop(&self) {
        *self.lock() = None;
    }

    fn lock(&self) -> MutexGuard<'_, Option<Arc<FrameSlot>>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Below so many percent of what the best viewer can take, one gets the second encoding.
const DOWN: u64 = 50;

/// With so many percent it goes back.
const UP: u64 = 80;
