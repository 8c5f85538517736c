//! What a peer tells whoever runs it.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use bytes::Bytes;
use tokio::sync::mpsc;

/// Something that happened at a peer.
#[derive(Clone, Debug, Eq, PartialEq)]
#[non_exhaustive]
pub enum PeerEvent {
    /// Both sides reach each other; media flows.
    Connected,
    /// A data channel can be used.
    ChannelOpened {
        /// Its label.
        label: String,
    },
    /// A message came.
    Message {
        /// The channel's label.
        label: String,
        /// The message.
        data: Bytes,
    },
    /// A channel that was full can be sent to again.
    Writable {
        /// The channel's label.
        label: String,
    },
    /// A data channel is gone.
    ChannelClosed {
        /// Its label.
        label: String,
    },
    /// The peer is gone; nothing follows.
    Closed {
        /// Why, for logs.
        reason: String,
    },
}

/// The events of one peer, in order.
#[derive(Debug)]
pub struct PeerEvents {
    queue: mpsc::UnboundedReceiver<PeerEvent>,
    load: Arc<Load>,
}

impl PeerEvents {
    /// Waits for the next event; `None` after [`PeerEvent::Closed`] and when the peer was closed by
    /// our side. Cancelling loses nothing.
    pub async fn recv(&mut self) -> Option<PeerEvent> {
        let event = self.queue.recv().await?;
        self.load.remove(&event);
        if matches!(event, PeerEvent::Closed { .. }) {
            self.queue.close();
        }
        Some(event)
    }

    /// The next event if there is one already.
    pub fn try_recv(&mut self) -> Option<PeerEvent> {
        let event = self.queue.try_recv().ok()?;
        self.load.remove(&event);
        Some(event)
    }
}

/// The other end, for callbacks: it never blocks.
///
/// The queue is bounded by what messages weigh: with more than [`QUEUE_MESSAGES`] or
/// [`QUEUE_BYTES`] waiting the peer is closed, since a callback cannot wait and a reliable channel
/// cannot lose. All other events are few: a handful for each channel.
#[derive(Clone, Debug)]
pub(crate) struct EventSender {
    queue: mpsc::UnboundedSender<PeerEvent>,
    load: Arc<Load>,
}

impl EventSender {
    /// Makes both ends.
    pub(crate) fn pair() -> (Self, PeerEvents) {
        let (sender, receiver) = mpsc::unbounded_channel();
        let load = Arc::new(Load::default());
        let events = PeerEvents {
            queue: receiver,
            load: Arc::clone(&load),
        };
        let sender = Self {
            queue: sender,
            load,
        };
        (sender, events)
    }

    /// Sends an event; after [`PeerEvent::Closed`] nothing is sent any more.
    pub(crate) fn send(&self, event: PeerEvent) {
        if self.load.closed.load(Ordering::Acquire) {
            return;
        }
        if self.load.add(&event) {
            self.forward(event);
        } else {
            self.close("it sends faster than it is served");
        }
    }

    /// Sends the last event, once.
    pub(crate) fn close(&self, reason: &str) {
        if !self.load.closed.swap(true, Ordering::AcqRel) {
            let reason = reason.into();
            self.forward(PeerEvent::Closed { reason });
        }
    }

    fn forward(&self, event: PeerEvent) {
        if self.queue.send(event).is_err() {
            tracing::trace!("nobody listens to this peer any more");
        }
    }
}

/// What waits in one queue.
#[derive(Debug, Default)]
struct Load {
    messages: AtomicUsize,
    bytes: AtomicUsize,
    closed: AtomicBool,
}

impl Load {
    /// Counts an event; false when there are too many.
    fn add(&self, event: &PeerEvent) -> bool {
        let PeerEvent::Message { data, .. } = event else {
            return true;
        };
        let messages = self.messages.fetch_add(1, Ordering::Relaxed);
        let bytes = self.bytes.fetch_add(data.len(), Ordering::Relaxed);
        messages < QUEUE_MESSAGES && bytes + data.len() <= QUEUE_BYTES
    }

    fn remove(&self, event: &PeerEvent) {
        if let PeerEvent::Message { data, .. } = event {
            self.messages.fetch_sub(1, Ordering::Relaxed);
            self.bytes.fetch_sub(data.len(), Ordering::Relaxed);
        }
    }
}

/// Messages that may wait; one more and the peer is closed.
const QUEUE_MESSAGES: usize = 8192;

/// Bytes that may wait; more and the peer is closed.
const QUEUE_BYTES: usize = 8 << 20;

#[cfg(test)]
mod tests {
    use super::*;

    fn message(length: usize) -> PeerEvent {
        PeerEvent::Message {
            label: "a".into(),
            data: vec![0; length].into(),
        }
    }

    #[tokio::test]
    async fn a_flood_closes_the_peer_and_memory_stays_bounded() {
        let (sender, mut events) = EventSender::pair();
        for _ in 0..QUEUE_BYTES / 65536 + 100 {
            sender.send(message(65536));
        }
        let mut bytes = 0;
        while let Some(event) = events.recv().await {
            match event {
                PeerEvent::Message { data, .. } => bytes += data.len(),
                other => assert!(matches!(other, PeerEvent::Closed { .. })),
            }
        }
        assert_eq!(bytes, QUEUE_BYTES);
    }

    #[tokio::test]
    async fn a_reader_that_keeps_up_is_never_closed() {
        let (sender, mut events) = EventSender::pair();
        for _ in 0..QUEUE_MESSAGES * 2 {
            sender.send(message(1024));
            assert_eq!(events.recv().await, Some(message(1024)));
        }
    }
}
