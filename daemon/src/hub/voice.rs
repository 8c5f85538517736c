//! Speaking into the microphone of the desktop: who may, and who does.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use vroom_protocol::graphical::Role;

use super::{Seat, Shared};
use crate::config::MicrophoneRule;
use crate::floor::{Denied, ParticipantId};

/// Who may speak, and who does: one person at a time.
#[derive(Debug)]
pub(super) struct Voice {
    rule: MicrophoneRule,
    speaker: Option<Speaker>,
}

#[derive(Debug)]
struct Speaker {
    id: ParticipantId,
    /// What the path of their voice asks for each packet: clearing it silences them at once, however
    /// long their connection takes to notice.
    open: Arc<AtomicBool>,
}

impl Drop for Speaker {
    fn drop(&mut self) {
        self.open.store(false, Ordering::Release);
    }
}

impl Voice {
    /// Nobody speaks yet.
    pub(super) const fn new(rule: MicrophoneRule) -> Self {
        Self {
            rule,
            speaker: None,
        }
    }

    /// Whether this participant is listened to.
    pub(super) fn is_heard(&self, id: ParticipantId) -> bool {
        self.speaker.as_ref().is_some_and(|it| it.id == id)
    }
}

impl Seat {
    /// Lets this participant speak into the desktop; they are listened to while the value is true.
    ///
    /// Whoever drives comes first; among others the last one who asked.
    pub(crate) fn speak(&self) -> Result<Arc<AtomicBool>, Denied> {
        let mut shared = self.hub.lock();
        shared.check_voice(self.id)?;
        if let Some(speaker) = &shared.voice.speaker {
            if speaker.id == self.id {
                return Ok(Arc::clone(&speaker.open));
            }
            let driver = shared.floor.driver();
            if driver == Some(speaker.id) && driver != Some(self.id) {
                return Err(Denied::SpeaksOther);
            }
        }
        shared.silence();
        let open = Arc::new(AtomicBool::new(true));
        shared.voice.speaker = Some(Speaker {
            id: self.id,
            open: Arc::clone(&open),
        });
        Ok(open)
    }

    /// Listens to this participant no more.
    pub(crate) fn be_silent(&self) {
        let mut shared = self.hub.lock();
        if shared.voice.is_heard(self.id) {
            shared.silence();
        }
    }
}

impl Shared {
    /// Silences whoever may not speak any more.
    pub(super) fn settle_voice(&mut self) {
        let speaker = self.voice.speaker.as_ref().map(|speaker| speaker.id);
        if speaker.is_some_and(|id| self.check_voice(id).is_err()) {
            self.silence();
        }
    }

    /// Listens to nobody, and tells whoever spoke.
    fn silence(&mut self) {
        if let Some(speaker) = self.voice.speaker.take()
            && let Some(member) = self.members.get(&speaker.id)
        {
            member.mailbox.put(|mail| mail.media = true);
        }
    }

    /// Whether somebody may speak now, if nobody else does.
    fn check_voice(&self, id: ParticipantId) -> Result<(), Denied> {
        let member = self.member(id)?;
        match self.voice.rule {
            MicrophoneRule::Nobody => Err(Denied::NoMicrophone),
            MicrophoneRule::Driver if self.floor.driver() != Some(id) => Err(Denied::SpeaksDriver),
            _ if member.role < Role::Operator => Err(Denied::NotAllowed),
            MicrophoneRule::Driver | MicrophoneRule::Operators => Ok(()),
        }
    }
}
