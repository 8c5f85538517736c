//! PREEDIT on `button`: what a person composes with an input method, before it is text.
// Not in the public text: see docs/protocol.md.

use std::fmt;

use bytes::{BufMut as _, BytesMut};

/// What a person composes; each replaces the one before, and TEXT replaces them all.
///
/// `Debug` shows how long it is.
#[derive(Clone, Default, Eq, PartialEq)]
pub struct Preedit {
    text: String,
    caret: Option<(u16, u16)>,
}

impl Preedit {
    /// The longest text in bytes; it fits an event of text-input with all around it.
    pub const TEXT_BYTES_MAX: usize = 3072;

    /// What is composed now, and in which bytes of it the caret or what is selected lies, if it is
    /// shown at all; an empty text takes back what was composed.
    ///
    /// Returns `None` for a text that is too long, and for a caret that is no place in the text.
    pub fn new(text: impl Into<String>, caret: Option<(u16, u16)>) -> Option<Self> {
        let text = text.into();
        let is_place = |at: u16| text.is_char_boundary(at.into());
        let fits =
            caret.is_none_or(|(begin, end)| begin <= end && is_place(begin) && is_place(end));
        (fits && text.len() <= Self::TEXT_BYTES_MAX).then_some(Self { text, caret })
    }

    /// The text; empty when nothing is composed any more.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Where the caret or what is selected lies, in bytes of the text; `None` when it is not shown.
    pub const fn caret(&self) -> Option<(u16, u16)> {
        self.caret
    }

    pub(super) fn read(payload: &[u8]) -> Option<Self> {
        let (begin, rest) = payload.split_first_chunk::<2>()?;
        let (end, text) = rest.split_first_chunk::<2>()?;
        let place = (u16::from_be_bytes(*begin), u16::from_be_bytes(*end));
        let caret = (place != NOWHERE).then_some(place);
        Self::new(std::str::from_utf8(text).ok()?, caret)
    }

    pub(super) fn write(&self, out: &mut BytesMut) {
        let (begin, end) = self.caret.unwrap_or(NOWHERE);
        out.put_u16(begin);
        out.put_u16(end);
        out.extend_from_slice(self.text.as_bytes());
    }
}

impl fmt::Debug for Preedit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes", self.text.len())
    }
}

/// The place of a caret that is not shown.
const NOWHERE: (u16, u16) = (u16::MAX, u16::MAX);
