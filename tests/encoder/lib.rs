//! A `GStreamer` plugin of hardware encoders that are none.
//!
//! `VROOM_FAKE_ENCODERS` names the encoders, and after a colon how each behaves:
//! `vah264enc nvh264enc:crash`. Each takes NV12 only, answers on a thread of its own, has some of
//! the properties that such encoders have, and encodes with x264. It behaves in one of these ways:
//!
//! - `crash`: ends its process when it starts, as a broken driver does;
//! - `refuse`: does not start;
//! - `after=N`: fails at picture N;
//! - `silent=N`: swallows all pictures from N on.

#![allow(
    missing_docs,
    reason = "the macro that defines the plugin documents nothing"
)]

use gstreamer as gst;
use gstreamer::glib;
use gstreamer::prelude::*;

/// How one encoder behaves.
fn behaviour(name: &str) -> Option<String> {
    let all = std::env::var("VROOM_FAKE_ENCODERS").ok()?;
    all.split_whitespace().find_map(|each| {
        let (encoder, how) = each.split_once(':').unwrap_or((each, ""));
        (encoder == name).then(|| how.to_owned())
    })
}

fn init(plugin: &gst::Plugin) -> Result<(), glib::BoolError> {
    let all = std::env::var("VROOM_FAKE_ENCODERS").unwrap_or_default();
    // An element knows the name it was made under only by its type.
    let kinds = [
        first::FakeEncoder::static_type(),
        second::FakeEncoder::static_type(),
        third::FakeEncoder::static_type(),
    ];
    for (each, kind) in all.split_whitespace().zip(kinds) {
        let name = each.split(':').next().unwrap_or(each);
        gst::Element::register(Some(plugin), name, gst::Rank::NONE, kind)?;
    }
    Ok(())
}

gst::plugin_define!(
    vroomfakeencoder,
    "Hardware encoders that are none",
    init,
    "0.1.0",
    "MIT/X11",
    "vroom-fake-encoder",
    "vroom-fake-encoder",
    "https://example.org/",
    "2026-01-01"
);

/// One kind of encoder.
macro_rules! fake_encoder {
    ($module:ident, $name:literal) => {
        mod $module {
            use gstreamer as gst;
            use gstreamer::glib;

            glib::wrapper! {
                /// The encoder.
                pub(crate) struct FakeEncoder(ObjectSubclass<imp::FakeEncoder>)
                    @extends gst::Bin, gst::Element, gst::Object, @implements gst::ChildProxy;
            }

            mod imp {
                use std::sync::atomic::{AtomicU32, Ordering};
                use std::sync::{LazyLock, Mutex, PoisonError};

                use gstreamer as gst;
                use gstreamer::glib;
                use gstreamer::prelude::*;
                use gstreamer::subclass::prelude::*;

                #[derive(Default)]
                pub(crate) struct FakeEncoder {
                    x264: Mutex<Option<gst::Element>>,
                    pictures: std::sync::Arc<AtomicU32>,
                }

                #[glib::object_subclass]
                impl ObjectSubclass for FakeEncoder {
                    const NAME: &'static str = $name;
                    type Type = super::FakeEncoder;
                    type ParentType = gst::Bin;
                }

                impl ObjectImpl for FakeEncoder {
                    fn properties() -> &'static [glib::ParamSpec] {
                        // The bitrate of VA-API, and none of the other properties.
                        static PROPERTIES: LazyLock<[glib::ParamSpec; 1]> = LazyLock::new(|| {
                            let bitrate = glib::ParamSpecUInt::builder("bitrate").default_value(0);
                            [bitrate.mutable_playing().build()]
                        });
                        &*PROPERTIES
                    }

                    fn set_property(
                        &self,
                        _id: usize,
                        value: &glib::Value,
                        _spec: &glib::ParamSpec,
                    ) {
                        let kbps: u32 = value.get().unwrap_or_default();
                        let x264 = self.x264.lock().unwrap_or_else(PoisonError::into_inner);
                        if let Some(x264) = x264.as_ref() {
                            x264.set_property("bitrate", kbps.max(1));
                        }
                    }

                    fn property(&self, _id: usize, _spec: &glib::ParamSpec) -> glib::Value {
                        let x264 = self.x264.lock().unwrap_or_else(PoisonError::into_inner);
                        let kbps = x264.as_ref().map(|it| it.property::<u32>("bitrate"));
                        kbps.unwrap_or_default().to_value()
                    }

                    fn constructed(&self) {
                        self.parent_constructed();
                        if let Err(error) = self.build() {
                            gst::warning!(gst::CAT_RUST, "cannot build: {error}");
                        }
                    }
                }

                impl FakeEncoder {
                    fn build(&self) -> Result<(), glib::BoolError> {
                        let make = |name: &str| gst::ElementFactory::make(name).build();
                        let (queue, convert, x264) =
                            (make("queue")?, make("videoconvert")?, make("x264enc")?);
                        x264.set_property_from_str("tune", "zerolatency");
                        x264.set_property_from_str("speed-preset", "ultrafast");
                        x264.set_property("threads", 1_u32);
                        x264.set_property("byte-stream", true);
                        x264.set_property("key-int-max", 3000_u32);
                        let bin = self.obj();
                        bin.add_many([&queue, &convert, &x264])?;
                        gst::Element::link_many([&queue, &convert, &x264])?;
                        let nv12 = gst::Caps::builder("video/x-raw")
                            .field("format", "NV12")
                            .build();
                        let template = gst::PadTemplate::new(
                            "sink",
                            gst::PadDirection::Sink,
                            gst::PadPresence::Always,
                            &nv12,
                        )?;
                        let inner = queue
                            .static_pad("sink")
                            .ok_or_else(|| glib::bool_error!("no sink"))?;
                        let sink =
                            gst::GhostPad::builder_from_template_with_target(&template, &inner)?;
                        let sink = sink.name("sink").build();
                        self.misbehave(&sink);
                        bin.add_pad(&sink)?;
                        let inner = x264
                            .static_pad("src")
                            .ok_or_else(|| glib::bool_error!("no src"))?;
                        bin.add_pad(
                            &gst::GhostPad::builder_with_target(&inner)?
                                .name("src")
                                .build(),
                        )?;
                        *self.x264.lock().unwrap_or_else(PoisonError::into_inner) = Some(x264);
                        Ok(())
                    }

                    /// Looks at each picture on its way in.
                    fn misbehave(&self, sink: &gst::GhostPad) {
                        let pictures = std::sync::Arc::clone(&self.pictures);
                        let bin = self.obj().downgrade();
                        sink.add_probe(gst::PadProbeType::BUFFER, move |_, info| {
                            let count = pictures.fetch_add(1, Ordering::Relaxed) + 1;
                            let Some(bin) = bin.upgrade() else {
                                return gst::PadProbeReturn::Ok;
                            };
                            let how = how(bin.upcast_ref());
                            let reached = |kind: &str| {
                                let number = how.strip_prefix(kind).and_then(|it| it.parse().ok());
                                number.is_some_and(|number: u32| count >= number)
                            };
                            if reached("after=") {
                                gst::element_error!(
                                    bin,
                                    gst::StreamError::Encode,
                                    ["the device is gone"]
                                );
                                info.flow_res = Err(gst::FlowError::Error);
                                return gst::PadProbeReturn::Handled;
                            }
                            if reached("silent=") {
                                return gst::PadProbeReturn::Drop;
                            }
                            gst::PadProbeReturn::Ok
                        });
                    }
                }

                /// How the encoder behaves, by the name it was made under.
                fn how(element: &gst::Element) -> String {
                    let name = element.factory().map(|factory| factory.name());
                    name.and_then(|name| crate::behaviour(&name))
                        .unwrap_or_default()
                }

                impl GstObjectImpl for FakeEncoder {}

                impl ElementImpl for FakeEncoder {
                    fn metadata() -> Option<&'static gst::subclass::ElementMetadata> {
                        static METADATA: LazyLock<gst::subclass::ElementMetadata> =
                            LazyLock::new(|| {
                                gst::subclass::ElementMetadata::new(
                                    "Fake hardware encoder",
                                    "Codec/Encoder/Video/Hardware",
                                    "Encodes in software",
                                    "VROOM",
                                )
                            });
                        Some(&*METADATA)
                    }

                    fn change_state(
                        &self,
                        transition: gst::StateChange,
                    ) -> Result<gst::StateChangeSuccess, gst::StateChangeError> {
                        if transition == gst::StateChange::NullToReady {
                            match how(self.obj().upcast_ref()).as_str() {
                                "crash" => std::process::abort(),
                                "refuse" => return Err(gst::StateChangeError),
                                _ => {}
                            }
                        }
                        self.parent_change_state(transition)
                    }
                }

                impl BinImpl for FakeEncoder {}
            }
        }
    };
}

fake_encoder!(first, "VroomFakeEncoder1");
fake_encoder!(second, "VroomFakeEncoder2");
fake_encoder!(third, "VroomFakeEncoder3");
