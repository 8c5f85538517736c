//! All that the compositor's thread owns.

use std::ffi::OsStr;
use std::os::unix::net::UnixStream;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use smithay::input::Seat;
use smithay::input::keyboard::{KeyboardHandle, XkbConfig};
use smithay::input::pointer::PointerHandle;
use smithay::input::touch::TouchHandle;
use smithay::output::Output;
use smithay::reexports::calloop::LoopHandle;
use smithay::reexports::wayland_server::DisplayHandle;
use smithay::reexports::wayland_server::backend::ClientId;
use smithay::utils::Transform;
use vroom_desktop::{DesktopEvent, EventSink, FrameSlot, Size};

use crate::client::{CLIENTS, Clients};
use crate::clock::FrameClock;
use crate::config::{supported_scale, supported_size};
use crate::cursor::CursorTracker;
use crate::drag::Drags;
use crate::handlers::{Captures, InputMethod, Locked, OutputManagers, Protocols, TextInputs};
use crate::inbox::{Command, Inbox};
use crate::input::{InputState, REPEAT_DELAY_MS, REPEAT_PER_SECOND};
use crate::keymap::Typist;
use crate::output::{Globals, new_output};
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

impl Outlets {
    /// Tells other threads the present size.
    pub(crate) fn set_size(&self, size: Size) {
        *self.size.lock().unwrap_or_else(PoisonError::into_inner) = size;
    }
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
    /// What programs see of the output.
    pub(crate) output_globals: Globals,
    /// The programs that may set it up.
    pub(crate) output_managers: OutputManagers,
    pub(crate) shell: Shell,
    pub(crate) clock: FrameClock,
    pub(crate) screen: Screen,
    pub(crate) input: InputState,
    pub(crate) typist: Typist,
    pub(crate) cursor: CursorTracker,
    pub(crate) selections: Selections,
    pub(crate) drags: Drags,
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
        let output = new_output();
        let output_globals = Globals::of(&output, &display);
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
            screen: Screen::new(Arc::clone(&outlets.frames))?,
            output,
            output_globals,
            output_managers: OutputManagers::default(),
            shell,
            clock,
            input: InputState::default(),
            typist,
            cursor: CursorTracker::default(),
            selections: Selections::default(),
            drags: Drags::default(),
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
        state.set_mode(size, scale, Transform::Normal);
        state.announce_pens();
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
                Command::Launch { number, command } => self.launch_command(number, &command),
                Command::LaunchFailed { number, reason } => {
                    self.tell(DesktopEvent::ProgramFailed { number, reason });
                }
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
            self.drags.deadline(),
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
        self.follow_drags(now);
        self.watch_session(now);
        self.release_hold(now);
        self.follow_clock(now);
        self.follow_lock();
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
}

/// The name of the one seat.
const SEAT_NAME: &str = "seat0";
