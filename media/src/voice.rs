//! The way of a viewer's voice inside their peer's pipeline: RTP to samples.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Instant;

use gstreamer as gst;
use gstreamer::prelude::*;
use gstreamer_app as gst_app;

use crate::microphone::VoiceId;
use crate::{Error, Microphone, elements};

/// What a viewer says, as far as it is listened to.
#[derive(Debug)]
pub(crate) struct VoiceBranch {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    microphone: Microphone,
    id: VoiceId,
    /// Whether it is listened to, asked for each packet.
    open: Mutex<Option<Arc<AtomicBool>>>,
    /// A stream is decoded; there is one.
    taken: AtomicBool,
    /// It was said that the microphone takes nothing.
    failed: AtomicBool,
}

impl VoiceBranch {
    /// Makes one for this microphone, which nobody listens to yet.
    pub(crate) fn new(microphone: Microphone) -> Self {
        let shared = Shared {
            id: microphone.voice(),
            microphone,
            open: Mutex::default(),
            taken: AtomicBool::new(false),
            failed: AtomicBool::new(false),
        };
        Self {
            shared: Arc::new(shared),
        }
    }

    /// Listens for as long as this is true, or not at all.
    pub(crate) fn set_open(&self, open: Option<Arc<AtomicBool>>) {
        let closed = open.is_none();
        *self.shared.lock() = open;
        if closed {
            self.shared.microphone.end(self.shared.id);
        }
    }
}

impl Drop for VoiceBranch {
    fn drop(&mut self) {
        self.set_open(None);
    }
}

impl Shared {
    fn is_open(&self) -> bool {
        is_true(self.lock().as_ref())
    }

    fn on_sound(&self, sound: &gst::Buffer) {
        let Ok(bytes) = sound.map_readable() else {
            return;
        };
        // Once more: it may have been closed while this was decoded, and must not be while it is heard.
        let open = self.lock();
        if !is_true(open.as_ref()) {
            return;
        }
        let samples: Vec<i16> = bytes
            .chunks_exact(2)
            .filter_map(|it| Some(i16::from_le_bytes(it.try_into().ok()?)))
            .collect();
        if let Err(error) = self.microphone.hear(self.id, &samples, Instant::now())
            && !self.failed.swap(true, Ordering::Relaxed)
        {
            tracing::warn!(%error, "a voice is not heard");
        }
    }

    fn lock(&self) -> MutexGuard<'_, Option<Arc<AtomicBool>>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn is_true(open: Option<&Arc<AtomicBool>>) -> bool {
    open.is_some_and(|open| open.load(Ordering::Acquire))
}

/// Takes whatever a browser sends from now on: its voice where one is wanted. The rest is dropped,
/// since a pipeline fails when something in it leads nowhere.
pub(crate) fn receive(
    pipeline: &gst::Pipeline,
    webrtcbin: &gst::Element,
    voice: Option<&VoiceBranch>,
) {
    limit_streams(webrtcbin);
    let pipeline = pipeline.downgrade();
    let voice = voice.map(|voice| Arc::downgrade(&voice.shared));
    webrtcbin.connect_pad_added(move |_, pad| {
        if pad.direction() != gst::PadDirection::Src {
            return;
        }
        let Some(pipeline) = pipeline.upgrade() else {
            return;
        };
        let voice = voice.as_ref().and_then(Weak::upgrade);
        let taken = match voice.filter(|voice| !voice.taken.swap(true, Ordering::AcqRel)) {
            Some(voice) => decode(&pipeline, pad, &voice),
            None => discard(&pipeline, pad),
        };
        if let Err(error) = taken {
            tracing::warn!(%error, "what a browser sends leads nowhere");
        }
    });
}

/// Each stream costs memory until the peer goes, and a browser has a few.
fn limit_streams(webrtcbin: &gst::Element) {
    let rtpbin = webrtcbin
        .downcast_ref::<gst::Bin>()
        .and_then(|bin| bin.by_name("rtpbin"));
    if let Some(rtpbin) = rtpbin.filter(|it| it.find_property("max-streams").is_some()) {
        rtpbin.set_property("max-streams", STREAMS);
    }
}

fn decode(pipeline: &gst::Pipeline, pad: &gst::Pad, voice: &Arc<Shared>) -> Result<(), Error> {
    let gate = Arc::downgrade(voice);
    pad.add_probe(
        gst::PadProbeType::BUFFER | gst::PadProbeType::BUFFER_LIST,
        move |_, _| match gate.upgrade() {
            Some(voice) if voice.is_open() => gst::PadProbeReturn::Ok,
            _ => gst::PadProbeReturn::Drop,
        },
    );
    let depayloader = elements::make("rtpopusdepay", "gstreamer1.0-plugins-good")?;
    let decoder = elements::make("opusdec", "gstreamer1.0-plugins-base")?;
    elements::set(&decoder, "plc", "true");
    let raw = gst::Caps::builder("audio/x-raw")
        .field("format", "S16LE")
        .field("layout", "interleaved")
        .field("rate", 48_000_i32)
        .field("channels", 1_i32)
        .build();
    let ear = Arc::downgrade(voice);
    let sink = gst_app::AppSink::builder()
        .caps(&raw)
        .sync(false)
        .async_(false)
        .max_buffers(SINK_BLOCKS)
        .drop(true)
        .callbacks(
            gst_app::AppSinkCallbacks::builder()
                .new_sample(move |sink| {
                    let sample = sink.pull_sample().map_err(|_| gst::FlowError::Eos)?;
                    let voice = ear.upgrade().ok_or(gst::FlowError::Eos)?;
                    if let Some(sound) = sample.buffer_owned() {
                        voice.on_sound(&sound);
                    }
                    Ok(gst::FlowSuccess::Ok)
                })
                .build(),
        )
        .build();
    lead(pipeline, pad, &[depayloader, decoder, sink.upcast()])
}

fn discard(pipeline: &gst::Pipeline, pad: &gst::Pad) -> Result<(), Error> {
    let sink = elements::make("fakesink", "libgstreamer1.0-0")?;
    elements::set(&sink, "async", "false");
    elements::set(&sink, "sync", "false");
    lead(pipeline, pad, &[sink])
}

/// Puts a chain of elements behind a pad.
fn lead(pipeline: &gst::Pipeline, pad: &gst::Pad, chain: &[gst::Element]) -> Result<(), Error> {
    pipeline
        .add_many(chain)
        .map_err(|_| failed("it cannot be added"))?;
    gst::Element::link_many(chain).map_err(|_| failed("it cannot be linked"))?;
    for element in chain.iter().rev() {
        element
            .sync_state_with_parent()
            .map_err(|_| failed("it does not start"))?;
    }
    let input = chain.first().and_then(|first| first.static_pad("sink"));
    let input = input.ok_or_else(|| failed("it has no input"))?;
    pad.link(&input)
        .map_err(|_| failed("it takes nothing"))
        .map(drop)
}

fn failed(reason: &str) -> Error {
    Error::Failed {
        element: "opusdec",
        reason: reason.into(),
    }
}

/// The streams that one browser may send, those of its reports among them.
const STREAMS: u32 = 16;

/// Blocks that may wait for us; older ones are dropped.
const SINK_BLOCKS: u32 = 8;
