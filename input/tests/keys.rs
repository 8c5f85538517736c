//! Keys that are no text: shortcuts, modifiers, repeats, and keys without a code.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails where its own functions fail"
)]

mod support;

use support::{Browser, Program, Style, layout};
use vroom_desktop::{Evdev, InputEvent, KeyState};
use vroom_input::Translator;
use vroom_protocol::graphical::{Key, Modifiers};
use xkbcommon::xkb;

fn chords(browser: &str, session: &str, keys: &[&[&str]]) -> Vec<String> {
    let session = layout(session);
    let mut browser = Browser::new(browser, &session, Style::Linux);
    let mut program = Program::new(&session);
    for keys in keys {
        browser.chord(keys);
    }
    program.take(&browser.take());
    assert_eq!(program.text, "");
    assert!(browser.translator.is_idle());
    program.chords
}

#[test]
fn shortcuts_are_those_that_the_browser_shows() {
    // On a German keyboard Z is where Y is on an American one.
    let undo: &[&[&str]] = &[
        &["ControlLeft", "KeyY"],
        &["ControlLeft", "ShiftLeft", "KeyY"],
    ];
    assert_eq!(chords("de", "us", undo), ["Ctrl+z", "Ctrl+Shift+Z"]);
    assert_eq!(chords("de", "de", undo), ["Ctrl+z", "Ctrl+Shift+Z"]);
    assert_eq!(chords("us", "de", undo), ["Ctrl+y", "Ctrl+Shift+Y"]);
    let others: &[&[&str]] = &[
        &["ControlLeft", "KeyC"],
        &["ControlRight", "ShiftRight", "KeyV"],
        &["AltLeft", "KeyF"],
        &["MetaLeft", "KeyL"],
        &["ControlLeft", "AltLeft", "KeyT"],
        &["ControlLeft", "Digit1"],
        &["AltLeft", "F4"],
        &["ControlLeft", "ArrowLeft"],
        &["ShiftLeft", "ArrowUp"],
        &["AltLeft", "Tab"],
    ];
    for (browser, session) in [("us", "us"), ("de", "de"), ("de", "us"), ("us", "de")] {
        assert_eq!(
            chords(browser, session, others),
            [
                "Ctrl+c",
                "Ctrl+Shift+V",
                "Alt+f",
                "Super+l",
                "Ctrl+Alt+t",
                "Ctrl+1",
                "Alt+F4",
                "Ctrl+Left",
                "Shift+Up",
                "Alt+Tab",
            ],
            "{browser} to {session}"
        );
    }
}

#[test]
fn a_shortcut_with_a_shifted_character_is_that_character() {
    // Slash is Shift+7 on a German keyboard and a key of its own on an American one.
    let slash: &[&[&str]] = &[&["ControlLeft", "ShiftLeft", "Digit7"]];
    assert_eq!(chords("de", "us", slash), ["Ctrl+slash"]);
    assert_eq!(
        chords("us", "de", &[&["ControlLeft", "Slash"]]),
        ["Ctrl+Shift+slash"]
    );
}

#[test]
fn a_shortcut_in_another_script_is_known_by_its_position() {
    assert_eq!(chords("ru", "us", &[&["ControlLeft", "KeyC"]]), ["Ctrl+c"]);
}

#[test]
fn keys_without_text_are_known_by_their_position() {
    let keys: Vec<String> = (1..=12).map(|number| format!("F{number}")).collect();
    let mut strikes: Vec<[&str; 1]> = keys.iter().map(|key| [key.as_str()]).collect();
    let others = [
        "Enter",
        "Tab",
        "Escape",
        "Backspace",
        "Delete",
        "Insert",
        "Home",
        "End",
        "PageUp",
        "PageDown",
        "ArrowUp",
        "ArrowDown",
        "ArrowLeft",
        "ArrowRight",
        "NumpadEnter",
        "ContextMenu",
        "PrintScreen",
        "Pause",
        "ScrollLock",
    ];
    strikes.extend(others.map(|key| [key]));
    for (browser, session) in [("us", "us"), ("de", "us"), ("us", "de")] {
        let session = layout(session);
        let mut browser = Browser::new(browser, &session, Style::Linux);
        for strike in &strikes {
            browser.chord(strike);
            let code = Evdev(support::evdev(strike[0]));
            let expected = [KeyState::Pressed, KeyState::Released];
            let expected = expected.map(|state| InputEvent::Key { code, state });
            assert_eq!(browser.take(), expected, "{strike:?}");
        }
    }
}

/// A translator and what it said.
struct Keys {
    translator: Translator,
    out: Vec<InputEvent>,
}

impl Keys {
    fn new(session: &str) -> Self {
        Self {
            translator: Translator::new(&layout(session)).unwrap(),
            out: Vec::new(),
        }
    }

    fn down(&mut self, key: &str, code: &str, modifiers: u8) -> Vec<(u16, bool)> {
        let key = event(key, code, modifiers);
        self.translator.key_down(&key, &mut self.out);
        self.take()
    }

    fn up(&mut self, key: &str, code: &str, modifiers: u8) -> Vec<(u16, bool)> {
        let key = event(key, code, modifiers);
        self.translator.key_up(&key, &mut self.out);
        self.take()
    }

    /// The keys that moved, and whether down.
    fn take(&mut self) -> Vec<(u16, bool)> {
        let events = self.out.drain(..);
        events
            .map(|event| match event {
                InputEvent::Key { code, state } => (code.0, state == KeyState::Pressed),
                other => panic!("{other:?}"),
            })
            .collect()
    }
}

fn event(key: &str, code: &str, modifiers: u8) -> Key {
    Key {
        key: key.into(),
        code: code.into(),
        modifiers: Modifiers::from_bits(modifiers),
    }
}

const SHIFT: u8 = 1;
const CTRL: u8 = 2;
const ALT: u8 = 4;
const META: u8 = 8;

#[test]
fn the_example_of_the_specification_presses_and_releases_two_keys() {
    let mut keys = Keys::new("us");
    assert_eq!(keys.down("Control", "ControlLeft", CTRL), [(29, true)]);
    assert_eq!(keys.down("s", "KeyS", CTRL), [(31, true)]);
    assert_eq!(keys.up("s", "KeyS", CTRL), [(31, false)]);
    assert_eq!(keys.up("Control", "ControlLeft", 0), [(29, false)]);
    assert!(keys.translator.is_idle());
}

#[test]
fn repeats_are_ignored() {
    let mut keys = Keys::new("us");
    assert_eq!(keys.down("a", "KeyA", 0), [(30, true)]);
    assert_eq!(keys.down("a", "KeyA", 0), []);
    assert_eq!(keys.down("Shift", "ShiftLeft", SHIFT), [(42, true)]);
    assert_eq!(keys.down("A", "KeyA", SHIFT), []);
    assert_eq!(keys.up("A", "KeyA", SHIFT), [(30, false)]);
    assert_eq!(keys.up("A", "KeyA", SHIFT), []);
}

#[test]
fn a_key_up_releases_what_its_key_down_pressed() {
    let mut keys = Keys::new("us");
    // A German Z, released when the browser already reports something else for the key.
    assert_eq!(keys.down("z", "KeyY", 0), [(44, true)]);
    assert_eq!(keys.up("Y", "KeyY", 0), [(44, false)]);
}

#[test]
fn two_keys_with_one_meaning_do_not_hold_each_other() {
    let mut keys = Keys::new("us");
    assert_eq!(keys.down("z", "KeyY", 0), [(44, true)]);
    assert_eq!(keys.down("z", "KeyZ", 0), [(44, false), (44, true)]);
    assert_eq!(keys.up("z", "KeyY", 0), []);
    assert_eq!(keys.up("z", "KeyZ", 0), [(44, false)]);
}

#[test]
fn the_modifier_byte_releases_and_never_presses() {
    let mut keys = Keys::new("us");
    assert_eq!(keys.down("a", "KeyA", CTRL | ALT | META), [(30, true)]);
    assert_eq!(keys.up("a", "KeyA", CTRL), [(30, false)]);
    keys.down("Shift", "ShiftLeft", SHIFT);
    keys.down("Control", "ControlRight", SHIFT | CTRL);
    keys.down("Alt", "AltLeft", SHIFT | CTRL | ALT);
    keys.down("Meta", "MetaLeft", SHIFT | CTRL | ALT | META);
    let mut lifted = keys.down("F5", "F5", META);
    assert_eq!(lifted.pop(), Some((63, true)));
    lifted.sort_unstable();
    assert_eq!(lifted, [(42, false), (56, false), (97, false)]);
    assert_eq!(keys.up("F5", "F5", 0), [(63, false), (125, false)]);
    assert!(keys.translator.is_idle());
}

#[test]
fn a_modifier_without_its_own_bit_stays_down() {
    let mut keys = Keys::new("us");
    assert_eq!(keys.down("Shift", "ShiftLeft", 0), [(42, true)]);
    assert_eq!(keys.down("Shift", "ShiftLeft", 0), []);
    assert_eq!(keys.down("A", "KeyA", SHIFT), [(30, true)]);
    // Alt under Shift is called Meta by some browsers.
    assert_eq!(keys.down("Meta", "AltLeft", SHIFT | ALT), [(56, true)]);
    assert_eq!(keys.down("F1", "F1", SHIFT | ALT), [(59, true)]);
}

#[test]
fn altgr_is_not_released_by_the_bit_of_alt() {
    let mut keys = Keys::new("de");
    assert_eq!(keys.down("AltGraph", "AltRight", 0), [(100, true)]);
    assert_eq!(keys.down("@", "KeyQ", 0), [(16, true)]);
    assert_eq!(keys.up("@", "KeyQ", 0), [(16, false)]);
    assert_eq!(keys.up("AltGraph", "AltRight", 0), [(100, false)]);
}

#[test]
fn altgr_of_windows_is_no_shortcut() {
    // One browser keeps the bits of Ctrl and Alt for the character, another takes them away.
    for bits in [CTRL | ALT, 0] {
        let mut keys = Keys::new("de");
        assert_eq!(keys.down("Control", "ControlLeft", CTRL), [(29, true)]);
        let down = keys.down("AltGraph", "AltRight", CTRL | ALT);
        assert_eq!(down, [(29, false), (100, true)]);
        for _ in 0..2 {
            // Windows repeats both while AltGr is held.
            let mut repeat = keys.down("Control", "ControlLeft", CTRL);
            repeat.extend(keys.down("AltGraph", "AltRight", CTRL | ALT));
            let held: i32 = repeat
                .iter()
                .map(|(_, down)| if *down { 1 } else { -1 })
                .sum();
            assert_eq!(held, 0);
            assert_eq!(keys.down("@", "KeyQ", bits), [(16, true)]);
            assert_eq!(keys.up("@", "KeyQ", bits), [(16, false)]);
        }
        assert_eq!(keys.up("Control", "ControlLeft", bits & ALT), []);
        assert_eq!(keys.up("AltGraph", "AltRight", 0), [(100, false)]);
        assert!(keys.translator.is_idle());
    }
}

#[test]
fn ctrl_and_alt_together_type_what_altgr_types() {
    let mut keys = Keys::new("de");
    keys.down("Control", "ControlLeft", CTRL);
    keys.down("Alt", "AltLeft", CTRL | ALT);
    let typed = keys.down("@", "KeyQ", CTRL | ALT);
    let expected = [
        (56, false),
        (29, false),
        (100, true),
        (16, true),
        (16, false),
        (100, false),
        (29, true),
        (56, true),
    ];
    assert_eq!(typed, expected);
    // A letter stays a shortcut.
    assert_eq!(keys.down("t", "KeyT", CTRL | ALT), [(20, true)]);
}

#[test]
fn a_modifier_that_the_browser_moved_is_moved_here() {
    // Caps Lock as another Ctrl, at the browser's side.
    let mut keys = Keys::new("us");
    assert_eq!(keys.down("Control", "CapsLock", CTRL), [(29, true)]);
    assert_eq!(keys.down("c", "KeyC", CTRL), [(46, true)]);
    assert_eq!(keys.up("Control", "CapsLock", 0), [(29, false)]);
    // Alt on the right where the desktop has AltGr.
    let mut keys = Keys::new("de");
    assert_eq!(keys.down("Alt", "AltRight", ALT), [(56, true)]);
    assert_eq!(keys.down("f", "KeyF", ALT), [(33, true)]);
    assert_eq!(keys.up("Alt", "AltRight", 0), [(56, false)]);
}

#[test]
fn shift_is_lent_and_restored() {
    let mut keys = Keys::new("us");
    // Shift was pressed before the server listened.
    assert_eq!(
        keys.down("A", "KeyA", SHIFT),
        [(42, true), (30, true), (30, false), (42, false)]
    );
    assert_eq!(keys.up("A", "KeyA", SHIFT), []);
    // A German slash.
    assert_eq!(keys.down("Shift", "ShiftRight", SHIFT), [(54, true)]);
    assert_eq!(
        keys.down("/", "Digit7", SHIFT),
        [(54, false), (53, true), (53, false), (54, true)]
    );
    assert_eq!(keys.up("/", "Digit7", SHIFT), []);
    assert_eq!(keys.up("Shift", "ShiftRight", 0), [(54, false)]);
}

#[test]
fn keys_without_a_code_are_known_by_their_name() {
    let mut keys = Keys::new("us");
    for (name, evdev) in [("ArrowUp", 103), ("Enter", 28), ("Backspace", 14)] {
        assert_eq!(keys.down(name, "", 0), [(evdev, true)]);
        assert_eq!(keys.down(name, "", 0), []);
        assert_eq!(keys.up(name, "", 0), [(evdev, false)]);
    }
    // A character may never be released, and every press is one.
    for _ in 0..2 {
        assert_eq!(keys.down("a", "", 0), [(30, true), (30, false)]);
    }
    assert_eq!(keys.up("a", "", 0), []);
    assert_eq!(
        keys.down("A", "NoSuchCode", 0),
        [(42, true), (30, true), (30, false), (42, false)]
    );
    assert!(keys.translator.is_idle());
}

#[test]
fn keys_that_say_nothing_are_known_by_their_code() {
    let mut keys = Keys::new("us");
    for key in ["Process", "Unidentified", ""] {
        assert_eq!(keys.down(key, "KeyA", 0), [(30, true)]);
        assert_eq!(keys.up(key, "KeyA", 0), [(30, false)]);
        assert_eq!(keys.down(key, "", 0), []);
        assert_eq!(keys.up(key, "", 0), []);
    }
    assert_eq!(keys.down("Dead", "", 0), []);
}

#[test]
fn keys_pressed_with_meta_are_released_with_it() {
    // macOS reports no key-up for them.
    let mut keys = Keys::new("us");
    assert_eq!(keys.down("x", "KeyX", 0), [(45, true)]);
    keys.down("Meta", "MetaLeft", META);
    assert_eq!(keys.down("c", "KeyC", META), [(46, true)]);
    assert_eq!(keys.up("Meta", "MetaLeft", 0), [(125, false), (46, false)]);
    assert!(!keys.translator.is_idle());
    assert_eq!(keys.up("x", "KeyX", 0), [(45, false)]);
}

#[test]
fn caps_lock_follows_the_byte() {
    let session = layout("us");
    let mut translator = Translator::new(&session).unwrap();
    let mut program = Program::new(&session);
    let mut out = Vec::new();
    translator.key_down(&event("A", "KeyA", 16), &mut out);
    assert_eq!(
        out[0],
        InputEvent::Locks {
            caps: Some(true),
            num: None
        }
    );
    program.take(&out);
    assert_eq!(program.text, "A");
    out.clear();
    translator.key_up(&event("a", "KeyA", 0), &mut out);
    translator.key_down(&event("b", "KeyB", 0), &mut out);
    program.take(&out);
    assert_eq!(program.text, "Ab");
    assert!(!program.is_locked(xkb::MOD_NAME_CAPS));
}

#[test]
fn release_all_lets_go_in_reverse_order() {
    let mut keys = Keys::new("us");
    keys.down("Control", "ControlLeft", CTRL);
    keys.down("Shift", "ShiftLeft", CTRL | SHIFT);
    keys.down("ArrowLeft", "ArrowLeft", CTRL | SHIFT);
    assert!(!keys.translator.is_idle());
    keys.translator.release_all(&mut keys.out);
    assert_eq!(keys.take(), [(105, false), (42, false), (29, false)]);
    assert!(keys.translator.is_idle());
    keys.translator.release_all(&mut keys.out);
    assert_eq!(keys.take(), []);
}
