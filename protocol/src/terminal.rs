//! VROOM-Terminal: a terminal or a program at the far end, on a pair of channels.
//!
//! The control channel carries TLVs and is what this module speaks; the PTY channel carries raw
//! bytes that nobody here looks at. [`Server`] and [`Client`] are pure state machines.

mod authentication;
mod budget;
mod capabilities;
mod channel;
mod client;
mod environment;
mod error;
mod event;
mod hello;
mod intersection;
mod key_event;
mod message;
mod pty;
mod pty_message;
mod server;
pub mod share;
mod signal;
mod start;
mod tlv;
mod window;
mod wire;

pub use self::authentication::{
    AuthMethod, AuthRequest, AuthResponse, Challenge, EXPORTER_BYTES, EXPORTER_LABEL, Prompt,
    PublicKeyProof, signed_data,
};
pub use self::capabilities::{Capabilities, Extensions, Keyboard, Kitty, TerminalInfo};
pub use self::channel::{ChannelName, ChannelNameError, Plane, TERMINALS_MAX};
pub use self::client::{Ahead, Client, ClientConfig, WrongState};
pub use self::environment::{Environment, is_allowed};
pub use self::error::ErrorMessage;
pub use self::event::{ClientEvent, Event};
pub use self::hello::{ClientHello, PROTOCOL, ServerHello, VERSION};
pub use self::intersection::{intersect, kitty_flags};
pub use self::key_event::{KeyAction, KeyEvent};
pub use self::message::{ClientMessage, ServerMessage};
pub use self::pty::{Denial, PtyGrant, PtyMode, PtyRequest, PtyResponse, Writer};
pub use self::pty_message::PtyMessage;
pub use self::server::{Server, ServerOffer, Stage};
pub use self::share::{Invitation, Participant, ShareAction, ShareLink, ShareRequest, ShareState};
pub use self::signal::{is_deliverable, signal_name};
pub use self::start::{ExecCommand, ExecRequest, ExitStatus, ShellRequest, StartResponse};
pub use self::tlv::{Tlv, TlvDecoder, TlvTooLong};
pub use self::window::WindowSize;
pub use crate::encoding::{DecodeError, Encoding, Key, Value};
pub use crate::graphical::{Modifiers, Role};
