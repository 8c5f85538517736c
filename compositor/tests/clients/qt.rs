//! Programs of Qt, which speak Wayland or X11.

use super::*;

#[test]
fn a_qt_program_takes_text_copies_follows_a_resize_and_closes() {
    works(start("wayland"), "wayland", "Grüße, 5 € ß@ñ");
}

#[test]
fn a_qt_program_on_x11_takes_text_copies_follows_a_resize_and_closes() {
    works(start("xcb"), "xcb", "Grüße, 5 € ß@");
}

/// Starts a text field of Qt on the platform of that name.
fn start(platform: &str) -> Session {
    let dir = tempfile::tempdir().unwrap();
    let script = dir.path().join("field.py");
    std::fs::write(&script, FIELD).unwrap();
    let platform = format!("QT_QPA_PLATFORM={platform}");
    let command = [
        "env",
        &platform,
        "/usr/bin/python3",
        script.to_str().unwrap(),
    ];
    Session::start(dir, "python3", "python3-pyqt5, qtwayland5", &command)
}

fn works(mut session: Session, platform: &str, text: &str) {
    session.wait_for_title("ready");
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
    session.screenshot(platform);
    session.closes();
}

/// A window whose title says what its text field holds.
const FIELD: &str = "
from PyQt5.QtWidgets import QApplication, QPlainTextEdit

app = QApplication(['field'])
field = QPlainTextEdit()
field.setPlaceholderText('Type something into this field of Qt, please. ' * 4)
field.textChanged.connect(lambda: field.setWindowTitle('[' + field.toPlainText() + ']'))
field.setWindowTitle('ready')
field.resize(500, 300)
field.show()
app.exec_()
";
