//! A kiosk runs for months: its program may die, and its output may change all day.

use std::path::Path;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use smithay::utils::Transform;
use vroom_desktop::{DesktopEvent, Size};

use super::client::Window;
use super::fixture::{Fixture, pixel};
use super::wild::Dice;
use crate::OnExit;
use crate::inbox::Command;
use crate::output::Setup;

#[test]
fn a_program_that_is_killed_comes_back_within_a_second_twenty_times() {
    let script = "echo $$ >> \"$XDG_RUNTIME_DIR/pids\"; exec sleep 1000";
    let mut fixture = Fixture::with(|config| {
        config.command = Some(["sh", "-c", script].map(Into::into).into());
        config.on_exit = OnExit::Restart;
    });
    // It runs well for as long as that between two of its deaths.
    fixture.server.state.session.steady_after = Duration::ZERO;
    fixture.post(Command::Watched(true));
    let pids = fixture.runtime_dir().join("pids");
    fixture.until("the program", |_| started(&pids).len() == 1);
    let mut slowest = Duration::ZERO;
    for times in 1..=20 {
        let id = fixture.connect();
        fixture.window(id, (0, 0), WINDOW);
        fixture.frame_with("the program's window", |frame| pixel(frame, 5, 5) == WINDOW);
        let pid = *started(&pids).last().unwrap();
        let killed_at = Instant::now();
        kill(Pid::from_raw(pid), Signal::SIGKILL).unwrap();
        fixture.clients.clear();
        let reason = fixture.event("its end", |event| match event {
            DesktopEvent::SessionEnded {
                reason,
                restarting: true,
            } => Some(reason.clone()),
            _ => None,
        });
        assert_eq!(reason, "sh was ended by SIGKILL");
        // Whoever looks at it reads the same.
        fixture.frame_with("the reason", |frame| {
            let middle = frame.size().height / 2;
            let row = (0..frame.size().width).map(|x| pixel(frame, x, middle));
            pixel(frame, 5, 5) != WINDOW
                && row.filter(|seen| *seen != pixel(frame, 5, 5)).count() > 9
        });
        fixture.until("the program to come back", |_| started(&pids).len() > times);
        slowest = slowest.max(killed_at.elapsed());
    }
    assert!(slowest < Duration::from_secs(1), "{slowest:?}");
    fixture.server.state.kill_session();
}

#[test]
fn two_hundred_resizes_in_a_row_leave_no_frame_behind() {
    let mut fixture = Fixture::new();
    let id = fixture.connect();
    let window = fixture.window(id, (0, 0), WINDOW);
    let mut dice = Dice::new(1);
    for times in 0..200u32 {
        let size = Size::new(64 + dice.below(600) * 2, 64 + dice.below(400) * 2);
        let scale = 1.0;
        fixture.inbox.post(Command::Resize { size, scale });
        // Some come faster than anybody draws, and are never seen.
        if dice.one_in(3) {
            continue;
        }
        follows(&mut fixture, id, &window, size, 0x10_00_00 + times);
    }
    fixture.settle();
}

#[test]
fn two_hundred_turns_and_absences_of_the_output_leave_no_frame_behind() {
    let mut fixture = Fixture::new();
    let id = fixture.connect();
    let window = fixture.window(id, (0, 0), WINDOW);
    let mut dice = Dice::new(2);
    for times in 0..200u32 {
        let mode = Size::new(64 + dice.below(400) * 2, 64 + dice.below(300) * 2);
        let transform = TRANSFORMS[dice.below(8) as usize];
        let setup = Setup {
            mode: Some(mode),
            transform: Some(transform),
            ..Setup::default()
        };
        let turned = matches!(
            transform,
            Transform::_90 | Transform::_270 | Transform::Flipped90 | Transform::Flipped270
        );
        let size = if turned {
            Size::new(mode.height, mode.width)
        } else {
            mode
        };
        let outputs =
            |fixture: &mut Fixture| fixture.client(id).globals().contains_key("wl_output");
        if dice.one_in(2) {
            fixture.server.state.switch_output(false);
            fixture.until("the output to go", |fixture| !outputs(fixture));
            fixture.frame_with("a picture without the window", |frame| {
                pixel(frame, 0, 0) != WINDOW + times
            });
        }
        fixture.server.state.set_up(&setup);
        fixture.server.state.switch_output(true);
        fixture.until("the output to be there", outputs);
        follows(&mut fixture, id, &window, size, WINDOW + times + 1);
    }
    fixture.settle();
}

/// Waits for the window to be told a size, draws it in a colour, and waits for the picture of that.
fn follows(fixture: &mut Fixture, id: usize, window: &Window, size: Size, colour: u32) {
    let told = (size.width.cast_signed(), size.height.cast_signed());
    fixture.until("the window to be told", |fixture| {
        let configure = fixture.client(id).configure(window);
        configure.is_some_and(|configure| configure.size == told)
    });
    fixture.draw(id, window, (0, 0), colour);
    fixture.frame_with("the window at its new size", |frame| {
        let corner = (size.width - 1, size.height - 1);
        frame.size() == size
            && pixel(frame, 0, 0) == colour
            && pixel(frame, corner.0, corner.1) == colour
    });
}

/// The numbers of the processes that were started so far.
fn started(file: &Path) -> Vec<i32> {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    text.lines().filter_map(|line| line.parse().ok()).collect()
}

const TRANSFORMS: [Transform; 8] = [
    Transform::Normal,
    Transform::_90,
    Transform::_180,
    Transform::_270,
    Transform::Flipped,
    Transform::Flipped90,
    Transform::Flipped180,
    Transform::Flipped270,
];

const WINDOW: u32 = 0x00_80_ff;
