//! One end of a connection, fed by hand.
#![allow(dead_code, reason = "every test file uses its own part")]

use std::time::{Duration, Instant};

use bytes::Bytes;
use vroom_protocol::mux::control::{Close, ControlMessage, ErrorReport, OpenChannel};
use vroom_protocol::mux::frame::{Frame, Part};
use vroom_protocol::{
    ChannelId, ChannelSpec, ClientConfig, Code, Connection, Event, LinkKind, ServerConfig,
    WelcomeInfo, testing,
};

/// A connection whose peer is the test.
pub(crate) struct Hand {
    pub(crate) connection: Connection,
    pub(crate) now: Instant,
    events: Vec<Event>,
}

impl Hand {
    /// A server that has heard nothing yet.
    pub(crate) fn server() -> Self {
        Self::server_with(ServerConfig::default())
    }

    pub(crate) fn server_with(config: ServerConfig) -> Self {
        let now = testing::start();
        Self::new(Connection::server(config, LinkKind::Shared, now), now)
    }

    /// A client whose HELLO has been read.
    pub(crate) fn client() -> Self {
        let now = testing::start();
        let mut hand = Self::new(
            Connection::client(ClientConfig::default(), LinkKind::Shared, now),
            now,
        );
        assert_eq!(hand.frames().len(), 1);
        hand
    }

    pub(crate) const fn new(connection: Connection, now: Instant) -> Self {
        Self {
            connection,
            now,
            events: Vec::new(),
        }
    }

    /// A server that has welcomed a client with `pointer` as 1, `button` as 2 and `data` as 3.
    pub(crate) fn welcomed() -> Self {
        Self::welcomed_with(ServerConfig::default(), "")
    }

    /// The same with other limits; `members` are added to the HELLO.
    pub(crate) fn welcomed_with(config: ServerConfig, members: &str) -> Self {
        let mut hand = Self::server_with(config);
        hand.json(
            1,
            &format!(
                r#"{{"version":[0,1,0]{members},"channels":[
                {{"name":"pointer","reliable":false,"ordered":false,"maxRetransmits":0}},
                {{"name":"button","reliable":true,"ordered":true}},
                {{"name":"data","reliable":true,"ordered":true}}]}}"#
            ),
        );
        hand.accept_all();
        assert!(hand.connection.is_up());
        drop(hand.frames());
        drop(hand.events());
        hand
    }

    /// Accepts the HELLO that is waiting, with all its channels.
    pub(crate) fn accept_all(&mut self) {
        let hello = self.events().into_iter().find_map(|event| match event {
            Event::Hello(hello) => Some(hello),
            _ => None,
        });
        let channels = hello.expect("a HELLO waits").channels;
        self.connection.accept(
            self.now,
            WelcomeInfo {
                channels,
                ..WelcomeInfo::default()
            },
        );
    }

    /// Hands in one frame, byte for byte.
    pub(crate) fn bytes(&mut self, bytes: &[u8]) {
        self.connection
            .handle_message(self.now, None, Bytes::copy_from_slice(bytes));
    }

    pub(crate) fn hex(&mut self, text: &str) {
        self.bytes(&hex(text));
    }

    /// Hands in a whole message.
    pub(crate) fn message(&mut self, channel: u8, kind: u8, payload: &[u8]) {
        self.part(channel, kind, Part::Whole, payload);
    }

    /// Hands in a whole message on channel 0.
    pub(crate) fn json(&mut self, kind: u8, text: &str) {
        self.message(0, kind, text.as_bytes());
    }

    pub(crate) fn control(&mut self, message: &ControlMessage) {
        self.message(0, message.kind(), &message.encode());
    }

    pub(crate) fn part(&mut self, channel: u8, kind: u8, part: Part, payload: &[u8]) {
        let payload = Bytes::copy_from_slice(payload);
        self.bytes(
            &Frame {
                channel: ChannelId(channel),
                kind,
                part,
                payload,
            }
            .encode(),
        );
    }

    /// Asks for a channel as the peer.
    pub(crate) fn ask(&mut self, request: u64, spec: ChannelSpec) {
        self.control(&ControlMessage::OpenChannel(OpenChannel {
            request,
            spec,
            id: None,
        }));
    }

    /// Takes the frames that want to go out.
    pub(crate) fn frames(&mut self) -> Vec<Frame> {
        std::iter::from_fn(|| self.connection.poll_transmit())
            .map(|transmit| {
                let frame = Frame::decode(&transmit.frame, usize::MAX).expect("our own frame");
                assert_eq!(frame.channel, transmit.channel, "the channel byte is right");
                frame
            })
            .collect()
    }

    /// Takes the frames that want to go out, byte for byte.
    pub(crate) fn raw_frames(&mut self) -> Vec<Bytes> {
        std::iter::from_fn(|| self.connection.poll_transmit())
            .map(|transmit| transmit.frame)
            .collect()
    }

    /// Takes the frames that want to go out, all of which are control messages.
    pub(crate) fn controls(&mut self) -> Vec<ControlMessage> {
        self.frames()
            .into_iter()
            .map(|frame| {
                assert_eq!(
                    (frame.channel, frame.part),
                    (ChannelId::CONTROL, Part::Whole)
                );
                ControlMessage::decode(frame.kind, &frame.payload).expect("our own message")
            })
            .collect()
    }

    /// Takes the one control message that wants to go out.
    pub(crate) fn answer(&mut self) -> ControlMessage {
        let mut controls = self.controls();
        assert_eq!(controls.len(), 1, "{controls:?}");
        controls.remove(0)
    }

    /// Takes the events, accepting nothing.
    pub(crate) fn events(&mut self) -> Vec<Event> {
        self.events
            .extend(std::iter::from_fn(|| self.connection.poll_event()));
        std::mem::take(&mut self.events)
    }

    /// Lets time pass, with the deadlines in it.
    pub(crate) fn after(&mut self, time: Duration) {
        let until = self.now + time;
        while let Some(due) = self.connection.poll_timeout().filter(|due| *due <= until) {
            self.now = self.now.max(due);
            self.connection.handle_timeout(self.now);
        }
        self.now = until;
        self.connection.handle_timeout(until);
    }

    /// The one answer is CLOSE with this code.
    #[track_caller]
    pub(crate) fn expect_close(&mut self, code: Code) {
        match self.answer() {
            ControlMessage::Close(Close { code: sent, .. }) => assert_eq!(sent, code),
            other => panic!("{other:?} instead of CLOSE {code}"),
        }
        assert!(!self.connection.is_up());
        let closed = self.events().into_iter().next_back();
        assert!(
            matches!(closed, Some(Event::Closed { code: told, by_peer: false, .. }) if told == code),
            "{closed:?}"
        );
    }

    /// The one answer is ERROR with this code and channel, and the connection lives.
    #[track_caller]
    pub(crate) fn expect_error(&mut self, code: Code, channel: Option<u8>) {
        match self.answer() {
            ControlMessage::Error(ErrorReport {
                code: sent,
                channel: about,
                ..
            }) => {
                assert_eq!((sent, about), (code, channel.map(ChannelId)));
            }
            other => panic!("{other:?} instead of ERROR {code}"),
        }
        self.expect_alive();
    }

    /// The connection is up and answers.
    #[track_caller]
    pub(crate) fn expect_alive(&mut self) {
        self.control(&ControlMessage::Ping(7));
        let frames = self.controls();
        assert!(
            matches!(frames.as_slice(), [ControlMessage::Pong { echo: 7, .. }]),
            "{frames:?}"
        );
    }

    /// Nothing was said and the connection lives.
    #[track_caller]
    pub(crate) fn expect_silence(&mut self) {
        assert_eq!(self.frames(), []);
        self.expect_alive();
    }
}

/// The messages among events: channel, kind, payload.
pub(crate) fn messages(events: Vec<Event>) -> Vec<(u8, u8, Bytes)> {
    events
        .into_iter()
        .filter_map(|event| match event {
            Event::Message {
                channel,
                kind,
                payload,
            } => Some((channel.0, kind, payload)),
            _ => None,
        })
        .collect()
}

/// Reads `00 1F ..`, ignoring spaces and line breaks.
pub(crate) fn hex(text: &str) -> Vec<u8> {
    let digits: String = text.split_whitespace().collect();
    assert!(digits.len().is_multiple_of(2), "whole bytes");
    (0..digits.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&digits[at..at + 2], 16).expect("hex digits"))
        .collect()
}
