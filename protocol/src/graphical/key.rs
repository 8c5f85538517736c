//! A key as the browser names it.

use std::fmt;

use bytes::{BufMut, BytesMut};

use super::bits::bits;

/// A key as DOM `KeyboardEvent` names it; `Debug` does not say which.
#[derive(Clone, Eq, PartialEq)]
pub struct Key {
    /// What the key produces, for example `a` or `Enter`; at most 255 bytes.
    pub key: String,
    /// Which physical key it is, for example `KeyA`; at most 255 bytes.
    pub code: String,
    /// What is held together with it.
    pub modifiers: Modifiers,
}

impl Key {
    // VROOM-Graphical §4.5: k, key, c, code, modifiers; nothing else.
    pub(super) fn read(payload: &[u8]) -> Option<Self> {
        let (key, rest) = short_text(payload)?;
        let (code, rest) = short_text(rest)?;
        let &[modifiers] = rest else { return None };
        if key.is_empty() && code.is_empty() {
            return None;
        }
        Some(Self {
            key: key.to_owned(),
            code: code.to_owned(),
            modifiers: Modifiers::from_bits(modifiers),
        })
    }

    pub(super) fn write(&self, out: &mut BytesMut) {
        put_short_text(out, &self.key);
        put_short_text(out, &self.code);
        out.put_u8(self.modifiers.bits());
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Key").finish_non_exhaustive()
    }
}

/// Modifier keys that are held.
#[derive(Clone, Copy, Default, Eq, Hash, PartialEq)]
pub struct Modifiers(u8);

impl Modifiers {
    /// None.
    pub const NONE: Self = Self(0);
    /// Shift.
    pub const SHIFT: Self = Self(1);
    /// Control.
    pub const CTRL: Self = Self(1 << 1);
    /// Alt.
    pub const ALT: Self = Self(1 << 2);
    /// Meta, also called Super.
    pub const META: Self = Self(1 << 3);
    /// Caps Lock is on.
    pub const CAPS_LOCK: Self = Self(1 << 4);
}

bits!(Modifiers, 0x1F);

impl fmt::Debug for Modifiers {
    // Together with the time of a key this would tell something about it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Modifiers(..)")
    }
}

/// A text after its length in one byte.
pub(super) fn short_text(bytes: &[u8]) -> Option<(&str, &[u8])> {
    let (&length, rest) = bytes.split_first()?;
    let (text, rest) = rest.split_at_checked(length.into())?;
    Some((std::str::from_utf8(text).ok()?, rest))
}

pub(super) fn put_short_text(out: &mut BytesMut, text: &str) {
    let mut end = text.len().min(usize::from(u8::MAX));
    while !text.is_char_boundary(end) {
        end -= 1;
    }
    let text = text.get(..end).unwrap_or_default();
    out.put_u8(u8::try_from(text.len()).unwrap_or(u8::MAX));
    out.extend_from_slice(text.as_bytes());
}
