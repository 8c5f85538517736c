//! Byte streams: TCP, TLS over TCP, Unix sockets, pipes. The magic, then frame after frame.

use std::collections::VecDeque;
use std::future::{Future, poll_fn};
use std::io::{self, IoSlice};
use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Instant;

use bytes::{Buf, Bytes};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf, ReadHalf, WriteHalf};
use tokio::time::timeout_at;
use vroom_protocol::{Code, MAGIC, StreamDecoder, Transmit};

use crate::{Error, Incoming, LinkRx, LinkTx, TrySend};

/// Makes the server's link: reads the magic and only then answers with ours.
///
/// A client that sends anything else learns nothing: drop the stream on an error. The check is made
/// byte by byte, so the first wrong one ends it.
pub async fn accept<S>(
    mut stream: S,
    deadline: Instant,
) -> Result<(StreamRx<S>, StreamTx<S>), Error>
where
    S: AsyncRead + AsyncWrite + Unpin + Send,
{
    within(deadline, async {
        read_magic(&mut stream).await?;
        write_magic(&mut stream).await
    })
    .await?;
    Ok(split(stream))
}

/// Makes the client's link: sends our magic and waits for the server's.
pub async fn connect<S>(
    mut stream: S,
    deadline: Instant,
) -> Result<(StreamRx<S>, StreamTx<S>), Error>
where
    S: AsyncRead + AsyncWrite + Unpin + Send,
{
    within(deadline, async {
        write_magic(&mut stream).await?;
        read_magic(&mut stream).await
    })
    .await?;
    Ok(split(stream))
}

/// The receiving half.
#[derive(Debug)]
pub struct StreamRx<S> {
    stream: ReadHalf<S>,
    decoder: StreamDecoder,
    buffer: Box<[u8]>,
    state: Reading,
}

/// The sending half.
#[derive(Debug)]
pub struct StreamTx<S> {
    stream: WriteHalf<S>,
    queue: VecDeque<Bytes>,
    queued_bytes: usize,
    closed: bool,
}

/// How far the receiving half has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reading {
    /// Frames are decoded.
    Frames,
    /// After malformed bytes: what still comes is thrown away, so that our CLOSE can arrive.
    Discard,
    /// The stream ended.
    Ended,
}

impl<S: AsyncRead + Unpin + Send> LinkRx for StreamRx<S> {
    async fn recv(&mut self, frame_limit: usize) -> Incoming {
        // Everything that was read lives in `self`, which makes this cancel-safe.
        poll_fn(|cx| self.poll_recv(cx, frame_limit)).await
    }
}

impl<S: AsyncRead> StreamRx<S> {
    fn poll_recv(&mut self, cx: &mut Context<'_>, frame_limit: usize) -> Poll<Incoming> {
        loop {
            if self.state == Reading::Frames {
                match self.decoder.poll(frame_limit) {
                    Ok(Some(frame)) => {
                        return Poll::Ready(Incoming::Message { lane: None, frame });
                    }
                    Ok(None) => {}
                    Err(error) => {
                        self.state = Reading::Discard;
                        return Poll::Ready(Incoming::Malformed(error));
                    }
                }
            }
            if self.state == Reading::Ended {
                return Poll::Ready(Incoming::Closed);
            }
            let mut buffer = ReadBuf::new(&mut self.buffer);
            match ready!(Pin::new(&mut self.stream).poll_read(cx, &mut buffer)) {
                Ok(()) if !buffer.filled().is_empty() => {
                    if self.state == Reading::Frames {
                        self.decoder.push(buffer.filled());
                    }
                }
                Ok(()) | Err(_) => self.state = Reading::Ended,
            }
        }
    }
}

impl<S: AsyncWrite + Unpin + Send> LinkTx for StreamTx<S> {
    fn try_send(&mut self, transmit: Transmit) -> Result<(), TrySend> {
        if self.closed {
            return Err(TrySend::Closed);
        }
        let queued_bytes = self.queued_bytes.saturating_add(transmit.frame.len());
        // One frame always fits, however large it is.
        let fits = queued_bytes <= WRITE_QUEUE_BYTES && self.queue.len() < WRITE_QUEUE_FRAMES;
        if !fits && !self.queue.is_empty() {
            return Err(TrySend::Full(transmit));
        }
        self.queued_bytes = queued_bytes;
        self.queue.push_back(transmit.frame);
        Ok(())
    }

    async fn writable(&mut self) {
        // What was not yet written lives in `self`, which makes this cancel-safe.
        if poll_fn(|cx| self.poll_flush(cx)).await.is_err() {
            self.closed = true;
            self.queue.clear();
            self.queued_bytes = 0;
        }
    }

    async fn shutdown(&mut self, _code: Code) {
        self.writable().await;
        if self.stream.shutdown().await.is_err() {
            self.closed = true;
        }
    }
}

impl<S: AsyncWrite> StreamTx<S> {
    fn poll_flush(&mut self, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut stream = Pin::new(&mut self.stream);
        while !self.queue.is_empty() {
            let mut slices = [IoSlice::new(&[]); WRITE_QUEUE_FRAMES];
            let mut count = 0;
            for (slice, frame) in slices.iter_mut().zip(&self.queue) {
                *slice = IoSlice::new(frame);
                count += 1;
            }
            let slices = slices.get(..count).unwrap_or_default();
            let written = ready!(stream.as_mut().poll_write_vectored(cx, slices))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            self.queued_bytes = self.queued_bytes.saturating_sub(written);
            advance(&mut self.queue, written);
        }
        stream.poll_flush(cx)
    }
}

/// Takes `written` bytes from the front of the queue.
fn advance(queue: &mut VecDeque<Bytes>, mut written: usize) {
    while let Some(frame) = queue.front_mut() {
        if written < frame.len() {
            frame.advance(written);
            return;
        }
        written -= frame.len();
        queue.pop_front();
    }
}

fn split<S: AsyncRead + AsyncWrite>(stream: S) -> (StreamRx<S>, StreamTx<S>) {
    let (read, write) = tokio::io::split(stream);
    let mut decoder = StreamDecoder::new();
    // The magic was read already, and the decoder starts with it.
    decoder.push(&MAGIC);
    let rx = StreamRx {
        stream: read,
        decoder,
        buffer: vec![0; READ_BYTES].into_boxed_slice(),
        state: Reading::Frames,
    };
    let tx = StreamTx {
        stream: write,
        queue: VecDeque::new(),
        queued_bytes: 0,
        closed: false,
    };
    (rx, tx)
}

async fn within(
    deadline: Instant,
    greeting: impl Future<Output = Result<(), Error>>,
) -> Result<(), Error> {
    timeout_at(deadline.into(), greeting)
        .await
        .map_err(|_| Error::TimedOut)?
}

async fn read_magic(stream: &mut (impl AsyncRead + Unpin)) -> Result<(), Error> {
    for expected in MAGIC {
        if stream.read_u8().await? != expected {
            return Err(Error::WrongMagic);
        }
    }
    Ok(())
}

async fn write_magic(stream: &mut (impl AsyncWrite + Unpin)) -> Result<(), Error> {
    stream.write_all(&MAGIC).await?;
    Ok(stream.flush().await?)
}

/// How much is read at once. What was read is decoded before more is read.
const READ_BYTES: usize = 16 * 1024;
/// How many bytes wait for the stream; then the link is full.
const WRITE_QUEUE_BYTES: usize = 64 * 1024;
/// How many frames wait for the stream; then the link is full.
const WRITE_QUEUE_FRAMES: usize = 64;
