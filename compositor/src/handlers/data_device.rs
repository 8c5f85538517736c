//! wl_data_device and primary selection: copy, paste, drag and drop.

use std::os::fd::OwnedFd;

use smithay::delegate_data_device;
use smithay::delegate_primary_selection;
use smithay::input::Seat;
use smithay::wayland::selection::data_device::{
    ClientDndGrabHandler, DataDeviceHandler, DataDeviceState, ServerDndGrabHandler,
};
use smithay::wayland::selection::primary_selection::{
    PrimarySelectionHandler, PrimarySelectionState,
};
use smithay::wayland::selection::{SelectionHandler, SelectionSource, SelectionTarget};
use vroom_desktop::{ClipboardData, Selection};

use crate::state::State;

impl SelectionHandler for State {
    type SelectionUserData = ClipboardData;

    fn new_selection(
        &mut self,
        target: SelectionTarget,
        source: Option<SelectionSource>,
        _seat: Seat<Self>,
    ) {
        let mime_types = source.map(|source| source.mime_types());
        self.selection_changed(to_selection(target), mime_types);
    }

    fn send_selection(
        &mut self,
        _target: SelectionTarget,
        _mime_type: String,
        fd: OwnedFd,
        _seat: Seat<Self>,
        data: &ClipboardData,
    ) {
        self.send_to(fd, data);
    }
}

fn to_selection(target: SelectionTarget) -> Selection {
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

/// Programs drag among themselves; the icon is not drawn, like all of the pointer.
impl ClientDndGrabHandler for State {}

/// We start no drags.
impl ServerDndGrabHandler for State {}

delegate_data_device!(State);
delegate_primary_selection!(State);
