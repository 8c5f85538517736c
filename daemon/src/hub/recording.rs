//! What everybody is told of the recording, and what it is told of everybody.

use vroom_protocol::graphical::{RecordState, Recording};

use super::{Hub, Seat, Shared};
use crate::recording::{Journal, Person};

/// The recording as the participants share it.
#[derive(Debug, Default)]
pub(super) struct RecordingShared {
    now: Option<Recording>,
    /// Why the last one ended, where nobody asked for that.
    reason: Option<String>,
    journal: Option<Journal>,
    /// Whether the pointer is in the picture for it.
    pub(super) has_pointer: bool,
}

impl Hub {
    /// Tells everybody that a recording begins, and the journal of everybody from now on.
    pub(crate) fn begin_recording(&self, recording: Recording, journal: Journal, pointer: bool) {
        let mut shared = self.lock();
        shared.recording = RecordingShared {
            now: Some(recording),
            reason: None,
            journal: Some(journal),
            has_pointer: pointer,
        };
        shared.follow_cursor(self.desktop());
        shared.note_people();
        shared.announce_recording();
    }

    /// Tells the journal nothing more.
    pub(crate) fn forget_journal(&self) {
        self.lock().recording.journal = None;
    }

    /// Tells everybody that nothing is recorded any more, and why, where nobody asked for that.
    pub(crate) fn end_recording(&self, reason: Option<String>) {
        let mut shared = self.lock();
        shared.recording = RecordingShared {
            reason,
            ..RecordingShared::default()
        };
        shared.follow_cursor(self.desktop());
        shared.announce_recording();
    }
}

impl Seat {
    /// What this participant is told of the recording.
    pub(crate) fn record_state(&self, allowed: bool) -> RecordState {
        let shared = self.hub.lock();
        RecordState {
            allowed,
            recording: shared.recording.now.clone(),
            reason: shared.recording.reason.clone(),
        }
    }

    /// By what name the others know this participant.
    pub(crate) fn name(&self) -> String {
        let shared = self.hub.lock();
        let member = shared.member(self.id);
        member.map_or_else(|_| String::new(), |member| member.name.clone())
    }
}

impl Shared {
    fn announce_recording(&self) {
        for member in self.members.values() {
            member.mailbox.put(|mail| mail.recording = true);
        }
    }

    /// Writes down who is here and who drives.
    pub(super) fn note_people(&mut self) {
        let people = self.members.iter().map(|(id, member)| {
            let person = Person {
                name: member.name.clone(),
                role: member.role,
                mode: self.floor.mode(*id),
            };
            (*id, person)
        });
        if let Some(journal) = &mut self.recording.journal {
            journal.follow(people.collect(), self.floor.driver());
        }
    }
}
