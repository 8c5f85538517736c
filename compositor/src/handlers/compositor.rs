//! wl_compositor: what happens when a program commits a surface.

use smithay::backend::renderer::utils::{on_commit_buffer_handler, with_renderer_surface_state};
use smithay::reexports::wayland_server::protocol::wl_callback::WlCallback;
use smithay::reexports::wayland_server::protocol::wl_compositor::WlCompositor;
use smithay::reexports::wayland_server::protocol::wl_region::WlRegion;
use smithay::reexports::wayland_server::protocol::wl_subcompositor::{self, WlSubcompositor};
use smithay::reexports::wayland_server::protocol::wl_surface::WlSurface;
use smithay::reexports::wayland_server::{
    Client, Resource as _, delegate_dispatch, delegate_global_dispatch,
};
use smithay::wayland::compositor::{
    CompositorClientState, CompositorHandler, CompositorState, RegionUserData, SurfaceUserData,
    get_children, get_parent, get_role, is_sync_subsurface,
};
use smithay::wayland::shell::wlr_layer::LAYER_SURFACE_ROLE;
use smithay::wayland::shell::xdg::{XDG_POPUP_ROLE, XDG_TOPLEVEL_ROLE};
use smithay::xwayland::XWaylandClientData;

use super::subsurface::places_committed;
use crate::client::ClientState;
use crate::shell::root_of;
use crate::state::State;

impl CompositorHandler for State {
    fn compositor_state(&mut self) -> &mut CompositorState {
        &mut self.protocols.compositor
    }

    #[expect(
        clippy::expect_used,
        reason = "only add_client adds clients, and Xwayland is one of smithay's"
    )]
    fn client_compositor_state<'a>(&self, client: &'a Client) -> &'a CompositorClientState {
        if let Some(xwayland) = client.get_data::<XWaylandClientData>() {
            return &xwayland.compositor_state;
        }
        let state = client.get_data::<ClientState>();
        &state.expect("every other client has our state").compositor
    }

    /// A tree of subsurfaces is walked recursively, so its depth is limited.
    fn new_subsurface(&mut self, surface: &WlSurface, parent: &WlSurface) {
        if depth(parent) + height(surface, 0) > SUBSURFACE_DEPTH {
            // Ending the connection at once would pull it away under the request in progress.
            surface.post_error(
                wl_subcompositor::Error::BadParent,
                "subsurfaces are nested too deep",
            );
        }
    }

    fn commit(&mut self, surface: &WlSurface) {
        places_committed(surface);
        on_commit_buffer_handler::<Self>(surface);
        self.clock.want();
        if is_sync_subsurface(surface) {
            return;
        }
        if let Some(window) = self.shell.window(&root_of(surface)) {
            window.on_commit();
        }
        match get_role(surface) {
            Some(XDG_TOPLEVEL_ROLE) => {
                let buffer = with_renderer_surface_state(surface, |state| state.buffer().is_some());
                self.window_committed(surface, buffer.unwrap_or(false));
            }
            Some(XDG_POPUP_ROLE) => self.popup_committed(surface),
            Some(LAYER_SURFACE_ROLE) => self.layer_committed(surface),
            _ if self.is_x11(surface) => self.x11_committed(surface),
            _ => self.cursor_committed(surface),
        }
        self.refocus_pointer();
    }

    fn destroyed(&mut self, surface: &WlSurface) {
        self.lift_fingers(surface);
        let gone = surface.clone();
        self.once_gone(surface, move |state| {
            state.forget_x11(&gone);
            state.cursor.forget(&gone);
            state.text_inputs.forget(&gone);
            state.forget_under_pen(&gone);
            state.input.inhibitors.retain(|surface| *surface != gone);
            state.clock.want();
        });
    }
}

impl State {
    /// Goes on when a surface or its role ended: at once, or when the rest of its program is gone, too.
    ///
    /// What a program that is disconnected has left ends one by one. The focus must not move meanwhile:
    /// to tell the program of it, by what is still there, would end all of us.
    pub(super) fn once_gone(
        &mut self,
        surface: &WlSurface,
        then: impl FnOnce(&mut Self) + 'static,
    ) {
        if surface.client().is_some() {
            then(self);
        } else {
            self.handle.insert_idle(then);
            // It is done after the next events, which may be long in coming.
            self.outlets.inbox.ring();
        }
    }
}

/// The number of ancestors of a surface.
fn depth(surface: &WlSurface) -> usize {
    let mut depth = 0;
    let mut at = surface.clone();
    while let Some(parent) = get_parent(&at) {
        depth += 1;
        at = parent;
        if depth > SUBSURFACE_DEPTH {
            break;
        }
    }
    depth
}

/// The number of levels from a surface down to its lowest descendant, itself included.
fn height(surface: &WlSurface, above: usize) -> usize {
    if above > SUBSURFACE_DEPTH {
        return above;
    }
    let children = get_children(surface);
    // A surface is among its own children, to say where it lies between them.
    let below = children
        .iter()
        .filter(|child| *child != surface)
        .map(|child| height(child, above + 1));
    1 + below.max().unwrap_or(0)
}

/// The deepest tree of subsurfaces.
const SUBSURFACE_DEPTH: usize = 64;

delegate_global_dispatch!(State: [WlCompositor: ()] => CompositorState);
delegate_global_dispatch!(State: [WlSubcompositor: ()] => CompositorState);
delegate_dispatch!(State: [WlCompositor: ()] => CompositorState);
delegate_dispatch!(State: [WlSubcompositor: ()] => CompositorState);
delegate_dispatch!(State: [WlSurface: SurfaceUserData] => CompositorState);
delegate_dispatch!(State: [WlRegion: RegionUserData] => CompositorState);
delegate_dispatch!(State: [WlCallback: ()] => CompositorState);
