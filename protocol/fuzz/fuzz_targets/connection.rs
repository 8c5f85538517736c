//! Whatever a peer sends and the owner does, a connection keeps its word.
#![no_main]

use std::time::Duration;

use arbitrary::Arbitrary;
use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use vroom_protocol::mux::frame::Frame;
use vroom_protocol::mux::{
    QUEUE_BYTES, SEQ_ACK, SESSION_PERSISTENCE, SESSION_RESUME, SessionControl, SessionEntry,
};
use vroom_protocol::{
    ChannelId, ChannelSpec, ClientConfig, Code, Connection, Event, LinkKind, RequestId,
    ResumeGrant, Secret, ServerConfig, StreamError, Suspended, WelcomeInfo, testing,
};

#[derive(Arbitrary, Debug)]
struct Input {
    client: bool,
    lanes: bool,
    /// A HELLO or WELCOME that brings the connection up comes first.
    greet: bool,
    operations: Vec<Operation>,
}

#[derive(Arbitrary, Debug)]
enum Operation {
    Bytes {
        lane: Lane,
        bytes: Vec<u8>,
    },
    Frame {
        lane: Lane,
        channel: u8,
        kind: u8,
        part: u8,
        payload: Vec<u8>,
    },
    Control {
        kind: u8,
        text: Text,
    },
    LaneOpened(Lane),
    LaneClosed(Lane),
    Text,
    Malformed(bool),
    Pass {
        ms: u16,
    },
    Timeout,
    Transmit {
        frames: u8,
    },
    Send {
        channel: u8,
        kind: u8,
        bytes: u16,
        latest: bool,
    },
    Open {
        name: Lane,
        lossy: bool,
    },
    Close {
        channel: u8,
    },
    AnswerRequest {
        accept: bool,
    },
    Error {
        code: u16,
    },
    Ping,
    End,
    Disconnect,
    Writable {
        lane: Lane,
        writable: bool,
    },
    Resume,
    AnswerList {
        sessions: u8,
    },
    AskAboutSessions {
        what: u8,
    },
}

#[derive(Arbitrary, Debug)]
enum Lane {
    Control,
    Data,
    Pointer,
    Other,
}

impl Lane {
    const fn name(&self) -> &'static str {
        match self {
            Self::Control => "control",
            Self::Data => "data",
            Self::Pointer => "pointer",
            Self::Other => "other",
        }
    }
}

/// JSON that has a chance to be understood.
#[derive(Arbitrary, Debug)]
enum Text {
    Open {
        number: u8,
        name: Lane,
        reliable: bool,
        ordered: bool,
        id: u8,
    },
    Ack {
        number: u8,
        id: u8,
        name: Lane,
    },
    Id {
        id: u8,
    },
    Code {
        code: u16,
    },
    Resume {
        last: u8,
        success: bool,
    },
    Session {
        rename: bool,
        auth: bool,
    },
    Any(String),
}

impl Text {
    fn json(&self) -> String {
        match self {
            Self::Open {
                number,
                name,
                reliable,
                ordered,
                id,
            } => format!(
                r#"{{"requestId":{number},"name":"{}","reliable":{reliable},"ordered":{ordered},"id":{id}}}"#,
                name.name()
            ),
            Self::Ack { number, id, name } => {
                format!(
                    r#"{{"requestId":{number},"id":{id},"name":"{}"}}"#,
                    name.name()
                )
            }
            Self::Id { id } => format!(r#"{{"id":{id}}}"#),
            Self::Code { code } => format!(r#"{{"requestId":1,"code":{code}}}"#),
            Self::Resume { last, success } => format!(
                r#"{{"sessionId":"s","lastSequence":{last},"success":{success},"replayStart":1,"replayCount":1,"code":4100,"resumeTimeout":9,"bufferSize":9,"channels":[{{"name":"data","id":1}}]}}"#
            ),
            Self::Session { rename, auth } => format!(
                r#"{{"action":"{}","sessionId":"t1","name":"n","sessions":[{{"sessionId":"t1","kind":"terminal"}}]{}}}"#,
                if *rename { "rename" } else { "end" },
                if *auth {
                    r#","auth":{"type":"peer"}"#
                } else {
                    ""
                }
            ),
            Self::Any(text) => text.clone(),
        }
    }
}

struct Run {
    connection: Connection,
    kind: LinkKind,
    now: std::time::Instant,
    requests: Vec<RequestId>,
    kept: Option<Suspended>,
    over: bool,
}

impl Run {
    fn new(client: bool, kind: LinkKind) -> Self {
        let now = testing::start();
        let connection = if client {
            Connection::client(client_config(), kind, now)
        } else {
            Connection::server(server_config(), kind, now)
        };
        Self {
            connection,
            kind,
            now,
            requests: Vec::new(),
            kept: None,
            over: false,
        }
    }

    fn message(&mut self, lane: &'static str, frame: Bytes) {
        let lane = (self.kind == LinkKind::PerChannel).then_some(lane);
        self.connection.handle_message(self.now, lane, frame);
    }

    fn perform(&mut self, operation: Operation) {
        let now = self.now;
        match operation {
            Operation::Bytes { lane, bytes } => self.message(lane.name(), bytes.into()),
            Operation::Frame {
                lane,
                channel,
                kind,
                part,
                payload,
            } => {
                let mut frame = Frame::whole(ChannelId(channel), kind, payload.into())
                    .encode()
                    .to_vec();
                frame[2] |= part & 6;
                self.message(lane.name(), frame.into());
            }
            Operation::Control { kind, text } => self.control(kind, &text.json()),
            Operation::LaneOpened(lane) => self.connection.handle_lane_opened(now, lane.name()),
            Operation::LaneClosed(lane) => self.connection.handle_lane_closed(now, lane.name()),
            Operation::Text => self.connection.handle_text_message(now),
            Operation::Malformed(magic) => {
                let error = if magic {
                    StreamError::Magic
                } else {
                    StreamError::OtherDialect
                };
                self.connection.handle_malformed(now, error);
            }
            Operation::Pass { ms } => self.now += Duration::from_millis(ms.into()),
            Operation::Timeout => {
                if let Some(due) = self.connection.poll_timeout() {
                    self.now = self.now.max(due);
                }
                self.connection.handle_timeout(self.now);
                let next = self.connection.poll_timeout();
                assert!(
                    next.is_none_or(|next| next > self.now),
                    "a deadline did not move"
                );
            }
            Operation::Transmit { frames } => self.transmit(frames.into()),
            Operation::Send {
                channel,
                kind,
                bytes,
                latest,
            } => {
                let payload = Bytes::from(vec![7; bytes.into()]);
                let id = ChannelId(channel);
                let sent = if latest {
                    self.connection.send_latest(now, id, kind, payload)
                } else {
                    self.connection.send(now, id, kind, payload)
                };
                if sent.is_ok() && channel != 0 {
                    assert!(self.connection.channel(id).is_some());
                    assert!(self.connection.queued_bytes(id) <= QUEUE_BYTES + usize::from(bytes));
                }
            }
            Operation::Open { name, lossy } => {
                let spec = if lossy {
                    ChannelSpec::lossy(name.name())
                } else {
                    ChannelSpec::reliable(name.name())
                };
                let _ = self.connection.open_channel(now, spec);
            }
            Operation::Close { channel } => {
                self.connection
                    .close_channel(now, ChannelId(channel), "fuzz");
                assert!(self.connection.channel(ChannelId(channel)).is_none());
            }
            Operation::AnswerRequest { accept } => {
                if let Some(request) = self.requests.pop() {
                    if accept {
                        self.connection.accept_channel(now, request);
                    } else {
                        self.connection
                            .reject_channel(now, request, Code::NOT_ALLOWED, "fuzz");
                    }
                }
            }
            Operation::Error { code } => self.connection.error(now, Code(code), None, "fuzz"),
            Operation::Ping => self.connection.ping(now),
            Operation::End => self.connection.close(now, Code::NORMAL, "fuzz"),
            Operation::Disconnect => self.connection.handle_disconnected(now),
            Operation::Writable { lane, writable } => {
                self.connection.set_lane_writable(lane.name(), writable)
            }
            Operation::Resume => self.resume(),
            Operation::AnswerList { sessions } => {
                let entry = SessionEntry {
                    name: "n".repeat(1000),
                    ..SessionEntry::default()
                };
                let sessions = vec![entry; sessions.into()];
                self.connection.send_session_list(now, sessions);
            }
            Operation::AskAboutSessions { what } => {
                let end = SessionControl::End {
                    session_id: "t1".to_owned(),
                };
                let asked = match what % 4 {
                    0 => self.connection.request_session_list(now),
                    1 => self.connection.session_control(now, end),
                    2 => self.connection.detach(now, "fuzz"),
                    _ => {
                        self.connection
                            .refuse_session_control(now, Code::NOT_ALLOWED, "fuzz");
                        Ok(())
                    }
                };
                let may_ask = self.connection.is_up() && self.connection.has_persistence();
                assert!(what % 4 == 3 || asked.is_err() || may_ask);
            }
        }
    }

    fn control(&mut self, kind: u8, text: &str) {
        let payload = Bytes::copy_from_slice(text.as_bytes());
        self.message(
            "control",
            Frame::whole(ChannelId::CONTROL, kind, payload).encode(),
        );
    }

    /// Goes on with the session on a connection of the other kind of link, if there is one.
    fn resume(&mut self) {
        let Some(session) = self.connection.suspend(self.now) else {
            return;
        };
        self.observe();
        self.kind = match self.kind {
            LinkKind::Shared => LinkKind::PerChannel,
            LinkKind::PerChannel => LinkKind::Shared,
        };
        self.over = false;
        self.requests.clear();
        if session.session_id().expose() == "client" {
            self.connection =
                Connection::client_resume(client_config(), self.kind, self.now, session);
        } else {
            self.connection = Connection::server(server_config(), self.kind, self.now);
            self.kept = Some(session);
        }
    }

    /// Takes and answers what comes out.
    fn observe(&mut self) {
        while self.connection.poll_lane_change().is_some() {}
        while let Some(event) = self.connection.poll_event() {
            assert!(!self.over, "something follows Closed");
            match event {
                Event::Hello(hello) => {
                    let grant = ResumeGrant::new(Secret::new("server"));
                    let welcome = WelcomeInfo {
                        channels: hello.channels,
                        resume: Some(grant),
                        ..WelcomeInfo::default()
                    };
                    self.connection.accept(self.now, welcome);
                }
                Event::ResumeRequested { .. } => match self.kept.take() {
                    Some(session) => self.kept = self.connection.resume(self.now, session).err(),
                    None => {
                        self.connection
                            .refuse_resume(self.now, Code::SESSION_NOT_FOUND, "fuzz")
                    }
                },
                Event::ChannelRequested { request, .. } => self.requests.push(request),
                Event::ChannelOpened { id, .. } => assert!(id.is_application()),
                Event::Message { channel, kind, .. } => {
                    assert!(channel != ChannelId::CONTROL || (0x80..=0xEF).contains(&kind));
                }
                Event::Closed { .. } => self.over = true,
                _ => {}
            }
        }
    }

    fn transmit(&mut self, frames: usize) {
        for transmit in (0..frames).map_while(|_| self.connection.poll_transmit()) {
            // The answer to the other dialect is in that dialect.
            if let Ok(frame) = Frame::decode(&transmit.frame, usize::MAX) {
                assert_eq!(frame.channel, transmit.channel);
            } else {
                assert!(self.over);
            }
        }
    }
}

fn extensions() -> Vec<String> {
    [SESSION_RESUME, SEQ_ACK, SESSION_PERSISTENCE]
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
    ServerConfig {
        extensions: extensions(),
        ..ServerConfig::default()
    }
}

fuzz_target!(|input: Input| {
    let kind = if input.lanes {
        LinkKind::PerChannel
    } else {
        LinkKind::Shared
    };
    let mut run = Run::new(input.client, kind);
    if input.greet && input.client {
        run.control(2, r#"{"version":[0,1,0],"extensions":["session-resume","vroom-seq-ack","session-persistence"],"channels":[{"name":"data","id":1},{"name":"pointer","id":2}]}"#);
        run.control(
            0x30,
            r#"{"sessionId":"client","resumeTimeout":300,"bufferSize":65536}"#,
        );
    } else if input.greet {
        run.control(1, r#"{"version":[0,1,0],"extensions":["session-resume","vroom-seq-ack","session-persistence"],"channels":["data",{"name":"pointer","reliable":false,"ordered":false}]}"#);
    }
    run.observe();
    for operation in input.operations {
        run.perform(operation);
        run.observe();
        assert!(!run.connection.is_closed() || run.over);
    }
    run.transmit(usize::MAX);
});
