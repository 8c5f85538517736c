//! The window's thread.

use std::sync::Arc;
use std::time::{Duration, Instant};

use vroom_desktop::{Desktop as _, InputEvent, Size};
use wayland_client::{EventQueue, QueueHandle};

use super::Shared;
use super::afar::Afar;
use super::buffers::Pool;
use super::cursor::HostCursor;
use super::devices::Devices;
use super::fit::{Fit, pixels};
use super::host::{Found, HostError, wait};
use super::lock::HostLock;
use super::scale::HostScale;
use super::surfaces::Surfaces;
use crate::Error;
use crate::config::supported_size;

/// How a window starts.
pub(super) struct Opening {
    /// In the host's logical units.
    pub(super) size: Size,
    /// What the host's scale is multiplied by.
    pub(super) scale: f64,
    /// What the title calls the session.
    pub(super) name: String,
}

/// The window with the events that the host has sent.
pub(super) struct Window {
    queue: EventQueue<View>,
    view: View,
    host: String,
}

impl Window {
    /// Asks the host for a window.
    pub(super) fn open(host: Found, shared: Arc<Shared>, opening: Opening) -> Result<Self, Error> {
        let queue = host.connection.new_event_queue();
        let handle = queue.handle();
        let surfaces = Surfaces::open(&host, &handle, opening.name)?;
        let cursor = HostCursor::new(host.may_have(&handle, 2));
        let lock = HostLock::new(host.may_have(&handle, 1), host.may_have(&handle, 1));
        // Seats and outputs come and go, so their registry is looked at for as long as there is a window.
        host.connection.display().get_registry(&handle, ());
        Ok(Self {
            queue,
            host: host.name,
            view: View {
                asked: (supported_size(opening.size), opening.scale),
                size: opening.size,
                own_scale: opening.scale,
                shared,
                handle,
                surfaces,
                pool: Pool::default(),
                cursor,
                afar: Afar::default(),
                lock,
                devices: Devices::default(),
                scale: HostScale::default(),
                wanted: Wanted::default(),
                picture: Size::default(),
                visible: Visibility::default(),
                callback: None,
                frame_waits: false,
                end: None,
            },
        })
    }

    /// Shows the desktop until the window is closed, the host goes, or it is the end.
    pub(super) fn run(mut self) {
        let end = loop {
            if let Err(error) = self.turn() {
                break Err(error);
            }
            if let Some(end) = self.view.end {
                break Ok(end);
            }
        };
        self.view.release_everything();
        self.view.shared.watch_window(false);
        let host = self.host;
        match end {
            Ok(End::Wanted) => tracing::debug!("the window ends with the desktop"),
            Ok(End::Closed) => tracing::info!(
                host,
                "the window was closed; the session goes on, and its page shows it"
            ),
            Err(error) => tracing::warn!(
                host,
                %error,
                "the Wayland session that the window was in is gone; the session goes on without \
                 a window, and its page shows it"
            ),
        }
    }

    fn turn(&mut self) -> Result<(), HostError> {
        let Self { queue, view, .. } = self;
        queue.dispatch_pending(view)?;
        view.read_mail();
        view.look_whether_hidden();
        view.settle();
        view.show();
        view.settle();
        if view.end.is_some() {
            return Ok(());
        }
        let deadline = view.deadline();
        wait(queue, Some(view.shared.mailbox.bell()), deadline)
    }
}

/// How a window ends.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum End {
    /// The desktop ends.
    Wanted,
    /// A person closed it.
    Closed,
}

/// What the window shows and what it was told.
pub(super) struct View {
    pub(super) shared: Arc<Shared>,
    pub(super) handle: QueueHandle<Self>,
    pub(super) surfaces: Surfaces,
    pub(super) pool: Pool,
    pub(super) cursor: HostCursor,
    pub(super) afar: Afar,
    pub(super) lock: HostLock,
    pub(super) devices: Devices,
    pub(super) scale: HostScale,
    /// What the host wants until it says that this is all.
    pub(super) wanted: Wanted,
    /// The size of the window in logical units.
    size: Size,
    /// What the host's scale is multiplied by for the session.
    own_scale: f64,
    /// The size in pixels and the scale that the session was asked to have last.
    asked: (Size, f64),
    /// The size of what is shown; empty before anything is.
    picture: Size,
    pub(super) visible: Visibility,
    /// Since when the host is to tell that it wants the next picture.
    pub(super) callback: Option<Instant>,
    frame_waits: bool,
    pub(super) end: Option<End>,
}

/// What a configuration of the host says.
#[derive(Default)]
pub(super) struct Wanted {
    pub(super) size: Option<Size>,
    pub(super) suspended: bool,
}

/// Whether anybody can see the window.
#[derive(Default)]
pub(super) struct Visibility {
    mapped: bool,
    /// The host says that nobody does.
    pub(super) suspended: bool,
    /// The host wants no pictures.
    pub(super) stalled: bool,
    /// What was concluded and told.
    told: bool,
}

impl View {
    fn read_mail(&mut self) {
        let mail = self.shared.mailbox.take();
        self.frame_waits |= mail.frame;
        if let Some(title) = mail.title {
            self.surfaces.set_title(title.as_deref());
        }
        if let Some(locked) = mail.pointer_locked {
            self.hold_pointer(locked);
        }
        if let Some(drawn) = mail.pointer_drawn {
            self.cursor.drawn = drawn;
        }
        if let Some(shape) = mail.cursor {
            self.cursor.shape = shape;
            self.show_cursor();
        } else if mail.pointer_drawn.is_some() {
            self.show_cursor();
        }
        if let Some(at) = mail.moved_afar {
            self.afar.move_to(Some(at));
        }
        if mail.end {
            self.end = Some(End::Wanted);
        }
    }

    /// A host that wants no picture for long shows none.
    fn look_whether_hidden(&mut self) {
        let is_late = self.callback.is_some_and(|at| at.elapsed() >= HIDDEN_AFTER);
        self.visible.stalled |= is_late && self.frame_waits;
    }

    /// When to look whether the window is hidden.
    fn deadline(&self) -> Option<Instant> {
        let waits = self.frame_waits && self.visible.told;
        self.callback.filter(|_| waits).map(|at| at + HIDDEN_AFTER)
    }

    /// Has the desktop drawn for the window while it can be seen.
    fn settle(&mut self) {
        let Visibility {
            mapped,
            suspended,
            stalled,
            told,
        } = self.visible;
        let seen = mapped && !suspended && !stalled;
        if seen == told {
            return;
        }
        self.visible.told = seen;
        self.shared.watch_window(seen);
        if !seen {
            self.frame_waits = false;
            self.pool.shrink();
        }
    }

    /// Shows what is new, once the host is ready for it.
    fn show(&mut self) {
        if !self.visible.told || self.callback.is_some() {
            return;
        }
        let painted = self.paint();
        let moved = self.put_afar();
        if painted || moved {
            self.surfaces.finish(&self.handle);
            self.callback = Some(Instant::now());
        }
    }

    /// Paints the newest frame, if there is one and a buffer for it.
    fn paint(&mut self) -> bool {
        if !self.pool.has_room() {
            return false;
        }
        let Some(frame) = self.shared.shown.take() else {
            return false;
        };
        self.frame_waits = false;
        if self.picture != frame.size() {
            self.picture = frame.size();
            self.afar.redraw();
        }
        let fit = Fit::new(frame.size(), self.size, self.scale.get());
        match self.pool.paint(&frame, &self.surfaces.shm, &self.handle) {
            Ok(Some(buffer)) => {
                self.surfaces.attach(buffer, &frame, fit);
                true
            }
            Ok(None) => {
                tracing::error!("the host holds all buffers");
                false
            }
            Err(error) => {
                tracing::warn!(%error, "a picture could not be shown in the window");
                // Until the host says something new about the window.
                self.visible.stalled = true;
                false
            }
        }
    }

    pub(super) fn fit(&self) -> Option<Fit> {
        let shown = !self.picture.is_empty();
        shown.then(|| Fit::new(self.picture, self.size, self.scale.get()))
    }

    /// Takes what the host wants, and has the session follow.
    pub(super) fn configured(&mut self) {
        if let Some(size) = self.wanted.size.take() {
            self.size = size;
        }
        self.visible.suspended = self.wanted.suspended;
        self.visible.stalled = false;
        self.lay_out();
    }

    fn lay_out(&mut self) {
        self.afar.redraw();
        let laid = self.surfaces.lay_out(self.size, self.fit(), &self.handle);
        match laid {
            Ok(()) => self.visible.mapped = true,
            Err(error) => tracing::warn!(%error, "the window cannot be shown"),
        }
        let scale = self.scale.get();
        let wanted = (pixels(self.size, scale), scale * self.own_scale);
        if wanted != self.asked {
            self.asked = wanted;
            self.shared.inner.resize(wanted.0, wanted.1);
        }
    }

    /// The host's scale may be another one now.
    pub(super) fn rescaled(&mut self) {
        if self.visible.mapped {
            self.lay_out();
            self.show_cursor();
        }
    }

    /// The point of the desktop that a point of the window shows.
    pub(super) fn to_desktop(&self, x: f64, y: f64) -> (f64, f64) {
        let fit = self.fit().unwrap_or(Fit {
            x: 0,
            y: 0,
            width: 1,
            height: 1,
        });
        fit.to_desktop(x, y, self.shared.inner.size())
    }

    /// Pixels of the desktop in one logical unit of the window.
    pub(super) fn pixels_per_unit(&self) -> f64 {
        let width = self.fit().map_or(1, |fit| fit.width.max(1));
        f64::from(self.picture.width.max(1)) / f64::from(width)
    }

    pub(super) fn inject(&self, event: InputEvent) {
        self.shared.inner.inject(event);
    }
}

/// A host that was not ready for a picture for this long does not show the window.
const HIDDEN_AFTER: Duration = Duration::from_secs(2);
