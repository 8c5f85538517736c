use vroom_protocol::graphical::ServerMessage;

use super::*;

const FILLED: Selection = Selection::Clipboard;

fn html(content: &str) -> ClipboardData {
    ClipboardData {
        mime_type: "text/html".into(),
        bytes: content.as_bytes().into(),
    }
}

fn driver(hub: &Arc<Hub>) -> Seat {
    let seat = join(hub, "a", Role::Operator);
    seat.set_mode(Mode::Interact, false).unwrap();
    seat.mailbox().take();
    seat
}

fn copied(hub: &Hub, data: ClipboardData) {
    let selection = FILLED;
    hub.on_desktop(DesktopEvent::Selection { selection, data });
}

#[test]
fn all_formats_of_a_content_come_together_and_have_a_number() {
    let (hub, desktop) = hub();
    let seat = driver(&hub);
    let formats = vec![ClipboardData::text("x"), html("<b>x</b>")];
    seat.set_formats(FILLED, formats.clone()).unwrap();
    assert_eq!(*desktop.selections.lock().unwrap(), formats);
    let before = seat.offered(FILLED).unwrap();
    assert_eq!(before.formats, formats);
    copied(&hub, ClipboardData::text("y"));
    let after = seat.offered(FILLED).unwrap();
    assert_ne!(before.serial, after.serial);
    assert_ne!(
        after.serial,
        seat.offered(Selection::Primary).unwrap().serial
    );
}

#[test]
fn what_the_configuration_keeps_out_gets_in_by_no_way() {
    let (hub, desktop) = hub_with(ClipboardRules {
        to_desktop: false,
        from_desktop: true,
    });
    let seat = driver(&hub);
    let text = ClipboardData::text("x");
    let denied = Err(Denied::ClipboardKeptOut);
    assert_eq!(seat.may_set_selection(), denied);
    assert_eq!(seat.set_selection(FILLED, text.clone()), denied);
    assert_eq!(seat.set_formats(FILLED, vec![text.clone()]), denied);
    assert!(desktop.selections.lock().unwrap().is_empty());
    copied(&hub, text.clone());
    assert_eq!(seat.selection(FILLED), Ok(vec![text]));
}

#[test]
fn what_the_configuration_keeps_inside_leaves_by_no_way() {
    let (hub, desktop) = hub_with(ClipboardRules {
        to_desktop: true,
        from_desktop: false,
    });
    let seat = driver(&hub);
    let text = ClipboardData::text("x");
    copied(&hub, text.clone());
    assert!(
        seat.mailbox().take().selections.is_empty(),
        "nobody is told"
    );
    assert_eq!(seat.selection(FILLED), Err(Denied::ClipboardStays));
    let selection = FILLED;
    hub.on_desktop(DesktopEvent::SelectionTooLarge { selection });
    assert!(seat.mailbox().take().messages.is_empty());
    seat.set_formats(FILLED, vec![text.clone()]).unwrap();
    assert_eq!(*desktop.selections.lock().unwrap(), [text]);
}

#[test]
fn formats_that_do_not_fit_beside_the_first_are_left_out() {
    let (hub, _) = hub();
    let seat = driver(&hub);
    let text = ClipboardData::text(&"x".repeat(SELECTION_BYTES_MAX));
    copied(&hub, text.clone());
    let (selection, data) = (FILLED, html("<b>"));
    hub.on_desktop(DesktopEvent::SelectionFormat { selection, data });
    assert_eq!(seat.selection(FILLED), Ok(vec![text]));
}

#[test]
fn who_drives_is_told_of_what_is_too_large_and_the_rest_is_not() {
    let (hub, _) = hub();
    let seat = driver(&hub);
    let other = join(&hub, "b", Role::Owner);
    other.mailbox().take();
    copied(&hub, ClipboardData::text("before"));
    let selection = FILLED;
    hub.on_desktop(DesktopEvent::SelectionTooLarge { selection });
    let told = Vec::from(seat.mailbox().take().messages);
    let [ServerMessage::Notification(notification)] = &told[..] else {
        panic!("{told:?}");
    };
    assert!(notification.text.contains("8 MiB"), "{notification:?}");
    assert!(other.mailbox().take().messages.is_empty());
    let held = seat.selection(FILLED).unwrap();
    assert!(held.is_empty(), "nobody takes the old content for the new");
    let selection = Selection::Primary;
    hub.on_desktop(DesktopEvent::SelectionTooLarge { selection });
    assert!(seat.mailbox().take().messages.is_empty());
}
