//! ext-foreign-toplevel-list: the windows, for panels and for those that capture one.

use smithay::delegate_foreign_toplevel_list;
use smithay::reexports::wayland_server::protocol::wl_surface::WlSurface;
use smithay::wayland::compositor::with_states;
use smithay::wayland::foreign_toplevel_list::{
    ForeignToplevelHandle, ForeignToplevelListHandler, ForeignToplevelListState,
};
use smithay::wayland::shell::xdg::XdgToplevelSurfaceData;

use super::xwm::Shows;
use crate::state::State;

/// The entry of one window; it leaves the list when dropped by [`State::unlist`].
pub(crate) type Listed = ForeignToplevelHandle;

impl ForeignToplevelListHandler for State {
    fn foreign_toplevel_list_state(&mut self) -> &mut ForeignToplevelListState {
        &mut self.protocols.toplevels
    }
}

impl State {
    /// Puts a window that was mapped into the list.
    pub(crate) fn list(&mut self, surface: &WlSurface) -> Listed {
        let (title, app_id) = names(surface);
        self.protocols.toplevels.new_toplevel::<Self>(title, app_id)
    }

    /// Takes a window out of the list.
    pub(crate) fn unlist(&mut self, listed: &Listed) {
        self.protocols.toplevels.remove_toplevel(listed);
        self.protocols.toplevels.cleanup_closed_handles();
    }
}

/// Tells those who look at the list what a window is called now.
pub(crate) fn relist(listed: &Listed, surface: &WlSurface) {
    let (title, app_id) = names(surface);
    if listed.title() != title || listed.app_id() != app_id {
        listed.send_title(&title);
        listed.send_app_id(&app_id);
        listed.send_done();
    }
}

/// The title and the application id of a toplevel.
pub(crate) fn names(surface: &WlSurface) -> (String, String) {
    with_states(surface, |states| {
        if let Some(shows) = states.data_map.get::<Shows>() {
            return Some(shows.names());
        }
        let data = states.data_map.get::<XdgToplevelSurfaceData>()?;
        let data = data.lock().ok()?;
        let named = |name: &Option<String>| name.clone().unwrap_or_default();
        Some((named(&data.title), named(&data.app_id)))
    })
    .unwrap_or_default()
}

delegate_foreign_toplevel_list!(State);
