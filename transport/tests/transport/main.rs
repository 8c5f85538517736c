//! The driver loop and the links, with the real protocol core on both sides.

#![expect(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

mod bursts;
mod closing;
mod common;
mod lanes;
mod stream;
mod tls;
mod websocket;
