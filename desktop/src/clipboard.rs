//! What is copied and pasted.

use std::sync::Arc;

/// One of the two selections of a desktop.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Selection {
    /// What Ctrl+C fills and Ctrl+V pastes.
    Clipboard,
    /// What selecting text fills and the middle button pastes.
    Primary,
}

/// The content of a selection in one format.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ClipboardData {
    /// The MIME type, for example `text/plain;charset=utf-8`.
    pub mime_type: String,
    /// The bytes; UTF-8 for text.
    pub bytes: Arc<[u8]>,
}

impl ClipboardData {
    /// Plain text.
    pub fn text(text: &str) -> Self {
        Self {
            mime_type: "text/plain;charset=utf-8".into(),
            bytes: text.as_bytes().into(),
        }
    }

    /// The text, when it is plain text in UTF-8.
    pub fn as_text(&self) -> Option<&str> {
        self.mime_type
            .starts_with("text/plain")
            .then(|| std::str::from_utf8(&self.bytes).ok())
            .flatten()
    }
}

/// The largest content of a selection, all formats together, in bytes.
pub const SELECTION_BYTES_MAX: usize = 8 * 1024 * 1024;
