//! The messages of port forwarding: their form, both ways and truncated everywhere.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests fail as tests do"
)]

mod codec_support;

use bytes::Bytes;
use codec_support::json;
use proptest::prelude::*;
use vroom_protocol::Code;
use vroom_protocol::forward::{
    ConnectionAck, ConnectionName, Data, Direction, Endpoint, ForwardCode, ForwardConnection,
    ForwardRequest, ForwardResponse, Message,
};

#[track_caller]
fn both_ways(kind: u8, text: &str, message: Message) {
    assert_eq!(Message::decode(kind, &json(text)), Ok(message.clone()));
    assert_eq!(message.encode(), (kind, Bytes::from(json(text))));
}

#[test]
fn every_message_has_its_form() {
    both_ways(
        0x01,
        r#"{"forwardId":1,"direction":"local","bindAddress":"127.0.0.1","bindPort":8080,"targetAddress":"db","targetPort":5432}"#,
        Message::Request(ForwardRequest {
            forward_id: 1,
            direction: Direction::Local,
            bind: Endpoint::tcp("127.0.0.1", 8080),
            target: Endpoint::tcp("db", 5432),
        }),
    );
    both_ways(
        0x01,
        r#"{"forwardId":2,"direction":"agent","bindAddress":"","bindPort":0,"targetAddress":"","targetPort":0}"#,
        Message::Request(ForwardRequest {
            forward_id: 2,
            direction: Direction::Agent,
            bind: Endpoint::default(),
            target: Endpoint::default(),
        }),
    );
    both_ways(
        0x02,
        r#"{"forwardId":1,"success":true,"actualPort":40000}"#,
        Message::Response(ForwardResponse {
            forward_id: 1,
            outcome: Ok(40000),
        }),
    );
    both_ways(
        0x02,
        r#"{"forwardId":1,"success":false,"code":7000,"reason":"in use"}"#,
        Message::Response(ForwardResponse {
            forward_id: 1,
            outcome: Err((ForwardCode::PORT_IN_USE, "in use".to_owned())),
        }),
    );
    both_ways(
        0x03,
        r#"{"forwardId":1}"#,
        Message::Cancel { forward_id: 1 },
    );
    both_ways(
        0x04,
        r#"{"forwardId":1,"channelName":"fwd-1-conn-3","sourceAddress":"::1","sourcePort":50000}"#,
        Message::Connection(ForwardConnection {
            forward_id: 1,
            channel_name: "fwd-1-conn-3".to_owned(),
            source_address: "::1".to_owned(),
            source_port: 50000,
            target: None,
        }),
    );
    both_ways(
        0x04,
        r#"{"forwardId":1,"channelName":"fwd-1-conn-3","sourceAddress":"","sourcePort":0,"targetAddress":"/run/x","targetPort":0}"#,
        Message::Connection(ForwardConnection {
            forward_id: 1,
            channel_name: "fwd-1-conn-3".to_owned(),
            source_address: String::new(),
            source_port: 0,
            target: Some(Endpoint::unix("/run/x")),
        }),
    );
    both_ways(
        0x05,
        r#"{"forwardId":1,"channelName":"fwd-1-conn-3","success":true}"#,
        Message::ConnectionAck(ConnectionAck {
            forward_id: 1,
            channel_name: "fwd-1-conn-3".to_owned(),
            outcome: Ok(()),
        }),
    );
    both_ways(
        0x05,
        r#"{"forwardId":1,"channelName":"fwd-1-conn-3","success":false,"code":7003,"reason":"refused"}"#,
        Message::ConnectionAck(ConnectionAck {
            forward_id: 1,
            channel_name: "fwd-1-conn-3".to_owned(),
            outcome: Err((ForwardCode::CONNECT_FAILED, "refused".to_owned())),
        }),
    );
}

#[test]
fn what_is_missing_or_wrong_is_invalid() {
    for (kind, text) in [
        (0x01, "{}"),
        (
            0x01,
            r#"{"forwardId":1,"direction":"up","bindAddress":"","bindPort":0,"targetAddress":"","targetPort":0}"#,
        ),
        (
            0x01,
            r#"{"forwardId":1,"direction":"local","bindAddress":"","bindPort":65536,"targetAddress":"","targetPort":0}"#,
        ),
        (0x02, r#"{"forwardId":1}"#),
        (0x03, r#"{"forwardId":-1}"#),
        (0x04, r#"{"forwardId":1,"channelName":"fwd-1-conn-3"}"#),
        (
            0x04,
            r#"{"forwardId":1,"channelName":"c","sourceAddress":"","sourcePort":0,"targetAddress":"db"}"#,
        ),
        (0x05, r#"{"forwardId":1,"success":true}"#),
    ] {
        let error = Message::decode(kind, &json(text)).unwrap_err();
        assert_eq!(error.code(), Code::INVALID_MESSAGE, "{text}");
    }
    for kind in [0x00, 0x06, 0xFF] {
        let error = Message::decode(kind, b"{}").unwrap_err();
        assert_eq!(error.code(), Code::UNSUPPORTED);
    }
}

#[test]
fn a_path_without_a_port_is_a_unix_socket() {
    assert_eq!(Endpoint::unix("/run/x").unix_path(), Some("/run/x"));
    assert_eq!(Endpoint::tcp("/run/x", 1).unix_path(), None);
    assert_eq!(Endpoint::tcp("localhost", 0).unix_path(), None);
    assert_eq!(Endpoint::tcp("::1", 22).to_string(), "[::1]:22");
    assert_eq!(Endpoint::tcp("db", 22).to_string(), "db:22");
    assert_eq!(Endpoint::unix("/run/x").to_string(), "/run/x");
}

#[test]
fn a_connection_carries_bytes_acknowledgements_and_an_end() {
    let bytes = Data::Bytes("abc".into());
    assert_eq!(bytes.encode(), (0x00, "abc".into()));
    assert_eq!(Data::decode(0x00, "abc".into()), Ok(bytes));
    assert_eq!(Data::HalfClose.encode(), (0x02, Bytes::new()));
    assert_eq!(Data::decode(0x02, Bytes::new()), Ok(Data::HalfClose));
    let ack = Data::Ack(258);
    assert_eq!(ack.encode(), (0x04, vec![0, 0, 0, 0, 0, 0, 1, 2].into()));
    assert_eq!(Data::decode(0x04, ack.encode().1), Ok(ack));
    assert!(Data::decode(0x04, "1234567".into()).is_err());
    assert!(Data::decode(0x02, "x".into()).is_err());
    assert!(Data::decode(0x01, "x".into()).is_err());
    assert!(!format!("{:?}", Data::Bytes("hunter2".into())).contains("hunter2"));
}

fn text() -> impl Strategy<Value = String> {
    ".{0,24}"
}

fn endpoint() -> impl Strategy<Value = Endpoint> {
    (text(), any::<u16>()).prop_map(|(address, port)| Endpoint { address, port })
}

fn failure() -> impl Strategy<Value = (ForwardCode, String)> {
    (any::<u16>(), text()).prop_map(|(code, reason)| (ForwardCode(code), reason))
}

fn message() -> impl Strategy<Value = Message> {
    let directions = vec![
        Direction::Local,
        Direction::Remote,
        Direction::Dynamic,
        Direction::Agent,
    ];
    let port = prop_oneof![any::<u16>().prop_map(Ok), failure().prop_map(Err)];
    let reached = prop_oneof![Just(Ok(())), failure().prop_map(Err)];
    prop_oneof![
        (
            any::<u64>(),
            prop::sample::select(directions),
            endpoint(),
            endpoint()
        )
            .prop_map(|(forward_id, direction, bind, target)| Message::Request(
                ForwardRequest {
                    forward_id,
                    direction,
                    bind,
                    target
                }
            )),
        (any::<u64>(), port).prop_map(|(forward_id, outcome)| Message::Response(ForwardResponse {
            forward_id,
            outcome
        })),
        any::<u64>().prop_map(|forward_id| Message::Cancel { forward_id }),
        (
            any::<u64>(),
            text(),
            text(),
            any::<u32>(),
            prop::option::of(endpoint())
        )
            .prop_map(
                |(forward_id, channel_name, source_address, source_port, target)| {
                    Message::Connection(ForwardConnection {
                        forward_id,
                        channel_name,
                        source_address,
                        source_port,
                        target,
                    })
                }
            ),
        (any::<u64>(), text(), reached).prop_map(|(forward_id, channel_name, outcome)| {
            Message::ConnectionAck(ConnectionAck {
                forward_id,
                channel_name,
                outcome,
            })
        }),
    ]
}

proptest! {
    #[test]
    fn every_message_survives_and_no_truncation_is_one(message in message()) {
        let (kind, payload) = message.encode();
        prop_assert_eq!(Message::decode(kind, &payload), Ok(message));
        for length in 0..payload.len() {
            prop_assert!(Message::decode(kind, &payload[..length]).is_err());
        }
    }

    #[test]
    fn a_name_is_read_as_it_is_written(forward in any::<u64>(), connection in any::<u64>(), other in "fwd-[0-9+-]{0,6}-conn-[0-9 ]{0,6}") {
        let name = ConnectionName { forward, connection };
        prop_assert_eq!(ConnectionName::parse(&name.to_string()), Some(name));
        if let Some(name) = ConnectionName::parse(&other) {
            prop_assert_eq!(name.to_string(), other);
        }
    }
}
