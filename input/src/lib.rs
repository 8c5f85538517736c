//! DOM keyboard, pointer, touch and pen input to evdev events, through xkb.
//!
//! [`Translator`] takes what a browser reports and says what a desktop with a given keyboard layout
//! must be told so that the same text, shortcut or gesture arrives there. It deliberately knows
//! nothing of modes and permissions (who calls it has asked already), of Wayland and of uinput.
//!
//! Invariants:
//! - Everything pressed is released: by its own event, or by [`Translator::release_all`].
//! - The desktop's keyboard state is known here, because every key that reaches it went through here.
//! - The browser's modifier byte may release a modifier and never presses one.

mod compose;
mod domkey;
mod keyboard;
mod keymap;
mod ledger;
mod pen;
mod pointer;
mod role;
mod stroke;
mod touch;
mod translate;

pub use keymap::KeymapError;
pub use translate::Translator;
