//! Who may do what at a terminal, and who is told.

use std::time::{Duration, Instant};

use vroom_protocol::Code;
use vroom_protocol::graphical::Role;
use vroom_protocol::terminal::{Invitation, Participant, ShareAction, ShareState};

use super::{GuestId, Guests, Place};
use crate::links::{Links, NoLink};

/// What came of a SHARE.
type Shared = Result<Option<Invitation>, (Code, &'static str)>;

impl Place {
    /// Does what this person asks for, as far as they may.
    pub(crate) fn share(&self, now: Instant, action: ShareAction, links: &Links) -> Shared {
        match action {
            ShareAction::Request => self.request(),
            ShareAction::Grant { to } => self.grant(&to),
            ShareAction::Deny { to } => self.deny(&to),
            ShareAction::Take => self.take(),
            ShareAction::Release => self.release(),
            ShareAction::Role { to, role } => self.set_role(&to, role),
            ShareAction::Kick { to } => self.kick(&to),
            ShareAction::Invite { ttl_s, uses, role } => {
                let lifetime = Duration::from_secs(ttl_s.into());
                return self.invite(now, lifetime, uses, role, links);
            }
            ShareAction::Revoke { link } => self.revoke(&link, links),
        }?;
        self.party.announce();
        Ok(None)
    }

    /// What this person is told about everybody.
    pub(crate) fn share_state(&self, now: Instant, links: &Links) -> ShareState {
        let guests = self.party.guests();
        let name = |id: GuestId| id.to_string();
        let participants = guests.here.iter().filter(|(_, guest)| !guest.is_away);
        let own = guests.here.get(&self.id);
        let may_see_links = own.is_some_and(|guest| guest.role >= Role::Operator);
        ShareState {
            own_id: name(self.id),
            driver: guests.driver.map(name),
            participants: participants
                .map(|(id, guest)| Participant {
                    id: name(*id),
                    name: guest.name.clone(),
                    role: guest.role,
                    typing: guest.is_typing(now),
                    lagging: guest.is_lagging,
                })
                .collect(),
            links: may_see_links.then(|| links.list(now, self.party.session.id())),
            requested_by: guests.requested_by.map(name),
            recording: guests.recording.clone(),
            ..ShareState::default()
        }
    }

    /// Asks the driver to hand over; without one there is nobody to ask.
    fn request(&self) -> Result<(), (Code, &'static str)> {
        let mut guests = self.party.guests();
        guests.check(self.id, Role::Operator)?;
        match guests.driver {
            Some(driver) if driver != self.id => guests.requested_by = Some(self.id),
            _ => self.party.hand_over(&mut guests, self.id, true),
        }
        Ok(())
    }

    fn grant(&self, to: &str) -> Result<(), (Code, &'static str)> {
        let mut guests = self.party.guests();
        if guests.driver != Some(self.id) {
            guests.check(self.id, Role::Owner)?;
        }
        let to = guests.find(to)?;
        if guests.check(to, Role::Operator).is_err() {
            return Err((Code::NOT_ALLOWED, "viewers cannot drive"));
        }
        self.party.hand_over(&mut guests, to, true);
        Ok(())
    }

    fn deny(&self, to: &str) -> Result<(), (Code, &'static str)> {
        let mut guests = self.party.guests();
        if guests.driver != Some(self.id) {
            guests.check(self.id, Role::Owner)?;
        }
        let to = guests.find(to)?;
        if guests.requested_by == Some(to) {
            guests.requested_by = None;
        }
        Ok(())
    }

    /// Takes over: an owner from anybody, an operator from nobody who took over before.
    fn take(&self) -> Result<(), (Code, &'static str)> {
        let mut guests = self.party.guests();
        guests.check(self.id, Role::Operator)?;
        let is_theirs = guests.driver.is_some_and(|driver| driver != self.id) && guests.is_claimed;
        if is_theirs && guests.check(self.id, Role::Owner).is_err() {
            return Err((Code::DRIVER_BUSY, "somebody else is driving"));
        }
        self.party.hand_over(&mut guests, self.id, true);
        Ok(())
    }

    /// Drives no longer: whoever asked does, or else whoever types next.
    fn release(&self) -> Result<(), (Code, &'static str)> {
        let mut guests = self.party.guests();
        if guests.driver == Some(self.id) {
            match guests.requested_by {
                Some(next) => self.party.hand_over(&mut guests, next, true),
                None => self.party.free(&mut guests),
            }
        }
        Ok(())
    }

    fn set_role(&self, to: &str, role: Role) -> Result<(), (Code, &'static str)> {
        let mut guests = self.party.guests();
        guests.check(self.id, Role::Owner)?;
        let to = guests.find(to)?;
        let guest = guests.here.get_mut(&to);
        let guest = guest.ok_or((Code::NO_SUCH_TARGET, "there is no such participant"))?;
        if role > guest.role_max {
            return Err((Code::NOT_ALLOWED, "what they came by does not allow more"));
        }
        guest.role = role;
        if role < Role::Operator {
            if guests.requested_by == Some(to) {
                guests.requested_by = None;
            }
            if guests.driver == Some(to) {
                self.party.replace_driver(&mut guests);
            }
        }
        Ok(())
    }

    fn kick(&self, to: &str) -> Result<(), (Code, &'static str)> {
        let mut guests = self.party.guests();
        guests.check(self.id, Role::Owner)?;
        let to = guests.find(to)?;
        if let Some(guest) = guests.here.get_mut(&to) {
            guest.removed = Some((Code::REVOKED, "you were put out"));
        }
        Ok(())
    }

    fn invite(
        &self,
        now: Instant,
        lifetime: Duration,
        uses: Option<u32>,
        role: Role,
        links: &Links,
    ) -> Shared {
        let guests = self.party.guests();
        guests.check(self.id, Role::Operator)?;
        if role > Role::Viewer {
            guests.check(self.id, Role::Owner)?;
        }
        drop(guests);
        let terminal = self.party.session.id().into();
        let (link, token) = links
            .make(now, terminal, role, lifetime, uses)
            .map_err(|error| match error {
                NoLink::TooMany => (Code::LIMIT_REACHED, "there are too many links"),
                NoLink::BadTerms => (Code::INVALID_MESSAGE, "a link works for 1 s to 30 days"),
                NoLink::NoSecret => (Code::UNSUPPORTED, "there are no random numbers"),
            })?;
        self.party.announce();
        Ok(Some(Invitation {
            link: link.id().to_owned(),
            url: format!("/#share={}", token.reveal()),
            token: token.reveal().to_owned(),
        }))
    }

    fn revoke(&self, link: &str, links: &Links) -> Result<(), (Code, &'static str)> {
        self.party.guests().check(self.id, Role::Operator)?;
        if links.revoke(self.party.session.id(), link) {
            Ok(())
        } else {
            Err((Code::NO_SUCH_TARGET, "there is no such link"))
        }
    }
}

impl Guests {
    /// Whether somebody may do what takes this role.
    fn check(&self, id: GuestId, role: Role) -> Result<(), (Code, &'static str)> {
        match self.here.get(&id) {
            Some(guest) if guest.role >= role && guest.removed.is_none() => Ok(()),
            _ => Err((Code::NOT_ALLOWED, "your role does not allow that")),
        }
    }

    fn find(&self, id: &str) -> Result<GuestId, (Code, &'static str)> {
        let id = id.parse().ok().filter(|id| self.here.contains_key(id));
        id.ok_or((Code::NO_SUCH_TARGET, "there is no such participant"))
    }
}
