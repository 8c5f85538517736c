//! The desktop as a window of another Wayland session, the host.
//!
//! Somebody at the machine sees and uses the session in that window while others watch and drive the
//! same one from afar. The window is one more viewer: it shows the frames that encoders get, and what
//! is done in it is injected as what comes from afar is. When it or its host ends, the session goes on.

mod afar;
mod buffers;
mod cursor;
mod devices;
mod fit;
mod host;
mod keyboard;
mod lock;
mod mailbox;
mod pointer;
mod scale;
mod shell;
mod surfaces;
mod touch;
mod window;

use std::ffi::OsStr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use vroom_desktop::{
    ClipboardData, Damage, Desktop, DesktopEvent, EventSink, Frame, FrameSlot, InputEvent,
    Selection, Size, Wake,
};

use crate::{Compositor, CompositorConfig, Error};
pub use host::Host;
use mailbox::Mailbox;
use window::{Opening, Window};

/// A compositor whose desktop is a window of another Wayland session, besides what it is to others.
#[derive(Debug)]
pub struct Nested {
    shared: Arc<Shared>,
    threads: Mutex<Vec<JoinHandle<()>>>,
}

impl Nested {
    /// Opens the window, then starts the compositor and its session command as
    /// [`Compositor::start`] does.
    ///
    /// `config.size` is the size of the window, in the units that the host lays windows out in, until
    /// the host gives it another; `config.scale` multiplies the host's scale. `name` is what the
    /// window's title calls the session.
    ///
    /// # Errors
    ///
    /// When the host lacks what a window needs, and as [`Compositor::start`].
    pub fn start(
        config: CompositorConfig,
        host: Host,
        name: &str,
        events: EventSink,
    ) -> Result<Self, Error> {
        let opening = Opening {
            size: config.size,
            scale: config.scale,
            name: name.to_owned(),
        };
        let host = host.look_around()?;
        let mailbox = Arc::new(Mailbox::new().map_err(Error::EventLoop)?);
        let (told, mail) = (Arc::clone(&events), Arc::clone(&mailbox));
        let sink = Arc::new(move |event: DesktopEvent| {
            mail.on_desktop(&event);
            told(event);
        });
        let shared = Arc::new(Shared {
            inner: Compositor::start(config, sink)?,
            frames: Arc::new(FrameSlot::new()),
            shown: FrameSlot::new(),
            watching: Mutex::default(),
            mailbox,
            events,
            ending: AtomicBool::new(false),
        });
        let nested = Self {
            shared: Arc::clone(&shared),
            threads: Mutex::default(),
        };
        // From here on, dropping `nested` ends what was started.
        nested.spawn("window-frames", move |shared| shared.relay())?;
        let window = Window::open(host, shared, opening)?;
        nested.spawn("window", move |_| window.run())?;
        Ok(nested)
    }

    /// The name of the Wayland socket that the session's programs use.
    pub fn socket_name(&self) -> &OsStr {
        self.shared.inner.socket_name()
    }

    /// What `DISPLAY` is for X11 programs; `None` where they have no display.
    pub fn x11_display(&self) -> Option<&OsStr> {
        self.shared.inner.x11_display()
    }

    fn spawn(&self, name: &str, run: impl FnOnce(&Shared) + Send + 'static) -> Result<(), Error> {
        let shared = Arc::clone(&self.shared);
        let thread = std::thread::Builder::new()
            .name(name.into())
            .spawn(move || run(&shared))
            .map_err(Error::Thread)?;
        self.threads().push(thread);
        Ok(())
    }

    fn threads(&self) -> MutexGuard<'_, Vec<JoinHandle<()>>> {
        self.threads.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Desktop for Nested {
    fn kind(&self) -> &'static str {
        "nested"
    }

    fn frames(&self) -> &Arc<FrameSlot> {
        &self.shared.frames
    }

    fn size(&self) -> Size {
        self.shared.inner.size()
    }

    fn set_watched(&self, watched: bool) {
        self.shared.watch(|watching| &mut watching.remote, watched);
    }

    fn inject(&self, event: InputEvent) {
        if let InputEvent::PointerMotion { x, y } = event {
            self.shared
                .mailbox
                .put(|mail| mail.moved_afar = Some((x, y)));
        }
        self.shared.inner.inject(event);
    }

    fn resize(&self, size: Size, scale: f64) {
        self.shared.inner.resize(size, scale);
    }

    fn draw_cursor(&self, drawn: bool) {
        self.shared
            .mailbox
            .put(|mail| mail.pointer_drawn = Some(drawn));
        self.shared.inner.draw_cursor(drawn);
    }

    fn set_selection(&self, selection: Selection, formats: Vec<ClipboardData>) {
        self.shared.inner.set_selection(selection, formats);
    }

    fn shut_down(&self) {
        self.shared.ending.store(true, Ordering::Release);
        self.shared.mailbox.put(|mail| mail.end = true);
        self.shared.inner.frames().wake();
        let threads = std::mem::take(&mut *self.threads());
        for thread in threads {
            if thread.join().is_err() {
                tracing::error!("a thread of the window panicked");
            }
        }
        self.shared.inner.shut_down();
    }
}

impl Drop for Nested {
    fn drop(&mut self) {
        self.shut_down();
    }
}

/// What the window, its frames and everybody else share.
pub(super) struct Shared {
    pub(super) inner: Compositor,
    /// For encoders.
    frames: Arc<FrameSlot>,
    /// For the window.
    shown: FrameSlot,
    watching: Mutex<Watching>,
    mailbox: Arc<Mailbox>,
    events: EventSink,
    ending: AtomicBool,
}

impl Shared {
    /// Says whether the window can be seen; while it cannot it costs nothing.
    fn watch_window(&self, watched: bool) {
        self.watch(|watching| &mut watching.window, watched);
    }

    /// Changes who watches; the compositor is watched while anybody does, and whoever begins gets one
    /// whole frame.
    fn watch(&self, side: impl Fn(&mut Watching) -> &mut Side, watched: bool) {
        let mut watching = self.lock();
        let before = watching.anybody();
        let side = side(&mut watching);
        let begins = watched && !side.watches;
        *side = Side {
            watches: watched,
            fresh: begins || (watched && side.fresh),
        };
        if !watching.remote.watches {
            drop(self.frames.take());
        }
        if !watching.window.watches {
            drop(self.shown.take());
        }
        let now = watching.anybody();
        if begins || before != now {
            self.inner.set_watched(now);
        }
    }

    /// Hands the frames of the compositor to those who watch, until the end.
    fn relay(&self) {
        while !self.ending.load(Ordering::Acquire) {
            if let Wake::Frame(frame) = self.inner.frames().wait(None) {
                self.pass_on(&frame);
            }
        }
    }

    fn pass_on(&self, frame: &Frame) {
        let mut watching = self.lock();
        if watching.remote.watches {
            self.frames.publish(watching.remote.damaged(frame));
        }
        if watching.window.watches {
            self.shown.publish(watching.window.damaged(frame));
            self.mailbox.put(|mail| mail.frame = true);
        }
    }

    fn lock(&self) -> MutexGuard<'_, Watching> {
        self.watching.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl std::fmt::Debug for Shared {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Shared")
            .field("inner", &self.inner)
            .finish_non_exhaustive()
    }
}

/// Who watches.
#[derive(Debug, Default)]
struct Watching {
    window: Side,
    remote: Side,
}

impl Watching {
    const fn anybody(&self) -> bool {
        self.window.watches || self.remote.watches
    }
}

/// One who may watch.
#[derive(Debug, Default)]
struct Side {
    watches: bool,
    /// Whether nothing was seen yet, so that everything has changed.
    fresh: bool,
}

impl Side {
    /// The frame with the damage that this side has to know of.
    fn damaged(&mut self, frame: &Frame) -> Frame {
        let mut frame = frame.clone();
        if std::mem::take(&mut self.fresh) {
            frame.damage = Damage::full(frame.size());
        }
        frame
    }
}
