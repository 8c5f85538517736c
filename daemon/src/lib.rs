//! `vroomd`: who may see and do what.
//!
//! This crate joins the others: it listens, finds out who calls, serves the page, runs a session on
//! every connection, and keeps the one desktop and its terminals. It deliberately knows nothing of
//! frames on the wire, of pixels and of keymaps.
//!
//! Invariants:
//! - Nobody sees or does anything before proving who they are, and strangers hold little for a
//!   short time only.
//! - Whether input is obeyed is decided here, for every message, by who drives at that moment.
//! - Whoever leaves, however they leave, leaves no key held down.
//! - Nothing that is typed, copied, shown in a terminal or used as a credential is ever logged.
//! - While nothing happens, nothing runs.
#![deny(unsafe_code)]

mod answers;
mod assets;
mod attached;
mod auth;
mod authorized;
mod bus;
mod carried;
pub mod cli;
pub mod config;
pub mod control;
mod daemon;
mod desktop;
pub mod doctor;
mod feed;
mod files;
mod floor;
mod forward;
mod gate;
mod http;
mod hub;
mod identity;
mod keys;
mod lane;
mod links;
mod listen;
pub mod log;
mod mailbox;
mod metrics;
mod notices;
mod origin;
mod output;
mod pairing;
mod party;
mod patches;
mod peer_link;
mod peers;
mod penalty;
mod picture;
mod png;
pub mod process;
mod publickey;
pub mod recording;
mod resumable;
mod running;
mod sealed;
mod session;
pub mod settings;
mod shell;
mod shells;
mod sound;
mod source;
mod state_dir;
pub mod systemd;
mod terminals;
mod token;
mod video;
mod viewer;
mod way;

pub use daemon::{END, Server};
