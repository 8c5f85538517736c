//! Whole sessions: the real vroomd, real programs, a scripted client, and networks that break.
//!
//! Nothing sleeps here: every step waits for what it wants to see, with a deadline.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test says what is wrong by panicking"
)]

mod input;
mod link;
mod output;
mod programs;
mod sharing;
mod viewing;
mod world;
