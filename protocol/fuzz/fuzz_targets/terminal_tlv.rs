//! Any bytes on a terminal's control channel, in pieces and with any answers, end in bounded talk.
#![no_main]

use std::time::{Duration, Instant};

use arbitrary::{Arbitrary, Unstructured};
use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use vroom_protocol::terminal::{
    Ahead, AuthRequest, AuthResponse, Capabilities, Client, ClientConfig, ClientHello,
    ClientMessage, Denial, Encoding, ExitStatus, Extensions, PtyGrant, PtyMessage, PtyMode,
    PtyRequest, PtyResponse, Server, ServerMessage, ServerOffer, ShareAction, ShareRequest,
    ShareState, Stage, StartResponse, Tlv, WindowSize,
};

#[derive(Arbitrary, Debug)]
enum Step {
    /// Bytes as they are.
    Bytes(Vec<u8>),
    /// A message with a right header.
    Message(u8, Vec<u8>),
    /// What a client says when it goes on in order.
    Next,
    /// What an owner answers.
    Answer(bool),
    ChannelOpened,
    Exit,
    /// News for the client.
    Tell(u8),
    Wait(u8),
    /// The client reads what the server says.
    Deliver,
}

fuzz_target!(|data: &[u8]| {
    decode(data);
    let Ok(steps) = Vec::<Step>::arbitrary_take_rest(Unstructured::new(data)) else {
        return;
    };
    talk(steps);
});

/// A message has one written form, and keeps its meaning in it.
fn decode(data: &[u8]) {
    let Some((&kind, payload)) = data.split_first() else {
        return;
    };
    if let Ok(message) = ClientMessage::decode(kind.into(), payload) {
        let tlv = message.encode(Encoding::Cbor);
        let again = ClientMessage::decode(tlv.kind, &tlv.payload).expect("our own CBOR is valid");
        assert_eq!(again.encode(Encoding::Cbor), tlv);
    }
    if let Ok(message) = PtyMessage::decode(kind, payload.to_vec().into()) {
        assert_eq!(message.encode(), (kind, payload.to_vec().into()));
    }
    if let Ok(message) = ServerMessage::decode(kind.into(), payload) {
        let tlv = message.encode(Encoding::Cbor);
        let again = ServerMessage::decode(tlv.kind, &tlv.payload).expect("our own CBOR is valid");
        assert_eq!(again.encode(Encoding::Cbor), tlv);
    }
}

fn talk(steps: Vec<Step>) {
    let mut now = Instant::now();
    let mut capabilities = Capabilities::transparent();
    capabilities.extensions = Some(Extensions {
        sharing: Some(true),
        flow_control: Some(true),
        ..Extensions::default()
    });
    let offer = ServerOffer {
        capabilities: capabilities.clone(),
        ..ServerOffer::default()
    };
    let config = ClientConfig {
        capabilities,
        ahead: (steps.len() % 2 == 1).then(|| Ahead {
            auth: AuthRequest::INHERIT,
            pty: Some(PtyRequest::default()),
        }),
        ..ClientConfig::default()
    };
    let mut server = Server::new(offer, now);
    let mut client = Client::new(config, now);
    let mut waiting: Vec<Bytes> = Vec::new();
    let mut replies = 0;
    for step in steps {
        match step {
            Step::Bytes(bytes) => {
                server.handle(now, &bytes);
                client.handle(now, &bytes);
            }
            Step::Message(kind, payload) => {
                let tlv = Tlv {
                    kind: kind.into(),
                    payload: payload.into(),
                };
                server.handle(now, &tlv.encode());
                client.handle(now, &tlv.encode());
            }
            Step::Next => server.handle(now, &next(server.stage()).encode()),
            Step::Answer(good) => answer(&mut server, now, good),
            Step::ChannelOpened => {
                server.handle_pty_channel_opened(now);
                client.handle_pty_channel_opened(now);
            }
            Step::Tell(what) => {
                server.share_state(now, ShareState::default());
                server.window_size(now, WindowSize::new(1, u16::from(what) + 1));
                server.pty_mode(now, PtyMode::from_bits(what));
            }
            Step::Deliver => {
                for bytes in waiting.drain(..) {
                    client.handle(now, &bytes);
                    while client.poll_event().is_some() {}
                }
            }
            Step::Exit => server.exit_status(now, ExitStatus::exited(0)),
            Step::Wait(seconds) => {
                now += Duration::from_secs(seconds.into());
                server.handle_timeout(now);
                client.handle_timeout(now);
            }
        }
        while server.poll_event().is_some() {}
        while client.poll_event().is_some() {}
        while let Some(bytes) = server.poll_transmit() {
            waiting.push(bytes);
            replies += 1;
        }
        while client.poll_transmit().is_some() {}
        if server.stage() == Stage::Closed {
            assert_eq!(server.poll_timeout(), None);
        }
    }
    assert!(replies < 100_000);
}

fn next(stage: Stage) -> Tlv {
    match stage {
        Stage::Hello => ClientMessage::Hello(ClientHello::new(&Encoding::ALL)),
        Stage::Capabilities => ClientMessage::CapabilityOffer(Default::default()),
        Stage::Authenticating => ClientMessage::AuthRequest(AuthRequest::INHERIT),
        Stage::Authenticated => ClientMessage::PtyRequest(PtyRequest {
            size: Some(WindowSize::new(24, 80)),
            ..PtyRequest::default()
        }),
        Stage::PtyAllocated => ClientMessage::ShellRequest(Default::default()),
        Stage::Active => ClientMessage::Share(ShareRequest::new(ShareAction::Take)),
        _ => ClientMessage::Signal(2),
    }
    .encode(Encoding::Cbor)
}

fn answer(server: &mut Server, now: Instant, good: bool) {
    let denial = || Denial {
        code: vroom_protocol::Code::NOT_ALLOWED,
        reason: None,
    };
    if good {
        let user = String::new();
        server.auth_result(now, AuthResponse::Success { user });
        server.pty_response(now, PtyResponse::Granted(PtyGrant::default()));
        server.start_response(now, StartResponse::Started { pid: None });
    } else {
        let failure = AuthResponse::Failure {
            methods: Vec::new(),
            code: denial().code,
            reason: None,
        };
        server.auth_result(now, failure);
        server.pty_response(now, PtyResponse::Denied(denial()));
        server.start_response(now, StartResponse::Denied(denial()));
    }
}
