//! The names that both handshakes list.
//!
//! What concerns input is usable when both sides list it.

/// Mouse input.
pub const POINTER: &str = "pointer";
/// Key input.
pub const KEYBOARD: &str = "keyboard";
/// Touch input.
pub const TOUCH: &str = "touch";
/// Pens: PEN and PEN_LEAVE on `button`.
// Not in the public text: see docs/protocol.md.
pub const PEN: &str = "pen";
/// Clipboard synchronisation.
pub const CLIPBOARD: &str = "clipboard";
/// Voice-mode commands.
pub const COMMAND: &str = "command";
/// The server sends CURSOR; a client that lists it draws the cursor itself.
pub const CURSOR: &str = "cursor";
/// Gamepad input.
pub const GAMEPAD: &str = "gamepad";
/// SHARE and SHARE_STATE.
pub const SHARING: &str = "sharing";
/// MEDIA and MEDIA_STATE.
pub const MEDIA: &str = "media";
/// The server takes client audio into a virtual source.
pub const MICROPHONE: &str = "microphone";
/// TEXT on `button`.
pub const TEXT: &str = "text";
/// `data` in CLIPBOARD.
pub const CLIPBOARD_DATA: &str = "clipboard-data";
/// The channel `clipboard`.
// Not in the public text: see docs/protocol.md.
pub const CLIPBOARD_CHANNEL: &str = "clipboard-channel";
/// `image` in CURSOR.
pub const CURSOR_IMAGE: &str = "cursor-image";
/// TILE_JPEG on `video`.
pub const VIDEO_TILES: &str = "video-tiles";
/// DRAG.
// Not in the public text: see docs/protocol.md.
pub const DRAG: &str = "drag";
/// The channel `patches`.
// Not in the public text: see docs/protocol.md.
pub const PATCHES: &str = "patches";
/// `notice` in NOTIFICATION, and NOTICE.
// Not in the public text: see docs/protocol.md.
pub const NOTIFICATIONS: &str = "notifications";
/// The server has a browser that NAVIGATE opens.
// Not in the public text: see docs/protocol.md.
pub const NAVIGATE: &str = "navigate";
/// PREEDIT on `button`.
// Not in the public text: see docs/protocol.md.
pub const PREEDIT: &str = "preedit";
/// Who joins is told what was said in CHAT before.
// Not in the public text: see docs/protocol.md.
pub const CHAT: &str = "chat";
/// H264_AU on `video`.
pub const VIDEO_H264: &str = "video-h264";
/// RECORD.
// Not in the public text: see docs/protocol.md.
pub const RECORDING: &str = "recording";
