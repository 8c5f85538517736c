//! Whole sessions: the real vroomd, real programs, a scripted client, and networks that break.
//!
//! Nothing sleeps here: every step waits for what it wants to see, with a deadline.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test says what is wrong by panicking"
)]
#![allow(
    clippy::large_futures,
    reason = "a test moves whole clients, and its stack has room for them"
)]

mod cli;
mod input;
mod link;
mod output;
mod programs;
mod sharing;
mod viewing;
mod world;
