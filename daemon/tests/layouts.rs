//! Ten keyboards at home, the same ten on the desktop: what is typed into a browser is what a
//! terminal reads and what stands in the text fields of GTK 4 and Chromium, byte for byte, dead keys
//! included.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test ends when something is not as it should be"
)]

#[path = "../../input/tests/support/mod.rs"]
mod support;

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use support::{Browser, Style, layout, typing_keys};
use tempfile::TempDir;
use vroom_compositor::{Compositor, CompositorConfig, OnExit, ShellStyle};
use vroom_desktop::{Desktop as _, DesktopEvent, InputEvent, Size};
use xkbcommon::xkb::{self, compose};

/// What is typed into.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Target {
    /// A terminal, whose program writes down all that it reads.
    Terminal,
    /// A text field of GTK 4.
    Gtk,
    /// A text field of a page.
    Chromium,
}

/// A program on a desktop with a keyboard layout.
struct Program {
    compositor: Compositor,
    events: Receiver<DesktopEvent>,
    file: PathBuf,
    expected: String,
    _dir: TempDir,
}

impl Program {
    fn start(name: &str, into: Target) -> Self {
        use std::os::unix::fs::DirBuilderExt as _;
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("read");
        let runtime_dir = dir.path().join("run");
        let mut builder = std::fs::DirBuilder::new();
        builder.mode(0o700).create(&runtime_dir).unwrap();
        let home = dir.path().as_os_str();
        let variables = ["HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME"];
        let variables = variables.map(|name| (name.into(), home.to_owned()));
        let others = [
            ("LANG", "C.UTF-8"),
            ("GDK_BACKEND", "wayland"),
            ("GSETTINGS_BACKEND", "memory"),
            ("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nonexistent"),
        ];
        let others = others.map(|(name, value)| (name.into(), value.into()));
        let command = command(into, dir.path(), &file);
        let config = CompositorConfig {
            size: Size::new(640, 480),
            scale: 1.0,
            refresh_hz: 60,
            layout: layout(name),
            command: Some(command.into_iter().map(std::ffi::OsString::from).collect()),
            on_exit: OnExit::Keep,
            x11: false,
            shell: ShellStyle::Kiosk,
            autostart: false,
            runtime_dir,
            env: variables.into_iter().chain(others).collect(),
        };
        let (sender, events) = channel();
        let sink = Arc::new(move |event| drop(sender.send(event)));
        let compositor = Compositor::start(config, sink).unwrap();
        compositor.set_watched(true);
        let mut program = Self {
            compositor,
            events,
            file,
            expected: String::new(),
            _dir: dir,
        };
        program.until(
            "the program (packages foot, python3-gi, gir1.2-gtk-4.0, chromium)",
            |program| {
                program.events.try_iter().any(|event| match event {
                    DesktopEvent::Title(Some(title)) => title.contains(READY),
                    DesktopEvent::SessionEnded { reason, .. } => panic!("{reason}"),
                    _ => false,
                })
            },
        );
        program
    }

    /// Passes on what the browser sent, which has to be read as `text`.
    fn types(&mut self, browser: &mut Browser, text: &str) {
        for event in browser.take() {
            self.compositor.inject(event);
        }
        self.expected.push_str(text);
        // A person types no faster than a program reads.
        if self.expected.chars().count().is_multiple_of(16) {
            self.check();
        }
    }

    /// What has arrived so far.
    fn read(&self) -> String {
        let bytes = std::fs::read(&self.file).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    fn check(&mut self) {
        self.until("what was typed", |program| {
            let read = program.read();
            let common = read
                .chars()
                .zip(program.expected.chars())
                .take_while(|(read, typed)| read == typed)
                .count();
            let differs = common < read.chars().count().min(program.expected.chars().count());
            assert!(
                !differs,
                "after {common} characters: read {:?}, typed {:?}",
                read.chars().skip(common).take(8).collect::<String>(),
                program
                    .expected
                    .chars()
                    .skip(common)
                    .take(8)
                    .collect::<String>(),
            );
            read == program.expected
        });
    }

    fn until(&mut self, what: &str, mut holds: impl FnMut(&mut Self) -> bool) {
        let deadline = Instant::now() + PATIENCE;
        while !holds(self) {
            if Instant::now() >= deadline {
                let read = self.read();
                panic!(
                    "waited in vain for {what}: read {read:?}, typed {:?}",
                    self.expected
                );
            }
            std::thread::sleep(LOOK);
        }
    }
}

/// Types all that a layout has, and returns how much that was.
fn all_arrives(name: &str, style: Style, into: Target) -> usize {
    let mut program = Program::start(name, into);
    let mut browser = Browser::new(name, &layout(name), style);
    let mut dead = Vec::new();
    let levels = [(false, false), (true, false), (false, true), (true, true)];
    for evdev in typing_keys() {
        for (shift, altgr) in levels {
            if altgr && !browser.has_altgr() {
                continue;
            }
            let symbol = browser.symbol(evdev, shift, altgr);
            if symbol.name().is_some_and(|name| name.starts_with("dead_")) {
                dead.push((evdev, shift, altgr, symbol));
                continue;
            }
            let meant = char::from_u32(xkb::keysym_to_utf32(symbol));
            let Some(meant) = meant.filter(|meant| !meant.is_control()) else {
                continue;
            };
            browser.strike(evdev, shift, altgr);
            program.types(&mut browser, &meant.to_string());
        }
    }
    for (evdev, shift, altgr, symbol) in dead {
        for base in BASES {
            let base_symbol = browser.symbol(base, false, false);
            let Some(composed) = composed(symbol, base_symbol) else {
                continue;
            };
            browser.strike(evdev, shift, altgr);
            browser.strike(base, false, false);
            program.types(&mut browser, &composed);
        }
    }
    program.check();
    assert!(browser.translator.is_idle(), "nothing stays held");
    program.compositor.shut_down();
    program.expected.chars().count()
}

/// What a dead key and a letter make, by the table that programs use.
fn composed(dead: xkb::Keysym, base: xkb::Keysym) -> Option<String> {
    let context = xkb::Context::new(xkb::CONTEXT_NO_FLAGS);
    let locale = std::ffi::OsStr::new("C.UTF-8");
    let table = compose::Table::new_from_locale(&context, locale, compose::COMPILE_NO_FLAGS);
    let mut state = compose::State::new(&table.unwrap(), compose::STATE_NO_FLAGS);
    state.feed(dead);
    state.feed(base);
    (state.status() == compose::Status::Composed)
        .then(|| state.utf8())
        .flatten()
}

const KEY_A: u16 = 30;

/// The keys A, E, I, O, U, N, C and the space bar.
const BASES: [u16; 8] = [30, 18, 23, 24, 22, 49, 46, 57];

/// The program that is typed into. It says by its title when it takes keys.
fn command(into: Target, dir: &Path, file: &Path) -> Vec<String> {
    let owned = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
    match into {
        Target::Terminal => {
            let script = format!(
                "stty raw -echo; printf '\\033]2;{READY}\\007'; exec cat > '{}'",
                file.display()
            );
            owned(&["foot", "--log-level=error", "sh", "-c", &script])
        }
        Target::Gtk => {
            let script = dir.join("entry.py");
            std::fs::write(&script, ENTRY).unwrap();
            let (script, file) = (script.display(), file.display());
            // The one of the distribution has its bindings, whatever else is on the path.
            owned(&["/usr/bin/python3", &script.to_string(), &file.to_string()])
        }
        Target::Chromium => {
            let page = PAGE.replace("PORT", &takes_posts(file.to_owned()).to_string());
            let path = dir.join("page.html");
            std::fs::write(&path, page).unwrap();
            let profile = format!("--user-data-dir={}", dir.join("profile").display());
            let url = format!("file://{}", path.display());
            owned(&[
                "chromium",
                "--ozone-platform=wayland",
                "--enable-wayland-ime",
                "--wayland-text-input-version=3",
                "--disable-gpu",
                "--no-sandbox",
                "--no-first-run",
                "--disable-background-networking",
                "--disable-component-update",
                "--disable-sync",
                "--password-store=basic",
                &profile,
                &url,
            ])
        }
    }
}

/// Takes what a page posts and keeps the last of it in a file; the port to post to.
fn takes_posts(file: PathBuf) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        // The browser ends with the test, and this thread with the process.
        for stream in listener.incoming().flatten() {
            if let Some(body) = posted(stream) {
                let new = file.with_extension("new");
                std::fs::write(&new, body).unwrap();
                std::fs::rename(new, &file).unwrap();
            }
        }
    });
    port
}

/// The body of one request, which is answered.
fn posted(stream: TcpStream) -> Option<Vec<u8>> {
    let mut lines = BufReader::new(stream);
    let mut length = 0;
    loop {
        let mut line = String::new();
        lines.read_line(&mut line).ok()?;
        let Some((name, value)) = line.trim_end().split_once(':') else {
            if line.trim_end().is_empty() {
                break;
            }
            continue;
        };
        if name.eq_ignore_ascii_case("content-length") {
            length = value.trim().parse().ok()?;
        }
    }
    let mut body = vec![0; length];
    lines.read_exact(&mut body).ok()?;
    let answer = b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n";
    lines.get_mut().write_all(answer).ok()?;
    Some(body)
}

/// A window that is one text field and writes down what stands in it.
const ENTRY: &str = "import os, sys, gi
gi.require_version('Gtk', '4.0')
from gi.repository import Gtk
def write(entry):
    with open(sys.argv[1] + '.new', 'w', encoding='utf-8', newline='') as file:
        file.write(entry.get_text())
    os.replace(sys.argv[1] + '.new', sys.argv[1])
def composing(_, preedit):
    with open(sys.argv[1] + '.new', 'w', encoding='utf-8') as file:
        file.write(preedit)
    os.replace(sys.argv[1] + '.new', sys.argv[1] + '.preedit')
def activate(app):
    window = Gtk.ApplicationWindow(application=app, title='loading')
    entry = Gtk.Entry()
    entry.connect('changed', write)
    entry.get_delegate().connect('preedit-changed', composing)
    window.set_child(entry)
    def active(*_):
        if window.is_active():
            entry.grab_focus()
            window.set_title('ready')
    window.connect('notify::is-active', active)
    window.present()
app = Gtk.Application()
app.connect('activate', activate)
app.run([])
";

/// A page that is one text field and posts what stands in it, one post after the other.
const PAGE: &str = "<!doctype html><meta charset=utf-8><title>loading</title>
<input autofocus size=60><script>
const field = document.querySelector('input');
let posting = false, posted = '';
const post = async () => {
  if (posting) return;
  posting = true;
  while (posted !== field.value) {
    posted = field.value;
    await fetch('http://127.0.0.1:PORT/', { method: 'POST', mode: 'no-cors', body: posted });
  }
  posting = false;
};
field.oninput = post;
const ready = () => { if (document.hasFocus()) { field.focus(); document.title = 'ready'; }
  else requestAnimationFrame(ready); };
ready();
</script>";

/// The title of a program that takes keys.
const READY: &str = "ready";

/// What input methods commit goes to all of them, on a layout that has none of it.
#[test]
fn what_is_composed_at_home_arrives_whole() {
    for into in [Target::Terminal, Target::Gtk, Target::Chromium] {
        let mut program = Program::start("us", into);
        // Somebody who composes has found the field first, and seen that it takes keys.
        let mut browser = Browser::new("us", &layout("us"), Style::Linux);
        browser.strike(KEY_A, false, false);
        program.types(&mut browser, "a");
        program.check();
        for text in ["日本語", "한국어", "😀", "👩‍👩‍👧", "e\u{301}"] {
            program.compositor.inject(InputEvent::Text(text.into()));
            program.expected.push_str(text);
            program.check();
        }
        program.compositor.shut_down();
    }
}

/// What is being composed is seen in the program, and its text takes its place.
#[test]
fn what_is_being_composed_is_shown_in_a_field_of_gtk_4() {
    let mut program = Program::start("us", Target::Gtk);
    let mut browser = Browser::new("us", &layout("us"), Style::Linux);
    browser.strike(KEY_A, false, false);
    program.types(&mut browser, "a");
    program.check();
    let shown = program.file.with_extension("preedit");
    let composes = |program: &mut Program, wanted: &str, caret| {
        let text = wanted.to_owned();
        program
            .compositor
            .inject(InputEvent::Preedit { text, caret });
        program.until(wanted, |_| {
            std::fs::read_to_string(&shown).is_ok_and(|shown| shown == wanted)
        });
    };
    composes(&mut program, "に", Some((3, 3)));
    composes(&mut program, "にほん", Some((3, 6)));
    program.check();
    let committed = InputEvent::Text("日本".into());
    program.compositor.inject(committed);
    program.expected.push_str("日本");
    program.check();
    program.until("nothing composed", |_| {
        std::fs::read_to_string(&shown).is_ok_and(|shown| shown.is_empty())
    });
    composes(&mut program, "x", Some((1, 1)));
    composes(&mut program, "", None);
    program.check();
    program.compositor.shut_down();
}

macro_rules! layouts {
    ($($module:ident: $name:literal, $style:ident, at least $count:literal;)*) => {
        $(
            mod $module {
                use super::*;

                #[test]
                fn arrives_in_a_terminal() {
                    arrives(Target::Terminal);
                }

                #[test]
                fn arrives_in_a_field_of_gtk_4() {
                    arrives(Target::Gtk);
                }

                #[test]
                fn arrives_in_a_field_of_chromium() {
                    arrives(Target::Chromium);
                }

                fn arrives(into: Target) {
                    let count = all_arrives($name, Style::$style, into);
                    assert!(count >= $count, "only {count} characters");
                }
            }
        )*
    };
}

layouts! {
    us: "us", Linux, at least 95;
    us_international: "us(intl)", Linux, at least 150;
    german: "de", Linux, at least 150;
    german_from_windows: "de", Windows, at least 150;
    french: "fr", Linux, at least 150;
    spanish: "es", Linux, at least 130;
    portuguese: "pt", Linux, at least 130;
    russian: "ru", Linux, at least 90;
    hebrew: "il", Linux, at least 90;
    japanese: "jp", Linux, at least 90;
    swiss_german: "ch(de)", Linux, at least 130;
}

/// How long a program may take on a loaded machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// How often to look at the file.
const LOOK: Duration = Duration::from_millis(4);
