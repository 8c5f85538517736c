//! Pictures over the channel `video`, for clients without a media track.

use std::collections::VecDeque;
use std::future::pending;
use std::time::{Duration, Instant};

use bytes::Bytes;
use vroom_media::{AccessUnit, JpegFeed, JpegPart, Limits, Recent, Stamps, UnitFeed, rtp_time};
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
    next: Option<Next>,
    /// Whether a picture may be fetched now.
    open: bool,
    deadline: Option<Instant>,
    pace: Pace,
    paused: bool,
    limits: Limits,
    /// When access units went out.
    sent: Recent<Instant>,
    watch: Watch,
}

/// What a client takes besides whole pictures as JPEG.
#[derive(Clone, Copy, Debug)]
pub(crate) struct VideoKind {
    /// H264, which is better than any JPEG.
    pub(crate) h264: bool,
    /// Parts of pictures as JPEG.
    pub(crate) tiles: bool,
}

/// A picture that may go now: one message, or several that are its parts.
#[derive(Debug)]
struct Next {
    messages: Vec<(u8, Bytes)>,
    /// What its viewer calls it when it tells that it was shown.
    rtp_time: Option<u32>,
}

#[derive(Debug)]
enum Feed {
    Units(UnitFeed),
    Jpegs(JpegFeed),
}

/// When the next picture may go.
// VROOM-Graphical §4.8: at most two unacknowledged pictures once the client acknowledges;
// before that only into an empty queue, at most ten per second.
#[derive(Debug, Default)]
struct Pace {
    /// Messages.
    sent: u32,
    /// The count of messages at the end of each picture that may be unacknowledged.
    ends: VecDeque<u32>,
    acked: Option<u32>,
    sent_at: Option<Instant>,
}

impl Video {
    /// Starts to send on this channel.
    pub(crate) fn new(channel: ChannelId, watch: Watch, kind: VideoKind) -> Self {
        let feed = if kind.h264 {
            Feed::Units(watch.encoder().units())
        } else {
            Feed::Jpegs(watch.encoder().jpegs(kind.tiles))
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
            sent: Recent::default(),
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
        if let Some(next) = self.next.take() {
            let mut sent = 0;
            for (kind, payload) in next.messages {
                match connection.send(now, self.channel, kind, payload) {
                    Ok(()) => sent += 1,
                    Err(error) => tracing::debug!(%error, "a picture was not sent"),
                }
            }
            if let Some(rtp_time) = next.rtp_time.filter(|_| sent > 0) {
                self.sent.note(rtp_time, Instant::now());
            }
            if sent > 0 {
                self.pace.on_sent(now, sent);
                self.watch.flowed(now);
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
        let next = match &mut self.feed {
            Feed::Units(units) => units.next().await.map(Next::unit),
            Feed::Jpegs(jpegs) => jpegs.next().await.map(|parts| Next::jpegs(&parts)),
        };
        match next {
            Some(next) => self.next = Some(next),
            None => pending().await,
        }
    }

    /// When a picture passed the stages of the encoder, and when it went out.
    pub(crate) fn passed(&self, rtp_time: u32) -> Option<(Stamps, Instant)> {
        let stamps = self.watch.encoder().stamps(rtp_time)?;
        Some((stamps, self.sent.find(rtp_time)?))
    }

    /// When another picture may be sent by itself.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.deadline
    }
}

impl Next {
    fn unit(unit: AccessUnit) -> Self {
        let rtp_time = rtp_time(unit.pts_us);
        let message = VideoMessage::H264 {
            key_frame: unit.key_frame,
            pts_us: unit.pts_us,
            unit: unit.data,
        };
        Self {
            messages: vec![message.encode()],
            rtp_time: Some(rtp_time),
        }
    }

    fn jpegs(parts: &[JpegPart]) -> Self {
        let message = |part: &JpegPart| {
            let jpeg = part.jpeg.clone();
            // Encoders take no side that does not fit.
            let side = |side: u32| u16::try_from(side).unwrap_or(u16::MAX);
            match part.place {
                None => VideoMessage::Jpeg(jpeg),
                Some(place) => VideoMessage::Tile {
                    x: side(place.x),
                    y: side(place.y),
                    w: side(place.width),
                    h: side(place.height),
                    jpeg,
                },
            }
        };
        Self {
            messages: parts.iter().map(|part| message(part).encode()).collect(),
            rtp_time: None,
        }
    }
}

impl Pace {
    /// A picture of this many messages went out.
    fn on_sent(&mut self, now: Instant, messages: u32) {
        self.sent = self.sent.wrapping_add(messages);
        self.sent_at = Some(now);
        if self.ends.len() > UNACKED {
            // Who does not acknowledge is not told apart from who does it late.
            self.ends.pop_front();
        }
        self.ends.push_back(self.sent);
    }

    /// Notes what the client has shown; counts that cannot be are ignored.
    fn on_ack(&mut self, count: u32) {
        let shown = self.acked.unwrap_or_default();
        let forward = count.wrapping_sub(shown);
        if forward <= self.sent.wrapping_sub(shown) {
            self.acked = Some(count);
            let under_way = self.sent.wrapping_sub(count);
            self.ends
                .retain(|end| self.sent.wrapping_sub(*end) < under_way);
        }
    }

    fn may_send(&self, now: Instant, queued_bytes: usize) -> bool {
        match self.acked {
            Some(_) => self.ends.len() < UNACKED,
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
const UNACKED: usize = 2;

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
        pace.on_sent(now, 1);
        assert!(!pace.may_send(now + Duration::from_millis(99), 0));
        assert!(pace.may_send(now + Duration::from_millis(100), 0));
    }

    #[test]
    fn with_acknowledgements_two_are_under_way() {
        let now = Instant::now();
        let mut pace = Pace::default();
        pace.on_sent(now, 1);
        pace.on_ack(1);
        pace.on_sent(now, 1);
        assert!(pace.may_send(now, 1000));
        pace.on_sent(now, 1);
        assert!(!pace.may_send(now, 0));
        pace.on_ack(2);
        assert!(pace.may_send(now, 0));
    }

    #[test]
    fn the_parts_of_a_picture_count_as_one() {
        let now = Instant::now();
        let mut pace = Pace::default();
        pace.on_sent(now, 1);
        pace.on_ack(1);
        pace.on_sent(now, 5);
        assert!(pace.may_send(now, 1000));
        pace.on_sent(now, 3);
        assert!(!pace.may_send(now, 0));
        pace.on_ack(5);
        assert!(!pace.may_send(now, 0), "one part of the first is missing");
        pace.on_ack(6);
        assert!(pace.may_send(now, 0));
        pace.on_ack(9);
        pace.on_sent(now, 2);
        assert!(pace.may_send(now, 0));
    }

    #[test]
    fn impossible_acknowledgements_are_ignored() {
        let now = Instant::now();
        let mut pace = Pace::default();
        pace.on_ack(1);
        assert_eq!(pace.acked, None, "nothing was sent");
        for _ in 0..3 {
            pace.on_sent(now, 1);
        }
        pace.on_ack(2);
        pace.on_ack(1);
        pace.on_ack(4);
        assert_eq!(pace.acked, Some(2));
    }
}
