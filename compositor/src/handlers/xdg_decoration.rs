//! xdg-decoration: who draws title bars.
//!
//! We draw none. A window that fills the output needs none, so it is told that we do; a floating
//! one needs its own to be moved and closed by.

use smithay::delegate_xdg_decoration;
use smithay::reexports::wayland_protocols::xdg::decoration::zv1::server::zxdg_toplevel_decoration_v1::Mode;
use smithay::wayland::shell::xdg::ToplevelSurface;
use smithay::wayland::shell::xdg::decoration::XdgDecorationHandler;

use crate::state::State;

impl XdgDecorationHandler for State {
    fn new_decoration(&mut self, toplevel: ToplevelSurface) {
        self.answer_decoration(&toplevel);
    }

    fn request_mode(&mut self, toplevel: ToplevelSurface, _mode: Mode) {
        self.answer_decoration(&toplevel);
    }

    fn unset_mode(&mut self, toplevel: ToplevelSurface) {
        self.answer_decoration(&toplevel);
    }
}

impl State {
    /// Answers with the mode that the window's placement asks for, whatever was wished.
    fn answer_decoration(&self, toplevel: &ToplevelSurface) {
        self.shell.set_decoration(toplevel);
        if toplevel.is_initial_configure_sent() {
            toplevel.send_configure();
        }
    }
}

delegate_xdg_decoration!(State);
