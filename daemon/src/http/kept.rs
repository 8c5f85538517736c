//! Pictures of the desktop, and what was recorded of it.

use std::fs::File;
use std::io::{self, Read as _};
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::Bytes;
use http::{Request, StatusCode};
use hyper::body::{Body, Frame, Incoming, SizeHint};
use serde_json::json;
use tokio::task::{JoinHandle, spawn_blocking};
use tokio::time::timeout;
use vroom_media::exact_png;
use vroom_protocol::Code;

use super::{Answer, Caller, answer};

/// A picture of the desktop, to the pixel, for whoever may see it.
pub(super) async fn screenshot(caller: &Caller, request: &Request<Incoming>) -> Answer {
    match caller.authenticate(request.headers()) {
        Ok(identity) if identity.may_see_desktop() => {}
        Ok(_) => return not_theirs("these credentials open one terminal only"),
        Err(refused) => return answer::refused(refused),
    }
    let no_picture = |reason: &str| {
        answer::error(
            StatusCode::SERVICE_UNAVAILABLE,
            Code::NO_SUCH_TARGET,
            reason,
        )
    };
    let Some(output) = &caller.daemon.output else {
        return answer::error(
            StatusCode::NOT_FOUND,
            Code::UNSUPPORTED,
            "there is no desktop here, only terminals",
        );
    };
    let watch = match output.watch() {
        Ok(watch) => watch,
        Err(error) => return no_picture(&error.to_string()),
    };
    let Ok(Some(picture)) = timeout(PICTURE, watch.encoder().picture()).await else {
        return no_picture("the desktop shows nothing");
    };
    let encoded = spawn_blocking(move || exact_png(&picture, picture.size().rect())).await;
    match encoded {
        Ok(Ok(png)) => answer::file("image/png", answer::Content::from(png)),
        _ => no_picture("the picture cannot be written as PNG"),
    }
}

/// Lists recordings, for whoever may make them.
pub(super) async fn recordings(caller: &Caller, request: &Request<Incoming>) -> Answer {
    if let Some(refusal) = refusal(caller, request) {
        return refusal;
    }
    let shelf = caller.daemon.recordings.shelf();
    match spawn_blocking(move || shelf.list()).await {
        Ok(list) => answer::json(StatusCode::OK, &json!({"recordings": list})),
        Err(_) => answer::empty(StatusCode::INTERNAL_SERVER_ERROR),
    }
}

/// A file of a recording, for whoever may make them; `path` is what follows `/recordings/`.
pub(super) async fn recording(caller: &Caller, request: &Request<Incoming>, path: &str) -> Answer {
    if let Some(refusal) = refusal(caller, request) {
        return refusal;
    }
    let missing = || {
        answer::error(
            StatusCode::NOT_FOUND,
            Code::NO_SUCH_TARGET,
            "there is no such recording",
        )
    };
    let Some((id, name)) = path.split_once('/') else {
        return missing();
    };
    let media_type = match name.rsplit_once('.') {
        Some((_, "mp4")) => "video/mp4",
        Some((_, "cast")) => "application/x-asciicast",
        Some((_, "jsonl")) => "application/jsonl",
        _ => return missing(),
    };
    let shelf = caller.daemon.recordings.shelf();
    let (id, name) = (id.to_owned(), name.to_owned());
    match spawn_blocking(move || shelf.open(&id, &name)).await {
        Ok(Ok((file, bytes))) => answer::file(media_type, FileBody::new(file, bytes).into()),
        _ => missing(),
    }
}

/// The answer to those who may not record.
fn refusal(caller: &Caller, request: &Request<Incoming>) -> Option<Answer> {
    let identity = match caller.authenticate(request.headers()) {
        Ok(identity) => identity,
        Err(error) => return Some(answer::refused(error)),
    };
    let may = identity.may_see_desktop() && caller.daemon.recordings.allows(identity.role);
    (!may).then(|| not_theirs("this server does not let you record"))
}

fn not_theirs(reason: &str) -> Answer {
    answer::error(StatusCode::FORBIDDEN, Code::NOT_ALLOWED, reason)
}

/// A file as a body: a piece is read when the last one has left, off the threads that serve people.
///
/// It is as long as it was when it was opened, however much is added meanwhile.
#[derive(Debug)]
pub(crate) struct FileBody {
    file: Option<File>,
    left: u64,
    reading: Option<JoinHandle<io::Result<(File, Bytes)>>>,
}

impl FileBody {
    fn new(file: File, bytes: u64) -> Self {
        Self {
            file: Some(file),
            left: bytes,
            reading: None,
        }
    }
}

impl Body for FileBody {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        if self.left == 0 {
            return Poll::Ready(None);
        }
        if self.reading.is_none() {
            let Some(file) = self.file.take() else {
                return Poll::Ready(None);
            };
            let most = self.left.min(PIECE_BYTES);
            self.reading = Some(spawn_blocking(move || read(file, most)));
        }
        let Some(reading) = &mut self.reading else {
            return Poll::Ready(None);
        };
        let read = ready!(Pin::new(reading).poll(context));
        self.reading = None;
        let (file, bytes) = read.unwrap_or_else(|error| Err(io::Error::other(error)))?;
        self.left -= bytes.len() as u64;
        self.file = Some(file);
        Poll::Ready(Some(Ok(Frame::data(bytes))))
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}

fn read(mut file: File, most: u64) -> io::Result<(File, Bytes)> {
    let mut bytes = Vec::new();
    file.by_ref().take(most).read_to_end(&mut bytes)?;
    if bytes.is_empty() {
        // It was cut off meanwhile, and its length was promised.
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok((file, bytes.into()))
}

/// What is read of a file at once.
const PIECE_BYTES: u64 = 256 * 1024;

/// How long a desktop that nobody watched may take to show something.
const PICTURE: std::time::Duration = std::time::Duration::from_secs(5);
