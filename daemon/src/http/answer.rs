//! What an answer looks like: its headers, and how errors are put.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::header::{
    ACCEPT_ENCODING, CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_ENCODING, CONTENT_SECURITY_POLICY,
    CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue, REFERRER_POLICY, RETRY_AFTER, VARY,
    X_CONTENT_TYPE_OPTIONS,
};
use http::{Response, StatusCode};
use http_body_util::Full;
use hyper::body::{Body, Frame, SizeHint};
use serde_json::{Value, json};
use vroom_protocol::Code;

use super::kept::FileBody;
use crate::assets::Asset;
use crate::auth::Refused;

/// An answer.
pub(crate) type Answer = Response<Content>;

/// What is in an answer.
#[derive(Debug)]
pub(crate) enum Content {
    /// All of it.
    Whole(Full<Bytes>),
    /// A file that is read piece by piece.
    File(FileBody),
}

impl Default for Content {
    fn default() -> Self {
        Self::from(Bytes::new())
    }
}

impl From<Bytes> for Content {
    fn from(bytes: Bytes) -> Self {
        Self::Whole(Full::new(bytes))
    }
}

impl From<FileBody> for Content {
    fn from(body: FileBody) -> Self {
        Self::File(body)
    }
}

impl Body for Content {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        match self.get_mut() {
            Self::Whole(body) => Pin::new(body)
                .poll_frame(context)
                .map_err(|never| match never {}),
            Self::File(body) => Pin::new(body).poll_frame(context),
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(body) => body.size_hint(),
            Self::File(body) => body.size_hint(),
        }
    }
}

/// An answer without a body.
pub(crate) fn empty(status: StatusCode) -> Answer {
    let mut answer = Answer::default();
    *answer.status_mut() = status;
    answer
}

/// An answer in JSON, which nobody may keep.
pub(crate) fn json(status: StatusCode, body: &Value) -> Answer {
    let mut answer = Response::new(Bytes::from(body.to_string()).into());
    *answer.status_mut() = status;
    set(&mut answer, CONTENT_TYPE, "application/json");
    set(&mut answer, CACHE_CONTROL, "no-store");
    answer
}

/// An answer in plain text, which nobody may keep.
pub(crate) fn plain(text: String) -> Answer {
    let mut answer = Response::new(Bytes::from(text).into());
    set(
        &mut answer,
        CONTENT_TYPE,
        "text/plain; version=0.0.4; charset=utf-8",
    );
    set(&mut answer, CACHE_CONTROL, "no-store");
    answer
}

/// A file to be kept by whoever asks, and by nobody on the way.
pub(crate) fn file(media_type: &'static str, content: Content) -> Answer {
    let mut answer = Response::new(content);
    set(&mut answer, CONTENT_TYPE, media_type);
    set(&mut answer, CACHE_CONTROL, "no-store");
    set(&mut answer, CONTENT_DISPOSITION, "attachment");
    answer
}

/// An error in the form that all errors have.
pub(crate) fn error(status: StatusCode, code: Code, reason: &str) -> Answer {
    json(
        status,
        &json!({"error": {"code": code.0, "reason": reason}}),
    )
}

/// Says why credentials were not taken.
pub(crate) fn refused(refused: Refused) -> Answer {
    match refused {
        Refused::Wrong => error(
            StatusCode::UNAUTHORIZED,
            Code::AUTH_FAILED,
            "the token or session key is wrong or has expired",
        ),
        Refused::Penalised { wait } => {
            let seconds = wait.as_secs() + 1;
            let reason = format!("too many wrong attempts; try again in {seconds} s");
            let mut answer = error(StatusCode::TOO_MANY_REQUESTS, Code::RATE_LIMITED, &reason);
            answer.headers_mut().insert(RETRY_AFTER, seconds.into());
            answer
        }
    }
}

/// A file of the web client.
pub(crate) fn asset(asset: &'static Asset, headers: &HeaderMap) -> Answer {
    let takes_gzip = headers.get_all(ACCEPT_ENCODING).iter().any(|value| {
        let value = value.to_str().unwrap_or_default();
        value
            .split(',')
            .any(|coding| coding.trim().split(';').next() == Some("gzip"))
    });
    let body = if takes_gzip {
        Some(Bytes::from_static(asset.gzip))
    } else {
        asset.plain()
    };
    let Some(body) = body else {
        return empty(StatusCode::INTERNAL_SERVER_ERROR);
    };
    let mut answer = Response::new(body.into());
    set(&mut answer, CONTENT_TYPE, asset.media_type);
    set(&mut answer, VARY, "Accept-Encoding");
    if takes_gzip {
        set(&mut answer, CONTENT_ENCODING, "gzip");
    }
    let cache = if asset.hashed {
        "public, max-age=31536000, immutable"
    } else {
        "no-cache"
    };
    set(&mut answer, CACHE_CONTROL, cache);
    answer
}

/// Adds the headers that every answer carries.
///
/// `host` goes into the policy, since not every browser takes `'self'` for WebSockets; it was
/// checked before.
pub(crate) fn harden(answer: &mut Answer, host: Option<&str>) {
    let sockets = host
        .map(|host| format!(" ws://{host} wss://{host}"))
        .unwrap_or_default();
    let policy = format!("{POLICY} connect-src 'self'{sockets}");
    if let Ok(policy) = HeaderValue::from_str(&policy) {
        answer.headers_mut().insert(CONTENT_SECURITY_POLICY, policy);
    }
    set(answer, X_CONTENT_TYPE_OPTIONS, "nosniff");
    set(answer, REFERRER_POLICY, "no-referrer");
    for (name, value) in HEADERS {
        set(answer, HeaderName::from_static(name), value);
    }
}

fn set(answer: &mut Answer, name: HeaderName, value: &'static str) {
    answer
        .headers_mut()
        .insert(name, HeaderValue::from_static(value));
}

/// What the page may load and do: its own files, and pictures that it makes itself.
///
/// WebAssembly is for the picture decoder of the terminal.
const POLICY: &str = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; \
    img-src 'self' blob: data:; font-src 'self'; media-src 'self' blob:; worker-src 'self'; \
    manifest-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; \
    require-trusted-types-for 'script'; trusted-types 'none';";

const HEADERS: [(&str, &str); 4] = [
    ("x-frame-options", "DENY"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    (
        "permissions-policy",
        "camera=(), geolocation=(), payment=(), usb=(), serial=(), hid=(), bluetooth=(), \
         microphone=(self), fullscreen=(self), clipboard-read=(self), clipboard-write=(self), \
         keyboard-map=(self), gamepad=(self)",
    ),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_answer_is_hardened_and_scripts_are_our_own() {
        let mut answer = empty(StatusCode::OK);
        harden(&mut answer, Some("localhost:8766"));
        let policy = answer.headers()[CONTENT_SECURITY_POLICY].to_str().unwrap();
        assert!(!policy.contains("unsafe-inline") && !policy.contains("'unsafe-eval'"));
        assert!(policy.contains("require-trusted-types-for 'script'"));
        assert!(policy.contains("ws://localhost:8766"));
        assert_eq!(answer.headers()[X_CONTENT_TYPE_OPTIONS], "nosniff");
        assert_eq!(answer.headers()[REFERRER_POLICY], "no-referrer");
    }

    #[test]
    fn files_are_packed_only_for_those_who_unpack() {
        let page = Asset::find("/").unwrap();
        let mut headers = HeaderMap::new();
        assert!(
            !asset(page, &headers)
                .headers()
                .contains_key(CONTENT_ENCODING)
        );
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("br, gzip;q=0.9"));
        let answer = asset(page, &headers);
        assert_eq!(answer.headers()[CONTENT_ENCODING], "gzip");
        assert_eq!(answer.headers()[CACHE_CONTROL], "no-cache");
    }

    #[test]
    fn a_penalty_says_how_long() {
        let wait = std::time::Duration::from_millis(1500);
        let answer = refused(Refused::Penalised { wait });
        assert_eq!(answer.status(), StatusCode::TOO_MANY_REQUESTS);
        assert_eq!(answer.headers()[RETRY_AFTER], "2");
    }
}
