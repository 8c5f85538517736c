//! What the host tells about the window and its buffers.

use vroom_desktop::Size;
use wayland_client::protocol::wl_buffer::{self, WlBuffer};
use wayland_client::protocol::wl_callback::{self, WlCallback};
use wayland_client::protocol::wl_compositor::WlCompositor;
use wayland_client::protocol::wl_region::WlRegion;
use wayland_client::protocol::wl_shm::WlShm;
use wayland_client::protocol::wl_shm_pool::WlShmPool;
use wayland_client::protocol::wl_subcompositor::WlSubcompositor;
use wayland_client::protocol::wl_subsurface::WlSubsurface;
use wayland_client::{Connection, Dispatch, QueueHandle, delegate_noop};
use wayland_protocols::wp::fractional_scale::v1::client::wp_fractional_scale_manager_v1::WpFractionalScaleManagerV1;
use wayland_protocols::wp::viewporter::client::wp_viewport::WpViewport;
use wayland_protocols::wp::viewporter::client::wp_viewporter::WpViewporter;
use wayland_protocols::xdg::decoration::zv1::client::zxdg_decoration_manager_v1::ZxdgDecorationManagerV1;
use wayland_protocols::xdg::decoration::zv1::client::zxdg_toplevel_decoration_v1::ZxdgToplevelDecorationV1;
use wayland_protocols::xdg::shell::client::xdg_surface::{self, XdgSurface};
use wayland_protocols::xdg::shell::client::xdg_toplevel::{self, XdgToplevel};
use wayland_protocols::xdg::shell::client::xdg_wm_base::{self, XdgWmBase};

use super::window::{End, View};

impl Dispatch<XdgWmBase, ()> for View {
    fn event(
        _: &mut Self,
        base: &XdgWmBase,
        event: xdg_wm_base::Event,
        (): &(),
        _: &Connection,
        _: &QueueHandle<Self>,
    ) {
        if let xdg_wm_base::Event::Ping { serial } = event {
            base.pong(serial);
        }
    }
}

impl Dispatch<XdgSurface, ()> for View {
    fn event(
        view: &mut Self,
        surface: &XdgSurface,
        event: xdg_surface::Event,
        (): &(),
        _: &Connection,
        _: &QueueHandle<Self>,
    ) {
        if let xdg_surface::Event::Configure { serial } = event {
            surface.ack_configure(serial);
            view.configured();
        }
    }
}

impl Dispatch<XdgToplevel, ()> for View {
    fn event(
        view: &mut Self,
        _: &XdgToplevel,
        event: xdg_toplevel::Event,
        (): &(),
        _: &Connection,
        _: &QueueHandle<Self>,
    ) {
        match event {
            xdg_toplevel::Event::Configure {
                width,
                height,
                states,
            } => {
                let side = |side: i32| u32::try_from(side).ok().filter(|side| *side > 0);
                let (width, height) = (side(width), side(height));
                view.wanted.size = width
                    .zip(height)
                    .map(|(width, height)| Size::new(width, height));
                let suspended = u32::from(xdg_toplevel::State::Suspended).to_ne_bytes();
                let (states, _) = states.as_chunks::<4>();
                view.wanted.suspended = states.contains(&suspended);
            }
            xdg_toplevel::Event::Close => view.end = Some(End::Closed),
            _ => {}
        }
    }
}

impl Dispatch<WlCallback, ()> for View {
    fn event(
        view: &mut Self,
        _: &WlCallback,
        _: wl_callback::Event,
        (): &(),
        _: &Connection,
        _: &QueueHandle<Self>,
    ) {
        view.callback = None;
        view.visible.stalled = false;
    }
}

impl Dispatch<WlBuffer, ()> for View {
    fn event(
        view: &mut Self,
        buffer: &WlBuffer,
        event: wl_buffer::Event,
        (): &(),
        _: &Connection,
        _: &QueueHandle<Self>,
    ) {
        if matches!(event, wl_buffer::Event::Release) {
            view.pool.released(buffer);
        }
    }
}

delegate_noop!(View: ignore WlCompositor);
delegate_noop!(View: ignore WlRegion);
delegate_noop!(View: ignore WlShm);
delegate_noop!(View: ignore WlShmPool);
delegate_noop!(View: ignore WlSubcompositor);
delegate_noop!(View: ignore WlSubsurface);
delegate_noop!(View: ignore WpFractionalScaleManagerV1);
delegate_noop!(View: ignore WpViewport);
delegate_noop!(View: ignore WpViewporter);
delegate_noop!(View: ignore ZxdgDecorationManagerV1);
delegate_noop!(View: ignore ZxdgToplevelDecorationV1);
