//! Pictures over the channel `video`, for clients without a media track.

use std::future::pending;
use std::time::{Duration, Instant};

use bytes::Bytes;
use vroom_media::{JpegFeed, Limits, UnitFeed};
use vroom_protocol::graphical::{Media, VideoMessage};
use vroom_protocol::{ChannelId, Connection};

use crate::output::Watch;
use crate::picture::limits;
use crate::viewer::report;

/// Pictures on their way to one client.
///
/// A picture is fetched only when it can be sent at once, so that none ever grows old in a queue.
#[derive(Debug)]
pub(crate) struct Video {
    channel: ChannelId,
    feed: Feed,
    next: Option<(u8, Bytes)>,
    /// Whether a picture may be fetched now.
    open: bool,
    deadline: Option<Instant>,
    pace: Pace,
    paused: bool,
    limits: Limits,
    watch: Watch,
}

#[derive(Debug)]
enum Feed {
    Units(UnitFeed),
    Jpegs(JpegFeed),
}

/// When the next picture may go.
// VROOM-Graphical §4.8: at most two unacknowledged messages once the client acknowledges;
// before that only into an empty queue, at most ten per second.
#[derive(Debug, Default)]
struct Pace {
    sent: u32,
    acked: Option<u32>,
    sent_at: Option<Instant>,
}

impl Video {
    /// Starts to send on this channel.
    pub(crate) fn new(channel: ChannelId, watch: Watch, h264: bool) -> Self {
        let feed = if h264 {
            Feed::Units(watch.encoder().units())
        } else {
            Feed::Jpegs(watch.encoder().jpegs())
        };
        Self {
            channel,
            feed,
            next: None,
            open: true,
            deadline: None,
            pace: Pace::default(),
            paused: false,
            limits: Limits::default(),
            watch,
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
        match VideoMessage::decode_ack(kind, payload) {
            Ok(count) => self.pace.on_ack(count),
            Err(error) => report(now, connection, self.channel, &error),
        }
    }

    /// Sends the picture that was fetched, and decides whether another may be.
    pub(crate) fn pump(&mut self, now: Instant, connection: &mut Connection, wishes: &Media) {
        self.obey(wishes);
        if let Some((kind, payload)) = self.next.take() {
            match connection.send(now, self.channel, kind, payload) {
                Ok(()) => {
                    self.pace.on_sent(now);
                    self.watch.flowed(now);
                }
                Err(error) => tracing::debug!(%error, "a picture was not sent"),
            }
        }
        let queued = connection.queued_bytes(self.channel);
        self.open = !self.paused && self.pace.may_send(now, queued);
        // With something queued it is the link that has to move, not the clock.
        let waits = !self.open && !self.paused && queued == 0;
        self.deadline = waits.then(|| self.pace.deadline()).flatten();
    }

    /// Does what the person asks of the video; after a pause it goes on with a key frame.
    fn obey(&mut self, wishes: &Media) {
        let paused = wishes.video == Some(false);
        if let Feed::Units(units) = &self.feed {
            if self.limits != limits(wishes) {
                units.set_limits(limits(wishes));
            }
            if self.paused && !paused {
                self.watch.encoder().request_key_frame();
            }
        }
        self.limits = limits(wishes);
        self.paused = paused;
    }

    /// Waits for a picture that may be sent; cancel-safe.
    pub(crate) async fn ready(&mut self) {
        if self.next.is_some() {
            return;
        }
        if !self.open {
            return pending().await;
        }
        let message = match &mut self.feed {
            Feed::Units(units) => units.next().await.map(|unit| VideoMessage::H264 {
                key_frame: unit.key_frame,
                pts_us: unit.pts_us,
                unit: unit.data,
            }),
            Feed::Jpegs(jpegs) => jpegs.next().await.map(VideoMessage::Jpeg),
        };
        match message {
            Some(message) => self.next = Some(message.encode()),
            None => pending().await,
        }
    }

    /// When another picture may be sent by itself.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.deadline
    }
}

impl Pace {
    fn on_sent(&mut self, now: Instant) {
        self.sent = self.sent.wrapping_add(1);
        self.sent_at = Some(now);
    }

    /// Notes what the client has shown; counts that cannot be are ignored.
    fn on_ack(&mut self, count: u32) {
        let shown = self.acked.unwrap_or_default();
        let forward = count.wrapping_sub(shown);
        if forward <= self.sent.wrapping_sub(shown) {
            self.acked = Some(count);
        }
    }

    fn may_send(&self, now: Instant, queued_bytes: usize) -> bool {
        match self.acked {
            Some(acked) => self.sent.wrapping_sub(acked) < UNACKED,
            None => queued_bytes == 0 && self.deadline().is_none_or(|at| now >= at),
        }
    }

    fn deadline(&self) -> Option<Instant> {
        match self.acked {
            Some(_) => None,
            None => self.sent_at.map(|at| at + BLIND_INTERVAL),
        }
    }
}

/// The pictures that may be under way to a client that acknowledges; then the next one waits.
const UNACKED: u32 = 2;

/// The least time between two pictures to a client that never acknowledged.
const BLIND_INTERVAL: Duration = Duration::from_millis(100);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn without_acknowledgements_it_is_ten_per_second_into_an_empty_queue() {
        let now = Instant::now();
        let mut pace = Pace::default();
        assert!(pace.may_send(now, 0));
        assert!(!pace.may_send(now, 1));
        pace.on_sent(now);
        assert!(!pace.may_send(now + Duration::from_millis(99), 0));
        assert!(pace.may_send(now + Duration::from_millis(100), 0));
    }

    #[test]
    fn with_acknowledgements_two_are_under_way() {
        let now = Instant::now();
        let mut pace = Pace::default();
        pace.on_sent(now);
        pace.on_ack(1);
        pace.on_sent(now);
        assert!(pace.may_send(now, 1000));
        pace.on_sent(now);
        assert!(!pace.may_send(now, 0));
        pace.on_ack(2);
        assert!(pace.may_send(now, 0));
    }

    #[test]
    fn impossible_acknowledgements_are_ignored() {
        let now = Instant::now();
        let mut pace = Pace::default();
        pace.on_ack(1);
        assert_eq!(pace.acked, None, "nothing was sent");
        for _ in 0..3 {
            pace.on_sent(now);
        }
        pace.on_ack(2);
        pace.on_ack(1);
        pace.on_ack(4);
        assert_eq!(pace.acked, Some(2));
    }
}
