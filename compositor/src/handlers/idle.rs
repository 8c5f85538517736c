//! ext-idle-notify and idle-inhibit: who wants to know that nobody does anything.

use smithay::delegate_idle_inhibit;
use smithay::delegate_idle_notify;
use smithay::reexports::wayland_server::protocol::wl_surface::WlSurface;
use smithay::utils::IsAlive as _;
use smithay::wayland::idle_inhibit::IdleInhibitHandler;
use smithay::wayland::idle_notify::{IdleNotifierHandler, IdleNotifierState};

use crate::shell::root_of;
use crate::state::State;

impl IdleInhibitHandler for State {
    fn inhibit(&mut self, surface: WlSurface) {
        self.input.inhibitors.push(surface);
        self.follow_inhibitors();
    }

    fn uninhibit(&mut self, surface: WlSurface) {
        if let Some(at) = self
            .input
            .inhibitors
            .iter()
            .position(|have| *have == surface)
        {
            self.input.inhibitors.swap_remove(at);
        }
        self.follow_inhibitors();
    }
}

impl IdleNotifierHandler for State {
    fn idle_notifier_state(&mut self) -> &mut IdleNotifierState<Self> {
        &mut self.protocols.idle
    }
}

impl State {
    /// Counts only those inhibitors whose window is shown, as the protocol asks.
    pub(crate) fn follow_inhibitors(&mut self) {
        self.input.inhibitors.retain(|surface| surface.alive());
        let inhibited = self.input.inhibitors.iter().any(|surface| {
            let window = self.shell.window(&root_of(surface));
            window.is_some_and(|window| self.shell.space.element_location(&window).is_some())
        });
        if self.protocols.idle.is_inhibited() != inhibited {
            self.protocols.idle.set_is_inhibited(inhibited);
        }
    }
}

delegate_idle_inhibit!(State);
delegate_idle_notify!(State);
