//! The windows: where they are, which has the focus, what a person does to them.
//!
//! A window that is alone fills the output. When a second one appears, both float; when the first
//! is alone again, it fills the output again. Dialogs and windows of a fixed size always float.

mod focus;
mod grabs;
mod output;
mod placement;
mod popups;
mod tick;

use std::time::{Duration, Instant};

use smithay::desktop::{PopupManager, Space, Window};
use smithay::reexports::wayland_server::protocol::wl_surface::WlSurface;
use smithay::utils::{Logical, Point, Rectangle, Size};
use smithay::wayland::compositor::{get_parent, with_states};
use smithay::wayland::shell::xdg::{SurfaceCachedState, ToplevelSurface};

pub(crate) use focus::Cycle;
pub(crate) use grabs::ResizingEdge;
pub(crate) use output::RESIZE_HOLD;
pub(crate) use popups::popup_root;

/// All windows and popups.
#[derive(Default)]
pub(crate) struct Shell {
    /// The mapped windows, bottom to top.
    pub(crate) space: Space<Window>,
    /// The popups of all windows.
    pub(crate) popups: PopupManager,
    /// The pictures shown so far.
    pub(crate) ticks: u64,
    /// A walk through the windows while Alt is held.
    pub(crate) cycle: Option<Cycle>,
    windows: Vec<Managed>,
    cascade: i32,
    /// How long the last picture stays while windows follow a resize.
    pub(crate) hold_for: Duration,
    hold_until: Option<Instant>,
    title: Option<String>,
}

/// One toplevel window, mapped or not.
pub(crate) struct Managed {
    window: Window,
    fill: Fill,
    /// Whether it fills the output whenever it is alone.
    home: bool,
    mapped: bool,
    /// Whether it is to be placed anew once it has chosen its own size.
    unsettled: bool,
    /// Where it goes when it floats; the size is empty until the program chose one.
    floating: Rectangle<i32, Logical>,
    /// The edges that a person drags, which decide which corner stays.
    resizing: Option<grabs::Resizing>,
}

/// Whether a window takes the whole output.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Fill {
    /// It floats.
    None,
    /// It is maximised, by request or because it is alone.
    Maximized,
    /// It is fullscreen; the flag is what it was before.
    Fullscreen {
        /// Whether it was maximised before.
        maximized: bool,
    },
}

impl Shell {
    /// The window that a toplevel's surface belongs to.
    pub(crate) fn window(&self, surface: &WlSurface) -> Option<Window> {
        self.managed(surface).map(|managed| managed.window.clone())
    }

    /// The window that a surface is part of, be it the toplevel or a subsurface of it.
    pub(crate) fn window_of(&self, surface: &WlSurface) -> Option<Window> {
        self.window(&root_of(surface))
    }

    /// All windows, mapped or not.
    pub(crate) fn windows(&self) -> impl Iterator<Item = &Window> {
        self.windows.iter().map(|managed| &managed.window)
    }

    /// When the picture is drawn again after a resize, at the latest.
    pub(crate) const fn hold_until(&self) -> Option<Instant> {
        self.hold_until
    }

    fn managed(&self, surface: &WlSurface) -> Option<&Managed> {
        self.windows
            .iter()
            .find(|managed| managed.surface() == Some(surface))
    }

    fn managed_mut(&mut self, surface: &WlSurface) -> Option<&mut Managed> {
        self.windows
            .iter_mut()
            .find(|managed| managed.surface() == Some(surface))
    }

    /// Notes how a window wants to fill the output before it was first configured.
    pub(crate) fn set_first_fill(&mut self, surface: &WlSurface, fill: Fill) {
        if let Some(managed) = self.managed_mut(surface) {
            managed.fill = fill;
        }
    }

    /// Moves a mapped window without changing what lies above it.
    fn relocate(&mut self, window: &Window, location: Point<i32, Logical>) {
        let above: Vec<_> = self
            .space
            .elements()
            .skip_while(|other| *other != window)
            .skip(1)
            .cloned()
            .collect();
        self.space.map_element(window.clone(), location, false);
        for other in above {
            self.space.raise_element(&other, false);
        }
    }

    /// Whether nothing lies above a window.
    pub(crate) fn is_topmost(&self, window: &Window) -> bool {
        self.space.elements().next_back() == Some(window)
    }

    fn topmost(&self) -> Option<Window> {
        self.space.elements().next_back().cloned()
    }
}

impl Managed {
    fn new(toplevel: ToplevelSurface) -> Self {
        Self {
            window: Window::new_wayland_window(toplevel),
            fill: Fill::None,
            home: false,
            mapped: false,
            unsettled: false,
            floating: Rectangle::default(),
            resizing: None,
        }
    }

    fn toplevel(&self) -> Option<&ToplevelSurface> {
        self.window.toplevel()
    }

    fn surface(&self) -> Option<&WlSurface> {
        self.toplevel().map(ToplevelSurface::wl_surface)
    }

    /// Whether it belongs to another window.
    fn is_dialog(&self) -> bool {
        self.toplevel()
            .is_some_and(|toplevel| toplevel.parent().is_some())
    }

    /// The smallest and the largest size that the program allows; zero means no limit.
    fn limits(&self) -> (Size<i32, Logical>, Size<i32, Logical>) {
        let Some(surface) = self.surface() else {
            return Default::default();
        };
        with_states(surface, |states| {
            let mut cached = states.cached_state.get::<SurfaceCachedState>();
            let current = cached.current();
            (current.min_size, current.max_size)
        })
    }

    fn is_fixed_size(&self) -> bool {
        let (min, max) = self.limits();
        !min.is_empty() && min == max
    }

    /// The size nearest to `size` that the program allows.
    fn clamp(&self, size: Size<i32, Logical>) -> Size<i32, Logical> {
        let (min, max) = self.limits();
        let clamp = |value: i32, min: i32, max: i32| {
            let value = if max > 0 { value.min(max) } else { value };
            value.max(min).max(1)
        };
        (clamp(size.w, min.w, max.w), clamp(size.h, min.h, max.h)).into()
    }
}

/// The surface at the root of a tree of subsurfaces.
pub(crate) fn root_of(surface: &WlSurface) -> WlSurface {
    let mut root = surface.clone();
    while let Some(parent) = get_parent(&root) {
        root = parent;
    }
    root
}

/// The centre of a rectangle minus half of a size.
fn centred(area: Rectangle<i32, Logical>, size: Size<i32, Logical>) -> Point<i32, Logical> {
    let x = area.loc.x + (area.size.w - size.w) / 2;
    let y = area.loc.y + (area.size.h - size.h) / 2;
    (x, y).into()
}

/// The point nearest to `at` from which a rectangle of `size` lies in the area; its top left corner
/// stays inside when it is too large.
fn kept_inside(
    area: Size<i32, Logical>,
    at: Point<i32, Logical>,
    size: Size<i32, Logical>,
) -> Point<i32, Logical> {
    let clamp = |value: i32, area: i32, size: i32| value.min(area.saturating_sub(size)).max(0);
    (clamp(at.x, area.w, size.w), clamp(at.y, area.h, size.h)).into()
}

/// The most windows at a time; a program that opens more loses its connection.
const WINDOWS: usize = 512;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_is_kept_inside_and_its_corner_visible() {
        let area = (800, 600).into();
        let keep = |at: (i32, i32), size: (i32, i32)| kept_inside(area, at.into(), size.into());
        assert_eq!(keep((700, 10), (200, 100)), (600, 10).into());
        assert_eq!(keep((-5, 590), (100, 100)), (0, 500).into());
        assert_eq!(keep((50, 50), (2000, 2000)), (0, 0).into());
    }
}
