//! SELECT is the intersection of what client and server can do.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "helpers of tests fail as tests do"
)]

use proptest::prelude::*;
use vroom_protocol::terminal::{
    Capabilities, Extensions, Keyboard, Kitty, TerminalInfo, intersect, kitty_flags,
};

fn owned(names: &[&str]) -> Option<Vec<String>> {
    Some(names.iter().map(|name| (*name).to_owned()).collect())
}

fn levels(supported: &[u32], preferred: Option<u32>) -> Capabilities {
    Capabilities {
        kitty: Some(Kitty {
            keyboard: Some(Keyboard {
                supported_levels: Some(supported.to_vec()),
                preferred_level: preferred,
            }),
            ..Kitty::default()
        }),
        ..Capabilities::default()
    }
}

/// What is selected of an offer of levels by a server with others.
fn selected(offered: &[u32], preferred: Option<u32>, served: &[u32]) -> (Vec<u32>, u32) {
    let both = intersect(&levels(offered, preferred), &levels(served, None));
    let level = both.keyboard_level();
    let keyboard = both.kitty.unwrap().keyboard.unwrap();
    (keyboard.supported_levels.unwrap(), level)
}

#[test]
fn the_level_in_force_is_the_best_common_one() {
    assert_eq!(
        selected(&[1, 2, 3], Some(3), &[1, 2, 3]),
        (vec![1, 2, 3], 3)
    );
    assert_eq!(
        selected(&[1, 2, 3], Some(3), &[1, 2]),
        (vec![1, 2], 2),
        "highest below"
    );
    assert_eq!(
        selected(&[1, 2, 3], Some(1), &[2, 3]),
        (vec![2, 3], 2),
        "lowest common"
    );
    assert_eq!(
        selected(&[1, 2], None, &[1, 2, 3]),
        (vec![1, 2], 2),
        "highest common"
    );
    assert_eq!(selected(&[1], Some(1), &[2]), (vec![], 0), "nothing common");
    assert_eq!(selected(&[], None, &[1, 2, 3]), (vec![], 0));
    assert_eq!(
        selected(&[3, 1, 3, 1], Some(9), &[1, 3]),
        (vec![1, 3], 3),
        "ascending, once"
    );
}

#[test]
fn an_empty_offer_selects_nothing_and_says_so() {
    let nothing = Capabilities {
        protocol_version: Some(1),
        terminal: Some(TerminalInfo {
            truecolor: Some(false),
            ..TerminalInfo::default()
        }),
        kitty: Some(Kitty {
            keyboard: Some(Keyboard {
                supported_levels: Some(vec![]),
                preferred_level: Some(0),
            }),
            graphics: Some(false),
            sixel: Some(false),
            synchronized_output: Some(false),
        }),
        mouse: Some(vec![]),
        features: Some(vec![]),
        extensions: Some(Extensions {
            structured_keys: Some(false),
            reconnect: Some(false),
            zstd_compression: Some(false),
            flow_control: Some(false),
            sharing: Some(false),
        }),
    };
    let both = intersect(&Capabilities::default(), &Capabilities::transparent());
    assert_eq!(both, nothing);
    let both = intersect(&Capabilities::transparent(), &Capabilities::default());
    assert_eq!(both.extensions, nothing.extensions);
    assert_eq!(both.kitty, nothing.kitty);
}

#[test]
fn names_keep_the_order_of_the_client_and_unknown_ones_are_dropped() {
    let offer = Capabilities {
        mouse: owned(&["xterm", "telepathy", "sgr", "sgr"]),
        features: owned(&["hyperlinks", "bracketed_paste", "smell"]),
        ..Capabilities::default()
    };
    let both = intersect(&offer, &Capabilities::transparent());
    assert_eq!(both.mouse, owned(&["xterm", "sgr"]));
    assert_eq!(both.features, owned(&["hyperlinks", "bracketed_paste"]));
}

#[test]
fn a_feature_that_policy_forbids_is_not_selected() {
    let mut server = Capabilities::transparent();
    let features = server.features.as_mut().unwrap();
    features.retain(|name| name != "osc52_clipboard");
    let both = intersect(&Capabilities::transparent(), &server);
    assert!(
        !both
            .features
            .unwrap()
            .contains(&"osc52_clipboard".to_owned())
    );
}

#[test]
fn the_lower_version_is_selected_part_by_part() {
    let unicode = |version: Option<&str>| Capabilities {
        terminal: Some(TerminalInfo {
            unicode_version: version.map(str::to_owned),
            ..TerminalInfo::default()
        }),
        ..Capabilities::default()
    };
    let lower = |offered, served| {
        let both = intersect(&unicode(offered), &unicode(served));
        both.terminal.unwrap().unicode_version
    };
    assert_eq!(lower(Some("15.1"), Some("9.0")).as_deref(), Some("9.0"));
    assert_eq!(lower(Some("15.0"), Some("15.1")).as_deref(), Some("15.0"));
    assert_eq!(lower(Some("15"), Some("15.0.0")).as_deref(), Some("15"));
    assert_eq!(lower(Some("15.1"), None).as_deref(), Some("15.1"));
    assert_eq!(lower(None, Some("15.1")), None);

    let version = |version| Capabilities {
        protocol_version: Some(version),
        ..Capabilities::default()
    };
    let both = intersect(&version(7), &Capabilities::transparent());
    assert_eq!(both.protocol_version, Some(1));
}

#[test]
fn the_name_of_the_terminal_is_echoed() {
    let offer = Capabilities {
        terminal: Some(TerminalInfo {
            name: Some("kitty".to_owned()),
            ..TerminalInfo::default()
        }),
        ..Capabilities::default()
    };
    let both = intersect(&offer, &Capabilities::transparent());
    assert_eq!(both.terminal.unwrap().name.as_deref(), Some("kitty"));
}

#[test]
fn each_level_guarantees_its_flags() {
    assert_eq!([0, 1, 2, 3].map(kitty_flags), [0, 1, 3, 15]);
}

proptest! {
    #[test]
    fn the_level_in_force_is_common_to_both(
        offered in prop::collection::vec(0..6_u32, 0..6),
        preferred in prop::option::of(0..6_u32),
        served in prop::collection::vec(0..6_u32, 0..6),
    ) {
        let (common, level) = selected(&offered, preferred, &served);
        prop_assert!(common.iter().all(|level| offered.contains(level) && served.contains(level)));
        prop_assert!(common.is_sorted());
        prop_assert!(common.contains(&level) || (common.is_empty() && level == 0));
        if let Some(preferred) = preferred.filter(|preferred| common.contains(preferred)) {
            prop_assert_eq!(level, preferred);
        }
    }
}
