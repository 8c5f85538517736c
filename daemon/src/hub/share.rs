//! What participants do to one another.

use vroom_protocol::Code;
use vroom_protocol::graphical::{Mode, Notification, NotificationKind, Role, ServerMessage};

use super::{Seat, now};
use crate::floor::{Denied, ParticipantId};

impl Seat {
    /// Hands the floor to somebody; the driver and owners may.
    pub(crate) fn grant(&self, to: &str) -> Result<(), Denied> {
        let to = to.parse()?;
        let mut shared = self.hub.lock();
        let may =
            shared.floor.driver() == Some(self.id) || shared.member(self.id)?.role == Role::Owner;
        if !may || shared.member(to)?.role < Role::Operator {
            return Err(Denied::NotAllowed);
        }
        shared.hand_over(now(), self.hub.desktop(), to, Mode::Interact);
        shared.member(to)?.mailbox.put(|mail| mail.state = true);
        Ok(())
    }

    /// Asks the driver for the floor; takes it when it is free.
    pub(crate) fn request(&self) -> Result<(), Denied> {
        let shared = self.hub.lock();
        let asker = shared.member(self.id)?;
        if asker.role < Role::Operator {
            return Err(Denied::NotAllowed);
        }
        let Some(driver) = shared.floor.driver() else {
            drop(shared);
            return self.set_mode(Mode::Interact, false);
        };
        let text = format!("{} asks for control", asker.name);
        let mut notification = Notification::new(NotificationKind::Info, text);
        notification.reference = Some(self.id.to_string());
        let message = ServerMessage::Notification(notification);
        shared.member(driver)?.mailbox.push(message);
        Ok(())
    }

    /// Tells somebody that they do not get the floor.
    pub(crate) fn deny(&self, to: &str) -> Result<(), Denied> {
        let to = to.parse::<ParticipantId>()?;
        let shared = self.hub.lock();
        let may =
            shared.floor.driver() == Some(self.id) || shared.member(self.id)?.role == Role::Owner;
        if !may {
            return Err(Denied::NotAllowed);
        }
        let text = format!("{} keeps control", shared.member(self.id)?.name);
        let notification = Notification::new(NotificationKind::Warning, text);
        let message = ServerMessage::Notification(notification);
        shared.member(to)?.mailbox.push(message);
        Ok(())
    }

    /// Changes what somebody may do; owners may.
    pub(crate) fn set_role(&self, to: &str, role: Role) -> Result<(), Denied> {
        let to = to.parse()?;
        let mut shared = self.hub.lock();
        self.check_owner(&shared)?;
        shared
            .members
            .get_mut(&to)
            .ok_or(Denied::NoSuchTarget)?
            .role = role;
        // What they may do with recordings follows from it.
        shared.member(to)?.mailbox.put(|mail| mail.recording = true);
        if role < Role::Operator && shared.floor.driver() == Some(to) {
            shared.vacate(self.hub.desktop());
            shared.tell_lost(to);
        }
        shared.announce_share();
        Ok(())
    }

    /// Puts somebody out and ends their connection; owners may.
    pub(crate) fn kick(&self, to: &str) -> Result<(), Denied> {
        let to = to.parse()?;
        let mut shared = self.hub.lock();
        self.check_owner(&shared)?;
        // Out at once, however long their connection takes to notice.
        let member = shared.members.remove(&to).ok_or(Denied::NoSuchTarget)?;
        if shared.floor.driver() == Some(to) {
            shared.vacate(self.hub.desktop());
        }
        let removed = Some((Code::REVOKED, "removed by the owner"));
        member.mailbox.put(|mail| mail.removed = removed);
        shared.announce_share();
        Ok(())
    }

    fn check_owner(&self, shared: &super::Shared) -> Result<(), Denied> {
        match shared.member(self.id)?.role {
            Role::Owner => Ok(()),
            Role::Operator | Role::Viewer => Err(Denied::NotAllowed),
        }
    }
}
