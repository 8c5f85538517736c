//! Whole desktops that run in a window.

use super::*;

#[test]
fn weston_runs_in_a_window() {
    let dir = tempfile::tempdir().unwrap();
    let command = [
        "weston",
        "--backend=wayland-backend.so",
        "--use-pixman",
        "--fullscreen",
        "--socket=nested",
    ];
    let mut session = Session::start(dir, "weston", "weston", &command);
    session.wait_for_picture();
    session.resize(Size::new(900, 700));
    session.wait_for_picture();
    // Its panel starts a terminal.
    let before = session.picture();
    session.inject(InputEvent::PointerMotion { x: 16.0, y: 16.0 });
    for state in [KeyState::Pressed, KeyState::Released] {
        let code = Evdev(BTN_LEFT);
        session.inject(InputEvent::PointerButton { code, state });
    }
    session.until("a terminal in the middle of it", |session| {
        let frame = session.picture.as_ref().unwrap();
        let middle = pixels(frame).nth(900 * 350 + 450);
        middle
            != before
                .chunks_exact(BYTES_PER_PIXEL)
                .nth(900 * 350 + 450)
                .map(|at| [at[0], at[1], at[2]])
    });
    session.screenshot("weston");
    session.closes();
}

#[test]
fn sway_runs_in_a_window_and_passes_keys_on() {
    let dir = tempfile::tempdir().unwrap();
    let line = dir.path().join("line");
    let script = dir.path().join("script.sh");
    std::fs::write(&script, reader(&line)).unwrap();
    let config = dir.path().join("sway.conf");
    let text = format!(
        "output * bg #204060 solid_color\nexec foot sh {}\n",
        script.display()
    );
    std::fs::write(&config, text).unwrap();
    // It refuses to be root, and this is where it sees that it is not.
    let command = [
        "unshare",
        "--user",
        "--map-user=1000",
        "--map-group=1000",
        "env",
        "WLR_BACKENDS=wayland",
        "WLR_RENDERER=pixman",
        "sway",
        "--config",
        config.to_str().unwrap(),
    ];
    let mut session = Session::start(dir, "sway", "sway", &command);
    session.wait_for_picture();
    session.resize(Size::new(900, 700));
    session.wait_for_picture();
    // It has a layout of its own, so what it is sent is keys that mean the same in all.
    session.type_line(&line, "hello from outside");
    session.screenshot("sway");
    session.chord(KEY_LEFTALT, KEY_F4);
    session.event("the window to close", |event| {
        matches!(event, DesktopEvent::Title(None)).then_some(())
    });
    session.end();
}
