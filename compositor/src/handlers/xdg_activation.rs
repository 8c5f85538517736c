//! xdg-activation: a program asks for the focus of one of its windows.

use std::time::Duration;

use smithay::delegate_xdg_activation;
use smithay::input::Seat;
use smithay::reexports::wayland_server::protocol::wl_surface::WlSurface;
use smithay::wayland::xdg_activation::{
    XdgActivationHandler, XdgActivationState, XdgActivationToken, XdgActivationTokenData,
};

use crate::state::State;

impl XdgActivationHandler for State {
    fn activation_state(&mut self) -> &mut XdgActivationState {
        &mut self.protocols.xdg_activation
    }

    /// A token counts only when a person's input to the focused program made it.
    fn token_created(&mut self, _token: XdgActivationToken, data: XdgActivationTokenData) -> bool {
        let Some((serial, seat)) = data.serial else {
            return false;
        };
        let entered = self.keyboard.last_enter();
        Seat::from_resource(&seat).as_ref() == Some(&self.seat)
            && entered.is_some_and(|entered| serial.is_no_older_than(&entered))
    }

    fn request_activation(
        &mut self,
        _token: XdgActivationToken,
        data: XdgActivationTokenData,
        surface: WlSurface,
    ) {
        if data.timestamp.elapsed() < TOKEN_LIFE
            && let Some(window) = self.shell.window(&surface)
            && self.shell.space.element_location(&window).is_some()
        {
            self.focus(Some(&window));
        }
        self.protocols
            .xdg_activation
            .retain_tokens(|_, data| data.timestamp.elapsed() < TOKEN_LIFE);
    }
}

/// How long a token counts; older ones are forgotten.
const TOKEN_LIFE: Duration = Duration::from_secs(10);

delegate_xdg_activation!(State);
