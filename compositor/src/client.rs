//! What the compositor keeps per connected program.

use smithay::reexports::wayland_server::backend::{ClientData, ClientId, DisconnectReason};
use smithay::wayland::compositor::CompositorClientState;

/// The state of one connected program.
#[derive(Debug, Default)]
pub(crate) struct ClientState {
    /// What the compositor protocol keeps for it.
    pub(crate) compositor: CompositorClientState,
}

impl ClientData for ClientState {
    fn initialized(&self, client: ClientId) {
        tracing::debug!(?client, "a program connected");
    }

    fn disconnected(&self, client: ClientId, reason: DisconnectReason) {
        tracing::debug!(?client, ?reason, "a program left");
    }
}

/// The most connected programs; more are turned away at once.
pub(crate) const CLIENTS: usize = 256;
