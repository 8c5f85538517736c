//! The processes that hold terminals, and what may happen to them and to who is connected.
#![expect(
    clippy::unwrap_used,
    reason = "a test fails where its own functions fail"
)]

mod support;

use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::Pid;
use support::sessions::{Folder, Follower, executable, exists, until};
use support::{DEADLINE, line, on_pty, program};
use tokio::time::timeout;
use vroom_terminal::screen::{Screen, ScreenLimits};
use vroom_terminal::{Holds, Meta, PtySize};

#[tokio::test]
async fn a_daemon_that_is_killed_again_and_again_loses_nothing() {
    let folder = Folder::new();
    let file = folder.dir.path().join("show");
    let shown = show();
    std::fs::write(&file, &shown).unwrap();
    let command = line(format!(
        "stty raw -echo; printf ready; read go; cat {}; exit 9",
        file.display()
    ));
    let mut follower = folder.start("one", on_pty(command)).await;
    follower.until("ready").await;
    follower.write("\n");
    drop(follower);
    // Each has seen some more when it dies, in the middle of anything.
    for round in 1..=5usize {
        let mut client = client(folder.dir.path(), "follow");
        let mut lines = BufReader::new(client.stdout.take().unwrap()).lines();
        let enough = round * shown.len() / 6;
        assert!(lines.any(|line| number(&line.unwrap()) >= enough));
        client.kill().unwrap();
        client.wait().unwrap();
    }
    let mut last = folder.recover_one().await;
    last.may_miss = true;
    while last.more().await {
        last.session.set_reader_offset(Some(last.offset));
    }
    let expected = [b"ready".as_slice(), &shown].concat();
    let start = expected.len() - last.seen.len();
    assert!(last.seen == expected[start..]);
    let exit = timeout(DEADLINE, last.session.wait_exit()).await.unwrap();
    assert_eq!(exit.code, Some(9));
    assert_eq!(exit.output_bytes, expected.len() as u64);
    let mut uncut = Screen::new(PtySize::default(), ScreenLimits::default());
    uncut.advance(&expected);
    assert!(last.session.digest() == uncut.digest());
    last.forget().await;
}

#[tokio::test]
async fn an_escape_sequence_in_two_lives_is_one() {
    let folder = Folder::new();
    let halves = [
        ("\\033[1;3", "1mred"),
        ("\\033]0;ti", "tle\\007"),
        ("\\303", "\\251"),
        ("\\033[?10", "49h"),
        ("\\033[5;", "7Hhere"),
    ];
    let mut script = "stty raw -echo; printf ready; ".to_owned();
    let mut expected = "ready".to_owned().into_bytes();
    for (number, (first, second)) in halves.iter().enumerate() {
        write!(
            script,
            "read go; printf '{first}'; read go; printf '{second}<{number}>'; "
        )
        .unwrap();
        expected.extend(unescape(first));
        expected.extend(unescape(second));
        expected.extend(format!("<{number}>").bytes());
    }
    script.push_str("read go");
    let mut follower = folder.start("one", on_pty(line(script))).await;
    follower.until("ready").await;
    let mut end = follower.offset;
    for (number, (first, _)) in halves.iter().enumerate() {
        follower.write("\n");
        end += unescape(first).len() as u64;
        while follower.offset < end {
            assert!(follower.more().await);
        }
        // In the middle of it.
        drop(follower);
        follower = folder.recover_one().await;
        follower.write("\n");
        follower.until(&format!("<{number}>")).await;
        end = follower.offset;
    }
    let mut uncut = Screen::new(PtySize::default(), ScreenLimits::default());
    uncut.advance(&expected);
    assert_eq!(follower.seen, expected);
    let state = follower.session.state().borrow().clone();
    assert_eq!((&*state.title, state.alternate), ("title", true));
    assert!(follower.session.digest() == uncut.digest());
    follower.forget().await;
}

#[tokio::test]
async fn a_holder_survives_what_ends_its_starter() {
    let folder = Folder::new();
    let mut client = client(folder.dir.path(), "start");
    let mut out = BufReader::new(client.stdout.take().unwrap());
    let mut line = String::new();
    while number(&line) == 0 {
        line.clear();
        assert!(out.read_line(&mut line).unwrap() > 0);
    }
    let group = Pid::from_raw(i32::try_from(client.id()).unwrap());
    killpg(group, Signal::SIGHUP).unwrap();
    killpg(group, Signal::SIGTERM).unwrap();
    killpg(group, Signal::SIGKILL).unwrap();
    client.wait().unwrap();
    let mut found = folder.recover_one().await;
    assert_eq!(found.session.pid() as usize, number(&line));
    found.write("alive\n");
    found.until("alive\r\nalive").await;
    found.forget().await;
}

/// Copies a program by another process: had this one the copy open for writing, a test beside it
/// that starts a program would keep it so for a moment, and then it cannot be run.
fn copy(from: impl AsRef<Path>, to: &Path) {
    let done = Command::new("cp").arg(from.as_ref()).arg(to).status();
    assert!(done.unwrap().success());
}

#[tokio::test]
async fn a_holder_becomes_its_successor() {
    let folder = Folder::new();
    // Each has its own file, so that it can be told whether it runs.
    let own = folder.dir.path().join("vroom-hold");
    copy(executable(), &own);
    let holds = Holds::open(folder.dir.path().join("terminals"), own.clone()).unwrap();
    let config = on_pty(line(
        "stty -echo; echo ready; cat; read x; echo left; exit 4",
    ));
    let mut meta = Meta::new("one");
    meta.persist = true;
    let mut follower = Follower::new(holds.start(config, meta).await.unwrap());
    follower.until("ready").await;
    let size = PtySize {
        rows: 40,
        cols: 100,
        px_w: 0,
        px_h: 0,
    };
    follower.session.resize(size).unwrap();
    let holder = folder.holders()[0];
    let (pid, mut text) = (follower.session.pid(), "ready\r\n".to_owned());
    for round in 0..3 {
        std::fs::remove_file(&own).unwrap();
        copy(executable(), &own);
        assert!(!runs(holder, &own));
        kill(
            Pid::from_raw(i32::try_from(holder).unwrap()),
            Signal::SIGUSR2,
        )
        .unwrap();
        // What is typed meanwhile is not lost.
        let typed = format!("round {round} {}\n", "x".repeat(3000));
        follower.write(&typed);
        text.push_str(&typed.replace('\n', "\r\n"));
        until("the successor runs", || runs(holder, &own)).await;
        follower.until(&format!("round {round}")).await;
        if round == 1 {
            drop(follower);
            follower = folder.recover_one().await;
        }
    }
    assert_eq!(follower.session.pid(), pid);
    assert_eq!(follower.session.size(), size);
    assert_eq!(follower.typed, 3 * 3009);

    // One that cannot take over does not get the chance.
    std::fs::remove_file(&own).unwrap();
    std::fs::copy("/bin/true", &own).unwrap();
    kill(
        Pid::from_raw(i32::try_from(holder).unwrap()),
        Signal::SIGUSR2,
    )
    .unwrap();
    follower.write([4]);
    follower.write("\n");
    let exit = timeout(DEADLINE, follower.session.wait_exit())
        .await
        .unwrap();
    assert_eq!(exit.code, Some(4));
    follower.finish().await;
    assert_eq!(follower.text(), format!("{text}left\r\n"));
    follower.forget().await;
}

#[tokio::test]
async fn a_program_that_ended_is_handed_over_too() {
    let folder = Folder::new();
    let mut follower = folder.start("one", on_pty(line("echo bye; exit 3"))).await;
    let exit = timeout(DEADLINE, follower.session.wait_exit())
        .await
        .unwrap();
    follower.finish().await;
    let holder = Pid::from_raw(i32::try_from(folder.holders()[0]).unwrap());
    kill(holder, Signal::SIGUSR2).unwrap();
    drop(follower);
    let mut found = folder.recover_one().await;
    found.finish().await;
    assert_eq!(found.text(), "bye\r\n");
    assert_eq!(found.session.exit_status(), Some(exit));
    found.forget().await;
}

#[tokio::test]
async fn a_killed_holder_is_cleaned_up_after() {
    let folder = Folder::new();
    let mut follower = folder
        .start("one", on_pty(line("echo ready; exec cat")))
        .await;
    follower.until("ready").await;
    let pid = follower.session.pid();
    let holder = Pid::from_raw(i32::try_from(folder.holders()[0]).unwrap());
    kill(holder, Signal::SIGKILL).unwrap();
    timeout(DEADLINE, follower.session.lost()).await.unwrap();
    let exit = follower.session.exit_status().unwrap();
    assert_eq!((exit.code, exit.signal), (None, None));
    // The program's terminal is gone, and so it goes.
    until("the program is gone", || {
        support::sessions::session_of(pid).is_none()
    })
    .await;
    assert_eq!(folder.sockets(), ["one.sock"]);
    assert!(folder.holds.recover().await.is_empty());
    assert_eq!(folder.sockets(), [""; 0]);
}

#[tokio::test]
async fn a_holder_that_is_told_to_end_takes_its_program_along() {
    let folder = Folder::new();
    let mut follower = folder
        .start("one", on_pty(line("echo ready; exec cat")))
        .await;
    follower.until("ready").await;
    let pid = follower.session.pid();
    let holder = Pid::from_raw(i32::try_from(folder.holders()[0]).unwrap());
    for harmless in [
        Signal::SIGHUP,
        Signal::SIGINT,
        Signal::SIGQUIT,
        Signal::SIGUSR1,
    ] {
        kill(holder, harmless).unwrap();
    }
    follower.write("hello\n");
    follower.until("hello\r\nhello").await;
    kill(holder, Signal::SIGTERM).unwrap();
    timeout(DEADLINE, follower.session.lost()).await.unwrap();
    assert_eq!(follower.session.exit_status().unwrap().signal, Some(1));
    assert!(!exists(pid));
    until("the socket is gone", || folder.sockets().is_empty()).await;
}

#[tokio::test]
async fn what_makes_no_sense_ends_the_connection_and_nothing_else() {
    let folder = Folder::new();
    let mut follower = folder
        .start("one", on_pty(line("echo ready; exec cat")))
        .await;
    follower.until("ready").await;
    let socket = folder.dir.path().join("terminals/one.sock");
    let frame = |kind: u8, payload: &[u8]| {
        let length = u32::try_from(payload.len()).unwrap().to_le_bytes();
        [&[kind], length.as_slice(), payload].concat()
    };
    let hello = b"VH\x02".to_vec();
    let attach = frame(1, b"");
    let garbage: Vec<Vec<u8>> = vec![
        b"GET / HTTP/1.1\r\n\r\n".to_vec(),
        vec![0; 100_000],
        vec![255; 100_000],
        [hello.clone(), vec![255; 100]].concat(),
        // Requests before the terminal is asked for.
        [hello.clone(), frame(9, b"")].concat(),
        [hello.clone(), frame(5, b"\x01\0\0\0aXXXXXXXXls\n")].concat(),
        // Half a frame.
        [hello.clone(), frame(7, b"\x09")[..5].to_vec()].concat(),
        // A request that is none, and one with too much in it.
        [hello.clone(), frame(77, b"")].concat(),
        [hello.clone(), frame(1, b"x")].concat(),
    ];
    for bytes in &garbage {
        let mut stream = UnixStream::connect(&socket).unwrap();
        // It may be refused before all of it is sent.
        stream.write_all(bytes).unwrap_or_default();
        stream
            .shutdown(std::net::Shutdown::Write)
            .unwrap_or_default();
        stream.set_read_timeout(Some(DEADLINE)).unwrap();
        let mut answer = Vec::new();
        // It may be refused with something unread, which is an error then.
        stream.read_to_end(&mut answer).unwrap_or_default();
        assert!(answer.is_empty() || answer == hello);
    }
    follower.write("still here\n");
    follower.until("still here\r\nstill here").await;

    // With the terminal in hand it is no better: only who sends it loses it.
    let stranger_things: Vec<Vec<u8>> = vec![
        frame(5, b"\xff\xff\xff\xff"),
        frame(5, &[b"\x01\0\0\0b".as_slice(), &[255; 8], b"xyz"].concat()),
        frame(6, b"\0\0\0\0\0\0\0\0"),
        frame(10, b"junk"),
        frame(12, &[255; 16]),
        frame(3, &[255; 16]),
        frame(4, &[0; 8]),
        frame(7, b"\xff"),
        vec![5, 255, 255, 255, 127],
    ];
    for bytes in &stranger_things {
        let mut stream = UnixStream::connect(&socket).unwrap();
        stream.set_read_timeout(Some(DEADLINE)).unwrap();
        stream.write_all(&hello).unwrap();
        stream.write_all(&attach).unwrap();
        // It is welcome.
        stream.read_exact(&mut [0; 4]).unwrap();
        stream.write_all(bytes).unwrap();
        stream.shutdown(std::net::Shutdown::Write).unwrap();
        stream.read_to_end(&mut Vec::new()).unwrap_or_default();
    }
    timeout(DEADLINE, follower.session.lost()).await.unwrap();
    let mut found = folder.recover_one().await;
    assert_eq!(found.session.size(), PtySize::default());
    found.write("and still\n");
    found.until("and still\r\nand still").await;
    found.forget().await;
}

#[tokio::test]
async fn nobody_else_gets_in() {
    if !nix::unistd::geteuid().is_root() {
        println!("skipped: only root can become somebody else");
        return;
    }
    let folder = Folder::new();
    let mut follower = folder
        .start("one", on_pty(line("echo ready; exec cat")))
        .await;
    follower.until("ready").await;
    // The doors are opened by mistake; the one who stands in them is asked all the same.
    let open = std::fs::Permissions::from_mode(0o777);
    let terminals = folder.dir.path().join("terminals");
    let helper = folder.dir.path().join("helper");
    std::fs::copy(std::env::current_exe().unwrap(), &helper).unwrap();
    for private in [&terminals, &terminals.join("one.sock")] {
        let mode = private.metadata().unwrap().permissions().mode();
        assert_eq!(mode & 0o077, 0, "{private:?}: {mode:o}");
    }
    for path in [
        folder.dir.path(),
        &terminals,
        &terminals.join("one.sock"),
        &helper,
    ] {
        std::fs::set_permissions(path, open.clone()).unwrap();
    }
    let run = |uid: u32| {
        let output = Command::new(&helper)
            .args(["helper", "--exact", "--ignored", "--nocapture"])
            .env("VROOM_TEST_DIR", folder.dir.path())
            .env("VROOM_TEST_DO", "knock")
            .current_dir("/")
            .uid(uid)
            .output()
            .unwrap();
        assert!(output.status.success());
        String::from_utf8(output.stdout).unwrap()
    };
    assert!(run(65534).contains("nothing"));
    assert!(run(0).contains("answered"));
    follower.write("mine\n");
    follower.until("mine\r\nmine").await;
    // Opening the folder puts it right.
    let again = Holds::open(terminals.clone(), executable().into());
    drop(again.unwrap());
    let mode = terminals.metadata().unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o700);
    follower.forget().await;
}

#[tokio::test]
async fn a_folder_of_somebody_else_is_refused() {
    if !nix::unistd::geteuid().is_root() {
        println!("skipped: only root can give a folder away");
        return;
    }
    let dir = tempfile::tempdir().unwrap();
    std::os::unix::fs::chown(dir.path(), Some(65534), None).unwrap();
    assert!(Holds::open(dir.path().to_owned(), executable().into()).is_err());
}

#[tokio::test]
async fn who_starts_it_by_hand_is_told_what_it_is() {
    let output = Command::new(executable())
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert_eq!(output.status.code(), Some(2));
    assert!(String::from_utf8_lossy(&output.stderr).contains("vroomd"));
}

/// Another process, which the tests above start: a part of this program that is no test of its own.
#[test]
#[ignore = "other tests start it"]
fn helper() {
    let Some(dir) = std::env::var_os("VROOM_TEST_DIR") else {
        return;
    };
    let terminals = Path::new(&dir).join("terminals");
    let what = std::env::var("VROOM_TEST_DO").unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        match what.as_str() {
            "follow" => {
                let holds = Holds::open(terminals, executable().into()).unwrap();
                let session = holds.recover().await.remove(0);
                loop {
                    let end = session.history().end();
                    println!("{end}");
                    session.history().changed(end).await;
                }
            }
            "start" => {
                let holds = Holds::open(terminals, executable().into()).unwrap();
                let mut meta = Meta::new("one");
                meta.persist = true;
                let session = holds.start(on_pty(program(&["cat"])), meta).await.unwrap();
                println!("{}", session.pid());
                std::future::pending::<()>().await;
            }
            _ => {
                let mut stream = UnixStream::connect(terminals.join("one.sock")).unwrap();
                stream.set_read_timeout(Some(DEADLINE)).unwrap();
                let mut byte = [0];
                // Refused is refused, however the system puts it.
                let count = stream.read(&mut byte).unwrap_or_default();
                println!("{}", ["nothing", "answered"][count]);
            }
        }
    });
}

fn client(dir: &Path, what: &str) -> Child {
    Command::new(std::env::current_exe().unwrap())
        .args(["helper", "--exact", "--ignored", "--nocapture"])
        .env("VROOM_TEST_DIR", dir)
        .env("VROOM_TEST_DO", what)
        .process_group(0)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap()
}

/// The number that a line is; 0 when it is none.
fn number(line: &str) -> usize {
    line.trim().parse().unwrap_or_default()
}

fn runs(pid: u32, file: &Path) -> bool {
    std::fs::read_link(format!("/proc/{pid}/exe")).is_ok_and(|exe| exe == file)
}

/// What `printf` makes of a text.
fn unescape(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let [first, tail @ ..] = rest {
        if let (b'\\', [a, b, c, tail @ ..]) = (*first, tail) {
            let digit = |digit: &u8| u32::from(digit - b'0');
            bytes.push(u8::try_from(digit(a) * 64 + digit(b) * 8 + digit(c)).unwrap());
            rest = tail;
        } else {
            bytes.push(*first);
            rest = tail;
        }
    }
    bytes
}

/// Several times what is kept, of all that makes a terminal work.
fn show() -> Vec<u8> {
    let mut text = String::new();
    let mut state = 1u64;
    while text.len() < 12 << 20 {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        let (a, b) = ((state >> 33) % 24 + 1, (state >> 40) % 80 + 1);
        match (state >> 48) % 8 {
            0 => write!(text, "\x1b[{};{}m", 30 + a % 8, 40 + b % 8),
            1 => write!(text, "\x1b[{a};{b}H"),
            2 => write!(text, "\x1b]0;title {a}\x07"),
            3 => write!(text, "héllo wörld 漢字 {b}\r\n"),
            4 => write!(text, "\x1b[38;2;{a};{b};7m\x1b[{}K", a % 3),
            5 => write!(text, "\x1b[?25{}", if a % 2 == 0 { 'h' } else { 'l' }),
            6 => write!(text, "\x1b[0m{}\r\n", "line of text ".repeat(5)),
            _ => write!(text, "word {state} "),
        }
        .unwrap();
    }
    text.into_bytes()
}
