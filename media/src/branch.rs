//! The way of the picture inside one peer's pipeline: access units to RTP.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use gstreamer as gst;
use gstreamer::prelude::*;
use gstreamer_app as gst_app;
use gstreamer_video as gst_video;
use tokio::sync::Notify;

use crate::events::EventSender;
use crate::fanout::{Listener, Pushed};
use crate::header::Header;
use crate::offer::{PLAYOUT_DELAY_URI, TRANSPORT_CC_URI, Video};
use crate::packets::{self, Payload};
use crate::rungs::{Rungs, ViewerId};
use crate::stamps::{Recent, rtp_time};
use crate::units::Unit;
use crate::{Error, elements};

/// An `appsrc` that gives RTP packets, to be linked to a webrtcbin.
#[derive(Debug)]
pub(crate) struct Branch {
    source: gst_app::AppSrc,
    caps: gst::Caps,
    output: gst::Pad,
    /// What becomes of the access units that wait in the source, in their order.
    waiting: Arc<Mutex<VecDeque<Arc<[Payload]>>>>,
    behind: AtomicBool,
    flowed: Notify,
    viewer: ViewerId,
    events: EventSender,
    /// When pictures were packets.
    pub(crate) sent: Arc<Recent<Instant>>,
    /// Access units that went into the pipeline.
    pub(crate) units: AtomicU64,
    /// Their bytes.
    pub(crate) bytes: AtomicU64,
}

impl Branch {
    /// Puts the element into a pipeline.
    ///
    /// What the browser asks for (a key frame after a loss) goes to the encoder.
    pub(crate) fn build(
        pipeline: &gst::Pipeline,
        video: &Video,
        encoder: &Arc<Rungs>,
        events: EventSender,
    ) -> Result<Arc<Self>, Error> {
        elements::find(packets::PAYLOADER).ok_or(Error::Missing {
            element: packets::PAYLOADER,
            package: packets::PACKAGE,
        })?;
        let header = Header::new(video);
        let caps = rtp_caps(video, header.ssrc);
        let source = gst_app::AppSrc::builder()
            .is_live(true)
            .format(gst::Format::Time)
            .build();
        let failed = |reason: &str| Error::Failed {
            element: "appsrc",
            reason: reason.into(),
        };
        pipeline
            .add(&source)
            .map_err(|_| failed("it cannot be added"))?;
        let output = source
            .static_pad("src")
            .ok_or_else(|| failed("it has no pad"))?;
        promise(&output, caps.clone());
        let viewer = encoder.reserve();
        let encoder = Arc::clone(encoder);
        output.add_probe(gst::PadProbeType::EVENT_UPSTREAM, move |_, info| {
            if info
                .event()
                .is_some_and(|it| gst_video::ForceKeyUnitEvent::is(it))
            {
                encoder.receiver_asks_key_frame(viewer);
            }
            gst::PadProbeReturn::Ok
        });
        let sent = Arc::new(Recent::default());
        let waiting = Arc::<Mutex<VecDeque<Arc<[Payload]>>>>::default();
        let (noted, due) = (Arc::clone(&sent), Arc::clone(&waiting));
        // Here each viewer has a thread of its own. The source could take the packets as a list, but
        // stumbles over one when it is stopped.
        output.add_probe(gst::PadProbeType::BUFFER, move |output, info| {
            let pts = info.buffer().and_then(|unit| unit.pts());
            let Some((payloads, pts)) = lock(&due).pop_front().zip(pts) else {
                return gst::PadProbeReturn::Drop;
            };
            let packets = header.packets(&payloads, pts);
            noted.note(rtp_time(pts.useconds()), Instant::now());
            info.data = None;
            info.flow_res = output.push_list(packets).map(|_| gst::FlowSuccess::Ok);
            gst::PadProbeReturn::Handled
        });
        Ok(Arc::new(Self {
            source,
            caps,
            output,
            waiting,
            sent,
            behind: AtomicBool::new(false),
            flowed: Notify::new(),
            viewer,
            events,
            units: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
        }))
    }

    /// What the encoder calls it.
    pub(crate) fn viewer(&self) -> ViewerId {
        self.viewer
    }

    /// Waits for the next access unit to be sent.
    pub(crate) async fn flowed(&self) {
        self.flowed.notified().await;
    }

    /// The pad that RTP comes out of.
    pub(crate) fn output(&self) -> &gst::Pad {
        &self.output
    }
}

impl Listener for Branch {
    fn is_ready(&self) -> bool {
        !self.behind.load(Ordering::Relaxed) || self.source.current_level_buffers() == 0
    }

    fn push(&self, unit: &Unit) -> Pushed {
        let behind = self.source.current_level_buffers() >= BRANCH_UNITS;
        self.behind.store(behind, Ordering::Relaxed);
        if behind {
            return Pushed::Resync;
        }
        let Some(payloads) = unit.payloads().filter(|it| !it.is_empty()) else {
            return Pushed::Resync;
        };
        // Not before: with caps that came while it answers, webrtcbin may not find the picture's place.
        if self.units.load(Ordering::Relaxed) == 0 {
            self.source.set_caps(Some(&self.caps));
        }
        lock(&self.waiting).push_back(payloads);
        self.units.fetch_add(1, Ordering::Relaxed);
        self.bytes
            .fetch_add(unit.buffer.size() as u64, Ordering::Relaxed);
        match self.source.push_buffer(unit.buffer.clone()) {
            Ok(_) => {
                self.flowed.notify_one();
                Pushed::Taken
            }
            Err(_) => {
                lock(&self.waiting).pop_back();
                Pushed::Behind
            }
        }
    }

    fn end(&self) {
        self.events.close("the encoder has ended");
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Says before anything flows what a pad will send.
fn promise(pad: &gst::Pad, caps: gst::Caps) {
    pad.add_probe(gst::PadProbeType::QUERY_UPSTREAM, move |_, info| {
        let Some(gst::QueryViewMut::Caps(query)) = info.query_mut().map(gst::QueryRef::view_mut)
        else {
            return gst::PadProbeReturn::Ok;
        };
        let wanted = query.filter_owned();
        query.set_result(&wanted.map_or_else(|| caps.clone(), |it| it.intersect(&caps)));
        gst::PadProbeReturn::Handled
    });
}

/// What webrtcbin must know before it answers, when no packet has flowed yet.
///
/// Without our SSRC the answer announces none, and the browser decodes a stream that it never
/// shows. Without the extension's line the answer does not have it, and the browser ignores it.
fn rtp_caps(video: &Video, ssrc: u32) -> gst::Caps {
    let mut caps = gst::Structure::builder("application/x-rtp")
        .field("media", "video")
        .field("encoding-name", "H264")
        .field("clock-rate", 90_000_i32)
        .field("payload", i32::from(video.payload))
        .field("packetization-mode", "1")
        .field("ssrc", ssrc);
    if let Some(id) = video.playout_delay {
        caps = caps.field(format!("extmap-{id}"), PLAYOUT_DELAY_URI);
    }
    if let Some(id) = video.transport_cc {
        caps = caps.field(format!("extmap-{id}"), TRANSPORT_CC_URI);
    }
    gst::Caps::from(caps.build())
}

/// Access units that may wait in one peer; one more and it goes on with a key frame.
const BRANCH_UNITS: u64 = 8;
