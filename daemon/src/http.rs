//! The HTTP surface: the page, login, signalling, and the way to WebSocket.

mod answer;
mod kept;
mod names;
mod offer;
mod socket;

use std::convert::Infallible;
use std::net::IpAddr;
use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::header::{ALLOW, AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderValue};
use http::{Method, Request, StatusCode};
use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use serde::de::DeserializeOwned;
use serde_json::json;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::timeout;
use vroom_protocol::Code;

use self::answer::Answer;
use self::names::Foreign;
pub(crate) use self::names::Names;
use crate::assets::Asset;
use crate::auth::{Credential, Refused};
use crate::daemon::{Daemon, ended};
use crate::gate::Pass;
use crate::identity::Identity;
use crate::origin::{Binding, Origin, Transport};
use crate::source::Source;

/// Who sends the requests of one connection.
#[derive(Clone, Debug)]
pub(crate) struct Caller {
    /// The server.
    pub(crate) daemon: Arc<Daemon>,
    /// Whom to blame.
    pub(crate) source: Source,
    /// Our own address, as the caller sees it.
    pub(crate) local: Option<IpAddr>,
    /// The place among the strangers.
    pub(crate) pass: Arc<Pass>,
    /// Whether the connection is encrypted.
    pub(crate) encrypted: bool,
    /// Where the connection comes from, where that is an address on the network.
    pub(crate) address: Option<IpAddr>,
    /// What tells this very connection from all others.
    pub(crate) binding: Binding,
}

/// Serves one connection until it ends, is shown out, or the server ends.
pub(crate) async fn serve<S>(stream: S, caller: Caller)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let mut ending = caller.daemon.ending.subscribe();
    let service = service_fn(|request| {
        let caller = caller.clone();
        async move { Ok::<_, Infallible>(handle(caller, request).await) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADERS)
        .max_buf_size(BUFFER_BYTES)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    let mut connection = pin!(connection);
    tokio::select! {
        result = &mut connection => {
            if let Err(error) = result {
                tracing::debug!(source = %caller.source, %error, "an HTTP connection broke");
            }
        }
        () = caller.pass.expired() => {
            tracing::debug!(source = %caller.source, "an unauthenticated connection was closed");
        }
        () = ended(&mut ending) => {
            connection.as_mut().graceful_shutdown();
            // What is still being answered has this long; the result no longer matters.
            drop(timeout(GOODBYE, connection).await);
        }
    }
}

async fn handle(caller: Caller, request: Request<Incoming>) -> Answer {
    let checked = caller.daemon.names.check(request.headers(), caller.local);
    let host = checked.map(str::to_owned);
    let mut answer = match &host {
        Ok(_) => route(caller, request).await,
        Err(Foreign::Host) => answer::error(
            StatusCode::MISDIRECTED_REQUEST,
            Code::NOT_ALLOWED,
            "this server does not go by that name; add it with --host or `hosts`",
        ),
        Err(Foreign::Origin) => answer::error(
            StatusCode::FORBIDDEN,
            Code::NOT_ALLOWED,
            "pages of other servers may not use this one",
        ),
    };
    answer::harden(&mut answer, host.as_deref().ok());
    answer
}

async fn route(caller: Caller, request: Request<Incoming>) -> Answer {
    // Taken out first: a path is matched whole, never taken apart.
    let path = request.uri().path().to_owned();
    let method = request.method().clone();
    match (&method, path.as_str()) {
        (&Method::GET, "/vroom" | "/omux" | "/omux/vroom") => socket::upgrade(caller, request),
        (&Method::GET | &Method::HEAD, "/healthz") => health(&caller),
        (&Method::POST, "/login") => login(caller, request).await,
        (&Method::POST, "/pair") => pair(caller, request).await,
        (&Method::POST, "/offer" | "/api/offer") => offer::offer(caller, request).await,
        (&Method::POST, "/candidate") => offer::add_candidate(caller, request).await,
        (&Method::GET, "/candidate") => offer::candidates(&caller, &request),
        (&Method::GET, "/ice") => offer::ice(&caller, &request),
        (&Method::GET, "/sessions") => sessions(&caller, &request),
        (&Method::GET, "/terminals") => terminals(&caller, &request),
        (&Method::GET, "/metrics") => metrics(&caller, &request),
        (&Method::GET, "/screenshot") => kept::screenshot(&caller, &request).await,
        (&Method::GET, "/recordings") => kept::recordings(&caller, &request).await,
        (_, "/login" | "/pair" | "/offer" | "/api/offer") => not_allowed("POST"),
        (_, "/candidate") => not_allowed("GET, POST"),
        (
            _,
            "/vroom" | "/omux" | "/omux/vroom" | "/healthz" | "/ice" | "/metrics" | "/sessions"
            | "/terminals" | "/screenshot" | "/recordings",
        ) => not_allowed("GET"),
        (&Method::GET, path) if path.starts_with(RECORDINGS) => {
            let path = path.trim_start_matches(RECORDINGS);
            kept::recording(&caller, &request, path).await
        }
        (&Method::GET | &Method::HEAD, path) => match Asset::find(path) {
            Some(asset) => answer::asset(asset, request.headers()),
            None => answer::error(
                StatusCode::NOT_FOUND,
                Code::NO_SUCH_TARGET,
                "there is no such page",
            ),
        },
        _ => not_allowed("GET, HEAD"),
    }
}

fn health(caller: &Caller) -> Answer {
    if *caller.daemon.ending.borrow() {
        return answer::json(
            StatusCode::SERVICE_UNAVAILABLE,
            &json!({"status": "ending"}),
        );
    }
    answer::json(StatusCode::OK, &json!({"status": "ok"}))
}

/// Exchanges the token, or that of a link, for a session key.
async fn login(caller: Caller, request: Request<Incoming>) -> Answer {
    #[derive(serde::Deserialize)]
    #[serde(rename_all = "lowercase")]
    enum Login {
        Token(String),
        Share(String),
    }
    match read_json(request, LOGIN_BYTES).await {
        Ok(Login::Token(token)) => enter(&caller, Credential::Token(&token)),
        Ok(Login::Share(token)) => enter(&caller, Credential::Share(&token)),
        Err(answer) => answer,
    }
}

/// Exchanges a pairing code for a session key.
async fn pair(caller: Caller, request: Request<Incoming>) -> Answer {
    #[derive(serde::Deserialize)]
    struct Pair {
        code: String,
    }
    match read_json::<Pair>(request, LOGIN_BYTES).await {
        Ok(pair) => enter(&caller, Credential::Code(&pair.code)),
        Err(answer) => answer,
    }
}

fn enter(caller: &Caller, credential: Credential<'_>) -> Answer {
    let daemon = &caller.daemon;
    let entered = daemon.auth.login(Instant::now(), caller.source, credential);
    let (key, identity) = match entered {
        Ok(granted) => granted,
        Err(refused) => {
            tracing::warn!(source = %caller.source, ?refused, "a login was refused");
            return answer::refused(refused);
        }
    };
    caller.pass.admit();
    tracing::info!(source = %caller.source, user = %identity.user, "logged in");
    let size = daemon.hub.size();
    let mut body = json!({
        "session": key.reveal(),
        "user": &*identity.user,
        "role": identity.role.name(),
        "desktop": daemon.hub.kind(),
        "size": {"width": size.width, "height": size.height},
    });
    if let Some(link) = identity.link() {
        body["desktop"] = json!("none");
        body["terminal"] = json!(link.terminal());
    }
    answer::json(StatusCode::OK, &body)
}

/// Lists the sessions that the caller may join.
fn sessions(caller: &Caller, request: &Request<Incoming>) -> Answer {
    let identity = match caller.authenticate(request.headers()) {
        Ok(identity) => identity,
        Err(refused) => return answer::refused(refused),
    };
    let entry: Vec<_> = caller.daemon.hub.entry(&identity).into_iter().collect();
    answer::json(StatusCode::OK, &json!({"sessions": entry}))
}

/// Lists the terminals that the caller may join.
fn terminals(caller: &Caller, request: &Request<Incoming>) -> Answer {
    match caller.authenticate(request.headers()) {
        Ok(identity) => {
            let terminals = caller.daemon.terminals.list(&identity);
            answer::json(StatusCode::OK, &json!({"sessions": terminals}))
        }
        Err(refused) => answer::refused(refused),
    }
}

/// What there is to watch over, for who has the token.
fn metrics(caller: &Caller, request: &Request<Incoming>) -> Answer {
    match caller.authenticate(request.headers()) {
        Ok(identity) if identity.may_see_desktop() => {
            answer::plain(crate::metrics::text(&caller.daemon))
        }
        Ok(_) => answer::error(
            StatusCode::FORBIDDEN,
            Code::NOT_ALLOWED,
            "these credentials open one terminal only",
        ),
        Err(refused) => answer::refused(refused),
    }
}

impl Caller {
    /// Where a connection comes from that is carried like this.
    pub(crate) fn origin(&self, transport: Transport) -> Origin {
        Origin {
            source: self.source,
            transport,
            address: self.address,
            binding: self.binding,
        }
    }

    /// Who sends this, by its `Authorization`; whoever proves it no longer counts as a stranger.
    fn authenticate(&self, headers: &HeaderMap) -> Result<Identity, Refused> {
        let credential = bearer(headers).ok_or(Refused::Wrong)?;
        self.authenticate_with(credential)
    }

    fn authenticate_with(&self, credential: &str) -> Result<Identity, Refused> {
        let identity = self
            .daemon
            .auth
            .bearer(Instant::now(), self.source, credential)?;
        self.pass.admit();
        Ok(identity)
    }
}

/// What stands behind `Bearer`.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, credential) = value.split_once(' ')?;
    scheme
        .eq_ignore_ascii_case("bearer")
        .then(|| credential.trim())
}

/// Reads a body that has to be JSON, of at most this size, in time.
///
/// The media type is demanded because a foreign page cannot send it without asking first.
async fn read_json<T: DeserializeOwned>(
    request: Request<Incoming>,
    bytes_max: usize,
) -> Result<T, Answer> {
    let media_type = request
        .headers()
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    let media_type = media_type
        .and_then(|value| value.split(';').next())
        .map(str::trim);
    if !media_type.is_some_and(|value| value.eq_ignore_ascii_case("application/json")) {
        return Err(answer::error(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Code::INVALID_MESSAGE,
            "the body has to be application/json",
        ));
    }
    let invalid =
        |reason: &str| answer::error(StatusCode::BAD_REQUEST, Code::INVALID_MESSAGE, reason);
    let body = timeout(BODY, Limited::new(request.into_body(), bytes_max).collect());
    let body: Bytes = match body.await {
        Ok(Ok(body)) => body.to_bytes(),
        Ok(Err(error)) if error.is::<LengthLimitError>() => {
            return Err(answer::error(
                StatusCode::PAYLOAD_TOO_LARGE,
                Code::MESSAGE_TOO_LARGE,
                "the body is too large",
            ));
        }
        Ok(Err(_)) => return Err(invalid("the body broke off")),
        Err(_) => return Err(answer::empty(StatusCode::REQUEST_TIMEOUT)),
    };
    serde_json::from_slice(&body).map_err(|_| invalid("the body is not what was expected"))
}

fn not_allowed(methods: &'static str) -> Answer {
    let mut answer = answer::error(
        StatusCode::METHOD_NOT_ALLOWED,
        Code::UNSUPPORTED,
        "that method does nothing here",
    );
    answer
        .headers_mut()
        .insert(ALLOW, HeaderValue::from_static(methods));
    answer
}

/// What the paths of files of recordings begin with.
const RECORDINGS: &str = "/recordings/";

/// How long the headers of a request may take, and a connection may idle; then it is closed.
const HEADERS: Duration = Duration::from_secs(30);

/// How long a body may take; then 408.
const BODY: Duration = Duration::from_secs(10);

/// How long answers may still take when the server ends.
const GOODBYE: Duration = Duration::from_millis(500);

/// The most that is buffered of the headers of a request; more is answered with 431.
const BUFFER_BYTES: usize = 16 * 1024;

/// The largest body of a login; a larger one is answered with 413.
const LOGIN_BYTES: usize = 4 * 1024;
