//! Encrypts the packets that peers are sent, in place of the element `srtpenc`.
//!
//! Debian's libsrtp works with NSS, which sets up everything anew for each packet. That was nearly
//! half of what one more viewer costs, and is a tenth of it here. Reports (RTCP) are few and stay
//! with the element.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use gstreamer as gst;
use gstreamer::glib;
use gstreamer::prelude::*;
use webrtc_srtp::context::Context;
use webrtc_srtp::protection_profile::ProtectionProfile;

/// Takes over from an element `srtpenc` whatever packets it gets.
///
/// It goes on with what is encrypted in another way than browsers agree upon.
pub(crate) fn take_over(srtpenc: &gst::Element) {
    let keeper = Arc::new(Mutex::new(Keeper::Unknown));
    let told = Arc::clone(&keeper);
    srtpenc.connect_notify(Some("key"), move |_, _| *lock(&told) = Keeper::Unknown);
    for input in srtpenc.sink_pads() {
        lead_past(srtpenc, &input, &keeper);
    }
    srtpenc.connect_pad_added(move |srtpenc, pad| lead_past(srtpenc, pad, &keeper));
}

/// Who encrypts with the key that the element has.
///
/// Never both: each counts the packets, and no two may be encrypted under one number.
enum Keeper {
    /// There is no key, or a new one.
    Unknown,
    Own(Box<Context>),
    Element,
}

impl Keeper {
    fn of(srtpenc: &gst::Element) -> Self {
        // It makes one up until both ends have agreed upon theirs.
        if srtpenc.property::<bool>("random-key") {
            return Self::Unknown;
        }
        let Some(key) = srtpenc.property::<Option<gst::Buffer>>("key") else {
            return Self::Unknown;
        };
        let is = |property, nick| {
            let value = srtpenc.property_value(property);
            glib::EnumValue::from_value(&value).is_some_and(|(_, it)| it.nick() == nick)
        };
        if !is("rtp-cipher", "aes-128-icm") || !is("rtp-auth", "hmac-sha1-80") {
            return Self::Element;
        }
        let Ok(key) = key.map_readable() else {
            return Self::Element;
        };
        let Some((key, salt)) = key.split_at_checked(KEY_BYTES) else {
            return Self::Element;
        };
        let profile = ProtectionProfile::Aes128CmHmacSha1_80;
        Context::new(key, salt, profile, None, None)
            .map_or(Self::Element, |context| Self::Own(Box::new(context)))
    }
}

fn lock(keeper: &Mutex<Keeper>) -> MutexGuard<'_, Keeper> {
    keeper.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Packets that come to this pad go on from the one that belongs to it.
fn lead_past(srtpenc: &gst::Element, input: &gst::Pad, keeper: &Arc<Mutex<Keeper>>) {
    let name = input.name();
    let Some(number) = name.strip_prefix("rtp_sink_") else {
        return;
    };
    let output = format!("rtp_src_{number}");
    let srtpenc = srtpenc.downgrade();
    let keeper = Arc::clone(keeper);
    let packets = gst::PadProbeType::BUFFER | gst::PadProbeType::BUFFER_LIST;
    input.add_probe(packets, move |_, info| {
        let Some(srtpenc) = srtpenc.upgrade() else {
            return gst::PadProbeReturn::Ok;
        };
        let Some(output) = srtpenc.static_pad(&output) else {
            return gst::PadProbeReturn::Ok;
        };
        let mut keeper = lock(&keeper);
        if matches!(*keeper, Keeper::Unknown) {
            *keeper = Keeper::of(&srtpenc);
        }
        let Keeper::Own(context) = &mut *keeper else {
            return gst::PadProbeReturn::Ok;
        };
        let pushed = match &info.data {
            Some(gst::PadProbeData::Buffer(packet)) => {
                let sealed = seal(context, packet);
                drop(keeper);
                sealed.and_then(|it| output.push(it))
            }
            Some(gst::PadProbeData::BufferList(packets)) => {
                let sealed: Result<gst::BufferList, _> =
                    packets.iter().map(|it| seal(context, it)).collect();
                drop(keeper);
                sealed.and_then(|it| output.push_list(it))
            }
            _ => return gst::PadProbeReturn::Ok,
        };
        info.data = None;
        info.flow_res = pushed.map(|_| gst::FlowSuccess::Ok);
        gst::PadProbeReturn::Handled
    });
}

/// A packet as it goes to the network.
fn seal(context: &mut Context, packet: &gst::BufferRef) -> Result<gst::Buffer, gst::FlowError> {
    let plain = packet.map_readable().map_err(|_| gst::FlowError::Error)?;
    let sealed = context.encrypt_rtp(&plain).map_err(|error| {
        tracing::warn!(%error, "a packet cannot be encrypted");
        gst::FlowError::Error
    })?;
    let mut sealed = gst::Buffer::from_slice(sealed);
    let same = gst::BufferCopyFlags::FLAGS | gst::BufferCopyFlags::TIMESTAMPS;
    packet
        .copy_into(sealed.make_mut(), same, ..)
        .map_err(|_| gst::FlowError::Error)?;
    Ok(sealed)
}

/// The length of the master key; its salt follows.
const KEY_BYTES: usize = 16;

#[cfg(test)]
mod tests {
    use gstreamer_app as gst_app;

    use super::*;

    /// Packets of one stream, beginning with this number.
    fn packets(first: u16) -> gst::BufferList {
        let mut list = gst::BufferList::new();
        for count in 0..4 {
            let marker = if count == 3 { 0x80 } else { 0 };
            // With an extension of two bytes, number 3, and what fills it up to four.
            let mut packet = vec![0x90, marker | 96];
            packet.extend(first.wrapping_add(count).to_be_bytes());
            packet.extend([0, 0, 0, 9, 0, 0, 0, 5, 0xBE, 0xDE, 0, 1, 0x31, 0, 7, 0]);
            packet.extend((0..u8::MAX).cycle().take(900 + usize::from(count)));
            list.make_mut().add(gst::Buffer::from_slice(packet));
        }
        list
    }

    /// What `srtpenc` makes of packets around the end of their numbers, and for how many streams
    /// it did so itself.
    fn sealed(
        cipher: &str,
        key: &'static [u8],
        prepare: fn(&gst::Element),
    ) -> (Vec<Vec<u8>>, usize) {
        gst::init().unwrap();
        let caps = gst::Caps::builder("application/x-rtp")
            .field("ssrc", 5_u32)
            .build();
        let source = gst_app::AppSrc::builder()
            .caps(&caps)
            .format(gst::Format::Time)
            .build();
        let sink = gst_app::AppSink::builder()
            .buffer_list(true)
            .sync(false)
            .build();
        let srtpenc = gst::ElementFactory::make("srtpenc").build().unwrap();
        srtpenc.set_property_from_str("rtp-cipher", cipher);
        prepare(&srtpenc);
        srtpenc.set_property("key", gst::Buffer::from_slice(key));
        let pipeline = gst::Pipeline::new();
        pipeline
            .add_many([source.upcast_ref(), &srtpenc, sink.upcast_ref()])
            .unwrap();
        source
            .link_pads(None, &srtpenc, Some("rtp_sink_0"))
            .unwrap();
        srtpenc.link_pads(Some("rtp_src_0"), &sink, None).unwrap();
        pipeline.set_state(gst::State::Playing).unwrap();
        let mut all = Vec::new();
        for first in [65_533, 1] {
            source.push_buffer_list(packets(first)).unwrap();
            let list = sink.pull_sample().unwrap().buffer_list_owned().unwrap();
            all.extend(list.iter().map(|it| it.map_readable().unwrap().to_vec()));
        }
        let stats = srtpenc.property::<gst::Structure>("stats");
        let streams = stats.get::<gst::Array>("streams").unwrap().len();
        pipeline.set_state(gst::State::Null).unwrap();
        (all, streams)
    }

    #[test]
    fn packets_are_encrypted_as_libsrtp_does_it() {
        let key: &[u8; 30] = b"thirty bytes, of which 14 salt";
        let (theirs, by_element) = sealed("aes-128-icm", key, |_| ());
        assert_eq!((theirs.len(), by_element), (8, 1));
        let (ours, by_element) = sealed("aes-128-icm", key, take_over);
        assert!(ours == theirs, "they differ");
        assert_eq!(by_element, 0);
    }

    #[test]
    fn what_is_agreed_upon_otherwise_is_left_to_libsrtp() {
        let key: &[u8; 46] = b"forty-six bytes for a key of 256 bits and salt";
        let (all, by_element) = sealed("aes-256-icm", key, take_over);
        assert_eq!((all.len(), by_element), (8, 1));
    }
}
