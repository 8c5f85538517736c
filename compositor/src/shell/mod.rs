//! The windows: where they are, which has the focus, what a person does to them.
//!
//! On a kiosk a window that is alone fills the output. When a second one appears, both float; when
//! the first is alone again, it fills the output again. On a desktop windows float, snap to edges
//! and are minimised. Dialogs and windows of a fixed size always float.

mod focus;
mod frame;
mod grabs;
mod icons;
mod launcher;
mod notice;
mod output;
mod panel;
mod placement;
mod popups;
mod scene;
mod tick;
mod wallpaper;
mod window;

use std::sync::Arc;
use std::time::{Duration, Instant};

use smithay::backend::renderer::element::Id;
use smithay::desktop::{PopupManager, Space};
use smithay::reexports::wayland_protocols::xdg::shell::server::xdg_toplevel;
use smithay::reexports::wayland_server::protocol::wl_surface::WlSurface;
use smithay::utils::{Logical, Point, Rectangle, Size};
use smithay::wayland::compositor::{get_parent, with_states};
use smithay::wayland::shell::xdg::{SurfaceCachedState, ToplevelSurface};
use smithay::xwayland::X11Surface;
use smithay::xwayland::xwm::WmWindowType;

use crate::ShellStyle;
use crate::handlers::Listed;

pub(crate) use focus::{Cycle, Hit, Owner};
pub(crate) use frame::{BAR_PX, Part};
pub(crate) use grabs::ResizingEdge;
pub(crate) use launcher::Key as LauncherKey;
use output::RESIZE_HOLD;
pub(crate) use panel::Spot;
pub(crate) use popups::popup_root;
pub(crate) use scene::Element;
pub(crate) use window::{Window, X11Window};

/// All windows and popups.
pub(crate) struct Shell {
    /// The mapped windows, bottom to top.
    pub(crate) space: Space<Window>,
    /// The popups of all windows.
    pub(crate) popups: PopupManager,
    /// The pictures shown so far.
    pub(crate) ticks: u64,
    /// A walk through the windows while Alt is held.
    pub(crate) cycle: Option<Cycle>,
    /// What kind of desktop it is.
    style: ShellStyle,
    /// Whether a conformance suite has it: nothing of ours is shown.
    #[cfg(feature = "conformance")]
    pub(crate) bare: bool,
    /// What panels of programs leave of the output.
    pub(crate) zone: Rectangle<i32, Logical>,
    /// Where a dragged window would snap to if it was let go now.
    pub(crate) preview: Option<Rectangle<i32, Logical>>,
    preview_id: Id,
    /// The part of a frame that the pointer is on.
    pub(crate) hot: Option<(Window, Part)>,
    /// The part of the panel that the pointer is on.
    pub(crate) hot_spot: Option<Spot>,
    pub(crate) launcher: Option<launcher::Launcher>,
    notice: Option<notice::Notice>,
    /// What is seen while programs see no output.
    pub(crate) off: Option<notice::Notice>,
    panel: panel::Panel,
    icons: icons::Icons,
    wallpaper: wallpaper::Wallpaper,
    windows: Vec<Managed>,
    /// Menus and the like of X11 programs, which place them themselves, bottom to top.
    pub(crate) menus: Vec<Arc<X11Window>>,
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
    /// Whether its program leaves the frame to us.
    decorated: bool,
    /// Whether a person put it away.
    minimized: bool,
    /// Its frame as it was last painted.
    frame: Option<frame::Frame>,
    /// Its entry in the list of windows.
    listed: Option<Listed>,
}

/// Whether a window takes the whole output.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Fill {
    /// It floats.
    None,
    /// It is maximised, by request or because it is alone.
    Maximized,
    /// It takes a part of the output.
    Snapped(Snap),
    /// It is fullscreen; the flag is what it was before.
    Fullscreen {
        /// Whether it was maximised before.
        maximized: bool,
    },
}

/// The part of the output that a snapped window takes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(crate) enum Snap {
    Left,
    Right,
    TopLeft,
    TopRight,
    BottomLeft,
    BottomRight,
}

impl Snap {
    /// The part of an area that this is.
    pub(crate) fn of(self, area: Rectangle<i32, Logical>) -> Rectangle<i32, Logical> {
        let Rectangle { loc, size } = area;
        let (half_w, half_h) = (size.w / 2, size.h / 2);
        let (x, w) = match self {
            Self::Left | Self::TopLeft | Self::BottomLeft => (0, half_w),
            Self::Right | Self::TopRight | Self::BottomRight => (half_w, size.w - half_w),
        };
        let (y, h) = match self {
            Self::Left | Self::Right => (0, size.h),
            Self::TopLeft | Self::TopRight => (0, half_h),
            Self::BottomLeft | Self::BottomRight => (half_h, size.h - half_h),
        };
        Rectangle::new(loc + Point::from((x, y)), (w, h).into())
    }
}

impl Shell {
    /// A shell without windows.
    pub(crate) fn new(style: ShellStyle) -> Self {
        Self {
            space: Space::default(),
            popups: PopupManager::default(),
            ticks: 0,
            cycle: None,
            style,
            #[cfg(feature = "conformance")]
            bare: false,
            zone: Rectangle::default(),
            preview: None,
            preview_id: Id::new(),
            hot: None,
            hot_spot: None,
            launcher: None,
            notice: None,
            off: None,
            panel: panel::Panel::default(),
            icons: icons::Icons::default(),
            wallpaper: wallpaper::Wallpaper::default(),
            windows: Vec::new(),
            menus: Vec::new(),
            cascade: 0,
            hold_for: RESIZE_HOLD,
            hold_until: None,
            title: None,
        }
    }

    /// Whether it has a wallpaper and a panel of ours.
    pub(crate) fn is_painted(&self) -> bool {
        #[cfg(feature = "conformance")]
        if self.bare {
            return false;
        }
        self.style == ShellStyle::Desktop
    }

    /// Whether programs may draw before they acknowledged their first configuration, as those of a
    /// conformance suite do.
    pub(crate) const fn forgives(&self) -> bool {
        #[cfg(feature = "conformance")]
        return self.bare;
        #[cfg(not(feature = "conformance"))]
        false
    }

    /// Lets the launcher know one more program.
    #[cfg(test)]
    pub(crate) fn install(&mut self, app: crate::apps::App) {
        self.icons.install(app);
    }

    /// Gives the memory of pictures back that are painted anew when they are needed.
    pub(crate) fn release_pictures(&mut self) {
        self.wallpaper.release();
        self.panel.release();
        for notice in [&mut self.notice, &mut self.off].into_iter().flatten() {
            notice.release();
        }
        self.icons.release();
        self.launcher = None;
        for managed in &mut self.windows {
            managed.frame = None;
        }
    }

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

    /// All windows and menus of X11 programs.
    pub(crate) fn x11_shown(&self) -> Vec<Arc<X11Window>> {
        let windows = self.windows().filter_map(|window| match window {
            Window::X11(window) => Some(Arc::clone(window)),
            Window::Wayland(_) => None,
        });
        windows.chain(self.menus.iter().cloned()).collect()
    }

    /// The window that the X server knows under this number.
    pub(crate) fn x11_window(&self, x11: &X11Surface) -> Option<Window> {
        let id = x11.window_id();
        let mut windows = self.windows();
        let found = windows.find(|window| {
            let x11 = window.x11_surface();
            x11.is_some_and(|x11| x11.window_id() == id)
        });
        found.cloned()
    }

    /// The surface of the window that another one belongs to.
    fn parent(&self, window: &Window) -> Option<WlSurface> {
        let Some(x11) = window.x11_surface() else {
            return window.toplevel()?.parent();
        };
        let id = x11.is_transient_for()?;
        let mut windows = self.windows();
        let parent = windows.find(|window| {
            let x11 = window.x11_surface();
            x11.is_some_and(|x11| x11.window_id() == id)
        });
        parent?.wl_surface().cloned()
    }

    /// Whether nothing lies above a window.
    pub(crate) fn is_topmost(&self, window: &Window) -> bool {
        self.space.elements().next_back() == Some(window)
    }

    pub(crate) fn topmost(&self) -> Option<Window> {
        self.space.elements().next_back().cloned()
    }
}

impl Managed {
    fn new(window: Window) -> Self {
        Self {
            window,
            fill: Fill::None,
            home: false,
            mapped: false,
            unsettled: false,
            floating: Rectangle::default(),
            resizing: None,
            decorated: false,
            minimized: false,
            frame: None,
            listed: None,
        }
    }

    /// The height of the bar that we put above it.
    fn bar(&self, style: ShellStyle) -> i32 {
        let shown = match self.fill {
            Fill::Fullscreen { .. } => false,
            Fill::None | Fill::Snapped(_) => true,
            Fill::Maximized => style == ShellStyle::Desktop,
        };
        if self.decorated && shown { BAR_PX } else { 0 }
    }

    fn toplevel(&self) -> Option<&ToplevelSurface> {
        self.window.toplevel()
    }

    fn surface(&self) -> Option<&WlSurface> {
        self.window.wl_surface()
    }

    /// Whether it belongs to another window.
    fn is_dialog(&self) -> bool {
        match &self.window {
            Window::Wayland(_) => self
                .toplevel()
                .is_some_and(|toplevel| toplevel.parent().is_some()),
            Window::X11(window) => is_x11_dialog(&window.x11),
        }
    }

    /// The size that the program was told last, if it was not left to it; and whether it was told
    /// then that a person drags its edges.
    fn told(&self) -> (Option<Size<i32, Logical>>, bool) {
        match &self.window {
            Window::Wayland(_) => self.toplevel().map_or((None, false), |toplevel| {
                let told = toplevel.current_state();
                let resizing = told.states.contains(xdg_toplevel::State::Resizing);
                (told.size, resizing)
            }),
            Window::X11(window) => {
                let size = window.x11.geometry().size;
                ((!self.unsettled).then_some(size), false)
            }
        }
    }

    /// The smallest and the largest size that the program allows; zero means no limit.
    fn limits(&self) -> (Size<i32, Logical>, Size<i32, Logical>) {
        if let Some(x11) = self.window.x11_surface() {
            return x11_limits(x11);
        }
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

/// Whether an X11 window belongs to another one.
pub(crate) fn is_x11_dialog(x11: &X11Surface) -> bool {
    let kind = matches!(
        x11.window_type(),
        Some(WmWindowType::Dialog | WmWindowType::Splash | WmWindowType::Utility)
    );
    kind || x11.is_popup() || x11.is_transient_for().is_some()
}

/// The smallest and the largest size that an X11 program allows; zero means no limit.
pub(crate) fn x11_limits(x11: &X11Surface) -> (Size<i32, Logical>, Size<i32, Logical>) {
    (
        x11.min_size().unwrap_or_default(),
        x11.max_size().unwrap_or_default(),
    )
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
    let middle =
        |start: i32, length: i32, size: i32| start.saturating_add(length.saturating_sub(size) / 2);
    let x = middle(area.loc.x, area.size.w, size.w);
    let y = middle(area.loc.y, area.size.h, size.h);
    (x, y).into()
}

/// The point nearest to `at` from which a rectangle of `size` with a bar above it lies in the area;
/// its top left corner stays inside when it is too large.
fn kept_inside(
    area: Rectangle<i32, Logical>,
    at: Point<i32, Logical>,
    size: Size<i32, Logical>,
    bar: i32,
) -> Point<i32, Logical> {
    let clamp = |value: i32, start: i32, length: i32, size: i32| {
        value
            .min(start.saturating_add(length).saturating_sub(size))
            .max(start)
    };
    let x = clamp(at.x, area.loc.x, area.size.w, size.w);
    let y = clamp(at.y, area.loc.y + bar, area.size.h - bar, size.h);
    (x, y).into()
}

/// The most windows at a time; a program that opens more loses its connection.
const WINDOWS: usize = 512;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_window_is_kept_inside_and_its_corner_visible() {
        let area = Rectangle::from_size((800, 600).into());
        let keep = |at: (i32, i32), size: (i32, i32)| kept_inside(area, at.into(), size.into(), 0);
        assert_eq!(keep((700, 10), (200, 100)), (600, 10).into());
        assert_eq!(keep((-5, 590), (100, 100)), (0, 500).into());
        assert_eq!(keep((50, 50), (2000, 2000)), (0, 0).into());
        let bar = kept_inside(area, (0, 0).into(), (100, 100).into(), 30);
        assert_eq!(bar, (0, 30).into(), "there is room for the bar");
    }

    #[test]
    fn snapped_windows_cover_the_area_without_gaps() {
        let area = Rectangle::new((0, 10).into(), (801, 601).into());
        let halves = Snap::Left.of(area).size.w + Snap::Right.of(area).size.w;
        assert_eq!(halves, 801);
        let quarters = [
            Snap::TopLeft,
            Snap::TopRight,
            Snap::BottomLeft,
            Snap::BottomRight,
        ];
        let sum: i32 = quarters
            .map(|snap| snap.of(area).size)
            .iter()
            .map(|size| size.w * size.h)
            .sum();
        assert_eq!(sum, 801 * 601);
        assert_eq!(Snap::BottomRight.of(area).loc, (400, 310).into());
    }
}
