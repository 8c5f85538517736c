//! `vroom term` as a person and as a script use it.

use std::fs;
use std::io::{Read as _, Write as _};
use std::process::Stdio;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use super::stage::Stage;

#[test]
fn a_shell_is_as_if_it_were_here() {
    let stage = Stage::start();
    let mut person = stage.person(&["term", &stage.host()]);
    // Whatever shell and prompt this user has.
    person.types("echo login-$((1 + 1)); cd /; PS1='$ ' exec sh\r");
    person.sees("login-2");
    person.sees_the_prompt();
    assert!(!person.terminal_echoes(), "the program has the terminal");
    person.types("echo one-$((40 + 2)); stty size; echo $TERM\r");
    person.sees("one-42");
    person.sees("24 80");
    person.sees("xterm-256color");
    person.sees_the_prompt();
    // Ctrl-C interrupts, and Ctrl-Z stops, what runs there and not here.
    person.types("cat\rread\r");
    person.sees("read\nread");
    person.types("\x03");
    person.sees_the_prompt();
    person.types("echo after $?\r");
    person.sees("after 130");
    person.resizes(30, 101);
    // The size goes another way than the keys, so the first answer may be older.
    for _ in 0..30 {
        person.types("stty size\r");
        person.reads_for_a_moment();
        if person.shows("30 101") {
            break;
        }
    }
    person.sees("30 101");
    person.types("exit 7\r");
    assert_eq!(person.sees_the_end(), 7);
    assert!(person.shows("Connection to 127.0.0.1 closed."));
    assert!(person.terminal_echoes(), "the terminal is given back");
}

#[test]
fn programs_that_fill_the_screen_look_as_they_do_here() {
    let stage = Stage::start();
    let mut person = stage.shell(&[]);
    person.types("vim -N -u NONE -i NONE note\r");
    person.sees("\"note\" [New");
    person.types("ihello from here\x1b");
    person.sees("hello from here");
    // Escape has to be known as such before the next key, as when a person types.
    person.no_longer_sees("-- INSERT --");
    person.resizes(15, 60);
    person.types("o");
    person.sees("-- INSERT --");
    person.types("second\x1b:wq\r");
    person.sees_the_prompt();
    let note = fs::read_to_string(stage.there("note")).unwrap();
    assert_eq!(note, "hello from here\nsecond\n");
    person.types("htop\r");
    person.sees("PID");
    person.types("q");
    person.no_longer_sees("PID");
    // What is typed before it has given the terminal back is thrown away by it.
    person.sees_the_prompt();
    person.types("exit\r");
    assert_eq!(person.sees_the_end(), 0);
    assert!(!person.screen.modes().alternate);
}

#[test]
fn the_escape_character_is_for_vroom() {
    let stage = Stage::start();
    let mut person = stage.shell(&[]);
    person.types("~?");
    person.sees("~.   - leave");
    person.types("\r~s");
    person.sees("round trip:");
    person.types("\r~#");
    person.sees("Nothing is forwarded");
    // Twice it is itself, and in the middle of a line it means nothing.
    person.types("\recho ~~.\r");
    person.sees("~~.");
    person.types("echo x~.\r");
    person.sees("x~.");
    person.types("~.");
    assert_eq!(person.sees_the_end(), 255);
    assert!(person.said().contains("Connection to 127.0.0.1 left."));
    assert!(person.terminal_echoes());
}

#[test]
fn a_command_has_pipes_and_an_exit_status() {
    let stage = Stage::start();
    let output = stage.run(&["term", &stage.host(), "echo out; echo err >&2; tty; exit 5"]);
    assert_eq!(output.status.code(), Some(5));
    assert_eq!(output.stdout, b"out\nnot a tty\n", "{output:?}");
    assert_eq!(output.stderr, b"err\n");
    let output = stage.run(&["term", &stage.host(), "kill -TERM $$"]);
    assert_eq!(output.status.code(), Some(143));
    let printed = stage.prints(&["term", &stage.host(), "printf", "%s,", "a", "b"]);
    assert_eq!(printed, "a,b,");
}

#[test]
fn bytes_pass_through_pipes_as_they_are() {
    let stage = Stage::start();
    let bytes: Vec<u8> = (0..3_000_000_u32)
        .map(|number| number.wrapping_mul(2_654_435_761).to_le_bytes()[3])
        .collect();
    let mut child = stage
        .vroom(&["term", &stage.host(), "cat"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    let sent = bytes.clone();
    let writer = std::thread::spawn(move || stdin.write_all(&sent).unwrap());
    let mut came = Vec::new();
    child.stdout.take().unwrap().read_to_end(&mut came).unwrap();
    writer.join().unwrap();
    assert!(child.wait().unwrap().success());
    assert_eq!(came.len(), bytes.len());
    assert!(came == bytes, "bytes were changed on the way");
}

#[test]
fn who_reads_no_more_ends_it() {
    let stage = Stage::start();
    let mut child = stage
        .vroom(&["term", &stage.host(), "yes"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut two = [0; 4];
    let mut stdout = child.stdout.take().unwrap();
    stdout.read_exact(&mut two).unwrap();
    assert_eq!(&two, b"y\ny\n");
    drop(stdout);
    let output = child.wait_with_output().unwrap();
    assert!(!output.status.success());
    // A pipe that is closed is how such things end, and nothing to complain about.
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
}

#[test]
fn a_terminal_can_be_asked_for_and_refused() {
    let stage = Stage::start();
    let mut person = stage.person(&["term", "-t", &stage.host(), "tty; exit 3"]);
    assert_eq!(person.sees_the_end(), 3);
    assert!(person.said().contains("/dev/pts/"), "{}", person.said());
    let printed = stage.prints(&["term", "-tt", &stage.host(), "tty"]);
    assert!(printed.starts_with("/dev/pts/"), "{printed}");
    let mut person = stage.person(&["term", "-T", &stage.host(), "tty; exit 4"]);
    assert_eq!(person.sees_the_end(), 4);
    assert!(person.said().contains("not a tty"), "{}", person.said());
}

#[test]
fn input_that_ends_ends_the_shell() {
    let stage = Stage::start();
    let mut child = stage
        .vroom(&["term", &stage.host()])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = child.stdin.take().unwrap();
    stdin.write_all(b"echo from a script\nexit 6\n").unwrap();
    drop(stdin);
    let output = child.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(6));
    assert_eq!(output.stdout, b"from a script\n");
}

#[test]
fn signals_reach_the_program() {
    let stage = Stage::start();
    let line = "trap 'echo got it; exit 9' INT; echo ready; while :; do read x; done";
    let mut child = stage
        .vroom(&["term", &stage.host(), line])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdout = child.stdout.take().unwrap();
    let mut ready = [0; 6];
    stdout.read_exact(&mut ready).unwrap();
    let pid = Pid::from_raw(child.id().try_into().unwrap());
    kill(pid, Signal::SIGINT).unwrap();
    let mut rest = String::new();
    stdout.read_to_string(&mut rest).unwrap();
    assert_eq!(rest, "got it\n");
    assert_eq!(child.wait().unwrap().code(), Some(9));
}

#[test]
fn options_and_names_are_those_of_ssh() {
    let stage = Stage::start();
    let port = stage.port();
    let (plain, with) = ("vroom-person", "127.0.0.1");
    let config = format!(
        "[defaults]\nenv = {{ TZ = \"Etc/GMT+3\" }}\n\n[hosts.{plain}]\nhostname = \"{with}\"\n\
         port = {port}\n"
    );
    fs::create_dir_all(stage.path(".config/vroom")).unwrap();
    fs::write(stage.path(".config/vroom/config.toml"), config).unwrap();
    let line = "echo $TZ $LANG";
    assert_eq!(stage.prints(&["term", plain, line]), "Etc/GMT+3 C.UTF-8\n");
    let by_flag = stage.prints(&["term", "-p", &port, with, "echo by flag"]);
    assert_eq!(by_flag, "by flag\n");
    let option = format!("Port={port}");
    let by_option = stage.prints(&["term", "-o", &option, "-o", "SetEnv=TZ=UTC", with, line]);
    assert_eq!(by_option, "UTC C.UTF-8\n");
    let printed = stage.prints(&["term", "-n", plain, "cat; echo end"]);
    assert_eq!(printed, "end\n");
}

#[test]
fn what_is_wrong_is_said_with_what_to_do() {
    let stage = Stage::start();
    let (code, said) = stage.fails(&["term", "127.0.0.1:1", "true"]);
    assert_eq!(code, 255);
    assert!(said.contains("cannot connect to 127.0.0.1:1"), "{said}");
    assert!(said.contains("vroomd"), "{said}");
    let (code, said) = stage.fails(&["term", "tcp://192.0.2.1", "true"]);
    assert_eq!(code, 2);
    assert!(said.contains("not encrypted"), "{said}");
    let (code, said) = stage.fails(&["term", "-o", "Prot=1", "h", "true"]);
    assert_eq!(code, 2);
    assert!(said.contains("\"Prot\" is not known"), "{said}");
    fs::create_dir_all(stage.path(".config/vroom")).unwrap();
    fs::write(
        stage.path(".config/vroom/config.toml"),
        "[hosts.a]\nprt = 1\n",
    )
    .unwrap();
    let (code, said) = stage.fails(&["term", "a", "true"]);
    assert_eq!(code, 2);
    assert!(
        said.contains("config.toml") && said.contains("line 2"),
        "{said}"
    );
}

#[test]
fn a_command_that_is_not_there_ends_as_in_a_shell() {
    let stage = Stage::start();
    let (code, said) = stage.fails(&["term", &stage.host(), "no-such-command"]);
    assert_eq!(code, 127);
    assert!(said.contains("no-such-command"), "{said}");
}
