//! From a browser's offer to a peer and our answer.

use std::net::IpAddr;
use std::ops::RangeInclusive;
use std::sync::Arc;
use std::time::Duration;

use gstreamer as gst;
use gstreamer::glib;
use gstreamer::prelude::*;
use gstreamer_sdp as gst_sdp;
use gstreamer_webrtc::{
    WebRTCBundlePolicy, WebRTCICEGatheringState, WebRTCRTPTransceiver,
    WebRTCRTPTransceiverDirection, WebRTCSDPType, WebRTCSessionDescription,
};
use tokio::sync::{Notify, oneshot};
use tokio::time::timeout;

use crate::branch::Branch;
use crate::datachannel::DataChannels;
use crate::events::EventSender;
use crate::media::Timeline;
use crate::offer::{Audio, Plan, Video};
use crate::peer::{Parts, Peer};
use crate::rungs::Rungs;
use crate::sound::SoundBranch;
use crate::teardown::Teardown;
use crate::voice::VoiceBranch;
use crate::{
    Answer, Candidate, Error, Offer, PeerEvents, SoundPath, correction, elements, ice, protect,
    voice,
};

/// What peers are made with.
#[derive(Clone, Debug)]
pub(crate) struct Setup {
    /// The clock of the encoders.
    pub(crate) timeline: Timeline,
    /// Ends pipelines.
    pub(crate) teardown: Teardown,
    /// The UDP ports to use.
    pub(crate) ports: Option<RangeInclusive<u16>>,
    /// The addresses to use; empty means all but loopback.
    pub(crate) addresses: Vec<IpAddr>,
}

/// Makes a peer and the answer that connects it.
pub(crate) async fn answer(
    setup: Setup,
    encoder: Option<Arc<Rungs>>,
    sound: Option<SoundPath>,
    offer: Offer,
) -> Result<(Peer, PeerEvents, Answer), Error> {
    let plan = Plan::read(&offer, encoder.is_some(), sound.is_some())?;
    let (events, receiver) = EventSender::pair();
    let picture = plan.video.clone().zip(encoder);
    let sound = plan.audio.clone().zip(sound);
    let build = move || build(setup, picture, sound, events);
    let built = tokio::task::spawn_blocking(build).await;
    let peer = built.map_err(|_| failed("it cannot be built"))??;
    let answer = timeout(ANSWER_TIMEOUT, negotiate(&peer, plan))
        .await
        .map_err(|_| Error::TimedOut("answering an offer"))??;
    for candidate in &offer.candidates {
        peer.add_candidate(candidate);
    }
    Ok((peer, receiver, answer))
}

/// Builds a pipeline and starts it; blocks for some milliseconds.
fn build(
    setup: Setup,
    picture: Option<(Video, Arc<Rungs>)>,
    sound: Option<(Audio, SoundPath)>,
    events: EventSender,
) -> Result<Peer, Error> {
    elements::find("nicesrc").ok_or(Error::Missing {
        element: "nicesrc",
        package: "gstreamer1.0-nice",
    })?;
    let webrtcbin = elements::make("webrtcbin", "gstreamer1.0-plugins-bad")?;
    webrtcbin.set_property("bundle-policy", WebRTCBundlePolicy::MaxBundle);
    webrtcbin.set_property("latency", 0_u32);
    set_up_ice(&webrtcbin, &setup);
    take_short_cuts(&webrtcbin);
    let pipeline = gst::Pipeline::new();
    pipeline
        .add(&webrtcbin)
        .map_err(|_| failed("it cannot be added"))?;
    setup.timeline.rule(&pipeline);
    let picture = match picture {
        Some((video, encoder)) => {
            let branch = Branch::build(&pipeline, &video, &encoder, events.clone())?;
            Some((encoder, branch))
        }
        None => None,
    };
    let (sound, voice) = match sound {
        Some((audio, path)) => {
            let voice = path.microphone.filter(|_| audio.speaks);
            let sound = SoundBranch::build(&pipeline, &audio, path.played)?;
            (Some(sound), voice.map(VoiceBranch::new))
        }
        None => (None, None),
    };
    voice::receive(&pipeline, &webrtcbin, voice.as_ref());
    let parts = Parts {
        picture,
        sound,
        voice,
    };
    let peer = Peer::new(pipeline.clone(), webrtcbin, parts, events, setup.teardown);
    pipeline
        .set_state(gst::State::Playing)
        .map_err(|_| failed("it does not start"))?;
    // Before the remote description: later it would be announced as a channel of its own.
    if !DataChannels::create_control(peer.webrtcbin()) {
        return Err(failed("it makes no data channel"));
    }
    Ok(peer)
}

/// Leads packets past what is slow in a webrtcbin, as it builds its parts.
fn take_short_cuts(webrtcbin: &gst::Element) {
    let Some(bin) = webrtcbin.downcast_ref::<gst::Bin>() else {
        return;
    };
    bin.connect_deep_element_added(|_, _, element| {
        let factory = element.factory().map(|it| it.name());
        match factory.as_deref() {
            Some(correction::FIRST) => correction::skip(element),
            Some("srtpenc") => protect::take_over(element),
            _ => {}
        }
    });
}

fn set_up_ice(webrtcbin: &gst::Element, setup: &Setup) {
    let ice = webrtcbin.property::<gst::Object>("ice-agent");
    if let Some(ports) = &setup.ports {
        ice.set_property("min-rtp-port", u32::from(*ports.start()));
        ice.set_property("max-rtp-port", u32::from(*ports.end()));
    }
    for address in &setup.addresses {
        if !ice.emit_by_name::<bool>("add-local-ip-address", &[&address.to_string()]) {
            tracing::warn!(%address, "peers cannot use this address");
        }
    }
    // TCP candidates would be filtered anyway, and looking for a router that opens ports takes
    // 200 ms of every answer. Checks that go on tell us when a browser has vanished.
    for agent in [ice.clone().upcast::<glib::Object>()]
        .into_iter()
        .chain(ice.find_property("agent").map(|_| ice.property("agent")))
    {
        for (property, value) in [
            ("ice-tcp", false),
            ("upnp", false),
            ("keepalive-conncheck", true),
        ] {
            if agent.find_property(property).is_some() {
                agent.set_property(property, value);
            }
        }
    }
}

/// Takes the offer, and answers when all our candidates are known.
async fn negotiate(peer: &Peer, plan: Plan) -> Result<Answer, Error> {
    use WebRTCRTPTransceiverDirection::{Sendonly, Sendrecv};

    let webrtcbin = peer.webrtcbin();
    let gathered = Arc::new(Notify::new());
    let complete = Arc::clone(&gathered);
    webrtcbin.connect_notify(Some("ice-gathering-state"), move |webrtcbin, _| {
        if gathering(webrtcbin) == WebRTCICEGatheringState::Complete {
            complete.notify_one();
        }
    });

    let offer = WebRTCSessionDescription::new(WebRTCSDPType::Offer, plan.sdp);
    promise(|promise| {
        webrtcbin.emit_by_name::<()>("set-remote-description", &[&offer, &promise]);
    })
    .await?;
    if let Some((video, branch)) = plan.video.as_ref().zip(peer.branch()) {
        let output = branch.output();
        link(webrtcbin, video.section, output, Sendonly, true)?;
    }
    if let Some((audio, branch)) = plan.audio.as_ref().zip(peer.sound()) {
        let direction = if peer.has_voice() { Sendrecv } else { Sendonly };
        link(webrtcbin, audio.section, branch.output(), direction, false)?;
    }
    let reply = promise(|promise| {
        webrtcbin.emit_by_name::<()>("create-answer", &[&None::<gst::Structure>, &promise]);
    })
    .await?;
    let answer = reply
        .and_then(|reply| reply.get::<WebRTCSessionDescription>("answer").ok())
        .ok_or(Error::PeerMisbehaved("it cannot be answered"))?;
    let text = answer.sdp().as_text();
    let text = text.map_err(|_| failed("its answer is no text"))?;
    let picture = plan.video.as_ref().map(|video| video.section);
    let sound = plan.audio.as_ref().map(|audio| audio.section);
    let kept: Vec<_> = [picture, sound].into_iter().flatten().collect();
    let sdp = gst_sdp::SDPMessage::parse_buffer(only(&text, &kept).as_bytes())
        .map_err(|_| failed("its answer cannot be read"))?;
    let answer = WebRTCSessionDescription::new(WebRTCSDPType::Answer, sdp);
    promise(|promise| {
        webrtcbin.emit_by_name::<()>("set-local-description", &[&answer, &promise]);
    })
    .await?;
    if gathering(webrtcbin) != WebRTCICEGatheringState::Complete
        && timeout(GATHERING_TIMEOUT, gathered.notified())
            .await
            .is_err()
    {
        tracing::debug!("answering with the candidates so far");
    }
    let local = webrtcbin.property::<Option<WebRTCSessionDescription>>("local-description");
    let local = local.unwrap_or(answer);
    let text = local.sdp().as_text();
    let sdp = ice::filtered(&text.map_err(|_| failed("its answer is no text"))?);
    let candidates = candidates(local.sdp());
    Ok(Answer { sdp, candidates })
}

/// Links the picture or the sound to its section of the offer.
///
/// Lost packets of the picture are sent again; forward error correction made everything worse when
/// it was tried, and it is off as long as nobody sets a type.
fn link(
    webrtcbin: &gst::Element,
    section: u32,
    output: &gst::Pad,
    direction: WebRTCRTPTransceiverDirection,
    resend: bool,
) -> Result<(), Error> {
    let pad = webrtcbin
        .request_pad_simple(&format!("sink_{section}"))
        .ok_or_else(|| failed("it has no place for picture or sound"))?;
    output
        .link(&pad)
        .map_err(|_| failed("picture or sound cannot be linked"))?;
    let transceiver = pad.property::<WebRTCRTPTransceiver>("transceiver");
    transceiver.set_direction(direction);
    transceiver.set_property("do-nack", resend);
    Ok(())
}

/// The answer with every section of sound or video switched off that is not one of these.
///
/// webrtcbin would offer to receive them: the browser would send silence into a pipeline that
/// nobody built. An inactive section can be taken up by a later offer.
///
/// Sound is a stream of its own there: a browser delays the picture to fit the sound of its stream.
///
/// It works on text, since removing attributes from a parsed description corrupts it in 1.22.
fn only(sdp: &str, sections: &[u32]) -> String {
    let mut kept = String::with_capacity(sdp.len());
    let mut section = None;
    let mut is_off = false;
    let mut is_sound = false;
    for line in sdp.split_inclusive('\n') {
        if let Some(media) = line.strip_prefix("m=") {
            section = Some(section.map_or(0, |section: u32| section + 1));
            let has_direction = media.starts_with("audio") || media.starts_with("video");
            is_off = has_direction && section.is_none_or(|it| !sections.contains(&it));
            is_sound = media.starts_with("audio");
        }
        let is_direction = |it: &str| DIRECTIONS.contains(&it);
        let attribute = line.strip_prefix("a=").map(str::trim_end);
        if is_off && attribute.is_some_and(is_direction) {
            kept.push_str("a=inactive\r\n");
        } else if is_sound && line.contains("msid:") {
            kept.push_str(&line.replacen("msid:", "msid:sound-", 1));
        } else {
            kept.push_str(line);
        }
    }
    kept
}

/// The useful candidates of a description.
fn candidates(sdp: &gst_sdp::SDPMessageRef) -> Vec<Candidate> {
    let mut candidates: Vec<Candidate> = Vec::new();
    for (section, media) in (0..).zip(sdp.medias()) {
        for attribute in media.attributes().filter(|it| it.key() == "candidate") {
            let candidate = format!("candidate:{}", attribute.value().unwrap_or_default());
            if ice::is_useful(&candidate) {
                candidates.push(Candidate {
                    candidate,
                    sdp_mid: media.attribute_val("mid").map(Into::into),
                    sdp_mline_index: Some(section),
                });
            }
        }
    }
    candidates
}

/// Runs an action of webrtcbin and waits for its reply.
async fn promise(action: impl FnOnce(gst::Promise)) -> Result<Option<gst::Structure>, Error> {
    let (sender, receiver) = oneshot::channel();
    action(gst::Promise::with_change_func(move |reply| {
        let reply = reply.map(|reply| reply.map(ToOwned::to_owned));
        if sender.send(reply).is_err() {
            tracing::trace!("nobody waits for this reply any more");
        }
    }));
    let reply = receiver.await.map_err(|_| failed("it gives no reply"))?;
    let reply = reply.map_err(|_| failed("it gives no reply"))?;
    if let Some(error) = reply
        .as_ref()
        .and_then(|it| it.get::<glib::Error>("error").ok())
    {
        tracing::debug!(%error, "an offer is refused");
        return Err(Error::PeerMisbehaved("webrtcbin refuses it"));
    }
    Ok(reply)
}

fn gathering(webrtcbin: &gst::Element) -> WebRTCICEGatheringState {
    webrtcbin.property("ice-gathering-state")
}

fn failed(reason: &str) -> Error {
    Error::Failed {
        element: "webrtcbin",
        reason: reason.into(),
    }
}

/// The attributes that say who sends.
const DIRECTIONS: [&str; 4] = ["sendrecv", "sendonly", "recvonly", "inactive"];

/// How long an answer may take; the browser falls back after ten seconds.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(5);

/// How long to wait for candidates; local ones are there within milliseconds.
const GATHERING_TIMEOUT: Duration = Duration::from_millis(500);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn everything_but_the_picture_is_switched_off() {
        let sdp = "v=0\r\na=sendrecv\r\nm=audio 9 X 1\r\na=recvonly\r\na=mid:0\r\n\
                   m=video 9 X 2\r\na=sendonly\r\nm=application 9 X y\r\na=mid:2\r\n";
        let silent = sdp.replace("a=recvonly", "a=inactive");
        assert_eq!(only(sdp, &[1]), silent);
        let dark = silent.replace("a=sendonly", "a=inactive");
        assert_eq!(only(sdp, &[]), dark);
        assert_eq!(only(sdp, &[0, 1]), sdp);
    }
}
