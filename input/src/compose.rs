//! Whether the desktop's programs wait for the second key of an accented character.

use std::ffi::OsStr;

use xkbcommon::xkb::{self, Keysym, compose};

/// Follows the compose state that the focused program is in.
pub(crate) enum Compose {
    /// With the table that programs use, too.
    Table(compose::State),
    /// Without one: whether a dead key was pressed last.
    Last(bool),
}

impl Compose {
    /// Loads the first table there is.
    pub(crate) fn new(context: &xkb::Context) -> Self {
        for locale in COMPOSE_LOCALES {
            let table = compose::Table::new_from_locale(
                context,
                OsStr::new(locale),
                compose::COMPILE_NO_FLAGS,
            );
            if let Ok(table) = table {
                return Self::Table(compose::State::new(&table, compose::STATE_NO_FLAGS));
            }
        }
        Self::Last(false)
    }

    /// Takes the symbol of a key that was pressed.
    pub(crate) fn feed(&mut self, symbol: Keysym) {
        match self {
            Self::Table(state) => {
                state.feed(symbol);
            }
            Self::Last(_) if symbol.is_modifier_key() => {}
            Self::Last(pending) => *pending = is_dead(symbol) || symbol == Keysym::Multi_key,
        }
    }

    /// Forgets what was pressed, because text came in between.
    pub(crate) fn reset(&mut self) {
        match self {
            Self::Table(state) => state.reset(),
            Self::Last(pending) => *pending = false,
        }
    }

    /// Whether the next key belongs to an accented character that was begun.
    pub(crate) fn is_pending(&self) -> bool {
        match self {
            Self::Table(state) => state.status() == compose::Status::Composing,
            Self::Last(pending) => *pending,
        }
    }
}

/// Whether a symbol is a dead key.
pub(crate) fn is_dead(symbol: Keysym) -> bool {
    (Keysym::dead_grave.raw()..=DEAD_LAST).contains(&symbol.raw())
}

/// The last symbol of the block that is kept for dead keys.
const DEAD_LAST: u32 = 0xfe93;

/// Their tables are the same or nearly so; which one is installed differs.
const COMPOSE_LOCALES: [&str; 2] = ["C.UTF-8", "en_US.UTF-8"];
