//! Where windows go.

use vroom_desktop::{InputEvent, KeyState};
use wayland_client::Proxy as _;
use wayland_client::protocol::wl_seat::WlSeat;
use wayland_protocols::xdg::decoration::zv1::client::zxdg_decoration_manager_v1::ZxdgDecorationManagerV1;
use wayland_protocols::xdg::decoration::zv1::client::zxdg_toplevel_decoration_v1::Mode;
use wayland_protocols::xdg::shell::client::xdg_toplevel::{ResizeEdge, State};

use super::client::Told;
use super::fixture::{Fixture, pixel};
use wayland_client::protocol::wl_pointer;

const RED: u32 = 0xff_00_00;
const GREEN: u32 = 0x00_ff_00;
const BLUE: u32 = 0x00_00_ff;

#[test]
fn a_window_that_is_alone_fills_the_output() {
    let mut fixture = Fixture::new();
    let id = fixture.connect();
    let window = fixture.window(id, (100, 100), RED);
    let told = fixture.client(id).configure(&window).unwrap();
    assert_eq!(told.size, (640, 480));
    assert!(told.states.contains(&State::Maximized));
    assert!(told.states.contains(&State::Activated));
}

#[test]
fn two_windows_float_and_the_first_fills_the_output_again() {
    let mut fixture = Fixture::new();
    let id = fixture.connect();
    let first = fixture.window(id, (0, 0), RED);
    let second = fixture.window(id, (200, 150), GREEN);
    let told = fixture.client(id).configure(&first).unwrap();
    assert_eq!(told.size, (480, 360));
    assert!(!told.states.contains(&State::Maximized));
    fixture.draw(id, &first, (0, 0), RED);
    let frame = fixture.frame_with("both windows", |frame| {
        pixel(frame, 10, 10) == GREEN
            && pixel(frame, 300, 300) == RED
            && pixel(frame, 600, 450) != RED
    });
    assert_eq!(pixel(&frame, 200, 50), RED);
    second.toplevel.destroy();
    second.xdg_surface.destroy();
    fixture.until("the first to fill again", |fixture| {
        let told = fixture.client(id).configure(&first).unwrap();
        told.size == (640, 480) && told.states.contains(&State::Maximized)
    });
    fixture.draw(id, &first, (0, 0), RED);
    fixture.frame_with("one window", |frame| pixel(frame, 639, 479) == RED);
}

#[test]
fn the_second_of_two_windows_keeps_floating() {
    let mut fixture = Fixture::new();
    let id = fixture.connect();
    let first = fixture.window(id, (0, 0), RED);
    let second = fixture.window(id, (200, 150), GREEN);
    first.toplevel.destroy();
    first.xdg_surface.destroy();
    fixture.settle();
    let told = fixture.client(id).configure(&second).unwrap();
    assert!(!told.states.contains(&State::Maximized));
    assert!(told.states.contains(&State::Activated));
}

#[test]
fn a_dialog_lies_in_the_middle_of_its_parent() {
    let mut fixture = Fixture::new();
    let id = fixture.connect();
    let parent = fixture.window(id, (0, 0), RED);
    fixture.window_with(id, (200, 100), BLUE, |_, dialog| {
        dialog.toplevel.set_parent(Some(&parent.toplevel));
    });
    let frame = fixture.frame_with("the dialog", |frame| pixel(frame, 320, 240) == BLUE);
    assert_eq!(pixel(&frame, 219, 189), RED);
    assert_eq!(pixel(&frame, 220, 190), BLUE);
    assert_eq!(pixel(&frame, 419, 289), BLUE);
    assert_eq!(pixel(&frame, 420, 290), RED);
    let told = fixture.client(id).configure(&parent).unwrap();
    assert!(told.states.contains(&State::Maximized), "it still fills");
}

#[test]
fn a_window_of_fixed_size_is_centred() {
    let mut fixture = Fixture::new();
    let id = fixture.connect();
    fixture.window_with(id, (100, 100), RED, |_, window| {
        window.toplevel.set_min_size(100, 100);
        window.toplevel.set_max_size(100, 100);
    });
    let frame = fixture.frame_with("the window", |frame| pixel(frame, 320, 240) == RED);
    assert_ne!(pixel(&frame, 260, 180), RED);
    assert_eq!(pixel(&frame, 270, 190), RED);
}

#[test]
fn a_window_that_turns_out_to_be_a_dialog_is_placed_as_one() {
    let mut fixture = Fixture::new();
    let id = fixture.connect();
    let dialog = fixture.window(id, (0, 0), BLUE);
    let parent = fixture.window(id, (400, 300), RED);
    fixture.draw(id, &dialog, (0, 0), BLUE);
    dialog.toplevel.set_parent(Some(&parent.toplevel));
    dialog.surface.commit();
    fixture.roundtrip(id);
    parent.toplevel.set_maximized();
    fixture.roundtrip(id);
    fixture.draw(id, &parent, (0, 0), RED);
    fixture.draw(id, &dialog, (200, 100), BLUE);
    let told = fixture.client(id).configure(&dialog).unwrap();
    assert!(!told.states.contains(&State::Maximized));
    fixture.frame_with("the dialog above its parent", |frame| {
        pixel(frame, 639, 479) == RED
            && pixel(frame, 220, 190) == BLUE
            && pixel(frame, 219, 189) == RED
    });
}

#[test]
fn a_window_that_fixes_its_size_late_is_centred() {
    let mut fixture = Fixture::new();
    let id = fixture.connect();
    let window = fixture.window(id, (0, 0), RED);
    window.toplevel.set_min_size(100, 100);
    window.toplevel.set_max_size(100, 100);
    window.surface.commit();
    fixture.until("another size", |fixture| {
        fixture.client(id).configure(&window).unwrap().size == (0, 0)
    });
    fixture.draw(id, &window, (100, 100), RED);
    fixture.frame_with("the middle", |frame| {
        pixel(frame, 270, 190) == RED && pixel(frame, 260, 180) != RED
    });
}

#[test]
fn a_floating_window_is_maximised_and_restored_on_request() {
    let mut fixture = Fixture::new();
    let id = fixture.connect();
    fixture.window(id, (0, 0), RED);
    let second = fixture.window(id, (200, 150), GREEN);
    second.toplevel.set_maximized();
    fixture.roundtrip(id);
    let told = fixture.client(id).configure(&second).unwrap();
    assert_eq!(told.size, (640, 480));
    assert!(told.states.contains(&State::Maximized));
    second.toplevel.set_fullscreen(None);
    fixture.roundtrip(id);
    let told = fixture.client(id).configure(&second).unwrap();
    assert!(told.states.contains(&State::Fullscreen));
    second.toplevel.unset_fullscreen();
    fixture.roundtrip(id);
    assert!(
        fixture
            .client(id)
            .configure(&second)
            .unwrap()
            .states
            .contains(&State::Maximized)
    );
    second.toplevel.unset_maximized();
    fixture.roundtrip(id);
    let told = fixture.client(id).configure(&second).unwrap();
    assert_eq!(told.size, (200, 150));
    assert!(!told.states.contains(&State::Maximized));
}

#[test]
fn every_request_to_maximise_is_answered() {
    let mut fixture = Fixture::new();
    let id = fixture.connect();
    let window = fixture.window(id, (0, 0), RED);
    let before = fixture.client(id).configure(&window).unwrap();
    window.toplevel.unset_maximized();
    fixture.roundtrip(id);
    let after = fixture.client(id).configure(&window).unwrap();
    assert_ne!(before.serial, after.serial);
    assert_eq!(after.size, (640, 480), "a window that is alone stays");
}

#[test]
fn minimising_brings_up_the_next_window() {
    let mut fixture = Fixture::new();
    let id = fixture.connect();
    let first = fixture.window(id, (0, 0), RED);
    let second = fixture.window(id, (200, 150), GREEN);
    fixture.draw(id, &first, (0, 0), RED);
    second.toplevel.set_minimized();
    fixture.roundtrip(id);
    let active = |fixture: &mut Fixture, window| {
        let told = fixture.client(id).configure(window).unwrap();
        told.states.contains(&State::Activated)
    };
    assert!(active(&mut fixture, &first));
    assert!(!active(&mut fixture, &second));
    fixture.frame_with("the first on top", |frame| pixel(frame, 40, 40) == RED);
}

fn decorate(client: &mut super::client::Client, window: &super::client::Window) {
    let manager: ZxdgDecorationManagerV1 = client.bind();
    manager.get_toplevel_decoration(&window.toplevel, &client.handle, ());
}

fn modes(fixture: &mut Fixture, id: usize) -> Vec<Mode> {
    let told = fixture.client(id).take_told();
    let modes = told.into_iter().filter_map(|told| match told {
        Told::Decoration(mode) => Some(mode),
        _ => None,
    });
    modes.collect()
}

#[test]
fn frames_are_ours_unless_a_program_insists_on_its_own() {
    let mut fixture = Fixture::new();
    let id = fixture.connect();
    fixture.window_with(id, (0, 0), RED, decorate);
    assert_eq!(modes(&mut fixture, id).last(), Some(&Mode::ServerSide));
    fixture.window_with(id, (200, 150), GREEN, decorate);
    assert_eq!(modes(&mut fixture, id).last(), Some(&Mode::ServerSide));
    fixture.window_with(id, (200, 150), BLUE, |client, window| {
        let manager: ZxdgDecorationManagerV1 = client.bind();
        let object = manager.get_toplevel_decoration(&window.toplevel, &client.handle, ());
        object.set_mode(Mode::ClientSide);
    });
    assert_eq!(modes(&mut fixture, id).last(), Some(&Mode::ClientSide));
}

#[test]
fn alt_drag_moves_and_resizes_a_floating_window() {
    let mut fixture = Fixture::new();
    let id = fixture.connect();
    let first = fixture.window(id, (0, 0), RED);
    let window = fixture.window(id, (200, 150), GREEN);
    fixture.draw(id, &first, (0, 0), RED);
    fixture.key(56, KeyState::Pressed);
    fixture.inject(InputEvent::PointerMotion { x: 50.0, y: 50.0 });
    fixture.button(0x110, KeyState::Pressed);
    fixture.inject(InputEvent::PointerMotion { x: 150.0, y: 120.0 });
    fixture.button(0x110, KeyState::Released);
    let frame = fixture.frame_with("the window to move", |frame| {
        pixel(frame, 100, 70) == GREEN && pixel(frame, 299, 219) == GREEN
    });
    assert_eq!(pixel(&frame, 300, 220), RED);
    fixture.inject(InputEvent::PointerMotion { x: 290.0, y: 210.0 });
    fixture.button(0x111, KeyState::Pressed);
    fixture.inject(InputEvent::PointerMotion { x: 320.0, y: 250.0 });
    fixture.button(0x111, KeyState::Released);
    fixture.key(56, KeyState::Released);
    fixture.roundtrip(id);
    let told = fixture.client(id).configure(&window).unwrap();
    assert_eq!(told.size, (230, 190));
    assert!(!told.states.contains(&State::Resizing));
    let told = fixture.client(id).take_told();
    let pressed = told
        .iter()
        .any(|told| matches!(told, Told::Pointer(wl_pointer::Event::Button { .. })));
    assert!(!pressed, "the program saw the drag");
}

#[test]
fn resizing_at_the_left_keeps_the_right_edge() {
    let mut fixture = Fixture::new();
    let id = fixture.connect();
    let first = fixture.window(id, (0, 0), RED);
    let window = fixture.window(id, (200, 150), GREEN);
    fixture.draw(id, &first, (0, 0), RED);
    let client = fixture.client(id);
    let seat: WlSeat = client.bind();
    seat.get_pointer(&client.handle, ());
    window.toplevel.set_min_size(120, 100);
    window.surface.commit();
    fixture.roundtrip(id);
    fixture.inject(InputEvent::PointerMotion { x: 2.0, y: 75.0 });
    fixture.button(0x110, KeyState::Pressed);
    fixture.roundtrip(id);
    let told = fixture.client(id).take_told();
    let serial = told.iter().find_map(|told| match told {
        Told::Pointer(wl_pointer::Event::Button { serial, .. }) => Some(*serial),
        _ => None,
    });
    window
        .toplevel
        .resize(&seat, serial.unwrap(), ResizeEdge::Left);
    fixture.roundtrip(id);
    fixture.inject(InputEvent::PointerMotion { x: 300.0, y: 75.0 });
    fixture.roundtrip(id);
    let told = fixture.client(id).configure(&window).unwrap();
    assert_eq!(told.size, (120, 150), "the minimum is kept");
    assert!(told.states.contains(&State::Resizing));
    fixture.draw(id, &window, (0, 0), GREEN);
    let frame = fixture.frame_with("the right edge to stay", |frame| {
        pixel(frame, 80, 10) == GREEN && pixel(frame, 79, 10) != GREEN
    });
    assert_eq!(pixel(&frame, 199, 10), GREEN);
    fixture.button(0x110, KeyState::Released);
    fixture.roundtrip(id);
    let told = fixture.client(id).configure(&window).unwrap();
    assert!(!told.states.contains(&State::Resizing));
}

#[test]
fn a_move_needs_a_press_that_the_program_was_given() {
    let mut fixture = Fixture::new();
    let id = fixture.connect();
    fixture.window(id, (0, 0), RED);
    let window = fixture.window(id, (200, 150), GREEN);
    let client = fixture.client(id);
    let seat: WlSeat = client.bind();
    window.toplevel._move(&seat, 12345);
    fixture.roundtrip(id);
    fixture.inject(InputEvent::PointerMotion { x: 50.0, y: 50.0 });
    fixture.inject(InputEvent::PointerMotion { x: 250.0, y: 250.0 });
    fixture.settle();
    let element = fixture.server.state.shell.space.elements().next_back();
    let location =
        element.and_then(|window| fixture.server.state.shell.space.element_location(window));
    assert_eq!(location, Some((0, 0).into()));
}

#[test]
fn a_window_that_hides_itself_can_come_back() {
    let mut fixture = Fixture::new();
    let id = fixture.connect();
    let window = fixture.window(id, (0, 0), RED);
    fixture.frame_with("the window", |frame| pixel(frame, 5, 5) == RED);
    window.surface.attach(None, 0, 0);
    window.surface.commit();
    fixture.frame_with("nothing", |frame| pixel(frame, 5, 5) != RED);
    let before = fixture.client(id).configure(&window).unwrap().serial;
    window.surface.commit();
    fixture.until("another first configuration", |fixture| {
        fixture.client(id).configure(&window).unwrap().serial != before
    });
    fixture.draw(id, &window, (0, 0), BLUE);
    fixture.frame_with("the window again", |frame| pixel(frame, 5, 5) == BLUE);
    assert!(window.toplevel.is_alive());
}
