//! The state of one connection.

use std::time::{Duration, Instant};

use bytes::Bytes;

use super::auth::Secret;
use super::code::Code;
use super::config::{ClientConfig, ServerConfig, WelcomeInfo};
use super::event::{Event, LaneChange, LinkKind, Transmit};
use super::id::{ChannelId, RequestId};
use super::spec::ChannelSpec;
use super::stream::StreamError;

/// One mux connection, server or client side.
#[derive(Debug)]
pub struct Connection {
    kind: LinkKind,
}

/// What is left of a resumable connection whose transport was lost.
#[derive(Debug)]
pub struct Suspended {
    session_id: Secret,
}

#[expect(
    unused_variables,
    clippy::unused_self,
    clippy::missing_const_for_fn,
    clippy::needless_pass_by_value,
    reason = "signatures first"
)]
impl Connection {
    /// A server that waits for HELLO.
    #[must_use]
    pub fn server(config: ServerConfig, kind: LinkKind, now: Instant) -> Self {
        Self { kind }
    }
    /// A client that says HELLO.
    #[must_use]
    pub fn client(config: ClientConfig, kind: LinkKind, now: Instant) -> Self {
        Self { kind }
    }
    /// A client that goes on with a session.
    #[must_use]
    pub fn client_resume(
        config: ClientConfig,
        kind: LinkKind,
        now: Instant,
        session: Suspended,
    ) -> Self {
        Self { kind }
    }
    /// Takes exactly one frame.
    pub fn handle_message(&mut self, now: Instant, lane: Option<&str>, frame: Bytes) {}
    /// Takes what a stream decoder reported.
    pub fn handle_malformed(&mut self, now: Instant, error: StreamError) {}
    /// Takes a WebSocket text message.
    pub fn handle_text_message(&mut self, now: Instant) {}
    /// A lane is up.
    pub fn handle_lane_opened(&mut self, now: Instant, name: &str) {}
    /// A lane is gone.
    pub fn handle_lane_closed(&mut self, now: Instant, name: &str) {}
    /// The transport is gone.
    pub fn handle_disconnected(&mut self, now: Instant) {}
    /// The deadline has come.
    pub fn handle_timeout(&mut self, now: Instant) {}
    /// The next event.
    pub fn poll_event(&mut self) -> Option<Event> {
        None
    }
    /// The next frame.
    pub fn poll_transmit(&mut self) -> Option<Transmit> {
        None
    }
    /// The next lane to open or close.
    pub fn poll_lane_change(&mut self) -> Option<LaneChange> {
        None
    }
    /// When `handle_timeout` is due.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        None
    }
    /// Whether the transport is to be dropped.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        false
    }
    /// The largest frame payload acceptable now.
    #[must_use]
    pub fn frame_limit(&self) -> usize {
        16 * 1024
    }
    /// Answers `Event::Hello`.
    pub fn accept(&mut self, now: Instant, welcome: WelcomeInfo) {}
    /// Answers `Event::Hello` with CLOSE.
    pub fn refuse(&mut self, now: Instant, code: Code, reason: &str) {}
    /// Answers `Event::ResumeRequested`.
    pub fn resume(&mut self, now: Instant, session: Suspended) {}
    /// Answers `Event::ResumeRequested`; HELLO may follow.
    pub fn refuse_resume(&mut self, now: Instant, code: Code, reason: &str) {}
    /// Takes the session out to go on elsewhere.
    pub fn suspend(&mut self, now: Instant) -> Option<Suspended> {
        None
    }
    /// Opens the channel that the peer asked for.
    pub fn accept_channel(&mut self, now: Instant, request: RequestId) -> Option<ChannelId> {
        None
    }
    /// Does not open it.
    pub fn reject_channel(&mut self, now: Instant, request: RequestId, code: Code, reason: &str) {}
    /// Asks the peer for a channel.
    pub fn open_channel(
        &mut self,
        now: Instant,
        spec: ChannelSpec,
    ) -> Result<RequestId, SendError> {
        Err(SendError::Closed)
    }
    /// Closes a channel.
    pub fn close_channel(&mut self, now: Instant, id: ChannelId, reason: &str) {}
    /// Queues a message.
    pub fn send(
        &mut self,
        now: Instant,
        id: ChannelId,
        kind: u8,
        payload: Bytes,
    ) -> Result<(), SendError> {
        Err(SendError::Closed)
    }
    /// Queues a message in place of a queued one of the same kind.
    pub fn send_latest(
        &mut self,
        now: Instant,
        id: ChannelId,
        kind: u8,
        payload: Bytes,
    ) -> Result<(), SendError> {
        Err(SendError::Closed)
    }
    /// How many payload bytes wait to be polled on a channel.
    #[must_use]
    pub fn queued_bytes(&self, id: ChannelId) -> usize {
        0
    }
    /// The spec of an open channel.
    #[must_use]
    pub fn channel(&self, id: ChannelId) -> Option<&ChannelSpec> {
        None
    }
    /// The id of an open channel.
    #[must_use]
    pub fn channel_id(&self, name: &str) -> Option<ChannelId> {
        None
    }
    /// Reports an error to the peer.
    pub fn error(&mut self, now: Instant, code: Code, channel: Option<ChannelId>, reason: &str) {}
    /// Ends the connection.
    pub fn close(&mut self, now: Instant, code: Code, reason: &str) {}
    /// Round trip time.
    #[must_use]
    pub fn rtt(&self) -> Option<Duration> {
        None
    }
    /// Sends a PING.
    pub fn ping(&mut self, now: Instant) {}
    /// Tells whether a lane takes frames.
    pub fn set_lane_writable(&mut self, name: &str, writable: bool) {}
}

/// Why a message or a request was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SendError {
    /// The channel's queue is full; try again after some of it was sent.
    #[error("the queue of the channel is full")]
    Full,
    /// No channel with this id is open.
    #[error("the channel is not open")]
    NotOpen,
    /// The message can never be sent on this channel.
    #[error("the message is too large for the channel")]
    TooLarge,
    /// A channel of this name is open or asked for already, or the name is not legal.
    #[error("the name is in use or not legal")]
    Name,
    /// The connection is closed, or not up yet.
    #[error("the connection is not up")]
    Closed,
}
