//! The sending half of a WebSocket link.

use std::future::poll_fn;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::io::{AsyncRead, AsyncWrite};
use vroom_protocol::{Code, Transmit};

use super::socket::{Queued, Socket};
use crate::{LinkTx, TrySend};

/// The sending half.
#[derive(Debug)]
pub struct WebSocketTx<S> {
    socket: Arc<Mutex<Socket<S>>>,
}

impl<S> WebSocketTx<S> {
    pub(super) fn new(socket: Arc<Mutex<Socket<S>>>) -> Self {
        Self { socket }
    }

    /// Locks the socket; never held while waiting.
    fn lock(&self) -> MutexGuard<'_, Socket<S>> {
        self.socket.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> LinkTx for WebSocketTx<S> {
    fn try_send(&mut self, transmit: Transmit) -> Result<(), TrySend> {
        let queued = self.lock().queue(transmit.frame.clone());
        match queued {
            Queued::Taken => Ok(()),
            Queued::Full => Err(TrySend::Full(transmit)),
            Queued::Closed => Err(TrySend::Closed),
        }
    }

    async fn writable(&mut self) {
        poll_fn(|cx| self.lock().poll_flush(cx)).await;
    }

    async fn shutdown(&mut self, code: Code) {
        self.lock().queue_close(close_code(code));
        self.writable().await;
        poll_fn(|cx| self.lock().poll_shutdown(cx)).await;
    }
}

/// The WebSocket's close code, which says little: the mux's own CLOSE carries the reason.
fn close_code(code: Code) -> u16 {
    if code == Code::GOING_AWAY { 1001 } else { 1000 }
}
