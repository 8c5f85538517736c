//! The mux: up to 254 named channels and the control channel over one link.
//!
//! A [`Connection`] takes frames and the time, and yields events, frames and a deadline. It
//! deliberately knows nothing of sockets, tasks or clocks, and nothing of what channels carry.

mod auth;
mod channel;
mod code;
mod config;
mod connection;
pub mod control;
mod event;
mod fragment;
pub mod frame;
mod id;
mod keepalive;
mod lane;
mod limits;
mod queue;
mod sequence;
mod spec;
mod stream;

pub use auth::{Auth, Secret};
pub use channel::{
    CONTROL_MESSAGE_BYTES, MESSAGE_BYTES, PTY_QUEUE_BYTES, QUEUE_BYTES, VIDEO_MESSAGE_BYTES,
};
pub use code::Code;
pub use config::{
    CLIENT_RING_BYTES, ClientConfig, FILE_TRANSFER, FRAGMENTATION, HELLO_TIMEOUT, MAX_MESSAGE_SIZE,
    MAX_MESSAGE_SIZE_MIN, PING_INTERVAL, PING_TIMEOUT, PORT_FORWARDING, RESUME_TIMEOUT,
    ResumeGrant, SEQ_ACK, SERVER_RING_BYTES, SESSION_PERSISTENCE, SESSION_RESUME, ServerConfig,
    VERSION, WELCOME_TIMEOUT, WelcomeInfo,
};
pub use connection::{Connection, FRAME_BYTES_BEFORE_WELCOME, PIECE_BYTES, SendError, Suspended};
pub use control::{AssignedChannel, Hello, SessionControl, SessionEntry, SessionKind, Welcome};
pub use event::{Event, LaneChange, LinkKind, Transmit};
pub use frame::FrameError;
pub use id::{ChannelId, RequestId};
pub use spec::{ChannelSpec, NAME_BYTES_MAX};
pub use stream::{MAGIC, StreamDecoder, StreamError};
