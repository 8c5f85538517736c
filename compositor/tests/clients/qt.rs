//! A program of Qt, on Wayland.

use super::*;

#[test]
fn a_qt_program_takes_text_copies_follows_a_resize_and_closes() {
    let text = "Grüße, 5 € ß@ñ";
    let dir = tempfile::tempdir().unwrap();
    let script = dir.path().join("field.py");
    std::fs::write(&script, FIELD).unwrap();
    let command = [
        "env",
        "QT_QPA_PLATFORM=wayland",
        "/usr/bin/python3",
        script.to_str().unwrap(),
    ];
    let packages = "python3-pyqt5, qtwayland5";
    let mut session = Session::start(dir, "python3", packages, &command);
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
    session.screenshot("qt");
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
