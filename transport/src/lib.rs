//! The driver loop and the links that carry a connection.
//!
//! A *link* moves bytes to one remote and knows nothing of what they mean; [`drive()`] joins a
//! link, the protocol core ([`vroom_protocol::Connection`]) and a [`Session`] that decides. Every
//! transport is driven by that one loop.
//!
//! What holds here:
//! - A peer that never reads can neither silence us nor grow our memory: sending never blocks
//!   receiving.
//! - Whatever waits has a deadline, and whatever queues has a bound with a name.
//! - Links hold frames only for the time of a write; priorities are decided by the core, as late as
//!   possible.
//!
//! What it deliberately does not know: channels and their meaning, who may do what, HTTP beyond the
//! upgrade to WebSocket, and WebRTC, whose link is made where its peers live.

#![forbid(unsafe_code)]
#![warn(clippy::indexing_slicing)]

mod drive;
mod error;
mod link;
mod prefixed;
mod session;
mod timer;

pub mod memory;
pub mod sniff;
pub mod stream;
pub mod tcp;
pub mod tls;
pub mod websocket;

pub use drive::drive;
pub use error::Error;
pub use link::{Incoming, LinkRx, LinkTx, TrySend};
pub use prefixed::Prefixed;
pub use session::Session;
