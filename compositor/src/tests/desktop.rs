//! A desktop: frames, snapping, the panel and the launcher.

use vroom_desktop::{DesktopEvent, InputEvent, KeyState};
use wayland_protocols::xdg::decoration::zv1::client::zxdg_decoration_manager_v1::ZxdgDecorationManagerV1;
use wayland_protocols::xdg::shell::client::xdg_toplevel::State;

use super::client::{Client, Told, Window};
use super::fixture::{Fixture, pixel};
use crate::ShellStyle;
use crate::inbox::Command;
use crate::shell::BAR_PX;

const RED: u32 = 0xff_00_00;
const KEY_LEFT: u16 = 105;
const KEY_UP: u16 = 103;
const KEY_DOWN: u16 = 108;
const KEY_SUPER: u16 = 125;

fn desktop() -> (Fixture, usize) {
    let mut fixture = Fixture::with(|config| config.shell = ShellStyle::Desktop);
    fixture.post(Command::Watched(true));
    fixture.frame();
    let id = fixture.connect();
    (fixture, id)
}

fn decorate(client: &mut Client, window: &Window) {
    let manager: ZxdgDecorationManagerV1 = client.bind();
    manager.get_toplevel_decoration(&window.toplevel, &client.handle, ());
    window.toplevel.set_title("Decorated".into());
}

/// Where the content of the only window is.
fn place(fixture: &Fixture) -> (i32, i32, i32, i32) {
    let space = &fixture.server.state.shell.space;
    let window = space.elements().next_back().expect("a window");
    let area = space.element_geometry(window).expect("it is shown");
    (area.loc.x, area.loc.y, area.size.w, area.size.h)
}

fn drag(fixture: &mut Fixture, from: (i32, i32), to: (i32, i32)) {
    let motion = |(x, y): (i32, i32)| InputEvent::PointerMotion {
        x: f64::from(x),
        y: f64::from(y),
    };
    fixture.inject(motion(from));
    fixture.button(0x110, KeyState::Pressed);
    fixture.inject(motion(((from.0 + to.0) / 2, (from.1 + to.1) / 2)));
    fixture.inject(motion(to));
    fixture.button(0x110, KeyState::Released);
    fixture.step();
}

fn size(fixture: &mut Fixture, id: usize, window: &Window) -> (i32, i32) {
    fixture.roundtrip(id);
    fixture.client(id).configure(window).unwrap().size
}

fn chord(fixture: &mut Fixture, key: u16) {
    fixture.key(KEY_SUPER, KeyState::Pressed);
    fixture.key(key, KeyState::Pressed);
    fixture.key(key, KeyState::Released);
    fixture.key(KEY_SUPER, KeyState::Released);
}

#[test]
fn a_bar_moves_its_window_and_its_buttons_do_what_they_show() {
    let (mut fixture, id) = desktop();
    let window = fixture.window_with(id, (300, 200), RED, decorate);
    let (x, y, width, _) = place(&fixture);
    assert!(y >= BAR_PX, "there is room for the bar");
    let frame = fixture.frame_with("a frame", |frame| {
        pixel(
            frame,
            u32::try_from(x + 150).unwrap(),
            u32::try_from(y + 5).unwrap(),
        ) == RED
    });
    let bar = pixel(
        &frame,
        u32::try_from(x + 30).unwrap(),
        u32::try_from(y - 10).unwrap(),
    );
    assert_eq!(bar, 0x2d_32_3e, "the bar is painted");

    drag(&mut fixture, (x + 60, y - 15), (x + 100, y + 5));
    assert_eq!(place(&fixture), (x + 40, y + 20, width, 200));

    let (x, y) = (x + 40, y + 20);
    let button = |at: i32| {
        (
            f64::from(x + width - 22 - at * 30),
            f64::from(y - BAR_PX / 2),
        )
    };
    let (bx, by) = button(1);
    fixture.click(bx, by);
    assert_eq!(size(&mut fixture, id, &window), (640, 480 - 44 - BAR_PX));
    let told = fixture.client(id).configure(&window).unwrap();
    assert!(told.states.contains(&State::Maximized));
    fixture.draw(id, &window, (0, 0), RED);
    fixture.roundtrip(id);
    // A double click on the bar brings it back.
    fixture.click(200.0, 10.0);
    fixture.click(200.0, 10.0);
    assert_eq!(size(&mut fixture, id, &window), (300, 200));
    fixture.draw(id, &window, (0, 0), RED);
    fixture.roundtrip(id);

    let (bx, by) = button(2);
    fixture.click(bx, by);
    assert_eq!(fixture.server.state.shell.space.elements().count(), 0);
    // The panel brings it back.
    fixture.frame_with("no window", |frame| {
        pixel(
            frame,
            u32::try_from(x + 150).unwrap(),
            u32::try_from(y + 5).unwrap(),
        ) != RED
    });
    fixture.click(80.0, 470.0);
    assert_eq!(place(&fixture), (x, y, width, 200));

    let (bx, by) = button(0);
    fixture.client(id).take_told();
    fixture.click(bx, by);
    fixture.roundtrip(id);
    let told = fixture.client(id).take_told();
    assert!(
        told.iter().any(|told| matches!(told, Told::Close(_))),
        "{told:?}"
    );
}

#[test]
fn edges_resize_and_show_it() {
    let (mut fixture, id) = desktop();
    let window = fixture.window_with(id, (300, 200), RED, decorate);
    let (x, y, width, height) = place(&fixture);
    fixture.forget_events();
    fixture.inject(InputEvent::PointerMotion {
        x: f64::from(x + width + 2),
        y: f64::from(y + height / 2),
    });
    let shape = fixture.event("another shape", |event| match event {
        DesktopEvent::Cursor(cursor) => Some(format!("{:?}", cursor.shape)),
        _ => None,
    });
    assert!(shape.contains("ew-resize"), "{shape}");
    let edge = (x + width + 2, y + height / 2);
    drag(&mut fixture, edge, (edge.0 + 50, edge.1));
    assert_eq!(size(&mut fixture, id, &window), (350, 200));
}

#[test]
fn windows_snap_where_they_are_dragged_and_float_when_torn_off() {
    let (mut fixture, id) = desktop();
    let window = fixture.window_with(id, (300, 200), RED, decorate);
    let (x, y, ..) = place(&fixture);
    drag(&mut fixture, (x + 60, y - 15), (0, 220));
    assert_eq!(size(&mut fixture, id, &window), (320, 480 - 44 - BAR_PX));
    let told = fixture.client(id).configure(&window).unwrap();
    assert!(told.states.contains(&State::TiledLeft));
    assert!(!told.states.contains(&State::TiledRight));
    fixture.draw(id, &window, (0, 0), RED);
    fixture.roundtrip(id);
    assert_eq!(place(&fixture), (0, BAR_PX, 320, 480 - 44 - BAR_PX));
    drag(&mut fixture, (100, 10), (300, 150));
    assert_eq!(
        size(&mut fixture, id, &window),
        (300, 200),
        "it floats again"
    );
    fixture.draw(id, &window, (0, 0), RED);
    fixture.roundtrip(id);
    drag(&mut fixture, (300, 150), (320, 0));
    let told = fixture.client(id).configure(&window).unwrap();
    assert!(told.states.contains(&State::Maximized), "the top maximises");
}

#[test]
fn keys_snap_maximise_and_put_away() {
    let (mut fixture, id) = desktop();
    let window = fixture.window_with(id, (300, 200), RED, decorate);
    chord(&mut fixture, KEY_LEFT);
    assert_eq!(size(&mut fixture, id, &window).0, 320);
    chord(&mut fixture, KEY_UP);
    assert_eq!(size(&mut fixture, id, &window).0, 640);
    chord(&mut fixture, KEY_DOWN);
    assert_eq!(size(&mut fixture, id, &window), (300, 200));
    chord(&mut fixture, KEY_DOWN);
    assert_eq!(fixture.server.state.shell.space.elements().count(), 0);
    // Alt+Tab finds what was put away.
    fixture.key(56, KeyState::Pressed);
    fixture.key(15, KeyState::Pressed);
    fixture.key(15, KeyState::Released);
    fixture.key(56, KeyState::Released);
    assert_eq!(fixture.server.state.shell.space.elements().count(), 1);
}

#[test]
fn a_finger_moves_a_window_by_its_bar() {
    let (mut fixture, id) = desktop();
    fixture.window_with(id, (300, 200), RED, decorate);
    let (x, y, ..) = place(&fixture);
    let at = |dx: i32| (f64::from(x + 60 + dx), f64::from(y - 15 + dx));
    let (fx, fy) = at(0);
    fixture.inject(InputEvent::TouchDown {
        id: 1,
        x: fx,
        y: fy,
    });
    let (fx, fy) = at(30);
    fixture.inject(InputEvent::TouchMotion {
        id: 1,
        x: fx,
        y: fy,
    });
    fixture.inject(InputEvent::TouchUp { id: 1 });
    fixture.step();
    let (nx, ny, ..) = place(&fixture);
    assert_eq!((nx, ny), (x + 30, y + 30));
}

#[test]
fn the_launcher_finds_and_starts_a_program() {
    let dir = tempfile::tempdir().unwrap();
    let (mut fixture, _id) = desktop();
    let started = dir.path().join("started");
    let app = crate::apps::App::for_tests("Zebra", &["touch", started.to_str().unwrap()]);
    fixture.server.state.shell.install(app);
    fixture.key(KEY_SUPER, KeyState::Pressed);
    fixture.key(KEY_SUPER, KeyState::Released);
    fixture.step();
    assert!(
        fixture.server.state.shell.launcher.is_some(),
        "Super opens it"
    );
    fixture.inject(InputEvent::Text("zeb".into()));
    fixture.key(28, KeyState::Pressed);
    fixture.key(28, KeyState::Released);
    assert!(fixture.server.state.shell.launcher.is_none());
    fixture.until("the program", |_| started.exists());
}

#[test]
fn why_the_program_is_gone_is_seen_until_a_window_covers_it() {
    let mut fixture = Fixture::with(|config| {
        let command = ["sh", "-c", "exit 3"].map(Into::into);
        config.command = Some(command.to_vec());
    });
    fixture.post(Command::Watched(true));
    let notice = 0x1f_23_2d;
    let near = |have: u32| {
        let channel = |value: u32, at: u32| (value >> at) & 0xff;
        [0, 8, 16]
            .iter()
            .all(|at| channel(have, *at).abs_diff(channel(notice, *at)) < 6)
    };
    let card = |frame: &vroom_desktop::Frame| {
        (100..540)
            .step_by(8)
            .filter(|x| near(pixel(frame, *x, 200)))
            .count()
            > 40
    };
    fixture.frame_with("the notice", card);
    let id = fixture.connect();
    fixture.window(id, (0, 0), RED);
    fixture.frame_with("a window instead", |frame| pixel(frame, 320, 240) == RED);
}
