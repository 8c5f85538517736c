//! Mosh: logs in by our sshd, then speaks UDP.

use anyhow::Result;
use vroom_tests::pty::LocalPty;

use super::{Ssh, quoted};
use crate::stage::Site;
use crate::terminal::{Peer, Terminal};

/// Mosh with its usual prediction.
pub(crate) struct Mosh<'a> {
    ssh: &'a Ssh<'a>,
    site: &'a Site,
}

impl<'a> Mosh<'a> {
    /// Logs in by this sshd.
    pub(crate) fn new(ssh: &'a Ssh<'a>, site: &'a Site) -> Self {
        Self { ssh, site }
    }
}

impl Peer for Mosh<'_> {
    fn name(&self) -> &'static str {
        "mosh"
    }

    fn open(&self, line: &str) -> Result<Box<dyn Terminal>> {
        let port = self.ssh.port().to_string();
        let words: Vec<String> = ["ssh".to_owned(), "-p".to_owned(), port]
            .into_iter()
            .chain(self.ssh.options())
            .map(|word| quoted(&word))
            .collect();
        let command = vec![
            "mosh".to_owned(),
            format!("--ssh={}", words.join(" ")),
            // A server whose client is gone leaves by itself.
            "--server=env LC_ALL=C.UTF-8 MOSH_SERVER_NETWORK_TMOUT=20 mosh-server".to_owned(),
            "--no-init".to_owned(),
            "--experimental-remote-ip=remote".to_owned(),
            self.ssh.destination(),
            "--".to_owned(),
            "sh".to_owned(),
            "-c".to_owned(),
            line.to_owned(),
        ];
        Ok(Box::new(LocalPty::spawn(&self.site.client(command), &[])?))
    }
}
