//! The person's terminal is given back as it was, on every way out: judged by the bytes it was told.

use nix::sys::signal::Signal;

use super::person::Person;
use super::stage::Stage;

/// What a program turns on: mouse, paste, focus, the other screen, kitty keys, no cursor, a title.
const ON: &str = r"printf '\033[22;0t\033[?1049h\033[>5u\033[?1000h\033[?1006h\033[?2004h\033[?1004h\033[?25l\033[4mturned on\n'";

/// What has to be told to the terminal for each of these.
const OFF: [&str; 8] = [
    "\x1b[?1049l",
    "\x1b[<1u",
    "\x1b[?1000l",
    "\x1b[?1006l",
    "\x1b[?2004l",
    "\x1b[?1004l",
    "\x1b[?25h",
    "\x1b[m",
];

fn at_a_busy_screen(stage: &Stage, more: &[&str]) -> Person {
    let host = stage.host();
    let line = format!("{ON}; exec cat");
    let mut arguments = vec!["term", "-t"];
    arguments.extend(more);
    arguments.extend([host.as_str(), &line]);
    let mut person = stage.person(&arguments);
    person.sees("turned on");
    assert!(person.screen.modes().alternate);
    person
}

/// What was told after the program had drawn is what undoes it, and leaves an ordinary terminal.
fn is_as_it_was(person: &Person) {
    let said = person.said();
    let (_, after) = said.rsplit_once("\x1b[4mturned on").unwrap();
    for off in OFF {
        assert!(after.contains(off), "{off:?} is not in {after:?}");
    }
    let modes = person.screen.modes();
    assert!(!modes.alternate && !modes.mouse, "{modes:?}");
    assert!(modes.cursor_visible && modes.kitty_flags == 0, "{modes:?}");
}

#[test]
fn on_leaving() {
    let stage = Stage::start();
    let mut person = at_a_busy_screen(&stage, &[]);
    person.types("\r~.");
    assert_eq!(person.sees_the_end(), 255);
    assert!(person.terminal_echoes());
    is_as_it_was(&person);
}

#[test]
fn when_the_program_is_killed() {
    let stage = Stage::start();
    let mut person = at_a_busy_screen(&stage, &[]);
    person.types("\x03");
    assert_eq!(person.sees_the_end(), 128 + 2);
    is_as_it_was(&person);
}

#[test]
fn when_vroom_is_told_to_end() {
    for signal in [Signal::SIGTERM, Signal::SIGHUP] {
        let stage = Stage::start();
        let mut person = at_a_busy_screen(&stage, &[]);
        person.signals(signal);
        assert_eq!(person.sees_the_end(), 255);
        is_as_it_was(&person);
    }
}

#[test]
fn when_the_connection_is_lost_for_good() {
    let stage = Stage::start();
    let mut person = at_a_busy_screen(&stage, &[]);
    stage.world.proxy.close();
    person.sees("vroom: nothing heard");
    person.types("\r~.");
    assert_eq!(person.sees_the_end(), 255);
    assert!(person.terminal_echoes());
    is_as_it_was(&person);
}

#[test]
fn while_it_is_suspended() {
    let stage = Stage::start();
    let mut person = stage.here();
    person.types(&format!(
        "vroom term -t {} \"{ON}; exec cat\"\r",
        stage.host()
    ));
    person.until("the other screen", |person| {
        person.screen.modes().alternate && person.shows("turned on")
    });
    person.types("\r~\x1a");
    person.sees("Stopped");
    is_as_it_was(&person);
    person.types("fg\r");
    // What the program shows is there again, with all that it turned on.
    person.until("the screen again", |person| {
        person.screen.modes().alternate && person.shows("turned on")
    });
    assert!(person.screen.modes().bracketed_paste && person.screen.modes().mouse);
    person.types("\r~.");
    person.sees("left.");
    person.sees("here>");
    is_as_it_was(&person);
}
