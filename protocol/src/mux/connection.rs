//! The state of one connection, server or client side.

mod channels;
mod client;
mod closing;
mod control;
mod lanes;
mod outbox;
mod persistence;
mod receive;
mod requests;
mod resume_client;
mod resume_server;
mod server;
mod session;
mod timers;
mod transmit;

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::channel::Channels;
use super::config::{ClientConfig, ServerConfig};
use super::control::{Hello, ResumeRequest};
use super::event::{Event, LaneChange, LinkKind};
use super::fragment::Reassembly;
use super::id::ChannelId;
use super::keepalive::Keepalive;
use super::lane::Lanes;
use super::limits::{ERRORS_PER_SECOND, Faults, RateLimit, UNKNOWN_TYPE_ERRORS_PER_SECOND};
use super::spec::{self, ChannelSpec};

use lanes::Early;
use outbox::Outbox;
use persistence::Persistence;
use requests::Requests;
use session::Sequences;

pub use outbox::PIECE_BYTES;
pub use session::Suspended;

/// One mux connection.
///
/// The link hands over frames as they come, the time with every call. After each call the owner
/// polls until there is nothing left: lane changes first, then events, then frames as far as the
/// link takes them, and last the time of the next `handle_timeout`.
///
/// Time never runs backwards here: an earlier `now` counts as the latest one seen.
#[derive(Debug)]
pub struct Connection {
    side: Side,
    kind: LinkKind,
    stage: Stage,
    /// The latest time that was handed in.
    now: Instant,
    /// Whether anything came in on the control lane yet: the first frame tells the dialects apart.
    heard: bool,
    /// The largest frame payload agreed on.
    frame_bytes_max: usize,
    channels: Channels,
    requests: Requests,
    reassembly: Reassembly,
    sequences: Option<Sequences>,
    keepalive: Keepalive,
    lanes: Lanes,
    early: Early,
    outbox: Outbox,
    error_limit: RateLimit,
    unknown_type_limit: RateLimit,
    faults: Faults,
    resume_attempts: u32,
    persistence: Persistence,
    /// Client: the session that RESUME_REQUEST asks to go on with.
    resuming: Option<Suspended>,
    events: VecDeque<Event>,
    lane_changes: VecDeque<LaneChange>,
}

/// What the two sides do differently needs their configuration.
#[derive(Debug)]
enum Side {
    Server(ServerConfig),
    Client(ClientConfig),
}

/// How far the connection has come.
#[derive(Debug)]
enum Stage {
    /// Server: the client has to say HELLO.
    AwaitHello { deadline: Instant },
    /// Server: the owner has to answer.
    Deciding(Asked),
    /// Client: the server has to answer HELLO.
    AwaitWelcome { deadline: Instant },
    /// Client: the server has to answer RESUME_REQUEST.
    AwaitResume { deadline: Instant },
    /// Channels carry messages.
    Up,
    /// We sent CLOSE and wait for the peer's.
    Closing { deadline: Instant },
    /// Over; until the deadline the last frames may still be polled.
    Closed { flush_until: Option<Instant> },
}

/// What the owner of a server was asked.
#[derive(Debug)]
enum Asked {
    Hello(Box<Hello>),
    Resume(Box<ResumeRequest>),
}

impl Connection {
    /// A server that waits for HELLO, as long as `config` says from now on.
    #[must_use]
    pub fn server(config: ServerConfig, kind: LinkKind, now: Instant) -> Self {
        let deadline = now + config.hello_timeout;
        Self::new(
            Side::Server(config),
            kind,
            Stage::AwaitHello { deadline },
            now,
        )
    }

    /// A client that says HELLO at once.
    #[must_use]
    pub fn client(config: ClientConfig, kind: LinkKind, now: Instant) -> Self {
        let deadline = now + config.welcome_timeout;
        let stage = Stage::AwaitWelcome { deadline };
        let mut connection = Self::new(Side::Client(config), kind, stage, now);
        connection.say_hello();
        connection
    }

    fn new(side: Side, kind: LinkKind, stage: Stage, now: Instant) -> Self {
        Self {
            side,
            kind,
            stage,
            now,
            heard: false,
            frame_bytes_max: FRAME_BYTES_BEFORE_WELCOME,
            channels: Channels::new(),
            requests: Requests::default(),
            reassembly: Reassembly::default(),
            sequences: None,
            keepalive: Keepalive::new(now),
            lanes: Lanes::default(),
            early: Early::default(),
            outbox: Outbox::default(),
            error_limit: RateLimit::new(ERRORS_PER_SECOND, Duration::from_secs(1)),
            unknown_type_limit: RateLimit::new(
                UNKNOWN_TYPE_ERRORS_PER_SECOND,
                Duration::from_secs(1),
            ),
            faults: Faults::new(now),
            resume_attempts: 0,
            persistence: Persistence::default(),
            resuming: None,
            events: VecDeque::new(),
            lane_changes: VecDeque::new(),
        }
    }

    /// The next thing that happened.
    pub fn poll_event(&mut self) -> Option<Event> {
        self.events.pop_front()
    }

    /// The next lane that a [`LinkKind::PerChannel`] link has to open or close; poll it before
    /// frames.
    pub fn poll_lane_change(&mut self) -> Option<LaneChange> {
        self.lane_changes.pop_front()
    }

    /// Says whether channels carry messages: after WELCOME and before CLOSE.
    #[must_use]
    pub const fn is_up(&self) -> bool {
        matches!(self.stage, Stage::Up)
    }

    /// Says whether the transport is to be dropped now.
    #[must_use]
    pub fn is_closed(&self) -> bool {
        match self.stage {
            Stage::Closed { flush_until } => flush_until.is_none() || self.outbox.is_empty(),
            _ => false,
        }
    }

    /// The largest frame payload that is acceptable now, in bytes.
    #[must_use]
    pub const fn frame_limit(&self) -> usize {
        self.frame_bytes_max
    }

    /// What was agreed for an open channel; none is open unless the connection is up.
    #[must_use]
    pub fn channel(&self, id: ChannelId) -> Option<&ChannelSpec> {
        let channel = self
            .channels
            .get(id)
            .filter(|channel| self.is_up() && channel.closing.is_none());
        channel.map(|channel| &channel.spec)
    }

    /// The id of the open channel of this name.
    #[must_use]
    pub fn channel_id(&self, name: &str) -> Option<ChannelId> {
        self.channels
            .by_name(spec::canonical(name))
            .filter(|id| self.channel(*id).is_some())
    }

    /// The moment from which the clock of our PONGs counts.
    #[must_use]
    pub const fn clock_start(&self) -> Instant {
        self.keepalive.start()
    }

    /// The round trip time that the last PONG showed.
    #[must_use]
    pub const fn rtt(&self) -> Option<Duration> {
        self.keepalive.rtt()
    }

    /// Nothing follows `Closed`.
    fn emit(&mut self, event: Event) {
        if !matches!(self.stage, Stage::Closing { .. } | Stage::Closed { .. }) {
            self.events.push_back(event);
        }
    }

    /// Time goes forward only.
    fn advance(&mut self, now: Instant) {
        self.now = self.now.max(now);
    }

    const fn is_server(&self) -> bool {
        matches!(self.side, Side::Server(_))
    }

    /// Takes the smaller of both sides' limits, where 0 stands for none.
    // xumux §HELLO: maxMessageSize bounds the payload of a frame.
    fn agree_frame_bytes(&mut self, theirs: Option<u64>) -> u64 {
        let ours = match &self.side {
            Side::Server(config) => config.max_message_size,
            Side::Client(config) => config.max_message_size,
        };
        let agreed = [
            u64::from(ours),
            theirs.unwrap_or(super::config::MAX_MESSAGE_SIZE.into()),
        ]
        .into_iter()
        .filter(|limit| *limit != 0)
        .min();
        let bytes = agreed
            .and_then(|limit| usize::try_from(limit).ok())
            .unwrap_or(usize::MAX);
        self.frame_bytes_max = bytes.min(super::channel::CONTROL_MESSAGE_BYTES);
        self.outbox.frame_bytes_max = self.frame_bytes_max;
        self.frame_bytes_max as u64
    }
}

/// Why a message or a request was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SendError {
    /// The queue is full; try again after some of it was sent.
    #[error("the queue is full")]
    Full,
    /// No channel with this id is open.
    #[error("the channel is not open")]
    NotOpen,
    /// The message can never be sent on this channel.
    #[error("the message is too large for the channel")]
    TooLarge,
    /// The name is not legal, or a channel of this name is open or asked for.
    #[error("the name is in use or not legal")]
    Name,
    /// The connection is closed, or not up yet.
    #[error("the connection is not up")]
    Closed,
}

/// The largest frame payload before WELCOME, in bytes; a larger one is answered with CLOSE 4005.
pub const FRAME_BYTES_BEFORE_WELCOME: usize = 16 * 1024;
