//! The messages of a PTY channel: their form, both ways and truncated everywhere.
#![allow(clippy::unwrap_used, reason = "helpers of tests fail as tests do")]

mod codec_support;

use bytes::Bytes;
use codec_support::hex;
use proptest::prelude::*;
use vroom_protocol::Code;
use vroom_protocol::terminal::{PtyMessage, Writer};

#[track_caller]
fn both_ways(kind: u8, text: &str, message: PtyMessage) {
    let payload = Bytes::from(hex(text));
    assert_eq!(
        PtyMessage::decode(kind, payload.clone()),
        Ok(message.clone())
    );
    assert_eq!(message.encode(), (kind, payload));
}

#[test]
fn every_message_has_its_form() {
    both_ways(0x00, "6C 73 0D", PtyMessage::Bytes("ls\r".into()));
    both_ways(
        0x01,
        "28 B5 2F FD",
        PtyMessage::Zstd(hex("28 B5 2F FD").into()),
    );
    both_ways(0x02, "", PtyMessage::EndOfInput);
    both_ways(
        0x03,
        "00 00 00 00 00 01 00 02 00 41",
        PtyMessage::Repaint {
            offset: 65538,
            compressed: false,
            scrollback: false,
            body: "A".into(),
        },
    );
    both_ways(
        0x03,
        "00 00 00 00 00 00 00 07 03",
        PtyMessage::Repaint {
            offset: 7,
            compressed: true,
            scrollback: true,
            body: Bytes::new(),
        },
    );
    both_ways(0x04, "FF FF FF FF FF FF FF FF", PtyMessage::Ack(u64::MAX));
}

#[test]
fn sizes_and_reserved_bits_are_checked() {
    for (kind, text) in [
        (0x02, "00"),
        (0x03, ""),
        (0x03, "00 00 00 00 00 00 00 07"),
        (0x03, "00 00 00 00 00 00 00 07 04"),
        (0x03, "00 00 00 00 00 00 00 07 83 41"),
        (0x04, "00 00 00 00 00 00 07"),
        (0x04, "00 00 00 00 00 00 00 00 07"),
    ] {
        let error = PtyMessage::decode(kind, hex(text).into()).unwrap_err();
        assert_eq!(error.code(), Code::INVALID_MESSAGE, "{kind} {text}");
    }
    let error = PtyMessage::decode(0x05, Bytes::new()).unwrap_err();
    assert_eq!(error.code(), Code::UNSUPPORTED);
}

#[test]
fn debug_output_shows_no_terminal_bytes() {
    let shown = format!(
        "{:?} {:?}",
        PtyMessage::Bytes("hunter2".into()),
        PtyMessage::Repaint {
            offset: 1,
            compressed: false,
            scrollback: false,
            body: "hunter2".into(),
        }
    );
    assert!(!shown.contains("hunter2"), "{shown}");
}

#[test]
fn a_writer_is_named_plainly() {
    assert_eq!(Writer::new("a_Z-9").unwrap().as_str(), "a_Z-9");
    assert!(Writer::new("w".repeat(64)).is_some());
    for name in ["", " ", "a.b", "ä", &"w".repeat(65)] {
        assert!(Writer::new(name).is_none(), "{name:?}");
    }
}

fn message() -> impl Strategy<Value = PtyMessage> {
    let bytes = || prop::collection::vec(any::<u8>(), 0..64).prop_map(Bytes::from);
    prop_oneof![
        bytes().prop_map(PtyMessage::Bytes),
        bytes().prop_map(PtyMessage::Zstd),
        Just(PtyMessage::EndOfInput),
        (any::<u64>(), any::<[bool; 2]>(), bytes()).prop_map(
            |(offset, [compressed, scrollback], body)| PtyMessage::Repaint {
                offset,
                compressed,
                scrollback,
                body,
            }
        ),
        any::<u64>().prop_map(PtyMessage::Ack),
    ]
}

proptest! {
    #[test]
    fn every_message_survives(message in message()) {
        let (kind, payload) = message.encode();
        prop_assert_eq!(PtyMessage::decode(kind, payload), Ok(message));
    }

    #[test]
    fn a_truncated_message_is_none_or_holds_less(message in message()) {
        let (kind, payload) = message.encode();
        for length in 0..payload.len() {
            if let Ok(shorter) = PtyMessage::decode(kind, payload.slice(..length)) {
                // Only what ends where the message ends can be shorter.
                prop_assert_eq!(shorter.encode(), (kind, payload.slice(..length)));
                prop_assert!(kind <= 1 || (kind == 3 && length >= 9));
            }
        }
    }

    #[test]
    fn whatever_comes_in_is_read_or_refused(kind in any::<u8>(), payload in prop::collection::vec(any::<u8>(), 0..32)) {
        let payload = Bytes::from(payload);
        if let Ok(message) = PtyMessage::decode(kind, payload.clone()) {
            prop_assert_eq!(message.encode(), (kind, payload));
        }
    }
}
