//! Pseudo-terminals with a byte history that any number of readers follow.
//!
//! A [`Terminal`] is one program: on a PTY, or on pipes. What it writes goes into a [`History`], from
//! which readers pull by offset; what is typed goes through a bounded queue. This crate deliberately
//! knows nothing of viewers, channels and permissions, and does not look into the bytes.
//!
//! Invariants:
//! - The bytes are those of the program, all 256 values, in both directions.
//! - Nobody who calls a [`Terminal`] waits for its program.
//! - Only the driver's offset holds the program back; memory is bounded however it behaves.
//! - After [`Terminal::end`] nothing is left: no process of its session, no zombie, no thread.
//! - A program gets the environment that was built for it and nothing of the daemon's own.
#![forbid(unsafe_code)]

mod account;
mod environment;
mod error;
mod exit;
mod family;
mod history;
mod hold;
mod input;
mod life;
mod modes;
mod output;
mod pty;
pub mod screen;
mod session;
mod size;
mod spawn;
mod terminal;
mod terminfo;
mod wait;

pub use account::Account;
pub use environment::{ALLOWED, Environment, TermKind, environment};
pub use error::Error;
pub use exit::Exit;
pub use history::{DRIVER_AHEAD_BYTES, HISTORY_BYTES, History, Read};
pub use hold::{ID_BYTES, Keep, Meta, WRITER_BYTES, WRITERS_MAX, hold};
pub use input::INPUT_BYTES;
pub use pty::PtyMode;
pub use session::{Holds, Session, TtyState};
pub use size::PtySize;
pub use spawn::{Command, PtySpec, SpawnConfig, StderrTo};
pub use terminal::{END_PATIENCE, Terminal};
