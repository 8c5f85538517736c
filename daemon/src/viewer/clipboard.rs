//! The clipboard of a viewer: what goes in, and what comes out.

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use vroom_desktop::{ClipboardData, Selection};
use vroom_protocol::Connection;
use vroom_protocol::graphical::{
    self, Clipboard, ClipboardContent, NotificationKind, ServerMessage, capability,
};

use super::Viewer;
use crate::floor::Denied;
use crate::hub::Seat;

impl Viewer {
    /// Does what the client asks of the clipboard.
    pub(super) fn clipboard(
        &self,
        now: Instant,
        connection: &mut Connection,
        clipboard: Clipboard,
    ) -> Result<(), Denied> {
        let Some(seat) = self
            .seat
            .as_ref()
            .filter(|_| self.negotiation.is_usable(capability::CLIPBOARD))
        else {
            return Err(Denied::NotAllowed);
        };
        match clipboard {
            Clipboard::Set(data) => {
                let selection = to_desktop(data.selection.unwrap_or_default());
                let mime_type = data.mime_type.as_deref().unwrap_or(TEXT);
                if let ClipboardContent::Text(text) = &data.content
                    && mime_type.starts_with(TEXT)
                {
                    return seat.set_selection(selection, ClipboardData::text(text));
                }
                if !FORMATS.contains(&mime_type) {
                    let text =
                        "only text, HTML, PNG pictures and lists of files can be copied here";
                    self.notify(now, connection, NotificationKind::Error, text, None);
                    return Ok(());
                }
                let content = ClipboardData {
                    mime_type: mime_type.to_owned(),
                    bytes: Arc::from(data.content.as_bytes()),
                };
                seat.set_selection(selection, content)
            }
            Clipboard::Get(request) => {
                let selection = to_desktop(request.selection.unwrap_or_default());
                let formats = seat.selection(selection)?;
                let wanted = request.mime_type.as_deref().unwrap_or(TEXT);
                let message = push(selection, format(&formats, wanted));
                self.send(now, connection, &message);
                Ok(())
            }
            // Only servers send this; the codec refuses it.
            Clipboard::Push(_) => Ok(()),
        }
    }
}

/// What a selection holds, as messages: text, and the other formats for those who take them.
pub(super) fn pushes(
    seat: &Seat,
    selection: Selection,
    takes_data: bool,
) -> Result<Vec<ServerMessage>, Denied> {
    let formats = seat.selection(selection)?;
    let mut messages = vec![push(selection, format(&formats, TEXT))];
    if takes_data {
        let others = formats.iter().filter(|data| data.as_text().is_none());
        messages.extend(others.map(|data| push(selection, Some(data))));
    }
    Ok(messages)
}

/// The format that is asked for.
fn format<'a>(formats: &'a [ClipboardData], mime_type: &str) -> Option<&'a ClipboardData> {
    let is_text = mime_type.starts_with(TEXT);
    formats
        .iter()
        .find(|data| data.mime_type == mime_type || (is_text && data.as_text().is_some()))
}

/// Content as a message; none is empty text.
fn push(selection: Selection, data: Option<&ClipboardData>) -> ServerMessage {
    let plain = data.and_then(ClipboardData::as_text);
    let mut message = graphical::ClipboardData::text(plain.unwrap_or_default());
    if let Some(data) = data.filter(|_| plain.is_none()) {
        let text = std::str::from_utf8(&data.bytes);
        message.mime_type = Some(data.mime_type.clone());
        message.content = match text {
            Ok(text) if data.mime_type.starts_with("text/") => ClipboardContent::Text(text.into()),
            _ => ClipboardContent::Data(Bytes::copy_from_slice(&data.bytes)),
        };
    }
    message.selection = match selection {
        Selection::Clipboard => None,
        Selection::Primary => Some(graphical::Selection::Primary),
    };
    ServerMessage::Clipboard(Clipboard::Push(message))
}

const fn to_desktop(selection: graphical::Selection) -> Selection {
    match selection {
        graphical::Selection::Clipboard => Selection::Clipboard,
        graphical::Selection::Primary => Selection::Primary,
    }
}

const TEXT: &str = "text/plain";

/// What can be copied besides text.
const FORMATS: [&str; 3] = ["text/html", "image/png", "text/uri-list"];
