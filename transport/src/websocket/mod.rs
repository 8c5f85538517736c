//! WebSocket: one frame per binary message, all channels on one socket.

mod client;
mod io;
mod rx;
mod socket;
mod tx;
mod upgrade;

use std::sync::{Arc, Mutex};

use tokio::io::{AsyncRead, AsyncWrite};
use tungstenite::protocol::Role;

pub use client::{Connected, connect, connect_over};
pub use rx::WebSocketRx;
pub use tx::WebSocketTx;
pub use upgrade::{SUBPROTOCOLS, UpgradeError, is_upgrade, pick_subprotocol, respond};

use socket::Socket;

/// Makes the server's link over a stream that was upgraded; see [`respond`].
///
/// The two halves share the stream, so both are to be polled by one task, which
/// [`drive`](crate::drive()) does.
pub fn accept<S>(stream: S) -> (WebSocketRx<S>, WebSocketTx<S>)
where
    S: AsyncRead + AsyncWrite + Unpin + Send,
{
    split(Socket::new(stream, Role::Server, Vec::new()))
}

fn split<S>(socket: Socket<S>) -> (WebSocketRx<S>, WebSocketTx<S>) {
    let socket = Arc::new(Mutex::new(socket));
    (
        WebSocketRx::new(Arc::clone(&socket)),
        WebSocketTx::new(socket),
    )
}
