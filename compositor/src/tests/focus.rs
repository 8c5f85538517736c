//! Who gets the keyboard, and what is told about it.

use vroom_desktop::{DesktopEvent, KeyState};
use wayland_client::Proxy as _;
use wayland_client::protocol::wl_keyboard;
use wayland_client::protocol::wl_seat::WlSeat;
use wayland_protocols::xdg::shell::client::xdg_toplevel::State;

use super::client::{Told, Window};
use super::fixture::Fixture;

const ALT: u16 = 56;
const TAB: u16 = 15;
const F4: u16 = 62;

fn with_keyboard() -> (Fixture, usize) {
    let mut fixture = Fixture::new();
    let id = fixture.connect();
    let client = fixture.client(id);
    let seat: WlSeat = client.bind();
    seat.get_keyboard(&client.handle, ());
    fixture.roundtrip(id);
    (fixture, id)
}

fn is_active(fixture: &mut Fixture, id: usize, window: &Window) -> bool {
    fixture.roundtrip(id);
    let told = fixture.client(id).configure(window).unwrap();
    told.states.contains(&State::Activated)
}

#[test]
fn the_newest_window_has_the_focus_and_hands_it_back() {
    let (mut fixture, id) = with_keyboard();
    let first = fixture.window(id, (0, 0), 1);
    let second = fixture.window(id, (200, 150), 2);
    let entered: Vec<_> = fixture
        .client(id)
        .take_told()
        .into_iter()
        .filter_map(|told| match told {
            Told::Keyboard(wl_keyboard::Event::Enter { surface, .. }) => Some(surface.id()),
            _ => None,
        })
        .collect();
    assert_eq!(entered, [first.surface.id(), second.surface.id()]);
    second.toplevel.destroy();
    second.xdg_surface.destroy();
    second.surface.destroy();
    fixture.roundtrip(id);
    let told = fixture.client(id).take_told();
    assert!(told.iter().any(|told| matches!(
        told,
        Told::Keyboard(wl_keyboard::Event::Enter { surface, .. }) if *surface == first.surface
    )));
    assert!(is_active(&mut fixture, id, &first));
}

#[test]
fn a_click_focuses_and_raises() {
    let (mut fixture, id) = with_keyboard();
    let first = fixture.window(id, (0, 0), 0xaa);
    fixture.window(id, (200, 150), 0xbb);
    fixture.draw(id, &first, (0, 0), 0xaa);
    fixture.settle();
    fixture.click(400.0, 300.0);
    assert!(is_active(&mut fixture, id, &first));
    fixture.frame_with("the first on top", |frame| {
        super::fixture::pixel(frame, 40, 40) == 0xaa
    });
}

#[test]
fn alt_f4_asks_the_focused_window_to_close() {
    let (mut fixture, id) = with_keyboard();
    let window = fixture.window(id, (0, 0), 1);
    fixture.client(id).take_told();
    for (code, state) in [
        (ALT, KeyState::Pressed),
        (F4, KeyState::Pressed),
        (F4, KeyState::Released),
        (ALT, KeyState::Released),
    ] {
        fixture.key(code, state);
    }
    fixture.roundtrip(id);
    let told = fixture.client(id).take_told();
    assert!(
        told.iter()
            .any(|told| matches!(told, Told::Close(toplevel) if *toplevel == window.toplevel.id()))
    );
    let saw_f4 = told.iter().any(|told| {
        matches!(told, Told::Keyboard(wl_keyboard::Event::Key { key, .. }) if *key == u32::from(F4))
    });
    assert!(!saw_f4, "the shortcut reached the program");
}

#[test]
fn alt_tab_walks_through_the_windows_while_alt_is_held() {
    let (mut fixture, id) = with_keyboard();
    let windows: Vec<_> = (0..3).map(|n| fixture.window(id, (100, 100), n)).collect();
    let tab = |fixture: &mut Fixture| {
        fixture.key(TAB, KeyState::Pressed);
        fixture.key(TAB, KeyState::Released);
    };
    fixture.key(ALT, KeyState::Pressed);
    tab(&mut fixture);
    assert!(is_active(&mut fixture, id, &windows[1]));
    tab(&mut fixture);
    assert!(is_active(&mut fixture, id, &windows[0]));
    tab(&mut fixture);
    assert!(is_active(&mut fixture, id, &windows[2]));
    tab(&mut fixture);
    fixture.key(ALT, KeyState::Released);
    assert!(is_active(&mut fixture, id, &windows[1]));
    fixture.key(ALT, KeyState::Pressed);
    tab(&mut fixture);
    fixture.key(ALT, KeyState::Released);
    assert!(is_active(&mut fixture, id, &windows[2]), "back to the last");
}

#[test]
fn the_title_of_the_focused_window_is_told() {
    let (mut fixture, id) = with_keyboard();
    let title = |fixture: &mut Fixture| {
        fixture.event("a title", |event| match event {
            DesktopEvent::Title(title) => Some(title.clone()),
            _ => None,
        })
    };
    let window = fixture.window_with(id, (0, 0), 1, |_, window| {
        window.toplevel.set_title("first".into());
    });
    assert_eq!(title(&mut fixture).as_deref(), Some("first"));
    window.toplevel.set_title("second".into());
    fixture.roundtrip(id);
    assert_eq!(title(&mut fixture).as_deref(), Some("second"));
    window.toplevel.destroy();
    window.xdg_surface.destroy();
    fixture.roundtrip(id);
    assert_eq!(title(&mut fixture), None);
}
