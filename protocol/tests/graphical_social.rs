//! What programs notify of and what people say: the vectors of docs/protocol.md, which the tests of
//! the page hold, too, and the bounds.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests fail as tests do"
)]

mod codec_support;

use codec_support::hex;
use vroom_protocol::Code;
use vroom_protocol::graphical::{
    ButtonInput, Chat, ClientMessage, Encoding, Mode, Notice, NoticeAction, NoticeAnswer,
    Notification, NotificationKind, Obedience, Preedit, ServerMessage, obeyed,
};

#[test]
fn the_answer_to_a_notice_is_read_and_written() {
    for (bytes, action) in [(NOTICE, Some("ok".to_owned())), (NOTICE_AWAY, None)] {
        let message = ClientMessage::Notice(NoticeAnswer { id: 7, action });
        let frame = hex(bytes);
        let (kind, payload) = message.encode(Encoding::Cbor);
        assert_eq!((kind, &payload[..]), (frame[1], &frame[6..]), "{message:?}");
        assert_eq!(ClientMessage::decode(kind, &payload), Ok(message.clone()));
        assert_eq!(obeyed(Mode::View, &message), Obedience::Refuse);
        assert_eq!(obeyed(Mode::Interact, &message), Obedience::Apply);
    }
    let long = format!(r#"{{"id":7,"action":"{}"}}"#, "x".repeat(257));
    let error = ClientMessage::decode(0x8D, long.as_bytes()).unwrap_err();
    assert_eq!(error.code(), Code::MESSAGE_TOO_LARGE);
    for bad in [r#"{"action":"ok"}"#, r#"{"id":-1}"#, r#"{"id":4294967296}"#] {
        let error = ClientMessage::decode(0x8D, bad.as_bytes()).unwrap_err();
        assert_eq!(error.code(), Code::INVALID_MESSAGE, "{bad}");
    }
}

#[test]
fn notices_and_their_end_are_read_and_written() {
    let shown = Notification {
        notice: Some(Notice {
            id: 7,
            app: "x".into(),
            title: "Hi".into(),
            body: "you".into(),
            actions: vec![NoticeAction {
                key: "ok".into(),
                label: "OK".into(),
            }],
            ..Notice::default()
        }),
        ..Notification::new(NotificationKind::Info, "Hi\nyou")
    };
    let over = Notification {
        notice: Some(Notice::over(7)),
        ..Notification::new(NotificationKind::Info, "")
    };
    for (bytes, notification) in [(NOTICE_SHOWN, shown), (NOTICE_OVER, over)] {
        let (frame, message) = (hex(bytes), ServerMessage::Notification(notification));
        let (kind, payload) = message.encode(Encoding::Cbor);
        assert_eq!((kind, &payload[..]), (frame[1], &frame[6..]), "{message:?}");
        assert_eq!(ServerMessage::decode(kind, &payload), Ok(message.clone()));
        assert!(
            !format!("{message:?}").contains("Hi"),
            "words are in no log"
        );
    }
}

#[test]
fn what_was_said_earlier_is_read_and_written() {
    let chat = Chat {
        from: Some("p1".into()),
        name: Some("Ann".into()),
        id: Some(2),
        earlier: true,
        ..Chat::said("hi")
    };
    let (frame, message) = (hex(CHAT_EARLIER), ServerMessage::Chat(chat));
    let (kind, payload) = message.encode(Encoding::Cbor);
    assert_eq!((kind, &payload[..]), (frame[1], &frame[6..]));
    assert_eq!(ServerMessage::decode(kind, &payload), Ok(message));
}

#[test]
fn what_is_composed_is_read_and_written() {
    for (bytes, text, caret) in [
        (PREEDIT, "né", Some((3, 3))),
        (PREEDIT_END, "", Some((0, 0))),
        (PREEDIT_WITHOUT_CARET, "né", None),
    ] {
        let frame = hex(bytes);
        let input = ButtonInput::Preedit(Preedit::new(text, caret).unwrap());
        let (kind, payload) = input.encode();
        assert_eq!((kind, &payload[..]), (frame[1], &frame[6..]), "{text}");
        assert_eq!(ButtonInput::decode(kind, &payload), Ok(input.clone()));
        assert!(!format!("{input:?}").contains("né"), "it is in no log");
    }
}

#[test]
fn a_caret_outside_of_what_is_composed_is_no_message() {
    assert_eq!(Preedit::new("né", Some((2, 2))), None, "within a character");
    assert_eq!(Preedit::new("né", Some((0, 4))), None, "behind the end");
    assert_eq!(Preedit::new("né", Some((3, 1))), None, "backwards");
    assert_eq!(
        Preedit::new("x".repeat(Preedit::TEXT_BYTES_MAX + 1), None),
        None
    );
    for bad in [
        "",
        "00",
        "00 00 00",
        "00 00 00 01",
        "FF FF 00 00",
        "00 00 00 00 FF",
    ] {
        let error = ButtonInput::decode(0x1D, &hex(bad)).unwrap_err();
        assert_eq!(error.code(), Code::INVALID_MESSAGE, "{bad}");
    }
}

const PREEDIT: &str = "02 1D 00 00 00 07 00 03 00 03 6E C3 A9";
const PREEDIT_END: &str = "02 1D 00 00 00 04 00 00 00 00";
const PREEDIT_WITHOUT_CARET: &str = "02 1D 00 00 00 07 FF FF FF FF 6E C3 A9";
const NOTICE: &str = "00 8D 00 00 00 0F A2 62 69 64 07 66 61 63 74 69 6F 6E 62 6F 6B";
const NOTICE_AWAY: &str = "00 8D 00 00 00 05 A1 62 69 64 07";
const NOTICE_SHOWN: &str = "\
    00 92 00 00 00 55 A3 64 74 65 78 74 66 48 69 0A 79 6F 75 64 74 79 70 65 64 69 6E 66 \
    6F 66 6E 6F 74 69 63 65 A5 62 69 64 07 63 61 70 70 61 78 64 62 6F 64 79 63 79 6F 75 \
    65 74 69 74 6C 65 62 48 69 67 61 63 74 69 6F 6E 73 81 A2 63 6B 65 79 62 6F 6B 65 6C \
    61 62 65 6C 62 4F 4B";
const NOTICE_OVER: &str = "\
    00 92 00 00 00 25 A3 64 74 65 78 74 60 64 74 79 70 65 64 69 6E 66 6F 66 6E 6F 74 69 \
    63 65 A2 62 69 64 07 66 63 6C 6F 73 65 64 F5";
const CHAT_EARLIER: &str = "\
    00 93 00 00 00 31 A6 62 69 64 02 64 66 72 6F 6D 62 70 31 64 6E 61 6D 65 63 41 6E 6E \
    64 72 6F 6C 65 64 75 73 65 72 64 74 65 78 74 62 68 69 67 65 61 72 6C 69 65 72 F5";
