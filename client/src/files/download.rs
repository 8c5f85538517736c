//! From the server to here.

use std::fs::{self, DirBuilder, File, FileTimes, OpenOptions};
use std::io;
use std::os::unix::fs::{
    DirBuilderExt as _, FileExt as _, OpenOptionsExt as _, PermissionsExt as _,
};
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use futures_util::StreamExt as _;
use futures_util::stream::{FuturesOrdered, FuturesUnordered};
use vroom_protocol::files::{Entry, EntryKind, Open, Request, Response};

use super::job::{CHECKED, Job, LARGE, Options, PARTIAL, Transfer};
use super::place::{base, is_name, join};
use super::progress::Progress;
use super::server::{FileServer, Refusal};
use crate::commands::Failure;

/// Finds the files of a source, and makes the folders for them here.
pub(super) async fn find(
    server: &FileServer,
    source: &str,
    target: &str,
    is_one_of_several: bool,
    options: Options,
) -> Result<Vec<Job>, Failure> {
    let failed = |error: &dyn std::fmt::Display| Failure::new(format!("{source}: {error}"));
    let entry = server.stat(source).await.map_err(|error| failed(&error))?;
    let entry = entry.ok_or_else(|| failed(&"there is no such file on the server"))?;
    if entry.kind == EntryKind::Directory && !options.recursive {
        return Err(failed(&"is a folder; -r copies folders"));
    }
    let is_dir = Path::new(target).is_dir();
    if !is_dir && (is_one_of_several || target.ends_with('/')) {
        return Err(Failure::new(format!("{target}: is no folder")));
    }
    let here = if is_dir {
        let name = match base(source) {
            name if is_name(name) => name,
            _ if is_name(&entry.name) => &entry.name,
            _ => return Err(failed(&"that has no name; name the target")),
        };
        Path::new(target).join(name)
    } else {
        PathBuf::from(target)
    };
    let first = Found {
        entry,
        there: source.to_owned(),
        here,
    };
    let mut left = vec![first];
    let mut jobs = Vec::new();
    // Many folders at a time, so that a deep tree does not wait for as many round trips.
    let mut looking = FuturesUnordered::new();
    loop {
        while looking.len() < FOLDERS_AT_A_TIME
            && let Some(found) = left.pop()
        {
            match found.entry.kind {
                EntryKind::File => jobs.push(found.job()),
                EntryKind::Directory => {
                    make_folder(&found).map_err(|error| failed(&error))?;
                    looking.push(look(server, found));
                }
                EntryKind::Symlink => looking.push(look(server, found)),
                EntryKind::Other => {}
            }
        }
        match looking.next().await {
            Some(inside) => left.append(&mut inside.map_err(|error| failed(&error))?),
            None if left.is_empty() => return Ok(jobs),
            None => {}
        }
    }
}

/// Something on the server, and where it is to be here.
struct Found {
    entry: Entry,
    there: String,
    here: PathBuf,
}

impl Found {
    fn job(&self) -> Job {
        Job::Download(Transfer {
            here: self.here.clone(),
            there: self.there.clone(),
            size: self.entry.size,
            mode: self.entry.permissions.mode() & 0o777,
            modified: self.entry.modified,
        })
    }
}

fn make_folder(found: &Found) -> io::Result<()> {
    DirBuilder::new()
        .recursive(true)
        // It has to be written to even where the source cannot be.
        .mode(found.entry.permissions.mode() & 0o777 | 0o700)
        .create(&found.here)
}

/// What is in a folder, or behind a link.
async fn look(server: &FileServer, found: Found) -> Result<Vec<Found>, Refusal> {
    if found.entry.kind == EntryKind::Symlink {
        // What it leads to, as scp does; what leads nowhere is left out, and so are folders, which it
        // could lead back to.
        let target = server.stat(&found.there).await.ok().flatten();
        let file = target.filter(|entry| entry.kind == EntryKind::File);
        let found = file.map(|entry| Found { entry, ..found });
        return Ok(found.into_iter().collect());
    }
    let entries = server.list(&found.there).await?;
    let inside = entries.into_iter().map(|entry| {
        // A server decides what is copied, never where to.
        if !is_name(&entry.name) {
            return Err(Refusal::from(
                "the server names a file that cannot be one".to_owned(),
            ));
        }
        Ok(Found {
            there: join(&found.there, &entry.name),
            here: found.here.join(&entry.name),
            entry,
        })
    });
    inside.collect()
}

/// Copies one file.
pub(super) async fn copy(
    server: &FileServer,
    job: &Transfer,
    options: Options,
    progress: &Progress,
) -> Result<(), Refusal> {
    let mut partial = job.here.clone().into_os_string();
    partial.push(PARTIAL);
    let partial = PathBuf::from(partial);
    let file = if job.size < LARGE {
        copy_small(server, job, &partial, progress).await?
    } else {
        copy_large(server, job, &partial, options, progress).await?
    };
    if options.preserve {
        file.set_permissions(fs::Permissions::from_mode(job.mode))?;
        let since = Duration::from_secs(u64::try_from(job.modified).unwrap_or(0));
        let modified = SystemTime::UNIX_EPOCH + since;
        file.set_times(FileTimes::new().set_modified(modified))?;
    }
    drop(file);
    Ok(fs::rename(&partial, &job.here)?)
}

/// Opens, reads and closes in one go.
async fn copy_small(
    server: &FileServer,
    job: &Transfer,
    partial: &Path,
    progress: &Progress,
) -> Result<File, Refusal> {
    let length = usize::try_from(job.size).unwrap_or(0);
    let _permit = server.reserve(length).await;
    server.writable().await?;
    let wanted = server.handle();
    let opened = server.ask(&Request::Open(Open {
        handle: Some(wanted),
        ..Open::read_only(job.there.clone())
    }));
    // One byte more than it had tells whether it grew.
    let read = server.ask(&Request::Read {
        handle: wanted,
        offset: 0,
        length: u32::try_from(length + 1).unwrap_or(u32::MAX),
    });
    let modified = None;
    let closed = server.ask(&Request::Close {
        handle: wanted,
        modified,
    });
    match opened.answer().await? {
        Response::Opened { handle, .. } if handle == wanted => {}
        _ => return Err(Refusal::unexpected()),
    }
    let Response::Data { data, .. } = read.answer().await? else {
        return Err(Refusal::unexpected());
    };
    closed.done().await?;
    if data.len() != length {
        return Err(Refusal::from("it changed while it was copied".to_owned()));
    }
    let file = create(partial, job.mode, true)?;
    file.write_all_at(&data, 0)?;
    progress.add(length);
    Ok(file)
}

/// Reads many parts at once.
async fn copy_large(
    server: &FileServer,
    job: &Transfer,
    partial: &Path,
    options: Options,
    progress: &Progress,
) -> Result<File, Refusal> {
    let request = Request::Open(Open {
        handle: Some(server.handle()),
        ..Open::read_only(job.there.clone())
    });
    let Response::Opened { handle, .. } = server.ask(&request).answer().await? else {
        return Err(Refusal::unexpected());
    };
    let start = if options.restart {
        0
    } else {
        already_here(server, handle, partial, job.size).await?
    };
    progress.skip(&job.there, start);
    let file = create(partial, job.mode, start == 0)?;
    let mut under_way = FuturesOrdered::new();
    let mut offset = start;
    while offset < job.size {
        let length = usize::try_from(job.size - offset)
            .unwrap_or(PART_BYTES)
            .min(PART_BYTES);
        let permit = loop {
            // What has come makes room.
            tokio::select! {
                permit = server.reserve(length) => break permit,
                Some(part) = under_way.next() => store(&file, part, progress)?,
            }
        };
        let at = offset;
        let request = Request::Read {
            handle,
            offset: at,
            length: u32::try_from(length).unwrap_or(u32::MAX),
        };
        // Asked before it is waited for, so that the next request follows at once.
        let pending = server.ask(&request);
        under_way.push_back(async move {
            let data = match pending.answer().await {
                Ok(Response::Data { data, .. }) => Ok(data),
                Ok(_) => Err(Refusal::unexpected()),
                Err(refusal) => Err(refusal),
            };
            let data = match data {
                // A server may answer with less.
                Ok(data) if data.len() < length && !data.is_empty() => {
                    let rest = server
                        .read(handle, at + data.len() as u64, length - data.len())
                        .await;
                    rest.map(|rest| [data, rest].concat().into())
                }
                other => other,
            };
            drop(permit);
            (at, length, data)
        });
        offset += length as u64;
    }
    while let Some(part) = under_way.next().await {
        store(&file, part, progress)?;
    }
    let modified = None;
    server
        .ask(&Request::Close { handle, modified })
        .done()
        .await?;
    file.set_len(job.size)?;
    Ok(file)
}

type Part = (u64, usize, Result<bytes::Bytes, Refusal>);

fn store(file: &File, (offset, length, data): Part, progress: &Progress) -> Result<(), Refusal> {
    let data = data?;
    if data.len() != length {
        return Err(Refusal::from("it changed while it was copied".to_owned()));
    }
    file.write_all_at(&data, offset)?;
    progress.add(length);
    Ok(())
}

/// How much an earlier copy left that is the same as there, judged by its end.
async fn already_here(
    server: &FileServer,
    handle: u32,
    partial: &Path,
    size: u64,
) -> Result<u64, Refusal> {
    let Ok(file) = File::open(partial) else {
        return Ok(0);
    };
    let here = file.metadata()?.len();
    if here > size {
        return Ok(0);
    }
    let from = here.saturating_sub(CHECKED);
    let mut ours = vec![0; usize::try_from(here - from).unwrap_or(0)];
    if file.read_exact_at(&mut ours, from).is_err() {
        return Ok(0);
    }
    let theirs = server.read(handle, from, ours.len()).await?;
    Ok(if theirs == ours { here } else { 0 })
}

fn create(path: &Path, mode: u32, anew: bool) -> io::Result<File> {
    OpenOptions::new()
        .create(true)
        .write(true)
        .truncate(anew)
        // It has to be written even where the source cannot be.
        .mode(mode | 0o200)
        .open(path)
}

/// How many folders are looked into at a time.
const FOLDERS_AT_A_TIME: usize = 64;

/// How much one request reads.
const PART_BYTES: usize = 256 * 1024;
