//! Addresses that whoever drives opens in the browser of the desktop.

use vroom_protocol::graphical::{Notification, NotificationKind, ServerMessage};

use super::{Hub, Seat, Shared, now};
use crate::floor::{Denied, ParticipantId};

/// The addresses that were opened, as far as something may still be told about them.
#[derive(Debug, Default)]
pub(super) struct Browsing {
    newest: u64,
    /// The one that is loading, as far as can be told.
    loading: Option<u64>,
    /// Who opened which, oldest first.
    asked: std::collections::VecDeque<(u64, ParticipantId)>,
}

impl Browsing {
    /// Whether an address is loading.
    pub(super) const fn is_loading(&self) -> bool {
        self.loading.is_some()
    }
}

impl Seat {
    /// Starts the browser with an address, if this participant drives; returns the number of the
    /// start, for [`Hub::browsed`].
    pub(crate) fn browse(&self, command: Vec<String>) -> Result<u64, Denied> {
        let mut shared = self.hub.lock();
        shared.check_driver(self.id)?;
        shared.member(self.id)?;
        let now = now();
        shared.floor.touch(now);
        let may = shared
            .members
            .get_mut(&self.id)
            .is_some_and(|member| member.opening.take(now));
        if !may {
            return Err(Denied::TooOften);
        }
        let browsing = &mut shared.browsing;
        browsing.newest += 1;
        let number = browsing.newest;
        browsing.loading = Some(number);
        if browsing.asked.len() >= ASKED {
            browsing.asked.pop_front();
        }
        browsing.asked.push_back((number, self.id));
        shared.announce_state();
        if let Some(desktop) = self.hub.desktop() {
            desktop.launch(number, command);
        }
        Ok(number)
    }
}

impl Hub {
    /// An address has had its time to load.
    pub(crate) fn browsed(&self, number: u64) {
        let mut shared = self.lock();
        if shared.browsing.loading == Some(number) {
            shared.loaded();
        }
    }
}

impl Shared {
    /// What was loading is there, or never will be.
    pub(super) fn loaded(&mut self) {
        if self.browsing.loading.take().is_some() {
            self.announce_state();
        }
    }

    /// Tells whoever opened an address that it was not opened.
    pub(super) fn browser_failed(&mut self, number: u64, reason: &str) {
        let asked = self.browsing.asked.iter().find(|(it, _)| *it == number);
        let member = asked.and_then(|(_, id)| self.members.get(id));
        if let Some(member) = member {
            let text = format!("the address was not opened: {reason}");
            let notification = Notification::new(NotificationKind::Error, text);
            member
                .mailbox
                .push(ServerMessage::Notification(notification));
        }
        if self.browsing.loading == Some(number) {
            self.loaded();
        }
    }
}

/// The starts whose failure is told; one more forgets the oldest.
const ASKED: usize = 16;
