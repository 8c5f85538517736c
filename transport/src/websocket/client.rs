//! The client's side: ask a server for a WebSocket.

use std::time::Instant;

use bytes::{Bytes, BytesMut};
use http::header::{
    CONNECTION, HOST, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_EXTENSIONS, SEC_WEBSOCKET_KEY,
    SEC_WEBSOCKET_PROTOCOL, SEC_WEBSOCKET_VERSION, UPGRADE,
};
use http::{HeaderMap, HeaderValue, StatusCode, Uri};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout_at;
use tungstenite::handshake::client::{Response, generate_key, generate_request};
use tungstenite::handshake::derive_accept_key;
use tungstenite::handshake::machine::TryParse;
use tungstenite::protocol::Role;

use super::socket::Socket;
use super::{WebSocketRx, WebSocketTx, is_upgrade, split};
use crate::{Error, tcp};

/// A WebSocket that a server agreed to.
#[derive(Debug)]
pub struct Connected<S> {
    /// The receiving half.
    pub rx: WebSocketRx<S>,
    /// The sending half.
    pub tx: WebSocketTx<S>,
    /// The sub-protocol that the server picked.
    pub subprotocol: Option<String>,
}

/// Connects to `ws://HOST[:PORT]/PATH`, at most until the deadline.
///
/// `headers` go with the request, such as `Origin`. For `wss` make the TLS stream first and use
/// [`connect_over`].
pub async fn connect(
    url: &str,
    subprotocol: Option<&str>,
    headers: HeaderMap,
    deadline: Instant,
) -> Result<Connected<TcpStream>, Error> {
    let uri = parse(url)?;
    if uri.scheme_str() != Some("ws") {
        return Err(Error::BadUrl(url.to_owned()));
    }
    let host = uri.host().ok_or_else(|| Error::BadUrl(url.to_owned()))?;
    // An IPv6 address stands in brackets in the URL and without them in a socket address.
    let host = host.trim_start_matches('[').trim_end_matches(']');
    let dialled = TcpStream::connect((host, uri.port_u16().unwrap_or(80)));
    let stream = timeout_at(deadline.into(), dialled)
        .await
        .map_err(|_| Error::TimedOut)??;
    tcp::tune(&stream)?;
    connect_over(stream, url, subprotocol, headers, deadline).await
}

/// Asks for a WebSocket over a stream that is already connected, at most until the deadline.
pub async fn connect_over<S>(
    mut stream: S,
    url: &str,
    subprotocol: Option<&str>,
    headers: HeaderMap,
    deadline: Instant,
) -> Result<Connected<S>, Error>
where
    S: AsyncRead + AsyncWrite + Unpin + Send,
{
    let (request, key) = request(url, subprotocol, headers)?;
    let (response, rest) = timeout_at(deadline.into(), exchange(&mut stream, &request))
        .await
        .map_err(|_| Error::TimedOut)??;
    let subprotocol = verify(&response, &key, subprotocol)?;
    let (rx, tx) = split(Socket::new(stream, Role::Client, rest.into()));
    Ok(Connected {
        rx,
        tx,
        subprotocol,
    })
}

/// Writes the request head and makes its key.
fn request(
    url: &str,
    subprotocol: Option<&str>,
    headers: HeaderMap,
) -> Result<(Vec<u8>, String), Error> {
    let uri = parse(url)?;
    let host = uri
        .authority()
        .ok_or_else(|| Error::BadUrl(url.to_owned()))?
        .as_str();
    let host = HeaderValue::from_str(host).map_err(|_| Error::BadHeader("host"))?;
    let key = generate_key();
    let key_value = HeaderValue::from_str(&key).map_err(|_| Error::BadHeader("key"))?;

    let mut request = http::Request::new(());
    *request.uri_mut() = uri;
    *request.headers_mut() = headers;
    let headers = request.headers_mut();
    headers.insert(HOST, host);
    headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
    headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"));
    headers.insert(SEC_WEBSOCKET_KEY, key_value);
    if let Some(subprotocol) = subprotocol {
        let value = HeaderValue::from_str(subprotocol);
        let value = value.map_err(|_| Error::BadHeader("sub-protocol"))?;
        headers.insert(SEC_WEBSOCKET_PROTOCOL, value);
    }
    generate_request(request).map_err(|_| Error::BadHeader("request"))
}

/// Sends the request head and reads the answer's; what follows it belongs to the WebSocket.
async fn exchange<S>(stream: &mut S, request: &[u8]) -> Result<(Response, Bytes), Error>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    stream.write_all(request).await?;
    stream.flush().await?;
    let mut head = BytesMut::with_capacity(HEAD_BYTES);
    loop {
        if stream.read_buf(&mut head).await? == 0 {
            return Err(Error::BadUpgrade("it ends too early"));
        }
        let parsed = Response::try_parse(&head);
        let parsed = parsed.map_err(|_| Error::BadUpgrade("it is not HTTP"))?;
        if let Some((len, response)) = parsed {
            let rest = head.freeze().slice(len..);
            return Ok((response, rest));
        }
        if head.len() >= HEAD_BYTES {
            return Err(Error::BadUpgrade("it is too long"));
        }
    }
}

/// Checks the answer and returns the sub-protocol that was picked.
fn verify(response: &Response, key: &str, offered: Option<&str>) -> Result<Option<String>, Error> {
    if response.status() != StatusCode::SWITCHING_PROTOCOLS {
        return Err(Error::Refused(response.status()));
    }
    let headers = response.headers();
    if !is_upgrade(headers) {
        return Err(Error::BadUpgrade("it does not upgrade to WebSocket"));
    }
    let accept = headers.get(SEC_WEBSOCKET_ACCEPT);
    if accept.is_none_or(|accept| accept.as_bytes() != derive_accept_key(key.as_bytes()).as_bytes())
    {
        return Err(Error::BadUpgrade("it does not answer the key"));
    }
    if headers.contains_key(SEC_WEBSOCKET_EXTENSIONS) {
        return Err(Error::BadUpgrade(
            "it uses extensions that were not offered",
        ));
    }
    match (headers.get(SEC_WEBSOCKET_PROTOCOL), offered) {
        (None, _) => Ok(None),
        (Some(picked), Some(offered)) if picked == offered => Ok(Some(offered.to_owned())),
        (Some(_), _) => Err(Error::BadUpgrade(
            "it picks a sub-protocol that was not offered",
        )),
    }
}

fn parse(url: &str) -> Result<Uri, Error> {
    url.parse().map_err(|_| Error::BadUrl(url.to_owned()))
}

/// The longest head of an answer that is read.
const HEAD_BYTES: usize = 16 * 1024;
