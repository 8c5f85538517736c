//! The x264 backend: the best picture per CPU second that software gives.

use gstreamer as gst;

use super::{Backend, KEY_FRAME_INTERVAL, X264 as ELEMENT};
use crate::elements::set;

/// Drives `x264enc`.
pub(crate) struct X264;

impl Backend for X264 {
    fn element(&self) -> &'static str {
        ELEMENT
    }

    fn package(&self) -> &'static str {
        "gstreamer1.0-plugins-ugly"
    }

    /// Constant quality under a cap: on screens it beats constant bitrate in bits, in the worst
    /// frame and in the sharpness of the first one, and the cap still follows the bitrate.
    ///
    /// One thread: two without slices hold back a frame.
    fn configure(&self, element: &gst::Element) {
        set(element, "tune", "zerolatency");
        set(element, "speed-preset", "ultrafast");
        set(element, "threads", "1");
        set(element, "pass", "qual");
        set(element, "quantizer", "22");
        set(element, "vbv-buf-capacity", "300");
        set(element, "key-int-max", KEY_FRAME_INTERVAL);
        set(element, "byte-stream", "true");
        // It would be a packet of its own in front of each picture.
        set(element, "aud", "false");
        set(element, "mb-tree", "false");
        set(element, "option-string", "no-mbtree:scenecut=0");
    }

    fn set_bitrate_kbps(&self, element: &gst::Element, bitrate_kbps: u32) -> bool {
        set(element, "bitrate", &bitrate_kbps.max(1).to_string());
        true
    }
}
