//! What is held down, and by which of the browser's keys.

use vroom_desktop::Evdev;

use crate::domkey::DomModifier;

/// The keys that the browser says are down, oldest first, with the key that is down for each on the
/// desktop.
///
/// The browser's key identifies an entry, so that its key-up releases what its key-down pressed,
/// whatever happened to layouts and modifiers in between. There are never more entries than keys.
#[derive(Debug, Default)]
pub(crate) struct Ledger {
    held: Vec<Held>,
}

/// One key that the browser says is down.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) struct Held {
    /// The browser's key.
    pub(crate) source: Evdev,
    /// The modifier that it is for the browser.
    pub(crate) modifier: Option<DomModifier>,
    /// Whether it went down while Meta was down.
    pub(crate) with_meta: bool,
    /// The desktop's key that is down for it; `None` when it was typed and released already.
    pub(crate) pressed: Option<Evdev>,
}

impl Ledger {
    /// Enters a key.
    pub(crate) fn push(&mut self, held: Held) {
        self.held.push(held);
    }

    /// Takes out what a key of the browser holds.
    pub(crate) fn take(&mut self, source: Evdev) -> Option<Held> {
        let at = self.held.iter().position(|held| held.source == source)?;
        Some(self.held.remove(at))
    }

    /// Takes out the newest entry that fits.
    pub(crate) fn take_newest(&mut self, fits: impl Fn(&Held) -> bool) -> Option<Held> {
        let at = self.held.iter().rposition(fits)?;
        Some(self.held.remove(at))
    }

    /// Whether a key of the browser is down.
    pub(crate) fn has(&self, source: Evdev) -> bool {
        self.held.iter().any(|held| held.source == source)
    }

    /// Whether the browser holds a modifier.
    pub(crate) fn has_modifier(&self, modifier: DomModifier) -> bool {
        self.held.iter().any(|held| held.modifier == Some(modifier))
    }

    /// The newest entry.
    pub(crate) fn newest(&self) -> Option<&Held> {
        self.held.last()
    }

    /// Whether a key of the desktop is down.
    pub(crate) fn is_pressed(&self, code: Evdev) -> bool {
        self.pressed().any(|pressed| pressed == code)
    }

    /// The desktop's keys that are down, oldest first.
    pub(crate) fn pressed(&self) -> impl DoubleEndedIterator<Item = Evdev> + '_ {
        self.held.iter().filter_map(|held| held.pressed)
    }

    /// Forgets that a key of the desktop is down, leaving the browser's key in place.
    pub(crate) fn let_go(&mut self, code: Evdev) {
        for held in &mut self.held {
            if held.pressed == Some(code) {
                held.pressed = None;
            }
        }
    }

    /// Whether nothing is held.
    pub(crate) fn is_empty(&self) -> bool {
        self.held.is_empty()
    }
}
