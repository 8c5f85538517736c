//! Programs on a PTY.
#![expect(
    clippy::unwrap_used,
    reason = "a test fails where its own functions fail"
)]

mod support;

use std::collections::BTreeMap;

use support::{Driver, all_bytes, line, on_pty, program};
use vroom_terminal::{Command, Error, PtySize, Terminal};

#[tokio::test]
async fn all_bytes_come_out_as_they_are() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("bytes");
    std::fs::write(&file, all_bytes()).unwrap();
    let command = line(format!("stty raw -echo; cat {}", file.display()));
    let mut driver = Driver::spawn(on_pty(command));
    let exit = driver.finish().await;
    assert_eq!(driver.seen, all_bytes());
    assert_eq!(exit.code, Some(0));
    assert_eq!(exit.output_bytes, all_bytes().len() as u64);
}

#[tokio::test]
async fn all_bytes_go_in_as_they_are() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("bytes");
    let count = all_bytes().len();
    let command = line(format!(
        "stty raw -echo; printf ready; head -c {count} >{}",
        file.display()
    ));
    let mut driver = Driver::spawn(on_pty(command));
    driver.until("ready").await;
    driver.write(all_bytes());
    assert_eq!(driver.finish().await.code, Some(0));
    assert_eq!(std::fs::read(&file).unwrap(), all_bytes());
}

#[tokio::test]
async fn a_long_paste_arrives_whole() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("paste");
    let text: String = (0..60_000)
        .map(|number| format!("line {number} of a paste\n"))
        .collect();
    assert!(text.len() > 1024 * 1024);
    // As a person pastes: in line mode, with echo.
    let command = line(format!("printf ready; cat >{}", file.display()));
    let mut driver = Driver::spawn(on_pty(command));
    driver.until("ready").await;
    driver.write(&text);
    driver.write([4]);
    assert_eq!(driver.finish().await.code, Some(0));
    assert!(std::fs::read_to_string(&file).unwrap() == text);
}

#[tokio::test]
async fn a_new_size_is_told_to_the_program() {
    let watch = "trap 'stty size' WINCH; echo ready; while :; do sleep 0.05; done";
    let mut driver = Driver::spawn(on_pty(line(watch)));
    driver.until("ready").await;
    let size = PtySize {
        rows: 33,
        cols: 111,
        px_w: 999,
        px_h: 660,
    };
    driver.terminal.resize(size).unwrap();
    driver.until("33 111").await;
    assert_eq!(driver.terminal.size(), Some(size));
    let none = PtySize { rows: 0, ..size };
    assert!(matches!(driver.terminal.resize(none), Err(Error::BadSize)));
    support::end(&driver.terminal).await;
}

#[tokio::test]
async fn the_first_size_is_there_from_the_start() {
    let mut config = on_pty(line("stty size"));
    if let Some(pty) = &mut config.pty {
        pty.size.rows = 50;
        pty.size.cols = 132;
    }
    let mut driver = Driver::spawn(config);
    driver.finish().await;
    assert_eq!(driver.text(), "50 132\r\n");
}

#[tokio::test]
async fn a_signal_reaches_the_program() {
    let wait = "trap 'echo got it; exit 3' USR1; echo ready; while :; do sleep 0.05; done";
    let mut driver = Driver::spawn(on_pty(line(wait)));
    driver.until("ready").await;
    driver.terminal.signal(10).unwrap();
    driver.until("got it").await;
    assert_eq!(driver.exit().await.code, Some(3));
}

#[tokio::test]
async fn a_signal_is_for_the_foreground_only() {
    let mut driver = Driver::spawn(on_pty(program(&["bash", "--norc", "-i"])));
    driver.write("echo re''ady; sleep 1000\n");
    driver.until("ready").await;
    // The shell is in the foreground until it has started the program.
    let pid = driver.terminal.pid();
    while !foreground_is_other(pid) {
        tokio::task::yield_now().await;
    }
    driver.terminal.signal(15).unwrap();
    driver.write("echo status=$?\n");
    driver.until("status=143").await;
    assert_eq!(driver.terminal.exit_status(), None);
    support::end(&driver.terminal).await;
}

/// Whether another group than the leader's has the terminal.
fn foreground_is_other(leader: u32) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{leader}/stat")).unwrap();
    let (_, fields) = stat.rsplit_once(')').unwrap();
    let fields: Vec<&str> = fields.split_ascii_whitespace().collect();
    fields[5] != fields[2]
}

#[tokio::test]
async fn signals_that_are_not_for_users_are_refused() {
    let driver = Driver::spawn(on_pty(program(&["cat"])));
    for signal in [0, 11, 19, 28, 64, 255] {
        let refused = driver.terminal.signal(signal);
        assert!(matches!(refused, Err(Error::SignalRefused(_))), "{signal}");
    }
    assert_eq!(driver.terminal.exit_status(), None);
    driver.terminal.signal(9).unwrap();
    assert_eq!(driver.exit().await.signal, Some(9));
}

#[tokio::test]
async fn an_exit_says_how() {
    let mut driver = Driver::spawn(on_pty(line("printf bye; exit 7")));
    let exit = driver.finish().await;
    assert_eq!(
        (exit.code, exit.signal, exit.output_bytes),
        (Some(7), None, 3)
    );
    assert_eq!(exit.signal_name(), None);
    let mut driver = Driver::spawn(on_pty(line("kill -TERM $$")));
    let exit = driver.finish().await;
    assert_eq!((exit.code, exit.signal), (None, Some(15)));
    assert_eq!(exit.signal_name(), Some("TERM"));
    assert!(!exit.core_dumped);
}

#[tokio::test]
async fn everything_written_comes_before_the_exit() {
    for _ in 0..5 {
        let command = line("head -c 1500000 /dev/zero | tr '\\0' x");
        let driver = Driver::spawn(on_pty(command));
        driver.terminal.set_reader_offset(None);
        let exit = driver.exit().await;
        assert_eq!(exit.output_bytes, 1_500_000);
        assert_eq!(driver.terminal.history().end(), 1_500_000);
    }
}

#[tokio::test]
async fn an_exit_does_not_wait_for_a_child_that_stays() {
    let leave = "trap '' HUP; exec 3<&0; (read wait <&3; echo late) & echo early";
    let mut driver = Driver::spawn(on_pty(line(leave)));
    let exit = driver.exit().await;
    assert_eq!(exit.code, Some(0));
    driver.until("early").await;
    assert!(!driver.terminal.history().is_ended());
    driver.write("go\n");
    driver.until("late").await;
    driver.finish().await;
}

#[tokio::test]
async fn a_login_shell_knows_that_it_is_one() {
    for (login, expected) in [(true, "<-sh>"), (false, "</bin/sh>")] {
        let shell = Some("/bin/sh".into());
        let mut driver = Driver::spawn(on_pty(Command::Shell { shell, login }));
        driver.write("echo \"<$0>\"; exit\n");
        driver.until(expected).await;
        assert_eq!(driver.finish().await.code, Some(0));
    }
}

#[tokio::test]
async fn only_listed_shells_are_started() {
    let refused = Terminal::spawn(on_pty(Command::Shell {
        shell: Some("/bin/cat".into()),
        login: true,
    }));
    let error = refused.unwrap_err();
    assert!(matches!(error, Error::ShellRefused { .. }));
    assert_eq!(error.code().0, 4110);
}

#[tokio::test]
async fn a_missing_program_is_named() {
    for config in [on_pty, support::on_pipes] {
        for missing in [
            "no-such-program",
            "/no/such/program",
            "./no-such-program",
            "",
        ] {
            let error = Terminal::spawn(config(program(&[missing]))).unwrap_err();
            assert!(matches!(&error, Error::NotFound { program } if program == missing));
            assert_eq!((error.code().0, error.exit_code()), (4201, 127));
        }
        let error = Terminal::spawn(config(program(&["/etc/passwd"]))).unwrap_err();
        assert!(matches!(error, Error::NotExecutable { .. }));
        assert_eq!((error.code().0, error.exit_code()), (4201, 126));
        let error = Terminal::spawn(config(program(&[]))).unwrap_err();
        assert!(matches!(error, Error::BadCommand));
        let error = Terminal::spawn(config(program(&["echo", "a\0b"]))).unwrap_err();
        assert!(matches!(error, Error::BadCommand));
    }
}

#[tokio::test]
async fn programs_start_where_they_are_told() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().canonicalize().unwrap();
    for config in [on_pty, support::on_pipes] {
        let mut config = config(program(&["pwd"]));
        config.cwd = Some(path.clone());
        let mut driver = Driver::spawn(config.clone());
        driver.finish().await;
        assert_eq!(driver.text().trim_end(), path.to_str().unwrap());
        config.cwd = Some(path.join("none"));
        let error = Terminal::spawn(config).unwrap_err();
        assert!(matches!(error, Error::NoDirectory { .. }));
    }
}

#[tokio::test]
async fn modes_are_applied() {
    let mut config = on_pty(line("stty -a"));
    let modes = BTreeMap::from([(1, 5), (2, 255), (53, 0), (38, 0), (200, 1)]);
    config.pty.as_mut().unwrap().modes = modes;
    let mut driver = Driver::spawn(config);
    driver.finish().await;
    let text = driver.text();
    for setting in [
        "intr = ^E;",
        "quit = <undef>;",
        "-echo ",
        "-ixon",
        " iutf8",
        " icanon",
    ] {
        assert!(text.contains(setting), "{setting} is not in {text}");
    }
    let mut config = on_pty(line("stty -a"));
    config.pty.as_mut().unwrap().modes = BTreeMap::from([(42, 0)]);
    let mut driver = Driver::spawn(config);
    driver.finish().await;
    assert!(driver.text().contains("-iutf8"));
}

#[tokio::test]
async fn the_present_mode_can_be_seen() {
    let mut driver = Driver::spawn(on_pty(line(
        "printf one; read x; stty raw -echo; printf two; cat",
    )));
    driver.until("one").await;
    let mode = driver.terminal.mode().unwrap();
    assert!(mode.echo && mode.canonical);
    driver.write("\n");
    driver.until("two").await;
    let mode = driver.terminal.mode().unwrap();
    assert!(!mode.echo && !mode.canonical);
    support::end(&driver.terminal).await;
}

#[tokio::test]
async fn many_terminals_run_side_by_side() {
    let mut drivers: Vec<Driver> = (0..64)
        .map(|number| Driver::spawn(on_pty(line(format!("echo number {number}; exec cat")))))
        .collect();
    for (number, driver) in drivers.iter_mut().enumerate() {
        driver.until(&format!("number {number}\r\n")).await;
        driver.write(format!("typed {number}\n"));
    }
    for (number, driver) in drivers.iter_mut().enumerate() {
        // Once as echo, once from the program.
        let twice = format!("typed {number}\r\ntyped {number}\r\n");
        driver.until(&twice).await;
        driver.terminal.end();
    }
    for driver in &drivers {
        support::end(&driver.terminal).await;
        assert_eq!(driver.terminal.exit_status().unwrap().signal, Some(1));
    }
}
