//! The compositor as the rest of the program sees it.

use std::ffi::{OsStr, OsString};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::mpsc;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use smithay::reexports::calloop::ping::make_ping;
use vroom_desktop::{
    ClipboardData, Desktop, DesktopEvent, EventSink, FrameSlot, InputEvent, Selection, Size,
};

use crate::inbox::{Command, Inbox};
use crate::server::{Outlets, Server};
use crate::{CompositorConfig, Error};

/// A headless Wayland compositor on a thread of its own.
#[derive(Debug)]
pub struct Compositor {
    pub(crate) inbox: Arc<Inbox>,
    frames: Arc<FrameSlot>,
    size: Arc<Mutex<Size>>,
    socket_name: OsString,
    x11_display: Option<OsString>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Compositor {
    /// Starts the compositor and its session command.
    ///
    /// Returns once the Wayland socket takes connections. What happens later is told to `events`
    /// from the compositor's thread; a session command that cannot be started is such an event.
    ///
    /// # Errors
    ///
    /// When the socket, the keyboard layout, the renderer or the thread cannot be had.
    pub fn start(config: CompositorConfig, events: EventSink) -> Result<Self, Error> {
        let (ping, wakes) = make_ping().map_err(Error::EventLoop)?;
        let inbox = Arc::new(Inbox::new(ping));
        let frames = Arc::new(FrameSlot::new());
        let size = Arc::new(Mutex::new(config.size));
        let outlets = Outlets {
            events: Arc::clone(&events),
            frames: Arc::clone(&frames),
            size: Arc::clone(&size),
            inbox: Arc::clone(&inbox),
            wakes,
        };
        let (started, outcome) = mpsc::sync_channel(1);
        let run = move || {
            let mut server = match Server::start(config, outlets) {
                Ok(server) => server,
                Err(error) => {
                    // The receiver waits for exactly this message.
                    drop(started.send(Err(error)));
                    return;
                }
            };
            let names = (server.socket_name().to_owned(), server.state.x11.name());
            drop(started.send(Ok(names)));
            // A panic is a bug of ours; the desktop ends, the program around it goes on.
            let ended = catch_unwind(AssertUnwindSafe(|| server.run()));
            let reason = match ended {
                Ok(Ok(())) => return,
                Ok(Err(reason)) => reason,
                Err(_) => "the compositor failed; the log says where".to_owned(),
            };
            tracing::error!(reason, "the desktop ended");
            events(DesktopEvent::Failed { reason });
        };
        let thread = std::thread::Builder::new()
            .name("compositor".into())
            .spawn(run)
            .map_err(Error::Thread)?;
        match outcome.recv() {
            Ok(Ok((socket_name, x11_display))) => Ok(Self {
                inbox,
                frames,
                size,
                socket_name,
                x11_display,
                thread: Mutex::new(Some(thread)),
            }),
            Ok(Err(error)) => Err(error),
            Err(mpsc::RecvError) => Err(Error::EventLoop(std::io::Error::other(
                "the thread ended while it started",
            ))),
        }
    }

    /// The name of the Wayland socket in the runtime directory, as in `WAYLAND_DISPLAY`.
    pub fn socket_name(&self) -> &OsStr {
        &self.socket_name
    }

    /// What `DISPLAY` is for X11 programs; `None` where they have no display.
    pub fn x11_display(&self) -> Option<&OsStr> {
        self.x11_display.as_deref()
    }
}

impl Desktop for Compositor {
    fn kind(&self) -> &'static str {
        "headless"
    }

    fn frames(&self) -> &Arc<FrameSlot> {
        &self.frames
    }

    fn size(&self) -> Size {
        *self.size.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn set_watched(&self, watched: bool) {
        self.inbox.post(Command::Watched(watched));
    }

    fn inject(&self, event: InputEvent) {
        self.inbox.post(Command::Input(event));
    }

    fn resize(&self, size: Size, scale: f64) {
        self.inbox.post(Command::Resize { size, scale });
    }

    fn draw_cursor(&self, drawn: bool) {
        self.inbox.post(Command::DrawCursor(drawn));
    }

    fn set_selection(&self, selection: Selection, formats: Vec<ClipboardData>) {
        self.inbox.post(Command::Selection { selection, formats });
    }

    fn launch(&self, number: u64, command: Vec<String>) {
        self.inbox.post(Command::Launch { number, command });
    }

    fn shut_down(&self) {
        let thread = self
            .thread
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .take();
        let Some(thread) = thread else { return };
        self.inbox.post(Command::ShutDown);
        if thread.join().is_err() {
            tracing::error!("the compositor thread panicked");
        }
    }
}

impl Drop for Compositor {
    fn drop(&mut self) {
        self.shut_down();
    }
}
