//! One forwarded connection, as its channel sees it.

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use tokio::sync::Notify;
use vroom_protocol::forward::{Data, DecodeError, Window};
use vroom_protocol::{ChannelId, Connection, mux};

use super::pipe::{Outgoing, Pipe, Stream};

/// One forwarded connection, as its channel sees it.
///
/// Dropping it lets the program here have what came, and then an end.
#[derive(Debug)]
pub(super) struct Tunnel {
    pipe: Arc<Pipe>,
    window: Window,
    /// Whether the client was told that the program writes nothing more.
    is_over: bool,
}

impl Tunnel {
    /// Carries what the program at the other end of `stream` says; `bell` rings when it does.
    pub(super) fn start(stream: Stream, bell: Arc<Notify>) -> Self {
        Self {
            pipe: Pipe::start(stream, bell),
            window: Window::default(),
            is_over: false,
        }
    }

    /// Takes a message of the client; fails when it makes no sense.
    pub(super) fn on_message(&mut self, kind: u8, payload: Bytes) -> Result<(), DecodeError> {
        match Data::decode(kind, payload)? {
            Data::Bytes(bytes) => {
                self.window.received(bytes.len())?;
                self.pipe.push(bytes);
            }
            Data::HalfClose => self.pipe.finish(),
            Data::Ack(total) => self.window.acknowledge(total)?,
        }
        Ok(())
    }

    /// Sends what the program wrote, as far as the client takes it, and how far it has read.
    pub(super) fn pump(&mut self, now: Instant, connection: &mut Connection, channel: ChannelId) {
        let taken = self.pipe.taken();
        if let Some(acknowledgement) = self.window.taken(taken) {
            send(now, connection, channel, &acknowledgement);
        }
        // Asked first: what comes after the end was there before it.
        let ended = self.pipe.ended();
        while has_room(connection, channel) {
            match self.pipe.next(self.window.room().min(MESSAGE_BYTES)) {
                Outgoing::Bytes(bytes) => {
                    self.window.sent(bytes.len());
                    send(now, connection, channel, &Data::Bytes(bytes));
                }
                Outgoing::Nothing => {
                    if let Some(Err(reason)) = ended.filter(|_| self.window.room() > 0) {
                        connection.close_channel(now, channel, &reason);
                    }
                    return;
                }
                Outgoing::Over => {
                    if !std::mem::replace(&mut self.is_over, true) {
                        send(now, connection, channel, &Data::HalfClose);
                    }
                    if ended.is_some() {
                        connection.close_channel(now, channel, "both directions are over");
                    }
                    return;
                }
            }
        }
    }
}

impl Drop for Tunnel {
    fn drop(&mut self) {
        self.pipe.abandon();
    }
}

fn send(now: Instant, connection: &mut Connection, channel: ChannelId, data: &Data) {
    let (kind, payload) = data.encode();
    // There is room: less than a quarter of what the mux keeps is ever waiting.
    if let Err(error) = connection.send(now, channel, kind, payload) {
        tracing::debug!(%error, "bytes of a forwarded connection were not sent");
        connection.close_channel(now, channel, "bytes were lost");
    }
}

/// Whether more may be queued for the client.
fn has_room(connection: &Connection, channel: ChannelId) -> bool {
    let replayable = connection
        .unacknowledged_bytes()
        .is_none_or(|bytes| bytes < REPLAY_BYTES);
    replayable && connection.queued_bytes(channel) < QUEUE_BYTES
}

/// The largest message, so that others never wait long.
const MESSAGE_BYTES: usize = 64 * 1024;

/// What may wait in the mux for one connection; then its program waits.
const QUEUE_BYTES: usize = 256 * 1024;

/// The bytes that a client may not have confirmed yet, where it confirms them; then programs wait,
/// so that the mux still has all that a resumed session needs.
const REPLAY_BYTES: usize = mux::SERVER_RING_BYTES * 3 / 4;
