//! The messages of the mux on channel 0: always JSON, except PING, PONG and SEQ_ACK.

mod channel;
mod closing;
mod fields;
mod hello;
mod persistence;
mod resume;
mod welcome;

use bytes::{BufMut as _, Bytes, BytesMut};
use serde::Serialize;

pub use channel::{ChannelAck, ChannelReject, CloseChannel, OpenChannel};
pub use closing::{Close, ErrorReport};
pub use hello::Hello;
pub use persistence::{
    Attach, Detach, SessionControl, SessionEntry, SessionKind, SessionList, SessionListRequest,
};
pub use resume::{Replay, ResumeRequest, ResumeResponse, SessionGrant, SessionPersistence};
pub use welcome::{AssignedChannel, Welcome};

pub(crate) use channel::{OpenError, parse_open};
pub(crate) use hello::{HelloError, parse_hello};
pub(crate) use persistence::parse_list_request;
pub(crate) use resume::parse_resume;

use fields::Fields;

/// A message of the mux.
#[derive(Clone, Debug, PartialEq)]
#[non_exhaustive]
pub enum ControlMessage {
    /// 0x01, client to server: the first message.
    Hello(Hello),
    /// 0x02, server to client: the answer to HELLO.
    Welcome(Welcome),
    /// 0x03: asks for a channel.
    OpenChannel(OpenChannel),
    /// 0x04: the channel is open.
    ChannelAck(ChannelAck),
    /// 0x05: the channel is closed.
    CloseChannel(CloseChannel),
    /// 0x06: the channel is not opened.
    ChannelReject(ChannelReject),
    /// 0x10: asks for a PONG; carries the sender's clock in milliseconds.
    Ping(u32),
    /// 0x11: answers a PING.
    Pong {
        /// The clock that the PING carried.
        echo: u32,
        /// The answerer's own clock in milliseconds.
        clock: u32,
    },
    /// 0x20: the connection ends.
    Close(Close),
    /// 0x30, server to client: the session can be resumed.
    SessionId(SessionGrant),
    /// 0x31, client to server, instead of HELLO: the session goes on.
    ResumeRequest(ResumeRequest),
    /// 0x32, server to client: the answer to RESUME_REQUEST and ATTACH_REQUEST.
    ResumeResponse(ResumeResponse),
    /// 0x33, client to server: leaves, and what runs stays.
    Detach(Detach),
    /// 0x34, client to server: asks which sessions there are.
    SessionListRequest(SessionListRequest),
    /// 0x35, server to client: the sessions that there are.
    SessionList(SessionList),
    /// 0x36, client to server: joins a session that stayed.
    Attach(Attach),
    /// 0x38, client to server: renames a session or ends it.
    SessionControl(SessionControl),
    /// 0x37: everything up to this sequence number has been received.
    SeqAck(u64),
    /// 0xF0: something went wrong; nothing closes.
    Error(ErrorReport),
}

impl ControlMessage {
    /// The type byte.
    #[must_use]
    pub const fn kind(&self) -> u8 {
        match self {
            Self::Hello(_) => kind::HELLO,
            Self::Welcome(_) => kind::WELCOME,
            Self::OpenChannel(_) => kind::OPEN_CHANNEL,
            Self::ChannelAck(_) => kind::CHANNEL_ACK,
            Self::CloseChannel(_) => kind::CLOSE_CHANNEL,
            Self::ChannelReject(_) => kind::CHANNEL_REJECT,
            Self::Ping(_) => kind::PING,
            Self::Pong { .. } => kind::PONG,
            Self::Close(_) => kind::CLOSE,
            Self::SessionId(_) => kind::SESSION_ID,
            Self::ResumeRequest(_) => kind::RESUME_REQUEST,
            Self::ResumeResponse(_) => kind::RESUME_RESPONSE,
            Self::Detach(_) => kind::DETACH,
            Self::SessionListRequest(_) => kind::SESSION_LIST_REQUEST,
            Self::SessionList(_) => kind::SESSION_LIST_RESPONSE,
            Self::Attach(_) => kind::ATTACH_REQUEST,
            Self::SessionControl(_) => kind::SESSION_CONTROL,
            Self::SeqAck(_) => kind::SEQ_ACK,
            Self::Error(_) => kind::ERROR,
        }
    }

    /// Writes the payload of the message; members without a value are left out.
    #[must_use]
    pub fn encode(&self) -> Bytes {
        match self {
            Self::Hello(message) => json(&message.to_wire()),
            Self::Welcome(message) => json(message),
            Self::OpenChannel(message) => json(&message.to_wire()),
            Self::ChannelAck(message) => json(message),
            Self::CloseChannel(message) => json(message),
            Self::ChannelReject(message) => json(message),
            Self::Ping(clock) => Bytes::copy_from_slice(&clock.to_be_bytes()),
            Self::Pong { echo, clock } => {
                let mut payload = BytesMut::with_capacity(8);
                payload.put_u32(*echo);
                payload.put_u32(*clock);
                payload.freeze()
            }
            Self::Close(message) => json(message),
            Self::SessionId(message) => json(&message.to_wire()),
            Self::ResumeRequest(message) => json(&message.to_wire()),
            Self::ResumeResponse(message) => json(&message.to_wire()),
            Self::Detach(message) => json(message),
            Self::SessionListRequest(message) => json(&message.to_wire()),
            Self::SessionList(message) => json(message),
            Self::Attach(message) => json(&message.to_wire()),
            Self::SessionControl(message) => json(&message.to_wire()),
            Self::SeqAck(sequence) => Bytes::copy_from_slice(&sequence.to_be_bytes()),
            Self::Error(message) => json(message),
        }
    }

    /// Reads the message of this type byte.
    pub fn decode(kind: u8, payload: &[u8]) -> Result<Self, ControlError> {
        match kind {
            kind::PING => return Ok(Self::Ping(u32::from_be_bytes(exactly(payload)?))),
            kind::PONG => {
                let [a, b, c, d, e, f, g, h] = exactly(payload)?;
                let echo = u32::from_be_bytes([a, b, c, d]);
                let clock = u32::from_be_bytes([e, f, g, h]);
                return Ok(Self::Pong { echo, clock });
            }
            kind::SEQ_ACK => return Ok(Self::SeqAck(u64::from_be_bytes(exactly(payload)?))),
            kind::HELLO => {
                return match parse_hello(payload) {
                    Ok(hello) => Ok(Self::Hello(hello)),
                    Err(_) => Err(ControlError::Invalid),
                };
            }
            kind::RESUME_REQUEST => {
                return match parse_resume(payload) {
                    Ok(request) => Ok(Self::ResumeRequest(request)),
                    Err(_) => Err(ControlError::Invalid),
                };
            }
            kind::SESSION_LIST_REQUEST => {
                return match parse_list_request(payload) {
                    Ok(request) => Ok(Self::SessionListRequest(request)),
                    Err(_) => Err(ControlError::Invalid),
                };
            }
            kind::OPEN_CHANNEL => {
                return match parse_open(payload) {
                    Ok(open) => Ok(Self::OpenChannel(open)),
                    Err(_) => Err(ControlError::Invalid),
                };
            }
            _ => {}
        }
        let known = matches!(
            kind,
            kind::WELCOME
                | kind::CHANNEL_ACK
                | kind::CLOSE_CHANNEL
                | kind::CHANNEL_REJECT
                | kind::CLOSE
                | kind::SESSION_ID
                | kind::RESUME_RESPONSE
                | kind::DETACH
                | kind::SESSION_LIST_RESPONSE
                | kind::ATTACH_REQUEST
                | kind::SESSION_CONTROL
                | kind::ERROR
        );
        if !known {
            return Err(ControlError::UnknownType);
        }
        let fields = Fields::parse(payload)?;
        Ok(match kind {
            kind::WELCOME => Self::Welcome(Welcome::read(&fields)?),
            kind::CHANNEL_ACK => Self::ChannelAck(ChannelAck::read(&fields)?),
            kind::CLOSE_CHANNEL => Self::CloseChannel(CloseChannel::read(&fields)?),
            kind::CHANNEL_REJECT => Self::ChannelReject(ChannelReject::read(&fields)?),
            kind::CLOSE => Self::Close(Close::read(&fields)?),
            kind::SESSION_ID => Self::SessionId(SessionGrant::read(&fields)?),
            kind::RESUME_RESPONSE => Self::ResumeResponse(ResumeResponse::read(&fields)?),
            kind::DETACH => Self::Detach(Detach::read(&fields)?),
            kind::SESSION_LIST_RESPONSE => Self::SessionList(SessionList::read(&fields)?),
            kind::ATTACH_REQUEST => Self::Attach(Attach::read(&fields)?),
            kind::SESSION_CONTROL => Self::SessionControl(SessionControl::read(&fields)?),
            _ => Self::Error(ErrorReport::read(&fields)?),
        })
    }
}

/// Why a control message cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum ControlError {
    /// Not JSON as it has to be, a member missing or of the wrong type, or the wrong size.
    #[error("the message cannot be read")]
    Invalid,
    /// No mux message has this type byte.
    #[error("no message of the mux has this type")]
    UnknownType,
}

fn exactly<const N: usize>(payload: &[u8]) -> Result<[u8; N], ControlError> {
    payload.try_into().map_err(|_| ControlError::Invalid)
}

#[expect(
    clippy::expect_used,
    reason = "our own structures hold text, numbers and lists only"
)]
fn json(message: &impl Serialize) -> Bytes {
    serde_json::to_vec(message)
        .expect("the message is plain data")
        .into()
}

/// The type bytes of channel 0 that belong to the mux.
pub mod kind {
    /// Client to server: the first message.
    pub const HELLO: u8 = 0x01;
    /// Server to client: the answer to HELLO.
    pub const WELCOME: u8 = 0x02;
    /// Asks for a channel.
    pub const OPEN_CHANNEL: u8 = 0x03;
    /// The channel is open.
    pub const CHANNEL_ACK: u8 = 0x04;
    /// The channel is closed.
    pub const CLOSE_CHANNEL: u8 = 0x05;
    /// The channel is not opened.
    pub const CHANNEL_REJECT: u8 = 0x06;
    /// Asks for a PONG.
    pub const PING: u8 = 0x10;
    /// Answers a PING.
    pub const PONG: u8 = 0x11;
    /// The connection ends.
    pub const CLOSE: u8 = 0x20;
    /// The session can be resumed.
    pub const SESSION_ID: u8 = 0x30;
    /// Asks to go on with a session.
    pub const RESUME_REQUEST: u8 = 0x31;
    /// The answer to RESUME_REQUEST and ATTACH_REQUEST.
    pub const RESUME_RESPONSE: u8 = 0x32;
    /// Leaves, and what runs stays; belongs to session-persistence.
    pub const DETACH: u8 = 0x33;
    /// Asks which sessions there are; belongs to session-persistence.
    pub const SESSION_LIST_REQUEST: u8 = 0x34;
    /// Lists sessions; belongs to session-persistence.
    pub const SESSION_LIST_RESPONSE: u8 = 0x35;
    /// Joins a session that stayed; belongs to session-persistence.
    pub const ATTACH_REQUEST: u8 = 0x36;
    /// Everything up to a sequence number has been received.
    pub const SEQ_ACK: u8 = 0x37;
    /// Renames a session or ends it; belongs to session-persistence.
    pub const SESSION_CONTROL: u8 = 0x38;
    /// Something went wrong.
    pub const ERROR: u8 = 0xF0;
}
