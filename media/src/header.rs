//! Packets of one viewer: the headers that were agreed with it, before payloads that all get.

use std::sync::atomic::{AtomicU16, Ordering};

use gstreamer as gst;
use gstreamer::glib;

use crate::offer::Video;
use crate::packets::{HEADER_BYTES, Payload};
use crate::stamps::rtp_time;

/// What is in the headers of one viewer's packets.
#[derive(Debug)]
pub(crate) struct Header {
    payload_type: u8,
    pub(crate) ssrc: u32,
    sequence: AtomicU16,
    /// As it is on the wire; empty without any.
    extensions: Vec<u8>,
}

impl Header {
    pub(crate) fn new(video: &Video) -> Self {
        let mut elements = Vec::new();
        if let Some(id) = video.transport_cc {
            // webrtcbin writes the number.
            elements.extend([id << 4 | 1, 0, 0]);
        }
        if let Some(id) = video.playout_delay {
            // From 0 to 0. It takes about 20 ms off the way from the encoder to the screen; asking
            // for the same in script takes off nothing.
            elements.extend([id << 4 | 2, 0, 0, 0]);
        }
        let mut extensions = Vec::new();
        if !elements.is_empty() {
            elements.resize(elements.len().next_multiple_of(4), 0);
            extensions.extend(ONE_BYTE_EXTENSIONS);
            extensions.extend(
                u16::try_from(elements.len() / 4)
                    .unwrap_or_default()
                    .to_be_bytes(),
            );
            extensions.extend(elements);
        }
        Self {
            payload_type: video.payload,
            ssrc: glib::random_int().max(1),
            sequence: AtomicU16::new((glib::random_int() >> 16) as u16),
            extensions,
        }
    }

    /// One picture's packets.
    pub(crate) fn packets(&self, payloads: &[Payload], pts: gst::ClockTime) -> gst::BufferList {
        let timestamp = rtp_time(pts.useconds()).to_be_bytes();
        let has_extensions = u8::from(!self.extensions.is_empty());
        let packet = |payload: &Payload| {
            let length = HEADER_BYTES + self.extensions.len() + payload.bytes.len();
            let mut packet = Vec::with_capacity(length);
            let marker = u8::from(payload.marker);
            packet.extend([
                VERSION | has_extensions << 4,
                marker << 7 | self.payload_type,
            ]);
            packet.extend(self.sequence.fetch_add(1, Ordering::Relaxed).to_be_bytes());
            packet.extend(timestamp);
            packet.extend(self.ssrc.to_be_bytes());
            packet.extend(&self.extensions);
            packet.extend(&payload.bytes);
            let mut packet = gst::Buffer::from_mut_slice(packet);
            packet.make_mut().set_pts(pts);
            packet
        };
        payloads.iter().map(packet).collect()
    }
}

/// The version of RTP in a packet's first byte.
const VERSION: u8 = 2 << 6;

/// How extensions begin whose heads are a byte.
const ONE_BYTE_EXTENSIONS: [u8; 2] = [0xBE, 0xDE];

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    fn packets(video: &Video) -> Vec<Vec<u8>> {
        gst::init().unwrap();
        let header = Header::new(video);
        header.sequence.store(u16::MAX, Ordering::Relaxed);
        let payload = |marker, bytes| Payload {
            marker,
            bytes: Bytes::from_static(bytes),
        };
        let payloads = [payload(false, b"one"), payload(true, b"two")];
        let list = header.packets(&payloads, gst::ClockTime::from_seconds(1));
        let mut all: Vec<_> = list
            .iter()
            .map(|it| it.map_readable().unwrap().to_vec())
            .collect();
        for packet in &mut all {
            let ssrc: Vec<_> = packet.drain(8..12).collect();
            assert_eq!(ssrc, header.ssrc.to_be_bytes());
        }
        all
    }

    #[test]
    fn a_viewer_gets_headers_as_it_was_agreed() {
        let mut video = Video {
            section: 0,
            payload: 109,
            playout_delay: Some(5),
            transport_cc: Some(3),
        };
        let time = 90_000_u32.to_be_bytes();
        let extensions = [0xBE, 0xDE, 0, 2, 0x31, 0, 0, 0x52, 0, 0, 0, 0];
        let expected = [
            [&[0x90, 109, 0xFF, 0xFF][..], &time, &extensions, b"one"].concat(),
            [&[0x90, 0x80 | 109, 0, 0], &time[..], &extensions, b"two"].concat(),
        ];
        assert_eq!(packets(&video), expected);
        (video.playout_delay, video.transport_cc) = (None, None);
        let expected = [
            [&[0x80, 109, 0xFF, 0xFF][..], &time, b"one"].concat(),
            [&[0x80, 0x80 | 109, 0, 0], &time[..], b"two"].concat(),
        ];
        assert_eq!(packets(&video), expected);
    }
}
