//! What the compositor keeps per connected program.

use std::collections::HashSet;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use nix::sys::resource::{Resource, getrlimit};
use smithay::reexports::wayland_server::backend::{ClientData, ClientId, DisconnectReason};
use smithay::wayland::compositor::CompositorClientState;

/// Knows the connected programs.
#[derive(Debug)]
pub(crate) struct Clients {
    count: Arc<()>,
    ids: Arc<Ids>,
    /// The most pools and buffers of one of them.
    held_max: usize,
}

impl Default for Clients {
    fn default() -> Self {
        // One program leaves the others enough of the files that we may open.
        let files = getrlimit(Resource::RLIMIT_NOFILE).map_or(0, |(soft, _)| soft);
        let files = usize::try_from(files).unwrap_or(usize::MAX);
        Self {
            count: Arc::default(),
            ids: Arc::default(),
            held_max: (files / 4).clamp(HELD_LEAST, HELD),
        }
    }
}

impl Clients {
    /// The state of one more program, which counts until it is dropped.
    pub(crate) fn state(&self, sandboxed: bool) -> ClientState {
        ClientState {
            compositor: CompositorClientState::default(),
            sandboxed,
            held: AtomicUsize::new(0),
            held_max: self.held_max,
            ids: Arc::clone(&self.ids),
            _count: Arc::clone(&self.count),
        }
    }

    /// How many are connected.
    pub(crate) fn connected(&self) -> usize {
        Arc::strong_count(&self.count) - 1
    }

    /// Remembers one that has connected.
    pub(crate) fn connected_as(&self, id: ClientId) {
        self.ids.lock().insert(id);
    }

    /// All that are connected.
    pub(crate) fn ids(&self) -> Vec<ClientId> {
        self.ids.lock().iter().cloned().collect()
    }
}

/// The programs that connected and did not leave.
#[derive(Debug, Default)]
struct Ids(Mutex<HashSet<ClientId>>);

impl Ids {
    fn lock(&self) -> MutexGuard<'_, HashSet<ClientId>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The state of one connected program.
#[derive(Debug)]
pub(crate) struct ClientState {
    /// What the compositor protocol keeps for it.
    pub(crate) compositor: CompositorClientState,
    /// Whether a sandbox engine connected it.
    pub(crate) sandboxed: bool,
    /// The pools and buffers that it has.
    held: AtomicUsize,
    held_max: usize,
    ids: Arc<Ids>,
    _count: Arc<()>,
}

impl ClientState {
    /// Counts one more pool or buffer, unless there are too many.
    pub(crate) fn holds_more(&self) -> bool {
        self.held.fetch_add(1, Ordering::Relaxed) < self.held_max
    }

    /// One pool or buffer is gone.
    pub(crate) fn holds_less(&self) {
        self.held.fetch_sub(1, Ordering::Relaxed);
    }
}

impl ClientData for ClientState {
    fn initialized(&self, client: ClientId) {
        tracing::debug!(?client, "a program connected");
    }

    fn disconnected(&self, client: ClientId, reason: DisconnectReason) {
        tracing::debug!(?client, ?reason, "a program left");
        self.ids.lock().remove(&client);
    }
}

/// The most pools and buffers of one program, and how many it always may have. A program with more
/// loses its connection.
const HELD: usize = 4096;

const HELD_LEAST: usize = 128;

/// The most connected programs; more are turned away at once.
pub(crate) const CLIENTS: usize = 256;
