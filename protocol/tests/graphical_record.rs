//! RECORD: the vectors of docs/protocol.md, which the tests of the page hold, too, and its bounds.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests fail as tests do"
)]

mod codec_support;

use codec_support::hex;
use vroom_protocol::Code;
use vroom_protocol::graphical::{
    ClientMessage, Encoding, Record, RecordAction, RecordState, Recording, ServerMessage,
};

const RECORD: u8 = 0x8E;

#[test]
fn the_vectors_are_read_and_written() {
    for (bytes, action) in [(START, RecordAction::Start), (STOP, RecordAction::Stop)] {
        let message = ClientMessage::Record(Record { id: None, action });
        let (kind, payload) = message.encode(Encoding::Cbor);
        let frame = hex(bytes);
        assert_eq!((kind, &payload[..]), (frame[1], &frame[6..]), "{message:?}");
        assert_eq!(ClientMessage::decode(RECORD, &frame[6..]), Ok(message));
    }
    let recording = Recording {
        by: "ann".to_owned(),
        since: 1,
    };
    let state = |recording, allowed| RecordState {
        allowed,
        recording,
        reason: None,
    };
    for (bytes, state) in [
        (RUNNING, state(Some(recording), true)),
        (RESTING, state(None, false)),
    ] {
        let message = ServerMessage::Record(state);
        let (kind, payload) = message.encode(Encoding::Cbor);
        let frame = hex(bytes);
        assert_eq!((kind, &payload[..]), (frame[1], &frame[6..]), "{message:?}");
        assert_eq!(ServerMessage::decode(RECORD, &frame[6..]), Ok(message));
    }
}

#[test]
fn what_is_no_request_is_refused_by_its_id() {
    for bad in [r#"{"action":"pause"}"#, r#"{}"#, r#"{"action":1}"#] {
        let error = ClientMessage::decode(RECORD, bad.as_bytes()).unwrap_err();
        assert_eq!(error.code(), Code::INVALID_MESSAGE, "{bad}");
    }
    let request = br#"{"id":"r1","action":"start"}"#;
    let message = ClientMessage::decode(RECORD, request).unwrap();
    assert_eq!(message.reference(), Some("r1"));
    for bad in [
        r#"{"allowed":true,"recording":{"by":"ann"}}"#,
        r#"{"allowed":true,"recording":{"by":"ann","since":-1}}"#,
    ] {
        assert!(
            ServerMessage::decode(RECORD, bad.as_bytes()).is_err(),
            "{bad}"
        );
    }
}

const START: &str = "00 8E 00 00 00 0E A1 66 61 63 74 69 6F 6E 65 73 74 61 72 74";
const STOP: &str = "00 8E 00 00 00 0D A1 66 61 63 74 69 6F 6E 64 73 74 6F 70";
const RUNNING: &str = "00 8E 00 00 00 23 A2 67 61 6C 6C 6F 77 65 64 F5 69 72 65 63 6F 72 64 69 \
    6E 67 A2 62 62 79 63 61 6E 6E 65 73 69 6E 63 65 01";
const RESTING: &str = "00 8E 00 00 00 0A A1 67 61 6C 6C 6F 77 65 64 F4";
