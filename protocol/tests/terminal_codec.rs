//! What is taken, what is refused, and with which code: the messages of a terminal.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests fail as tests do"
)]

mod codec_support;

use bytes::Bytes;
use codec_support::{cbor_members, json};
use vroom_protocol::Code;
use vroom_protocol::terminal::{
    AuthMethod, AuthRequest, ChannelName, ClientHello, ClientMessage, DecodeError, Encoding,
    Environment, ExecCommand, ExecRequest, KeyAction, KeyEvent, Modifiers, Plane, PtyMode,
    PtyRequest, PublicKeyProof, ServerMessage, Tlv, TlvDecoder, WindowSize, is_allowed,
    is_deliverable, signal_name, signed_data,
};

fn refused(kind: u32, payload: &[u8]) -> DecodeError {
    ClientMessage::decode(kind, payload).unwrap_err()
}

#[test]
fn everything_after_hello_is_in_the_chosen_encoding_but_0x30_and_0x31() {
    let size = ClientMessage::WindowResize(WindowSize::new(24, 80));
    let signal = ClientMessage::Signal(2);
    for message in [size, signal] {
        assert_eq!(
            message.encode(Encoding::Json),
            message.encode(Encoding::Cbor)
        );
    }
    let hello = ClientMessage::Hello(ClientHello::new(&Encoding::ALL));
    assert_eq!(hello.encode(Encoding::Cbor).payload[0], b'{');
    let inherit = ClientMessage::AuthRequest(AuthRequest::INHERIT);
    assert_eq!(
        &inherit.encode(Encoding::Json).payload[..],
        br#"{"method":"inherit"}"#
    );
    let cbor = inherit.encode(Encoding::Cbor).payload;
    assert_eq!(
        cbor_members(&cbor),
        [("method".to_owned(), "inherit".into())]
    );
}

#[test]
fn a_stated_length_above_the_limit_is_refused_before_its_payload_comes() {
    let mut decoder = TlvDecoder::new();
    decoder.push(&[0, 0, 0, 2, 0, 0x10, 0, 1]);
    let error = decoder.poll().unwrap_err();
    assert_eq!((error.kind, error.length), (2, 1024 * 1024 + 1));
    assert!(decoder.poll().is_err(), "nothing can be read after it");

    let mut decoder = TlvDecoder::new();
    decoder.push(&[0, 0, 0, 2, 0, 0x10, 0, 0]);
    assert_eq!(decoder.poll(), Ok(None), "1 MiB itself is allowed");
    let mut decoder = TlvDecoder::with_length_max(16);
    decoder.push(&[0, 0, 0, 2, 0, 0, 0, 17]);
    assert!(decoder.poll().is_err());
}

#[test]
fn a_window_has_rows_and_columns() {
    for payload in [[0, 0, 0, 80, 0, 0, 0, 0], [0, 24, 0, 0, 0, 0, 0, 0]] {
        assert_eq!(refused(0x30, &payload).code(), Code::INVALID_MESSAGE);
        assert!(ServerMessage::decode(0x32, &payload).is_err());
    }
    assert!(ClientMessage::decode(0x30, &[0, 24, 0, 80, 0, 0, 0]).is_err());
    assert!(ClientMessage::decode(0x30, &[0, 24, 0, 80, 0, 0, 0, 0, 0]).is_err());
}

#[test]
fn unknown_types_and_those_of_the_other_side_are_unsupported() {
    for kind in [
        0x00,
        0x03,
        0x11,
        0x21,
        0x32,
        0x33,
        0x52,
        0xF0,
        0x100,
        u32::MAX,
    ] {
        assert_eq!(refused(kind, b"{}").code(), Code::UNSUPPORTED, "{kind:#x}");
    }
    for kind in [0x10, 0x20, 0x30, 0x31, 0x40, 0x50, 0x51, 0x60] {
        let error = ServerMessage::decode(kind, b"{}").unwrap_err();
        assert_eq!(error.code(), Code::UNSUPPORTED, "{kind:#x}");
    }
}

#[test]
fn exec_has_either_a_command_or_arguments() {
    for payload in [
        "{}",
        r#"{"command":"a","argv":["a"]}"#,
        r#"{"argv":[]}"#,
        r#"{"argv":"ls"}"#,
    ] {
        assert_eq!(
            refused(0x51, payload.as_bytes()).code(),
            Code::INVALID_MESSAGE,
            "{payload}"
        );
    }
    let argv = json(r#"{"argv":["ls","-l"],"want_reply":true}"#);
    let request = ExecRequest {
        cwd: None,
        want_reply: true,
        command: ExecCommand::Argv(vec!["ls".to_owned(), "-l".to_owned()]),
    };
    assert_eq!(
        ClientMessage::decode(0x51, &argv),
        Ok(ClientMessage::ExecRequest(request))
    );
}

#[test]
fn a_new_terminal_has_a_size_and_a_joined_one_need_not() {
    let size = |payload: &str| match ClientMessage::decode(0x20, payload.as_bytes()) {
        Ok(ClientMessage::PtyRequest(request)) => Ok(request.size),
        Ok(other) => panic!("{other:?}"),
        Err(error) => Err(error.code()),
    };
    assert_eq!(
        size(r#"{"rows":24,"cols":80}"#),
        Ok(Some(WindowSize::new(24, 80)))
    );
    assert_eq!(size(r#"{"attach":"t1"}"#), Ok(None));
    for payload in [
        "{}",
        r#"{"rows":24}"#,
        r#"{"rows":0,"cols":80}"#,
        r#"{"rows":24,"cols":0}"#,
        r#"{"rows":65536,"cols":80}"#,
        r#"{"attach":"t1","cols":80}"#,
    ] {
        assert_eq!(size(payload), Err(Code::INVALID_MESSAGE), "{payload}");
    }
}

#[test]
fn terminal_modes_have_integer_keys_in_cbor_and_text_keys_in_json() {
    let request = PtyRequest {
        size: Some(WindowSize::new(24, 80)),
        modes: [(3, 127), (42, 1)].into(),
        ..PtyRequest::default()
    };
    let message = ClientMessage::PtyRequest(request);
    let text = message.encode(Encoding::Json).payload;
    let text = String::from_utf8_lossy(&text);
    assert!(text.contains(r#""modes":{"3":127,"42":1}"#), "{text}");
    let members = cbor_members(&message.encode(Encoding::Cbor).payload);
    let modes = members.iter().find(|(name, _)| name == "modes").unwrap();
    assert_eq!(modes.1.as_map().unwrap()[0].0, 3.into());
}

#[test]
fn unknown_terminal_modes_are_ignored() {
    let payload = json(r#"{"rows":1,"cols":1,"modes":{"53":1,"999":1,"x":1}}"#);
    match ClientMessage::decode(0x20, &payload) {
        Ok(ClientMessage::PtyRequest(request)) => assert_eq!(request.modes, [(53, 1)].into()),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_method_needs_its_members_and_an_unknown_one_is_kept_for_the_answer() {
    for payload in [
        "{}",
        r#"{"method":"token"}"#,
        r#"{"method":"password","token":"x"}"#,
        r#"{"method":"publickey","algorithm":"ssh-ed25519"}"#,
        r#"{"method":"publickey","algorithm":"a","key":"AA==","signature":"AA=="}"#,
        r#"{"method":"publickey","algorithm":"a","key":"not base64"}"#,
    ] {
        assert_eq!(
            refused(0x10, payload.as_bytes()).code(),
            Code::INVALID_MESSAGE,
            "{payload}"
        );
    }
    let message = ClientMessage::decode(0x10, br#"{"method":"magic"}"#);
    let method = AuthMethod::Unknown("magic".to_owned());
    let request = AuthRequest { user: None, method };
    assert_eq!(message, Ok(ClientMessage::AuthRequest(request)));
}

#[test]
fn variables_are_text() {
    for payload in [r#"{"LANG":1}"#, r#"{"LANG":null}"#, r#"{"LANG":["C"]}"#] {
        assert_eq!(
            refused(0x40, payload.as_bytes()).code(),
            Code::INVALID_MESSAGE
        );
    }
    assert!(ClientMessage::decode(0x40, &[0xA1, 0x01, 0x61, b'x']).is_err());
}

#[test]
fn the_default_allow_list_names_locale_and_terminal() {
    let list = Environment::DEFAULT_ALLOW_LIST.map(str::to_owned);
    for name in ["LANG", "LC_ALL", "LC_", "TERM_PROGRAM", "TZ", "NO_COLOR"] {
        assert!(is_allowed(name, &list), "{name}");
    }
    for name in [
        "",
        "PATH",
        "LD_PRELOAD",
        "LANGX",
        "TERM",
        "LC_A=B",
        "LC_\0",
        "lang",
    ] {
        assert!(!is_allowed(name, &list), "{name:?}");
    }
    assert!(!is_allowed("=", &["*".to_owned()]));
}

#[test]
fn signals_that_may_be_delivered_have_names() {
    let deliverable: Vec<u8> = (0..=255).filter(|signal| is_deliverable(*signal)).collect();
    assert_eq!(deliverable, [1, 2, 3, 9, 10, 12, 15, 18, 20]);
    for signal in deliverable {
        assert!(signal_name(signal).is_some());
    }
}

#[test]
fn terminal_mode_bits_4_to_7_are_ignored() {
    let mode = PtyMode::ECHO.with(PtyMode::MOUSE_REPORTING);
    assert_eq!(mode.bits(), 0b1001);
    assert_eq!(
        ServerMessage::decode(0x33, &[0b1111_1001]),
        Ok(ServerMessage::PtyMode(mode))
    );
    assert!(mode.contains(PtyMode::ECHO) && !mode.contains(PtyMode::ICANON));
}

#[test]
fn what_a_key_signs_is_unambiguous() {
    let data = signed_data(b"n", b"", "u", b"key");
    let mut expected = b"vroom-auth-v1\0".to_vec();
    assert_eq!(expected.len(), 14);
    expected.extend_from_slice(b"\0\0\0\x01n\0\0\0\0\0\0\0\x01u\0\0\0\x03key");
    assert_eq!(data, expected);
    assert_ne!(
        signed_data(b"ab", b"", "c", b""),
        signed_data(b"a", b"", "bc", b"")
    );
}

#[test]
fn channel_names_tell_the_plane_and_the_terminal() {
    let name = ChannelName::parse("vroom.terminal.control#build-2").unwrap();
    assert_eq!(
        (name.plane, name.key.as_deref()),
        (Plane::Control, Some("build-2"))
    );
    assert_eq!(
        name.sibling(Plane::Pty).to_string(),
        "vroom.terminal.pty#build-2"
    );
    assert_eq!(
        name.sibling(Plane::Stderr).to_string(),
        "vroom.terminal.stderr#build-2"
    );
    let first = ChannelName::parse("vroom.terminal.pty").unwrap();
    assert_eq!((first.plane, first.key), (Plane::Pty, None));
}

#[test]
fn a_terminal_key_has_1_to_32_plain_characters() {
    let code = |name: &str| ChannelName::parse(name).map_err(|error| error.code());
    let key = |length| format!("vroom.terminal.pty#{}", "a".repeat(length));
    assert!(code(&key(32)).is_ok());
    for name in [
        &key(33),
        "vroom.terminal.pty#",
        "vroom.terminal.pty#a b",
        "vroom.terminal.pty#a#b",
    ] {
        assert_eq!(code(name), Err(Code::INVALID_MESSAGE), "{name}");
    }
    for name in [
        "pointer",
        "data",
        "vroom.terminal.data",
        "vroom.terminal.ptyx",
        "",
    ] {
        assert_eq!(code(name), Err(Code::UNSUPPORTED), "{name}");
    }
}

#[test]
fn debug_output_shows_no_secret() {
    let secret = || "hunter2".to_owned();
    let methods = [
        AuthMethod::Token(secret()),
        AuthMethod::Password(secret()),
        AuthMethod::KeyboardInteractive(Some(vec![secret()])),
        AuthMethod::Unknown(secret()),
        AuthMethod::PublicKey {
            algorithm: secret(),
            key: Bytes::new(),
            proof: Some(PublicKeyProof {
                nonce: Bytes::from_static(b"hunter2"),
                signature: Bytes::from_static(b"hunter2"),
            }),
        },
    ];
    for method in methods {
        let message = ClientMessage::AuthRequest(AuthRequest { user: None, method });
        assert!(!format!("{message:?}").contains("hunter2"));
        assert!(!format!("{:?}", message.encode(Encoding::Json)).contains("hunter2"));
    }
    let key = KeyEvent {
        key: secret(),
        code: secret(),
        modifiers: Modifiers::NONE,
        action: KeyAction::Press,
        text: Some(secret()),
    };
    let variables = Environment(vec![("LANG".to_owned(), secret())]);
    for message in [
        ClientMessage::KeyEvent(key),
        ClientMessage::SetEnv(variables),
        ClientMessage::ExecRequest(ExecRequest::line(secret())),
    ] {
        assert!(!format!("{message:?}").contains("hunter2"), "{message:?}");
    }
    let mut decoder = TlvDecoder::new();
    decoder.push(
        &Tlv {
            kind: 0x10,
            payload: secret().into(),
        }
        .encode()[..12],
    );
    assert!(!format!("{decoder:?}").contains("hunt"));
}
