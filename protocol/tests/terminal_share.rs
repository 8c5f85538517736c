//! SHARE and SHARE_STATE: their form, both ways and truncated everywhere.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests fail as tests do"
)]

mod codec_support;

use codec_support::json;
use proptest::prelude::*;
use vroom_protocol::Code;
use vroom_protocol::graphical::Recording;
use vroom_protocol::terminal::{
    ClientMessage, Encoding, Invitation, Participant, Role, ServerMessage, ShareAction, ShareLink,
    ShareRequest, ShareState,
};

const SHARE: u32 = 0x70;
const SHARE_STATE: u32 = 0x71;

fn request(text: &str) -> ShareRequest {
    match ClientMessage::decode(SHARE, &json(text)) {
        Ok(ClientMessage::Share(request)) => request,
        other => panic!("{text}: {other:?}"),
    }
}

#[test]
fn every_action_has_its_members() {
    let to = || "p2".to_owned();
    let cases = [
        (r#"{"action":"request"}"#, ShareAction::Request),
        (
            r#"{"action":"grant","to":"p2"}"#,
            ShareAction::Grant { to: to() },
        ),
        (
            r#"{"action":"deny","to":"p2"}"#,
            ShareAction::Deny { to: to() },
        ),
        (r#"{"action":"take"}"#, ShareAction::Take),
        (r#"{"action":"release"}"#, ShareAction::Release),
        (
            r#"{"action":"role","to":"p2","role":"operator"}"#,
            ShareAction::Role {
                to: to(),
                role: Role::Operator,
            },
        ),
        (
            r#"{"action":"kick","to":"p2"}"#,
            ShareAction::Kick { to: to() },
        ),
        (
            r#"{"action":"invite","ttl":3600,"uses":5}"#,
            ShareAction::Invite {
                ttl_s: 3600,
                uses: Some(5),
                role: Role::Viewer,
            },
        ),
        (
            r#"{"action":"revoke","link":"L1"}"#,
            ShareAction::Revoke {
                link: "L1".to_owned(),
            },
        ),
    ];
    for (text, action) in cases {
        let expected = ShareRequest::new(action);
        assert_eq!(request(text), expected);
        let written = ClientMessage::Share(expected).encode(Encoding::Json);
        assert_eq!(
            (written.kind, &written.payload[..]),
            (SHARE, text.as_bytes())
        );
    }
}

#[test]
fn a_link_is_for_viewers_unless_somebody_says_otherwise() {
    let role = |text| match request(text).action {
        ShareAction::Invite { role, .. } => role,
        other => panic!("{other:?}"),
    };
    assert_eq!(role(r#"{"action":"invite","ttl":60}"#), Role::Viewer);
    assert_eq!(
        role(r#"{"action":"invite","ttl":60,"role":"operator"}"#),
        Role::Operator
    );
}

#[test]
fn what_is_missing_or_wrong_is_invalid() {
    for text in [
        "{}",
        r#"{"action":"dance"}"#,
        r#"{"action":"grant"}"#,
        r#"{"action":"role","to":"p2"}"#,
        r#"{"action":"role","to":"p2","role":"king"}"#,
        r#"{"action":"invite"}"#,
        r#"{"action":"invite","ttl":-1}"#,
        r#"{"action":"invite","ttl":60,"uses":"many"}"#,
        r#"{"action":"revoke"}"#,
        r#"{"action":"take","id":"one"}"#,
    ] {
        let error = ClientMessage::decode(SHARE, &json(text)).unwrap_err();
        assert_eq!(error.code(), Code::INVALID_MESSAGE, "{text}");
    }
    for text in [
        "{}",
        r#"{"self":"p1"}"#,
        r#"{"self":"p1","participants":[{"id":"p1","name":"a"}]}"#,
        r#"{"self":"p1","participants":[],"links":[{"id":"L1"}]}"#,
        r#"{"self":"p1","participants":[],"invited":{"link":"L1"}}"#,
    ] {
        let error = ServerMessage::decode(SHARE_STATE, &json(text)).unwrap_err();
        assert_eq!(error.code(), Code::INVALID_MESSAGE, "{text}");
    }
}

#[test]
fn the_state_has_its_published_form() {
    let state = ShareState {
        own_id: "p1".to_owned(),
        driver: Some("p2".to_owned()),
        participants: vec![Participant {
            id: "p1".to_owned(),
            name: "Ann".to_owned(),
            role: Role::Owner,
            typing: false,
            lagging: true,
        }],
        links: Some(vec![ShareLink {
            id: "L1".to_owned(),
            role: Role::Viewer,
            expires: 1_900_000_000,
            uses: None,
            used: 2,
        }]),
        requested_by: Some("p2".to_owned()),
        reference: Some(7),
        ..ShareState::default()
    };
    let text = r#"{"self":"p1","driver":"p2","participants":[{"id":"p1","name":"Ann","role":"owner","typing":false,"lagging":true}],"links":[{"id":"L1","role":"viewer","expires":1900000000,"used":2}],"requested_by":"p2","ref":7}"#;
    let written = ServerMessage::ShareState(state.clone()).encode(Encoding::Json);
    assert_eq!(
        (written.kind, &written.payload[..]),
        (SHARE_STATE, text.as_bytes())
    );
    assert_eq!(
        ServerMessage::decode(SHARE_STATE, &json(text)),
        Ok(ServerMessage::ShareState(state))
    );
}

#[test]
fn debug_output_shows_no_token() {
    let state = ShareState {
        invited: Some(Invitation {
            link: "L1".to_owned(),
            token: "hunter2".to_owned(),
            url: "/#share=hunter2".to_owned(),
        }),
        ..ShareState::default()
    };
    let shown = format!("{state:?}");
    assert!(
        shown.contains("L1") && !shown.contains("hunter2"),
        "{shown}"
    );
}

fn text() -> impl Strategy<Value = String> {
    ".{0,24}"
}

fn role() -> impl Strategy<Value = Role> {
    prop::sample::select(vec![Role::Viewer, Role::Operator, Role::Owner])
}

fn action() -> impl Strategy<Value = ShareAction> {
    prop_oneof![
        Just(ShareAction::Request),
        text().prop_map(|to| ShareAction::Grant { to }),
        text().prop_map(|to| ShareAction::Deny { to }),
        Just(ShareAction::Take),
        Just(ShareAction::Release),
        (text(), role()).prop_map(|(to, role)| ShareAction::Role { to, role }),
        text().prop_map(|to| ShareAction::Kick { to }),
        (any::<u32>(), any::<Option<u32>>(), role())
            .prop_map(|(ttl_s, uses, role)| ShareAction::Invite { ttl_s, uses, role }),
        text().prop_map(|link| ShareAction::Revoke { link }),
    ]
}

fn share_request() -> impl Strategy<Value = ShareRequest> {
    (action(), any::<Option<u64>>()).prop_map(|(action, id)| ShareRequest { action, id })
}

fn share_state() -> impl Strategy<Value = ShareState> {
    let participant = (text(), text(), role(), any::<[bool; 2]>()).prop_map(
        |(id, name, role, [typing, lagging])| Participant {
            id,
            name,
            role,
            typing,
            lagging,
        },
    );
    let link = (
        text(),
        role(),
        any::<u64>(),
        any::<Option<u32>>(),
        any::<u32>(),
    )
        .prop_map(|(id, role, expires, uses, used)| ShareLink {
            id,
            role,
            expires,
            uses,
            used,
        });
    let invitation =
        (text(), text(), text()).prop_map(|(link, token, url)| Invitation { link, token, url });
    let recording = (text(), any::<u64>()).prop_map(|(by, since)| Recording { by, since });
    let maybe = || prop::option::of(text());
    (
        (text(), maybe()),
        prop::collection::vec(participant, 0..4),
        prop::option::of(prop::collection::vec(link, 0..3)),
        prop::option::of(invitation),
        (maybe(), any::<Option<u64>>(), maybe()),
        prop::option::of(recording),
    )
        .prop_map(
            |(
                (own_id, driver),
                participants,
                links,
                invited,
                (requested_by, reference, reason),
                recording,
            )| {
                ShareState {
                    own_id,
                    driver,
                    participants,
                    links,
                    invited,
                    requested_by,
                    reference,
                    reason,
                    recording,
                }
            },
        )
}

proptest! {
    #[test]
    fn requests_and_states_survive_both_encodings(request in share_request(), state in share_state()) {
        for encoding in Encoding::ALL {
            let message = ClientMessage::Share(request.clone());
            let tlv = message.encode(encoding);
            prop_assert_eq!(ClientMessage::decode(tlv.kind, &tlv.payload), Ok(message));
            let message = ServerMessage::ShareState(state.clone());
            let tlv = message.encode(encoding);
            prop_assert_eq!(ServerMessage::decode(tlv.kind, &tlv.payload), Ok(message));
        }
    }

    #[test]
    fn no_truncation_is_a_message(request in share_request(), state in share_state()) {
        for encoding in Encoding::ALL {
            let tlv = ClientMessage::Share(request.clone()).encode(encoding);
            for length in 0..tlv.payload.len() {
                prop_assert!(ClientMessage::decode(tlv.kind, &tlv.payload[..length]).is_err());
            }
            let tlv = ServerMessage::ShareState(state.clone()).encode(encoding);
            for length in 0..tlv.payload.len() {
                prop_assert!(ServerMessage::decode(tlv.kind, &tlv.payload[..length]).is_err());
            }
        }
    }
}
