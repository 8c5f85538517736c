//! Protocols that need next to nothing from us.

use smithay::backend::input::TabletToolDescriptor;
use smithay::delegate_alpha_modifier;
use smithay::delegate_content_type;
use smithay::delegate_cursor_shape;
use smithay::delegate_fractional_scale;
use smithay::delegate_output;
use smithay::delegate_pointer_gestures;
use smithay::delegate_relative_pointer;
use smithay::delegate_single_pixel_buffer;
use smithay::delegate_tablet_manager;
use smithay::delegate_viewporter;
use smithay::delegate_xdg_dialog;
use smithay::delegate_xdg_foreign;
use smithay::input::pointer::CursorImageStatus;
use smithay::reexports::wayland_server::protocol::wl_buffer::WlBuffer;
use smithay::reexports::wayland_server::protocol::wl_surface::WlSurface;
use smithay::wayland::buffer::BufferHandler;
use smithay::wayland::compositor::with_states;
use smithay::wayland::fractional_scale::{FractionalScaleHandler, with_fractional_scale};
use smithay::wayland::output::OutputHandler;
use smithay::wayland::shell::xdg::dialog::XdgDialogHandler;
use smithay::wayland::tablet_manager::TabletSeatHandler;
use smithay::wayland::xdg_foreign::{XdgForeignHandler, XdgForeignState};

use crate::state::State;

impl BufferHandler for State {
    fn buffer_destroyed(&mut self, _buffer: &WlBuffer) {}
}

impl OutputHandler for State {}

impl FractionalScaleHandler for State {
    fn new_fractional_scale(&mut self, surface: WlSurface) {
        let scale = self.scale();
        with_states(&surface, |states| {
            with_fractional_scale(states, |fractional| fractional.set_preferred_scale(scale));
        });
    }
}

/// The pen has the cursor that its program wants, as the pointer has.
impl TabletSeatHandler for State {
    fn tablet_tool_image(&mut self, _tool: &TabletToolDescriptor, image: CursorImageStatus) {
        self.set_cursor(image);
    }
}

impl XdgForeignHandler for State {
    fn xdg_foreign_state(&mut self) -> &mut XdgForeignState {
        &mut self.protocols.xdg_foreign
    }
}

/// A modal dialog is placed like any other: above its parent.
impl XdgDialogHandler for State {}

delegate_output!(State);
delegate_viewporter!(State);
delegate_fractional_scale!(State);
delegate_single_pixel_buffer!(State);
delegate_cursor_shape!(State);
delegate_relative_pointer!(State);
delegate_pointer_gestures!(State);
delegate_tablet_manager!(State);
delegate_content_type!(State);
delegate_alpha_modifier!(State);
delegate_xdg_dialog!(State);
delegate_xdg_foreign!(State);
