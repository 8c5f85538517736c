//! What comes out of a connection: events, frames to send, and lanes to open or close.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;

use super::auth::{Auth, Secret};
use super::code::Code;
use super::control::{Hello, SessionControl, SessionEntry, Welcome};
use super::id::{ChannelId, RequestId};
use super::spec::ChannelSpec;

/// Something that happened on a connection.
///
/// `Debug` shows sizes in place of payloads.
#[derive(Clone, PartialEq)]
#[non_exhaustive]
pub enum Event {
    /// Server: the client says hello; answer with `accept` or `refuse`.
    Hello(Hello),
    /// Client: the server took the HELLO, the connection is up. The values are the effective ones.
    Welcome(Welcome),
    /// The peer asks for a channel; answer with `accept_channel` or `reject_channel`.
    ChannelRequested {
        /// Names the request in the answer.
        request: RequestId,
        /// What is asked for.
        spec: ChannelSpec,
    },
    /// A channel can be used from now on.
    ChannelOpened {
        /// Its id.
        id: ChannelId,
        /// What was agreed.
        spec: ChannelSpec,
        /// The request that led to it; none for the channels of a HELLO.
        request: Option<RequestId>,
    },
    /// The peer did not open the channel that `open_channel` asked for.
    ChannelRejected {
        /// The request.
        request: RequestId,
        /// Why.
        code: Code,
        /// Why, in words.
        reason: String,
    },
    /// A channel is gone; its id means nothing any more.
    ChannelClosed {
        /// The id it had.
        id: ChannelId,
        /// Its name.
        name: String,
        /// Why, in words; may be empty.
        reason: String,
        /// Whether the peer, or the loss of its lane, closed it.
        by_peer: bool,
    },
    /// A whole message, reassembled; on channel 0 only of kind 0x80..=0xEF.
    Message {
        /// Where it came in.
        channel: ChannelId,
        /// Its type byte.
        kind: u8,
        /// Its body, without a sequence number.
        payload: Bytes,
    },
    /// The peer reports an error; nothing closes.
    PeerError {
        /// What went wrong.
        code: Code,
        /// The channel it is about.
        channel: Option<ChannelId>,
        /// In words; may be empty.
        reason: String,
    },
    /// Server: the client wants a session back; answer with `resume` or `refuse_resume`.
    ResumeRequested {
        /// Which one.
        session_id: Secret,
        /// The last message of ours that the client has.
        last_sequence: u64,
        /// Who asks.
        auth: Option<Auth>,
    },
    /// Server: the client asks which sessions there are; answer with `send_session_list`, or with
    /// `close` and 4000.
    ///
    /// It may come before any HELLO, and then carries the credentials unless the transport does.
    SessionListRequested {
        /// Who asks; absent where the connection has an identity already.
        auth: Option<Auth>,
    },
    /// Server: the client leaves on purpose and what runs is to stay; `Closed` follows.
    Detached {
        /// Why, in words; may be empty.
        reason: String,
    },
    /// Server: the client changes a session; answer with `send_session_list` or
    /// `refuse_session_control`.
    SessionControl(SessionControl),
    /// Client: the sessions that there are.
    SessionList(Vec<SessionEntry>),
    /// The session goes on, on this connection: same channels, nothing lost on the numbered ones.
    Resumed {
        /// All channels that are open; no `ChannelOpened` follows for them.
        channels: Vec<(ChannelId, ChannelSpec)>,
    },
    /// Client: the session cannot go on; a HELLO was sent in its place.
    ResumeFailed {
        /// Why.
        code: Code,
        /// Why, in words.
        reason: String,
    },
    /// Client: this session can be resumed.
    SessionId {
        /// What to name it by.
        id: Secret,
        /// How long after a loss; zero stands for ever.
        timeout: Duration,
        /// How many bytes the server keeps for a replay.
        buffer_bytes: u64,
    },
    /// The connection is over; always the last event.
    Closed {
        /// Why.
        code: Code,
        /// Why, in words; may be empty.
        reason: String,
        /// Whether the peer, or the loss of the transport, ended it.
        by_peer: bool,
    },
}

impl fmt::Debug for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Hello(hello) => f.debug_tuple("Hello").field(hello).finish(),
            Self::Welcome(welcome) => f.debug_tuple("Welcome").field(welcome).finish(),
            Self::ChannelRequested { request, spec } => {
                write!(f, "ChannelRequested({}, {})", request.0, spec.name)
            }
            Self::ChannelOpened { id, spec, .. } => {
                write!(f, "ChannelOpened({id:?}, {})", spec.name)
            }
            Self::ChannelRejected {
                request,
                code,
                reason,
            } => {
                write!(f, "ChannelRejected({}, {code}, {reason:?})", request.0)
            }
            Self::ChannelClosed {
                id,
                name,
                reason,
                by_peer,
            } => {
                write!(
                    f,
                    "ChannelClosed({id:?}, {name}, {reason:?}, by_peer: {by_peer})"
                )
            }
            Self::Message {
                channel,
                kind,
                payload,
            } => {
                write!(
                    f,
                    "Message({channel:?}, {kind:#04x}, {} bytes)",
                    payload.len()
                )
            }
            Self::PeerError {
                code,
                channel,
                reason,
            } => {
                write!(f, "PeerError({code}, {channel:?}, {reason:?})")
            }
            Self::ResumeRequested { last_sequence, .. } => {
                write!(f, "ResumeRequested(last_sequence: {last_sequence})")
            }
            Self::SessionListRequested { auth } => write!(f, "SessionListRequested({auth:?})"),
            Self::Detached { reason } => write!(f, "Detached({reason:?})"),
            Self::SessionControl(control) => {
                f.debug_tuple("SessionControl").field(control).finish()
            }
            Self::SessionList(sessions) => write!(f, "SessionList({} sessions)", sessions.len()),
            Self::Resumed { channels } => write!(f, "Resumed({} channels)", channels.len()),
            Self::ResumeFailed { code, reason } => write!(f, "ResumeFailed({code}, {reason:?})"),
            Self::SessionId { timeout, .. } => write!(f, "SessionId(timeout: {timeout:?})"),
            Self::Closed {
                code,
                reason,
                by_peer,
            } => {
                write!(f, "Closed({code}, {reason:?}, by_peer: {by_peer})")
            }
        }
    }
}

/// One frame for the link, whole, ready to be written.
#[derive(Clone, PartialEq, Eq)]
pub struct Transmit {
    /// The channel that the frame belongs to.
    pub channel: ChannelId,
    /// The channel's name, `control` for channel 0: the lane to use on a [`LinkKind::PerChannel`] link.
    pub lane: Arc<str>,
    /// Header and payload.
    pub frame: Bytes,
}

impl fmt::Debug for Transmit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "Transmit({:?}, {}, {} bytes)",
            self.channel,
            self.lane,
            self.frame.len()
        )
    }
}

/// How a link carries channels.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum LinkKind {
    /// All channels share one lane in order: WebSocket, TCP, Unix sockets, stdio, memory.
    Shared,
    /// Every channel has a lane of its own, in order at most within itself: WebRTC, QUIC.
    PerChannel,
}

/// What a [`LinkKind::PerChannel`] link has to do about a lane.
#[derive(Clone, Debug, PartialEq)]
pub enum LaneChange {
    /// Open a lane of this name with the promises of the spec; report `handle_lane_opened` when it is up.
    Open(ChannelSpec),
    /// Close the lane of this name, from whichever side it was opened.
    Close(Arc<str>),
}
