//! Access units, and the feed that hands them to a reader outside of WebRTC.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Instant;

use bytes::Bytes;
use gstreamer as gst;
use tokio::sync::Notify;
use vroom_desktop::Size;

use crate::Limits;
use crate::fanout::{Listener, Pushed};
use crate::packets::{Packets, Payload};
use crate::rungs::{Rungs, ViewerId};

/// One encoded picture in Annex B form, with the parameter sets before a key frame.
#[derive(Clone, Debug)]
pub struct AccessUnit {
    /// Whether a decoder can start here.
    pub key_frame: bool,
    /// When it is to be shown, in microseconds since media started; always rising.
    pub pts_us: u64,
    /// The bytes; they lie in the encoder's own buffer.
    pub data: Bytes,
    /// When the first change was made that the picture shows; for a repeated one, when it was repeated.
    pub captured_at: Instant,
}

/// The access units of one encoder for one reader.
///
/// It starts with a key frame. A reader that falls [`FEED_UNITS`] behind loses them all; when it
/// reads again it gets a key frame of the newest picture. A reader that does not read at all costs
/// the others nothing.
#[derive(Debug)]
pub struct UnitFeed {
    rungs: Arc<Rungs>,
    queue: Arc<FeedQueue>,
    id: ViewerId,
}

impl UnitFeed {
    /// Starts to listen.
    pub(crate) fn new(rungs: Arc<Rungs>) -> Self {
        let queue = Arc::new(FeedQueue::default());
        let id = rungs.reserve();
        let listener = Arc::clone(&queue) as Arc<dyn Listener>;
        rungs.attach(id, listener, Limits::default());
        Self { rungs, queue, id }
    }

    /// Waits for the next access unit; `None` when the encoder has ended.
    ///
    /// Cancelling loses nothing.
    pub async fn next(&mut self) -> Option<AccessUnit> {
        loop {
            match self.queue.pop() {
                Popped::Unit(unit) => return Some(unit),
                Popped::Ended => return None,
                Popped::Empty { resync } => {
                    if resync {
                        self.rungs.request_key_frame(self.id);
                    }
                }
            }
            self.queue.changed.notified().await;
        }
    }

    /// Says what this reader can take.
    pub fn set_limits(&self, limits: Limits) {
        self.rungs.set_limits(self.id, limits);
    }
}

impl Drop for UnitFeed {
    fn drop(&mut self) {
        self.rungs.detach(self.id);
    }
}

/// An access unit on its way from the encoder to its listeners.
#[derive(Debug)]
pub(crate) struct Unit {
    /// The bytes and the presentation time.
    pub(crate) buffer: gst::Buffer,
    /// Whether a decoder can start here.
    pub(crate) key_frame: bool,
    /// The presentation time.
    pub(crate) pts: gst::ClockTime,
    /// See [`AccessUnit::captured_at`].
    pub(crate) captured_at: Instant,
    /// The size of what is encoded.
    pub(crate) size: Size,
    /// What cuts it.
    pub(crate) packets: Arc<Packets>,
    /// It was cut.
    pub(crate) payloads: OnceLock<Option<Arc<[Payload]>>>,
}

impl Unit {
    /// What its packets carry; `None` when it cannot be cut.
    pub(crate) fn payloads(&self) -> Option<Arc<[Payload]>> {
        let cut = || {
            let cut = self.packets.cut(&self.buffer);
            cut.inspect_err(|error| tracing::warn!(%error, "a picture is no packets"))
                .ok()
        };
        self.payloads.get_or_init(cut).clone()
    }

    /// The same for a reader, without copying the bytes.
    fn to_access_unit(&self) -> Option<AccessUnit> {
        let map = self.buffer.clone().into_mapped_buffer_readable().ok()?;
        Some(AccessUnit {
            key_frame: self.key_frame,
            pts_us: self.pts.useconds(),
            data: Bytes::from_owner(map),
            captured_at: self.captured_at,
        })
    }
}

/// The queue of one feed.
#[derive(Debug, Default)]
struct FeedQueue {
    state: Mutex<FeedState>,
    changed: Notify,
}

#[derive(Debug, Default)]
struct FeedState {
    units: VecDeque<AccessUnit>,
    /// Units were lost, and the reader has not come back since.
    behind: bool,
    ended: bool,
}

enum Popped {
    Unit(AccessUnit),
    Empty { resync: bool },
    Ended,
}

impl FeedQueue {
    fn pop(&self) -> Popped {
        let mut state = self.lock();
        match state.units.pop_front() {
            Some(unit) => Popped::Unit(unit),
            None if state.ended => Popped::Ended,
            None => Popped::Empty {
                resync: std::mem::take(&mut state.behind),
            },
        }
    }

    fn lock(&self) -> MutexGuard<'_, FeedState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Listener for FeedQueue {
    fn is_ready(&self) -> bool {
        !self.lock().behind
    }

    fn push(&self, unit: &Unit) -> Pushed {
        let Some(unit) = unit.to_access_unit() else {
            return Pushed::Resync;
        };
        let mut state = self.lock();
        if state.units.len() == FEED_UNITS {
            state.units.clear();
            state.behind = true;
            return Pushed::Behind;
        }
        state.units.push_back(unit);
        drop(state);
        self.changed.notify_one();
        Pushed::Taken
    }

    fn end(&self) {
        self.lock().ended = true;
        self.changed.notify_one();
    }
}

/// Access units that may wait for a reader; one more and all are dropped up to a key frame.
const FEED_UNITS: usize = 8;
