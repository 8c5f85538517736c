//! The links that a test client uses.

use std::net::SocketAddr;
use std::time::Instant;

use anyhow::{Result, anyhow};
use http::{HeaderMap, HeaderValue};
use tokio::net::TcpStream;
use vroom_protocol::Transmit;
use vroom_transport::{Incoming, LinkRx as _, LinkTx as _, TrySend, stream, tcp, websocket};

use crate::pty::PATIENCE;

/// How to reach a server.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Dial {
    /// The mux directly on TCP.
    Tcp(SocketAddr),
    /// A WebSocket, as pages use it.
    Web(SocketAddr),
}

/// A link of any kind.
pub(super) enum AnyLink {
    Tcp(stream::StreamRx<TcpStream>, stream::StreamTx<TcpStream>),
    Web(
        websocket::WebSocketRx<TcpStream>,
        websocket::WebSocketTx<TcpStream>,
    ),
}

impl AnyLink {
    pub(super) async fn open(dial: &Dial) -> Result<Self> {
        let deadline = Instant::now() + PATIENCE;
        match dial {
            Dial::Tcp(address) => {
                let socket = TcpStream::connect(address).await?;
                tcp::tune(&socket)?;
                let link = stream::connect(socket, deadline).await;
                let (rx, tx) = link.map_err(|error| anyhow!("{error}"))?;
                Ok(Self::Tcp(rx, tx))
            }
            Dial::Web(address) => {
                let url = format!("ws://{address}/vroom");
                let origin = HeaderValue::from_str(&format!("http://{address}"))?;
                let headers = HeaderMap::from_iter([(http::header::ORIGIN, origin)]);
                let link = websocket::connect(&url, Some("xumux.0.1"), headers, deadline).await;
                let link = link.map_err(|error| anyhow!("{error}"))?;
                Ok(Self::Web(link.rx, link.tx))
            }
        }
    }

    pub(super) async fn recv(&mut self, frame_limit: usize) -> Incoming {
        match self {
            Self::Tcp(rx, _) => rx.recv(frame_limit).await,
            Self::Web(rx, _) => rx.recv(frame_limit).await,
        }
    }

    /// Hands a frame over, waiting until there is room; a link that is gone takes all.
    pub(super) async fn send(&mut self, mut transmit: Transmit) {
        loop {
            let taken = match self {
                Self::Tcp(_, tx) => tx.try_send(transmit),
                Self::Web(_, tx) => tx.try_send(transmit),
            };
            match taken {
                Ok(()) | Err(TrySend::Closed) => return,
                Err(TrySend::Full(back) | TrySend::LaneFull(back)) => transmit = back,
            }
            self.written().await;
        }
    }

    /// Waits until all that was handed over is with the transport.
    pub(super) async fn written(&mut self) {
        match self {
            Self::Tcp(_, tx) => tx.writable().await,
            Self::Web(_, tx) => tx.writable().await,
        }
    }
}
