//! The data channels of a WebRTC peer as a link with a lane per channel.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::Notify;
use vroom_media::{Peer, PeerEvent, PeerEvents, PeerSend};
use vroom_protocol::{ChannelSpec, Code, Transmit};
use vroom_transport::{Incoming, LinkRx, LinkTx, TrySend};

/// Makes the two halves of the link.
pub(crate) fn split(peer: Arc<Peer>, events: PeerEvents) -> (PeerLinkRx, PeerLinkTx) {
    let lanes = Arc::new(Lanes::default());
    let rx = PeerLinkRx {
        peer: Arc::clone(&peer),
        events,
        lanes: Arc::clone(&lanes),
        closed: false,
    };
    (rx, PeerLinkTx { peer, lanes })
}

/// The receiving half.
#[derive(Debug)]
pub(crate) struct PeerLinkRx {
    peer: Arc<Peer>,
    events: PeerEvents,
    lanes: Arc<Lanes>,
    closed: bool,
}

/// The sending half.
#[derive(Debug)]
pub(crate) struct PeerLinkTx {
    peer: Arc<Peer>,
    lanes: Arc<Lanes>,
}

/// What one half tells the other.
#[derive(Debug, Default)]
struct Lanes {
    state: Mutex<State>,
    /// Rings when a full lane has room again.
    room: Notify,
}

#[derive(Debug, Default)]
struct State {
    full: BTreeSet<Arc<str>>,
    closed: bool,
}

impl LinkRx for PeerLinkRx {
    // Messages are at most 64 KiB long, whatever the limit of the connection.
    async fn recv(&mut self, _frame_limit: usize) -> Incoming {
        loop {
            if self.closed {
                return Incoming::Closed;
            }
            // Cancel-safe, since nothing is awaited after an event was taken.
            let event = self.events.recv().await;
            if let Some(incoming) = self.take(event) {
                return incoming;
            }
        }
    }
}

impl PeerLinkRx {
    fn take(&mut self, event: Option<PeerEvent>) -> Option<Incoming> {
        match event {
            Some(PeerEvent::Message { label, data }) => Some(Incoming::Message {
                lane: Some(lane(&label)?.into()),
                frame: data,
            }),
            Some(PeerEvent::ChannelOpened { label }) => match lane(&label) {
                Some(lane) => Some(Incoming::LaneOpened(lane.into())),
                None => {
                    self.peer.close_channel(&label);
                    None
                }
            },
            Some(PeerEvent::ChannelClosed { label }) => {
                let lane = lane(&label)?;
                self.lanes.free(lane);
                Some(Incoming::LaneClosed(lane.into()))
            }
            Some(PeerEvent::Writable { label }) => {
                self.lanes.free(lane(&label)?);
                None
            }
            Some(PeerEvent::Closed { reason }) => {
                tracing::debug!(reason, "a peer closed");
                Some(self.close())
            }
            None => Some(self.close()),
            // The driver is told by the lanes that open.
            Some(_) => None,
        }
    }

    fn close(&mut self) -> Incoming {
        self.closed = true;
        self.lanes.lock().closed = true;
        self.lanes.room.notify_one();
        Incoming::Closed
    }
}

impl LinkTx for PeerLinkTx {
    fn try_send(&mut self, transmit: Transmit) -> Result<(), TrySend> {
        let mut state = self.lanes.lock();
        if state.closed {
            return Err(TrySend::Closed);
        }
        match self
            .peer
            .send(&label(&transmit.lane), transmit.frame.clone())
        {
            // A frame for a lane that is gone has nowhere to go.
            Ok(()) | Err(PeerSend::Closed) => Ok(()),
            Err(PeerSend::Full) => {
                state.full.insert(Arc::clone(&transmit.lane));
                Err(TrySend::LaneFull(transmit))
            }
            Err(error) => {
                tracing::error!(%error, bytes = transmit.frame.len(), "a frame was made too long");
                Ok(())
            }
        }
    }

    async fn writable(&mut self) {
        let is_stuck = {
            let state = self.lanes.lock();
            !state.full.is_empty() && !state.closed
        };
        if is_stuck {
            self.lanes.room.notified().await;
        }
    }

    fn open(&mut self, lane: &str, spec: &ChannelSpec) {
        let opened = self
            .peer
            .open_channel(&label(lane), spec.ordered, spec.max_retransmits);
        if let Err(error) = opened {
            tracing::debug!(lane, %error, "a lane was not opened");
        }
    }

    fn close(&mut self, lane: &str) {
        self.lanes.free(lane);
        self.peer.close_channel(&label(lane));
    }

    /// Does nothing: the frames are with the peer already, and it ends when both halves are dropped.
    async fn shutdown(&mut self, _code: Code) {}
}

impl Lanes {
    fn free(&self, lane: &str) {
        if self.lock().full.remove(lane) {
            self.room.notify_one();
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn label(lane: &str) -> String {
    format!("{PREFIX}{lane}")
}

fn lane(label: &str) -> Option<&str> {
    label.strip_prefix(PREFIX)
}

/// What stands before the name of a channel in the label of its data channel.
const PREFIX: &str = "omux/";
