//! A pen: a tablet's tool for programs that take those, and the pointer for all others.

use smithay::backend::input::{
    ButtonState, TabletToolCapabilities, TabletToolDescriptor, TabletToolType,
};
use smithay::input::pointer::{CursorImageStatus, GrabStartData, MotionEvent};
use smithay::reexports::wayland_protocols::wp::tablet::zv2::server::zwp_tablet_tool_v2::ZwpTabletToolV2;
use smithay::reexports::wayland_server::Resource as _;
use smithay::reexports::wayland_server::protocol::wl_surface::WlSurface;
use smithay::utils::{Logical, Point, SERIAL_COUNTER, Serial};
use smithay::wayland::tablet_manager::{
    TabletDescriptor, TabletHandle, TabletSeatTrait as _, TabletToolHandle,
};
use vroom_desktop::{Evdev, KeyState, PenMotion, PenTool};

use super::pointer::{BTN_LEFT, BTN_MIDDLE, BTN_RIGHT};
use crate::shell::{Hit, root_of};
use crate::state::State;

/// A surface, and where its origin lies.
type Focus = (WlSurface, Point<f64, Logical>);

/// A pen that is near.
pub(super) struct Near {
    tool: PenTool,
    at: Point<f64, Logical>,
    /// The surface that it is told to as a tool, and where that lies; otherwise it is the pointer.
    on: Option<Focus>,
    /// What of it is pressed; it keeps to its surface as long.
    held: Vec<Evdev>,
    /// What the tip came down with.
    down: Option<Serial>,
}

impl State {
    /// Tells programs what tools there are.
    ///
    /// That happens before the first program: smithay fails where it tells one that is just dying.
    pub(crate) fn announce_pens(&mut self) {
        self.tablet();
        for tool in [PenTool::Pen, PenTool::Eraser] {
            self.tool(tool);
        }
    }

    /// The pen moved, or is held in another way.
    pub(super) fn pen_motion(&mut self, pen: &PenMotion) {
        let before = self.input.pen.take_if(|near| near.tool == pen.tool);
        self.pen_away();
        let at = self.to_logical(pen.x, pen.y);
        let (was_on, held, down) =
            before.map_or_else(Default::default, |near| (near.on, near.held, near.down));
        let on = if held.is_empty() {
            self.tool_focus(at, was_on.as_ref())
        } else {
            was_on.clone()
        };
        self.input.pen = Some(Near {
            tool: pen.tool,
            at,
            on: on.clone(),
            held,
            down,
        });
        let Some((surface, _)) = &on else {
            if was_on.is_some() {
                self.tool_leaves(pen.tool);
            }
            return self.pointer_to(pen.x, pen.y);
        };
        let entered = was_on.is_none_or(|(before, _)| before != *surface);
        self.pointer_steps_aside(at);
        let (tool, tablet) = (self.tool(pen.tool), self.tablet());
        tool.pressure(pen.pressure);
        tool.tilt((pen.tilt_x, pen.tilt_y));
        tool.rotation(pen.rotation);
        // How it is held is told from the second motion on; the first one only enters.
        for _ in 0..=usize::from(entered) {
            let serial = SERIAL_COUNTER.next_serial();
            tool.motion(at, on.clone(), &tablet, serial, self.time_ms());
        }
    }

    /// The tip or a button of the pen went down or up.
    pub(super) fn pen_button(&mut self, code: Evdev, state: KeyState) {
        let pressed = state == KeyState::Pressed;
        let Some(near) = &mut self.input.pen else {
            return;
        };
        if near.held.contains(&code) == pressed {
            return;
        }
        if pressed {
            near.held.push(code);
        } else {
            near.held.retain(|held| *held != code);
        }
        let (on, at, tool) = (near.on.clone(), near.at, near.tool);
        let serial = SERIAL_COUNTER.next_serial();
        let tip = code == BTN_TOUCH;
        if tip {
            near.down = pressed.then_some(serial);
        }
        if on.is_none() {
            if let Some(code) = as_pointer(code) {
                self.button(code, state);
            }
            return;
        }
        let time = self.time_ms();
        let tool = self.tool(tool);
        if !tip {
            let state = if pressed {
                ButtonState::Pressed
            } else {
                ButtonState::Released
            };
            tool.button(u32::from(code.0), state, serial, time);
        } else if pressed {
            self.close_launcher();
            if let Some(Hit::Surface(_, _, owner)) = self.hit(at) {
                self.focus_owner(&owner);
            }
            tool.tip_down(serial, time);
        } else {
            tool.tip_up(time);
        }
    }

    /// The pen left.
    pub(super) fn pen_away(&mut self) {
        let held = self.input.pen.as_ref().map(|near| near.held.clone());
        for code in held.into_iter().flatten().rev() {
            self.pen_button(code, KeyState::Released);
        }
        if let Some(near) = self.input.pen.take()
            && near.on.is_some()
        {
            self.tool_leaves(near.tool);
        }
    }

    /// A window, a menu or a panel is about to end; the pen leaves it while its program can be told.
    pub(crate) fn pen_leaves(&mut self, root: &WlSurface) {
        let on = self.input.pen.as_ref().and_then(|near| near.on.as_ref());
        // A program that is disconnected is not told: see `once_gone`.
        if root.client().is_some() && on.is_some_and(|(surface, _)| root_of(surface) == *root) {
            self.pen_away();
        }
    }

    /// Lets go of a surface that ended: what is left of the stroke on it goes nowhere.
    pub(crate) fn forget_under_pen(&mut self, gone: &WlSurface) {
        let ended = |near: &Near| near.on.as_ref().is_some_and(|(surface, _)| surface == gone);
        if self.input.pen.as_ref().is_some_and(ended) {
            self.pen_away();
        }
    }

    /// The press of a tip on a surface of this program, if it is still down.
    ///
    /// From now on the pen is the pointer, since that is what windows are dragged with.
    pub(crate) fn pen_drag_start(
        &mut self,
        surface: &WlSurface,
        serial: Serial,
    ) -> Option<GrabStartData<Self>> {
        let near = self.input.pen.as_mut()?;
        let focus = near.on.take_if(|(on, _)| {
            near.down == Some(serial) && on.id().same_client_as(&surface.id())
        })?;
        let (at, tool) = (near.at, near.tool);
        self.tool_leaves(tool);
        self.pointer.set_location(at);
        Some(GrabStartData {
            focus: Some(focus),
            button: u32::from(BTN_LEFT.0),
            location: at,
        })
    }

    /// The surface that takes the pen as a tool where it is.
    fn tool_focus(&self, at: Point<f64, Logical>, before: Option<&Focus>) -> Option<Focus> {
        // Menus and drags go by the pointer.
        if self.pointer.is_grabbed() {
            return None;
        }
        let under = self.surface_under(at)?;
        let known = before.is_some_and(|(surface, _)| *surface == under.0);
        (known || self.takes_tools(&under.0)).then_some(under)
    }

    /// Whether the program of a surface has tools of tablets.
    fn takes_tools(&self, surface: &WlSurface) -> bool {
        let Some(client) = surface.client() else {
            return false;
        };
        let mut takes = false;
        let display = self.display.backend_handle();
        let looked = display.with_all_objects_for(client.id(), |object| {
            takes |= object.interface().name == ZwpTabletToolV2::interface().name;
        });
        looked.is_ok() && takes
    }

    /// Takes the pointer from where it was: a tool is where it would be now.
    fn pointer_steps_aside(&mut self, at: Point<f64, Logical>) {
        self.input.pointer_is_known = true;
        let pointer = self.pointer.clone();
        let hot = self.shell.hot.is_some() || self.shell.hot_spot.is_some();
        if pointer.current_focus().is_some() || hot {
            let event = MotionEvent {
                location: at,
                serial: SERIAL_COUNTER.next_serial(),
                time: self.time_ms(),
            };
            pointer.motion(self, None, &event);
            pointer.frame(self);
            self.hover();
        } else {
            pointer.set_location(at);
        }
        if self.cursor.is_drawn() {
            self.clock.want();
        }
    }

    fn tool_leaves(&mut self, tool: PenTool) {
        let time = self.time_ms();
        self.tool(tool).proximity_out(time);
        self.set_cursor(CursorImageStatus::default_named());
    }

    fn tablet(&self) -> TabletHandle {
        let tablet = TabletDescriptor {
            name: TABLET_NAME.into(),
            usb_id: None,
            syspath: None,
        };
        let seat = self.seat.tablet_seat();
        seat.add_tablet::<Self>(&self.display, &tablet)
    }

    fn tool(&mut self, tool: PenTool) -> TabletToolHandle {
        let tool = TabletToolDescriptor {
            tool_type: match tool {
                PenTool::Pen => TabletToolType::Pen,
                PenTool::Eraser => TabletToolType::Eraser,
            },
            hardware_serial: 0,
            hardware_id_wacom: 0,
            capabilities: TabletToolCapabilities::PRESSURE
                | TabletToolCapabilities::TILT
                | TabletToolCapabilities::ROTATION,
        };
        let (seat, display) = (self.seat.tablet_seat(), self.display.clone());
        seat.add_tool::<Self>(self, &display, &tool)
    }
}

/// The button of a pointer that does what one of a pen does.
fn as_pointer(code: Evdev) -> Option<Evdev> {
    match code {
        BTN_TOUCH => Some(BTN_LEFT),
        BTN_STYLUS => Some(BTN_RIGHT),
        BTN_STYLUS2 => Some(BTN_MIDDLE),
        _ => None,
    }
}

/// What programs call the tablet.
const TABLET_NAME: &str = "VROOM pen";

/// The tip.
const BTN_TOUCH: Evdev = Evdev(0x14a);

/// The button nearest to it.
const BTN_STYLUS: Evdev = Evdev(0x14b);

/// The second button.
const BTN_STYLUS2: Evdev = Evdev(0x14c);
