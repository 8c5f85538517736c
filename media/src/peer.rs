//! One browser over WebRTC.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, Instant};

use bytes::Bytes;
use gstreamer as gst;
use gstreamer::prelude::*;
use gstreamer_webrtc::WebRTCPeerConnectionState;

use crate::branch::Branch;
use crate::congestion::{Congestion, Report};
use crate::datachannel::DataChannels;
use crate::events::{EventSender, PeerEvent};
use crate::fanout::Listener;
use crate::rungs::Rungs;
use crate::sound::SoundBranch;
use crate::teardown::Teardown;
use crate::voice::VoiceBranch;
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

    /// The bitrate that this viewer's picture may have now, in kbit/s; `None` without a picture.
    pub fn rate_kbps(&self) -> Option<u32> {
        let picture = self.inner.picture.as_ref()?;
        Some(picture.encoder.bitrate_kbps(picture.branch.viewer()))
    }

    /// Waits until an access unit was sent since the last time; for ever without a picture.
    ///
    /// Cancelling loses nothing.
    pub async fn flowed(&self) {
        match self.branch() {
            Some(branch) => branch.flowed().await,
            None => std::future::pending().await,
        }
    }

    /// Stops the sound, or lets it go on.
    pub fn set_muted(&self, muted: bool) {
        if let Some(sound) = &self.inner.sound {
            sound.set_muted(muted);
        }
    }

    /// Listens to what the viewer says for as long as this is true, or not at all; what they send
    /// meanwhile is dropped.
    ///
    /// It is asked for each packet, so that whoever holds it can silence them at once.
    pub fn set_voice(&self, open: Option<Arc<AtomicBool>>) {
        if let Some(voice) = &self.inner.voice {
            voice.set_open(open);
        }
    }

    /// Whether there is a microphone that the viewer can speak into.
    pub fn has_voice(&self) -> bool {
        self.inner.voice.is_some()
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

    /// When a picture was made packets of, by the time in them; see [`rtp_time`](crate::rtp_time).
    pub fn sent_at(&self, rtp_time: u32) -> Option<Instant> {
        self.branch()?.sent.find(rtp_time)
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
        parts: Parts,
        events: EventSender,
        teardown: Teardown,
    ) -> Self {
        let channels = DataChannels::new(events.clone());
        let inner = Arc::new(Inner {
            pipeline,
            webrtcbin,
            picture: parts.picture.map(|(encoder, branch)| {
                Arc::new(Picture {
                    encoder,
                    branch,
                    state: Mutex::default(),
                })
            }),
            sound: parts.sound,
            voice: parts.voice,
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

    /// The way of the sound, if there is one.
    pub(crate) fn sound(&self) -> Option<&SoundBranch> {
        self.inner.sound.as_ref()
    }
}

/// What flows to a peer besides data.
pub(crate) struct Parts {
    /// The picture: its encoder, and its way through the pipeline.
    pub(crate) picture: Option<(Arc<Rungs>, Arc<Branch>)>,
    /// The way of the sound.
    pub(crate) sound: Option<SoundBranch>,
    /// The way of the viewer's voice.
    pub(crate) voice: Option<VoiceBranch>,
}

impl Drop for Peer {
    fn drop(&mut self) {
        if let Some(picture) = &self.inner.picture {
            picture.detach();
        }
        if let Some(sound) = &self.inner.sound {
            sound.end();
        }
        self.set_voice(None);
        self.inner.events.close("closed by this side");
        self.inner.channels.clear();
        self.inner.teardown.end(self.inner.pipeline.clone());
    }
}

#[derive(Debug)]
struct Inner {
    pipeline: gst::Pipeline,
    webrtcbin: gst::Element,
    picture: Option<Arc<Picture>>,
    sound: Option<SoundBranch>,
    voice: Option<VoiceBranch>,
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
            self.listen_to_reports(picture);
        }
        if let Some(sound) = &self.sound {
            sound.connect();
        }
    }

    /// Lets the picture adapt to what the browser tells of each packet's arrival.
    fn listen_to_reports(&self, picture: &Arc<Picture>) {
        let Some(bin) = self.webrtcbin.downcast_ref::<gst::Bin>() else {
            return;
        };
        let Some(rtpbin) = bin.by_name("rtpbin") else {
            return;
        };
        for session in 0..=SECTION_MAX {
            let session = rtpbin.emit_by_name::<Option<gst::Element>>("get-session", &[&session]);
            let Some(session) = session.filter(|it| it.find_property("twcc-stats").is_some())
            else {
                continue;
            };
            let picture = Arc::downgrade(picture);
            session.connect_notify(Some("twcc-stats"), move |session, _| {
                let stats = session.property::<Option<gst::Structure>>("twcc-stats");
                if let Some((picture, stats)) = picture.upgrade().zip(stats) {
                    picture.on_report(report(&stats));
                }
            });
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
    encoder: Arc<Rungs>,
    branch: Arc<Branch>,
    state: Mutex<PictureState>,
}

/// It listens to the encoder from being connected to being dropped.
#[derive(Debug, Default)]
struct PictureState {
    attached: bool,
    detached: bool,
    paused: bool,
    limits: Limits,
    congestion: Congestion,
}

impl PictureState {
    /// What the viewer and its network can take.
    fn limits(&self) -> Limits {
        let limits = [self.limits.bitrate_kbps_max, self.congestion.limit_kbps()];
        Limits {
            bitrate_kbps_max: limits.into_iter().flatten().min(),
            ..self.limits
        }
    }
}

impl Picture {
    fn attach(&self) {
        let mut state = self.lock();
        if state.detached || state.attached {
            return;
        }
        let viewer = self.branch.viewer();
        let listener = Arc::clone(&self.branch) as Arc<dyn Listener>;
        self.encoder.attach(viewer, listener, state.limits());
        if state.paused {
            self.encoder.set_playing(viewer, false);
        }
        state.attached = true;
    }

    fn detach(&self) {
        let mut state = self.lock();
        state.detached = true;
        if std::mem::take(&mut state.attached) {
            self.encoder.detach(self.branch.viewer());
        }
    }

    fn set_playing(&self, playing: bool) {
        let mut state = self.lock();
        state.paused = !playing;
        if state.attached {
            self.encoder.set_playing(self.branch.viewer(), playing);
        }
    }

    fn set_limits(&self, limits: Limits) {
        let mut state = self.lock();
        state.limits = limits;
        if state.attached {
            let limits = state.limits();
            self.encoder.set_limits(self.branch.viewer(), limits);
        }
    }

    fn on_report(&self, report: Report) {
        let ceiling = self.encoder.main().control().rate.ceiling_kbps();
        let mut state = self.lock();
        let changed = state.congestion.on_report(Instant::now(), report, ceiling);
        if state.attached && changed {
            tracing::debug!(limit_kbps = ?state.congestion.limit_kbps(), "a network");
            let limits = state.limits();
            self.encoder.set_limits(self.branch.viewer(), limits);
        }
    }

    fn lock(&self) -> MutexGuard<'_, PictureState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What `rtpsession` makes of a browser's report.
fn report(stats: &gst::Structure) -> Report {
    let whole = |name: &str| stats.get::<u32>(name).unwrap_or_default();
    let (sent, received) = (whole("packets-sent"), whole("packets-recv"));
    let lost = stats.get::<f64>("packet-loss-pct").unwrap_or_default() / 100.0;
    // The mean of how much more time passed between two packets here than there.
    let step = stats.get::<i64>("avg-delta-of-delta").unwrap_or_default();
    let step =
        Duration::from_nanos(step.unsigned_abs()).as_secs_f64() * if step < 0 { -1.0 } else { 1.0 };
    Report {
        packets: sent.max(received),
        lost,
        received_kbps: whole("bitrate-recv") / 1000,
        later: step * f64::from(received.saturating_sub(1)),
    }
}

/// Candidates that one browser may add later; more are ignored.
const CANDIDATES: usize = 64;

/// The highest number of a section that a candidate is taken for.
const SECTION_MAX: u32 = 7;
