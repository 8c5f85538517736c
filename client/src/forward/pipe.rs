//! Bytes between a stream here and a channel.

use std::io;
use std::sync::{Mutex, PoisonError};

use bytes::Bytes;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::sync::Notify;
use vroom_protocol::forward::{Data, DecodeError, Window};

use crate::remote::Channel;

/// Carries bytes both ways until both directions have ended or either side is gone.
///
/// No more than a window is under way: a slow reader on either side holds up this connection only.
pub(super) async fn pipe(stream: impl AsyncRead + AsyncWrite, channel: Channel) {
    let (mut read, mut write) = tokio::io::split(stream);
    let window = Mutex::new(Window::default());
    let with = |act: &mut dyn FnMut(&mut Window)| {
        act(&mut window.lock().unwrap_or_else(PoisonError::into_inner));
    };
    let acknowledged = Notify::new();
    let finished = Notify::new();
    let up = async {
        let mut buffer = vec![0; READ_BYTES];
        loop {
            let mut room = 0;
            with(&mut |window| room = window.room());
            if room == 0 {
                acknowledged.notified().await;
                continue;
            }
            let part = buffer.get_mut(..room.min(READ_BYTES)).unwrap_or_default();
            match read.read(part).await {
                Ok(0) => {
                    let (kind, payload) = Data::HalfClose.encode();
                    channel.send(kind, payload).await.map_err(|_| gone())?;
                    finished.notify_one();
                    return Ok(());
                }
                Ok(len) => {
                    let bytes = Bytes::copy_from_slice(buffer.get(..len).unwrap_or_default());
                    let (kind, payload) = Data::Bytes(bytes).encode();
                    with(&mut |window| window.sent(len));
                    channel.send(kind, payload).await.map_err(|_| gone())?;
                }
                Err(error) => return Err(error),
            }
        }
    };
    let down = async {
        let mut is_closed = false;
        loop {
            let received = tokio::select! {
                received = channel.recv() => received,
                // Acknowledgements still come while the other direction goes on.
                () = finished.notified(), if is_closed => return Ok(()),
            };
            let (kind, payload) = received.ok_or_else(gone)?;
            match Data::decode(kind, payload).map_err(misbehaved)? {
                Data::Bytes(bytes) => {
                    let mut received = Ok(());
                    with(&mut |window| received = window.received(bytes.len()));
                    received.map_err(misbehaved)?;
                    write.write_all(&bytes).await?;
                    let mut due = None;
                    with(&mut |window| due = window.taken(bytes.len()));
                    if let Some((kind, payload)) = due.map(|ack| ack.encode()) {
                        channel.send(kind, payload).await.map_err(|_| gone())?;
                    }
                }
                Data::Ack(total) => {
                    let mut taken = Ok(());
                    with(&mut |window| taken = window.acknowledge(total));
                    taken.map_err(misbehaved)?;
                    acknowledged.notify_one();
                }
                Data::HalfClose => {
                    write.shutdown().await?;
                    is_closed = true;
                }
            }
        }
    };
    // A broken direction ends both; dropping the channel and the stream tells both sides.
    drop(tokio::try_join!(up, down));
}

fn gone() -> io::Error {
    io::ErrorKind::ConnectionAborted.into()
}

fn misbehaved(error: DecodeError) -> io::Error {
    io::Error::other(error.to_string())
}

/// How much is read at once.
const READ_BYTES: usize = 16 * 1024;
