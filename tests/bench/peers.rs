//! The peers: each starts its server and gives terminals of it.

mod local;
mod mosh;
mod ssh;
mod vroom;
mod wetty;

pub(crate) use local::Local;
pub(crate) use mosh::Mosh;
pub(crate) use ssh::Ssh;
pub(crate) use vroom::{Vroom, VroomWeb, runtime};
pub(crate) use wetty::Wetty;

/// A line as one word of a shell.
pub(crate) fn quoted(line: &str) -> String {
    format!("'{}'", line.replace('\'', "'\\''"))
}
