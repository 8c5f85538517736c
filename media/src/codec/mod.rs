//! The encoder trait, and the backends behind it.

mod openh264;
mod software;
mod x264;

use gstreamer as gst;
use gstreamer_video as gst_video;

use software::ElementEncoder;
pub(crate) use software::output_caps;

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

    /// Changes the bitrate from the next picture on.
    fn set_bitrate_kbps(&mut self, bitrate_kbps: u32);
}

/// A kind of encoder: how it is set up and how it is told a bitrate.
pub(crate) trait Backend: Sync {
    /// The element's name.
    fn element(&self) -> &'static str;

    /// The Debian package that brings it.
    fn package(&self) -> &'static str;

    /// Sets everything but the bitrate.
    fn configure(&self, element: &gst::Element);

    /// Sets the bitrate; also while it runs.
    fn set_bitrate_kbps(&self, element: &gst::Element, bitrate_kbps: u32);
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
    BACKENDS
        .into_iter()
        .find(|backend| backend.element() == element)
}

/// All backends.
const BACKENDS: [&dyn Backend; 2] = [&x264::X264, &openh264::OpenH264];

/// The element of the x264 backend.
pub(crate) const X264: &str = "x264enc";

/// The element of the openh264 backend.
pub(crate) const OPENH264: &str = "openh264enc";

/// Pictures between two key frames that nobody asked for: joiners and losses ask for theirs.
const KEY_FRAME_INTERVAL: &str = "3000";
