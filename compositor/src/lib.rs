//! A headless Wayland compositor that is a desktop.
