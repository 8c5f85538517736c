//! What breaks under a person who goes on typing.

use std::fs;

use vroom_terminal::screen::Screen;

use super::person::Person;
use super::stage::Stage;

/// What is done to the connection.
#[derive(Clone, Copy, Debug)]
enum Trouble {
    Cut,
    CutInTheAnswer,
    KilledDaemon,
    LongOutage,
}

fn goes_on(trouble: Trouble) {
    let mut stage = Stage::start();
    let path = stage.there("typed");
    let host = stage.host();
    let line = format!(
        "stty raw -echo; printf ready; head -c 4000 > '{}'; stty sane; printf 'all of it\\n'; \
         cat; exit 3",
        path.display()
    );
    let mut person = stage.person(&["term", "-t", &host, &line]);
    person.sees("ready");
    let keys: String = (0..1000).map(|number| format!("{number:04}")).collect();
    let (before, after) = keys.split_at(2100);
    for part in before.as_bytes().chunks(7) {
        person.types(std::str::from_utf8(part).unwrap());
    }
    match trouble {
        Trouble::Cut => stage.world.proxy.cut(),
        Trouble::CutInTheAnswer => stage.world.proxy.cut_after(11),
        Trouble::KilledDaemon => stage.world.daemon.kill_and_restart().unwrap(),
        Trouble::LongOutage => {
            stage.world.proxy.close();
            person.sees("vroom: nothing heard for");
        }
    }
    for part in after.as_bytes().chunks(11) {
        person.types(std::str::from_utf8(part).unwrap());
    }
    stage.world.proxy.open();
    person.sees("all of it");
    person.no_longer_sees("nothing heard");
    let typed = fs::read_to_string(&path).unwrap();
    assert_eq!(typed.len(), keys.len());
    assert!(typed == keys, "keys were lost, doubled or changed");
    // The shell goes on, and the status of the program is kept.
    person.types("the shell goes on\r");
    person.until("the line and its echo", |person| {
        person.text().matches("the shell goes on").count() == 2
    });
    person.types("\x04");
    assert_eq!(person.sees_the_end(), 3, "{}", person.said());
}

#[test]
fn a_cut_loses_no_key() {
    goes_on(Trouble::Cut);
}

#[test]
fn a_cut_within_a_message_loses_no_key() {
    goes_on(Trouble::CutInTheAnswer);
}

#[test]
fn a_killed_daemon_loses_no_key() {
    goes_on(Trouble::KilledDaemon);
}

#[test]
fn a_long_outage_is_shown_and_loses_no_key() {
    goes_on(Trouble::LongOutage);
}

/// Cuts in the middle of output; the screen is in the end that of somebody who was never cut.
fn shows_the_same(trouble: Trouble) {
    let mut stage = Stage::start();
    let host = stage.host();
    let go = stage.there("go");
    let line = format!(
        "echo first; while [ ! -e '{}' ]; do sleep 0.01; done; \
         i=0; while [ $i -lt 400 ]; do printf '\\033[3%dmline %d\\033[m\\n' $((i % 7)) $i; \
         i=$((i + 1)); done; printf '\\033[5;7Hplaced'; cat",
        go.display()
    );
    let mut person = stage.person(&["term", "-t", "--name", "same", &host, &line]);
    person.sees("first");
    if let Trouble::CutInTheAnswer = trouble {
        stage.world.proxy.cut_after(3001);
    }
    fs::write(&go, "").unwrap();
    match trouble {
        Trouble::CutInTheAnswer => {}
        Trouble::KilledDaemon => stage.world.daemon.kill_and_restart().unwrap(),
        Trouble::Cut | Trouble::LongOutage => stage.world.proxy.cut(),
    }
    person.sees("placed");
    person.sees("line 399");
    let mut other = stage.person(&["attach", "-H", &host, "-r", "same"]);
    other.sees("placed");
    other.sees("line 399");
    let same = |person: &Person, other: &Screen| person.screen.text() == other.text();
    person.until("the same", |person| same(person, &other.screen));
    other.types("\r~.");
    other.sees_the_end();
    person.types("\x04");
    assert_eq!(person.sees_the_end(), 0);
}

#[test]
fn a_cut_leaves_the_same_screen() {
    shows_the_same(Trouble::CutInTheAnswer);
}

#[test]
fn a_killed_daemon_leaves_the_same_screen() {
    shows_the_same(Trouble::KilledDaemon);
}

#[test]
fn vim_goes_on_after_the_daemon_was_killed() {
    let mut stage = Stage::start();
    let mut person = stage.shell(&[]);
    person.types("vim -N -u NONE -i NONE note\r");
    person.sees("\"note\" [New");
    person.types("ibefore ");
    person.sees("before");
    stage.world.daemon.kill_and_restart().unwrap();
    person.types("after\x1b");
    person.sees("before after");
    person.types(":wq\r");
    person.sees_the_prompt();
    let note = fs::read_to_string(stage.there("note")).unwrap();
    assert_eq!(note, "before after\n");
    person.types("exit 2\r");
    assert_eq!(person.sees_the_end(), 2);
}
