//! OpenSSH: an sshd of our own with its own key, port and configuration.

use std::fs;
use std::process::Command;

use anyhow::{Context as _, Result};
use vroom_tests::pty::LocalPty;

use super::quoted;
use crate::stage::{Server, Site, Stage, free_port, run};
use crate::terminal::{Peer, Terminal};

/// A running sshd.
pub(crate) struct Ssh<'a> {
    stage: &'a Stage,
    site: &'a Site,
    port: u16,
    _server: Server,
}

impl<'a> Ssh<'a> {
    /// Starts sshd and waits until it listens.
    pub(crate) fn start(stage: &'a Stage, site: &'a Site) -> Result<Self> {
        let port = free_port()?;
        let config = stage.path(format!("sshd-{port}"));
        let log = stage.path(format!("sshd-{port}.log"));
        if nix::unistd::geteuid().is_root() {
            fs::create_dir_all("/run/sshd").context("the folder that sshd wants")?;
        }
        fs::write(
            &config,
            format!(
                "ListenAddress {}\nPort {port}\nHostKey {}\nAuthorizedKeysFile {}\nPidFile none\n\
                 StrictModes no\nUsePAM no\nPasswordAuthentication no\n\
                 PermitRootLogin prohibit-password\nMaxStartups 200\nMaxSessions 200\n\
                 PrintMotd no\nPrintLastLog no\nSubsystem sftp internal-sftp\n",
                site.address(),
                stage.text("host"),
                stage.text("authorized_keys"),
            ),
        )?;
        let command = [
            "/usr/sbin/sshd",
            "-D",
            "-e",
            "-f",
            &config.display().to_string(),
        ];
        let command = site.server(command.map(str::to_owned).to_vec());
        let mut server = Server::start(&command, &[("LC_ALL", "C.UTF-8")], &log)?;
        server.says(&log, "Server listening").context("sshd")?;
        Ok(Self {
            stage,
            site,
            port,
            _server: server,
        })
    }

    /// The options that lead to it, as ssh and scp take them.
    pub(crate) fn options(&self) -> Vec<String> {
        let known = format!("UserKnownHostsFile={}", self.stage.text("known_hosts"));
        let key = self.stage.text("user");
        [
            "-F",
            "/dev/null",
            "-i",
            &key,
            "-o",
            &known,
            "-o",
            "StrictHostKeyChecking=no",
            "-o",
            "IdentitiesOnly=yes",
            "-o",
            "BatchMode=yes",
            "-o",
            "LogLevel=ERROR",
        ]
        .map(str::to_owned)
        .to_vec()
    }

    /// Its port.
    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Who logs in where.
    pub(crate) fn destination(&self) -> String {
        format!("{}@{}", self.stage.user, self.site.address())
    }

    /// Copies with scp.
    pub(crate) fn copy(&self, from: &str, to: &str) -> Result<()> {
        let to = format!("{}:{to}", self.destination());
        run(Command::new("scp")
            .args(["-r", "-q", "-P", &self.port.to_string()])
            .args(self.options())
            .args([from, &to]))
    }
}

impl Peer for Ssh<'_> {
    fn name(&self) -> &'static str {
        "ssh"
    }

    fn open(&self, line: &str) -> Result<Box<dyn Terminal>> {
        let mut command = vec!["ssh".to_owned(), "-tt".to_owned()];
        command.extend(["-p".to_owned(), self.port.to_string()]);
        command.extend(self.options());
        command.extend([self.destination(), format!("sh -c {}", quoted(line))]);
        Ok(Box::new(LocalPty::spawn(&self.site.client(command), &[])?))
    }
}
