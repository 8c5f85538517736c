//! What each side brings to a connection.

use std::time::Duration;

use super::auth::{Auth, Secret};
use super::spec::ChannelSpec;

/// How a server answers clients.
#[derive(Clone, Debug)]
pub struct ServerConfig {
    /// The largest frame payload taken, in bytes; at least 1,024.
    pub max_message_size: u32,
    /// A PING goes out after this long without a frame from the client; zero for never.
    pub ping_interval: Duration,
    /// The client is given up when nothing comes for this long after a PING.
    pub ping_timeout: Duration,
    /// How long a client may take to say HELLO.
    pub hello_timeout: Duration,
    /// The extensions that are accepted when a client asks for them.
    pub extensions: Vec<String>,
    /// The application names that are accepted, each the part before the `/`.
    pub applications: Vec<String>,
}

impl Default for ServerConfig {
    /// No session-resume; everything else as the specification has it.
    fn default() -> Self {
        Self {
            max_message_size: MAX_MESSAGE_SIZE,
            ping_interval: PING_INTERVAL,
            ping_timeout: PING_TIMEOUT,
            hello_timeout: HELLO_TIMEOUT,
            extensions: vec![FRAGMENTATION.to_owned()],
            applications: ["vroom", "vroom-graphical", "vroom-terminal"]
                .map(str::to_owned)
                .to_vec(),
        }
    }
}

/// What a client asks for in its HELLO.
#[derive(Clone, Debug)]
pub struct ClientConfig {
    /// Who we are, `name/version`.
    pub application: Option<String>,
    /// Who the user is.
    pub auth: Option<Auth>,
    /// The session to join; none for the user's default one.
    pub session: Option<String>,
    /// The extensions to ask for.
    pub extensions: Vec<String>,
    /// The largest frame payload taken, in bytes; at least 1,024, or 0 for no limit of our own.
    pub max_message_size: u32,
    /// The channels to open with the HELLO.
    pub channels: Vec<ChannelSpec>,
    /// How long the server may take to answer a HELLO.
    pub welcome_timeout: Duration,
    /// How many bytes of sent messages are kept for a replay, where the session can be resumed.
    pub replay_bytes: usize,
}

impl Default for ClientConfig {
    fn default() -> Self {
        Self {
            application: Some("vroom/0.1".to_owned()),
            auth: None,
            session: None,
            extensions: vec![FRAGMENTATION.to_owned()],
            max_message_size: MAX_MESSAGE_SIZE,
            channels: Vec::new(),
            welcome_timeout: WELCOME_TIMEOUT,
            replay_bytes: CLIENT_RING_BYTES,
        }
    }
}

/// What the server tells a client that it takes in.
#[derive(Clone, Debug, Default)]
pub struct WelcomeInfo {
    /// Public id of the session joined.
    pub session: Option<String>,
    /// The user that the credentials stand for.
    pub user: Option<String>,
    /// `owner`, `operator` or `viewer`.
    pub role: Option<String>,
    /// What the server is, for people, for example `vroomd/0.1.0`.
    pub server: Option<String>,
    /// The server's clock: milliseconds since 1970.
    pub time: Option<u64>,
    /// Those channels of the HELLO that are opened; others are ignored.
    pub channels: Vec<ChannelSpec>,
    /// Set to let the session be resumed, which needs `session-resume` in both extension lists.
    pub resume: Option<ResumeGrant>,
}

/// A session that can be resumed after its transport was lost.
#[derive(Clone, Debug)]
pub struct ResumeGrant {
    /// At least 128 random bits, as text.
    pub session_id: Secret,
    /// How long the session is kept; at least 60 s, zero for ever.
    pub timeout: Duration,
    /// How many bytes of sent messages are kept for a replay; raised to 64 KiB when lower.
    pub buffer_bytes: usize,
}

impl ResumeGrant {
    /// A grant with the usual times and sizes: 300 s, 1 MiB.
    #[must_use]
    pub fn new(session_id: Secret) -> Self {
        Self {
            session_id,
            timeout: RESUME_TIMEOUT,
            buffer_bytes: SERVER_RING_BYTES,
        }
    }
}

/// The mux version spoken here.
pub const VERSION: [u64; 3] = [0, 1, 0];

/// The extension id of fragmentation, listed for politeness.
pub const FRAGMENTATION: &str = "fragmentation";
/// The extension id of session-resume.
pub const SESSION_RESUME: &str = "session-resume";
/// The extension id of session-persistence: sessions are listed, named and ended.
pub const SESSION_PERSISTENCE: &str = "session-persistence";
/// The extension id of file-transfer.
pub const FILE_TRANSFER: &str = "file-transfer";
/// The extension id of port-forwarding.
pub const PORT_FORWARDING: &str = "port-forwarding";
/// The extension id that allows SEQ_ACK.
pub const SEQ_ACK: &str = "vroom-seq-ack";

/// The frame payload limit where none is named, in bytes.
pub const MAX_MESSAGE_SIZE: u32 = 65_535;
/// The lowest frame payload limit that may be named, in bytes.
pub const MAX_MESSAGE_SIZE_MIN: u32 = 1024;
/// A PING goes out after this long without a frame.
pub const PING_INTERVAL: Duration = Duration::from_secs(30);
/// How long after a PING the peer is given up.
pub const PING_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a client may take to say HELLO; then CLOSE 4007.
pub const HELLO_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a server may take to answer HELLO; then the client closes with 4007.
pub const WELCOME_TIMEOUT: Duration = Duration::from_secs(30);
/// How long a session can be resumed after its transport was lost.
pub const RESUME_TIMEOUT: Duration = Duration::from_secs(300);
/// What a server keeps for a replay, in bytes; when full the oldest message is dropped.
pub const SERVER_RING_BYTES: usize = 1024 * 1024;
/// What a client keeps for a replay, in bytes; when full the oldest message is dropped.
pub const CLIENT_RING_BYTES: usize = 256 * 1024;
