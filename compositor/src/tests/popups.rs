//! Menus: where they open, what they hold and how they close.

use vroom_desktop::{InputEvent, KeyState};
use wayland_client::Proxy as _;
use wayland_client::protocol::wl_seat::WlSeat;
use wayland_client::protocol::{wl_keyboard, wl_pointer};

use super::client::{Popup, Told, Window};
use super::fixture::{Fixture, pixel};

const MENU: u32 = 0x12_34_56;

fn map(fixture: &mut Fixture, id: usize, popup: &Popup) {
    popup.surface.commit();
    fixture.until("the popup's configuration", |fixture| {
        fixture.client(id).popup_configure(popup).is_some()
    });
    let client = fixture.client(id);
    let (serial, (_, _, width, height)) = client.popup_configure(popup).unwrap();
    popup.xdg_surface.ack_configure(serial);
    let buffer = client.buffer(width, height, MENU);
    popup.surface.attach(Some(&buffer), 0, 0);
    popup.surface.damage_buffer(0, 0, width, height);
    popup.surface.commit();
    fixture.roundtrip(id);
}

/// A window with an open menu that holds the seat.
fn with_menu() -> (Fixture, usize, Window, Popup) {
    let mut fixture = Fixture::new();
    let id = fixture.connect();
    let client = fixture.client(id);
    let seat: WlSeat = client.bind();
    seat.get_keyboard(&client.handle, ());
    seat.get_pointer(&client.handle, ());
    let window = fixture.window(id, (0, 0), 0xaa);
    fixture.inject(InputEvent::PointerMotion { x: 100.0, y: 100.0 });
    fixture.button(0x110, KeyState::Pressed);
    fixture.roundtrip(id);
    let client = fixture.client(id);
    let serial = client.take_told().into_iter().find_map(|told| match told {
        Told::Pointer(wl_pointer::Event::Button { serial, .. }) => Some(serial),
        _ => None,
    });
    let popup = client.create_popup(Some(&window.xdg_surface), (100, 100), (80, 60));
    popup.popup.grab(&seat, serial.unwrap());
    map(&mut fixture, id, &popup);
    fixture.button(0x110, KeyState::Released);
    (fixture, id, window, popup)
}

fn is_done(fixture: &mut Fixture, id: usize, popup: &Popup) -> bool {
    fixture.roundtrip(id);
    let told = &fixture.client(id).memory.told;
    told.iter()
        .any(|told| matches!(told, Told::PopupDone(done) if *done == popup.popup.id()))
}

#[test]
fn a_popup_is_kept_on_the_output() {
    let mut fixture = Fixture::new();
    let id = fixture.connect();
    let window = fixture.window(id, (0, 0), 0xaa);
    let client = fixture.client(id);
    let popup = client.create_popup(Some(&window.xdg_surface), (620, 470), (80, 60));
    map(&mut fixture, id, &popup);
    let (_, place) = fixture.client(id).popup_configure(&popup).unwrap();
    assert_eq!(place, (560, 420, 80, 60));
    let frame = fixture.frame_with("the popup", |frame| pixel(frame, 639, 479) == MENU);
    assert_eq!(pixel(&frame, 559, 419), 0xaa);
}

#[test]
fn a_menu_takes_the_keyboard_and_gives_it_back() {
    let (mut fixture, id, window, popup) = with_menu();
    let entered = |fixture: &mut Fixture| {
        let told = fixture.client(id).take_told();
        told.into_iter().rev().find_map(|told| match told {
            Told::Keyboard(wl_keyboard::Event::Enter { surface, .. }) => Some(surface),
            _ => None,
        })
    };
    fixture.roundtrip(id);
    assert_eq!(entered(&mut fixture), Some(popup.surface.clone()));
    popup.popup.destroy();
    popup.xdg_surface.destroy();
    popup.surface.destroy();
    fixture.roundtrip(id);
    fixture.key(30, KeyState::Pressed);
    fixture.key(30, KeyState::Released);
    fixture.roundtrip(id);
    assert_eq!(entered(&mut fixture), Some(window.surface));
}

#[test]
fn a_click_beside_a_menu_closes_it() {
    let (mut fixture, id, _window, popup) = with_menu();
    // A window of another program, so that the click lies outside of the menu's.
    assert!(!is_done(&mut fixture, id, &popup));
    let other = fixture.connect();
    fixture.window(other, (50, 50), 0xbb);
    assert!(
        is_done(&mut fixture, id, &popup),
        "the focus went elsewhere"
    );
}

#[test]
fn a_menu_closes_with_its_window() {
    let (mut fixture, id, window, popup) = with_menu();
    popup.popup.destroy();
    popup.xdg_surface.destroy();
    window.toplevel.destroy();
    window.xdg_surface.destroy();
    window.surface.destroy();
    fixture.roundtrip(id);
    // The seat is free again for the next window.
    let other = fixture.connect();
    let client = fixture.client(other);
    let seat: WlSeat = client.bind();
    seat.get_keyboard(&client.handle, ());
    fixture.window(other, (0, 0), 0xbb);
    fixture.key(30, KeyState::Pressed);
    fixture.roundtrip(other);
    let told = fixture.client(other).take_told();
    let pressed = |told: &Told| {
        matches!(
            told,
            Told::Keyboard(wl_keyboard::Event::Key { key: 30, .. })
        )
    };
    assert!(told.iter().any(pressed));
}
