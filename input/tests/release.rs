//! Whatever a remote sends, everything that went down goes up.

use std::collections::BTreeSet;

use proptest::prelude::*;
use vroom_desktop::{InputEvent, KeyState, Layout, PenTool, Size};
use vroom_input::Translator;
use vroom_protocol::graphical::{
    ButtonInput, Key, Modifiers, Pen, PenState, PointerInput, Preedit,
};

/// What is down, from the events alone.
#[derive(Debug, Default, Eq, PartialEq)]
struct Down {
    keys: BTreeSet<u16>,
    buttons: BTreeSet<u16>,
    fingers: BTreeSet<u32>,
    pen: Option<PenTool>,
    pen_buttons: BTreeSet<u16>,
}

impl Down {
    /// Follows an event; says no to one that makes no sense.
    fn follow(&mut self, event: &InputEvent) -> bool {
        match event {
            InputEvent::Key { code, state } => follow(&mut self.keys, code.0, *state),
            InputEvent::PointerButton { code, state } => follow(&mut self.buttons, code.0, *state),
            InputEvent::TouchDown { id, .. } => self.fingers.insert(*id),
            InputEvent::TouchUp { id } => self.fingers.remove(id),
            InputEvent::TouchMotion { id, .. } => self.fingers.contains(id),
            InputEvent::PenMotion(pen) => self
                .pen
                .replace(pen.tool)
                .is_none_or(|tool| tool == pen.tool),
            InputEvent::PenButton { code, state } => {
                self.pen.is_some() && follow(&mut self.pen_buttons, code.0, *state)
            }
            InputEvent::PenAway => self.pen.take().is_some() && self.pen_buttons.is_empty(),
            _ => true,
        }
    }
}

fn follow(down: &mut BTreeSet<u16>, code: u16, state: KeyState) -> bool {
    match state {
        KeyState::Pressed => down.insert(code),
        KeyState::Released => down.remove(&code),
    }
}

#[derive(Clone, Debug)]
enum Step {
    Pointer(PointerInput),
    Button(ButtonInput),
    ReleaseAll,
}

fn key() -> impl Strategy<Value = Key> {
    let names = prop_oneof![
        4 => prop::sample::select(vec![
            "a", "A", "z", "@", "€", "é", "/", "^", "7", " ", "Dead", "Process", "Shift", "Control",
            "Alt", "AltGraph", "Meta", "CapsLock", "NumLock", "Enter", "ArrowUp", "F5", "Home", "",
            "Unidentified", "नि",
        ])
        .prop_map(str::to_owned),
        1 => ".{0,3}",
    ];
    let codes = prop_oneof![
        4 => prop::sample::select(vec![
            "KeyA", "KeyY", "KeyZ", "KeyQ", "KeyE", "Digit7", "Equal", "Backquote", "Slash", "Space",
            "ShiftLeft", "ShiftRight", "ControlLeft", "ControlRight", "AltLeft", "AltRight",
            "MetaLeft", "CapsLock", "NumLock", "Numpad7", "NumpadDecimal", "Enter", "ArrowUp", "F5",
            "",
        ])
        .prop_map(str::to_owned),
        1 => ".{0,8}",
    ];
    (names, codes, any::<u8>()).prop_map(|(key, code, bits)| Key {
        key,
        code,
        modifiers: Modifiers::from_bits(bits),
    })
}

fn step() -> impl Strategy<Value = Step> {
    let place = (any::<u16>(), any::<u16>());
    let id = 0u8..4;
    let button = prop_oneof![
        12 => key().prop_map(ButtonInput::KeyDown),
        8 => key().prop_map(ButtonInput::KeyUp),
        2 => (place, 0u8..6).prop_map(|((x, y), button)| ButtonInput::MouseDown { x, y, button }),
        2 => (place, 0u8..6).prop_map(|((x, y), button)| ButtonInput::MouseUp { x, y, button }),
        2 => (id.clone(), place, any::<u8>())
            .prop_map(|(id, (x, y), pressure)| ButtonInput::TouchStart { id, x, y, pressure }),
        2 => (id.clone(), place, any::<u8>())
            .prop_map(|(id, (x, y), pressure)| ButtonInput::TouchMove { id, x, y, pressure }),
        2 => id.prop_map(|id| ButtonInput::TouchEnd { id }),
        3 => (any::<u8>(), place).prop_map(|(state, (x, y))| ButtonInput::Pen(Pen {
            state: PenState::from_bits(state),
            x: u32::from(x) * 256,
            y: y.into(),
            ..Pen::default()
        })),
        1 => Just(ButtonInput::PenLeave),
        1 => ".{1,4}".prop_map(ButtonInput::Text),
        2 => ".{0,4}".prop_filter_map("too long", |text| Preedit::new(text, None)).prop_map(ButtonInput::Preedit),
    ];
    prop_oneof![
        20 => button.prop_map(Step::Button),
        1 => place.prop_map(|(x, y)| Step::Pointer(PointerInput::Move { x, y })),
        1 => Just(Step::ReleaseAll),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn what_went_down_goes_up(
        layout in prop::sample::select(vec!["us", "de", "us,ru"]),
        width in 0u32..2000,
        steps in prop::collection::vec(step(), 0..120),
    ) {
        let layout = Layout {
            layout: layout.into(),
            ..Layout::default()
        };
        let size = Size::new(width, 480);
        let mut translator = Translator::new(&layout).unwrap();
        let mut down = Down::default();
        for step in steps {
            let mut out = Vec::new();
            match step {
                Step::Pointer(input) => translator.pointer(input, size, &mut out),
                Step::Button(input) => translator.button(input, size, &mut out),
                Step::ReleaseAll => {
                    translator.release_all(&mut out);
                    prop_assert!(translator.is_idle());
                }
            }
            for event in &out {
                prop_assert!(down.follow(event), "{event:?} in {out:?} with {down:?}");
            }
        }
        let mut out = Vec::new();
        translator.release_all(&mut out);
        prop_assert!(out.iter().all(|event| down.follow(event)));
        prop_assert_eq!(down, Down::default());
        prop_assert!(translator.is_idle());
    }
}
