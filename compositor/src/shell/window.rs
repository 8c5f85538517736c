//! One window, be its program one of Wayland or of X11.

use std::sync::Arc;

use smithay::backend::renderer::element::surface::{
    WaylandSurfaceRenderElement, render_elements_from_surface_tree,
};
use smithay::backend::renderer::element::{AsRenderElements as _, Kind};
use smithay::backend::renderer::pixman::PixmanRenderer;
use smithay::desktop::space::SpaceElement;
use smithay::desktop::utils::{
    OutputPresentationFeedback, bbox_from_surface_tree, take_presentation_feedback_surface_tree,
    under_from_surface_tree, with_surfaces_surface_tree,
};
use smithay::desktop::{self, WindowSurfaceType};
use smithay::output::Output;
use smithay::reexports::wayland_protocols::wp::presentation_time::server::wp_presentation_feedback::Kind as FeedbackKind;
use smithay::reexports::wayland_server::protocol::wl_surface::WlSurface;
use smithay::utils::{IsAlive, Logical, Physical, Point, Rectangle, Scale};
use smithay::wayland::compositor::SurfaceData;
use smithay::wayland::shell::xdg::ToplevelSurface;
use smithay::xwayland::X11Surface;

/// A window that a program shows.
#[derive(Clone, Debug)]
pub(crate) enum Window {
    /// Of a Wayland program.
    Wayland(desktop::Window),
    /// Of an X11 program.
    X11(Arc<X11Window>),
}

/// The window of an X11 program, and the surface that Xwayland draws it on.
///
/// The two are joined by us, since the Xwayland of Debian 12 does it in the way that smithay
/// leaves to others.
#[derive(Debug)]
pub(crate) struct X11Window {
    /// The window as the X server knows it.
    pub(crate) x11: X11Surface,
    /// What it looks like.
    pub(crate) surface: WlSurface,
}

impl Window {
    pub(crate) fn wayland(toplevel: ToplevelSurface) -> Self {
        Self::Wayland(desktop::Window::new_wayland_window(toplevel))
    }

    pub(crate) fn x11(x11: X11Surface, surface: WlSurface) -> Self {
        Self::X11(Arc::new(X11Window { x11, surface }))
    }

    /// The toplevel of a Wayland program.
    pub(crate) fn toplevel(&self) -> Option<&ToplevelSurface> {
        match self {
            Self::Wayland(window) => window.toplevel(),
            Self::X11(_) => None,
        }
    }

    /// The window of an X11 program.
    pub(crate) fn x11_surface(&self) -> Option<&X11Surface> {
        match self {
            Self::Wayland(_) => None,
            Self::X11(window) => Some(&window.x11),
        }
    }

    pub(crate) fn wl_surface(&self) -> Option<&WlSurface> {
        match self {
            Self::Wayland(window) => window.toplevel().map(ToplevelSurface::wl_surface),
            Self::X11(window) => Some(&window.surface),
        }
    }

    /// The content without shadows that a program draws itself.
    pub(crate) fn geometry(&self) -> Rectangle<i32, Logical> {
        match self {
            Self::Wayland(window) => window.geometry(),
            Self::X11(window) => bbox_from_surface_tree(&window.surface, (0, 0)),
        }
    }

    /// Says whether it has the focus; whether that is news to it.
    pub(crate) fn set_activated(&self, active: bool) -> bool {
        match self {
            Self::Wayland(window) => window.set_activated(active),
            Self::X11(window) => {
                let news = window.x11.is_activated() != active;
                // It fails when the X server is gone, and its windows with it.
                news && window.x11.set_activated(active).is_ok()
            }
        }
    }

    /// Asks the program to close it.
    pub(crate) fn close(&self) {
        match self {
            Self::Wayland(window) => {
                if let Some(toplevel) = window.toplevel() {
                    toplevel.send_close();
                }
            }
            Self::X11(window) => {
                if let Err(error) = window.x11.close() {
                    tracing::debug!(%error, "an X11 window could not be closed");
                }
            }
        }
    }

    /// Takes note of what was drawn.
    pub(crate) fn on_commit(&self) {
        if let Self::Wayland(window) = self {
            window.on_commit();
        }
    }

    /// Looks at all its surfaces, popups included.
    pub(crate) fn with_surfaces(&self, look: impl FnMut(&WlSurface, &SurfaceData)) {
        match self {
            Self::Wayland(window) => window.with_surfaces(look),
            Self::X11(window) => with_surfaces_surface_tree(&window.surface, look),
        }
    }

    /// The surface at a point of it, and where that begins.
    pub(crate) fn surface_under(
        &self,
        at: Point<f64, Logical>,
    ) -> Option<(WlSurface, Point<i32, Logical>)> {
        match self {
            Self::Wayland(window) => window.surface_under(at, WindowSurfaceType::ALL),
            Self::X11(window) => {
                under_from_surface_tree(&window.surface, at, (0, 0), WindowSurfaceType::ALL)
            }
        }
    }

    /// What is to be drawn of it.
    pub(crate) fn render_elements<E: From<WaylandSurfaceRenderElement<PixmanRenderer>>>(
        &self,
        renderer: &mut PixmanRenderer,
        at: Point<i32, Physical>,
        scale: Scale<f64>,
    ) -> Vec<E> {
        match self {
            Self::Wayland(window) => window.render_elements(renderer, at, scale, 1.0),
            Self::X11(window) => render_elements_from_surface_tree(
                renderer,
                &window.surface,
                at,
                scale,
                1.0,
                Kind::Unspecified,
            ),
        }
    }

    /// Collects those who want to know when it was shown.
    pub(crate) fn take_presentation_feedback(
        &self,
        feedback: &mut OutputPresentationFeedback,
        output: impl FnMut(&WlSurface, &SurfaceData) -> Option<Output> + Copy,
        flags: impl FnMut(&WlSurface, &SurfaceData) -> FeedbackKind + Copy,
    ) {
        match self {
            Self::Wayland(window) => window.take_presentation_feedback(feedback, output, flags),
            Self::X11(window) => {
                take_presentation_feedback_surface_tree(&window.surface, feedback, output, flags);
            }
        }
    }
}

impl PartialEq for Window {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Wayland(one), Self::Wayland(other)) => one == other,
            (Self::X11(one), Self::X11(other)) => Arc::ptr_eq(one, other),
            _ => false,
        }
    }
}

impl IsAlive for Window {
    fn alive(&self) -> bool {
        match self {
            Self::Wayland(window) => window.alive(),
            Self::X11(window) => window.x11.alive() && window.surface.alive(),
        }
    }
}

impl SpaceElement for Window {
    fn geometry(&self) -> Rectangle<i32, Logical> {
        self.geometry()
    }

    fn bbox(&self) -> Rectangle<i32, Logical> {
        match self {
            Self::Wayland(window) => SpaceElement::bbox(window),
            Self::X11(_) => self.geometry(),
        }
    }

    fn is_in_input_region(&self, point: &Point<f64, Logical>) -> bool {
        self.surface_under(*point).is_some()
    }

    fn set_activate(&self, activated: bool) {
        self.set_activated(activated);
    }

    fn output_enter(&self, output: &Output, overlap: Rectangle<i32, Logical>) {
        match self {
            Self::Wayland(window) => SpaceElement::output_enter(window, output, overlap),
            Self::X11(window) => output.enter(&window.surface),
        }
    }

    fn output_leave(&self, output: &Output) {
        match self {
            Self::Wayland(window) => SpaceElement::output_leave(window, output),
            Self::X11(window) => output.leave(&window.surface),
        }
    }

    fn refresh(&self) {
        if let Self::Wayland(window) = self {
            SpaceElement::refresh(window);
        }
    }
}
