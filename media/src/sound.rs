//! The sound of the desktop: captured and encoded once, handed to every peer that listens.
//!
//! It runs only while somebody listens, and even then only while a program plays: the capture is
//! passive, so that a silent desktop stays asleep.

use std::os::fd::IntoRawFd as _;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use gstreamer as gst;
use gstreamer::glib;
use gstreamer::prelude::*;
use gstreamer_app as gst_app;

use crate::media::Timeline;
use crate::offer::Audio;
use crate::{Error, elements};

/// Where the sound of a desktop comes from; cloning it gives another handle.
#[derive(Clone, Debug)]
pub struct Sound {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    socket: PathBuf,
    sink: String,
    timeline: Timeline,
    state: Mutex<State>,
    /// Rings for the thread that captures.
    changed: Condvar,
    /// Packets so far.
    packets: AtomicU64,
}

#[derive(Debug, Default)]
struct State {
    listeners: Vec<(u64, gst_app::AppSrc)>,
    last_id: u64,
    has_thread: bool,
    /// The capture broke.
    failed: bool,
}

impl Sound {
    /// Prepares to listen to a sink of the PipeWire server at this socket.
    pub(crate) fn new(socket: &Path, sink: &str, timeline: Timeline) -> Self {
        let shared = Shared {
            socket: socket.to_owned(),
            sink: sink.to_owned(),
            timeline,
            state: Mutex::default(),
            changed: Condvar::new(),
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

    /// Hands every packet to this element from now on; returns at once.
    fn attach(&self, source: gst_app::AppSrc) -> u64 {
        let mut state = self.shared.lock();
        state.last_id += 1;
        let id = state.last_id;
        state.listeners.push((id, source));
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

    fn detach(&self, id: u64) {
        let mut state = self.shared.lock();
        state.listeners.retain(|(listener, _)| *listener != id);
        drop(state);
        self.shared.changed.notify_all();
    }
}

impl Shared {
    /// Captures while somebody listens.
    ///
    /// Starting waits for a program that plays, for half a minute at a time, and cannot be cut
    /// short: hence a thread.
    fn run(self: &Arc<Self>) {
        loop {
            {
                let mut state = self.lock();
                state.failed = false;
                if state.listeners.is_empty() {
                    state.has_thread = false;
                    return;
                }
            }
            let started = Instant::now();
            match capture(self) {
                Ok(pipeline) => {
                    self.wait(None);
                    end(&pipeline);
                }
                // Nothing played all the while.
                Err(_) if started.elapsed() > RETRY => {}
                Err(error) => {
                    tracing::warn!(%error, "the desktop is not heard");
                    self.wait(Some(RETRY));
                }
            }
        }
    }

    /// Waits until nobody listens, or the capture breaks where there is one, or the time is over.
    fn wait(&self, at_most: Option<Duration>) {
        let deadline = at_most.map(|time| Instant::now() + time);
        let mut state = self.lock();
        while !state.listeners.is_empty() && (at_most.is_some() || !state.failed) {
            state = match deadline.map(|at| at.saturating_duration_since(Instant::now())) {
                Some(Duration::ZERO) => return,
                Some(left) => {
                    let waited = self.changed.wait_timeout(state, left);
                    waited.unwrap_or_else(PoisonError::into_inner).0
                }
                None => {
                    let waited = self.changed.wait(state);
                    waited.unwrap_or_else(PoisonError::into_inner)
                }
            };
        }
    }

    fn on_packet(&self, packet: &gst::Buffer) {
        self.packets.fetch_add(1, Ordering::Relaxed);
        for (_, source) in &self.lock().listeners {
            if source.push_buffer(packet.clone()).is_err() {
                tracing::trace!("a listener is about to go");
            }
        }
    }

    fn on_error(&self, error: &glib::Error) {
        tracing::debug!(%error, "the capture of the sound broke");
        self.lock().failed = true;
        self.changed.notify_all();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn end(pipeline: &gst::Pipeline) {
    if pipeline.set_state(gst::State::Null).is_err() {
        tracing::debug!("the capture of the sound does not stop");
    }
}

/// Builds and starts the pipeline that captures and encodes.
fn capture(shared: &Arc<Shared>) -> Result<gst::Pipeline, Error> {
    let source = elements::make(SOURCE, "gstreamer1.0-pipewire")?;
    source.set_property("fd", connect(&shared.socket)?);
    elements::set(&source, "target-object", &shared.sink);
    // What keeps the graph running are the programs that play, not we.
    elements::set(
        &source,
        "stream-properties",
        "props,stream.capture.sink=true,node.passive=true,node.latency=(string)480/48000,\
         node.name=vroomd,media.role=Music",
    );
    elements::set(&source, "client-name", "vroomd");
    elements::set(&source, "do-timestamp", "true");
    let convert = elements::make("audioconvert", "gstreamer1.0-plugins-base")?;
    let resample = elements::make("audioresample", "gstreamer1.0-plugins-base")?;
    let filter = elements::make("capsfilter", "libgstreamer1.0-0")?;
    let raw = gst::Caps::builder("audio/x-raw")
        .field("format", "S16LE")
        .field("rate", 48_000_i32)
        .field("channels", 2_i32)
        .build();
    filter.set_property("caps", raw);
    let encoder = elements::make("opusenc", "gstreamer1.0-plugins-base")?;
    for (property, value) in [
        ("audio-type", "restricted-lowdelay"),
        ("frame-size", "10"),
        ("bitrate", "96000"),
        ("bitrate-type", "constrained-vbr"),
        ("complexity", "5"),
    ] {
        elements::set(&encoder, property, value);
    }
    mute_silence(&encoder)?;
    let weak = Arc::downgrade(shared);
    let sink = gst_app::AppSink::builder()
        .sync(false)
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
    let chain = [
        &source,
        &convert,
        &resample,
        &filter,
        &encoder,
        sink.upcast_ref(),
    ];
    pipeline
        .add_many(chain)
        .map_err(|_| failed("it cannot be added"))?;
    gst::Element::link_many(chain).map_err(|_| failed("it cannot be linked"))?;
    let weak = Arc::downgrade(shared);
    if let Some(bus) = pipeline.bus() {
        bus.set_sync_handler(move |_, message| {
            if let gst::MessageView::Error(error) = message.view()
                && let Some(shared) = weak.upgrade()
            {
                shared.on_error(&error.error());
            }
            gst::BusSyncReply::Drop
        });
    }
    if pipeline.set_state(gst::State::Playing).is_err() {
        end(&pipeline);
        return Err(failed("it does not start"));
    }
    Ok(pipeline)
}

/// Keeps back what is silent for longer than a moment: programs that play nothing for hours.
fn mute_silence(encoder: &gst::Element) -> Result<(), Error> {
    let input = encoder
        .static_pad("sink")
        .ok_or_else(|| failed("no input"))?;
    let state = Mutex::new((gst::ClockTime::ZERO, false));
    input.add_probe(gst::PadProbeType::BUFFER, move |_, info| {
        let Some(buffer) = info.buffer_mut() else {
            return gst::PadProbeReturn::Ok;
        };
        let is_silent = buffer
            .map_readable()
            .is_ok_and(|map| map.iter().all(|byte| *byte == 0));
        let mut state = state.lock().unwrap_or_else(PoisonError::into_inner);
        let (silence, muted) = &mut *state;
        if is_silent {
            *silence += buffer.duration().unwrap_or_default();
            if *silence > SILENCE {
                *muted = true;
                return gst::PadProbeReturn::Drop;
            }
        } else {
            *silence = gst::ClockTime::ZERO;
            if std::mem::take(muted) {
                buffer.make_mut().set_flags(gst::BufferFlags::DISCONT);
            }
        }
        gst::PadProbeReturn::Ok
    });
    Ok(())
}

/// A connection to the server, which the element closes.
fn connect(socket: &Path) -> Result<i32, Error> {
    let stream = UnixStream::connect(socket);
    let stream = stream.map_err(|error| failed(&format!("{}: {error}", socket.display())))?;
    Ok(stream.into_raw_fd())
}

fn failed(reason: &str) -> Error {
    Error::Failed {
        element: SOURCE,
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
            (true, None) => state.id = Some(self.sound.attach(self.source.clone())),
            (false, Some(id)) => {
                state.id = None;
                self.sound.detach(id);
            }
            _ => {}
        }
    }
}

/// The element that captures.
const SOURCE: &str = "pipewiresrc";

/// How long to wait after a failure; one that took longer was waiting itself.
const RETRY: Duration = Duration::from_secs(5);

/// How long silence is still sent, so that what decays is heard to its end.
const SILENCE: gst::ClockTime = gst::ClockTime::from_mseconds(300);

/// Packets that may wait for us; older ones are dropped.
const SINK_PACKETS: u32 = 8;

/// Packets that may wait in one peer; older ones are dropped.
const BRANCH_PACKETS: u64 = 8;
