//! Keys, pointer, wheel, touch and the pointer's looks, as programs get them.

use vroom_desktop::{Cursor, CursorShape, DesktopEvent, InputEvent, KeyState};
use wayland_client::WEnum;
use wayland_client::protocol::wl_compositor::WlCompositor;
use wayland_client::protocol::wl_pointer::{self, Axis, AxisSource, ButtonState, WlPointer};
use wayland_client::protocol::wl_seat::WlSeat;
use wayland_client::protocol::{wl_keyboard, wl_touch};
use wayland_protocols::wp::cursor_shape::v1::client::wp_cursor_shape_device_v1::Shape;
use wayland_protocols::wp::cursor_shape::v1::client::wp_cursor_shape_manager_v1::WpCursorShapeManagerV1;
use wayland_protocols::wp::pointer_constraints::zv1::client::zwp_pointer_constraints_v1::{
    Lifetime, ZwpPointerConstraintsV1,
};
use wayland_protocols::wp::relative_pointer::zv1::client::zwp_relative_pointer_manager_v1::ZwpRelativePointerManagerV1;

use super::client::{Told, Window};
use super::fixture::{Fixture, SIZE};
use crate::inbox::Command;

/// A program with a window that has all devices of the seat.
fn with_seat() -> (Fixture, usize, Window, WlPointer) {
    let mut fixture = Fixture::new();
    let id = fixture.connect();
    let client = fixture.client(id);
    let seat: WlSeat = client.bind();
    seat.get_keyboard(&client.handle, ());
    seat.get_touch(&client.handle, ());
    let pointer = seat.get_pointer(&client.handle, ());
    let window = fixture.window(id, (0, 0), 0xaa);
    fixture.settle();
    fixture.client(id).take_told();
    (fixture, id, window, pointer)
}

fn pointer_events(fixture: &mut Fixture, id: usize) -> Vec<wl_pointer::Event> {
    fixture.roundtrip(id);
    let told = fixture.client(id).take_told();
    let events = told.into_iter().filter_map(|told| match told {
        Told::Pointer(event) => Some(event),
        _ => None,
    });
    events.collect()
}

#[test]
fn keys_arrive_with_their_codes_and_modifiers() {
    let (mut fixture, id, ..) = with_seat();
    for (code, state) in [
        (42, KeyState::Pressed),
        (30, KeyState::Pressed),
        (30, KeyState::Released),
        (42, KeyState::Released),
    ] {
        fixture.key(code, state);
    }
    fixture.roundtrip(id);
    let told = fixture.client(id).take_told();
    let keys: Vec<_> = told
        .iter()
        .filter_map(|told| match told {
            Told::Keyboard(wl_keyboard::Event::Key { key, state, .. }) => {
                Some((*key, *state == WEnum::Value(wl_keyboard::KeyState::Pressed)))
            }
            _ => None,
        })
        .collect();
    assert_eq!(keys, [(42, true), (30, true), (30, false), (42, false)]);
    let masks: Vec<_> = told
        .iter()
        .filter_map(|told| match told {
            Told::Keyboard(wl_keyboard::Event::Modifiers { mods_depressed, .. }) => {
                Some(*mods_depressed)
            }
            _ => None,
        })
        .collect();
    assert_eq!(masks, [1, 0], "shift went down and up");
}

#[test]
fn locks_are_told_to_the_program() {
    let (mut fixture, id, ..) = with_seat();
    let locked = |fixture: &mut Fixture| {
        fixture.roundtrip(id);
        let told = fixture.client(id).take_told();
        told.into_iter().find_map(|told| match told {
            Told::Keyboard(wl_keyboard::Event::Modifiers { mods_locked, .. }) => Some(mods_locked),
            _ => None,
        })
    };
    let locks = |caps, num| InputEvent::Locks { caps, num };
    fixture.inject(locks(Some(true), None));
    assert_eq!(locked(&mut fixture), Some(2));
    fixture.inject(locks(None, Some(true)));
    assert_eq!(locked(&mut fixture), Some(2 | 16));
    fixture.inject(locks(None, Some(true)));
    assert_eq!(locked(&mut fixture), None, "nothing changed");
    fixture.inject(locks(Some(false), Some(false)));
    assert_eq!(locked(&mut fixture), Some(0));
}

#[test]
fn the_pointer_enters_moves_and_clicks() {
    let (mut fixture, id, window, _) = with_seat();
    fixture.click(12.5, 34.0);
    fixture.inject(InputEvent::PointerMotionRelative { dx: 5.0, dy: -4.0 });
    let events = pointer_events(&mut fixture, id);
    let mut events = events
        .into_iter()
        .filter(|event| !matches!(event, wl_pointer::Event::Frame));
    assert!(matches!(
        events.next(),
        Some(wl_pointer::Event::Enter { surface, surface_x, surface_y, .. })
            if surface == window.surface && (surface_x, surface_y) == (12.5, 34.0)
    ));
    for state in [ButtonState::Pressed, ButtonState::Released] {
        assert!(matches!(
            events.next(),
            Some(wl_pointer::Event::Button { button: 0x110, state: WEnum::Value(have), .. })
                if have == state
        ));
    }
    assert!(matches!(
        events.next(),
        Some(wl_pointer::Event::Motion { surface_x, surface_y, .. })
            if (surface_x, surface_y) == (17.5, 30.0)
    ));
}

#[test]
fn the_pointer_stays_on_the_output() {
    let (mut fixture, id, ..) = with_seat();
    for x in [1e9, f64::NAN, f64::INFINITY, -5.0] {
        fixture.inject(InputEvent::PointerMotion { x, y: 10.0 });
    }
    for event in pointer_events(&mut fixture, id) {
        if let wl_pointer::Event::Motion { surface_x, .. } = event {
            assert!((0.0..640.0).contains(&surface_x));
        }
    }
}

#[test]
fn a_notch_of_the_wheel_is_fifteen_and_a_hundred_and_twenty() {
    let (mut fixture, id, ..) = with_seat();
    fixture.inject(InputEvent::PointerMotion { x: 50.0, y: 50.0 });
    pointer_events(&mut fixture, id);
    fixture.inject(InputEvent::Scroll { dx: 0.0, dy: 120.0 });
    let events = pointer_events(&mut fixture, id);
    let wheel = WEnum::Value(AxisSource::Wheel);
    let down = WEnum::Value(Axis::VerticalScroll);
    assert!(events.iter().any(|event| matches!(
        event,
        wl_pointer::Event::AxisSource { axis_source } if *axis_source == wheel
    )));
    assert!(events.iter().any(|event| matches!(
        event,
        wl_pointer::Event::AxisValue120 { axis, value120: 120 } if *axis == down
    )));
    assert!(events.iter().any(|event| matches!(
        event,
        wl_pointer::Event::Axis { axis, value, .. } if *axis == down && *value == 15.0
    )));
}

#[test]
fn parts_of_a_notch_are_told_on_both_axes() {
    let (mut fixture, id, ..) = with_seat();
    fixture.inject(InputEvent::PointerMotion { x: 50.0, y: 50.0 });
    pointer_events(&mut fixture, id);
    fixture.inject(InputEvent::Scroll { dx: 8.0, dy: -40.0 });
    let events = pointer_events(&mut fixture, id);
    let told = events.iter().filter_map(|event| match event {
        wl_pointer::Event::AxisValue120 { axis, value120 } => Some((*axis, f64::from(*value120))),
        wl_pointer::Event::Axis { axis, value, .. } => Some((*axis, *value * 8.0)),
        _ => None,
    });
    let mut told: Vec<_> = told.collect();
    told.sort_by_key(|(axis, _)| *axis == WEnum::Value(Axis::VerticalScroll));
    let (across, down) = (
        WEnum::Value(Axis::HorizontalScroll),
        WEnum::Value(Axis::VerticalScroll),
    );
    let expected = [(across, 8.0), (across, 8.0), (down, -40.0), (down, -40.0)];
    assert_eq!(told, expected);
}

#[test]
fn fractions_of_a_pixel_of_scrolling_add_up() {
    let (mut fixture, id, ..) = with_seat();
    fixture.inject(InputEvent::PointerMotion { x: 50.0, y: 50.0 });
    pointer_events(&mut fixture, id);
    for _ in 0..4 {
        fixture.inject(InputEvent::Scroll { dx: -0.5, dy: 0.0 });
        fixture.step();
    }
    let values: Vec<_> = pointer_events(&mut fixture, id)
        .into_iter()
        .filter_map(|event| match event {
            wl_pointer::Event::AxisValue120 { value120, .. } => Some(value120),
            _ => None,
        })
        .collect();
    assert_eq!(values, [-1, -1]);
}

#[test]
fn fingers_touch_move_and_lift() {
    let (mut fixture, id, window, _) = with_seat();
    fixture.inject(InputEvent::TouchDown {
        id: 7,
        x: 10.0,
        y: 20.0,
    });
    fixture.inject(InputEvent::TouchMotion {
        id: 7,
        x: 30.0,
        y: 40.0,
    });
    fixture.inject(InputEvent::TouchUp { id: 7 });
    fixture.roundtrip(id);
    let told = fixture.client(id).take_told();
    let events: Vec<_> = told
        .into_iter()
        .filter_map(|told| match told {
            Told::Touch(wl_touch::Event::Frame) => None,
            Told::Touch(event) => Some(event),
            _ => None,
        })
        .collect();
    assert!(matches!(
        &events[..],
        [
            wl_touch::Event::Down { surface, x: 10.0, y: 20.0, .. },
            wl_touch::Event::Motion { x: 30.0, y: 40.0, .. },
            wl_touch::Event::Up { .. },
        ] if *surface == window.surface
    ));
}

#[test]
fn a_locked_pointer_moves_only_relatively() {
    let (mut fixture, id, window, pointer) = with_seat();
    fixture.inject(InputEvent::PointerMotion { x: 50.0, y: 50.0 });
    fixture.roundtrip(id);
    let client = fixture.client(id);
    let relative: ZwpRelativePointerManagerV1 = client.bind();
    let constraints: ZwpPointerConstraintsV1 = client.bind();
    relative.get_relative_pointer(&pointer, &client.handle, ());
    let lifetime = Lifetime::Persistent;
    constraints.lock_pointer(
        &window.surface,
        &pointer,
        None,
        lifetime,
        &client.handle,
        (),
    );
    fixture.roundtrip(id);
    fixture.inject(InputEvent::PointerMotionRelative { dx: 3.0, dy: -2.0 });
    fixture.inject(InputEvent::PointerMotion { x: 60.0, y: 50.0 });
    fixture.inject(InputEvent::PointerMotion { x: 65.0, y: 51.0 });
    fixture.roundtrip(id);
    let told = fixture.client(id).take_told();
    assert!(told.iter().any(|told| matches!(told, Told::Locked)));
    let moved: Vec<_> = told
        .iter()
        .filter_map(|told| match told {
            Told::Relative(dx, dy) => Some((*dx, *dy)),
            _ => None,
        })
        .collect();
    assert_eq!(moved, [(3.0, -2.0), (10.0, 0.0), (5.0, 1.0)]);
    let moves = |told: &Told| matches!(told, Told::Pointer(wl_pointer::Event::Motion { .. }));
    let after_lock = told.iter().skip_while(|told| !matches!(told, Told::Locked));
    assert!(!after_lock.into_iter().any(moves));
}

#[test]
fn distances_are_told_as_they_were_sent_and_presses_make_none() {
    let (mut fixture, id, window, pointer) = with_seat();
    fixture.post(Command::Resize {
        size: SIZE,
        scale: 2.0,
    });
    fixture.inject(InputEvent::PointerMotion { x: 51.0, y: 50.0 });
    fixture.roundtrip(id);
    fixture.forget_events();
    let client = fixture.client(id);
    let relative: ZwpRelativePointerManagerV1 = client.bind();
    let constraints: ZwpPointerConstraintsV1 = client.bind();
    relative.get_relative_pointer(&pointer, &client.handle, ());
    let lock = constraints.lock_pointer(
        &window.surface,
        &pointer,
        None,
        Lifetime::Persistent,
        &client.handle,
        (),
    );
    let told = |event: &DesktopEvent| match event {
        DesktopEvent::PointerLocked(locked) => Some(*locked),
        _ => None,
    };
    assert!(fixture.event("the lock", told));
    fixture.inject(InputEvent::PointerMotionRelative { dx: 7.0, dy: -3.0 });
    // A press tells the place that the pointer has had since the lock.
    fixture.click(51.0, 50.0);
    fixture.inject(InputEvent::PointerMotionRelative {
        dx: -300.0,
        dy: 0.0,
    });
    fixture.roundtrip(id);
    let told_program = fixture.client(id).take_told();
    let moved: Vec<_> = told_program
        .iter()
        .filter_map(|told| match told {
            Told::Relative(dx, dy) => Some((*dx, *dy)),
            Told::Unaccelerated(dx, dy) => Some((*dx * 1000.0, *dy * 1000.0)),
            _ => None,
        })
        .collect();
    assert_eq!(
        moved,
        [
            (3.5, -1.5),
            (7000.0, -3000.0),
            (-150.0, 0.0),
            (-300_000.0, 0.0)
        ]
    );
    lock.destroy();
    fixture.roundtrip(id);
    assert!(!fixture.event("the end of the lock", told));
    assert_eq!(fixture.forget_events(), [], "it is told once");
}

#[test]
fn a_confined_pointer_stays_on_its_part_and_is_told_how_far_it_was_moved() {
    let (mut fixture, id, window, pointer) = with_seat();
    fixture.inject(InputEvent::PointerMotion { x: 50.0, y: 50.0 });
    fixture.roundtrip(id);
    let client = fixture.client(id);
    let compositor: WlCompositor = client.bind();
    let part = compositor.create_region(&client.handle, ());
    part.add(0, 0, 100, 100);
    let relative: ZwpRelativePointerManagerV1 = client.bind();
    let constraints: ZwpPointerConstraintsV1 = client.bind();
    relative.get_relative_pointer(&pointer, &client.handle, ());
    let confinement = constraints.confine_pointer(
        &window.surface,
        &pointer,
        Some(&part),
        Lifetime::Persistent,
        &client.handle,
        (),
    );
    window.surface.commit();
    fixture.roundtrip(id);
    fixture.client(id).take_told();
    for x in [90.0, 150.0, 95.0] {
        fixture.inject(InputEvent::PointerMotion { x, y: 50.0 });
    }
    let places = |events: Vec<wl_pointer::Event>| {
        let places = events.into_iter().filter_map(|event| match event {
            wl_pointer::Event::Motion { surface_x, .. } => Some(surface_x),
            _ => None,
        });
        places.collect::<Vec<_>>()
    };
    assert_eq!(places(pointer_events(&mut fixture, id)), [90.0, 99.0, 95.0]);
    confinement.destroy();
    fixture.roundtrip(id);
    fixture.inject(InputEvent::PointerMotion { x: 150.0, y: 50.0 });
    assert_eq!(places(pointer_events(&mut fixture, id)), [150.0]);
}

#[test]
fn a_locked_pointer_is_free_when_another_window_has_the_keyboard() {
    let (mut fixture, id, window, pointer) = with_seat();
    fixture.inject(InputEvent::PointerMotion { x: 50.0, y: 50.0 });
    fixture.roundtrip(id);
    let client = fixture.client(id);
    let constraints: ZwpPointerConstraintsV1 = client.bind();
    let lifetime = Lifetime::Persistent;
    constraints.lock_pointer(
        &window.surface,
        &pointer,
        None,
        lifetime,
        &client.handle,
        (),
    );
    fixture.roundtrip(id);
    let told = fixture.client(id).take_told();
    assert!(told.iter().any(|told| matches!(told, Told::Locked)));
    let other = fixture.connect();
    fixture.window(other, (100, 100), 0x10_20_30);
    fixture.inject(InputEvent::PointerMotion { x: 300.0, y: 200.0 });
    fixture.roundtrip(id);
    let told = fixture.client(id).take_told();
    let follows = |told: &Told| {
        use wl_pointer::Event::{Leave, Motion};
        matches!(told, Told::Pointer(Motion { .. } | Leave { .. }))
    };
    assert!(told.iter().any(follows));
}

#[test]
fn the_pointers_shape_is_told_and_not_drawn() {
    let (mut fixture, id, _, pointer) = with_seat();
    fixture.inject(InputEvent::PointerMotion { x: 50.0, y: 50.0 });
    fixture.roundtrip(id);
    let told = fixture.client(id).take_told();
    let serial = told.into_iter().find_map(|told| match told {
        Told::Pointer(wl_pointer::Event::Enter { serial, .. }) => Some(serial),
        _ => None,
    });
    let serial = serial.unwrap();
    let shape = |fixture: &mut Fixture| {
        fixture.event("a shape", |event| match event {
            DesktopEvent::Cursor(Cursor { shape }) => Some(shape.clone()),
            _ => None,
        })
    };
    fixture.forget_events();
    let client = fixture.client(id);
    let shapes: WpCursorShapeManagerV1 = client.bind();
    let device = shapes.get_pointer(&pointer, &client.handle, ());
    device.set_shape(serial, Shape::Text);
    assert_eq!(shape(&mut fixture), CursorShape::Named("text".into()));

    let client = fixture.client(id);
    let surface = client.create_surface();
    let (buffer, _file) = client.buffer_with(4, 2, |x, _| if x == 3 { 0x8040_2010 } else { 0 });
    pointer.set_cursor(serial, Some(&surface), 1, 1);
    surface.attach(Some(&buffer), 0, 0);
    surface.commit();
    let image = fixture.event("an image", |event| match event {
        DesktopEvent::Cursor(Cursor {
            shape: CursorShape::Image(image),
        }) => Some(image.clone()),
        _ => None,
    });
    assert_eq!((image.width, image.height), (4, 2));
    assert_eq!((image.hotspot_x, image.hotspot_y), (1, 1));
    assert_eq!(image.bgra[12..16], [0x10, 0x20, 0x40, 0x80]);

    pointer.set_cursor(serial, None, 0, 0);
    assert_eq!(shape(&mut fixture), CursorShape::Hidden);
    fixture.settle();
    assert!(fixture.frames.take().is_none(), "nothing of it was drawn");
}
