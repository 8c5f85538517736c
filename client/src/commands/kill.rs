//! `vroom kill`.

use vroom_protocol::mux::SessionControl;

use super::{Failure, connect, find, host_and_name};
use crate::cli::Kill;

/// Ends terminals.
pub(super) async fn run(kill: Kill) -> Result<(), Failure> {
    for named in &kill.terminals {
        let (host, named) = host_and_name(named, &kill.server.host);
        let (_, remote) = connect(host, &kill.server.connect).await?;
        let entries = remote.sessions().await?;
        let session_id = find(&entries, named)?.session_id.clone();
        remote.control(SessionControl::End { session_id }).await?;
        remote.close("").await;
    }
    Ok(())
}
