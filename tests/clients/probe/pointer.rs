//! The probe's pointer, and how it holds it.

use serde_json::json;
use wayland_client::protocol::{wl_pointer, wl_region, wl_seat};
use wayland_client::{Connection, Dispatch, QueueHandle, WEnum, delegate_noop};
use wayland_protocols::wp::pointer_constraints::zv1::client::zwp_confined_pointer_v1::{
    self, ZwpConfinedPointerV1,
};
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

use crate::{Hold, Probe};

/// The pointer, and what it is held with.
#[derive(Default)]
pub(crate) struct Pointer {
    pointer: Option<wl_pointer::WlPointer>,
    pub(crate) constraints: Option<ZwpPointerConstraintsV1>,
    pub(crate) relative: Option<ZwpRelativePointerManagerV1>,
    lock: Option<ZwpLockedPointerV1>,
    confinement: Option<ZwpConfinedPointerV1>,
}

impl Probe {
    pub(crate) fn take_pointer(&mut self, seat: &wl_seat::WlSeat, handle: &QueueHandle<Self>) {
        let pointer = seat.get_pointer(handle, ());
        if let Some(relative) = &self.pointer.relative {
            relative.get_relative_pointer(&pointer, handle, ());
        }
        self.pointer.pointer = Some(pointer);
    }

    /// Holds the pointer in place and hides it, if that is what this program does.
    fn lock(&mut self, handle: &QueueHandle<Self>) {
        if self.options.hold != Hold::Locks || self.pointer.lock.is_some() {
            return;
        }
        if let (Some(constraints), Some(pointer), Some(window)) = (
            &self.pointer.constraints,
            &self.pointer.pointer,
            &self.window,
        ) {
            let lifetime = Lifetime::Persistent;
            let surface = &window.surface;
            let lock = constraints.lock_pointer(surface, pointer, None, lifetime, handle, ());
            self.pointer.lock = Some(lock);
        }
    }

    /// Lets go of the pointer.
    pub(crate) fn let_go(&mut self) {
        if let Some(lock) = self.pointer.lock.take() {
            lock.destroy();
        }
    }

    /// Keeps the pointer in the left half of the window, if that is what this program does.
    fn confine(&mut self, handle: &QueueHandle<Self>) {
        if self.options.hold != Hold::Confines || self.pointer.confinement.is_some() {
            return;
        }
        if let (Some(constraints), Some(pointer), Some(window), Some(compositor)) = (
            &self.pointer.constraints,
            &self.pointer.pointer,
            &self.window,
            &self.compositor,
        ) {
            let half: wl_region::WlRegion = compositor.create_region(handle, ());
            half.add(0, 0, self.width / 2, self.height);
            let lifetime = Lifetime::Persistent;
            let (surface, half) = (&window.surface, Some(&half));
            let confinement =
                constraints.confine_pointer(surface, pointer, half, lifetime, handle, ());
            surface.commit();
            self.pointer.confinement = Some(confinement);
        }
    }
}

impl Dispatch<wl_pointer::WlPointer, ()> for Probe {
    fn event(
        probe: &mut Self,
        _: &wl_pointer::WlPointer,
        event: wl_pointer::Event,
        (): &(),
        _: &Connection,
        handle: &QueueHandle<Self>,
    ) {
        let line = match event {
            wl_pointer::Event::Enter {
                surface_x,
                surface_y,
                ..
            } => {
                probe.confine(handle);
                probe.tell(&json!({"event": "enter", "x": surface_x, "y": surface_y}));
                return;
            }
            wl_pointer::Event::Leave { .. } => {
                probe.tell(&json!({"event": "leave"}));
                return;
            }
            wl_pointer::Event::Motion {
                surface_x,
                surface_y,
                ..
            } => json!({"event": "motion", "x": surface_x, "y": surface_y}),
            wl_pointer::Event::Button { button, state, .. } => {
                let down = state == WEnum::Value(wl_pointer::ButtonState::Pressed);
                if down && button == BTN_LEFT {
                    probe.lock(handle);
                }
                json!({"event": "button", "code": button, "down": down})
            }
            wl_pointer::Event::Axis { axis, value, .. } => {
                let vertical = axis == WEnum::Value(wl_pointer::Axis::VerticalScroll);
                json!({"event": "axis", "vertical": vertical, "value": value})
            }
            wl_pointer::Event::AxisValue120 { axis, value120 } => {
                let vertical = axis == WEnum::Value(wl_pointer::Axis::VerticalScroll);
                json!({"event": "axis120", "vertical": vertical, "value": value120})
            }
            _ => return,
        };
        probe.input(handle, &line);
    }
}

impl Dispatch<ZwpRelativePointerV1, ()> for Probe {
    fn event(
        probe: &mut Self,
        _: &ZwpRelativePointerV1,
        event: zwp_relative_pointer_v1::Event,
        (): &(),
        _: &Connection,
        handle: &QueueHandle<Self>,
    ) {
        if let zwp_relative_pointer_v1::Event::RelativeMotion {
            dx,
            dy,
            dx_unaccel,
            dy_unaccel,
            ..
        } = event
        {
            let line = json!({
                "event": "relative",
                "dx": dx,
                "dy": dy,
                "rawDx": dx_unaccel,
                "rawDy": dy_unaccel,
            });
            probe.input(handle, &line);
        }
    }
}

impl Dispatch<ZwpLockedPointerV1, ()> for Probe {
    fn event(
        probe: &mut Self,
        _: &ZwpLockedPointerV1,
        event: zwp_locked_pointer_v1::Event,
        (): &(),
        _: &Connection,
        _: &QueueHandle<Self>,
    ) {
        let locked = matches!(event, zwp_locked_pointer_v1::Event::Locked);
        probe.tell(&json!({"event": "lock", "locked": locked}));
    }
}

impl Dispatch<ZwpConfinedPointerV1, ()> for Probe {
    fn event(
        probe: &mut Self,
        _: &ZwpConfinedPointerV1,
        event: zwp_confined_pointer_v1::Event,
        (): &(),
        _: &Connection,
        _: &QueueHandle<Self>,
    ) {
        let confined = matches!(event, zwp_confined_pointer_v1::Event::Confined);
        probe.tell(&json!({"event": "confine", "confined": confined}));
    }
}

delegate_noop!(Probe: ignore wl_region::WlRegion);
delegate_noop!(Probe: ignore ZwpPointerConstraintsV1);
delegate_noop!(Probe: ignore ZwpRelativePointerManagerV1);

const BTN_LEFT: u32 = 0x110;
