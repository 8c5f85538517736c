//! A desktop in a window of another one, with a program in it: both compositors run as they do at home.

use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use tempfile::TempDir;
use vroom_desktop::{
    Cursor, CursorShape, Desktop, DesktopEvent, Evdev, EventSink, Frame, InputEvent, KeyState,
    Layout, Size, Wake,
};
use wayland_client::protocol::wl_keyboard;
use wayland_client::protocol::wl_pointer::{self, Axis, ButtonState, WlPointer};
use wayland_client::protocol::wl_seat::WlSeat;
use wayland_client::protocol::wl_touch;
use wayland_client::{Proxy as _, WEnum};
use wayland_protocols::wp::cursor_shape::v1::client::wp_cursor_shape_device_v1::Shape;
use wayland_protocols::wp::cursor_shape::v1::client::wp_cursor_shape_manager_v1::WpCursorShapeManagerV1;
use wayland_protocols::wp::pointer_constraints::zv1::client::zwp_pointer_constraints_v1::{
    Lifetime, ZwpPointerConstraintsV1,
};
use wayland_protocols::wp::relative_pointer::zv1::client::zwp_relative_pointer_manager_v1::ZwpRelativePointerManagerV1;

use super::client::{Client, Told, Window};
use super::fixture::pixel;
use crate::{Compositor, CompositorConfig, Error, Host, Nested, OnExit, ShellStyle};

#[test]
fn the_host_shows_the_session_to_the_pixel_and_so_do_others() {
    let mut stage = Stage::new();
    stage.nested.set_watched(true);
    let program = stage.program();
    stage.paint(program, 1, card);
    stage.until("the same picture on both sides", |stage| {
        stage
            .at_home
            .as_ref()
            .is_some_and(|frame| shows(frame, card))
            && stage.afar.as_ref().is_some_and(|frame| shows(frame, card))
    });
    // A small change is one for both, too.
    let changed = |x, y| {
        if x < 5 && y < 7 {
            0x12_3456
        } else {
            card(x, y)
        }
    };
    stage.paint(program, 1, changed);
    stage.until("the change on both sides", |stage| {
        stage
            .at_home
            .as_ref()
            .is_some_and(|frame| shows(frame, changed))
            && stage
                .afar
                .as_ref()
                .is_some_and(|frame| shows(frame, changed))
    });
}

#[test]
fn whoever_looks_on_later_gets_a_whole_picture_of_what_rests() {
    let mut stage = Stage::new();
    let program = stage.program();
    stage.paint(program, 1, card);
    stage.until("the picture at home", |stage| {
        stage
            .at_home
            .as_ref()
            .is_some_and(|frame| shows(frame, card))
    });
    for _ in 0..2 {
        stage.nested.set_watched(true);
        stage.afar = None;
        stage.until("the picture afar", |stage| {
            stage.afar.as_ref().is_some_and(|frame| shows(frame, card))
        });
        let damage = &stage.afar.as_ref().unwrap().damage;
        assert_eq!(*damage, vroom_desktop::Damage::full(SIZE));
        stage.nested.set_watched(false);
    }
    // The window is still served.
    stage.paint(program, 1, |_, _| 0xab_cdef);
    stage.until("another picture at home", |stage| {
        stage
            .at_home
            .as_ref()
            .is_some_and(|frame| shows(frame, |_, _| 0xab_cdef))
    });
}

#[test]
fn what_is_done_in_the_window_reaches_the_program() {
    let mut stage = Stage::new();
    let program = stage.shown_program();
    stage
        .host()
        .inject(InputEvent::PointerMotion { x: 123.0, y: 45.5 });
    let at = stage.told(program, place);
    assert_eq!(at, (123.0, 45.5));
    let afar = stage.event(|event| match event {
        DesktopEvent::PointerMoved { x, y } => Some((*x, *y)),
        _ => None,
    });
    assert_eq!(afar, (123.0, 45.5), "others are told where the pointer is");
    stage
        .host()
        .inject(InputEvent::PointerMotion { x: 639.0, y: 479.0 });
    let at = stage.told(program, place);
    assert_eq!(at, (639.0, 479.0));
    for code in 0x110..=0x114 {
        for state in [KeyState::Pressed, KeyState::Released] {
            let code = Evdev(code);
            stage
                .host()
                .inject(InputEvent::PointerButton { code, state });
        }
        let pressed = stage.told(program, button);
        let released = stage.told(program, button);
        assert_eq!(
            [pressed, released],
            [(code.into(), true), (code.into(), false)]
        );
    }
    for (dx, dy) in [(0.0, 30.0), (-120.0, 0.0)] {
        stage.host().inject(InputEvent::Scroll { dx, dy });
        let turned = stage.told(program, |told| match told {
            Told::Pointer(wl_pointer::Event::AxisValue120 { axis, value120 }) => {
                let down = *axis == WEnum::Value(Axis::VerticalScroll);
                Some(if down {
                    (0.0, f64::from(*value120))
                } else {
                    (f64::from(*value120), 0.0)
                })
            }
            _ => None,
        });
        assert_eq!(turned, (dx, dy));
    }
    for (code, state) in [
        (29, KeyState::Pressed),
        (30, KeyState::Pressed),
        (30, KeyState::Released),
        (29, KeyState::Released),
    ] {
        stage.key(code, state);
        let told = stage.told(program, key);
        assert_eq!(told, (code.into(), state == KeyState::Pressed));
    }
    stage.host().inject(InputEvent::TouchDown {
        id: 3,
        x: 50.0,
        y: 60.0,
    });
    let at = stage.told(program, |told| match told {
        Told::Touch(wl_touch::Event::Down { x, y, .. }) => Some((*x, *y)),
        _ => None,
    });
    assert_eq!(at, (50.0, 60.0));
    stage.host().inject(InputEvent::TouchUp { id: 3 });
    stage.told(program, |told| {
        matches!(told, Told::Touch(wl_touch::Event::Up { .. })).then_some(())
    });
}

#[test]
fn the_session_follows_the_window_and_the_hosts_scale() {
    let mut stage = Stage::new();
    let program = stage.shown_program();
    for (size, scale) in [
        (Size::new(801, 601), 1),
        (Size::new(1600, 1200), 2),
        (Size::new(640, 480), 1),
    ] {
        stage.host().resize(size, f64::from(scale));
        let even = Size::new(size.width & !1, size.height & !1);
        let units = u32::try_from(scale).unwrap();
        let told = (even.width / units, even.height / units);
        stage.until("the program to be told", |stage| {
            let size = stage.configured(program);
            size == (told.0.try_into().unwrap(), told.1.try_into().unwrap())
                && stage.nested.size() == even
        });
        stage.paint(program, scale, card);
        stage.until("a sharp picture", |stage| {
            stage
                .at_home
                .as_ref()
                .is_some_and(|frame| frame.size() == even && shows(frame, card))
        });
    }
}

#[test]
fn another_size_from_afar_is_shown_whole_until_the_window_changes() {
    let mut stage = Stage::new();
    let program = stage.shown_program();
    stage.nested.resize(Size::new(640, 240), 1.0);
    stage.until("the program to be told", |stage| {
        stage.configured(program) == (640, 240)
    });
    stage.paint(program, 1, |_, _| 0xff);
    stage.until("the picture between two bars", |stage| {
        stage.at_home.as_ref().is_some_and(|frame| {
            let column = [0, 119, 121, 240, 358, 361, 479];
            column.map(|y| pixel(frame, 320, y)) == [0, 0, 0xff, 0xff, 0xff, 0, 0]
        })
    });
    stage
        .host()
        .inject(InputEvent::PointerMotion { x: 320.0, y: 240.0 });
    let at = stage.told(program, place);
    assert_eq!(at, (320.0, 120.0), "what is pointed at is meant");
    stage.host().resize(Size::new(700, 500), 1.0);
    stage.until("the program to follow the window", |stage| {
        stage.configured(program) == (700, 500)
    });
}

#[test]
fn nothing_stays_held_when_the_window_loses_the_focus() {
    let mut stage = Stage::new();
    let program = stage.shown_program();
    stage.key(30, KeyState::Pressed);
    assert_eq!(stage.told(program, key), (30, true));
    // A window of the host's own takes the focus.
    let socket = stage.host_dir.path().join(stage.host().socket_name());
    let mut other = Client::new(UnixStream::connect(socket).unwrap());
    stage.roundtrip_of(&mut other);
    let window = other.create_window();
    window.surface.commit();
    stage.until_with(&mut other, "the other window", |other| {
        other.configure(&window).is_some()
    });
    let told = other.configure(&window).unwrap();
    window.xdg_surface.ack_configure(told.serial);
    let buffer = other.buffer(100, 100, 0xff);
    window.surface.attach(Some(&buffer), 0, 0);
    window.surface.commit();
    other.flush();
    assert_eq!(stage.told(program, key), (30, false));
}

#[test]
fn the_end_of_the_host_is_none_of_the_session() {
    let mut stage = Stage::new();
    let program = stage.shown_program();
    stage.key(30, KeyState::Pressed);
    assert_eq!(stage.told(program, key), (30, true));
    stage.host.take().unwrap().shut_down();
    assert_eq!(
        stage.told(program, key),
        (30, false),
        "what was held is let go"
    );
    stage.nested.set_watched(true);
    stage.paint(program, 1, card);
    stage.until("the picture afar", |stage| {
        stage.afar.as_ref().is_some_and(|frame| shows(frame, card))
    });
    let state = KeyState::Pressed;
    stage.nested.inject(InputEvent::Key {
        code: Evdev(31),
        state,
    });
    assert_eq!(stage.told(program, key), (31, true));
}

#[test]
fn closing_the_window_leaves_the_session() {
    let mut stage = Stage::new();
    let program = stage.shown_program();
    stage
        .host()
        .inject(InputEvent::PointerMotion { x: 1.0, y: 1.0 });
    for (code, state) in [(56, KeyState::Pressed), (62, KeyState::Pressed)] {
        stage.key(code, state);
    }
    stage.until("the window to go", |stage| {
        stage
            .at_home
            .as_ref()
            .is_some_and(|frame| pixel(frame, 5, 5) == EMPTY)
    });
    stage.nested.set_watched(true);
    stage.paint(program, 1, card);
    stage.until("the picture afar", |stage| {
        stage.afar.as_ref().is_some_and(|frame| shows(frame, card))
    });
}

#[test]
fn the_title_names_the_program_and_the_session() {
    let mut stage = Stage::new();
    let program = stage.shown_program();
    stage.title("VROOM: test");
    stage.set_title(program, "Report\u{7}");
    stage.title("Report – VROOM: test");
    stage.set_title(program, &"é".repeat(1500));
    stage.title(&"é".repeat(200));
    stage.set_title(program, "Report");
    stage.title("Report – VROOM: test");
}

#[test]
fn the_host_shows_the_pointer_as_the_program_wants_it() {
    let mut stage = Stage::new();
    let program = stage.shown_program();
    stage
        .host()
        .inject(InputEvent::PointerMotion { x: 10.0, y: 10.0 });
    let serial = stage.told(program, |told| match told {
        Told::Pointer(wl_pointer::Event::Enter { serial, .. }) => Some(*serial),
        _ => None,
    });
    let Program {
        client, pointer, ..
    } = &stage.programs[program];
    let shapes: WpCursorShapeManagerV1 = client.bind();
    let device = shapes.get_pointer(pointer, &client.handle, ());
    device.set_shape(serial, Shape::Text);
    client.flush();
    stage.host_cursor(|shape| *shape == CursorShape::Named("text".into()));

    let surface = stage.programs[program].client.create_surface();
    let Program {
        client, pointer, ..
    } = &stage.programs[program];
    let picture = |x: i32, y: i32| 0xff00_0000 | (0x10 * x + y).cast_unsigned();
    let (buffer, _file) = client.buffer_with(12, 20, picture);
    pointer.set_cursor(serial, Some(&surface), 3, 4);
    surface.attach(Some(&buffer), 0, 0);
    surface.commit();
    client.flush();
    stage.host_cursor(|shape| match shape {
        CursorShape::Image(image) => {
            let seen = image.bgra.chunks_exact(4);
            let drawn = (0..20).flat_map(|y| (0..12).map(move |x| picture(x, y).to_le_bytes()));
            (image.width, image.height, image.hotspot_x, image.hotspot_y) == (12, 20, 3, 4)
                && seen.eq(drawn)
        }
        _ => false,
    });

    stage.nested.draw_cursor(true);
    stage.host_cursor(|shape| *shape == CursorShape::Hidden);
    stage.nested.draw_cursor(false);
    stage.host_cursor(|shape| matches!(shape, CursorShape::Image(_)));
}

#[test]
fn the_pointer_from_afar_is_seen_until_it_is_moved_at_home() {
    let mut stage = Stage::new();
    let program = stage.shown_program();
    stage.paint(program, 1, |_, _| 0xff);
    let plain = |frame: &Frame| shows(frame, |_, _| 0xff);
    stage.until("the plain window", |stage| {
        stage.at_home.as_ref().is_some_and(plain)
    });
    stage
        .nested
        .inject(InputEvent::PointerMotion { x: 300.0, y: 200.0 });
    let near = |x: u32, y: u32| (270..340).contains(&x) && (170..240).contains(&y);
    stage.until("a pointer there and nowhere else", |stage| {
        stage.at_home.as_ref().is_some_and(|frame| {
            let colour = |x, y| if near(x, y) { pixel(frame, x, y) } else { 0xff };
            !plain(frame) && shows(frame, colour)
        })
    });
    stage
        .host()
        .inject(InputEvent::PointerMotion { x: 10.0, y: 10.0 });
    stage.until("it to be gone", |stage| {
        stage.at_home.as_ref().is_some_and(plain)
    });
}

#[test]
fn a_pointer_that_a_program_holds_is_held_by_the_host() {
    let mut stage = Stage::new();
    let program = stage.shown_program();
    stage
        .host()
        .inject(InputEvent::PointerMotion { x: 100.0, y: 100.0 });
    stage.told(program, |told| {
        matches!(told, Told::Pointer(wl_pointer::Event::Enter { .. })).then_some(())
    });
    let Program {
        client,
        pointer,
        window,
        ..
    } = &stage.programs[program];
    let distances: ZwpRelativePointerManagerV1 = client.bind();
    distances.get_relative_pointer(pointer, &client.handle, ());
    let constraints: ZwpPointerConstraintsV1 = client.bind();
    let (surface, lifetime) = (&window.surface, Lifetime::Persistent);
    constraints.lock_pointer(surface, pointer, None, lifetime, &client.handle, ());
    client.flush();
    stage.until("the host to hold it", |stage| {
        stage
            .seen_by_host
            .contains(&DesktopEvent::PointerLocked(true))
    });
    // What the host says is on its way before what it is asked now.
    let moved = stage.until_moved(program);
    assert_eq!(moved, (7.0, -3.0));
}

#[test]
fn a_host_that_is_none_is_told_by_name() {
    let (ours, theirs) = UnixStream::pair().unwrap();
    drop(theirs);
    let dir = tempfile::tempdir().unwrap();
    let host = Host::from_stream(ours, "wayland-7").unwrap();
    let nowhere = Arc::new(|_| ());
    let error = Nested::start(config(&dir), host, "test", nowhere).unwrap_err();
    assert!(matches!(error, Error::Host { .. }), "{error}");
    assert!(error.to_string().contains("wayland-7"), "{error}");
}

/// A host, a desktop in a window of it, and the programs of that.
struct Stage {
    host: Option<Compositor>,
    host_dir: TempDir,
    nested: Nested,
    dir: TempDir,
    programs: Vec<Program>,
    /// The newest picture of the host.
    at_home: Option<Frame>,
    /// The newest picture that encoders get.
    afar: Option<Frame>,
    host_events: Receiver<DesktopEvent>,
    seen_by_host: Vec<DesktopEvent>,
    events: Receiver<DesktopEvent>,
    seen: Vec<DesktopEvent>,
}

struct Program {
    client: Client,
    window: Window,
    pointer: WlPointer,
}

impl Stage {
    fn new() -> Self {
        let (host_dir, dir) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let (sink, host_events) = receiver();
        let host = Compositor::start(config(&host_dir), sink).unwrap();
        host.set_watched(true);
        let socket = UnixStream::connect(host_dir.path().join(host.socket_name())).unwrap();
        let (told, events) = receiver();
        let window = Host::from_stream(socket, "wayland-1").unwrap();
        let nested = Nested::start(config(&dir), window, "test", told).unwrap();
        Self {
            host: Some(host),
            host_dir,
            nested,
            dir,
            programs: Vec::new(),
            at_home: None,
            afar: None,
            host_events,
            seen_by_host: Vec::new(),
            events,
            seen: Vec::new(),
        }
    }

    fn host(&self) -> &Compositor {
        self.host.as_ref().unwrap()
    }

    fn key(&self, code: u16, state: KeyState) {
        let code = Evdev(code);
        self.host().inject(InputEvent::Key { code, state });
    }

    /// Starts a program in the session, and waits until it knows how large it is to be.
    fn program(&mut self) -> usize {
        let socket = self.dir.path().join(self.nested.socket_name());
        let mut client = Client::new(UnixStream::connect(socket).unwrap());
        self.roundtrip_of(&mut client);
        let seat: WlSeat = client.bind();
        seat.get_keyboard(&client.handle, ());
        seat.get_touch(&client.handle, ());
        let pointer = seat.get_pointer(&client.handle, ());
        let window = client.create_window();
        window.surface.commit();
        self.until_with(&mut client, "a configuration", |client| {
            client.configure(&window).is_some()
        });
        self.programs.push(Program {
            client,
            window,
            pointer,
        });
        self.programs.len() - 1
    }

    /// Starts a program whose picture is seen at home, and which has the keyboard.
    fn shown_program(&mut self) -> usize {
        let program = self.program();
        self.paint(program, 1, card);
        self.until("the program to be seen", |stage| {
            stage
                .at_home
                .as_ref()
                .is_some_and(|frame| shows(frame, card))
        });
        self.told(program, |told| {
            matches!(told, Told::Keyboard(wl_keyboard::Event::Enter { .. })).then_some(())
        });
        program
    }

    /// The size that a program was told last.
    fn configured(&self, program: usize) -> (i32, i32) {
        let Program { client, window, .. } = &self.programs[program];
        client.configure(window).unwrap().size
    }

    /// Fills the window of a program, so many pixels to a unit.
    fn paint(&mut self, program: usize, scale: i32, colour: impl Fn(u32, u32) -> u32) {
        let Program { client, window, .. } = &mut self.programs[program];
        let told = client.configure(window).unwrap();
        let acked = &mut client.memory.acked;
        if acked.insert(window.xdg_surface.id(), told.serial) != Some(told.serial) {
            window.xdg_surface.ack_configure(told.serial);
        }
        let (width, height) = (told.size.0 * scale, told.size.1 * scale);
        let side = |at: i32| u32::try_from(at).unwrap();
        let (buffer, _) =
            client.buffer_with(width, height, |x, y| 0xff00_0000 | colour(side(x), side(y)));
        window.surface.set_buffer_scale(scale);
        window.surface.attach(Some(&buffer), 0, 0);
        window.surface.damage_buffer(0, 0, width, height);
        window.surface.commit();
        client.flush();
    }

    fn until(&mut self, what: &str, mut holds: impl FnMut(&mut Self) -> bool) {
        let deadline = Instant::now() + PATIENCE;
        while !holds(self) {
            assert!(Instant::now() < deadline, "waited in vain for {what}");
            self.step();
        }
    }

    fn step(&mut self) {
        for program in &mut self.programs {
            program.client.dispatch();
        }
        self.seen_by_host.extend(self.host_events.try_iter());
        self.seen.extend(self.events.try_iter());
        if let Some(frame) = self.nested.frames().take() {
            self.afar = Some(frame);
        }
        let soon = Some(Instant::now() + Duration::from_millis(2));
        match &self.host {
            Some(host) => {
                if let Wake::Frame(frame) = host.frames().wait(soon) {
                    self.at_home = Some(frame);
                }
            }
            None => std::thread::yield_now(),
        }
    }

    fn until_with(&mut self, client: &mut Client, what: &str, holds: impl Fn(&Client) -> bool) {
        self.until(what, |_| {
            client.dispatch();
            holds(client)
        });
    }

    /// Lets a program find the globals.
    fn roundtrip_of(&mut self, client: &mut Client) {
        for _ in 0..2 {
            let done = client.sync();
            self.until_with(client, "a roundtrip", |client| client.is_done(done));
        }
    }

    /// Waits until a program is told something, and forgets what it was told before.
    fn told<T>(&mut self, program: usize, find: impl Fn(&Told) -> Option<T>) -> T {
        let mut found = None;
        self.until("a program to be told", |stage| {
            let told = &mut stage.programs[program].client.memory.told;
            while found.is_none() && !told.is_empty() {
                found = find(&told.remove(0));
            }
            found.is_some()
        });
        found.unwrap()
    }

    /// Waits until the desktop tells something, and forgets what it told before.
    fn event<T>(&mut self, find: impl Fn(&DesktopEvent) -> Option<T>) -> T {
        let mut found = None;
        self.until("the desktop to tell", |stage| {
            while found.is_none() && !stage.seen.is_empty() {
                found = find(&stage.seen.remove(0));
            }
            found.is_some()
        });
        found.unwrap()
    }

    fn set_title(&self, program: usize, title: &str) {
        let Program { client, window, .. } = &self.programs[program];
        window.toplevel.set_title(title.to_owned());
        client.flush();
    }

    /// Waits until the host has a window of this title, and forgets what it told before.
    fn title(&mut self, title: &str) {
        let title = DesktopEvent::Title(Some(title.to_owned()));
        self.until("the title", |stage| {
            let found = stage.seen_by_host.iter().position(|event| *event == title);
            found.map(|at| stage.seen_by_host.drain(..=at)).is_some()
        });
    }

    /// Waits until the host shows a pointer of a certain shape.
    fn host_cursor(&mut self, is_it: impl Fn(&CursorShape) -> bool) {
        self.until("the pointer's shape", |stage| {
            let mut shapes = stage.seen_by_host.iter().filter_map(|event| match event {
                DesktopEvent::Cursor(Cursor { shape }) => Some(shape),
                _ => None,
            });
            shapes.next_back().is_some_and(&is_it)
        });
    }

    /// Moves the host's pointer, which is held, and tells by how much a program was told it was moved.
    fn until_moved(&mut self, program: usize) -> (f64, f64) {
        self.host()
            .inject(InputEvent::PointerMotionRelative { dx: 7.0, dy: -3.0 });
        self.told(program, |told| match told {
            Told::Relative(dx, dy) => Some((*dx, *dy)),
            _ => None,
        })
    }
}

fn receiver() -> (EventSink, Receiver<DesktopEvent>) {
    let (sender, events) = channel();
    (Arc::new(move |event| drop(sender.send(event))), events)
}

fn config(dir: &TempDir) -> CompositorConfig {
    CompositorConfig {
        size: SIZE,
        scale: 1.0,
        refresh_hz: 60,
        layout: Layout {
            layout: "us".into(),
            ..Layout::default()
        },
        command: None,
        on_exit: OnExit::Keep,
        x11: false,
        shell: ShellStyle::Kiosk,
        autostart: false,
        runtime_dir: dir.path().to_owned(),
        env: Vec::new(),
    }
}

/// A colour for every pixel that its neighbours do not have.
fn card(x: u32, y: u32) -> u32 {
    (x * 7 + y * 13) << 8 | ((x ^ y) & 0xff)
}

/// Whether a picture is one colour by colour.
fn shows(frame: &Frame, colour: impl Fn(u32, u32) -> u32) -> bool {
    let Size { width, height } = frame.size();
    (0..height).all(|y| (0..width).all(|x| pixel(frame, x, y) == colour(x, y) & 0xff_ffff))
}

/// Where the pointer came to.
fn place(told: &Told) -> Option<(f64, f64)> {
    match told {
        Told::Pointer(
            wl_pointer::Event::Enter {
                surface_x: x,
                surface_y: y,
                ..
            }
            | wl_pointer::Event::Motion {
                surface_x: x,
                surface_y: y,
                ..
            },
        ) => Some((*x, *y)),
        _ => None,
    }
}

fn button(told: &Told) -> Option<(u32, bool)> {
    match told {
        Told::Pointer(wl_pointer::Event::Button { button, state, .. }) => {
            Some((*button, *state == WEnum::Value(ButtonState::Pressed)))
        }
        _ => None,
    }
}

fn key(told: &Told) -> Option<(u32, bool)> {
    match told {
        Told::Keyboard(wl_keyboard::Event::Key { key, state, .. }) => {
            Some((*key, *state == WEnum::Value(wl_keyboard::KeyState::Pressed)))
        }
        _ => None,
    }
}

const SIZE: Size = Size::new(640, 480);

/// What the host shows where no window is.
const EMPTY: u32 = 0x17_191e;

/// How long a test waits for what must come.
const PATIENCE: Duration = Duration::from_secs(20);
