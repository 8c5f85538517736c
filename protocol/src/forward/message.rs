//! The messages of the control channel of port forwarding; both sides may send each of them.

use bytes::Bytes;

use super::code::ForwardCode;
use super::request::{Endpoint, ForwardRequest};
use crate::encoding::{DecodeError, Encoding, Fields, Limits, Members};

/// A message of the control channel.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Message {
    /// Asks to forward connections.
    Request(ForwardRequest),
    /// Answers it.
    Response(ForwardResponse),
    /// Ends a forward: nobody listens any more; connections that are there go on.
    Cancel {
        /// Which one.
        forward_id: u64,
    },
    /// Somebody has connected.
    Connection(ForwardConnection),
    /// Whether the other end was reached.
    ConnectionAck(ConnectionAck),
}

/// What became of a FORWARD_REQUEST.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ForwardResponse {
    /// The forward that was asked for.
    pub forward_id: u64,
    /// The port that is listened on, 0 where there is none; or why nothing is forwarded.
    pub outcome: Result<u16, (ForwardCode, String)>,
}

/// Somebody has connected; the channel of this name carries what they say.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ForwardConnection {
    /// The forward that it belongs to.
    pub forward_id: u64,
    /// The connection's channel; see [`ConnectionName`](super::ConnectionName).
    pub channel_name: String,
    /// Who has connected: an address, or a program's name where an agent is looked for.
    pub source_address: String,
    /// Their port, or the program's process.
    pub source_port: u32,
    /// Where this connection leads; only under a dynamic forward.
    pub target: Option<Endpoint>,
}

/// Whether the target of a connection was reached.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ConnectionAck {
    /// The forward that it belongs to.
    pub forward_id: u64,
    /// The connection's channel.
    pub channel_name: String,
    /// Why it was not reached, in a number and in words.
    pub outcome: Result<(), (ForwardCode, String)>,
}

impl Message {
    /// Reads a message by its type byte.
    pub fn decode(kind: u8, payload: &[u8]) -> Result<Self, DecodeError> {
        if !(FORWARD_REQUEST..=FORWARD_CONNECTION_ACK).contains(&kind) {
            return Err(DecodeError::UnknownType(kind.into()));
        }
        let members = &mut Members::decode_json(payload, &Limits::UNAUTHENTICATED)?;
        Ok(match kind {
            FORWARD_REQUEST => Self::Request(ForwardRequest::read(members)?),
            FORWARD_RESPONSE => Self::Response(ForwardResponse {
                forward_id: members.required("forwardId")?,
                outcome: match read_failure(members)? {
                    None => Ok(members.or_default("actualPort")?),
                    Some(failure) => Err(failure),
                },
            }),
            FORWARD_CANCEL => Self::Cancel {
                forward_id: members.required("forwardId")?,
            },
            FORWARD_CONNECTION => Self::Connection(ForwardConnection::read(members)?),
            _ => Self::ConnectionAck(ConnectionAck {
                forward_id: members.required("forwardId")?,
                channel_name: members.required("channelName")?,
                outcome: read_failure(members)?.map_or(Ok(()), Err),
            }),
        })
    }

    /// Writes the message: its type byte and its payload.
    pub fn encode(&self) -> (u8, Bytes) {
        let (kind, fields) = match self {
            Self::Request(request) => (FORWARD_REQUEST, request.fields()),
            Self::Response(response) => {
                let fields = Fields::new().with("forwardId", response.forward_id);
                let fields = match &response.outcome {
                    Ok(port) => fields.with("success", true).with("actualPort", *port),
                    Err(failure) => with_failure(fields, failure),
                };
                (FORWARD_RESPONSE, fields)
            }
            Self::Cancel { forward_id } => {
                (FORWARD_CANCEL, Fields::new().with("forwardId", *forward_id))
            }
            Self::Connection(connection) => (FORWARD_CONNECTION, connection.fields()),
            Self::ConnectionAck(ack) => {
                let fields = Fields::new()
                    .with("forwardId", ack.forward_id)
                    .with("channelName", &ack.channel_name);
                let fields = match &ack.outcome {
                    Ok(()) => fields.with("success", true),
                    Err(failure) => with_failure(fields, failure),
                };
                (FORWARD_CONNECTION_ACK, fields)
            }
        };
        (kind, fields.encode(Encoding::Json))
    }
}

impl ForwardConnection {
    fn read(members: &mut Members) -> Result<Self, DecodeError> {
        Ok(Self {
            forward_id: members.required("forwardId")?,
            channel_name: members.required("channelName")?,
            source_address: members.required("sourceAddress")?,
            source_port: members.required("sourcePort")?,
            target: match members.optional("targetAddress")? {
                Some(address) => Some(Endpoint {
                    address,
                    port: members.required("targetPort")?,
                }),
                None => None,
            },
        })
    }

    fn fields(&self) -> Fields {
        Fields::new()
            .with("forwardId", self.forward_id)
            .with("channelName", &self.channel_name)
            .with("sourceAddress", &self.source_address)
            .with("sourcePort", self.source_port)
            .maybe(
                "targetAddress",
                self.target.as_ref().map(|target| &target.address),
            )
            .maybe("targetPort", self.target.as_ref().map(|target| target.port))
    }
}

/// Reads `success` and what explains that it is false.
fn read_failure(members: &mut Members) -> Result<Option<(ForwardCode, String)>, DecodeError> {
    if members.required("success")? {
        return Ok(None);
    }
    let code = members
        .optional("code")?
        .map_or(ForwardCode::CONNECT_FAILED, ForwardCode);
    Ok(Some((code, members.or_default("reason")?)))
}

fn with_failure(fields: Fields, (code, reason): &(ForwardCode, String)) -> Fields {
    fields
        .with("success", false)
        .with("code", code.0)
        .with("reason", reason)
}

// port-forwarding: the types of the control channel.
const FORWARD_REQUEST: u8 = 0x01;
const FORWARD_RESPONSE: u8 = 0x02;
const FORWARD_CANCEL: u8 = 0x03;
const FORWARD_CONNECTION: u8 = 0x04;
const FORWARD_CONNECTION_ACK: u8 = 0x05;
