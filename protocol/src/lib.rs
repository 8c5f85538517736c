//! The VROOM wire: mux, Graphical, Terminal, files and forwarded connections as pure codecs and
//! state machines.
//!
//! Bytes and the time go in; messages, events and a deadline come out. This crate deliberately
//! knows nothing of sockets, tasks, clocks, pictures or PTYs.
//!
//! Invariants:
//! - What a remote can send never panics and never makes memory grow without a named bound.
//! - Nothing here reads a clock or starts a task: the same calls always give the same results.
//! - A message is handed over once, whole, and in order where its channel is ordered.
#![forbid(unsafe_code)]
#![warn(clippy::indexing_slicing)]

mod encoding;
mod json;

pub mod files;
pub mod forward;
pub mod graphical;
pub mod mux;
pub mod terminal;

#[cfg(any(test, feature = "testing"))]
pub mod testing;

pub use mux::{
    Auth, ChannelId, ChannelSpec, ClientConfig, Code, Connection, Event, FrameError, Hello,
    LaneChange, LinkKind, MAGIC, RequestId, ResumeGrant, Secret, SendError, ServerConfig,
    StreamDecoder, StreamError, Suspended, Transmit, Welcome, WelcomeInfo,
};
