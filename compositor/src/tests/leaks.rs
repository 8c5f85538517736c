//! Files of programs that are gone, and of desktops.

use std::fs::File;
use std::os::unix::fs::MetadataExt as _;
use std::time::{Duration, Instant};

use vroom_desktop::{InputEvent, KeyState};
use wayland_client::protocol::wl_pointer;
use wayland_client::protocol::wl_seat::WlSeat;
use wayland_client::protocol::wl_subcompositor::WlSubcompositor;
use wayland_protocols::wp::pointer_constraints::zv1::client::zwp_pointer_constraints_v1::{
    Lifetime, ZwpPointerConstraintsV1,
};

use super::client::Told;
use super::fixture::Fixture;

#[test]
fn a_program_that_left_leaves_nothing_open() {
    let mut fixture = Fixture::new();
    let stays = fixture.connect();
    fixture.window(stays, (0, 0), 0xaa);
    let memory = busy_program(&mut fixture);
    assert!(open_copies(&memory) > 1, "the compositor has it, too");
    fixture.clients.truncate(1);
    until_closed(memory, || fixture.step());
}

#[test]
fn a_desktop_that_ended_leaves_nothing_open() {
    let mut fixture = Fixture::new();
    let memory = busy_program(&mut fixture);
    let client = fixture.client(0);
    let seat: WlSeat = client.bind();
    seat.get_keyboard(&client.handle, ());
    fixture.roundtrip(0);
    let keymaps = fixture.client(0).take_told().into_iter();
    let keymap = keymaps.filter_map(|told| match told {
        Told::Keymap(fd, _) => Some(File::from(fd)),
        _ => None,
    });
    let keymap = keymap.last().unwrap();
    let programs = std::mem::take(&mut fixture.clients);
    drop(fixture);
    until_closed(memory, || ());
    until_closed(keymap, || ());
    drop(programs);
}

/// A program that is in the middle of many things; returns the memory that its surfaces are in.
fn busy_program(fixture: &mut Fixture) -> File {
    let id = fixture.connect();
    let client = fixture.client(id);
    let seat: WlSeat = client.bind();
    seat.get_keyboard(&client.handle, ());
    seat.get_touch(&client.handle, ());
    let pointer = seat.get_pointer(&client.handle, ());
    let window = fixture.window(id, (300, 200), 0xaa);
    let client = fixture.client(id);
    let (buffer, memory) = client.buffer_with(640, 480, |_, _| 0xff_ff_00_00);
    window.surface.attach(Some(&buffer), 0, 0);
    // Surfaces in surfaces, one of which ends first.
    let subcompositor: WlSubcompositor = client.bind();
    let mut parent = window.surface.clone();
    for _ in 0..3 {
        let child = client.create_surface();
        subcompositor.get_subsurface(&child, &parent, &client.handle, ());
        child.attach(Some(&buffer), 0, 0);
        child.commit();
        parent = child;
    }
    parent.destroy();
    client.ask_frame(&window.surface, 1);
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
    window.surface.commit();
    fixture.roundtrip(id);
    fixture.inject(InputEvent::PointerMotion { x: 90.0, y: 90.0 });
    fixture.button(0x110, KeyState::Pressed);
    fixture.key(30, KeyState::Pressed);
    fixture.inject(InputEvent::TouchDown {
        id: 0,
        x: 90.0,
        y: 90.0,
    });
    fixture.roundtrip(id);
    let told = fixture.client(id).take_told();
    let serial = told.iter().find_map(|told| match told {
        Told::Pointer(wl_pointer::Event::Button { serial, .. }) => Some(*serial),
        _ => None,
    });
    let client = fixture.client(id);
    let menu = client.create_popup(Some(&window.xdg_surface), (10, 10), (50, 50));
    menu.popup.grab(&seat, serial.unwrap());
    menu.surface.commit();
    fixture.roundtrip(id);
    assert!(
        fixture.server.state.keyboard.is_grabbed(),
        "the menu is open"
    );
    memory
}

/// How often a file is open in this process.
fn open_copies(file: &File) -> usize {
    let inode = |file: &std::fs::Metadata| (file.dev(), file.ino());
    let wanted = inode(&file.metadata().unwrap());
    let files = std::fs::read_dir("/proc/self/fd").unwrap();
    // Other tests open and close files meanwhile.
    let files = files.filter_map(|file| std::fs::metadata(file.ok()?.path()).ok());
    files.filter(|file| inode(file) == wanted).count()
}

/// Waits until nobody but the caller has a file open; memory is let go by a thread of its own.
fn until_closed(file: File, mut meanwhile: impl FnMut()) {
    let deadline = Instant::now() + PATIENCE;
    while open_copies(&file) > 1 {
        assert!(Instant::now() < deadline, "{file:?} stays open");
        meanwhile();
        std::thread::yield_now();
    }
}

/// How long the thread that lets go of memory may take.
const PATIENCE: Duration = Duration::from_secs(10);
