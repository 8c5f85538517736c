//! The hardware backends: one table, since what differs is names.

use std::time::Duration;

use gstreamer as gst;
use gstreamer::prelude::*;

use super::{Backend, Layout, annex_b};
use crate::elements::set;

/// Drives one hardware encoder.
pub(crate) struct Hardware {
    element: &'static str,
    package: &'static str,
    /// What is set before it starts; of one property the last value that it knows counts.
    properties: &'static [(&'static str, &'static str)],
    rate: Rate,
}

/// How an encoder is told its bitrate.
enum Rate {
    /// Properties in kbit/s, and others for the bits that may wait.
    Kbps {
        rates: &'static [&'static str],
        buffers: &'static [&'static str],
    },
    /// Controls of the V4L2 device, in bit/s.
    Controls,
}

impl Backend for Hardware {
    fn element(&self) -> &'static str {
        self.element
    }

    fn package(&self) -> &'static str {
        self.package
    }

    fn layout(&self) -> Layout {
        Layout::Nv12
    }

    fn patience(&self) -> Duration {
        PATIENCE
    }

    /// The plainest profile that the device has: browsers decode all of these.
    fn output(&self) -> gst::Caps {
        let profiles = ["constrained-baseline", "baseline", "main", "high"];
        annex_b().field("profile", gst::List::new(profiles)).build()
    }

    fn configure(&self, element: &gst::Element) {
        for (property, value) in self.properties {
            set(element, property, value);
        }
    }

    fn set_bitrate_kbps(&self, element: &gst::Element, bitrate_kbps: u32) -> bool {
        let kbps = bitrate_kbps.max(1);
        match &self.rate {
            Rate::Kbps { rates, buffers } => {
                let follows = rates.iter().all(|rate| follows(element, rate));
                if follows {
                    for rate in *rates {
                        set(element, rate, &kbps.to_string());
                    }
                    for buffer in buffers.iter().filter(|it| self::follows(element, it)) {
                        let bits = kbps.saturating_mul(BUFFER_MS) / 1000;
                        set(element, buffer, &bits.max(1).to_string());
                    }
                }
                follows
            }
            Rate::Controls => {
                let bits = kbps.saturating_mul(1000);
                let controls = format!("{CONTROLS},video_bitrate=(int){bits}");
                set(element, "extra-controls", &controls);
                true
            }
        }
    }
}

/// Whether a property can be set now: before the start any, later those that say so.
fn follows(element: &gst::Element, property: &str) -> bool {
    element.current_state() < gst::State::Paused
        || element
            .find_property(property)
            .is_none_or(|spec| spec.flags().contains(gst::PARAM_FLAG_MUTABLE_PLAYING))
}

/// All hardware encoders that we drive.
pub(crate) static ALL: [Hardware; 7] = [
    va("vah264lpenc"),
    va("vah264enc"),
    nv("nvcudah264enc"),
    nv("nvautogpuh264enc"),
    nv("nvh264enc"),
    Hardware {
        element: "v4l2h264enc",
        package: "gstreamer1.0-plugins-good",
        properties: &[],
        rate: Rate::Controls,
    },
    Hardware {
        element: "vaapih264enc",
        package: "gstreamer1.0-vaapi",
        properties: &[
            ("rate-control", "cbr"),
            ("rate-control", "vbr"),
            ("keyframe-period", "3000"),
            ("max-bframes", "0"),
            ("refs", "1"),
            ("quality-level", "7"),
            ("min-qp", "18"),
            ("cpb-length", "300"),
        ],
        rate: Rate::Kbps {
            rates: &["bitrate"],
            buffers: &[],
        },
    },
];

/// The encoders of the plugin `va`. A least quantizer caps the quality, so that a picture that
/// stopped changing soon costs nothing.
const fn va(element: &'static str) -> Hardware {
    Hardware {
        element,
        package: "gstreamer1.0-plugins-bad",
        properties: &[
            ("rate-control", "cbr"),
            ("rate-control", "vbr"),
            ("target-usage", "6"),
            ("key-int-max", "1024"),
            ("b-frames", "0"),
            ("ref-frames", "1"),
            ("min-qp", "18"),
            ("aud", "false"),
            ("mbbrc", "enabled"),
        ],
        rate: Rate::Kbps {
            rates: &["bitrate"],
            buffers: &["cpb-size"],
        },
    }
}

/// The encoders of the plugin `nvcodec`, by their old and their new property names.
const fn nv(element: &'static str) -> Hardware {
    Hardware {
        element,
        package: "gstreamer1.0-plugins-bad",
        properties: &[
            ("preset", "low-latency-hq"),
            ("preset", "p3"),
            ("tune", "ultra-low-latency"),
            ("rc-mode", "vbr"),
            ("rate-control", "vbr"),
            ("gop-size", "-1"),
            ("bframes", "0"),
            ("b-frames", "0"),
            ("zerolatency", "true"),
            ("zero-reorder-delay", "true"),
            ("qp-min-i", "18"),
            ("qp-min-p", "18"),
            ("qp-min", "18"),
            ("repeat-sequence-header", "true"),
            ("aud", "false"),
        ],
        rate: Rate::Kbps {
            rates: &["bitrate", "max-bitrate"],
            buffers: &["vbv-buffer-size"],
        },
    }
}

/// What the V4L2 encoders of small boards are told besides the bitrate.
const CONTROLS: &str = "controls,repeat_sequence_header=(int)1,video_gop_size=(int)3000,\
                        h264_i_frame_period=(int)3000,h264_minimum_qp_value=(int)18";

/// The bits that may wait, as the time they take.
const BUFFER_MS: u32 = 300;

/// How long hardware may take for one picture before it counts as stuck.
const PATIENCE: Duration = Duration::from_millis(500);
