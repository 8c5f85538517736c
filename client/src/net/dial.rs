//! Dialling a server along its plan.

use std::fmt;
use std::path::Path;
use std::sync::PoisonError;
use std::time::{Duration, Instant};

use ::http::HeaderMap;
use rustls_pki_types::ServerName;
use tokio::net::UnixStream;
use tokio::time::timeout;
use vroom_protocol::Auth;
use vroom_transport::tls::{ALPN_HTTP, ALPN_MUX};
use vroom_transport::{stream, tls as transport_tls, websocket};

use super::address::{self, Family};
use super::http;
use super::link::{Rx, Stream, Tx};
use super::owner;
use super::plan::{Hop, Plan, Way};
use super::tls;
use crate::auth::credentials::Saved;
use crate::error::Error;
use crate::forward::Forwards;
use crate::target::Scheme;
use crate::trust::Trust;
use crate::ui::Ui;

/// Makes transports to one server, as often as needed.
#[derive(Debug)]
pub struct Dialer {
    plan: Plan,
    /// The server to go through, where there is one.
    jump: Option<Forwards>,
    trust: Trust,
    family: Family,
    timeout: Duration,
    alive_interval: Option<Duration>,
    /// What was saved by a login.
    saved: Option<Saved>,
    /// Whether the credentials were refused.
    refused: bool,
    /// The way that worked last, which is tried alone from then on.
    way: Option<usize>,
    ui: Ui,
}

/// A transport that was made.
pub struct Dialed {
    /// Its receiving half.
    pub rx: Rx,
    /// Its sending half.
    pub tx: Tx,
    /// What signatures are bound to; empty where nobody can be in between.
    pub binding: Vec<u8>,
}

impl fmt::Debug for Dialed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Dialed").finish_non_exhaustive()
    }
}

impl Dialer {
    /// Prepares to dial.
    pub fn new(plan: Plan, trust: Trust, ui: Ui) -> Self {
        Self {
            plan,
            jump: None,
            trust,
            family: Family::Any,
            timeout: TIMEOUT,
            alive_interval: None,
            saved: None,
            refused: false,
            way: None,
            ui,
        }
    }

    /// Goes through another server.
    #[must_use]
    pub fn through(mut self, jump: Option<Forwards>) -> Self {
        self.jump = jump;
        self
    }

    /// Uses only addresses of one kind.
    #[must_use]
    pub fn family(mut self, ipv4: bool, ipv6: bool) -> Self {
        self.family = match (ipv4, ipv6) {
            (true, _) => Family::V4,
            (_, true) => Family::V6,
            _ => Family::Any,
        };
        self
    }

    /// Bounds the time of each attempt, and sets how often the server is asked whether it is there.
    #[must_use]
    pub fn times(mut self, limit: Option<Duration>, alive_interval: Option<Duration>) -> Self {
        self.timeout = limit.unwrap_or(TIMEOUT);
        self.alive_interval = alive_interval.filter(|interval| !interval.is_zero());
        self
    }

    /// Uses what a login saved.
    #[must_use]
    pub fn saved(mut self, saved: Option<Saved>) -> Self {
        self.saved = saved;
        self
    }

    pub(crate) fn alive_interval(&self) -> Option<Duration> {
        self.alive_interval
    }

    /// What the HELLO says about who we are.
    pub(crate) fn credentials(&self) -> Option<Auth> {
        if self.refused {
            return None;
        }
        match (
            &self.saved,
            self.way.and_then(|way| self.plan.ways.get(way)),
        ) {
            (Some(saved), _) => Some(saved.auth()),
            (None, Some(Way::Unix(_))) => Some(Auth::Peer),
            (None, Some(Way::Net(hop))) => self.local_token(hop),
            (None, None) => None,
        }
    }

    /// The token of a server of this user on this machine.
    fn local_token(&self, hop: &Hop) -> Option<Auth> {
        // Over TLS it would be another server: this user's own needs none on this machine.
        let is_plain = hop.scheme.is_plain() && crate::target::is_loopback(&hop.host);
        if self.jump.is_some() || !is_plain || !owner::is_ours(&hop.host, hop.port) {
            return None;
        }
        let token = std::fs::read_to_string(crate::paths::local_token()?).ok()?;
        Some(Auth::Token(token.trim().to_owned()))
    }

    /// The server refused what it was told about us: whether there is another way to go on.
    pub(crate) fn forget_credentials(&mut self) -> bool {
        if self.saved.is_some() {
            self.ui.notice(&format!(
                "the saved login for {} is no longer taken; log in again with `vroom login {0}`",
                self.plan.name
            ));
        }
        !std::mem::replace(&mut self.refused, true)
    }

    /// Makes a transport.
    pub async fn dial(&mut self) -> Result<Dialed, Error> {
        if let Some(way) = self.way {
            let way = self.plan.ways.get(way).cloned();
            if let Some(way) = way {
                return self.dial_way(&way).await;
            }
        }
        let mut error = Error::Lost;
        for (index, way) in self.plan.ways.clone().iter().enumerate() {
            self.ui.verbose(&format!("connecting to {way}"));
            match self.dial_way(way).await {
                Ok(dialed) => {
                    self.way = Some(index);
                    return Ok(dialed);
                }
                Err(failed) if failed.is_final() => return Err(failed),
                Err(failed) => {
                    self.ui.verbose(&failed.to_string());
                    error = failed;
                }
            }
        }
        match error {
            Error::Connect { .. } if self.plan.ways.len() > 1 => Err(Error::NotHere {
                host: self.plan.name.clone(),
                tried: self.plan.tried(),
            }),
            error => Err(error),
        }
    }

    /// Asks the server something over HTTP, for what is not said over the mux; returns the status
    /// and the body.
    pub async fn post(&mut self, path: &str, body: &[u8]) -> Result<(u16, Vec<u8>), Error> {
        let mut error = Error::Lost;
        for way in self.plan.ways.clone() {
            match self.post_way(&way, path, body).await {
                Ok(answer) => return Ok(answer),
                Err(failed) if failed.is_final() => return Err(failed),
                Err(failed) => error = failed,
            }
        }
        Err(error)
    }

    async fn post_way(&self, way: &Way, path: &str, body: &[u8]) -> Result<(u16, Vec<u8>), Error> {
        let (mut stream, place) = match way {
            Way::Unix(socket) => {
                let place = socket.display().to_string();
                (self.unix(socket, &place).await?, "localhost".to_owned())
            }
            Way::Net(hop) => {
                let place = hop.known_as();
                let stream = self.tcp(hop, &place).await?;
                let stream = match hop.scheme {
                    Scheme::Tcp | Scheme::Ws => stream,
                    Scheme::Tls | Scheme::Wss => self.tls(stream, hop, ALPN_HTTP).await?.0,
                };
                (stream, place)
            }
        };
        let answered = timeout(self.timeout, http::post(&mut stream, &place, path, body)).await;
        answered
            .map_err(|_| self.timed_out(&place))?
            .map_err(|source| Error::Io {
                what: "the server did not answer over HTTP",
                source,
            })
    }

    async fn unix(&self, path: &Path, place: &str) -> Result<Stream, Error> {
        let connected = timeout(self.timeout, UnixStream::connect(path)).await;
        let stream = connected
            .map_err(|_| self.timed_out(place))?
            .map_err(|source| Error::Connect {
                place: place.to_owned(),
                source,
            })?;
        Ok(Box::new(stream))
    }

    async fn tcp(&self, hop: &Hop, place: &str) -> Result<Stream, Error> {
        Ok(match &self.jump {
            Some(jump) => {
                let opened = timeout(self.timeout, jump.connect(&hop.host, hop.port)).await;
                Box::new(opened.map_err(|_| self.timed_out(place))??)
            }
            None => {
                let connected =
                    address::connect(&hop.host, hop.port, self.family, self.timeout).await?;
                Box::new(connected)
            }
        })
    }

    async fn dial_way(&self, way: &Way) -> Result<Dialed, Error> {
        let hop = match way {
            Way::Unix(path) => {
                let place = path.display().to_string();
                let stream = self.unix(path, &place).await?;
                return self.mux(stream, &place, Vec::new()).await;
            }
            Way::Net(hop) => hop,
        };
        let place = hop.known_as();
        let stream = self.tcp(hop, &place).await?;
        match hop.scheme {
            Scheme::Tcp => self.mux(stream, &place, Vec::new()).await,
            Scheme::Ws => self.websocket(stream, hop, Vec::new()).await,
            Scheme::Tls => {
                let (stream, binding) = self.tls(stream, hop, ALPN_MUX).await?;
                self.mux(stream, &place, binding).await
            }
            Scheme::Wss => {
                let (stream, binding) = self.tls(stream, hop, ALPN_HTTP).await?;
                self.websocket(stream, hop, binding).await
            }
        }
    }

    /// Encrypts a stream, and makes sure of the server before anything is told to it.
    async fn tls(&self, stream: Stream, hop: &Hop, alpn: &str) -> Result<(Stream, Vec<u8>), Error> {
        let place = hop.known_as();
        let failed = |source| Error::Link {
            place: place.clone(),
            source,
        };
        let (connector, seen) = tls::connector(alpn).map_err(failed)?;
        let name = ServerName::try_from(hop.host.clone()).map_err(|error| {
            Error::HostKey(format!(
                "{} cannot be the name of a server: {error}",
                hop.host
            ))
        })?;
        let stream = transport_tls::connect(&connector, name, stream, self.deadline())
            .await
            .map_err(failed)?;
        let seen = seen.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let Some(fingerprint) = seen.fingerprint else {
            return Err(Error::HostKey(format!(
                "the certificate of {place} cannot be read"
            )));
        };
        self.trust
            .check(&place, &fingerprint, seen.vouched, &self.ui)
            .await?;
        let binding = tls::binding(&stream);
        Ok((Box::new(stream), binding))
    }

    async fn mux(&self, stream: Stream, place: &str, binding: Vec<u8>) -> Result<Dialed, Error> {
        let (rx, tx) = stream::connect(stream, self.deadline())
            .await
            .map_err(|source| Error::Link {
                place: place.to_owned(),
                source,
            })?;
        Ok(Dialed {
            rx: Rx::Stream(rx),
            tx: Tx::Stream(tx),
            binding,
        })
    }

    async fn websocket(
        &self,
        stream: Stream,
        hop: &Hop,
        binding: Vec<u8>,
    ) -> Result<Dialed, Error> {
        let url = hop.url();
        let connected = websocket::connect_over(
            stream,
            &url,
            Some("xumux.0.1"),
            HeaderMap::new(),
            self.deadline(),
        );
        let connected = connected.await.map_err(|source| Error::Link {
            place: hop.known_as(),
            source,
        })?;
        Ok(Dialed {
            rx: Rx::WebSocket(connected.rx),
            tx: Tx::WebSocket(connected.tx),
            binding,
        })
    }

    fn deadline(&self) -> Instant {
        tokio::time::Instant::now().into_std() + self.timeout
    }

    fn timed_out(&self, place: &str) -> Error {
        Error::TimedOut {
            place: place.to_owned(),
            seconds: self.timeout.as_secs(),
        }
    }
}

impl fmt::Display for Way {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
            Self::Net(hop) => write!(f, "{}://{}", hop.scheme, hop.known_as()),
        }
    }
}

/// How long an attempt to connect may take where nothing else is said.
const TIMEOUT: Duration = Duration::from_secs(15);
