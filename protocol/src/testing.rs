//! Two connections joined by a virtual network, with a virtual clock.
//!
//! Nothing here waits: the clock jumps to the next thing that happens. The same seed and the same
//! calls give the same run.

mod network;
mod random;

use std::time::{Duration, Instant};

use network::{Lane, Network, Packet};
use random::Random;

use crate::mux::{
    ChannelSpec, ClientConfig, Connection, Event, LaneChange, LinkKind, ServerConfig, Transmit,
    WelcomeInfo,
};

/// A client and a server with a network between them.
#[derive(Debug)]
pub struct Pair {
    client: Peer,
    server: Peer,
    network: Network,
    kind: LinkKind,
    now: Instant,
    accept_channels: bool,
}

/// How the network treats what it carries.
#[derive(Clone, Copy, Debug)]
pub struct Weather {
    /// Where the random numbers start.
    pub seed: u64,
    /// The shortest time that a frame takes.
    pub delay_min: Duration,
    /// The longest time that a frame takes; lanes overtake each other within the difference.
    pub delay_max: Duration,
    /// How many of a thousand frames are lost, on lanes that may lose them.
    pub loss_per_mille: u32,
}

impl Default for Weather {
    /// 10 ms always, nothing lost.
    fn default() -> Self {
        let delay = Duration::from_millis(10);
        Self {
            seed: 1,
            delay_min: delay,
            delay_max: delay,
            loss_per_mille: 0,
        }
    }
}

/// One end of a [`Pair`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum End {
    /// The one that said HELLO.
    Client,
    /// The one that answered.
    Server,
}

impl End {
    /// The end across.
    #[must_use]
    pub const fn other(self) -> Self {
        match self {
            Self::Client => Self::Server,
            Self::Server => Self::Client,
        }
    }
}

#[derive(Debug)]
struct Peer {
    connection: Connection,
    events: Vec<Event>,
    /// Whether the link takes frames at all.
    reading: bool,
}

impl Peer {
    const fn new(connection: Connection) -> Self {
        Self {
            connection,
            events: Vec::new(),
            reading: true,
        }
    }
}

impl Pair {
    /// Joins two connections; nothing has been sent yet.
    #[must_use]
    pub fn join(
        client: Connection,
        server: Connection,
        kind: LinkKind,
        now: Instant,
        weather: Weather,
    ) -> Self {
        let mut pair = Self {
            client: Peer::new(client),
            server: Peer::new(server),
            network: Network::new(weather),
            kind,
            now,
            accept_channels: true,
        };
        pair.drain(End::Client);
        pair.drain(End::Server);
        pair
    }

    /// Joins a client and a server and lets them greet each other: every channel of the HELLO is
    /// accepted, as `welcome` says for the rest.
    ///
    /// # Panics
    ///
    /// When the client does not say HELLO within a minute.
    #[must_use]
    pub fn up(
        client: ClientConfig,
        server: ServerConfig,
        welcome: WelcomeInfo,
        kind: LinkKind,
        weather: Weather,
    ) -> Self {
        let now = start();
        let client = Connection::client(client, kind, now);
        let server = Connection::server(server, kind, now);
        let mut pair = Self::join(client, server, kind, now, weather);
        pair.greet(welcome);
        pair
    }

    /// Answers the HELLO that is under way and runs until nothing is.
    ///
    /// # Panics
    ///
    /// When no HELLO arrives within a minute.
    pub fn greet(&mut self, welcome: WelcomeInfo) {
        let until = self.now + Duration::from_secs(60);
        loop {
            let hello = self
                .server
                .events
                .iter()
                .position(|event| matches!(event, Event::Hello(_)));
            if let Some(index) = hello
                && let Event::Hello(hello) = self.server.events.remove(index)
            {
                let welcome = WelcomeInfo {
                    channels: hello.channels,
                    ..welcome
                };
                self.on(End::Server, |server, now| server.accept(now, welcome));
                break;
            }
            assert!(self.step(until), "no HELLO came");
        }
        self.settle();
    }

    /// Whether channels that either side asks for are accepted without asking; so at first.
    pub const fn set_accept_channels(&mut self, accept: bool) {
        self.accept_channels = accept;
    }

    /// Whether an end takes what its peer sent; what it does not take waits in the peer's queues.
    pub fn set_reading(&mut self, end: End, reading: bool) {
        self.peer(end).reading = reading;
        self.drain(end.other());
    }

    /// The virtual time.
    #[must_use]
    pub const fn now(&self) -> Instant {
        self.now
    }

    /// Does something to a connection and carries off what it sends.
    pub fn on<T>(&mut self, end: End, act: impl FnOnce(&mut Connection, Instant) -> T) -> T {
        let now = self.now;
        let result = act(&mut self.peer(end).connection, now);
        self.drain(end);
        result
    }

    /// Looks at a connection.
    #[must_use]
    pub const fn connection(&self, end: End) -> &Connection {
        match end {
            End::Client => &self.client.connection,
            End::Server => &self.server.connection,
        }
    }

    /// Takes the events that an end has had since the last call.
    pub fn events(&mut self, end: End) -> Vec<Event> {
        std::mem::take(&mut self.peer(end).events)
    }

    /// Runs until nothing is under way; deadlines of the connections do not count.
    pub fn settle(&mut self) {
        while let Some(at) = self.network.next_arrival() {
            self.run_until(at);
        }
    }

    /// Lets time pass, and all that happens in it happen.
    pub fn run_for(&mut self, time: Duration) {
        self.run_until(self.now + time);
    }

    /// Ends the transport: what is under way is lost.
    pub fn cut(&mut self) {
        self.network.clear();
        for end in [End::Client, End::Server] {
            self.on(end, Connection::handle_disconnected);
        }
        self.network.clear();
    }

    /// Takes the two connections apart, client first.
    #[must_use]
    pub fn split(self) -> (Connection, Connection) {
        (self.client.connection, self.server.connection)
    }

    fn run_until(&mut self, until: Instant) {
        while self.step(until) {}
        self.now = self.now.max(until);
    }

    /// Lets the next thing happen, unless it happens after `until`.
    fn step(&mut self, until: Instant) -> bool {
        let deadline = |peer: &Peer| peer.connection.poll_timeout();
        let due = [
            deadline(&self.client),
            deadline(&self.server),
            self.network.next_arrival(),
        ];
        let Some(next) = due
            .iter()
            .flatten()
            .min()
            .copied()
            .filter(|next| *next <= until)
        else {
            return false;
        };
        self.now = self.now.max(next);
        if let Some((end, packet)) = self.network.arrive(self.now) {
            self.arrived(end, packet);
            return true;
        }
        for end in [End::Client, End::Server] {
            if self
                .connection(end)
                .poll_timeout()
                .is_some_and(|due| due <= self.now)
            {
                self.on(end, Connection::handle_timeout);
                // A deadline that stays would stop the clock for ever.
                let next = self.connection(end).poll_timeout();
                assert!(
                    next.is_none_or(|next| next > self.now),
                    "a deadline did not move"
                );
            }
        }
        true
    }

    fn arrived(&mut self, end: End, packet: Packet) {
        let shared = self.kind == LinkKind::Shared;
        match packet {
            Packet::Frame { lane, frame } => self.on(end, |connection, now| {
                let lane = (!shared).then_some(lane.as_str());
                connection.handle_message(now, lane, frame);
            }),
            Packet::LaneOpened { name } => {
                self.on(end, |connection, now| {
                    connection.handle_lane_opened(now, &name);
                });
            }
            Packet::LaneClosed { name } => {
                self.on(end, |connection, now| {
                    connection.handle_lane_closed(now, &name);
                });
            }
        }
    }

    /// Polls all there is to poll.
    fn drain(&mut self, end: End) {
        while let Some(change) = self.peer(end).connection.poll_lane_change() {
            match change {
                LaneChange::Open(spec) => self.network.open(end, self.now, &Lane::of(&spec)),
                LaneChange::Close(name) => self.network.close(end, self.now, &name),
            }
        }
        while let Some(event) = self.peer(end).connection.poll_event() {
            if self.accept_channels
                && let Event::ChannelRequested { request, .. } = &event
            {
                let now = self.now;
                self.peer(end).connection.accept_channel(now, *request);
            }
            self.peer(end).events.push(event);
        }
        while self.peer(end.other()).reading
            && let Some(transmit) = self.peer(end).connection.poll_transmit()
        {
            let Transmit { lane, frame, .. } = transmit;
            let lane = if self.kind == LinkKind::Shared {
                Lane::shared()
            } else {
                self.lane(end, &lane)
            };
            self.network.send(end, self.now, &lane, frame);
        }
        // What was sent may have closed a channel, and its lane.
        if let Some(change) = self.peer(end).connection.poll_lane_change() {
            match change {
                LaneChange::Open(spec) => self.network.open(end, self.now, &Lane::of(&spec)),
                LaneChange::Close(name) => self.network.close(end, self.now, &name),
            }
            self.drain(end);
        }
    }

    /// The lane of this name, as reliable as its channel.
    fn lane(&mut self, end: End, name: &str) -> Lane {
        let connection = &self.peer(end).connection;
        let spec = connection
            .channel_id(name)
            .and_then(|id| connection.channel(id));
        spec.map_or_else(|| Lane::of(&ChannelSpec::reliable(name)), Lane::of)
    }

    const fn peer(&mut self, end: End) -> &mut Peer {
        match end {
            End::Client => &mut self.client,
            End::Server => &mut self.server,
        }
    }
}

/// Some instant for a virtual clock to start from.
#[must_use]
#[expect(
    clippy::disallowed_methods,
    reason = "a virtual clock has to start somewhere"
)]
pub fn start() -> Instant {
    Instant::now()
}
