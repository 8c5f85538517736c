//! A compositor and programs that talk to it over socket pairs, in one thread.

use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use smithay::reexports::calloop::ping::make_ping;
use tempfile::TempDir;
use vroom_desktop::{
    BYTES_PER_PIXEL, DesktopEvent, Evdev, Frame, FrameSlot, InputEvent, KeyState, Layout, Size,
};

use wayland_client::Proxy as _;

use super::client::{Client, Window};
use crate::inbox::{Command, Inbox};
use crate::server::{Outlets, Server};
use crate::{CompositorConfig, OnExit, ShellStyle};

/// The compositor, its programs and what leads out of it.
pub(super) struct Fixture {
    pub(super) server: Server,
    pub(super) clients: Vec<Client>,
    pub(super) frames: Arc<FrameSlot>,
    pub(super) inbox: Arc<Inbox>,
    events: Receiver<DesktopEvent>,
    seen: Vec<DesktopEvent>,
    shadow: Shadow,
    runtime_dir: TempDir,
}

pub(super) const SIZE: Size = Size::new(640, 480);

impl Fixture {
    /// A watched compositor of [`SIZE`] without a session.
    pub(super) fn new() -> Self {
        let mut fixture = Self::with(|_| ());
        fixture.post(Command::Watched(true));
        fixture.frame();
        fixture
    }

    /// A compositor that nobody watches yet.
    pub(super) fn with(change: impl FnOnce(&mut CompositorConfig)) -> Self {
        let runtime_dir = tempfile::tempdir().unwrap();
        let mut config = CompositorConfig {
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
            runtime_dir: runtime_dir.path().to_owned(),
            env: Vec::new(),
        };
        change(&mut config);
        let (ping, wakes) = make_ping().unwrap();
        let inbox = Arc::new(Inbox::new(ping));
        let frames = Arc::new(FrameSlot::new());
        let (sender, events) = channel();
        let outlets = Outlets {
            events: Arc::new(move |event| drop(sender.send(event))),
            frames: Arc::clone(&frames),
            size: Arc::new(Mutex::new(config.size)),
            inbox: Arc::clone(&inbox),
            wakes,
        };
        Self {
            server: Server::start(config, outlets).unwrap(),
            clients: Vec::new(),
            frames,
            inbox,
            events,
            seen: Vec::new(),
            shadow: Shadow::default(),
            runtime_dir,
        }
    }

    /// The folder of the session.
    pub(super) fn runtime_dir(&self) -> &Path {
        self.runtime_dir.path()
    }

    /// Connects a program and lets it find the globals.
    pub(super) fn connect(&mut self) -> usize {
        let (ours, theirs) = UnixStream::pair().unwrap();
        self.server.state.add_client(ours);
        self.clients.push(Client::new(theirs));
        let id = self.clients.len() - 1;
        self.roundtrip(id);
        self.roundtrip(id);
        id
    }

    pub(super) fn client(&mut self, id: usize) -> &mut Client {
        &mut self.clients[id]
    }

    /// Lets everybody work once, waiting a moment when there is nothing to do.
    pub(super) fn step(&mut self) {
        self.server.turn(Some(Duration::from_millis(1))).unwrap();
        for client in &mut self.clients {
            client.dispatch();
        }
        self.seen.extend(self.events.try_iter());
    }

    /// Lets everybody work until a condition holds.
    pub(super) fn until(&mut self, what: &str, mut holds: impl FnMut(&mut Self) -> bool) {
        let deadline = Instant::now() + PATIENCE;
        while !holds(self) {
            assert!(Instant::now() < deadline, "waited in vain for {what}");
            self.step();
        }
    }

    /// Lets the compositor handle all that a program has sent, and the program the answers.
    pub(super) fn roundtrip(&mut self, id: usize) {
        let done = self.client(id).sync();
        self.until("a roundtrip", |fixture| {
            let client = fixture.client(id);
            client.is_disconnected() || client.is_done(done)
        });
    }

    pub(super) fn post(&mut self, command: Command) {
        self.inbox.post(command);
        self.step();
    }

    pub(super) fn inject(&mut self, event: InputEvent) {
        self.post(Command::Input(event));
    }

    pub(super) fn key(&mut self, code: u16, state: KeyState) {
        let code = Evdev(code);
        self.inject(InputEvent::Key { code, state });
    }

    pub(super) fn button(&mut self, code: u16, state: KeyState) {
        let code = Evdev(code);
        self.inject(InputEvent::PointerButton { code, state });
    }

    pub(super) fn click(&mut self, x: f64, y: f64) {
        self.inject(InputEvent::PointerMotion { x, y });
        self.button(0x110, KeyState::Pressed);
        self.button(0x110, KeyState::Released);
    }

    /// The next frame; checks that damage alone rebuilds it.
    pub(super) fn frame(&mut self) -> Frame {
        let mut taken = None;
        self.until("a frame", |fixture| {
            taken = fixture.frames.take();
            taken.is_some()
        });
        let frame = taken.unwrap();
        self.shadow.check(&frame);
        frame
    }

    /// Frames until one satisfies a condition.
    pub(super) fn frame_with(&mut self, what: &str, holds: impl Fn(&Frame) -> bool) -> Frame {
        let mut found = None;
        self.until(what, |fixture| {
            if let Some(frame) = fixture.frames.take() {
                fixture.shadow.check(&frame);
                found = holds(&frame).then_some(frame);
            }
            found.is_some()
        });
        found.unwrap()
    }

    /// Lets everything come to rest: no deadline is left and nobody has sent anything.
    pub(super) fn settle(&mut self) {
        for _ in 0..2 {
            for id in 0..self.clients.len() {
                if !self.client(id).is_disconnected() {
                    self.roundtrip(id);
                }
            }
            self.until("the compositor to come to rest", |fixture| {
                fixture.server.state.deadline(Instant::now()).is_none()
            });
        }
        if let Some(frame) = self.frames.take() {
            self.shadow.check(&frame);
        }
    }

    /// Waits for an event of the desktop that satisfies a condition and forgets those before.
    pub(super) fn event<T>(&mut self, what: &str, find: impl Fn(&DesktopEvent) -> Option<T>) -> T {
        let mut found = None;
        self.until(what, |fixture| {
            while found.is_none() && !fixture.seen.is_empty() {
                found = find(&fixture.seen.remove(0));
            }
            found.is_some()
        });
        found.unwrap()
    }

    /// Forgets all events of the desktop so far.
    pub(super) fn forget_events(&mut self) -> Vec<DesktopEvent> {
        self.step();
        std::mem::take(&mut self.seen)
    }

    /// Opens a window of one colour at the size it is told, or at `size`, and waits for it to show.
    pub(super) fn window(&mut self, id: usize, size: (i32, i32), colour: u32) -> Window {
        self.window_with(id, size, colour, |_, _| ())
    }

    /// Like [`window`](Self::window), with something to do before the first commit.
    pub(super) fn window_with(
        &mut self,
        id: usize,
        size: (i32, i32),
        colour: u32,
        prepare: impl FnOnce(&mut Client, &Window),
    ) -> Window {
        let window = self.client(id).create_window();
        prepare(self.client(id), &window);
        window.surface.commit();
        self.until("a first configuration", |fixture| {
            fixture.client(id).configure(&window).is_some()
        });
        self.draw(id, &window, size, colour);
        self.roundtrip(id);
        self.roundtrip(id);
        window
    }

    /// Acknowledges the last configuration of a window and fills it with a colour.
    pub(super) fn draw(&mut self, id: usize, window: &Window, size: (i32, i32), colour: u32) {
        let client = self.client(id);
        let told = client.configure(window).unwrap();
        let (width, height) = if told.size == (0, 0) { size } else { told.size };
        // Each configuration may be acknowledged once.
        if client
            .memory
            .acked
            .insert(window.xdg_surface.id(), told.serial)
            != Some(told.serial)
        {
            window.xdg_surface.ack_configure(told.serial);
        }
        let buffer = client.buffer(width, height, colour);
        window.surface.attach(Some(&buffer), 0, 0);
        window.surface.damage_buffer(0, 0, width, height);
        window.surface.commit();
    }
}

impl Drop for Fixture {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            self.server.disconnect_all();
        }
    }
}

/// The pixel of a frame, as 0xRRGGBB.
pub(super) fn pixel(frame: &Frame, x: u32, y: u32) -> u32 {
    let at = (y * frame.size().width + x) as usize * BYTES_PER_PIXEL;
    let bytes = &frame.pixels.bytes()[at..at + BYTES_PER_PIXEL];
    u32::from_le_bytes(bytes.try_into().unwrap()) & 0x00ff_ffff
}

/// A picture rebuilt from damage alone.
#[derive(Default)]
struct Shadow {
    size: Size,
    bytes: Vec<u8>,
}

impl Shadow {
    fn check(&mut self, frame: &Frame) {
        let stride = frame.pixels.stride();
        if self.size != frame.size() {
            self.size = frame.size();
            self.bytes = vec![0; frame.pixels.bytes().len()];
        }
        for rect in frame.damage.rects() {
            for y in rect.y..rect.bottom() {
                let start = y as usize * stride + rect.x as usize * BYTES_PER_PIXEL;
                let end = start + rect.width as usize * BYTES_PER_PIXEL;
                self.bytes[start..end].copy_from_slice(&frame.pixels.bytes()[start..end]);
            }
        }
        assert!(
            self.bytes == frame.pixels.bytes(),
            "damage does not say all that changed"
        );
    }
}

/// How long a test waits for what must come.
const PATIENCE: Duration = Duration::from_secs(20);
