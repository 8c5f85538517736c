//! The encoder trait, and the backends behind it.

mod element;
mod hardware;
mod headers;
mod openh264;
mod x264;

use std::time::Duration;

use gstreamer as gst;
use gstreamer_video as gst_video;

use element::ElementEncoder;
pub(crate) use headers::nals;

use crate::Error;

/// Turns pictures into access units, one for one.
///
/// After an error an encoder is of no use any more and another has to be started.
pub(crate) trait VideoEncoder: Send {
    /// The element's name, for logs and statistics.
    fn name(&self) -> &'static str;

    /// Encodes one picture; blocks until its access unit is there.
    ///
    /// The result is Annex B with the parameter sets before each key frame. `None` means that the
    /// encoder skipped the picture.
    fn encode(
        &mut self,
        picture: gst::Buffer,
        key_frame: bool,
    ) -> Result<Option<gst::Buffer>, Error>;

    /// Changes the bitrate from the next picture on; false when only a new encoder would follow.
    fn set_bitrate_kbps(&mut self, bitrate_kbps: u32) -> bool;
}

/// A kind of encoder: how it is set up and how it is told a bitrate.
///
/// Backends set properties by [`elements::set`](crate::elements::set) only: versions and drivers
/// differ in what they have, and one that lacks a property goes without.
pub(crate) trait Backend: Sync {
    /// The element's name.
    fn element(&self) -> &'static str;

    /// The Debian package that brings it.
    fn package(&self) -> &'static str;

    /// How its pictures lie in memory.
    fn layout(&self) -> Layout {
        Layout::I420
    }

    /// How long an access unit may come after its picture; zero for encoders that run in the call.
    fn patience(&self) -> Duration {
        Duration::ZERO
    }

    /// What it can produce that browsers take.
    fn output(&self) -> gst::Caps {
        output_caps()
    }

    /// Sets everything but the bitrate.
    fn configure(&self, element: &gst::Element);

    /// Sets the bitrate; also while it runs. False when a running one does not follow.
    fn set_bitrate_kbps(&self, element: &gst::Element, bitrate_kbps: u32) -> bool;
}

/// How the planes of a picture lie in memory; all are 4:2:0.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Layout {
    /// Three planes.
    I420,
    /// Colours interleaved in one plane, as hardware wants them.
    Nv12,
}

/// Starts an encoder for pictures of this form.
pub(crate) fn start(
    backend: &'static dyn Backend,
    info: &gst_video::VideoInfo,
    bitrate_kbps: u32,
) -> Result<Box<dyn VideoEncoder>, Error> {
    let encoder = ElementEncoder::start(backend, info, bitrate_kbps)?;
    Ok(Box::new(encoder))
}

/// The backend that drives an element, if there is one.
pub(crate) fn backend(element: &str) -> Option<&'static dyn Backend> {
    let software = [&x264::X264 as &dyn Backend, &openh264::OpenH264];
    hardware::ALL
        .iter()
        .map(|backend| backend as &dyn Backend)
        .chain(software)
        .find(|backend| backend.element() == element)
}

/// What every peer expects: decoders of browsers take nothing plainer.
pub(crate) fn output_caps() -> gst::Caps {
    annex_b().field("profile", "constrained-baseline").build()
}

/// Whole access units in Annex B.
fn annex_b() -> gst::caps::Builder<gst::caps::NoFeature> {
    gst::Caps::builder("video/x-h264")
        .field("stream-format", "byte-stream")
        .field("alignment", "au")
}

/// The element of the x264 backend.
pub(crate) const X264: &str = "x264enc";

/// The element of the openh264 backend.
pub(crate) const OPENH264: &str = "openh264enc";

/// Pictures between two key frames that nobody asked for: joiners and losses ask for theirs.
const KEY_FRAME_INTERVAL: &str = "3000";
