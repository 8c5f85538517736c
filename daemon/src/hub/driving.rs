//! Driving: taking the floor, and what only the driver may do.

use std::time::Instant;

use vroom_desktop::{Desktop, Drag, InputEvent, PenMotion, Size};
use vroom_input::Translator;
use vroom_protocol::graphical::{
    ButtonInput, Decision, Driver, Mode, PointerInput, Role, Viewport, input_obeyed, take_decision,
};

use super::{Seat, Shared, now};
use crate::floor::{Denied, ParticipantId};

impl Seat {
    /// Changes the mode, taking or leaving the floor.
    pub(crate) fn set_mode(&self, mode: Mode, take: bool) -> Result<(), Denied> {
        let mut shared = self.hub.lock();
        if mode == Mode::View {
            if shared.floor.driver() == Some(self.id) {
                shared.vacate(self.hub.desktop());
                shared.announce_share();
            }
        } else {
            let now = now();
            shared.check_take(now, self.id, take)?;
            shared.hand_over(now, self.hub.desktop(), self.id, mode);
        }
        self.mailbox.put(|mail| {
            mail.state = true;
            mail.share = true;
        });
        Ok(())
    }

    /// Applies a message of the `pointer` channel, if this participant drives.
    pub(crate) fn pointer(&self, input: PointerInput) {
        self.drive(|translator, size, out| translator.pointer(input, size, out));
    }

    /// Applies a message of the `button` channel, if this participant drives.
    pub(crate) fn button(&self, input: ButtonInput) {
        self.drive(|translator, size, out| translator.button(input, size, out));
    }

    /// Types text at the focus, if this participant drives.
    pub(crate) fn paste(&self, text: String) -> Result<(), Denied> {
        let mut shared = self.hub.lock();
        shared.check_driver(self.id)?;
        shared.floor.touch(now());
        if let Some(desktop) = self.hub.desktop() {
            desktop.inject(InputEvent::Text(text));
        }
        Ok(())
    }

    /// Drags files, if this participant drives; `at` moves the pointer there first.
    pub(crate) fn drag(&self, drag: Drag, at: Option<(u16, u16)>) -> Result<(), Denied> {
        if let Some((x, y)) = at {
            self.pointer(PointerInput::Move { x, y });
        }
        let mut shared = self.hub.lock();
        if shared.floor.mode(self.id) != Mode::Interact {
            return Err(Denied::NotAllowed);
        }
        shared.floor.touch(now());
        shared.dragging = drag == Drag::Enter;
        shared.inject(self.hub.desktop(), vec![InputEvent::Drag(drag)]);
        Ok(())
    }

    /// Lets go of every key, button and finger that this participant holds.
    pub(crate) fn release(&self) {
        let mut shared = self.hub.lock();
        if shared.floor.driver() == Some(self.id) {
            shared.release(self.hub.desktop());
        }
    }

    /// Asks the desktop for another size; ignored unless this participant's window decides.
    // C14: the driver's, or that of the only one who may drive.
    pub(crate) fn resize(&self, viewport: &Viewport) {
        let shared = self.hub.lock();
        let may_drive = |id: &ParticipantId| {
            shared
                .members
                .get(id)
                .is_some_and(|member| member.role >= Role::Operator)
        };
        let decides = match shared.floor.driver() {
            Some(driver) => driver == self.id,
            None => {
                let others = shared.members.keys().filter(|id| **id != self.id);
                may_drive(&self.id) && !others.into_iter().any(may_drive)
            }
        };
        if !decides || !self.hub.session.follow_resize {
            return;
        }
        let (width, height) = viewport.output_size();
        let scale = viewport.scale.unwrap_or(1.0) * viewport.pixel_ratio.unwrap_or(1.0);
        if let Some(desktop) = self.hub.desktop() {
            desktop.resize(Size::new(width, height), scale.clamp(SCALE_MIN, SCALE_MAX));
        }
    }

    /// The one place where input is allowed or dropped.
    fn drive(&self, translate: impl FnOnce(&mut Translator, Size, &mut Vec<InputEvent>)) {
        let mut shared = self.hub.lock();
        if !input_obeyed(shared.floor.mode(self.id)) {
            return;
        }
        shared.floor.touch(now());
        let size = shared.size;
        let mut out = Vec::new();
        translate(&mut shared.translator, size, &mut out);
        shared.inject(self.hub.desktop(), out);
    }
}

impl Shared {
    pub(super) fn check_driver(&self, id: ParticipantId) -> Result<(), Denied> {
        match self.floor.mode(id) {
            Mode::View => Err(Denied::NotAllowed),
            Mode::Interact | Mode::Voice => Ok(()),
        }
    }

    /// Whether somebody may become the driver now.
    fn check_take(&self, now: Instant, id: ParticipantId, take: bool) -> Result<(), Denied> {
        let asker = self.member(id)?;
        let driver = self.floor.driver().filter(|driver| *driver != id);
        let driver = driver
            .and_then(|driver| self.members.get(&driver))
            .map(|member| Driver {
                user: &member.user,
                role: member.role,
                idle: self.floor.is_idle(now),
            });
        match take_decision(&asker.user, asker.role, driver, take) {
            Decision::Free | Decision::Taken => Ok(()),
            Decision::NotAllowed => Err(Denied::NotAllowed),
            Decision::Busy => Err(Denied::Busy),
        }
    }

    /// Gives the floor to somebody, and lets go of what the one before held.
    pub(super) fn hand_over(
        &mut self,
        now: Instant,
        desktop: Option<&dyn Desktop>,
        to: ParticipantId,
        mode: Mode,
    ) {
        if self.floor.driver() != Some(to) || mode != Mode::Interact {
            self.release(desktop);
        }
        if let Some(before) = self.floor.driver().filter(|before| *before != to) {
            self.tell_lost(before);
        }
        self.floor.give(now, to, mode);
        self.announce_share();
    }

    /// Leaves the floor to nobody.
    pub(super) fn vacate(&mut self, desktop: Option<&dyn Desktop>) {
        self.release(desktop);
        self.floor.clear();
    }

    pub(super) fn tell_lost(&self, before: ParticipantId) {
        if let Some(member) = self.members.get(&before) {
            member.mailbox.put(|mail| {
                mail.lost_floor = true;
                mail.state = true;
            });
        }
    }

    pub(super) fn release(&mut self, desktop: Option<&dyn Desktop>) {
        let mut out = Vec::new();
        if std::mem::take(&mut self.dragging) {
            out.push(InputEvent::Drag(Drag::Leave));
        }
        self.translator.release_all(&mut out);
        self.inject(desktop, out);
    }

    fn inject(&mut self, desktop: Option<&dyn Desktop>, events: Vec<InputEvent>) {
        for event in events {
            if let InputEvent::PointerMotion { x, y }
            | InputEvent::PenMotion(PenMotion { x, y, .. }) = event
            {
                self.move_cursor(x, y);
            }
            if let Some(desktop) = desktop {
                desktop.inject(event);
            }
        }
    }
}

/// The smallest and the largest scale that a client can ask for.
const SCALE_MIN: f64 = 0.5;
const SCALE_MAX: f64 = 4.0;
