//! Exact pictures of what keeps still, over the channel `patches`.

use std::future::pending;
use std::time::Instant;

use bytes::Bytes;
use vroom_desktop::Rect;
use vroom_media::{Patch, PatchFeed};
use vroom_protocol::graphical::{PatchMessage, PatchRect};
use vroom_protocol::{ChannelId, Connection};

use crate::output::Watch;

/// Patches on their way to one client.
///
/// One is fetched only when the one before has left; what is gone is told at once.
#[derive(Debug)]
pub(crate) struct Patches {
    channel: ChannelId,
    feed: PatchFeed,
    next: Option<(u8, Bytes)>,
    /// Whether one more patch may be fetched.
    room: bool,
    /// Keeps the pictures coming.
    _watch: Watch,
}

impl Patches {
    /// Starts to send on this channel.
    pub(crate) fn new(channel: ChannelId, watch: Watch) -> Self {
        Self {
            channel,
            feed: watch.encoder().patches(),
            next: None,
            room: true,
            _watch: watch,
        }
    }

    /// Sends what was fetched.
    pub(crate) fn pump(&mut self, now: Instant, connection: &mut Connection) {
        if let Some((kind, payload)) = self.next.take()
            && let Err(error) = connection.send(now, self.channel, kind, payload)
        {
            tracing::debug!(%error, "a patch was not sent");
            // What the client has is not known any more.
            connection.close_channel(now, self.channel, "it reads too slowly");
        }
        self.room = connection.queued_bytes(self.channel) == 0;
    }

    /// Sets what the client's network carries, where that is known.
    pub(crate) fn set_rate_kbps(&mut self, rate_kbps: Option<u32>) {
        self.feed.set_rate_kbps(rate_kbps);
    }

    /// Waits for something to send; cancel-safe.
    pub(crate) async fn ready(&mut self) {
        if self.next.is_some() {
            return;
        }
        match self.feed.next(self.room).await {
            Some(patch) => self.next = Some(message(patch).encode()),
            None => pending().await,
        }
    }
}

fn message(patch: Patch) -> PatchMessage {
    match patch {
        Patch::Start(size) => PatchMessage::Start {
            width: narrow(size.width),
            height: narrow(size.height),
        },
        Patch::Clear(places) => PatchMessage::Clear(places.into_iter().map(place).collect()),
        Patch::Show(rect, png) => PatchMessage::Show {
            place: place(rect),
            png,
        },
    }
}

fn place(rect: Rect) -> PatchRect {
    PatchRect {
        x: narrow(rect.x),
        y: narrow(rect.y),
        width: narrow(rect.width),
        height: narrow(rect.height),
    }
}

/// A length of the desktop, which has far fewer pixels than that.
fn narrow(pixels: u32) -> u16 {
    u16::try_from(pixels).unwrap_or(u16::MAX)
}
