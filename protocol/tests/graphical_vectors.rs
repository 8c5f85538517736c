//! The published vectors of VROOM-Graphical, both ways.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests fail as tests do"
)]

mod codec_support;

use codec_support::hex;
use vroom_protocol::graphical::{
    Action, ButtonInput, Chat, ClientHandshake, ClientMessage, Clipboard, ClipboardData,
    ClipboardRequest, Command, Cursor, Encoding, Feedback, Key, Mode, Modifiers, Notification,
    NotificationKind, Pen, PenState, PointerInput, Resize, SHOWN_MAX, ScrollDirection,
    ServerHandshake, ServerMessage, Shown, State, Viewport,
};

/// Channel, type and payload of a frame with a six byte header.
fn frame(text: &str) -> (u8, u8, Vec<u8>) {
    let bytes = hex(text);
    assert_eq!(&bytes[2..4], &[0, 0], "flags and reserved byte");
    let length = usize::from(u16::from_be_bytes([bytes[4], bytes[5]]));
    let payload = bytes[6..].to_vec();
    assert_eq!(payload.len(), length);
    (bytes[0], bytes[1], payload)
}

#[track_caller]
fn pointer(text: &str, input: PointerInput) {
    let (channel, kind, payload) = frame(text);
    assert_eq!(channel, 1);
    assert_eq!(PointerInput::decode(kind, &payload), Ok(input.clone()));
    assert_eq!(input.encode(), (kind, payload.into()));
}

#[track_caller]
fn button(text: &str, input: ButtonInput) {
    let (channel, kind, payload) = frame(text);
    assert_eq!(channel, 2);
    assert_eq!(ButtonInput::decode(kind, &payload), Ok(input.clone()));
    assert_eq!(input.encode(), (kind, payload.into()));
}

#[track_caller]
fn client(text: &str, encoding: Encoding, message: ClientMessage) {
    let (channel, kind, payload) = frame(text);
    assert_eq!(channel, 0);
    assert_eq!(ClientMessage::decode(kind, &payload), Ok(message.clone()));
    assert_eq!(message.encode(encoding), (kind, payload.into()));
}

#[track_caller]
fn server(text: &str, encoding: Encoding, message: ServerMessage) {
    let (channel, kind, payload) = frame(text);
    assert_eq!(channel, 0);
    assert_eq!(ServerMessage::decode(kind, &payload), Ok(message.clone()));
    assert_eq!(message.encode(encoding), (kind, payload.into()));
}

fn key(key: &str, code: &str, modifiers: Modifiers) -> Key {
    Key {
        key: key.to_owned(),
        code: code.to_owned(),
        modifiers,
    }
}

#[test]
fn pointer_input_has_the_published_layout() {
    pointer(G1, PointerInput::Move { x: 512, y: 300 });
    pointer(G2, PointerInput::Move { x: 0, y: 0 });
    pointer(G3, PointerInput::MoveRelative { dx: -5, dy: 10 });
    pointer(G4, PointerInput::Scroll { dx: 0, dy: 120 });
    pointer(G5, PointerInput::Scroll { dx: 0, dy: -120 });
    pointer(
        G21,
        PointerInput::GamepadAxes {
            pad: 0,
            seq: 1,
            axes: vec![32767, -32767],
        },
    );
}

#[test]
fn feedback_has_four_numbers_for_each_picture() {
    let feedback = Feedback {
        fps: Some(60.0),
        shown: vec![Shown {
            rtp_time: 90_000,
            received_us: 1_000_000,
            decode_us: 2000,
            present_us: 5000,
        }],
        ..Feedback::default()
    };
    client(FEEDBACK, Encoding::Cbor, ClientMessage::Feedback(feedback));
    for shown in [
        "[1,2,3]",
        "[4294967296,1,1,1]",
        "[1,-1,1,1]",
        "[1,1,4294967296,1]",
        "7",
    ] {
        let body = format!("{{\"shown\":{shown}}}");
        assert!(
            ClientMessage::decode(0x89, body.as_bytes()).is_err(),
            "{body}"
        );
    }
    let many = format!("{{\"shown\":[{}1]}}", "1,".repeat(4 * 100 - 1));
    let Ok(ClientMessage::Feedback(feedback)) = ClientMessage::decode(0x89, many.as_bytes()) else {
        panic!("more than is looked at is no error");
    };
    assert_eq!(feedback.shown.len(), SHOWN_MAX);
}

#[test]
fn a_mouse_move_is_ten_bytes_on_the_wire() {
    let (_, payload) = PointerInput::Move { x: 512, y: 300 }.encode();
    assert_eq!(6 + payload.len(), 10);
}

#[test]
fn mouse_buttons_have_the_published_layout() {
    let (x, y, left, right) = (512, 300, 0, 2);
    button(G6, ButtonInput::MouseDown { x, y, button: left });
    button(G7, ButtonInput::MouseUp { x, y, button: left });
    button(
        G8,
        ButtonInput::MouseDown {
            x: 1919,
            y: 1079,
            button: right,
        },
    );
}

#[test]
fn keys_have_the_published_layout() {
    button(G9, ButtonInput::KeyDown(key("a", "KeyA", Modifiers::NONE)));
    button(G10, ButtonInput::KeyUp(key("a", "KeyA", Modifiers::NONE)));
    let control = |modifiers| key("Control", "ControlLeft", modifiers);
    button(G11, ButtonInput::KeyDown(control(Modifiers::CTRL)));
    button(G12, ButtonInput::KeyDown(key("s", "KeyS", Modifiers::CTRL)));
    button(G13, ButtonInput::KeyUp(control(Modifiers::NONE)));
    button(
        G14,
        ButtonInput::KeyDown(key("é", "Digit2", Modifiers::NONE)),
    );
    button(
        G15,
        ButtonInput::KeyDown(key("ArrowUp", "", Modifiers::SHIFT)),
    );
}

#[test]
fn touch_text_and_gamepads_have_the_published_layout() {
    let start = ButtonInput::TouchStart {
        id: 0,
        x: 400,
        y: 400,
        pressure: 128,
    };
    button(G16, start);
    let motion = ButtonInput::TouchMove {
        id: 1,
        x: 650,
        y: 650,
        pressure: 128,
    };
    button(G17, motion);
    button(G18, ButtonInput::TouchEnd { id: 1 });
    button(G19, ButtonInput::Text("né".to_owned()));
    let pressed = ButtonInput::GamepadButton {
        pad: 0,
        button: 3,
        value: 255,
    };
    button(G20, pressed);
}

#[test]
fn pens_have_the_layout_of_our_own_page() {
    let pen = Pen {
        state: PenState::TIP | PenState::LOWER,
        x: 512 * 256 + 128,
        y: 300 * 256 + 64,
        pressure: 0x8000,
        tilt_x: 30,
        tilt_y: -45,
        twist: 270,
    };
    button(PEN, ButtonInput::Pen(pen));
    button(PEN_LEAVE, ButtonInput::PenLeave);
}

#[test]
fn handshakes_are_json_whatever_the_control_encoding_is() {
    let hello = ClientMessage::Handshake(ClientHandshake {
        version: "0.1.0".to_owned(),
        control_encoding: Some(vec!["cbor".to_owned(), "json".to_owned()]),
        capabilities: vec!["pointer".to_owned()],
        viewport: Viewport::new(1024, 768),
        mode: Mode::View,
        client: None,
    });
    client(C1, Encoding::Json, hello.clone());
    client(C1, Encoding::Cbor, hello);

    let answer = ServerMessage::Handshake(ServerHandshake {
        version: "0.1.0".to_owned(),
        control_encoding: Encoding::Cbor,
        capabilities: vec!["pointer".to_owned(), "cursor".to_owned()],
        viewport: Viewport::new(1024, 768),
        agent: None,
    });
    server(C2, Encoding::Json, answer.clone());
    server(C2, Encoding::Cbor, answer);
}

#[test]
fn mode_has_the_published_form_in_both_encodings() {
    let interact = ClientMessage::Mode {
        mode: Mode::Interact,
        take: false,
    };
    client(C3, Encoding::Cbor, interact.clone());
    client(C4, Encoding::Json, interact);
}

#[test]
fn resize_writes_its_factors_as_shortest_floats() {
    let resize = Resize {
        width: 1920,
        height: 1080,
        scale: Some(1.0),
        pixel_ratio: Some(2.0),
    };
    client(C5, Encoding::Cbor, ClientMessage::Resize(resize));
}

#[test]
fn clipboard_navigate_and_paste_have_the_published_form() {
    let set = Clipboard::Set(ClipboardData::text("hello"));
    client(C6, Encoding::Cbor, ClientMessage::Clipboard(set));
    let get = Clipboard::Get(ClipboardRequest::default());
    client(C7, Encoding::Cbor, ClientMessage::Clipboard(get));
    let navigate = ClientMessage::Navigate {
        url: "https://github.com".to_owned(),
        new_tab: false,
    };
    client(C8, Encoding::Cbor, navigate);
    let text = "hi".to_owned();
    client(C11, Encoding::Cbor, ClientMessage::Paste { text });
}

#[test]
fn commands_have_the_published_form() {
    let click = Command {
        id: Some("cmd_1".to_owned()),
        action: Action::Click {
            selector: "text=Sign In".to_owned(),
        },
    };
    client(C9, Encoding::Cbor, ClientMessage::Command(click));
    let scroll = Command {
        id: Some("cmd_2".to_owned()),
        action: Action::Scroll {
            direction: ScrollDirection::Down,
            amount: 3.0,
        },
    };
    client(C10, Encoding::Cbor, ClientMessage::Command(scroll));
}

#[test]
fn what_the_server_tells_has_the_published_form() {
    let cursor = Cursor {
        kind: "pointer".to_owned(),
        x: 512,
        y: 300,
        visible: true,
        image: None,
        locked: false,
    };
    server(C12, Encoding::Cbor, ServerMessage::Cursor(cursor));
    let idle = State::new(State::IDLE);
    server(C13, Encoding::Cbor, ServerMessage::State(idle));
    let done = Notification {
        reference: Some("cmd_1".to_owned()),
        timestamp: Some(1_707_900_000),
        ..Notification::new(NotificationKind::Success, "ok")
    };
    server(C14, Encoding::Cbor, ServerMessage::Notification(done));
}

#[test]
fn chat_has_the_published_form_both_ways() {
    let chat = Chat::said("hi");
    client(C15, Encoding::Cbor, ClientMessage::Chat(chat.clone()));
    server(C15, Encoding::Cbor, ServerMessage::Chat(chat));
}

#[test]
fn the_negative_vectors_are_invalid_messages() {
    let (_, kind, payload) = frame("01 01 00 00 00 03 02 00 01");
    let short_move = PointerInput::decode(kind, &payload).unwrap_err();
    let (_, kind, payload) = frame("02 12 00 00 00 03 05 61 00");
    let long_key = ButtonInput::decode(kind, &payload).unwrap_err();
    let (_, kind, payload) = frame("00 81 00 00 00 01 61");
    let neither = ClientMessage::decode(kind, &payload).unwrap_err();
    for error in [short_move, long_key, neither] {
        assert_eq!(error.code().0, 4001, "{error}");
    }
}

const G1: &str = "01 01 00 00 00 04 02 00 01 2C";
const G2: &str = "01 01 00 00 00 04 00 00 00 00";
const G3: &str = "01 02 00 00 00 04 FF FB 00 0A";
const G4: &str = "01 03 00 00 00 04 00 00 00 78";
const G5: &str = "01 03 00 00 00 04 00 00 FF 88";
const G6: &str = "02 10 00 00 00 05 02 00 01 2C 00";
const G7: &str = "02 11 00 00 00 05 02 00 01 2C 00";
const G8: &str = "02 10 00 00 00 05 07 7F 04 37 02";
const G9: &str = "02 12 00 00 00 08 01 61 04 4B 65 79 41 00";
const G10: &str = "02 13 00 00 00 08 01 61 04 4B 65 79 41 00";
const G11: &str =
    "02 12 00 00 00 15 07 43 6F 6E 74 72 6F 6C 0B 43 6F 6E 74 72 6F 6C 4C 65 66 74 02";
const G12: &str = "02 12 00 00 00 08 01 73 04 4B 65 79 53 02";
const G13: &str =
    "02 13 00 00 00 15 07 43 6F 6E 74 72 6F 6C 0B 43 6F 6E 74 72 6F 6C 4C 65 66 74 00";
const G14: &str = "02 12 00 00 00 0B 02 C3 A9 06 44 69 67 69 74 32 00";
const G15: &str = "02 12 00 00 00 0A 07 41 72 72 6F 77 55 70 00 01";
const G16: &str = "02 14 00 00 00 06 00 01 90 01 90 80";
const G17: &str = "02 15 00 00 00 06 01 02 8A 02 8A 80";
const G18: &str = "02 16 00 00 00 01 01";
const G19: &str = "02 17 00 00 00 03 6E C3 A9";
const G20: &str = "02 19 00 00 00 03 00 03 FF";
const FEEDBACK: &str = "\
    00 89 00 00 00 1E A2 63 66 70 73 18 3C 65 73 68 6F 77 6E 84 1A 00 01 5F 90 1A 00 0F 42 40 \
    19 07 D0 19 13 88";
const PEN: &str = "02 1B 00 00 00 0D 03 02 00 80 01 2C 40 80 00 1E D3 01 0E";
const PEN_LEAVE: &str = "02 1C 00 00 00 00";
const G21: &str = "01 04 00 00 00 08 00 00 01 02 7F FF 80 01";
const C1: &str = "\
    00 80 00 00 00 86 7B 22 76 65 72 73 69 6F 6E 22 3A 22 30 2E 31 2E 30 22 2C 22 63 6F \
    6E 74 72 6F 6C 5F 65 6E 63 6F 64 69 6E 67 22 3A 5B 22 63 62 6F 72 22 2C 22 6A 73 6F \
    6E 22 5D 2C 22 63 61 70 61 62 69 6C 69 74 69 65 73 22 3A 5B 22 70 6F 69 6E 74 65 72 \
    22 5D 2C 22 76 69 65 77 70 6F 72 74 22 3A 7B 22 77 69 64 74 68 22 3A 31 30 32 34 2C \
    22 68 65 69 67 68 74 22 3A 37 36 38 7D 2C 22 6D 6F 64 65 22 3A 22 76 69 65 77 22 7D";
const C2: &str = "\
    00 80 00 00 00 78 7B 22 76 65 72 73 69 6F 6E 22 3A 22 30 2E 31 2E 30 22 2C 22 63 6F \
    6E 74 72 6F 6C 5F 65 6E 63 6F 64 69 6E 67 22 3A 22 63 62 6F 72 22 2C 22 63 61 70 61 \
    62 69 6C 69 74 69 65 73 22 3A 5B 22 70 6F 69 6E 74 65 72 22 2C 22 63 75 72 73 6F 72 \
    22 5D 2C 22 76 69 65 77 70 6F 72 74 22 3A 7B 22 77 69 64 74 68 22 3A 31 30 32 34 2C \
    22 68 65 69 67 68 74 22 3A 37 36 38 7D 7D";
const C3: &str = "00 81 00 00 00 0F A1 64 6D 6F 64 65 68 69 6E 74 65 72 61 63 74";
const C4: &str = "00 81 00 00 00 13 7B 22 6D 6F 64 65 22 3A 22 69 6E 74 65 72 61 63 74 22 7D";
const C5: &str = "\
    00 82 00 00 00 2B A4 65 73 63 61 6C 65 F9 3C 00 65 77 69 64 74 68 19 07 80 66 68 65 \
    69 67 68 74 19 04 38 6A 70 69 78 65 6C 52 61 74 69 6F F9 40 00";
const C6: &str = "\
    00 83 00 00 00 1A A2 64 74 65 78 74 65 68 65 6C 6C 6F 69 64 69 72 65 63 74 69 6F 6E \
    63 73 65 74";
const C7: &str = "00 83 00 00 00 0F A1 69 64 69 72 65 63 74 69 6F 6E 63 67 65 74";
const C8: &str = "\
    00 84 00 00 00 20 A2 63 75 72 6C 72 68 74 74 70 73 3A 2F 2F 67 69 74 68 75 62 2E 63 \
    6F 6D 66 6E 65 77 54 61 62 F4";
const C9: &str = "\
    00 85 00 00 00 2D A3 62 69 64 65 63 6D 64 5F 31 66 61 63 74 69 6F 6E 65 63 6C 69 63 \
    6B 68 73 65 6C 65 63 74 6F 72 6C 74 65 78 74 3D 53 69 67 6E 20 49 6E";
const C10: &str = "\
    00 85 00 00 00 2F A4 62 69 64 65 63 6D 64 5F 32 66 61 63 74 69 6F 6E 66 73 63 72 6F \
    6C 6C 66 61 6D 6F 75 6E 74 03 69 64 69 72 65 63 74 69 6F 6E 64 64 6F 77 6E";
const C11: &str = "00 86 00 00 00 09 A1 64 74 65 78 74 62 68 69";
const C12: &str = "\
    00 90 00 00 00 21 A4 61 78 19 02 00 61 79 19 01 2C 64 74 79 70 65 67 70 6F 69 6E 74 \
    65 72 67 76 69 73 69 62 6C 65 F5";
const C13: &str = "00 91 00 00 00 0C A1 65 73 74 61 74 65 64 69 64 6C 65";
const C14: &str = "\
    00 92 00 00 00 2F A4 63 72 65 66 65 63 6D 64 5F 31 64 74 65 78 74 62 6F 6B 64 74 79 \
    70 65 67 73 75 63 63 65 73 73 69 74 69 6D 65 73 74 61 6D 70 1A 65 CC 7C 60";
const C15: &str = "00 93 00 00 00 13 A2 64 72 6F 6C 65 64 75 73 65 72 64 74 65 78 74 62 68 69";
