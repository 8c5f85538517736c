//! The clipboard of a viewer: what goes in, and what comes out.

use std::time::Instant;

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
                match data.content {
                    ClipboardContent::Text(text) => {
                        seat.set_selection(selection, ClipboardData::text(&text))
                    }
                    ClipboardContent::Data(_) => {
                        let text = "only text can be copied here";
                        self.notify(now, connection, NotificationKind::Error, text, None);
                        Ok(())
                    }
                }
            }
            Clipboard::Get(request) => {
                let message = push(seat, to_desktop(request.selection.unwrap_or_default()))?;
                self.send(now, connection, &message);
                Ok(())
            }
            // Only servers send this; the codec refuses it.
            Clipboard::Push(_) => Ok(()),
        }
    }
}

/// What a selection holds, as a message; an empty one is empty text.
pub(super) fn push(seat: &Seat, selection: Selection) -> Result<ServerMessage, Denied> {
    let held = seat.selection(selection)?;
    let text = held
        .as_ref()
        .and_then(ClipboardData::as_text)
        .unwrap_or_default();
    let mut data = graphical::ClipboardData::text(text);
    data.selection = match selection {
        Selection::Clipboard => None,
        Selection::Primary => Some(graphical::Selection::Primary),
    };
    Ok(ServerMessage::Clipboard(Clipboard::Push(data)))
}

const fn to_desktop(selection: graphical::Selection) -> Selection {
    match selection {
        graphical::Selection::Clipboard => Selection::Clipboard,
        graphical::Selection::Primary => Selection::Primary,
    }
}
