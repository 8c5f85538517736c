//! `vroom attach`.

use std::process::ExitCode;

use super::{Failure, find, host_and_name, log_in, shell};
use crate::cli::Attach;
use crate::forward::Forwards;
use crate::options::Escape;
use crate::settings::Settings;
use crate::term::Wish;

/// Joins a terminal.
pub(super) async fn run(attach: Attach) -> Result<ExitCode, Failure> {
    let server = &attach.server;
    let (host, named) = host_and_name(&attach.terminal, &server.host);
    let mut settings = Settings::resolve(host, server.connect.port, &server.connect.reach)?;
    if let Some(escape) = &attach.escape {
        settings.options.escape = Some(Escape::parse(escape).map_err(Failure::usage)?);
    }
    let mut front = shell::Front::take(true, false).await?;
    let remote = settings.connect(true).await.map_err(Failure::connection)?;
    log_in(&settings, &remote)
        .await
        .map_err(Failure::connection)?;
    let entries = remote.sessions().await?;
    let entry = find(&entries, named)?;
    let mut pty = front.pty_request();
    pty.attach = Some(entry.session_id.clone());
    pty.readonly = attach.readonly;
    pty.scrollback = attach.scrollback;
    let wish = Wish {
        capabilities: front.capabilities(true),
        pty: Some(pty),
        command: None,
        variables: Vec::new(),
    };
    front.take_keyboard();
    let forwards = Forwards::new(remote.clone(), settings.ui.clone());
    Box::pin(shell::run(&settings, &remote, front, wish, forwards)).await
}
