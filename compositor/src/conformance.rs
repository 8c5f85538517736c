//! What a conformance suite needs besides the protocols. It is behind a feature that no product has.
//!
//! All of it waits for the compositor's thread, so a suite knows that what it asked for was done
//! before what its programs say next.

use std::fmt;
use std::io;
use std::os::unix::net::UnixStream;
use std::sync::mpsc;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use smithay::reexports::wayland_server::Resource as _;
use smithay::reexports::wayland_server::backend::ClientId;
use vroom_desktop::{Desktop as _, InputEvent};

use crate::Compositor;
use crate::inbox::Command;
use crate::state::State;

/// A program that was connected by [`Compositor::connect`].
#[derive(Clone, Debug)]
pub struct Program(ClientId);

impl Compositor {
    /// Shows nothing of ours, neither panel nor wallpaper, and lets programs draw before they
    /// acknowledged how: those of the suite do.
    pub fn bare(&self) {
        self.call(|state| {
            state.shell.bare = true;
            state.clock.want();
        });
    }

    /// Connects a program; its end of the connection and its name are returned.
    ///
    /// # Errors
    ///
    /// When there is no socket to be had, or the compositor took nobody in.
    pub fn connect(&self) -> io::Result<(UnixStream, Program)> {
        let (ours, theirs) = UnixStream::pair()?;
        let id = self.call(move |state| state.connect(ours, false));
        let id = id.flatten().ok_or(io::ErrorKind::ConnectionRefused)?;
        Ok((theirs, Program(id)))
    }

    /// Puts the window whose surface a program knows by this number at a point of the output.
    pub fn put_window(&self, program: &Program, surface: u32, x: i32, y: i32) {
        let Program(client) = program.clone();
        self.call(move |state| {
            let found = state.shell.windows().find_map(|window| {
                let id = window.wl_surface()?.id();
                let owner = state.display.backend_handle().get_client(id.clone()).ok()?;
                let is_it = id.protocol_id() == surface && owner == client;
                is_it.then(|| window.wl_surface().cloned()).flatten()
            });
            if let Some(surface) = found {
                state.put(&surface, (x, y).into());
            }
        });
    }

    /// Applies input, and returns once it was.
    pub fn inject_now(&self, event: InputEvent) {
        self.inject(event);
        self.call(|_| ());
    }

    /// Does something on the compositor's thread; `None` when that is gone.
    fn call<T: Send + 'static>(
        &self,
        task: impl FnOnce(&mut State) -> T + Send + 'static,
    ) -> Option<T> {
        let (answer, answered) = mpsc::sync_channel(1);
        let task: Task = Box::new(move |state| drop(answer.send(task(state))));
        let call = Call(Arc::new(Mutex::new(Some(task))));
        self.inbox.post(Command::Call(call));
        answered.recv_timeout(PATIENCE).ok()
    }
}

/// Something to do on the compositor's thread, once.
#[derive(Clone)]
pub(crate) struct Call(Arc<Mutex<Option<Task>>>);

type Task = Box<dyn FnOnce(&mut State) + Send>;

impl Call {
    pub(crate) fn run(&self, state: &mut State) {
        let task = self.0.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(task) = task {
            task(state);
        }
    }
}

impl fmt::Debug for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Call")
    }
}

impl PartialEq for Call {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}

/// How long to wait for the compositor's thread, which never is busy for long.
const PATIENCE: Duration = Duration::from_secs(10);
