//! The encode thread: waits for frames, converts, encodes, hands over.

use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use gstreamer as gst;
use vroom_desktop::{Frame, PixelBuffer, Wake};

use crate::Error;
use crate::codec::{self, Backend, Layout, VideoEncoder};
use crate::convert::{PicturePool, encoded_size};
use crate::encoder::Shared;
use crate::jpeg::JpegEncoder;
use crate::media::Timeline;
use crate::pace::Pace;
use crate::packets::Packets;
use crate::stamps::{Stamps, rtp_time};
use crate::units::Unit;

/// How an encode thread is set up.
#[derive(Clone)]
pub(crate) struct Setup {
    /// What to encode with, best first; when one keeps failing the next is used.
    pub(crate) backends: Vec<&'static dyn Backend>,
    /// The clock that peers share.
    pub(crate) timeline: Timeline,
    /// The most pictures per second.
    pub(crate) fps_max: u32,
    /// The quality of JPEG pictures.
    pub(crate) jpeg_quality: u8,
}

/// What the encode thread owns.
pub(crate) struct Run {
    shared: Arc<Shared>,
    setup: Setup,
    backend: usize,
    codec: Option<Box<dyn VideoEncoder>>,
    jpeg: Option<JpegEncoder>,
    packets: Arc<Packets>,
    pool: Option<PicturePool>,
    pace: Pace,
    /// The newest picture as it was drawn.
    newest: Option<Arc<PixelBuffer>>,
    /// Whether the pool has that.
    is_converted: bool,
    /// Counts pictures that changed.
    picture: u64,
    /// When the video shows at the latest what everybody sees exactly already.
    owed_at: Option<Instant>,
    /// Everybody sees exactly already what the newest picture changed.
    exact: bool,
    /// When the newest picture was captured, and when it was taken from the slot.
    captured_at: Instant,
    taken_at: Instant,
    pts: gst::ClockTime,
    /// When the encoder that is in use failed lately.
    failed_at: Vec<Instant>,
    /// Nobody looked before: the frame that waits is as old as the last look, which is no latency.
    resting: bool,
}

/// Why a picture is encoded.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Cause {
    Changed,
    /// It changed a while ago, and everybody saw it exactly since.
    Owed,
    KeyFrame,
    Refinement,
}

impl Run {
    /// Prepares the thread.
    pub(crate) fn new(shared: Arc<Shared>, setup: Setup) -> Self {
        Self {
            shared,
            setup,
            backend: 0,
            codec: None,
            jpeg: None,
            packets: Arc::default(),
            pool: None,
            newest: None,
            is_converted: false,
            pace: Pace::default(),
            picture: 0,
            owed_at: None,
            exact: false,
            captured_at: Instant::now(),
            taken_at: Instant::now(),
            pts: gst::ClockTime::ZERO,
            failed_at: Vec::new(),
            resting: true,
        }
    }

    /// Runs until it is told to stop.
    pub(crate) fn run(mut self) {
        if self.setup.backends.is_empty() {
            self.shared.fanout.end();
        }
        while let Some(wake) = self.wait() {
            self.shared.counters().stats.wakeups += 1;
            let frame = match wake {
                Wake::Frame(frame) => Some(frame),
                // Whoever wants the picture wants the one that waits.
                _ if self.shared.shots.is_wanted() => self.shared.frames.take(),
                Wake::Woken | Wake::TimedOut => None,
            };
            let changed = frame.is_some_and(|frame| self.take(&frame));
            if let Some(newest) = &self.newest {
                self.shared.shots.deliver(newest);
            }
            if let Some(cause) = self.cause(changed)
                && let Err(error) = self.encode(cause)
            {
                self.recover(&error);
            }
            self.encode_jpeg();
        }
        self.shared.end();
    }

    /// Waits until there is something to do; `None` when it is time to stop.
    fn wait(&mut self) -> Option<Wake> {
        loop {
            let now = Instant::now();
            let control = self.shared.control();
            if control.stopped {
                return None;
            }
            let playing = self.shared.fanout.playing() > 0;
            let shot = self.shared.shots.is_wanted();
            if !playing && !self.shared.jpegs.is_wanted() && !shot {
                self.pace.rest();
                self.owed_at = None;
                self.resting = true;
                self.shared.patches.rest();
                let linger = self.codec.is_some().then(|| now + LINGER);
                if !self.shared.wait_change(control, linger) {
                    self.codec = None;
                    self.jpeg = None;
                }
                continue;
            }
            if let Some(due) = self.pace.due(now) {
                self.shared.wait_change(control, Some(due));
                continue;
            }
            let has_picture = self.has_picture();
            if self.exact
                && let Some(until) = self.shared.patches.late_until(now)
            {
                // What it is then is shown at once, and not as a video of everything in between.
                self.shared.wait_change(control, Some(until));
                continue;
            }
            let interval = control.rate.interval();
            let refine = self.pace.refine_at(interval).filter(|_| playing);
            let key = control.keys.due(now).filter(|_| playing && has_picture);
            let jpeg = self.shared.jpegs.wants(self.picture).then_some(now);
            drop(control);
            let owed = self.owed_at.filter(|_| playing);
            let shot = (shot && self.newest.is_some()).then_some(now);
            let deadline = [refine, key, jpeg, owed, shot].into_iter().flatten().min();
            return Some(self.shared.frames.wait(deadline));
        }
    }

    /// Takes a frame; false when it cannot be shown.
    fn take(&mut self, frame: &Frame) -> bool {
        let taken_at = Instant::now();
        self.newest = Some(Arc::clone(&frame.pixels));
        if self.pool.as_ref().map(PicturePool::visible) != Some(frame.size()) {
            self.pool = PicturePool::new(frame.size(), self.layout(), self.setup.fps_max);
            self.codec = None;
            let mut counters = self.shared.counters();
            counters.stats.size = frame.size();
            counters.stats.encoded_size = encoded_size(frame.size());
        }
        self.shared.jpegs.frame(&frame.damage);
        // What is small or scrolled goes this way, which is shorter than the one through the encoder.
        self.exact = self.shared.on_frame(frame);
        let Some(pool) = &mut self.pool else {
            tracing::warn!(size = %frame.size(), "a frame of this size cannot be shown");
            return false;
        };
        pool.note(&frame.damage);
        self.is_converted = false;
        self.picture += 1;
        let rested = std::mem::take(&mut self.resting);
        self.captured_at = if rested { taken_at } else { frame.captured_at };
        self.taken_at = taken_at;
        let mut counters = self.shared.counters();
        counters
            .capture
            .add(taken_at.saturating_duration_since(self.captured_at));
        true
    }

    /// Converts the newest picture, unless that was done or every buffer is in use.
    fn convert(&mut self) {
        if self.is_converted {
            return;
        }
        let began = Instant::now();
        let Some((pool, pixels)) = self.pool.as_mut().zip(self.newest.as_ref()) else {
            return;
        };
        self.is_converted = pool.update(pixels).is_some();
        if self.is_converted {
            self.shared.counters().convert.add(began.elapsed());
        } else {
            tracing::warn!(size = %pixels.size(), "a frame could not be converted");
        }
    }

    fn has_picture(&self) -> bool {
        self.pool.is_some() && self.newest.is_some()
    }

    /// Whether and why the newest picture is to be encoded now.
    fn cause(&mut self, changed: bool) -> Option<Cause> {
        let has_picture = self.has_picture();
        if self.shared.fanout.playing() == 0 || !has_picture {
            return None;
        }
        let now = Instant::now();
        if changed && self.exact {
            // A browser that draws a typed letter has no time to decode a picture of it besides.
            self.owed_at = self.owed_at.or(Some(now + OWED));
        }
        let control = self.shared.control();
        let refine = self.pace.refine_at(control.rate.interval());
        if changed && !self.exact {
            Some(Cause::Changed)
        } else if control.keys.is_due(now) || self.codec.is_none() {
            Some(Cause::KeyFrame)
        } else if self.owed_at.is_some_and(|at| at <= now) {
            Some(Cause::Owed)
        } else {
            refine.filter(|at| *at <= now).map(|_| Cause::Refinement)
        }
    }

    /// Encodes the newest picture and hands it to everybody.
    fn encode(&mut self, cause: Cause) -> Result<(), Error> {
        let started = Instant::now();
        let (bitrate_kbps, interval, key_frame) = {
            let mut control = self.shared.control();
            let key_frame = control.keys.is_due(started);
            (
                control.rate.poll(started),
                control.rate.interval(),
                key_frame,
            )
        };
        match cause {
            Cause::Refinement => self.pace.refined(started, interval),
            Cause::Owed => self.pace.exact(started, interval),
            Cause::Changed | Cause::KeyFrame => self.pace.fresh(started, interval),
        }
        let captured_at = match cause {
            Cause::Changed => self.captured_at,
            Cause::Owed | Cause::KeyFrame | Cause::Refinement => started,
        };
        self.owed_at = None;
        // Whole microseconds, since everybody names a picture by them.
        let taken_at = if cause == Cause::Changed {
            self.taken_at
        } else {
            started
        };
        let now = gst::ClockTime::from_useconds(self.setup.timeline.at(taken_at).useconds());
        self.pts = now.max(self.pts + PTS_STEP);
        self.convert();
        let converted_at = Instant::now();
        let layout = self.layout();
        self.pool = self.pool.take().and_then(|pool| pool.into_layout(layout));
        let Some(pool) = &mut self.pool else {
            return Ok(());
        };
        let size = encoded_size(pool.visible());
        let Some(picture) = pool.newest(self.pts) else {
            return Ok(());
        };
        if let Some(codec) = &mut self.codec
            && !codec.set_bitrate_kbps(bitrate_kbps)
        {
            // Only a new encoder has the new rate, and it begins with a key frame.
            self.codec = None;
        }
        let codec = self.codec(bitrate_kbps)?;
        let Some(mut buffer) = codec.encode(picture, key_frame)? else {
            return Ok(());
        };
        let encoded_at = Instant::now();
        let encode = encoded_at.saturating_duration_since(converted_at);
        if cause == Cause::Changed {
            let stamps = Stamps {
                captured_at,
                taken_at: self.taken_at,
                converted_at,
                encoded_at,
            };
            self.shared
                .recent
                .note(rtp_time(self.pts.useconds()), stamps);
        }
        // An encoder at its limit uses all of a picture's share, one that is done nearly nothing.
        let share_bytes = u64::from(bitrate_kbps) * 125 / u64::from(self.setup.fps_max);
        if buffer.size() as u64 * 2 > share_bytes {
            self.pace.coarse();
        }
        {
            // Encoders shift and reorder times in ways of their own; ours are what peers expect.
            let buffer = buffer.make_mut();
            buffer.set_pts(self.pts);
            buffer.set_dts(None);
            buffer.set_duration(None);
        }
        let unit = Unit {
            key_frame: !buffer.flags().contains(gst::BufferFlags::DELTA_UNIT),
            pts: self.pts,
            captured_at,
            buffer,
            size,
            packets: Arc::clone(&self.packets),
            payloads: OnceLock::new(),
        };
        self.hand_over(&unit, cause, encode);
        Ok(())
    }

    fn hand_over(&self, unit: &Unit, cause: Cause, encode: Duration) {
        {
            let mut counters = self.shared.counters();
            counters.encode.add(encode);
            counters.throughput.add(Instant::now(), unit.buffer.size());
            counters.stats.units += 1;
            counters.stats.bytes += unit.buffer.size() as u64;
            counters.stats.key_frames += u64::from(unit.key_frame);
            counters.stats.refinements += u64::from(cause == Cause::Refinement);
        }
        {
            let now = Instant::now();
            let mut control = self.shared.control();
            control.keys.sent(now);
            if unit.key_frame {
                control.keys.made(now);
            }
        }
        if self.shared.fanout.on_unit(unit) {
            self.shared.control().keys.request();
        }
        if cause == Cause::Changed {
            self.shared.counters().age.add(unit.captured_at.elapsed());
        }
    }

    /// How the encoder that is in use wants its pictures.
    fn layout(&self) -> Layout {
        let backend = self.setup.backends.get(self.backend);
        backend.map_or(Layout::I420, |backend| backend.layout())
    }

    /// The encoder for the present size, started when there is none.
    fn codec(&mut self, bitrate_kbps: u32) -> Result<&mut Box<dyn VideoEncoder>, Error> {
        if self.codec.is_none() {
            let backend = self.setup.backends.get(self.backend);
            let backend = backend.ok_or(Error::NoEncoder)?;
            let pool = self.pool.as_ref().ok_or(Error::NoEncoder)?;
            let codec = codec::start(*backend, pool.info(), bitrate_kbps)?;
            self.shared.counters().stats.encoder = codec.name();
            self.codec = Some(codec);
        }
        self.codec.as_mut().ok_or(Error::NoEncoder)
    }

    /// Gives up the encoder that failed; when there is no other left, nobody gets units any more.
    fn recover(&mut self, error: &Error) {
        self.codec = None;
        let now = Instant::now();
        self.failed_at
            .retain(|at| now.saturating_duration_since(*at) < FAILURES_WINDOW);
        self.failed_at.push(now);
        {
            let mut counters = self.shared.counters();
            counters.stats.failures += 1;
            counters.stats.last_failure = Some(error.to_string());
        }
        if self.failed_at.len() >= FAILURES {
            self.failed_at.clear();
            if let Some(backend) = self.setup.backends.get(self.backend) {
                let given_up = format!("{}: {error}", backend.element());
                self.shared.counters().stats.given_up.push(given_up);
            }
            self.backend += 1;
        }
        let goes_on = self.backend < self.setup.backends.len();
        tracing::warn!(%error, goes_on, "an encoder failed");
        if goes_on {
            self.shared.control().keys.request();
        } else {
            self.shared.fanout.end();
        }
    }

    /// Makes the JPEG picture that somebody waits for.
    fn encode_jpeg(&mut self) {
        if !self.shared.jpegs.wants(self.picture) {
            return;
        }
        let Some(pixels) = self.newest.clone() else {
            return;
        };
        let encoder = match self.jpeg.take() {
            Some(encoder) => Ok(encoder),
            None => JpegEncoder::start(self.setup.jpeg_quality),
        };
        let (jpegs, picture) = (&self.shared.jpegs, self.picture);
        let delivered = encoder.and_then(|mut encoder| {
            jpegs.deliver(picture, pixels.size(), |place| {
                let jpeg = encoder.encode(&pixels, place)?;
                self.shared.counters().stats.jpegs += 1;
                Ok(jpeg)
            })?;
            Ok(encoder)
        });
        match delivered {
            Ok(encoder) => self.jpeg = Some(encoder),
            Err(error) => {
                tracing::warn!(%error, "no JPEG picture");
                self.shared.counters().stats.last_failure = Some(error.to_string());
                self.shared.jpegs.end();
            }
        }
    }
}

/// How long the video may lack what everybody sees exactly.
const OWED: Duration = Duration::from_millis(250);

/// How long an encoder is kept after the last listener left: a reload comes back sooner.
const LINGER: Duration = Duration::from_secs(10);

/// Failures within [`FAILURES_WINDOW`] after which the next backend is used.
const FAILURES: usize = 3;

/// A device that fails more often than that would make every viewer start anew again and again.
const FAILURES_WINDOW: Duration = Duration::from_secs(60);

/// The least step from one presentation time to the next: RTP tells those of 12 µs apart.
const PTS_STEP: gst::ClockTime = gst::ClockTime::from_useconds(12);

#[cfg(test)]
mod tests {
    use vroom_desktop::{Damage, FrameSlot, Size};

    use super::*;
    use crate::Encoder;
    use crate::rungs::Ceiling;

    /// An encoder whose element does not exist.
    struct Absent;

    impl Backend for Absent {
        fn element(&self) -> &'static str {
            "no-such-encoder"
        }

        fn package(&self) -> &'static str {
            "no-such-package"
        }

        fn configure(&self, _element: &gst::Element) {}

        fn set_bitrate_kbps(&self, _element: &gst::Element, _bitrate_kbps: u32) -> bool {
            true
        }
    }

    /// An encoder with a picture to encode.
    fn encoder(backends: Vec<&'static dyn Backend>) -> Encoder {
        gst::init().unwrap();
        let frames = Arc::new(FrameSlot::new());
        let size = Size::new(64, 64);
        frames.publish(Frame {
            seq: 1,
            captured_at: Instant::now(),
            damage: Damage::full(size),
            pixels: Arc::new(PixelBuffer::new(size)),
        });
        let setup = Setup {
            backends,
            timeline: Timeline::start(),
            fps_max: 60,
            jpeg_quality: 80,
        };
        let ceiling = Ceiling {
            bitrate_kbps: 6000,
            fps: 60,
        };
        Encoder::start(frames, ceiling, setup).unwrap()
    }

    #[tokio::test]
    async fn an_encoder_that_fails_is_replaced_by_the_next() {
        let encoder = encoder(vec![&Absent, codec::backend(codec::X264).unwrap()]);
        let unit = encoder.units().next().await.unwrap();
        assert!(unit.key_frame);
        let stats = encoder.stats();
        assert_eq!(stats.encoder, codec::X264);
        assert_eq!(stats.failures, FAILURES as u64);
        assert!(stats.last_failure.unwrap().contains("no-such-package"));
        assert!(stats.given_up[0].starts_with("no-such-encoder: "));
    }

    #[tokio::test]
    async fn without_an_encoder_units_end_and_jpegs_go_on() {
        for backends in [Vec::new(), vec![&Absent as &dyn Backend]] {
            let encoder = encoder(backends);
            let mut jpegs = encoder.jpegs(false);
            assert!(encoder.units().next().await.is_none());
            assert!(
                jpegs.next().await.unwrap()[0]
                    .jpeg
                    .starts_with(&[0xFF, 0xD8])
            );
            assert!(encoder.units().next().await.is_none());
        }
    }
}
