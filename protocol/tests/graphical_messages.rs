//! Every control message of Graphical, in both encodings and truncated everywhere.

use bytes::Bytes;
use proptest::prelude::*;
use vroom_protocol::Code;
use vroom_protocol::graphical::{
    Action, Agent, Browser, Chat, ChatRole, ClientHandshake, ClientInfo, ClientMessage, Clipboard,
    ClipboardContent, ClipboardData, ClipboardRequest, Command, Cursor, CursorImage, DesktopState,
    Drag, DragNews, Encoding, Feedback, Latency, Media, MediaState, Mode, Notice, NoticeAction,
    NoticeAnswer, Notification, NotificationKind, Participant, Paths, Record, RecordAction,
    RecordState, Recording, Role, ScrollDirection, Selection, ServerHandshake, ServerMessage,
    Share, ShareAction, ShareState, Shown, State, Viewport, WaitState,
};

fn text() -> impl Strategy<Value = String> {
    ".{0,24}"
}

fn maybe_text() -> impl Strategy<Value = Option<String>> {
    prop::option::of(text())
}

fn bytes() -> impl Strategy<Value = Bytes> {
    prop::collection::vec(any::<u8>(), 0..64).prop_map(Bytes::from)
}

/// Floats that JSON brings back to the last bit.
fn float() -> impl Strategy<Value = f64> {
    (0..1_000_000_u32).prop_map(|sixteenths| f64::from(sixteenths) / 16.0)
}

fn maybe_float() -> impl Strategy<Value = Option<f64>> {
    prop::option::of(float())
}

fn factor() -> impl Strategy<Value = Option<f64>> {
    prop::option::of((1..64_u32).prop_map(|eighths| f64::from(eighths) / 8.0))
}

fn mode() -> impl Strategy<Value = Mode> {
    prop::sample::select(vec![Mode::View, Mode::Interact, Mode::Voice])
}

fn role() -> impl Strategy<Value = Role> {
    prop::sample::select(vec![Role::Viewer, Role::Operator, Role::Owner])
}

fn viewport() -> impl Strategy<Value = Viewport> {
    (any::<u32>(), any::<u32>(), factor(), factor()).prop_map(
        |(width, height, scale, pixel_ratio)| Viewport {
            width,
            height,
            scale,
            pixel_ratio,
        },
    )
}

fn clipboard_data() -> impl Strategy<Value = ClipboardData> {
    let content = prop_oneof![
        text().prop_map(ClipboardContent::Text),
        bytes().prop_map(ClipboardContent::Data),
    ];
    (content, maybe_text(), selection()).prop_map(|(content, mime_type, selection)| ClipboardData {
        content,
        mime_type,
        selection,
    })
}

fn selection() -> impl Strategy<Value = Option<Selection>> {
    prop::option::of(prop::sample::select(vec![
        Selection::Clipboard,
        Selection::Primary,
    ]))
}

fn chat() -> impl Strategy<Value = Chat> {
    let role = prop::sample::select(vec![ChatRole::User, ChatRole::Agent, ChatRole::System]);
    let timestamp = prop::option::of(any::<u64>());
    let ours = (maybe_text(), prop::option::of(any::<u64>()), any::<bool>());
    (role, text(), timestamp, maybe_text(), ours).prop_map(
        |(role, text, timestamp, from, (name, id, earlier))| Chat {
            role,
            text,
            timestamp,
            from,
            name,
            id,
            earlier,
        },
    )
}

fn action() -> impl Strategy<Value = Action> {
    use ScrollDirection::{Down, Left, Right, Up};
    use WaitState::{Attached, Detached, Hidden, Visible};
    let direction = prop::sample::select(vec![Up, Down, Left, Right]);
    let state = prop::sample::select(vec![Visible, Hidden, Attached, Detached]);
    prop_oneof![
        text().prop_map(|selector| Action::Click { selector }),
        (maybe_text(), text()).prop_map(|(selector, text)| Action::Type { selector, text }),
        (direction, float()).prop_map(|(direction, amount)| Action::Scroll { direction, amount }),
        text().prop_map(|url| Action::Navigate { url }),
        Just(Action::Back),
        Just(Action::Forward),
        Just(Action::Refresh),
        Just(Action::Screenshot),
        (text(), prop::collection::vec(text(), 0..4))
            .prop_map(|(selector, values)| Action::Select { selector, values }),
        text().prop_map(|selector| Action::Hover { selector }),
        (text(), state, any::<u32>()).prop_map(|(selector, state, timeout_ms)| Action::Wait {
            selector,
            state,
            timeout_ms,
        }),
        text().prop_map(|expression| Action::Evaluate { expression }),
        text().prop_map(|text| Action::Natural { text }),
        Just(Action::Unknown("dance".to_owned())),
    ]
}

fn share_action() -> impl Strategy<Value = ShareAction> {
    prop_oneof![
        text().prop_map(|to| ShareAction::Grant { to }),
        Just(ShareAction::Request),
        text().prop_map(|to| ShareAction::Deny { to }),
        Just(ShareAction::Release),
        (text(), role()).prop_map(|(to, role)| ShareAction::Role { to, role }),
        text().prop_map(|to| ShareAction::Kick { to }),
        (role(), prop::option::of(any::<u32>()))
            .prop_map(|(role, ttl_s)| ShareAction::Invite { role, ttl_s }),
        text().prop_map(|token| ShareAction::Revoke { token }),
    ]
}

fn client_handshake() -> impl Strategy<Value = ClientHandshake> {
    let names = || prop::collection::vec(text(), 0..4);
    let info = (maybe_text(), maybe_text(), maybe_text()).prop_map(|(name, version, platform)| {
        ClientInfo {
            name,
            version,
            platform,
        }
    });
    (
        text(),
        prop::option::of(names()),
        names(),
        viewport(),
        mode(),
        prop::option::of(info),
    )
        .prop_map(
            |(version, control_encoding, capabilities, viewport, mode, client)| ClientHandshake {
                version,
                control_encoding,
                capabilities,
                viewport,
                mode,
                client,
            },
        )
}

fn media() -> impl Strategy<Value = Media> {
    let flag = || prop::option::of(any::<bool>());
    let limit = || prop::option::of(any::<u32>());
    (flag(), flag(), flag(), limit(), limit(), limit(), flag()).prop_map(
        |(mic, speaker, video, bitrate_kbps_max, fps_max, height_max, key_frame)| Media {
            mic,
            speaker,
            video,
            bitrate_kbps_max,
            fps_max,
            height_max,
            key_frame,
        },
    )
}

fn feedback() -> impl Strategy<Value = Feedback> {
    let dropped = prop::option::of(any::<u64>());
    let shown =
        any::<(u32, u64, u32, u32)>().prop_map(|(rtp_time, received_us, decode_us, present_us)| {
            Shown {
                rtp_time,
                received_us,
                decode_us,
                present_us,
            }
        });
    (
        maybe_float(),
        maybe_float(),
        maybe_float(),
        maybe_float(),
        dropped,
        prop::collection::vec(shown, 0..4),
    )
        .prop_map(
            |(fps, rtt_ms, jitter_ms, decode_ms, dropped, shown)| Feedback {
                fps,
                rtt_ms,
                jitter_ms,
                decode_ms,
                dropped,
                shown,
            },
        )
}

fn paths() -> impl Strategy<Value = Paths> {
    prop::collection::vec(text(), 0..4).prop_map(Paths::new)
}

fn drag() -> impl Strategy<Value = Drag> {
    prop_oneof![
        any::<(u16, u16)>().prop_map(|(x, y)| Drag::Enter { x, y }),
        Just(Drag::Leave),
        (any::<(u16, u16)>(), paths()).prop_map(|((x, y), paths)| Drag::Drop { x, y, paths }),
        Just(Drag::Take),
    ]
}

fn drag_news() -> impl Strategy<Value = DragNews> {
    prop_oneof![
        Just(DragNews::Begin),
        (paths(), any::<u32>()).prop_map(|(paths, elsewhere)| DragNews::Files { paths, elsewhere }),
        any::<bool>().prop_map(|taken| DragNews::End { taken }),
    ]
}

fn record() -> impl Strategy<Value = Record> {
    let action = prop::sample::select(vec![RecordAction::Start, RecordAction::Stop]);
    (maybe_text(), action).prop_map(|(id, action)| Record { id, action })
}

fn record_state() -> impl Strategy<Value = RecordState> {
    let recording = (text(), any::<u64>()).prop_map(|(by, since)| Recording { by, since });
    (any::<bool>(), prop::option::of(recording), maybe_text()).prop_map(
        |(allowed, recording, reason)| RecordState {
            allowed,
            recording,
            reason,
        },
    )
}

fn client_message() -> impl Strategy<Value = ClientMessage> {
    let request = (maybe_text(), selection()).prop_map(|(mime_type, selection)| ClipboardRequest {
        mime_type,
        selection,
    });
    prop_oneof![
        client_handshake().prop_map(ClientMessage::Handshake),
        (mode(), any::<bool>()).prop_map(|(mode, take)| ClientMessage::Mode { mode, take }),
        viewport().prop_map(ClientMessage::Resize),
        clipboard_data().prop_map(|data| ClientMessage::Clipboard(Clipboard::Set(data))),
        request.prop_map(|request| ClientMessage::Clipboard(Clipboard::Get(request))),
        (text(), any::<bool>()).prop_map(|(url, new_tab)| ClientMessage::Navigate { url, new_tab }),
        (maybe_text(), action())
            .prop_map(|(id, action)| ClientMessage::Command(Command { id, action })),
        text().prop_map(|text| ClientMessage::Paste { text }),
        chat().prop_map(ClientMessage::Chat),
        (maybe_text(), share_action())
            .prop_map(|(id, action)| ClientMessage::Share(Share { id, action })),
        media().prop_map(ClientMessage::Media),
        feedback().prop_map(ClientMessage::Feedback),
        drag().prop_map(ClientMessage::Drag),
        record().prop_map(ClientMessage::Record),
        (any::<u32>(), maybe_text())
            .prop_map(|(id, action)| ClientMessage::Notice(NoticeAnswer { id, action })),
    ]
}

fn server_handshake() -> impl Strategy<Value = ServerHandshake> {
    let encoding = prop::sample::select(Encoding::ALL.to_vec());
    let agent = (maybe_text(), maybe_text(), prop::option::of(any::<bool>())).prop_map(
        |(name, state, browser)| Agent {
            name,
            state,
            browser,
        },
    );
    let capabilities = prop::collection::vec(text(), 0..4);
    (
        text(),
        encoding,
        capabilities,
        viewport(),
        prop::option::of(agent),
    )
        .prop_map(
            |(version, control_encoding, capabilities, viewport, agent)| ServerHandshake {
                version,
                control_encoding,
                capabilities,
                viewport,
                agent,
            },
        )
}

fn cursor() -> impl Strategy<Value = Cursor> {
    let image = prop_oneof![
        any::<u32>().prop_map(|id| CursorImage::Known { id }),
        (any::<[u32; 5]>(), bytes()).prop_map(
            |([id, width, height, hotspot_x, hotspot_y], png)| CursorImage::New {
                id,
                png,
                width,
                height,
                hotspot_x,
                hotspot_y,
            }
        ),
    ];
    let image = prop::option::of(image);
    (text(), any::<[i32; 2]>(), any::<[bool; 2]>(), image).prop_map(
        |(kind, [x, y], [visible, locked], image)| Cursor {
            kind,
            x,
            y,
            visible,
            image,
            locked,
        },
    )
}

fn state() -> impl Strategy<Value = State> {
    let flag = || prop::option::of(any::<bool>());
    let browser = (flag(), flag()).prop_map(|(can_go_back, can_go_forward)| Browser {
        can_go_back,
        can_go_forward,
    });
    let desktop = (text(), maybe_text()).prop_map(|(kind, ended)| DesktopState { kind, ended });
    (
        (text(), maybe_text(), maybe_text(), flag()),
        prop::option::of(browser),
        prop::option::of(viewport()),
        prop::option::of(mode()),
        prop::option::of(desktop),
    )
        .prop_map(
            |((state, url, title, loading), browser, viewport, mode, desktop)| State {
                state,
                url,
                title,
                loading,
                browser,
                viewport,
                mode,
                desktop,
            },
        )
}

fn notice() -> impl Strategy<Value = Notice> {
    let action = (text(), text()).prop_map(|(key, label)| NoticeAction { key, label });
    let actions = prop::collection::vec(action, 0..4);
    let words = (text(), text(), text());
    (any::<u32>(), words, actions, any::<[bool; 3]>()).prop_map(
        |(id, (app, title, body), actions, [urgent, earlier, closed])| Notice {
            id,
            app,
            title,
            body,
            actions,
            urgent,
            earlier,
            closed,
        },
    )
}

fn notification() -> impl Strategy<Value = Notification> {
    use NotificationKind::{Error, Info, Success, Warning};
    (
        prop::sample::select(vec![Info, Success, Warning, Error]),
        (text(), maybe_text(), maybe_text(), maybe_text()),
        prop::option::of(any::<u64>()),
        prop::option::of(any::<u16>().prop_map(Code)),
        (prop::option::of(bytes()), prop::option::of(notice())),
    )
        .prop_map(
            |(kind, (text, reference, mime_type, token), timestamp, code, (data, notice))| {
                Notification {
                    kind,
                    text,
                    reference,
                    timestamp,
                    code,
                    data,
                    mime_type,
                    token,
                    notice,
                }
            },
        )
}

fn share_state() -> impl Strategy<Value = ShareState> {
    let participant =
        (text(), text(), role(), mode()).prop_map(|(id, name, role, mode)| Participant {
            id,
            name,
            role,
            mode,
        });
    let participants = prop::collection::vec(participant, 0..4);
    (text(), maybe_text(), participants, maybe_text()).prop_map(
        |(own_id, driver, participants, reason)| ShareState {
            own_id,
            driver,
            participants,
            reason,
        },
    )
}

fn media_state() -> impl Strategy<Value = MediaState> {
    let size = || prop::option::of(any::<u32>());
    let latency = || {
        prop::array::uniform9(maybe_float()).prop_map(
            |[
                capture,
                convert,
                encode,
                age,
                packetise,
                network,
                decode,
                present,
                total,
            ]| Latency {
                capture,
                convert,
                encode,
                age,
                packetise,
                network,
                decode,
                present,
                total,
            },
        )
    };
    (
        (maybe_text(), maybe_text(), maybe_text()),
        prop::option::of(prop::collection::vec(text(), 0..4)),
        (size(), size()),
        (maybe_float(), maybe_float()),
        prop::option::of(any::<bool>()),
        (
            prop::option::of(latency()),
            prop::option::of(latency()),
            prop::option::of(latency()),
        ),
    )
        .prop_map(
            |((codec, encoder, transport), declined, size, rates, mic, latency)| MediaState {
                codec,
                width: size.0,
                height: size.1,
                fps: rates.0,
                bitrate_kbps: rates.1,
                encoder,
                declined,
                mic,
                latency: latency.0,
                latency_p95: latency.1,
                latency_p99: latency.2,
                transport,
            },
        )
}

fn server_message() -> impl Strategy<Value = ServerMessage> {
    prop_oneof![
        server_handshake().prop_map(ServerMessage::Handshake),
        clipboard_data().prop_map(|data| ServerMessage::Clipboard(Clipboard::Push(data))),
        cursor().prop_map(ServerMessage::Cursor),
        state().prop_map(ServerMessage::State),
        notification().prop_map(ServerMessage::Notification),
        chat().prop_map(ServerMessage::Chat),
        share_state().prop_map(ServerMessage::ShareState),
        media_state()
            .prop_map(Box::new)
            .prop_map(ServerMessage::MediaState),
        drag_news().prop_map(ServerMessage::Drag),
        record_state().prop_map(ServerMessage::Record),
    ]
}

proptest! {
    #[test]
    fn every_client_message_survives_both_encodings(message in client_message()) {
        for encoding in Encoding::ALL {
            let (kind, payload) = message.encode(encoding);
            prop_assert_eq!(ClientMessage::decode(kind, &payload), Ok(message.clone()));
        }
    }

    #[test]
    fn every_server_message_survives_both_encodings(message in server_message()) {
        for encoding in Encoding::ALL {
            let (kind, payload) = message.encode(encoding);
            prop_assert_eq!(ServerMessage::decode(kind, &payload), Ok(message.clone()));
        }
    }

    #[test]
    fn no_truncation_of_a_client_message_is_one(message in client_message()) {
        for encoding in Encoding::ALL {
            let (kind, payload) = message.encode(encoding);
            for length in 0..payload.len() {
                prop_assert!(ClientMessage::decode(kind, &payload[..length]).is_err());
            }
        }
    }

    #[test]
    fn no_truncation_of_a_server_message_is_one(message in server_message()) {
        for encoding in Encoding::ALL {
            let (kind, payload) = message.encode(encoding);
            for length in 0..payload.len() {
                prop_assert!(ServerMessage::decode(kind, &payload[..length]).is_err());
            }
        }
    }

    #[test]
    fn the_deterministic_form_is_the_only_one(message in client_message()) {
        let (kind, payload) = message.encode(Encoding::Cbor);
        let again = ClientMessage::decode(kind, &payload).unwrap().encode(Encoding::Cbor);
        prop_assert_eq!(again, (kind, payload));
    }
}
