//! `vroom-probe`: a Wayland program that shows what it is told and tells what it got.
//!
//! It draws a card of eight colours with a barcode in the top left corner: the number of input
//! events so far. Every event is one line of JSON on the log, so that a test can compare what a
//! browser sent with what a program received, and a picture with what was drawn.
//!
//! With `--scroll` it moves a band of stripes as fast as the compositor asks for frames, and with
//! `--scroll-text` lines of text, which is the load of the benches; with `--motion` the whole window moves. With `--text` it draws coloured
//! text, other text after each input event. With `--flash` it turns white twice a second for a tenth of one, and beeps
//! meanwhile: samples of 16 bits, two channels, 48000 times a second, on standard output.
//!
//! With `--pace` and milliseconds it draws what moves only so often, counts these pictures in its barcode instead of
//! input, and logs when it handed over each, in microseconds since 1970.
//!
//! It takes a pen as the tool of a tablet, and with `--no-tablet` it does not. With `--lock` it holds the pointer from
//! a click until the key U, as games do; with `--confine` it keeps the pointer in its left half.

mod beat;
#[path = "../pattern.rs"]
mod pattern;
mod pointer;
mod seat;
mod tablet;

use std::fs::File;
use std::io::{BufWriter, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::FileExt;
use std::time::{Duration, SystemTime};

use anyhow::{Context, Result};
use serde_json::{Value, json};
use wayland_client::protocol::{
    wl_buffer, wl_callback, wl_compositor, wl_registry, wl_seat, wl_shm, wl_shm_pool, wl_surface,
};
use wayland_client::{Connection, Dispatch, EventQueue, QueueHandle, delegate_noop};
use wayland_protocols::wp::tablet::zv2::client::zwp_tablet_manager_v2::ZwpTabletManagerV2;
use wayland_protocols::xdg::shell::client::{xdg_surface, xdg_toplevel, xdg_wm_base};

use self::beat::Beat;
use self::pattern::{BITS, CELL, Pattern};
use self::pointer::Pointer;

fn main() -> Result<()> {
    let options = Options::parse(std::env::args().skip(1))?;
    let connection = Connection::connect_to_env().context("connecting to the Wayland display")?;
    let mut queue: EventQueue<Probe> = connection.new_event_queue();
    let handle = queue.handle();
    let _registry = connection.display().get_registry(&handle, ());
    let mut probe = Probe::new(options);
    queue.roundtrip(&mut probe)?;
    probe.map(&handle)?;
    let mut beat = None;
    while !probe.closed {
        // Nothing may be drawn before the window has a size.
        if beat.is_none() && probe.options.pattern == Pattern::Flash && probe.shown.is_some() {
            beat = Some(Beat::start()?);
        }
        match &mut beat {
            Some(beat) => {
                if let Some(loud) = beat.wait(&mut queue, &mut probe)? {
                    probe.step = loud.into();
                    probe.redraw(&handle);
                }
            }
            None => drop(queue.blocking_dispatch(&mut probe)?),
        }
        if let Some(error) = probe.failed.take() {
            return Err(error);
        }
    }
    probe.log(&json!({"event": "closed"}))
}

struct Options {
    log: Box<dyn Write>,
    pattern: Pattern,
    tablet: bool,
    hold: Hold,
    title: String,
    pace: Option<Duration>,
}

/// What the program does to the pointer.
#[derive(Clone, Copy, Eq, PartialEq)]
enum Hold {
    Nothing,
    Locks,
    Confines,
}

impl Options {
    fn parse(mut args: impl Iterator<Item = String>) -> Result<Self> {
        let mut options = Self {
            log: Box::new(std::io::stderr()),
            pattern: Pattern::Card,
            tablet: true,
            hold: Hold::Nothing,
            title: "vroom-probe".into(),
            pace: None,
        };
        while let Some(arg) = args.next() {
            match arg.as_str() {
                "--log" => {
                    let path = args.next().context("--log needs a file")?;
                    let file = File::create(&path).with_context(|| format!("creating {path}"))?;
                    options.log = Box::new(BufWriter::new(file));
                }
                "--title" => options.title = args.next().context("--title needs a text")?,
                "--pace" => {
                    let ms = args.next().context("--pace needs milliseconds")?;
                    options.pace = Some(Duration::from_millis(ms.parse()?));
                }
                "--no-tablet" => options.tablet = false,
                "--lock" => options.hold = Hold::Locks,
                "--confine" => options.hold = Hold::Confines,
                other => match Pattern::named(other) {
                    Some(pattern) => options.pattern = pattern,
                    None => anyhow::bail!(
                        "unknown option {other}; known: --log --title --scroll --scroll-text --text \
                         --motion --flash --pace --no-tablet --lock --confine"
                    ),
                },
            }
        }
        Ok(options)
    }
}

/// Everything the program owns.
struct Probe {
    options: Options,
    compositor: Option<wl_compositor::WlCompositor>,
    shm: Option<wl_shm::WlShm>,
    shell: Option<xdg_wm_base::XdgWmBase>,
    seat: Option<wl_seat::WlSeat>,
    tablets: Option<ZwpTabletManagerV2>,
    pointer: Pointer,
    window: Option<Window>,
    /// The size to draw, from the last configure.
    width: i32,
    height: i32,
    events: u32,
    step: i32,
    /// What was drawn last.
    shown: Option<Shown>,
    framed: bool,
    closed: bool,
    failed: Option<anyhow::Error>,
}

/// What a picture tells: events, step and size.
type Shown = (u32, i32, (i32, i32));

struct Window {
    surface: wl_surface::WlSurface,
    _xdg_surface: xdg_surface::XdgSurface,
    _toplevel: xdg_toplevel::XdgToplevel,
    canvases: Vec<Canvas>,
}

/// One buffer.
struct Canvas {
    buffer: wl_buffer::WlBuffer,
    file: File,
    width: i32,
    height: i32,
    busy: bool,
    /// It was drawn in once.
    drawn: bool,
}

impl Probe {
    fn new(options: Options) -> Self {
        Self {
            options,
            compositor: None,
            shm: None,
            shell: None,
            seat: None,
            tablets: None,
            pointer: Pointer::default(),
            window: None,
            width: 640,
            height: 400,
            events: 0,
            step: 0,
            shown: None,
            framed: false,
            closed: false,
            failed: None,
        }
    }

    fn map(&mut self, handle: &QueueHandle<Self>) -> Result<()> {
        if let (Some(tablets), Some(seat)) = (&self.tablets, &self.seat) {
            tablets.get_tablet_seat(seat, handle, ());
        }
        let compositor = self.compositor.as_ref().context("no wl_compositor")?;
        let shell = self.shell.as_ref().context("no xdg_wm_base")?;
        let surface = compositor.create_surface(handle, ());
        let xdg_surface = shell.get_xdg_surface(&surface, handle, ());
        let toplevel = xdg_surface.get_toplevel(handle, ());
        toplevel.set_title(self.options.title.clone());
        toplevel.set_app_id("vroom-probe".into());
        surface.commit();
        self.window = Some(Window {
            surface,
            _xdg_surface: xdg_surface,
            _toplevel: toplevel,
            canvases: Vec::new(),
        });
        Ok(())
    }

    fn log(&mut self, line: &Value) -> Result<()> {
        writeln!(self.options.log, "{line}")?;
        self.options.log.flush()?;
        Ok(())
    }

    /// Counts an input event, logs it and shows the new count.
    fn input(&mut self, handle: &QueueHandle<Self>, line: &Value) {
        self.events = self.events.wrapping_add(1);
        self.tell(line);
        self.redraw(handle);
    }

    fn tell(&mut self, line: &Value) {
        if let Err(error) = self.log(line) {
            self.failed = Some(error);
        }
    }

    /// What is to be seen now.
    fn due(&self) -> Shown {
        (self.events, self.step, (self.width, self.height))
    }

    /// Draws what is due, unless that was done.
    fn redraw(&mut self, handle: &QueueHandle<Self>) {
        if let Err(error) = self.draw(handle) {
            self.failed = Some(error);
        }
    }

    fn draw(&mut self, handle: &QueueHandle<Self>) -> Result<()> {
        let (width, height) = (self.width, self.height);
        let (events, step, pattern) = (self.events, self.step, self.options.pattern);
        if self.shown == Some(self.due()) {
            return Ok(());
        }
        let shm = self.shm.as_ref().context("no wl_shm")?;
        let window = self.window.as_mut().context("no window")?;
        window
            .canvases
            .retain(|canvas| canvas.busy || (canvas.width, canvas.height) == (width, height));
        let free = window
            .canvases
            .iter()
            .position(|canvas| !canvas.busy && (canvas.width, canvas.height) == (width, height));
        let index = match free {
            Some(index) => index,
            // The compositor holds every buffer: the release event draws what is due.
            None if window.canvases.len() >= CANVASES => return Ok(()),
            None => {
                window
                    .canvases
                    .push(Canvas::new(shm, handle, width, height)?);
                window.canvases.len() - 1
            }
        };
        let Some(canvas) = window.canvases.get_mut(index) else {
            return Ok(());
        };
        let whole = !canvas.drawn;
        canvas.paint(pattern, events, step)?;
        canvas.busy = true;
        window.surface.attach(Some(&canvas.buffer), 0, 0);
        if whole || pattern != Pattern::Card {
            window.surface.damage_buffer(0, 0, width, height);
        } else {
            window.surface.damage_buffer(0, 0, CELL * BITS, CELL);
        }
        if pattern.moves() && !self.framed {
            window.surface.frame(handle, ());
            self.framed = true;
        }
        window.surface.commit();
        self.shown = Some(self.due());
        if self.options.pace.is_some() {
            let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH)?;
            let at_us = u64::try_from(now.as_micros())?;
            self.log(&json!({"event": "drawn", "number": events, "at_us": at_us}))?;
        }
        Ok(())
    }
}

impl Canvas {
    fn new(
        shm: &wl_shm::WlShm,
        handle: &QueueHandle<Probe>,
        width: i32,
        height: i32,
    ) -> Result<Self> {
        let file = tempfile::tempfile().context("making shared memory")?;
        let length = width * height * 4;
        file.set_len(u64::try_from(length)?)?;
        let pool = shm.create_pool(file.as_fd(), length, handle, ());
        let format = wl_shm::Format::Xrgb8888;
        let buffer = pool.create_buffer(0, width, height, width * 4, format, handle, ());
        pool.destroy();
        Ok(Self {
            buffer,
            file,
            width,
            height,
            busy: false,
            drawn: false,
        })
    }

    /// Writes what changed since this canvas was last written.
    fn paint(&mut self, pattern: Pattern, events: u32, step: i32) -> Result<()> {
        let mut row = vec![0_u8; usize::try_from(self.width)? * 4];
        if !self.drawn || pattern != Pattern::Card {
            for y in 0..self.height {
                pattern.row(y, (self.width, self.height), events, step, &mut row);
                self.put(0, y, &row)?;
            }
        }
        pattern::bars(events, &mut row);
        let bars = usize::try_from(CELL * BITS)? * 4;
        let bars = &row[..bars.min(row.len())];
        for y in 0..CELL.min(self.height) {
            self.put(0, y, bars)?;
        }
        self.drawn = true;
        Ok(())
    }

    fn put(&self, x: i32, y: i32, bytes: &[u8]) -> Result<()> {
        let room = (self.width - x).max(0) * 4;
        let bytes = &bytes[..bytes.len().min(usize::try_from(room)?)];
        self.file
            .write_all_at(bytes, u64::try_from((y * self.width + x) * 4)?)?;
        Ok(())
    }
}

impl Drop for Canvas {
    fn drop(&mut self) {
        // The compositor keeps the memory for as long as the buffer lives.
        self.buffer.destroy();
    }
}

/// The most buffers.
const CANVASES: usize = 3;

impl Dispatch<wl_registry::WlRegistry, ()> for Probe {
    fn event(
        probe: &mut Self,
        registry: &wl_registry::WlRegistry,
        event: wl_registry::Event,
        (): &(),
        _: &Connection,
        handle: &QueueHandle<Self>,
    ) {
        let wl_registry::Event::Global {
            name,
            interface,
            version,
        } = event
        else {
            return;
        };
        match interface.as_str() {
            "wl_compositor" => probe.compositor = Some(registry.bind(name, 4, handle, ())),
            "wl_shm" => probe.shm = Some(registry.bind(name, 1, handle, ())),
            "xdg_wm_base" => probe.shell = Some(registry.bind(name, 1, handle, ())),
            "wl_seat" => probe.seat = Some(registry.bind(name, version.min(8), handle, ())),
            "zwp_tablet_manager_v2" if probe.options.tablet => {
                probe.tablets = Some(registry.bind(name, 1, handle, ()));
            }
            "zwp_pointer_constraints_v1" if probe.options.hold != Hold::Nothing => {
                probe.pointer.constraints = Some(registry.bind(name, 1, handle, ()));
            }
            "zwp_relative_pointer_manager_v1" if probe.options.hold != Hold::Nothing => {
                probe.pointer.relative = Some(registry.bind(name, 1, handle, ()));
            }
            _ => {}
        }
    }
}

impl Dispatch<xdg_wm_base::XdgWmBase, ()> for Probe {
    fn event(
        _: &mut Self,
        shell: &xdg_wm_base::XdgWmBase,
        event: xdg_wm_base::Event,
        (): &(),
        _: &Connection,
        _: &QueueHandle<Self>,
    ) {
        if let xdg_wm_base::Event::Ping { serial } = event {
            shell.pong(serial);
        }
    }
}

impl Dispatch<xdg_surface::XdgSurface, ()> for Probe {
    fn event(
        probe: &mut Self,
        surface: &xdg_surface::XdgSurface,
        event: xdg_surface::Event,
        (): &(),
        _: &Connection,
        handle: &QueueHandle<Self>,
    ) {
        if let xdg_surface::Event::Configure { serial } = event {
            surface.ack_configure(serial);
            let line = json!({"event": "configure", "width": probe.width, "height": probe.height});
            probe.tell(&line);
            probe.redraw(handle);
        }
    }
}

impl Dispatch<xdg_toplevel::XdgToplevel, ()> for Probe {
    fn event(
        probe: &mut Self,
        _: &xdg_toplevel::XdgToplevel,
        event: xdg_toplevel::Event,
        (): &(),
        _: &Connection,
        _: &QueueHandle<Self>,
    ) {
        match event {
            xdg_toplevel::Event::Configure { width, height, .. } if width > 0 && height > 0 => {
                (probe.width, probe.height) = (width, height);
            }
            xdg_toplevel::Event::Close => probe.closed = true,
            _ => {}
        }
    }
}

impl Dispatch<wl_buffer::WlBuffer, ()> for Probe {
    fn event(
        probe: &mut Self,
        buffer: &wl_buffer::WlBuffer,
        event: wl_buffer::Event,
        (): &(),
        _: &Connection,
        handle: &QueueHandle<Self>,
    ) {
        if let wl_buffer::Event::Release = event {
            if let Some(window) = &mut probe.window {
                for canvas in &mut window.canvases {
                    if canvas.buffer == *buffer {
                        canvas.busy = false;
                    }
                }
            }
            probe.redraw(handle);
        }
    }
}

impl Dispatch<wl_callback::WlCallback, ()> for Probe {
    fn event(
        probe: &mut Self,
        _: &wl_callback::WlCallback,
        _: wl_callback::Event,
        (): &(),
        _: &Connection,
        handle: &QueueHandle<Self>,
    ) {
        probe.framed = false;
        if let Some(pace) = probe.options.pace {
            std::thread::sleep(pace);
            probe.events = probe.events.wrapping_add(1);
        }
        probe.step = probe.step.wrapping_add(3) & 0xFFFF;
        probe.redraw(handle);
    }
}

delegate_noop!(Probe: ignore wl_compositor::WlCompositor);
delegate_noop!(Probe: ignore wl_shm::WlShm);
delegate_noop!(Probe: ignore wl_shm_pool::WlShmPool);
delegate_noop!(Probe: ignore wl_surface::WlSurface);
