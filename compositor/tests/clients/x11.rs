//! X11 programs, for which Xwayland is started when the first of them connects.

use super::*;

#[test]
fn xterm_takes_text_byte_for_byte_a_resize_and_closes() {
    let dir = tempfile::tempdir().unwrap();
    let line = dir.path().join("line");
    let script = reader(&line);
    let command = ["xterm", "-u8", "-e", "sh", "-c", &script];
    let mut session = Session::start(dir, "xterm", "xterm", &command);
    session.wait_for_title("sh");
    session.wait_for_far_corner(WHITE);
    session.resize(Size::new(800, 600));
    session.wait_for_far_corner(WHITE);
    session.type_line(&line, "Grüße, X11: 5 € {}[]|~ <ok> ß@ñ");
    session.screenshot("xterm");
    session.closes();
}

#[test]
fn a_menu_of_an_x11_program_opens_where_it_was_asked_for_and_goes() {
    let dir = tempfile::tempdir().unwrap();
    let command = ["xterm", "-e", "sh", "-c", "printf ready; sleep 1000"];
    let mut session = Session::start(dir, "xterm", "xterm", &command);
    session.wait_for_title("sh");
    session.wait_for_far_corner(WHITE);
    session.inject(InputEvent::PointerMotion { x: 500.0, y: 400.0 });
    // A part of the window where nothing is written, which the menu covers.
    let there = |session: &Session| session.at(520, 440);
    assert_eq!(there(&session), WHITE);
    let code = Evdev(BTN_LEFT);
    session.key(KEY_LEFTCTRL, KeyState::Pressed);
    session.inject(InputEvent::PointerButton {
        code,
        state: KeyState::Pressed,
    });
    session.until("the menu", |session| session.differs_near(500, 400));
    session.screenshot("menu");
    session.inject(InputEvent::PointerMotion { x: 40.0, y: 700.0 });
    session.inject(InputEvent::PointerButton {
        code,
        state: KeyState::Released,
    });
    session.key(KEY_LEFTCTRL, KeyState::Released);
    session.until("the menu to go", |session| !session.differs_near(500, 400));
    session.end();
}

#[test]
fn x11_programs_are_windows_among_the_others() {
    let dir = tempfile::tempdir().unwrap();
    let foot = ["foot", "--title=Terminal", "sh", "-c", IDLE];
    let mut session = Session::with(dir, "foot", "foot", &foot, ShellStyle::Desktop);
    session.wait_for_title("Terminal");
    session.spawn("xcalc", "x11-apps", &["-geometry", "+300+200"]);
    session.wait_for_title("Calculator");
    let before = session.picture();
    session.screenshot("xcalc");
    session.chord(KEY_LEFTALT, KEY_TAB);
    session.wait_for_title("Terminal");
    session.wait_for_change(&before);
    session.chord(KEY_LEFTALT, KEY_TAB);
    session.wait_for_title("Calculator");
    let before = session.picture();
    session.inject(InputEvent::Text("42".into()));
    session.wait_for_change(&before);
    session.screenshot("xcalc-42");
    // Closed as by a person, it leaves the focus to the other one.
    session.chord(KEY_LEFTALT, KEY_F4);
    session.wait_for_title("Terminal");
    session.end();
}

#[test]
fn x11_programs_share_the_clipboard() {
    let dir = tempfile::tempdir().unwrap();
    let mut session = Session::start(dir, "foot", "foot", &["foot", "sh", "-c", IDLE]);
    session.wait_for_picture();
    // The X server stays for all that follows, and knows of the window manager.
    session.spawn("xeyes", "x11-apps", &[]);
    session.wait_for_title("xeyes");
    for (name, selection, option) in [
        ("clipboard", Selection::Clipboard, None),
        ("primary", Selection::Primary, Some("--primary")),
    ] {
        // From outside, and from a Wayland program.
        let data = ClipboardData::text("von außen → 漢字");
        session.compositor.set_selection(selection, vec![data]);
        session.wait_for_paste(name, "von außen → 漢字");
        let with = |more: &'static str| option.into_iter().chain([more]).collect::<Vec<_>>();
        session.run("wl-copy", "wl-clipboard", &with("von wl-copy"));
        session.wait_for_copied(selection, "von wl-copy");
        session.wait_for_paste(name, "von wl-copy");
        // To both.
        let file = session.dir().join("copied");
        std::fs::write(&file, "von X11 → ß").unwrap();
        let file = file.to_str().unwrap().to_owned();
        session.run("xclip", "xclip", &["-selection", name, "-i", &file]);
        session.wait_for_copied(selection, "von X11 → ß");
        let pasted = session.run("wl-paste", "wl-clipboard", &with("--no-newline"));
        assert_eq!(String::from_utf8_lossy(&pasted), "von X11 → ß");
    }
    session.end();
}

#[test]
fn the_x_server_ends_with_its_last_program_and_comes_back_with_the_next() {
    let dir = tempfile::tempdir().unwrap();
    let mut session = Session::start(
        dir,
        "foot",
        "foot",
        &["foot", "--title=Foot", "sh", "-c", IDLE],
    );
    session.wait_for_title("Foot");
    for _ in 0..3 {
        let mut xeyes = session.command("xeyes", "x11-apps", &[]).spawn().unwrap();
        session.wait_for_title("xeyes");
        xeyes.kill().unwrap();
        xeyes.wait().unwrap();
        session.wait_for_title("Foot");
    }
    session.end();
}

impl Session {
    /// Waits until the window reaches the far corner of the output in a colour.
    fn wait_for_far_corner(&mut self, colour: [u8; 3]) {
        self.until("the window to fill the output", |session| {
            let frame = session.picture.as_ref();
            frame.is_some_and(|frame| pixels(frame).last() == Some(colour))
        });
    }

    fn at(&self, x: usize, y: usize) -> [u8; 3] {
        let frame = self.picture.as_ref().unwrap();
        let at = y * frame.size().width as usize + x;
        pixels(frame).nth(at).unwrap()
    }

    /// Whether something else than the ground of the window is seen below and right of a point.
    fn differs_near(&self, x: usize, y: usize) -> bool {
        (2..60).any(|step| self.at(x + step, y + step) != WHITE)
    }

    /// Waits until X11 programs paste a text, of which nobody tells us.
    fn wait_for_paste(&mut self, selection: &str, text: &str) {
        let arguments = ["10", "xclip", "-selection", selection, "-o"];
        let mut paste = self.command("timeout", "coreutils", &arguments);
        self.until(text, |_| paste.output().unwrap().stdout == text.as_bytes());
    }
}

/// The ground of xterm, as B, G, R.
const WHITE: [u8; 3] = [255, 255, 255];

const KEY_TAB: u16 = 15;
