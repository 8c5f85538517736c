//! What a person types into a browser is what a program on the desktop gets, whatever the layouts.

mod support;

use support::{Browser, Program, Style, layout, typing_keys};
use vroom_desktop::InputEvent;
use xkbcommon::xkb;

/// Types every character of the browser's layout, each on its own, and returns how many there were.
fn every_character_arrives(browser_layout: &str, session_layout: &str, style: Style) -> usize {
    let session = layout(session_layout);
    let mut browser = Browser::new(browser_layout, &session, style);
    let mut program = Program::new(&session);
    let mut count = 0;
    for evdev in typing_keys() {
        for (shift, altgr) in [(false, false), (true, false), (false, true), (true, true)] {
            if altgr && !browser.has_altgr() {
                continue;
            }
            let symbol = browser.symbol(evdev, shift, altgr);
            let Some(meant) = char::from_u32(xkb::keysym_to_utf32(symbol)) else {
                continue;
            };
            if meant == '\0' || meant.is_control() {
                continue;
            }
            program.text.clear();
            browser.strike(evdev, shift, altgr);
            let events = browser.take();
            program.take(&events);
            assert_eq!(
                program.text,
                meant.to_string(),
                "{browser_layout} to {session_layout}: key {evdev}, shift {shift}, altgr {altgr}: {events:?}"
            );
            assert_eq!(program.chords, [""; 0], "{meant} is text and no shortcut");
            assert!(browser.translator.is_idle());
            count += 1;
        }
    }
    count
}

#[test]
fn every_character_arrives_where_the_layouts_agree() {
    assert!(every_character_arrives("us", "us", Style::Linux) >= 95);
    assert!(every_character_arrives("de", "de", Style::Linux) >= 150);
    assert!(every_character_arrives("de", "de", Style::Windows) >= 150);
    assert!(every_character_arrives("fr", "fr", Style::Linux) >= 150);
}

#[test]
fn every_character_arrives_where_the_layouts_differ() {
    for (browser, session) in [
        ("de", "us"),
        ("us", "de"),
        ("fr", "us"),
        ("us", "fr"),
        ("gb", "de"),
    ] {
        for style in [Style::Linux, Style::Windows] {
            assert!(every_character_arrives(browser, session, style) >= 95);
        }
    }
    assert!(every_character_arrives("ru", "us", Style::Linux) >= 90);
}

#[test]
fn german_characters_behind_altgr_arrive() {
    let keys = [
        ("KeyQ", '@'),
        ("KeyE", '€'),
        ("Digit7", '{'),
        ("Digit8", '['),
        ("Digit9", ']'),
        ("Digit0", '}'),
        ("Minus", '\\'),
        ("BracketRight", '~'),
        ("IntlBackslash", '|'),
        ("KeyM", 'µ'),
    ];
    for (session, style) in [
        ("de", Style::Linux),
        ("de", Style::Windows),
        ("us", Style::Linux),
        ("us", Style::Windows),
    ] {
        let session = layout(session);
        let mut browser = Browser::new("de", &session, style);
        let mut program = Program::new(&session);
        for (code, _) in keys {
            browser.strike(support::evdev(code), false, true);
        }
        program.take(&browser.take());
        let meant: String = keys.iter().map(|(_, char)| char).collect();
        assert_eq!(program.text, meant, "{session:?}, {style:?}");
    }
}

#[test]
fn altgr_held_for_several_characters_is_held_throughout() {
    for (session, style) in [
        ("de", Style::Linux),
        ("de", Style::Windows),
        ("us", Style::Linux),
        ("us", Style::Windows),
    ] {
        let session = layout(session);
        let mut browser = Browser::new("de", &session, style);
        let mut program = Program::new(&session);
        if style == Style::Windows {
            browser.down(support::evdev("ControlLeft"));
        }
        browser.down(support::evdev("AltRight"));
        for code in ["Digit8", "Digit9", "KeyQ"] {
            browser.down(support::evdev(code));
            browser.up(support::evdev(code));
        }
        program.take(&browser.take());
        assert_eq!(program.text, "[]@", "{session:?}, {style:?}");
        assert!(program.chords.is_empty());
    }
}

/// The strokes of an accent and a letter on a German keyboard, and what they mean.
const ACCENTS: [(&str, bool, &str, bool, &str); 9] = [
    ("Equal", false, "KeyE", false, "é"),
    ("Equal", true, "KeyA", false, "à"),
    ("Backquote", false, "KeyO", false, "ô"),
    ("Equal", false, "KeyE", true, "É"),
    ("Equal", true, "KeyU", true, "Ù"),
    ("Backquote", false, "KeyI", true, "Î"),
    ("Backquote", false, "Space", false, "^"),
    ("Equal", true, "Space", false, "`"),
    ("Equal", false, "Space", false, "'"),
];

#[test]
fn accents_arrive_whichever_way_browsers_report_the_letter() {
    let session = layout("de");
    for (accent, accent_shift, letter, letter_shift, meant) in ACCENTS {
        for whole in [None, Some(meant)] {
            let mut browser = Browser::new("de", &session, Style::Linux);
            let mut program = Program::new(&session);
            browser.strike(support::evdev(accent), accent_shift, false);
            browser.strike_as(support::evdev(letter), letter_shift, false, whole);
            // The next letter is a letter of its own.
            browser.strike(support::evdev("KeyE"), false, false);
            program.take(&browser.take());
            assert_eq!(program.text, format!("{meant}e"), "reported as {whole:?}");
        }
    }
}

#[test]
fn accents_arrive_on_a_layout_without_dead_keys() {
    let session = layout("us");
    for (accent, accent_shift, letter, letter_shift, meant) in ACCENTS {
        let mut browser = Browser::new("de", &session, Style::Linux);
        let mut program = Program::new(&session);
        browser.strike(support::evdev(accent), accent_shift, false);
        browser.strike_as(support::evdev(letter), letter_shift, false, Some(meant));
        program.take(&browser.take());
        assert_eq!(program.text, meant);
    }
}

#[test]
fn caps_lock_of_the_browser_is_caps_lock_of_the_desktop() {
    for (browser, session, meant) in [
        ("us", "us", "Yyy"),
        ("de", "us", "Zzz"),
        ("us", "de", "Yyy"),
    ] {
        let session = layout(session);
        let mut browser = Browser::new(browser, &session, Style::Linux);
        let mut program = Program::new(&session);
        let (caps, letter) = (support::evdev("CapsLock"), support::evdev("KeyY"));
        browser.strike(caps, false, false);
        browser.strike(letter, false, false);
        browser.strike(letter, true, false);
        browser.strike(caps, false, false);
        browser.strike(letter, false, false);
        program.take(&browser.take());
        assert_eq!(program.text, meant);
        assert!(!program.is_locked(xkb::MOD_NAME_CAPS));
    }
}

#[test]
fn the_keypad_types_digits_or_moves_as_at_the_browser() {
    let session = layout("us");
    let mut browser = Browser::new("us", &session, Style::Linux);
    let mut program = Program::new(&session);
    let seven = support::evdev("Numpad7");
    browser.strike(seven, false, false);
    program.take(&browser.take());
    assert_eq!(program.chords, ["KP_Home"]);
    // Num Lock was switched on at the browser while nobody looked.
    browser.strike_as(seven, false, false, Some("7"));
    program.take(&browser.take());
    assert_eq!(program.text, "7");
    assert!(program.is_locked(xkb::MOD_NAME_NUM));
    browser.strike_as(seven, false, false, Some("Home"));
    program.take(&browser.take());
    assert_eq!(program.chords, ["KP_Home", "KP_Home"]);
    for code in [
        "NumpadAdd",
        "NumpadDivide",
        "NumpadMultiply",
        "NumpadSubtract",
    ] {
        browser.strike(support::evdev(code), false, false);
    }
    program.take(&browser.take());
    assert_eq!(program.text, "7+/*-");
}

#[test]
fn text_of_a_touch_keyboard_arrives_as_it_is() {
    let session = layout("us");
    let mut browser = Browser::new("us", &session, Style::Linux);
    let text = vroom_protocol::graphical::ButtonInput::Text("日本 ü".into());
    let size = vroom_desktop::Size::new(100, 100);
    browser.translator.button(text, size, &mut browser.out);
    assert_eq!(browser.take(), [InputEvent::Text("日本 ü".into())]);
}
