//! The files of a server: requests go out at once, answers come in their order.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use bytes::Bytes;
use tokio::sync::{Semaphore, SemaphorePermit, oneshot};
use tokio::task::JoinHandle;
use vroom_protocol::files::{CHANNEL, Entry, FileCode, Request, Response};

use crate::error::Error;
use crate::remote::{Channel, Remote};

/// The files of a server.
#[derive(Debug)]
pub(super) struct FileServer {
    shared: Arc<Shared>,
    reader: JoinHandle<()>,
    next_handle: AtomicU32,
    window: Semaphore,
}

#[derive(Debug)]
struct Shared {
    channel: Channel,
    waiting: Mutex<VecDeque<Waiting>>,
}

/// A request that was not answered yet.
#[derive(Debug)]
struct Waiting {
    answer: oneshot::Sender<Result<Response, Refusal>>,
    /// What came of a list that comes in several answers.
    entries: Vec<Entry>,
}

/// Why the server did not do something.
#[derive(Clone, Debug)]
pub(super) struct Refusal {
    code: Option<FileCode>,
    reason: String,
}

/// An answer that has not come yet.
#[derive(Debug)]
pub(super) struct Pending(oneshot::Receiver<Result<Response, Refusal>>);

impl Pending {
    /// Waits for the answer.
    pub(super) async fn answer(self) -> Result<Response, Refusal> {
        self.0.await.unwrap_or_else(|_| Err(Refusal::lost()))
    }

    /// Waits for an answer that says no more than that it was done.
    pub(super) async fn done(self) -> Result<(), Refusal> {
        self.answer().await.map(drop)
    }
}

impl FileServer {
    /// Opens the channel.
    pub(super) async fn open(remote: &Remote) -> Result<Self, Error> {
        let channel = remote.open(CHANNEL).await?;
        let shared = Arc::new(Shared {
            channel,
            waiting: Mutex::default(),
        });
        let reader = tokio::spawn(read(Arc::clone(&shared)));
        Ok(Self {
            shared,
            reader,
            next_handle: AtomicU32::new(1),
            window: Semaphore::new(WINDOW_UNITS),
        })
    }

    /// A handle that nobody uses.
    pub(super) fn handle(&self) -> u32 {
        self.next_handle.fetch_add(1, Ordering::Relaxed)
    }

    /// Takes part of what may be under way, for a transfer of so many bytes; waits for it.
    pub(super) async fn reserve(&self, bytes: usize) -> Option<SemaphorePermit<'_>> {
        let units = bytes.div_ceil(UNIT).clamp(1, WINDOW_UNITS);
        let units = u32::try_from(units).ok()?;
        self.window.acquire_many(units).await.ok()
    }

    /// Sends a request; the answer comes later.
    pub(super) fn ask(&self, request: &Request) -> Pending {
        let (answer, answered) = oneshot::channel();
        let (kind, payload) = request.encode();
        let mut waiting = self.shared.lock();
        if self.shared.channel.send_now(kind, payload).is_ok() {
            waiting.push_back(Waiting {
                answer,
                entries: Vec::new(),
            });
        }
        Pending(answered)
    }

    /// Waits until the connection takes more.
    pub(super) async fn writable(&self) -> Result<(), Refusal> {
        let writable = self.shared.channel.writable().await;
        writable.map_err(|_| Refusal::lost())
    }

    /// Asks about one file; `None` when there is none.
    pub(super) async fn stat(&self, path: &str) -> Result<Option<Entry>, Refusal> {
        let request = Request::Stat {
            path: path.to_owned(),
            follow: true,
        };
        match self.ask(&request).answer().await {
            Ok(Response::Stat { entry, .. }) => Ok(Some(entry)),
            Ok(_) => Err(Refusal::unexpected()),
            Err(refusal) if refusal.code == Some(FileCode::FILE_NOT_FOUND) => Ok(None),
            Err(refusal) => Err(refusal),
        }
    }

    /// What is in a folder.
    pub(super) async fn list(&self, path: &str) -> Result<Vec<Entry>, Refusal> {
        let request = Request::List {
            path: path.to_owned(),
        };
        match self.ask(&request).answer().await? {
            Response::Listed { entries, .. } => Ok(entries),
            _ => Err(Refusal::unexpected()),
        }
    }

    /// Reads a part of an open file; less only at its end.
    pub(super) async fn read(
        &self,
        handle: u32,
        offset: u64,
        length: usize,
    ) -> Result<Bytes, Refusal> {
        let mut parts: Vec<Bytes> = Vec::new();
        let mut got = 0;
        while got < length {
            let request = Request::Read {
                handle,
                offset: offset + got as u64,
                length: u32::try_from(length - got).unwrap_or(u32::MAX),
            };
            match self.ask(&request).answer().await? {
                Response::Data { data, .. } if data.is_empty() => break,
                Response::Data { data, .. } if data.len() <= length - got => {
                    got += data.len();
                    parts.push(data);
                }
                _ => return Err(Refusal::unexpected()),
            }
        }
        Ok(match parts.len() {
            1 => parts.swap_remove(0),
            _ => parts.concat().into(),
        })
    }
}

impl Drop for FileServer {
    fn drop(&mut self) {
        self.reader.abort();
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, VecDeque<Waiting>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Hands answers to those who wait, in the order of the requests.
async fn read(shared: Arc<Shared>) {
    while let Some((kind, payload)) = shared.channel.recv().await {
        let response = Response::decode(kind, &payload);
        let mut waiting = shared.lock();
        let response = match response {
            Ok(Response::Listed { entries, more }) => {
                let Some(front) = waiting.front_mut() else {
                    return;
                };
                if front.entries.len() + entries.len() > ENTRIES_MAX {
                    Err(Refusal::from("the folder has too many entries".to_owned()))
                } else {
                    front.entries.extend(entries);
                    if more {
                        continue;
                    }
                    let entries = std::mem::take(&mut front.entries);
                    Ok(Response::Listed {
                        entries,
                        more: false,
                    })
                }
            }
            Ok(Response::Error(error)) => Err(Refusal {
                code: Some(error.code),
                reason: if error.reason.is_empty() {
                    error.code.name().to_owned()
                } else {
                    error.reason
                },
            }),
            Ok(response) => Ok(response),
            Err(error) => Err(Refusal::from(error.to_string())),
        };
        let Some(first) = waiting.pop_front() else {
            return;
        };
        drop(waiting);
        // Whoever asked may have gone.
        drop(first.answer.send(response));
    }
    // All who still wait are told by losing their answer.
    shared.lock().clear();
}

impl Refusal {
    pub(super) fn unexpected() -> Self {
        Self::from("the server's answer is none to the request".to_owned())
    }

    fn lost() -> Self {
        Self::from("the connection was lost; run the same command again to go on".to_owned())
    }
}

impl From<String> for Refusal {
    fn from(reason: String) -> Self {
        Self { code: None, reason }
    }
}

impl From<std::io::Error> for Refusal {
    fn from(error: std::io::Error) -> Self {
        Self::from(error.to_string())
    }
}

impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let reason = self.reason.chars().filter(|c| !c.is_control());
        f.write_str(&reason.collect::<String>())
    }
}

/// What is counted of what is under way.
const UNIT: usize = 4 * 1024;

/// How much may be under way: 6 MiB, which is less than may wait to be read. Who wants more waits.
const WINDOW_UNITS: usize = 6 * 256;

/// The most entries of one folder.
const ENTRIES_MAX: usize = 1_000_000;
