//! The receiving half of a WebSocket link.

use std::future::poll_fn;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::io::{AsyncRead, AsyncWrite};
use vroom_protocol::{FrameError, StreamError};

use super::socket::{Received, Socket};
use crate::{Incoming, LinkRx};

/// The receiving half.
#[derive(Debug)]
pub struct WebSocketRx<S> {
    socket: Arc<Mutex<Socket<S>>>,
}

impl<S> WebSocketRx<S> {
    pub(super) fn new(socket: Arc<Mutex<Socket<S>>>) -> Self {
        Self { socket }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> LinkRx for WebSocketRx<S> {
    async fn recv(&mut self, frame_limit: usize) -> Incoming {
        let limit = frame_limit.saturating_add(MUX_HEADER_MAX);
        let received = poll_fn(|cx| {
            // Held within the poll only.
            let mut socket = self.socket.lock().unwrap_or_else(PoisonError::into_inner);
            socket.poll_read(cx, limit)
        });
        match received.await {
            Received::Binary(frame) => Incoming::Message { lane: None, frame },
            Received::Text => Incoming::Text,
            Received::TooLarge => Incoming::Malformed(StreamError::Frame(FrameError::TooLarge)),
            Received::Closed => Incoming::Closed,
        }
    }
}

/// The largest header of a mux frame, which the frame limit does not count.
const MUX_HEADER_MAX: usize = 8;
