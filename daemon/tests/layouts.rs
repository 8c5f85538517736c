//! Ten keyboards at home, the same ten on the desktop: what is typed into a browser is what a
//! terminal reads, byte for byte, dead keys included.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test ends when something is not as it should be"
)]

#[path = "../../input/tests/support/mod.rs"]
mod support;

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::time::{Duration, Instant};

use support::{Browser, Style, layout, typing_keys};
use tempfile::TempDir;
use vroom_compositor::{Compositor, CompositorConfig, OnExit, ShellStyle};
use vroom_desktop::{Desktop as _, DesktopEvent, Size};
use xkbcommon::xkb::{self, compose};

/// A terminal on a desktop with a keyboard layout, which writes down all that it reads.
struct Terminal {
    compositor: Compositor,
    events: Receiver<DesktopEvent>,
    file: PathBuf,
    expected: String,
    _dir: TempDir,
}

impl Terminal {
    fn start(name: &str) -> Self {
        use std::os::unix::fs::DirBuilderExt as _;
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("read");
        let runtime_dir = dir.path().join("run");
        let mut builder = std::fs::DirBuilder::new();
        builder.mode(0o700).create(&runtime_dir).unwrap();
        let script = format!(
            "stty raw -echo; printf '\\033]2;ready\\007'; exec cat > '{}'",
            file.display()
        );
        let command = ["foot", "--log-level=error", "sh", "-c", &script];
        let config = CompositorConfig {
            size: Size::new(640, 480),
            scale: 1.0,
            refresh_hz: 60,
            layout: layout(name),
            command: Some(command.iter().map(Into::into).collect()),
            on_exit: OnExit::Keep,
            x11: false,
            shell: ShellStyle::Kiosk,
            runtime_dir,
            env: vec![("LANG".into(), "C.UTF-8".into())],
        };
        let (sender, events) = channel();
        let sink = Arc::new(move |event| drop(sender.send(event)));
        let compositor = Compositor::start(config, sink).unwrap();
        compositor.set_watched(true);
        let mut terminal = Self {
            compositor,
            events,
            file,
            expected: String::new(),
            _dir: dir,
        };
        terminal.until("the terminal (package foot)", |terminal| {
            terminal.events.try_iter().any(|event| match event {
                DesktopEvent::Title(Some(title)) => title == "ready",
                DesktopEvent::SessionEnded { reason, .. } => panic!("{reason}"),
                _ => false,
            })
        });
        terminal
    }

    /// Passes on what the browser sent, which has to be read as `text`.
    fn types(&mut self, browser: &mut Browser, text: &str) {
        for event in browser.take() {
            self.compositor.inject(event);
        }
        self.expected.push_str(text);
        // A person types no faster than a terminal reads.
        if self.expected.chars().count().is_multiple_of(16) {
            self.check();
        }
    }

    fn read(&self) -> String {
        let bytes = std::fs::read(&self.file).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    fn check(&mut self) {
        self.until("what was typed", |terminal| {
            let read = terminal.read();
            let common = read
                .chars()
                .zip(terminal.expected.chars())
                .take_while(|(read, typed)| read == typed)
                .count();
            let differs = common < read.chars().count().min(terminal.expected.chars().count());
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
            read == terminal.expected
        });
    }

    fn until(&mut self, what: &str, mut holds: impl FnMut(&mut Self) -> bool) {
        let deadline = Instant::now() + PATIENCE;
        while !holds(self) {
            assert!(
                Instant::now() < deadline,
                "waited in vain for {what}: read {:?}, typed {:?}",
                self.read(),
                self.expected
            );
            std::thread::sleep(LOOK);
        }
    }
}

/// Types all that a layout has, and returns how much that was.
fn all_arrives(name: &str, style: Style) -> usize {
    let mut terminal = Terminal::start(name);
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
            terminal.types(&mut browser, &meant.to_string());
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
            terminal.types(&mut browser, &composed);
        }
    }
    terminal.check();
    assert!(browser.translator.is_idle(), "nothing stays held");
    terminal.compositor.shut_down();
    terminal.expected.chars().count()
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

macro_rules! layouts {
    ($($test:ident: $name:literal, $style:ident, at least $count:literal;)*) => {
        $(
            #[test]
            fn $test() {
                let count = all_arrives($name, Style::$style);
                assert!(count >= $count, "only {count} characters");
            }
        )*
    };
}

layouts! {
    us_arrives_in_a_terminal: "us", Linux, at least 95;
    us_international_arrives_in_a_terminal: "us(intl)", Linux, at least 150;
    german_arrives_in_a_terminal: "de", Linux, at least 150;
    german_from_windows_arrives_in_a_terminal: "de", Windows, at least 150;
    french_arrives_in_a_terminal: "fr", Linux, at least 150;
    spanish_arrives_in_a_terminal: "es", Linux, at least 130;
    portuguese_arrives_in_a_terminal: "pt", Linux, at least 130;
    russian_arrives_in_a_terminal: "ru", Linux, at least 90;
    hebrew_arrives_in_a_terminal: "il", Linux, at least 90;
    japanese_arrives_in_a_terminal: "jp", Linux, at least 90;
    swiss_german_arrives_in_a_terminal: "ch(de)", Linux, at least 130;
}

/// How long a terminal may take on a loaded machine.
const PATIENCE: Duration = Duration::from_secs(60);

/// How often to look at the file.
const LOOK: Duration = Duration::from_millis(4);
