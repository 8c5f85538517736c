//! The way of the picture inside one peer's pipeline: access units to RTP.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Instant;

use gstreamer as gst;
use gstreamer::glib;
use gstreamer::prelude::*;
use gstreamer_app as gst_app;
use gstreamer_rtp as gst_rtp;
use gstreamer_rtp::prelude::*;
use gstreamer_video as gst_video;
use tokio::sync::Notify;

use crate::Error;
use crate::codec::output_caps;
use crate::elements;
use crate::events::EventSender;
use crate::fanout::{Listener, Pushed};
use crate::offer::{TRANSPORT_CC_URI, Video};
use crate::playout::{PLAYOUT_DELAY_URI, PlayoutDelay};
use crate::rungs::{Rungs, ViewerId};
use crate::stamps::{Recent, rtp_time};
use crate::units::Unit;

/// `appsrc ! rtph264pay ! capsfilter`, to be linked to a webrtcbin.
#[derive(Debug)]
pub(crate) struct Branch {
    source: gst_app::AppSrc,
    output: gst::Pad,
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
    /// Puts the elements into a pipeline.
    ///
    /// What the browser asks for (a key frame after a loss) goes to the encoder.
    pub(crate) fn build(
        pipeline: &gst::Pipeline,
        video: &Video,
        encoder: &Arc<Rungs>,
        events: EventSender,
    ) -> Result<Arc<Self>, Error> {
        let ssrc = glib::random_int().max(1);
        let source = gst_app::AppSrc::builder()
            .caps(&output_caps())
            .is_live(true)
            .format(gst::Format::Time)
            .build();
        let payloader = payloader(video, ssrc)?;
        let filter = elements::make("capsfilter", "libgstreamer1.0-0")?;
        filter.set_property("caps", rtp_caps(video, ssrc));
        let failed = |_| Error::Failed {
            element: "rtph264pay",
            reason: "it cannot be linked".into(),
        };
        let elements = [source.upcast_ref(), &payloader, &filter];
        pipeline.add_many(elements).map_err(failed)?;
        gst::Element::link_many(elements).map_err(failed)?;
        let pads = source.static_pad("src").zip(filter.static_pad("src"));
        let (input, output) = pads.ok_or_else(|| Error::Failed {
            element: "rtph264pay",
            reason: "it has no pads".into(),
        })?;
        let viewer = encoder.reserve();
        let encoder = Arc::clone(encoder);
        input.add_probe(gst::PadProbeType::EVENT_UPSTREAM, move |_, info| {
            if info
                .event()
                .is_some_and(|it| gst_video::ForceKeyUnitEvent::is(it))
            {
                encoder.receiver_asks_key_frame(viewer);
            }
            gst::PadProbeReturn::Ok
        });
        let sent = Arc::new(Recent::default());
        let noted = Arc::clone(&sent);
        let packets = gst::PadProbeType::BUFFER | gst::PadProbeType::BUFFER_LIST;
        output.add_probe(packets, move |_, info| {
            let first = match &info.data {
                Some(gst::PadProbeData::Buffer(buffer)) => Some(buffer.as_ref()),
                Some(gst::PadProbeData::BufferList(list)) => list.get(0),
                _ => None,
            };
            if let Some(pts) = first.and_then(gst::BufferRef::pts) {
                noted.note(rtp_time(pts.useconds()), Instant::now());
            }
            gst::PadProbeReturn::Ok
        });
        Ok(Arc::new(Self {
            source,
            output,
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
        self.units.fetch_add(1, Ordering::Relaxed);
        self.bytes
            .fetch_add(unit.buffer.size() as u64, Ordering::Relaxed);
        match self.source.push_buffer(unit.buffer.clone()) {
            Ok(_) => {
                self.flowed.notify_one();
                Pushed::Taken
            }
            Err(_) => Pushed::Behind,
        }
    }

    fn end(&self) {
        self.events.close("the encoder has ended");
    }
}

fn payloader(video: &Video, ssrc: u32) -> Result<gst::Element, Error> {
    let payloader = elements::make("rtph264pay", "gstreamer1.0-plugins-good")?;
    elements::set(&payloader, "aggregate-mode", "zero-latency");
    elements::set(&payloader, "config-interval", "-1");
    elements::set(&payloader, "mtu", "1200");
    elements::set(&payloader, "pt", &video.payload.to_string());
    elements::set(&payloader, "ssrc", &ssrc.to_string());
    // The time in a packet names its picture; what hides it from others is the encryption.
    elements::set(&payloader, "timestamp-offset", "0");
    if let Some(id) = video.playout_delay {
        payloader.emit_by_name::<()>("add-extension", &[&PlayoutDelay::new(id)]);
    }
    if let Some(id) = video.transport_cc
        && let Some(numbers) = gst_rtp::RTPHeaderExtension::create_from_uri(TRANSPORT_CC_URI)
    {
        numbers.set_id(id.into());
        payloader.emit_by_name::<()>("add-extension", &[&numbers]);
    }
    Ok(payloader)
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
