//! Recordings of the session: the desktop as it is sent, every terminal, and who did what when.
//!
//! One task owns the recording that is under way. Everybody is told before it begins, and nothing of
//! it is hidden from those who come later.

mod cast;
mod folder;
mod rules;
mod running;
mod shelf;
mod terminals;
mod timeline;
mod writer;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Weak};

use tokio::sync::{mpsc, oneshot};
use vroom_protocol::graphical::Role;

use self::running::Running;
use crate::daemon::Daemon;

pub(crate) use self::rules::{FREE_MIB_MIN, MIB, SIZE_MIB_MAX};
pub use self::rules::{MayRecord, RecordingRules};
pub(crate) use self::shelf::Shelf;
pub(crate) use self::timeline::{Journal, Person};

/// What may be recorded, and the way to whoever does it.
#[derive(Debug)]
pub(crate) struct Recordings {
    rules: RecordingRules,
    folder: PathBuf,
    orders: mpsc::Sender<Order>,
}

/// What is to happen to the recording.
#[derive(Debug)]
pub(crate) enum Order {
    /// One begins, unless one is under way.
    Start {
        /// Who says so, by the name that people know.
        by: String,
    },
    /// It ends, because somebody says so.
    Stop {
        /// Who says so.
        by: String,
    },
    /// This very one cannot go on.
    Fail {
        /// Which one.
        number: u64,
        /// Why, for people.
        reason: String,
    },
    /// It ends, and none begins any more.
    End(oneshot::Sender<()>),
}

/// What comes of the orders.
#[derive(Debug)]
pub(crate) struct Orders(mpsc::Receiver<Order>);

impl Recordings {
    /// Follows these rules; by default recordings lie in the home of this user.
    pub(crate) fn new(rules: RecordingRules, home: &Path) -> (Self, Orders) {
        let (sender, receiver) = mpsc::channel(ORDERS);
        let folder = rules
            .directory
            .clone()
            .unwrap_or_else(|| usual_folder(home));
        let recordings = Self {
            rules,
            folder,
            orders: sender,
        };
        (recordings, Orders(receiver))
    }

    /// Whether somebody of this role may begin and end recordings, and fetch them.
    pub(crate) fn allows(&self, role: Role) -> bool {
        self.rules.allowed.is_some_and(|least| role >= least)
    }

    /// Begins one; false when too much was ordered already.
    pub(crate) fn start(&self, by: String) -> bool {
        self.orders.try_send(Order::Start { by }).is_ok()
    }

    /// Ends it; false when too much was ordered already.
    pub(crate) fn stop(&self, by: String) -> bool {
        self.orders.try_send(Order::Stop { by }).is_ok()
    }

    /// Ends it with the server; returns when all is written.
    pub(crate) async fn end(&self) {
        let (done, ended) = oneshot::channel();
        if self.orders.send(Order::End(done)).await.is_ok() {
            // When the task is gone there is nothing left to end.
            drop(ended.await);
        }
    }

    /// What was recorded.
    pub(crate) fn shelf(&self) -> Shelf {
        Shelf::new(&self.folder)
    }
}

/// Does what is ordered, one thing after the other, until the server ends.
pub(crate) async fn serve(daemon: Weak<Daemon>, mut orders: Orders) {
    let mut running: Option<Running> = None;
    let mut number = 0;
    while let Some(order) = orders.0.recv().await {
        let Some(daemon) = daemon.upgrade() else {
            return;
        };
        match order {
            Order::Start { by } if running.is_none() => {
                number += 1;
                running = begin(&daemon, by, number).await;
            }
            Order::Start { .. } => {}
            Order::Stop { by } => {
                if let Some(running) = running.take() {
                    tracing::info!(by, "a recording was ended");
                    running.finish(&daemon, &format!("ended by {by}")).await;
                    daemon.hub.end_recording(None);
                }
            }
            Order::Fail { number, reason } => {
                if let Some(failed) = running.take_if(|running| running.number() == number) {
                    tracing::warn!(reason, "a recording ended");
                    failed.finish(&daemon, &reason).await;
                    daemon.hub.end_recording(Some(reason));
                }
            }
            Order::End(done) => {
                if let Some(running) = running.take() {
                    running.finish(&daemon, "the server ended").await;
                }
                if done.send(()).is_err() {
                    tracing::debug!("nobody waited for the end of a recording");
                }
                return;
            }
        }
    }
}

/// Begins one off the threads that serve people: it makes folders.
async fn begin(daemon: &Arc<Daemon>, by: String, number: u64) -> Option<Running> {
    tracing::info!(by, "a recording begins");
    let own = Arc::clone(daemon);
    let begun = tokio::task::spawn_blocking(move || Running::begin(&own, by, number)).await;
    match begun {
        Ok(Ok(running)) => Some(running),
        Ok(Err(error)) => {
            tracing::warn!(%error, "nothing is recorded");
            let reason = format!("nothing is recorded: {error}");
            daemon.hub.end_recording(Some(reason));
            None
        }
        Err(_) => {
            tracing::error!("the beginning of a recording panicked");
            None
        }
    }
}

fn usual_folder(home: &Path) -> PathBuf {
    let data = std::env::var_os("XDG_DATA_HOME").filter(|value| !value.is_empty());
    let data = data.map_or_else(|| home.join(".local/share"), PathBuf::from);
    data.join("vroom/recordings")
}

/// The orders that wait; one more is refused.
const ORDERS: usize = 16;
