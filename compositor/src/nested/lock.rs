//! The host's pointer while a program of the session holds it in place, as games do.

use vroom_desktop::InputEvent;
use wayland_client::{Connection, Dispatch, QueueHandle, delegate_noop};
use wayland_protocols::wp::pointer_constraints::zv1::client::zwp_locked_pointer_v1::{
    self, ZwpLockedPointerV1,
};
use wayland_protocols::wp::pointer_constraints::zv1::client::zwp_pointer_constraints_v1::{
    Lifetime, ZwpPointerConstraintsV1,
};
use wayland_protocols::wp::relative_pointer::zv1::client::zwp_relative_pointer_manager_v1::ZwpRelativePointerManagerV1;
use wayland_protocols::wp::relative_pointer::zv1::client::zwp_relative_pointer_v1::{
    self, ZwpRelativePointerV1,
};

use super::window::View;

/// What the host's pointer is held in place with; without it programs get places only.
pub(super) struct HostLock {
    constraints: Option<ZwpPointerConstraintsV1>,
    distances: Option<ZwpRelativePointerManagerV1>,
    held: Option<(ZwpLockedPointerV1, ZwpRelativePointerV1)>,
    /// Whether the host does hold it, and tells distances instead of places.
    holds: bool,
}

impl HostLock {
    pub(super) fn new(
        constraints: Option<ZwpPointerConstraintsV1>,
        distances: Option<ZwpRelativePointerManagerV1>,
    ) -> Self {
        Self {
            constraints,
            distances,
            held: None,
            holds: false,
        }
    }

    /// Lets the pointer go where it likes.
    pub(super) fn let_go(&mut self) {
        self.holds = false;
        if let Some((lock, distances)) = self.held.take() {
            lock.destroy();
            distances.destroy();
        }
    }
}

impl View {
    /// Holds the host's pointer in place whenever it is over the window, or does not any more.
    pub(super) fn hold_pointer(&mut self, locked: bool) {
        self.lock.let_go();
        let pointer = self.devices.pointer.as_ref();
        if let (true, Some(pointer), Some(constraints), Some(distances)) = (
            locked,
            pointer,
            &self.lock.constraints,
            &self.lock.distances,
        ) {
            let (device, ground) = (&pointer.device, &self.surfaces.ground);
            let lifetime = Lifetime::Persistent;
            self.lock.held = Some((
                constraints.lock_pointer(ground, device, None, lifetime, &self.handle, ()),
                distances.get_relative_pointer(device, &self.handle, ()),
            ));
        }
    }
}

impl Dispatch<ZwpLockedPointerV1, ()> for View {
    fn event(
        view: &mut Self,
        _: &ZwpLockedPointerV1,
        event: zwp_locked_pointer_v1::Event,
        (): &(),
        _: &Connection,
        _: &QueueHandle<Self>,
    ) {
        view.lock.holds = matches!(event, zwp_locked_pointer_v1::Event::Locked);
    }
}

impl Dispatch<ZwpRelativePointerV1, ()> for View {
    fn event(
        view: &mut Self,
        _: &ZwpRelativePointerV1,
        event: zwp_relative_pointer_v1::Event,
        (): &(),
        _: &Connection,
        _: &QueueHandle<Self>,
    ) {
        if let zwp_relative_pointer_v1::Event::RelativeMotion { dx, dy, .. } = event
            && view.lock.holds
        {
            let pixels = view.pixels_per_unit();
            let (dx, dy) = (dx * pixels, dy * pixels);
            view.inject(InputEvent::PointerMotionRelative { dx, dy });
        }
    }
}

delegate_noop!(View: ignore ZwpPointerConstraintsV1);
delegate_noop!(View: ignore ZwpRelativePointerManagerV1);
