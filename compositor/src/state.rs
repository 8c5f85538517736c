//! All that the compositor's thread owns.

use std::ffi::OsStr;
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use smithay::input::Seat;
use smithay::input::keyboard::{KeyboardHandle, XkbConfig};
use smithay::input::pointer::PointerHandle;
use smithay::input::touch::TouchHandle;
use smithay::output::{Mode, Output, PhysicalProperties, Scale, Subpixel};
use smithay::reexports::calloop::LoopHandle;
use smithay::reexports::wayland_server::DisplayHandle;
use smithay::reexports::wayland_server::backend::ClientId;
use smithay::utils::Transform;
use vroom_desktop::{DesktopEvent, EventSink, FrameSlot, Size};

use crate::client::{CLIENTS, Clients};
use crate::clock::FrameClock;
use crate::config::{supported_scale, supported_size};
use crate::cursor::CursorTracker;
use crate::handlers::{Captures, InputMethod, Locked, Protocols, TextInputs};
use crate::inbox::{Command, Inbox};
use crate::input::{InputState, REPEAT_DELAY_MS, REPEAT_PER_SECOND};
use crate::keymap::Typist;
use crate::screen::Screen;
use crate::selection::Selections;
use crate::shell::Shell;
use crate::spawn::Session;
use crate::x11::X11;
use crate::{CompositorConfig, Error};

/// What leads out of the compositor's thread.
pub(crate) struct Outlets {
    /// Takes the desktop's events.
    pub(crate) events: EventSink,
    /// Takes the pictures.
    pub(crate) frames: Arc<FrameSlot>,
    /// Holds the present size for other threads.
    pub(crate) size: Arc<Mutex<Size>>,
    /// Holds what other threads ask.
    pub(crate) inbox: Arc<Inbox>,
}

/// The state of the compositor; everything happens on its thread.
pub(crate) struct State {
    /// Whether the loop goes on.
    pub(crate) running: bool,
    /// Whether programs sent requests that were not handled yet.
    pub(crate) clients_ready: bool,
    pub(crate) display: DisplayHandle,
    pub(crate) handle: LoopHandle<'static, Self>,
    pub(crate) protocols: Protocols,
    pub(crate) seat: Seat<Self>,
    pub(crate) keyboard: KeyboardHandle<Self>,
    pub(crate) pointer: PointerHandle<Self>,
    pub(crate) touch: TouchHandle<Self>,
    pub(crate) output: Output,
    pub(crate) shell: Shell,
    pub(crate) clock: FrameClock,
    pub(crate) screen: Screen,
    pub(crate) input: InputState,
    pub(crate) typist: Typist,
    pub(crate) cursor: CursorTracker,
    pub(crate) selections: Selections,
    pub(crate) captures: Captures,
    pub(crate) text_inputs: TextInputs,
    pub(crate) input_method: InputMethod,
    /// Who covers the desktop, if somebody does.
    pub(crate) locked: Option<Locked>,
    pub(crate) session: Session,
    pub(crate) x11: X11,
    pub(crate) outlets: Outlets,
    /// Counts the sandboxes that are listened to.
    pub(crate) sandboxes: Arc<()>,
    pub(crate) clients: Clients,
    started_at: Instant,
}

impl State {
    /// Makes the globals that programs see and everything behind them.
    pub(crate) fn new(
        config: CompositorConfig,
        socket_name: &OsStr,
        display: DisplayHandle,
        handle: LoopHandle<'static, Self>,
        outlets: Outlets,
    ) -> Result<Self, Error> {
        let size = supported_size(config.size);
        let scale = supported_scale(config.scale);
        let clock = FrameClock::new(config.refresh_hz);
        let mut protocols = Protocols::new(&display, handle.clone());
        let mut seat = protocols.seat.new_wl_seat(&display, SEAT_NAME);
        let layout = &config.layout;
        let xkb = XkbConfig {
            rules: "",
            model: &layout.model,
            layout: &layout.layout,
            variant: &layout.variant,
            options: (!layout.options.is_empty()).then(|| layout.options.clone()),
        };
        let unknown = || Error::Layout {
            layout: layout.layout.clone(),
        };
        let keyboard = seat
            .add_keyboard(xkb, REPEAT_DELAY_MS, REPEAT_PER_SECOND)
            .map_err(|_| unknown())?;
        let typist = Typist::new(layout).ok_or_else(unknown)?;
        let pointer = seat.add_pointer();
        let touch = seat.add_touch();
        let output = output(&display);
        let mut shell = Shell::new(config.shell);
        shell.space.map_output(&output, (0, 0));
        let x11 = X11::open(&config, &handle);
        let session = Session::new(&config, socket_name, x11.name(), Arc::clone(&outlets.inbox));
        let mut state = Self {
            running: true,
            clients_ready: false,
            display,
            handle,
            protocols,
            seat,
            keyboard,
            pointer,
            touch,
            screen: Screen::new(&output, Arc::clone(&outlets.frames))?,
            output,
            shell,
            clock,
            input: InputState::default(),
            typist,
            cursor: CursorTracker::default(),
            selections: Selections::default(),
            captures: Captures::default(),
            text_inputs: TextInputs::default(),
            input_method: InputMethod::default(),
            locked: None,
            session,
            x11,
            outlets,
            sandboxes: Arc::default(),
            clients: Clients::default(),
            started_at: Instant::now(),
        };
        state.set_mode(size, scale);
        Ok(state)
    }

    /// Milliseconds on the clock that programs see; wraps around after 49 days.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "Wayland's clock is meant to wrap around"
    )]
    pub(crate) fn time_ms(&self) -> u32 {
        self.started_at.elapsed().as_millis() as u32
    }

    /// Tells whoever runs the desktop.
    pub(crate) fn tell(&self, event: DesktopEvent) {
        (self.outlets.events)(event);
    }

    /// Takes a connected program in, unless there are too many.
    pub(crate) fn add_client(&mut self, stream: UnixStream) {
        self.connect(stream, false);
    }

    /// Takes a program in that a sandbox engine vouches nothing for.
    pub(crate) fn add_sandboxed_client(&mut self, stream: UnixStream) {
        self.connect(stream, true);
    }

    /// Takes a program in and says which one it is, unless there are too many.
    pub(crate) fn connect(&mut self, stream: UnixStream, sandboxed: bool) -> Option<ClientId> {
        if self.clients.connected() >= CLIENTS {
            tracing::warn!("{CLIENTS} programs are connected; another one was turned away");
            return None;
        }
        let client = Arc::new(self.clients.state(sandboxed));
        match self.display.insert_client(stream, client) {
            Ok(client) => {
                self.clients.connected_as(client.id());
                Some(client.id())
            }
            Err(error) => {
                tracing::debug!(%error, "a program could not connect");
                None
            }
        }
    }

    /// Does what other threads asked.
    pub(crate) fn read_inbox(&mut self) {
        for command in self.outlets.inbox.take() {
            match command {
                Command::Input(event) => self.input_event(event),
                Command::Watched(watched) => self.set_watched(watched),
                Command::Resize { size, scale } => self.resize(size, scale),
                Command::Selection { selection, formats } => {
                    self.offer_selection(selection, formats);
                }
                Command::DrawCursor(drawn) => self.draw_cursor(drawn),
                #[cfg(feature = "conformance")]
                Command::Call(call) => call.run(self),
                Command::SessionEnded => self.session_ended(),
                Command::ShutDown => self.running = false,
            }
        }
    }

    /// The next moment at which [`act`](Self::act) has something to do by itself.
    pub(crate) fn deadline(&self, now: Instant) -> Option<Instant> {
        let deadlines = [
            self.clock.tick_at(now),
            self.clock.callbacks_at(),
            self.shell.hold_until(),
            self.selections.deadline(),
            self.session.deadline(),
            self.x11.deadline(),
            self.input.deadline(),
            self.clock_deadline(now),
        ];
        deadlines.into_iter().flatten().min()
    }

    /// Does what is due.
    pub(crate) fn act(&mut self, now: Instant) {
        self.apply_waiting(now);
        self.watch_x11(now);
        self.pair_x11();
        self.read_selections(now);
        self.watch_session(now);
        self.release_hold(now);
        self.follow_clock(now);
        if self.clock.callbacks_at().is_some_and(|at| at <= now) {
            self.send_callbacks();
        }
        if self.clock.tick_at(now).is_some_and(|due| due <= now) {
            self.tick(now);
        }
    }

    fn set_watched(&mut self, watched: bool) {
        self.clock.set_watched(watched);
        if watched {
            self.screen.want_whole();
            self.clock.want();
        } else {
            self.screen.release();
            self.shell.release_pictures();
        }
    }

    fn resize(&mut self, size: Size, scale: f64) {
        let size = supported_size(size);
        let scale = supported_scale(scale);
        let unchanged = self.screen.size() == size
            && (self.output.current_scale().fractional_scale() - scale).abs() < f64::EPSILON;
        if !unchanged {
            self.set_mode(size, scale);
            self.follow_output();
        }
        self.tell(DesktopEvent::Resized { size, scale });
    }

    fn set_mode(&mut self, size: Size, scale: f64) {
        let mode = Mode {
            size: (to_i32(size.width), to_i32(size.height)).into(),
            refresh: to_i32(refresh_mhz(self.clock.period())),
        };
        let old = self.output.current_mode();
        let scale = if scale.fract() == 0.0 {
            Scale::Integer(whole(scale))
        } else {
            Scale::Fractional(scale)
        };
        self.output
            .change_current_state(Some(mode), Some(Transform::Normal), Some(scale), None);
        self.output.set_preferred(mode);
        if let Some(old) = old.filter(|old| *old != mode) {
            self.output.delete_mode(old);
        }
        self.screen.resize(size, &self.output);
        *self
            .outlets
            .size
            .lock()
            .unwrap_or_else(PoisonError::into_inner) = size;
    }
}

fn output(display: &DisplayHandle) -> Output {
    let properties = PhysicalProperties {
        // Zero means unknown; programs then assume 96 dots per inch.
        size: (0, 0).into(),
        subpixel: Subpixel::None,
        make: "VROOM".into(),
        model: "headless".into(),
    };
    let output = Output::new(OUTPUT_NAME.into(), properties);
    output.create_global::<State>(display);
    output
}

fn refresh_mhz(period: Duration) -> u32 {
    u32::try_from(1_000_000_000_000 / period.as_nanos().max(1)).unwrap_or(u32::MAX)
}

fn to_i32(value: u32) -> i32 {
    i32::try_from(value).unwrap_or(i32::MAX)
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "the scale was clamped to a few units"
)]
fn whole(scale: f64) -> i32 {
    scale as i32
}

/// The name of the one seat.
const SEAT_NAME: &str = "seat0";

/// The name of the one output.
const OUTPUT_NAME: &str = "VROOM-1";
