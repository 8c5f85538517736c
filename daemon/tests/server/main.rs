//! The real `vroomd`, called by real clients over loopback.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "helpers of tests fail as tests do"
)]

mod client;
mod clipboard;
mod daemon;
mod ending;
mod files;
mod floor;
mod forward;
mod http;
mod keeping;
mod keys;
mod listening;
mod log;
mod login;
mod mux;
mod nested;
mod resume;
mod sharing;
mod signalling;
mod social;
mod strangers;
mod terminal;
mod terminals;
mod tls;
mod viewing;
