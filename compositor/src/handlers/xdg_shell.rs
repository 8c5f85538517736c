//! xdg-shell: windows and popups.

use smithay::delegate_xdg_shell;
use smithay::input::Seat;
use smithay::input::pointer::GrabStartData;
use smithay::reexports::wayland_protocols::xdg::shell::server::xdg_toplevel::ResizeEdge;
use smithay::reexports::wayland_server::Resource as _;
use smithay::reexports::wayland_server::protocol::wl_output::WlOutput;
use smithay::reexports::wayland_server::protocol::wl_seat::WlSeat;
use smithay::utils::Serial;
use smithay::wayland::shell::xdg::{
    PopupSurface, PositionerState, ToplevelSurface, XdgShellHandler, XdgShellState,
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

delegate_xdg_shell!(State);
