//! Opening and closing channels by message.

use serde::{Serialize, Serializer};
use serde_json::{Map, Value};

use super::ControlError;
use super::fields::{Fields, Required as _};
use crate::mux::code::Code;
use crate::mux::id::ChannelId;
use crate::mux::spec::{self, ChannelSpec};

/// OPEN_CHANNEL.
#[derive(Clone, Debug, PartialEq)]
pub struct OpenChannel {
    /// Names the request among the sender's open ones.
    pub request: u64,
    /// What is asked for; the name is canonical.
    pub spec: ChannelSpec,
    /// The id, which the server gives when it asks itself.
    pub id: Option<ChannelId>,
}

impl OpenChannel {
    pub(super) fn to_wire(&self) -> impl Serialize + '_ {
        OpenWire {
            request_id: self.request,
            spec: SpecWire::new(&self.spec),
            id: self.id.map(|id| id.0),
        }
    }
}

#[derive(Serialize)]
struct OpenWire<'a> {
    #[serde(rename = "requestId")]
    request_id: u64,
    #[serde(flatten)]
    spec: SpecWire<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<u8>,
}

/// A channel as HELLO and OPEN_CHANNEL write it.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct SpecWire<'a> {
    name: &'a str,
    reliable: bool,
    ordered: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_retransmits: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_packet_life_time: Option<u32>,
    #[serde(skip_serializing_if = "Option::is_none")]
    metadata: Option<&'a Map<String, Value>>,
}

impl<'a> SpecWire<'a> {
    pub(super) fn new(spec: &'a ChannelSpec) -> Self {
        Self {
            name: &spec.name,
            reliable: spec.reliable,
            ordered: spec.ordered,
            max_retransmits: spec.max_retransmits,
            max_packet_life_time: spec.max_packet_life_time_ms,
            metadata: spec.metadata.as_ref(),
        }
    }
}

/// Reads the members that describe a channel; the name comes out canonical, and legal or refused.
pub(super) fn read_spec(fields: &Fields) -> Result<ChannelSpec, ControlError> {
    let name = fields.text("name").required()?;
    let name = spec::canonical(&name);
    if !spec::is_legal(name) {
        return Err(ControlError::Invalid);
    }
    let limit = |member| match fields.unsigned(member)? {
        Some(limit) => u32::try_from(limit)
            .map(Some)
            .map_err(|_| ControlError::Invalid),
        None => Ok(None),
    };
    let channel = ChannelSpec {
        name: name.to_owned(),
        reliable: fields.boolean("reliable").required()?,
        ordered: fields.boolean("ordered").required()?,
        max_retransmits: limit("maxRetransmits")?,
        max_packet_life_time_ms: limit("maxPacketLifeTime")?,
        metadata: fields.object("metadata")?.map(Fields::into_map),
    };
    // WebRTC forbids both limits together.
    if channel.max_retransmits.is_some() && channel.max_packet_life_time_ms.is_some() {
        return Err(ControlError::Invalid);
    }
    Ok(channel)
}

/// Reads OPEN_CHANNEL; when only the request number can be read, the refusal can name it.
pub(crate) fn parse_open(payload: &[u8]) -> Result<OpenChannel, OpenError> {
    let fields = Fields::parse(payload).map_err(|_| OpenError::Unreadable)?;
    let request = fields
        .unsigned("requestId")
        .required()
        .map_err(|_| OpenError::Unreadable)?;
    let refused = |_| OpenError::Refusable(request);
    let spec = read_spec(&fields).map_err(refused)?;
    let id = match fields.unsigned("id").map_err(refused)? {
        None => None,
        Some(id) => Some(application_id(id).ok_or(OpenError::Refusable(request))?),
    };
    Ok(OpenChannel { request, spec, id })
}

/// Why an OPEN_CHANNEL cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OpenError {
    /// Not even its request number: answer ERROR.
    Unreadable,
    /// All but its request number: answer CHANNEL_REJECT.
    Refusable(u64),
}

fn application_id(id: u64) -> Option<ChannelId> {
    u8::try_from(id)
        .ok()
        .map(ChannelId)
        .filter(|id| id.is_application())
}

/// CHANNEL_ACK.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ChannelAck {
    /// The request that is answered.
    #[serde(rename = "requestId")]
    pub request: u64,
    /// The channel's id.
    pub id: ChannelId,
    /// The channel's name.
    pub name: String,
}

impl ChannelAck {
    pub(super) fn read(fields: &Fields) -> Result<Self, ControlError> {
        let id = fields.unsigned("id").required()?;
        Ok(Self {
            request: fields.unsigned("requestId").required()?,
            id: application_id(id).ok_or(ControlError::Invalid)?,
            name: spec::canonical(&fields.text("name").required()?).to_owned(),
        })
    }
}

/// CHANNEL_REJECT.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ChannelReject {
    /// The request that is answered.
    #[serde(rename = "requestId")]
    pub request: u64,
    /// Why.
    pub code: Code,
    /// Why, in words.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub reason: String,
}

impl ChannelReject {
    pub(super) fn read(fields: &Fields) -> Result<Self, ControlError> {
        Ok(Self {
            request: fields.unsigned("requestId").required()?,
            code: super::closing::read_code(fields)?,
            reason: fields.text("reason")?.unwrap_or_default(),
        })
    }
}

/// CLOSE_CHANNEL.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CloseChannel {
    /// The channel, as it was written: it may be one that cannot be closed.
    pub id: u64,
    /// Why, in words.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub reason: String,
}

impl CloseChannel {
    pub(super) fn read(fields: &Fields) -> Result<Self, ControlError> {
        Ok(Self {
            id: fields.unsigned("id").required()?,
            reason: fields.text("reason")?.unwrap_or_default(),
        })
    }
}

impl Serialize for ChannelId {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_u8(self.0)
    }
}
