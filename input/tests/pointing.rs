//! The pointer, its buttons, fingers and the pen.
#![expect(
    clippy::unwrap_used,
    reason = "a test fails where its own functions fail"
)]

use vroom_desktop::{Evdev, InputEvent, KeyState, Layout, PenMotion, PenTool, Size};
use vroom_input::Translator;
use vroom_protocol::graphical::{ButtonInput, Pen, PenState, PointerInput};

const SIZE: Size = Size::new(640, 480);

fn pointer(inputs: impl IntoIterator<Item = PointerInput>) -> Vec<InputEvent> {
    let mut translator = Translator::new(&Layout::default()).unwrap();
    let mut out = Vec::new();
    for input in inputs {
        translator.pointer(input, SIZE, &mut out);
    }
    out
}

fn buttons(inputs: impl IntoIterator<Item = ButtonInput>) -> (Translator, Vec<InputEvent>) {
    let mut translator = Translator::new(&Layout::default()).unwrap();
    let mut out = Vec::new();
    for input in inputs {
        translator.button(input, SIZE, &mut out);
    }
    (translator, out)
}

fn button(code: u16, state: KeyState) -> InputEvent {
    InputEvent::PointerButton {
        code: Evdev(code),
        state,
    }
}

#[test]
fn places_outside_the_picture_are_its_edge() {
    let moves = [(0, 0), (639, 479), (640, 480), (u16::MAX, 3)];
    let out = pointer(moves.map(|(x, y)| PointerInput::Move { x, y }));
    let places = [(0.0, 0.0), (639.0, 479.0), (639.0, 479.0), (639.0, 3.0)];
    assert_eq!(out, places.map(|(x, y)| InputEvent::PointerMotion { x, y }));
}

#[test]
fn scrolling_and_relative_motion_keep_every_pixel() {
    let out = pointer([
        PointerInput::Scroll { dx: -7, dy: 120 },
        PointerInput::MoveRelative {
            dx: i16::MIN,
            dy: 1,
        },
    ]);
    let expected = [
        InputEvent::Scroll {
            dx: -7.0,
            dy: 120.0,
        },
        InputEvent::PointerMotionRelative {
            dx: -32768.0,
            dy: 1.0,
        },
    ];
    assert_eq!(out, expected);
}

#[test]
fn a_button_moves_first() {
    for (dom, evdev) in [(0, 0x110), (1, 0x112), (2, 0x111), (3, 0x113), (4, 0x114)] {
        let (translator, out) = buttons([
            ButtonInput::MouseDown {
                x: 5,
                y: 999,
                button: dom,
            },
            ButtonInput::MouseDown {
                x: 6,
                y: 7,
                button: dom,
            },
            ButtonInput::MouseUp {
                x: 8,
                y: 9,
                button: dom,
            },
            ButtonInput::MouseUp {
                x: 8,
                y: 9,
                button: dom,
            },
        ]);
        let at = |x, y| InputEvent::PointerMotion { x, y };
        let expected = [
            at(5.0, 479.0),
            button(evdev, KeyState::Pressed),
            at(6.0, 7.0),
            at(8.0, 9.0),
            button(evdev, KeyState::Released),
            at(8.0, 9.0),
        ];
        assert_eq!(out, expected);
        assert!(translator.is_idle());
    }
}

#[test]
fn buttons_that_do_not_exist_do_nothing() {
    let (x, y) = (1, 1);
    let (_, out) = buttons([
        ButtonInput::MouseDown { x, y, button: 5 },
        ButtonInput::MouseUp { x, y, button: 255 },
    ]);
    assert_eq!(out, []);
}

#[test]
fn a_finger_that_comes_twice_is_lifted_in_between() {
    let (x, y, pressure) = (3, 4, 0);
    let (translator, out) = buttons([
        ButtonInput::TouchMove {
            id: 7,
            x,
            y,
            pressure,
        },
        ButtonInput::TouchEnd { id: 7 },
        ButtonInput::TouchStart {
            id: 7,
            x,
            y,
            pressure,
        },
        ButtonInput::TouchStart {
            id: 7,
            x,
            y,
            pressure,
        },
        ButtonInput::TouchMove {
            id: 7,
            x: 9999,
            y,
            pressure,
        },
        ButtonInput::TouchEnd { id: 7 },
        ButtonInput::TouchEnd { id: 7 },
    ]);
    let id = 7;
    let expected = [
        InputEvent::TouchDown { id, x: 3.0, y: 4.0 },
        InputEvent::TouchUp { id },
        InputEvent::TouchDown { id, x: 3.0, y: 4.0 },
        InputEvent::TouchMotion {
            id,
            x: 639.0,
            y: 4.0,
        },
        InputEvent::TouchUp { id },
    ];
    assert_eq!(out, expected);
    assert!(translator.is_idle());
}

fn pen(state: PenState) -> ButtonInput {
    ButtonInput::Pen(Pen {
        state,
        x: 10 * 256 + 128,
        y: 20 * 256,
        pressure: u16::MAX,
        tilt_x: -30,
        tilt_y: 45,
        twist: 270,
    })
}

/// Where [`pen`] is.
fn pen_motion(tool: PenTool) -> InputEvent {
    InputEvent::PenMotion(PenMotion {
        tool,
        x: 10.5,
        y: 20.0,
        pressure: 1.0,
        tilt_x: -30.0,
        tilt_y: 45.0,
        rotation: 270.0,
    })
}

fn pen_button(code: u16, state: KeyState) -> InputEvent {
    let code = Evdev(code);
    InputEvent::PenButton { code, state }
}

#[test]
fn a_pen_is_let_go_before_it_moves_and_pressed_after() {
    let (mut translator, out) = buttons([
        pen(PenState::HOVERS),
        pen(PenState::TIP | PenState::LOWER),
        pen(PenState::TIP | PenState::UPPER),
        pen(PenState::HOVERS),
    ]);
    let motion = pen_motion(PenTool::Pen);
    let expected = [
        motion.clone(),
        motion.clone(),
        pen_button(0x14b, KeyState::Pressed),
        pen_button(0x14a, KeyState::Pressed),
        pen_button(0x14b, KeyState::Released),
        motion.clone(),
        pen_button(0x14c, KeyState::Pressed),
        pen_button(0x14a, KeyState::Released),
        pen_button(0x14c, KeyState::Released),
        motion,
    ];
    assert_eq!(out, expected);
    assert!(!translator.is_idle(), "it is still near");
    let mut out = Vec::new();
    translator.button(ButtonInput::PenLeave, SIZE, &mut out);
    translator.button(ButtonInput::PenLeave, SIZE, &mut out);
    assert_eq!(out, [InputEvent::PenAway]);
    assert!(translator.is_idle());
}

#[test]
fn the_eraser_is_another_tool() {
    let eraser = PenState::TIP | PenState::ERASER;
    let (mut translator, out) = buttons([pen(PenState::TIP), pen(eraser)]);
    let expected = [
        pen_motion(PenTool::Pen),
        pen_button(0x14a, KeyState::Pressed),
        pen_button(0x14a, KeyState::Released),
        InputEvent::PenAway,
        pen_motion(PenTool::Eraser),
        pen_button(0x14a, KeyState::Pressed),
    ];
    assert_eq!(out, expected);
    let mut out = Vec::new();
    translator.release_all(&mut out);
    let lifted = [pen_button(0x14a, KeyState::Released), InputEvent::PenAway];
    assert_eq!(out, lifted);
}

#[test]
fn a_pen_stays_inside_the_picture() {
    let far = Pen {
        x: Pen::PLACE_MAX,
        y: 480 * 256,
        ..Pen::default()
    };
    let (_, out) = buttons([ButtonInput::Pen(far)]);
    let [InputEvent::PenMotion(PenMotion { x, y, .. })] = out[..] else {
        unreachable!("one motion, not {out:?}");
    };
    assert_eq!((x, y), (640.0 - 1.0 / 256.0, 480.0 - 1.0 / 256.0));
}

#[test]
fn everything_held_is_released_keys_first() {
    let (x, y, pressure) = (1, 1, 0);
    let (mut translator, mut out) = buttons([
        ButtonInput::TouchStart {
            id: 1,
            x,
            y,
            pressure,
        },
        ButtonInput::TouchStart {
            id: 2,
            x,
            y,
            pressure,
        },
        pen(PenState::TIP | PenState::UPPER),
        ButtonInput::MouseDown { x, y, button: 0 },
        ButtonInput::MouseDown { x, y, button: 2 },
        ButtonInput::KeyDown(vroom_protocol::graphical::Key {
            key: "a".into(),
            code: "KeyA".into(),
            modifiers: vroom_protocol::graphical::Modifiers::NONE,
        }),
    ]);
    out.clear();
    assert!(!translator.is_idle());
    translator.release_all(&mut out);
    let expected = [
        InputEvent::Key {
            code: Evdev(30),
            state: KeyState::Released,
        },
        button(0x111, KeyState::Released),
        button(0x110, KeyState::Released),
        InputEvent::TouchUp { id: 2 },
        InputEvent::TouchUp { id: 1 },
        pen_button(0x14a, KeyState::Released),
        pen_button(0x14c, KeyState::Released),
        InputEvent::PenAway,
    ];
    assert_eq!(out, expected);
    assert!(translator.is_idle());
}
