//! Ports, sockets and the agent, forwarded over the connection.

mod hub;
mod listen;
mod pipe;
mod serve;
mod socks;
mod spec;

pub use hub::Forwards;
pub use spec::{ForwardSpec, SpecError};
