//! An emulated network link: two namespaces that a program of ours joins, with delay, loss and rate.
//!
//! The kernel of many machines has no netem, so packets pass through two TUN interfaces and a
//! [`Shaper`] for each direction. That takes root.

mod namespace;
mod random;
mod shaper;
mod tun;

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};

use anyhow::{Context as _, Result, ensure};
use serde_json::Value;

pub use namespace::Namespace;
pub use random::Random;
pub use shaper::{Counts, IN_FLIGHT_MAX, Shape, Shaper};
pub use tun::Tun;

/// Why no link can be made here, in words; `None` when it can.
pub fn impossible() -> Option<&'static str> {
    if !nix::unistd::geteuid().is_root() {
        return Some("an emulated link needs root, to make network namespaces and TUN interfaces");
    }
    if !Path::new("/dev/net/tun").exists() {
        return Some("an emulated link needs /dev/net/tun, which this kernel or container lacks");
    }
    None
}

/// A running link. It ends with this value.
#[derive(Debug)]
pub struct Link {
    child: Child,
    /// One end.
    pub near: End,
    /// The other end.
    pub far: End,
}

/// One end of a link.
#[derive(Debug)]
pub struct End {
    /// The network that has nothing but this end and a loopback.
    pub namespace: Namespace,
    /// The address of this end.
    pub address: String,
}

impl Link {
    /// Starts `vroom-link` with these arguments and waits until packets pass.
    pub fn start(executable: &Path, arguments: &[String]) -> Result<Self> {
        if let Some(reason) = impossible() {
            anyhow::bail!("{reason}");
        }
        let mut child = Command::new(executable)
            .args(arguments)
            // It ends when this pipe does, so it never outlives us.
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .with_context(|| format!("starting {}", executable.display()))?;
        let stdout = child.stdout.take().context("its standard output")?;
        let mut line = String::new();
        BufReader::new(stdout).read_line(&mut line)?;
        ensure!(!line.is_empty(), "the link did not get ready");
        let ready: Value = serde_json::from_str(&line).context("the link's ready line")?;
        Ok(Self {
            child,
            near: End::of(&ready["near"])?,
            far: End::of(&ready["far"])?,
        })
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        // Without its standard input it takes the namespaces down and ends.
        drop(self.child.stdin.take());
        drop(self.child.wait());
    }
}

impl End {
    fn of(value: &Value) -> Result<Self> {
        let text = |name| value[name].as_str().context("a member of the ready line");
        Ok(Self {
            namespace: Namespace::existing(text("namespace")?),
            address: text("address")?.to_owned(),
        })
    }
}
