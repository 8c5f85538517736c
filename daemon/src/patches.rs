//! Exact pictures of what keeps still or is scrolled, over the channel `patches`.

use std::future::pending;
use std::time::Instant;

use bytes::Bytes;
use vroom_desktop::Rect;
use vroom_media::{Move, Patch, PatchFeed};
use vroom_protocol::graphical::{PatchMessage, PatchRect};
use vroom_protocol::{ChannelId, Code, Connection};

use crate::output::Watch;
use crate::viewer::report;

/// Patches on their way to one client.
///
/// One is fetched only when the one before has left; what is gone is told at once.
#[derive(Debug)]
pub(crate) struct Patches {
    channel: ChannelId,
    feed: PatchFeed,
    /// What goes together.
    next: Vec<(u8, Bytes)>,
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
            next: Vec::new(),
            room: true,
            _watch: watch,
        }
    }

    /// Takes a message of the client.
    pub(crate) fn on_message(
        &mut self,
        now: Instant,
        connection: &mut Connection,
        kind: u8,
        payload: &[u8],
    ) {
        match PatchMessage::decode(kind, payload) {
            Ok(PatchMessage::Ack(count)) => self.feed.acknowledge(count),
            Ok(_) => {
                let reason = "clients send nothing but acknowledgements on this channel";
                connection.error(now, Code::UNSUPPORTED, Some(self.channel), reason);
            }
            Err(error) => report(now, connection, self.channel, &error),
        }
    }

    /// Sends what was fetched.
    pub(crate) fn pump(&mut self, now: Instant, connection: &mut Connection) {
        for (kind, payload) in self.next.drain(..) {
            if let Err(error) = connection.send(now, self.channel, kind, payload) {
                tracing::debug!(%error, "a patch was not sent");
                // What the client has is not known any more.
                connection.close_channel(now, self.channel, "it reads too slowly");
                break;
            }
        }
        self.room = connection.queued_bytes(self.channel) == 0;
    }

    /// Sets what the client's network carries, where that is known.
    pub(crate) fn set_rate_kbps(&mut self, rate_kbps: Option<u32>) {
        self.feed.set_rate_kbps(rate_kbps);
    }

    /// Waits for something to send; cancel-safe.
    pub(crate) async fn ready(&mut self) {
        if !self.next.is_empty() {
            return;
        }
        match self.feed.next(self.room).await {
            Some(patch) => {
                let messages = messages(patch).into_iter();
                self.next = messages.map(|message| message.encode()).collect();
            }
            None => pending().await,
        }
    }
}

fn messages(patch: Patch) -> Vec<PatchMessage> {
    match patch {
        Patch::Start(size) => vec![PatchMessage::Start {
            width: narrow(size.width),
            height: narrow(size.height),
        }],
        Patch::Clear(places) => vec![PatchMessage::Clear(places.into_iter().map(place).collect())],
        Patch::Show(rect, png) => vec![show(rect, png)],
        Patch::Move(Move { to, from_y, rest }) => {
            let first = PatchMessage::Move {
                to: place(to),
                from_x: narrow(to.x),
                from_y: narrow(from_y),
                follow: u8::try_from(rest.len()).unwrap_or(u8::MAX),
            };
            let rest = rest.into_iter().map(|(rect, png)| show(rect, png));
            std::iter::once(first).chain(rest).collect()
        }
    }
}

fn show(rect: Rect, png: Bytes) -> PatchMessage {
    PatchMessage::Show {
        place: place(rect),
        png,
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
