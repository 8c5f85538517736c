//! An encoder that is one element: picture in, access unit out.

use gstreamer as gst;
use gstreamer_video as gst_video;

use super::headers::Headers;
use super::{Backend, VideoEncoder};
use crate::stage::Stage;
use crate::{Error, elements};

/// Runs an encoder element synchronously.
///
/// The element has no pipeline around it: the encode thread pushes into its sink pad and finds the
/// access unit when the push returns. That saves two threads and their wake-ups per picture.
/// Hardware that answers on a thread of its own is waited for.
pub(crate) struct ElementEncoder {
    backend: &'static dyn Backend,
    stage: Stage,
    headers: Headers,
    bitrate_kbps: u32,
}

impl ElementEncoder {
    /// Starts an encoder for pictures of this form.
    pub(crate) fn start(
        backend: &'static dyn Backend,
        info: &gst_video::VideoInfo,
        bitrate_kbps: u32,
    ) -> Result<Self, Error> {
        let name = backend.element();
        let element = elements::make(name, backend.package())?;
        backend.configure(&element);
        backend.set_bitrate_kbps(&element, bitrate_kbps);
        let input = info.to_caps().map_err(|error| Error::Failed {
            element: name,
            reason: error.to_string(),
        })?;
        let stage = Stage::start(name, element, input, &backend.output())?;
        Ok(Self {
            backend,
            stage,
            headers: Headers::default(),
            bitrate_kbps,
        })
    }
}

impl VideoEncoder for ElementEncoder {
    fn name(&self) -> &'static str {
        self.backend.element()
    }

    fn encode(
        &mut self,
        picture: gst::Buffer,
        key_frame: bool,
    ) -> Result<Option<gst::Buffer>, Error> {
        if key_frame {
            let event = gst_video::DownstreamForceKeyUnitEvent::builder()
                .all_headers(true)
                .build();
            self.stage.send(event);
        }
        let unit = self.stage.push(picture, self.backend.patience())?;
        Ok(unit.map(|unit| self.headers.complete(unit)))
    }

    fn set_bitrate_kbps(&mut self, bitrate_kbps: u32) -> bool {
        if bitrate_kbps == self.bitrate_kbps {
            return true;
        }
        let follows = self
            .backend
            .set_bitrate_kbps(self.stage.element(), bitrate_kbps);
        if follows {
            self.bitrate_kbps = bitrate_kbps;
        }
        follows
    }
}
