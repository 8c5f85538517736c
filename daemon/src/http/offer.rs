//! Signalling for WebRTC: offers, answers and candidates.

use std::sync::Arc;

use http::{Request, StatusCode};
use hyper::body::Incoming;
use serde::Deserialize;
use serde_json::{Value, json};
use vroom_media::{Answer as MediaAnswer, Candidate, Error, Offer, Peer, PeerEvents};
use vroom_protocol::Code;

use super::answer::{self, Answer};
use super::{Caller, bearer, read_json};
use crate::auth::Refused;
use crate::identity::Identity;
use crate::origin::{Binding, Origin, Transport};
use crate::output::Watch;
use crate::peer_link;
use crate::picture::Picture;
use crate::token::Secret;
use crate::{carried, session};

#[derive(Deserialize)]
struct OfferBody {
    sdp: String,
    #[serde(default, rename = "type")]
    kind: Option<String>,
    #[serde(default)]
    candidates: Vec<CandidateBody>,
    #[serde(default)]
    token: Option<String>,
    #[serde(default)]
    session: Option<String>,
    #[serde(default)]
    connection: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct CandidateBody {
    candidate: String,
    #[serde(default)]
    sdp_mid: Option<String>,
    #[serde(default, rename = "sdpMLineIndex")]
    sdp_mline_index: Option<u32>,
    #[serde(default)]
    username_fragment: Option<String>,
    #[serde(default)]
    connection: Option<String>,
}

/// Answers an offer, and runs a session on the data channels.
// C1: without credentials there is no answer at all.
pub(super) async fn offer(caller: Caller, request: Request<Incoming>) -> Answer {
    let credential = bearer(request.headers()).map(str::to_owned);
    // Refused before the body is read, unless the body may hold the token.
    let early = match &credential {
        Some(credential) => match caller.authenticate_with(credential) {
            Ok(identity) => Some(identity),
            Err(refused) => return answer::refused(refused),
        },
        None => None,
    };
    let body: OfferBody = match read_json(request, OFFER_BYTES).await {
        Ok(body) => body,
        Err(answer) => return answer,
    };
    let identity = match (early, &body.token) {
        (Some(identity), _) => identity,
        (None, Some(token)) => match caller.authenticate_with(token) {
            Ok(identity) => identity,
            Err(refused) => return answer::refused(refused),
        },
        (None, None) => return answer::refused(Refused::Wrong),
    };
    match objection(&caller, &identity, &body) {
        Some(answer) => answer,
        None => connect(caller, identity, body).await,
    }
}

/// Why an offer is not answered, if it is not.
fn objection(caller: &Caller, identity: &Identity, body: &OfferBody) -> Option<Answer> {
    let daemon = &caller.daemon;
    let is_ours = |name: &String| name == daemon.hub.session() || name == session::DEFAULT;
    let (status, code, reason) = if body.kind.as_deref().is_some_and(|kind| kind != "offer") {
        let reason = "that is not an offer";
        (StatusCode::BAD_REQUEST, Code::INVALID_MESSAGE, reason)
    } else if body.connection.is_some() {
        let reason = "a connection cannot be changed; make a new one";
        (StatusCode::BAD_REQUEST, Code::UNSUPPORTED, reason)
    } else if !body.session.as_ref().is_none_or(is_ours) {
        let reason = "there is no such session";
        (StatusCode::NOT_FOUND, Code::SESSION_NOT_FOUND, reason)
    } else if !identity.may_see_desktop() {
        let reason = "these credentials do not open the desktop";
        (StatusCode::FORBIDDEN, Code::NOT_ALLOWED, reason)
    } else if !daemon.settings.webrtc || *daemon.ending.borrow() {
        let reason = "WebRTC is not offered; use a WebSocket";
        (StatusCode::SERVICE_UNAVAILABLE, Code::UNSUPPORTED, reason)
    } else {
        return None;
    };
    Some(answer::error(status, code, reason))
}

async fn connect(caller: Caller, identity: Identity, body: OfferBody) -> Answer {
    let offer = Offer {
        sdp: body.sdp.clone(),
        candidates: body.candidates.into_iter().map(Into::into).collect(),
    };
    let (peer, events, media_answer, watch) = match answer_offer(&caller, offer).await {
        Ok(answered) => answered,
        Err(error) => return refuse_offer(&error),
    };
    let Ok(id) = Secret::random() else {
        return answer::empty(StatusCode::INTERNAL_SERVER_ERROR);
    };
    let id = id.reveal().to_owned();
    let peer = Arc::new(peer);
    // DTLS has a binding of its own, which nothing here can ask for.
    let origin = Origin {
        binding: Binding::Missing,
        ..caller.origin(Transport::WebRtc)
    };
    let daemon = caller.daemon;
    daemon
        .peers
        .insert(&id, Arc::clone(&identity.user), &body.sdp, &peer);
    let picture = watch.map(|watch| Picture::new(Arc::clone(&peer), watch));
    let (rx, tx) = peer_link::split(peer, events);

    let session = carried::run(daemon, origin, Some(identity), None, picture, rx, tx);
    tokio::spawn(session);
    let candidates: Vec<Value> = media_answer.candidates.iter().map(to_json).collect();
    let body = json!({
        "sdp": media_answer.sdp,
        "type": "answer",
        "candidates": candidates,
        "connection": id,
    });
    answer::json(StatusCode::OK, &body)
}

async fn answer_offer(
    caller: &Caller,
    offer: Offer,
) -> Result<(Peer, PeerEvents, MediaAnswer, Option<Watch>), Error> {
    let daemon = &caller.daemon;
    let Some(output) = &daemon.output else {
        let (peer, events, answer) = daemon.media.answer_without_picture(offer).await?;
        return Ok((peer, events, answer, None));
    };
    let watch = output.watch()?;
    let (peer, events, answer) = daemon
        .media
        .answer(watch.encoder(), daemon.sound.as_ref(), offer)
        .await?;
    Ok((peer, events, answer, Some(watch)))
}

fn refuse_offer(error: &Error) -> Answer {
    tracing::debug!(%error, "an offer was not answered");
    let (status, code) = match error {
        Error::PeerMisbehaved(_) => (StatusCode::BAD_REQUEST, Code::INVALID_MESSAGE),
        Error::Unsupported(_) => (StatusCode::UNPROCESSABLE_ENTITY, Code::UNSUPPORTED),
        _ => (StatusCode::SERVICE_UNAVAILABLE, Code::UNSUPPORTED),
    };
    answer::error(status, code, &error.to_string())
}

/// Takes an address that the browser found later.
pub(super) async fn add_candidate(caller: Caller, request: Request<Incoming>) -> Answer {
    let identity = match caller.authenticate(request.headers()) {
        Ok(identity) => identity,
        Err(refused) => return answer::refused(refused),
    };
    let body: CandidateBody = match read_json(request, CANDIDATE_BYTES).await {
        Ok(body) => body,
        Err(answer) => return answer,
    };
    let (id, fragment) = (
        body.connection.as_deref(),
        body.username_fragment.as_deref(),
    );
    let Some(peer) = caller.daemon.peers.find(&identity.user, id, fragment) else {
        return no_connection();
    };
    peer.add_candidate(&body.into());
    answer::empty(StatusCode::NO_CONTENT)
}

/// Tells of our own addresses; they are all in the answer, so there are never more.
pub(super) fn candidates(caller: &Caller, request: &Request<Incoming>) -> Answer {
    let identity = match caller.authenticate(request.headers()) {
        Ok(identity) => identity,
        Err(refused) => return answer::refused(refused),
    };
    let query = request.uri().query().unwrap_or_default();
    let id = query
        .split('&')
        .find_map(|pair| pair.strip_prefix("connection="));
    match caller.daemon.peers.find(&identity.user, id, None) {
        Some(_) => answer::json(
            StatusCode::OK,
            &json!({"candidates": [], "next": 0, "done": true}),
        ),
        None => no_connection(),
    }
}

/// Tells which servers help to find a way; this one needs none.
pub(super) fn ice(caller: &Caller, request: &Request<Incoming>) -> Answer {
    match caller.authenticate(request.headers()) {
        Ok(_) => answer::json(StatusCode::OK, &json!({"iceServers": []})),
        Err(refused) => answer::refused(refused),
    }
}

fn no_connection() -> Answer {
    let reason = "there is no such connection";
    answer::error(StatusCode::NOT_FOUND, Code::NO_SUCH_TARGET, reason)
}

fn to_json(candidate: &Candidate) -> Value {
    json!({
        "candidate": candidate.candidate,
        "sdpMid": candidate.sdp_mid,
        "sdpMLineIndex": candidate.sdp_mline_index,
    })
}

impl From<CandidateBody> for Candidate {
    fn from(body: CandidateBody) -> Self {
        Self {
            candidate: body.candidate,
            sdp_mid: body.sdp_mid,
            sdp_mline_index: body.sdp_mline_index,
        }
    }
}

/// The largest body of an offer; a larger one is answered with 413.
const OFFER_BYTES: usize = 256 * 1024;

/// The largest body of a candidate; a larger one is answered with 413.
const CANDIDATE_BYTES: usize = 4 * 1024;
