//! Prints what a frame costs the compositor, and how soon an input event is on the picture.
//!
//! A program on a thread of its own draws; this thread takes the frames as an encoder does. What a
//! frame costs is the processor time of the compositor's thread: handling the program's requests,
//! composing, comparing and copying what changed.

#![expect(
    clippy::print_stdout,
    clippy::expect_used,
    reason = "a program that measures and prints"
)]

use std::fs::File;
use std::io::Write as _;
use std::os::fd::AsFd as _;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use vroom_compositor::{Compositor, CompositorConfig, OnExit, ShellStyle};
use vroom_desktop::{Desktop as _, Evdev, Frame, InputEvent, KeyState, Layout, Size, Wake};
use wayland_client::globals::{GlobalListContents, registry_queue_init};
use wayland_client::protocol::{
    wl_buffer, wl_callback, wl_compositor, wl_keyboard, wl_registry, wl_seat, wl_shm, wl_shm_pool,
    wl_surface,
};
use wayland_client::{Connection, Dispatch, QueueHandle, delegate_noop};
use wayland_protocols::xdg::shell::client::{xdg_surface, xdg_toplevel, xdg_wm_base};

fn main() {
    println!("renderer: pixman; the GLES renderer is not built\n");
    for size in [Size::new(1280, 720), Size::new(1920, 1080)] {
        for (what, draws) in [
            ("all of it changes", Draws::All),
            ("one line of text changes", Draws::Line),
        ] {
            let cost = cost_per_frame(size, draws);
            let cost = cost.as_secs_f64() * 1000.0;
            println!("{size}, {what}: {cost:.2} ms of processor time per frame");
        }
    }
    let mut times = input_to_frame(Size::new(1280, 720));
    times.sort();
    let at = |part: usize| times[(times.len() - 1) * part / 100].as_secs_f64() * 1000.0;
    println!(
        "key to program to damage of the picture: p50 {:.2} ms, p95 {:.2} ms (n {})",
        at(50),
        at(95),
        times.len()
    );
}

/// The processor time of the compositor for each frame while a program draws without a pause.
fn cost_per_frame(size: Size, draws: Draws) -> Duration {
    let desk = Desk::new(size, draws);
    for _ in 0..WARM_UP {
        desk.frame();
    }
    let before = compositor_time();
    for _ in 0..FRAMES {
        desk.frame();
    }
    (compositor_time() - before) / FRAMES
}

/// The time from a key to the frame with what the program drew for it.
fn input_to_frame(size: Size) -> Vec<Duration> {
    let desk = Desk::new(size, Draws::Key);
    (0..KEYS)
        .map(|number| {
            // Not in step with the frame clock, as people are not.
            std::thread::sleep(Duration::from_millis(30 + number * 7 % 23));
            let state = if number % 2 == 0 {
                KeyState::Pressed
            } else {
                KeyState::Released
            };
            let code = Evdev(KEY_A);
            let at = Instant::now();
            desk.compositor.inject(InputEvent::Key { code, state });
            desk.frame();
            at.elapsed()
        })
        .collect()
}

/// A compositor and the program that it shows.
struct Desk {
    compositor: Compositor,
    _dir: tempfile::TempDir,
}

impl Desk {
    fn new(size: Size, draws: Draws) -> Self {
        let dir = tempfile::tempdir().expect("a folder");
        let config = CompositorConfig {
            size,
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
        };
        let compositor = Compositor::start(config, Arc::new(|_| ())).expect("a compositor");
        compositor.set_watched(true);
        let socket = dir.path().join(compositor.socket_name());
        std::thread::spawn(move || Program::run(&socket, draws));
        let desk = Self {
            compositor,
            _dir: dir,
        };
        // Nothing is measured before the window is there.
        while desk.frame().pixels.bytes()[0] != INK[0] {}
        desk
    }

    fn frame(&self) -> Frame {
        let late = Instant::now() + Duration::from_secs(20);
        match self.compositor.frames().wait(Some(late)) {
            Wake::Frame(frame) => frame,
            _ => unreachable!("the program draws, and nobody else wakes this thread"),
        }
    }
}

/// What a program draws.
#[derive(Clone, Copy)]
enum Draws {
    All,
    Line,
    Key,
}

/// A program with one window and two buffers that differ everywhere.
struct Program {
    draws: Draws,
    shm: wl_shm::WlShm,
    surface: wl_surface::WlSurface,
    size: (i32, i32),
    buffers: Vec<wl_buffer::WlBuffer>,
    files: Vec<File>,
    turn: usize,
}

impl Program {
    /// Draws until the compositor is gone.
    fn run(socket: &Path, draws: Draws) {
        let stream = UnixStream::connect(socket).expect("the socket");
        let connection = Connection::from_socket(stream).expect("a connection");
        let (globals, mut queue) = registry_queue_init::<Self>(&connection).expect("globals");
        let handle = queue.handle();
        let compositor: wl_compositor::WlCompositor =
            globals.bind(&handle, 4..=6, ()).expect("wl_compositor");
        let shell: xdg_wm_base::XdgWmBase = globals.bind(&handle, 1..=1, ()).expect("xdg_wm_base");
        let seat: wl_seat::WlSeat = globals.bind(&handle, 1..=5, ()).expect("wl_seat");
        let _keyboard = seat.get_keyboard(&handle, ());
        let surface = compositor.create_surface(&handle, ());
        let xdg = shell.get_xdg_surface(&surface, &handle, ());
        let _toplevel = xdg.get_toplevel(&handle, ());
        surface.commit();
        let mut program = Self {
            draws,
            shm: globals.bind(&handle, 1..=1, ()).expect("wl_shm"),
            surface,
            size: (0, 0),
            buffers: Vec::new(),
            files: Vec::new(),
            turn: 0,
        };
        while queue.blocking_dispatch(&mut program).is_ok() {}
    }

    fn make_buffers(&mut self, handle: &QueueHandle<Self>) {
        let (width, height) = self.size;
        for ink in [INK, PAPER] {
            let mut file = tempfile::tempfile().expect("a file");
            let bytes = ink.repeat(usize::try_from(width * height).expect("a size"));
            file.write_all(&bytes).expect("room");
            let length = i32::try_from(bytes.len()).expect("a small picture");
            let pool = self.shm.create_pool(file.as_fd(), length, handle, ());
            let format = wl_shm::Format::Xrgb8888;
            let buffer = pool.create_buffer(0, width, height, width * 4, format, handle, ());
            self.buffers.push(buffer);
            self.files.push(file);
        }
    }

    fn draw(&mut self, handle: &QueueHandle<Self>) {
        let lines = match self.draws {
            // The first picture is whole in any case.
            _ if self.turn == 0 => self.size.1,
            Draws::All => self.size.1,
            Draws::Line | Draws::Key => LINE_PX,
        };
        let top = self.size.1 - lines;
        self.surface
            .attach(Some(&self.buffers[self.turn % 2]), 0, 0);
        self.surface.damage_buffer(0, top, self.size.0, lines);
        if !matches!(self.draws, Draws::Key) {
            self.surface.frame(handle, ());
        }
        self.surface.commit();
        self.turn += 1;
    }
}

impl Dispatch<xdg_surface::XdgSurface, ()> for Program {
    fn event(
        program: &mut Self,
        xdg: &xdg_surface::XdgSurface,
        event: xdg_surface::Event,
        (): &(),
        _: &Connection,
        handle: &QueueHandle<Self>,
    ) {
        if let xdg_surface::Event::Configure { serial } = event {
            xdg.ack_configure(serial);
            if program.buffers.is_empty() && program.size.0 > 0 {
                program.make_buffers(handle);
                program.draw(handle);
            } else {
                program.surface.commit();
            }
        }
    }
}

impl Dispatch<xdg_toplevel::XdgToplevel, ()> for Program {
    fn event(
        program: &mut Self,
        _: &xdg_toplevel::XdgToplevel,
        event: xdg_toplevel::Event,
        (): &(),
        _: &Connection,
        _: &QueueHandle<Self>,
    ) {
        if let xdg_toplevel::Event::Configure { width, height, .. } = event {
            program.size = (width, height);
        }
    }
}

impl Dispatch<wl_callback::WlCallback, ()> for Program {
    fn event(
        program: &mut Self,
        _: &wl_callback::WlCallback,
        _: wl_callback::Event,
        (): &(),
        _: &Connection,
        handle: &QueueHandle<Self>,
    ) {
        program.draw(handle);
    }
}

impl Dispatch<wl_keyboard::WlKeyboard, ()> for Program {
    fn event(
        program: &mut Self,
        _: &wl_keyboard::WlKeyboard,
        event: wl_keyboard::Event,
        (): &(),
        _: &Connection,
        handle: &QueueHandle<Self>,
    ) {
        if matches!(event, wl_keyboard::Event::Key { .. }) {
            program.draw(handle);
        }
    }
}

impl Dispatch<xdg_wm_base::XdgWmBase, ()> for Program {
    fn event(
        _: &mut Self,
        base: &xdg_wm_base::XdgWmBase,
        event: xdg_wm_base::Event,
        (): &(),
        _: &Connection,
        _: &QueueHandle<Self>,
    ) {
        if let xdg_wm_base::Event::Ping { serial } = event {
            base.pong(serial);
        }
    }
}

impl Dispatch<wl_registry::WlRegistry, GlobalListContents> for Program {
    fn event(
        _: &mut Self,
        _: &wl_registry::WlRegistry,
        _: wl_registry::Event,
        _: &GlobalListContents,
        _: &Connection,
        _: &QueueHandle<Self>,
    ) {
    }
}

delegate_noop!(Program: ignore wl_compositor::WlCompositor);
delegate_noop!(Program: ignore wl_shm::WlShm);
delegate_noop!(Program: ignore wl_shm_pool::WlShmPool);
delegate_noop!(Program: ignore wl_buffer::WlBuffer);
delegate_noop!(Program: ignore wl_surface::WlSurface);
delegate_noop!(Program: ignore wl_seat::WlSeat);

/// The processor time of the compositor's thread so far.
fn compositor_time() -> Duration {
    let tasks = std::fs::read_dir("/proc/self/task").expect("/proc");
    let nanoseconds = tasks
        .filter_map(|task| {
            let task = task.ok()?.path();
            let name = std::fs::read_to_string(task.join("comm")).ok()?;
            let times = std::fs::read_to_string(task.join("schedstat")).ok()?;
            let time = times.split(' ').next()?.parse::<u64>().ok()?;
            (name.trim() == "compositor").then_some(time)
        })
        .sum();
    Duration::from_nanos(nanoseconds)
}

const WARM_UP: u32 = 30;

const FRAMES: u32 = 300;

const KEYS: u64 = 200;

const KEY_A: u16 = 30;

const LINE_PX: i32 = 16;

/// B, G, R and a byte that nobody looks at.
const INK: [u8; 4] = [0x40, 0x80, 0xc0, 0xff];

const PAPER: [u8; 4] = [0xf0, 0xf0, 0xe8, 0xff];
