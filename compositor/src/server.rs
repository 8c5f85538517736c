//! The compositor's event loop.

use std::ffi::{OsStr, OsString};
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use smithay::reexports::calloop::generic::Generic;
use smithay::reexports::calloop::ping::PingSource;
use smithay::reexports::calloop::{EventLoop, Interest, LoopHandle, Mode, PostAction};
use smithay::reexports::wayland_server::backend::DisconnectReason;
use smithay::reexports::wayland_server::{BindError, Display, ListeningSocket};
use vroom_desktop::{EventSink, FrameSlot, Size};

use crate::inbox::Inbox;
use crate::state::State;
use crate::{CompositorConfig, Error};

/// Everything that leads out of the compositor's thread, and what wakes it.
pub(crate) struct Outlets {
    /// Takes the desktop's events.
    pub(crate) events: EventSink,
    /// Takes the pictures.
    pub(crate) frames: Arc<FrameSlot>,
    /// Holds the present size for other threads.
    pub(crate) size: Arc<Mutex<Size>>,
    /// Holds what other threads ask.
    pub(crate) inbox: Arc<Inbox>,
    /// Fires when the inbox has something.
    pub(crate) wakes: PingSource,
}

/// The event loop, the Wayland display and the state they work on.
pub(crate) struct Server {
    event_loop: EventLoop<'static, State>,
    display: Display<State>,
    socket_name: OsString,
    pub(crate) state: State,
}

impl Server {
    /// Makes the socket, the protocols and the renderer, and starts the session command.
    pub(crate) fn start(config: CompositorConfig, outlets: Outlets) -> Result<Self, Error> {
        let event_loop = EventLoop::try_new().map_err(loop_error)?;
        let mut display =
            Display::new().map_err(|error| loop_error(std::io::Error::other(error)))?;
        let handle = event_loop.handle();
        let fd = display.backend().poll_fd().try_clone_to_owned();
        watch_display(&handle, fd.map_err(Error::EventLoop)?)?;
        let (socket, socket_name) = bind(&config.runtime_dir)?;
        listen(&handle, socket)?;
        handle
            .insert_source(outlets.wakes, |(), (), state| state.read_inbox())
            .map_err(|error| loop_error(error.error))?;
        let outlets_of_state = crate::state::Outlets {
            events: outlets.events,
            frames: outlets.frames,
            size: outlets.size,
            inbox: outlets.inbox,
        };
        let mut state = State::new(
            config,
            &socket_name,
            display.handle(),
            handle,
            outlets_of_state,
        )?;
        state.start_session();
        Ok(Self {
            event_loop,
            display,
            socket_name,
            state,
        })
    }

    /// The name of the Wayland socket.
    pub(crate) fn socket_name(&self) -> &OsStr {
        &self.socket_name
    }

    /// Runs until the desktop is told to end, then ends its session.
    ///
    /// The error is what a person should read about a loop that cannot go on.
    pub(crate) fn run(&mut self) -> Result<(), String> {
        let mut outcome = Ok(());
        while self.state.running {
            if let Err(reason) = self.turn(None) {
                outcome = Err(reason);
                break;
            }
        }
        if outcome.is_ok() {
            outcome = self.wind_down();
        }
        self.state.kill_session();
        self.disconnect_all();
        outcome
    }

    /// Ends all connections and lets go of what the programs had.
    ///
    /// Surfaces refer to themselves and grabs to what they hold, so without this all would keep its
    /// memory and its files for as long as this process lives.
    pub(crate) fn disconnect_all(&mut self) {
        self.state.drop_grabs();
        let backend = self.display.handle().backend_handle();
        for client in self.state.clients.ids() {
            backend.kill_client(client, DisconnectReason::ConnectionClosed);
        }
        // What is gone is told to the state now, and the rest once nothing else happens.
        let told = self.display.dispatch_clients(&mut self.state);
        let rest = self.event_loop.dispatch(Duration::ZERO, &mut self.state);
        if told.is_err() || rest.is_err() {
            tracing::debug!("the programs could not be let go");
        }
    }

    /// Asks the session to end and serves it until it did or its time is up.
    fn wind_down(&mut self) -> Result<(), String> {
        self.state.terminate_session();
        let deadline = Instant::now() + WIND_DOWN;
        while self.state.session_is_alive() {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero() {
                tracing::debug!("the session did not end by itself");
                break;
            }
            self.turn(Some(left.min(WIND_DOWN_LOOK)))?;
        }
        Ok(())
    }

    /// Waits for something to happen, for the next deadline or for `wait`; then does what is due.
    pub(crate) fn turn(&mut self, wait: Option<Duration>) -> Result<(), String> {
        let now = Instant::now();
        let due = self.state.deadline(now);
        let until_due = due.map(|due| due.saturating_duration_since(now));
        let timeout = match (wait, until_due) {
            (Some(wait), Some(due)) => Some(wait.min(due)),
            (wait, due) => wait.or(due),
        };
        self.event_loop
            .dispatch(timeout, &mut self.state)
            .map_err(|error| format!("the event loop of the desktop failed: {error}"))?;
        if std::mem::take(&mut self.state.clients_ready) {
            self.display
                .dispatch_clients(&mut self.state)
                .map_err(|error| format!("the Wayland display failed: {error}"))?;
        }
        self.state.act(Instant::now());
        self.display
            .flush_clients()
            .map_err(|error| format!("the Wayland display failed: {error}"))
    }
}

/// Notes when programs have sent requests; they are handled after the other events.
fn watch_display(handle: &LoopHandle<'static, State>, fd: OwnedFd) -> Result<(), Error> {
    let source = Generic::new(fd, Interest::READ, Mode::Level);
    handle
        .insert_source(source, |_, _, state| {
            state.clients_ready = true;
            Ok(PostAction::Continue)
        })
        .map_err(|error| loop_error(error.error))?;
    Ok(())
}

/// Takes connections from the socket.
fn listen(handle: &LoopHandle<'static, State>, socket: ListeningSocket) -> Result<(), Error> {
    let source = Generic::new(socket, Interest::READ, Mode::Level);
    handle
        .insert_source(source, |_, socket, state| {
            // One connection per wake-up: the loop comes back while more wait.
            match socket.accept() {
                Ok(Some(stream)) => state.add_client(stream),
                Ok(None) => {}
                Err(error) => tracing::debug!(%error, "a program could not connect"),
            }
            Ok(PostAction::Continue)
        })
        .map_err(|error| loop_error(error.error))?;
    Ok(())
}

/// Binds the first free name of `wayland-1`, `wayland-2` and so on.
fn bind(runtime_dir: &Path) -> Result<(ListeningSocket, OsString), Error> {
    let failed = |reason: String| Error::Socket {
        path: runtime_dir.to_owned(),
        reason,
    };
    for number in 1..=SOCKET_NAMES {
        let name = format!("wayland-{number}");
        let path: PathBuf = runtime_dir.join(&name);
        match ListeningSocket::bind_absolute(path) {
            Ok(socket) => return Ok((socket, name.into())),
            Err(BindError::AlreadyInUse) => {}
            Err(BindError::Io(error)) => return Err(failed(error.to_string())),
            Err(BindError::PermissionDenied) => {
                return Err(failed("it is no directory that we may write to".into()));
            }
            Err(error) => return Err(failed(error.to_string())),
        }
    }
    Err(failed(format!("all {SOCKET_NAMES} names are in use")))
}

fn loop_error(error: impl Into<std::io::Error>) -> Error {
    Error::EventLoop(error.into())
}

/// How long the session may take to end by itself; then it is killed.
const WIND_DOWN: Duration = Duration::from_millis(1200);

/// How often to look whether orphans of the session command ended, of which nobody tells us.
const WIND_DOWN_LOOK: Duration = Duration::from_millis(20);

/// The names tried for the socket before giving up.
const SOCKET_NAMES: u32 = 32;
