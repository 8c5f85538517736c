//! The rules that a graphical server follows: negotiation, modes, and who may drive.

use proptest::prelude::*;
use vroom_protocol::Code;
use vroom_protocol::graphical::{
    Action, Chat, ClientHandshake, ClientMessage, Clipboard, ClipboardData, ClipboardRequest,
    Command, Decision, Drag, Driver, Encoding, Feedback, Media, Mode, Negotiation, NoticeAnswer,
    Obedience, Record, RecordAction, Role, Share, ShareAction, Viewport, capability, input_obeyed,
    obeyed, take_decision,
};

fn client(version: &str, encodings: Option<&[&str]>) -> ClientHandshake {
    let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    ClientHandshake {
        version: version.to_owned(),
        control_encoding: encodings.map(owned),
        capabilities: owned(&[capability::POINTER, capability::TOUCH]),
        viewport: Viewport::new(1024, 768),
        mode: Mode::View,
        client: None,
    }
}

fn server() -> Negotiation {
    Negotiation::new([
        capability::POINTER,
        capability::KEYBOARD,
        capability::CURSOR,
    ])
}

const SIZE: Viewport = Viewport::new(1280, 720);

#[test]
fn the_server_answers_the_first_encoding_it_knows_and_uses_it() {
    for (offered, chosen) in [
        (&["cbor", "json"][..], Encoding::Cbor),
        (&["json", "cbor"], Encoding::Json),
        (&["xml", "cbor"], Encoding::Cbor),
    ] {
        let mut negotiation = server();
        let answer = negotiation
            .accept(&client("0.1.0", Some(offered)), SIZE, None)
            .unwrap();
        assert_eq!(answer.control_encoding, chosen);
        assert_eq!(negotiation.encoding(), chosen);
    }
}

#[test]
fn a_client_without_control_encoding_gets_json() {
    let mut negotiation = server();
    let answer = negotiation
        .accept(&client("0.1.0", None), SIZE, None)
        .unwrap();
    assert_eq!(answer.control_encoding, Encoding::Json);
    assert_eq!(negotiation.encoding(), Encoding::Json);
}

#[test]
fn no_common_encoding_closes_with_unsupported() {
    for offered in [&["xml"][..], &[]] {
        let mut negotiation = server();
        let refusal = negotiation
            .accept(&client("0.1.0", Some(offered)), SIZE, None)
            .unwrap_err();
        assert_eq!((refusal.code, refusal.close), (Code::UNSUPPORTED, true));
        assert!(!negotiation.is_complete());
    }
}

#[test]
fn another_major_or_minor_version_closes_and_another_patch_does_not() {
    for version in ["0.1.0", "0.1.7", "0.1", "0.1.0-draft"] {
        assert!(
            server().accept(&client(version, None), SIZE, None).is_ok(),
            "{version}"
        );
    }
    for version in ["0.2.0", "1.1.0", "", "0", "x.y.z", "0.1x", "-0.1.0"] {
        let refusal = server()
            .accept(&client(version, None), SIZE, None)
            .unwrap_err();
        assert_eq!(
            (refusal.code, refusal.close),
            (Code::VERSION_MISMATCH, true),
            "{version}"
        );
    }
}

#[test]
fn the_server_handshake_has_version_capabilities_and_viewport() {
    let answer = server().accept(&client("0.1.0", None), SIZE, None).unwrap();
    assert_eq!(answer.version, "0.1.0");
    assert_eq!(answer.capabilities, ["pointer", "keyboard", "cursor"]);
    assert_eq!(answer.viewport, SIZE);
}

#[test]
fn an_input_capability_is_usable_when_both_list_it() {
    let mut negotiation = server();
    assert!(
        !negotiation.is_usable(capability::POINTER),
        "nothing is agreed yet"
    );
    negotiation
        .accept(&client("0.1.0", None), SIZE, None)
        .unwrap();
    assert!(negotiation.is_usable(capability::POINTER));
    assert!(
        !negotiation.is_usable(capability::KEYBOARD),
        "only the server lists it"
    );
    assert!(
        !negotiation.is_usable(capability::TOUCH),
        "only the client lists it"
    );
    assert!(negotiation.client_lists(capability::TOUCH));
}

#[test]
fn nothing_comes_before_the_handshake() {
    let negotiation = server();
    for kind in (0x81..=0x89).chain([0x93, 0xEF]) {
        let refusal = negotiation.receive(kind, b"{}").unwrap_err();
        assert_eq!((refusal.code, refusal.close), (Code::WRONG_STATE, false));
    }
}

#[test]
fn a_second_handshake_is_the_wrong_state_and_changes_nothing() {
    let mut negotiation = server();
    let (kind, payload) = ClientMessage::Handshake(client("0.1.0", None)).encode(Encoding::Json);
    assert!(negotiation.receive(kind, &payload).is_ok());
    negotiation
        .accept(&client("0.1.0", None), SIZE, None)
        .unwrap();

    let refusal = negotiation.receive(kind, &payload).unwrap_err();
    assert_eq!((refusal.code, refusal.close), (Code::WRONG_STATE, false));
    let cbor = client("0.1.0", Some(&["cbor"]));
    let refusal = negotiation.accept(&cbor, SIZE, None).unwrap_err();
    assert_eq!((refusal.code, refusal.close), (Code::WRONG_STATE, false));
    assert_eq!(negotiation.encoding(), Encoding::Json);
    assert!(negotiation.receive(0x81, br#"{"mode":"view"}"#).is_ok());
}

#[test]
fn a_malformed_message_gets_its_code_and_keeps_its_id() {
    let mut negotiation = server();
    negotiation
        .accept(&client("0.1.0", None), SIZE, None)
        .unwrap();
    let code = |kind, payload: &[u8]| negotiation.receive(kind, payload).unwrap_err().code;
    assert_eq!(code(0x81, b"a"), Code::INVALID_MESSAGE);
    assert_eq!(code(0x91, b"{}"), Code::UNSUPPORTED);
    let refusal = negotiation
        .receive(0x85, br#"{"id":"c","action":"click"}"#)
        .unwrap_err();
    assert_eq!(refusal.reference.as_deref(), Some("c"));
}

#[test]
fn each_mode_obeys_what_its_row_says() {
    use Obedience::{Apply, ByRole, Refuse};
    let text = || "x".to_owned();
    let back = Command {
        id: None,
        action: Action::Back,
    };
    let request = Share {
        id: None,
        action: ShareAction::Request,
    };
    let chat = Chat::said(text());
    let notice = NoticeAnswer {
        id: 1,
        action: None,
    };
    let navigate = ClientMessage::Navigate {
        url: text(),
        new_tab: false,
    };
    let set = Clipboard::Set(ClipboardData::text("x"));
    let get = Clipboard::Get(ClipboardRequest::default());
    let view = ClientMessage::Mode {
        mode: Mode::View,
        take: false,
    };
    let record = ClientMessage::Record(Record {
        id: None,
        action: RecordAction::Start,
    });
    for (message, expected) in [
        (
            ClientMessage::Paste { text: text() },
            [Refuse, Apply, Apply],
        ),
        (navigate, [Refuse, Apply, Apply]),
        (ClientMessage::Clipboard(set), [Refuse, Apply, Apply]),
        (ClientMessage::Command(back), [Refuse, Refuse, Apply]),
        (ClientMessage::Clipboard(get), [ByRole; 3]),
        (ClientMessage::Resize(SIZE), [ByRole; 3]),
        (ClientMessage::Chat(chat), [ByRole; 3]),
        (view, [ByRole; 3]),
        (ClientMessage::Media(Media::default()), [ByRole; 3]),
        (ClientMessage::Share(request), [ByRole; 3]),
        (ClientMessage::Feedback(Feedback::default()), [Apply; 3]),
        (ClientMessage::Drag(Drag::Leave), [Refuse, Apply, Refuse]),
        (record, [ByRole; 3]),
        (ClientMessage::Notice(notice), [Refuse, Apply, Apply]),
    ] {
        let modes = [Mode::View, Mode::Interact, Mode::Voice];
        assert_eq!(
            modes.map(|mode| obeyed(mode, &message)),
            expected,
            "{message:?}"
        );
    }
}

#[test]
fn input_is_applied_in_interact_alone_and_view_is_the_default() {
    assert_eq!(Mode::default(), Mode::View);
    assert!(!input_obeyed(Mode::View));
    assert!(input_obeyed(Mode::Interact));
    assert!(!input_obeyed(Mode::Voice));
}

fn driver(user: &str, role: Role) -> Option<Driver<'_>> {
    Some(Driver {
        user,
        role,
        idle: false,
    })
}

#[test]
fn a_viewer_never_drives() {
    for driver in [
        None,
        driver("ann", Role::Viewer),
        driver("bob", Role::Owner),
    ] {
        let decision = take_decision("ann", Role::Viewer, driver, true);
        assert_eq!(decision.code(), Some(Code::NOT_ALLOWED));
    }
}

#[test]
fn a_free_floor_goes_to_whoever_asks() {
    for role in [Role::Operator, Role::Owner] {
        assert_eq!(take_decision("ann", role, None, false), Decision::Free);
    }
}

#[test]
fn a_busy_floor_is_refused_unless_taken() {
    let bob = driver("bob", Role::Operator);
    let decision = take_decision("ann", Role::Operator, bob, false);
    assert_eq!(decision, Decision::Busy);
    assert_eq!(decision.code(), Some(Code::DRIVER_BUSY));
    assert_eq!(
        take_decision("ann", Role::Operator, bob, true),
        Decision::Taken
    );
}

#[test]
fn the_same_user_and_a_higher_role_take_over_without_saying_so() {
    let owner = driver("ann", Role::Owner);
    assert_eq!(
        take_decision("ann", Role::Operator, owner, false),
        Decision::Taken
    );
    let operator = driver("bob", Role::Operator);
    assert_eq!(
        take_decision("ann", Role::Owner, operator, false),
        Decision::Taken
    );
}

#[test]
fn a_lower_role_cannot_take_from_a_higher_one_who_is_active() {
    let owner = driver("bob", Role::Owner);
    assert_eq!(
        take_decision("ann", Role::Operator, owner, true),
        Decision::Busy
    );
}

#[test]
fn any_operator_takes_from_an_idle_driver() {
    let idle = Some(Driver {
        user: "bob",
        role: Role::Owner,
        idle: true,
    });
    assert_eq!(
        take_decision("ann", Role::Operator, idle, false),
        Decision::Taken
    );
    assert_eq!(
        take_decision("ann", Role::Viewer, idle, true),
        Decision::NotAllowed
    );
}

#[test]
fn headless_sizes_are_even_and_within_bounds() {
    let size = |width, height, pixel_ratio| {
        let viewport = Viewport {
            pixel_ratio,
            ..Viewport::new(width, height)
        };
        viewport.output_size()
    };
    assert_eq!(size(1281, 721, None), (1280, 720));
    assert_eq!(size(960, 540, Some(2.0)), (1920, 1080));
    assert_eq!(size(1, 1, None), (320, 200));
    assert_eq!(size(u32::MAX, u32::MAX, Some(1e300)), (7680, 4320));
}

proptest! {
    #[test]
    fn no_handshake_gives_a_size_out_of_bounds(
        width in any::<u32>(),
        height in any::<u32>(),
        ratio in prop::option::of(any::<f64>().prop_filter("positive", |ratio| *ratio > 0.0)),
    ) {
        let viewport = Viewport { pixel_ratio: ratio, ..Viewport::new(width, height) };
        let (width, height) = viewport.output_size();
        prop_assert!((320..=7680).contains(&width) && width % 2 == 0);
        prop_assert!((200..=4320).contains(&height) && height % 2 == 0);
    }
}
