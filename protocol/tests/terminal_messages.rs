//! Every message of a terminal's control channel, in both encodings and truncated everywhere.

use bytes::Bytes;
use proptest::prelude::*;
use vroom_protocol::Code;
use vroom_protocol::terminal::{
    AuthMethod, AuthRequest, AuthResponse, Capabilities, Challenge, ClientHello, ClientMessage,
    Denial, Encoding, Environment, ErrorMessage, ExecCommand, ExecRequest, ExitStatus, Extensions,
    Key, KeyAction, KeyEvent, Keyboard, Kitty, Modifiers, Prompt, PtyGrant, PtyMode, PtyRequest,
    PtyResponse, PublicKeyProof, Role, ServerHello, ServerMessage, ShellRequest, StartResponse,
    TerminalInfo, Tlv, TlvDecoder, Value, WindowSize, Writer,
};

fn text() -> impl Strategy<Value = String> {
    ".{0,24}"
}

fn maybe_text() -> impl Strategy<Value = Option<String>> {
    prop::option::of(text())
}

fn flag() -> impl Strategy<Value = Option<bool>> {
    prop::option::of(any::<bool>())
}

fn bytes() -> impl Strategy<Value = Bytes> {
    prop::collection::vec(any::<u8>(), 0..64).prop_map(Bytes::from)
}

fn names() -> impl Strategy<Value = Vec<String>> {
    prop::collection::vec(text(), 0..4)
}

fn window() -> impl Strategy<Value = WindowSize> {
    (1..=u16::MAX, 1..=u16::MAX, any::<[u16; 2]>()).prop_map(
        |(rows, cols, [pixel_width, pixel_height])| WindowSize {
            rows,
            cols,
            pixel_width,
            pixel_height,
        },
    )
}

fn capabilities() -> impl Strategy<Value = Capabilities> {
    let terminal =
        (maybe_text(), maybe_text(), flag()).prop_map(|(name, unicode_version, truecolor)| {
            TerminalInfo {
                name,
                unicode_version,
                truecolor,
            }
        });
    let levels = prop::option::of(prop::collection::vec(0..6_u32, 0..6));
    let keyboard =
        (levels, prop::option::of(0..6_u32)).prop_map(|(supported_levels, preferred_level)| {
            Keyboard {
                supported_levels,
                preferred_level,
            }
        });
    let kitty = (prop::option::of(keyboard), flag(), flag(), flag()).prop_map(
        |(keyboard, graphics, sixel, synchronized_output)| Kitty {
            keyboard,
            graphics,
            sixel,
            synchronized_output,
        },
    );
    let extensions = (flag(), flag(), flag(), flag(), flag()).prop_map(
        |(structured_keys, reconnect, zstd_compression, flow_control, sharing)| Extensions {
            structured_keys,
            reconnect,
            zstd_compression,
            flow_control,
            sharing,
        },
    );
    (
        prop::option::of(any::<u32>()),
        prop::option::of(terminal),
        prop::option::of(kitty),
        prop::option::of(names()),
        prop::option::of(names()),
        prop::option::of(extensions),
    )
        .prop_map(
            |(protocol_version, terminal, kitty, mouse, features, extensions)| Capabilities {
                protocol_version,
                terminal,
                kitty,
                mouse,
                features,
                extensions,
            },
        )
}

fn auth_request() -> impl Strategy<Value = AuthRequest> {
    let proof =
        (bytes(), bytes()).prop_map(|(nonce, signature)| PublicKeyProof { nonce, signature });
    let method = prop_oneof![
        Just(AuthMethod::Inherit),
        Just(AuthMethod::None),
        text().prop_map(AuthMethod::Token),
        text().prop_map(AuthMethod::Password),
        text().prop_map(AuthMethod::Pairing),
        (text(), bytes(), prop::option::of(proof)).prop_map(|(algorithm, key, proof)| {
            AuthMethod::PublicKey {
                algorithm,
                key,
                proof,
            }
        }),
        prop::option::of(names()).prop_map(AuthMethod::KeyboardInteractive),
        Just(AuthMethod::Unknown("handshake".to_owned())),
    ];
    (maybe_text(), method).prop_map(|(user, method)| AuthRequest { user, method })
}

fn auth_response() -> impl Strategy<Value = AuthResponse> {
    let prompt = (text(), any::<bool>()).prop_map(|(text, echo)| Prompt { text, echo });
    let prompts = prop::collection::vec(prompt, 0..4);
    let challenge = prop_oneof![
        bytes().prop_map(Challenge::Nonce),
        (maybe_text(), maybe_text(), prompts).prop_map(|(name, instruction, prompts)| {
            Challenge::Prompts {
                name,
                instruction,
                prompts,
            }
        }),
    ];
    prop_oneof![
        text().prop_map(|user| AuthResponse::Success { user }),
        (names(), any::<u16>(), maybe_text()).prop_map(|(methods, code, reason)| {
            AuthResponse::Failure {
                methods,
                code: Code(code),
                reason,
            }
        }),
        challenge.prop_map(AuthResponse::Continue),
    ]
}

fn writer() -> impl Strategy<Value = Writer> {
    "[A-Za-z0-9_-]{1,64}".prop_filter_map("a plain name", Writer::new)
}

fn role() -> impl Strategy<Value = Role> {
    prop::sample::select(vec![Role::Viewer, Role::Operator, Role::Owner])
}

fn pty_request() -> impl Strategy<Value = PtyRequest> {
    let modes = prop::collection::btree_map(any::<u8>(), any::<u32>(), 0..6);
    (
        (maybe_text(), maybe_text(), maybe_text()),
        prop::option::of(window()),
        modes,
        any::<[bool; 2]>(),
        any::<u32>(),
        (prop::option::of(writer()), prop::option::of(any::<u64>())),
    )
        .prop_map(
            |(
                (term, name, attach),
                size,
                modes,
                [persist, readonly],
                scrollback,
                (writer, have),
            )| PtyRequest {
                term,
                size: size.or_else(|| attach.is_none().then_some(WindowSize::new(24, 80))),
                modes,
                name,
                persist,
                attach,
                readonly,
                scrollback,
                writer,
                have,
            },
        )
}

fn shell_request() -> impl Strategy<Value = ShellRequest> {
    (maybe_text(), any::<[bool; 2]>(), maybe_text()).prop_map(
        |(cwd, [want_reply, login], shell)| ShellRequest {
            cwd,
            want_reply,
            shell,
            login,
        },
    )
}

fn exec_request() -> impl Strategy<Value = ExecRequest> {
    let command = prop_oneof![
        text().prop_map(ExecCommand::Line),
        prop::collection::vec(text(), 1..4).prop_map(ExecCommand::Argv),
    ];
    (maybe_text(), any::<bool>(), command).prop_map(|(cwd, want_reply, command)| ExecRequest {
        cwd,
        want_reply,
        command,
    })
}

fn key_event() -> impl Strategy<Value = KeyEvent> {
    let actions = vec![KeyAction::Press, KeyAction::Repeat, KeyAction::Release];
    (
        (text(), text(), maybe_text()),
        any::<u8>(),
        prop::sample::select(actions),
    )
        .prop_map(|((key, code, text), modifiers, action)| KeyEvent {
            key,
            code,
            modifiers: Modifiers::from_bits(modifiers),
            action,
            text,
        })
}

fn error() -> impl Strategy<Value = ErrorMessage> {
    let data = prop_oneof![
        Just(None),
        names().prop_map(|names| Some(Value::Array(names.into_iter().map(Value::Text).collect()))),
        any::<i64>().prop_map(|int| Some(Value::from(int))),
        text().prop_map(|name| { Some(Value::Map(vec![(Key::Text(name), Value::Bool(true))])) }),
    ];
    (
        any::<u16>(),
        maybe_text(),
        prop::option::of(any::<u32>()),
        any::<bool>(),
        data,
    )
        .prop_map(|(code, reason, reference, fatal, data)| ErrorMessage {
            code: Code(code),
            reason,
            reference,
            fatal,
            data,
        })
}

fn client_message() -> impl Strategy<Value = ClientMessage> {
    let hello = (
        text(),
        any::<u32>(),
        prop::option::of(names()),
        maybe_text(),
    )
        .prop_map(
            |(protocol, version, control_encoding, client)| ClientHello {
                protocol,
                version,
                control_encoding,
                client,
            },
        );
    let variables = prop::collection::btree_map(text(), text(), 0..6);
    prop_oneof![
        hello.prop_map(ClientMessage::Hello),
        capabilities().prop_map(ClientMessage::CapabilityOffer),
        auth_request().prop_map(ClientMessage::AuthRequest),
        pty_request().prop_map(ClientMessage::PtyRequest),
        window().prop_map(ClientMessage::WindowResize),
        any::<u8>().prop_map(ClientMessage::Signal),
        variables.prop_map(|variables| {
            // In the order of the encoding: shorter names first.
            let mut variables: Vec<_> = variables.into_iter().collect();
            variables.sort_by_key(|(name, _)| (name.len(), name.clone()));
            ClientMessage::SetEnv(Environment(variables))
        }),
        shell_request().prop_map(ClientMessage::ShellRequest),
        exec_request().prop_map(ClientMessage::ExecRequest),
        key_event().prop_map(ClientMessage::KeyEvent),
        error().prop_map(ClientMessage::Error),
    ]
}

fn denial() -> impl Strategy<Value = Denial> {
    (any::<u16>(), maybe_text()).prop_map(|(code, reason)| Denial {
        code: Code(code),
        reason,
    })
}

fn pty_response() -> impl Strategy<Value = PtyResponse> {
    let length = || prop::option::of(any::<u16>());
    let offset = || prop::option::of(any::<u64>());
    let more = (offset(), offset(), maybe_text(), prop::option::of(role()));
    let grant = (
        text(),
        maybe_text(),
        length(),
        length(),
        any::<[bool; 2]>(),
        more,
    )
        .prop_map(
            |(
                channel,
                terminal_id,
                rows,
                cols,
                [readonly, attached],
                (offset, input_offset, name, role),
            )| PtyGrant {
                channel,
                terminal_id,
                rows,
                cols,
                readonly,
                attached,
                offset,
                input_offset,
                name,
                role,
            },
        );
    prop_oneof![
        grant.prop_map(PtyResponse::Granted),
        denial().prop_map(PtyResponse::Denied),
    ]
}

fn exit_status() -> impl Strategy<Value = ExitStatus> {
    let byte = || prop::option::of(any::<u8>());
    (
        (byte(), byte()),
        (maybe_text(), maybe_text()),
        flag(),
        any::<[Option<u64>; 2]>(),
    )
        .prop_map(
            |((exit_code, signal), (signal_name, reason), core_dumped, [pty_bytes, offset])| {
                ExitStatus {
                    exit_code,
                    signal,
                    signal_name,
                    core_dumped,
                    pty_bytes,
                    offset,
                    reason,
                }
            },
        )
}

fn server_message() -> impl Strategy<Value = ServerMessage> {
    let encoding = prop::sample::select(Encoding::ALL.to_vec());
    let hello = (text(), any::<u32>(), encoding, maybe_text()).prop_map(
        |(protocol, version, control_encoding, server)| ServerHello {
            protocol,
            version,
            control_encoding,
            server,
        },
    );
    prop_oneof![
        hello.prop_map(ServerMessage::Hello),
        capabilities().prop_map(ServerMessage::CapabilityOffer),
        capabilities().prop_map(ServerMessage::CapabilitySelect),
        auth_response().prop_map(ServerMessage::AuthResponse),
        pty_response().prop_map(ServerMessage::PtyResponse),
        window().prop_map(ServerMessage::WindowSize),
        any::<u8>().prop_map(|bits| ServerMessage::PtyMode(PtyMode::from_bits(bits))),
        prop::option::of(any::<u32>())
            .prop_map(|pid| ServerMessage::StartResponse(StartResponse::Started { pid })),
        denial().prop_map(|denial| ServerMessage::StartResponse(StartResponse::Denied(denial))),
        exit_status().prop_map(ServerMessage::ExitStatus),
        error().prop_map(ServerMessage::Error),
    ]
}

proptest! {
    #[test]
    fn every_client_message_survives_both_encodings(message in client_message()) {
        for encoding in Encoding::ALL {
            let tlv = message.encode(encoding);
            prop_assert_eq!(ClientMessage::decode(tlv.kind, &tlv.payload), Ok(message.clone()));
        }
    }

    #[test]
    fn every_server_message_survives_both_encodings(message in server_message()) {
        for encoding in Encoding::ALL {
            let tlv = message.encode(encoding);
            prop_assert_eq!(ServerMessage::decode(tlv.kind, &tlv.payload), Ok(message.clone()));
        }
    }

    #[test]
    fn no_truncation_of_a_client_message_is_one(message in client_message()) {
        for encoding in Encoding::ALL {
            let Tlv { kind, payload } = message.encode(encoding);
            for length in 0..payload.len() {
                prop_assert!(ClientMessage::decode(kind, &payload[..length]).is_err());
            }
        }
    }

    #[test]
    fn no_truncation_of_a_server_message_is_one(message in server_message()) {
        for encoding in Encoding::ALL {
            let Tlv { kind, payload } = message.encode(encoding);
            for length in 0..payload.len() {
                prop_assert!(ServerMessage::decode(kind, &payload[..length]).is_err());
            }
        }
    }

    #[test]
    fn messages_are_found_however_the_stream_is_cut(
        messages in prop::collection::vec(client_message(), 1..6),
        cut in 1..40_usize,
    ) {
        let tlvs: Vec<Tlv> = messages.iter().map(|message| message.encode(Encoding::Cbor)).collect();
        let stream: Vec<u8> = tlvs.iter().flat_map(|tlv| tlv.encode()).collect();
        let mut decoder = TlvDecoder::new();
        let mut found = Vec::new();
        for piece in stream.chunks(cut) {
            decoder.push(piece);
            while let Some(tlv) = decoder.poll().unwrap() {
                found.push(tlv);
            }
        }
        prop_assert_eq!(found, tlvs);
        prop_assert_eq!(decoder.buffered_bytes(), 0);
    }

    #[test]
    fn no_truncation_of_a_tlv_is_a_message(message in client_message()) {
        let stream = message.encode(Encoding::Cbor).encode();
        for length in 0..stream.len() {
            let mut decoder = TlvDecoder::new();
            decoder.push(&stream[..length]);
            prop_assert_eq!(decoder.poll(), Ok(None));
        }
    }
}
