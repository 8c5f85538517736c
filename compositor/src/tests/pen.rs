//! Pens: tools of a tablet for programs that take those, and the pointer for all others.

use smithay::reexports::wayland_server::Resource as _;
use smithay::utils::{Logical, Point, Rectangle};
use vroom_desktop::{Evdev, InputEvent, KeyState, PenMotion, PenTool};
use wayland_client::protocol::wl_pointer::{self, ButtonState};
use wayland_client::protocol::wl_seat::WlSeat;
use wayland_client::{
    Connection, Dispatch, Proxy as _, QueueHandle, WEnum, delegate_noop, event_created_child,
};
use wayland_protocols::wp::tablet::zv2::client::zwp_tablet_manager_v2::ZwpTabletManagerV2;
use wayland_protocols::wp::tablet::zv2::client::zwp_tablet_seat_v2::{self, ZwpTabletSeatV2};
use wayland_protocols::wp::tablet::zv2::client::zwp_tablet_tool_v2::{
    self, Event, ZwpTabletToolV2,
};
use wayland_protocols::wp::tablet::zv2::client::zwp_tablet_v2::ZwpTabletV2;

use super::client::{Memory, Told, Window};
use super::fixture::Fixture;
use crate::ShellStyle;

const TIP: u16 = 0x14a;
const LOWER: u16 = 0x14b;
const UPPER: u16 = 0x14c;

/// A program that has a tablet, and its window.
fn with_tablet() -> (Fixture, usize, Window) {
    let (mut fixture, id, window) = without_tablet(Fixture::new());
    take_tablet(&mut fixture, id);
    (fixture, id, window)
}

/// A program that has only a pointer, and its window.
fn without_tablet(mut fixture: Fixture) -> (Fixture, usize, Window) {
    let id = fixture.connect();
    let client = fixture.client(id);
    let seat: WlSeat = client.bind();
    seat.get_pointer(&client.handle, ());
    let window = fixture.window(id, (300, 200), 0xaa);
    fixture.settle();
    fixture.client(id).take_told();
    (fixture, id, window)
}

fn desktop() -> Fixture {
    Fixture::with(|config| config.shell = ShellStyle::Desktop)
}

/// Where the windows lie, the lowest first.
fn places(fixture: &Fixture) -> Vec<Rectangle<i32, Logical>> {
    let space = &fixture.server.state.shell.space;
    let windows = space.elements();
    windows
        .filter_map(|window| space.element_geometry(window))
        .collect()
}

fn take_tablet(fixture: &mut Fixture, id: usize) {
    let client = fixture.client(id);
    let seat: WlSeat = client.bind();
    let manager: ZwpTabletManagerV2 = client.bind();
    manager.get_tablet_seat(&seat, &client.handle, ());
    fixture.roundtrip(id);
}

fn at(x: f64, y: f64) -> PenMotion {
    PenMotion {
        tool: PenTool::Pen,
        x,
        y,
        pressure: 0.0,
        tilt_x: 0.0,
        tilt_y: 0.0,
        rotation: 0.0,
    }
}

fn hover(fixture: &mut Fixture, x: f64, y: f64) {
    fixture.inject(InputEvent::PenMotion(at(x, y)));
}

fn press(fixture: &mut Fixture, code: u16, state: KeyState) {
    let code = Evdev(code);
    fixture.inject(InputEvent::PenButton { code, state });
}

/// What a program was told of its tools, in short, and of which tool; frames left out.
fn tool_events(fixture: &mut Fixture, id: usize) -> Vec<(usize, String)> {
    fixture.roundtrip(id);
    let mut tools = Vec::new();
    let told = fixture.client(id).take_told().into_iter();
    let told = told.filter_map(|told| match told {
        Told::Tool(tool, event) => Some((tool, event)),
        _ => None,
    });
    let mut events = Vec::new();
    for (tool, event) in told {
        let index = tools.iter().position(|known| *known == tool);
        let index = index.unwrap_or_else(|| {
            tools.push(tool);
            tools.len() - 1
        });
        let words = match event {
            Event::ProximityIn { .. } => "in".into(),
            Event::ProximityOut => "out".into(),
            Event::Down { .. } => "down".into(),
            Event::Up => "up".into(),
            Event::Motion { x, y } => format!("at {x} {y}"),
            Event::Pressure { pressure } => format!("pressure {pressure}"),
            Event::Tilt { tilt_x, tilt_y } => format!("tilt {tilt_x} {tilt_y}"),
            Event::Rotation { degrees } => format!("turned {degrees}"),
            Event::Button { button, state, .. } => {
                let pressed = state == WEnum::Value(zwp_tablet_tool_v2::ButtonState::Pressed);
                format!("{button:#x} {pressed}")
            }
            Event::Frame { .. } => continue,
            other => format!("{other:?}"),
        };
        events.push((index, words));
    }
    events
}

/// The same for one tool.
fn words(fixture: &mut Fixture, id: usize) -> Vec<String> {
    let events = tool_events(fixture, id).into_iter();
    events.map(|(_, words)| words).collect()
}

fn pointer_events(fixture: &mut Fixture, id: usize) -> Vec<wl_pointer::Event> {
    fixture.roundtrip(id);
    let told = fixture.client(id).take_told().into_iter();
    let told = told.filter_map(|told| match told {
        Told::Pointer(wl_pointer::Event::Frame) => None,
        Told::Pointer(event) => Some(event),
        _ => None,
    });
    told.collect()
}

#[test]
fn two_tools_are_announced_with_what_they_can_tell() {
    let (mut fixture, id, _) = with_tablet();
    let told = fixture.client(id).take_told();
    let kind = |wanted| {
        let told = told.iter().filter(move |told| {
            matches!(told, Told::Tool(_, Event::Type { tool_type }) if *tool_type == WEnum::Value(wanted))
        });
        told.count()
    };
    assert_eq!(kind(zwp_tablet_tool_v2::Type::Pen), 1);
    assert_eq!(kind(zwp_tablet_tool_v2::Type::Eraser), 1);
    let capabilities = told.iter().filter_map(|told| match told {
        Told::Tool(_, Event::Capability { capability }) => Some(*capability),
        _ => None,
    });
    use zwp_tablet_tool_v2::Capability::{Pressure, Rotation, Tilt};
    let each = [Pressure, Tilt, Rotation].map(WEnum::Value);
    assert_eq!(capabilities.collect::<Vec<_>>(), [each, each].concat());
}

#[test]
fn a_pen_tells_all_that_it_does() {
    let (mut fixture, id, _) = with_tablet();
    fixture.client(id).take_told();
    hover(&mut fixture, 10.5, 20.0);
    assert_eq!(
        words(&mut fixture, id),
        [
            "in",
            "at 10.5 20",
            "at 10.5 20",
            "pressure 0",
            "tilt 0 0",
            "turned 0"
        ]
    );
    press(&mut fixture, LOWER, KeyState::Pressed);
    fixture.inject(InputEvent::PenMotion(PenMotion {
        pressure: 0.5,
        tilt_x: 30.0,
        tilt_y: -45.0,
        rotation: 270.0,
        ..at(12.25, 20.0)
    }));
    press(&mut fixture, TIP, KeyState::Pressed);
    press(&mut fixture, UPPER, KeyState::Pressed);
    assert_eq!(
        words(&mut fixture, id),
        [
            "0x14b true",
            "at 12.25 20",
            "pressure 32768",
            "tilt 30 -45",
            "turned 270",
            "down",
            "0x14c true"
        ]
    );
    press(&mut fixture, TIP, KeyState::Released);
    press(&mut fixture, TIP, KeyState::Released);
    fixture.inject(InputEvent::PenAway);
    fixture.inject(InputEvent::PenAway);
    assert_eq!(
        words(&mut fixture, id),
        ["up", "0x14c false", "0x14b false", "out"],
        "nothing is left held"
    );
}

#[test]
fn what_is_drawn_moves_no_pointer_and_gets_the_keyboard() {
    let (mut fixture, id, window) = without_tablet(desktop());
    take_tablet(&mut fixture, id);
    let other = fixture.connect();
    fixture.window(other, (100, 100), 0xbb);
    fixture.settle();
    fixture.client(id).take_told();
    let [below, above] = places(&fixture)[..] else {
        unreachable!("two windows");
    };
    let last = below.loc + below.size - Point::from((3, 3));
    let mut corners = [below.loc, last].into_iter();
    let free = corners.find(|at| !above.contains(*at)).unwrap();
    hover(&mut fixture, f64::from(free.x), f64::from(free.y));
    press(&mut fixture, TIP, KeyState::Pressed);
    hover(&mut fixture, f64::from(free.x + 1), f64::from(free.y));
    press(&mut fixture, TIP, KeyState::Released);
    fixture.roundtrip(id);
    let told = fixture.client(id).take_told();
    assert!(
        !told.iter().any(|told| matches!(told, Told::Pointer(_))),
        "{told:?}"
    );
    assert!(
        told.iter()
            .any(|told| matches!(told, Told::Tool(_, Event::Down { .. })))
    );
    let focus = fixture.server.state.keyboard.current_focus().unwrap();
    assert_eq!(focus.id().protocol_id(), window.surface.id().protocol_id());
}

#[test]
fn a_program_without_tablets_gets_the_pen_as_the_pointer() {
    let (mut fixture, id, window) = without_tablet(Fixture::new());
    hover(&mut fixture, 12.0, 34.0);
    for code in [TIP, LOWER, UPPER] {
        press(&mut fixture, code, KeyState::Pressed);
        press(&mut fixture, code, KeyState::Released);
    }
    hover(&mut fixture, 15.0, 34.0);
    fixture.inject(InputEvent::PenAway);
    let events = pointer_events(&mut fixture, id);
    assert!(matches!(
        &events[0],
        wl_pointer::Event::Enter { surface, surface_x: 12.0, surface_y: 34.0, .. }
            if *surface == window.surface
    ));
    let pressed = events.iter().filter_map(|event| match event {
        wl_pointer::Event::Button { button, state, .. } => {
            Some((*button, *state == WEnum::Value(ButtonState::Pressed)))
        }
        _ => None,
    });
    let each = [0x110, 0x111, 0x112].map(|button| [(button, true), (button, false)]);
    assert_eq!(pressed.collect::<Vec<_>>(), each.concat());
    assert!(matches!(
        events.last(),
        Some(wl_pointer::Event::Motion {
            surface_x: 15.0,
            surface_y: 34.0,
            ..
        })
    ));
}

#[test]
fn a_program_may_take_a_tablet_while_the_pen_is_over_it() {
    let (mut fixture, id, _) = without_tablet(Fixture::new());
    hover(&mut fixture, 12.0, 34.0);
    take_tablet(&mut fixture, id);
    fixture.client(id).take_told();
    hover(&mut fixture, 13.0, 34.0);
    fixture.roundtrip(id);
    let told = fixture.client(id).take_told();
    let left = |told: &Told| matches!(told, Told::Pointer(wl_pointer::Event::Leave { .. }));
    assert!(told.iter().any(left), "the pointer steps aside: {told:?}");
    assert!(
        told.iter()
            .any(|told| matches!(told, Told::Tool(_, Event::ProximityIn { .. })))
    );
    fixture.inject(InputEvent::PointerMotion { x: 14.0, y: 34.0 });
    let entered = pointer_events(&mut fixture, id);
    assert!(matches!(
        entered[..],
        [wl_pointer::Event::Enter {
            surface_x: 14.0,
            ..
        }]
    ));
}

#[test]
fn a_stroke_stays_on_the_surface_where_it_began() {
    let (mut fixture, id, _) = without_tablet(desktop());
    take_tablet(&mut fixture, id);
    let area = places(&fixture)[0];
    let (x, y) = (f64::from(area.loc.x), f64::from(area.loc.y));
    hover(&mut fixture, x + 10.0, y + 20.0);
    press(&mut fixture, TIP, KeyState::Pressed);
    fixture.client(id).take_told();
    hover(&mut fixture, x - 10.0, y - 5.0);
    let outside = words(&mut fixture, id);
    assert_eq!(outside[0], "at -10 -5");
    assert!(!outside.contains(&"out".to_owned()));
    press(&mut fixture, TIP, KeyState::Released);
    hover(&mut fixture, x - 10.0, y - 6.0);
    assert_eq!(words(&mut fixture, id), ["up", "out"]);
}

#[test]
fn the_eraser_is_another_tool() {
    let (mut fixture, id, _) = with_tablet();
    fixture.client(id).take_told();
    hover(&mut fixture, 10.0, 20.0);
    press(&mut fixture, TIP, KeyState::Pressed);
    fixture.inject(InputEvent::PenMotion(PenMotion {
        tool: PenTool::Eraser,
        ..at(10.0, 20.0)
    }));
    let events = tool_events(&mut fixture, id);
    let ends: Vec<_> = events
        .iter()
        .filter(|(_, words)| ["in", "out", "down", "up"].contains(&words.as_str()))
        .map(|(tool, words)| (*tool, words.as_str()))
        .collect();
    assert_eq!(
        ends,
        [(0, "in"), (0, "down"), (0, "up"), (0, "out"), (1, "in")]
    );
}

#[test]
fn a_window_that_ends_under_the_pen_ends_the_stroke() {
    let (mut fixture, id, window) = with_tablet();
    hover(&mut fixture, 10.0, 20.0);
    press(&mut fixture, TIP, KeyState::Pressed);
    press(&mut fixture, LOWER, KeyState::Pressed);
    assert_eq!(words(&mut fixture, id).last().unwrap(), "0x14b true");
    window.toplevel.destroy();
    window.xdg_surface.destroy();
    window.surface.destroy();
    fixture.settle();
    assert_eq!(words(&mut fixture, id), ["0x14b false", "up", "out"]);
    // What is left of the stroke presses nothing on what lies below.
    fixture.window(id, (300, 200), 0xcc);
    fixture.client(id).take_told();
    hover(&mut fixture, 11.0, 20.0);
    press(&mut fixture, TIP, KeyState::Released);
    fixture.inject(InputEvent::PenAway);
    let rest = words(&mut fixture, id);
    assert!(
        !rest.iter().any(|words| words == "down" || words == "up"),
        "{rest:?}"
    );
    assert_eq!(rest.last().map(String::as_str), Some("out"));
}

#[test]
fn a_program_that_is_killed_under_the_pen_takes_nobody_along() {
    let (mut fixture, _, _) = with_tablet();
    hover(&mut fixture, 10.0, 20.0);
    press(&mut fixture, TIP, KeyState::Pressed);
    fixture.clients.clear();
    fixture.step();
    hover(&mut fixture, 11.0, 20.0);
    press(&mut fixture, TIP, KeyState::Released);
    fixture.inject(InputEvent::PenAway);
    let (mut fixture, id, _) = without_tablet(fixture);
    take_tablet(&mut fixture, id);
    hover(&mut fixture, 10.0, 20.0);
    assert!(words(&mut fixture, id).contains(&"in".to_owned()));
}

#[test]
fn a_window_can_be_dragged_by_a_press_of_the_pen() {
    let (mut fixture, id, window) = without_tablet(desktop());
    take_tablet(&mut fixture, id);
    let before = places(&fixture)[0].loc;
    let (x, y) = (f64::from(before.x + 30), f64::from(before.y + 30));
    hover(&mut fixture, x, y);
    press(&mut fixture, TIP, KeyState::Pressed);
    fixture.roundtrip(id);
    let told = fixture.client(id).take_told();
    let serial = told.iter().find_map(|told| match told {
        Told::Tool(_, Event::Down { serial }) => Some(*serial),
        _ => None,
    });
    let seat: WlSeat = fixture.client(id).bind();
    window.toplevel._move(&seat, serial.unwrap());
    assert_eq!(
        words(&mut fixture, id),
        ["up", "out"],
        "the window is dragged now"
    );
    hover(&mut fixture, x + 25.0, y + 15.0);
    press(&mut fixture, TIP, KeyState::Released);
    let moved = places(&fixture)[0].loc - before;
    assert_eq!((moved.x, moved.y), (25, 15));
    hover(&mut fixture, x + 60.0, y + 15.0);
    assert!(words(&mut fixture, id).contains(&"in".to_owned()));
    assert_eq!(places(&fixture)[0].loc - before, moved, "it was let go");
}

impl Dispatch<ZwpTabletSeatV2, ()> for Memory {
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

impl Dispatch<ZwpTabletToolV2, ()> for Memory {
    fn event(
        memory: &mut Self,
        tool: &ZwpTabletToolV2,
        event: Event,
        (): &(),
        _: &Connection,
        _: &QueueHandle<Self>,
    ) {
        memory.told.push(Told::Tool(tool.id(), event));
    }
}

delegate_noop!(Memory: ignore ZwpTabletManagerV2);
delegate_noop!(Memory: ignore ZwpTabletV2);
