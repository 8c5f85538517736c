//! The driver loop and the links, with the real protocol core on both sides.

mod bursts;
mod closing;
mod common;
mod lanes;
mod stream;
mod tls;
mod websocket;
