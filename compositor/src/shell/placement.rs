//! Which window fills the output, which floats, and where.

use smithay::desktop::Window;
use smithay::reexports::wayland_protocols::xdg::decoration::zv1::server::zxdg_toplevel_decoration_v1::Mode;
use smithay::reexports::wayland_protocols::xdg::shell::server::xdg_toplevel;
use smithay::reexports::wayland_server::Resource as _;
use smithay::reexports::wayland_server::protocol::wl_surface::WlSurface;
use smithay::utils::{Logical, Rectangle, Size};
use smithay::wayland::shell::xdg::ToplevelSurface;

use super::{Fill, Managed, Shell, WINDOWS, centred, kept_inside};
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
        self.shell.windows.push(Managed::new(toplevel));
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
        let Some(toplevel) = managed.toplevel().cloned() else {
            return;
        };
        if has_content && !mapped && !toplevel.ensure_configured() {
            // The program was disconnected: it drew before it knew its size.
            return;
        }
        if !toplevel.is_initial_configure_sent() {
            self.decide_placement(surface);
            self.configure(surface);
        } else if has_content && !mapped {
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
        let told = managed.toplevel().map(ToplevelSurface::current_state);
        if !managed.unsettled || told.is_none_or(|told| told.size.is_some()) {
            return;
        }
        let window = managed.window.clone();
        self.place(&window);
        self.focus(Some(&window));
    }

    /// Decides about a window that has said all about itself but shows nothing yet.
    fn decide_placement(&mut self, surface: &WlSurface) {
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
        let Some(managed) = self.shell.managed_mut(surface) else {
            return;
        };
        managed.mapped = true;
        let window = managed.window.clone();
        self.follow_kind(surface);
        self.follow_windows();
        self.place(&window);
        self.focus(Some(&window));
    }

    /// Puts a window that was just mapped where it belongs.
    fn place(&mut self, window: &Window) {
        let area = self.output_area();
        let size = window.geometry().size;
        let parent = window.toplevel().and_then(ToplevelSurface::parent);
        let parent_area = parent
            .and_then(|parent| self.shell.window_of(&parent))
            .and_then(|parent| self.shell.space.element_geometry(&parent));
        let Some(surface) = window
            .toplevel()
            .map(|toplevel| toplevel.wl_surface().clone())
        else {
            return;
        };
        let cascade = self.shell.cascade;
        let Some(managed) = self.shell.managed_mut(&surface) else {
            return;
        };
        managed.unsettled = false;
        if managed.fill != Fill::None {
            self.shell.space.map_element(window.clone(), (0, 0), false);
            return;
        }
        let fixed = managed.is_fixed_size();
        let wanted = match parent_area {
            Some(parent) => centred(parent, size),
            None if fixed => centred(area, size),
            None => (cascade, cascade).into(),
        };
        managed.floating = Rectangle::new(kept_inside(area.size, wanted, size), size);
        let (location, too_large) = (
            managed.floating.loc,
            size.w > area.size.w || size.h > area.size.h,
        );
        if too_large {
            let smaller = (size.w.min(area.size.w), size.h.min(area.size.h)).into();
            managed.floating.size = managed.clamp(smaller);
        }
        if parent_area.is_none() && !fixed {
            self.shell.advance_cascade(area.size);
        }
        self.shell
            .space
            .map_element(window.clone(), location, false);
        if too_large {
            self.configure(&surface);
        }
    }

    fn unmap(&mut self, surface: &WlSurface) {
        let Some(managed) = self.shell.managed_mut(surface) else {
            return;
        };
        if !std::mem::take(&mut managed.mapped) {
            return;
        }
        let window = managed.window.clone();
        self.shell.space.unmap_elem(&window);
        self.shell.cycle = None;
        self.clock.want();
        let next = self.shell.topmost();
        self.focus(next.as_ref());
    }

    /// Lets the window that is alone fill the output, and lets it float when it no longer is.
    pub(super) fn follow_windows(&mut self) {
        let mains = self
            .shell
            .windows
            .iter()
            .filter(|managed| managed.mapped && !managed.is_dialog());
        let alone = mains.count() == 1;
        let area = self.output_area().size;
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
                    if managed.floating.is_empty() {
                        managed.floating.size = managed.clamp(floating_size(area));
                        managed.floating.loc = kept_inside(
                            area,
                            (CASCADE_PX, CASCADE_PX).into(),
                            managed.floating.size,
                        );
                    }
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
        let area = self.output_area().size;
        let Some(managed) = self.shell.managed_mut(surface) else {
            return;
        };
        managed.fill = match fill {
            // A window that is alone keeps filling the output.
            Fill::None if alone_at_home => Fill::Maximized,
            fill => fill,
        };
        if managed.fill == Fill::None && managed.mapped && managed.floating.is_empty() {
            managed.floating.size = managed.clamp(floating_size(area));
            managed.floating.loc =
                kept_inside(area, (CASCADE_PX, CASCADE_PX).into(), managed.floating.size);
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

    fn apply_fill(&mut self, surface: &WlSurface) {
        let Some(managed) = self.shell.managed(surface) else {
            return;
        };
        let location = match managed.fill {
            Fill::None => managed.floating.loc,
            _ => (0, 0).into(),
        };
        let window = managed.window.clone();
        if managed.mapped {
            self.shell.relocate(&window, location);
            self.clock.want();
        }
        self.configure(surface);
    }

    /// Tells a window its size and its states.
    pub(super) fn configure(&mut self, surface: &WlSurface) {
        let area = self.output_area().size;
        let Some(managed) = self.shell.managed(surface) else {
            return;
        };
        let Some(toplevel) = managed.toplevel() else {
            return;
        };
        let size = match managed.fill {
            Fill::None => Some(managed.floating.size).filter(|size| !size.is_empty()),
            _ => Some(area),
        };
        let fill = managed.fill;
        let resizing = managed.resizing.is_some_and(|resizing| resizing.held);
        toplevel.with_pending_state(|state| {
            state.size = size;
            state.bounds = Some(area);
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
            state.decoration_mode = Some(decoration(fill));
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
}

impl Shell {
    /// Puts the decoration mode that goes with a window's placement into its pending state.
    pub(crate) fn set_decoration(&self, toplevel: &ToplevelSurface) {
        let managed = self.managed(toplevel.wl_surface());
        let fill = managed.map_or(Fill::None, |managed| managed.fill);
        toplevel.with_pending_state(|state| state.decoration_mode = Some(decoration(fill)));
    }

    fn advance_cascade(&mut self, area: Size<i32, Logical>) {
        self.cascade += CASCADE_PX;
        if self.cascade > area.w.min(area.h) / 2 {
            self.cascade = 0;
        }
    }
}

const fn decoration(fill: Fill) -> Mode {
    match fill {
        Fill::None => Mode::ClientSide,
        _ => Mode::ServerSide,
    }
}

/// The size of a window that filled the output and floats now.
fn floating_size(area: Size<i32, Logical>) -> Size<i32, Logical> {
    (area.w * 3 / 4, area.h * 3 / 4).into()
}

/// How far each new window lies from the one before, in logical pixels.
const CASCADE_PX: i32 = 32;
