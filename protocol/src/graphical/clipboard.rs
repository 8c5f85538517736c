//! CLIPBOARD, both ways.

use std::fmt;

use bytes::Bytes;

use crate::encoding::{DecodeError, Fields, Members, names};

/// What happens to the remote clipboard.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Clipboard {
    /// Client to server: the client's content goes into the remote clipboard.
    Set(ClipboardData),
    /// Client to server: the client asks for the remote content.
    Get(ClipboardRequest),
    /// Server to client: the remote content, asked for or not.
    Push(ClipboardData),
}

/// A content with its type.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ClipboardData {
    /// The content itself.
    pub content: ClipboardContent,
    /// Absent means `text/plain`.
    pub mime_type: Option<String>,
    /// Absent means the clipboard.
    pub selection: Option<Selection>,
}

impl ClipboardData {
    /// Plain text in the clipboard; an empty clipboard is empty text.
    pub fn text(text: impl Into<String>) -> Self {
        Self {
            content: ClipboardContent::Text(text.into()),
            mime_type: None,
            selection: None,
        }
    }
}

/// A content; its `Debug` output shows only the size.
#[derive(Clone, Eq, PartialEq)]
pub enum ClipboardContent {
    /// Text, of any text type.
    Text(String),
    /// What is not text; sent only when both sides list `clipboard-data`.
    Data(Bytes),
}

impl ClipboardContent {
    /// The bytes, UTF-8 for text.
    pub fn as_bytes(&self) -> &[u8] {
        match self {
            Self::Text(text) => text.as_bytes(),
            Self::Data(bytes) => bytes,
        }
    }
}

impl fmt::Debug for ClipboardContent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => write!(f, "Text({} bytes)", text.len()),
            Self::Data(bytes) => write!(f, "Data({} bytes)", bytes.len()),
        }
    }
}

/// Which content is asked for.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct ClipboardRequest {
    /// Absent means `text/plain`.
    pub mime_type: Option<String>,
    /// Absent means the clipboard.
    pub selection: Option<Selection>,
}

/// One of the two selections of a desktop.
#[derive(Clone, Copy, Debug, Default, Eq, Hash, PartialEq)]
pub enum Selection {
    /// What Ctrl+C fills.
    #[default]
    Clipboard,
    /// What selecting text fills.
    Primary,
}

names!(Selection { Clipboard = "clipboard", Primary = "primary" });

impl Clipboard {
    /// Largest content in bytes; a larger one is refused as too large.
    pub const CONTENT_BYTES_MAX: usize = 1024 * 1024;

    pub(super) fn read_from_client(members: &mut Members) -> Result<Self, DecodeError> {
        match members.required::<String>("direction")?.as_str() {
            "set" => read_data(members).map(Self::Set),
            "get" => Ok(Self::Get(ClipboardRequest {
                mime_type: members.optional("mimeType")?,
                selection: members.optional("selection")?,
            })),
            _ => Err(DecodeError::member("direction")),
        }
    }

    pub(super) fn read_from_server(members: &mut Members) -> Result<Self, DecodeError> {
        match members.required::<String>("direction")?.as_str() {
            "push" => read_data(members).map(Self::Push),
            _ => Err(DecodeError::member("direction")),
        }
    }

    pub(super) fn fields(&self) -> Fields {
        let (direction, content, mime_type, selection) = match self {
            Self::Set(data) => ("set", Some(&data.content), &data.mime_type, data.selection),
            Self::Get(request) => ("get", None, &request.mime_type, request.selection),
            Self::Push(data) => ("push", Some(&data.content), &data.mime_type, data.selection),
        };
        let fields = Fields::new().with("direction", direction);
        match content {
            Some(ClipboardContent::Text(text)) => fields.with("text", text),
            Some(ClipboardContent::Data(bytes)) => fields.with("data", bytes),
            None => fields,
        }
        .maybe("mimeType", mime_type.as_ref())
        .maybe("selection", selection)
    }
}

fn read_data(members: &mut Members) -> Result<ClipboardData, DecodeError> {
    let content = match members.optional("data")? {
        Some(data) => ClipboardContent::Data(data),
        None => ClipboardContent::Text(members.required("text")?),
    };
    if content.as_bytes().len() > Clipboard::CONTENT_BYTES_MAX {
        return Err(DecodeError::TooLarge("CLIPBOARD"));
    }
    Ok(ClipboardData {
        content,
        mime_type: members.optional("mimeType")?,
        selection: members.optional("selection")?,
    })
}
