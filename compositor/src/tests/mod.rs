//! The compositor as real Wayland programs in the same process see it.

mod client;
mod clipboard;
mod desktop;
mod drag;
mod fixture;
mod focus;
mod frames;
mod fuzz;
mod hostile;
mod input;
mod kiosk;
mod leaks;
#[cfg(feature = "nested")]
mod nested;
mod pen;
mod popups;
mod protocols;
mod resize;
mod session;
mod text;
mod wild;
mod windows;
mod x11;
