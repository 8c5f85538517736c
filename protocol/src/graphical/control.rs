//! The messages of channel 0: which number stands for which, and which way it goes.

use std::fmt;

use bytes::Bytes;

use super::chat::Chat;
use super::clipboard::Clipboard;
use super::command::Command;
use super::cursor::Cursor;
use super::drag::{Drag, DragNews};
use super::handshake::{ClientHandshake, ServerHandshake};
use super::media::{Feedback, Media, MediaState};
use super::mode::Mode;
use super::notice::NoticeAnswer;
use super::notification::Notification;
use super::record::{Record, RecordState};
use super::share::{Share, ShareState};
use super::state::State;
use super::viewport::Resize;
use crate::encoding::{DecodeError, Encoding, Fields, Limits, Members};

/// What a client sends on channel 0.
#[derive(Clone, PartialEq)]
pub enum ClientMessage {
    /// The first message; always JSON.
    Handshake(ClientHandshake),
    /// Changes the mode.
    Mode {
        /// The mode wanted.
        mode: Mode,
        /// Take over from the present driver where the role allows it.
        take: bool,
    },
    /// Asks for another size.
    Resize(Resize),
    /// Sets or asks for the remote clipboard.
    Clipboard(Clipboard),
    /// Opens a page.
    Navigate {
        /// Which page; http and https only.
        url: String,
        /// Whether in a tab of its own.
        new_tab: bool,
    },
    /// Gives a command.
    Command(Command),
    /// Types a text at the focus.
    Paste {
        /// The text, at most [`PASTE_BYTES_MAX`](Self::PASTE_BYTES_MAX).
        text: String,
    },
    /// Says something to the others.
    Chat(Chat),
    /// Changes something about the participants.
    Share(Share),
    /// Changes what is sent of sound and picture.
    Media(Media),
    /// Reports how the pictures arrive.
    Feedback(Feedback),
    /// Drags files.
    Drag(Drag),
    /// Begins or ends a recording.
    Record(Record),
    /// Answers what a program of the desktop notified of.
    Notice(NoticeAnswer),
}

impl ClientMessage {
    /// Largest text of PASTE in bytes; a larger one is refused as too large.
    pub const PASTE_BYTES_MAX: usize = 256 * 1024;

    /// Reads a message of channel 0 in either encoding.
    pub fn decode(kind: u8, payload: &[u8]) -> Result<Self, DecodeError> {
        let read = |limits| Members::decode(payload, limits);
        let members = || read(&Limits::AUTHENTICATED);
        match kind {
            HANDSHAKE => {
                ClientHandshake::read(&mut read(&Limits::UNAUTHENTICATED)?).map(Self::Handshake)
            }
            MODE => read_mode(&mut members()?),
            RESIZE => Resize::read(&mut members()?).map(Self::Resize),
            CLIPBOARD => Clipboard::read_from_client(&mut members()?).map(Self::Clipboard),
            NAVIGATE => read_navigate(&mut members()?),
            COMMAND => Command::read(&mut members()?).map(Self::Command),
            PASTE => read_paste(&mut members()?),
            CHAT => Chat::read(&mut members()?).map(Self::Chat),
            SHARE => Share::read(&mut members()?).map(Self::Share),
            MEDIA => Media::read(&mut members()?).map(Self::Media),
            FEEDBACK => Feedback::read(&mut members()?).map(Self::Feedback),
            DRAG => Drag::read(&mut members()?).map(Self::Drag),
            RECORD => Record::read(&mut members()?).map(Self::Record),
            NOTICE => NoticeAnswer::read(&mut members()?).map(Self::Notice),
            unknown => Err(DecodeError::UnknownType(unknown.into())),
        }
    }

    /// Writes the type and the payload; the handshake is JSON whatever is asked for.
    pub fn encode(&self, encoding: Encoding) -> (u8, Bytes) {
        let fields = match self {
            Self::Handshake(handshake) => {
                return (HANDSHAKE, handshake.fields().encode(Encoding::Json));
            }
            Self::Mode { mode, take } => Fields::new()
                .with("mode", *mode)
                .maybe("take", take.then_some(true)),
            Self::Resize(resize) => resize.fields(),
            Self::Clipboard(clipboard) => clipboard.fields(),
            Self::Navigate { url, new_tab } => {
                Fields::new().with("url", url).with("newTab", *new_tab)
            }
            Self::Command(command) => command.fields(),
            Self::Paste { text } => Fields::new().with("text", text),
            Self::Chat(chat) => chat.fields(),
            Self::Share(share) => share.fields(),
            Self::Media(media) => media.fields(),
            Self::Feedback(feedback) => feedback.fields(),
            Self::Drag(drag) => drag.fields(),
            Self::Record(record) => record.fields(),
            Self::Notice(answer) => answer.fields(),
        };
        (self.kind(), fields.encode(encoding))
    }

    /// The type number.
    pub const fn kind(&self) -> u8 {
        match self {
            Self::Handshake(_) => HANDSHAKE,
            Self::Mode { .. } => MODE,
            Self::Resize(_) => RESIZE,
            Self::Clipboard(_) => CLIPBOARD,
            Self::Navigate { .. } => NAVIGATE,
            Self::Command(_) => COMMAND,
            Self::Paste { .. } => PASTE,
            Self::Chat(_) => CHAT,
            Self::Share(_) => SHARE,
            Self::Media(_) => MEDIA,
            Self::Feedback(_) => FEEDBACK,
            Self::Drag(_) => DRAG,
            Self::Record(_) => RECORD,
            Self::Notice(_) => NOTICE,
        }
    }

    /// The `id` that an answer refers to.
    pub fn reference(&self) -> Option<&str> {
        match self {
            Self::Command(command) => command.id.as_deref(),
            Self::Share(share) => share.id.as_deref(),
            Self::Record(record) => record.id.as_deref(),
            _ => None,
        }
    }
}

impl fmt::Debug for ClientMessage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Handshake(handshake) => handshake.fmt(f),
            Self::Mode { mode, take } => write!(f, "Mode({mode:?}, take: {take})"),
            Self::Resize(resize) => write!(f, "Resize({resize:?})"),
            Self::Clipboard(clipboard) => write!(f, "Clipboard({clipboard:?})"),
            Self::Navigate { .. } => f.write_str("Navigate(..)"),
            Self::Command(command) => command.fmt(f),
            Self::Paste { text } => write!(f, "Paste({} bytes)", text.len()),
            Self::Chat(chat) => chat.fmt(f),
            Self::Share(share) => share.fmt(f),
            Self::Media(media) => media.fmt(f),
            Self::Feedback(feedback) => feedback.fmt(f),
            Self::Drag(drag) => drag.fmt(f),
            Self::Record(record) => record.fmt(f),
            Self::Notice(answer) => answer.fmt(f),
        }
    }
}

/// What a server sends on channel 0.
#[derive(Clone, Debug, PartialEq)]
pub enum ServerMessage {
    /// The answer to the client's handshake; always JSON.
    Handshake(ServerHandshake),
    /// The content of the remote clipboard.
    Clipboard(Clipboard),
    /// The cursor's shape and place.
    Cursor(Cursor),
    /// What the server's end is doing.
    State(State),
    /// A message to the person.
    Notification(Notification),
    /// What a participant said.
    Chat(Chat),
    /// Who is there and who drives.
    ShareState(ShareState),
    /// What is made of the desktop for this viewer.
    MediaState(Box<MediaState>),
    /// How the dragging of files goes.
    Drag(DragNews),
    /// Whether the session is recorded.
    Record(RecordState),
}

impl ServerMessage {
    /// Reads a message of channel 0 in either encoding.
    pub fn decode(kind: u8, payload: &[u8]) -> Result<Self, DecodeError> {
        let members = || Members::decode(payload, &Limits::AUTHENTICATED);
        match kind {
            HANDSHAKE => ServerHandshake::read(&mut members()?).map(Self::Handshake),
            CLIPBOARD => Clipboard::read_from_server(&mut members()?).map(Self::Clipboard),
            CURSOR => Cursor::read(&mut members()?).map(Self::Cursor),
            STATE => State::read(&mut members()?).map(Self::State),
            NOTIFICATION => Notification::read(&mut members()?).map(Self::Notification),
            CHAT => Chat::read(&mut members()?).map(Self::Chat),
            SHARE_STATE => ShareState::read(&mut members()?).map(Self::ShareState),
            MEDIA_STATE => MediaState::read(&mut members()?)
                .map(Box::new)
                .map(Self::MediaState),
            DRAG => DragNews::read(&mut members()?).map(Self::Drag),
            RECORD => RecordState::read(&mut members()?).map(Self::Record),
            unknown => Err(DecodeError::UnknownType(unknown.into())),
        }
    }

    /// Writes the type and the payload; the handshake is JSON whatever is asked for.
    pub fn encode(&self, encoding: Encoding) -> (u8, Bytes) {
        let (kind, fields) = match self {
            Self::Handshake(handshake) => {
                return (HANDSHAKE, handshake.fields().encode(Encoding::Json));
            }
            Self::Clipboard(clipboard) => (CLIPBOARD, clipboard.fields()),
            Self::Cursor(cursor) => (CURSOR, cursor.fields()),
            Self::State(state) => (STATE, state.fields()),
            Self::Notification(notification) => (NOTIFICATION, notification.fields()),
            Self::Chat(chat) => (CHAT, chat.fields()),
            Self::ShareState(state) => (SHARE_STATE, state.fields()),
            Self::MediaState(state) => (MEDIA_STATE, state.fields()),
            Self::Drag(news) => (DRAG, news.fields()),
            Self::Record(state) => (RECORD, state.fields()),
        };
        (kind, fields.encode(encoding))
    }
}

fn read_mode(members: &mut Members) -> Result<ClientMessage, DecodeError> {
    Ok(ClientMessage::Mode {
        mode: members.required("mode")?,
        take: members.or_default("take")?,
    })
}

fn read_navigate(members: &mut Members) -> Result<ClientMessage, DecodeError> {
    Ok(ClientMessage::Navigate {
        url: members.required("url")?,
        new_tab: members.or_default("newTab")?,
    })
}

fn read_paste(members: &mut Members) -> Result<ClientMessage, DecodeError> {
    let text: String = members.required("text")?;
    if text.len() > ClientMessage::PASTE_BYTES_MAX {
        return Err(DecodeError::TooLarge("PASTE"));
    }
    Ok(ClientMessage::Paste { text })
}

// VROOM-Graphical §4.4 and §4.7.
pub(super) const HANDSHAKE: u8 = 0x80;
const MODE: u8 = 0x81;
const RESIZE: u8 = 0x82;
const CLIPBOARD: u8 = 0x83;
const NAVIGATE: u8 = 0x84;
const COMMAND: u8 = 0x85;
const PASTE: u8 = 0x86;
const SHARE: u8 = 0x87;
const MEDIA: u8 = 0x88;
const FEEDBACK: u8 = 0x89;
const CURSOR: u8 = 0x90;
const STATE: u8 = 0x91;
const NOTIFICATION: u8 = 0x92;
const CHAT: u8 = 0x93;
const SHARE_STATE: u8 = 0x94;
const MEDIA_STATE: u8 = 0x95;
// Not in the public text: see docs/protocol.md.
const DRAG: u8 = 0x8B;
const NOTICE: u8 = 0x8D;
const RECORD: u8 = 0x8E;
