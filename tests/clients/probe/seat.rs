//! What the probe is told by keyboard and fingers.

use serde_json::json;
use wayland_client::protocol::{wl_keyboard, wl_seat, wl_touch};
use wayland_client::{Connection, Dispatch, QueueHandle, WEnum};

use crate::Probe;

impl Dispatch<wl_seat::WlSeat, ()> for Probe {
    fn event(
        probe: &mut Self,
        seat: &wl_seat::WlSeat,
        event: wl_seat::Event,
        (): &(),
        _: &Connection,
        handle: &QueueHandle<Self>,
    ) {
        let wl_seat::Event::Capabilities {
            capabilities: WEnum::Value(capabilities),
        } = event
        else {
            return;
        };
        if capabilities.contains(wl_seat::Capability::Keyboard) {
            seat.get_keyboard(handle, ());
        }
        if capabilities.contains(wl_seat::Capability::Pointer) {
            probe.take_pointer(seat, handle);
        }
        if capabilities.contains(wl_seat::Capability::Touch) {
            seat.get_touch(handle, ());
        }
    }
}

impl Dispatch<wl_keyboard::WlKeyboard, ()> for Probe {
    fn event(
        probe: &mut Self,
        _: &wl_keyboard::WlKeyboard,
        event: wl_keyboard::Event,
        (): &(),
        _: &Connection,
        handle: &QueueHandle<Self>,
    ) {
        match event {
            wl_keyboard::Event::Enter { keys, .. } => {
                probe.tell(&json!({"event": "focus", "held": keys.len() / 4}));
            }
            wl_keyboard::Event::Leave { .. } => probe.tell(&json!({"event": "blur"})),
            wl_keyboard::Event::Key { key, state, .. } => {
                let down = state == WEnum::Value(wl_keyboard::KeyState::Pressed);
                if key == KEY_U {
                    probe.let_go();
                }
                probe.input(handle, &json!({"event": "key", "code": key, "down": down}));
            }
            wl_keyboard::Event::Modifiers {
                mods_depressed,
                mods_locked,
                ..
            } => {
                let line =
                    json!({"event": "modifiers", "held": mods_depressed, "locked": mods_locked});
                probe.tell(&line);
            }
            _ => {}
        }
    }
}

impl Dispatch<wl_touch::WlTouch, ()> for Probe {
    fn event(
        probe: &mut Self,
        _: &wl_touch::WlTouch,
        event: wl_touch::Event,
        (): &(),
        _: &Connection,
        handle: &QueueHandle<Self>,
    ) {
        let line = match event {
            wl_touch::Event::Down { id, x, y, .. } => {
                json!({"event": "touch", "id": id, "x": x, "y": y})
            }
            wl_touch::Event::Motion { id, x, y, .. } => {
                json!({"event": "touchmove", "id": id, "x": x, "y": y})
            }
            wl_touch::Event::Up { id, .. } => json!({"event": "touchup", "id": id}),
            _ => return,
        };
        probe.input(handle, &line);
    }
}

/// The key that ends a lock of the pointer.
const KEY_U: u32 = 22;
