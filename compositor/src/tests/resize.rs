//! What happens when the output changes its size.

use std::time::Duration;

use vroom_desktop::{Damage, DesktopEvent, Size};
use wayland_client::protocol::wl_output::{self, WlOutput};

use super::client::Told;
use super::fixture::{Fixture, pixel};
use crate::inbox::Command;

const NEW: Size = Size::new(800, 600);

fn resize(fixture: &mut Fixture, size: Size, scale: f64) {
    fixture.post(Command::Resize { size, scale });
}

#[test]
fn the_picture_follows_once_the_window_did() {
    let mut fixture = Fixture::new();
    let id = fixture.connect();
    fixture.client(id).bind::<WlOutput>();
    // However slow the machine is, the window is faster than this.
    fixture.server.state.shell.hold_for = Duration::from_secs(60);
    let window = fixture.window(id, (0, 0), 0xaa);
    fixture.settle();
    fixture.client(id).take_told();
    resize(&mut fixture, NEW, 1.0);
    let resized = fixture.event("the answer", |event| match event {
        DesktopEvent::Resized { size, .. } => Some(*size),
        _ => None,
    });
    assert_eq!(resized, NEW);
    fixture.until("the new size", |fixture| {
        fixture.client(id).configure(&window).unwrap().size == (800, 600)
    });
    assert!(fixture.frames.take().is_none(), "the old picture stays");
    fixture.draw(id, &window, (0, 0), 0xbb);
    let frame = fixture.frame();
    assert_eq!(frame.size(), NEW);
    assert_eq!(frame.damage, Damage::full(NEW));
    assert_eq!(pixel(&frame, 799, 599), 0xbb, "no frame shows a gap");
    let told = fixture.client(id).take_told();
    assert!(told.iter().any(|told| matches!(
        told,
        Told::Output(wl_output::Event::Mode {
            width: 800,
            height: 600,
            ..
        })
    )));
}

#[test]
fn a_window_that_does_not_follow_holds_nothing_up() {
    let mut fixture = Fixture::new();
    let id = fixture.connect();
    fixture.window(id, (0, 0), 0xaa);
    fixture.settle();
    resize(&mut fixture, NEW, 1.0);
    let frame = fixture.frame_with("the new size", |frame| frame.size() == NEW);
    assert_eq!(pixel(&frame, 5, 5), 0xaa);
}

#[test]
fn a_program_is_called_back_while_the_picture_is_held() {
    let mut fixture = Fixture::new();
    let id = fixture.connect();
    let window = fixture.window(id, (0, 0), 0xaa);
    fixture.settle();
    fixture.client(id).ask_frame(&window.surface, 1);
    window.surface.commit();
    resize(&mut fixture, NEW, 1.0);
    fixture.until("the callback", |fixture| {
        fixture.client(id).was_called_back(1)
    });
}

#[test]
fn floating_windows_stay_inside() {
    let mut fixture = Fixture::new();
    let id = fixture.connect();
    fixture.window(id, (0, 0), 0xaa);
    for _ in 0..5 {
        fixture.window(id, (200, 150), 0xbb);
    }
    let small = Size::new(320, 240);
    resize(&mut fixture, small, 1.0);
    fixture.frame_with("the new size", |frame| frame.size() == small);
    let space = &fixture.server.state.shell.space;
    for window in space.elements() {
        let area = space.element_geometry(window).unwrap();
        assert!(area.loc.x >= 0 && area.loc.y >= 0);
        if area.size.w <= 320 {
            assert!(area.loc.x + area.size.w <= 320 && area.loc.y + area.size.h <= 240);
        }
    }
}

#[test]
fn scale_divides_what_windows_are_told() {
    let mut fixture = Fixture::new();
    let id = fixture.connect();
    let window = fixture.window(id, (0, 0), 0xaa);
    resize(&mut fixture, Size::new(1280, 960), 2.0);
    fixture.until("the new configuration", |fixture| {
        fixture.server.state.output.current_scale().integer_scale() == 2
    });
    fixture.roundtrip(id);
    assert_eq!(
        fixture.client(id).configure(&window).unwrap().size,
        (640, 480)
    );
    let frame = fixture.frame_with("the new size", |frame| frame.size().width == 1280);
    assert_eq!(pixel(&frame, 1200, 900), 0xaa, "the old picture is scaled");
}

#[test]
fn absurd_sizes_are_clamped() {
    let mut fixture = Fixture::with(|_| ());
    resize(&mut fixture, Size::new(0, u32::MAX), f64::NAN);
    let resized = fixture.event("the answer", |event| match event {
        DesktopEvent::Resized { size, scale } => Some((*size, *scale)),
        _ => None,
    });
    assert_eq!(resized, (Size::new(64, 4320), 1.0));
}
