//! xdg-shell: windows and popups.

use smithay::backend::renderer::utils::with_renderer_surface_state;
use smithay::input::Seat;
use smithay::input::pointer::GrabStartData;
use smithay::reexports::wayland_protocols::xdg::shell::server::xdg_popup::XdgPopup;
use smithay::reexports::wayland_protocols::xdg::shell::server::xdg_positioner::XdgPositioner;
use smithay::reexports::wayland_protocols::xdg::shell::server::xdg_surface::XdgSurface;
use smithay::reexports::wayland_protocols::xdg::shell::server::xdg_toplevel::{
    ResizeEdge, XdgToplevel,
};
use smithay::reexports::wayland_protocols::xdg::shell::server::xdg_wm_base::{self, XdgWmBase};
use smithay::reexports::wayland_server::backend::ClientId;
use smithay::reexports::wayland_server::protocol::wl_output::WlOutput;
use smithay::reexports::wayland_server::protocol::wl_seat::WlSeat;
use smithay::reexports::wayland_server::protocol::wl_surface::WlSurface;
use smithay::reexports::wayland_server::{
    Client, DataInit, Dispatch, DisplayHandle, Resource as _, delegate_dispatch,
    delegate_global_dispatch,
};
use smithay::utils::Serial;
use smithay::wayland::compositor::{BufferAssignment, SurfaceAttributes, get_role, with_states};
use smithay::wayland::shell::xdg::{
    PopupSurface, PositionerState, ToplevelSurface, XDG_POPUP_ROLE, XDG_TOPLEVEL_ROLE,
    XdgPositionerUserData, XdgShellHandler, XdgShellState, XdgShellSurfaceUserData,
    XdgSurfaceUserData, XdgWmBaseUserData,
};

use crate::shell::{Fill, ResizingEdge, Window};
use crate::state::State;

impl XdgShellHandler for State {
    fn xdg_shell_state(&mut self) -> &mut XdgShellState {
        &mut self.protocols.xdg_shell
    }

    fn new_toplevel(&mut self, surface: ToplevelSurface) {
        self.add_window(surface);
    }

    fn toplevel_destroyed(&mut self, surface: ToplevelSurface) {
        let surface = surface.wl_surface().clone();
        self.pen_leaves(&surface);
        self.once_gone(&surface.clone(), move |state| state.remove_window(&surface));
    }

    fn new_popup(&mut self, surface: PopupSurface, positioner: PositionerState) {
        self.add_popup(surface, positioner);
    }

    fn reposition_request(
        &mut self,
        surface: PopupSurface,
        positioner: PositionerState,
        token: u32,
    ) {
        self.reposition_popup(&surface, positioner, token);
    }

    fn popup_destroyed(&mut self, surface: PopupSurface) {
        self.pen_leaves(surface.wl_surface());
        self.popup_gone();
    }

    fn grab(&mut self, surface: PopupSurface, seat: WlSeat, serial: Serial) {
        if Seat::from_resource(&seat).as_ref() == Some(&self.seat) {
            self.grab_popup(surface, serial);
        }
    }

    fn move_request(&mut self, surface: ToplevelSurface, _seat: WlSeat, serial: Serial) {
        if let Some((window, start)) = self.drag_start(&surface, serial) {
            self.start_move(&window, start, serial);
        }
    }

    fn resize_request(
        &mut self,
        surface: ToplevelSurface,
        _seat: WlSeat,
        serial: Serial,
        edges: ResizeEdge,
    ) {
        if let Some((window, start)) = self.drag_start(&surface, serial) {
            self.start_resize(&window, ResizingEdge::from(edges), start, serial);
        }
    }

    fn maximize_request(&mut self, surface: ToplevelSurface) {
        self.answer_fill(&surface, |_| Fill::Maximized);
    }

    fn unmaximize_request(&mut self, surface: ToplevelSurface) {
        self.answer_fill(&surface, |_| Fill::None);
    }

    fn fullscreen_request(&mut self, surface: ToplevelSurface, _output: Option<WlOutput>) {
        self.answer_fill(&surface, |fill| match fill {
            Fill::Fullscreen { maximized } => Fill::Fullscreen { maximized },
            fill => Fill::Fullscreen {
                maximized: fill == Fill::Maximized,
            },
        });
    }

    fn unfullscreen_request(&mut self, surface: ToplevelSurface) {
        self.answer_fill(&surface, |fill| match fill {
            Fill::Fullscreen { maximized: true } => Fill::Maximized,
            Fill::Fullscreen { maximized: false } => Fill::None,
            fill => fill,
        });
    }

    fn minimize_request(&mut self, surface: ToplevelSurface) {
        if let Some(window) = self.shell.window(surface.wl_surface()) {
            self.minimize(&window);
        }
    }

    fn parent_changed(&mut self, surface: ToplevelSurface) {
        self.follow_kind(surface.wl_surface());
    }

    fn title_changed(&mut self, surface: ToplevelSurface) {
        self.renamed(surface.wl_surface());
    }

    fn app_id_changed(&mut self, surface: ToplevelSurface) {
        self.renamed(surface.wl_surface());
    }
}

impl State {
    /// Changes how a window fills the output and configures it, as each such request demands.
    fn answer_fill(&mut self, toplevel: &ToplevelSurface, change: impl FnOnce(Fill) -> Fill) {
        let surface = toplevel.wl_surface();
        let Some(fill) = self.fill(surface) else {
            return;
        };
        if !toplevel.is_initial_configure_sent() {
            self.shell.set_first_fill(surface, change(fill));
            return;
        }
        self.set_fill(surface, change(fill));
        if self.fill(surface) == Some(fill) {
            toplevel.send_configure();
        }
    }

    /// The press that a drag of a window starts with, if the program was given it and still
    /// holds it.
    fn drag_start(
        &mut self,
        toplevel: &ToplevelSurface,
        serial: Serial,
    ) -> Option<(Window, GrabStartData<Self>)> {
        let window = self.shell.window(toplevel.wl_surface())?;
        let start = if self.pointer.has_grab(serial) {
            self.pointer.grab_start_data()
        } else {
            self.pen_drag_start(toplevel.wl_surface(), serial)
        }?;
        let (surface, _) = start.focus.as_ref()?;
        surface
            .id()
            .same_client_as(&toplevel.wl_surface().id())
            .then_some((window, start))
    }
}

impl Dispatch<XdgWmBase, XdgWmBaseUserData> for State {
    fn request(
        state: &mut Self,
        client: &Client,
        wm_base: &XdgWmBase,
        request: xdg_wm_base::Request,
        data: &XdgWmBaseUserData,
        display: &DisplayHandle,
        init: &mut DataInit<'_, Self>,
    ) {
        if let xdg_wm_base::Request::GetXdgSurface { surface, .. } = &request {
            // smithay finds out about the first only when the surface becomes a window, and never
            // about the second.
            let role = get_role(surface);
            if role.is_some_and(|role| role != XDG_TOPLEVEL_ROLE && role != XDG_POPUP_ROLE) {
                wm_base.post_error(xdg_wm_base::Error::Role, "the surface is something else");
            } else if has_buffer(surface) {
                wm_base.post_error(
                    xdg_wm_base::Error::InvalidSurfaceState,
                    "the surface shows something already",
                );
            }
        }
        <XdgShellState as Dispatch<XdgWmBase, XdgWmBaseUserData, Self>>::request(
            state, client, wm_base, request, data, display, init,
        );
    }

    fn destroyed(
        state: &mut Self,
        client: ClientId,
        wm_base: &XdgWmBase,
        data: &XdgWmBaseUserData,
    ) {
        <XdgShellState as Dispatch<XdgWmBase, XdgWmBaseUserData, Self>>::destroyed(
            state, client, wm_base, data,
        );
    }
}

/// Whether a buffer is attached to a surface, or was.
fn has_buffer(surface: &WlSurface) -> bool {
    let attached = with_states(surface, |states| {
        let mut attributes = states.cached_state.get::<SurfaceAttributes>();
        matches!(
            attributes.pending().buffer,
            Some(BufferAssignment::NewBuffer(_))
        )
    });
    let shown = with_renderer_surface_state(surface, |state| state.buffer().is_some());
    attached || shown == Some(true)
}

delegate_global_dispatch!(State: [XdgWmBase: ()] => XdgShellState);
delegate_dispatch!(State: [XdgPositioner: XdgPositionerUserData] => XdgShellState);
delegate_dispatch!(State: [XdgPopup: XdgShellSurfaceUserData] => XdgShellState);
delegate_dispatch!(State: [XdgSurface: XdgSurfaceUserData] => XdgShellState);
delegate_dispatch!(State: [XdgToplevel: XdgShellSurfaceUserData] => XdgShellState);
