//! Files of this machine for one connection: requests in, answers out, in order.
//!
//! The files themselves are worked on by a thread of their own, since disks make one wait.

mod failure;
mod handles;
mod list;
mod queue;
mod remove;
mod root;
mod worker;

use std::future::pending;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use vroom_protocol::files::Request;
use vroom_protocol::{ChannelId, Code, Connection, SendError, mux};

use self::queue::Queue;

/// Files of this machine for one connection.
#[derive(Debug)]
pub(crate) struct Files {
    /// What is shown; `None` shows nothing.
    root: Option<PathBuf>,
    desk: Option<Desk>,
}

/// An open channel and the thread behind it.
#[derive(Debug)]
struct Desk {
    channel: ChannelId,
    queue: Arc<Queue>,
    /// An answer that found no room.
    waiting: Option<(u8, Bytes)>,
    /// Whether the client takes answers now.
    has_room: bool,
}

impl Files {
    /// Shows what is below `root`.
    pub(crate) fn new(root: Option<PathBuf>) -> Self {
        Self { root, desk: None }
    }

    /// Decides about the channel; who asks is known to be more than a viewer.
    pub(crate) fn check(&self) -> Result<(), (Code, &'static str)> {
        match self.root {
            Some(_) => Ok(()),
            None => Err((Code::NOT_ALLOWED, "there are no files here")),
        }
    }

    /// The channel is open.
    pub(crate) fn on_opened(
        &mut self,
        now: Instant,
        connection: &mut Connection,
        channel: ChannelId,
    ) {
        let Some(root) = self.root.clone() else {
            return connection.close_channel(now, channel, "there are no files here");
        };
        let queue = Arc::new(Queue::default());
        match worker::start(root, Arc::clone(&queue)) {
            Ok(()) => {
                self.desk = Some(Desk {
                    channel,
                    queue,
                    waiting: None,
                    has_room: true,
                });
            }
            Err(error) => {
                tracing::warn!(%error, "no thread for files");
                connection.close_channel(now, channel, "the server is too busy");
            }
        }
    }

    /// The channel is gone: open files are closed, and what was not begun is not done.
    pub(crate) fn on_closed(&mut self) {
        self.desk = None;
    }

    /// Takes a request.
    pub(crate) fn on_message(
        &mut self,
        now: Instant,
        connection: &mut Connection,
        kind: u8,
        payload: &Bytes,
    ) {
        let Some(desk) = &self.desk else {
            return;
        };
        match Request::decode(kind, payload) {
            Ok(request) => {
                if desk.queue.ask(request, payload.len()) {
                    return;
                }
                let (channel, reason) = (desk.channel, "too many requests wait for their answers");
                connection.error(now, Code::RATE_LIMITED, Some(channel), reason);
                connection.close_channel(now, channel, reason);
            }
            Err(error) => {
                connection.error(now, error.code(), Some(desk.channel), &error.to_string());
            }
        }
    }

    /// Sends answers, as far as the client takes them.
    pub(crate) fn pump(&mut self, now: Instant, connection: &mut Connection) {
        let Some(desk) = &mut self.desk else {
            return;
        };
        loop {
            desk.has_room = has_room(connection, desk.channel);
            if !desk.has_room {
                return;
            }
            let Some((kind, payload)) = desk.waiting.take().or_else(|| desk.queue.take()) else {
                return;
            };
            match connection.send(now, desk.channel, kind, payload.clone()) {
                Ok(()) => {}
                Err(SendError::Full) => {
                    desk.waiting = Some((kind, payload));
                    desk.has_room = false;
                    return;
                }
                Err(error) => tracing::debug!(%error, "an answer about files was not sent"),
            }
        }
    }

    /// Waits until there is an answer that can be sent; cancel-safe.
    pub(crate) async fn ready(&self) {
        match self.desk.as_ref().filter(|desk| desk.has_room) {
            Some(desk) => desk.queue.answered().await,
            None => pending().await,
        }
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        self.queue.close();
    }
}

/// Whether more answers may be queued for a client.
fn has_room(connection: &Connection, channel: ChannelId) -> bool {
    let replayable = connection
        .unacknowledged_bytes()
        .is_none_or(|bytes| bytes < REPLAY_BYTES);
    replayable && connection.queued_bytes(channel) < QUEUE_BYTES
}

/// The answers that may wait in the mux for one client; then the files wait.
const QUEUE_BYTES: usize = 256 * 1024;

/// The bytes that a client may not have confirmed yet, where it confirms them; then answers wait,
/// so that the mux still has all that a resumed session needs, unless the client asks for more at
/// once than is kept.
const REPLAY_BYTES: usize = mux::SERVER_RING_BYTES * 3 / 4;
