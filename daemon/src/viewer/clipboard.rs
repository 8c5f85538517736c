//! The clipboard of a viewer: what goes in, and what comes out.

use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use vroom_desktop::{ClipboardData, Selection};
use vroom_protocol::Connection;
use vroom_protocol::graphical::{
    self, Clipboard, ClipboardContent, Notification, NotificationKind, ServerMessage, capability,
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
                    self.notify(now, connection, NotificationKind::Error, FORMATS_ONLY, None);
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
                let data = format(&formats, wanted);
                if data.is_some_and(|data| data.bytes.len() > Clipboard::CONTENT_BYTES_MAX) {
                    let text = "that is larger than 1 MiB, which this client cannot take";
                    self.notify(now, connection, NotificationKind::Error, text, None);
                    return Ok(());
                }
                self.send(now, connection, &push(selection, data));
                Ok(())
            }
            // Only servers send this; the codec refuses it.
            Clipboard::Push(_) => Ok(()),
        }
    }
}

/// What a selection holds, as messages: text, and the other formats for those who take them.
///
/// What is too large for channel 0 is left out, and told where it is all there is.
pub(super) fn pushes(
    seat: &Seat,
    selection: Selection,
    takes_data: bool,
) -> Result<Vec<ServerMessage>, Denied> {
    let mut formats = seat.selection(selection)?;
    let count = formats.len();
    formats.retain(|data| data.bytes.len() <= Clipboard::CONTENT_BYTES_MAX);
    if formats.is_empty() && count > 0 {
        let text =
            "What was copied on the desktop is larger than 1 MiB, which this client cannot take.";
        let notification = Notification::new(NotificationKind::Warning, text);
        return Ok(vec![ServerMessage::Notification(notification)]);
    }
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

pub(super) const fn to_desktop(selection: graphical::Selection) -> Selection {
    match selection {
        graphical::Selection::Clipboard => Selection::Clipboard,
        graphical::Selection::Primary => Selection::Primary,
    }
}

/// The type of text on the wire.
pub(super) const TEXT: &str = "text/plain";

/// What whoever sets other formats is told.
pub(super) const FORMATS_ONLY: &str =
    "only text, HTML, PNG pictures and lists of files can be copied here";

/// The type of a list of files, as programs exchange it.
pub(super) const URI_LIST: &str = "text/uri-list";

/// What can be copied besides text.
pub(super) const FORMATS: [&str; 3] = ["text/html", "image/png", URI_LIST];
