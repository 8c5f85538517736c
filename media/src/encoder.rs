//! The encoder of one output, as its users see it.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::{JoinHandle, ThreadId};
use std::time::Instant;

use vroom_desktop::{Frame, FrameSlot, PixelBuffer};

use crate::fanout::{Fanout, Listener, ListenerId};
use crate::jpeg::{JpegFeed, JpegSlots};
use crate::keyframe::KeyFrames;
use crate::patches::{PatchFeed, Patches};
use crate::rate::Rate;
use crate::run::{Run, Setup};
use crate::rungs::{Ceiling, Forward, Rungs};
use crate::shots::Shots;
use crate::stamps::{Recent, Stamps};
use crate::stats::{EncoderStats, StageHistograms, StageSamples, Throughput};
use crate::{Error, Limits, UnitFeed};

/// One encoding of one output, shared by all who watch it; cloning it gives another handle.
///
/// It has a thread of its own that sleeps while nobody listens or nothing changes. It ends with
/// [`stop`](Self::stop) or with the last handle.
#[derive(Clone, Debug)]
pub struct Encoder {
    handle: Arc<Handle>,
}

impl Encoder {
    /// Starts the thread.
    pub(crate) fn start(
        frames: Arc<FrameSlot>,
        ceiling: Ceiling,
        setup: Setup,
    ) -> Result<Self, Error> {
        let rate = Rate::new(ceiling.bitrate_kbps, ceiling.fps);
        let (shared, thread) = Shared::start(frames, rate, setup.clone())?;
        let handle = Handle {
            rungs: Arc::new(Rungs::new(shared, ceiling, setup)),
            id: thread.thread().id(),
            thread: Mutex::new(Some(thread)),
        };
        Ok(Self {
            handle: Arc::new(handle),
        })
    }

    /// Asks for a key frame, soon: at once, or when the last one is old enough.
    pub fn request_key_frame(&self) {
        self.handle.rungs.request_key_frames();
    }

    /// Sets the bitrate; what the configuration and the viewers allow still holds.
    pub fn set_bitrate_kbps(&self, bitrate_kbps: u32) {
        let main = self.handle.rungs.main();
        main.change(|control| control.rate.set_wanted_kbps(bitrate_kbps));
    }

    /// Gives a reader access units from now on, beginning with a key frame.
    pub fn units(&self) -> UnitFeed {
        UnitFeed::new(Arc::clone(&self.handle.rungs))
    }

    /// Gives a reader JPEG pictures, made when it asks for them: whole ones, or the parts that changed.
    pub fn jpegs(&self, parts: bool) -> JpegFeed {
        JpegFeed::new(Arc::clone(self.handle.rungs.main()), parts)
    }

    /// Gives a reader exact pictures of what keeps still.
    pub fn patches(&self) -> PatchFeed {
        PatchFeed::new(Arc::clone(self.handle.rungs.main()))
    }

    /// The newest picture, exactly as it was drawn; `None` when the encoder has ended.
    ///
    /// Cancel-safe.
    pub async fn picture(&self) -> Option<Arc<PixelBuffer>> {
        let shared = self.handle.rungs.main();
        let picture = shared.shots.ask();
        shared.change(|_| ());
        if shared.control().stopped {
            shared.shots.end();
        }
        picture.await.ok()
    }

    /// What it has done and how long that took.
    pub fn stats(&self) -> EncoderStats {
        let rungs = &self.handle.rungs;
        EncoderStats {
            encodings: rungs.count(),
            ..rungs.main().stats()
        }
    }

    /// When a picture passed the stages, by the time in its packets; see [`rtp_time`](crate::rtp_time).
    ///
    /// `None` for those that showed nothing new, and for those of long ago.
    pub fn stamps(&self, rtp_time: u32) -> Option<Stamps> {
        self.handle.rungs.stamps(rtp_time)
    }

    /// Ends it and its feeds; returns when its thread is gone. Calling it twice is harmless.
    pub fn stop(&self) {
        self.handle.stop();
    }

    /// What viewers attach to.
    pub(crate) fn rungs(&self) -> &Arc<Rungs> {
        &self.handle.rungs
    }
}

/// Ends the thread with the last [`Encoder`].
#[derive(Debug)]
struct Handle {
    rungs: Arc<Rungs>,
    id: ThreadId,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Handle {
    fn stop(&self) {
        self.rungs.end();
        let main = self.rungs.main();
        main.change(|control| control.stopped = true);
        let thread = lock(&self.thread).take();
        if let Some(thread) = thread
            && std::thread::current().id() != self.id
            && thread.join().is_err()
        {
            tracing::error!("the encode thread panicked");
            main.end();
        }
    }
}

impl Drop for Handle {
    fn drop(&mut self) {
        self.stop();
    }
}

/// What the encode thread shares with listeners, feeds and handles.
pub(crate) struct Shared {
    /// Where frames come from.
    pub(crate) frames: Arc<FrameSlot>,
    /// Where access units go.
    pub(crate) fanout: Fanout,
    /// Who wants JPEG pictures.
    pub(crate) jpegs: JpegSlots,
    /// What lies over the video.
    pub(crate) patches: Patches,
    /// Who wants the picture as it is.
    pub(crate) shots: Shots,
    control: Mutex<Control>,
    changed: Condvar,
    counters: Mutex<Counters>,
    forward: Forward,
    /// Viewers of this picture that get another encoding of it.
    elsewhere: AtomicUsize,
    /// The last pictures that showed something new.
    pub(crate) recent: Recent<Stamps>,
}

/// What others tell the encode thread.
pub(crate) struct Control {
    /// It has to end.
    pub(crate) stopped: bool,
    /// Who asked for a key frame.
    pub(crate) keys: KeyFrames,
    /// How much it may produce.
    pub(crate) rate: Rate,
}

/// What the encode thread tells others.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    /// The plain values.
    pub(crate) stats: EncoderStats,
    /// See [`EncoderStats::capture`].
    pub(crate) capture: StageSamples,
    /// See [`EncoderStats::convert`].
    pub(crate) convert: StageSamples,
    /// See [`EncoderStats::encode`].
    pub(crate) encode: StageSamples,
    /// See [`EncoderStats::age`].
    pub(crate) age: StageSamples,
    /// The last second.
    pub(crate) throughput: Throughput,
}

impl Shared {
    /// Starts a thread that encodes these frames.
    pub(crate) fn start(
        frames: Arc<FrameSlot>,
        rate: Rate,
        setup: Setup,
    ) -> Result<(Arc<Self>, JoinHandle<()>), Error> {
        let shared = Arc::new(Self {
            frames,
            fanout: Fanout::default(),
            jpegs: JpegSlots::default(),
            patches: Patches::default(),
            shots: Shots::default(),
            control: Mutex::new(Control {
                stopped: false,
                keys: KeyFrames::default(),
                rate,
            }),
            changed: Condvar::new(),
            counters: Mutex::default(),
            forward: Forward::default(),
            elsewhere: AtomicUsize::new(0),
            recent: Recent::default(),
        });
        let run = Run::new(Arc::clone(&shared), setup);
        let thread = std::thread::Builder::new()
            .name("encode".into())
            .spawn(move || run.run())
            .map_err(Error::Thread)?;
        Ok((shared, thread))
    }

    /// Adds a listener that can take so much, and asks for the key frame it starts with.
    pub(crate) fn attach(&self, listener: Arc<dyn Listener>, limits: Limits) -> ListenerId {
        let id = self.fanout.attach(listener);
        self.change(|control| {
            control.rate.set_limits(id, limits);
            control.keys.request();
        });
        id
    }

    /// Passes every frame on to this slot, too, beginning with the newest; false when there is
    /// none to begin with.
    pub(crate) fn forward_to(&self, slot: Arc<FrameSlot>) -> bool {
        self.forward.start(slot, || self.patches.newest())
    }

    /// Passes no frames on any more.
    pub(crate) fn forward_no_more(&self) {
        self.forward.stop();
    }

    /// Takes note of a frame before it is encoded: passes it on, and shows of it what is small.
    ///
    /// True when everybody sees exactly by that what it changed.
    pub(crate) fn on_frame(&self, frame: &Frame) -> bool {
        let exact = self.patches.frame(frame);
        self.forward.frame(frame);
        exact > 0 && exact >= self.viewers()
    }

    /// Notes how many viewers get another encoding.
    pub(crate) fn set_elsewhere(&self, count: usize) {
        self.elsewhere.store(count, Ordering::Relaxed);
    }

    /// Viewers that want to see the picture, in whatever encoding.
    fn viewers(&self) -> usize {
        self.fanout.playing() + self.elsewhere.load(Ordering::Relaxed)
    }

    /// Removes a listener and what it asked for.
    pub(crate) fn detach(&self, id: ListenerId) {
        self.fanout.detach(id);
        self.change(|control| control.rate.remove(id));
    }

    /// Pauses a listener or lets it go on.
    pub(crate) fn set_playing(&self, id: ListenerId, playing: bool) {
        if self.fanout.set_playing(id, playing) {
            self.change(|control| {
                if playing {
                    control.keys.request();
                }
            });
        }
    }

    /// Notes what a listener can take.
    pub(crate) fn set_limits(&self, id: ListenerId, limits: Limits) {
        self.change(|control| control.rate.set_limits(id, limits));
    }

    /// Asks for a key frame.
    pub(crate) fn request_key_frame(&self) {
        self.change(|control| control.keys.request());
    }

    /// A receiver asks for a key frame, because of a loss or of its own timer.
    pub(crate) fn receiver_asks_key_frame(&self) {
        self.change(|control| control.keys.receiver_asks(Instant::now()));
    }

    /// Changes something and wakes the encode thread, wherever it waits.
    pub(crate) fn change(&self, change: impl FnOnce(&mut Control)) {
        change(&mut self.control());
        self.changed.notify_all();
        self.frames.wake();
    }

    /// The control, locked.
    pub(crate) fn control(&self) -> MutexGuard<'_, Control> {
        lock(&self.control)
    }

    /// Waits for a change, or until `deadline`; false when that passed.
    pub(crate) fn wait_change(
        &self,
        control: MutexGuard<'_, Control>,
        deadline: Option<Instant>,
    ) -> bool {
        let Some(deadline) = deadline else {
            let waited = self.changed.wait(control);
            drop(waited.unwrap_or_else(PoisonError::into_inner));
            return true;
        };
        let left = deadline.saturating_duration_since(Instant::now());
        let waited = self.changed.wait_timeout(control, left);
        let (control, result) = waited.unwrap_or_else(PoisonError::into_inner);
        drop(control);
        !result.timed_out()
    }

    /// The counters, locked.
    pub(crate) fn counters(&self) -> MutexGuard<'_, Counters> {
        lock(&self.counters)
    }

    /// Tells every feed and peer that nothing more will come.
    pub(crate) fn end(&self) {
        self.control().stopped = true;
        self.fanout.end();
        self.jpegs.end();
        self.patches.end();
        self.shots.end();
    }

    fn stats(&self) -> EncoderStats {
        let bitrate_kbps_max = self.control().rate.bitrate_kbps();
        let counters = self.counters();
        let (fps, bitrate_kbps) = counters.throughput.last_second(Instant::now());
        EncoderStats {
            codec: "h264",
            fps,
            bitrate_kbps,
            bitrate_kbps_max,
            capture: counters.capture.latency(),
            convert: counters.convert.latency(),
            encode: counters.encode.latency(),
            age: counters.age.latency(),
            histograms: StageHistograms {
                capture: counters.capture.histogram(),
                convert: counters.convert.histogram(),
                encode: counters.encode.histogram(),
                age: counters.age.histogram(),
            },
            listeners: self.viewers(),
            ..counters.stats.clone()
        }
    }
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared").finish_non_exhaustive()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
