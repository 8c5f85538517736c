//! The messages of the control channel: which number stands for which, and which way it goes.

use bytes::Bytes;

use super::authentication::{AuthRequest, AuthResponse};
use super::capabilities::Capabilities;
use super::environment::Environment;
use super::error::ErrorMessage;
use super::hello::{ClientHello, ServerHello};
use super::key_event::KeyEvent;
use super::pty::{PtyMode, PtyRequest, PtyResponse};
use super::share::{ShareRequest, ShareState};
use super::start::{ExecRequest, ExitStatus, ShellRequest, StartResponse};
use super::tlv::Tlv;
use super::window::WindowSize;
use crate::encoding::{DecodeError, Encoding, Limits, Members};

/// What a client sends on the control channel.
#[derive(Clone, Debug, PartialEq)]
pub enum ClientMessage {
    /// The first message; always JSON.
    Hello(ClientHello),
    /// What the client's terminal can do.
    CapabilityOffer(Capabilities),
    /// Who is there.
    AuthRequest(AuthRequest),
    /// Asks for a terminal.
    PtyRequest(PtyRequest),
    /// The client's terminal has another size.
    WindowResize(WindowSize),
    /// Sends a signal to the foreground process group.
    Signal(u8),
    /// Sets variables for the program.
    SetEnv(Environment),
    /// Starts a shell.
    ShellRequest(ShellRequest),
    /// Starts a program.
    ExecRequest(ExecRequest),
    /// A key that the server encodes.
    KeyEvent(KeyEvent),
    /// Changes who may do what.
    Share(ShareRequest),
    /// Something went wrong.
    Error(ErrorMessage),
}

impl ClientMessage {
    /// Reads a message in either encoding.
    pub fn decode(kind: u32, payload: &[u8]) -> Result<Self, DecodeError> {
        Self::decode_within(kind, payload, &Limits::AUTHENTICATED)
    }

    pub(super) fn decode_within(
        kind: u32,
        payload: &[u8],
        limits: &Limits,
    ) -> Result<Self, DecodeError> {
        let members = || Members::decode(payload, limits);
        match kind {
            HELLO => ClientHello::read(&mut members()?).map(Self::Hello),
            CAPABILITY_OFFER => Capabilities::read(&mut members()?).map(Self::CapabilityOffer),
            AUTH_REQUEST => AuthRequest::read(&mut members()?).map(Self::AuthRequest),
            PTY_REQUEST => PtyRequest::read(&mut members()?).map(Self::PtyRequest),
            WINDOW_RESIZE => WindowSize::read(payload)
                .map(Self::WindowResize)
                .ok_or(DecodeError::Layout("WINDOW_RESIZE")),
            SIGNAL => match payload {
                &[signal] => Ok(Self::Signal(signal)),
                _ => Err(DecodeError::Layout("SIGNAL")),
            },
            SET_ENV => Environment::read(members()?).map(Self::SetEnv),
            SHELL_REQUEST => ShellRequest::read(&mut members()?).map(Self::ShellRequest),
            EXEC_REQUEST => ExecRequest::read(&mut members()?).map(Self::ExecRequest),
            KEY_EVENT => KeyEvent::read(&mut members()?).map(Self::KeyEvent),
            SHARE => ShareRequest::read(&mut members()?).map(Self::Share),
            ERROR => ErrorMessage::read(&mut members()?).map(Self::Error),
            unknown => Err(DecodeError::UnknownType(unknown)),
        }
    }

    /// Writes the message; HELLO is JSON whatever is asked for.
    pub fn encode(&self, encoding: Encoding) -> Tlv {
        let (kind, payload) = match self {
            Self::Hello(hello) => (HELLO, hello.fields().encode(Encoding::Json)),
            Self::CapabilityOffer(offer) => (CAPABILITY_OFFER, offer.fields().encode(encoding)),
            Self::AuthRequest(request) => (AUTH_REQUEST, request.fields().encode(encoding)),
            Self::PtyRequest(request) => (PTY_REQUEST, request.fields().encode(encoding)),
            Self::WindowResize(size) => (WINDOW_RESIZE, size.write()),
            Self::Signal(signal) => (SIGNAL, Bytes::copy_from_slice(&[*signal])),
            Self::SetEnv(environment) => (SET_ENV, environment.fields().encode(encoding)),
            Self::ShellRequest(request) => (SHELL_REQUEST, request.fields().encode(encoding)),
            Self::ExecRequest(request) => (EXEC_REQUEST, request.fields().encode(encoding)),
            Self::KeyEvent(event) => (KEY_EVENT, event.fields().encode(encoding)),
            Self::Share(request) => (SHARE, request.fields().encode(encoding)),
            Self::Error(error) => (ERROR, error.fields().encode(encoding)),
        };
        Tlv { kind, payload }
    }
}

/// What a server sends on the control channel.
#[derive(Clone, Debug, PartialEq)]
pub enum ServerMessage {
    /// The answer to the client's HELLO; always JSON.
    Hello(ServerHello),
    /// What the server can do, for information.
    CapabilityOffer(Capabilities),
    /// What both can do.
    CapabilitySelect(Capabilities),
    /// Whether the client is who it says.
    AuthResponse(AuthResponse),
    /// Whether there is a terminal.
    PtyResponse(PtyResponse),
    /// The terminal has another size because of someone else.
    WindowSize(WindowSize),
    /// The modes that matter for predicting echo.
    PtyMode(PtyMode),
    /// Who is there, who drives, and which links there are.
    ShareState(ShareState),
    /// Whether the program runs.
    StartResponse(StartResponse),
    /// How the program ended.
    ExitStatus(ExitStatus),
    /// Something went wrong.
    Error(ErrorMessage),
}

impl ServerMessage {
    /// Reads a message in either encoding.
    pub fn decode(kind: u32, payload: &[u8]) -> Result<Self, DecodeError> {
        let members = || Members::decode(payload, &Limits::AUTHENTICATED);
        match kind {
            HELLO => ServerHello::read(&mut members()?).map(Self::Hello),
            CAPABILITY_OFFER => Capabilities::read(&mut members()?).map(Self::CapabilityOffer),
            CAPABILITY_SELECT => Capabilities::read(&mut members()?).map(Self::CapabilitySelect),
            AUTH_RESPONSE => AuthResponse::read(&mut members()?).map(Self::AuthResponse),
            PTY_RESPONSE => PtyResponse::read(&mut members()?).map(Self::PtyResponse),
            WINDOW_SIZE => WindowSize::read(payload)
                .map(Self::WindowSize)
                .ok_or(DecodeError::Layout("WINDOW_SIZE")),
            PTY_MODE => match payload {
                &[bits] => Ok(Self::PtyMode(PtyMode::from_bits(bits))),
                _ => Err(DecodeError::Layout("PTY_MODE")),
            },
            SHARE_STATE => ShareState::read(&mut members()?).map(Self::ShareState),
            START_RESPONSE => StartResponse::read(&mut members()?).map(Self::StartResponse),
            EXIT_STATUS => ExitStatus::read(&mut members()?).map(Self::ExitStatus),
            ERROR => ErrorMessage::read(&mut members()?).map(Self::Error),
            unknown => Err(DecodeError::UnknownType(unknown)),
        }
    }

    /// Writes the message; HELLO is JSON whatever is asked for.
    pub fn encode(&self, encoding: Encoding) -> Tlv {
        let (kind, payload) = match self {
            Self::Hello(hello) => (HELLO, hello.fields().encode(Encoding::Json)),
            Self::CapabilityOffer(offer) => (CAPABILITY_OFFER, offer.fields().encode(encoding)),
            Self::CapabilitySelect(both) => (CAPABILITY_SELECT, both.fields().encode(encoding)),
            Self::AuthResponse(response) => (AUTH_RESPONSE, response.fields().encode(encoding)),
            Self::PtyResponse(response) => (PTY_RESPONSE, response.fields().encode(encoding)),
            Self::WindowSize(size) => (WINDOW_SIZE, size.write()),
            Self::PtyMode(mode) => (PTY_MODE, Bytes::copy_from_slice(&[mode.bits()])),
            Self::ShareState(state) => (SHARE_STATE, state.fields().encode(encoding)),
            Self::StartResponse(response) => (START_RESPONSE, response.fields().encode(encoding)),
            Self::ExitStatus(status) => (EXIT_STATUS, status.fields().encode(encoding)),
            Self::Error(error) => (ERROR, error.fields().encode(encoding)),
        };
        Tlv { kind, payload }
    }
}

// VROOM-Terminal §5.2.
pub(super) const HELLO: u32 = 0x01;
pub(super) const CAPABILITY_OFFER: u32 = 0x02;
pub(super) const CAPABILITY_SELECT: u32 = 0x03;
pub(super) const AUTH_REQUEST: u32 = 0x10;
pub(super) const AUTH_RESPONSE: u32 = 0x11;
pub(super) const PTY_REQUEST: u32 = 0x20;
pub(super) const PTY_RESPONSE: u32 = 0x21;
pub(super) const WINDOW_RESIZE: u32 = 0x30;
pub(super) const SIGNAL: u32 = 0x31;
pub(super) const WINDOW_SIZE: u32 = 0x32;
pub(super) const PTY_MODE: u32 = 0x33;
pub(super) const SET_ENV: u32 = 0x40;
pub(super) const SHELL_REQUEST: u32 = 0x50;
pub(super) const EXEC_REQUEST: u32 = 0x51;
pub(super) const START_RESPONSE: u32 = 0x52;
pub(super) const KEY_EVENT: u32 = 0x60;
pub(super) const SHARE: u32 = 0x70;
pub(super) const SHARE_STATE: u32 = 0x71;
pub(super) const EXIT_STATUS: u32 = 0xF0;
pub(super) const ERROR: u32 = 0xFF;
