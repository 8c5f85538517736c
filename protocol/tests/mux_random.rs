//! Random operations on two connections and a network that delays, reorders and loses.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::cast_possible_truncation,
    reason = "helpers of tests may fail the test"
)]

mod mux_support;

use std::collections::{BTreeSet, HashMap};
use std::time::Duration;

use bytes::Bytes;
use proptest::prelude::*;
use vroom_protocol::mux::{SEQ_ACK, SESSION_PERSISTENCE, SESSION_RESUME, SessionEntry};
use vroom_protocol::testing::{End, Pair, Weather};
use vroom_protocol::{
    ChannelId, ChannelSpec, ClientConfig, Code, Connection, Event, LinkKind, ResumeGrant, Secret,
    ServerConfig, WelcomeInfo,
};

const NAMES: [&str; 6] = [
    "data",
    "more",
    "video",
    "button",
    "pointer",
    "vroom.terminal.pty",
];

/// What may be done.
#[derive(Clone, Debug)]
enum Operation {
    Send {
        from: End,
        name: usize,
        bytes: usize,
    },
    SendControl {
        from: End,
        bytes: usize,
    },
    Open {
        by: End,
        name: usize,
    },
    Close {
        by: End,
        name: usize,
    },
    Ping {
        by: End,
    },
    Complain {
        by: End,
    },
    Pass {
        ms: u64,
    },
    Stall {
        end: End,
    },
    /// The client asks which sessions there are.
    List,
    Lose,
}

fn end() -> impl Strategy<Value = End> {
    prop_oneof![Just(End::Client), Just(End::Server)]
}

fn operation() -> impl Strategy<Value = Operation> {
    let name = 0..NAMES.len();
    let bytes = prop_oneof![4 => 12_usize..200, 1 => 12_usize..40_000];
    prop_oneof![
        12 => (end(), name.clone(), bytes.clone()).prop_map(|(from, name, bytes)| Operation::Send { from, name, bytes }),
        2 => (end(), bytes).prop_map(|(from, bytes)| Operation::SendControl { from, bytes }),
        4 => (end(), name.clone()).prop_map(|(by, name)| Operation::Open { by, name }),
        3 => (end(), name).prop_map(|(by, name)| Operation::Close { by, name }),
        1 => end().prop_map(|by| Operation::Ping { by }),
        1 => end().prop_map(|by| Operation::Complain { by }),
        8 => (0_u64..3000).prop_map(|ms| Operation::Pass { ms }),
        1 => end().prop_map(|end| Operation::Stall { end }),
        2 => Just(Operation::List),
        1 => Just(Operation::Lose),
    ]
}

/// A run and what is known of it.
struct Run {
    pair: Option<Pair>,
    kind: LinkKind,
    weather: Weather,
    count: u32,
    /// Messages on reliable channels that have to arrive: number, receiver, channel.
    expected: BTreeSet<(u32, bool, usize)>,
    delivered: BTreeSet<u32>,
    /// The last number delivered to an end on a name.
    last: HashMap<(End, usize), u32>,
    /// The name of each open channel, as an end sees it.
    names: HashMap<(End, ChannelId), usize>,
    complaints: usize,
    /// Lists that the client still has to get.
    lists: usize,
    stalled_ms: u64,
    /// The session could not go on, as may happen when a ring overflows.
    over: bool,
}

const CONTROL: usize = NAMES.len();

impl Run {
    fn new(kind: LinkKind, weather: Weather) -> Self {
        let pair = Pair::up(client_config(), server_config(), welcome(), kind, weather);
        Self {
            pair: Some(pair),
            kind,
            weather,
            count: 0,
            expected: BTreeSet::new(),
            delivered: BTreeSet::new(),
            last: HashMap::new(),
            names: HashMap::new(),
            complaints: 0,
            lists: 0,
            stalled_ms: 0,
            over: false,
        }
    }

    fn pair(&mut self) -> &mut Pair {
        self.pair.as_mut().unwrap()
    }

    fn perform(&mut self, operation: &Operation) {
        match *operation {
            Operation::Send { from, name, bytes } => self.send(from, name, bytes),
            Operation::SendControl { from, bytes } => {
                let payload = self.payload(CONTROL, bytes);
                let sent = self.pair().on(from, |connection, now| {
                    connection.send(now, ChannelId::CONTROL, 0x90, payload)
                });
                if sent.is_ok() {
                    self.expect(from, CONTROL);
                }
            }
            Operation::Open { by, name } => {
                let spec = match NAMES[name] {
                    "pointer" => ChannelSpec::lossy("pointer"),
                    name => ChannelSpec::reliable(name),
                };
                let _ = self
                    .pair()
                    .on(by, |connection, now| connection.open_channel(now, spec));
            }
            Operation::Close { by, name } => {
                if let Some(id) = self.pair().connection(by).channel_id(NAMES[name]) {
                    self.pair().on(by, |connection, now| {
                        connection.close_channel(now, id, "random");
                    });
                }
            }
            Operation::Ping { by } => self.pair().on(by, Connection::ping),
            Operation::Complain { by } => {
                self.complaints += 1;
                self.pair().on(by, |connection, now| {
                    connection.error(now, Code::NOT_ALLOWED, None, "random");
                });
            }
            Operation::Pass { ms } => {
                // Whoever stalls for longer than an id is in quarantine gets to hear of it.
                self.stalled_ms += ms;
                if self.stalled_ms > 3000 {
                    self.read_on();
                }
                self.pair().run_for(Duration::from_millis(ms));
            }
            Operation::Stall { end } => self.pair().set_reading(end, false),
            Operation::List if self.lists < 16 => {
                let asked = self
                    .pair()
                    .on(End::Client, Connection::request_session_list);
                self.lists += usize::from(asked.is_ok());
            }
            Operation::List => {}
            Operation::Lose => self.lose(),
        }
        if !self.over {
            self.observe();
        }
    }

    fn send(&mut self, from: End, name: usize, bytes: usize) {
        let Some(id) = self.pair().connection(from).channel_id(NAMES[name]) else {
            return;
        };
        let payload = self.payload(name, bytes);
        let sent = self
            .pair()
            .on(from, |connection, now| connection.send(now, id, 9, payload));
        if sent.is_ok() && NAMES[name] != "pointer" {
            self.expect(from, name);
        }
    }

    fn expect(&mut self, from: End, name: usize) {
        self.expected
            .insert((self.count, from == End::Client, name));
    }

    /// A message that says its number, its channel and its length.
    fn payload(&mut self, name: usize, bytes: usize) -> Bytes {
        self.count += 1;
        let mut payload = vec![self.count.to_le_bytes()[0]; bytes];
        payload[..4].copy_from_slice(&self.count.to_be_bytes());
        payload[4] = u8::try_from(name).unwrap();
        payload[5..9].copy_from_slice(&u32::try_from(bytes).unwrap().to_be_bytes());
        payload.into()
    }

    fn observe(&mut self) {
        for end in [End::Client, End::Server] {
            for event in self.pair().events(end) {
                match event {
                    Event::Message {
                        channel,
                        kind,
                        payload,
                    } => self.received(end, channel, kind, &payload),
                    Event::ChannelOpened { id, spec, .. } => self.named(end, id, &spec),
                    Event::Resumed { channels } => {
                        self.names.retain(|(at, _), _| *at != end);
                        channels
                            .iter()
                            .for_each(|(id, spec)| self.named(end, *id, spec));
                    }
                    Event::ChannelClosed { name, .. } => {
                        let name = index(&name);
                        self.expected.retain(|(.., channel)| *channel != name);
                    }
                    Event::PeerError { code, .. } => {
                        assert_eq!(code, Code::NOT_ALLOWED, "an error that nobody made");
                        self.complaints = self
                            .complaints
                            .checked_sub(1)
                            .expect("as many as were made");
                    }
                    Event::SessionListRequested { .. } => {
                        let sessions = vec![SessionEntry::default(); 1000];
                        self.pair().on(end, |connection, now| {
                            connection.send_session_list(now, sessions);
                        });
                    }
                    Event::SessionList(sessions) => {
                        assert_eq!((end, sessions.len()), (End::Client, 1000));
                        self.lists = self.lists.checked_sub(1).expect("as many as asked for");
                    }
                    Event::Closed { code, reason, .. } => panic!("{end:?} closed: {code} {reason}"),
                    Event::ResumeFailed { code, .. } => panic!("{code}"),
                    _ => {}
                }
            }
        }
    }

    fn named(&mut self, end: End, id: ChannelId, spec: &ChannelSpec) {
        self.names.insert((end, id), index(&spec.name));
    }

    fn received(&mut self, end: End, channel: ChannelId, kind: u8, payload: &Bytes) {
        let number = u32::from_be_bytes(payload[..4].try_into().unwrap());
        let name = usize::from(payload[4]);
        assert_eq!(
            payload[5..9],
            u32::try_from(payload.len()).unwrap().to_be_bytes(),
            "cut"
        );
        assert!(
            payload[9..]
                .iter()
                .all(|byte| *byte == number.to_le_bytes()[0]),
            "mixed"
        );
        if name == CONTROL {
            assert_eq!((channel, kind), (ChannelId::CONTROL, 0x90));
        } else {
            assert_eq!(
                self.names.get(&(end, channel)),
                Some(&name),
                "on the wrong channel"
            );
            assert_eq!(kind, 9);
        }
        assert!(self.delivered.insert(number), "delivered twice");
        if name == CONTROL || NAMES[name] != "pointer" {
            let last = self.last.insert((end, name), number);
            assert!(last < Some(number), "out of order");
        }
        self.expected.remove(&(number, end == End::Server, name));
    }

    /// The transport is lost, and the session goes on over a new one.
    fn lose(&mut self) {
        let mut pair = self.pair.take().unwrap();
        pair.cut();
        let now = pair.now();
        for end in [End::Client, End::Server] {
            for event in pair.events(end) {
                match event {
                    Event::ChannelOpened { id, spec, .. } => self.named(end, id, &spec),
                    Event::ChannelClosed { name, .. } => {
                        self.expected
                            .retain(|(.., channel)| *channel != index(&name));
                    }
                    _ => {}
                }
            }
        }
        let (mut client, mut server) = pair.split();
        // Lost before the client knew what to resume by.
        let (Some(client), Some(server)) = (client.suspend(now), server.suspend(now)) else {
            self.over = true;
            return;
        };
        // Neither is numbered.
        self.expected
            .retain(|(.., name)| *name != CONTROL && NAMES[*name] != "video");
        self.complaints = 0;
        self.lists = 0;

        let client = Connection::client_resume(client_config(), self.kind, now, client);
        let fresh = Connection::server(server_config(), self.kind, now);
        self.weather.seed += 1;
        let mut pair = Pair::join(client, fresh, self.kind, now, self.weather);
        let mut waiting = Some(server);
        while let Some(session) = waiting.take() {
            pair.run_for(Duration::from_millis(5));
            let asked = pair
                .events(End::Server)
                .iter()
                .any(|event| matches!(event, Event::ResumeRequested { .. }));
            if !asked {
                waiting = Some(session);
                continue;
            }
            let refused = pair.on(End::Server, |connection, now| {
                connection.resume(now, session).is_err()
            });
            if refused {
                self.over = true;
                return;
            }
        }
        // Long enough for the answer.
        pair.run_for(Duration::from_secs(1));
        self.over = !pair.connection(End::Client).is_up();
        if self.over {
            let closed = pair.events(End::Client);
            assert!(
                closed.iter().any(|event| matches!(
                    event,
                    Event::Closed {
                        code: Code::BUFFER_OVERFLOW,
                        ..
                    }
                )),
                "{closed:?}"
            );
        }
        self.pair = Some(pair);
    }

    fn read_on(&mut self) {
        self.stalled_ms = 0;
        for end in [End::Client, End::Server] {
            self.pair().set_reading(end, true);
        }
    }

    /// Lets everything come to rest and compares the ends.
    fn finish(mut self) {
        if self.over {
            return;
        }
        self.read_on();
        self.pair().run_for(Duration::from_secs(20));
        self.pair().settle();
        self.observe();
        // The answers to what was asked last.
        self.pair().settle();
        self.observe();
        let open = |connection: &Connection| NAMES.map(|name| connection.channel_id(name));
        let pair = self.pair();
        assert_eq!(
            open(pair.connection(End::Client)),
            open(pair.connection(End::Server)),
            "both agree"
        );
        for id in (0..=254).map(ChannelId) {
            assert_eq!(pair.connection(End::Client).queued_bytes(id), 0);
            assert_eq!(pair.connection(End::Server).queued_bytes(id), 0);
        }
        assert_eq!(self.expected, BTreeSet::new(), "all arrived");
        assert_eq!(self.lists, 0, "all were answered");
    }
}

fn index(name: &str) -> usize {
    NAMES.iter().position(|known| *known == name).unwrap()
}

fn extensions() -> Vec<String> {
    [
        "fragmentation",
        SESSION_RESUME,
        SEQ_ACK,
        SESSION_PERSISTENCE,
    ]
    .map(str::to_owned)
    .to_vec()
}

fn client_config() -> ClientConfig {
    let channels = vec![ChannelSpec::reliable("data"), ChannelSpec::lossy("pointer")];
    ClientConfig {
        channels,
        extensions: extensions(),
        ..ClientConfig::default()
    }
}

fn server_config() -> ServerConfig {
    // An end that does not read would be taken for lost.
    ServerConfig {
        extensions: extensions(),
        ping_interval: Duration::ZERO,
        ..ServerConfig::default()
    }
}

fn welcome() -> WelcomeInfo {
    WelcomeInfo {
        resume: Some(ResumeGrant::new(Secret::new("id"))),
        ..WelcomeInfo::default()
    }
}

fn weather() -> impl Strategy<Value = Weather> {
    (any::<u32>(), 0_u64..50, 0_u64..300, 0_u32..300).prop_map(
        |(seed, min, spread, loss_per_mille)| Weather {
            seed: seed.into(),
            delay_min: Duration::from_millis(min),
            delay_max: Duration::from_millis(min + spread),
            loss_per_mille,
        },
    )
}

proptest! {

    #[test]
    fn whatever_is_done_nothing_is_lost_doubled_or_mixed(
        shared: bool,
        weather in weather(),
        operations in prop::collection::vec(operation(), 1..150),
    ) {
        let kind = if shared { LinkKind::Shared } else { LinkKind::PerChannel };
        let mut run = Run::new(kind, weather);
        run.observe();
        for operation in &operations {
            if run.over {
                break;
            }
            run.perform(operation);
        }
        run.finish();
    }

    #[test]
    fn whatever_a_peer_sends_never_panics(
        frames in prop::collection::vec((0_u8..=255, any::<u8>(), 0_u8..8, prop::collection::vec(any::<u8>(), 0..60), 0_u64..2000), 0..60),
        welcomed: bool,
        client: bool,
    ) {
        let mut hand = match (client, welcomed) {
            (true, _) => mux_support::Hand::client(),
            (false, true) => mux_support::Hand::welcomed(),
            (false, false) => mux_support::Hand::server(),
        };
        for (channel, kind, flags, payload, ms) in frames {
            let mut bytes = vec![channel, kind, flags & 6, 0, 0, u8::try_from(payload.len()).unwrap()];
            bytes.extend_from_slice(&payload);
            hand.bytes(&bytes);
            let closed_before = hand.connection.is_closed();
            drop(hand.events());
            drop(hand.raw_frames());
            hand.after(Duration::from_millis(ms));
            prop_assert!(!closed_before || hand.connection.is_closed());
        }
    }
}
