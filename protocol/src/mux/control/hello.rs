//! HELLO: who the client is and what it asks for.

use std::collections::HashSet;

use serde::{Serialize, Serializer};
use serde_json::Value;

use super::ControlError;
use super::channel::{SpecWire, read_spec};
use super::fields::{Fields, Required as _};
use crate::mux::auth::Auth;
use crate::mux::code::Code;
use crate::mux::config::{MAX_MESSAGE_SIZE_MIN, VERSION};
use crate::mux::spec::{self, ChannelSpec};

/// HELLO, with channel names made canonical.
#[derive(Clone, Debug, PartialEq)]
pub struct Hello {
    /// The mux version of the client.
    pub version: [u64; 3],
    /// What the client is, `name/version`.
    pub application: Option<String>,
    /// Requested extensions.
    pub extensions: Vec<String>,
    /// The largest frame payload that the client takes; 0 for no limit, absent for 65535.
    pub max_message_size: Option<u64>,
    /// The client's wish in seconds; the server's value counts.
    pub ping_interval: Option<u64>,
    /// The client's wish in seconds; the server's value counts.
    pub ping_timeout: Option<u64>,
    /// The channels to open, without `control`.
    pub channels: Vec<ChannelSpec>,
    /// Whether the client listed `control`, which is then echoed with id 0.
    pub lists_control: bool,
    /// Who the user is.
    pub auth: Option<Auth>,
    /// The session to join.
    pub session: Option<String>,
}

impl Default for Hello {
    /// A HELLO that asks for nothing.
    fn default() -> Self {
        Self {
            version: VERSION,
            application: None,
            extensions: Vec::new(),
            max_message_size: None,
            ping_interval: None,
            ping_timeout: None,
            channels: Vec::new(),
            lists_control: false,
            auth: None,
            session: None,
        }
    }
}

impl Hello {
    pub(super) fn to_wire(&self) -> impl Serialize + '_ {
        HelloWire {
            version: self.version,
            application: self.application.as_deref(),
            extensions: &self.extensions,
            max_message_size: self.max_message_size,
            ping_interval: self.ping_interval,
            ping_timeout: self.ping_timeout,
            channels: ChannelsWire(self),
            auth: self.auth.as_ref().map(AuthWire::new),
            session: self.session.as_deref(),
        }
    }
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct HelloWire<'a> {
    version: [u64; 3],
    #[serde(skip_serializing_if = "Option::is_none")]
    application: Option<&'a str>,
    #[serde(skip_serializing_if = "<[String]>::is_empty")]
    extensions: &'a [String],
    #[serde(skip_serializing_if = "Option::is_none")]
    max_message_size: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ping_interval: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    ping_timeout: Option<u64>,
    channels: ChannelsWire<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    auth: Option<AuthWire<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    session: Option<&'a str>,
}

/// `control` first where it is listed, then the application channels.
struct ChannelsWire<'a>(&'a Hello);

impl Serialize for ChannelsWire<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let control = ChannelSpec::reliable(spec::CONTROL);
        let listed = self.0.lists_control.then_some(&control);
        serializer.collect_seq(
            listed
                .into_iter()
                .chain(&self.0.channels)
                .map(SpecWire::new),
        )
    }
}

#[derive(Serialize)]
#[serde(tag = "type", rename_all = "lowercase")]
pub(super) enum AuthWire<'a> {
    Token { token: &'a str },
    Session { token: &'a str },
    Password { user: &'a str, password: &'a str },
    Pairing { code: &'a str },
    Share { token: &'a str },
    Peer,
}

impl<'a> AuthWire<'a> {
    pub(super) fn new(auth: &'a Auth) -> Self {
        match auth {
            Auth::Token(token) => Self::Token { token },
            Auth::Session(token) => Self::Session { token },
            Auth::Password { user, password } => Self::Password { user, password },
            Auth::Pairing(code) => Self::Pairing { code },
            Auth::Share(token) => Self::Share { token },
            Auth::Peer => Self::Peer,
        }
    }
}

/// Reads a HELLO and says which CLOSE answers one that cannot be accepted.
pub(crate) fn parse_hello(payload: &[u8]) -> Result<Hello, HelloError> {
    let fields = Fields::parse(payload)?;
    let version = fields.version().required()?;
    // Another major version may have other members: it is told so before they are looked at.
    if version[0] != VERSION[0] {
        return Err(HelloError::Version);
    }
    let max_message_size = fields.unsigned("maxMessageSize")?;
    if max_message_size.is_some_and(|size| (1..u64::from(MAX_MESSAGE_SIZE_MIN)).contains(&size)) {
        return Err(HelloError::Invalid);
    }
    let (channels, lists_control) = read_channels(&fields)?;
    Ok(Hello {
        version,
        application: fields.text("application")?,
        extensions: fields.texts("extensions")?.unwrap_or_default(),
        max_message_size,
        ping_interval: fields.unsigned("pingInterval")?,
        ping_timeout: fields.unsigned("pingTimeout")?,
        channels,
        lists_control,
        auth: fields
            .object("auth")?
            .map(|auth| read_auth(&auth))
            .transpose()?,
        session: fields.text("session")?,
    })
}

fn read_channels(fields: &Fields) -> Result<(Vec<ChannelSpec>, bool), HelloError> {
    let mut names = HashSet::new();
    let mut channels = Vec::new();
    for entry in fields.array("channels")?.into_iter().flatten() {
        // The first VROOM text writes an entry as a bare string: reliable and ordered.
        let channel = match entry {
            Value::String(name) if spec::is_legal(spec::canonical(name)) => {
                ChannelSpec::reliable(spec::canonical(name))
            }
            entry => read_spec(&Fields::of(entry)?)?,
        };
        if !names.insert(channel.name.clone()) {
            return Err(HelloError::Invalid);
        }
        channels.push(channel);
    }
    let listed = channels.len();
    channels.retain(|channel| channel.name != spec::CONTROL);
    let lists_control = channels.len() < listed;
    Ok((channels, lists_control))
}

/// Reads the credentials of HELLO and RESUME_REQUEST.
pub(super) fn read_auth(fields: &Fields) -> Result<Auth, HelloError> {
    Ok(match fields.text("type").required()?.as_str() {
        "token" => Auth::Token(fields.text("token").required()?),
        "session" => Auth::Session(fields.text("token").required()?),
        "password" => Auth::Password {
            user: fields.text("user").required()?,
            password: fields.text("password").required()?,
        },
        "pairing" => Auth::Pairing(fields.text("code").required()?),
        "share" => Auth::Share(fields.text("token").required()?),
        "peer" => Auth::Peer,
        _ => return Err(HelloError::AuthType),
    })
}

/// Why a HELLO is refused without asking anyone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HelloError {
    /// It cannot be read.
    Invalid,
    /// Its major version is another.
    Version,
    /// Its credentials are of an unknown type.
    AuthType,
}

impl HelloError {
    /// The code and the words of the CLOSE.
    pub(crate) const fn close(self) -> (Code, &'static str) {
        match self {
            Self::Invalid => (Code::INVALID_MESSAGE, "the HELLO cannot be read"),
            Self::Version => (Code::VERSION_MISMATCH, "version 0 is spoken here"),
            Self::AuthType => (Code::AUTH_FAILED, "unknown type of credentials"),
        }
    }
}

impl From<ControlError> for HelloError {
    fn from(_: ControlError) -> Self {
        Self::Invalid
    }
}
