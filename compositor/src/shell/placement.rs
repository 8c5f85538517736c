//! Which window fills the output, which floats, and where.

use smithay::reexports::wayland_protocols::xdg::decoration::zv1::server::zxdg_toplevel_decoration_v1::Mode;
use smithay::reexports::wayland_protocols::xdg::shell::server::xdg_toplevel;
use smithay::reexports::wayland_server::Resource as _;
use smithay::reexports::wayland_server::protocol::wl_surface::WlSurface;
use smithay::utils::{Logical, Point, Rectangle, Size};
use smithay::wayland::shell::xdg::ToplevelSurface;
use smithay::xwayland::X11Surface;
use smithay::xwayland::xwm::X11SurfaceError;

use super::{
    Fill, Managed, Shell, Snap, WINDOWS, Window, centred, is_x11_dialog, kept_inside, x11_limits,
};
use crate::ShellStyle;
use crate::state::State;

impl State {
    /// Takes a new toplevel in; it is placed when it has something to show.
    pub(crate) fn add_window(&mut self, toplevel: ToplevelSurface) {
        if self.shell.windows.len() >= WINDOWS {
            tracing::warn!(
                "{WINDOWS} windows are open; a program that wanted more was disconnected"
            );
            toplevel
                .xdg_toplevel()
                .post_error(xdg_toplevel::Error::InvalidSize, "too many windows");
            return;
        }
        self.shell
            .windows
            .push(Managed::new(Window::wayland(toplevel)));
    }

    /// Takes the window of an X11 program in.
    pub(crate) fn add_x11_window(&mut self, window: Window, decorated: bool, fullscreen: bool) {
        let Some(surface) = window.wl_surface().cloned() else {
            return;
        };
        if self.shell.windows.len() >= WINDOWS {
            tracing::warn!("{WINDOWS} windows are open; another one was closed");
            return window.close();
        }
        let mut managed = Managed::new(window);
        managed.decorated = decorated;
        if fullscreen {
            managed.fill = Fill::Fullscreen { maximized: false };
        }
        self.shell.windows.push(managed);
        self.decide_placement(&surface);
    }

    /// Lets a window float where its X11 program wants it; one that fills a part of the desktop
    /// stays as it is.
    pub(crate) fn float_at(&mut self, window: &Window, wanted: Rectangle<i32, Logical>) {
        let area = self.work_area();
        let style = self.shell.style;
        let Some(surface) = window.wl_surface().cloned() else {
            return;
        };
        let Some(managed) = self.shell.managed_mut(&surface) else {
            return;
        };
        if managed.fill == Fill::None && managed.resizing.is_none() {
            let size = managed.clamp(wanted.size);
            let loc = kept_inside(area, wanted.loc, size, managed.bar(style));
            managed.floating = Rectangle::new(loc, size);
        }
        self.apply_fill(&surface);
    }

    /// Forgets a toplevel.
    pub(crate) fn remove_window(&mut self, surface: &WlSurface) {
        self.unmap(surface);
        self.shell
            .windows
            .retain(|managed| managed.surface() != Some(surface));
        self.follow_windows();
    }

    /// Looks at a window whose toplevel surface committed.
    pub(crate) fn window_committed(&mut self, surface: &WlSurface, has_content: bool) {
        let Some(managed) = self.shell.managed(surface) else {
            return;
        };
        let mapped = managed.mapped;
        let toplevel = managed.toplevel().cloned();
        if let Some(toplevel) = toplevel {
            if has_content && !mapped && !self.shell.forgives() && !toplevel.ensure_configured() {
                // The program was disconnected: it drew before it knew its size.
                return;
            }
            if !toplevel.is_initial_configure_sent() {
                self.decide_placement(surface);
                self.configure(surface);
                if !(has_content && self.shell.forgives()) {
                    return;
                }
            }
        }
        if has_content && !mapped {
            self.map(surface);
        } else if !has_content && mapped {
            self.unmap(surface);
            self.follow_windows();
        } else if mapped {
            self.follow_kind(surface);
            self.follow_size(surface);
            self.settle(surface);
        }
    }

    /// Lets a window float that turned out to be a dialog, or to have a fixed size.
    ///
    /// Programs may say so only after they were told to fill the output.
    pub(crate) fn follow_kind(&mut self, surface: &WlSurface) {
        let Some(managed) = self.shell.managed_mut(surface) else {
            return;
        };
        if !managed.home || !(managed.is_dialog() || managed.is_fixed_size()) {
            return;
        }
        managed.home = false;
        if matches!(managed.fill, Fill::Fullscreen { .. }) {
            return;
        }
        managed.fill = Fill::None;
        managed.floating = Rectangle::default();
        // It chooses its own size now, and is placed when it has.
        managed.unsettled = true;
        self.configure(surface);
        self.follow_windows();
    }

    /// Places a window that has chosen its own size, if it was waited for.
    pub(super) fn settle(&mut self, surface: &WlSurface) {
        let Some(managed) = self.shell.managed(surface) else {
            return;
        };
        if !managed.unsettled || managed.told().0.is_some() {
            return;
        }
        let window = managed.window.clone();
        self.place(&window);
        self.focus(Some(&window));
    }

    /// Decides about a window that has said all about itself but shows nothing yet.
    pub(super) fn decide_placement(&mut self, surface: &WlSurface) {
        if self.shell.style == ShellStyle::Desktop {
            return;
        }
        let others = self.shell.windows.iter().any(|managed| {
            managed.mapped && !managed.is_dialog() && managed.surface() != Some(surface)
        });
        let Some(managed) = self.shell.managed_mut(surface) else {
            return;
        };
        if !others && !managed.is_dialog() && !managed.is_fixed_size() {
            managed.home = true;
            if managed.fill == Fill::None {
                managed.fill = Fill::Maximized;
            }
        }
    }

    fn map(&mut self, surface: &WlSurface) {
        let listed = self.list(surface);
        let Some(managed) = self.shell.managed_mut(surface) else {
            return;
        };
        managed.mapped = true;
        managed.minimized = false;
        managed.listed = Some(listed);
        let window = managed.window.clone();
        self.session.shown = true;
        self.clear_notice();
        self.follow_kind(surface);
        self.follow_windows();
        self.place(&window);
        self.focus(Some(&window));
        self.follow_inhibitors();
    }

    /// Puts a window that was just mapped where it belongs.
    fn place(&mut self, window: &Window) {
        let area = self.work_area();
        let size = window.geometry().size;
        let parent_area = self
            .shell
            .parent(window)
            .and_then(|parent| self.shell.window_of(&parent))
            .and_then(|parent| self.shell.space.element_geometry(&parent));
        let Some(surface) = window.wl_surface().cloned() else {
            return;
        };
        let (cascade, style) = (self.shell.cascade, self.shell.style);
        let Some(managed) = self.shell.managed_mut(&surface) else {
            return;
        };
        managed.unsettled = false;
        let fixed = managed.is_fixed_size();
        let bar = managed.bar(style);
        let room: Size<i32, Logical> = (area.size.w, area.size.h - bar).into();
        let too_large = size.w > room.w || size.h > room.h;
        // What fills the work area with its first breath is maximised, so that it can be made small.
        let most = |side: i32, room: i32| side.saturating_mul(10) >= room.saturating_mul(9);
        let fills = most(size.w, room.w) && most(size.h, room.h);
        if style == ShellStyle::Desktop
            && managed.fill == Fill::None
            && !fixed
            && !managed.is_dialog()
            && (too_large || fills)
        {
            managed.fill = Fill::Maximized;
        }
        if managed.fill != Fill::None {
            let loc = self.target(&surface).loc;
            self.shell.space.map_element(window.clone(), loc, false);
            self.configure(&surface);
            return;
        }
        let before = managed.floating;
        let wanted = match parent_area {
            // It was put away by its program, and comes back where it was.
            _ if style == ShellStyle::Desktop && !before.is_empty() => before.loc,
            Some(parent) => centred(parent, size),
            None if fixed || style == ShellStyle::Desktop => {
                let middle = centred(area, (size.w, size.h - bar).into());
                let offset = if fixed { 0 } else { cascade };
                middle + Point::from((offset, offset))
            }
            None => area.loc + Point::from((cascade, cascade)),
        };
        let loc = kept_inside(area, wanted, size, bar);
        managed.floating = Rectangle::new(loc, size);
        if too_large {
            let smaller = (size.w.min(room.w), size.h.min(room.h)).into();
            managed.floating.size = managed.clamp(smaller);
        }
        if parent_area.is_none() && !fixed {
            self.shell.advance_cascade(area.size);
        }
        self.shell.space.map_element(window.clone(), loc, false);
        if too_large {
            self.configure(&surface);
        }
    }

    /// Puts a window that floats at a point of the output, wherever that is.
    #[cfg(feature = "conformance")]
    pub(crate) fn put(&mut self, surface: &WlSurface, at: Point<i32, Logical>) {
        let Some(managed) = self.shell.managed_mut(surface) else {
            return;
        };
        managed.fill = Fill::None;
        managed.floating.loc = at;
        self.apply_fill(surface);
    }

    fn unmap(&mut self, surface: &WlSurface) {
        let Some(managed) = self.shell.managed_mut(surface) else {
            return;
        };
        if !std::mem::take(&mut managed.mapped) {
            return;
        }
        managed.frame = None;
        let window = managed.window.clone();
        if let Some(listed) = managed.listed.take() {
            self.unlist(&listed);
        }
        self.shell.space.unmap_elem(&window);
        self.shell.cycle = None;
        if self
            .shell
            .hot
            .as_ref()
            .is_some_and(|(hot, _)| *hot == window)
        {
            self.shell.hot = None;
        }
        self.clock.want();
        let next = self.shell.topmost();
        self.focus(next.as_ref());
        self.follow_inhibitors();
    }

    /// Lets the window that is alone fill the output, and lets it float when it no longer is.
    pub(super) fn follow_windows(&mut self) {
        let mains = self
            .shell
            .windows
            .iter()
            .filter(|managed| managed.mapped && !managed.is_dialog());
        let alone = mains.count() == 1;
        let area = self.work_area();
        let mut changed = Vec::new();
        let shell = &mut self.shell;
        for managed in &mut shell.windows {
            if !managed.home || !managed.mapped || managed.is_dialog() {
                continue;
            }
            match (alone, managed.fill) {
                (true, Fill::None) => managed.fill = Fill::Maximized,
                (false, Fill::Maximized) => {
                    managed.fill = Fill::None;
                    managed.choose_floating(area, shell.style);
                }
                _ => continue,
            }
            changed.extend(managed.surface().cloned());
        }
        for surface in changed {
            self.apply_fill(&surface);
        }
    }

    /// Maximises a window or lets it float again, because a program or a person asked.
    pub(crate) fn set_fill(&mut self, surface: &WlSurface, fill: Fill) {
        let alone_at_home = self.is_alone_at_home(surface);
        let area = self.work_area();
        let style = self.shell.style;
        let Some(managed) = self.shell.managed_mut(surface) else {
            return;
        };
        managed.fill = match fill {
            // A window that is alone keeps filling the output.
            Fill::None | Fill::Snapped(_) if alone_at_home => Fill::Maximized,
            fill => fill,
        };
        if managed.fill == Fill::None && managed.mapped {
            managed.choose_floating(area, style);
        }
        self.apply_fill(surface);
    }

    /// How a window fills the output, if it is one of ours.
    pub(crate) fn fill(&self, surface: &WlSurface) -> Option<Fill> {
        self.shell.managed(surface).map(|managed| managed.fill)
    }

    fn is_alone_at_home(&self, surface: &WlSurface) -> bool {
        let mut mains = self
            .shell
            .windows
            .iter()
            .filter(|managed| managed.mapped && !managed.is_dialog());
        let alone = mains
            .next()
            .is_some_and(|managed| managed.surface() == Some(surface))
            && mains.next().is_none();
        let home = self
            .shell
            .managed(surface)
            .is_some_and(|managed| managed.home);
        alone && home
    }

    pub(super) fn apply_fill(&mut self, surface: &WlSurface) {
        let location = self.target(surface).loc;
        let Some(managed) = self.shell.managed(surface) else {
            return;
        };
        let window = managed.window.clone();
        if managed.mapped && !managed.minimized {
            self.shell.relocate(&window, location);
            self.clock.want();
        }
        self.configure(surface);
    }

    /// Where the content of a window belongs; the size is empty where the program chooses it.
    pub(super) fn target(&self, surface: &WlSurface) -> Rectangle<i32, Logical> {
        let Some(managed) = self.shell.managed(surface) else {
            return Rectangle::default();
        };
        let outer = match managed.fill {
            Fill::None => return managed.floating,
            Fill::Fullscreen { .. } => return self.output_area(),
            Fill::Maximized => self.work_area(),
            Fill::Snapped(snap) => snap.of(self.work_area()),
        };
        let bar = managed.bar(self.shell.style);
        let loc = outer.loc + Point::from((0, bar));
        Rectangle::new(loc, (outer.size.w, (outer.size.h - bar).max(1)).into())
    }

    /// Tells a window its size and its states.
    pub(super) fn configure(&mut self, surface: &WlSurface) {
        let bounds = self.work_area().size;
        let target = self.target(surface);
        let Some(managed) = self.shell.managed(surface) else {
            return;
        };
        let fill = managed.fill;
        let Some(toplevel) = managed.toplevel() else {
            return configure_x11(managed, target);
        };
        let resizing = managed.resizing.is_some_and(|resizing| resizing.held);
        let mode = self.shell.decoration(managed);
        toplevel.with_pending_state(|state| {
            state.size = (!target.is_empty()).then_some(target.size);
            state.bounds = Some(bounds);
            let mut set = |flag, on| {
                if on {
                    state.states.set(flag);
                } else {
                    state.states.unset(flag);
                }
            };
            set(xdg_toplevel::State::Maximized, fill == Fill::Maximized);
            let fullscreen = matches!(fill, Fill::Fullscreen { .. });
            set(xdg_toplevel::State::Fullscreen, fullscreen);
            set(xdg_toplevel::State::Resizing, resizing);
            let tiled =
                |edges: [Snap; 4]| matches!(fill, Fill::Snapped(snap) if edges.contains(&snap));
            use Snap::{BottomLeft, BottomRight, Left, Right, TopLeft, TopRight};
            let left = tiled([Left, TopLeft, BottomLeft, Left]);
            let right = tiled([Right, TopRight, BottomRight, Right]);
            set(xdg_toplevel::State::TiledLeft, left);
            set(xdg_toplevel::State::TiledRight, right);
            let top = tiled([Left, Right, TopLeft, TopRight]);
            let bottom = tiled([Left, Right, BottomLeft, BottomRight]);
            set(xdg_toplevel::State::TiledTop, top);
            set(xdg_toplevel::State::TiledBottom, bottom);
            state.decoration_mode = Some(mode);
        });
        if toplevel.is_initial_configure_sent() {
            toplevel.send_pending_configure();
        } else {
            toplevel.send_configure();
        }
    }

    /// The output in logical pixels.
    pub(crate) fn output_area(&self) -> Rectangle<i32, Logical> {
        let area = self.shell.space.output_geometry(&self.output);
        area.unwrap_or_else(|| Rectangle::from_size((1, 1).into()))
    }

    /// What panels leave of the output.
    pub(crate) fn work_area(&self) -> Rectangle<i32, Logical> {
        let area = self.output_area();
        let zone = if self.shell.zone.is_empty() {
            area
        } else {
            self.shell.zone.intersection(area).unwrap_or(area)
        };
        let mut zone = if zone.is_empty() { area } else { zone };
        if self.has_panel() {
            zone.size.h = (zone.size.h - self.panel_area().size.h).max(1);
        }
        zone
    }

    /// Windows that fill the work area follow it; the others stay inside.
    pub(crate) fn follow_work_area(&mut self) {
        self.keep_windows_inside();
        let surfaces: Vec<_> = self
            .shell
            .windows
            .iter()
            .filter(|managed| managed.mapped && managed.fill != Fill::None)
            .filter_map(|managed| managed.surface().cloned())
            .collect();
        for surface in &surfaces {
            self.apply_fill(surface);
        }
    }

    /// Says whether a program leaves the frame of its window to us.
    pub(crate) fn set_decorated(&mut self, toplevel: &ToplevelSurface, decorated: bool) {
        let surface = toplevel.wl_surface();
        let area = self.work_area();
        let style = self.shell.style;
        if let Some(managed) = self.shell.managed_mut(surface) {
            managed.decorated = decorated;
            let bar = managed.bar(style);
            if managed.mapped && managed.fill == Fill::None {
                let Rectangle { loc, size } = managed.floating;
                managed.floating.loc = kept_inside(area, loc, size, bar);
            }
        }
        if toplevel.is_initial_configure_sent() {
            self.apply_fill(surface);
            toplevel.send_configure();
        } else {
            self.shell.set_decoration(toplevel);
        }
        self.clock.want();
    }
}

impl Managed {
    /// Chooses where a window floats that never did.
    fn choose_floating(&mut self, area: Rectangle<i32, Logical>, style: ShellStyle) {
        if !self.floating.is_empty() {
            return;
        }
        let bar = self.bar(style);
        let size = self.clamp(floating_size(area.size));
        let at = match style {
            ShellStyle::Kiosk => area.loc + Point::from((CASCADE_PX, CASCADE_PX)),
            ShellStyle::Desktop => centred(area, (size.w, size.h - bar).into()),
        };
        self.floating = Rectangle::new(kept_inside(area, at, size, bar), size);
    }
}

impl Shell {
    /// Whether an X11 window that is about to be shown is going to fill the output.
    pub(crate) fn fills_alone(&self, window: &X11Surface) -> bool {
        let (min, max) = x11_limits(window);
        let fixed = !min.is_empty() && min == max;
        let mut others = self.windows.iter();
        let others = others.any(|managed| managed.mapped && !managed.is_dialog());
        self.style == ShellStyle::Kiosk && !others && !fixed && !is_x11_dialog(window)
    }

    /// Says whether an X11 program leaves the frame of its window to us.
    pub(crate) fn set_x11_decorated(&mut self, surface: &WlSurface, decorated: bool) {
        if let Some(managed) = self.managed_mut(surface) {
            managed.decorated = decorated;
        }
    }

    /// Puts the decoration mode that goes with a window's placement into its pending state.
    fn set_decoration(&self, toplevel: &ToplevelSurface) {
        let managed = self.managed(toplevel.wl_surface());
        let mode = managed.map_or(Mode::ServerSide, |managed| self.decoration(managed));
        toplevel.with_pending_state(|state| state.decoration_mode = Some(mode));
    }

    /// Who draws the frame of a window.
    fn decoration(&self, managed: &Managed) -> Mode {
        // A window that fills a kiosk needs no frame, so it is told that we draw it.
        let bare = self.style == ShellStyle::Kiosk && managed.fill != Fill::None;
        if bare || managed.decorated {
            Mode::ServerSide
        } else {
            Mode::ClientSide
        }
    }

    fn advance_cascade(&mut self, area: Size<i32, Logical>) {
        self.cascade += CASCADE_PX;
        if self.cascade > area.w.min(area.h) / 4 {
            self.cascade = 0;
        }
    }
}

/// Tells an X11 window its place, its size and its states.
fn configure_x11(managed: &Managed, target: Rectangle<i32, Logical>) {
    let Some(x11) = managed.window.x11_surface() else {
        return;
    };
    let size = if target.is_empty() {
        x11.geometry().size
    } else {
        target.size
    };
    let fullscreen = matches!(managed.fill, Fill::Fullscreen { .. });
    let told = x11
        .set_maximized(managed.fill == Fill::Maximized)
        .and_then(|()| x11.set_fullscreen(fullscreen))
        .map_err(X11SurfaceError::from)
        .and_then(|()| x11.configure(Rectangle::new(target.loc, size)));
    if let Err(error) = told {
        tracing::debug!(%error, "an X11 window could not be configured");
    }
}

/// The size of a window that filled the output and floats now.
fn floating_size(area: Size<i32, Logical>) -> Size<i32, Logical> {
    (area.w * 3 / 4, area.h * 3 / 4).into()
}

/// How far each new window lies from the one before, in logical pixels.
const CASCADE_PX: i32 = 32;
