//! The thread that works on the files of one connection.

use std::io;
use std::path::PathBuf;
use std::sync::Arc;

use bytes::Bytes;
use rustix::fd::AsFd as _;
use rustix::fs::Mode;
use vroom_protocol::files::{FileError, Permissions, Request, Response};

use super::failure::Failure;
use super::handles::Handles;
use super::list;
use super::queue::Queue;
use super::remove::remove;
use super::root::Root;

/// Starts the thread; it ends with the queue.
pub(super) fn start(path: PathBuf, queue: Arc<Queue>) -> io::Result<()> {
    let thread = std::thread::Builder::new()
        .name("files".into())
        .stack_size(STACK_BYTES);
    thread.spawn(move || {
        let root = Root::open(&path);
        if let Err(failure) = &root {
            tracing::warn!(path = %path.display(), reason = failure.reason, "files cannot be shown");
        }
        let mut worker = Worker {
            root,
            handles: Handles::default(),
            queue,
        };
        worker.run();
    })?;
    Ok(())
}

struct Worker {
    root: Result<Root, Failure>,
    handles: Handles,
    queue: Arc<Queue>,
}

impl Worker {
    fn run(&mut self) {
        while let Some(request) = self.queue.next() {
            let answered = match self.perform(&request) {
                Ok(Some(answer)) => self.queue.answer(answer),
                Ok(None) => true,
                Err(failure) => self.queue.answer(error(&request, failure).encode()),
            };
            if !answered {
                return;
            }
        }
    }

    /// Does what is asked; `None` when the answer was given already.
    fn perform(&mut self, request: &Request) -> Result<Option<(u8, Bytes)>, Failure> {
        let root = self.root.as_ref().map_err(Clone::clone)?;
        let answer = match request {
            Request::Open(open) => self.handles.open(root, open)?,
            Request::Read {
                handle,
                offset,
                length,
            } => return self.handles.read(*handle, *offset, *length).map(Some),
            Request::Write {
                handle,
                offset,
                data,
            } => self.handles.write(*handle, *offset, data)?,
            Request::Close { handle, modified } => self.handles.close(*handle, *modified)?,
            Request::List { path } => {
                let folder = root.open_folder(path)?;
                list::list(folder, |answer| self.queue.answer(answer.encode()))?;
                return Ok(None);
            }
            Request::Stat { path, follow } => Response::Stat {
                entry: list::entry(last_name(path), &root.stat(path, *follow)?),
                path: path.clone(),
            },
            Request::Mkdir {
                path,
                parents,
                permissions,
            } => {
                let mode = permissions.map_or(NEW_FOLDER, Permissions::mode);
                root.make_folder(path, *parents, Mode::from_raw_mode(mode))?;
                done(request, path)
            }
            Request::Remove { path, recursive } => {
                let (folder, name) = root.parent(path)?;
                let goes_on = || !self.queue.is_closed();
                remove(folder.as_fd(), name, *recursive, &goes_on)?;
                done(request, path)
            }
            Request::Rename {
                from,
                to,
                overwrite,
            } => {
                root.rename(from, to, *overwrite)?;
                done(request, to)
            }
        };
        Ok(Some(answer.encode()))
    }
}

fn done(request: &Request, path: &str) -> Response {
    Response::Done {
        op: request.kind(),
        path: path.to_owned(),
    }
}

fn error(request: &Request, failure: Failure) -> Response {
    let (handle, path) = match request {
        Request::Open(open) => (open.handle, Some(&open.path)),
        Request::Read { handle, .. }
        | Request::Write { handle, .. }
        | Request::Close { handle, .. } => (Some(*handle), None),
        Request::List { path }
        | Request::Stat { path, .. }
        | Request::Mkdir { path, .. }
        | Request::Remove { path, .. } => (None, Some(path)),
        Request::Rename { from, .. } => (None, Some(from)),
    };
    Response::Error(FileError {
        code: failure.code,
        reason: failure.reason,
        handle,
        op: Some(request.kind()),
        path: path.cloned(),
    })
}

/// The name at the end of a path.
fn last_name(path: &str) -> String {
    let trimmed = path.trim_end_matches('/');
    let name = trimmed.rsplit('/').next().unwrap_or_default();
    if name.is_empty() { "." } else { name }.to_owned()
}

/// What a new directory permits before the umask, where the client says nothing.
const NEW_FOLDER: u32 = 0o777;

/// Enough for a directory that is removed with all that is nested in it.
const STACK_BYTES: usize = 512 * 1024;
