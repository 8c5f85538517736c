//! `vroom rename`.

use vroom_protocol::mux::SessionControl;

use super::{Failure, connect, find, host_and_name};
use crate::cli::Rename;

/// Gives a terminal another name.
pub(super) async fn run(rename: Rename) -> Result<(), Failure> {
    let (host, named) = host_and_name(&rename.terminal, &rename.server.host);
    let (_, remote) = connect(host, &rename.server.connect).await?;
    let entries = remote.sessions().await?;
    let session_id = find(&entries, named)?.session_id.clone();
    let name = rename.name.clone();
    remote
        .control(SessionControl::Rename { session_id, name })
        .await?;
    remote.close("").await;
    Ok(())
}
