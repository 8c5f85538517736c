//! `vroom`: the terminals, files and ports of a VROOM server, from a terminal.
//!
//! What is here without a terminal of its own: where to connect and as whom, the connection that
//! outlives its transports, the terminal at the other end, forwarding and copying. The parts that
//! touch the terminal of the person live.
//!
//! What holds here:
//! - The person's terminal is given back as it was taken, on every way out.
//! - What was typed reaches the program once, also when the way there broke in between.
//! - A server that changed its key is refused before anything is told to it.
//!
//! What it deliberately does not know: how a screen is drawn, and anything of the desktop.

#![forbid(unsafe_code)]

pub mod auth;
pub mod cli;
pub mod commands;
pub mod config;
mod error;
pub mod files;
pub mod forward;
pub mod net;
pub mod options;
pub mod paths;
pub mod remote;
pub mod settings;
pub mod target;
pub mod term;
pub mod trust;
pub mod tty;
pub mod ui;

pub use error::Error;
