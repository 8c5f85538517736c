//! Forwarded connections of one client: who listens here, who connects here, and what they say.

mod agent;
mod dial;
mod failure;
mod listen;
mod pipe;
mod tunnel;

use std::collections::{BTreeMap, VecDeque};
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::sync::{Notify, mpsc};
use vroom_protocol::forward::{
    CONNECTIONS_MAX, ConnectionAck, ConnectionName, Direction, Endpoint, ForwardCode,
    ForwardConnection, ForwardRequest, ForwardResponse, Message,
};
use vroom_protocol::{ChannelId, ChannelSpec, Code, Connection, RequestId};

use self::dial::Dial;
use self::failure::Failure;
use self::listen::Listening;
use self::pipe::Stream;
use self::tunnel::Tunnel;

/// Forwarded connections of one client.
#[derive(Debug)]
pub(crate) struct Forwards {
    policy: Policy,
    rights: Rights,
    control: Option<ChannelId>,
    forwards: BTreeMap<u64, Forward>,
    /// Connections that the client has accepted and that are not open yet.
    coming: BTreeMap<ConnectionName, Coming>,
    /// Connections that were accepted here and whose channels are asked for.
    going: BTreeMap<RequestId, (ConnectionName, Stream)>,
    tunnels: BTreeMap<ChannelId, Tunnel>,
    /// What tasks have to tell, bounded by the channel they tell it on.
    news: mpsc::Receiver<News>,
    told: VecDeque<News>,
    tell: mpsc::Sender<News>,
    /// Rings when a tunnel has something to send.
    bell: Arc<Notify>,
}

/// What may be forwarded.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Policy {
    /// Whether anything is.
    pub(crate) enabled: bool,
    /// Whether clients may listen on more than loopback.
    pub(crate) any_address: bool,
}

/// What the client's credentials allow.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Rights {
    /// Whether it may forward ports.
    pub(crate) ports: bool,
    /// Whether it may bring its agent.
    pub(crate) agent: bool,
}

/// Something that is forwarded.
#[derive(Debug)]
enum Forward {
    /// The client listens; connections lead here, and with `None` each says where to.
    There(Option<Endpoint>),
    /// We listen.
    Here {
        /// Ends the listening when it is dropped.
        listening: Listening,
        /// The number of the connection that came last.
        last: u64,
    },
}

/// A connection that the client has accepted.
#[derive(Debug)]
struct Coming {
    /// Its channel is asked for.
    request: Option<RequestId>,
    /// It was announced, and we try to reach its target.
    dial: Option<Dial>,
    /// The target is reached; the channel opens.
    reached: Option<Stream>,
    /// Why the target cannot be reached, for a request of the channel that comes later.
    failed: Option<String>,
    /// When the other half has to be there.
    deadline: Instant,
}

/// What a task has to tell.
#[derive(Debug)]
pub(crate) enum News {
    /// Somebody has connected to where we listen.
    Accepted {
        /// The forward.
        forward: u64,
        /// The connection.
        stream: Stream,
        /// Who it is: an address, or a program.
        source: String,
        /// Its port, or the program's process.
        port: u32,
    },
    /// A target was reached, or not.
    Dialled(ConnectionName, Result<Stream, Failure>),
}

impl Forwards {
    /// Forwards nothing yet.
    pub(crate) fn new(policy: Policy) -> Self {
        let (tell, news) = mpsc::channel(NEWS_MAX);
        Self {
            policy,
            rights: Rights::default(),
            control: None,
            forwards: BTreeMap::new(),
            coming: BTreeMap::new(),
            going: BTreeMap::new(),
            tunnels: BTreeMap::new(),
            news,
            told: VecDeque::new(),
            tell,
            bell: Arc::default(),
        }
    }

    /// Where programs find the client's SSH agent, if it is forwarded.
    pub(crate) fn agent_socket(&self) -> Option<&Path> {
        self.forwards.values().find_map(|forward| match forward {
            Forward::Here { listening, .. } => listening.agent_socket(),
            Forward::There(_) => None,
        })
    }

    /// The client asks for the channel of a connection: it opens once the target is reached.
    pub(crate) fn on_request(
        &mut self,
        now: Instant,
        connection: &mut Connection,
        request: RequestId,
        name: ConnectionName,
    ) {
        if !matches!(self.forwards.get(&name.forward), Some(Forward::There(_))) {
            let reason = "there is no such forward";
            return connection.reject_channel(now, request, Code::WRONG_STATE, reason);
        }
        if !self.coming.contains_key(&name) && self.count() >= CONNECTIONS_MAX {
            let reason = "too many connections are forwarded";
            return connection.reject_channel(now, request, Code::LIMIT_REACHED, reason);
        }
        if let Some(reason) = self.expect(now, name).failed.take() {
            self.coming.remove(&name);
            return connection.reject_channel(now, request, Code::NO_SUCH_TARGET, &reason);
        }
        self.expect(now, name).request = Some(request);
        self.open_if_reached(now, connection, name);
    }

    /// A channel that we asked for was not opened: whoever connected is sent away.
    pub(crate) fn on_rejected(&mut self, request: RequestId) {
        self.going.remove(&request);
    }

    /// The channel that things are agreed on is open.
    pub(crate) fn on_control_opened(&mut self, channel: ChannelId, rights: Rights) {
        self.control = Some(channel);
        self.rights = rights;
    }

    /// The channel that things are agreed on is gone: nobody listens any more. Connections go on.
    pub(crate) fn on_control_closed(&mut self) {
        self.control = None;
        self.forwards.clear();
    }

    /// The channel of a connection is open, from either side.
    pub(crate) fn on_opened(
        &mut self,
        now: Instant,
        connection: &mut Connection,
        channel: ChannelId,
        name: ConnectionName,
    ) {
        let asked = self.going.iter().find(|(_, (going, _))| *going == name);
        let stream = match asked.map(|(request, _)| *request) {
            Some(request) => self.going.remove(&request).map(|(_, stream)| stream),
            None => self.coming.remove(&name).and_then(|coming| coming.reached),
        };
        match stream {
            Some(stream) => {
                let tunnel = Tunnel::start(stream, Arc::clone(&self.bell));
                self.tunnels.insert(channel, tunnel);
            }
            None => connection.close_channel(now, channel, "nobody is there any more"),
        }
    }

    /// The channel of a connection is gone; what came before still reaches its target.
    pub(crate) fn on_closed(&mut self, channel: ChannelId) {
        self.tunnels.remove(&channel);
    }

    /// Takes a message of the channel of a connection.
    pub(crate) fn on_data(
        &mut self,
        now: Instant,
        connection: &mut Connection,
        channel: ChannelId,
        kind: u8,
        payload: Bytes,
    ) {
        let Some(tunnel) = self.tunnels.get_mut(&channel) else {
            return;
        };
        if let Err(error) = tunnel.on_message(kind, payload) {
            connection.error(now, error.code(), Some(channel), &error.to_string());
            connection.close_channel(now, channel, "the messages make no sense");
        }
    }

    /// Takes a message of the control channel.
    pub(crate) fn on_message(
        &mut self,
        now: Instant,
        connection: &mut Connection,
        kind: u8,
        payload: &[u8],
    ) {
        match Message::decode(kind, payload) {
            Ok(Message::Request(request)) => {
                let response = ForwardResponse {
                    forward_id: request.forward_id,
                    outcome: self.start(request).map_err(Failure::into_parts),
                };
                self.say(now, connection, &Message::Response(response));
            }
            Ok(Message::Cancel { forward_id }) => drop(self.forwards.remove(&forward_id)),
            Ok(Message::Connection(announced)) => self.announced(now, connection, &announced),
            // What became of connections that we announced shows on their channels.
            Ok(Message::ConnectionAck(_) | Message::Response(_)) => {}
            Err(error) => connection.error(now, error.code(), self.control, &error.to_string()),
        }
    }

    /// Does what tasks told, and sends what programs wrote.
    pub(crate) fn pump(&mut self, now: Instant, connection: &mut Connection) {
        while let Some(news) = self.told.pop_front().or_else(|| self.news.try_recv().ok()) {
            match news {
                News::Accepted {
                    forward,
                    stream,
                    source,
                    port,
                } => self.accepted(now, connection, forward, stream, (source, port)),
                News::Dialled(name, outcome) => self.dialled(now, connection, name, outcome),
            }
        }
        self.give_up(now, connection);
        for (channel, tunnel) in &mut self.tunnels {
            tunnel.pump(now, connection, *channel);
        }
    }

    /// Waits until there is something to pump; cancel-safe.
    pub(crate) async fn ready(&mut self) {
        tokio::select! {
            news = self.news.recv() => self.told.extend(news),
            () = self.bell.notified() => {}
        }
    }

    /// When a connection has waited too long for its other half.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        let waiting = self.coming.values().filter(|coming| !coming.is_complete());
        waiting.map(|coming| coming.deadline).min()
    }

    /// Starts to forward; returns the port that is listened on.
    fn start(&mut self, request: ForwardRequest) -> Result<u16, Failure> {
        if !self.policy.enabled {
            let reason = "this server forwards nothing";
            return Err(Failure::new(ForwardCode::FORWARD_DISABLED, reason));
        }
        let is_allowed = match request.direction {
            Direction::Agent => self.rights.agent,
            _ => self.rights.ports,
        };
        if !is_allowed {
            let reason = "these credentials do not allow that";
            return Err(Failure::new(ForwardCode::PERMISSION_DENIED, reason));
        }
        if self.forwards.contains_key(&request.forward_id) {
            let reason = "the forwardId is in use";
            return Err(Failure::new(ForwardCode::INVALID_ADDRESS, reason));
        }
        if self.forwards.len() >= FORWARDS_MAX {
            let reason = "too many forwards";
            return Err(Failure::new(ForwardCode::FORWARD_LIMIT, reason));
        }
        let (forward, port) = match request.direction {
            Direction::Local => {
                dial::check(&request.target)?;
                (Forward::There(Some(request.target)), request.bind.port)
            }
            Direction::Dynamic => (Forward::There(None), request.bind.port),
            Direction::Remote => {
                let any_address = self.policy.any_address;
                let tell = self.tell.clone();
                let listening =
                    Listening::start(request.forward_id, &request.bind, any_address, tell)?;
                let port = listening.port();
                (Forward::Here { listening, last: 0 }, port)
            }
            Direction::Agent => {
                if self.agent_socket().is_some() {
                    let reason = "the agent is forwarded already";
                    return Err(Failure::new(ForwardCode::FORWARD_LIMIT, reason));
                }
                let listening = Listening::start_agent(request.forward_id, self.tell.clone())?;
                (Forward::Here { listening, last: 0 }, 0)
            }
        };
        self.forwards.insert(request.forward_id, forward);
        Ok(port)
    }

    /// The client has accepted a connection: tries to reach its target.
    fn announced(
        &mut self,
        now: Instant,
        connection: &mut Connection,
        announced: &ForwardConnection,
    ) {
        let name = ConnectionName::parse(&announced.channel_name)
            .filter(|name| name.forward == announced.forward_id);
        let target = match self.forwards.get(&announced.forward_id) {
            Some(Forward::There(target)) => target.as_ref().or(announced.target.as_ref()),
            _ => None,
        };
        let (Some(name), Some(target)) = (name, target.cloned()) else {
            let reason = "there is no such forward, or it says no target";
            let failure = Failure::new(ForwardCode::INVALID_ADDRESS, reason);
            return self.acknowledge(now, connection, announced, Err(failure));
        };
        let is_new = self
            .coming
            .get(&name)
            .is_none_or(|coming| coming.dial.is_none() && coming.reached.is_none());
        if !is_new || connection.channel_id(&announced.channel_name).is_some() {
            let failure = Failure::new(ForwardCode::INVALID_ADDRESS, "the name is in use");
            return self.acknowledge(now, connection, announced, Err(failure));
        }
        if !self.coming.contains_key(&name) && self.count() >= CONNECTIONS_MAX {
            let reason = "too many connections are forwarded";
            let failure = Failure::new(ForwardCode::FORWARD_LIMIT, reason);
            return self.acknowledge(now, connection, announced, Err(failure));
        }
        let dial = Dial::start(name, target, self.tell.clone());
        let coming = self.expect(now, name);
        coming.dial = Some(dial);
        coming.failed = None;
    }

    /// A target was reached, or not: answers both halves.
    fn dialled(
        &mut self,
        now: Instant,
        connection: &mut Connection,
        name: ConnectionName,
        outcome: Result<Stream, Failure>,
    ) {
        let Some(coming) = self.coming.get_mut(&name) else {
            return;
        };
        coming.dial = None;
        let outcome = match outcome {
            Ok(stream) => {
                coming.reached = Some(stream);
                Ok(())
            }
            Err(failure) => {
                if let Some(request) = coming.request {
                    let code = Code::NO_SUCH_TARGET;
                    connection.reject_channel(now, request, code, &failure.reason);
                    self.coming.remove(&name);
                } else {
                    coming.failed = Some(failure.reason.to_string());
                }
                Err(failure)
            }
        };
        let ack = ConnectionAck {
            forward_id: name.forward,
            channel_name: name.to_string(),
            outcome: outcome.map_err(Failure::into_parts),
        };
        self.say(now, connection, &Message::ConnectionAck(ack));
        self.open_if_reached(now, connection, name);
    }

    /// Somebody has connected to where we listen: asks the client for a channel.
    fn accepted(
        &mut self,
        now: Instant,
        connection: &mut Connection,
        id: u64,
        stream: Stream,
        (source_address, source_port): (String, u32),
    ) {
        let is_full = self.count() >= CONNECTIONS_MAX;
        let Some(Forward::Here { last, .. }) = self.forwards.get_mut(&id) else {
            return;
        };
        if is_full {
            tracing::debug!("too many connections are forwarded");
            return;
        }
        *last += 1;
        let name = ConnectionName {
            forward: id,
            connection: *last,
        };
        let channel_name = name.to_string();
        let request = match connection.open_channel(now, ChannelSpec::reliable(&*channel_name)) {
            Ok(request) => request,
            Err(error) => {
                tracing::debug!(%error, "a connection was not forwarded");
                return;
            }
        };
        self.going.insert(request, (name, stream));
        let announcement = ForwardConnection {
            forward_id: id,
            channel_name,
            source_address,
            source_port,
            target: None,
        };
        self.say(now, connection, &Message::Connection(announcement));
    }

    /// Opens the channel of a connection whose two halves are there.
    fn open_if_reached(&mut self, now: Instant, connection: &mut Connection, name: ConnectionName) {
        let Some(coming) = self.coming.get_mut(&name) else {
            return;
        };
        if coming.reached.is_none() {
            return;
        }
        if let Some(request) = coming.request.take()
            && connection.accept_channel(now, request).is_none()
        {
            self.coming.remove(&name);
        }
    }

    /// Lets go of connections whose other half did not come in time.
    fn give_up(&mut self, now: Instant, connection: &mut Connection) {
        self.coming.retain(|_, coming| {
            let is_late = coming.deadline <= now && !coming.is_complete();
            if is_late && let Some(request) = coming.request {
                let reason = "FORWARD_CONNECTION did not come";
                connection.reject_channel(now, request, Code::WRONG_STATE, reason);
            }
            !is_late
        });
    }

    fn acknowledge(
        &mut self,
        now: Instant,
        connection: &mut Connection,
        announced: &ForwardConnection,
        outcome: Result<(), Failure>,
    ) {
        let ack = ConnectionAck {
            forward_id: announced.forward_id,
            channel_name: announced.channel_name.clone(),
            outcome: outcome.map_err(Failure::into_parts),
        };
        self.say(now, connection, &Message::ConnectionAck(ack));
    }

    fn say(&mut self, now: Instant, connection: &mut Connection, message: &Message) {
        let Some(control) = self.control else {
            return;
        };
        let (kind, payload) = message.encode();
        if let Err(error) = connection.send(now, control, kind, payload) {
            tracing::debug!(%error, "a message about forwards was not sent");
            connection.close_channel(now, control, "answers are not being read");
        }
    }

    fn expect(&mut self, now: Instant, name: ConnectionName) -> &mut Coming {
        self.coming.entry(name).or_insert_with(|| Coming {
            request: None,
            dial: None,
            reached: None,
            failed: None,
            deadline: now + HALVES_TIMEOUT,
        })
    }

    /// All connections, those included that are not open yet.
    fn count(&self) -> usize {
        self.coming.len() + self.going.len() + self.tunnels.len()
    }
}

impl Coming {
    /// Whether nothing is awaited that only the client can bring.
    fn is_complete(&self) -> bool {
        // While the target is looked for, that has a time of its own.
        self.dial.is_some() || (self.request.is_none() && self.reached.is_some())
    }
}

/// The forwards of one client; with one more FORWARD_REQUEST gets 7002.
const FORWARDS_MAX: usize = 64;

/// What tasks may have told that was not taken yet; then they wait, and with them who connects.
const NEWS_MAX: usize = 64;

/// How long OPEN_CHANNEL and FORWARD_CONNECTION may be apart; then the first is refused.
const HALVES_TIMEOUT: Duration = Duration::from_secs(10);
