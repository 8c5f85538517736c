//! Listening for a client.

use std::fs;
use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::net::{TcpListener, UnixListener, UnixStream};
use tokio::sync::mpsc;
use tokio::task::AbortHandle;
use vroom_protocol::forward::{Endpoint, ForwardCode};

use super::News;
use super::agent::AgentSocket;
use super::failure::Failure;
use super::pipe::Stream;

/// A place that is listened on; dropping it ends that.
#[derive(Debug)]
pub(super) struct Listening {
    port: u16,
    task: AbortHandle,
    /// The socket's file, which goes with it.
    file: Option<PathBuf>,
    agent: Option<AgentSocket>,
}

/// What is listened on.
enum Socket {
    Tcp(TcpListener),
    Unix(UnixListener),
    Agent(UnixListener),
}

impl Listening {
    /// Listens where a client wants it; who connects is told.
    pub(super) fn start(
        forward: u64,
        bind: &Endpoint,
        any_address: bool,
        tell: mpsc::Sender<News>,
    ) -> Result<Self, Failure> {
        if let Some(path) = bind.unix_path() {
            let path = PathBuf::from(path);
            let listener = bind_unix(&path).map_err(|error| Failure::listening(&error))?;
            return Ok(Self {
                port: 0,
                task: spawn(forward, Socket::Unix(listener), tell),
                file: Some(path),
                agent: None,
            });
        }
        let address = SocketAddr::new(address(&bind.address, any_address)?, bind.port);
        let listener = bind_tcp(address).map_err(|error| Failure::listening(&error))?;
        let port = listener
            .local_addr()
            .map_or(bind.port, |bound| bound.port());
        Ok(Self {
            port,
            task: spawn(forward, Socket::Tcp(listener), tell),
            file: None,
            agent: None,
        })
    }

    /// Listens for programs that look for an SSH agent.
    pub(super) fn start_agent(forward: u64, tell: mpsc::Sender<News>) -> Result<Self, Failure> {
        let (agent, listener) = AgentSocket::bind().map_err(|error| Failure::listening(&error))?;
        Ok(Self {
            port: 0,
            task: spawn(forward, Socket::Agent(listener), tell),
            file: None,
            agent: Some(agent),
        })
    }

    /// The port; 0 for the file of a socket.
    pub(super) fn port(&self) -> u16 {
        self.port
    }

    /// Where programs look for an SSH agent.
    pub(super) fn agent_socket(&self) -> Option<&Path> {
        self.agent.as_ref().map(AgentSocket::path)
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.task.abort();
        if let Some(file) = &self.file {
            // It may be gone already.
            drop(fs::remove_file(file));
        }
    }
}

fn spawn(forward: u64, socket: Socket, tell: mpsc::Sender<News>) -> AbortHandle {
    tokio::spawn(accept(forward, socket, tell)).abort_handle()
}

/// Tells of who connects; whoever comes faster than they are taken waits in the system's queue.
async fn accept(forward: u64, socket: Socket, tell: mpsc::Sender<News>) {
    loop {
        let accepted = match &socket {
            Socket::Tcp(listener) => listener.accept().await.map(|(stream, peer)| {
                // What is typed must not wait for more.
                drop(stream.set_nodelay(true));
                let source = peer.ip().to_string();
                (Stream::Tcp(stream), source, peer.port().into())
            }),
            Socket::Unix(listener) => listener
                .accept()
                .await
                .map(|(stream, _)| (Stream::Unix(stream), String::new(), 0)),
            Socket::Agent(listener) => listener.accept().await.map(|(stream, _)| {
                let (program, pid) = who(&stream);
                (Stream::Unix(stream), program, pid)
            }),
        };
        match accepted {
            Ok((stream, source, port)) => {
                let news = News::Accepted {
                    forward,
                    stream,
                    source,
                    port,
                };
                if tell.send(news).await.is_err() {
                    return;
                }
            }
            Err(error) => {
                // Most likely too many files are open, which passes.
                tracing::debug!(%error, "a connection was not accepted");
                tokio::time::sleep(ACCEPT_PAUSE).await;
            }
        }
    }
}

/// The program at the other end of a socket, and its process.
fn who(stream: &UnixStream) -> (String, u32) {
    let pid = stream.peer_cred().ok().and_then(|peer| peer.pid());
    let Some(pid) = pid.and_then(|pid| u32::try_from(pid).ok()) else {
        return (String::new(), 0);
    };
    let name = fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
    (name.trim_end().to_owned(), pid)
}

/// The address that is meant; only loopback ones unless others are allowed.
fn address(name: &str, any_address: bool) -> Result<IpAddr, Failure> {
    let address = match name {
        "" | "localhost" => Ipv4Addr::LOCALHOST.into(),
        "*" => Ipv4Addr::UNSPECIFIED.into(),
        name => name.parse().map_err(|_| {
            let reason = "an address to listen on is given in numbers";
            Failure::new(ForwardCode::INVALID_ADDRESS, reason)
        })?,
    };
    if any_address || IpAddr::is_loopback(&address) {
        Ok(address)
    } else {
        let reason = "this server listens on loopback only for its clients";
        Err(Failure::new(ForwardCode::PERMISSION_DENIED, reason))
    }
}

fn bind_tcp(address: SocketAddr) -> io::Result<TcpListener> {
    let listener = std::net::TcpListener::bind(address)?;
    listener.set_nonblocking(true)?;
    TcpListener::from_std(listener)
}

fn bind_unix(path: &Path) -> io::Result<UnixListener> {
    let listener = UnixListener::bind(path)?;
    fs::set_permissions(path, fs::Permissions::from_mode(0o600))?;
    Ok(listener)
}

/// How long nobody is accepted after that failed.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_loopback_is_listened_on_unless_more_is_allowed() {
        for name in ["", "localhost", "127.0.0.1", "127.1.2.3", "::1"] {
            assert!(address(name, false).unwrap().is_loopback(), "{name}");
        }
        for name in ["*", "0.0.0.0", "::", "192.0.2.1"] {
            let failure = address(name, false).unwrap_err();
            assert_eq!(failure.code, ForwardCode::PERMISSION_DENIED, "{name}");
            assert!(address(name, true).is_ok(), "{name}");
        }
        for name in ["example.org", "127.0.0.1:80", "[::1]", " "] {
            let failure = address(name, true).unwrap_err();
            assert_eq!(failure.code, ForwardCode::INVALID_ADDRESS, "{name}");
        }
    }
}
