//! Real programs: each starts, draws, takes typed text and survives a resize.
//!
//! They are what people run, so a missing one is a failure, not a reason to skip. With
//! `VROOM_SCREENSHOTS` naming a directory, what was seen last is written there as PPM pictures.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test ends when something is not as it should be"
)]

use std::ffi::OsString;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use tempfile::TempDir;
use vroom_compositor::{Compositor, CompositorConfig, OnExit};
use vroom_desktop::{
    BYTES_PER_PIXEL, Desktop as _, DesktopEvent, Evdev, Frame, InputEvent, KeyState, Layout,
    Selection, Size, Wake,
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
    session.end();
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
    session.end();
}

#[test]
fn a_gtk_3_program_takes_text_and_a_resize() {
    let dir = tempfile::tempdir().unwrap();
    let command = ["gtk3-demo", "--run=entry_buffer"];
    let session = Session::start(dir, "gtk3-demo", "gtk-3-examples", &command);
    types_and_copies(session, "gtk3");
}

#[test]
fn a_gtk_4_program_takes_text_and_a_resize() {
    let dir = tempfile::tempdir().unwrap();
    let command = ["gtk4-demo", "--run=entry_undo"];
    let session = Session::start(dir, "gtk4-demo", "gtk-4-examples", &command);
    types_and_copies(session, "gtk4");
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
        session.end();
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
fn types_and_copies(mut session: Session, name: &str) {
    session.wait_for_window();
    session.resize(Size::new(800, 600));
    session.wait_for_window();
    let before = session.picture();
    session.inject(InputEvent::Text("Grüße".into()));
    session.wait_for_change(&before);
    session.chord(KEY_A);
    session.chord(KEY_C);
    let copied = session.event("the copied text", |event| match event {
        DesktopEvent::Selection { selection, data } if *selection == Selection::Clipboard => {
            data.as_text().map(str::to_owned)
        }
        _ => None,
    });
    assert_eq!(copied, "Grüße");
    session.screenshot(name);
    session.end();
}

/// A desktop with one program on it.
struct Session {
    compositor: Compositor,
    events: Receiver<DesktopEvent>,
    seen: Vec<DesktopEvent>,
    picture: Option<Frame>,
    shadow: Vec<u8>,
    program: &'static str,
    _dir: TempDir,
}

impl Session {
    fn start(dir: TempDir, program: &'static str, package: &str, command: &[&str]) -> Self {
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
            _dir: dir,
        }
    }

    /// Ends the desktop, which must not take long whatever its program does.
    fn end(self) {
        let before = Instant::now();
        self.compositor.shut_down();
        let took = before.elapsed();
        assert!(took < Duration::from_secs(2), "{took:?}");
    }

    fn inject(&self, event: InputEvent) {
        self.compositor.inject(event);
    }

    fn key(&self, code: u16, state: KeyState) {
        let code = Evdev(code);
        self.inject(InputEvent::Key { code, state });
    }

    /// Presses a key with Control.
    fn chord(&self, code: u16) {
        self.key(KEY_LEFTCTRL, KeyState::Pressed);
        self.key(code, KeyState::Pressed);
        self.key(code, KeyState::Released);
        self.key(KEY_LEFTCTRL, KeyState::Released);
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

const KEY_LEFTCTRL: u16 = 29;
const KEY_A: u16 = 30;
const KEY_C: u16 = 46;

/// What the compositor shows where no window is, as B, G, R.
const BACKGROUND: [u8; 3] = [0x1e, 0x19, 0x17];

/// How long a program may take for anything; a loaded machine starts a browser slowly.
const PATIENCE: Duration = Duration::from_secs(60);

/// How often to look at conditions that come with neither a frame nor an event.
const LOOK: Duration = Duration::from_millis(20);
