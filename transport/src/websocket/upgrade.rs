//! The server's side of the upgrade from HTTP to WebSocket, apart from who may ask for it.

use http::header::{
    CONNECTION, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY, SEC_WEBSOCKET_PROTOCOL,
    SEC_WEBSOCKET_VERSION, UPGRADE,
};
use http::{HeaderMap, HeaderName, HeaderValue, Method, Response, StatusCode};
use tungstenite::handshake::derive_accept_key;

/// The sub-protocols that are accepted; the first is our own.
pub const SUBPROTOCOLS: [&str; 3] = ["xumux.0.1", "openmux.0.1", "omux"];

/// Why an upgrade is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum UpgradeError {
    /// It is not a GET request.
    #[error("only GET can be upgraded")]
    WrongMethod,
    /// `Connection` and `Upgrade` do not ask for a WebSocket.
    #[error("the request does not ask for a WebSocket")]
    NotAnUpgrade,
    /// The version of the WebSocket protocol is not 13.
    #[error("only WebSocket version 13 is spoken here")]
    WrongVersion,
    /// `Sec-WebSocket-Key` is absent or not of 16 bytes.
    #[error("the WebSocket key is missing or malformed")]
    BadKey,
    /// Sub-protocols were offered and none of them is known.
    #[error("none of the offered sub-protocols is known")]
    UnknownSubprotocol,
}

impl UpgradeError {
    /// The status to answer with.
    pub fn status(self) -> StatusCode {
        match self {
            Self::WrongMethod => StatusCode::METHOD_NOT_ALLOWED,
            Self::NotAnUpgrade | Self::WrongVersion => StatusCode::UPGRADE_REQUIRED,
            Self::BadKey | Self::UnknownSubprotocol => StatusCode::BAD_REQUEST,
        }
    }
}

/// Whether a request asks for a WebSocket.
pub fn is_upgrade(headers: &HeaderMap) -> bool {
    contains(headers, &CONNECTION, "upgrade") && contains(headers, &UPGRADE, "websocket")
}

/// Answers a request for a WebSocket with 101 and the headers that belong to it.
///
/// After the response was written, the upgraded stream goes to [`accept`](super::accept).
/// Extensions are not negotiated, so messages are never compressed.
pub fn respond(method: &Method, headers: &HeaderMap) -> Result<Response<()>, UpgradeError> {
    if method != Method::GET {
        return Err(UpgradeError::WrongMethod);
    }
    if !is_upgrade(headers) {
        return Err(UpgradeError::NotAnUpgrade);
    }
    if headers
        .get(SEC_WEBSOCKET_VERSION)
        .is_none_or(|version| version != VERSION)
    {
        return Err(UpgradeError::WrongVersion);
    }
    let key = headers.get(SEC_WEBSOCKET_KEY).ok_or(UpgradeError::BadKey)?;
    if key.len() != KEY_LEN {
        return Err(UpgradeError::BadKey);
    }
    let accept = HeaderValue::try_from(derive_accept_key(key.as_bytes()));
    let accept = accept.map_err(|_| UpgradeError::BadKey)?;
    let subprotocol = pick_subprotocol(headers)?;

    let mut response = Response::new(());
    *response.status_mut() = StatusCode::SWITCHING_PROTOCOLS;
    let answer = response.headers_mut();
    answer.insert(CONNECTION, HeaderValue::from_static("upgrade"));
    answer.insert(UPGRADE, HeaderValue::from_static("websocket"));
    answer.insert(SEC_WEBSOCKET_ACCEPT, accept);
    if let Some(subprotocol) = subprotocol {
        answer.insert(
            SEC_WEBSOCKET_PROTOCOL,
            HeaderValue::from_static(subprotocol),
        );
    }
    Ok(response)
}

/// Picks the client's first sub-protocol that is known; none when it offers none.
pub fn pick_subprotocol(headers: &HeaderMap) -> Result<Option<&'static str>, UpgradeError> {
    let mut offered = tokens(headers, &SEC_WEBSOCKET_PROTOCOL).peekable();
    if offered.peek().is_none() {
        return Ok(None);
    }
    let picked = offered.find_map(|name| SUBPROTOCOLS.into_iter().find(|known| *known == name));
    picked.map(Some).ok_or(UpgradeError::UnknownSubprotocol)
}

fn contains(headers: &HeaderMap, name: &HeaderName, token: &str) -> bool {
    tokens(headers, name).any(|found| found.eq_ignore_ascii_case(token))
}

/// The comma-separated members of a header, over all its lines. Text that is not ASCII is no token.
fn tokens<'a>(headers: &'a HeaderMap, name: &HeaderName) -> impl Iterator<Item = &'a str> {
    let lines = headers.get_all(name).into_iter();
    let texts = lines.map(|line| line.to_str().unwrap_or("\u{fffd}"));
    texts
        .flat_map(|text| text.split(','))
        .map(str::trim)
        .filter(|token| !token.is_empty())
}

/// The only version of the WebSocket protocol.
const VERSION: &str = "13";
/// The length of 16 bytes in base64.
const KEY_LEN: usize = 24;

#[cfg(test)]
mod tests {
    use super::*;

    fn request() -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(CONNECTION, HeaderValue::from_static("keep-alive, Upgrade"));
        headers.insert(UPGRADE, HeaderValue::from_static("WebSocket"));
        headers.insert(SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"));
        // The key of the example in RFC 6455 §1.3, and below its answer.
        headers.insert(
            SEC_WEBSOCKET_KEY,
            HeaderValue::from_static("dGhlIHNhbXBsZSBub25jZQ=="),
        );
        headers
    }

    #[test]
    fn a_request_is_answered_as_in_the_standard() {
        let mut headers = request();
        headers.append(
            SEC_WEBSOCKET_PROTOCOL,
            HeaderValue::from_static("chat, omux"),
        );
        headers.append(
            SEC_WEBSOCKET_PROTOCOL,
            HeaderValue::from_static("xumux.0.1"),
        );
        let response = respond(&Method::GET, &headers).unwrap();
        assert_eq!(response.status(), 101);
        let answer = response.headers();
        assert_eq!(answer[SEC_WEBSOCKET_ACCEPT], "s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
        assert_eq!(answer[SEC_WEBSOCKET_PROTOCOL], "omux");
        assert!(!answer.contains_key("sec-websocket-extensions"));
    }

    #[test]
    fn no_offered_subprotocol_means_none_answered() {
        let response = respond(&Method::GET, &request()).unwrap();
        assert!(!response.headers().contains_key(SEC_WEBSOCKET_PROTOCOL));
    }

    #[test]
    fn only_unknown_subprotocols_are_a_bad_request() {
        for offered in ["chat", "xumux/0.1", "xumux", "chat, superchat", "\u{e9}"] {
            let mut headers = request();
            headers.insert(
                SEC_WEBSOCKET_PROTOCOL,
                HeaderValue::from_str(offered).unwrap(),
            );
            let refused = respond(&Method::GET, &headers).unwrap_err();
            assert_eq!(refused, UpgradeError::UnknownSubprotocol);
            assert_eq!(refused.status(), 400);
        }
    }

    #[test]
    fn each_missing_part_has_its_status() {
        for (name, status) in [
            (CONNECTION, 426),
            (UPGRADE, 426),
            (SEC_WEBSOCKET_VERSION, 426),
            (SEC_WEBSOCKET_KEY, 400),
        ] {
            let mut headers = request();
            headers.remove(&name);
            assert_eq!(
                respond(&Method::GET, &headers).unwrap_err().status(),
                status,
                "{name}"
            );
        }
        assert_eq!(
            respond(&Method::POST, &request()).unwrap_err().status(),
            405
        );
        let mut headers = request();
        headers.insert(SEC_WEBSOCKET_KEY, HeaderValue::from_static("short"));
        assert_eq!(
            respond(&Method::GET, &headers).unwrap_err(),
            UpgradeError::BadKey
        );
    }
}
