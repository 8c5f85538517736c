//! Transports to a server: how one is dialled, and what comes of it.
//!
//! The seam for further transports is [`Dialed`]: two halves of a link and what signatures are
//! bound to.

mod address;
mod dial;
mod http;
mod link;
mod owner;
mod plan;
mod tls;

pub use dial::{Dialed, Dialer};
pub use link::{Io, Rx, Stream, Tx};
pub use plan::{Hop, Plan, Way};
