//! Where a connection comes from, and what carries it.

use std::net::IpAddr;

use vroom_protocol::{LinkKind, mux};

use crate::source::Source;

/// Where a connection comes from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Origin {
    /// Whom to blame.
    pub(crate) source: Source,
    /// What carries it.
    pub(crate) transport: Transport,
    /// The address behind it, where it is one on the network.
    pub(crate) address: Option<IpAddr>,
    /// What tells this very connection from all others.
    pub(crate) binding: Binding,
}

/// What signatures are bound to, so that they are worth nothing on another connection.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Binding {
    /// What TLS exports for this connection.
    Exported([u8; 32]),
    /// Nothing is needed: the connection does not leave this machine.
    Local,
    /// There is nothing to bind to, so that no signature is taken.
    Missing,
}

impl Binding {
    /// The bytes that are signed; `None` when no signature is to be taken.
    pub(crate) const fn bytes(&self) -> Option<&[u8]> {
        match self {
            Self::Exported(bytes) => Some(bytes),
            Self::Local => Some(&[]),
            Self::Missing => None,
        }
    }
}

/// What carries a connection.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Transport {
    /// Data channels, with the video beside them.
    WebRtc,
    /// One WebSocket.
    WebSocket,
    /// A byte stream.
    Stream,
}

impl Transport {
    /// What clients and logs call it.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::WebRtc => "webrtc",
            Self::WebSocket => "websocket",
            Self::Stream => "stream",
        }
    }

    /// How it carries channels.
    pub(crate) const fn link_kind(self) -> LinkKind {
        match self {
            Self::WebRtc => LinkKind::PerChannel,
            Self::WebSocket | Self::Stream => LinkKind::Shared,
        }
    }

    /// The largest payload of a frame.
    pub(crate) const fn message_bytes(self) -> u32 {
        match self {
            Self::WebRtc => DATA_CHANNEL_BYTES,
            Self::WebSocket | Self::Stream => mux::MAX_MESSAGE_SIZE,
        }
    }
}

/// The largest payload of a frame on a data channel, whose messages are at most 64 KiB.
const DATA_CHANNEL_BYTES: u32 = 60 * 1024;
