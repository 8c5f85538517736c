//! Stands in for a browser: the other end of a peer, made of the same elements.

use std::sync::Arc;
use std::sync::mpsc;
use std::time::Duration;

use gstreamer as gst;
use gstreamer::glib;
use gstreamer::prelude::*;
use gstreamer_app as gst_app;
use gstreamer_sdp as gst_sdp;
use gstreamer_video as gst_video;
use gstreamer_video::prelude::*;
use gstreamer_webrtc::{
    WebRTCBundlePolicy, WebRTCDataChannel, WebRTCICEGatheringState, WebRTCRTPTransceiver,
    WebRTCRTPTransceiverDirection, WebRTCSDPType, WebRTCSessionDescription,
};
use vroom_desktop::Size;
use vroom_media::{Answer, Offer};

use super::{DEADLINE, Picture};

/// One browser that receives a picture and has data channels.
pub(crate) struct Browser {
    pipeline: gst::Pipeline,
    webrtcbin: gst::Element,
    pictures: mpsc::Receiver<Picture>,
    messages: mpsc::Receiver<(String, Vec<u8>)>,
    message: mpsc::Sender<(String, Vec<u8>)>,
}

impl Browser {
    /// One that decodes what it gets, or throws it away.
    pub(crate) fn new(decodes: bool) -> Self {
        gst::init().unwrap();
        let pipeline = gst::Pipeline::new();
        let webrtcbin = gst::ElementFactory::make("webrtcbin")
            .property("bundle-policy", WebRTCBundlePolicy::MaxBundle)
            .property("latency", LATENCY_MS)
            .build()
            .unwrap();
        let ice = webrtcbin.property::<gst::Object>("ice-agent");
        assert!(ice.emit_by_name::<bool>("add-local-ip-address", &[&"127.0.0.1"]));
        ice.set_property("ice-tcp", false);
        ice.property::<glib::Object>("agent")
            .set_property("upnp", false);
        pipeline.add(&webrtcbin).unwrap();
        pipeline
            .bus()
            .unwrap()
            .set_sync_handler(|_, _| gst::BusSyncReply::Drop);
        let (picture, pictures) = mpsc::channel();
        let into = pipeline.downgrade();
        webrtcbin.connect_pad_added(move |webrtcbin, pad| {
            report_as_browsers_do(webrtcbin);
            if let Some(pipeline) = into.upgrade() {
                show(&pipeline, pad, decodes.then(|| picture.clone()));
            }
        });
        let (message, messages) = mpsc::channel();
        let forward = message.clone();
        webrtcbin.connect("prepare-data-channel", false, move |values| {
            let channel = values[1].get::<WebRTCDataChannel>().unwrap();
            listen(&channel, forward.clone());
            None
        });
        pipeline.set_state(gst::State::Playing).unwrap();
        Self {
            pipeline,
            webrtcbin,
            pictures,
            messages,
            message,
        }
    }

    /// Makes an offer for a picture and the control channel, with all candidates in it.
    pub(crate) fn offer(&self) -> (Offer, WebRTCDataChannel) {
        let caps = gst::Caps::builder("application/x-rtp")
            .field("media", "video")
            .field("encoding-name", "H264")
            .field("clock-rate", 90_000_i32)
            .field("payload", 102_i32)
            .field("packetization-mode", "1")
            .field("profile-level-id", "42e01f")
            // As Chromium: it reports the arrival of every packet.
            .field("rtcp-fb-transport-cc", true)
            .field("extmap-3", TRANSPORT_CC_URI)
            .build();
        let direction = WebRTCRTPTransceiverDirection::Recvonly;
        // Without NACK: its jitter buffer asks for packets that an idle desktop has not sent yet,
        // counts them as lost, and drops them when they come. Browsers do no such thing.
        let transceiver = self
            .webrtcbin
            .emit_by_name::<WebRTCRTPTransceiver>("add-transceiver", &[&direction, &caps]);
        transceiver.set_property("do-nack", false);
        let control = self.channel("omux/control", Some(0));
        let (gathered, complete) = mpsc::channel();
        self.webrtcbin
            .connect_notify(Some("ice-gathering-state"), move |webrtcbin, _| {
                let state = webrtcbin.property::<WebRTCICEGatheringState>("ice-gathering-state");
                if state == WebRTCICEGatheringState::Complete {
                    gathered.send(()).unwrap();
                }
            });
        let offer = self.description("create-offer", "offer");
        self.apply("set-local-description", &offer);
        complete.recv_timeout(DEADLINE).unwrap();
        let local = self
            .webrtcbin
            .property::<WebRTCSessionDescription>("local-description");
        let offer = Offer {
            sdp: local.sdp().as_text().unwrap(),
            candidates: Vec::new(),
        };
        (offer, control)
    }

    pub(crate) fn accept(&self, answer: &Answer) {
        let sdp = gst_sdp::SDPMessage::parse_buffer(answer.sdp.as_bytes()).unwrap();
        let answer = WebRTCSessionDescription::new(WebRTCSDPType::Answer, sdp);
        self.apply("set-remote-description", &answer);
    }

    /// Makes a data channel; with an id it is one that both sides make.
    pub(crate) fn channel(&self, label: &str, id: Option<i32>) -> WebRTCDataChannel {
        let mut options = gst::Structure::builder("options").field("ordered", true);
        if let Some(id) = id {
            options = options.field("negotiated", true).field("id", id);
        }
        self.webrtcbin
            .emit_by_name("create-data-channel", &[&label, &options.build()])
    }

    /// The next picture that was decoded.
    pub(crate) fn picture(&self) -> Picture {
        self.pictures.recv_timeout(DEADLINE).unwrap()
    }

    /// How many pictures were decoded since somebody looked last.
    pub(crate) fn drain(&self) -> u32 {
        self.pictures.try_iter().map(|_| 1).sum()
    }

    /// Whether a picture comes within this time.
    pub(crate) fn has_picture_within(&self, time: Duration) -> bool {
        self.pictures.recv_timeout(time).is_ok()
    }

    /// The next message, with the label of its channel.
    pub(crate) fn message(&self) -> (String, Vec<u8>) {
        self.messages.recv_timeout(DEADLINE).unwrap()
    }

    fn description(&self, action: &str, member: &str) -> WebRTCSessionDescription {
        let promise = gst::Promise::new();
        let options = None::<gst::Structure>;
        self.webrtcbin
            .emit_by_name::<()>(action, &[&options, &promise]);
        promise.wait();
        promise.get_reply().unwrap().get(member).unwrap()
    }

    fn apply(&self, action: &str, description: &WebRTCSessionDescription) {
        let promise = gst::Promise::new();
        self.webrtcbin
            .emit_by_name::<()>(action, &[description, &promise]);
        promise.wait();
        let reply = promise.get_reply();
        assert!(!reply.is_some_and(|reply| reply.has_field("error")));
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        self.pipeline.set_state(gst::State::Null).unwrap();
        // As in a peer: a data channel may have started its elements meanwhile.
        for element in self.pipeline.iterate_recurse().into_iter().flatten() {
            element.set_state(gst::State::Null).unwrap();
        }
    }
}

const TRANSPORT_CC_URI: &str =
    "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01";

/// Has the arrival of packets reported ten times a second, and not after every picture.
fn report_as_browsers_do(webrtcbin: &gst::Element) {
    let bin = webrtcbin.downcast_ref::<gst::Bin>().unwrap();
    let rtpbin = bin.by_name("rtpbin").unwrap();
    let session = rtpbin.emit_by_name::<Option<glib::Object>>("get-internal-session", &[&0_u32]);
    let interval = gst::ClockTime::from_mseconds(100).nseconds();
    session
        .unwrap()
        .set_property("twcc-feedback-interval", interval);
}

/// Lost packets are sent again, which takes a moment.
const LATENCY_MS: u32 = 100;

/// Waits until a data channel is open.
pub(crate) fn until_open(channel: &WebRTCDataChannel) {
    let (open, opened) = mpsc::channel();
    let open = Arc::new(open);
    let also = Arc::clone(&open);
    channel.connect_on_open(move |_| also.send(()).unwrap_or_default());
    if channel.ready_state() != gstreamer_webrtc::WebRTCDataChannelState::Open {
        opened.recv_timeout(DEADLINE).unwrap();
    }
    drop(open);
}

fn listen(channel: &WebRTCDataChannel, forward: mpsc::Sender<(String, Vec<u8>)>) {
    channel.connect_on_message_data(move |channel, data| {
        let label = channel.label().unwrap_or_default().to_string();
        let data = data.map(|data| data.to_vec()).unwrap_or_default();
        drop(forward.send((label, data)));
    });
}

/// Decodes what comes out of a pad, if somebody wants it.
fn show(pipeline: &gst::Pipeline, pad: &gst::Pad, picture: Option<mpsc::Sender<Picture>>) {
    let Some(picture) = picture else {
        let sink = gst::ElementFactory::make("fakesink")
            .property("sync", false)
            .property("async", false)
            .build()
            .unwrap();
        pipeline.add(&sink).unwrap();
        sink.sync_state_with_parent().unwrap();
        pad.link(&sink.static_pad("sink").unwrap()).unwrap();
        return;
    };
    let bin = gst::parse::bin_from_description(
        "rtph264depay request-keyframe=true wait-for-keyframe=true ! h264parse ! openh264dec ! appsink name=out sync=false",
        true,
    )
    .unwrap();
    let sink = bin.by_name("out").unwrap();
    let sink = sink.downcast::<gst_app::AppSink>().unwrap();
    let forward = move |sink: &gst_app::AppSink| {
        let sample = sink.pull_sample().map_err(|_| gst::FlowError::Eos)?;
        let info = gst_video::VideoInfo::from_caps(sample.caps().unwrap()).unwrap();
        let buffer = sample.buffer_owned().unwrap();
        let frame = gst_video::VideoFrame::from_buffer_readable(buffer, &info).unwrap();
        drop(picture.send(Picture {
            size: Size::new(frame.width(), frame.height()),
            stride: frame.plane_stride()[0].try_into().unwrap(),
            luma: frame.plane_data(0).unwrap().to_vec(),
        }));
        Ok(gst::FlowSuccess::Ok)
    };
    let callbacks = gst_app::AppSinkCallbacks::builder().new_sample(forward);
    sink.set_callbacks(callbacks.build());
    pipeline.add(&bin).unwrap();
    bin.sync_state_with_parent().unwrap();
    pad.link(&bin.static_pad("sink").unwrap()).unwrap();
}
