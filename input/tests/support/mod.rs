//! A browser that a person types into, and a program that gets what comes out.
#![allow(
    dead_code,
    unreachable_pub,
    unused_imports,
    clippy::panic,
    clippy::unwrap_used,
    reason = "each test uses a part of it, and fails where it fails"
)]

mod browser;
mod program;

pub use browser::{Browser, Style};
pub use program::Program;
use vroom_desktop::Layout;
use xkbcommon::xkb;

/// A layout by its xkb name.
pub fn layout(name: &str) -> Layout {
    Layout {
        layout: name.into(),
        ..Layout::default()
    }
}

/// Compiles a layout by its xkb name.
pub fn keymap(name: &str) -> xkb::Keymap {
    let context = xkb::Context::new(xkb::CONTEXT_NO_FLAGS);
    xkb::Keymap::new_from_names(
        &context,
        "",
        "",
        name,
        "",
        None,
        xkb::KEYMAP_COMPILE_NO_FLAGS,
    )
    .unwrap()
}

/// The xkb code of an evdev code.
pub fn keycode(evdev: u16) -> xkb::Keycode {
    xkb::Keycode::new(u32::from(evdev) + 8)
}

/// The evdev codes of the keys that type on a keyboard with 105 keys.
pub fn typing_keys() -> impl Iterator<Item = u16> {
    [41, 43, 57, 86]
        .into_iter()
        .chain(2..=13)
        .chain(16..=27)
        .chain(30..=40)
        .chain(44..=53)
}

/// The evdev code of a DOM code.
pub fn evdev(code: &str) -> u16 {
    use std::str::FromStr;
    let code = keycode::KeyMappingCode::from_str(code).unwrap();
    keycode::KeyMap::from(code).evdev
}
