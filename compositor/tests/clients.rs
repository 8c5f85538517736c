//! Real programs: each starts, draws, takes typed text and survives a resize.
//!
//! They are what people run, so a missing one is a failure, not a reason to skip. With
//! `VROOM_SCREENSHOTS` naming a directory, what was seen last is written there as PPM pictures.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test ends when something is not as it should be"
)]

#[path = "clients/firefox.rs"]
mod firefox;
#[path = "clients/nested.rs"]
mod nested;
#[path = "clients/outputs.rs"]
mod outputs;
#[path = "clients/qt.rs"]
mod qt;
#[path = "clients/x11.rs"]
mod x11;

use std::ffi::OsString;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use tempfile::TempDir;
use vroom_compositor::{Compositor, CompositorConfig, OnExit, ShellStyle};
use vroom_desktop::{
    BYTES_PER_PIXEL, ClipboardData, Desktop as _, DesktopEvent, Evdev, Frame, InputEvent, KeyState,
    Layout, Selection, Size, Wake,
};

#[test]
fn foot_takes_text_byte_for_byte_and_a_resize() {
    let dir = tempfile::tempdir().unwrap();
    let line = dir.path().join("line");
    let script = reader(&line);
    let mut session = Session::start(dir, "foot", "foot", &["foot", "sh", "-c", &script]);
    session.wait_for_picture();
    session.resize(Size::new(800, 600));
    session.wait_for_picture();
    session.type_line(&line, "Grüße, 5 € → 漢字 ~^`{}[]|\\ \"quoted\" $HOME ß@ñ");
    session.screenshot("foot");
    session.closes();
}

#[test]
fn weston_terminal_takes_text_byte_for_byte_and_a_resize() {
    let dir = tempfile::tempdir().unwrap();
    let line = dir.path().join("line");
    let shell = dir.path().join("shell.sh");
    let script = format!("#!/bin/sh\n{}\n", reader(&line));
    write_program(&shell, &script);
    let option = format!("--shell={}", shell.display());
    let command = ["weston-terminal", option.as_str()];
    let mut session = Session::start(dir, "weston-terminal", "weston", &command);
    session.wait_for_picture();
    session.resize(Size::new(800, 600));
    session.wait_for_picture();
    session.type_line(&line, "Hello, weston: {}[]|~ <ok> ÄÖÜ");
    session.screenshot("weston-terminal");
    session.closes();
}

#[test]
fn a_gtk_3_program_takes_text_and_a_resize() {
    let dir = tempfile::tempdir().unwrap();
    let command = ["gtk3-demo", "--run=entry_buffer"];
    let session = Session::start(dir, "gtk3-demo", "gtk-3-examples", &command);
    // It stays when the window of its example is closed.
    types_and_copies(session, "gtk3").end();
}

#[test]
fn a_gtk_4_program_takes_text_and_a_resize() {
    let dir = tempfile::tempdir().unwrap();
    let command = ["gtk4-demo", "--run=entry_undo"];
    let session = Session::start(dir, "gtk4-demo", "gtk-4-examples", &command);
    types_and_copies(session, "gtk4").closes();
}

#[test]
fn the_widget_factories_draw_and_follow_a_resize() {
    for (program, package) in [
        ("gtk3-widget-factory", "gtk-3-examples"),
        ("gtk4-widget-factory", "gtk-4-examples"),
    ] {
        let dir = tempfile::tempdir().unwrap();
        let mut session = Session::start(dir, program, package, &[program]);
        session.wait_for_picture();
        session.resize(Size::new(1440, 900));
        session.wait_for_picture();
        session.screenshot(program);
        session.closes();
    }
}

#[test]
fn chromium_takes_text_and_a_resize() {
    let dir = tempfile::tempdir().unwrap();
    let page = dir.path().join("page.html");
    std::fs::write(&page, PAGE).unwrap();
    let profile = format!("--user-data-dir={}", dir.path().join("profile").display());
    let url = format!("file://{}", page.display());
    let command = [
        "chromium",
        "--ozone-platform=wayland",
        "--disable-gpu",
        "--no-sandbox",
        "--no-first-run",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--password-store=basic",
        &profile,
        &url,
    ];
    let mut session = Session::start(dir, "chromium", "chromium", &command);
    session.wait_for_title("ready");
    session.wait_for_picture();
    session.resize(Size::new(900, 700));
    session.wait_for_picture();
    let before = session.picture();
    session.inject(InputEvent::Text("Grüße → 漢字".into()));
    session.wait_for_title("[Grüße → 漢字]");
    session.wait_for_change(&before);
    session.screenshot("chromium");
    session.closes();
}

#[test]
fn kitty_takes_text_byte_for_byte() {
    let dir = tempfile::tempdir().unwrap();
    let line = dir.path().join("line");
    let script = reader(&line);
    let command = [
        "kitty",
        "--config=NONE",
        "--override=confirm_os_window_close=0",
        "sh",
        "-c",
        &script,
    ];
    let mut session = Session::start(dir, "kitty", "kitty", &command);
    session.wait_for_picture();
    session.resize(Size::new(800, 600));
    session.wait_for_picture();
    session.type_line(&line, "Grüße, 5 € → 漢字 ~^`{}[]|");
    session.screenshot("kitty");
    session.closes();
}

#[test]
fn wtype_types_into_foot() {
    let dir = tempfile::tempdir().unwrap();
    let line = dir.path().join("line");
    let script = reader(&line);
    let mut session = Session::start(dir, "foot", "foot", &["foot", "sh", "-c", &script]);
    session.wait_for_picture();
    session.run("wtype", "wtype", &["Ünï→漢 ok", "-k", "Return"]);
    session.until("the line", |_| line.exists());
    assert_eq!(std::fs::read_to_string(&line).unwrap(), "Ünï→漢 ok");
    session.end();
}

#[test]
fn wl_clipboard_copies_and_pastes_without_a_window() {
    let dir = tempfile::tempdir().unwrap();
    let mut session = Session::start(dir, "foot", "foot", &["foot", "sh", "-c", IDLE]);
    session.wait_for_picture();
    for (option, selection) in [
        (None, Selection::Clipboard),
        (Some("--primary"), Selection::Primary),
    ] {
        let with = |more: &'static str| option.into_iter().chain([more]).collect::<Vec<_>>();
        session.run("wl-copy", "wl-clipboard", &with("von wl-copy → 漢字"));
        let copied = session.event("the copied text", |event| match event {
            DesktopEvent::Selection {
                selection: which,
                data,
            } if *which == selection => data.as_text().map(str::to_owned),
            _ => None,
        });
        assert_eq!(copied, "von wl-copy → 漢字");
        let data = ClipboardData::text("from outside");
        session.compositor.set_selection(selection, vec![data]);
        let pasted = session.run("wl-paste", "wl-clipboard", &with("--no-newline"));
        assert_eq!(String::from_utf8_lossy(&pasted), "from outside");
    }
    session.end();
}

#[test]
fn grim_takes_a_picture_of_all_and_of_a_part() {
    let dir = tempfile::tempdir().unwrap();
    let mut session = Session::start(dir, "foot", "foot", &["foot", "sh", "-c", IDLE]);
    session.wait_for_picture();
    let whole = session.run("grim", "grim", &["-t", "ppm", "-"]);
    let (size, pixels) = ppm(&whole);
    assert_eq!(size, (1024, 768));
    let seen = session.picture();
    let same = pixels
        .chunks_exact(3)
        .zip(seen.chunks_exact(BYTES_PER_PIXEL));
    let different = same.filter(|(ours, seen)| ours[..] != [seen[2], seen[1], seen[0]]);
    // The terminal's cursor may blink between the two.
    assert!(different.count() < 400);
    let part = session.run("grim", "grim", &["-t", "ppm", "-g", "10,20 30x40", "-"]);
    assert_eq!(ppm(&part).0, (30, 40));
    session.end();
}

/// The size and the pixels of a PPM picture.
fn ppm(bytes: &[u8]) -> ((usize, usize), &[u8]) {
    let mut words = bytes.splitn(5, |byte| byte.is_ascii_whitespace());
    assert_eq!(words.next(), Some(&b"P6"[..]));
    let mut number = || {
        let word = std::str::from_utf8(words.next().unwrap()).unwrap();
        word.parse::<usize>().unwrap()
    };
    let (width, height, _) = (number(), number(), number());
    ((width, height), words.next().unwrap())
}

#[test]
fn a_panel_and_a_wallpaper_of_the_distribution_are_shown() {
    let dir = tempfile::tempdir().unwrap();
    let mut session = Session::start(dir, "foot", "foot", &["foot", "sh", "-c", IDLE]);
    session.wait_for_picture();
    let config = session.dir().join("waybar.json");
    let text = r#"{"layer":"top","position":"top","height":30,"modules-center":["custom/x"],
        "custom/x":{"exec":"echo here","interval":"once"}}"#;
    std::fs::write(&config, text).unwrap();
    let style = session.dir().join("style.css");
    std::fs::write(&style, "window#waybar { background: #00ff00; }").unwrap();
    session.spawn("swaybg", "swaybg", &["-c", "#ff00ff"]);
    session.spawn(
        "waybar",
        "waybar",
        &[
            "-c",
            config.to_str().unwrap(),
            "-s",
            style.to_str().unwrap(),
        ],
    );
    session.until("the panel", |session| {
        let frame = session.picture.as_ref().unwrap();
        pixels(frame).next() == Some([0, 255, 0])
    });
    session.screenshot("waybar");
    session.end();
}

#[test]
fn a_desktop_has_windows_a_panel_and_a_launcher() {
    let dir = tempfile::tempdir().unwrap();
    let foot = ["foot", "--title=Terminal", "sh", "-c", IDLE];
    let mut session = Session::with(dir, "foot", "foot", &foot, ShellStyle::Desktop);
    session.resize(Size::new(1280, 800));
    session.wait_for_title("Terminal");
    session.spawn("gtk4-demo", "gtk-4-examples", &["--run=entry_undo"]);
    session.wait_for_title("Undo");
    session.spawn(
        "kitty",
        "kitty",
        &["--config=NONE", "--title=Kitty", "sh", "-c", IDLE],
    );
    session.wait_for_title("Kitty");
    session.inject(InputEvent::PointerMotion { x: 640.0, y: 300.0 });
    session.screenshot("desktop");
    let before = session.picture();
    session.key(KEY_LEFTMETA, KeyState::Pressed);
    session.key(KEY_LEFTMETA, KeyState::Released);
    session.wait_for_change(&before);
    session.screenshot("launcher");
    // What the launcher finds is what is installed: the terminal is.
    session.inject(InputEvent::Text("foot".into()));
    session.screenshot("search");
    session.key(KEY_ENTER, KeyState::Pressed);
    session.key(KEY_ENTER, KeyState::Released);
    session.wait_for_title("foot");
    session.screenshot("started");
    session.end();
}

#[test]
fn swaylock_covers_the_desktop() {
    let dir = tempfile::tempdir().unwrap();
    let mut session = Session::start(dir, "foot", "foot", &["foot", "sh", "-c", IDLE]);
    session.wait_for_picture();
    session.spawn("swaylock", "swaylock", &["-c", "00ff00"]);
    session.until("the lock", |session| {
        let frame = session.picture.as_ref().unwrap();
        pixels(frame).next() == Some([0, 255, 0])
    });
    session.screenshot("swaylock");
    session.end();
}

/// A page whose title says what its text field holds.
const PAGE: &str = "<!doctype html><meta charset=utf-8><title>loading</title>
<body style='background:#fed'><textarea autofocus rows=8 cols=60></textarea><script>
const field = document.querySelector('textarea');
field.oninput = () => document.title = '[' + field.value + ']';
const ready = () => { if (document.hasFocus()) { field.focus(); document.title = 'ready'; }
  else requestAnimationFrame(ready); };
ready();
</script>";

/// A shell command that shows something and stays.
const IDLE: &str = "seq -s ' ' 300; sleep 1000";

/// A shell command that shows a prompt and writes one line into a file.
fn reader(line: &Path) -> String {
    format!(
        "printf 'type: '; IFS= read -r line; printf %s \"$line\" > '{0}.new'; \
         mv '{0}.new' '{0}'; sleep 1000",
        line.display()
    )
}

fn write_program(path: &Path, text: &str) {
    use std::os::unix::fs::OpenOptionsExt as _;
    let mut options = std::fs::OpenOptions::new();
    let file = options.write(true).create_new(true).mode(0o700).open(path);
    file.unwrap().write_all(text.as_bytes()).unwrap();
}

/// Types into the focused field of a program, copies it and reads the clipboard.
fn types_and_copies(mut session: Session, name: &str) -> Session {
    session.wait_for_window();
    session.resize(Size::new(800, 600));
    session.wait_for_window();
    let before = session.picture();
    session.inject(InputEvent::Text("Grüße".into()));
    session.wait_for_change(&before);
    session.chord(KEY_LEFTCTRL, KEY_A);
    session.chord(KEY_LEFTCTRL, KEY_C);
    session.wait_for_copied(Selection::Clipboard, "Grüße");
    session.screenshot(name);
    session
}

/// A desktop with one program on it.
struct Session {
    compositor: Compositor,
    events: Receiver<DesktopEvent>,
    seen: Vec<DesktopEvent>,
    picture: Option<Frame>,
    shadow: Vec<u8>,
    program: &'static str,
    beside: Vec<Child>,
    _dir: TempDir,
}

impl Session {
    fn start(dir: TempDir, program: &'static str, package: &str, command: &[&str]) -> Self {
        Self::with(dir, program, package, command, ShellStyle::Kiosk)
    }

    fn with(
        dir: TempDir,
        program: &'static str,
        package: &str,
        command: &[&str],
        shell: ShellStyle,
    ) -> Self {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let installed = std::env::split_paths(&path).any(|dir| dir.join(program).is_file());
        assert!(
            installed,
            "{program} is not installed; install the package {package}"
        );
        let home = dir.path().join("home");
        std::fs::create_dir(&home).unwrap();
        let variable = |name: &str, value: &Path| (OsString::from(name), value.into());
        let config = CompositorConfig {
            size: Size::new(1024, 768),
            scale: 1.0,
            refresh_hz: 60,
            layout: Layout {
                layout: "de".into(),
                ..Layout::default()
            },
            command: Some(command.iter().map(OsString::from).collect()),
            on_exit: OnExit::Keep,
            x11: true,
            shell,
            autostart: false,
            runtime_dir: runtime_dir(dir.path()),
            env: vec![
                variable("HOME", &home),
                variable("XDG_CONFIG_HOME", &home),
                variable("XDG_CACHE_HOME", &home),
                variable("XDG_DATA_HOME", &home),
                variable("LANG", Path::new("C.UTF-8")),
                variable("GDK_BACKEND", Path::new("wayland")),
                variable("GSETTINGS_BACKEND", Path::new("memory")),
                variable(
                    "DBUS_SESSION_BUS_ADDRESS",
                    Path::new("unix:path=/nonexistent"),
                ),
            ],
        };
        let (sender, events) = channel();
        let sink = Arc::new(move |event| drop(sender.send(event)));
        let compositor = Compositor::start(config, sink).unwrap();
        compositor.set_watched(true);
        Self {
            compositor,
            events,
            seen: Vec::new(),
            picture: None,
            shadow: Vec::new(),
            program,
            beside: Vec::new(),
            _dir: dir,
        }
    }

    /// The folder of this session.
    fn dir(&self) -> &Path {
        self._dir.path()
    }

    fn command(&self, program: &str, package: &str, arguments: &[&str]) -> Command {
        let path = std::env::var_os("PATH").unwrap_or_default();
        let installed = std::env::split_paths(&path).any(|dir| dir.join(program).is_file());
        assert!(
            installed,
            "{program} is not installed; install the package {package}"
        );
        let mut command = Command::new(program);
        command
            .args(arguments)
            .env("XDG_RUNTIME_DIR", self.dir().join("run"))
            .env("WAYLAND_DISPLAY", self.compositor.socket_name())
            .env("LANG", "C.UTF-8")
            .env("DISPLAY", self.compositor.x11_display().unwrap())
            .stdin(Stdio::null())
            .stderr(Stdio::null());
        command
    }

    /// Runs a program beside the first one, to its end, and returns what it wrote.
    fn run(&mut self, program: &str, package: &str, arguments: &[&str]) -> Vec<u8> {
        let out = self.dir().join("out");
        let file = std::fs::File::create(&out).unwrap();
        let mut command = self.command(program, package, arguments);
        let mut child = command.stdout(file).spawn().unwrap();
        let mut status = None;
        self.until(program, |_| {
            status = child.try_wait().unwrap();
            status.is_some()
        });
        assert!(status.unwrap().success(), "{program} {arguments:?}");
        std::fs::read(&out).unwrap()
    }

    /// Starts a program beside the first one; it is ended with the session.
    fn spawn(&mut self, program: &str, package: &str, arguments: &[&str]) {
        let mut command = self.command(program, package, arguments);
        let child = command.stdout(Stdio::null()).spawn().unwrap();
        self.beside.push(child);
    }

    /// Ends the desktop, which must not take long whatever its program does.
    fn end(mut self) {
        for child in &mut self.beside {
            child.kill().unwrap();
            child.wait().unwrap();
        }
        let before = Instant::now();
        self.compositor.shut_down();
        let took = before.elapsed();
        assert!(took < Duration::from_secs(2), "{took:?}");
    }

    /// Asks the program to close its only window and waits for its end.
    fn closes(self) {
        self.chord(KEY_LEFTALT, KEY_F4);
        self.wait_for_end();
        self.end();
    }

    /// Waits until the program has ended.
    fn wait_for_end(&self) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.events.recv_timeout(left) {
                Ok(DesktopEvent::SessionEnded { .. }) => break,
                Ok(_) => {}
                Err(_) => panic!("{} does not end", self.program),
            }
        }
    }

    fn inject(&self, event: InputEvent) {
        self.compositor.inject(event);
    }

    fn key(&self, code: u16, state: KeyState) {
        let code = Evdev(code);
        self.inject(InputEvent::Key { code, state });
    }

    /// Presses a key while another is held.
    fn chord(&self, held: u16, code: u16) {
        self.key(held, KeyState::Pressed);
        self.key(code, KeyState::Pressed);
        self.key(code, KeyState::Released);
        self.key(held, KeyState::Released);
    }

    /// Types a line and waits for the program to have written what it read.
    fn type_line(&mut self, file: &Path, line: &str) {
        self.inject(InputEvent::Text(format!("{line}\n")));
        self.until("the line", |_| file.exists());
        let read = std::fs::read(file).unwrap();
        assert_eq!(String::from_utf8_lossy(&read), line);
    }

    fn resize(&mut self, size: Size) {
        self.compositor.resize(size, 1.0);
        self.until("the new size", |session| {
            session.picture.as_ref().map(Frame::size) == Some(size)
        });
    }

    /// Waits until the program has drawn something, up to the far corner of the output.
    fn wait_for_picture(&mut self) {
        self.until("a picture", |session| {
            let frame = session.picture.as_ref();
            frame
                .is_some_and(|frame| pixels(frame).last() != Some(BACKGROUND) && has_content(frame))
        });
    }

    /// Waits until the program shows a window of its own size.
    fn wait_for_window(&mut self) {
        self.until("a window", |session| {
            session.picture.as_ref().is_some_and(has_content)
        });
    }

    fn wait_for_change(&mut self, before: &[u8]) {
        self.until("the picture to change", |session| {
            session.picture() != before
        });
    }

    fn wait_for_title(&mut self, part: &str) {
        self.event(part, |event| match event {
            DesktopEvent::Title(Some(title)) => title.contains(part).then_some(()),
            _ => None,
        });
    }

    /// Waits until a program has copied a text.
    fn wait_for_copied(&mut self, selection: Selection, text: &str) {
        self.event(text, |event| match event {
            DesktopEvent::Selection {
                selection: which,
                data,
            } if *which == selection => (data.as_text() == Some(text)).then_some(()),
            _ => None,
        });
    }

    fn picture(&self) -> Vec<u8> {
        let frame = self.picture.as_ref().unwrap();
        frame.pixels.bytes().to_vec()
    }

    fn event<T>(&mut self, what: &str, find: impl Fn(&DesktopEvent) -> Option<T>) -> T {
        let mut found = None;
        self.until(what, |session| {
            while found.is_none() && !session.seen.is_empty() {
                found = find(&session.seen.remove(0));
            }
            found.is_some()
        });
        found.unwrap()
    }

    /// Takes frames and events until a condition holds.
    fn until(&mut self, what: &str, mut holds: impl FnMut(&mut Self) -> bool) {
        let deadline = Instant::now() + PATIENCE;
        loop {
            self.seen.extend(self.events.try_iter());
            for event in &self.seen {
                if let DesktopEvent::SessionEnded { reason, .. } = event {
                    panic!("{reason} while waiting for {what}");
                }
            }
            if holds(self) {
                return;
            }
            if Instant::now() >= deadline {
                self.screenshot("failed");
                panic!("{}: waited in vain for {what}", self.program);
            }
            let soon = Instant::now() + LOOK;
            if let Wake::Frame(frame) = self.compositor.frames().wait(Some(soon)) {
                self.check_damage(&frame);
                self.picture = Some(frame);
            }
        }
    }

    /// Checks that a picture rebuilt from damage alone is the frame.
    fn check_damage(&mut self, frame: &Frame) {
        let bytes = frame.pixels.bytes();
        let stride = frame.pixels.stride();
        if self.shadow.len() != bytes.len() {
            self.shadow = vec![0; bytes.len()];
        }
        for rect in frame.damage.rects() {
            for y in rect.y..rect.bottom() {
                let start = y as usize * stride + rect.x as usize * BYTES_PER_PIXEL;
                let end = start + rect.width as usize * BYTES_PER_PIXEL;
                self.shadow[start..end].copy_from_slice(&bytes[start..end]);
            }
        }
        assert!(self.shadow == bytes, "damage does not say all that changed");
    }

    fn screenshot(&mut self, name: &str) {
        let Some(dir) = std::env::var_os("VROOM_SCREENSHOTS") else {
            return;
        };
        let soon = Some(Instant::now() + Duration::from_millis(300));
        while let Wake::Frame(frame) = self.compositor.frames().wait(soon) {
            self.check_damage(&frame);
            self.picture = Some(frame);
        }
        let Some(frame) = &self.picture else { return };
        let size = frame.size();
        let mut ppm = format!("P6 {} {} 255\n", size.width, size.height).into_bytes();
        for pixel in frame.pixels.bytes().chunks_exact(BYTES_PER_PIXEL) {
            ppm.extend([pixel[2], pixel[1], pixel[0]]);
        }
        let file = PathBuf::from(dir).join(format!("{}-{name}.ppm", self.program));
        std::fs::write(file, ppm).unwrap();
    }
}

/// The pixels of a frame, as B, G, R.
fn pixels(frame: &Frame) -> impl Iterator<Item = [u8; 3]> {
    let pixels = frame.pixels.bytes().chunks_exact(BYTES_PER_PIXEL);
    pixels.map(|pixel| [pixel[0], pixel[1], pixel[2]])
}

/// Whether more than a few pixels show something else than the background and the colour that is
/// in the middle.
fn has_content(frame: &Frame) -> bool {
    let count = frame.size().width as usize * frame.size().height as usize;
    let middle = pixels(frame).nth(count / 2);
    let content = pixels(frame).filter(|pixel| *pixel != BACKGROUND && Some(*pixel) != middle);
    content.count() > 200
}

/// The runtime directory of a session, which only this user may enter.
fn runtime_dir(dir: &Path) -> PathBuf {
    use std::os::unix::fs::DirBuilderExt as _;
    let path = dir.join("run");
    std::fs::DirBuilder::new()
        .mode(0o700)
        .create(&path)
        .unwrap();
    path
}

const BTN_LEFT: u16 = 0x110;
const KEY_LEFTCTRL: u16 = 29;
const KEY_LEFTALT: u16 = 56;
const KEY_F4: u16 = 62;
const KEY_A: u16 = 30;
const KEY_C: u16 = 46;

/// What the compositor shows where no window is, as B, G, R.
const KEY_ENTER: u16 = 28;
const KEY_LEFTMETA: u16 = 125;

const BACKGROUND: [u8; 3] = [0x1e, 0x19, 0x17];

/// How long a program may take for anything; a loaded machine starts a browser slowly.
const PATIENCE: Duration = Duration::from_secs(60);

/// How often to look at conditions that come with neither a frame nor an event.
const LOOK: Duration = Duration::from_millis(20);
