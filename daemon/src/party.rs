//! One terminal and everybody who is at it.

mod place;
mod refused;
mod share;

use std::collections::{BTreeMap, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use tokio::sync::watch;
use vroom_protocol::Code;
use vroom_protocol::graphical::{Recording, Role};
use vroom_terminal::{PtySize, Session};

use crate::identity::Identity;

pub(crate) use self::place::Place;
pub(crate) use self::refused::Refused;

/// One terminal and everybody who is at it.
///
/// One of them drives: their size counts, their terminal answers the program's questions, and only
/// for them the program waits. While nobody drives the screen's model answers.
#[derive(Debug)]
pub(crate) struct Party {
    session: Arc<Session>,
    owner: Arc<str>,
    guests: Mutex<Guests>,
    /// Counts the changes of what everybody is told.
    changes: watch::Sender<u64>,
}

/// Names somebody at a terminal.
pub(crate) type GuestId = u64;

#[derive(Debug, Default)]
struct Guests {
    next: GuestId,
    here: BTreeMap<GuestId, Guest>,
    driver: Option<GuestId>,
    /// Whether the driver took over in so many words, so that typing does not change who drives.
    is_claimed: bool,
    requested_by: Option<GuestId>,
    /// Input that was refused, by its writer.
    refused: VecDeque<(String, Refused)>,
    /// Why the server ended the program.
    reason: Option<String>,
    /// Whether somebody was told how the program ended.
    is_seen: bool,
    /// The recording that is under way.
    recording: Option<Recording>,
}

#[derive(Debug)]
struct Guest {
    name: String,
    role: Role,
    /// What the role may be raised to.
    role_max: Role,
    /// Whether the transport is lost and may come back.
    is_away: bool,
    is_lagging: bool,
    typed_at: Option<Instant>,
    /// The size of their window, where they told it.
    size: Option<PtySize>,
    removed: Option<(Code, &'static str)>,
}

impl Party {
    /// Opens a terminal to people.
    pub(crate) fn new(session: Arc<Session>) -> Arc<Self> {
        let meta = session.meta();
        Arc::new(Self {
            session,
            owner: meta.owner.into(),
            guests: Mutex::default(),
            changes: watch::Sender::new(0),
        })
    }

    /// The terminal.
    pub(crate) fn session(&self) -> &Arc<Session> {
        &self.session
    }

    /// Whose it is.
    pub(crate) fn owner(&self) -> &str {
        &self.owner
    }

    /// What somebody would be who came now; `None` when it is none of their business.
    pub(crate) fn role_of(&self, identity: &Identity) -> Option<Role> {
        match identity.link() {
            Some(link) => (link.terminal() == self.session.id()).then_some(identity.role),
            None if *identity.user == *self.owner => identity.may_manage().then_some(identity.role),
            None => None,
        }
    }

    /// Lets somebody in.
    ///
    /// Returns `None` when too many are here already.
    pub(crate) fn join(
        self: &Arc<Self>,
        identity: &Identity,
        role: Role,
        size: Option<PtySize>,
    ) -> Option<Place> {
        let mut guests = self.guests();
        if guests.here.len() >= GUESTS {
            return None;
        }
        guests.next += 1;
        let id = guests.next;
        let guest = Guest {
            name: identity.user.chars().take(NAME_CHARS).collect(),
            role,
            // A link that was born for viewers never opens more, and no link makes an owner.
            role_max: match identity.link() {
                Some(_) => role,
                None => identity.role,
            },
            is_away: false,
            is_lagging: false,
            typed_at: None,
            size,
            removed: None,
        };
        guests.here.insert(id, guest);
        if guests.driver.is_none() && role >= Role::Operator {
            self.hand_over(&mut guests, id, false);
        }
        self.announce();
        drop(guests);
        Some(Place::new(Arc::clone(self), id))
    }

    /// How many are at it now.
    pub(crate) fn attached(&self) -> usize {
        let guests = self.guests();
        guests.here.values().filter(|guest| !guest.is_away).count()
    }

    /// Whether anybody is at it, or may come back to it.
    pub(crate) fn is_deserted(&self) -> bool {
        self.guests().here.is_empty()
    }

    /// Whether anybody was ever at it, however shortly.
    pub(crate) fn was_joined(&self) -> bool {
        self.guests().next > 0
    }

    /// Why the server ended the program, if it did.
    pub(crate) fn reason(&self) -> Option<String> {
        self.guests().reason.clone()
    }

    /// Ends the program, and says why.
    pub(crate) fn end(&self, reason: &str) {
        self.guests()
            .reason
            .get_or_insert_with(|| reason.to_owned());
        self.session.set_extra(REASON, Some(reason.to_owned()));
        self.session.end();
    }

    /// Takes over what an earlier server noted about the end.
    pub(crate) fn recall(&self) {
        let reason = self.session.meta().extra.get(REASON).cloned();
        self.guests().reason = reason;
    }

    /// Notes that somebody whose terminal it is was told how the program ended.
    pub(crate) fn set_seen(&self) {
        self.guests().is_seen = true;
        self.announce();
    }

    /// Whether somebody was told how the program ended.
    pub(crate) fn is_seen(&self) -> bool {
        self.guests().is_seen
    }

    /// Tells everybody here that the terminal is recorded, or not any more.
    pub(crate) fn set_recording(&self, recording: Option<&Recording>) {
        self.guests().recording = recording.cloned();
        self.announce();
    }

    /// By what name people know who drives, if anybody does.
    pub(crate) fn driver_name(&self) -> Option<String> {
        let guests = self.guests();
        let driver = guests.driver.and_then(|id| guests.here.get(&id));
        driver.map(|guest| guest.name.clone())
    }

    /// Waits for anything to change about who is here; cancel-safe.
    pub(crate) fn watch(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    /// Tells everybody that something changed.
    fn announce(&self) {
        self.changes.send_modify(|changes| *changes += 1);
    }

    /// Lets somebody drive; their size counts from now on.
    fn hand_over(&self, guests: &mut Guests, id: GuestId, is_claimed: bool) {
        guests.driver = Some(id);
        guests.is_claimed = is_claimed;
        if guests.requested_by == Some(id) {
            guests.requested_by = None;
        }
        self.session.set_answering(false);
        if let Some(size) = guests.here.get(&id).and_then(|guest| guest.size) {
            self.resize(size);
        }
    }

    /// Nobody drives any more: the screen's model answers, and the program waits for nobody.
    fn free(&self, guests: &mut Guests) {
        guests.driver = None;
        guests.is_claimed = false;
        self.session.set_reader_offset(None);
        self.session.set_answering(true);
    }

    /// The driver is gone, or may not drive any more: whoever came first of those who may does now.
    fn replace_driver(&self, guests: &mut Guests) {
        guests.driver = None;
        guests.is_claimed = false;
        self.session.set_reader_offset(None);
        let next = guests
            .here
            .iter()
            .find(|(_, guest)| guest.role >= Role::Operator && !guest.is_away);
        match next.map(|(id, _)| *id) {
            Some(id) => self.hand_over(guests, id, false),
            None => self.session.set_answering(true),
        }
    }

    fn resize(&self, size: PtySize) {
        if let Err(error) = self.session.resize(size) {
            tracing::debug!(%error, "a terminal did not change its size");
        }
    }

    fn guests(&self) -> MutexGuard<'_, Guests> {
        self.guests.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Guest {
    fn is_typing(&self, now: Instant) -> bool {
        self.typed_at.is_some_and(|at| now < at + TYPING)
    }
}

/// How long somebody counts as typing after a key.
const TYPING: Duration = Duration::from_secs(1);

/// The people at a terminal at a time; one more is refused with 4114.
const GUESTS: usize = 256;

/// The longest name of somebody; the rest is cut.
const NAME_CHARS: usize = 64;

/// Where a holder keeps why the server ended its program.
const REASON: &str = "reason";
