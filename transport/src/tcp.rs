//! The settings of a TCP socket.

use std::io;

use socket2::SockRef;
use tokio::net::TcpStream;

/// Prepares a socket for interactive use: no delay for small writes, and little unsent data in the
/// kernel.
///
/// What lies in the kernel cannot be overtaken, so a key echo or a PONG would wait behind it. What
/// the network has not acknowledged yet is not counted, so throughput does not suffer. A key that is lost twice is sent
/// again as soon as one that is lost once: so little is on its way that it cannot be what the network is full of.
pub fn tune(stream: &TcpStream) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let socket = SockRef::from(stream);
    socket.set_keepalive(true)?;
    socket.set_tcp_thin_linear_timeouts(true)?;
    socket.set_tcp_notsent_lowat(UNSENT_BYTES)
}

/// How much unsent data the kernel takes before the socket counts as full; sending then waits.
const UNSENT_BYTES: u32 = 32 * 1024;

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    #[tokio::test]
    async fn a_tuned_socket_has_its_settings() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let stream = TcpStream::connect(listener.local_addr().unwrap())
            .await
            .unwrap();
        tune(&stream).unwrap();
        assert!(stream.nodelay().unwrap());
        assert!(SockRef::from(&stream).tcp_thin_linear_timeouts().unwrap());
        assert_eq!(
            SockRef::from(&stream).tcp_notsent_lowat().unwrap(),
            UNSENT_BYTES
        );
    }
}
