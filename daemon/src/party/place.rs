//! The place of one person at a terminal.

use std::sync::Arc;
use std::time::Instant;

use tokio::sync::watch;
use vroom_protocol::Code;
use vroom_protocol::graphical::Role;
use vroom_terminal::{PtySize, Session};

use super::{GuestId, Party, Refused};

/// The place of one person at a terminal; dropping it leaves.
#[derive(Debug)]
pub(crate) struct Place {
    pub(super) party: Arc<Party>,
    pub(super) id: GuestId,
    changes: watch::Receiver<u64>,
}

impl Place {
    pub(super) fn new(party: Arc<Party>, id: GuestId) -> Self {
        let changes = party.watch();
        Self { party, id, changes }
    }

    /// The terminal.
    pub(crate) fn session(&self) -> &Arc<Session> {
        &self.party.session
    }

    /// The terminal and who is at it.
    pub(crate) fn party(&self) -> &Arc<Party> {
        &self.party
    }

    /// What this person may do now.
    pub(crate) fn role(&self) -> Role {
        let guests = self.party.guests();
        guests
            .here
            .get(&self.id)
            .map_or(Role::Viewer, |guest| guest.role)
    }

    /// Whether this person drives.
    pub(crate) fn is_driver(&self) -> bool {
        self.party.guests().driver == Some(self.id)
    }

    /// Whether nobody else is here.
    pub(crate) fn is_alone(&self) -> bool {
        self.party.guests().here.len() == 1
    }

    /// Why this person has to go, if they have to.
    pub(crate) fn removed(&self) -> Option<(Code, &'static str)> {
        self.party.guests().here.get(&self.id)?.removed
    }

    /// Asks to type; whoever types drives, unless somebody else took over in so many words.
    ///
    /// This is the one place where input is allowed or refused.
    pub(crate) fn type_at(&self, now: Instant) -> Result<(), (Code, &'static str)> {
        let mut guests = self.party.guests();
        let (driver, is_claimed) = (guests.driver, guests.is_claimed);
        let is_alone = guests.here.len() == 1;
        let Some(guest) = guests.here.get_mut(&self.id) else {
            return Err((Code::NOT_ALLOWED, "you are not here any more"));
        };
        if guest.role < Role::Operator || guest.removed.is_some() {
            return Err((Code::NOT_ALLOWED, "viewers cannot type"));
        }
        if driver != Some(self.id) && driver.is_some() && is_claimed {
            return Err((Code::DRIVER_BUSY, "somebody else is driving"));
        }
        let is_news = !guest.is_typing(now) && !is_alone;
        guest.typed_at = Some(now);
        let takes_over = driver != Some(self.id);
        if takes_over {
            self.party.hand_over(&mut guests, self.id, false);
        }
        drop(guests);
        if is_news || takes_over {
            self.party.announce();
        }
        Ok(())
    }

    /// When this person no longer counts as typing, as long as somebody is to be told.
    pub(crate) fn typing_until(&self) -> Option<Instant> {
        let guests = self.party.guests();
        if guests.here.len() == 1 {
            return None;
        }
        let typed_at = guests.here.get(&self.id)?.typed_at?;
        Some(typed_at + super::TYPING)
    }

    /// Tells everybody once this person no longer types.
    pub(crate) fn rest(&self, now: Instant) {
        let mut guests = self.party.guests();
        let Some(guest) = guests.here.get_mut(&self.id) else {
            return;
        };
        if guest.typed_at.is_some() && !guest.is_typing(now) {
            guest.typed_at = None;
            drop(guests);
            self.party.announce();
        }
    }

    /// Notes the size of this person's window; that of the driver counts.
    pub(crate) fn resize(&self, size: PtySize) {
        let mut guests = self.party.guests();
        let is_driver = guests.driver == Some(self.id);
        if let Some(guest) = guests.here.get_mut(&self.id) {
            guest.size = Some(size);
        }
        if is_driver {
            self.party.resize(size);
            drop(guests);
            self.party.announce();
        }
    }

    /// Says whether this person is behind the output.
    pub(crate) fn set_lagging(&self, is_lagging: bool) {
        let mut guests = self.party.guests();
        if let Some(guest) = guests.here.get_mut(&self.id)
            && guest.is_lagging != is_lagging
        {
            guest.is_lagging = is_lagging;
            drop(guests);
            self.party.announce();
        }
    }

    /// Says whether this person's transport is lost; who is away does not drive.
    pub(crate) fn set_away(&self, is_away: bool) {
        let mut guests = self.party.guests();
        let Some(guest) = guests.here.get_mut(&self.id) else {
            return;
        };
        if guest.is_away == is_away {
            return;
        }
        guest.is_away = is_away;
        let may_drive = guest.role >= Role::Operator;
        if is_away && guests.driver == Some(self.id) {
            self.party.replace_driver(&mut guests);
        } else if !is_away && may_drive && guests.driver.is_none() {
            self.party.hand_over(&mut guests, self.id, false);
        }
        drop(guests);
        self.party.announce();
    }

    /// What was refused of a writer's input so far.
    pub(crate) fn refused(&self, writer: &str) -> Refused {
        let guests = self.party.guests();
        let refused = guests.refused.iter().find(|(name, _)| name == writer);
        refused.map_or_else(Refused::default, |(_, refused)| refused.clone())
    }

    /// Keeps what was refused; of the writers the oldest is forgotten when there are too many.
    pub(crate) fn keep_refused(&self, writer: &str, refused: Refused) {
        let kept = &mut self.party.guests().refused;
        if let Some((_, known)) = kept.iter_mut().find(|(name, _)| name == writer) {
            *known = refused;
            return;
        }
        if kept.len() >= WRITERS {
            kept.pop_front();
        }
        kept.push_back((writer.to_owned(), refused));
    }

    /// Whether something changed since the last call.
    pub(crate) fn take_changes(&mut self) -> bool {
        let changed = self.changes.has_changed().unwrap_or(false);
        self.changes.mark_unchanged();
        changed
    }

    /// Waits until something changed; cancel-safe.
    pub(crate) async fn changed(&self) {
        let mut changes = self.changes.clone();
        if changes.changed().await.is_err() {
            // The sender lives as long as the party, which this place keeps.
            std::future::pending::<()>().await;
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let mut guests = self.party.guests();
        guests.here.remove(&self.id);
        if guests.requested_by == Some(self.id) {
            guests.requested_by = None;
        }
        if guests.driver == Some(self.id) {
            self.party.replace_driver(&mut guests);
        }
        drop(guests);
        self.party.announce();
    }
}

/// The writers whose refused input is remembered.
const WRITERS: usize = 64;
