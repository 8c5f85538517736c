//! Who is driving, and who may drive next.
//!
//! Whoever can change the desktop, with input or with commands, holds the floor; there is one.

use std::time::{Duration, Instant};

use vroom_protocol::graphical::Mode;

/// Tells participants of one session apart; shown to clients as text.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub(crate) struct ParticipantId(pub(crate) u64);

impl std::fmt::Display for ParticipantId {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "p{}", self.0)
    }
}

impl std::str::FromStr for ParticipantId {
    type Err = Denied;

    fn from_str(text: &str) -> Result<Self, Denied> {
        let number = text
            .strip_prefix('p')
            .and_then(|number| number.parse().ok());
        number.map(Self).ok_or(Denied::NoSuchTarget)
    }
}

/// Who is driving.
#[derive(Debug)]
pub(crate) struct Floor {
    holder: Option<Holder>,
}

#[derive(Clone, Copy, Debug)]
struct Holder {
    id: ParticipantId,
    mode: Mode,
    used_at: Instant,
}

/// Why something was not done.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Denied {
    /// The role forbids it.
    NotAllowed,
    /// Somebody else is driving.
    Busy,
    /// There is no such participant, or nothing of that name.
    NoSuchTarget,
    /// No clipboard may go into the desktop.
    ClipboardKeptOut,
    /// No clipboard may leave the desktop.
    ClipboardStays,
    /// Recordings are not for them.
    MayNotRecord,
    /// Nobody may speak into the desktop, or not over this connection.
    NoMicrophone,
    /// Only the driver may speak.
    SpeaksDriver,
    /// Somebody who comes first is speaking.
    SpeaksOther,
    /// It was asked for too often.
    TooOften,
}

impl Floor {
    /// A floor that nobody holds.
    pub(crate) const fn new() -> Self {
        Self { holder: None }
    }

    /// Who is driving.
    pub(crate) fn driver(&self) -> Option<ParticipantId> {
        self.holder.map(|holder| holder.id)
    }

    /// The mode of a participant: all but the driver look on.
    pub(crate) fn mode(&self, id: ParticipantId) -> Mode {
        match self.holder {
            Some(holder) if holder.id == id => holder.mode,
            _ => Mode::View,
        }
    }

    /// Whether the driver has done nothing for so long that others need not ask.
    pub(crate) fn is_idle(&self, now: Instant) -> bool {
        self.holder
            .is_some_and(|holder| now.saturating_duration_since(holder.used_at) >= DRIVER_IDLE)
    }

    /// Gives the floor, or another mode to whoever has it already.
    pub(crate) fn give(&mut self, now: Instant, id: ParticipantId, mode: Mode) {
        self.holder = Some(Holder {
            id,
            mode,
            used_at: now,
        });
    }

    /// Says that the driver did something.
    pub(crate) fn touch(&mut self, now: Instant) {
        if let Some(holder) = &mut self.holder {
            holder.used_at = now;
        }
    }

    /// Leaves the floor to nobody.
    pub(crate) fn clear(&mut self) {
        self.holder = None;
    }
}

/// After this long without input a driver may be taken over by any operator.
const DRIVER_IDLE: Duration = Duration::from_secs(5 * 60);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_driver_who_does_nothing_becomes_idle() {
        let now = Instant::now();
        let mut floor = Floor::new();
        floor.give(now, ParticipantId(1), Mode::Interact);
        assert!(!floor.is_idle(now + DRIVER_IDLE - Duration::from_secs(1)));
        assert!(floor.is_idle(now + DRIVER_IDLE));
        floor.touch(now + DRIVER_IDLE);
        assert!(!floor.is_idle(now + DRIVER_IDLE));
    }

    #[test]
    fn ids_are_read_as_they_are_written() {
        let id = ParticipantId(17);
        assert_eq!(id.to_string().parse(), Ok(id));
        for text in ["", "p", "17", "p-1", "px"] {
            assert_eq!(text.parse::<ParticipantId>(), Err(Denied::NoSuchTarget));
        }
    }
}
