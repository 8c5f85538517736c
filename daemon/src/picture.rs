//! The picture of a WebRTC peer, as its session sees it.

use std::future::pending;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use vroom_media::{Limits, Peer, Stamps};
use vroom_protocol::graphical::Media;

use crate::output::Watch;

/// The picture of a WebRTC peer.
///
/// It flows by itself; the session only says what is wanted of it, and follows along to tell the
/// client what it gets.
#[derive(Debug)]
pub(crate) struct Picture {
    /// Somebody wants to know what flows.
    follows: bool,
    flowed: bool,
    wishes: Media,
    /// What lets the person speak.
    voice: Option<Arc<AtomicBool>>,
    peer: Arc<Peer>,
    watch: Watch,
}

impl Picture {
    /// Takes the picture of a peer that was just made.
    pub(crate) fn new(peer: Arc<Peer>, watch: Watch) -> Self {
        Self {
            follows: false,
            flowed: false,
            wishes: Media::default(),
            voice: None,
            peer,
            watch,
        }
    }

    /// Does what the person asks of the video; `told` says whether they want to know what flows.
    pub(crate) fn pump(&mut self, now: Instant, wishes: &Media, told: bool) {
        if self.wishes.video != wishes.video {
            self.peer.set_playing(wishes.video != Some(false));
        }
        if self.wishes.speaker != wishes.speaker {
            self.peer.set_muted(wishes.speaker == Some(false));
        }
        let limits = limits(wishes);
        if limits != self::limits(&self.wishes) {
            self.peer.set_limits(limits);
        }
        self.wishes = *wishes;
        self.follows = told && wishes.video != Some(false);
        if std::mem::take(&mut self.flowed) {
            self.watch.flowed(now);
        }
    }

    /// The bitrate that it may have now, in kbit/s.
    pub(crate) fn rate_kbps(&self) -> Option<u32> {
        self.peer.rate_kbps()
    }

    /// Listens to the person as long as this is true, or not at all.
    pub(crate) fn listen(&mut self, voice: Option<&Arc<AtomicBool>>) {
        let same = match (&self.voice, voice) {
            (Some(before), Some(now)) => Arc::ptr_eq(before, now),
            (None, None) => true,
            _ => false,
        };
        if !same {
            self.voice = voice.cloned();
            self.peer.set_voice(voice.cloned());
        }
    }

    /// When a picture passed the stages of the encoder, and when it went out.
    pub(crate) fn passed(&self, rtp_time: u32) -> Option<(Stamps, Instant)> {
        let stamps = self.watch.encoder().stamps(rtp_time)?;
        Some((stamps, self.peer.sent_at(rtp_time)?))
    }

    /// Waits until something flowed; cancel-safe.
    pub(crate) async fn ready(&mut self) {
        if !self.follows {
            return pending().await;
        }
        self.peer.flowed().await;
        self.flowed = true;
    }
}

/// What a client can take.
pub(crate) fn limits(wishes: &Media) -> Limits {
    Limits {
        bitrate_kbps_max: wishes.bitrate_kbps_max,
        fps_max: wishes.fps_max,
    }
}
