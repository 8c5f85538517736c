//! ext-session-lock: a program covers the desktop until somebody proves who they are.

use smithay::delegate_session_lock;
use smithay::reexports::wayland_protocols::ext::session_lock::v1::server::ext_session_lock_v1::ExtSessionLockV1;
use smithay::reexports::wayland_server::Resource as _;
use smithay::reexports::wayland_server::protocol::wl_output::WlOutput;
use smithay::reexports::wayland_server::protocol::wl_surface::WlSurface;
use smithay::utils::{IsAlive as _, SERIAL_COUNTER};
use smithay::wayland::session_lock::{
    LockSurface, SessionLockHandler, SessionLockManagerState, SessionLocker,
};

use crate::state::State;

/// A locked desktop.
///
/// It stays locked, and black, when the program that locked it dies; another one may take over.
#[derive(Debug)]
pub(crate) struct Locked {
    lock: ExtSessionLockV1,
    surface: Option<LockSurface>,
}

impl SessionLockHandler for State {
    fn lock_state(&mut self) -> &mut SessionLockManagerState {
        &mut self.protocols.session_lock
    }

    fn lock(&mut self, confirmation: SessionLocker) {
        let taken = self
            .locked
            .as_ref()
            .is_some_and(|locked| locked.lock.is_alive());
        if taken {
            // Dropping it tells the second program that it did not get the lock.
            return;
        }
        self.locked = Some(Locked {
            lock: confirmation.ext_session_lock().clone(),
            surface: None,
        });
        self.drop_grabs();
        let keyboard = self.keyboard.clone();
        keyboard.set_focus(self, None, SERIAL_COUNTER.next_serial());
        self.refocus_pointer();
        self.clock.rush();
        confirmation.lock();
        tracing::info!("the desktop was locked");
    }

    fn unlock(&mut self) {
        self.locked = None;
        let next = self.shell.topmost();
        self.focus(next.as_ref());
        self.refocus_pointer();
        self.clock.rush();
        tracing::info!("the desktop was unlocked");
    }

    fn new_surface(&mut self, surface: LockSurface, _output: WlOutput) {
        let Some(locked) = &mut self.locked else {
            return;
        };
        locked.surface = Some(surface.clone());
        self.configure_lock();
        let keyboard = self.keyboard.clone();
        let focus = Some(surface.wl_surface().clone());
        keyboard.set_focus(self, focus, SERIAL_COUNTER.next_serial());
    }
}

impl State {
    /// Tells the lock how large the output is.
    pub(crate) fn configure_lock(&self) {
        let size = self.output_area().size;
        let surface = self
            .locked
            .as_ref()
            .and_then(|locked| locked.surface.as_ref());
        if let Some(surface) = surface.filter(|surface| surface.alive()) {
            let side = |value: i32| u32::try_from(value).unwrap_or(0);
            surface.with_pending_state(|state| {
                state.size = Some((side(size.w), side(size.h)).into());
            });
            surface.send_configure();
        }
    }

    /// The surface that covers a locked desktop.
    pub(crate) fn lock_surface(&self) -> Option<WlSurface> {
        let surface = self.locked.as_ref()?.surface.as_ref()?.wl_surface();
        surface.alive().then(|| surface.clone())
    }
}

delegate_session_lock!(State);
