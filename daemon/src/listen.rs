//! One port for everything: the mux, TLS, HTTP and WebSocket are told apart by their first bytes.

use std::io;
use std::net::IpAddr;
use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};
use tokio::time::sleep;
use tokio_rustls::TlsAcceptor;
use vroom_transport::sniff::{Spoken, sniff};
use vroom_transport::{stream, tcp, tls};

use crate::carried;
use crate::daemon::{Daemon, ended};
use crate::http::{self, Caller};
use crate::origin::{Binding, Transport};
use crate::source::Source;

/// Accepts connections on a TCP port until the server ends.
pub(crate) async fn serve_tcp(
    daemon: Arc<Daemon>,
    listener: TcpListener,
    acceptor: Option<TlsAcceptor>,
) {
    let mut ending = daemon.ending.subscribe();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = ended(&mut ending) => return,
        };
        match accepted {
            Ok((stream, address)) => {
                if let Err(error) = tcp::tune(&stream) {
                    tracing::debug!(%error, "a socket is gone already");
                    continue;
                }
                let address = address.ip().to_canonical();
                let mut caller = caller(&daemon, Source::of(address), local_ip(&stream));
                caller.address = Some(address);
                tokio::spawn(welcome(stream, caller, acceptor.clone()));
            }
            Err(error) => recover(&daemon, &error).await,
        }
    }
}

/// Accepts connections on a Unix socket until the server ends.
pub(crate) async fn serve_unix(daemon: Arc<Daemon>, socket: UnixSocket) {
    let mut ending = daemon.ending.subscribe();
    loop {
        let accepted = tokio::select! {
            accepted = socket.accept() => accepted,
            () = ended(&mut ending) => return,
        };
        match accepted {
            Ok(stream) => match peer(&stream) {
                Ok(source) => {
                    tokio::spawn(welcome(stream, caller(&daemon, source, None), None));
                }
                Err(error) => tracing::debug!(%error, "a socket is gone already"),
            },
            Err(error) => recover(&daemon, &error).await,
        }
    }
}

/// A Unix socket that only its owner can use; removed when dropped.
#[derive(Debug)]
pub(crate) struct UnixSocket {
    listener: UnixListener,
    path: PathBuf,
}

impl UnixSocket {
    /// Binds it, in place of one that nobody listens on any more.
    pub(crate) fn bind(path: &Path) -> io::Result<Self> {
        if let Ok(metadata) = std::fs::symlink_metadata(path) {
            let abandoned = metadata.file_type().is_socket()
                && std::os::unix::net::UnixStream::connect(path).is_err();
            if !abandoned {
                return Err(io::ErrorKind::AddrInUse.into());
            }
            std::fs::remove_file(path)?;
        }
        let listener = UnixListener::bind(path)?;
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o600))?;
        Ok(Self {
            listener,
            path: path.into(),
        })
    }
}

impl UnixSocket {
    /// Waits for the next connection; cancel-safe.
    pub(crate) async fn accept(&self) -> io::Result<UnixStream> {
        Ok(self.listener.accept().await?.0)
    }
}

impl Drop for UnixSocket {
    fn drop(&mut self) {
        if let Err(error) = std::fs::remove_file(&self.path) {
            tracing::debug!(%error, "the Unix socket is gone already");
        }
    }
}

fn caller(daemon: &Arc<Daemon>, source: Source, local: Option<IpAddr>) -> Caller {
    let deadline = Instant::now() + daemon.settings.limits.pre_auth;
    Caller {
        daemon: Arc::clone(daemon),
        source,
        local,
        pass: Arc::new(daemon.gate.enter(source, deadline)),
        encrypted: false,
        address: None,
        binding: if source.is_local() {
            Binding::Local
        } else {
            Binding::Missing
        },
    }
}

/// Finds out what a client speaks, and serves it.
async fn welcome<S>(stream: S, caller: Caller, acceptor: Option<TlsAcceptor>)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let pass = Arc::clone(&caller.pass);
    let deadline = pass.deadline().unwrap_or_else(Instant::now);
    let sniffed = tokio::select! {
        sniffed = sniff(stream, deadline) => sniffed,
        () = pass.expired() => return,
    };
    let Ok((spoken, stream)) = sniffed else {
        return;
    };
    match (spoken, acceptor) {
        (Spoken::Tls, Some(acceptor)) => {
            let accepted = tokio::select! {
                accepted = tls::accept(&acceptor, stream, deadline) => accepted,
                () = pass.expired() => return,
            };
            match accepted {
                Ok(stream) => {
                    let binding = tls::server_binding(&stream);
                    let caller = Caller {
                        encrypted: true,
                        binding: binding.map_or(Binding::Missing, Binding::Exported),
                        ..caller
                    };
                    Box::pin(inside_tls(stream, caller)).await;
                }
                Err(error) => {
                    tracing::debug!(source = %caller.source, %error, "TLS was not agreed on");
                }
            }
        }
        (Spoken::Tls, None) => {}
        (spoken, acceptor) => {
            let may_be_plain = caller.source.is_local()
                || (acceptor.is_none() || caller.daemon.settings.allow_insecure_listen);
            if may_be_plain {
                serve(spoken, stream, caller).await;
            }
        }
    }
}

async fn inside_tls<S>(stream: S, caller: Caller)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let deadline = caller.pass.deadline().unwrap_or_else(Instant::now);
    let sniffed = tokio::select! {
        sniffed = sniff(stream, deadline) => sniffed,
        () = caller.pass.expired() => return,
    };
    if let Ok((spoken, stream)) = sniffed {
        serve(spoken, stream, caller).await;
    }
}

async fn serve<S>(spoken: Spoken, stream: S, caller: Caller)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    match spoken {
        Spoken::Mux => serve_mux(stream, caller).await,
        Spoken::Http => http::serve(stream, caller).await,
        Spoken::Tls => {}
    }
}

/// Runs the mux on a byte stream; plain text only where nobody else can read it.
async fn serve_mux<S>(stream: S, caller: Caller)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let plain = caller.source.is_local() || caller.daemon.settings.allow_insecure_listen;
    if !caller.encrypted && !plain {
        return;
    }
    let deadline = caller.pass.deadline().unwrap_or_else(Instant::now);
    let accepted = tokio::select! {
        accepted = stream::accept(stream, deadline) => accepted,
        () = caller.pass.expired() => return,
    };
    if let Ok((rx, tx)) = accepted {
        let origin = caller.origin(Transport::Stream);
        let pass = Some(caller.pass);
        carried::run(caller.daemon, origin, None, pass, None, rx, tx).await;
    }
}

/// Waits a moment when the system has no more sockets for us, and shows a stranger out.
async fn recover(daemon: &Daemon, error: &io::Error) {
    tracing::warn!(%error, "a connection could not be accepted");
    daemon.gate.show_oldest_out();
    sleep(RECOVERY).await;
}

fn local_ip(stream: &TcpStream) -> Option<IpAddr> {
    stream.local_addr().ok().map(|address| address.ip())
}

/// Whose connection it is, by the word of the kernel.
pub(crate) fn peer(stream: &UnixStream) -> io::Result<Source> {
    Ok(Source::User(stream.peer_cred()?.uid()))
}

/// How long to wait after a connection could not be accepted.
const RECOVERY: Duration = Duration::from_millis(50);
