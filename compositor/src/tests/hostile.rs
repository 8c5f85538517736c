//! Programs that do what they must not: they lose their connection, and nobody else notices.

use std::os::fd::AsFd as _;

use wayland_client::Proxy as _;
use wayland_client::protocol::wl_seat::WlSeat;
use wayland_client::protocol::wl_shm::{self, WlShm};
use wayland_client::protocol::wl_subcompositor::WlSubcompositor;
use wayland_protocols::wp::viewporter::client::wp_viewporter::WpViewporter;
use wayland_protocols::xdg::shell::client::xdg_wm_base::XdgWmBase;

use super::client::Window;
use super::fixture::{Fixture, pixel};

const INNOCENT: u32 = 0x00_c0_00;

/// Runs a program that misbehaves beside one that does not, and checks on the latter.
fn beside_an_innocent(attack: impl FnOnce(&mut Fixture, usize)) -> bool {
    let mut fixture = Fixture::new();
    let innocent = fixture.connect();
    let window = fixture.window(innocent, (0, 0), INNOCENT);
    fixture.settle();
    let attacker = fixture.connect();
    attack(&mut fixture, attacker);
    if !fixture.client(attacker).is_disconnected() {
        fixture.roundtrip(attacker);
    }
    let disconnected = fixture.client(attacker).is_disconnected();
    for _ in 0..3 {
        fixture.step();
    }
    // The innocent still gets its turn and is still seen.
    fixture.client(innocent).ask_frame(&window.surface, 99);
    fixture.draw(innocent, &window, (0, 0), 0xff_00_ff);
    fixture.until("the innocent to be called back", |fixture| {
        fixture.client(innocent).was_called_back(99)
    });
    if disconnected {
        fixture.settle();
        fixture.draw(innocent, &window, (0, 0), INNOCENT);
        fixture.frame_with("the innocent", |frame| pixel(frame, 300, 200) == INNOCENT);
    }
    disconnected
}

#[test]
fn memory_that_is_not_there() {
    let disconnected = beside_an_innocent(|fixture, id| {
        let client = fixture.client(id);
        let shm: WlShm = client.bind();
        let null = std::fs::File::open("/dev/null").unwrap();
        shm.create_pool(null.as_fd(), 4096, &client.handle, ());
    });
    assert!(disconnected);
}

#[test]
fn memory_that_is_taken_away() {
    let disconnected = beside_an_innocent(|fixture, id| {
        let window = fixture.window(id, (300, 300), 0xff_00_00);
        let client = fixture.client(id);
        let (buffer, file) = client.buffer_with(300, 300, |_, _| 0xff00_00ff);
        window.surface.attach(Some(&buffer), 0, 0);
        window.surface.damage_buffer(0, 0, 300, 300);
        file.set_len(0).unwrap();
        window.surface.commit();
        fixture.until("the end of the connection", |fixture| {
            fixture.client(id).is_disconnected()
        });
    });
    assert!(disconnected);
}

#[test]
fn buffers_that_do_not_fit_their_pool() {
    for (offset, width, height, stride) in [
        (0, 1 << 20, 1 << 20, 4 << 20),
        (i32::MAX, 1, 1, 4),
        (0, -1, 5, 20),
        (-4, 1, 1, 4),
        (0, 100, 100, 1),
    ] {
        let disconnected = beside_an_innocent(|fixture, id| {
            let client = fixture.client(id);
            let file = tempfile::tempfile().unwrap();
            file.set_len(4096).unwrap();
            let shm: WlShm = client.bind();
            let pool = shm.create_pool(file.as_fd(), 4096, &client.handle, ());
            let format = wl_shm::Format::Argb8888;
            pool.create_buffer(offset, width, height, stride, format, &client.handle, ());
        });
        assert!(disconnected, "{width}x{height} with {stride} at {offset}");
    }
}

#[test]
fn memory_that_shrinks_to_nothing() {
    for size in [0, -1, i32::MIN] {
        let disconnected = beside_an_innocent(|fixture, id| {
            let client = fixture.client(id);
            let file = tempfile::tempfile().unwrap();
            file.set_len(4096).unwrap();
            let shm: WlShm = client.bind();
            let pool = shm.create_pool(file.as_fd(), 4096, &client.handle, ());
            pool.resize(size);
        });
        assert!(disconnected, "{size}");
    }
}

/// What it leaves ends in the order of the numbers: the window first, while its surface has the keyboard.
#[test]
fn a_program_with_the_keyboard_whose_window_ends_before_its_surface() {
    let disconnected = beside_an_innocent(|fixture, id| {
        let low = fixture.client(id).create_surface();
        let client = fixture.client(id);
        let seat: WlSeat = client.bind();
        seat.get_keyboard(&client.handle, ());
        let base: XdgWmBase = client.bind();
        let surface = client.create_surface();
        let xdg_surface = base.get_xdg_surface(&surface, &client.handle, ());
        low.destroy();
        fixture.roundtrip(id);
        let client = fixture.client(id);
        let toplevel = xdg_surface.get_toplevel(&client.handle, xdg_surface.id());
        assert!(toplevel.id().protocol_id() < surface.id().protocol_id());
        let window = Window {
            surface,
            xdg_surface,
            toplevel,
        };
        window.surface.commit();
        fixture.until("a first configuration", |fixture| {
            fixture.client(id).configure(&window).is_some()
        });
        fixture.draw(id, &window, (300, 200), 0x40_40_40);
        fixture.settle();
        let shm: WlShm = fixture.client(id).bind();
        let file = tempfile::tempfile().unwrap();
        file.set_len(4096).unwrap();
        let pool = shm.create_pool(file.as_fd(), 4096, &fixture.client(id).handle, ());
        pool.resize(0);
        fixture.until("the end of the connection", |fixture| {
            fixture.client(id).is_disconnected()
        });
    });
    assert!(disconnected);
}

#[test]
fn files_without_end() {
    let disconnected = beside_an_innocent(|fixture, id| {
        let shm: WlShm = fixture.client(id).bind();
        let file = tempfile::tempfile().unwrap();
        file.set_len(4096).unwrap();
        for _ in 0..250 {
            let client = fixture.client(id);
            for _ in 0..25 {
                let pool = shm.create_pool(file.as_fd(), 4096, &client.handle, ());
                let format = wl_shm::Format::Argb8888;
                pool.create_buffer(0, 8, 8, 32, format, &client.handle, ());
                // The buffer keeps the file open.
                pool.destroy();
            }
            fixture.roundtrip(id);
            if fixture.client(id).is_disconnected() {
                break;
            }
        }
    });
    assert!(disconnected);
}

#[test]
fn content_before_the_first_configuration() {
    let disconnected = beside_an_innocent(|fixture, id| {
        let client = fixture.client(id);
        let window = client.create_window();
        let buffer = client.buffer(10, 10, 1);
        window.surface.attach(Some(&buffer), 0, 0);
        window.surface.commit();
    });
    assert!(disconnected);
}

#[test]
fn a_surface_that_loses_its_window_in_the_wrong_order() {
    beside_an_innocent(|fixture, id| {
        let window = fixture.window(id, (100, 100), 1);
        window.surface.destroy();
        fixture.roundtrip(id);
        window.xdg_surface.destroy();
        fixture.roundtrip(id);
    });
}

#[test]
fn configurations_that_were_never_sent() {
    let disconnected = beside_an_innocent(|fixture, id| {
        let window = fixture.window(id, (100, 100), 1);
        window.xdg_surface.ack_configure(0xdead_beef);
    });
    assert!(disconnected);
}

#[test]
fn geometry_without_bounds() {
    beside_an_innocent(|fixture, id| {
        let window = fixture.window(id, (100, 100), 1);
        window
            .xdg_surface
            .set_window_geometry(-1000, -1000, 1 << 28, 1 << 28);
        window.toplevel.set_min_size(1 << 30, 1 << 30);
        window.surface.commit();
        fixture.roundtrip(id);
        window.toplevel.set_maximized();
        fixture.roundtrip(id);
        window.toplevel.unset_maximized();
        fixture.roundtrip(id);
    });
}

#[test]
fn a_viewport_without_bounds() {
    beside_an_innocent(|fixture, id| {
        let window = fixture.window(id, (100, 100), 1);
        let client = fixture.client(id);
        let viewporter: WpViewporter = client.bind();
        let viewport = viewporter.get_viewport(&window.surface, &client.handle, ());
        viewport.set_destination(1 << 28, 1 << 28);
        window.surface.commit();
        fixture.roundtrip(id);
    });
}

#[test]
fn a_window_that_is_huge_from_the_start() {
    beside_an_innocent(|fixture, id| {
        fixture.window_with(id, (100, 100), 1, |client, window| {
            let viewporter: WpViewporter = client.bind();
            let viewport = viewporter.get_viewport(&window.surface, &client.handle, ());
            viewport.set_destination(i32::MAX, i32::MAX);
        });
    });
}

#[test]
fn popups_that_belong_to_nobody() {
    let disconnected = beside_an_innocent(|fixture, id| {
        let client = fixture.client(id);
        let orphan = client.create_popup(None, (0, 0), (10, 10));
        orphan.surface.commit();
        let child = client.create_popup(Some(&orphan.xdg_surface), (0, 0), (10, 10));
        child.surface.commit();
    });
    assert!(disconnected);
}

#[test]
fn popups_that_go_in_a_circle() {
    let disconnected = beside_an_innocent(|fixture, id| {
        let client = fixture.client(id);
        let base: XdgWmBase = client.bind();
        let positioner = base.create_positioner(&client.handle, ());
        positioner.set_size(10, 10);
        positioner.set_anchor_rect(0, 0, 1, 1);
        let surfaces = [client.create_surface(), client.create_surface()];
        let [first, second] =
            surfaces.map(|surface| base.get_xdg_surface(&surface, &client.handle, ()));
        first.get_popup(Some(&second), &positioner, &client.handle, ());
        second.get_popup(Some(&first), &positioner, &client.handle, ());
    });
    assert!(disconnected);
}

#[test]
fn subsurfaces_without_end() {
    let disconnected = beside_an_innocent(|fixture, id| {
        let client = fixture.client(id);
        let subcompositor: WlSubcompositor = client.bind();
        let mut parent = client.create_surface();
        for _ in 0..500 {
            let child = client.create_surface();
            subcompositor.get_subsurface(&child, &parent, &client.handle, ());
            parent = child;
        }
    });
    assert!(disconnected);
}

#[test]
fn a_subsurface_beside_itself() {
    for above in [true, false] {
        let disconnected = beside_an_innocent(|fixture, id| {
            let client = fixture.client(id);
            let subcompositor: WlSubcompositor = client.bind();
            let parent = client.create_surface();
            let child = client.create_surface();
            let subsurface = subcompositor.get_subsurface(&child, &parent, &client.handle, ());
            if above {
                subsurface.place_above(&child);
            } else {
                subsurface.place_below(&child);
            }
        });
        assert!(disconnected);
    }
}

#[test]
fn windows_without_end() {
    let disconnected = beside_an_innocent(|fixture, id| {
        for _ in 0..40 {
            for _ in 0..20 {
                fixture.client(id).create_window();
            }
            fixture.roundtrip(id);
        }
    });
    assert!(disconnected);
}

#[test]
fn a_program_that_leaves_in_the_middle() {
    let mut fixture = Fixture::new();
    let innocent = fixture.connect();
    let window = fixture.window(innocent, (0, 0), INNOCENT);
    let other = fixture.connect();
    fixture.window(other, (200, 200), 0xff_00_00);
    fixture.clients.truncate(1);
    fixture.until("the window to fill again", |fixture| {
        fixture.client(innocent).configure(&window).unwrap().size == (640, 480)
    });
    fixture.draw(innocent, &window, (0, 0), INNOCENT);
    fixture.frame_with("the innocent", |frame| pixel(frame, 10, 10) == INNOCENT);
}
