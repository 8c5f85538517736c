//! What the compositor keeps per connected program.

use std::sync::Arc;

use smithay::reexports::wayland_server::backend::{ClientData, ClientId, DisconnectReason};
use smithay::wayland::compositor::CompositorClientState;

/// Counts the connected programs.
#[derive(Debug, Default)]
pub(crate) struct Clients {
    count: Arc<()>,
}

impl Clients {
    /// The state of one more program, which counts until it is dropped.
    pub(crate) fn state(&self, sandboxed: bool) -> ClientState {
        ClientState {
            compositor: CompositorClientState::default(),
            sandboxed,
            _count: Arc::clone(&self.count),
        }
    }

    /// How many are connected.
    pub(crate) fn connected(&self) -> usize {
        Arc::strong_count(&self.count) - 1
    }
}

/// The state of one connected program.
#[derive(Debug)]
pub(crate) struct ClientState {
    /// What the compositor protocol keeps for it.
    pub(crate) compositor: CompositorClientState,
    /// Whether a sandbox engine connected it.
    pub(crate) sandboxed: bool,
    _count: Arc<()>,
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
