//! What a link is: the two halves that [`drive`](crate::drive()) works with.

use std::future::Future;
use std::sync::Arc;

use bytes::Bytes;
use vroom_protocol::{ChannelSpec, Code, StreamError, Transmit};

/// The receiving half of a link.
pub trait LinkRx: Send {
    /// Waits for the next thing that the remote sent.
    ///
    /// `frame_limit` is the largest frame payload acceptable now; a larger one becomes
    /// [`Incoming::Malformed`] before it is buffered. Cancel-safe: dropping the future loses
    /// nothing. After [`Incoming::Closed`] it keeps returning that.
    fn recv(&mut self, frame_limit: usize) -> impl Future<Output = Incoming> + Send;
}

/// The sending half of a link.
///
/// A link holds a small, bounded amount of what it accepted, so that priorities stay with the core.
/// It works only while [`writable`](Self::writable) or [`shutdown`](Self::shutdown) is polled.
pub trait LinkTx: Send {
    /// Takes a frame if there is room for it; never waits. A frame for a lane that is gone is taken
    /// and dropped.
    fn try_send(&mut self, transmit: Transmit) -> Result<(), TrySend>;

    /// Hands what was accepted to the transport and completes when all of it is there.
    ///
    /// After it completed, one of the frames that were refused for lack of room will be taken. It
    /// also completes when the link is closed. Cancel-safe.
    fn writable(&mut self) -> impl Future<Output = ()> + Send;

    /// Opens the lane of a channel, on links that have a lane per channel.
    fn open(&mut self, lane: &str, spec: &ChannelSpec) {
        let _ = (lane, spec);
    }

    /// Closes the lane of a channel, on links that have a lane per channel.
    fn close(&mut self, lane: &str) {
        let _ = lane;
    }

    /// Hands over what was accepted and ends the sending direction, saying why where the transport
    /// can.
    ///
    /// The caller bounds the time.
    fn shutdown(&mut self, code: Code) -> impl Future<Output = ()> + Send;
}

/// What came from the remote.
#[derive(Debug)]
pub enum Incoming {
    /// One frame.
    Message {
        /// The lane it came on, without the `omux/` prefix; `None` where all channels share one.
        lane: Option<Arc<str>>,
        /// Header and payload.
        frame: Bytes,
    },
    /// A WebSocket text message, which nothing of ours uses.
    Text,
    /// Bytes that cannot be cut into frames. Nothing after them can be understood.
    Malformed(StreamError),
    /// The remote opened a lane.
    LaneOpened(Arc<str>),
    /// The remote closed a lane.
    LaneClosed(Arc<str>),
    /// The link is gone.
    Closed,
}

/// Why a link did not take a frame.
#[derive(Debug)]
pub enum TrySend {
    /// There is no room now. The frame comes back; try again after [`LinkTx::writable`].
    Full(Transmit),
    /// There is no room on this frame's lane, but there may be on others.
    LaneFull(Transmit),
    /// The link is gone; the frame is lost.
    Closed,
}
