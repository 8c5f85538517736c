//! Forward error correction, which webrtcbin always has and nothing here uses.

use std::sync::OnceLock;

use gstreamer as gst;
use gstreamer::prelude::*;

/// Leads the packets of a picture past the elements for forward error correction, of which this is
/// the first.
///
/// webrtcbin builds them when the first packet comes. With nothing to do they would still take the
/// list of a picture's packets apart, and everything behind them would do its work for each.
pub(crate) fn skip(first: &gst::Element) {
    let Some(input) = first.static_pad("sink") else {
        return;
    };
    let output = OnceLock::new();
    input.add_probe(gst::PadProbeType::BUFFER_LIST, move |input, info| {
        let Some(output) = output.get_or_init(|| end(input)) else {
            return gst::PadProbeReturn::Ok;
        };
        let Some(gst::PadProbeData::BufferList(list)) = info.data.take() else {
            return gst::PadProbeReturn::Ok;
        };
        info.flow_res = output.push_list(list).map(|_| gst::FlowSuccess::Ok);
        gst::PadProbeReturn::Handled
    });
}

/// Where packets leave the elements that begin with this pad, if they are those that we know.
fn end(input: &gst::Pad) -> Option<gst::Pad> {
    let next = input.parent_element()?.static_pad("src")?.peer()?;
    let last = next.parent_element()?;
    let is_known = last.factory().is_some_and(|it| it.name() == LAST);
    last.static_pad("src").filter(|_| is_known)
}

/// The elements of it, in the order of the packets.
pub(crate) const FIRST: &str = "rtpulpfecenc";
const LAST: &str = "rtpredenc";

#[cfg(test)]
mod tests {
    use gstreamer_app as gst_app;

    use super::*;

    #[test]
    fn the_packets_of_a_picture_stay_one_list() {
        gst::init().unwrap();
        let pipeline = gst::Pipeline::new();
        let caps = gst::Caps::builder("application/x-rtp")
            .field("media", "video")
            .field("encoding-name", "H264")
            .field("clock-rate", 90_000_i32)
            .field("payload", 96_i32)
            .build();
        let source = gst_app::AppSrc::builder().caps(&caps).build();
        let sink = gst_app::AppSink::builder()
            .buffer_list(true)
            .sync(false)
            .build();
        let make = |name| gst::ElementFactory::make(name).build().unwrap();
        let (first, last) = (make(FIRST), make(LAST));
        skip(&first);
        let chain = [source.upcast_ref(), &first, &last, sink.upcast_ref()];
        pipeline.add_many(chain).unwrap();
        gst::Element::link_many(chain).unwrap();
        pipeline.set_state(gst::State::Playing).unwrap();
        let mut packets = gst::BufferList::new();
        for _ in 0..3 {
            packets.make_mut().add(gst::Buffer::from_slice([0x80; 40]));
        }
        source.push_buffer_list(packets).unwrap();
        let sample = sink.pull_sample().unwrap();
        assert_eq!(sample.buffer_list_owned().map(|it| it.len()), Some(3));
        pipeline.set_state(gst::State::Null).unwrap();
    }
}
