//! The published vectors of VROOM-Terminal, both ways.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests fail as tests do"
)]

mod codec_support;

use codec_support::hex;
use vroom_protocol::Code;
use vroom_protocol::terminal::{
    AuthMethod, AuthRequest, AuthResponse, Capabilities, ClientHello, ClientMessage, Encoding,
    Environment, ErrorMessage, ExecRequest, ExitStatus, Extensions, Keyboard, Kitty, PtyGrant,
    PtyRequest, PtyResponse, ServerHello, ServerMessage, ShellRequest, TerminalInfo, Tlv,
    TlvDecoder, WindowSize,
};

/// The one message in a vector.
#[track_caller]
fn tlv(bytes: &[u8]) -> Tlv {
    let mut decoder = TlvDecoder::new();
    decoder.push(bytes);
    let tlv = decoder.poll().unwrap().unwrap();
    assert_eq!(decoder.buffered_bytes(), 0);
    tlv
}

#[track_caller]
fn client(text: &str, message: ClientMessage) {
    let bytes = hex(text);
    let tlv = tlv(&bytes);
    assert_eq!(
        ClientMessage::decode(tlv.kind, &tlv.payload),
        Ok(message.clone())
    );
    assert_eq!(message.encode(Encoding::Cbor).encode(), bytes);
}

#[track_caller]
fn server(text: &str, message: ServerMessage) {
    let bytes = hex(text);
    let tlv = tlv(&bytes);
    assert_eq!(
        ServerMessage::decode(tlv.kind, &tlv.payload),
        Ok(message.clone())
    );
    assert_eq!(message.encode(Encoding::Cbor).encode(), bytes);
}

fn owned(names: &[&str]) -> Option<Vec<String>> {
    Some(names.iter().map(|name| (*name).to_owned()).collect())
}

/// The offer of the published example.
fn full_offer() -> Capabilities {
    Capabilities {
        protocol_version: Some(1),
        terminal: Some(TerminalInfo {
            name: Some("kitty".to_owned()),
            unicode_version: Some("15.1".to_owned()),
            truecolor: Some(true),
        }),
        kitty: Some(Kitty {
            keyboard: Some(Keyboard {
                supported_levels: Some(vec![1, 2, 3]),
                preferred_level: Some(3),
            }),
            graphics: Some(true),
            sixel: Some(true),
            synchronized_output: Some(true),
        }),
        mouse: owned(&["sgr", "kitty", "xterm"]),
        features: owned(&Capabilities::FEATURES),
        extensions: Some(Extensions {
            structured_keys: Some(true),
            reconnect: Some(true),
            zstd_compression: Some(true),
            ..Extensions::default()
        }),
    }
}

#[test]
fn hello_is_json_in_both_directions() {
    let offered = [Encoding::Cbor, Encoding::Json];
    client(T1, ClientMessage::Hello(ClientHello::new(&offered)));
    server(T2, ServerMessage::Hello(ServerHello::new(Encoding::Cbor)));
}

#[test]
fn capabilities_have_the_published_form() {
    client(T3, ClientMessage::CapabilityOffer(full_offer()));
    let reduced = Capabilities {
        protocol_version: Some(1),
        kitty: Some(Kitty {
            keyboard: Some(Keyboard {
                supported_levels: Some(vec![1, 2]),
                preferred_level: Some(2),
            }),
            graphics: Some(true),
            sixel: Some(false),
            synchronized_output: Some(true),
        }),
        ..Capabilities::default()
    };
    server(T4, ServerMessage::CapabilitySelect(reduced));
}

#[test]
fn authentication_has_the_published_form() {
    let request = AuthRequest {
        user: None,
        method: AuthMethod::Token("s3cret".to_owned()),
    };
    client(T5, ClientMessage::AuthRequest(request));
    let user = "alice".to_owned();
    server(
        T6,
        ServerMessage::AuthResponse(AuthResponse::Success { user }),
    );
}

#[test]
fn the_terminal_has_the_published_form() {
    let request = PtyRequest {
        term: Some("xterm-256color".to_owned()),
        size: Some(WindowSize::new(24, 80)),
        ..PtyRequest::default()
    };
    client(T7, ClientMessage::PtyRequest(request));
    let grant = PtyGrant {
        channel: "vroom.terminal.pty".to_owned(),
        ..PtyGrant::default()
    };
    server(T8, ServerMessage::PtyResponse(PtyResponse::Granted(grant)));
}

#[test]
fn rows_come_first_in_window_sizes() {
    client(T9, ClientMessage::WindowResize(WindowSize::new(24, 80)));
    let with_pixels = WindowSize {
        rows: 40,
        cols: 120,
        pixel_width: 960,
        pixel_height: 800,
    };
    client(T10, ClientMessage::WindowResize(with_pixels));
}

#[test]
fn signals_are_posix_numbers() {
    client(T11, ClientMessage::Signal(2));
    client(T12, ClientMessage::Signal(15));
}

#[test]
fn programs_have_the_published_form() {
    let lang = ("LANG".to_owned(), "C.UTF-8".to_owned());
    client(T13, ClientMessage::SetEnv(Environment(vec![lang])));
    client(T14, ClientMessage::ShellRequest(ShellRequest::default()));
    client(
        T15,
        ClientMessage::ExecRequest(ExecRequest::line("uname -a")),
    );
    server(T16, ServerMessage::ExitStatus(ExitStatus::exited(0)));
    server(T17, ServerMessage::ExitStatus(ExitStatus::killed(15)));
}

#[test]
fn errors_have_the_published_form_both_ways() {
    let error = ErrorMessage {
        reference: Some(16),
        fatal: true,
        ..ErrorMessage::new(Code::AUTH_FAILED, "no")
    };
    server(T18, ServerMessage::Error(error.clone()));
    client(T18, ClientMessage::Error(error));
}

#[test]
fn a_tlv_is_the_payload_of_a_mux_frame_of_type_0() {
    let frame = hex(T19);
    assert_eq!(frame[..6], [3, 0, 0, 0, 0, 16]);
    assert_eq!(frame[6..], hex(T9));
    // The PTY channel carries its bytes as they are.
    let frame = hex(T20);
    assert_eq!(frame[..6], [4, 0, 0, 0, 0, 3]);
    assert_eq!(&frame[6..], b"ls\r");
}

#[test]
fn the_length_of_a_tlv_does_not_count_its_header() {
    let bytes = hex(T9);
    assert_eq!(bytes.len(), 16);
    assert_eq!(bytes[..8], [0, 0, 0, 0x30, 0, 0, 0, 8]);
}

const T1: &str = "\
    00 00 00 01 00 00 00 4C 7B 22 70 72 6F 74 6F 63 6F 6C 22 3A 22 76 72 6F 6F 6D 2D 74 \
    65 72 6D 69 6E 61 6C 22 2C 22 76 65 72 73 69 6F 6E 22 3A 31 2C 22 63 6F 6E 74 72 6F \
    6C 5F 65 6E 63 6F 64 69 6E 67 22 3A 5B 22 63 62 6F 72 22 2C 22 6A 73 6F 6E 22 5D 7D";
const T2: &str = "\
    00 00 00 01 00 00 00 43 7B 22 70 72 6F 74 6F 63 6F 6C 22 3A 22 76 72 6F 6F 6D 2D 74 \
    65 72 6D 69 6E 61 6C 22 2C 22 76 65 72 73 69 6F 6E 22 3A 31 2C 22 63 6F 6E 74 72 6F \
    6C 5F 65 6E 63 6F 64 69 6E 67 22 3A 22 63 62 6F 72 22 7D";
const T3: &str = "\
    00 00 00 02 00 00 01 4E A6 65 6B 69 74 74 79 A4 65 73 69 78 65 6C F5 68 67 72 61 70 \
    68 69 63 73 F5 68 6B 65 79 62 6F 61 72 64 A2 6F 70 72 65 66 65 72 72 65 64 5F 6C 65 \
    76 65 6C 03 70 73 75 70 70 6F 72 74 65 64 5F 6C 65 76 65 6C 73 83 01 02 03 73 73 79 \
    6E 63 68 72 6F 6E 69 7A 65 64 5F 6F 75 74 70 75 74 F5 65 6D 6F 75 73 65 83 63 73 67 \
    72 65 6B 69 74 74 79 65 78 74 65 72 6D 68 66 65 61 74 75 72 65 73 85 6F 62 72 61 63 \
    6B 65 74 65 64 5F 70 61 73 74 65 6F 6F 73 63 35 32 5F 63 6C 69 70 62 6F 61 72 64 6F \
    66 6F 63 75 73 5F 72 65 70 6F 72 74 69 6E 67 6A 68 79 70 65 72 6C 69 6E 6B 73 72 70 \
    72 6F 67 72 65 73 73 5F 69 6E 64 69 63 61 74 6F 72 68 74 65 72 6D 69 6E 61 6C A3 64 \
    6E 61 6D 65 65 6B 69 74 74 79 69 74 72 75 65 63 6F 6C 6F 72 F5 6F 75 6E 69 63 6F 64 \
    65 5F 76 65 72 73 69 6F 6E 64 31 35 2E 31 6A 65 78 74 65 6E 73 69 6F 6E 73 A3 69 72 \
    65 63 6F 6E 6E 65 63 74 F5 6F 73 74 72 75 63 74 75 72 65 64 5F 6B 65 79 73 F5 70 7A \
    73 74 64 5F 63 6F 6D 70 72 65 73 73 69 6F 6E F5 70 70 72 6F 74 6F 63 6F 6C 5F 76 65 \
    72 73 69 6F 6E 01";
const T4: &str = "\
    00 00 00 03 00 00 00 6F A2 65 6B 69 74 74 79 A4 65 73 69 78 65 6C F4 68 67 72 61 70 \
    68 69 63 73 F5 68 6B 65 79 62 6F 61 72 64 A2 6F 70 72 65 66 65 72 72 65 64 5F 6C 65 \
    76 65 6C 02 70 73 75 70 70 6F 72 74 65 64 5F 6C 65 76 65 6C 73 82 01 02 73 73 79 6E \
    63 68 72 6F 6E 69 7A 65 64 5F 6F 75 74 70 75 74 F5 70 70 72 6F 74 6F 63 6F 6C 5F 76 \
    65 72 73 69 6F 6E 01";
const T5: &str = "\
    00 00 00 10 00 00 00 1B A2 65 74 6F 6B 65 6E 66 73 33 63 72 65 74 66 6D 65 74 68 6F \
    64 65 74 6F 6B 65 6E";
const T6: &str = "\
    00 00 00 11 00 00 00 1B A2 64 75 73 65 72 65 61 6C 69 63 65 66 73 74 61 74 75 73 67 \
    73 75 63 63 65 73 73";
const T7: &str = "\
    00 00 00 20 00 00 00 23 A3 64 63 6F 6C 73 18 50 64 72 6F 77 73 18 18 64 74 65 72 6D \
    6E 78 74 65 72 6D 2D 32 35 36 63 6F 6C 6F 72";
const T8: &str = "\
    00 00 00 21 00 00 00 20 A2 62 6F 6B F5 67 63 68 61 6E 6E 65 6C 72 76 72 6F 6F 6D 2E \
    74 65 72 6D 69 6E 61 6C 2E 70 74 79";
const T9: &str = "00 00 00 30 00 00 00 08 00 18 00 50 00 00 00 00";
const T10: &str = "00 00 00 30 00 00 00 08 00 28 00 78 03 C0 03 20";
const T11: &str = "00 00 00 31 00 00 00 01 02";
const T12: &str = "00 00 00 31 00 00 00 01 0F";
const T13: &str = "00 00 00 40 00 00 00 0E A1 64 4C 41 4E 47 67 43 2E 55 54 46 2D 38";
const T14: &str = "00 00 00 50 00 00 00 01 A0";
const T15: &str = "00 00 00 51 00 00 00 12 A1 67 63 6F 6D 6D 61 6E 64 68 75 6E 61 6D 65 20 2D 61";
const T16: &str = "00 00 00 F0 00 00 00 0C A1 69 65 78 69 74 5F 63 6F 64 65 00";
const T17: &str = "\
    00 00 00 F0 00 00 00 25 A3 66 73 69 67 6E 61 6C 0F 69 65 78 69 74 5F 63 6F 64 65 F6 \
    6B 73 69 67 6E 61 6C 5F 6E 61 6D 65 64 54 45 52 4D";
const T18: &str = "\
    00 00 00 FF 00 00 00 1F A4 63 72 65 66 10 64 63 6F 64 65 19 0F A0 65 66 61 74 61 6C \
    F5 66 72 65 61 73 6F 6E 62 6E 6F";
const T19: &str = "03 00 00 00 00 10 00 00 00 30 00 00 00 08 00 18 00 50 00 00 00 00";
const T20: &str = "04 00 00 00 00 03 6C 73 0D";
