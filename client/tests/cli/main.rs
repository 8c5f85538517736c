//! The real `vroom` in a real terminal, against a server that does as it is told.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests fail as tests do"
)]

mod generated;
mod person;
mod server;
mod terminal;
