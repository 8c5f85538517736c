//! The sessions that can be resumed: carried by a transport now, or waiting for the next.

use std::collections::{HashMap, VecDeque};
use std::future::pending;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use tokio::sync::{Notify, oneshot};
use vroom_protocol::Secret;
use vroom_protocol::mux::Suspended;

use crate::identity::Identity;
use crate::session::Session;

/// All sessions that can be resumed.
///
/// A session is asked for by its secret id and handed over whole, by whoever holds it: this table
/// while no transport carries it, or the task that drives its present transport.
#[derive(Debug, Default)]
pub(crate) struct Resumable {
    table: Mutex<Table>,
}

#[derive(Debug, Default)]
struct Table {
    entries: HashMap<Secret, Entry>,
    /// The ids whose time was up, oldest first.
    expired: VecDeque<Secret>,
}

#[derive(Debug)]
struct Entry {
    /// Whether the identity was proved by the HELLO or the transport, and has to be again.
    bound: bool,
    wanted: Arc<Wanted>,
    parked: Option<Box<Handover>>,
}

/// How one transport asks another for its session.
#[derive(Debug, Default)]
struct Wanted {
    bell: Notify,
    asker: Mutex<Option<Asker>>,
}

#[derive(Debug)]
struct Asker {
    identity: Option<Identity>,
    answer: oneshot::Sender<Box<Handover>>,
}

/// A session on its way from one transport to the next.
#[derive(Debug)]
pub(crate) struct Handover {
    /// What the mux keeps of it.
    pub(crate) suspended: Suspended,
    /// What it may do.
    pub(crate) session: Session,
    /// Its place in the table.
    pub(crate) held: Held,
    /// When it is given up.
    pub(crate) until: Instant,
}

/// The place of one session in the table.
#[derive(Clone, Debug)]
pub(crate) struct Held {
    table: Arc<Resumable>,
    id: Secret,
    wanted: Arc<Wanted>,
}

/// What there is of a session that somebody asks for.
pub(crate) enum Found {
    /// No transport carries it.
    Parked(Box<Handover>),
    /// A transport carries it, and was asked to let go.
    Live(Claim),
    /// It waited for too long.
    Expired,
    /// There is none, or it is somebody else's.
    Missing,
}

/// A session that another transport was asked for.
#[derive(Debug)]
pub(crate) struct Claim {
    answer: oneshot::Receiver<Box<Handover>>,
    /// What came, until it is taken.
    came: Option<Result<Box<Handover>, Gone>>,
}

/// The session ended while it was asked for.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Gone;

impl Resumable {
    /// Notes a session that a transport carries; `bound` when whoever resumes it has to prove to be
    /// the same. Otherwise its secret id is the proof: the identity was proved inside a terminal,
    /// where it cannot be proved again before the session goes on.
    pub(crate) fn hold(self: &Arc<Self>, id: Secret, bound: bool) -> Held {
        let wanted = Arc::new(Wanted::default());
        let entry = Entry {
            bound,
            wanted: Arc::clone(&wanted),
            parked: None,
        };
        self.lock().entries.insert(id.clone(), entry);
        Held {
            table: Arc::clone(self),
            id,
            wanted,
        }
    }

    /// Looks for a session on behalf of somebody.
    pub(crate) fn find(&self, id: &Secret, identity: Option<&Identity>) -> Found {
        let mut table = self.lock();
        let Some(entry) = table.entries.get_mut(id) else {
            let expired = table.expired.contains(id);
            return if expired {
                Found::Expired
            } else {
                Found::Missing
            };
        };
        if entry.bound && identity.is_none() {
            return Found::Missing;
        }
        match entry.parked.take() {
            Some(parked) if is_same(&parked.session, identity) => Found::Parked(parked),
            Some(parked) => {
                entry.parked = Some(parked);
                Found::Missing
            }
            None => Found::Live(entry.wanted.ask(identity.cloned())),
        }
    }

    /// Gives up one that has waited until now; anything that happened to it since counts more.
    fn expire(&self, id: &Secret, until: Instant) {
        let mut table = self.lock();
        let is_due = |entry: &Entry| {
            let parked = entry.parked.as_ref();
            parked.is_some_and(|parked| parked.until <= until)
        };
        if table.entries.get(id).is_some_and(is_due) {
            let gone = table.give_up(id);
            drop(table);
            // It ends its terminals, which is not for the lock.
            drop(gone);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Table> {
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Table {
    /// The parked sessions, of one user or of all, and the one that waits for longest.
    fn parked(&self, user: Option<&str>) -> (usize, Option<Secret>) {
        let parked = self.entries.iter().filter_map(|(id, entry)| {
            let parked = entry.parked.as_ref()?;
            let owner = parked.session.identity().map(|identity| &*identity.user);
            (user.is_none() || owner == user).then_some((id, parked.until))
        });
        let parked: Vec<_> = parked.collect();
        let oldest = parked.iter().min_by_key(|(_, until)| *until);
        (parked.len(), oldest.map(|(id, _)| (*id).clone()))
    }

    fn give_up(&mut self, id: &Secret) -> Option<Entry> {
        if self.expired.len() >= EXPIRED {
            self.expired.pop_front();
        }
        self.expired.push_back(id.clone());
        self.entries.remove(id)
    }
}

impl Held {
    /// Whether another transport asks for the session.
    pub(crate) fn is_claimed(&self) -> bool {
        self.wanted.lock().is_some()
    }

    /// Waits until another transport asks for the session; cancel-safe.
    pub(crate) async fn wanted(&self) {
        while !self.is_claimed() {
            self.wanted.bell.notified().await;
        }
    }

    /// Hands the session to whoever asks for it, or keeps it until somebody does or the time is up.
    ///
    /// When too many wait, of one user or in all, the one that waits for longest is given up.
    pub(crate) fn park(&self, handover: Handover) {
        let Some(handover) = self.hand_to_asker(Box::new(handover)) else {
            return;
        };
        let user = handover.session.identity().map(|who| Arc::clone(&who.user));
        let until = handover.until;
        let mut surplus = Vec::new();
        let mut table = self.table.lock();
        for (whose, most) in [(user.as_deref(), PARKED_PER_USER), (None, PARKED)] {
            let (count, oldest) = table.parked(whose);
            if count >= most
                && let Some(oldest) = oldest
            {
                surplus.extend(table.give_up(&oldest));
            }
        }
        if let Some(entry) = table.entries.get_mut(&self.id) {
            entry.parked = Some(handover);
        }
        drop(table);
        drop(surplus);
        let (table, id) = (Arc::downgrade(&self.table), self.id.clone());
        tokio::spawn(async move {
            tokio::time::sleep_until(until.into()).await;
            if let Some(table) = table.upgrade() {
                table.expire(&id, until);
            }
        });
    }

    /// The session cannot be resumed any more.
    pub(crate) fn forget(&self) {
        self.table.lock().entries.remove(&self.id);
        // Whoever asked is told that it is gone.
        drop(self.wanted.lock().take());
    }

    /// Gives back the session unless somebody who may have it takes it.
    fn hand_to_asker(&self, handover: Box<Handover>) -> Option<Box<Handover>> {
        let Some(asker) = self.wanted.lock().take() else {
            return Some(handover);
        };
        if !is_same(&handover.session, asker.identity.as_ref()) {
            return Some(handover);
        }
        asker.answer.send(handover).err()
    }
}

impl Wanted {
    /// Asks for the session; whoever asked before goes away empty-handed.
    fn ask(&self, identity: Option<Identity>) -> Claim {
        let (sender, answer) = oneshot::channel();
        *self.lock() = Some(Asker {
            identity,
            answer: sender,
        });
        self.bell.notify_one();
        Claim { answer, came: None }
    }

    fn lock(&self) -> MutexGuard<'_, Option<Asker>> {
        self.asker.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Claim {
    /// Waits until the session came or is known to be gone; cancel-safe.
    pub(crate) async fn ready(&mut self) {
        if self.came.is_some() {
            return pending().await;
        }
        self.came = Some((&mut self.answer).await.map_err(|_| Gone));
    }

    /// What came, once.
    pub(crate) fn take(&mut self) -> Option<Result<Box<Handover>, Gone>> {
        self.came.take()
    }
}

/// Whether a session belongs to somebody; without a proof its id was enough.
fn is_same(session: &Session, identity: Option<&Identity>) -> bool {
    identity.is_none_or(|identity| session.identity() == Some(identity))
}

/// The sessions of one user that wait for a transport; one more and the oldest is given up.
const PARKED_PER_USER: usize = 64;

/// The same for all users together.
const PARKED: usize = 256;

/// The ids that are remembered as expired; an older one counts as unknown.
const EXPIRED: usize = 256;
