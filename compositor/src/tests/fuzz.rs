//! Programs that send requests at random, for as long as one likes, beside one that only draws.
//!
//! The short run is part of every test run. The long one sends a million requests:
//! `make fuzz-desktop`. A failure prints the seed of its case; `VROOM_FUZZ_SEED` runs it again.

use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use vroom_desktop::{Drag, Evdev, InputEvent, KeyState, PenMotion, PenTool};

use super::client::Window;
use super::fixture::{Fixture, pixel};
use super::wild::{Dice, Wild};
use crate::ShellStyle;
use crate::inbox::Command;

#[test]
fn requests_at_random_disturb_nobody() {
    // The same ones every time: what fails here was broken by the change at hand.
    let (seeds, requests) = match seed() {
        Some(seed) => (seed..=seed, CASE),
        None => (1..=4, SHORT_CASE),
    };
    // Other tests open files at the same time; who runs a seed again runs nothing else.
    let alone = seed().is_some();
    for seed in seeds {
        let outcome = case(seed, requests, alone);
        assert!(outcome.programs > 3, "none of them went too far");
    }
}

#[test]
#[ignore = "a million requests take minutes: make fuzz-desktop"]
fn a_million_requests_at_random_disturb_nobody() {
    let mut dice = Dice::new(seed().unwrap_or_else(from_clock));
    let mut sum = Outcome::default();
    while sum.sent < 1_000_000 {
        let outcome = case(dice.roll(), CASE, true);
        sum.sent += outcome.sent;
        sum.programs += outcome.programs;
        sum.frames += outcome.frames;
        sum.late_max = sum.late_max.max(outcome.late_max);
        if outcome.late_max > SLOW {
            eprintln!("the innocent waited {:?}", outcome.late_max);
        }
    }
    eprintln!(
        "{} requests of {} programs; the innocent drew {} frames and waited {:?} at most",
        sum.sent, sum.programs, sum.frames, sum.late_max
    );
}

/// What is open in this process.
fn open_files() -> Vec<PathBuf> {
    let files = std::fs::read_dir("/proc/self/fd").unwrap();
    let files = files.filter_map(|file| std::fs::read_link(file.unwrap().path()).ok());
    let mut files: Vec<_> = files.collect();
    files.sort();
    files
}

fn is_keymap(file: &Path) -> bool {
    file.to_string_lossy().starts_with("/memfd:smithay-keymap")
}

/// Waits until no more is open than before; memory of programs is let go by another thread.
fn until_closed(before: &[PathBuf], mut meanwhile: impl FnMut()) {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let now = open_files();
        if now.len() <= before.len() {
            return;
        }
        assert!(
            Instant::now() < deadline,
            "before: {before:#?}, now: {now:#?}"
        );
        meanwhile();
        std::thread::yield_now();
    }
}

/// What one case came to.
#[derive(Default)]
struct Outcome {
    sent: u64,
    programs: u64,
    frames: u64,
    late_max: Duration,
}

/// Lets programs run wild on a new desktop until they sent so many requests.
///
/// Only what is `alone` in this process can tell which files programs have left open.
fn case(seed: u64, requests: u64, alone: bool) -> Outcome {
    eprintln!("VROOM_FUZZ_SEED={seed}");
    let mut dice = Dice::new(seed);
    let style = if dice.one_in(2) {
        ShellStyle::Desktop
    } else {
        ShellStyle::Kiosk
    };
    // A desktop that was locked stays so, and hides most of what there is to attack.
    let may_lock = dice.one_in(6);
    let without: &[&str] = if may_lock {
        &[]
    } else {
        &["ext_session_lock_manager_v1"]
    };
    let before_desktop = alone.then(open_files);
    let mut fixture = Fixture::with(|config| config.shell = style);
    fixture.post(Command::Watched(true));
    let before_programs = alone.then(open_files);
    let mut innocent = Innocent::new(&mut fixture);
    let mut outcome = Outcome::default();
    let mut programs: Vec<Wild> = Vec::new();
    while outcome.sent < requests {
        while programs.len() < PROGRAMS {
            let (ours, theirs) = UnixStream::pair().unwrap();
            fixture.server.state.add_client(ours);
            programs.push(Wild::new(theirs, dice.one_in(20)));
            outcome.programs += 1;
        }
        for program in &mut programs {
            let before = program.sent;
            for _ in 0..=dice.below(12) {
                program.act(&mut dice);
            }
            outcome.sent += program.sent - before;
        }
        if dice.one_in(4) {
            fixture.inbox.post(Command::Input(input(&mut dice)));
        }
        if dice.one_in(300) {
            let size = vroom_desktop::Size::new(200 + dice.below(900), 200 + dice.below(700));
            fixture.inbox.post(Command::Resize { size, scale: 1.0 });
        }
        fixture.server.turn(Some(Duration::ZERO)).unwrap();
        for program in &mut programs {
            program.listen(without);
            assert_eq!(program.unknown, [""; 0], "globals that nobody attacks");
        }
        programs.retain(|program| !program.is_gone());
        innocent.go_on(&mut fixture);
    }
    programs.iter_mut().for_each(Wild::leave);
    // On a desktop, a person may have put it away.
    innocent.is_well(&mut fixture, may_lock || style == ShellStyle::Desktop);
    drop(programs);
    // Programs that are gone leave nothing open, and neither does a desktop.
    if let Some(before) = before_programs {
        // What is held stays with the surface where it was pressed.
        for id in 0..FINGERS {
            fixture.inject(InputEvent::TouchUp { id });
        }
        fixture.button(0x110, KeyState::Released);
        fixture.clients.clear();
        until_closed(&before, || fixture.step());
    }
    drop(fixture);
    if let Some(mut before) = before_desktop {
        // smithay keeps the clipboard devices of programs that are gone, and they keep the keyboard.
        let keymaps = open_files().iter().filter(|file| is_keymap(file)).count();
        before.retain(|file| !is_keymap(file));
        before.extend(std::iter::repeat_n(PathBuf::from("a keymap"), keymaps));
        until_closed(&before, || ());
    }
    outcome.frames = innocent.frames;
    outcome.late_max = innocent.late_max;
    outcome
}

/// A program that draws one frame after the other, as it is called back.
struct Innocent {
    id: usize,
    window: Window,
    frames: u64,
    asked_at: Instant,
    late_max: Duration,
}

impl Innocent {
    fn new(fixture: &mut Fixture) -> Self {
        let id = fixture.connect();
        let window = fixture.window(id, (300, 200), INNOCENT);
        let mut innocent = Self {
            id,
            window,
            frames: 0,
            asked_at: Instant::now(),
            late_max: Duration::ZERO,
        };
        innocent.draw(fixture);
        innocent
    }

    fn draw(&mut self, fixture: &mut Fixture) {
        self.frames += 1;
        self.asked_at = Instant::now();
        let number = usize::try_from(self.frames).unwrap();
        fixture
            .client(self.id)
            .ask_frame(&self.window.surface, number);
        fixture.draw(self.id, &self.window, (300, 200), INNOCENT);
    }

    /// Reads what it was told, and draws again if it was called back.
    fn go_on(&mut self, fixture: &mut Fixture) {
        let number = usize::try_from(self.frames).unwrap();
        let client = fixture.client(self.id);
        client.dispatch();
        assert!(
            !client.is_disconnected(),
            "the innocent lost its connection"
        );
        let called = client.was_called_back(number);
        let waited = self.asked_at.elapsed();
        assert!(waited < PATIENCE, "the innocent was not called back");
        if called {
            client.take_told();
            self.late_max = self.late_max.max(waited);
            self.draw(fixture);
        }
    }

    /// Goes on until it was called back once more, and is seen unless something may hide it.
    fn is_well(&mut self, fixture: &mut Fixture, may_be_hidden: bool) {
        let frames = self.frames + 2;
        while self.frames < frames {
            fixture.step();
            self.go_on(fixture);
        }
        if !may_be_hidden {
            fixture.frame_with("the innocent", |frame| {
                let size = frame.size();
                pixel(frame, size.width / 2, size.height / 2) == INNOCENT
            });
        }
    }
}

/// Something that a person may do on a desktop without starting a program of the machine.
fn input(dice: &mut Dice) -> InputEvent {
    let x = f64::from(dice.below(1000));
    // Above the panel.
    let y = f64::from(dice.below(160));
    let state = if dice.one_in(2) {
        KeyState::Pressed
    } else {
        KeyState::Released
    };
    let id = dice.below(FINGERS);
    match dice.below(14) {
        0..=3 => InputEvent::PointerMotion { x, y },
        4..=5 => InputEvent::PointerButton {
            code: Evdev(0x110),
            state,
        },
        6 => InputEvent::Key {
            // Letters, which are no shortcuts.
            code: Evdev(16 + u16::try_from(dice.below(9)).unwrap()),
            state,
        },
        7 if dice.one_in(2) => InputEvent::Preedit {
            text: ["", "fü", "にほん"][dice.below(3) as usize].into(),
            caret: Some((0, 2)),
        },
        7 => InputEvent::Text("für".into()),
        8 => InputEvent::TouchDown { id, x, y },
        9 => InputEvent::Drag(match dice.below(4) {
            0 => Drag::Enter,
            1 => Drag::Leave,
            2 => Drag::Drop(b"file:///nowhere\r\n".as_slice().into()),
            _ => Drag::Take,
        }),
        10 => InputEvent::TouchUp { id },
        11 => InputEvent::PenMotion(PenMotion {
            tool: if dice.one_in(4) {
                PenTool::Eraser
            } else {
                PenTool::Pen
            },
            x,
            y,
            pressure: 0.5,
            tilt_x: 0.0,
            tilt_y: 0.0,
            rotation: 0.0,
        }),
        12 => InputEvent::PenButton {
            code: Evdev(0x14a),
            state,
        },
        _ => InputEvent::PenAway,
    }
}

/// The seed of the one case that is to be run.
fn seed() -> Option<u64> {
    let seed = std::env::var("VROOM_FUZZ_SEED").ok()?;
    Some(seed.parse().expect("VROOM_FUZZ_SEED is a number"))
}

fn from_clock() -> u64 {
    let since = std::time::UNIX_EPOCH.elapsed().unwrap();
    since.as_secs() ^ (u64::from(since.subsec_nanos()) << 20)
}

const INNOCENT: u32 = 0x00_c0_00;

/// Programs that run wild at a time.
const PROGRAMS: usize = 3;

/// Requests of one case of the long run.
const CASE: u64 = 5000;

/// Requests of one case of the short run.
const SHORT_CASE: u64 = 1500;

/// Fingers of the person.
const FINGERS: u32 = 3;

/// A wait that is worth a line of the long run.
const SLOW: Duration = Duration::from_secs(1);

/// How long the innocent may wait for a frame callback on a loaded machine.
const PATIENCE: Duration = Duration::from_secs(20);
