//! One channel, as those who read and write it see it.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use bytes::Bytes;
use tokio::sync::Notify;
use vroom_protocol::{ChannelId, Code};

use super::state::Shared;
use crate::error::Error;

/// One channel; dropping it closes it.
#[derive(Debug)]
pub struct Channel {
    slot: Arc<Slot>,
    shared: Arc<Shared>,
}

/// What a channel and the task that runs the connection share.
#[derive(Debug, Default)]
pub(super) struct Slot {
    state: Mutex<SlotState>,
    /// How much may wait to be read before the channel is closed; without it, what waits counts
    /// towards [`INBOX_BYTES`].
    bytes_max: Option<usize>,
    /// Rings when there is room to send again.
    room: Notify,
    /// Rings when the channel was opened, or will not be.
    settled: Notify,
}

#[derive(Debug, Default)]
pub(super) struct SlotState {
    pub(super) phase: Phase,
    /// Whether it was ever open: what came in before it was closed is still to be read.
    was_open: bool,
    /// What came in and was not read.
    pub(super) inbox: VecDeque<(u8, Bytes)>,
    inbox_bytes: usize,
    pub(super) outbox: VecDeque<(u8, Bytes)>,
    pub(super) outbox_bytes: usize,
    /// The handle is gone: close once all is sent.
    pub(super) dropped: bool,
    reader: Option<Waker>,
}

/// How far a channel has come.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub(super) enum Phase {
    #[default]
    Asked,
    Open(ChannelId),
    Closed {
        code: Code,
        reason: String,
    },
}

impl Channel {
    pub(super) fn new(shared: Arc<Shared>, bytes_max: Option<usize>) -> Self {
        let slot = Slot {
            bytes_max,
            ..Slot::default()
        };
        Self {
            slot: Arc::new(slot),
            shared,
        }
    }

    pub(super) fn slot(&self) -> Arc<Slot> {
        Arc::clone(&self.slot)
    }

    /// Waits until the server opened it.
    pub(super) async fn opened(&self, name: &str) -> Result<(), Error> {
        loop {
            let settled = self.slot.settled.notified();
            if let Some(opened) = self.slot.lock().opened(name) {
                return opened;
            }
            settled.await;
        }
    }

    /// Takes the next message; `None` once the channel is closed and all was taken.
    pub async fn recv(&self) -> Option<(u8, Bytes)> {
        poll_fn(|cx| self.poll_recv(cx)).await
    }

    /// Takes the next message if it is there.
    pub fn try_recv(&self) -> Option<(u8, Bytes)> {
        let message = self.slot.lock().take();
        if let Some((_, payload)) = &message {
            self.took(payload.len());
        }
        message
    }

    fn poll_recv(&self, cx: &mut Context<'_>) -> Poll<Option<(u8, Bytes)>> {
        let mut state = self.slot.lock();
        if let Some(message) = state.take() {
            drop(state);
            self.took(message.1.len());
            return Poll::Ready(Some(message));
        }
        if matches!(state.phase, Phase::Closed { .. }) {
            return Poll::Ready(None);
        }
        state.reader = Some(cx.waker().clone());
        Poll::Pending
    }

    fn took(&self, bytes: usize) {
        if self.slot.bytes_max.is_some() {
            return;
        }
        let mut state = self.shared.lock();
        let before = state.inbox_bytes;
        state.inbox_bytes = before.saturating_sub(bytes);
        let has_room = before >= INBOX_BYTES && state.inbox_bytes < INBOX_BYTES;
        drop(state);
        if has_room {
            self.shared.inbox_room.notify_one();
        }
    }

    /// Sends a message; waits while [`OUTBOX_BYTES`] wait already.
    pub async fn send(&self, kind: u8, payload: Bytes) -> Result<(), Error> {
        self.writable().await?;
        self.send_now(kind, payload)
    }

    /// Sends a message whatever waits already.
    pub fn send_now(&self, kind: u8, payload: Bytes) -> Result<(), Error> {
        let mut state = self.slot.lock();
        if matches!(state.phase, Phase::Closed { .. }) {
            return Err(Error::Lost);
        }
        state.outbox_bytes += payload.len();
        state.outbox.push_back((kind, payload));
        drop(state);
        self.shared.bell.notify_one();
        Ok(())
    }

    /// Waits until there is room to send.
    pub async fn writable(&self) -> Result<(), Error> {
        loop {
            let room = self.slot.room.notified();
            {
                let state = self.slot.lock();
                if matches!(state.phase, Phase::Closed { .. }) {
                    return Err(Error::Lost);
                }
                if state.outbox_bytes < OUTBOX_BYTES {
                    return Ok(());
                }
            }
            room.await;
        }
    }

    /// Whether it was closed by the server or by the loss of the session.
    pub fn is_closed(&self) -> bool {
        matches!(self.slot.lock().phase, Phase::Closed { .. })
    }

    /// Why it was closed, once it is.
    pub fn close_reason(&self) -> Option<String> {
        match &self.slot.lock().phase {
            Phase::Closed { reason, .. } => Some(reason.clone()),
            _ => None,
        }
    }
}

impl Drop for Channel {
    fn drop(&mut self) {
        let mut state = self.slot.lock();
        state.dropped = true;
        let left: usize = state
            .inbox
            .drain(..)
            .map(|(_, payload)| payload.len())
            .sum();
        drop(state);
        self.took(left);
        self.shared.bell.notify_one();
    }
}

impl SlotState {
    /// What became of the request to open it, once that is known.
    fn opened(&self, name: &str) -> Option<Result<(), Error>> {
        match &self.phase {
            _ if self.was_open => Some(Ok(())),
            Phase::Asked | Phase::Open(_) => None,
            Phase::Closed { code, .. } if *code == Code::GOING_AWAY => Some(Err(Error::Lost)),
            Phase::Closed { code, reason } => Some(Err(Error::Refused {
                what: name.to_owned(),
                code: *code,
                reason: reason.clone(),
            })),
        }
    }

    fn take(&mut self) -> Option<(u8, Bytes)> {
        let message = self.inbox.pop_front()?;
        self.inbox_bytes = self.inbox_bytes.saturating_sub(message.1.len());
        Some(message)
    }
}

impl Slot {
    pub(super) fn lock(&self) -> MutexGuard<'_, SlotState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The server opened it.
    pub(super) fn open(&self, id: ChannelId) {
        let mut state = self.lock();
        state.phase = Phase::Open(id);
        state.was_open = true;
        drop(state);
        self.settled.notify_waiters();
        self.settled.notify_one();
    }

    /// It is closed, or was never opened.
    pub(super) fn close(&self, code: Code, reason: &str) {
        let mut state = self.lock();
        if matches!(state.phase, Phase::Closed { .. }) {
            return;
        }
        state.phase = Phase::Closed {
            code,
            reason: reason.to_owned(),
        };
        let reader = state.reader.take();
        drop(state);
        if let Some(reader) = reader {
            reader.wake();
        }
        self.settled.notify_one();
        self.room.notify_waiters();
        self.room.notify_one();
    }

    /// Takes a message in; says how many bytes now wait because of it.
    pub(super) fn deliver(&self, kind: u8, payload: Bytes) -> usize {
        let mut state = self.lock();
        if state.dropped {
            return 0;
        }
        let bytes = payload.len();
        state.inbox_bytes += bytes;
        state.inbox.push_back((kind, payload));
        let reader = state.reader.take();
        drop(state);
        if let Some(reader) = reader {
            reader.wake();
        }
        match self.bytes_max {
            Some(_) => 0,
            None => bytes,
        }
    }

    /// Whether something waits to be sent.
    pub(super) fn is_waiting(&self) -> bool {
        !self.lock().outbox.is_empty()
    }

    /// Whether the reader is too far behind.
    pub(super) fn is_overrun(&self) -> bool {
        self.bytes_max
            .is_some_and(|bytes_max| self.lock().inbox_bytes > bytes_max)
    }

    /// Some of what waited was sent.
    pub(super) fn sent(&self) {
        self.room.notify_one();
    }
}

/// How much may wait to be sent on a channel; then senders wait.
pub(super) const OUTBOX_BYTES: usize = 256 * 1024;

/// How much may wait to be read on all channels; then nothing more is read from the transport.
pub(super) const INBOX_BYTES: usize = 8 * 1024 * 1024;
