//! Reaching the target of a connection.

use std::io;
use std::time::Duration;

use tokio::net::{TcpStream, UnixStream, lookup_host};
use tokio::sync::mpsc;
use tokio::task::AbortHandle;
use tokio::time::timeout;
use vroom_protocol::forward::{ConnectionName, Endpoint, ForwardCode};

use super::News;
use super::failure::Failure;
use super::pipe::Stream;

/// An attempt to reach a target; dropping it gives up.
#[derive(Debug)]
pub(super) struct Dial(AbortHandle);

impl Dial {
    /// Begins; how it went is told.
    pub(super) fn start(name: ConnectionName, target: Endpoint, tell: mpsc::Sender<News>) -> Self {
        let task = tokio::spawn(async move {
            let reached = match timeout(DIAL_TIMEOUT, connect(&target)).await {
                Ok(reached) => reached,
                Err(_) => Err(Failure::new(
                    ForwardCode::CONNECT_FAILED,
                    "the target does not answer",
                )),
            };
            // The connection that would want to know is gone.
            drop(tell.send(News::Dialled(name, reached)).await);
        });
        Self(task.abort_handle())
    }
}

impl Drop for Dial {
    fn drop(&mut self) {
        self.0.abort();
    }
}

/// Refuses what cannot be a target.
pub(super) fn check(target: &Endpoint) -> Result<(), Failure> {
    if target.unix_path().is_some() || (!target.address.is_empty() && target.port != 0) {
        return Ok(());
    }
    let reason = "a target has a name and a port, or an absolute path and no port";
    Err(Failure::new(ForwardCode::INVALID_ADDRESS, reason))
}

async fn connect(target: &Endpoint) -> Result<Stream, Failure> {
    check(target)?;
    if let Some(path) = target.unix_path() {
        let connected = UnixStream::connect(path).await;
        return match connected {
            Ok(stream) => Ok(Stream::Unix(stream)),
            Err(error) => Err(Failure::connecting(&error)),
        };
    }
    let found = lookup_host((target.address.as_str(), target.port)).await;
    let addresses =
        found.map_err(|error| Failure::new(ForwardCode::INVALID_ADDRESS, error.to_string()))?;
    let mut last = io::Error::from(io::ErrorKind::AddrNotAvailable);
    for address in addresses {
        match TcpStream::connect(address).await {
            Ok(stream) => {
                // What is typed must not wait for more.
                drop(stream.set_nodelay(true));
                return Ok(Stream::Tcp(stream));
            }
            Err(error) => last = error,
        }
    }
    Err(Failure::connecting(&last))
}

/// How long a target may take to answer; then 7003.
const DIAL_TIMEOUT: Duration = Duration::from_secs(20);
