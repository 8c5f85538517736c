//! What is drawn, when, and what programs are told about it.

use std::time::Instant;

use vroom_desktop::{Damage, Rect};
use wayland_client::protocol::wl_subcompositor::WlSubcompositor;
use wayland_protocols::wp::presentation_time::client::wp_presentation::WpPresentation;
use wayland_protocols::wp::single_pixel_buffer::v1::client::wp_single_pixel_buffer_manager_v1::WpSinglePixelBufferManagerV1;
use wayland_protocols::wp::viewporter::client::wp_viewporter::WpViewporter;

use super::client::Told;
use super::fixture::{Fixture, SIZE, pixel};
use crate::inbox::Command;

#[test]
fn a_window_is_seen_where_it_drew() {
    let mut fixture = Fixture::new();
    let id = fixture.connect();
    fixture.window(id, (0, 0), 0x00_80_ff);
    let frame = fixture.frame_with("the window", |frame| pixel(frame, 0, 0) == 0x00_80_ff);
    assert_eq!(pixel(&frame, 639, 479), 0x00_80_ff);
    assert_eq!(frame.size(), SIZE);
}

#[test]
fn only_the_tiles_that_changed_are_damage() {
    let mut fixture = Fixture::new();
    let id = fixture.connect();
    let window = fixture.window(id, (0, 0), 0x10_20_30);
    fixture.settle();
    let client = fixture.client(id);
    let (buffer, _file) = client.buffer_with(640, 480, |x, y| {
        if (x, y) == (200, 100) {
            0xffff_ffff
        } else {
            0xff10_2030
        }
    });
    window.surface.attach(Some(&buffer), 0, 0);
    window.surface.damage_buffer(0, 0, 640, 480);
    window.surface.commit();
    let frame = fixture.frame();
    assert_eq!(frame.damage.rects(), &[Rect::new(192, 64, 64, 64)]);
    assert_eq!(pixel(&frame, 200, 100), 0xff_ff_ff);
}

#[test]
fn an_equal_picture_is_no_frame_but_calls_back() {
    let mut fixture = Fixture::new();
    let id = fixture.connect();
    let window = fixture.window(id, (0, 0), 0x10_20_30);
    fixture.settle();
    fixture.client(id).ask_frame(&window.surface, 1);
    fixture.draw(id, &window, (0, 0), 0x10_20_30);
    fixture.until("the callback", |fixture| {
        fixture.client(id).was_called_back(1)
    });
    fixture.client(id).ask_frame(&window.surface, 2);
    window.surface.commit();
    fixture.until("the callback without damage", |fixture| {
        fixture.client(id).was_called_back(2)
    });
    fixture.settle();
    assert!(fixture.frames.take().is_none(), "nothing changed");
}

#[test]
fn an_idle_desktop_has_no_deadline() {
    let mut fixture = Fixture::new();
    let id = fixture.connect();
    fixture.window(id, (0, 0), 0x10_20_30);
    fixture.settle();
    assert_eq!(fixture.server.state.deadline(Instant::now()), None);
}

#[test]
fn an_unwatched_desktop_draws_nothing_and_calls_back_slowly() {
    let mut fixture = Fixture::with(|_| ());
    let id = fixture.connect();
    let window = fixture.window(id, (0, 0), 0x10_20_30);
    let before = Instant::now();
    for number in 0..3 {
        fixture.client(id).ask_frame(&window.surface, number);
        fixture.draw(id, &window, (0, 0), 0x10_20_30);
        fixture.until("the callback", |fixture| {
            fixture.client(id).was_called_back(number)
        });
    }
    assert!(before.elapsed().as_millis() >= 1500, "callbacks were fast");
    assert!(fixture.frames.take().is_none());
    fixture.post(Command::Watched(true));
    let frame = fixture.frame();
    assert_eq!(frame.damage, Damage::full(SIZE));
    assert_eq!(pixel(&frame, 5, 5), 0x10_20_30);
}

#[test]
fn each_new_viewer_gets_a_whole_frame() {
    let mut fixture = Fixture::new();
    let id = fixture.connect();
    fixture.window(id, (0, 0), 0x10_20_30);
    fixture.settle();
    fixture.post(Command::Watched(true));
    assert_eq!(fixture.frame().damage, Damage::full(SIZE));
    fixture.post(Command::Watched(false));
    fixture.post(Command::Watched(true));
    let frame = fixture.frame();
    assert_eq!(frame.damage, Damage::full(SIZE));
    assert_eq!(pixel(&frame, 5, 5), 0x10_20_30);
}

#[test]
fn what_is_shown_is_told_as_presented() {
    let mut fixture = Fixture::new();
    let id = fixture.connect();
    let window = fixture.window(id, (0, 0), 0x10_20_30);
    fixture.settle();
    let client = fixture.client(id);
    let presentation: WpPresentation = client.bind();
    presentation.feedback(&window.surface, &client.handle, ());
    fixture.draw(id, &window, (0, 0), 0x40_50_60);
    fixture.until("feedback", |fixture| {
        let told = &fixture.client(id).memory.told;
        told.iter().any(|told| matches!(told, Told::Presented))
    });
}

#[test]
fn a_single_pixel_can_be_scaled_to_a_window() {
    let mut fixture = Fixture::new();
    let id = fixture.connect();
    let window = fixture.window(id, (0, 0), 0x10_20_30);
    let client = fixture.client(id);
    let pixels: WpSinglePixelBufferManagerV1 = client.bind();
    let viewporter: WpViewporter = client.bind();
    let viewport = viewporter.get_viewport(&window.surface, &client.handle, ());
    let red = pixels.create_u32_rgba_buffer(u32::MAX, 0, 0, u32::MAX, &client.handle, ());
    viewport.set_destination(640, 480);
    window.surface.attach(Some(&red), 0, 0);
    window.surface.damage_buffer(0, 0, 1, 1);
    window.surface.commit();
    fixture.frame_with("red", |frame| pixel(frame, 320, 240) == 0xff_00_00);
}

#[test]
fn damage_drawn_over_time_is_a_full_repaint() {
    let mut fixture = Fixture::new();
    let id = fixture.connect();
    let window = fixture.window(id, (0, 0), 0x10_20_30);
    for round in 0..8 {
        let client = fixture.client(id);
        let (buffer, _file) = client.buffer_with(640, 480, move |x, y| {
            let inside = (x / 40 + y / 40) % 8 == round;
            if inside { 0xff00_ff00 } else { 0xff10_2030 }
        });
        window.surface.attach(Some(&buffer), 0, 0);
        window.surface.damage_buffer(0, 0, 640, 480);
        window.surface.commit();
        // Every frame is compared with what damage alone gives.
        fixture.frame();
    }
    fixture.settle();
    fixture.post(Command::Watched(false));
    fixture.post(Command::Watched(true));
    let whole = fixture.frame();
    assert_eq!(pixel(&whole, 7 * 40 + 5, 5), 0x00_ff_00);
    assert_eq!(pixel(&whole, 5, 5), 0x10_20_30);
}

#[test]
fn a_subsurface_moves_with_its_parents_picture_and_goes_when_it_ends() {
    let mut fixture = Fixture::new();
    let id = fixture.connect();
    let window = fixture.window(id, (0, 0), 0x10_20_30);
    let client = fixture.client(id);
    let subcompositor: WlSubcompositor = client.bind();
    let child = client.create_surface();
    let place = subcompositor.get_subsurface(&child, &window.surface, &client.handle, ());
    place.set_desync();
    let buffer = client.buffer(20, 20, 0xff_00_00);
    child.attach(Some(&buffer), 0, 0);
    child.damage_buffer(0, 0, 20, 20);
    child.commit();
    window.surface.commit();
    fixture.frame_with("a subsurface", |frame| pixel(frame, 5, 5) == 0xff_00_00);
    place.set_position(100, 100);
    window.surface.commit();
    let frame = fixture.frame_with("it elsewhere", |frame| pixel(frame, 105, 105) == 0xff_00_00);
    assert_eq!(pixel(&frame, 5, 5), 0x10_20_30);
    place.destroy();
    window.surface.commit();
    fixture.frame_with("it to go", |frame| pixel(frame, 105, 105) == 0x10_20_30);
}
