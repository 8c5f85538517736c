//! Port forwarding: connections of programs on one side to services of the other.
//!
//! One channel agrees on what is forwarded and announces connections; each connection has a
//! channel of its own. This module knows the messages and nothing of sockets.

mod code;
mod data;
mod message;
mod name;
mod request;
mod window;

pub use self::code::ForwardCode;
pub use self::data::Data;
pub use self::message::{ConnectionAck, ForwardConnection, ForwardResponse, Message};
pub use self::name::ConnectionName;
pub use self::request::{Direction, Endpoint, ForwardRequest};
pub use self::window::Window;
pub use crate::encoding::DecodeError;

/// The name of the control channel: reliable and ordered.
pub const CHANNEL: &str = "port-forward-ctl";

/// The most connections that one mux connection forwards at a time; the next one gets 7002.
pub const CONNECTIONS_MAX: usize = 200;
