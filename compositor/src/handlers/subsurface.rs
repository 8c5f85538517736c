//! wl_subsurface: what smithay is not to be asked.

use smithay::reexports::wayland_server::protocol::wl_subsurface::{self, WlSubsurface};
use smithay::reexports::wayland_server::{
    Client, DataInit, Dispatch, DisplayHandle, Resource as _,
};
use smithay::wayland::compositor::{CompositorState, SubsurfaceUserData};

use crate::state::State;

impl Dispatch<WlSubsurface, SubsurfaceUserData> for State {
    fn request(
        state: &mut Self,
        client: &Client,
        subsurface: &WlSubsurface,
        request: wl_subsurface::Request,
        data: &SubsurfaceUserData,
        display: &DisplayHandle,
        init: &mut DataInit<'_, Self>,
    ) {
        if let wl_subsurface::Request::PlaceAbove { sibling }
        | wl_subsurface::Request::PlaceBelow { sibling } = &request
            && sibling == data.surface()
        {
            // smithay takes it out of its list and does not find its place again.
            return subsurface.post_error(
                wl_subsurface::Error::BadSurface,
                "a surface has no place beside itself",
            );
        }
        <CompositorState as Dispatch<WlSubsurface, SubsurfaceUserData, Self>>::request(
            state, client, subsurface, request, data, display, init,
        );
    }
}
