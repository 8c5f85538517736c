//! The way from HTTP to WebSocket.

use http::Request;
use hyper::body::Incoming;
use hyper_util::rt::TokioIo;
use vroom_protocol::Code;
use vroom_transport::websocket;

use super::answer::{self, Answer, Content};
use super::{Caller, bearer};
use crate::carried;
use crate::origin::Transport;

/// Answers a request for a WebSocket, and runs a session on it.
pub(super) fn upgrade(caller: Caller, mut request: Request<Incoming>) -> Answer {
    let identity = match bearer(request.headers()) {
        Some(credential) => match caller.authenticate_with(credential) {
            Ok(identity) => Some(identity),
            Err(refused) => return answer::refused(refused),
        },
        None => None,
    };
    let response = match websocket::respond(request.method(), request.headers()) {
        Ok(response) => response,
        Err(error) => {
            return answer::error(error.status(), Code::INVALID_MESSAGE, &error.to_string());
        }
    };
    let upgrade = hyper::upgrade::on(&mut request);
    tokio::spawn(async move {
        let stream = match upgrade.await {
            Ok(stream) => TokioIo::new(stream),
            Err(error) => {
                tracing::debug!(source = %caller.source, %error, "an upgrade did not happen");
                return;
            }
        };
        let (rx, tx) = websocket::accept(stream);
        let origin = caller.origin(Transport::WebSocket);
        let pass = Some(caller.pass);
        carried::run(caller.daemon, origin, identity, pass, None, rx, tx).await;
    });
    response.map(|()| Content::default())
}
