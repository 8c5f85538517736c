//! The RTP header extension that tells the browser to show each picture at once.

use gstreamer::glib;
use gstreamer_rtp as gst_rtp;

/// Where the extension is described; the offer maps this to an id.
pub(crate) const PLAYOUT_DELAY_URI: &str =
    "http://www.webrtc.org/experiments/rtp-hdrext/playout-delay";

glib::wrapper! {
    /// Writes a playout delay of 0 to 0 into every packet.
    ///
    /// It takes about 20 ms off the way from the encoder to the screen; asking for the same in
    /// script takes off nothing.
    pub(crate) struct PlayoutDelay(ObjectSubclass<imp::PlayoutDelay>)
        @extends gst_rtp::RTPHeaderExtension, gstreamer::Element, gstreamer::Object;
}

impl PlayoutDelay {
    /// Makes one with the id from the offer.
    pub(crate) fn new(id: u8) -> Self {
        use gst_rtp::prelude::RTPHeaderExtensionExt;

        let extension: Self = glib::Object::new();
        extension.set_id(id.into());
        extension
    }
}

mod imp {
    use gstreamer as gst;
    use gstreamer::glib;
    use gstreamer::subclass::prelude::*;
    use gstreamer_rtp as gst_rtp;
    use gstreamer_rtp::subclass::prelude::*;

    #[derive(Debug, Default)]
    pub(crate) struct PlayoutDelay;

    #[glib::object_subclass]
    impl ObjectSubclass for PlayoutDelay {
        const NAME: &'static str = "VroomPlayoutDelay";
        type Type = super::PlayoutDelay;
        type ParentType = gst_rtp::RTPHeaderExtension;
    }

    impl ObjectImpl for PlayoutDelay {}
    impl GstObjectImpl for PlayoutDelay {}
    impl ElementImpl for PlayoutDelay {}

    impl RTPHeaderExtensionImpl for PlayoutDelay {
        const URI: &'static str = super::PLAYOUT_DELAY_URI;

        fn supported_flags(&self) -> gst_rtp::RTPHeaderExtensionFlags {
            gst_rtp::RTPHeaderExtensionFlags::ONE_BYTE | gst_rtp::RTPHeaderExtensionFlags::TWO_BYTE
        }

        fn max_size(&self, _input: &gst::BufferRef) -> usize {
            DELAY.len()
        }

        fn write(
            &self,
            _input: &gst::BufferRef,
            _flags: gst_rtp::RTPHeaderExtensionFlags,
            _output: &gst::BufferRef,
            output: &mut [u8],
        ) -> Result<usize, gst::LoggableError> {
            let Some(room) = output.get_mut(..DELAY.len()) else {
                return Err(gst::loggable_error!(gst::CAT_RUST, "no room"));
            };
            room.copy_from_slice(&DELAY);
            Ok(DELAY.len())
        }
    }

    /// The least and the most delay, 12 bits each, in steps of 10 ms.
    const DELAY: [u8; 3] = [0; 3];
}
