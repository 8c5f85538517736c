//! From a name to a TCP connection.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::net::{TcpStream, lookup_host};
use tokio::time::{Instant, timeout_at};
use vroom_transport::tcp;

use crate::error::Error;
use crate::target::join_port;

/// Which addresses may be used.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub(super) enum Family {
    /// All.
    #[default]
    Any,
    /// IPv4.
    V4,
    /// IPv6.
    V6,
}

/// Connects to the first address of a host that answers.
pub(super) async fn connect(
    host: &str,
    port: u16,
    family: Family,
    limit: Duration,
) -> Result<TcpStream, Error> {
    let place = join_port(host, port);
    let deadline = Instant::now() + limit;
    let timed_out = || Error::TimedOut {
        place: place.clone(),
        seconds: limit.as_secs(),
    };
    let found = timeout_at(deadline, lookup_host((host, port))).await;
    let found = found.map_err(|_| timed_out())?;
    let found = found.map_err(|source| Error::Resolve {
        host: host.to_owned(),
        source,
    })?;
    let wanted = |address: &SocketAddr| match family {
        Family::Any => true,
        Family::V4 => address.is_ipv4(),
        Family::V6 => address.is_ipv6(),
    };
    let mut error = io::Error::new(io::ErrorKind::NotFound, "it has no address of that kind");
    for address in found.filter(wanted) {
        match timeout_at(deadline, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => match tcp::tune(&stream) {
                Ok(()) => return Ok(stream),
                Err(refused) => error = refused,
            },
            Ok(Err(refused)) => error = refused,
            Err(_) => return Err(timed_out()),
        }
    }
    Err(Error::Connect {
        place,
        source: error,
    })
}
