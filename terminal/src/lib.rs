//! Terminals that outlive their daemon, with a byte history that any number of readers follow.
//!
//! A [`Session`] is one program on a PTY, under a holder of its own; a [`Piped`] is one on pipes. What
//! it writes goes into a [`History`], from which readers pull by offset, and onto a
//! [screen](screen::Screen), from which whoever comes later is shown what there is; what is typed goes
//! through a bounded queue. This crate deliberately knows nothing of viewers, channels and permissions.
//!
//! Invariants:
//! - The bytes are those of the program, all 256 values, in both directions.
//! - Nobody who calls a [`Session`] or a [`Piped`] waits for its program.
//! - Only the driver's offset holds the program back; memory is bounded however it behaves.
//! - After [`Session::end`] or [`Piped::end`] nothing is left: no process, no zombie, no thread.
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
mod piped;
mod pty;
pub mod screen;
mod session;
mod size;
mod spawn;
mod terminfo;
mod wait;

pub use account::Account;
pub use environment::{ALLOWED, Environment, TermKind, environment};
pub use error::Error;
pub use exit::Exit;
pub use history::{DRIVER_AHEAD_BYTES, HISTORY_BYTES, History, Read};
pub use hold::{ID_BYTES, Keep, Meta, WRITER_BYTES, WRITERS_MAX, hold};
pub use input::INPUT_BYTES;
pub use piped::{END_PATIENCE, Piped};
pub use pty::PtyMode;
pub use session::{Holds, Session, TtyState};
pub use size::PtySize;
pub use spawn::{Command, PtySpec, SpawnConfig, StderrTo};
