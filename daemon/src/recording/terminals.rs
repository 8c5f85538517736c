//! Follows every terminal of the session, and writes down what it shows.

use std::collections::BTreeSet;
use std::sync::Arc;

use serde_json::json;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinSet;
use vroom_terminal::Read;
use vroom_terminal::screen::SnapshotOptions;

use super::cast::Cast;
use super::timeline::Timeline;
use super::writer::Job;
use crate::party::Party;
use crate::terminals::Terminals;

/// What those who follow terminals share.
#[derive(Clone, Debug)]
pub(super) struct Follow {
    /// Where lines about terminals go.
    pub(super) timeline: Timeline,
    /// Where what they show goes.
    pub(super) jobs: mpsc::Sender<Job>,
    /// When the recording began, in seconds since 1970.
    pub(super) began: u64,
}

/// Follows all terminals, and those that are still to come, until it is told to stop.
pub(super) async fn follow_all(
    terminals: Arc<Terminals>,
    follow: Follow,
    mut stop: watch::Receiver<bool>,
) {
    let mut changes = terminals.watch();
    let mut known = BTreeSet::new();
    let mut followers = JoinSet::new();
    let mut is_new = false;
    loop {
        changes.mark_unchanged();
        for party in terminals.all() {
            let number = u32::try_from(known.len()).unwrap_or(u32::MAX) + 1;
            if known.insert(party.session().id().to_owned()) {
                let one = One {
                    follow: follow.clone(),
                    number,
                    party,
                };
                followers.spawn(one.run(is_new, stop.clone()));
            }
        }
        is_new = true;
        tokio::select! {
            _ = changes.changed() => {}
            _ = stop.wait_for(|stop| *stop) => break,
            Some(_) = followers.join_next() => {}
        }
    }
    while followers.join_next().await.is_some() {}
}

/// One terminal that is followed.
struct One {
    follow: Follow,
    number: u32,
    party: Arc<Party>,
}

impl One {
    async fn run(self, is_new: bool, mut stop: watch::Receiver<bool>) {
        let session = self.party.session();
        let (id, meta) = (session.id().to_owned(), session.meta());
        let file = format!("terminal-{}.cast", self.number);
        let name = meta.name.unwrap_or_default();
        let title = if name.is_empty() {
            &meta.command
        } else {
            &name
        };
        let size = session.size();
        self.follow.timeline.say(json!({
            "event": "terminal", "id": id, "file": file, "name": title,
            "cols": size.cols, "rows": size.rows,
        }));
        let (mut cast, header) = Cast::begin(size, self.follow.began, title);
        let number = self.number;
        if self
            .send(Job::Open {
                file: number,
                name: file,
            })
            .await
            .is_none()
        {
            return;
        }
        let mut reader = Reader {
            one: &self,
            // What was shown before is one screen; of a new terminal everything is there.
            offset: if is_new {
                session.history().first()
            } else {
                u64::MAX
            },
            driver: None,
        };
        let mut lines = vec![header];
        let mut changes = self.party.watch();
        let mut is_last = false;
        loop {
            changes.mark_unchanged();
            reader.note_driver();
            let ended = reader.read(&mut cast, &mut lines).await;
            for text in lines.drain(..) {
                if self.send(Job::Write { file: number, text }).await.is_none() {
                    return;
                }
            }
            match ended {
                Ended::No if is_last => {}
                Ended::No => {
                    tokio::select! {
                        () = session.history().announced(reader.offset) => {}
                        _ = changes.changed() => {}
                        // What was shown until now belongs to it.
                        _ = stop.wait_for(|stop| *stop) => is_last = true,
                    }
                    continue;
                }
                Ended::More => continue,
                Ended::Yes => {
                    let exit = session.exit_status().and_then(|exit| exit.code);
                    let line = json!({"event": "terminal-end", "id": id, "exit": exit});
                    self.follow.timeline.say(line);
                }
            }
            break;
        }
        if self.send(Job::Close { file: number }).await.is_none() {
            tracing::debug!("a recording ended before one of its terminals");
        }
    }

    async fn send(&self, job: Job) -> Option<()> {
        self.follow.jobs.send(job).await.ok()
    }
}

/// How far one terminal is written down.
struct Reader<'a> {
    one: &'a One,
    /// The offset of what is written next; the largest one before the first screen.
    offset: u64,
    driver: Option<String>,
}

/// Whether there is more to read.
enum Ended {
    /// There will be.
    No,
    /// There is.
    More,
    /// There never will be.
    Yes,
}

impl Reader<'_> {
    /// Writes down who drives, where that changed.
    fn note_driver(&mut self) {
        let driver = self.one.party.driver_name();
        if self.driver != driver {
            let id = self.one.party.session().id();
            let line = json!({"event": "terminal-floor", "id": id, "name": driver});
            self.one.follow.timeline.say(line);
            self.driver = driver;
        }
    }

    /// Makes lines of the next piece.
    async fn read(&mut self, cast: &mut Cast, lines: &mut Vec<String>) -> Ended {
        let session = self.one.party.session();
        let now = self.one.follow.timeline.began().elapsed();
        let read = if self.offset == u64::MAX {
            Read::Behind { first: 0 }
        } else {
            session.history().read_from(self.offset, PIECE_BYTES)
        };
        match read {
            Read::Bytes(bytes) => {
                self.offset += bytes.len() as u64;
                lines.extend(cast.resize(now, session.size()));
                lines.extend(cast.output(now, &bytes));
                Ended::More
            }
            Read::Pending => {
                lines.extend(cast.resize(now, session.size()));
                Ended::No
            }
            Read::Ended => Ended::Yes,
            // A screen takes as long as megabytes of output: not on a thread that serves people.
            Read::Behind { .. } => {
                let own = Arc::clone(session);
                let made = tokio::task::spawn_blocking(move || own.snapshot(&SCREEN)).await;
                let Ok((offset, screen)) = made else {
                    return Ended::Yes;
                };
                self.offset = offset;
                lines.extend(cast.resize(now, session.size()));
                lines.extend(cast.screen(now, &screen));
                Ended::More
            }
        }
    }
}

/// The most that becomes one line.
const PIECE_BYTES: usize = 64 * 1024;

/// What a recording shows of a terminal that was there before it.
const SCREEN: SnapshotOptions = SnapshotOptions {
    scrollback_lines: 0,
    graphics: false,
    sixel: false,
    kitty_level: 0,
    links: true,
};
