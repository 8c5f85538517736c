//! Links between two connections in one process, for tests.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, mpsc};
use vroom_protocol::{ChannelSpec, Code, LinkKind, Transmit};

use crate::{Incoming, LinkRx, LinkTx, TrySend};

/// Makes two joined links whose lanes hold at most `depth` frames each way; when there are that
/// many, the lane is full until one is received.
///
/// A shared link has one lane for all channels.
pub fn pair(depth: usize, kind: LinkKind) -> [(MemoryRx, MemoryTx); 2] {
    let (near, far) = (Lanes::new(depth, kind), Lanes::new(depth, kind));
    let (to_far, from_near) = mpsc::unbounded_channel();
    let (to_near, from_far) = mpsc::unbounded_channel();
    let (near_drained, far_drained) = (Arc::new(Notify::new()), Arc::new(Notify::new()));
    let (near_own, far_own) = (to_near.downgrade(), to_far.downgrade());
    let tx = |queue, lanes: &Arc<Lanes>, drained: &Arc<Notify>, own| MemoryTx {
        queue: Some(queue),
        lanes: Arc::clone(lanes),
        full: Vec::new(),
        drained: Arc::clone(drained),
        own,
    };
    let rx = |queue, lanes: &Arc<Lanes>, drained: &Arc<Notify>| MemoryRx {
        queue,
        lanes: Arc::clone(lanes),
        drained: Arc::clone(drained),
    };
    // What drains is the receiver; who waits for it is the sender of the other end.
    [
        (
            rx(from_far, &near, &far_drained),
            tx(to_far, &near, &near_drained, near_own),
        ),
        (
            rx(from_near, &far, &near_drained),
            tx(to_near, &far, &far_drained, far_own),
        ),
    ]
}

/// The receiving half.
#[derive(Debug)]
pub struct MemoryRx {
    queue: mpsc::UnboundedReceiver<Parcel>,
    lanes: Arc<Lanes>,
    drained: Arc<Notify>,
}

/// The sending half.
#[derive(Debug)]
pub struct MemoryTx {
    /// Gone after the shutdown. Its bound is the room of the lanes.
    queue: Option<mpsc::UnboundedSender<Parcel>>,
    lanes: Arc<Lanes>,
    /// The lanes that refused a frame.
    full: Vec<Arc<Semaphore>>,
    drained: Arc<Notify>,
    /// The way to this end's own receiving half.
    own: mpsc::WeakUnboundedSender<Parcel>,
}

/// The lanes of one end, whichever end opened them.
#[derive(Debug)]
struct Lanes {
    kind: LinkKind,
    depth: usize,
    /// The room left in each; a shared link has only the one without a name.
    rooms: Mutex<HashMap<Arc<str>, Arc<Semaphore>>>,
}

/// What travels.
#[derive(Debug)]
enum Parcel {
    Frame {
        lane: Option<Arc<str>>,
        frame: Bytes,
        room: OwnedSemaphorePermit,
    },
    Opened(Arc<str>),
    Closed(Arc<str>),
}

impl LinkRx for MemoryRx {
    async fn recv(&mut self, _frame_limit: usize) -> Incoming {
        let incoming = match self.queue.recv().await {
            Some(Parcel::Frame { lane, frame, room }) => {
                drop(room);
                Incoming::Message { lane, frame }
            }
            Some(Parcel::Opened(lane)) => {
                self.lanes.add(Arc::clone(&lane));
                Incoming::LaneOpened(lane)
            }
            Some(Parcel::Closed(lane)) => {
                self.lanes.remove(&lane);
                Incoming::LaneClosed(lane)
            }
            None => Incoming::Closed,
        };
        self.drained.notify_one();
        incoming
    }
}

impl LinkTx for MemoryTx {
    fn try_send(&mut self, transmit: Transmit) -> Result<(), TrySend> {
        let Some(queue) = &self.queue else {
            return Err(TrySend::Closed);
        };
        let Some(room) = self.lanes.room(&transmit.lane) else {
            return Ok(());
        };
        let Ok(permit) = Arc::clone(&room).try_acquire_owned() else {
            self.full.push(room);
            return Err(match self.lanes.kind {
                LinkKind::Shared => TrySend::Full(transmit),
                LinkKind::PerChannel => TrySend::LaneFull(transmit),
            });
        };
        let lane = (self.lanes.kind == LinkKind::PerChannel).then_some(transmit.lane);
        let parcel = Parcel::Frame {
            lane,
            frame: transmit.frame,
            room: permit,
        };
        queue.send(parcel).map_err(|_| TrySend::Closed)
    }

    async fn writable(&mut self) {
        let Some(queue) = &self.queue else {
            return;
        };
        while !self.full.is_empty() {
            if self.full.iter().any(|room| room.available_permits() > 0) {
                self.full.clear();
                return;
            }
            tokio::select! {
                () = self.drained.notified() => {}
                () = queue.closed() => return,
            }
        }
    }

    fn open(&mut self, lane: &str, _spec: &ChannelSpec) {
        if self.lanes.kind == LinkKind::PerChannel {
            let lane: Arc<str> = lane.into();
            self.lanes.add(Arc::clone(&lane));
            // Both ends learn that it is up, as with data channels.
            if let Some(own) = self.own.upgrade() {
                tell(&own, Parcel::Opened(Arc::clone(&lane)));
            }
            if let Some(queue) = &self.queue {
                tell(queue, Parcel::Opened(lane));
            }
        }
    }

    fn close(&mut self, lane: &str) {
        if self.lanes.remove(lane)
            && let Some(queue) = &self.queue
        {
            tell(queue, Parcel::Closed(lane.into()));
        }
    }

    async fn shutdown(&mut self, _code: Code) {
        self.queue = None;
    }
}

impl Lanes {
    fn new(depth: usize, kind: LinkKind) -> Arc<Self> {
        let first = match kind {
            LinkKind::Shared => SHARED_LANE,
            LinkKind::PerChannel => CONTROL_LANE,
        };
        let lanes = Arc::new(Self {
            kind,
            depth,
            rooms: Mutex::default(),
        });
        lanes.add(first.into());
        lanes
    }

    fn add(&self, lane: Arc<str>) {
        let room = || Arc::new(Semaphore::new(self.depth));
        self.lock().entry(lane).or_insert_with(room);
    }

    fn remove(&self, lane: &str) -> bool {
        self.lock().remove(lane).is_some()
    }

    fn room(&self, lane: &str) -> Option<Arc<Semaphore>> {
        let lane = if self.kind == LinkKind::Shared {
            SHARED_LANE
        } else {
            lane
        };
        self.lock().get(lane).cloned()
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Arc<str>, Arc<Semaphore>>> {
        self.rooms.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn tell(queue: &mpsc::UnboundedSender<Parcel>, notice: Parcel) {
    // A receiver that is gone needs to know nothing.
    let _told = queue.send(notice).is_ok();
}

/// The one lane of a shared link.
const SHARED_LANE: &str = "";
/// The lane that is always there.
const CONTROL_LANE: &str = "control";
