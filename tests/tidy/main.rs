//! Checks of the tree itself: the arrows between crates, and that what the documents name exists.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test says what is wrong by panicking"
)]

mod arrows;
mod conformance;
mod purity;
