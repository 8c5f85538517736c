//! The window manager of X11 programs.

use std::os::fd::{AsRawFd as _, OwnedFd};
use std::sync::{Arc, Mutex, PoisonError};

use nix::fcntl::{FcntlArg, OFlag, fcntl};
use smithay::backend::renderer::utils::with_renderer_surface_state;
use smithay::delegate_xwayland_shell;
use smithay::input::keyboard::KeyboardTarget;
use smithay::input::pointer::GrabStartData;
use smithay::reexports::wayland_server::Resource as _;
use smithay::reexports::wayland_server::protocol::wl_surface::WlSurface;
use smithay::utils::{Logical, Point, Rectangle, SERIAL_COUNTER, Size};
use smithay::wayland::compositor::with_states;
use smithay::wayland::selection::SelectionTarget;
use smithay::wayland::xwayland_shell::{XWaylandShellHandler, XWaylandShellState};
use smithay::xwayland::xwm::{Reorder, ResizeEdge, WmWindowProperty, X11Window as X11Id, XwmId};
use smithay::xwayland::{X11Surface, X11Wm, XwmHandler};

use crate::shell::{Fill, ResizingEdge, Window, X11Window};
use crate::state::State;

impl XWaylandShellHandler for State {
    fn xwayland_shell_state(&mut self) -> &mut XWaylandShellState {
        &mut self.protocols.xwayland_shell
    }

    fn surface_associated(&mut self, _xwm: XwmId, _surface: WlSurface, _window: X11Surface) {
        // It may have drawn already, and then says nothing more.
        self.clock.want();
    }
}

impl XwmHandler for State {
    #[expect(
        clippy::expect_used,
        reason = "smithay asks for managers that it made, and the last one made is kept"
    )]
    fn xwm_state(&mut self, xwm: XwmId) -> &mut X11Wm {
        let managers = &mut self.x11.managers;
        let at = managers.iter().position(|manager| manager.id() == xwm);
        let at = at.unwrap_or(managers.len().saturating_sub(1));
        managers.get_mut(at).expect("a manager was started")
    }

    fn new_window(&mut self, _xwm: XwmId, _window: X11Surface) {}

    fn new_override_redirect_window(&mut self, _xwm: XwmId, _window: X11Surface) {}

    fn map_window_request(&mut self, _xwm: XwmId, window: X11Surface) {
        // It draws itself at the right size from the start.
        let area = self.first_area(&window);
        let mapped = window
            .configure(area)
            .and_then(|()| window.set_mapped(true));
        match mapped {
            Ok(()) => self.x11.unpaired.push(window),
            Err(error) => tracing::debug!(%error, "an X11 window could not be shown"),
        }
    }

    fn mapped_override_redirect_window(&mut self, _xwm: XwmId, window: X11Surface) {
        self.x11.unpaired.push(window);
    }

    fn unmapped_window(&mut self, _xwm: XwmId, window: X11Surface) {
        self.hide_x11(&window);
    }

    fn destroyed_window(&mut self, _xwm: XwmId, window: X11Surface) {
        self.hide_x11(&window);
    }

    fn configure_request(
        &mut self,
        _xwm: XwmId,
        window: X11Surface,
        x: Option<i32>,
        y: Option<i32>,
        w: Option<u32>,
        h: Option<u32>,
        _reorder: Option<Reorder>,
    ) {
        let side = |wanted: Option<u32>, have: i32| {
            wanted.map_or(have, |wanted| i32::try_from(wanted).unwrap_or(have).max(1))
        };
        let have = window.geometry();
        let loc: Point<i32, Logical> = (x.unwrap_or(have.loc.x), y.unwrap_or(have.loc.y)).into();
        let size: Size<i32, Logical> = (side(w, have.size.w), side(h, have.size.h)).into();
        let wanted = Rectangle::new(loc, size);
        match self.shell.x11_window(&window) {
            Some(shown) => self.float_at(&shown, wanted),
            None => {
                if let Err(error) = window.configure(wanted) {
                    tracing::debug!(%error, "an X11 window could not be configured");
                }
            }
        }
    }

    fn configure_notify(
        &mut self,
        _xwm: XwmId,
        _window: X11Surface,
        _geometry: Rectangle<i32, Logical>,
        _above: Option<X11Id>,
    ) {
        self.clock.want();
    }

    fn property_notify(&mut self, _xwm: XwmId, window: X11Surface, property: WmWindowProperty) {
        let Some(surface) = self.shell.x11_window(&window).and_then(into_surface) else {
            return;
        };
        match property {
            WmWindowProperty::Title | WmWindowProperty::Class => self.renamed(&surface),
            WmWindowProperty::NormalHints
            | WmWindowProperty::TransientFor
            | WmWindowProperty::WindowType => self.follow_kind(&surface),
            WmWindowProperty::MotifHints => {
                self.shell
                    .set_x11_decorated(&surface, !window.is_decorated());
                self.clock.want();
            }
            _ => {}
        }
    }

    fn maximize_request(&mut self, _xwm: XwmId, window: X11Surface) {
        self.fill_x11(&window, |_| Fill::Maximized);
    }

    fn unmaximize_request(&mut self, _xwm: XwmId, window: X11Surface) {
        self.fill_x11(&window, |_| Fill::None);
    }

    fn fullscreen_request(&mut self, _xwm: XwmId, window: X11Surface) {
        self.fill_x11(&window, |fill| Fill::Fullscreen {
            maximized: fill == Fill::Maximized,
        });
    }

    fn unfullscreen_request(&mut self, _xwm: XwmId, window: X11Surface) {
        self.fill_x11(&window, |fill| match fill {
            Fill::Fullscreen { maximized: true } => Fill::Maximized,
            _ => Fill::None,
        });
    }

    fn minimize_request(&mut self, _xwm: XwmId, window: X11Surface) {
        if let Some(window) = self.shell.x11_window(&window) {
            self.minimize(&window);
        }
    }

    fn resize_request(&mut self, _xwm: XwmId, window: X11Surface, _button: u32, edge: ResizeEdge) {
        if let Some((window, start)) = self.x11_drag_start(&window) {
            let serial = SERIAL_COUNTER.next_serial();
            self.start_resize(&window, ResizingEdge::from(edge), start, serial);
        }
    }

    fn move_request(&mut self, _xwm: XwmId, window: X11Surface, _button: u32) {
        if let Some((window, start)) = self.x11_drag_start(&window) {
            self.start_move(&window, start, SERIAL_COUNTER.next_serial());
        }
    }

    fn allow_selection_access(&mut self, _xwm: XwmId, _selection: SelectionTarget) -> bool {
        true
    }

    fn send_selection(
        &mut self,
        _xwm: XwmId,
        selection: SelectionTarget,
        mime_type: String,
        fd: OwnedFd,
    ) {
        // Programs do not expect a pipe that may be full.
        let blocking = fcntl(fd.as_raw_fd(), FcntlArg::F_SETFL(OFlag::O_WRONLY));
        if blocking.is_ok() {
            self.give_selection(selection, mime_type, fd);
        }
    }

    fn new_selection(&mut self, xwm: XwmId, selection: SelectionTarget, mime_types: Vec<String>) {
        self.x11_copied(xwm, selection, mime_types);
    }

    fn cleared_selection(&mut self, xwm: XwmId, selection: SelectionTarget) {
        self.x11_cleared(xwm, selection);
    }

    fn disconnected(&mut self, xwm: XwmId) {
        self.x11_disconnected(xwm);
    }
}

/// What is known of the X11 window that a surface shows.
#[derive(Debug)]
pub(super) struct Shows(Mutex<X11Surface>);

impl Shows {
    pub(super) fn names(&self) -> (String, String) {
        let x11 = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        (x11.title(), x11.class())
    }
}

impl State {
    /// Joins X11 windows and their surfaces as they become known, and parts those that were joined
    /// by a number that meant another surface.
    pub(crate) fn pair_x11(&mut self) {
        let Some(client) = self.x11.client().cloned() else {
            return;
        };
        for window in self.shell.x11_shown() {
            let named = surface_number(&window.x11);
            if named.is_some_and(|named| named != window.surface.id().protocol_id()) {
                self.hide_x11(&window.x11);
                self.x11.unpaired.push(window.x11.clone());
            }
        }
        for window in std::mem::take(&mut self.x11.unpaired) {
            if !window.alive() {
                continue;
            }
            let surface = window.wl_surface().or_else(|| {
                let number = surface_number(&window)?;
                client.object_from_protocol_id(&self.display, number).ok()
            });
            match surface.filter(|surface| !self.is_x11(surface)) {
                Some(surface) => self.show_x11(window, surface),
                None => self.x11.unpaired.push(window),
            }
        }
    }

    fn show_x11(&mut self, window: X11Surface, surface: WlSurface) {
        with_states(&surface, |states| {
            let shows = states
                .data_map
                .get_or_insert_threadsafe(|| Shows(Mutex::new(window.clone())));
            *shows.0.lock().unwrap_or_else(PoisonError::into_inner) = window.clone();
        });
        if window.is_override_redirect() {
            let x11 = window;
            self.shell.menus.push(Arc::new(X11Window { x11, surface }));
            return self.clock.want();
        }
        let decorated = !window.is_decorated();
        let fullscreen = window.is_fullscreen();
        self.add_x11_window(Window::x11(window, surface.clone()), decorated, fullscreen);
        self.x11_committed(&surface);
    }

    /// Looks at an X11 window that drew.
    pub(super) fn x11_committed(&mut self, surface: &WlSurface) {
        let drawn = with_renderer_surface_state(surface, |state| state.buffer().is_some());
        self.window_committed(surface, drawn.unwrap_or(false));
    }

    /// Whether a surface shows an X11 window.
    pub(super) fn is_x11(&self, surface: &WlSurface) -> bool {
        let shown = self.shell.x11_shown();
        shown.iter().any(|window| window.surface == *surface)
    }

    /// Forgets the window that a surface showed which is gone.
    pub(super) fn forget_x11(&mut self, surface: &WlSurface) {
        if self.is_x11(surface) {
            self.shell.menus.retain(|menu| menu.surface != *surface);
            self.remove_window(surface);
        }
    }

    /// Forgets all X11 windows, whose server is gone.
    pub(crate) fn forget_x11_windows(&mut self) {
        for window in self.shell.x11_shown() {
            self.forget_x11(&window.surface);
        }
    }

    /// An X11 window is not shown any more.
    fn hide_x11(&mut self, window: &X11Surface) {
        let id = window.window_id();
        self.x11.unpaired.retain(|other| other.window_id() != id);
        let shown = self.shell.x11_shown();
        if let Some(shown) = shown.iter().find(|shown| shown.x11.window_id() == id) {
            self.forget_x11(&shown.surface);
        }
        self.clock.want();
    }

    /// Where a window is to lie when it draws for the first time.
    fn first_area(&self, window: &X11Surface) -> Rectangle<i32, Logical> {
        if self.shell.fills_alone(window) {
            self.work_area()
        } else {
            window.geometry()
        }
    }

    fn fill_x11(&mut self, window: &X11Surface, change: impl FnOnce(Fill) -> Fill) {
        let Some(surface) = self.shell.x11_window(window).and_then(into_surface) else {
            return;
        };
        if let Some(fill) = self.fill(&surface) {
            self.set_fill(&surface, change(fill));
        }
    }

    /// The press that an X11 program moves or resizes its window with.
    fn x11_drag_start(&self, window: &X11Surface) -> Option<(Window, GrabStartData<Self>)> {
        let window = self.shell.x11_window(window)?;
        let start = self.pointer.grab_start_data()?;
        let (surface, _) = start.focus.as_ref()?;
        let ours = window.wl_surface()?;
        let same = surface.id().same_client_as(&ours.id());
        same.then_some((window, start))
    }

    /// Gives the X server's own focus to the window of a surface, or takes it away.
    pub(crate) fn focus_x11(&mut self, surface: Option<&WlSurface>) {
        let window = surface.and_then(|surface| self.shell.window(surface));
        let window = window.and_then(|window| window.x11_surface().cloned());
        let id = |window: &Option<X11Surface>| window.as_ref().map(X11Surface::window_id);
        if id(&window) == id(&self.x11.focused) {
            return;
        }
        let before = std::mem::replace(&mut self.x11.focused, window.clone());
        let (seat, serial) = (self.seat.clone(), SERIAL_COUNTER.next_serial());
        match (window, before) {
            (Some(window), _) => {
                KeyboardTarget::<Self>::enter(&window, &seat, self, Vec::new(), serial);
                if let Some(manager) = self.x11.managers.last_mut()
                    && let Err(error) = manager.raise_window(&window)
                {
                    tracing::debug!(%error, "an X11 window could not be raised");
                }
            }
            (None, Some(before)) if before.alive() => {
                KeyboardTarget::<Self>::leave(&before, &seat, self, serial);
            }
            (None, _) => {}
        }
    }

    /// The menu of an X11 program at a point of the output.
    pub(crate) fn x11_menu_under(
        &self,
        at: Point<f64, Logical>,
    ) -> Option<(WlSurface, Point<f64, Logical>)> {
        self.shell.menus.iter().rev().find_map(|menu| {
            let origin = menu.x11.geometry().loc;
            let menu = Window::X11(Arc::clone(menu));
            let (surface, offset) = menu.surface_under(at - origin.to_f64())?;
            Some((surface, (origin + offset).to_f64()))
        })
    }

    /// Tells X11 windows where they lie, which they place their menus by.
    pub(crate) fn place_x11_windows(&self) {
        for window in self.shell.space.elements() {
            let (Some(x11), Some(loc)) = (
                window.x11_surface(),
                self.shell.space.element_location(window),
            ) else {
                continue;
            };
            let told = x11.geometry();
            if told.loc != loc
                && let Err(error) = x11.configure(Rectangle::new(loc, told.size))
            {
                tracing::debug!(%error, "an X11 window could not be told where it is");
            }
        }
    }
}

/// The number of the surface that an old Xwayland names for a window.
fn surface_number(window: &X11Surface) -> Option<u32> {
    if window.wl_surface().is_some() || window.wl_surface_serial().is_some() {
        return None;
    }
    #[expect(deprecated, reason = "it is all that Xwayland before 23.1 tells")]
    window.wl_surface_id()
}

fn into_surface(window: Window) -> Option<WlSurface> {
    window.wl_surface().cloned()
}

delegate_xwayland_shell!(State);
