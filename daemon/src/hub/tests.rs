mod selections;
mod social;
mod voice;

use std::sync::Mutex;

use vroom_desktop::{
    ClipboardData, Cursor, CursorImage, CursorShape, DesktopEvent, Drag, DragEvent, Evdev,
    FrameSlot, InputEvent, KeyState, SELECTION_BYTES_MAX, Selection,
};
use vroom_protocol::graphical::{ButtonInput, Key, Modifiers, Pen, PenState, PointerInput};

use super::*;

/// A desktop that remembers what was asked of it.
#[derive(Default)]
struct Recorder {
    frames: Arc<FrameSlot>,
    input: Mutex<Vec<InputEvent>>,
    sizes: Mutex<Vec<Size>>,
    selections: Mutex<Vec<ClipboardData>>,
    cursor_drawn: Mutex<Vec<bool>>,
    launched: Mutex<Vec<(u64, Vec<String>)>>,
}

impl Recorder {
    fn take_input(&self) -> Vec<InputEvent> {
        std::mem::take(&mut *self.input.lock().unwrap())
    }
}

impl Desktop for Recorder {
    fn kind(&self) -> &'static str {
        "recorder"
    }
    fn frames(&self) -> &Arc<FrameSlot> {
        &self.frames
    }
    fn size(&self) -> Size {
        Size::new(640, 480)
    }
    fn set_watched(&self, _watched: bool) {}
    fn inject(&self, event: InputEvent) {
        self.input.lock().unwrap().push(event);
    }
    fn resize(&self, size: Size, _scale: f64) {
        self.sizes.lock().unwrap().push(size);
    }
    fn draw_cursor(&self, drawn: bool) {
        self.cursor_drawn.lock().unwrap().push(drawn);
    }

    fn set_selection(&self, _selection: Selection, formats: Vec<ClipboardData>) {
        *self.selections.lock().unwrap() = formats;
    }
    fn launch(&self, number: u64, command: Vec<String>) {
        self.launched.lock().unwrap().push((number, command));
    }
    fn shut_down(&self) {}
}

fn hub() -> (Arc<Hub>, Arc<Recorder>) {
    hub_with(ClipboardRules {
        to_desktop: true,
        from_desktop: true,
    })
}

fn hub_with(clipboard: ClipboardRules) -> (Arc<Hub>, Arc<Recorder>) {
    hub_by(clipboard, MicrophoneRule::default())
}

fn hub_by(clipboard: ClipboardRules, microphone: MicrophoneRule) -> (Arc<Hub>, Arc<Recorder>) {
    let hub = Hub::new(HubConfig {
        session: "s".into(),
        kind: "recorder",
        size: Size::new(640, 480),
        layout: Layout::default(),
        follow_resize: true,
        clipboard,
        microphone,
    });
    let (hub, desktop) = (hub.unwrap(), Arc::new(Recorder::default()));
    hub.set_desktop(Arc::clone(&desktop) as Arc<dyn Desktop>);
    (hub, desktop)
}

fn join(hub: &Arc<Hub>, user: &str, role: Role) -> Seat {
    let identity = Identity {
        role,
        ..Identity::owner(user.into())
    };
    hub.join(&identity, "", Arc::default()).unwrap()
}

fn key(code: &str) -> Key {
    Key {
        key: String::new(),
        code: code.into(),
        modifiers: Modifiers::NONE,
    }
}

fn states(events: &[InputEvent]) -> Vec<KeyState> {
    let state = |event: &InputEvent| match event {
        InputEvent::Key { state, .. } | InputEvent::PointerButton { state, .. } => Some(*state),
        _ => None,
    };
    events.iter().filter_map(state).collect()
}

#[test]
fn only_the_driver_drags_files_and_nothing_of_it_stays() {
    let (hub, desktop) = hub();
    let (one, two) = (join(&hub, "a", Role::Owner), join(&hub, "b", Role::Owner));
    let at = Some((1, 2));
    assert_eq!(one.drag(Drag::Enter, at), Err(Denied::NotAllowed));
    one.set_mode(Mode::Voice, false).unwrap();
    assert_eq!(one.drag(Drag::Enter, at), Err(Denied::NotAllowed));
    assert_eq!(desktop.take_input(), []);
    one.set_mode(Mode::Interact, false).unwrap();
    one.drag(Drag::Enter, at).unwrap();
    let moved = InputEvent::PointerMotion { x: 1.0, y: 2.0 };
    assert_eq!(desktop.take_input(), [moved, InputEvent::Drag(Drag::Enter)]);
    hub.on_desktop(DesktopEvent::Drag(DragEvent::Begun));
    assert_eq!(one.mailbox().take().drags, [DragEvent::Begun]);
    assert!(two.mailbox().take().drags.is_empty());
    // Who loses the floor holds nothing over the desktop any more.
    two.set_mode(Mode::Interact, true).unwrap();
    assert_eq!(desktop.take_input(), [InputEvent::Drag(Drag::Leave)]);
    assert_eq!(one.drag(Drag::Drop([].into()), at), Err(Denied::NotAllowed));
}

#[test]
fn only_the_driver_is_obeyed() {
    let (hub, desktop) = hub();
    let one = join(&hub, "a", Role::Owner);
    let two = join(&hub, "b", Role::Owner);
    for seat in [&one, &two] {
        seat.button(ButtonInput::KeyDown(key("KeyA")));
        seat.pointer(PointerInput::Move { x: 1, y: 2 });
        assert_eq!(seat.paste("x".into()), Err(Denied::NotAllowed));
        let data = ClipboardData::text("x");
        let denied = seat.set_selection(Selection::Clipboard, data);
        assert_eq!(denied, Err(Denied::NotAllowed));
    }
    assert_eq!(desktop.take_input(), []);
    one.set_mode(Mode::Interact, false).unwrap();
    two.button(ButtonInput::KeyDown(key("KeyA")));
    assert_eq!(desktop.take_input(), []);
    one.button(ButtonInput::KeyDown(key("KeyA")));
    assert_eq!(states(&desktop.take_input()), [KeyState::Pressed]);
    one.paste("x".into()).unwrap();
    assert_eq!(desktop.take_input(), [InputEvent::Text("x".into())]);
}

#[test]
fn in_voice_the_floor_is_held_but_input_is_not_obeyed() {
    let (hub, desktop) = hub();
    let one = join(&hub, "a", Role::Owner);
    let two = join(&hub, "b", Role::Operator);
    one.set_mode(Mode::Voice, false).unwrap();
    one.button(ButtonInput::KeyDown(key("KeyA")));
    assert_eq!(desktop.take_input(), []);
    assert_eq!(two.set_mode(Mode::Interact, false), Err(Denied::Busy));
    one.paste("x".into()).unwrap();
    assert_eq!(desktop.take_input().len(), 1);
}

#[test]
fn all_six_changes_of_mode_work_and_leave_nothing_held() {
    let (hub, desktop) = hub();
    let seat = join(&hub, "a", Role::Operator);
    let modes = [Mode::View, Mode::Interact, Mode::Voice];
    for from in modes {
        for to in modes {
            seat.set_mode(from, false).unwrap();
            seat.button(ButtonInput::KeyDown(key("KeyA")));
            seat.set_mode(to, false).unwrap();
            assert_eq!(seat.mode(), to);
            let held = from == Mode::Interact && to == Mode::Interact;
            let states = states(&desktop.take_input());
            let pressed = states
                .iter()
                .filter(|state| **state == KeyState::Pressed)
                .count();
            let released = states.len() - pressed;
            assert_eq!(pressed, released + usize::from(held), "{from:?} to {to:?}");
            seat.release();
            desktop.take_input();
        }
    }
}

#[test]
fn whoever_loses_the_floor_lets_go_before_the_next_one_presses() {
    let (hub, desktop) = hub();
    let one = join(&hub, "a", Role::Operator);
    let two = join(&hub, "b", Role::Operator);
    one.set_mode(Mode::Interact, false).unwrap();
    one.button(ButtonInput::KeyDown(key("ShiftLeft")));
    one.button(ButtonInput::MouseDown {
        x: 5,
        y: 5,
        button: 0,
    });
    desktop.take_input();
    assert_eq!(two.set_mode(Mode::Interact, false), Err(Denied::Busy));
    two.set_mode(Mode::Interact, true).unwrap();
    let released = states(&desktop.take_input());
    assert_eq!(released, [KeyState::Released, KeyState::Released]);
    let mail = one.mailbox().take();
    assert!(mail.lost_floor && mail.state && mail.share);
    assert_eq!(one.mode(), Mode::View);
    one.button(ButtonInput::KeyDown(key("KeyA")));
    assert_eq!(desktop.take_input(), []);
}

#[test]
fn whoever_leaves_lets_go() {
    let (hub, desktop) = hub();
    let one = join(&hub, "a", Role::Operator);
    let two = join(&hub, "b", Role::Operator);
    one.set_mode(Mode::Interact, false).unwrap();
    one.button(ButtonInput::KeyDown(key("KeyA")));
    desktop.take_input();
    two.mailbox().take();
    drop(one);
    assert_eq!(states(&desktop.take_input()), [KeyState::Released]);
    assert!(two.mailbox().take().share);
    assert_eq!(two.share_state().driver, None);
    two.set_mode(Mode::Interact, false).unwrap();
}

#[test]
fn viewers_neither_drive_nor_read_the_clipboard_nor_resize() {
    let (hub, desktop) = hub();
    let viewer = join(&hub, "a", Role::Viewer);
    for mode in [Mode::Interact, Mode::Voice] {
        assert_eq!(viewer.set_mode(mode, true), Err(Denied::NotAllowed));
    }
    assert_eq!(
        viewer.selection(Selection::Clipboard),
        Err(Denied::NotAllowed)
    );
    assert_eq!(viewer.request(), Err(Denied::NotAllowed));
    viewer.resize(&Viewport::new(800, 600));
    assert!(desktop.sizes.lock().unwrap().is_empty());
    let data = ClipboardData::text("secret");
    let selection = Selection::Clipboard;
    hub.on_desktop(DesktopEvent::Selection { selection, data });
    assert!(viewer.mailbox().take().selections.is_empty());
}

#[test]
fn the_only_one_who_may_drive_and_then_the_driver_decide_about_the_size() {
    let (hub, desktop) = hub();
    let _viewer = join(&hub, "v", Role::Viewer);
    let one = join(&hub, "a", Role::Operator);
    one.resize(&Viewport::new(801, 600));
    let two = join(&hub, "b", Role::Operator);
    one.resize(&Viewport::new(1000, 600));
    two.resize(&Viewport::new(1001, 600));
    two.set_mode(Mode::Interact, false).unwrap();
    one.resize(&Viewport::new(1002, 600));
    two.resize(&Viewport::new(1004, 600));
    let sizes = desktop.sizes.lock().unwrap().clone();
    assert_eq!(sizes, [Size::new(800, 600), Size::new(1004, 600)]);
}

#[test]
fn a_program_that_copies_reaches_those_who_may_drive() {
    let (hub, _) = hub();
    let seat = join(&hub, "a", Role::Operator);
    let selection = Selection::Primary;
    let data = ClipboardData::text("copied");
    hub.on_desktop(DesktopEvent::Selection { selection, data });
    assert_eq!(seat.mailbox().take().selections, [Selection::Primary]);
    let held = seat.selection(Selection::Primary).unwrap();
    assert_eq!(held, [ClipboardData::text("copied")]);
    // The same content has a picture, too.
    let data = ClipboardData {
        mime_type: "image/png".into(),
        bytes: Arc::from(&b"png"[..]),
    };
    let picture = data.clone();
    hub.on_desktop(DesktopEvent::SelectionFormat { selection, data });
    assert_eq!(seat.mailbox().take().selections, [Selection::Primary]);
    let held = seat.selection(Selection::Primary).unwrap();
    assert_eq!(held, [ClipboardData::text("copied"), picture]);
    let data = ClipboardData::text("new");
    hub.on_desktop(DesktopEvent::Selection { selection, data });
    let held = seat.selection(Selection::Primary).unwrap();
    assert_eq!(held, [ClipboardData::text("new")]);
    seat.mailbox().take();
    let large = ClipboardData::text(&"x".repeat(SELECTION_BYTES_MAX + 1));
    let data = large;
    hub.on_desktop(DesktopEvent::Selection { selection, data });
    assert!(
        seat.mailbox().take().selections.is_empty(),
        "too large to pass on"
    );
}

#[test]
fn the_pointer_is_told_to_those_who_do_not_move_it() {
    let (hub, _) = hub();
    let driver = join(&hub, "a", Role::Operator);
    let watcher = join(&hub, "b", Role::Viewer);
    driver.set_mode(Mode::Interact, false).unwrap();
    driver.mailbox().take();
    watcher.mailbox().take();
    driver.pointer(PointerInput::Move { x: 9, y: 7 });
    assert!(!driver.mailbox().take().cursor);
    assert!(watcher.mailbox().take().cursor);
    let seen = watcher.cursor();
    assert_eq!((seen.cursor.x, seen.cursor.y, seen.own), (9, 7, false));
    let image = CursorImage {
        width: 1,
        height: 1,
        hotspot_x: 0,
        hotspot_y: 0,
        bgra: vec![1, 2, 3, 255],
    };
    let shape = CursorShape::Image(Arc::new(image));
    hub.on_desktop(DesktopEvent::Cursor(Cursor { shape }));
    assert!(driver.mailbox().take().cursor && watcher.mailbox().take().cursor);
    assert!(driver.cursor().image.is_some());
    assert_eq!(driver.cursor().image, watcher.cursor().image);
    hub.on_desktop(DesktopEvent::PointerLocked(true));
    assert!(driver.mailbox().take().cursor && driver.cursor().cursor.locked);
}

#[test]
fn a_pen_is_lifted_and_taken_away_when_the_floor_is_lost() {
    let (hub, desktop) = hub();
    let driver = join(&hub, "a", Role::Operator);
    let watcher = join(&hub, "b", Role::Owner);
    driver.set_mode(Mode::Interact, false).unwrap();
    let pen = Pen {
        state: PenState::TIP | PenState::LOWER,
        x: 9 * 256,
        y: 7 * 256,
        ..Pen::default()
    };
    driver.button(ButtonInput::Pen(pen));
    let seen = watcher.cursor();
    assert_eq!((seen.cursor.x, seen.cursor.y), (9, 7));
    desktop.take_input();
    watcher.set_mode(Mode::Interact, true).unwrap();
    let button = |code| InputEvent::PenButton {
        code: Evdev(code),
        state: KeyState::Released,
    };
    let lifted = [button(0x14a), button(0x14b), InputEvent::PenAway];
    assert_eq!(desktop.take_input(), lifted);
}

#[test]
fn names_are_cut_and_cleaned() {
    let (hub, _) = hub();
    let identity = Identity::owner("a".into());
    let name = format!("\u{1b}[31m{}", "n".repeat(1000));
    let seat = hub.join(&identity, &name, Arc::default()).unwrap();
    let named = seat.share_state().participants[0].name.clone();
    assert_eq!(named.chars().count(), NAME_CHARS);
    assert!(!named.contains('\u{1b}'));
}

#[test]
fn there_is_room_for_so_many_and_no_more() {
    let (hub, _) = hub();
    let seats: Vec<_> = (0..PARTICIPANTS)
        .map(|_| join(&hub, "a", Role::Viewer))
        .collect();
    let identity = Identity::owner("a".into());
    assert!(hub.join(&identity, "", Arc::default()).is_none());
    drop(seats);
    assert_eq!(hub.listing().attached, 0);
}

#[test]
fn the_end_of_the_session_is_told() {
    let (hub, _) = hub();
    let seat = join(&hub, "a", Role::Viewer);
    let ended = |restarting| DesktopEvent::SessionEnded {
        reason: "foot ended with status 1".into(),
        restarting,
    };
    hub.on_desktop(ended(false));
    assert!(seat.mailbox().take().state);
    let told = seat.state().desktop.unwrap().ended;
    assert_eq!(told.as_deref(), Some("foot ended with status 1"));
    hub.on_desktop(ended(true));
    assert_eq!(seat.state().desktop.unwrap().ended, None);
}

#[test]
fn one_who_was_kicked_is_out_at_once() {
    let (hub, desktop) = hub();
    let owner = join(&hub, "a", Role::Owner);
    let other = join(&hub, "b", Role::Operator);
    other.set_mode(Mode::Interact, false).unwrap();
    other.button(ButtonInput::KeyDown(key("KeyA")));
    desktop.take_input();
    assert_eq!(other.kick(&owner.id().to_string()), Err(Denied::NotAllowed));
    owner.kick(&other.id().to_string()).unwrap();
    assert_eq!(states(&desktop.take_input()), [KeyState::Released]);
    assert!(other.mailbox().take().removed.is_some());
    other.button(ButtonInput::KeyDown(key("KeyA")));
    assert_eq!(desktop.take_input(), []);
    assert_eq!(
        other.set_mode(Mode::Interact, true),
        Err(Denied::NoSuchTarget)
    );
    assert_eq!(other.role(), Role::Viewer);
    drop(other);
    assert_eq!(owner.share_state().participants.len(), 1);
}

#[test]
fn formats_that_follow_each_other_are_the_same_content() {
    let (hub, desktop) = hub();
    let seat = join(&hub, "a", Role::Owner);
    seat.set_mode(Mode::Interact, false).unwrap();
    let html = ClipboardData {
        mime_type: "text/html".into(),
        bytes: Arc::from(&b"<b>x</b>"[..]),
    };
    let set = |data: &ClipboardData| seat.set_selection(Selection::Clipboard, data.clone());
    let text = ClipboardData::text("x");
    set(&text).unwrap();
    set(&html).unwrap();
    assert_eq!(*desktop.selections.lock().unwrap(), [text.clone(), html]);
    set(&text).unwrap();
    assert_eq!(
        *desktop.selections.lock().unwrap(),
        [text],
        "it is copied anew"
    );
}

#[test]
fn the_picture_shows_the_pointer_while_somebody_cannot() {
    let (hub, desktop) = hub();
    let one = join(&hub, "a", Role::Owner);
    assert!(one.cursor().cursor.visible);
    let two = join(&hub, "b", Role::Viewer);
    two.set_draws_cursor(false);
    assert_eq!(*desktop.cursor_drawn.lock().unwrap(), [true]);
    assert!(one.mailbox().take().cursor);
    assert!(!one.cursor().cursor.visible, "nobody sees two");
    drop(two);
    assert_eq!(*desktop.cursor_drawn.lock().unwrap(), [true, false]);
    assert!(one.cursor().cursor.visible);
}
