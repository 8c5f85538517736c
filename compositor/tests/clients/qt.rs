//! A program of Qt, on Wayland and on X11.

use super::*;

#[test]
fn a_qt_program_takes_text_copies_follows_a_resize_and_closes() {
    let (mut session, script) = field("wayland");
    takes_text_and_copies(&mut session);
    session.screenshot("qt");
    session.closes();
    drop(script);
}

#[test]
fn a_qt_program_on_x11_does_the_same() {
    let (mut session, script) = field("xcb");
    // Xwayland changes the keyboard that programs see at the first key that it gets, and Qt forgets
    // then what is held: on any desktop the first Shift is lost.
    session.key(KEY_LEFTCTRL, KeyState::Pressed);
    session.key(KEY_LEFTCTRL, KeyState::Released);
    takes_text_and_copies(&mut session);
    session.screenshot("qt-x11");
    session.closes();
    drop(script);
}

/// A session with the field, and the folder of its program.
fn field(platform: &str) -> (Session, TempDir) {
    let dir = tempfile::tempdir().unwrap();
    let of_script = tempfile::tempdir().unwrap();
    let script = of_script.path().join("field.py");
    std::fs::write(&script, FIELD).unwrap();
    let platform = format!("QT_QPA_PLATFORM={platform}");
    let script = script.to_str().unwrap();
    let command = ["env", &platform, "/usr/bin/python3", script];
    let packages = "python3-pyqt5, qtwayland5";
    let mut session = Session::start(dir, "python3", packages, &command);
    session.wait_for_title("ready");
    (session, of_script)
}

fn takes_text_and_copies(session: &mut Session) {
    let text = "Grüße, 5 € ß@ñ";
    session.wait_for_picture();
    session.resize(Size::new(800, 600));
    session.wait_for_picture();
    let before = session.picture();
    session.inject(InputEvent::Text(text.into()));
    session.wait_for_title(&format!("[{text}]"));
    session.wait_for_change(&before);
    session.chord(KEY_LEFTCTRL, KEY_A);
    session.chord(KEY_LEFTCTRL, KEY_C);
    session.wait_for_copied(Selection::Clipboard, text);
}

/// A window whose title says what its text field holds.
const FIELD: &str = "
import os

from PyQt5.QtWidgets import QApplication, QPlainTextEdit

app = QApplication(['field'])
field = QPlainTextEdit()
field.setPlaceholderText('Type something into this field of Qt, please. ' * 4)
field.textChanged.connect(lambda: field.setWindowTitle('[' + field.toPlainText() + ']'))
field.setWindowTitle('ready')
field.resize(500, 300)
field.show()
app.exec_()
# Now and then Qt 5.15 waits for ever for a thread of its own when it lets go of a Wayland display.
os._exit(0)
";
