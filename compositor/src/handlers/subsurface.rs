//! wl_subsurface: what smithay is not to be asked, and what it does at the wrong time.
//!
//! A place that is asked for holds from when the parent is shown anew, not the subsurface itself.

use std::sync::{Mutex, PoisonError};

use smithay::reexports::wayland_server::backend::ClientId;
use smithay::reexports::wayland_server::protocol::wl_subsurface::{self, WlSubsurface};
use smithay::reexports::wayland_server::protocol::wl_surface::WlSurface;
use smithay::reexports::wayland_server::{
    Client, DataInit, Dispatch, DisplayHandle, Resource as _,
};
use smithay::utils::{Logical, Point};
use smithay::wayland::compositor::{
    CompositorHandler as _, CompositorState, SubsurfaceCachedState, SubsurfaceUserData,
    get_children, is_sync_subsurface, with_states,
};

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
        match &request {
            wl_subsurface::Request::PlaceAbove { sibling }
            | wl_subsurface::Request::PlaceBelow { sibling }
                if sibling == data.surface() =>
            {
                // smithay takes it out of its list and does not find its place again.
                return subsurface.post_error(
                    wl_subsurface::Error::BadSurface,
                    "a surface has no place beside itself",
                );
            }
            wl_subsurface::Request::SetPosition { x, y } => {
                let scale = state.client_compositor_state(client).client_scale();
                let at = (f64::from(*x) / scale, f64::from(*y) / scale);
                let at = Point::<f64, Logical>::from(at).to_i32_round();
                return with_place(data.surface(), |place| place.asked = Some(at));
            }
            _ => {}
        }
        <CompositorState as Dispatch<WlSubsurface, SubsurfaceUserData, Self>>::request(
            state, client, subsurface, request, data, display, init,
        );
    }

    fn destroyed(
        state: &mut Self,
        client: ClientId,
        subsurface: &WlSubsurface,
        data: &SubsurfaceUserData,
    ) {
        <CompositorState as Dispatch<WlSubsurface, SubsurfaceUserData, Self>>::destroyed(
            state, client, subsurface, data,
        );
        with_place(data.surface(), |place| *place = Place::default());
    }
}

/// Where a subsurface was asked to be, on its way to what is shown.
#[derive(Debug, Default)]
struct Place {
    /// Until its parent commits.
    asked: Option<Point<i32, Logical>>,
    /// Until what its parent committed is shown.
    committed: Option<Point<i32, Logical>>,
}

/// The parent of subsurfaces committed: they go where they were asked to be, once that is shown.
pub(super) fn places_committed(parent: &WlSurface) {
    for child in children(parent) {
        with_place(&child, |place| {
            place.committed = place.asked.take().or(place.committed.take());
        });
    }
    if !is_sync_subsurface(parent) {
        show_places(parent);
    }
}

/// Puts subsurfaces where they belong, and theirs that are shown with them.
fn show_places(parent: &WlSurface) {
    for child in children(parent) {
        let mut shown = None;
        with_place(&child, |place| shown = place.committed.take());
        if let Some(at) = shown {
            with_states(&child, |states| {
                let mut cached = states.cached_state.get::<SubsurfaceCachedState>();
                cached.pending().location = at;
                cached.current().location = at;
            });
        }
        if is_sync_subsurface(&child) {
            show_places(&child);
        }
    }
}

/// The subsurfaces of a surface, which itself is among them to say where it lies between them.
fn children(parent: &WlSurface) -> impl Iterator<Item = WlSurface> {
    let children = get_children(parent);
    children.into_iter().filter(move |child| child != parent)
}

fn with_place(surface: &WlSurface, change: impl FnOnce(&mut Place)) {
    with_states(surface, |states| {
        let place = states
            .data_map
            .get_or_insert_threadsafe(Mutex::<Place>::default);
        change(&mut place.lock().unwrap_or_else(PoisonError::into_inner));
    });
}
