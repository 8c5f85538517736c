//! What the handles and the task that runs the connection share.

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::{Notify, oneshot, watch};
use vroom_protocol::mux::{SessionControl, SessionEntry};
use vroom_protocol::{ChannelId, ChannelSpec, Code, RequestId, Suspended};

use super::channel::{Channel, Slot};
use crate::error::Error;

/// How the connection stands.
#[derive(Clone, Debug)]
pub enum LinkState {
    /// The first transport is being made.
    Connecting,
    /// All is well.
    Up {
        /// Counts the sessions: channels of an earlier one are gone.
        session: u64,
    },
    /// Something was sent, and nothing came back for a while.
    Quiet {
        /// Since when.
        since: Instant,
    },
    /// The transport was lost, a new one is being made.
    Down {
        /// Since when.
        since: Instant,
        /// What the last attempt ended with.
        reason: String,
    },
    /// It is over.
    Ended(Arc<Error>),
}

/// A channel that the server asks for.
#[derive(Debug)]
pub struct Incoming {
    /// Its name.
    pub name: String,
    /// Names it in the answer.
    pub request: RequestId,
}

/// What is shared.
#[derive(Debug)]
pub(super) struct Shared {
    state: Mutex<State>,
    /// Rings when there is something to pump.
    pub(super) bell: Notify,
    /// Rings when the present transport is to be given up.
    pub(super) cut: Notify,
    /// Rings when those who read channels have caught up.
    pub(super) inbox_room: Notify,
    /// Rings when the server asked for a channel.
    pub(super) incoming_bell: Notify,
    /// Rings when all is to end, also while nothing is connected.
    pub(super) closing: watch::Sender<Option<String>>,
    pub(super) link: watch::Sender<LinkState>,
}

/// What is behind the lock; nobody holds it while waiting.
#[derive(Debug, Default)]
pub(super) struct State {
    pub(super) ops: VecDeque<Op>,
    pub(super) asked: BTreeMap<RequestId, Arc<Slot>>,
    pub(super) channels: BTreeMap<ChannelId, Arc<Slot>>,
    /// At most as many as the mux lets a peer ask for.
    pub(super) incoming: VecDeque<Incoming>,
    pub(super) accepted: BTreeMap<RequestId, Arc<Slot>>,
    pub(super) lists: VecDeque<ListAnswer>,
    pub(super) user: Option<String>,
    pub(super) server: Option<String>,
    /// What the server's clock said, and what ours said then, in milliseconds since 1970.
    pub(super) clocks: Option<(u64, u64)>,
    pub(super) extensions: Vec<String>,
    pub(super) binding: Vec<u8>,
    pub(super) rtt: Option<Duration>,
    pub(super) session: u64,
    pub(super) suspended: Option<Suspended>,
    /// When something came from the server last.
    pub(super) heard: Option<Instant>,
    /// How many bytes wait for those who read channels.
    pub(super) inbox_bytes: usize,
}

/// What a handle wants from the task.
#[derive(Debug)]
pub(super) enum Op {
    Open(ChannelSpec, Arc<Slot>),
    Accept(RequestId, Arc<Slot>),
    Reject(RequestId, Code, String),
    Ping,
    List(ListAnswer),
    Control(SessionControl, ListAnswer),
}

/// Where a list of sessions is waited for.
pub(super) type ListAnswer = oneshot::Sender<Result<Vec<SessionEntry>, Error>>;

impl Shared {
    pub(super) fn new() -> Self {
        Self {
            state: Mutex::default(),
            bell: Notify::new(),
            cut: Notify::new(),
            inbox_room: Notify::new(),
            incoming_bell: Notify::new(),
            closing: watch::Sender::new(None),
            link: watch::Sender::new(LinkState::Connecting),
        }
    }

    pub(super) fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(super) fn push(&self, op: Op) {
        self.lock().ops.push_back(op);
        self.bell.notify_one();
    }

    pub(super) fn ask(self: &Arc<Self>, spec: ChannelSpec, bytes_max: Option<usize>) -> Channel {
        let channel = Channel::new(Arc::clone(self), bytes_max);
        self.push(Op::Open(spec, channel.slot()));
        channel
    }

    pub(super) fn accept(
        self: &Arc<Self>,
        request: RequestId,
        bytes_max: Option<usize>,
    ) -> Channel {
        let channel = Channel::new(Arc::clone(self), bytes_max);
        self.push(Op::Accept(request, channel.slot()));
        channel
    }

    pub(super) fn close(&self, reason: &str) {
        self.closing.send_replace(Some(reason.to_owned()));
        self.bell.notify_one();
    }

    pub(super) fn set_link(&self, link: LinkState) {
        self.link.send_replace(link);
    }

    /// The session is gone: so are its channels and what was asked in it.
    pub(super) fn lose_session(&self) {
        let mut state = self.lock();
        let slots: Vec<Arc<Slot>> = std::mem::take(&mut state.channels)
            .into_values()
            .chain(std::mem::take(&mut state.asked).into_values())
            .chain(std::mem::take(&mut state.accepted).into_values())
            .collect();
        state.incoming.clear();
        state.lists.clear();
        drop(state);
        for slot in slots {
            slot.close(Code::GOING_AWAY, "the connection was lost");
        }
    }

    /// It is over, also for those who ask from now on.
    pub(super) fn end(&self, error: Error) {
        self.lose_session();
        let ops = std::mem::take(&mut self.lock().ops);
        for op in ops {
            if let Op::Open(_, slot) | Op::Accept(_, slot) = op {
                slot.close(Code::GOING_AWAY, "the connection is over");
            }
        }
        self.set_link(LinkState::Ended(Arc::new(error)));
    }
}
