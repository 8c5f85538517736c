//! From here to the server.

use std::fs::{self, File};
use std::io;
use std::os::unix::fs::{FileExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

use bytes::BytesMut;
use futures_util::StreamExt as _;
use futures_util::stream::FuturesOrdered;
use vroom_protocol::files::{EntryKind, Open, OpenFlags, OpenMode, Permissions, Request, Response};

use super::job::{CHECKED, Job, LARGE, Options, PARTIAL, Transfer};
use super::place::{base, join};
use super::progress::Progress;
use super::server::{FileServer, Refusal};
use crate::commands::Failure;

/// Finds the files of a source, and makes the folders for them there.
pub(super) async fn find(
    server: &FileServer,
    source: &Path,
    target: &str,
    is_one_of_several: bool,
    options: Options,
) -> Result<Vec<Job>, Failure> {
    let failed =
        |error: &dyn std::fmt::Display| Failure::new(format!("{}: {error}", source.display()));
    let metadata = fs::metadata(source).map_err(|error| failed(&error))?;
    if metadata.is_dir() && !options.recursive {
        return Err(failed(&"is a folder; -r copies folders"));
    }
    let there = server.stat(target).await.map_err(|error| failed(&error))?;
    let is_dir = target.is_empty() || there.is_some_and(|entry| entry.kind == EntryKind::Directory);
    if !is_dir && (is_one_of_several || target.ends_with('/')) {
        return Err(Failure::new(format!(
            "{target}: is no folder on the server"
        )));
    }
    let name = source
        .canonicalize()
        .ok()
        .and_then(|path| {
            path.file_name()
                .map(|name| name.to_string_lossy().into_owned())
        })
        .unwrap_or_else(|| base(&source.to_string_lossy()).to_owned());
    let there = if is_dir {
        join(target, &name)
    } else {
        target.to_owned()
    };
    let mut jobs = Vec::new();
    let mut folders = Vec::new();
    walk(source.to_path_buf(), there, &mut jobs, &mut folders).map_err(|error| failed(&error))?;
    let made: Vec<_> = folders
        .into_iter()
        .map(|(path, mode)| {
            server.ask(&Request::Mkdir {
                path,
                parents: true,
                permissions: Some(Permissions::from_mode(mode)),
            })
        })
        .collect();
    for made in made {
        made.done().await.map_err(|error| failed(&error))?;
    }
    Ok(jobs)
}

/// Goes through a folder; what is neither file nor folder is left out, and so is a link that leads
/// back to where it is.
fn walk(
    here: PathBuf,
    there: String,
    jobs: &mut Vec<Job>,
    folders: &mut Vec<(String, u32)>,
) -> io::Result<()> {
    let mut left = vec![(here, there, Vec::new())];
    while let Some((here, there, above)) = left.pop() {
        let metadata = fs::metadata(&here)?;
        if metadata.is_dir() {
            let this = (metadata.dev(), metadata.ino());
            if above.contains(&this) {
                continue;
            }
            let above = [above.as_slice(), &[this]].concat();
            for entry in fs::read_dir(&here)? {
                let entry = entry?;
                let name = entry.file_name();
                let Some(name) = name.to_str() else {
                    return Err(io::Error::other(format!(
                        "the name of {} is not UTF-8",
                        entry.path().display()
                    )));
                };
                // A link that leads nowhere is nothing to copy.
                if entry.file_type()?.is_symlink() && !entry.path().exists() {
                    continue;
                }
                left.push((entry.path(), join(&there, name), above.clone()));
            }
            folders.push((there, metadata.mode() & 0o777 | 0o700));
        } else if metadata.is_file() {
            jobs.push(Job::Upload(Transfer {
                here,
                there,
                size: metadata.len(),
                mode: metadata.mode() & 0o777,
                modified: metadata.mtime(),
            }));
        }
    }
    Ok(())
}

/// Copies one file.
pub(super) async fn copy(
    server: &FileServer,
    job: &Transfer,
    options: Options,
    progress: &Progress,
) -> Result<(), Refusal> {
    if job.size < LARGE {
        copy_small(server, job, options, progress).await
    } else {
        copy_large(server, job, options, progress).await
    }
}

/// Opens, writes and closes in one go.
async fn copy_small(
    server: &FileServer,
    job: &Transfer,
    options: Options,
    progress: &Progress,
) -> Result<(), Refusal> {
    let data = fs::read(&job.here)?;
    let length = data.len();
    let _permit = server.reserve(length).await;
    server.writable().await?;
    let handle = server.handle();
    let opened = server.ask(&Request::Open(Open {
        permissions: Some(Permissions::from_mode(job.mode)),
        handle: Some(handle),
        ..Open::write_anew(job.there.clone())
    }));
    let mut data = bytes::Bytes::from(data);
    let mut written = Vec::new();
    let mut offset = 0;
    while !data.is_empty() {
        let part = data.split_to(data.len().min(PART_BYTES));
        let bytes = part.len();
        written.push((
            bytes,
            server.ask(&Request::Write {
                handle,
                offset,
                data: part,
            }),
        ));
        offset += bytes as u64;
    }
    let closed = server.ask(&Request::Close {
        handle,
        modified: options.preserve.then_some(job.modified),
    });
    match opened.answer().await? {
        Response::Opened { handle: given, .. } if given == handle => {}
        _ => return Err(Refusal::unexpected()),
    }
    for (bytes, written) in written {
        wrote(bytes, written.answer().await?)?;
    }
    closed.done().await?;
    progress.add(length);
    Ok(())
}

/// Writes under another name, many parts at once, and renames what is complete.
async fn copy_large(
    server: &FileServer,
    job: &Transfer,
    options: Options,
    progress: &Progress,
) -> Result<(), Refusal> {
    let file = File::open(&job.here)?;
    let partial = format!("{}{PARTIAL}", job.there);
    let start = if options.restart {
        0
    } else {
        already_there(server, &file, &partial, job.size).await?
    };
    progress.skip(&job.there, start);
    let handle = open(server, job, &partial, start == 0).await?;
    let mut under_way = FuturesOrdered::new();
    let mut offset = start;
    loop {
        let mut data = BytesMut::zeroed(PART_BYTES);
        let read = read_full(&file, &mut data, offset)?;
        if read == 0 {
            break;
        }
        data.truncate(read);
        let permit = loop {
            // What is answered makes room.
            tokio::select! {
                permit = server.reserve(read) => break permit,
                Some(result) = under_way.next() => progress.add(settled(result)?),
            }
        };
        server.writable().await?;
        let pending = server.ask(&Request::Write {
            handle,
            offset,
            data: data.freeze(),
        });
        offset += read as u64;
        under_way.push_back(async move {
            let answer = pending.answer().await;
            drop(permit);
            (read, answer)
        });
    }
    while let Some(result) = under_way.next().await {
        progress.add(settled(result)?);
    }
    let closed = server.ask(&Request::Close {
        handle,
        modified: options.preserve.then_some(job.modified),
    });
    let renamed = server.ask(&Request::Rename {
        from: partial,
        to: job.there.clone(),
        overwrite: true,
    });
    closed.done().await?;
    renamed.done().await
}

fn settled((bytes, answer): (usize, Result<Response, Refusal>)) -> Result<usize, Refusal> {
    wrote(bytes, answer?)?;
    Ok(bytes)
}

fn wrote(bytes: usize, answer: Response) -> Result<(), Refusal> {
    match answer {
        Response::Written { bytes_written, .. } if usize::try_from(bytes_written) == Ok(bytes) => {
            Ok(())
        }
        Response::Written { .. } => Err(Refusal::from("the server wrote only a part".to_owned())),
        _ => Err(Refusal::unexpected()),
    }
}

async fn open(server: &FileServer, job: &Transfer, path: &str, anew: bool) -> Result<u32, Refusal> {
    let request = Open {
        path: path.to_owned(),
        mode: OpenMode::Write,
        flags: OpenFlags {
            create: true,
            truncate: anew,
            ..OpenFlags::default()
        },
        permissions: Some(Permissions::from_mode(job.mode)),
        handle: Some(server.handle()),
    };
    match server.ask(&Request::Open(request)).answer().await? {
        Response::Opened { handle, .. } => Ok(handle),
        _ => Err(Refusal::unexpected()),
    }
}

/// How much an earlier copy left that is the same as here, judged by its end.
async fn already_there(
    server: &FileServer,
    file: &File,
    partial: &str,
    size: u64,
) -> Result<u64, Refusal> {
    let there = match server.stat(partial).await? {
        Some(entry) if entry.kind == EntryKind::File && entry.size <= size => entry.size,
        _ => return Ok(0),
    };
    let from = there.saturating_sub(CHECKED);
    let length = usize::try_from(there - from).unwrap_or(0);
    let mut ours = vec![0; length];
    let read = read_full(file, &mut ours, from)?;
    let request = Request::Open(Open::read_only(partial));
    let Response::Opened { handle, .. } = server.ask(&request).answer().await? else {
        return Err(Refusal::unexpected());
    };
    let theirs = server.read(handle, from, length).await;
    let modified = None;
    server
        .ask(&Request::Close { handle, modified })
        .done()
        .await?;
    Ok(if read == length && theirs? == ours {
        there
    } else {
        0
    })
}

/// Reads as much as fits, less only at the end of the file.
fn read_full(file: &File, buffer: &mut [u8], offset: u64) -> io::Result<usize> {
    let mut filled = 0;
    while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match file.read_at(rest, offset + filled as u64) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}

/// How much one request writes.
const PART_BYTES: usize = 256 * 1024;
