//! Copying files to and from a server.
//!
//! Requests of many files are under way at once, and answers come in the order of the requests; so
//! neither one large file nor many small ones wait for round trips.

mod download;
mod job;
mod place;
mod progress;
mod server;
mod upload;

use std::path::Path;
use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::stream::FuturesUnordered;

use crate::cli::Copy;
use crate::commands::{Failure, log_in};
use crate::settings::Settings;

use job::{Job, Options};
use place::Place;
use progress::Progress;
use server::FileServer;

/// Copies.
pub(crate) async fn run(copy: Copy) -> Result<(), Failure> {
    let target = Place::parse(&copy.target);
    let sources: Vec<Place> = copy.sources.iter().map(|text| Place::parse(text)).collect();
    let host = common_host(&sources, &target).map_err(Failure::usage)?;
    let settings = Settings::resolve(&host, copy.port, &copy.reach)?;
    let remote = settings.connect(false).await?;
    log_in(&settings, &remote).await?;
    let server = FileServer::open(&remote).await?;
    let options = Options {
        recursive: copy.recursive,
        preserve: copy.preserve,
        restart: copy.restart,
    };
    let progress = Progress::new(&settings.ui);
    let jobs = match &target {
        Place::Here(target) => {
            let mut jobs = Vec::new();
            for source in &sources {
                let found =
                    download::find(&server, source.path(), target, sources.len() > 1, options);
                jobs.append(&mut found.await?);
            }
            jobs
        }
        Place::There { path, .. } => {
            let mut jobs = Vec::new();
            for source in &sources {
                let source = Path::new(source.path());
                let found = upload::find(&server, source, path, sources.len() > 1, options);
                jobs.append(&mut found.await?);
            }
            jobs
        }
    };
    progress.expect(&jobs);
    let failed = copy_all(&server, &jobs, options, &progress, &settings).await;
    progress.finish();
    drop(server);
    remote.close("").await;
    match failed {
        0 => Ok(()),
        failed => Err(Failure::new(format!(
            "{failed} of {} files were not copied",
            jobs.len()
        ))),
    }
}

/// Copies all files, several at a time; says how many failed.
async fn copy_all(
    server: &FileServer,
    jobs: &[Job],
    options: Options,
    progress: &Progress,
    settings: &Settings,
) -> usize {
    let mut failed = 0;
    let mut running = FuturesUnordered::new();
    let mut left = jobs.iter();
    let mut tick = tokio::time::interval(REDRAW);
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Skip);
    loop {
        while running.len() < FILES_AT_A_TIME
            && let Some(job) = left.next()
        {
            running.push(async move {
                let result = match job {
                    Job::Upload(job) => upload::copy(server, job, options, progress).await,
                    Job::Download(job) => download::copy(server, job, options, progress).await,
                };
                (job, result)
            });
        }
        tokio::select! {
            next = running.next() => match next {
                Some((_, Ok(()))) => progress.finished_one(),
                Some((job, Err(error))) => {
                    failed += 1;
                    progress.clear();
                    settings.ui.error(format!("{}: {error}", job.name()));
                }
                None => return failed,
            },
            _ = tick.tick() => progress.draw(),
        }
    }
}

/// The one server that is copied to or from.
fn common_host(sources: &[Place], target: &Place) -> Result<String, String> {
    let hosts: Vec<Option<&str>> = sources.iter().map(Place::host).collect();
    match (target.host(), hosts.as_slice()) {
        (Some(host), sources) if sources.iter().all(Option::is_none) => Ok(host.to_owned()),
        (None, [Some(first), rest @ ..]) if rest.iter().all(|host| *host == Some(first)) => {
            Ok((*first).to_owned())
        }
        (None, sources) if sources.iter().all(Option::is_none) => {
            Err("nothing of this is on a server; write host:path".to_owned())
        }
        (Some(_), _) => Err("copying from server to server is not possible".to_owned()),
        (None, _) => Err("all sources have to be on one server".to_owned()),
    }
}

/// How many files are under way at a time.
const FILES_AT_A_TIME: usize = 64;

/// How often the progress is drawn again.
const REDRAW: Duration = Duration::from_millis(200);

#[cfg(test)]
mod tests {
    use super::*;

    fn host(sources: &[&str], target: &str) -> Result<String, String> {
        let sources: Vec<Place> = sources.iter().map(|text| Place::parse(text)).collect();
        common_host(&sources, &Place::parse(target))
    }

    #[test]
    fn one_side_is_a_server_and_the_other_is_here() {
        assert_eq!(host(&["a", "b"], "h:c"), Ok("h".into()));
        assert_eq!(host(&["h:a", "h:b"], "c"), Ok("h".into()));
        for (sources, target) in [
            (&["a"][..], "b"),
            (&["h:a"], "h:b"),
            (&["h:a", "b"], "c"),
            (&["h:a", "i:b"], "c"),
        ] {
            assert!(host(sources, target).is_err(), "{sources:?} {target}");
        }
    }
}
