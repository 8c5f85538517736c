//! No network at all: what a PTY of this machine takes, below which nobody comes.

use anyhow::Result;
use vroom_tests::pty::LocalPty;

use crate::terminal::{Peer, Terminal};

/// A PTY of this machine.
pub(crate) struct Local;

impl Peer for Local {
    fn name(&self) -> &'static str {
        "local pty"
    }

    fn open(&self, line: &str) -> Result<Box<dyn Terminal>> {
        let command = ["sh", "-c", line].map(str::to_owned);
        Ok(Box::new(LocalPty::spawn(&command, &[])?))
    }
}
