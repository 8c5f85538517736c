//! VROOM-Graphical: a desktop that is seen, and driven by one participant at a time.
//!
//! Control messages travel on channel 0 in JSON or CBOR, input on `pointer` and `button`, pictures on
//! `video` in binary. Everything here is pure: the daemon keeps the modes and the floor and asks.

mod bits;
mod button;
mod chat;
mod clip;
mod clipboard;
mod command;
mod control;
mod cursor;
mod decision;
mod drag;
mod handshake;
mod key;
mod media;
mod mode;
mod negotiation;
mod notice;
mod notification;
mod obedience;
mod patches;
mod pen;
mod pointer;
mod preedit;
mod record;
mod share;
mod state;
mod video;
mod viewport;

pub mod capability;

pub use self::button::ButtonInput;
pub use self::chat::{Chat, ChatRole};
pub use self::clip::{
    CLIP_BYTES_MAX, CLIP_PATHS, CLIP_PIECE_BYTES, CLIPBOARD_CHANNEL, ClipFormat, ClipNews,
    ClipRequest,
};
pub use self::clipboard::{
    Clipboard, ClipboardContent, ClipboardData, ClipboardRequest, Selection,
};
pub use self::command::{Action, Command, ScrollDirection, WaitState};
pub use self::control::{ClientMessage, ServerMessage};
pub use self::cursor::{Cursor, CursorImage};
pub use self::decision::{Decision, Driver, take_decision};
pub use self::drag::{Drag, DragNews, Paths};
pub use self::handshake::{Agent, ClientHandshake, ClientInfo, ServerHandshake};
pub use self::key::{Key, Modifiers};
pub use self::media::{Feedback, Latency, Media, MediaState, SHOWN_MAX, Shown};
pub use self::mode::{Mode, Role};
pub use self::negotiation::{Negotiation, Refusal};
pub use self::notice::{Notice, NoticeAction, NoticeAnswer};
pub use self::notification::{Notification, NotificationKind};
pub use self::obedience::{Obedience, input_obeyed, obeyed};
pub use self::patches::{PATCHES_CHANNEL, PatchMessage, PatchRect};
pub use self::pen::{Pen, PenState};
pub use self::pointer::{PointerInput, axes_are_newer};
pub use self::preedit::Preedit;
pub use self::record::{Record, RecordAction, RecordState, Recording};
pub use self::share::{Participant, Share, ShareAction, ShareState};
pub use self::state::{Browser, DesktopState, State};
pub use self::video::VideoMessage;
pub use self::viewport::{Resize, Viewport};
pub use crate::encoding::{DecodeError, Encoding};

/// The version that our handshakes state.
pub const VERSION: &str = "0.1.0";
