//! A thread that writes lines into the files of a recording.

use std::io::{self, Write as _};
use std::sync::Arc;
use std::thread::JoinHandle;

use tokio::sync::mpsc;

use super::folder::{Folder, Kept};

/// What is to be written.
#[derive(Debug)]
pub(super) enum Job {
    /// A file begins.
    Open {
        /// Its number.
        file: u32,
        /// Its name.
        name: String,
    },
    /// Something more is in it.
    Write {
        /// Its number.
        file: u32,
        /// What is in it.
        text: String,
    },
    /// Something is in it whatever else there is no room for.
    Last {
        /// Its number.
        file: u32,
        /// What is in it.
        text: String,
    },
    /// Nothing more comes.
    Close {
        /// Its number.
        file: u32,
    },
}

/// A thread that writes lines into the files of a recording, until the last sender is gone.
#[derive(Debug)]
pub(super) struct Writer {
    thread: JoinHandle<()>,
}

impl Writer {
    /// Starts it; so many jobs may wait. What goes wrong is told once, and the rest is not written.
    pub(super) fn start(
        folder: Arc<Folder>,
        name: &str,
        jobs_max: usize,
        failed: impl FnOnce(io::Error) + Send + 'static,
    ) -> io::Result<(Self, mpsc::Sender<Job>)> {
        let (sender, jobs) = mpsc::channel(jobs_max);
        let thread = std::thread::Builder::new()
            .name(name.into())
            .spawn(move || write(&folder, jobs, failed))?;
        Ok((Self { thread }, sender))
    }

    /// Waits until all is written; blocks.
    pub(super) fn join(self) {
        if self.thread.join().is_err() {
            tracing::error!("a thread that writes a recording panicked");
        }
    }
}

fn write(
    folder: &Arc<Folder>,
    mut jobs: mpsc::Receiver<Job>,
    failed: impl FnOnce(io::Error) + Send + 'static,
) {
    let mut files = Vec::new();
    let mut failed = Some(failed);
    while let Some(job) = jobs.blocking_recv() {
        let is_last = matches!(job, Job::Last { .. });
        if failed.is_none() && !is_last {
            continue;
        }
        if let Err(error) = run(folder, &mut files, job)
            && let Some(failed) = failed.take()
        {
            failed(error);
        }
    }
}

fn run(folder: &Arc<Folder>, files: &mut Vec<(u32, Kept)>, job: Job) -> io::Result<()> {
    let find = |files: &mut Vec<(u32, Kept)>, file| files.iter().position(|(it, _)| *it == file);
    match job {
        Job::Open { file, name } => files.push((file, folder.create(&name)?)),
        Job::Write { file, text } => {
            if let Some((_, kept)) = find(files, file).and_then(|at| files.get_mut(at)) {
                kept.write_all(text.as_bytes())?;
            }
        }
        Job::Last { file, text } => {
            if let Some((_, kept)) = find(files, file).and_then(|at| files.get_mut(at)) {
                kept.write_last(text.as_bytes())?;
            }
        }
        Job::Close { file } => files.retain(|(it, _)| *it != file),
    }
    Ok(())
}
