//! The receiving half of a link, watched: it notes when something came, waits while too much is
//! unread, and can be cut.

use std::sync::Arc;
use std::time::Instant;

use vroom_transport::{Incoming, LinkRx};

use super::channel::INBOX_BYTES;
use super::state::Shared;

/// A receiving half that is watched.
#[derive(Debug)]
pub(super) struct Watched<R> {
    rx: R,
    shared: Arc<Shared>,
    is_cut: bool,
}

impl<R> Watched<R> {
    pub(super) fn new(rx: R, shared: Arc<Shared>) -> Self {
        Self {
            rx,
            shared,
            is_cut: false,
        }
    }
}

impl<R: LinkRx> LinkRx for Watched<R> {
    async fn recv(&mut self, frame_limit: usize) -> Incoming {
        if self.is_cut {
            return Incoming::Closed;
        }
        while self.shared.lock().inbox_bytes >= INBOX_BYTES {
            tokio::select! {
                () = self.shared.inbox_room.notified() => {}
                () = self.shared.cut.notified() => {
                    self.is_cut = true;
                    return Incoming::Closed;
                }
            }
        }
        let incoming = tokio::select! {
            incoming = self.rx.recv(frame_limit) => incoming,
            () = self.shared.cut.notified() => {
                self.is_cut = true;
                return Incoming::Closed;
            }
        };
        self.shared.lock().heard = Some(now());
        incoming
    }
}

fn now() -> Instant {
    tokio::time::Instant::now().into_std()
}
