//! A headless Wayland compositor that is a desktop, and can be a window of another one.
//!
//! It owns the windows of one session: it starts the session command, gives it a Wayland socket,
//! draws what its programs show into memory and hands the pictures out as frames. It deliberately
//! knows nothing of encoders, networks and viewers; all that leaves it goes through
//! [`vroom_desktop::FrameSlot`] and [`vroom_desktop::DesktopEvent`].
//!
//! Invariants:
//! - All Wayland state has one owner, the compositor's thread; others only post to its inbox.
//! - Nothing is drawn without damage, and nothing at all while nobody watches.
//! - An idle desktop does not wake up.
//! - A program that misbehaves loses its connection; the desktop stays.
//! - The pointer is never drawn into the picture.
//! - A window at home is one more viewer: what becomes of it changes nothing for the session.

mod apps;
mod autostart;
mod client;
mod clock;
mod compositor;
mod config;
#[cfg(feature = "conformance")]
mod conformance;
mod cursor;
mod drag;
mod error;
mod handlers;
mod inbox;
mod input;
mod keymap;
#[cfg(feature = "nested")]
mod nested;
mod output;
mod paint;
mod screen;
mod selection;
mod server;
mod shell;
mod spawn;
mod state;
mod x11;

#[cfg(test)]
mod tests;

pub use apps::DESKTOP_NAME;
pub use compositor::Compositor;
pub use config::{CompositorConfig, OnExit, ShellStyle};
#[cfg(feature = "conformance")]
pub use conformance::Program;
pub use error::Error;
#[cfg(feature = "nested")]
pub use nested::{Host, Nested};
pub use spawn::FOREIGN_VARIABLES;
