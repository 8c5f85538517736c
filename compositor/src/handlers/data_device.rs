//! wl_data_device and primary selection: copy, paste, drag and drop.

use std::os::fd::OwnedFd;

use smithay::delegate_data_control;
use smithay::delegate_data_device;
use smithay::delegate_ext_data_control;
use smithay::delegate_primary_selection;
use smithay::input::Seat;
use smithay::reexports::wayland_server::protocol::wl_data_device_manager::DndAction;
use smithay::reexports::wayland_server::protocol::wl_data_source::WlDataSource;
use smithay::reexports::wayland_server::protocol::wl_surface::WlSurface;
use smithay::wayland::selection::data_device::{
    ClientDndGrabHandler, DataDeviceHandler, DataDeviceState, ServerDndGrabHandler,
};
use smithay::wayland::selection::ext_data_control;
use smithay::wayland::selection::primary_selection::{
    PrimarySelectionHandler, PrimarySelectionState,
};
use smithay::wayland::selection::wlr_data_control;
use smithay::wayland::selection::{SelectionHandler, SelectionSource, SelectionTarget};
use vroom_desktop::Selection;

use crate::selection::Offer;
use crate::state::State;

impl SelectionHandler for State {
    type SelectionUserData = Offer;

    fn new_selection(
        &mut self,
        target: SelectionTarget,
        source: Option<SelectionSource>,
        _seat: Seat<Self>,
    ) {
        let mime_types = source.map(|source| source.mime_types());
        self.tell_x11(target, mime_types.clone());
        self.selection_changed(to_selection(target), mime_types);
    }

    fn send_selection(
        &mut self,
        target: SelectionTarget,
        mime_type: String,
        fd: OwnedFd,
        _seat: Seat<Self>,
        offer: &Offer,
    ) {
        match offer {
            Offer::Outside(formats) => self.send_to(fd, &mime_type, formats),
            Offer::X11(_) => self.ask_x11(target, mime_type, fd),
        }
    }
}

pub(crate) fn to_selection(target: SelectionTarget) -> Selection {
    match target {
        SelectionTarget::Clipboard => Selection::Clipboard,
        SelectionTarget::Primary => Selection::Primary,
    }
}

impl DataDeviceHandler for State {
    fn data_device_state(&self) -> &DataDeviceState {
        &self.protocols.data_device
    }
}

impl PrimarySelectionHandler for State {
    fn primary_selection_state(&self) -> &PrimarySelectionState {
        &self.protocols.primary_selection
    }
}

impl wlr_data_control::DataControlHandler for State {
    fn data_control_state(&self) -> &wlr_data_control::DataControlState {
        &self.protocols.wlr_data_control
    }
}

impl ext_data_control::DataControlHandler for State {
    fn data_control_state(&self) -> &ext_data_control::DataControlState {
        &self.protocols.ext_data_control
    }
}

/// Programs drag among themselves; what they drag is seen beside the pointer.
impl ClientDndGrabHandler for State {
    fn started(
        &mut self,
        source: Option<WlDataSource>,
        icon: Option<WlSurface>,
        _seat: Seat<Self>,
    ) {
        self.program_drags(source);
        self.cursor.drag_icon = icon;
        self.clock.want();
    }

    fn dropped(&mut self, _target: Option<WlSurface>, validated: bool, _seat: Seat<Self>) {
        self.program_dropped(validated);
        self.cursor.drag_icon = None;
        self.clock.want();
    }
}

/// Files are dragged in from outside.
impl ServerDndGrabHandler for State {
    fn action(&mut self, action: DndAction, _seat: Seat<Self>) {
        self.drag_chosen(action);
    }

    fn dropped(&mut self, _seat: Seat<Self>) {
        self.drag_dropped();
    }

    fn cancelled(&mut self, _seat: Seat<Self>) {
        self.drag_refused();
    }

    fn send(&mut self, mime_type: String, fd: OwnedFd, _seat: Seat<Self>) {
        self.files_wanted(&mime_type, fd);
    }
}

delegate_data_device!(State);
delegate_data_control!(State);
delegate_ext_data_control!(State);
delegate_primary_selection!(State);
