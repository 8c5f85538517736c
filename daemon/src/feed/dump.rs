//! A screen with many lines above it, made where it holds nobody up.

use std::future::pending;
use std::sync::Arc;

use tokio::task::JoinHandle;
use vroom_terminal::Session;
use vroom_terminal::screen::SnapshotOptions;

/// A screen with many lines above it on its way.
#[derive(Debug)]
pub(super) struct Dump {
    work: JoinHandle<(u64, Vec<u8>)>,
    came: Option<(u64, Vec<u8>)>,
    is_over: bool,
}

impl Dump {
    /// Begins to make one.
    pub(super) fn start(session: &Arc<Session>, options: SnapshotOptions) -> Self {
        let session = Arc::clone(session);
        Self {
            work: tokio::task::spawn_blocking(move || session.snapshot(&options)),
            came: None,
            is_over: false,
        }
    }

    /// Waits until it is there; cancel-safe.
    pub(super) async fn ready(&mut self) {
        if self.is_over {
            return pending().await;
        }
        self.came = (&mut self.work).await.ok();
        self.is_over = true;
    }

    /// What was made, once it is there.
    pub(super) fn take(&mut self) -> Option<(u64, Vec<u8>)> {
        self.came.take()
    }
}
