//! The task that carries bytes between a socket and the memory that it shares with its connection.

use std::collections::VecDeque;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{TcpStream, UnixStream};
use tokio::sync::Notify;
use tokio::time::timeout;

/// A connection of a program here.
#[derive(Debug)]
pub(crate) enum Stream {
    /// Over TCP.
    Tcp(TcpStream),
    /// Over a Unix socket.
    Unix(UnixStream),
}

/// What a task and its connection share.
#[derive(Debug)]
pub(super) struct Pipe {
    state: Mutex<State>,
    /// Wakes the half that writes: there are bytes for the program.
    incoming: Notify,
    /// Wakes the half that reads: there is room for bytes of the program.
    room: Notify,
    /// The client is gone: wakes the half that reads, and
    unwanted: Notify,
    /// the task itself.
    abandoned: Notify,
    /// Wakes the session.
    bell: Arc<Notify>,
}

#[derive(Debug, Default)]
struct State {
    /// Bytes for the program; the window of the client bounds them.
    incoming: VecDeque<Bytes>,
    /// Whether nothing comes after them.
    is_incoming_over: bool,
    /// Bytes handed to the program that were not counted yet.
    taken: usize,
    /// Bytes of the program.
    outgoing: VecDeque<Bytes>,
    outgoing_bytes: usize,
    /// Whether the program writes nothing more.
    is_outgoing_over: bool,
    /// Whether nobody reads what the program writes.
    is_abandoned: bool,
    /// How the task ended, once it has: `Err` in words.
    ended: Option<Result<(), String>>,
}

/// What the client gets.
#[derive(Debug)]
pub(super) enum Outgoing {
    /// Bytes of the program.
    Bytes(Bytes),
    /// There are none now.
    Nothing,
    /// There will be none any more.
    Over,
}

impl Pipe {
    /// Starts the task; it rings `bell` when there is something to do for the session.
    pub(super) fn start(stream: Stream, bell: Arc<Notify>) -> Arc<Self> {
        let pipe = Arc::new(Self {
            state: Mutex::default(),
            incoming: Notify::new(),
            room: Notify::new(),
            unwanted: Notify::new(),
            abandoned: Notify::new(),
            bell,
        });
        let shared = Arc::clone(&pipe);
        tokio::spawn(async move {
            let result = match stream {
                Stream::Tcp(stream) => shared.carry(stream).await,
                Stream::Unix(stream) => shared.carry(stream).await,
            };
            shared.lock().ended = Some(result.map_err(|error| error.to_string()));
            shared.bell.notify_one();
        });
        pipe
    }

    /// Hands bytes to the program.
    pub(super) fn push(&self, bytes: Bytes) {
        self.lock().incoming.push_back(bytes);
        self.incoming.notify_one();
    }

    /// Nothing more comes for the program.
    pub(super) fn finish(&self) {
        self.lock().is_incoming_over = true;
        self.incoming.notify_one();
    }

    /// The client is gone: the program gets what is there already, and an end.
    pub(super) fn abandon(&self) {
        let mut state = self.lock();
        state.is_incoming_over = true;
        state.is_abandoned = true;
        state.outgoing.clear();
        drop(state);
        self.incoming.notify_one();
        self.room.notify_one();
        self.unwanted.notify_one();
        self.abandoned.notify_one();
    }

    /// Bytes that were handed to the program since this was asked last.
    pub(super) fn taken(&self) -> usize {
        std::mem::take(&mut self.lock().taken)
    }

    /// Bytes of the program, at most so many.
    pub(super) fn next(&self, bytes_max: usize) -> Outgoing {
        let mut state = self.lock();
        let Some(first) = state.outgoing.front_mut() else {
            return if state.is_outgoing_over {
                Outgoing::Over
            } else {
                Outgoing::Nothing
            };
        };
        if bytes_max == 0 {
            return Outgoing::Nothing;
        }
        let bytes = first.split_to(first.len().min(bytes_max));
        if first.is_empty() {
            state.outgoing.pop_front();
        }
        state.outgoing_bytes -= bytes.len();
        drop(state);
        self.room.notify_one();
        Outgoing::Bytes(bytes)
    }

    /// How the task ended, once it has.
    pub(super) fn ended(&self) -> Option<Result<(), String>> {
        self.lock().ended.clone()
    }

    /// Carries bytes both ways until both directions are over, reading fails, or the client is gone
    /// and its last bytes are written.
    async fn carry(&self, stream: impl AsyncRead + AsyncWrite) -> io::Result<()> {
        let (read, write) = tokio::io::split(stream);
        let both = async {
            let (result, ()) = tokio::join!(self.read(read), self.write(write));
            result
        };
        tokio::pin!(both);
        tokio::select! {
            result = &mut both => return result,
            () = self.abandoned.notified() => {}
        }
        timeout(LINGER, both).await.unwrap_or(Ok(()))
    }

    async fn read(&self, mut stream: impl AsyncRead + Unpin) -> io::Result<()> {
        let mut buffer = BytesMut::new();
        let mut wanted = READ_BYTES_MIN;
        while self.has_room().await {
            buffer.reserve(wanted);
            let read = tokio::select! {
                read = stream.read_buf(&mut buffer) => read,
                () = self.unwanted.notified() => return Ok(()),
            };
            let read = match read {
                Ok(0) => {
                    self.lock().is_outgoing_over = true;
                    self.bell.notify_one();
                    return Ok(());
                }
                Ok(read) => read,
                Err(error) => {
                    // Whoever still writes is not heard.
                    self.finish();
                    return Err(error);
                }
            };
            wanted = if read >= wanted {
                READ_BYTES_MAX
            } else {
                READ_BYTES_MIN
            };
            let mut state = self.lock();
            state.outgoing_bytes += buffer.len();
            state.outgoing.push_back(buffer.split().freeze());
            drop(state);
            self.bell.notify_one();
        }
        Ok(())
    }

    /// Waits until more of the program may be kept; `false` when nobody reads it any more.
    async fn has_room(&self) -> bool {
        loop {
            {
                let state = self.lock();
                if state.is_abandoned {
                    return false;
                }
                if state.outgoing_bytes < OUTGOING_BYTES_MAX {
                    return true;
                }
            }
            self.room.notified().await;
        }
    }

    /// Hands on what comes until it is over; what a program does not read any more is thrown away.
    async fn write(&self, mut stream: impl AsyncWrite + Unpin) {
        let mut is_read = true;
        while let Some(bytes) = self.next_incoming().await {
            if is_read && let Err(error) = stream.write_all(&bytes).await {
                tracing::debug!(%error, "a program reads no more of a forwarded connection");
                is_read = false;
            }
            self.lock().taken += bytes.len();
            self.bell.notify_one();
        }
        if let Err(error) = stream.shutdown().await {
            tracing::debug!(%error, "a program did not wait for the end of a forwarded connection");
        }
    }

    async fn next_incoming(&self) -> Option<Bytes> {
        loop {
            {
                let mut state = self.lock();
                if let Some(bytes) = state.incoming.pop_front() {
                    return Some(bytes);
                }
                if state.is_incoming_over {
                    return None;
                }
            }
            self.incoming.notified().await;
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What is kept of what a program wrote; then it waits. One reading may go beyond.
const OUTGOING_BYTES_MAX: usize = 128 * 1024;

/// How much is read at once from a program that writes little, or
const READ_BYTES_MIN: usize = 4 * 1024;

/// much.
const READ_BYTES_MAX: usize = 64 * 1024;

/// How long a program may take to read its last bytes when the client is gone; then it loses them.
const LINGER: Duration = Duration::from_secs(10);
