//! One browser over WebRTC.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};

use bytes::Bytes;
use gstreamer as gst;
use gstreamer::prelude::*;
use gstreamer_webrtc::WebRTCPeerConnectionState;

use crate::branch::Branch;
use crate::datachannel::DataChannels;
use crate::encoder::Shared;
use crate::events::{EventSender, PeerEvent};
use crate::fanout::{Listener, ListenerId};
use crate::teardown::Teardown;
use crate::{Candidate, Limits, ice};

/// One browser: a picture, if it was asked for, and data channels.
///
/// It has a pipeline of its own, so that nothing that happens to it reaches others. Dropping it
/// closes it; the pipeline ends on another thread.
#[derive(Debug)]
pub struct Peer {
    inner: Arc<Inner>,
}

/// Why a message was not sent.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum PeerSend {
    /// Too much waits already; [`PeerEvent::Writable`] tells when to try again.
    #[error("the data channel is full")]
    Full,
    /// There is no such channel, or no more of them.
    #[error("the data channel is not open")]
    Closed,
    /// The message is longer than 64 KiB.
    #[error("the message is too long for a data channel")]
    TooLarge,
}

/// What went over one peer.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct PeerStats {
    /// Whether both sides reach each other.
    pub connected: bool,
    /// Access units sent.
    pub units: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Data channels that are open.
    pub channels: usize,
}

impl Peer {
    /// Sends one message on a data channel.
    ///
    /// # Errors
    ///
    /// [`PeerSend::Full`] when 256 KiB wait in it already, or 64 KiB in one that carries bulk.
    pub fn send(&self, label: &str, message: Bytes) -> Result<(), PeerSend> {
        self.inner.channels.send(label, message)
    }

    /// Opens a data channel; [`PeerEvent::ChannelOpened`] tells when it can be used.
    ///
    /// # Errors
    ///
    /// [`PeerSend::Closed`] when no more can be opened.
    pub fn open_channel(
        &self,
        label: &str,
        ordered: bool,
        max_retransmits: Option<u32>,
    ) -> Result<(), PeerSend> {
        let webrtcbin = &self.inner.webrtcbin;
        self.inner
            .channels
            .create(webrtcbin, label, ordered, max_retransmits)
    }

    /// Closes a data channel, if it is open.
    pub fn close_channel(&self, label: &str) {
        self.inner.channels.close(label);
    }

    /// Pauses the picture, or lets it go on with a key frame.
    pub fn set_playing(&self, playing: bool) {
        if let Some(picture) = &self.inner.picture {
            picture.set_playing(playing);
        }
    }

    /// Says what this viewer can take.
    pub fn set_limits(&self, limits: Limits) {
        if let Some(picture) = &self.inner.picture {
            picture.set_limits(limits);
        }
    }

    /// Adds an address that the browser may be reached at; one that is of no use is ignored.
    pub fn add_candidate(&self, candidate: &Candidate) {
        self.inner.add_candidate(candidate);
    }

    /// What went over it so far.
    pub fn stats(&self) -> PeerStats {
        let branch = self.inner.picture.as_ref().map(|picture| &picture.branch);
        PeerStats {
            connected: self.inner.connected.load(Ordering::Relaxed),
            units: branch.map_or(0, |it| it.units.load(Ordering::Relaxed)),
            bytes: branch.map_or(0, |it| it.bytes.load(Ordering::Relaxed)),
            channels: self.inner.channels.count(),
        }
    }

    /// Closes it; returns at once.
    pub fn close(self) {}

    /// Wraps a pipeline that was just built.
    pub(crate) fn new(
        pipeline: gst::Pipeline,
        webrtcbin: gst::Element,
        picture: Option<(Arc<Shared>, Arc<Branch>)>,
        events: EventSender,
        teardown: Teardown,
    ) -> Self {
        let channels = DataChannels::new(events.clone());
        let inner = Arc::new(Inner {
            pipeline,
            webrtcbin,
            picture: picture.map(|(encoder, branch)| Picture {
                encoder,
                branch,
                state: Mutex::default(),
            }),
            channels,
            events,
            teardown,
            connected: AtomicBool::new(false),
            candidates: AtomicUsize::new(0),
        });
        inner.channels.watch(&inner.webrtcbin);
        Inner::watch(&inner);
        Self { inner }
    }

    /// The element that does the work.
    pub(crate) fn webrtcbin(&self) -> &gst::Element {
        &self.inner.webrtcbin
    }

    /// The way of the picture, if there is one.
    pub(crate) fn branch(&self) -> Option<&Branch> {
        let picture = self.inner.picture.as_ref();
        picture.map(|picture| picture.branch.as_ref())
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        if let Some(picture) = &self.inner.picture {
            picture.detach();
        }
        self.inner.events.close("closed by this side");
        self.inner.channels.clear();
        self.inner.teardown.end(self.inner.pipeline.clone());
    }
}

#[derive(Debug)]
struct Inner {
    pipeline: gst::Pipeline,
    webrtcbin: gst::Element,
    picture: Option<Picture>,
    channels: Arc<DataChannels>,
    events: EventSender,
    teardown: Teardown,
    connected: AtomicBool,
    candidates: AtomicUsize,
}

impl Inner {
    /// Listens for the connection coming up and going down, and for errors.
    ///
    /// All of it is called on `GStreamer`'s threads; the bus has no thread of its own.
    fn watch(this: &Arc<Self>) {
        let weak = Arc::downgrade(this);
        this.webrtcbin
            .connect_notify(Some("connection-state"), move |webrtcbin, _| {
                let state = webrtcbin.property::<WebRTCPeerConnectionState>("connection-state");
                if let Some(this) = Weak::upgrade(&weak) {
                    this.on_state(state);
                }
            });
        let events = this.events.clone();
        if let Some(bus) = this.pipeline.bus() {
            bus.set_sync_handler(move |_, message| {
                if let gst::MessageView::Error(error) = message.view() {
                    tracing::warn!(error = %error.error(), "a peer's pipeline failed");
                    events.close("its pipeline failed");
                }
                gst::BusSyncReply::Drop
            });
        }
    }

    fn on_state(&self, state: WebRTCPeerConnectionState) {
        match state {
            WebRTCPeerConnectionState::Connected => self.on_connected(),
            WebRTCPeerConnectionState::Failed => self.events.close("it cannot be reached"),
            WebRTCPeerConnectionState::Closed => self.events.close("closed by the browser"),
            _ => {}
        }
    }

    fn on_connected(&self) {
        if self.connected.swap(true, Ordering::AcqRel) {
            return;
        }
        self.events.send(PeerEvent::Connected);
        if let Some(picture) = &self.picture {
            picture.attach();
        }
    }

    fn add_candidate(&self, candidate: &Candidate) {
        let text = candidate.candidate.trim().trim_start_matches("a=");
        let count = self.candidates.fetch_add(1, Ordering::Relaxed);
        if count >= CANDIDATES || !ice::is_useful(text) {
            tracing::debug!("a candidate is of no use");
            return;
        }
        // Everything is bundled, so that the first section speaks for all.
        let section = candidate.sdp_mline_index.unwrap_or(0).min(SECTION_MAX);
        self.webrtcbin
            .emit_by_name::<()>("add-ice-candidate", &[&section, &text]);
    }
}

/// The picture that one peer shows.
#[derive(Debug)]
struct Picture {
    encoder: Arc<Shared>,
    branch: Arc<Branch>,
    state: Mutex<PictureState>,
}

/// It listens to the encoder from being connected to being dropped.
#[derive(Debug, Default)]
struct PictureState {
    id: Option<ListenerId>,
    detached: bool,
    paused: bool,
    limits: Limits,
}

impl Picture {
    fn attach(&self) {
        let mut state = self.lock();
        if state.detached || state.id.is_some() {
            return;
        }
        let id = self
            .encoder
            .attach(Arc::clone(&self.branch) as Arc<dyn Listener>);
        self.encoder.set_limits(id, state.limits);
        if state.paused {
            self.encoder.set_playing(id, false);
        }
        state.id = Some(id);
    }

    fn detach(&self) {
        let mut state = self.lock();
        state.detached = true;
        if let Some(id) = state.id.take() {
            self.encoder.detach(id);
        }
    }

    fn set_playing(&self, playing: bool) {
        let mut state = self.lock();
        state.paused = !playing;
        if let Some(id) = state.id {
            self.encoder.set_playing(id, playing);
        }
    }

    fn set_limits(&self, limits: Limits) {
        let mut state = self.lock();
        state.limits = limits;
        if let Some(id) = state.id {
            self.encoder.set_limits(id, limits);
        }
    }

    fn lock(&self) -> MutexGuard<'_, PictureState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Candidates that one browser may add later; more are ignored.
const CANDIDATES: usize = 64;

/// The highest number of a section that a candidate is taken for.
const SECTION_MAX: u32 = 7;
