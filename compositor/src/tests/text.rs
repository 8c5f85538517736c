//! Text that is typed whatever the layout, as a program reads it.

use std::fs::File;
use std::io::Read as _;
use std::os::unix::fs::FileExt as _;
use std::time::{Duration, Instant};

use smithay::input::keyboard::{Keycode, xkb};
use vroom_desktop::{InputEvent, KeyState};
use wayland_client::WEnum;
use wayland_client::protocol::wl_keyboard;
use wayland_client::protocol::wl_seat::WlSeat;
use wayland_protocols::wp::text_input::zv3::client::zwp_text_input_manager_v3::ZwpTextInputManagerV3;
use wayland_protocols::wp::text_input::zv3::client::zwp_text_input_v3;

use super::client::Told;
use super::fixture::Fixture;
use crate::inbox::Command;

/// What a program makes of its keyboard's events.
struct Reader {
    context: xkb::Context,
    state: Option<xkb::State>,
    text: String,
    modifiers: (u32, u32),
}

impl Reader {
    fn new() -> Self {
        Self {
            context: xkb::Context::new(xkb::CONTEXT_NO_FLAGS),
            state: None,
            text: String::new(),
            modifiers: (0, 0),
        }
    }

    fn read(&mut self, told: Vec<Told>) {
        for told in told {
            match told {
                Told::Keymap(fd, size) => {
                    let mut keymap = vec![0; size as usize - 1];
                    File::from(fd).read_exact_at(&mut keymap, 0).unwrap();
                    let keymap = xkb::Keymap::new_from_string(
                        &self.context,
                        String::from_utf8(keymap).unwrap(),
                        xkb::KEYMAP_FORMAT_TEXT_V1,
                        xkb::KEYMAP_COMPILE_NO_FLAGS,
                    );
                    self.state = Some(xkb::State::new(&keymap.unwrap()));
                }
                Told::Keyboard(wl_keyboard::Event::Modifiers {
                    mods_depressed,
                    mods_latched,
                    mods_locked,
                    group,
                    ..
                }) => {
                    let state = self.state.as_mut().unwrap();
                    state.update_mask(mods_depressed, mods_latched, mods_locked, 0, 0, group);
                    self.modifiers = (mods_depressed, mods_locked);
                }
                Told::Keyboard(wl_keyboard::Event::Key {
                    key,
                    state: WEnum::Value(wl_keyboard::KeyState::Pressed),
                    ..
                }) => {
                    let xkb = self.state.as_ref().unwrap();
                    self.text.push_str(&xkb.key_get_utf8(Keycode::new(key + 8)));
                }
                _ => {}
            }
        }
    }
}

fn with_keyboard(layout: &str) -> (Fixture, usize, Reader) {
    let mut fixture = Fixture::with(|config| config.layout.layout = layout.into());
    let id = fixture.connect();
    let client = fixture.client(id);
    let seat: WlSeat = client.bind();
    seat.get_keyboard(&client.handle, ());
    fixture.window(id, (0, 0), 0xaa);
    let mut reader = Reader::new();
    reader.read(fixture.client(id).take_told());
    (fixture, id, reader)
}

fn type_text(fixture: &mut Fixture, id: usize, reader: &mut Reader, text: &str) {
    fixture.inject(InputEvent::Text(text.into()));
    fixture.roundtrip(id);
    reader.read(fixture.client(id).take_told());
}

#[test]
fn any_text_arrives_on_any_layout() {
    let text = "Hello, Wörld! ^`´~ €@ñ → 漢字 😀\tΩ";
    for layout in ["us", "de", "fr", "us,de"] {
        let (mut fixture, id, mut reader) = with_keyboard(layout);
        type_text(&mut fixture, id, &mut reader, text);
        assert_eq!(reader.text, text, "on {layout}");
        type_text(&mut fixture, id, &mut reader, "\n");
        assert_eq!(reader.text.pop(), Some('\r'));
    }
}

/// A program may have said something new before a text reaches it; foot then drops the text.
#[test]
fn texts_wait_until_a_field_has_taken_the_one_before() {
    let (mut fixture, id, _) = with_keyboard("us");
    let client = fixture.client(id);
    let seat: WlSeat = client.bind();
    let manager: ZwpTextInputManagerV3 = client.bind();
    let field = manager.get_text_input(&seat, &client.handle, ());
    field.enable();
    field.commit();
    fixture.roundtrip(id);
    fixture.client(id).take_told();
    let texts = ["日本語", "한국어", "😀", "ok"];
    for text in texts {
        fixture
            .inbox
            .post(Command::Input(InputEvent::Text(text.into())));
    }
    let before = Instant::now();
    fixture.server.turn(Some(Duration::ZERO)).unwrap();
    // Unless this machine was that slow, the second one waits for longer than keys do.
    if let Some(at) = fixture.server.state.input.deadline() {
        assert!(at >= before + Duration::from_millis(40));
    }
    let (mut commits, mut pending, mut taken) = (1, None, Vec::new());
    fixture.until("all texts", |fixture| {
        for told in fixture.client(id).take_told() {
            match told {
                Told::Text(zwp_text_input_v3::Event::CommitString { text }) => pending = text,
                Told::Text(zwp_text_input_v3::Event::Done { serial }) => {
                    taken.extend(pending.take().filter(|_| serial == commits));
                    commits += 1;
                    field.set_cursor_rectangle(8, 8, 8, 16);
                    field.commit();
                }
                _ => {}
            }
        }
        taken.len() == texts.len()
    });
    assert_eq!(taken, texts);
}

/// A field with the focus, and what it was told since.
fn field(fixture: &mut Fixture, id: usize) -> zwp_text_input_v3::ZwpTextInputV3 {
    let client = fixture.client(id);
    let seat: WlSeat = client.bind();
    let manager: ZwpTextInputManagerV3 = client.bind();
    let field = manager.get_text_input(&seat, &client.handle, ());
    field.enable();
    field.commit();
    fixture.roundtrip(id);
    fixture.client(id).take_told();
    field
}

/// What a program makes of what its field is told: what it composes, and what stands in it.
#[derive(Default)]
struct Shown {
    preedit: Option<(String, i32, i32)>,
    committed: String,
    /// What comes with the next `done`.
    pending: (Option<(String, i32, i32)>, String),
    seen: Vec<String>,
}

impl Shown {
    fn read(&mut self, told: Vec<Told>, field: &zwp_text_input_v3::ZwpTextInputV3) {
        for told in told {
            match told {
                Told::Text(zwp_text_input_v3::Event::PreeditString {
                    text,
                    cursor_begin,
                    cursor_end,
                }) => self.pending.0 = text.map(|text| (text, cursor_begin, cursor_end)),
                Told::Text(zwp_text_input_v3::Event::CommitString { text }) => {
                    self.pending.1.push_str(&text.unwrap_or_default());
                }
                Told::Text(zwp_text_input_v3::Event::Done { .. }) => {
                    let (preedit, commit) = std::mem::take(&mut self.pending);
                    self.committed.push_str(&commit);
                    let shown = preedit.as_ref().map_or("", |(text, ..)| text);
                    self.seen.push(format!("{}[{shown}]", self.committed));
                    self.preedit = preedit;
                    field.set_cursor_rectangle(8, 8, 8, 16);
                    field.commit();
                }
                _ => {}
            }
        }
    }
}

fn composes(text: &str, caret: Option<(usize, usize)>) -> InputEvent {
    InputEvent::Preedit {
        text: text.into(),
        caret,
    }
}

#[test]
fn what_is_composed_is_shown_and_text_takes_its_place() {
    let (mut fixture, id, _) = with_keyboard("us");
    let field = field(&mut fixture, id);
    let mut shown = Shown::default();
    let mut step = |fixture: &mut Fixture, event: InputEvent, wanted: &str| {
        fixture.inject(event);
        fixture.until(wanted, |fixture| {
            shown.read(fixture.client(id).take_told(), &field);
            shown.seen.last().is_some_and(|seen| seen == wanted)
        });
    };
    step(&mut fixture, composes("に", Some((3, 3))), "[に]");
    step(&mut fixture, composes("にほ", Some((3, 6))), "[にほ]");
    step(&mut fixture, InputEvent::Text("日本".into()), "日本[]");
    step(&mut fixture, composes("x", None), "日本[x]");
    step(&mut fixture, composes("", None), "日本[]");
    // A line is a key, and what is composed must not stay behind it.
    step(&mut fixture, composes("y", None), "日本[y]");
    step(&mut fixture, InputEvent::Text("\n".into()), "日本[]");
    assert_eq!(shown.committed, "日本");
    assert_eq!(
        shown.seen.len(),
        7,
        "nothing is told twice: {:?}",
        shown.seen
    );
}

#[test]
fn the_caret_lies_where_it_was_composed() {
    let (mut fixture, id, _) = with_keyboard("us");
    let field = field(&mut fixture, id);
    let mut shown = Shown::default();
    for (caret, wanted) in [(Some((0, 3)), (0, 3)), (None, (-1, -1))] {
        fixture.inject(composes("語", caret));
        fixture.until("what is composed", |fixture| {
            shown.read(fixture.client(id).take_told(), &field);
            shown
                .preedit
                .as_ref()
                .is_some_and(|(_, begin, end)| (*begin, *end) == wanted)
        });
    }
}

#[test]
fn where_nothing_can_show_it_only_the_text_arrives() {
    let (mut fixture, id, mut reader) = with_keyboard("us");
    for composed in ["a", "ab", ""] {
        fixture.inject(composes(composed, None));
    }
    type_text(&mut fixture, id, &mut reader, "ä");
    assert_eq!(reader.text, "ä");
}

#[test]
fn of_what_is_composed_faster_than_it_is_shown_the_newest_counts() {
    let (mut fixture, id, _) = with_keyboard("us");
    let field = field(&mut fixture, id);
    let post = |fixture: &mut Fixture, event| fixture.inbox.post(Command::Input(event));
    post(&mut fixture, composes("a", None));
    fixture.server.turn(Some(Duration::ZERO)).unwrap();
    for end in 1..=26 {
        post(&mut fixture, composes(&"x".repeat(end), None));
    }
    post(&mut fixture, InputEvent::Text("done".into()));
    let mut shown = Shown::default();
    fixture.until("the text", |fixture| {
        shown.read(fixture.client(id).take_told(), &field);
        shown.committed == "done"
    });
    assert!(shown.seen.len() <= 3, "{:?}", shown.seen);
    assert_eq!(shown.preedit, None);
}

#[test]
fn long_text_needs_many_keymaps_and_arrives_all_the_same() {
    let (mut fixture, id, mut reader) = with_keyboard("us");
    let text: String = ('\u{400}'..'\u{460}').collect();
    type_text(&mut fixture, id, &mut reader, &text);
    assert_eq!(reader.text, text);
}

#[test]
fn a_text_of_many_pages_does_not_drown_a_program() {
    let (mut fixture, id, mut reader) = with_keyboard("us");
    let text = "0123456789".repeat(2_000);
    fixture.inject(InputEvent::Text(text.clone()));
    fixture.key(48, KeyState::Pressed);
    fixture.key(48, KeyState::Released);
    fixture.until("all of it", |fixture| {
        reader.read(fixture.client(id).take_told());
        reader.text.len() > text.len()
    });
    assert_eq!(
        reader.text,
        text + "b",
        "a key waits for the text before it"
    );
}

#[test]
fn held_modifiers_and_locks_do_not_change_text_and_come_back() {
    let (mut fixture, id, mut reader) = with_keyboard("us");
    fixture.inject(InputEvent::Locks {
        caps: Some(true),
        num: None,
    });
    fixture.key(29, KeyState::Pressed);
    fixture.roundtrip(id);
    reader.read(fixture.client(id).take_told());
    type_text(&mut fixture, id, &mut reader, "aBcä");
    assert_eq!(reader.text, "aBcä");
    assert_eq!(reader.modifiers, (4, 2), "Control is held, Caps Lock on");
    fixture.key(29, KeyState::Released);
    fixture.roundtrip(id);
    reader.read(fixture.client(id).take_told());
    assert_eq!(reader.modifiers, (0, 2));
}

#[test]
fn keys_of_the_layout_mean_the_same_after_text() {
    let (mut fixture, id, mut reader) = with_keyboard("de");
    type_text(&mut fixture, id, &mut reader, "漢");
    for code in [21, 44, 191 - 8] {
        fixture.key(code, KeyState::Pressed);
        fixture.key(code, KeyState::Released);
    }
    fixture.roundtrip(id);
    reader.read(fixture.client(id).take_told());
    assert_eq!(reader.text, "漢zy", "y and z are swapped, F13 is F13 again");
}

#[test]
fn keymaps_are_files_that_a_program_cannot_change() {
    let (mut fixture, id, _) = with_keyboard("us");
    let client = fixture.client(id);
    let seat: WlSeat = client.bind();
    seat.get_keyboard(&client.handle, ());
    fixture.roundtrip(id);
    let keymap = fixture
        .client(id)
        .take_told()
        .into_iter()
        .find_map(|told| match told {
            Told::Keymap(fd, _) => Some(File::from(fd)),
            _ => None,
        });
    let mut keymap = keymap.unwrap();
    let mut text = String::new();
    keymap.read_to_string(&mut text).unwrap();
    assert!(text.contains("xkb_keymap"));
    assert!(keymap.write_at(b"x", 0).is_err());
}
