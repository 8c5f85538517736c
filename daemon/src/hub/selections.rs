//! The selections as the participants share them, and who may fill and have them.

use std::time::{Duration, Instant};

use vroom_desktop::{ClipboardData, SELECTION_BYTES_MAX, Selection};
use vroom_protocol::graphical::{Notification, NotificationKind, Role, ServerMessage};

use super::{Seat, Shared, now};
use crate::floor::{Denied, ParticipantId};
use crate::settings::ClipboardRules;

/// What the selections of the desktop hold.
///
/// Each costs at most [`SELECTION_BYTES_MAX`], and what is replaced is gone at once.
#[derive(Debug)]
pub(super) struct Selections {
    rules: ClipboardRules,
    clipboard: Held,
    primary: Held,
    /// The number of the newest content.
    serial: u32,
}

/// What a selection holds.
#[derive(Debug, Default)]
struct Held {
    serial: u32,
    /// The same content in one or more formats.
    formats: Vec<ClipboardData>,
    /// Who set it from outside, and when.
    set_by: Option<(ParticipantId, Instant)>,
}

impl Held {
    /// Whether a format that comes now is one more of the content that is held.
    ///
    /// On channel 0 a client sends each format in a message of its own, so another one that comes
    /// right behind is the same content.
    fn goes_on(&self, now: Instant, by: ParticipantId, data: &ClipboardData) -> bool {
        let set_by = self.set_by;
        set_by.is_some_and(|(who, at)| who == by && now.duration_since(at) < SAME_CONTENT)
            && self.fits(data)
            && !self
                .formats
                .iter()
                .any(|have| have.mime_type == data.mime_type)
    }

    /// Whether one more format is not too much.
    fn fits(&self, data: &ClipboardData) -> bool {
        size(&self.formats) + data.bytes.len() <= SELECTION_BYTES_MAX
    }
}

/// One content of a selection, as it is offered.
#[derive(Debug)]
pub(crate) struct Offered {
    /// Names the content.
    pub(crate) serial: u32,
    /// Its formats.
    pub(crate) formats: Vec<ClipboardData>,
}

impl Selections {
    pub(super) fn new(rules: ClipboardRules) -> Self {
        Self {
            rules,
            clipboard: Held::default(),
            primary: Held::default(),
            serial: 0,
        }
    }

    const fn held(&self, selection: Selection) -> &Held {
        match selection {
            Selection::Clipboard => &self.clipboard,
            Selection::Primary => &self.primary,
        }
    }

    const fn held_mut(&mut self, selection: Selection) -> &mut Held {
        match selection {
            Selection::Clipboard => &mut self.clipboard,
            Selection::Primary => &mut self.primary,
        }
    }

    /// Puts other content into a selection.
    fn replace(&mut self, selection: Selection, formats: Vec<ClipboardData>) -> &mut Held {
        self.serial = self.serial.wrapping_add(1);
        let serial = self.serial;
        let held = self.held_mut(selection);
        *held = Held {
            serial,
            formats,
            set_by: None,
        };
        held
    }
}

impl Seat {
    /// Which way clipboards may go here.
    pub(crate) fn clipboard_rules(&self) -> ClipboardRules {
        self.hub.lock().selections.rules
    }

    /// Whether this participant may fill a selection now.
    pub(crate) fn may_set_selection(&self) -> Result<(), Denied> {
        self.hub.lock().may_set_selection(self.id)
    }

    /// Fills a selection with one format, if this participant drives.
    pub(crate) fn set_selection(
        &self,
        selection: Selection,
        data: ClipboardData,
    ) -> Result<(), Denied> {
        let mut shared = self.hub.lock();
        shared.may_set_selection(self.id)?;
        let now = now();
        let selections = &mut shared.selections;
        let held = selections.held_mut(selection);
        let held = if held.goes_on(now, self.id, &data) {
            held.formats.push(data);
            held
        } else {
            selections.replace(selection, vec![data])
        };
        held.set_by = Some((self.id, now));
        let formats = held.formats.clone();
        if let Some(desktop) = self.hub.desktop() {
            desktop.set_selection(selection, formats);
        }
        Ok(())
    }

    /// Fills a selection with all formats of a content, if this participant drives.
    pub(crate) fn set_formats(
        &self,
        selection: Selection,
        formats: Vec<ClipboardData>,
    ) -> Result<(), Denied> {
        let mut shared = self.hub.lock();
        shared.may_set_selection(self.id)?;
        shared.selections.replace(selection, formats.clone());
        if let Some(desktop) = self.hub.desktop() {
            desktop.set_selection(selection, formats);
        }
        Ok(())
    }

    /// What a selection holds, for those who may drive: all formats, text first.
    pub(crate) fn selection(&self, selection: Selection) -> Result<Vec<ClipboardData>, Denied> {
        self.offered(selection).map(|offered| offered.formats)
    }

    /// The same, and the number of the content.
    pub(crate) fn offered(&self, selection: Selection) -> Result<Offered, Denied> {
        let shared = self.hub.lock();
        if shared.member(self.id)?.role < Role::Operator {
            return Err(Denied::NotAllowed);
        }
        if !shared.selections.rules.from_desktop {
            return Err(Denied::ClipboardStays);
        }
        let held = shared.selections.held(selection);
        Ok(Offered {
            serial: held.serial,
            formats: held.formats.clone(),
        })
    }
}

impl Shared {
    /// The one place where filling a selection is allowed or refused.
    fn may_set_selection(&self, id: ParticipantId) -> Result<(), Denied> {
        self.check_driver(id)?;
        if self.selections.rules.to_desktop {
            Ok(())
        } else {
            Err(Denied::ClipboardKeptOut)
        }
    }

    /// A program put something into a selection, or another format of what it put there.
    pub(super) fn selection_filled(
        &mut self,
        selection: Selection,
        data: ClipboardData,
        fresh: bool,
    ) {
        let held = self.selections.held_mut(selection);
        if !fresh && held.fits(&data) {
            held.formats.push(data);
        } else if fresh && data.bytes.len() <= SELECTION_BYTES_MAX {
            self.selections.replace(selection, vec![data]);
        } else {
            return;
        }
        if !self.selections.rules.from_desktop {
            return;
        }
        for member in self
            .members
            .values()
            .filter(|member| member.role >= Role::Operator)
        {
            member.mailbox.put(|mail| {
                if !mail.selections.contains(&selection) {
                    mail.selections.push(selection);
                }
            });
        }
    }

    /// A program copied more than is passed on; who drives learns that it stays there.
    pub(super) fn selection_too_large(&mut self, selection: Selection) {
        self.selections.replace(selection, Vec::new());
        let driver = self.floor.driver().and_then(|id| self.members.get(&id));
        let Some(driver) = driver.filter(|_| {
            // Whatever is selected with the mouse fills the primary selection unasked.
            selection == Selection::Clipboard && self.selections.rules.from_desktop
        }) else {
            return;
        };
        let text = "What was copied on the desktop is larger than 8 MiB, so it stays there.";
        let notification = Notification::new(NotificationKind::Warning, text);
        driver
            .mailbox
            .push(ServerMessage::Notification(notification));
    }
}

/// Bytes of all formats together.
fn size(formats: &[ClipboardData]) -> usize {
    formats.iter().map(|data| data.bytes.len()).sum()
}

/// How soon another format of the same content follows the one before.
const SAME_CONTENT: Duration = Duration::from_secs(1);
