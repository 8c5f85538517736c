//! The protocols beyond windows: text, pictures, layers, locks, sandboxes.

use std::collections::BTreeMap;
use std::fs;
use std::os::fd::AsFd as _;
use std::os::unix::net::{UnixListener, UnixStream};

use vroom_desktop::{InputEvent, KeyState};
use wayland_client::WEnum;
use wayland_client::protocol::wl_output::WlOutput;
use wayland_client::protocol::wl_seat::WlSeat;
use wayland_client::protocol::wl_surface::WlSurface;
use wayland_client::protocol::{wl_keyboard, wl_shm};
use wayland_protocols::ext::foreign_toplevel_list::v1::client::ext_foreign_toplevel_handle_v1;
use wayland_protocols::ext::foreign_toplevel_list::v1::client::ext_foreign_toplevel_list_v1::ExtForeignToplevelListV1;
use wayland_protocols::ext::idle_notify::v1::client::ext_idle_notification_v1;
use wayland_protocols::ext::idle_notify::v1::client::ext_idle_notifier_v1::ExtIdleNotifierV1;
use wayland_protocols::ext::session_lock::v1::client::ext_session_lock_manager_v1::ExtSessionLockManagerV1;
use wayland_protocols::ext::session_lock::v1::client::ext_session_lock_v1;
use wayland_protocols::wp::alpha_modifier::v1::client::wp_alpha_modifier_v1::WpAlphaModifierV1;
use wayland_protocols::wp::content_type::v1::client::wp_content_type_manager_v1::WpContentTypeManagerV1;
use wayland_protocols::wp::content_type::v1::client::wp_content_type_v1;
use wayland_protocols::wp::keyboard_shortcuts_inhibit::zv1::client::zwp_keyboard_shortcuts_inhibit_manager_v1::ZwpKeyboardShortcutsInhibitManagerV1;
use wayland_protocols::wp::pointer_gestures::zv1::client::zwp_pointer_gestures_v1::ZwpPointerGesturesV1;
use wayland_protocols::wp::tablet::zv2::client::zwp_tablet_manager_v2::ZwpTabletManagerV2;
use wayland_protocols::xdg::activation::v1::client::xdg_activation_v1::XdgActivationV1;
use wayland_protocols::xdg::dialog::v1::client::xdg_wm_dialog_v1::XdgWmDialogV1;
use wayland_protocols::xdg::foreign::zv2::client::zxdg_exporter_v2::ZxdgExporterV2;
use wayland_protocols::xdg::foreign::zv2::client::zxdg_importer_v2::ZxdgImporterV2;
use wayland_protocols::wp::idle_inhibit::zv1::client::zwp_idle_inhibit_manager_v1::ZwpIdleInhibitManagerV1;
use wayland_protocols::wp::security_context::v1::client::wp_security_context_manager_v1::WpSecurityContextManagerV1;
use wayland_protocols::wp::text_input::zv3::client::zwp_text_input_manager_v3::ZwpTextInputManagerV3;
use wayland_protocols::wp::text_input::zv3::client::zwp_text_input_v3::{self, ZwpTextInputV3};
use wayland_protocols_misc::zwp_input_method_v2::client::zwp_input_method_manager_v2::ZwpInputMethodManagerV2;
use wayland_protocols_misc::zwp_input_method_v2::client::zwp_input_method_v2;
use wayland_protocols_misc::zwp_virtual_keyboard_v1::client::zwp_virtual_keyboard_manager_v1::ZwpVirtualKeyboardManagerV1;
use wayland_protocols_wlr::layer_shell::v1::client::zwlr_layer_shell_v1::{Layer, ZwlrLayerShellV1};
use wayland_protocols_wlr::layer_shell::v1::client::zwlr_layer_surface_v1::{
    Anchor, KeyboardInteractivity, ZwlrLayerSurfaceV1,
};
use wayland_protocols_wlr::screencopy::v1::client::zwlr_screencopy_frame_v1;
use wayland_protocols_wlr::screencopy::v1::client::zwlr_screencopy_manager_v1::ZwlrScreencopyManagerV1;

use super::client::{Client, Told};
use super::fixture::{Fixture, SIZE, pixel};

const RED: u32 = 0xff_00_00;
const GREEN: u32 = 0x00_ff_00;

/// One row of the table in docs/compositor.md.
#[derive(Debug)]
struct Row {
    version: u32,
    trusted: bool,
    proof: String,
}

/// Global to its row.
fn table() -> BTreeMap<String, Row> {
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../docs/compositor.md");
    let text = fs::read_to_string(path).unwrap();
    let rows = text.lines().filter_map(|line| {
        let cells: Vec<_> = line.split('|').map(str::trim).collect();
        let name = cells.get(1)?.strip_prefix('`')?.strip_suffix('`')?;
        let row = Row {
            version: cells.get(2)?.parse().ok()?,
            trusted: *cells.get(3)? == "trusted",
            proof: cells.get(5)?.to_string(),
        };
        Some((name.to_owned(), row))
    });
    rows.collect()
}

#[test]
fn the_table_of_protocols_is_what_programs_find() {
    let mut fixture = Fixture::new();
    let id = fixture.connect();
    let served = fixture.client(id).globals();
    let table = table();
    let told = table
        .iter()
        .map(|(name, row)| (name.clone(), row.version))
        .collect::<BTreeMap<_, _>>();
    assert_eq!(told, served);
    for (name, row) in &table {
        let (path, test) = row
            .proof
            .trim_matches('`')
            .split_once("::")
            .unwrap_or_else(|| panic!("{name} names no test"));
        let path = format!("{}/../{path}", env!("CARGO_MANIFEST_DIR"));
        let text = fs::read_to_string(&path).unwrap_or_else(|_| panic!("{name}: no {path}"));
        assert!(text.contains(&format!("fn {test}(")), "{name}: no {test}");
    }
}

#[test]
fn a_sandboxed_program_sees_no_trusted_global() {
    let mut fixture = Fixture::new();
    let engine = fixture.connect();
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("sandbox");
    let listener = UnixListener::bind(&path).unwrap();
    let (close, _keep) = UnixStream::pair().unwrap();
    let client = fixture.client(engine);
    let manager: WpSecurityContextManagerV1 = client.bind();
    let context = manager.create_listener(listener.as_fd(), close.as_fd(), &client.handle, ());
    context.set_sandbox_engine("org.example".into());
    context.set_app_id("org.example.App".into());
    context.commit();
    fixture.roundtrip(engine);

    let stream = UnixStream::connect(&path).unwrap();
    fixture.clients.push(Client::new(stream));
    let id = fixture.clients.len() - 1;
    fixture.roundtrip(id);
    let seen = fixture.client(id).globals();
    let table = table();
    let trusted: Vec<_> = table.iter().filter(|(_, row)| row.trusted).collect();
    assert!(trusted.len() > 8, "the table was read");
    for (name, row) in &table {
        assert_eq!(seen.contains_key(name), !row.trusted, "{name}");
    }
    // It is an ordinary program otherwise.
    fixture.window(id, (0, 0), GREEN);
    fixture.frame_with("its window", |frame| pixel(frame, 9, 9) == GREEN);
}

/// A focused program with an enabled text field.
fn with_field() -> (Fixture, usize, ZwpTextInputV3) {
    let mut fixture = Fixture::new();
    let id = fixture.connect();
    fixture.window(id, (0, 0), RED);
    let client = fixture.client(id);
    let seat: WlSeat = client.bind();
    seat.get_keyboard(&client.handle, ());
    let manager: ZwpTextInputManagerV3 = client.bind();
    let field = manager.get_text_input(&seat, &client.handle, ());
    fixture.roundtrip(id);
    let entered = fixture.client(id).take_told();
    assert!(
        entered
            .iter()
            .any(|told| matches!(told, Told::Text(zwp_text_input_v3::Event::Enter { .. })))
    );
    field.enable();
    field.set_cursor_rectangle(10, 20, 2, 16);
    field.commit();
    fixture.roundtrip(id);
    fixture.client(id).take_told();
    (fixture, id, field)
}

fn texts(told: Vec<Told>) -> Vec<String> {
    let text = |told| match told {
        Told::Text(zwp_text_input_v3::Event::CommitString { text }) => text,
        Told::Text(zwp_text_input_v3::Event::Done { serial }) => Some(format!("done {serial}")),
        Told::Keyboard(wl_keyboard::Event::Key { key, state, .. }) => {
            let down = state == WEnum::Value(wl_keyboard::KeyState::Pressed);
            down.then(|| format!("key {key}"))
        }
        _ => None,
    };
    told.into_iter().filter_map(text).collect()
}

#[test]
fn a_text_field_takes_text_whole_and_lines_as_keys() {
    let (mut fixture, id, field) = with_field();
    fixture.inject(InputEvent::Text("日本語 한국어 🎉é\nok".into()));
    fixture.roundtrip(id);
    let told = texts(fixture.client(id).take_told());
    assert_eq!(
        told,
        ["日本語 한국어 🎉é", "done 1", "key 28", "ok", "done 1"]
    );
    field.disable();
    field.commit();
    fixture.roundtrip(id);
    fixture.inject(InputEvent::Text("a".into()));
    fixture.settle();
    let told = texts(fixture.client(id).take_told());
    assert_eq!(told, ["key 30"], "what is no field gets keys");
}

#[test]
fn an_input_method_composes_and_commits() {
    let (mut fixture, id, field) = with_field();
    let method = fixture.connect();
    let client = fixture.client(method);
    let seat: WlSeat = client.bind();
    let manager: ZwpInputMethodManagerV2 = client.bind();
    let object = manager.get_input_method(&seat, &client.handle, ());
    fixture.roundtrip(method);
    let told = fixture.client(method).take_told();
    use zwp_input_method_v2::Event;
    assert!(matches!(
        told.first(),
        Some(Told::InputMethod(Event::Activate))
    ));
    assert!(matches!(told.last(), Some(Told::InputMethod(Event::Done))));

    object.set_preedit_string("にほん".into(), 9, 9);
    object.commit(1);
    fixture.roundtrip(method);
    fixture.roundtrip(id);
    let told = fixture.client(id).take_told();
    let composing = told.iter().any(|told| {
        matches!(told, Told::Text(zwp_text_input_v3::Event::PreeditString { text, cursor_begin: 9, .. })
            if text.as_deref() == Some("にほん"))
    });
    assert!(composing, "{told:?}");
    object.commit_string("日本".into());
    object.commit(1);
    fixture.roundtrip(method);
    fixture.roundtrip(id);
    assert_eq!(texts(fixture.client(id).take_told()), ["日本", "done 1"]);

    field.disable();
    field.commit();
    fixture.roundtrip(id);
    fixture.roundtrip(method);
    let told = fixture.client(method).take_told();
    assert!(
        told.iter()
            .any(|told| matches!(told, Told::InputMethod(Event::Deactivate)))
    );

    let second = fixture.connect();
    let client = fixture.client(second);
    let seat: WlSeat = client.bind();
    let manager: ZwpInputMethodManagerV2 = client.bind();
    manager.get_input_method(&seat, &client.handle, ());
    fixture.roundtrip(second);
    let told = fixture.client(second).take_told();
    assert!(matches!(
        told.first(),
        Some(Told::InputMethod(Event::Unavailable))
    ));
}

#[test]
fn a_virtual_keyboard_types_and_leaves_the_layout_as_it_was() {
    let mut fixture = Fixture::new();
    let id = fixture.connect();
    fixture.window(id, (0, 0), RED);
    let client = fixture.client(id);
    let seat: WlSeat = client.bind();
    seat.get_keyboard(&client.handle, ());
    fixture.roundtrip(id);
    let keymaps = |told: &[Told]| {
        let keymap = |told: &&Told| matches!(told, Told::Keymap(..));
        told.iter().filter(keymap).count()
    };
    assert_eq!(keymaps(&fixture.client(id).take_told()), 1);

    let typist = fixture.connect();
    let client = fixture.client(typist);
    let seat: WlSeat = client.bind();
    let manager: ZwpVirtualKeyboardManagerV1 = client.bind();
    let keyboard = manager.create_virtual_keyboard(&seat, &client.handle, ());
    let german = vroom_desktop::Layout {
        layout: "de".into(),
        ..vroom_desktop::Layout::default()
    };
    let text = crate::keymap::Typist::new(&german).unwrap().present();
    let (file, size) = crate::keymap::keymap_file(text).unwrap();
    keyboard.keymap(1, file.as_fd(), size);
    keyboard.key(0, 30, 1);
    keyboard.key(0, 30, 0);
    keyboard.key(0, 31, 1);
    fixture.roundtrip(typist);
    fixture.roundtrip(id);
    let told = fixture.client(id).take_told();
    assert_eq!(keymaps(&told), 1);
    assert_eq!(texts(told), ["key 30", "key 31"]);
    // It leaves with a key held, which goes up; then a person types.
    keyboard.destroy();
    fixture.roundtrip(typist);
    fixture.key(32, KeyState::Pressed);
    fixture.roundtrip(id);
    let told = fixture.client(id).take_told();
    let released = told.iter().any(|told| {
        matches!(told, Told::Keyboard(wl_keyboard::Event::Key { key: 31, state, .. })
            if *state == WEnum::Value(wl_keyboard::KeyState::Released))
    });
    assert!(released, "{told:?}");
    assert_eq!(keymaps(&told), 1, "the own layout is back");
}

#[test]
fn a_keymap_that_is_no_file_or_no_keymap_is_refused() {
    let mut fixture = Fixture::new();
    for (path, size) in [
        ("/dev/zero", 100),
        ("/dev/null", u32::MAX),
        ("/etc/passwd", 100),
    ] {
        let id = fixture.connect();
        let client = fixture.client(id);
        let seat: WlSeat = client.bind();
        let manager: ZwpVirtualKeyboardManagerV1 = client.bind();
        let keyboard = manager.create_virtual_keyboard(&seat, &client.handle, ());
        let file = fs::File::open(path).unwrap();
        keyboard.keymap(1, file.as_fd(), size);
        keyboard.key(0, 30, 1);
        fixture.roundtrip(id);
        assert!(
            fixture.client(id).is_disconnected(),
            "{path}: there is no keymap"
        );
    }
}

fn layer(
    fixture: &mut Fixture,
    id: usize,
    prepare: impl FnOnce(&ZwlrLayerSurfaceV1),
) -> (WlSurface, ZwlrLayerSurfaceV1) {
    let client = fixture.client(id);
    let shell: ZwlrLayerShellV1 = client.bind();
    let surface = client.create_surface();
    let output: WlOutput = client.bind();
    let name = "panel".to_owned();
    let layer = shell.get_layer_surface(
        &surface,
        Some(&output),
        Layer::Top,
        name,
        &client.handle,
        (),
    );
    prepare(&layer);
    surface.commit();
    fixture.roundtrip(id);
    let told = fixture.client(id).take_told();
    let (serial, width, height) = told
        .into_iter()
        .find_map(|told| match told {
            Told::Layer(serial, width, height) => Some((serial, width, height)),
            _ => None,
        })
        .expect("a configuration");
    layer.ack_configure(serial);
    let (width, height) = (
        i32::try_from(width).unwrap(),
        i32::try_from(height).unwrap(),
    );
    let buffer = fixture.client(id).buffer(width, height, GREEN);
    surface.attach(Some(&buffer), 0, 0);
    surface.damage_buffer(0, 0, width, height);
    surface.commit();
    fixture.roundtrip(id);
    (surface, layer)
}

#[test]
fn a_panel_takes_its_place_and_windows_leave_it_free() {
    let mut fixture = Fixture::new();
    let id = fixture.connect();
    let window = fixture.window(id, (0, 0), RED);
    let (_, panel) = layer(&mut fixture, id, |layer| {
        layer.set_anchor(Anchor::Bottom | Anchor::Left | Anchor::Right);
        layer.set_size(0, 40);
        layer.set_exclusive_zone(40);
    });
    fixture.until("the window to make room", |fixture| {
        fixture.client(id).configure(&window).unwrap().size == (640, 440)
    });
    fixture.draw(id, &window, (0, 0), RED);
    fixture.frame_with("both", |frame| {
        pixel(frame, 5, 439) == RED && pixel(frame, 5, 440) == GREEN
    });
    panel.destroy();
    fixture.until("the window to fill again", |fixture| {
        fixture.client(id).configure(&window).unwrap().size == (640, 480)
    });
}

#[test]
fn a_launcher_gets_the_keyboard_and_gives_it_back() {
    let mut fixture = Fixture::new();
    let id = fixture.connect();
    let client = fixture.client(id);
    let seat: WlSeat = client.bind();
    seat.get_keyboard(&client.handle, ());
    let window = fixture.window(id, (0, 0), RED);
    let (surface, layer) = layer(&mut fixture, id, |layer| {
        layer.set_size(200, 100);
        layer.set_keyboard_interactivity(KeyboardInteractivity::Exclusive);
    });
    let focus = |fixture: &Fixture| fixture.server.state.keyboard.current_focus();
    let first = focus(&fixture);
    assert!(fixture.server.state.focused().is_none(), "no window has it");
    layer.destroy();
    surface.destroy();
    fixture.roundtrip(id);
    assert_ne!(focus(&fixture), first);
    assert!(fixture.server.state.focused().is_some());
    let told = fixture.client(id).configure(&window).unwrap();
    assert_eq!(told.size, (640, 480), "it took no space");
}

fn copied(fixture: &mut Fixture, id: usize, with_damage: bool) -> fs::File {
    let client = fixture.client(id);
    let manager: ZwlrScreencopyManagerV1 = client.bind();
    capture(fixture, id, &manager, with_damage)
}

fn capture(
    fixture: &mut Fixture,
    id: usize,
    manager: &ZwlrScreencopyManagerV1,
    with_damage: bool,
) -> fs::File {
    use zwlr_screencopy_frame_v1::Event;
    let client = fixture.client(id);
    let output: WlOutput = client.bind();
    let frame = manager.capture_output(0, &output, &client.handle, ());
    fixture.roundtrip(id);
    let told = fixture.client(id).take_told();
    let format = told.into_iter().find_map(|told| match told {
        Told::Copied(Event::Buffer {
            format,
            width,
            height,
            stride,
        }) => Some((format, width, height, stride)),
        _ => None,
    });
    let xrgb = WEnum::Value(wl_shm::Format::Xrgb8888);
    assert_eq!(
        format,
        Some((xrgb, SIZE.width, SIZE.height, SIZE.width * 4))
    );
    let (buffer, file) = fixture.client(id).buffer_with(640, 480, |_, _| 0);
    if with_damage {
        frame.copy_with_damage(&buffer);
    } else {
        frame.copy(&buffer);
    }
    file
}

fn wait_for_copy(fixture: &mut Fixture, id: usize) -> bool {
    use zwlr_screencopy_frame_v1::Event;
    let mut ready = None;
    fixture.until("the picture", |fixture| {
        for told in fixture.client(id).take_told() {
            match told {
                Told::Copied(Event::Ready { .. }) => ready = Some(true),
                Told::Copied(Event::Failed) => ready = Some(false),
                _ => {}
            }
        }
        ready.is_some()
    });
    ready.unwrap()
}

fn pixel_of(file: &fs::File, x: u64, y: u64) -> u32 {
    use std::os::unix::fs::FileExt as _;
    let mut bytes = [0; 4];
    file.read_exact_at(&mut bytes, (y * 640 + x) * 4).unwrap();
    u32::from_le_bytes(bytes) & 0x00ff_ffff
}

#[test]
fn a_program_gets_pictures_also_when_nobody_watches() {
    let mut fixture = Fixture::with(|_| ());
    let id = fixture.connect();
    fixture.window(id, (0, 0), RED);
    let file = copied(&mut fixture, id, false);
    assert!(wait_for_copy(&mut fixture, id));
    assert_eq!(pixel_of(&file, 320, 240), RED);
    assert!(fixture.frames.take().is_none(), "no viewer got anything");
}

#[test]
fn a_program_that_wants_changes_waits_for_one() {
    let mut fixture = Fixture::new();
    let id = fixture.connect();
    let window = fixture.window(id, (0, 0), RED);
    let client = fixture.client(id);
    let manager: ZwlrScreencopyManagerV1 = client.bind();
    fixture.settle();
    capture(&mut fixture, id, &manager, true);
    assert!(wait_for_copy(&mut fixture, id), "the first comes at once");
    fixture.settle();
    let file = capture(&mut fixture, id, &manager, true);
    for _ in 0..3 {
        fixture.roundtrip(id);
    }
    let early = fixture.client(id).take_told();
    use zwlr_screencopy_frame_v1::Event;
    assert!(
        !early
            .iter()
            .any(|told| matches!(told, Told::Copied(Event::Ready { .. })))
    );
    fixture.draw(id, &window, (0, 0), GREEN);
    assert!(wait_for_copy(&mut fixture, id));
    assert_eq!(pixel_of(&file, 320, 240), GREEN);
}

#[test]
fn the_pointer_is_drawn_for_those_who_cannot() {
    let mut fixture = Fixture::new();
    let id = fixture.connect();
    fixture.window(id, (0, 0), RED);
    fixture.settle();
    fixture.inject(InputEvent::PointerMotion { x: 300.0, y: 200.0 });
    fixture.settle();
    fixture.post(crate::inbox::Command::DrawCursor(true));
    fixture.frame_with("a pointer", |frame| {
        (300..310).any(|x| (200..215).any(|y| pixel(frame, x, y) != RED))
    });
    fixture.inject(InputEvent::PointerMotion { x: 100.0, y: 100.0 });
    fixture.frame_with("the pointer elsewhere", |frame| {
        (100..110).any(|x| (100..115).any(|y| pixel(frame, x, y) != RED))
            && (290..330).all(|x| (190..230).all(|y| pixel(frame, x, y) == RED))
    });
    fixture.post(crate::inbox::Command::DrawCursor(false));
    fixture.frame_with("no pointer", |frame| {
        (80..130).all(|x| (80..130).all(|y| pixel(frame, x, y) == RED))
    });
}

#[test]
fn a_lock_hides_everything_until_it_is_opened() {
    use ext_session_lock_v1::Event;
    let mut fixture = Fixture::new();
    let id = fixture.connect();
    fixture.window(id, (0, 0), RED);
    fixture.frame_with("the window", |frame| pixel(frame, 9, 9) == RED);
    let locker = fixture.connect();
    let client = fixture.client(locker);
    let manager: ExtSessionLockManagerV1 = client.bind();
    let lock = manager.lock(&client.handle, ());
    fixture.roundtrip(locker);
    let told = fixture.client(locker).take_told();
    assert!(matches!(told.first(), Some(Told::Locking(Event::Locked))));
    fixture.frame_with("nothing", |frame| pixel(frame, 9, 9) != RED);

    let client = fixture.client(locker);
    let output: WlOutput = client.bind();
    let surface = client.create_surface();
    let lock_surface = lock.get_lock_surface(&surface, &output, &client.handle, ());
    fixture.roundtrip(locker);
    let told = fixture.client(locker).take_told();
    let size = told.into_iter().find_map(|told| match told {
        Told::LockSize(serial, width, height) => Some((serial, width, height)),
        _ => None,
    });
    let (serial, width, height) = size.unwrap();
    assert_eq!((width, height), (640, 480));
    lock_surface.ack_configure(serial);
    let buffer = fixture.client(locker).buffer(640, 480, GREEN);
    surface.attach(Some(&buffer), 0, 0);
    surface.damage_buffer(0, 0, 640, 480);
    surface.commit();
    fixture.frame_with("the lock", |frame| pixel(frame, 9, 9) == GREEN);
    assert!(fixture.server.state.focused().is_none());

    // A second one does not get in, and input stays with the lock.
    let other = fixture.connect();
    let client = fixture.client(other);
    let manager: ExtSessionLockManagerV1 = client.bind();
    manager.lock(&client.handle, ());
    fixture.roundtrip(other);
    let told = fixture.client(other).take_told();
    assert!(matches!(told.first(), Some(Told::Locking(Event::Finished))));
    fixture.click(20.0, 20.0);
    assert!(fixture.server.state.focused().is_none());

    lock.unlock_and_destroy();
    fixture.frame_with("the window again", |frame| pixel(frame, 9, 9) == RED);
    assert!(fixture.server.state.focused().is_some());
}

#[test]
fn a_lock_whose_program_died_stays_shut() {
    let mut fixture = Fixture::new();
    let id = fixture.connect();
    fixture.window(id, (0, 0), RED);
    fixture.frame_with("the window", |frame| pixel(frame, 9, 9) == RED);
    let locker = fixture.connect();
    let client = fixture.client(locker);
    let manager: ExtSessionLockManagerV1 = client.bind();
    manager.lock(&client.handle, ());
    fixture.roundtrip(locker);
    fixture.clients.pop();
    fixture.frame_with("nothing", |frame| pixel(frame, 9, 9) != RED);
    for _ in 0..5 {
        fixture.step();
    }
    assert!(fixture.server.state.locked.is_some());
}

#[test]
fn idleness_is_told_unless_a_shown_window_inhibits_it() {
    use ext_idle_notification_v1::Event;
    let mut fixture = Fixture::new();
    let id = fixture.connect();
    let window = fixture.window(id, (0, 0), RED);
    let client = fixture.client(id);
    let seat: WlSeat = client.bind();
    let notifier: ExtIdleNotifierV1 = client.bind();
    notifier.get_idle_notification(1, &seat, &client.handle, ());
    let told = |fixture: &mut Fixture| {
        let told = fixture.client(id).take_told();
        told.into_iter().find_map(|told| match told {
            Told::Idle(Event::Idled) => Some(true),
            Told::Idle(Event::Resumed) => Some(false),
            _ => None,
        })
    };
    fixture.until("idleness", |fixture| told(fixture) == Some(true));
    fixture.inject(InputEvent::PointerMotion { x: 1.0, y: 1.0 });
    fixture.until("somebody", |fixture| told(fixture) == Some(false));
    let client = fixture.client(id);
    let manager: ZwpIdleInhibitManagerV1 = client.bind();
    let inhibitor = manager.create_inhibitor(&window.surface, &client.handle, ());
    fixture.roundtrip(id);
    assert!(fixture.server.state.protocols.idle.is_inhibited());
    inhibitor.destroy();
    fixture.roundtrip(id);
    assert!(!fixture.server.state.protocols.idle.is_inhibited());
    fixture.until("idleness again", |fixture| told(fixture) == Some(true));
}

#[test]
fn the_list_of_windows_is_kept() {
    use ext_foreign_toplevel_handle_v1::Event;
    let mut fixture = Fixture::new();
    let id = fixture.connect();
    let window = fixture.window(id, (0, 0), RED);
    window.toplevel.set_title("First".into());
    window.toplevel.set_app_id("org.example".into());
    fixture.roundtrip(id);
    let panel = fixture.connect();
    let client = fixture.client(panel);
    let _list: ExtForeignToplevelListV1 = client.bind();
    fixture.roundtrip(panel);
    let titles = |fixture: &mut Fixture| -> Vec<String> {
        let told = fixture.client(panel).take_told();
        let title = |told| match told {
            Told::Listed(Event::Title { title }) => Some(title),
            Told::Listed(Event::Closed) => Some("closed".into()),
            _ => None,
        };
        told.into_iter().filter_map(title).collect()
    };
    assert_eq!(titles(&mut fixture), ["First"]);
    window.toplevel.set_title("Second".into());
    fixture.roundtrip(id);
    fixture.roundtrip(panel);
    assert_eq!(titles(&mut fixture), ["Second"]);
    window.toplevel.destroy();
    window.xdg_surface.destroy();
    fixture.roundtrip(id);
    fixture.roundtrip(panel);
    assert_eq!(titles(&mut fixture), ["closed"]);
}

#[test]
fn a_window_is_activated_by_a_token_of_input() {
    let mut fixture = Fixture::new();
    let id = fixture.connect();
    let client = fixture.client(id);
    let seat: WlSeat = client.bind();
    seat.get_keyboard(&client.handle, ());
    let first = fixture.window(id, (0, 0), RED);
    fixture.window(id, (200, 150), GREEN);
    let serial = fixture
        .client(id)
        .take_told()
        .into_iter()
        .rev()
        .find_map(|told| match told {
            Told::Keyboard(wl_keyboard::Event::Enter { serial, .. }) => Some(serial),
            _ => None,
        });
    let active = |fixture: &mut Fixture| {
        let told = fixture.client(id).configure(&first).unwrap();
        told.states
            .contains(&wayland_protocols::xdg::shell::client::xdg_toplevel::State::Activated)
    };
    let ask = |fixture: &mut Fixture, serial: Option<u32>| {
        let client = fixture.client(id);
        let seat: WlSeat = client.bind();
        let activation: XdgActivationV1 = client.bind();
        let token = activation.get_activation_token(&client.handle, ());
        if let Some(serial) = serial {
            token.set_serial(serial, &seat);
        }
        token.commit();
        fixture.roundtrip(id);
        let told = fixture.client(id).take_told();
        let token = told.into_iter().find_map(|told| match told {
            Told::Token(token) => Some(token),
            _ => None,
        });
        activation.activate(token.unwrap(), &first.surface);
        fixture.roundtrip(id);
    };
    ask(&mut fixture, None);
    assert!(!active(&mut fixture), "nobody did anything for it");
    ask(&mut fixture, serial);
    assert!(active(&mut fixture));
}

#[test]
fn the_small_protocols_answer() {
    let mut fixture = Fixture::new();
    let id = fixture.connect();
    let parent = fixture.window(id, (0, 0), RED);

    // A dialog of another program's window.
    let client = fixture.client(id);
    let exporter: ZxdgExporterV2 = client.bind();
    exporter.export_toplevel(&parent.surface, &client.handle, ());
    fixture.roundtrip(id);
    let handle = fixture
        .client(id)
        .take_told()
        .into_iter()
        .find_map(|told| match told {
            Told::Exported(handle) => Some(handle),
            _ => None,
        });
    let other = fixture.connect();
    fixture.window_with(other, (200, 100), GREEN, |client, dialog| {
        let importer: ZxdgImporterV2 = client.bind();
        let imported = importer.import_toplevel(handle.unwrap(), &client.handle, ());
        imported.set_parent_of(&dialog.surface);
        let dialogs: XdgWmDialogV1 = client.bind();
        let modal = dialogs.get_xdg_dialog(&dialog.toplevel, &client.handle, ());
        modal.set_modal();
    });
    fixture.frame_with("the dialog in the middle of its parent", |frame| {
        pixel(frame, 221, 191) == GREEN && pixel(frame, 219, 189) == RED
    });

    // A surface that is half there.
    let client = fixture.client(id);
    let types: WpContentTypeManagerV1 = client.bind();
    let video = types.get_surface_content_type(&parent.surface, &client.handle, ());
    video.set_content_type(wp_content_type_v1::Type::Video);
    let alphas: WpAlphaModifierV1 = client.bind();
    let alpha = alphas.get_surface(&parent.surface, &client.handle, ());
    alpha.set_multiplier(u32::MAX / 2);
    fixture.draw(id, &parent, (0, 0), RED);
    fixture.frame_with("a darker red", |frame| {
        let red = pixel(frame, 5, 5) >> 16;
        (0x70..0xa0).contains(&red)
    });

    // Gestures, of which there are none yet, and pens.
    let client = fixture.client(id);
    let seat: WlSeat = client.bind();
    let pointer = seat.get_pointer(&client.handle, ());
    let gestures: ZwpPointerGesturesV1 = client.bind();
    gestures.get_swipe_gesture(&pointer, &client.handle, ());
    let tablets: ZwpTabletManagerV2 = client.bind();
    tablets.get_tablet_seat(&seat, &client.handle, ());

    // A program that wants our shortcuts gets them while it has the focus.
    let shortcuts: ZwpKeyboardShortcutsInhibitManagerV1 = client.bind();
    shortcuts.inhibit_shortcuts(&parent.surface, &seat, &client.handle, ());
    fixture.roundtrip(id);
    let told = fixture.client(id).take_told();
    assert!(
        told.iter().any(|told| matches!(told, Told::Inhibited)),
        "{told:?}"
    );
    assert!(!fixture.client(id).is_disconnected());
}
