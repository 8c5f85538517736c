//! `vroom-probe-x11`: the picture of `vroom-probe` for servers that show X11 programs.
//!
//! It covers the root window, draws the same patterns and logs keys in the same way, so that what is
//! measured of one kind of server can be compared with the other.

mod pattern;

use std::fs::File;
use std::io::{BufWriter, Write};
use std::os::unix::fs::FileExt;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};
use pattern::{BITS, CELL, Pattern};
use serde_json::{Value, json};
use x11rb::connection::Connection;
use x11rb::protocol::Event;
use x11rb::protocol::shm::ConnectionExt as _;
use x11rb::protocol::xproto::{
    ConnectionExt as _, CreateGCAux, CreateWindowAux, EventMask, ImageFormat, InputFocus,
    WindowClass,
};
use x11rb::rust_connection::RustConnection;

fn main() -> Result<()> {
    let mut log: Box<dyn Write> = Box::new(std::io::stderr());
    let mut pattern = Pattern::Card;
    let mut args = std::env::args().skip(1);
    while let Some(arg) = args.next() {
        match arg.as_str() {
            "--log" => {
                let path = args.next().context("--log needs a file")?;
                let file = File::create(&path).with_context(|| format!("creating {path}"))?;
                log = Box::new(BufWriter::new(file));
            }
            other => {
                let named = Pattern::named(other);
                pattern = named.with_context(|| format!("unknown option {other}"))?;
            }
        }
    }
    Probe::open(log, pattern)?.run()
}

struct Probe {
    log: Box<dyn Write>,
    pattern: Pattern,
    connection: RustConnection,
    window: u32,
    context: u32,
    segment: u32,
    memory: File,
    size: (u16, u16),
    events: u32,
    step: i32,
    painted: bool,
}

impl Probe {
    fn open(log: Box<dyn Write>, pattern: Pattern) -> Result<Self> {
        let (connection, screen) = x11rb::connect(None).context("connecting to the X server")?;
        let screen = connection.setup().roots.get(screen).context("no screen")?;
        let size = (screen.width_in_pixels, screen.height_in_pixels);
        let root = screen.root;
        let window = connection.generate_id()?;
        let wanted = EventMask::KEY_PRESS | EventMask::EXPOSURE | EventMask::STRUCTURE_NOTIFY;
        // No window manager is there to give it the whole screen.
        let aux = CreateWindowAux::new()
            .event_mask(wanted)
            .override_redirect(1);
        let class = WindowClass::INPUT_OUTPUT;
        connection.create_window(
            x11rb::COPY_DEPTH_FROM_PARENT,
            window,
            root,
            0,
            0,
            size.0,
            size.1,
            0,
            class,
            x11rb::COPY_FROM_PARENT,
            &aux,
        )?;
        let context = connection.generate_id()?;
        connection.create_gc(context, window, &CreateGCAux::new())?;
        let memory = tempfile::tempfile().context("making shared memory")?;
        memory.set_len(u64::from(size.0) * u64::from(size.1) * 4)?;
        let segment = connection.generate_id()?;
        connection.shm_attach_fd(segment, memory.try_clone()?, false)?;
        connection.map_window(window)?;
        connection.flush()?;
        Ok(Self {
            log,
            pattern,
            connection,
            window,
            context,
            segment,
            memory,
            size,
            events: 0,
            step: 0,
            painted: false,
        })
    }

    fn run(mut self) -> Result<()> {
        let mut next = Instant::now();
        loop {
            let event = if self.pattern.moves() && self.painted {
                self.connection.poll_for_event()?
            } else {
                Some(self.connection.wait_for_event()?)
            };
            match event {
                Some(Event::Expose(_)) => self.show(true)?,
                Some(Event::MapNotify(_)) => {
                    let none = x11rb::CURRENT_TIME;
                    self.connection
                        .set_input_focus(InputFocus::PARENT, self.window, none)?;
                    self.tell(
                        &json!({"event": "configure", "width": self.size.0, "height": self.size.1}),
                    )?;
                    self.tell(&json!({"event": "focus"}))?;
                    self.show(true)?;
                }
                Some(Event::KeyPress(key)) => {
                    self.events = self.events.wrapping_add(1);
                    self.tell(&json!({"event": "key", "code": key.detail, "state": "pressed"}))?;
                    self.show(false)?;
                }
                Some(_) => {}
                None => {
                    // As fast as a screen: X11 asks nobody for frames.
                    next = next.max(Instant::now());
                    std::thread::sleep(next.saturating_duration_since(Instant::now()));
                    next += FRAME;
                    self.step = self.step.wrapping_add(3) & 0xFFFF;
                    self.show(false)?;
                }
            }
        }
    }

    /// Draws what is due and puts it on the screen.
    fn show(&mut self, whole: bool) -> Result<()> {
        let (width, height) = (i32::from(self.size.0), i32::from(self.size.1));
        let stride = usize::from(self.size.0) * 4;
        let all = whole || self.pattern != Pattern::Card;
        let mut row = vec![0; stride];
        if all {
            for y in 0..height {
                self.pattern
                    .row(y, (width, height), self.events, self.step, &mut row);
                self.put(y, &row)?;
            }
        }
        pattern::bars(self.events, &mut row);
        let bars = usize::try_from(CELL * BITS)? * 4;
        let bars = bars.min(stride);
        for y in 0..CELL.min(height) {
            self.put(y, row.get(..bars).unwrap_or(&row))?;
        }
        let (width, height) = if all {
            self.size
        } else {
            (
                u16::try_from(CELL * BITS)?.min(self.size.0),
                u16::try_from(CELL)?,
            )
        };
        self.connection.shm_put_image(
            self.window,
            self.context,
            self.size.0,
            self.size.1,
            0,
            0,
            width,
            height,
            0,
            0,
            DEPTH,
            ImageFormat::Z_PIXMAP.into(),
            false,
            self.segment,
            0,
        )?;
        // What is drawn next must not be in this picture yet.
        self.connection.get_input_focus()?.reply()?;
        self.painted = true;
        Ok(())
    }

    fn put(&self, y: i32, bytes: &[u8]) -> Result<()> {
        let at = u64::try_from(y)? * u64::from(self.size.0) * 4;
        self.memory.write_all_at(bytes, at)?;
        Ok(())
    }

    fn tell(&mut self, line: &Value) -> Result<()> {
        writeln!(self.log, "{line}")?;
        self.log.flush()?;
        Ok(())
    }
}

/// The bits of a pixel that count.
const DEPTH: u8 = 24;

/// The time between two pictures of what moves.
const FRAME: Duration = Duration::from_micros(16_667);
