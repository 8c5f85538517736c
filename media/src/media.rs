//! Where media starts: one per process.

use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use gstreamer as gst;
use gstreamer::prelude::*;
use vroom_desktop::FrameSlot;

use crate::elements::{self, EncoderReport};
use crate::negotiate;
use crate::peer::Peer;
use crate::run::Setup;
use crate::rungs::Ceiling;
use crate::teardown::Teardown;
use crate::{
    Answer, Encoder, Error, MediaConfig, Microphone, MicrophonePipe, Movies, Offer, PeerEvents,
    Recorder, Sound,
};

/// Makes encoders and peers.
#[derive(Clone, Debug)]
pub struct Media {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    config: MediaConfig,
    report: EncoderReport,
    timeline: Timeline,
    teardown: Teardown,
}

impl Media {
    /// Starts `GStreamer` and looks which encoders are here.
    ///
    /// The certificate of the peers is made in the background, so that the first one does not wait
    /// for it.
    ///
    /// # Errors
    ///
    /// When `GStreamer` does not start, or the configured encoder cannot be used. Having no
    /// encoder at all is no error here: JPEG and data channels do without.
    pub fn start(config: MediaConfig) -> Result<Self, Error> {
        let report = Self::probe(&config)?;
        for line in report.to_string().lines() {
            tracing::info!("encoder {line}");
        }
        let teardown = Teardown::start()?;
        teardown.warm_up();
        let inner = Inner {
            config,
            report,
            timeline: Timeline::start(),
            teardown,
        };
        Ok(Self {
            inner: Arc::new(inner),
        })
    }

    /// Looks which encoders are here and which one would be used, and starts nothing.
    ///
    /// # Errors
    ///
    /// When `GStreamer` does not start, or the configured encoder cannot be used.
    pub fn probe(config: &MediaConfig) -> Result<EncoderReport, Error> {
        gst::init().map_err(Error::Start)?;
        elements::probe(&config.encoder, config.trial.as_deref())
    }

    /// Which encoder is used, and why the others are not.
    pub fn report(&self) -> &EncoderReport {
        &self.inner.report
    }

    /// Starts an encoder for one output; it sleeps until somebody listens.
    ///
    /// # Errors
    ///
    /// When its thread cannot be started.
    pub fn encoder(&self, frames: Arc<FrameSlot>) -> Result<Encoder, Error> {
        let config = &self.inner.config;
        let setup = Setup {
            backends: self.inner.report.usable(),
            timeline: self.inner.timeline.clone(),
            fps_max: config.fps_max.max(1),
            jpeg_quality: config.jpeg_quality,
        };
        let ceiling = Ceiling {
            bitrate_kbps: config.bitrate_kbps_max,
            fps: config.fps_max.max(1),
        };
        Encoder::start(frames, ceiling, setup)
    }

    /// Prepares to hear what is written into this named pipe, in samples of 16 bits, left and
    /// right, 48000 times a second; it is not opened before somebody listens.
    pub fn sound(&self, pipe: &Path) -> Sound {
        let Inner {
            timeline, teardown, ..
        } = &*self.inner;
        Sound::new(pipe, timeline.clone(), teardown.clone())
    }

    /// Prepares to fill this named pipe with what viewers say; it is not opened before somebody
    /// speaks.
    pub fn microphone(&self, pipe: MicrophonePipe) -> Microphone {
        Microphone::new(pipe)
    }

    /// Writes what the encoder makes, and what is heard where there is sound, into movies, from
    /// `began` on.
    ///
    /// # Errors
    ///
    /// When no encoder for H264 works here, or the thread cannot be started.
    pub fn record(
        &self,
        encoder: &Encoder,
        sound: Option<&Sound>,
        began: Instant,
        movies: impl Movies,
    ) -> Result<Recorder, Error> {
        self.inner.report.chosen().ok_or(Error::NoEncoder)?;
        let timeline = self.inner.timeline.clone();
        Recorder::start(encoder, sound, (timeline, began), movies)
    }

    /// Answers a browser's offer with a peer that shows what the encoder makes, lets its sound be
    /// heard where there is one, and can be spoken into where there is a microphone.
    ///
    /// The answer holds all candidates. Dropping the future ends the peer.
    ///
    /// # Errors
    ///
    /// [`Error::Unsupported`] when the offer lacks H264 or data channels, so that the browser has
    /// to take another transport; [`Error::PeerMisbehaved`] when it makes no sense.
    pub async fn answer(
        &self,
        encoder: &Encoder,
        sound: Option<&SoundPath>,
        offer: Offer,
    ) -> Result<(Peer, PeerEvents, Answer), Error> {
        self.inner.report.chosen().ok_or(Error::NoEncoder)?;
        self.connect(Some(encoder), sound, offer).await
    }

    /// Answers a browser's offer with a peer that has data channels and no picture.
    ///
    /// # Errors
    ///
    /// As [`answer`](Self::answer), except that the offer need not speak of video.
    pub async fn answer_without_picture(
        &self,
        offer: Offer,
    ) -> Result<(Peer, PeerEvents, Answer), Error> {
        self.connect(None, None, offer).await
    }

    async fn connect(
        &self,
        encoder: Option<&Encoder>,
        sound: Option<&SoundPath>,
        offer: Offer,
    ) -> Result<(Peer, PeerEvents, Answer), Error> {
        let setup = negotiate::Setup {
            timeline: self.inner.timeline.clone(),
            teardown: self.inner.teardown.clone(),
            ports: self.inner.config.ice_ports.clone(),
            addresses: self.inner.config.addresses.clone(),
        };
        negotiate::answer(
            setup,
            encoder.map(|encoder| Arc::clone(encoder.rungs())),
            sound.cloned(),
            offer,
        )
        .await
    }
}

/// Both ways that the sound of a desktop goes.
#[derive(Clone, Debug)]
pub struct SoundPath {
    /// What its programs play.
    pub played: Sound,
    /// What they record, where viewers may speak.
    pub microphone: Option<Microphone>,
}

/// The time that encoders stamp pictures with and that the pipelines of peers run on.
#[derive(Clone, Debug)]
pub(crate) struct Timeline {
    clock: gst::Clock,
    base: gst::ClockTime,
}

impl Timeline {
    /// Starts at zero.
    pub(crate) fn start() -> Self {
        let clock = gst::SystemClock::obtain();
        let base = clock.time();
        Self { clock, base }
    }

    /// The running time at an instant; zero for one before the start.
    pub(crate) fn at(&self, instant: Instant) -> gst::ClockTime {
        let now = self.clock.time().saturating_sub(self.base);
        let ago = u64::try_from(instant.elapsed().as_nanos()).unwrap_or(u64::MAX);
        now.saturating_sub(gst::ClockTime::from_nseconds(ago))
    }

    /// Makes a pipeline run on this time.
    pub(crate) fn rule(&self, pipeline: &gst::Pipeline) {
        pipeline.use_clock(Some(&self.clock));
        pipeline.set_base_time(self.base);
        pipeline.set_start_time(gst::ClockTime::NONE);
    }
}
