//! The probe's pens.

use serde_json::{Value, json};
use wayland_client::{
    Connection, Dispatch, Proxy as _, QueueHandle, WEnum, delegate_noop, event_created_child,
};
use wayland_protocols::wp::tablet::zv2::client::zwp_tablet_manager_v2::ZwpTabletManagerV2;
use wayland_protocols::wp::tablet::zv2::client::zwp_tablet_seat_v2::{self, ZwpTabletSeatV2};
use wayland_protocols::wp::tablet::zv2::client::zwp_tablet_tool_v2::{
    ButtonState, Event, Type, ZwpTabletToolV2,
};
use wayland_protocols::wp::tablet::zv2::client::zwp_tablet_v2::ZwpTabletV2;

use crate::Probe;

impl Dispatch<ZwpTabletSeatV2, ()> for Probe {
    fn event(
        _: &mut Self,
        _: &ZwpTabletSeatV2,
        _: zwp_tablet_seat_v2::Event,
        (): &(),
        _: &Connection,
        _: &QueueHandle<Self>,
    ) {
    }

    event_created_child!(Self, ZwpTabletSeatV2, [
        zwp_tablet_seat_v2::EVT_TABLET_ADDED_OPCODE => (ZwpTabletV2, ()),
        zwp_tablet_seat_v2::EVT_TOOL_ADDED_OPCODE => (ZwpTabletToolV2, ()),
    ]);
}

/// Each event is a line with the tool that it is about; `frame` ends what happened at once.
impl Dispatch<ZwpTabletToolV2, ()> for Probe {
    fn event(
        probe: &mut Self,
        tool: &ZwpTabletToolV2,
        event: Event,
        (): &(),
        _: &Connection,
        handle: &QueueHandle<Self>,
    ) {
        let tool = tool.id().protocol_id();
        let what = match event {
            Event::Type { tool_type } => {
                let kind = match tool_type {
                    WEnum::Value(Type::Pen) => "pen",
                    WEnum::Value(Type::Eraser) => "eraser",
                    _ => "other",
                };
                return probe.tell(&json!({"event": "tool", "tool": tool, "type": kind}));
            }
            Event::ProximityIn { .. } => json!({"what": "in"}),
            Event::ProximityOut => json!({"what": "out"}),
            Event::Down { .. } => json!({"what": "down"}),
            Event::Up => json!({"what": "up"}),
            Event::Motion { x, y } => json!({"what": "motion", "x": x, "y": y}),
            Event::Pressure { pressure } => json!({"what": "pressure", "value": pressure}),
            Event::Tilt { tilt_x, tilt_y } => json!({"what": "tilt", "x": tilt_x, "y": tilt_y}),
            Event::Rotation { degrees } => json!({"what": "rotation", "value": degrees}),
            Event::Button { button, state, .. } => {
                let down = state == WEnum::Value(ButtonState::Pressed);
                json!({"what": "button", "code": button, "down": down})
            }
            Event::Frame { .. } => json!({"what": "frame"}),
            _ => return,
        };
        let Value::Object(mut line) = what else {
            return;
        };
        line.insert("event".into(), "pen".into());
        line.insert("tool".into(), tool.into());
        probe.input(handle, &Value::Object(line));
    }
}

delegate_noop!(Probe: ignore ZwpTabletManagerV2);
delegate_noop!(Probe: ignore ZwpTabletV2);
