//! KEY_EVENT: a key that the server encodes for the program.

use std::fmt;

use crate::encoding::{DecodeError, Fields, Members, names};
use crate::graphical::Modifiers;

/// A key; `Debug` does not say which.
#[derive(Clone, Eq, PartialEq)]
pub struct KeyEvent {
    /// What the key produces, as DOM names it.
    pub key: String,
    /// Which physical key it is, as DOM names it.
    pub code: String,
    /// What is held together with it.
    pub modifiers: Modifiers,
    /// What happens to it.
    pub action: KeyAction,
    /// The text that comes of it.
    pub text: Option<String>,
}

/// What happens to a key.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum KeyAction {
    /// It goes down.
    Press,
    /// It stays down.
    Repeat,
    /// It goes up.
    Release,
}

names!(KeyAction { Press = "press", Repeat = "repeat", Release = "release" });

impl KeyEvent {
    pub(super) fn read(members: &mut Members) -> Result<Self, DecodeError> {
        Ok(Self {
            key: members.required("key")?,
            code: members.or_default("code")?,
            modifiers: Modifiers::from_bits(members.or_default("mods")?),
            action: members.required("event")?,
            text: members.optional("text")?,
        })
    }

    pub(super) fn fields(&self) -> Fields {
        Fields::new()
            .with("key", &self.key)
            .with("code", &self.code)
            .with("mods", self.modifiers.bits())
            .with("event", self.action)
            .maybe("text", self.text.as_ref())
    }
}

impl fmt::Debug for KeyEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("KeyEvent").finish_non_exhaustive()
    }
}
