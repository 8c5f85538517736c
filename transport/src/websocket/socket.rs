//! The stream and the WebSocket codec that both halves of the link share.

use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tungstenite::protocol::frame::coding::CloseCode;
use tungstenite::protocol::{CloseFrame, Role, WebSocketConfig, WebSocketContext};
use tungstenite::{Error, Message, Utf8Bytes};

use super::io::{Detached, Polled};

/// A WebSocket without tasks: it works only while it is polled.
#[derive(Debug)]
pub(super) struct Socket<S> {
    stream: S,
    codec: WebSocketContext,
    message_limit: usize,
    write_limit: usize,
    reading: Reading,
    writing: Writing,
}

/// What was read.
#[derive(Debug)]
pub(super) enum Received {
    Binary(Bytes),
    Text,
    TooLarge,
    Closed,
}

/// What became of a message that was to be sent.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Queued {
    Taken,
    Full,
    Closed,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reading {
    Messages,
    /// After something that the codec cannot get past: what still comes is thrown away, so that
    /// our CLOSE can arrive.
    Discard,
    Ended,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Writing {
    Open,
    /// The peer broke the WebSocket protocol and shall be told so.
    Broken,
    Ended,
}

impl<S> Socket<S> {
    /// Wraps an upgraded stream; `read` is what was already read from it.
    pub(super) fn new(stream: S, role: Role, read: Vec<u8>) -> Self {
        let config = WebSocketConfig::default()
            .read_buffer_size(READ_BYTES)
            .write_buffer_size(0)
            .max_write_buffer_size(WRITE_QUEUE_BYTES)
            .max_message_size(Some(0))
            .max_frame_size(Some(0));
        Self {
            stream,
            codec: WebSocketContext::from_partially_read(read, role, Some(config)),
            message_limit: 0,
            write_limit: WRITE_QUEUE_BYTES,
            reading: Reading::Messages,
            writing: Writing::Open,
        }
    }

    /// Queues a message; moves no byte of the stream.
    pub(super) fn queue(&mut self, frame: Bytes) -> Queued {
        if self.writing != Writing::Open {
            return Queued::Closed;
        }
        // One message always fits, however large it is.
        let len = frame.len().saturating_add(WEBSOCKET_HEADER_MAX);
        if len > self.write_limit {
            self.write_limit = len;
            self.codec
                .set_config(|config| config.max_write_buffer_size = len);
        }
        match self.codec.write(&mut Detached, Message::Binary(frame)) {
            Ok(()) => Queued::Taken,
            Err(error) if would_block(&error) => Queued::Taken,
            Err(Error::WriteBufferFull(_)) => Queued::Full,
            Err(_) => Queued::Closed,
        }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> Socket<S> {
    /// Reads the next message of at most `limit` bytes.
    pub(super) fn poll_read(&mut self, cx: &mut Context<'_>, limit: usize) -> Poll<Received> {
        if self.message_limit != limit {
            self.message_limit = limit;
            self.codec.set_config(|config| {
                config.max_message_size = Some(limit);
                config.max_frame_size = Some(limit);
            });
        }
        loop {
            match self.reading {
                Reading::Messages => {}
                Reading::Discard => ready!(self.poll_discard(cx)),
                Reading::Ended => return Poll::Ready(Received::Closed),
            }
            if self.reading != Reading::Messages {
                continue;
            }
            let mut polled = Polled {
                stream: &mut self.stream,
                cx,
            };
            match self.codec.read(&mut polled) {
                Ok(Message::Binary(frame)) => return Poll::Ready(Received::Binary(frame)),
                Ok(Message::Text(_)) => return Poll::Ready(Received::Text),
                // The codec answers pings by itself, one at a time.
                Ok(Message::Ping(_) | Message::Pong(_) | Message::Frame(_)) => {}
                Ok(Message::Close(_)) => self.reading = Reading::Ended,
                Err(error) if would_block(&error) => return Poll::Pending,
                Err(Error::Capacity(_)) => {
                    self.reading = Reading::Discard;
                    return Poll::Ready(Received::TooLarge);
                }
                Err(Error::Utf8(_)) => {
                    self.reading = Reading::Discard;
                    return Poll::Ready(Received::Text);
                }
                Err(Error::Protocol(_)) => {
                    self.reading = Reading::Ended;
                    self.writing = Writing::Broken;
                }
                Err(_) => self.reading = Reading::Ended,
            }
        }
    }

    /// Writes what was queued; ready when all of it lies with the stream, or when the stream ended.
    pub(super) fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        if self.writing == Writing::Ended {
            return Poll::Ready(());
        }
        let mut polled = Polled {
            stream: &mut self.stream,
            cx,
        };
        match self.codec.flush(&mut polled) {
            Ok(()) => {}
            Err(error) if would_block(&error) => return Poll::Pending,
            Err(_) => self.writing = Writing::Ended,
        }
        Poll::Ready(())
    }

    /// Queues the WebSocket's own close behind what was queued before.
    pub(super) fn queue_close(&mut self, code: u16) {
        let code = match self.writing {
            Writing::Open => CloseCode::from(code),
            Writing::Broken => CloseCode::Protocol,
            Writing::Ended => return,
        };
        let frame = CloseFrame {
            code,
            reason: Utf8Bytes::from_static(""),
        };
        match self.codec.close(&mut Detached, Some(frame)) {
            Ok(()) => {}
            Err(error) if would_block(&error) => {}
            Err(_) => self.writing = Writing::Ended,
        }
    }

    /// Ends the sending direction of the stream.
    pub(super) fn poll_shutdown(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        self.writing = Writing::Ended;
        Pin::new(&mut self.stream).poll_shutdown(cx).map(|_| ())
    }

    /// Reads and throws away until the stream ends.
    fn poll_discard(&mut self, cx: &mut Context<'_>) -> Poll<()> {
        let mut buffer = [0; DISCARD_BYTES];
        loop {
            let mut buffer = ReadBuf::new(&mut buffer);
            match ready!(Pin::new(&mut self.stream).poll_read(cx, &mut buffer)) {
                Ok(()) if !buffer.filled().is_empty() => {}
                Ok(()) | Err(_) => {
                    self.reading = Reading::Ended;
                    return Poll::Ready(());
                }
            }
        }
    }
}

fn would_block(error: &Error) -> bool {
    matches!(error, Error::Io(error) if error.kind() == std::io::ErrorKind::WouldBlock)
}

/// How much is read at once, and held by an idle socket.
const READ_BYTES: usize = 8 * 1024;
/// How many bytes wait for the stream; then the link is full. A larger message waits alone.
const WRITE_QUEUE_BYTES: usize = 64 * 1024;
/// The largest header of a WebSocket frame.
const WEBSOCKET_HEADER_MAX: usize = 14;
/// How much is thrown away at once.
const DISCARD_BYTES: usize = 4 * 1024;
