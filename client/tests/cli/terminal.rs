//! `vroom term` as a person and as a script use it.

use std::io::Write as _;
use std::process::{Command, Stdio};
use std::time::Instant;

use crate::person::{PATIENCE, Person};
use crate::server::Server;

#[test]
fn a_command_without_a_terminal_gets_pipes() {
    let server = Server::start();
    let output = Command::new(env!("CARGO_BIN_EXE_vroom"))
        .args(["term", &server.url(), "some", "command"])
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(7), "{output:?}");
    assert_eq!(output.stdout, b"done\n");
    assert_eq!(server.seen(), ["Line(..)"]);
}

#[test]
fn the_exit_status_is_that_of_the_program() {
    for (line, expected) in [("exit 3\r", 3), ("killed 15\r", 143)] {
        let server = Server::start();
        let mut person = Person::starts(&["term", &server.url()]);
        person.sees("ready");
        person.types(line);
        let (status, shown) = person.sees_the_end();
        assert_eq!(status, expected, "{shown:?}");
    }
}

#[test]
fn what_the_program_turned_on_is_turned_off() {
    let server = Server::start();
    let mut person = Person::starts(&["term", &server.url()]);
    person.sees("ready");
    assert!(!person.terminal_echoes(), "the terminal is taken");
    person.types("~.");
    let shown = person.sees("left.");
    assert!(person.terminal_echoes(), "the terminal is given back");
    assert!(shown.contains("\x1b[?2004l\x1b[?25h"), "{shown:?}");
    let (status, _) = person.sees_the_end();
    assert_eq!(status, 255);
}

#[test]
fn the_program_knows_the_size() {
    let server = Server::start();
    let mut person = Person::starts(&["term", &server.url()]);
    person.sees("ready");
    person.resizes(71, 19);
    person.sees("size 71x19");
    assert_eq!(server.seen(), ["size 100x30", "size 71x19"]);
    person.types("exit 0\r");
    assert_eq!(person.sees_the_end().0, 0);
}

#[test]
fn no_key_is_lost_or_doubled_over_a_cut() {
    let server = Server::start();
    let mut person = Person::starts(&["term", &server.url()]);
    person.sees("ready");
    let mut typed = String::new();
    for round in 0..5 {
        let word = format!("word{round}\r");
        person.types(&word);
        typed.push_str(&word);
        if round % 2 == 0 {
            server.cut();
        }
        let word = format!("more{round}\r");
        person.types(&word);
        typed.push_str(&word);
        person.sees(&format!("more{round}"));
    }
    let deadline = Instant::now() + PATIENCE;
    while server.input().len() < typed.len() {
        assert!(Instant::now() < deadline, "input is missing");
        std::thread::yield_now();
    }
    person.types("exit 0\r");
    typed.push_str("exit 0\r");
    let (status, shown) = person.sees_the_end();
    assert_eq!(status, 0, "{shown:?}");
    assert_eq!(String::from_utf8(server.input()).unwrap(), typed);
    // Every line is shown once: output is neither lost nor doubled either.
    for round in 0..5 {
        for word in ["word", "more"] {
            let word = format!("{word}{round}");
            assert_eq!(shown.matches(&word).count(), 1, "{word} in {shown:?}");
        }
    }
    assert!(server.seen().iter().any(|seen| seen == "attached"));
}

#[test]
fn the_escape_character_explains_itself() {
    let server = Server::start();
    let mut person = Person::starts(&["term", "-e", "^B", &server.url()]);
    person.sees("ready");
    person.types("\x02?");
    person.sees("^B.   - leave");
    person.types("~.x\r");
    person.sees("~.x");
    person.types("\x02.");
    person.sees("left.");
}

#[test]
fn a_server_that_is_not_there_is_said_with_255() {
    let output = Command::new(env!("CARGO_BIN_EXE_vroom"))
        .args(["term", "unix:/nonexistent/socket", "true"])
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(255));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(
        said.contains("cannot connect to /nonexistent/socket"),
        "{said}"
    );
}

#[test]
fn wrong_usage_is_said_with_2() {
    for args in [
        &["term", "-L", "nonsense", "localhost"][..],
        &["term", "-o", "Nonsense=1", "localhost"],
        &["term", "tcp://far.example"],
        &["nonsense"],
    ] {
        let output = Command::new(env!("CARGO_BIN_EXE_vroom"))
            .args(args)
            .stdin(Stdio::null())
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(2), "{args:?}: {output:?}");
    }
}

#[test]
fn standard_input_reaches_a_program_to_its_end() {
    let server = Server::start();
    let mut child = Command::new(env!("CARGO_BIN_EXE_vroom"))
        .args(["term", "-tt", &server.url()])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(b"one\rexit 5\r").unwrap();
    drop(stdin);
    assert_eq!(child.wait().unwrap().code(), Some(5));
    assert_eq!(server.input(), b"one\rexit 5\r");
}
