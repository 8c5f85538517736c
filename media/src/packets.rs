//! Access units cut into RTP payloads, once for all viewers.

use std::sync::{Arc, Mutex, PoisonError};

use bytes::Bytes;
use gstreamer as gst;
use gstreamer::prelude::*;

use crate::codec::output_caps;
use crate::{Error, elements};

/// What one packet carries, without the header, which is another for each viewer.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Payload {
    /// It is the last one of its picture.
    pub(crate) marker: bool,
    pub(crate) bytes: Bytes,
}

/// Cuts the access units of one encoder; does nothing until the first one is asked for.
#[derive(Debug, Default)]
pub(crate) struct Packets(Mutex<Option<Cutter>>);

impl Packets {
    /// The payloads of an access unit; to be called for one after the other.
    pub(crate) fn cut(&self, unit: &gst::Buffer) -> Result<Arc<[Payload]>, Error> {
        let mut cutter = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let cutter = match &mut *cutter {
            Some(cutter) => cutter,
            none => none.insert(Cutter::new()?),
        };
        let failed = |error: gst::FlowError| failed(&error.to_string());
        cutter.input.push(unit.clone()).map_err(failed)?;
        let mut cut = cutter.cut.lock().unwrap_or_else(PoisonError::into_inner);
        Ok(std::mem::take(&mut *cut).into())
    }
}

/// The element that does it, between two pads of ours: it works in the thread that asks.
#[derive(Debug)]
struct Cutter {
    payloader: gst::Element,
    input: gst::Pad,
    output: gst::Pad,
    cut: Arc<Mutex<Vec<Payload>>>,
}

impl Cutter {
    fn new() -> Result<Self, Error> {
        let payloader = elements::make(PAYLOADER, PACKAGE)?;
        elements::set(&payloader, "aggregate-mode", "zero-latency");
        elements::set(&payloader, "config-interval", "-1");
        elements::set(&payloader, "mtu", &MTU.to_string());
        let cut = Arc::<Mutex<Vec<Payload>>>::default();
        let take = |cut: &Arc<Mutex<Vec<Payload>>>| {
            let cut = Arc::clone(cut);
            move |packet: &gst::BufferRef| {
                let payload = payload(packet);
                let mut cut = cut.lock().unwrap_or_else(PoisonError::into_inner);
                cut.extend(payload);
            }
        };
        let (take_one, take_each) = (take(&cut), take(&cut));
        let input = gst::Pad::builder(gst::PadDirection::Src).build();
        // Without one it would take only what it got first, and no other parameter sets.
        let template = gst::PadTemplate::new(
            "sink",
            gst::PadDirection::Sink,
            gst::PadPresence::Always,
            &gst::Caps::new_any(),
        )
        .map_err(|_| failed("no pad can be made"))?;
        let output = gst::Pad::builder_from_template(&template)
            .chain_function(move |_, _, packet| {
                take_one(&packet);
                Ok(gst::FlowSuccess::Ok)
            })
            .chain_list_function(move |_, _, packets| {
                packets.iter().for_each(&take_each);
                Ok(gst::FlowSuccess::Ok)
            })
            .event_function(|_, _, _| true)
            .build();
        let cutter = Self {
            payloader,
            input,
            output,
            cut,
        };
        cutter.start().map_err(|_| failed("it does not start"))?;
        Ok(cutter)
    }

    fn start(&self) -> Result<(), gst::glib::BoolError> {
        let refused = |_| gst::glib::bool_error!("refused");
        let pad = |name| self.payloader.static_pad(name);
        let missing = || gst::glib::bool_error!("a pad is missing");
        self.output.set_active(true)?;
        let link = self.input.link(&pad("sink").ok_or_else(missing)?);
        link.map_err(refused)?;
        let link = pad("src").ok_or_else(missing)?.link(&self.output);
        link.map_err(refused)?;
        self.payloader
            .set_state(gst::State::Playing)
            .map_err(|_| gst::glib::bool_error!("it does not play"))?;
        self.input.set_active(true)?;
        let segment = gst::FormattedSegment::<gst::ClockTime>::new();
        for event in [
            gst::event::StreamStart::new("pictures"),
            gst::event::Caps::new(&output_caps()),
            gst::event::Segment::new(&segment),
        ] {
            self.input.push_event(event);
        }
        Ok(())
    }
}

impl Drop for Cutter {
    fn drop(&mut self) {
        let stopped = self.payloader.set_state(gst::State::Null);
        let inactive = self.input.set_active(false);
        let inactive = inactive.and(self.output.set_active(false));
        if stopped.is_err() || inactive.is_err() {
            tracing::warn!("{PAYLOADER} does not stop");
        }
    }
}

/// What is in a packet behind its header, which has neither extensions nor sources.
fn payload(packet: &gst::BufferRef) -> Option<Payload> {
    let packet = packet.map_readable().ok()?;
    let (header, bytes) = packet.split_at_checked(HEADER_BYTES)?;
    Some(Payload {
        marker: header.get(1)? & 0x80 != 0,
        bytes: Bytes::copy_from_slice(bytes),
    })
}

fn failed(reason: &str) -> Error {
    Error::Failed {
        element: PAYLOADER,
        reason: reason.into(),
    }
}

/// The element, and the package that has it.
pub(crate) const PAYLOADER: &str = "rtph264pay";
pub(crate) const PACKAGE: &str = "gstreamer1.0-plugins-good";

/// Bytes of a packet's header before its extensions.
pub(crate) const HEADER_BYTES: usize = 12;

/// The most bytes of a packet, without the extensions.
const MTU: usize = 1188;

#[cfg(test)]
mod tests {
    use super::*;

    /// An access unit of parameter sets, of this level, and one slice of a key frame.
    fn unit(slice: usize, level: u8) -> gst::Buffer {
        let mut bytes = vec![0, 0, 0, 1, 0x67, 0x42, 0xC0, level, 0x8C, 0x68];
        bytes.extend([0, 0, 0, 1, 0x68, 0xCE, 0x3C, 0x80]);
        bytes.extend([0, 0, 0, 1, 0x65, 0x88]);
        bytes.extend((1..=100).cycle().take(slice));
        let mut unit = gst::Buffer::from_slice(bytes);
        unit.make_mut().set_pts(gst::ClockTime::ZERO);
        unit
    }

    #[test]
    fn each_access_unit_is_cut_on_its_own() {
        gst::init().unwrap();
        let packets = Packets::default();
        for (slice, level) in [(5000, 31), (40, 31), (3000, 41)] {
            let cut = packets.cut(&unit(slice, level)).unwrap();
            let (last, before) = cut.split_last().unwrap();
            assert!(last.marker);
            assert!(
                before.iter().all(|it| !it.marker),
                "one picture has one end"
            );
            assert!(cut.iter().all(|it| it.bytes.len() <= MTU - HEADER_BYTES));
            let bytes: usize = cut.iter().map(|it| it.bytes.len()).sum();
            assert!(
                (slice + 15..slice + 60).contains(&bytes),
                "{bytes} of {slice}"
            );
        }
    }

    #[test]
    fn nonsense_is_no_packet() {
        gst::init().unwrap();
        let packets = Packets::default();
        for bytes in [&[][..], &[0; 40], &[0, 0, 0, 1], &[0xFF; 3000]] {
            let mut unit = gst::Buffer::from_slice(bytes.to_vec());
            unit.make_mut().set_pts(gst::ClockTime::ZERO);
            drop(packets.cut(&unit));
        }
        assert!(!packets.cut(&unit(50, 31)).unwrap().is_empty());
    }
}
