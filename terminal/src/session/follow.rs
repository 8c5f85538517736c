//! The task that listens to a holder.

use std::sync::Arc;
use std::time::Duration;

use tokio::io::AsyncReadExt;
use tokio::net::unix::OwnedReadHalf;
use tokio::time::{Instant, sleep_until};

use super::shared::Shared;
use crate::hold::{Inbox, RING_BYTES, Report};

/// Takes in what a holder says, until it is gone.
pub(crate) async fn follow(shared: Arc<Shared>, mut stream: OwnedReadHalf, mut inbox: Inbox) {
    let mut quiet_at = None;
    let mut announce_at = None;
    // What came with the beginning is there already.
    while take_in(&shared, &mut inbox) {
        if shared.since_checkpoint() >= CHECKPOINT_BYTES {
            shared.make_checkpoint();
        }
        if announce_at.is_none() && !shared.history.is_announced() {
            announce_at = Some(Instant::now() + ANNOUNCE_AFTER);
        }
        tokio::select! {
            read = stream.read(inbox.space()) => match read {
                Ok(count) if count > 0 => {
                    inbox.filled(count);
                    let is_due = shared.since_checkpoint() >= QUIET_BYTES;
                    quiet_at = is_due.then(|| Instant::now() + QUIET);
                }
                _ => break,
            },
            error = shared.link.pump() => {
                tracing::debug!(%error, "nothing can be said to a holder");
                break;
            }
            () = until(quiet_at) => {
                quiet_at = None;
                shared.catch_up();
            }
            () = until(announce_at) => {
                announce_at = None;
                shared.history.announce();
            }
        }
    }
    tracing::debug!(id = shared.id, "the holder is gone");
    shared.lose();
}

/// Waits until a moment that may never come.
async fn until(at: Option<Instant>) {
    match at {
        Some(at) => sleep_until(at).await,
        None => std::future::pending().await,
    }
}

/// Takes in the frames that are there; `false` when one makes no sense.
fn take_in(shared: &Shared, inbox: &mut Inbox) -> bool {
    loop {
        let report = match inbox.frame() {
            Ok(Some((kind, payload))) => Report::decode(kind, payload),
            Ok(None) => return true,
            Err(_) => None,
        };
        if !report.is_some_and(|report| shared.handle(report)) {
            tracing::warn!(id = shared.id, "a holder said what makes no sense");
            return false;
        }
    }
}

/// How long those who only look on wait for output, which comes to them in one piece.
const ANNOUNCE_AFTER: Duration = Duration::from_millis(2);

/// After how much output a checkpoint is made.
///
/// It costs as much as a megabyte of output, so it is made late, and still early enough that the holder
/// need not wait for it.
const CHECKPOINT_BYTES: u64 = 3 * 1024 * 1024;

const _: () = assert!(CHECKPOINT_BYTES < RING_BYTES);

/// After how much output one is made when the program is quiet; less is quickly shown again.
const QUIET_BYTES: u64 = 256 * 1024;

/// When a program is quiet.
const QUIET: Duration = Duration::from_millis(500);
