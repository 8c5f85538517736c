//! Files that are dragged in from outside, and out of programs.

use std::fs::File;
use std::io::{ErrorKind, Read as _};
use std::os::fd::AsFd as _;

use nix::fcntl::OFlag;
use nix::unistd::pipe2;
use vroom_desktop::{DesktopEvent, Drag, DragEvent, InputEvent, KeyState};
use wayland_client::protocol::wl_data_device::{self, WlDataDevice};
use wayland_client::protocol::wl_data_device_manager::{DndAction, WlDataDeviceManager};
use wayland_client::protocol::wl_data_offer::WlDataOffer;
use wayland_client::protocol::wl_pointer;
use wayland_client::protocol::wl_seat::WlSeat;

use super::client::{Told, Window};
use super::fixture::Fixture;

const FILES: &[u8] = b"file:///home/a/one.txt\r\nfile:///home/a/two%20.txt\r\n";

/// A program with a window that fills the output, and its device for drags.
fn with_device() -> (Fixture, usize, Window, WlDataDevice) {
    let mut fixture = Fixture::new();
    let id = fixture.connect();
    let client = fixture.client(id);
    let seat: WlSeat = client.bind();
    seat.get_pointer(&client.handle, ());
    let manager: WlDataDeviceManager = client.bind();
    let device = manager.get_data_device(&seat, &client.handle, ());
    let window = fixture.window(id, (0, 0), 0xaa);
    fixture.settle();
    fixture.client(id).take_told();
    fixture.forget_events();
    (fixture, id, window, device)
}

fn drag(fixture: &mut Fixture, drag: Drag) {
    fixture.inject(InputEvent::Drag(drag));
}

fn move_to(fixture: &mut Fixture, x: f64, y: f64) {
    fixture.inject(InputEvent::PointerMotion { x, y });
}

/// What the program was told about drags since the last look.
fn told(fixture: &mut Fixture, id: usize) -> Vec<wl_data_device::Event> {
    fixture.roundtrip(id);
    let told = fixture.client(id).take_told();
    let drags = told.into_iter().filter_map(|told| match told {
        Told::Drag(event) => Some(event),
        _ => None,
    });
    drags.collect()
}

/// Holds files over the program, which learns of them; the serial and the offer that it got.
fn enter(fixture: &mut Fixture, id: usize) -> (u32, WlDataOffer) {
    move_to(fixture, 100.0, 50.0);
    drag(fixture, Drag::Enter);
    let entered = told(fixture, id).into_iter().find_map(|event| match event {
        wl_data_device::Event::Enter {
            serial, x, y, id, ..
        } => Some((serial, (x, y), id.unwrap())),
        _ => None,
    });
    let (serial, at, offer) = entered.expect("the program is entered");
    assert_eq!(at, (100.0, 50.0));
    (serial, offer)
}

/// Presses the button over the program; the serial that it may begin a drag with.
fn press(fixture: &mut Fixture, id: usize) -> u32 {
    move_to(fixture, 100.0, 50.0);
    fixture.button(0x110, KeyState::Pressed);
    fixture.roundtrip(id);
    let told = fixture.client(id).take_told();
    let serial = told.into_iter().find_map(|told| match told {
        Told::Pointer(wl_pointer::Event::Button { serial, .. }) => Some(serial),
        _ => None,
    });
    serial.expect("the program saw the button")
}

fn accept(fixture: &mut Fixture, id: usize, serial: u32, offer: &WlDataOffer) {
    offer.accept(serial, Some("text/uri-list".into()));
    offer.set_actions(DndAction::Copy | DndAction::Move, DndAction::Copy);
    fixture.roundtrip(id);
}

fn ask(fixture: &mut Fixture, id: usize, offer: &WlDataOffer) -> File {
    let (ours, theirs) = pipe2(OFlag::O_CLOEXEC | OFlag::O_NONBLOCK).unwrap();
    offer.receive("text/uri-list".into(), theirs.as_fd());
    fixture.client(id).flush();
    File::from(ours)
}

/// All that comes through a pipe.
fn all(fixture: &mut Fixture, mut pipe: File) -> Vec<u8> {
    let mut bytes = Vec::new();
    fixture.until("the end of what was asked for", |_| {
        match pipe.read_to_end(&mut bytes) {
            Ok(_) => true,
            Err(error) => {
                assert_eq!(error.kind(), ErrorKind::WouldBlock);
                false
            }
        }
    });
    bytes
}

fn ended(fixture: &mut Fixture) -> bool {
    fixture.event("the end of the drag", |event| match event {
        DesktopEvent::Drag(DragEvent::Ended { taken }) => Some(*taken),
        _ => None,
    })
}

#[test]
fn files_from_outside_arrive_as_a_drag() {
    let (mut fixture, id, ..) = with_device();
    let (serial, offer) = enter(&mut fixture, id);
    accept(&mut fixture, id, serial, &offer);
    move_to(&mut fixture, 120.0, 60.0);
    let moved = told(&mut fixture, id);
    assert!(
        moved.iter().any(|event| matches!(event, wl_data_device::Event::Motion { x, y, .. } if (*x, *y) == (120.0, 60.0))),
        "{moved:?}"
    );
    drag(&mut fixture, Drag::Drop(FILES.into()));
    assert!(ended(&mut fixture));
    let dropped = told(&mut fixture, id);
    assert!(
        dropped
            .iter()
            .any(|event| matches!(event, wl_data_device::Event::Drop))
    );
    let pipe = ask(&mut fixture, id, &offer);
    assert_eq!(all(&mut fixture, pipe), FILES);
    offer.finish();
    fixture.roundtrip(id);
    assert!(!fixture.client(id).is_disconnected());
    // The pointer is the program's again.
    fixture.client(id).take_told();
    fixture.click(10.0, 10.0);
    fixture.roundtrip(id);
    let clicked = fixture.client(id).take_told();
    assert!(
        clicked
            .iter()
            .any(|told| matches!(told, Told::Pointer(wl_pointer::Event::Button { .. })))
    );
}

#[test]
fn a_drop_waits_until_the_program_has_chosen() {
    let (mut fixture, id, ..) = with_device();
    let (serial, offer) = enter(&mut fixture, id);
    drag(&mut fixture, Drag::Drop(FILES.into()));
    assert!(told(&mut fixture, id).is_empty(), "nothing is dropped yet");
    accept(&mut fixture, id, serial, &offer);
    assert!(ended(&mut fixture));
}

#[test]
fn a_program_that_asks_too_early_gets_the_files_with_the_drop() {
    let (mut fixture, id, ..) = with_device();
    let (serial, offer) = enter(&mut fixture, id);
    accept(&mut fixture, id, serial, &offer);
    let pipe = ask(&mut fixture, id, &offer);
    fixture.roundtrip(id);
    drag(&mut fixture, Drag::Drop(FILES.into()));
    assert_eq!(all(&mut fixture, pipe), FILES);
}

#[test]
fn files_that_nobody_takes_end_the_drag() {
    let (mut fixture, id, ..) = with_device();
    let (serial, offer) = enter(&mut fixture, id);
    offer.accept(serial, None);
    let pipe = ask(&mut fixture, id, &offer);
    drag(&mut fixture, Drag::Drop(FILES.into()));
    assert!(!ended(&mut fixture));
    let events = told(&mut fixture, id);
    assert!(
        !events
            .iter()
            .any(|event| matches!(event, wl_data_device::Event::Drop))
    );
    drop(pipe);
}

#[test]
fn files_that_are_held_elsewhere_leave_the_program() {
    let (mut fixture, id, ..) = with_device();
    let (_, offer) = enter(&mut fixture, id);
    let pipe = ask(&mut fixture, id, &offer);
    drag(&mut fixture, Drag::Leave);
    assert!(!ended(&mut fixture));
    let left = told(&mut fixture, id);
    assert!(
        left.iter()
            .any(|event| matches!(event, wl_data_device::Event::Leave))
    );
    assert_eq!(
        all(&mut fixture, pipe),
        b"",
        "who waited is not kept waiting"
    );
    // What comes late changes nothing.
    drag(&mut fixture, Drag::Drop(FILES.into()));
    assert!(!ended(&mut fixture));
}

#[test]
fn what_a_program_drags_is_taken_outside() {
    let (mut fixture, id, window, device) = with_device();
    let list = "file:///home/a/b\r\n";
    let serial = press(&mut fixture, id);
    let client = fixture.client(id);
    client.memory.copied = list.into();
    let manager: WlDataDeviceManager = client.bind();
    let source = manager.create_data_source(&client.handle, ());
    source.offer("text/uri-list".into());
    source.set_actions(DndAction::Copy);
    device.start_drag(Some(&source), &window.surface, None, serial);
    fixture.event("the drag", |event| {
        (*event == DesktopEvent::Drag(DragEvent::Begun)).then_some(())
    });
    drag(&mut fixture, Drag::Take);
    let files = fixture.event("the files", |event| match event {
        DesktopEvent::Drag(DragEvent::Files(files)) => Some(files.to_vec()),
        _ => None,
    });
    assert_eq!(files, list.as_bytes());
    assert!(!ended(&mut fixture));
    fixture.roundtrip(id);
    let told = fixture.client(id).take_told();
    assert!(told.iter().any(|told| matches!(told, Told::Cancelled)));
    fixture.button(0x110, KeyState::Released);
    // There is nothing to be taken any more.
    drag(&mut fixture, Drag::Take);
    assert!(!ended(&mut fixture));
}

#[test]
fn other_things_that_programs_drag_are_theirs() {
    let (mut fixture, id, window, device) = with_device();
    let serial = press(&mut fixture, id);
    let client = fixture.client(id);
    let manager: WlDataDeviceManager = client.bind();
    let source = manager.create_data_source(&client.handle, ());
    source.offer("text/plain".into());
    source.set_actions(DndAction::Copy);
    device.start_drag(Some(&source), &window.surface, None, serial);
    fixture.roundtrip(id);
    // Files from outside do not come into the way of a drag that goes on.
    drag(&mut fixture, Drag::Enter);
    assert!(!ended(&mut fixture));
    fixture.button(0x110, KeyState::Released);
    fixture.roundtrip(id);
    let told = fixture.forget_events();
    assert!(
        !told
            .iter()
            .any(|event| matches!(event, DesktopEvent::Drag(_))),
        "{told:?}"
    );
}
