//! Input and pictures in binary: exact sizes, and nothing that makes a decoder panic.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests fail as tests do"
)]

use bytes::Bytes;
use proptest::prelude::*;
use vroom_protocol::Code;
use vroom_protocol::graphical::{
    ButtonInput, DecodeError, Key, Modifiers, Pen, PenState, PointerInput, Preedit, VideoMessage,
    axes_are_newer,
};

fn pointer_input() -> impl Strategy<Value = PointerInput> {
    let axes = prop::collection::vec(-i16::MAX..=i16::MAX, 0..=255);
    prop_oneof![
        any::<[u16; 2]>().prop_map(|[x, y]| PointerInput::Move { x, y }),
        any::<[i16; 2]>().prop_map(|[dx, dy]| PointerInput::MoveRelative { dx, dy }),
        any::<[i16; 2]>().prop_map(|[dx, dy]| PointerInput::Scroll { dx, dy }),
        (any::<u8>(), any::<u16>(), axes).prop_map(|(pad, seq, axes)| PointerInput::GamepadAxes {
            pad,
            seq,
            axes
        }),
    ]
}

fn key() -> impl Strategy<Value = Key> {
    (".{1,60}", ".{0,60}", any::<u8>()).prop_map(|(key, code, modifiers)| Key {
        key,
        code,
        modifiers: Modifiers::from_bits(modifiers),
    })
}

fn pen() -> impl Strategy<Value = Pen> {
    let place = 0..=Pen::PLACE_MAX;
    let tilt = -Pen::TILT_MAX..=Pen::TILT_MAX;
    let held = (any::<u16>(), tilt.clone(), tilt, 0..Pen::TURN);
    (any::<u8>(), place.clone(), place, held).prop_map(
        |(state, x, y, (pressure, tilt_x, tilt_y, twist))| Pen {
            state: PenState::from_bits(state),
            x,
            y,
            pressure,
            tilt_x,
            tilt_y,
            twist,
        },
    )
}

fn preedit() -> impl Strategy<Value = ButtonInput> {
    (".{0,60}", any::<[prop::sample::Index; 2]>(), any::<bool>()).prop_map(
        |(text, at, shown): (String, _, _)| {
            let mut places: Vec<usize> = text.char_indices().map(|(place, _)| place).collect();
            places.push(text.len());
            let [one, other] = at.map(|at| u16::try_from(*at.get(&places)).unwrap());
            let caret = shown.then_some((one.min(other), one.max(other)));
            ButtonInput::Preedit(Preedit::new(text, caret).unwrap())
        },
    )
}

fn button_input() -> impl Strategy<Value = ButtonInput> {
    let place = any::<[u16; 2]>;
    prop_oneof![
        (place(), 0..=4_u8).prop_map(|([x, y], button)| ButtonInput::MouseDown { x, y, button }),
        (place(), 0..=4_u8).prop_map(|([x, y], button)| ButtonInput::MouseUp { x, y, button }),
        key().prop_map(ButtonInput::KeyDown),
        key().prop_map(ButtonInput::KeyUp),
        (any::<[u8; 2]>(), place()).prop_map(|([id, pressure], [x, y])| {
            ButtonInput::TouchStart { id, x, y, pressure }
        }),
        (any::<[u8; 2]>(), place())
            .prop_map(|([id, pressure], [x, y])| { ButtonInput::TouchMove { id, x, y, pressure } }),
        any::<u8>().prop_map(|id| ButtonInput::TouchEnd { id }),
        ".{1,60}".prop_map(ButtonInput::Text),
        (any::<[u8; 3]>(), ".{0,60}").prop_map(|([pad, buttons, axes], name)| {
            ButtonInput::GamepadAttach {
                pad,
                buttons,
                axes,
                name,
            }
        }),
        any::<[u8; 3]>().prop_map(|[pad, button, value]| ButtonInput::GamepadButton {
            pad,
            button,
            value
        }),
        any::<u8>().prop_map(|pad| ButtonInput::GamepadDetach { pad }),
        pen().prop_map(ButtonInput::Pen),
        Just(ButtonInput::PenLeave),
        preedit(),
    ]
}

fn jpeg() -> impl Strategy<Value = Bytes> {
    prop::collection::vec(any::<u8>(), 0..64).prop_map(|inside| {
        [&[0xFF, 0xD8][..], &inside[..], &[0xFF, 0xD9]]
            .concat()
            .into()
    })
}

fn video_message() -> impl Strategy<Value = VideoMessage> {
    let unit = prop::collection::vec(any::<u8>(), 1..64).prop_map(Bytes::from);
    prop_oneof![
        jpeg().prop_map(VideoMessage::Jpeg),
        (any::<[u16; 4]>(), jpeg()).prop_map(|([x, y, w, h], jpeg)| VideoMessage::Tile {
            x,
            y,
            w,
            h,
            jpeg
        }),
        (any::<bool>(), any::<u64>(), unit).prop_map(|(key_frame, pts_us, unit)| {
            VideoMessage::H264 {
                key_frame,
                pts_us,
                unit,
            }
        }),
        any::<u32>().prop_map(VideoMessage::Ack),
    ]
}

proptest! {
    #[test]
    fn every_pointer_input_survives_and_has_one_size(input in pointer_input()) {
        let (kind, payload) = input.encode();
        prop_assert_eq!(PointerInput::decode(kind, &payload), Ok(input));
        for length in 0..payload.len() {
            prop_assert!(PointerInput::decode(kind, &payload[..length]).is_err());
        }
        let longer = [&payload[..], &[0]].concat();
        prop_assert!(PointerInput::decode(kind, &longer).is_err());
    }

    #[test]
    fn every_button_input_survives(input in button_input()) {
        let (kind, payload) = input.encode();
        prop_assert_eq!(ButtonInput::decode(kind, &payload), Ok(input));
    }

    #[test]
    fn every_button_input_but_text_has_one_size(
        input in button_input().prop_filter("text", |input| {
            !matches!(input, ButtonInput::Text(_) | ButtonInput::Preedit(_))
        })
    ) {
        let (kind, payload) = input.encode();
        for length in 0..payload.len() {
            prop_assert!(ButtonInput::decode(kind, &payload[..length]).is_err());
        }
        let longer = [&payload[..], &[0]].concat();
        prop_assert!(ButtonInput::decode(kind, &longer).is_err());
    }

    #[test]
    fn every_video_message_survives(message in video_message()) {
        let (kind, payload) = message.encode();
        prop_assert_eq!(VideoMessage::decode(kind, &payload), Ok(message));
    }

    #[test]
    fn no_bytes_make_an_input_decoder_panic(
        kind in any::<u8>(),
        payload in prop::collection::vec(any::<u8>(), 0..300),
    ) {
        if let Ok(input) = PointerInput::decode(kind, &payload) {
            prop_assert_eq!(input.encode().0, kind);
        }
        if let Ok(input) = ButtonInput::decode(kind, &payload) {
            prop_assert_eq!(input.encode().0, kind);
        }
        if let Ok(message) = VideoMessage::decode(kind, &payload) {
            prop_assert_eq!(message.encode().0, kind);
        }
    }
}

#[track_caller]
fn is_invalid<T: std::fmt::Debug>(result: Result<T, DecodeError>) {
    assert_eq!(result.unwrap_err().code(), Code::INVALID_MESSAGE);
}

#[test]
fn modifier_bits_5_to_7_are_ignored_and_sent_as_0() {
    let payload = [1, b'a', 4, b'K', b'e', b'y', b'A', 0xE1];
    let input = ButtonInput::decode(0x12, &payload).unwrap();
    match &input {
        ButtonInput::KeyDown(key) => assert_eq!(key.modifiers, Modifiers::SHIFT),
        other => panic!("{other:?}"),
    }
    assert_eq!(input.encode().1.last(), Some(&0x01));
}

#[test]
fn a_key_without_any_name_is_malformed() {
    is_invalid(ButtonInput::decode(0x12, &[0, 0, 0]));
    assert!(ButtonInput::decode(0x12, &[1, b'a', 0, 0]).is_ok());
    assert!(ButtonInput::decode(0x12, &[0, 4, b'K', b'e', b'y', b'A', 0]).is_ok());
}

#[test]
fn key_lengths_beyond_the_payload_are_malformed() {
    for payload in [
        &[][..],
        &[0],
        &[5, b'a', 0],
        &[1, b'a', 9, 0],
        &[255],
        &[1, b'a', 0],
    ] {
        is_invalid(ButtonInput::decode(0x12, payload));
        is_invalid(ButtonInput::decode(0x13, payload));
    }
    is_invalid(ButtonInput::decode(0x12, &[1, 0xFF, 0, 0]));
}

#[test]
fn a_mouse_button_above_4_is_malformed() {
    assert!(ButtonInput::decode(0x10, &[0, 0, 0, 0, 4]).is_ok());
    is_invalid(ButtonInput::decode(0x10, &[0, 0, 0, 0, 5]));
    is_invalid(ButtonInput::decode(0x11, &[0, 0, 0, 0, 255]));
}

#[test]
fn text_has_1_to_4096_bytes_of_utf_8() {
    is_invalid(ButtonInput::decode(0x17, b""));
    assert!(ButtonInput::decode(0x17, &[b'x'; 4096]).is_ok());
    is_invalid(ButtonInput::decode(0x17, &[b'x'; 4097]));
    is_invalid(ButtonInput::decode(0x17, &[0xC3]));
}

#[test]
fn unknown_input_types_are_unsupported() {
    for kind in [0x00, 0x05, 0x10, 0xFF] {
        let error = PointerInput::decode(kind, &[0; 4]).unwrap_err();
        assert_eq!(error.code(), Code::UNSUPPORTED);
    }
    for kind in [0x00, 0x01, 0x0F, 0x1E, 0xFF] {
        let error = ButtonInput::decode(kind, &[0; 4]).unwrap_err();
        assert_eq!(error.code(), Code::UNSUPPORTED);
    }
}

#[test]
fn what_a_pen_cannot_do_is_the_nearest_that_it_can() {
    let payload = [0xF1, 0, 1, 2, 0, 3, 4, 0xFF, 0xFF, 0x7F, 0x80, 0x02, 0xD1];
    let input = ButtonInput::decode(0x1B, &payload).unwrap();
    let expected = Pen {
        state: PenState::TIP,
        x: 0x0102,
        y: 0x0304,
        pressure: u16::MAX,
        tilt_x: 90,
        tilt_y: -90,
        twist: 1,
    };
    assert_eq!(input, ButtonInput::Pen(expected));
    let sent = ButtonInput::Pen(Pen {
        x: u32::MAX,
        twist: 721,
        ..expected
    });
    let (_, payload) = sent.encode();
    assert_eq!(
        payload[..],
        [1, 255, 255, 255, 0, 3, 4, 255, 255, 90, 166, 0, 1]
    );
}

#[test]
fn the_lowest_axis_value_means_the_same_as_its_neighbour() {
    let input = PointerInput::decode(0x04, &[0, 0, 1, 1, 0x80, 0x00]);
    let axes = vec![-32767];
    assert_eq!(
        input,
        Ok(PointerInput::GamepadAxes {
            pad: 0,
            seq: 1,
            axes
        })
    );
}

#[test]
fn axes_are_newer_across_the_wrap() {
    assert!(axes_are_newer(1, 0));
    assert!(axes_are_newer(0, u16::MAX));
    assert!(axes_are_newer(10, 65_530));
    assert!(!axes_are_newer(5, 5));
    assert!(!axes_are_newer(4, 5));
    assert!(!axes_are_newer(65_530, 10));
}

#[test]
fn names_too_long_for_the_wire_are_cut_between_characters() {
    let long = ButtonInput::KeyDown(Key {
        key: "é".repeat(200),
        code: "KeyE".to_owned(),
        modifiers: Modifiers::NONE,
    });
    let (kind, payload) = long.encode();
    match ButtonInput::decode(kind, &payload) {
        Ok(ButtonInput::KeyDown(key)) => assert_eq!(key.key, "é".repeat(127)),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_picture_is_one_jpeg_file_and_nothing_around_it() {
    for payload in [
        &b""[..],
        &[0xFF, 0xD8],
        &[0, 0xFF, 0xD8, 0xFF, 0xD9],
        &[0xFF, 0xD8, 0, 0],
    ] {
        is_invalid(VideoMessage::decode(0x01, payload));
    }
    is_invalid(VideoMessage::decode(0x02, &[0; 8]));
    is_invalid(VideoMessage::decode(0x03, &[1; 9]));
}

#[test]
fn clients_send_nothing_but_counts_on_video() {
    assert_eq!(VideoMessage::decode_ack(0x10, &[0, 0, 1, 0]), Ok(256));
    is_invalid(VideoMessage::decode_ack(0x10, &[0, 0, 1]));
    is_invalid(VideoMessage::decode_ack(0x10, &[0; 5]));
    for kind in [0x00, 0x01, 0x02, 0x03, 0x11] {
        let error = VideoMessage::decode_ack(kind, &[0xFF, 0xD8, 0xFF, 0xD9]).unwrap_err();
        assert_eq!(error.code(), Code::UNSUPPORTED);
    }
}

#[test]
fn debug_output_does_not_show_keys() {
    let key = Key {
        key: "q".to_owned(),
        code: "KeyQ".to_owned(),
        modifiers: Modifiers::SHIFT,
    };
    let inputs = [
        ButtonInput::KeyDown(key.clone()),
        ButtonInput::KeyUp(key.clone()),
        ButtonInput::Text("KeyQ".to_owned()),
    ];
    for input in inputs {
        assert!(!format!("{input:?}").contains('Q'));
    }
    assert!(!format!("{key:?}").contains('Q'));
}
