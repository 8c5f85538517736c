//! The Wayland session that the window is in.

use std::collections::BTreeMap;
use std::io;
use std::os::fd::BorrowedFd;
use std::os::unix::net::UnixStream;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use wayland_client::backend::WaylandError;
use wayland_client::protocol::wl_callback::{self, WlCallback};
use wayland_client::protocol::wl_registry::{self, WlRegistry};
use wayland_client::{Connection, Dispatch, DispatchError, EventQueue, Proxy, QueueHandle};

use super::window::View;
use crate::Error;

/// A connection to the Wayland session that the window is to be in.
#[derive(Debug)]
pub struct Host {
    connection: Connection,
    name: String,
}

impl Host {
    /// Connects to the session that the environment names.
    ///
    /// # Errors
    ///
    /// When it names none, and when that one does not answer.
    pub fn from_env() -> Result<Self, Error> {
        let name = |variable| std::env::var(variable).ok().filter(|name| !name.is_empty());
        let Some(name) = name("WAYLAND_DISPLAY").or_else(|| name("WAYLAND_SOCKET")) else {
            return Err(Error::NoHost);
        };
        match Connection::connect_to_env() {
            Ok(connection) => Ok(Self { connection, name }),
            Err(error) => Err(failed(&name, error)),
        }
    }

    /// Uses a socket of the session that is connected already; `name` is for messages.
    ///
    /// # Errors
    ///
    /// When the socket cannot be used.
    pub fn from_stream(stream: UnixStream, name: &str) -> Result<Self, Error> {
        match Connection::from_socket(stream) {
            Ok(connection) => Ok(Self {
                connection,
                name: name.to_owned(),
            }),
            Err(error) => Err(failed(name, error)),
        }
    }

    /// What the environment calls it, for example `wayland-1`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Finds out what it has; a host that does not answer is given up after [`PATIENCE`].
    pub(super) fn look_around(self) -> Result<Found, Error> {
        let mut queue = self.connection.new_event_queue::<Listing>();
        let handle = queue.handle();
        let display = self.connection.display();
        let registry = display.get_registry(&handle, ());
        display.sync(&handle, ());
        let mut listing = Listing::default();
        let deadline = Instant::now() + PATIENCE;
        while !listing.complete {
            let turn = wait(&queue, None, Some(deadline));
            let turn = turn.and_then(|()| Ok(queue.dispatch_pending(&mut listing)?));
            turn.map_err(|error| failed(&self.name, error))?;
            if !listing.complete && Instant::now() >= deadline {
                return Err(failed(&self.name, "it does not answer"));
            }
        }
        Ok(Found {
            connection: self.connection,
            registry,
            globals: listing.globals,
            name: self.name,
        })
    }
}

/// A host and what it has.
pub(super) struct Found {
    pub(super) connection: Connection,
    registry: WlRegistry,
    /// Numbers and versions by interface; of several the last.
    globals: BTreeMap<String, (u32, u32)>,
    pub(super) name: String,
}

impl Found {
    /// What the window cannot be without.
    pub(super) fn need<I>(&self, handle: &QueueHandle<View>, highest: u32) -> Result<I, Error>
    where
        I: Proxy + 'static,
        View: Dispatch<I, ()>,
    {
        self.may_have(handle, highest)
            .ok_or_else(|| failed(&self.name, format!("it has no {}", I::interface().name)))
    }

    /// What it can do without, in no higher version than we know.
    pub(super) fn may_have<I>(&self, handle: &QueueHandle<View>, highest: u32) -> Option<I>
    where
        I: Proxy + 'static,
        View: Dispatch<I, ()>,
    {
        let (number, version) = *self.globals.get(I::interface().name)?;
        let version = version.min(highest);
        Some(self.registry.bind(number, version, handle, ()))
    }
}

/// Sends what is to be sent and waits until the host says something, the bell rings or it is time.
pub(super) fn wait<S>(
    queue: &EventQueue<S>,
    bell: Option<BorrowedFd<'_>>,
    until: Option<Instant>,
) -> Result<(), HostError> {
    let mut wanted = PollFlags::POLLIN;
    match queue.flush() {
        Ok(()) => {}
        Err(WaylandError::Io(error)) if error.kind() == io::ErrorKind::WouldBlock => {
            wanted |= PollFlags::POLLOUT;
        }
        Err(error) => return Err(error.into()),
    }
    let Some(guard) = queue.prepare_read() else {
        return Ok(());
    };
    let said = {
        let mut fds = vec![PollFd::new(guard.connection_fd(), wanted)];
        fds.extend(bell.map(|bell| PollFd::new(bell, PollFlags::POLLIN)));
        match poll(&mut fds, timeout(until)) {
            Ok(_) | Err(Errno::EINTR) => {}
            Err(error) => return Err(WaylandError::Io(error.into()).into()),
        }
        fds.first().is_some_and(|fd| fd.any().unwrap_or_default())
    };
    if !said {
        return Ok(());
    }
    match guard.read() {
        Err(WaylandError::Io(error)) if error.kind() == io::ErrorKind::WouldBlock => Ok(()),
        Err(error) => Err(error.into()),
        Ok(_) => Ok(()),
    }
}

fn timeout(until: Option<Instant>) -> PollTimeout {
    let Some(until) = until else {
        return PollTimeout::NONE;
    };
    let left = until.saturating_duration_since(Instant::now());
    // Rounded up, so that it is time when it returns.
    let ms = left.as_millis().saturating_add(1);
    PollTimeout::try_from(ms).unwrap_or(PollTimeout::MAX)
}

/// Why the host is no more.
#[derive(Debug, thiserror::Error)]
pub(super) enum HostError {
    /// Its socket was closed, or it says that we did something wrong.
    #[error("{0}")]
    Connection(#[from] WaylandError),
    /// It said something that makes no sense.
    #[error("{0}")]
    Nonsense(#[from] DispatchError),
}

fn failed(host: &str, reason: impl ToString) -> Error {
    Error::Host {
        host: host.to_owned(),
        reason: reason.to_string(),
    }
}

/// What is in a registry.
#[derive(Default)]
struct Listing {
    globals: BTreeMap<String, (u32, u32)>,
    complete: bool,
}

impl Dispatch<WlRegistry, ()> for Listing {
    fn event(
        listing: &mut Self,
        _: &WlRegistry,
        event: wl_registry::Event,
        (): &(),
        _: &Connection,
        _: &QueueHandle<Self>,
    ) {
        if let wl_registry::Event::Global {
            name,
            interface,
            version,
        } = event
            && (listing.globals.len() < GLOBALS || listing.globals.contains_key(&interface))
        {
            listing.globals.insert(interface, (name, version));
        }
    }
}

impl Dispatch<WlCallback, ()> for Listing {
    fn event(
        listing: &mut Self,
        _: &WlCallback,
        _: wl_callback::Event,
        (): &(),
        _: &Connection,
        _: &QueueHandle<Self>,
    ) {
        listing.complete = true;
    }
}

/// How long a host may take to say what it has.
const PATIENCE: Duration = Duration::from_secs(5);

/// The interfaces that are remembered; later ones are not looked at.
const GLOBALS: usize = 1024;
