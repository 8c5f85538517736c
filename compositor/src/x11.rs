//! X11 programs: a display of their own, whose server is started when the first of them connects.
//!
//! The display is there from the start, so that `DISPLAY` can name it, but nothing runs behind it.
//! Xwayland is started by the first connection, takes over the socket, and ends by itself some
//! time after the last program did.

use std::ffi::OsString;
use std::fs::{DirBuilder, OpenOptions, Permissions, set_permissions};
use std::io::{self, ErrorKind, Write as _};
use std::os::fd::OwnedFd;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _, PermissionsExt as _};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use smithay::reexports::calloop::generic::Generic;
use smithay::reexports::calloop::{Interest, LoopHandle, Mode, PostAction, RegistrationToken};
use smithay::reexports::wayland_server::Client;
use smithay::wayland::selection::SelectionTarget;
use smithay::xwayland::xwm::XwmId;
use smithay::xwayland::{X11Surface, X11Wm, XWayland, XWaylandEvent};

use crate::CompositorConfig;
use crate::apps::find_program;
use crate::state::State;

/// The display of X11 programs and what serves it.
pub(crate) struct X11 {
    display: Option<Display>,
    /// The program that serves it.
    pub(crate) program: &'static str,
    /// The folder of the script that is run in the place of Xwayland.
    starter: PathBuf,
    server: Option<Server>,
    /// The window manager of the server that runs, and those of a few that ran before: what is
    /// still under way for one of them asks for it.
    pub(crate) managers: Vec<X11Wm>,
    /// Windows that are mapped and whose surface is not known yet.
    pub(crate) unpaired: Vec<X11Surface>,
    /// The window that has the keyboard.
    pub(crate) focused: Option<X11Surface>,
    /// Why the last program that connected could not be shown.
    pub(crate) failure: Option<String>,
    /// The formats of what others copied.
    pub(crate) offers: Vec<(SelectionTarget, Vec<String>)>,
}

/// A display that programs connect to.
struct Display {
    number: u32,
    socket: UnixListener,
    /// What notices the first connection; it rests while a server takes them.
    watch: Option<RegistrationToken>,
}

/// Xwayland.
struct Server {
    client: Client,
    /// Its event source, which ends it when it is dropped.
    token: RegistrationToken,
    /// By when it has to be ready; `None` once it is.
    ready_by: Option<Instant>,
}

impl X11 {
    /// Opens a display, where that is wanted and possible.
    pub(crate) fn open(config: &CompositorConfig, events: &LoopHandle<'static, State>) -> Self {
        let starter = config.runtime_dir.join("x11");
        let display = config.x11.then(|| {
            write_starter(&starter)?;
            let mut display = Display::open()?;
            display.listen(events)?;
            Ok(display)
        });
        let display = display.and_then(|display: io::Result<Display>| {
            display
                .inspect_err(|error| {
                    tracing::warn!(%error, "there is no display for X11 programs");
                })
                .ok()
        });
        Self {
            display,
            program: "Xwayland",
            starter,
            server: None,
            managers: Vec::new(),
            unpaired: Vec::new(),
            focused: None,
            failure: None,
            offers: Vec::new(),
        }
    }

    /// What `DISPLAY` is for programs of the session.
    pub(crate) fn name(&self) -> Option<OsString> {
        let display = self.display.as_ref()?;
        Some(format!(":{}", display.number).into())
    }

    /// The connection of the server, once it is ready.
    pub(crate) fn client(&self) -> Option<&Client> {
        let server = self.server.as_ref()?;
        server.ready_by.is_none().then_some(&server.client)
    }

    /// When a server that is not ready by then is given up.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.server.as_ref()?.ready_by
    }
}

impl Display {
    /// Takes the first display that is free.
    fn open() -> io::Result<Self> {
        match DirBuilder::new().create(SOCKETS) {
            // Everybody has sockets in it, and nobody removes those of others.
            Ok(()) => set_permissions(SOCKETS, Permissions::from_mode(0o1777))?,
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
        for number in DISPLAYS {
            if !lock(number)? {
                continue;
            }
            let socket = bind(number).inspect_err(|_| remove(number))?;
            return Ok(Self {
                number,
                socket,
                watch: None,
            });
        }
        Err(io::Error::other("all displays are taken"))
    }

    /// Watches for the first connection.
    fn listen(&mut self, events: &LoopHandle<'static, State>) -> io::Result<()> {
        let socket = self.socket.try_clone()?;
        let source = Generic::new(socket, Interest::READ, Mode::Level);
        let watch = events.insert_source(source, |_, _, state| {
            // A server that starts takes the connection from the same socket.
            let started = state.start_x11();
            Ok(if started {
                PostAction::Disable
            } else {
                PostAction::Continue
            })
        });
        self.watch = Some(watch.map_err(|error| io::Error::from(error.error))?);
        Ok(())
    }

    /// Closes the connections that wait for a server which does not come.
    fn refuse(&self) {
        while self.socket.accept().is_ok() {}
    }
}

impl Drop for Display {
    fn drop(&mut self) {
        remove(self.number);
    }
}

impl State {
    /// Starts Xwayland because a program connected; whether it did.
    fn start_x11(&mut self) -> bool {
        let started = find_program(self.x11.program).map_or_else(
            || Err("Xwayland is not installed; install the package xwayland".to_owned()),
            |program| self.spawn_x11(&program).map_err(|error| error.to_string()),
        );
        let Err(reason) = started else {
            return true;
        };
        self.x11_failed(&reason);
        false
    }

    fn spawn_x11(&mut self, program: &Path) -> io::Result<()> {
        let Some(display) = &self.x11.display else {
            return Err(io::Error::other("there is no display"));
        };
        let mut path = self.x11.starter.clone().into_os_string();
        if let Some(others) = std::env::var_os("PATH") {
            path.push(":");
            path.push(others);
        }
        let variables = [("PATH", path), ("VROOM_XWAYLAND", program.into())];
        // smithay's own sockets are for a display that nobody is told of.
        let socket = OwnedFd::from(display.socket.try_clone()?);
        let (server, client) = XWayland::spawn(
            &self.display,
            None,
            variables,
            false,
            Stdio::from(socket),
            Stdio::null(),
            |_| (),
        )?;
        let token = self
            .handle
            .insert_source(server, |event, (), state| state.x11_event(event))
            .map_err(|error| io::Error::from(error.error))?;
        self.x11.server = Some(Server {
            client,
            token,
            ready_by: Some(Instant::now() + START_TIME),
        });
        tracing::debug!("Xwayland was started for an X11 program");
        Ok(())
    }

    fn x11_event(&mut self, event: XWaylandEvent) {
        let Some(server) = &mut self.x11.server else {
            return;
        };
        let XWaylandEvent::Ready { x11_socket, .. } = event else {
            return self.x11_ended(Some("Xwayland ended while it started"));
        };
        server.ready_by = None;
        let client = server.client.clone();
        match X11Wm::start_wm(self.handle.clone(), x11_socket, client) {
            Ok(manager) => {
                let kept = self.x11.managers.len().saturating_sub(MANAGERS - 1);
                self.x11.managers.drain(..kept);
                self.x11.managers.push(manager);
                self.offer_to_x11();
            }
            Err(error) => self.x11_ended(Some(&format!("its windows cannot be managed: {error}"))),
        }
    }

    /// Gives up a server that ended or does not become ready.
    pub(crate) fn watch_x11(&mut self, now: Instant) {
        let Some(server) = &self.x11.server else {
            return;
        };
        let ready_by = server.ready_by;
        let connection = self.display.backend_handle();
        let is_gone = connection.get_client_data(server.client.id()).is_err();
        match ready_by {
            Some(_) if is_gone => self.x11_ended(Some("Xwayland ended while it started")),
            Some(until) if until <= now => self.x11_ended(Some("Xwayland does not answer")),
            None if is_gone => self.x11_ended(None),
            _ => {}
        }
    }

    /// The window manager lost its server.
    pub(crate) fn x11_disconnected(&mut self, manager: XwmId) {
        if self.x11.managers.last().map(X11Wm::id) == Some(manager) {
            self.x11_ended(None);
        }
    }

    /// Forgets a server and its windows, and waits for the next program.
    fn x11_ended(&mut self, reason: Option<&str>) {
        let Some(server) = self.x11.server.take() else {
            return;
        };
        self.handle.remove(server.token);
        self.x11.unpaired.clear();
        self.x11.focused = None;
        self.forget_x11_windows();
        if let Some(reason) = reason {
            self.x11_failed(reason);
        } else {
            tracing::debug!("Xwayland ended");
        }
        let display = self.x11.display.as_ref();
        if let Some(watch) = display.and_then(|display| display.watch.as_ref())
            && let Err(error) = self.handle.enable(watch)
        {
            tracing::warn!(%error, "X11 programs cannot be waited for any more");
        }
    }

    /// Says why X11 programs do not work, and sends those away that wait.
    fn x11_failed(&mut self, reason: &str) {
        tracing::warn!(reason, "an X11 program cannot be shown");
        if let Some(display) = &self.x11.display {
            display.refuse();
        }
        let what = format!("An X11 program cannot be shown: {reason}.");
        self.show_notice(&what, "");
        self.x11.failure = Some(what);
    }
}

/// Takes the lock of a display; whether it was free.
fn lock(number: u32) -> io::Result<bool> {
    let path = lock_path(number);
    for _ in 0..2 {
        let mut options = OpenOptions::new();
        match options.write(true).create_new(true).mode(0o444).open(&path) {
            Ok(mut file) => {
                writeln!(file, "{:>10}", std::process::id())?;
                return Ok(true);
            }
            Err(error) if error.kind() == ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
        let holder = std::fs::read_to_string(&path).unwrap_or_default();
        let holder = holder.trim().parse().ok().map(Pid::from_raw);
        let is_dead =
            holder.is_some_and(|holder| kill(holder, None::<Signal>) == Err(Errno::ESRCH));
        // What is left of a server that did not end by itself may be taken over.
        if !is_dead || std::fs::remove_file(&path).is_err() {
            return Ok(false);
        }
    }
    Ok(false)
}

/// Listens where programs look for a display; only this user may connect.
fn bind(number: u32) -> io::Result<UnixListener> {
    let path = socket_path(number);
    if let Err(error) = std::fs::remove_file(&path)
        && error.kind() != ErrorKind::NotFound
    {
        return Err(error);
    }
    let socket = UnixListener::bind(&path)?;
    set_permissions(&path, Permissions::from_mode(0o700))?;
    socket.set_nonblocking(true)?;
    Ok(socket)
}

fn remove(number: u32) {
    for path in [socket_path(number), lock_path(number)] {
        if let Err(error) = std::fs::remove_file(&path) {
            tracing::debug!(%error, path = %path.display(), "a file of a display stays");
        }
    }
}

fn socket_path(number: u32) -> PathBuf {
    format!("{SOCKETS}/X{number}").into()
}

fn lock_path(number: u32) -> PathBuf {
    format!("/tmp/.X{number}-lock").into()
}

/// Writes the script that is run in the place of Xwayland.
///
/// smithay decides about the arguments of Xwayland, and this one adds our socket to them, which it
/// has in the place of its standard output. It is written before anything runs: a file that some
/// process holds open to write, be it between its fork and its exec, cannot be run.
fn write_starter(folder: &Path) -> io::Result<()> {
    if let Err(error) = DirBuilder::new().mode(0o700).create(folder)
        && error.kind() != ErrorKind::AlreadyExists
    {
        return Err(error);
    }
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o700);
    let mut file = options.open(folder.join("Xwayland"))?;
    file.write_all(STARTER.as_bytes())
}

const STARTER: &str = "#!/bin/sh
exec \"$VROOM_XWAYLAND\" \"$@\" -listenfd 1
";

/// Where programs look for displays.
const SOCKETS: &str = "/tmp/.X11-unix";

/// The displays that we use; smithay takes one of those before for each server that runs.
const DISPLAYS: std::ops::RangeInclusive<u32> = 40..=255;

/// How long Xwayland may take to start on a loaded machine.
const START_TIME: Duration = Duration::from_secs(20);

/// The window managers that are kept.
const MANAGERS: usize = 4;
