//! The links there are, as one.

use tokio::io::{AsyncRead, AsyncWrite};
use vroom_protocol::{ChannelSpec, Code, Transmit};
use vroom_transport::stream::{StreamRx, StreamTx};
use vroom_transport::websocket::{WebSocketRx, WebSocketTx};
use vroom_transport::{Incoming, LinkRx, LinkTx, TrySend};

/// A byte stream to a server.
pub trait Io: AsyncRead + AsyncWrite + Unpin + Send {}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Io for S {}

/// Any byte stream to a server.
pub type Stream = Box<dyn Io>;

/// The receiving half of any link.
#[expect(missing_debug_implementations, reason = "a stream has nothing to show")]
pub enum Rx {
    /// The mux on a byte stream.
    Stream(StreamRx<Stream>),
    /// The mux in a WebSocket.
    WebSocket(WebSocketRx<Stream>),
}

/// The sending half of any link.
#[expect(missing_debug_implementations, reason = "a stream has nothing to show")]
pub enum Tx {
    /// The mux on a byte stream.
    Stream(StreamTx<Stream>),
    /// The mux in a WebSocket.
    WebSocket(WebSocketTx<Stream>),
}

impl LinkRx for Rx {
    async fn recv(&mut self, frame_limit: usize) -> Incoming {
        match self {
            Self::Stream(rx) => rx.recv(frame_limit).await,
            Self::WebSocket(rx) => rx.recv(frame_limit).await,
        }
    }
}

impl LinkTx for Tx {
    fn try_send(&mut self, transmit: Transmit) -> Result<(), TrySend> {
        match self {
            Self::Stream(tx) => tx.try_send(transmit),
            Self::WebSocket(tx) => tx.try_send(transmit),
        }
    }

    async fn writable(&mut self) {
        match self {
            Self::Stream(tx) => tx.writable().await,
            Self::WebSocket(tx) => tx.writable().await,
        }
    }

    fn open(&mut self, lane: &str, spec: &ChannelSpec) {
        match self {
            Self::Stream(tx) => tx.open(lane, spec),
            Self::WebSocket(tx) => tx.open(lane, spec),
        }
    }

    fn close(&mut self, lane: &str) {
        match self {
            Self::Stream(tx) => tx.close(lane),
            Self::WebSocket(tx) => tx.close(lane),
        }
    }

    async fn shutdown(&mut self, code: Code) {
        match self {
            Self::Stream(tx) => tx.shutdown(code).await,
            Self::WebSocket(tx) => tx.shutdown(code).await,
        }
    }
}
