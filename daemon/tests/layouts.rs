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

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use support::{Browser, Style, layout, typing_keys};
use tempfile::TempDir;
use vroom_compositor::{Compositor, CompositorConfig, OnExit, ShellStyle};
use vroom_desktop::{Desktop as _, DesktopEvent, Evdev, InputEvent, KeyState, Selection, Size};
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
    into: Target,
    file: PathBuf,
    /// What the text field was seen to hold.
    copied: String,
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
        let (command, ready) = command(into, dir.path(), &file);
        let config = CompositorConfig {
            size: Size::new(640, 480),
            scale: 1.0,
            refresh_hz: 60,
            layout: layout(name),
            command: Some(command.into_iter().map(std::ffi::OsString::from).collect()),
            on_exit: OnExit::Keep,
            x11: false,
            shell: ShellStyle::Kiosk,
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
            into,
            file,
            copied: String::new(),
            expected: String::new(),
            _dir: dir,
        };
        program.until(
            "the program (packages foot, gtk-4-examples, chromium)",
            |program| {
                program.events.try_iter().any(|event| match event {
                    DesktopEvent::Title(Some(title)) => title.contains(ready),
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
    fn read(&mut self) -> String {
        if self.into == Target::Terminal {
            let bytes = std::fs::read(&self.file).unwrap_or_default();
            return String::from_utf8_lossy(&bytes).into_owned();
        }
        for event in self.events.try_iter() {
            if let DesktopEvent::Selection { selection, data } = event
                && selection == Selection::Clipboard
            {
                self.copied = data.as_text().unwrap_or_default().to_owned();
            }
        }
        self.copied.clone()
    }

    /// Lets a text field copy all that it holds.
    fn copy(&self) {
        let key = |code, state| {
            let code = Evdev(code);
            self.compositor.inject(InputEvent::Key { code, state });
        };
        // Keys that are the same on every layout.
        for (modifier, code) in [(KEY_LEFTSHIFT, KEY_HOME), (KEY_LEFTCTRL, KEY_INSERT)] {
            key(modifier, KeyState::Pressed);
            key(code, KeyState::Pressed);
            key(code, KeyState::Released);
            key(modifier, KeyState::Released);
        }
        key(KEY_END, KeyState::Pressed);
        key(KEY_END, KeyState::Released);
    }

    fn check(&mut self) {
        if self.into != Target::Terminal {
            self.copy();
        }
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
                terminal
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

/// The keys A, E, I, O, U, N, C and the space bar.
const BASES: [u16; 8] = [30, 18, 23, 24, 22, 49, 46, 57];

/// The program that is typed into, and what its title says when it takes keys.
fn command(into: Target, dir: &Path, file: &Path) -> (Vec<String>, &'static str) {
    let owned = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
    match into {
        Target::Terminal => {
            let script = format!(
                "stty raw -echo; printf '\\033]2;ready\\007'; exec cat > '{}'",
                file.display()
            );
            let command = owned(&["foot", "--log-level=error", "sh", "-c", &script]);
            (command, "ready")
        }
        Target::Gtk => (owned(&["gtk4-demo", "--run=entry_undo"]), "Undo"),
        Target::Chromium => {
            let page = dir.join("page.html");
            std::fs::write(&page, PAGE).unwrap();
            let profile = format!("--user-data-dir={}", dir.join("profile").display());
            let url = format!("file://{}", page.display());
            let command = owned(&[
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
            ]);
            (command, "ready")
        }
    }
}

/// A page that is one text field, and says when that has the focus.
const PAGE: &str = "<!doctype html><meta charset=utf-8><title>loading</title>
<input autofocus size=60><script>
const field = document.querySelector('input');
const ready = () => { if (document.hasFocus()) { field.focus(); document.title = 'ready'; }
  else requestAnimationFrame(ready); };
ready();
</script>";

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

const KEY_LEFTCTRL: u16 = 29;
const KEY_LEFTSHIFT: u16 = 42;
const KEY_HOME: u16 = 102;
const KEY_END: u16 = 107;
const KEY_INSERT: u16 = 110;

/// How long a program may take on a loaded machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// How often to look at the file.
const LOOK: Duration = Duration::from_millis(4);
