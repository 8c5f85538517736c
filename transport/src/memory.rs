//! Links between two connections in one process, for tests.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
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
    /// The other end opened or closed a lane.
    Lane(Arc<str>, LaneState),
    /// This end did.
    OwnLane(Arc<str>, LaneState),
}

#[derive(Debug, Clone, Copy)]
enum LaneState {
    Opened,
    Closed,
}

impl LinkRx for MemoryRx {
    async fn recv(&mut self, _frame_limit: usize) -> Incoming {
        let incoming = match self.queue.recv().await {
            Some(Parcel::Frame { lane, frame, room }) => {
                drop(room);
                Incoming::Message { lane, frame }
            }
            Some(Parcel::Lane(lane, state)) => {
                match state {
                    LaneState::Opened => self.lanes.add(Arc::clone(&lane)),
                    LaneState::Closed => self.lanes.remove(&lane),
                };
                state.of(lane)
            }
            Some(Parcel::OwnLane(lane, state)) => state.of(lane),
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
        let lane: Arc<str> = lane.into();
        if self.lanes.kind == LinkKind::PerChannel && self.lanes.add(Arc::clone(&lane)) {
            self.tell(&lane, LaneState::Opened);
        }
    }

    fn close(&mut self, lane: &str) {
        if self.lanes.remove(lane) {
            self.tell(&lane.into(), LaneState::Closed);
        }
    }

    async fn shutdown(&mut self, _code: Code) {
        self.queue = None;
    }
}

impl MemoryTx {
    /// Tells both ends about a lane, as with data channels. One that is gone needs not know.
    fn tell(&self, lane: &Arc<str>, state: LaneState) {
        let other = Parcel::Lane(Arc::clone(lane), state);
        let _told = self
            .queue
            .as_ref()
            .is_some_and(|queue| queue.send(other).is_ok());
        let own = Parcel::OwnLane(Arc::clone(lane), state);
        let _told = self
            .own
            .upgrade()
            .is_some_and(|queue| queue.send(own).is_ok());
    }
}

impl LaneState {
    fn of(self, lane: Arc<str>) -> Incoming {
        match self {
            Self::Opened => Incoming::LaneOpened(lane),
            Self::Closed => Incoming::LaneClosed(lane),
        }
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

    /// Adds a lane; false if it is there already.
    fn add(&self, lane: Arc<str>) -> bool {
        let room = Arc::new(Semaphore::new(self.depth));
        match self.lock().entry(lane) {
            Entry::Occupied(_) => false,
            Entry::Vacant(entry) => {
                entry.insert(room);
                true
            }
        }
    }

    /// Removes a lane; false if it is not there.
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

/// The one lane of a shared link.
const SHARED_LANE: &str = "";
/// The lane that is always there.
const CONTROL_LANE: &str = "control";
