//! What the window consists of: a black ground, and the picture on it.

use vroom_desktop::{Frame, Size};
use wayland_client::QueueHandle;
use wayland_client::protocol::wl_buffer::WlBuffer;
use wayland_client::protocol::wl_compositor::WlCompositor;
use wayland_client::protocol::wl_shm::WlShm;
use wayland_client::protocol::wl_subcompositor::WlSubcompositor;
use wayland_client::protocol::wl_subsurface::WlSubsurface;
use wayland_client::protocol::wl_surface::WlSurface;
use wayland_protocols::wp::fractional_scale::v1::client::wp_fractional_scale_manager_v1::WpFractionalScaleManagerV1;
use wayland_protocols::wp::viewporter::client::wp_viewport::WpViewport;
use wayland_protocols::wp::viewporter::client::wp_viewporter::WpViewporter;
use wayland_protocols::xdg::decoration::zv1::client::zxdg_decoration_manager_v1::ZxdgDecorationManagerV1;
use wayland_protocols::xdg::decoration::zv1::client::zxdg_toplevel_decoration_v1::Mode;
use wayland_protocols::xdg::shell::client::xdg_surface::XdgSurface;
use wayland_protocols::xdg::shell::client::xdg_toplevel::XdgToplevel;
use wayland_protocols::xdg::shell::client::xdg_wm_base::XdgWmBase;

use super::buffers;
use super::fit::Fit;
use super::host::Found;
use super::window::View;
use crate::Error;

/// The surfaces of the window.
///
/// The ground takes all input. The picture changes only together with it, so that the host never shows
/// the one without the other.
pub(super) struct Surfaces {
    pub(super) compositor: WlCompositor,
    pub(super) viewporter: WpViewporter,
    pub(super) shm: WlShm,
    pub(super) ground: WlSurface,
    ground_viewport: WpViewport,
    picture: WlSurface,
    subcompositor: WlSubcompositor,
    picture_viewport: WpViewport,
    place: WlSubsurface,
    xdg_surface: XdgSurface,
    toplevel: XdgToplevel,
    name: String,
    /// Whether the ground has a buffer.
    mapped: bool,
}

impl Surfaces {
    /// Asks the host for a window; it shows nothing before its first configuration.
    pub(super) fn open(
        host: &Found,
        handle: &QueueHandle<View>,
        name: String,
    ) -> Result<Self, Error> {
        let compositor: WlCompositor = host.need(handle, 6)?;
        let subcompositor: WlSubcompositor = host.need(handle, 1)?;
        let viewporter: WpViewporter = host.need(handle, 1)?;
        let shm: WlShm = host.need(handle, 1)?;
        let base: XdgWmBase = host.need(handle, 6)?;
        let ground = compositor.create_surface(handle, ());
        let picture = compositor.create_surface(handle, ());
        let place = subcompositor.get_subsurface(&picture, &ground, handle, ());
        let nowhere = compositor.create_region(handle, ());
        picture.set_input_region(Some(&nowhere));
        nowhere.destroy();
        let fractional: Option<WpFractionalScaleManagerV1> = host.may_have(handle, 1);
        if let Some(fractional) = fractional {
            fractional.get_fractional_scale(&ground, handle, ());
        }
        let xdg_surface = base.get_xdg_surface(&ground, handle, ());
        let toplevel = xdg_surface.get_toplevel(handle, ());
        toplevel.set_app_id(APP_ID.into());
        toplevel.set_min_size(SIDE_MIN, SIDE_MIN);
        let decorations: Option<ZxdgDecorationManagerV1> = host.may_have(handle, 1);
        if let Some(decorations) = decorations {
            let decoration = decorations.get_toplevel_decoration(&toplevel, handle, ());
            decoration.set_mode(Mode::ServerSide);
        }
        let surfaces = Self {
            ground_viewport: viewporter.get_viewport(&ground, handle, ()),
            picture_viewport: viewporter.get_viewport(&picture, handle, ()),
            compositor,
            subcompositor,
            viewporter,
            shm,
            ground,
            picture,
            place,
            xdg_surface,
            toplevel,
            name,
            mapped: false,
        };
        surfaces.set_title(None);
        surfaces.ground.commit();
        Ok(surfaces)
    }

    /// Says what is in the window: the title of the focused program, and the session.
    pub(super) fn set_title(&self, focused: Option<&str>) {
        let name = &self.name;
        let title = match focused {
            Some(focused) if !focused.is_empty() => format!("{focused} – VROOM: {name}"),
            _ => format!("VROOM: {name}"),
        };
        // A message has a bound, and a string of it no zero bytes.
        let title = title.chars().filter(|c| !c.is_control());
        self.toplevel.set_title(title.take(TITLE_CHARS).collect());
    }

    /// Gives the window a size, and the picture its place in it.
    pub(super) fn lay_out(
        &mut self,
        size: Size,
        fit: Option<Fit>,
        handle: &QueueHandle<View>,
    ) -> std::io::Result<()> {
        let side = |side: u32| i32::try_from(side).unwrap_or(i32::MAX);
        let (width, height) = (side(size.width), side(size.height));
        self.ground_viewport.set_destination(width, height);
        self.xdg_surface.set_window_geometry(0, 0, width, height);
        if !self.mapped {
            let black = buffers::black(&self.shm, handle)?;
            self.ground.attach(Some(&black), 0, 0);
            self.ground.damage_buffer(0, 0, 1, 1);
            self.mapped = true;
        }
        if let Some(fit) = fit {
            self.put(fit);
            self.picture.commit();
        }
        self.ground.commit();
        Ok(())
    }

    /// Puts a buffer with a frame at its place; [`finish`](Self::finish) shows it.
    pub(super) fn attach(&self, buffer: &WlBuffer, frame: &Frame, fit: Fit) {
        self.put(fit);
        self.picture.attach(Some(buffer), 0, 0);
        let side = |side: u32| i32::try_from(side).unwrap_or(i32::MAX);
        for rect in frame.damage.rects() {
            let (x, y) = (side(rect.x), side(rect.y));
            self.picture
                .damage_buffer(x, y, side(rect.width), side(rect.height));
        }
        self.picture.commit();
    }

    /// Shows what was put into the window, and asks to be told when the next picture is due.
    pub(super) fn finish(&self, handle: &QueueHandle<View>) {
        self.ground.frame(handle, ());
        self.ground.commit();
    }

    /// Has a surface above the picture, where it takes no input.
    pub(super) fn above(&self, surface: &WlSurface, handle: &QueueHandle<View>) -> WlSubsurface {
        let nowhere = self.compositor.create_region(handle, ());
        surface.set_input_region(Some(&nowhere));
        nowhere.destroy();
        self.subcompositor
            .get_subsurface(surface, &self.ground, handle, ())
    }

    fn put(&self, fit: Fit) {
        self.place.set_position(fit.x, fit.y);
        self.picture_viewport.set_destination(fit.width, fit.height);
    }
}

/// How the host tells our windows from those of other programs.
const APP_ID: &str = "vroom";

/// The smallest side of the window in logical units.
const SIDE_MIN: i32 = 64;

/// The longest title; the rest is cut.
const TITLE_CHARS: usize = 200;
