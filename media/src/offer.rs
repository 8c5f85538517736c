//! What a browser offers, and what of it we take.

use gstreamer_sdp as gst_sdp;

use crate::{Candidate, Error, ice};

/// A browser's session description with the candidates that came beside it.
#[derive(Clone, Debug)]
pub struct Offer {
    /// The session description.
    pub sdp: String,
    /// Candidates beyond those in it; usually none.
    pub candidates: Vec<Candidate>,
}

/// Our answer to an [`Offer`].
#[derive(Clone, Debug)]
pub struct Answer {
    /// The session description, with all candidates in it.
    pub sdp: String,
    /// The same candidates once more, for clients that look here.
    pub candidates: Vec<Candidate>,
}

/// An offer that was understood.
#[derive(Debug)]
pub(crate) struct Plan {
    /// What the offer says, without candidates that are of no use.
    pub(crate) sdp: gst_sdp::SDPMessage,
    /// Where the picture goes.
    pub(crate) video: Option<Video>,
    /// Where the sound goes, when the browser takes it.
    pub(crate) audio: Option<Audio>,
}

/// How the sound is sent.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Audio {
    /// The number of the section.
    pub(crate) section: u32,
    /// The payload type that the browser gave to Opus.
    pub(crate) payload: u8,
    /// Whether the browser may send its own.
    pub(crate) speaks: bool,
}

/// How the picture is sent.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Video {
    /// The number of the section.
    pub(crate) section: u32,
    /// The payload type that the browser gave to H264.
    pub(crate) payload: u8,
    /// The id of the playout-delay extension, when the browser knows it.
    pub(crate) playout_delay: Option<u8>,
    /// The id of the extension that numbers packets, when the browser reports their arrival.
    pub(crate) transport_cc: Option<u8>,
}

impl Plan {
    /// Reads an offer; `picture` and `sound` say what is to be sent.
    pub(crate) fn read(offer: &Offer, picture: bool, sound: bool) -> Result<Self, Error> {
        if offer.sdp.is_empty() || offer.sdp.len() > SDP_BYTES {
            return Err(Error::PeerMisbehaved("it is empty or too long"));
        }
        // The parser cuts long values anywhere, and half a character is no text.
        if !offer.sdp.is_ascii() || offer.sdp.contains('\0') {
            return Err(Error::PeerMisbehaved("it is not plain text"));
        }
        let text = ice::filtered(&offer.sdp);
        let sdp = gst_sdp::SDPMessage::parse_buffer(text.as_bytes())
            .map_err(|_| Error::PeerMisbehaved("it is not a session description"))?;
        let sections = sdp.medias_len();
        if sections == 0 || sections > SECTIONS {
            return Err(Error::PeerMisbehaved("it has no section, or too many"));
        }
        let is_data = |media: &gst_sdp::SDPMediaRef| {
            media.media() == Some("application")
                && media.proto().is_some_and(|proto| proto.contains("SCTP"))
        };
        if !sdp.medias().any(is_data) {
            return Err(Error::Unsupported("it has no data channels"));
        }
        let video = if picture { Some(video(&sdp)?) } else { None };
        let audio = if sound { audio(&sdp) } else { None };
        Ok(Self { sdp, video, audio })
    }
}

/// The extension that tells the browser how late to show pictures.
pub(crate) const PLAYOUT_DELAY_URI: &str =
    "http://www.webrtc.org/experiments/rtp-hdrext/playout-delay";

/// The extension that gives every packet of a connection a number.
pub(crate) const TRANSPORT_CC_URI: &str =
    "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01";

/// Finds the section and the payload type for the sound.
fn audio(sdp: &gst_sdp::SDPMessageRef) -> Option<Audio> {
    (0..).zip(sdp.medias()).find_map(|(section, media)| {
        if media.media() != Some("audio") || !takes(media) {
            return None;
        }
        let is_opus = |payload: &&str| {
            values(media, "rtpmap", payload)
                .any(|codec| codec.to_ascii_uppercase().starts_with("OPUS/48000"))
        };
        let payload = media.formats().find(is_opus)?.parse().ok()?;
        let speaks = media.attribute_val("recvonly").is_none();
        (payload < 128).then_some(Audio {
            section,
            payload,
            speaks,
        })
    })
}

/// Whether the browser wants to receive in a section.
fn takes(media: &gst_sdp::SDPMediaRef) -> bool {
    !["sendonly", "inactive"]
        .iter()
        .any(|direction| media.attribute_val(direction).is_some())
}

/// Finds the section and the payload type for the picture.
fn video(sdp: &gst_sdp::SDPMessageRef) -> Result<Video, Error> {
    let takes_video = |media: &gst_sdp::SDPMediaRef| media.media() == Some("video") && takes(media);
    let sections = (0..).zip(sdp.medias());
    let mut seen = false;
    for (section, media) in sections.filter(|(_, media)| takes_video(media)) {
        seen = true;
        if let Some(payload) = h264_payload(media) {
            return Ok(Video {
                section,
                payload,
                playout_delay: extension(media, PLAYOUT_DELAY_URI),
                transport_cc: extension(media, TRANSPORT_CC_URI),
            });
        }
    }
    Err(Error::Unsupported(if seen {
        "the browser takes no H264 with packetization-mode 1"
    } else {
        "it has no section that receives video"
    }))
}

/// The best payload type for H264: constrained baseline first, since that is what we send.
fn h264_payload(media: &gst_sdp::SDPMediaRef) -> Option<u8> {
    let is_h264 = |payload: &&str| {
        values(media, "rtpmap", payload)
            .any(|codec| codec.to_ascii_uppercase().starts_with("H264/90000"))
    };
    let rank = |payload: &str| {
        values(media, "fmtp", payload).find_map(|parameters| {
            let parameter = |name: &str| {
                let mut all = parameters.split(';').filter_map(|it| it.split_once('='));
                all.find(|(key, _)| key.trim().eq_ignore_ascii_case(name))
                    .map(|(_, value)| value.trim().to_ascii_lowercase())
            };
            if parameter("packetization-mode").as_deref() != Some("1") {
                return None;
            }
            let profile = parameter("profile-level-id").unwrap_or_default();
            let position = PROFILES.iter().position(|it| profile.starts_with(it));
            Some(position.unwrap_or(PROFILES.len()))
        })
    };
    media
        .formats()
        .filter(is_h264)
        .filter_map(|payload| Some((rank(payload)?, payload.parse().ok()?)))
        .filter(|(_, payload)| *payload < 128)
        .min()
        .map(|(_, payload)| payload)
}

/// The values of the attributes `name` that speak of one payload type.
fn values<'a>(
    media: &'a gst_sdp::SDPMediaRef,
    name: &'a str,
    payload: &'a str,
) -> impl Iterator<Item = &'a str> {
    media
        .attributes()
        .filter(move |attribute| attribute.key() == name)
        .filter_map(|attribute| attribute.value()?.split_once(' '))
        .filter(move |(subject, _)| *subject == payload)
        .map(|(_, value)| value.trim())
}

/// The id that the offer gives to a header extension.
fn extension(media: &gst_sdp::SDPMediaRef, uri: &str) -> Option<u8> {
    media
        .attributes()
        .filter(|attribute| attribute.key() == "extmap")
        .filter_map(|attribute| attribute.value()?.split_once(' '))
        .find(|(_, value)| value.split_ascii_whitespace().next() == Some(uri))
        .and_then(|(id, _)| id.split('/').next()?.parse().ok())
        .filter(|id| EXTENSION_IDS.contains(id))
}

/// H264 profiles as they begin a profile-level-id, best first.
const PROFILES: [&str; 3] = ["42e0", "4200", "4d"];

/// The ids that one-byte header extensions can have.
const EXTENSION_IDS: std::ops::RangeInclusive<u8> = 1..=14;

/// The longest offer that is read.
const SDP_BYTES: usize = 128 << 10;

/// The most sections of an offer: picture, sound, data, and some room.
const SECTIONS: u32 = 8;

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: &str = "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n";
    const DATA: &str =
        "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\nc=IN IP4 0.0.0.0\r\na=mid:2\r\n";
    const AUDIO: &str =
        "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\nc=IN IP4 0.0.0.0\r\na=rtpmap:111 opus/48000/2\r\n";
    const VIDEO: &str = "m=video 9 UDP/TLS/RTP/SAVPF 96 103 104 109 39\r\nc=IN IP4 0.0.0.0\r\n\
        a=extmap:3 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01\r\n\
        a=extmap:5 http://www.webrtc.org/experiments/rtp-hdrext/playout-delay\r\na=recvonly\r\n\
        a=rtpmap:96 VP8/90000\r\na=rtpmap:103 H264/90000\r\n\
        a=fmtp:103 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42001f\r\n\
        a=rtpmap:104 H264/90000\r\n\
        a=fmtp:104 level-asymmetry-allowed=1;packetization-mode=0;profile-level-id=42e01f\r\n\
        a=rtpmap:109 H264/90000\r\n\
        a=fmtp:109 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f\r\n\
        a=rtpmap:39 H264/90000\r\na=fmtp:39 packetization-mode=1;profile-level-id=4d001f\r\n";

    fn plan(parts: &[&str], picture: bool) -> Result<Plan, Error> {
        gstreamer::init().unwrap();
        let offer = Offer {
            sdp: [&[HEAD], parts].concat().concat(),
            candidates: Vec::new(),
        };
        Plan::read(&offer, picture, true)
    }

    #[test]
    fn constrained_baseline_in_mode_1_is_chosen() {
        let plan = plan(&[AUDIO, VIDEO, DATA], true).unwrap();
        let video = Video {
            section: 1,
            payload: 109,
            playout_delay: Some(5),
            transport_cc: Some(3),
        };
        assert_eq!(plan.video, Some(video));
    }

    #[test]
    fn an_offer_without_h264_is_refused() {
        let vp8 = VIDEO.replace("H264", "VP9");
        let refused = plan(&[&vp8, DATA], true);
        assert!(matches!(refused, Err(Error::Unsupported(_))), "{refused:?}");
        assert!(plan(&[&vp8, DATA], false).is_ok(), "data alone needs none");
    }

    #[test]
    fn an_offer_without_a_use_for_video_is_refused() {
        let inactive = VIDEO.replace("a=recvonly", "a=inactive");
        for parts in [&[inactive.as_str(), DATA][..], &[DATA], &[VIDEO], &[AUDIO]] {
            let refused = plan(parts, true);
            assert!(matches!(refused, Err(Error::Unsupported(_))), "{refused:?}");
        }
    }

    #[test]
    fn nonsense_is_refused() {
        gstreamer::init().unwrap();
        let many = DATA.repeat(9);
        let long = "a".repeat(SDP_BYTES + 1);
        for sdp in ["", "hello", HEAD, &[HEAD, &many].concat(), &long] {
            let offer = Offer {
                sdp: sdp.into(),
                candidates: Vec::new(),
            };
            assert!(Plan::read(&offer, true, true).is_err(), "{sdp:.40}");
        }
    }

    #[test]
    fn every_truncation_of_an_offer_is_survived() {
        gstreamer::init().unwrap();
        let whole = [HEAD, AUDIO, VIDEO, DATA].concat();
        for end in 1..whole.len() {
            let offer = Offer {
                sdp: whole[..end].into(),
                candidates: Vec::new(),
            };
            drop(Plan::read(&offer, true, true));
        }
    }
}
