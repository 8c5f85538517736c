//! Listening here for connections that lead to the other side.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, UnixListener};
use vroom_protocol::forward::{Direction, Endpoint};

use super::hub::Shared;
use super::spec::ForwardSpec;
use super::{pipe, socks};
use crate::error::Error;
use crate::target::join_port;

/// A port or a socket that is listened on; the socket is removed when dropped.
#[derive(Debug)]
pub(super) enum Listener {
    Tcp(TcpListener, u16),
    Unix(UnixListener, PathBuf),
}

impl Listener {
    /// Begins to listen.
    pub(super) async fn bind(bind: &Endpoint) -> Result<Self, Error> {
        match bind.unix_path() {
            Some(path) => {
                let listener = UnixListener::bind(path).map_err(|source| Error::File {
                    path: path.into(),
                    source,
                })?;
                Ok(Self::Unix(listener, path.into()))
            }
            None => {
                let place = join_port(&bind.address, bind.port);
                let failed = |source| Error::Connect {
                    place: format!("{place} to listen"),
                    source,
                };
                let listener = TcpListener::bind((bind.address.as_str(), bind.port))
                    .await
                    .map_err(failed)?;
                let port = listener.local_addr().map_err(failed)?.port();
                Ok(Self::Tcp(listener, port))
            }
        }
    }

    /// The port, 0 for a Unix socket.
    pub(super) fn port(&self) -> u16 {
        match self {
            Self::Tcp(_, port) => *port,
            Self::Unix(..) => 0,
        }
    }

    async fn accept(&self) -> io::Result<(Box<dyn Stream>, String, u16)> {
        match self {
            Self::Tcp(listener, _) => {
                let (stream, address) = listener.accept().await?;
                stream.set_nodelay(true)?;
                Ok((Box::new(stream), address.ip().to_string(), address.port()))
            }
            Self::Unix(listener, _) => {
                let (stream, _) = listener.accept().await?;
                Ok((Box::new(stream), String::new(), 0))
            }
        }
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        if let Self::Unix(_, path) = self {
            // It may have been removed by somebody else.
            drop(std::fs::remove_file(path));
        }
    }
}

/// Either kind of stream.
trait Stream: AsyncRead + AsyncWrite + Unpin + Send {}

impl<S: AsyncRead + AsyncWrite + Unpin + Send> Stream for S {}

/// Takes connections until the process ends.
pub(super) async fn run(shared: Arc<Shared>, listener: Listener, forward: u64, spec: ForwardSpec) {
    loop {
        match listener.accept().await {
            Ok((stream, source, port)) => {
                let connection = connect(
                    Arc::clone(&shared),
                    stream,
                    forward,
                    spec.clone(),
                    source,
                    port,
                );
                tokio::spawn(connection);
            }
            Err(error) => {
                shared
                    .ui
                    .verbose(&format!("a connection was not accepted: {error}"));
                tokio::time::sleep(RECOVERY).await;
            }
        }
    }
}

async fn connect(
    shared: Arc<Shared>,
    mut stream: Box<dyn Stream>,
    forward: u64,
    spec: ForwardSpec,
    source: String,
    port: u16,
) {
    let (version, target) = if spec.direction == Direction::Dynamic {
        match socks::greet(&mut stream).await {
            Ok((version, target)) => (Some(version), Some(target)),
            Err(error) => return shared.ui.verbose(&format!("a SOCKS client: {error}")),
        }
    } else {
        (None, None)
    };
    let leads_to = target.as_ref().unwrap_or(&spec.target).to_string();
    let opened = shared.open(forward, &source, port, target).await;
    if let Some(version) = version
        && socks::answer(&mut stream, version, opened.is_ok())
            .await
            .is_err()
    {
        return;
    }
    match opened {
        Ok(channel) => {
            let from = if source.is_empty() {
                spec.bind.to_string()
            } else {
                join_port(&source, port)
            };
            let noted = shared.note(
                &format!("{forward}/{from}"),
                format!("{from} to {leads_to}"),
            );
            pipe::pipe(stream, channel).await;
            drop(noted);
        }
        Err(error) => shared
            .ui
            .notice(&format!("connecting to {leads_to}: {error}")),
    }
}

/// How long to wait after a connection could not be accepted.
const RECOVERY: std::time::Duration = std::time::Duration::from_millis(100);
