//! What is taken, what is refused, and with which code: the control messages of Graphical.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests fail as tests do"
)]

mod codec_support;

use bytes::Bytes;
use codec_support::{cbor_members, hex, json};
use vroom_protocol::Code;
use vroom_protocol::graphical::{
    Action, Chat, ClientMessage, Clipboard, ClipboardContent, ClipboardData, Command, DecodeError,
    DesktopState, Encoding, Media, Mode, Notification, NotificationKind, Resize, ScrollDirection,
    ServerMessage, Share, ShareAction, State, Viewport, WaitState,
};

fn refused(kind: u8, payload: &str) -> DecodeError {
    ClientMessage::decode(kind, payload.as_bytes()).unwrap_err()
}

#[test]
fn receivers_take_the_encoding_that_was_not_negotiated() {
    let interact = Ok(ClientMessage::Mode {
        mode: Mode::Interact,
        take: false,
    });
    assert_eq!(
        ClientMessage::decode(0x81, &json(r#"{"mode":"interact"}"#)),
        interact
    );
    let cbor = hex("A1 64 6D 6F 64 65 68 69 6E 74 65 72 61 63 74");
    assert_eq!(ClientMessage::decode(0x81, &cbor), interact);
}

#[test]
fn unknown_members_are_ignored() {
    let payload = json(r#"{"future":{"deep":[1,{"x":null}]},"mode":"view","take":true,"n":1e3}"#);
    let message = ClientMessage::Mode {
        mode: Mode::View,
        take: true,
    };
    assert_eq!(ClientMessage::decode(0x81, &payload), Ok(message));
}

#[test]
fn numbers_may_be_integers_or_floats() {
    let resize = Resize {
        scale: Some(2.0),
        ..Viewport::new(800, 600)
    };
    let payload = json(r#"{"width":800.0,"height":6e2,"scale":2}"#);
    assert_eq!(
        ClientMessage::decode(0x82, &payload),
        Ok(ClientMessage::Resize(resize))
    );
    // width FB(800.0), height FA(600.0), scale 2
    let payload = hex("A3 65 77 69 64 74 68 FB 40 89 00 00 00 00 00 00 \
         66 68 65 69 67 68 74 FA 44 16 00 00 65 73 63 61 6C 65 02");
    assert_eq!(
        ClientMessage::decode(0x82, &payload),
        Ok(ClientMessage::Resize(resize))
    );
}

#[test]
fn a_fraction_or_nan_is_no_integer() {
    for payload in [
        r#"{"width":800.5,"height":600}"#,
        r#"{"width":-1,"height":600}"#,
        r#"{"width":"800","height":600}"#,
        r#"{"width":800,"height":600,"scale":0}"#,
        r#"{"height":600}"#,
    ] {
        assert_eq!(
            refused(0x82, payload).code(),
            Code::INVALID_MESSAGE,
            "{payload}"
        );
    }
    // width is NaN
    let payload = hex("A2 65 77 69 64 74 68 F9 7E 00 66 68 65 69 67 68 74 01");
    assert!(ClientMessage::decode(0x82, &payload).is_err());
    // width is the bignum 800
    let payload = hex("A2 65 77 69 64 74 68 C2 42 03 20 66 68 65 69 67 68 74 01");
    assert!(ClientMessage::decode(0x82, &payload).is_err());
}

#[test]
fn an_absent_visible_is_true() {
    let payload = json(r#"{"type":"text","x":1,"y":2}"#);
    match ServerMessage::decode(0x90, &payload) {
        Ok(ServerMessage::Cursor(cursor)) => assert!(cursor.visible),
        other => panic!("{other:?}"),
    }
    let without_a_place = json(r#"{"type":"text","x":1}"#);
    assert!(ServerMessage::decode(0x90, &without_a_place).is_err());
}

#[test]
fn an_unknown_mode_direction_or_role_is_malformed() {
    for (kind, payload) in [
        (0x81, r#"{"mode":"fly"}"#),
        (0x81, r#"{}"#),
        (0x83, r#"{"direction":"sideways"}"#),
        (0x83, r#"{"direction":"set"}"#),
        (0x83, r#"{"direction":"push","text":"x"}"#),
        (0x87, r#"{"action":"role","to":"p1","role":"king"}"#),
        (0x87, r#"{"action":"steal"}"#),
        (0x93, r#"{"role":"ghost","text":"boo"}"#),
    ] {
        assert_eq!(
            refused(kind, payload).code(),
            Code::INVALID_MESSAGE,
            "{payload}"
        );
    }
}

#[test]
fn set_and_get_are_for_clients_and_push_is_for_servers() {
    for direction in ["set", "get"] {
        let payload = json(&format!(r#"{{"direction":"{direction}","text":""}}"#));
        assert!(ClientMessage::decode(0x83, &payload).is_ok());
        assert!(ServerMessage::decode(0x83, &payload).is_err());
    }
    let payload = json(r#"{"direction":"push","text":""}"#);
    assert!(ClientMessage::decode(0x83, &payload).is_err());
    let empty = ServerMessage::Clipboard(Clipboard::Push(ClipboardData::text("")));
    assert_eq!(ServerMessage::decode(0x83, &payload), Ok(empty));
}

#[test]
fn what_only_the_other_side_sends_is_unsupported() {
    for kind in [0x90, 0x91, 0x92, 0x94, 0x95, 0x8A, 0xA0, 0xEF] {
        assert_eq!(refused(kind, "{}").code(), Code::UNSUPPORTED, "{kind:#x}");
    }
    for kind in [0x81, 0x82, 0x84, 0x85, 0x86, 0x87, 0x88, 0x89, 0x96] {
        let error = ServerMessage::decode(kind, b"{}").unwrap_err();
        assert_eq!(error.code(), Code::UNSUPPORTED, "{kind:#x}");
    }
}

#[test]
fn each_oversized_text_is_too_large_and_one_byte_less_is_not() {
    for (kind, prefix, limit) in [
        (0x93, r#"{"role":"user","text":""#, 16 * 1024),
        (0x86, r#"{"text":""#, 256 * 1024),
        (0x83, r#"{"direction":"set","text":""#, 1024 * 1024),
    ] {
        let message = |length: usize| format!(r#"{prefix}{}"}}"#, "x".repeat(length));
        assert!(ClientMessage::decode(kind, message(limit).as_bytes()).is_ok());
        let error = refused(kind, &message(limit + 1));
        assert_eq!(error.code(), Code::MESSAGE_TOO_LARGE, "{kind:#x}");
    }
    let content = ClipboardContent::Data(vec![0; 1024 * 1024 + 1].into());
    let message = ClientMessage::Clipboard(Clipboard::Set(ClipboardData {
        content,
        ..ClipboardData::text("")
    }));
    for encoding in Encoding::ALL {
        let (kind, payload) = message.encode(encoding);
        let error = ClientMessage::decode(kind, &payload).unwrap_err();
        assert_eq!(error.code(), Code::MESSAGE_TOO_LARGE);
    }
}

#[test]
fn all_thirteen_actions_are_recognised() {
    for (name, rest) in [
        ("click", r#","selector":"a""#),
        ("type", r#","text":"a""#),
        ("scroll", r#","direction":"up""#),
        ("navigate", r#","url":"a""#),
        ("back", ""),
        ("forward", ""),
        ("refresh", ""),
        ("screenshot", ""),
        ("select", r#","selector":"a","values":["b"]"#),
        ("hover", r#","selector":"a""#),
        ("wait", r#","selector":"a""#),
        ("evaluate", r#","expression":"1""#),
        ("natural", r#","text":"a""#),
    ] {
        let payload = json(&format!(r#"{{"action":"{name}"{rest}}}"#));
        match ClientMessage::decode(0x85, &payload) {
            Ok(ClientMessage::Command(command)) => {
                assert_eq!(command.action.name(), name);
                assert!(!matches!(command.action, Action::Unknown(_)), "{name}");
            }
            other => panic!("{name}: {other:?}"),
        }
    }
}

#[test]
fn an_unknown_action_keeps_its_id() {
    let payload = json(r#"{"id":"cmd_9","action":"dance"}"#);
    let message = ClientMessage::decode(0x85, &payload).unwrap();
    assert_eq!(message.reference(), Some("cmd_9"));
    let action = Action::Unknown("dance".to_owned());
    assert!(matches!(message, ClientMessage::Command(command) if command.action == action));
}

#[test]
fn a_malformed_command_still_tells_its_id() {
    let error = refused(0x85, r#"{"id":"cmd_9","action":"click"}"#);
    assert_eq!(error.code(), Code::INVALID_MESSAGE);
    assert_eq!(error.reference(), Some("cmd_9"));
    let error = refused(0x87, r#"{"id":"s1","action":"grant"}"#);
    assert_eq!(error.reference(), Some("s1"));
}

#[test]
fn scroll_and_wait_have_their_defaults() {
    let command = |payload: &str| match ClientMessage::decode(0x85, payload.as_bytes()) {
        Ok(ClientMessage::Command(command)) => command.action,
        other => panic!("{other:?}"),
    };
    let scroll = Action::Scroll {
        direction: ScrollDirection::Left,
        amount: 3.0,
    };
    assert_eq!(command(r#"{"action":"scroll","direction":"left"}"#), scroll);
    let wait = Action::Wait {
        selector: "a".to_owned(),
        state: WaitState::Visible,
        timeout_ms: 10_000,
    };
    assert_eq!(command(r#"{"action":"wait","selector":"a"}"#), wait);
}

#[test]
fn optional_members_are_left_out_and_not_null() {
    let state = ServerMessage::State(State::new(State::IDLE));
    let (_, payload) = state.encode(Encoding::Json);
    assert_eq!(&payload[..], br#"{"state":"idle"}"#);
    let media = ClientMessage::Media(Media {
        key_frame: Some(true),
        ..Media::default()
    });
    let (_, payload) = media.encode(Encoding::Json);
    assert_eq!(&payload[..], br#"{"keyframe":true}"#);
}

#[test]
fn null_counts_as_absent() {
    let payload = json(r#"{"state":"idle","url":null,"viewport":null}"#);
    let idle = ServerMessage::State(State::new(State::IDLE));
    assert_eq!(ServerMessage::decode(0x91, &payload), Ok(idle));
}

#[test]
fn state_tells_the_mode_and_what_became_of_the_desktop() {
    let state = State {
        mode: Some(Mode::Interact),
        desktop: Some(DesktopState {
            kind: "headless".to_owned(),
            ended: Some("the session ended".to_owned()),
        }),
        ..State::new(State::IDLE)
    };
    let (_, payload) = ServerMessage::State(state).encode(Encoding::Json);
    let expected = concat!(
        r#"{"state":"idle","mode":"interact","#,
        r#""desktop":{"kind":"headless","ended":"the session ended"}}"#,
    );
    assert_eq!(&payload[..], expected.as_bytes());
}

#[test]
fn clipboard_data_and_screenshots_are_byte_strings_in_cbor() {
    let shot = Notification {
        data: Some(Bytes::from_static(b"\x89PNG")),
        mime_type: Some("image/png".to_owned()),
        ..Notification::new(NotificationKind::Success, "")
    };
    let (_, payload) = ServerMessage::Notification(shot.clone()).encode(Encoding::Cbor);
    let members = cbor_members(&payload);
    let data = members.iter().find(|(name, _)| name == "data").unwrap();
    assert_eq!(data.1.as_bytes(), Some(&b"\x89PNG".to_vec()));
    let (_, payload) = ServerMessage::Notification(shot).encode(Encoding::Json);
    assert!(String::from_utf8_lossy(&payload).contains(r#""data":"iVBORw==""#));
}

#[test]
fn debug_output_keeps_what_people_type_and_copy_to_itself() {
    let secret = || "hunter2".to_owned();
    let messages = [
        ClientMessage::Paste { text: secret() },
        ClientMessage::Clipboard(Clipboard::Set(ClipboardData::text(secret()))),
        ClientMessage::Navigate {
            url: secret(),
            new_tab: true,
        },
        ClientMessage::Command(Command {
            id: None,
            action: Action::Type {
                selector: Some(secret()),
                text: secret(),
            },
        }),
        ClientMessage::Command(Command {
            id: None,
            action: Action::Unknown(secret()),
        }),
        ClientMessage::Chat(Chat::said(secret())),
        ClientMessage::Share(Share {
            id: None,
            action: ShareAction::Revoke { token: secret() },
        }),
    ];
    for message in messages {
        assert!(!format!("{message:?}").contains("hunter2"), "{message:?}");
    }
    let invitation = Notification {
        token: Some(secret()),
        data: Some(Bytes::from_static(b"hunter2")),
        ..Notification::new(NotificationKind::Success, secret())
    };
    assert!(!format!("{:?}", ServerMessage::Notification(invitation)).contains("hunter2"));
}
