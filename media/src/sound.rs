//! The sound of the desktop: read from a pipe and encoded once, handed to every peer that listens.
//!
//! It is read only while somebody listens, and encoded only while a program plays something that
//! can be heard.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use gstreamer as gst;
use gstreamer::glib;
use gstreamer::prelude::*;
use gstreamer_app as gst_app;

use crate::media::Timeline;
use crate::offer::Audio;
use crate::teardown::Teardown;
use crate::{Error, elements};

/// Where the sound of a desktop comes from; cloning it gives another handle.
#[derive(Clone, Debug)]
pub struct Sound {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    pipe: PathBuf,
    timeline: Timeline,
    teardown: Teardown,
    state: Mutex<State>,
    /// Packets so far.
    packets: AtomicU64,
}

#[derive(Default)]
struct State {
    listeners: Vec<(u64, Hear)>,
    last_id: u64,
    /// Somebody reads the pipe.
    has_thread: bool,
    encoder: Option<Encoder>,
}

/// Takes packets; must hand over and return.
type Hear = Box<dyn Fn(&gst::Buffer) + Send>;

impl std::fmt::Debug for State {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("State")
            .field("listeners", &self.listeners.len())
            .field("has_thread", &self.has_thread)
            .finish_non_exhaustive()
    }
}

impl Sound {
    /// Prepares to read this pipe: samples of 16 bits, left and right, 48000 times a second.
    pub(crate) fn new(pipe: &Path, timeline: Timeline, teardown: Teardown) -> Self {
        let shared = Shared {
            pipe: pipe.to_owned(),
            timeline,
            teardown,
            state: Mutex::default(),
            packets: AtomicU64::new(0),
        };
        Self {
            shared: Arc::new(shared),
        }
    }

    /// Packets that were encoded so far.
    pub fn packets(&self) -> u64 {
        self.shared.packets.load(Ordering::Relaxed)
    }

    /// Hands every packet to this listener from now on; returns at once.
    pub(crate) fn attach(&self, hear: impl Fn(&gst::Buffer) + Send + 'static) -> u64 {
        let mut state = self.shared.lock();
        state.last_id += 1;
        let id = state.last_id;
        state.listeners.push((id, Box::new(hear)));
        if !state.has_thread {
            let shared = Arc::clone(&self.shared);
            let thread = std::thread::Builder::new().name("listen".into());
            match thread.spawn(move || shared.run()) {
                Ok(_) => state.has_thread = true,
                Err(error) => tracing::warn!(%error, "the desktop is not heard"),
            }
        }
        id
    }

    /// Removes a listener.
    pub(crate) fn detach(&self, id: u64) {
        let mut state = self.shared.lock();
        state.listeners.retain(|(listener, _)| *listener != id);
        // The thread sees it when something is played, and until then it sleeps.
        if state.listeners.is_empty()
            && let Some(encoder) = state.encoder.take()
        {
            self.shared.teardown.end(encoder.pipeline);
        }
    }
}

impl Shared {
    /// Reads while somebody listens.
    ///
    /// Opening waits for a server and reading for a program that plays, both for as long as it
    /// takes: hence a thread.
    fn run(self: &Arc<Self>) {
        let mut block = vec![0; PIPE_BYTES];
        let error = loop {
            let mut pipe = match File::open(&self.pipe) {
                Ok(pipe) => pipe,
                Err(error) => break Error::Sound(error),
            };
            let ended = loop {
                match pipe.read(&mut block) {
                    // The server ended; there may be another one soon.
                    Ok(0) => break None,
                    Ok(length) => match self.on_block(block.get(..length).unwrap_or_default()) {
                        Ok(true) => {}
                        Ok(false) => return,
                        Err(error) => break Some(error),
                    },
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    Err(error) => break Some(Error::Sound(error)),
                }
            };
            if let Some(error) = ended {
                break error;
            }
            if !self.goes_on(&mut self.lock()) {
                return;
            }
        };
        tracing::warn!(%error, "the desktop is not heard");
        self.lock().has_thread = false;
    }

    /// Whether somebody still listens; if not, the thread is about to end.
    fn goes_on(&self, state: &mut State) -> bool {
        state.has_thread = !state.listeners.is_empty();
        state.has_thread
    }

    /// Encodes what was played; says whether to go on.
    fn on_block(self: &Arc<Self>, block: &[u8]) -> Result<bool, Error> {
        let mut state = self.lock();
        if !self.goes_on(&mut state) {
            return Ok(false);
        }
        // What waited in the pipe since somebody listened last, or while we could not run.
        if block.len() > LATE_BYTES {
            return Ok(true);
        }
        let encoder = match &mut state.encoder {
            Some(encoder) => encoder,
            none => none.insert(Encoder::start(self)?),
        };
        encoder.push(block, self.timeline.at(Instant::now()));
        Ok(true)
    }

    fn on_packet(&self, packet: &gst::Buffer) {
        self.packets.fetch_add(1, Ordering::Relaxed);
        for (_, hear) in &self.lock().listeners {
            hear(packet);
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The pipeline that makes packets of what is played.
#[derive(Debug)]
struct Encoder {
    pipeline: gst::Pipeline,
    source: gst_app::AppSrc,
    /// When the next block begins, if it follows the last one.
    next: gst::ClockTime,
    /// How long it has been silent.
    silence: gst::ClockTime,
}

impl Encoder {
    fn start(shared: &Arc<Shared>) -> Result<Self, Error> {
        let raw = gst::Caps::builder("audio/x-raw")
            .field("format", "S16LE")
            .field("layout", "interleaved")
            .field("rate", RATE)
            .field("channels", 2_i32)
            .build();
        let source = gst_app::AppSrc::builder()
            .caps(&raw)
            .is_live(true)
            .format(gst::Format::Time)
            .max_bytes(LATE_BYTES as u64)
            .leaky_type(gst_app::AppLeakyType::Downstream)
            .build();
        let encoder = elements::make(ENCODER, "gstreamer1.0-plugins-base")?;
        for (property, value) in [
            ("audio-type", "restricted-lowdelay"),
            ("frame-size", "10"),
            ("bitrate", "96000"),
            ("bitrate-type", "constrained-vbr"),
            ("complexity", "5"),
        ] {
            elements::set(&encoder, property, value);
        }
        let weak = Arc::downgrade(shared);
        let sink = gst_app::AppSink::builder()
            .sync(false)
            .async_(false)
            .max_buffers(SINK_PACKETS)
            .drop(true)
            .callbacks(
                gst_app::AppSinkCallbacks::builder()
                    .new_sample(move |sink| {
                        let sample = sink.pull_sample().map_err(|_| gst::FlowError::Eos)?;
                        let shared = weak.upgrade().ok_or(gst::FlowError::Eos)?;
                        if let Some(packet) = sample.buffer_owned() {
                            shared.on_packet(&packet);
                        }
                        Ok(gst::FlowSuccess::Ok)
                    })
                    .build(),
            )
            .build();
        let pipeline = gst::Pipeline::new();
        shared.timeline.rule(&pipeline);
        let chain = [source.upcast_ref(), &encoder, sink.upcast_ref()];
        pipeline
            .add_many(chain)
            .map_err(|_| failed("it cannot be added"))?;
        gst::Element::link_many(chain).map_err(|_| failed("it cannot be linked"))?;
        if let Some(bus) = pipeline.bus() {
            bus.set_sync_handler(move |_, message| {
                if let gst::MessageView::Error(error) = message.view() {
                    tracing::warn!(error = %error.error(), "the desktop is not heard");
                }
                gst::BusSyncReply::Drop
            });
        }
        if pipeline.set_state(gst::State::Playing).is_err() {
            shared.teardown.end(pipeline);
            return Err(failed("it does not start"));
        }
        Ok(Self {
            pipeline,
            source,
            next: gst::ClockTime::ZERO,
            silence: gst::ClockTime::ZERO,
        })
    }

    /// Encodes a block that came now, unless it has been silent for a while: programs play nothing
    /// for hours.
    fn push(&mut self, block: &[u8], now: gst::ClockTime) {
        let frames = (block.len() / FRAME_BYTES) as u64;
        let length = gst::ClockTime::SECOND
            .mul_div_floor(frames, RATE.unsigned_abs().into())
            .unwrap_or_default();
        if block.iter().all(|byte| *byte == 0) {
            self.silence += length;
            if self.silence > SILENCE {
                return;
            }
        } else {
            self.silence = gst::ClockTime::ZERO;
        }
        let mut buffer = gst::Buffer::from_slice(block.to_vec());
        let at = buffer.make_mut();
        // Blocks come when the server has time, but what is in them was played without a gap.
        let begins = if self.next.absdiff(now) <= DRIFT {
            self.next
        } else {
            at.set_flags(gst::BufferFlags::DISCONT);
            now
        };
        at.set_pts(begins);
        at.set_duration(length);
        self.next = begins + length;
        if self.source.push_buffer(buffer).is_err() {
            tracing::trace!("the encoder of the sound is about to go");
        }
    }
}

fn failed(reason: &str) -> Error {
    Error::Failed {
        element: ENCODER,
        reason: reason.into(),
    }
}

/// The way of the sound inside one peer's pipeline: packets to RTP.
#[derive(Debug)]
pub(crate) struct SoundBranch {
    sound: Sound,
    source: gst_app::AppSrc,
    output: gst::Pad,
    state: Mutex<BranchState>,
}

#[derive(Debug, Default)]
struct BranchState {
    id: Option<u64>,
    connected: bool,
    muted: bool,
    ended: bool,
}

impl SoundBranch {
    /// Puts the elements into a pipeline.
    pub(crate) fn build(
        pipeline: &gst::Pipeline,
        audio: &Audio,
        sound: Sound,
    ) -> Result<Self, Error> {
        let ssrc = glib::random_int().max(1);
        let opus = gst::Caps::builder("audio/x-opus")
            .field("rate", 48_000_i32)
            .field("channels", 2_i32)
            .field("channel-mapping-family", 0_i32)
            .build();
        let source = gst_app::AppSrc::builder()
            .caps(&opus)
            .is_live(true)
            .format(gst::Format::Time)
            .max_buffers(BRANCH_PACKETS)
            .leaky_type(gst_app::AppLeakyType::Downstream)
            .build();
        let payloader = elements::make("rtpopuspay", "gstreamer1.0-plugins-good")?;
        elements::set(&payloader, "pt", &audio.payload.to_string());
        elements::set(&payloader, "ssrc", &ssrc.to_string());
        // Numbers of its own among those of the session would make the browser report thousands of losses.
        elements::set(&payloader, "auto-header-extension", "false");
        let filter = elements::make("capsfilter", "libgstreamer1.0-0")?;
        let rtp = gst::Caps::builder("application/x-rtp")
            .field("media", "audio")
            .field("encoding-name", "OPUS")
            .field("clock-rate", 48_000_i32)
            .field("payload", i32::from(audio.payload))
            .field("ssrc", ssrc)
            .build();
        filter.set_property("caps", rtp);
        let chain = [source.upcast_ref(), &payloader, &filter];
        pipeline
            .add_many(chain)
            .map_err(|_| failed("it cannot be added"))?;
        gst::Element::link_many(chain).map_err(|_| failed("it cannot be linked"))?;
        let output = filter
            .static_pad("src")
            .ok_or_else(|| failed("no output"))?;
        Ok(Self {
            sound,
            source,
            output,
            state: Mutex::default(),
        })
    }

    /// The pad that RTP comes out of.
    pub(crate) fn output(&self) -> &gst::Pad {
        &self.output
    }

    /// The peer is connected.
    pub(crate) fn connect(&self) {
        self.change(|state| state.connected = true);
    }

    /// The viewer wants to hear nothing, or to hear again.
    pub(crate) fn set_muted(&self, muted: bool) {
        self.change(|state| state.muted = muted);
    }

    /// The peer goes.
    pub(crate) fn end(&self) {
        self.change(|state| state.ended = true);
    }

    fn change(&self, change: impl FnOnce(&mut BranchState)) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        change(&mut state);
        let listens = state.connected && !state.muted && !state.ended;
        match (listens, state.id) {
            (true, None) => {
                let source = self.source.clone();
                let hear = move |packet: &gst::Buffer| {
                    if source.push_buffer(packet.clone()).is_err() {
                        tracing::trace!("a listener is about to go");
                    }
                };
                state.id = Some(self.sound.attach(hear));
            }
            (false, Some(id)) => {
                state.id = None;
                self.sound.detach(id);
            }
            _ => {}
        }
    }
}

/// The element that encodes.
const ENCODER: &str = "opusenc";

/// Samples of each side in a second.
const RATE: i32 = 48_000;

/// A sample of both sides.
const FRAME_BYTES: usize = 4;

/// What a pipe holds.
const PIPE_BYTES: usize = 65_536;

/// A tenth of a second; more than this in one read is not worth hearing any more.
const LATE_BYTES: usize = RATE as usize / 10 * FRAME_BYTES;

/// How far what was played may be from the clock before it is taken for something new.
const DRIFT: gst::ClockTime = gst::ClockTime::from_mseconds(60);

/// How long silence is still sent, so that what decays is heard to its end.
const SILENCE: gst::ClockTime = gst::ClockTime::from_mseconds(300);

/// Packets that may wait for us; older ones are dropped.
const SINK_PACKETS: u32 = 8;

/// Packets that may wait in one peer; older ones are dropped.
const BRANCH_PACKETS: u64 = 8;
