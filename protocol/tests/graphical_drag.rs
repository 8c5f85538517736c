//! DRAG: the vectors of docs/protocol.md, which the tests of the page hold, too, and its bounds.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests fail as tests do"
)]

mod codec_support;

use codec_support::hex;
use vroom_protocol::Code;
use vroom_protocol::graphical::{ClientMessage, Drag, DragNews, Encoding, Paths, ServerMessage};

const DRAG: u8 = 0x8B;

fn paths(paths: &[&str]) -> Paths {
    Paths::new(paths.iter().map(|path| (*path).to_owned()))
}

#[test]
fn the_vectors_of_the_client_are_read_and_written() {
    let drop = Drag::Drop {
        x: 1,
        y: 2,
        paths: paths(&["Downloads/a.txt"]),
    };
    for (bytes, drag) in [
        (ENTER, Drag::Enter { x: 100, y: 200 }),
        (LEAVE, Drag::Leave),
        (DROP, drop),
        (TAKE, Drag::Take),
    ] {
        let (frame, message) = (hex(bytes), ClientMessage::Drag(drag));
        let (kind, payload) = message.encode(Encoding::Cbor);
        assert_eq!((kind, &payload[..]), (frame[1], &frame[6..]), "{message:?}");
        assert_eq!(ClientMessage::decode(DRAG, &frame[6..]), Ok(message));
    }
}

#[test]
fn the_vectors_of_the_server_are_read_and_written() {
    let files = DragNews::Files {
        paths: paths(&["a.txt"]),
        elsewhere: 1,
    };
    for (bytes, news) in [
        (BEGIN, DragNews::Begin),
        (FILES, files),
        (END, DragNews::End { taken: true }),
    ] {
        let (frame, message) = (hex(bytes), ServerMessage::Drag(news));
        let (kind, payload) = message.encode(Encoding::Cbor);
        assert_eq!((kind, &payload[..]), (frame[1], &frame[6..]), "{message:?}");
        assert_eq!(ServerMessage::decode(DRAG, &frame[6..]), Ok(message));
    }
}

#[test]
fn each_side_says_only_its_own_and_all_of_it() {
    for bad in [
        r#"{"action":"begin"}"#,
        r#"{"action":"enter","x":1}"#,
        r#"{"action":"enter","x":1,"y":65536}"#,
        r#"{"action":"drop","x":1,"y":2}"#,
        r#"{"x":1,"y":2}"#,
    ] {
        let error = ClientMessage::decode(DRAG, bad.as_bytes()).unwrap_err();
        assert_eq!(error.code(), Code::INVALID_MESSAGE, "{bad}");
    }
    assert!(ServerMessage::decode(DRAG, br#"{"action":"take"}"#).is_err());
}

#[test]
fn a_drop_is_bounded_in_files_and_in_bytes() {
    let decode = |paths: &[String]| {
        let list = paths
            .iter()
            .map(|path| format!("\"{path}\""))
            .collect::<Vec<_>>()
            .join(",");
        let json = format!(r#"{{"action":"drop","x":1,"y":2,"paths":[{list}]}}"#);
        ClientMessage::decode(DRAG, json.as_bytes()).map_err(|error| error.code())
    };
    let many = vec!["a".to_owned(); Paths::COUNT_MAX];
    assert!(decode(&many).is_ok());
    assert_eq!(
        decode(&[&many[..], &many[..1]].concat()),
        Err(Code::MESSAGE_TOO_LARGE)
    );
    let long = vec!["a".repeat(Paths::BYTES_MAX / 16); 16];
    assert!(decode(&long).is_ok());
    assert_eq!(
        decode(&[&long[..], &many[..1]].concat()),
        Err(Code::MESSAGE_TOO_LARGE)
    );
    // What we say ourselves keeps to the same.
    let taken = |paths: Vec<String>| Paths::new(paths).len();
    assert_eq!(taken(vec!["a".into(); 1000]), Paths::COUNT_MAX);
    assert_eq!(taken(vec!["a".repeat(Paths::BYTES_MAX / 16); 17]), 16);
}

const ENTER: &str =
    "00 8B 00 00 00 16 A3 61 78 18 64 61 79 18 C8 66 61 63 74 69 6F 6E 65 65 6E 74 65 72";
const LEAVE: &str = "00 8B 00 00 00 0E A1 66 61 63 74 69 6F 6E 65 6C 65 61 76 65";
const DROP: &str = "\
    00 8B 00 00 00 2A A4 61 78 01 61 79 02 65 70 61 74 68 73 81 6F 44 6F 77 6E 6C 6F 61 64 73 \
    2F 61 2E 74 78 74 66 61 63 74 69 6F 6E 64 64 72 6F 70";
const TAKE: &str = "00 8B 00 00 00 0D A1 66 61 63 74 69 6F 6E 64 74 61 6B 65";
const BEGIN: &str = "00 8B 00 00 00 0E A1 66 61 63 74 69 6F 6E 65 62 65 67 69 6E";
const FILES: &str = "\
    00 8B 00 00 00 26 A3 65 70 61 74 68 73 81 65 61 2E 74 78 74 66 61 63 74 69 6F 6E 65 66 69 \
    6C 65 73 69 65 6C 73 65 77 68 65 72 65 01";
const END: &str = "00 8B 00 00 00 13 A2 65 74 61 6B 65 6E F5 66 61 63 74 69 6F 6E 63 65 6E 64";
