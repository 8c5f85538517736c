//! The openh264 backend: for systems whose licences leave x264 out.

use gstreamer as gst;

use super::{Backend, KEY_FRAME_INTERVAL, OPENH264 as ELEMENT};
use crate::elements::set;

/// Drives `openh264enc`.
pub(crate) struct OpenH264;

impl Backend for OpenH264 {
    fn element(&self) -> &'static str {
        ELEMENT
    }

    fn package(&self) -> &'static str {
        "gstreamer1.0-plugins-bad"
    }

    /// Its mode for screens never refines what it first showed, so the one for cameras is used,
    /// without the analyses that cost time and find nothing on a screen.
    fn configure(&self, element: &gst::Element) {
        set(element, "usage-type", "camera");
        set(element, "complexity", "low");
        set(element, "adaptive-quantization", "false");
        set(element, "background-detection", "false");
        set(element, "scene-change-detection", "false");
        set(element, "enable-frame-skip", "false");
        set(element, "rate-control", "bitrate");
        set(element, "gop-size", KEY_FRAME_INTERVAL);
        set(element, "multi-thread", "1");
    }

    /// It counts bits, the others kilobits.
    fn set_bitrate_kbps(&self, element: &gst::Element, bitrate_kbps: u32) -> bool {
        let bits = bitrate_kbps.max(1).saturating_mul(1000);
        set(element, "bitrate", &bits.to_string());
        true
    }
}
