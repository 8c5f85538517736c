//! Programs on a PTY.
#![expect(
    clippy::unwrap_used,
    reason = "a test fails where its own functions fail"
)]

mod support;

use std::collections::BTreeMap;

use support::sessions::{Folder, Follower};
use support::{all_bytes, line, on_pty, program};
use tokio::time::timeout;
use vroom_terminal::{Command, Error, SpawnConfig};

/// A terminal of its own folder.
async fn start(config: SpawnConfig) -> (Folder, Follower) {
    let folder = Folder::new();
    let follower = folder.start("one", config).await;
    (folder, follower)
}

#[tokio::test]
async fn all_bytes_come_out_as_they_are() {
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("bytes");
    std::fs::write(&file, all_bytes()).unwrap();
    let command = line(format!("stty raw -echo; cat {}", file.display()));
    let (_folder, mut follower) = start(on_pty(command)).await;
    follower.finish().await;
    assert_eq!(follower.seen, all_bytes());
    let exit = follower.exit().await;
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
    let (_folder, mut follower) = start(on_pty(command)).await;
    follower.until("ready").await;
    follower.write(all_bytes());
    assert_eq!(follower.exit().await.code, Some(0));
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
    let (_folder, mut follower) = start(on_pty(command)).await;
    follower.until("ready").await;
    follower.write(&text);
    follower.write([4]);
    assert_eq!(follower.exit().await.code, Some(0));
    assert!(std::fs::read_to_string(&file).unwrap() == text);
}

#[tokio::test]
async fn the_first_size_is_there_from_the_start() {
    let mut config = on_pty(line("stty size"));
    if let Some(pty) = &mut config.pty {
        pty.size.rows = 50;
        pty.size.cols = 132;
    }
    let (_folder, mut follower) = start(config).await;
    follower.finish().await;
    assert_eq!(follower.text(), "50 132\r\n");
}

#[tokio::test]
async fn a_signal_reaches_the_program() {
    let wait = "trap 'echo got it; exit 3' USR1; echo ready; while :; do sleep 0.05; done";
    let (_folder, mut follower) = start(on_pty(line(wait))).await;
    follower.until("ready").await;
    follower.session.signal(10).unwrap();
    follower.until("got it").await;
    assert_eq!(follower.exit().await.code, Some(3));
}

#[tokio::test]
async fn a_signal_is_for_the_foreground_only() {
    let (_folder, mut follower) = start(on_pty(program(&["bash", "--norc", "-i"]))).await;
    follower.write("echo re''ady; sleep 1000\n");
    follower.until("ready").await;
    // The shell is in the foreground until it has started the program.
    let pid = follower.session.pid();
    while !foreground_is_other(pid) {
        tokio::task::yield_now().await;
    }
    follower.session.signal(15).unwrap();
    follower.write("echo status=$?\n");
    follower.until("status=143").await;
    assert_eq!(follower.session.exit_status(), None);
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
    let (_folder, follower) = start(on_pty(program(&["cat"]))).await;
    for signal in [0, 11, 19, 28, 64, 255] {
        let refused = follower.session.signal(signal);
        assert!(matches!(refused, Err(Error::SignalRefused(_))), "{signal}");
    }
    assert_eq!(follower.session.exit_status(), None);
    follower.session.signal(9).unwrap();
    assert_eq!(follower.exit().await.signal, Some(9));
}

#[tokio::test]
async fn an_exit_says_how() {
    let (_folder, mut follower) = start(on_pty(line("printf bye; exit 7"))).await;
    follower.finish().await;
    let exit = follower.exit().await;
    assert_eq!(
        (exit.code, exit.signal, exit.output_bytes),
        (Some(7), None, 3)
    );
    assert_eq!(exit.signal_name(), None);
    let (_folder, follower) = start(on_pty(line("kill -TERM $$"))).await;
    let exit = follower.exit().await;
    assert_eq!((exit.code, exit.signal), (None, Some(15)));
    assert_eq!(exit.signal_name(), Some("TERM"));
    assert!(!exit.core_dumped);
}

#[tokio::test]
async fn everything_written_comes_before_the_exit() {
    for _ in 0..5 {
        let command = line("head -c 1500000 /dev/zero | tr '\\0' x");
        let (_folder, follower) = start(on_pty(command)).await;
        follower.session.set_reader_offset(None);
        let exit = follower.exit().await;
        assert_eq!(exit.output_bytes, 1_500_000);
        assert_eq!(follower.session.history().end(), 1_500_000);
    }
}

#[tokio::test]
async fn a_login_shell_knows_that_it_is_one() {
    for (login, expected) in [(true, "<-sh>"), (false, "</bin/sh>")] {
        let shell = Some("/bin/sh".into());
        let (_folder, mut follower) = start(on_pty(Command::Shell { shell, login })).await;
        follower.write("echo \"<$0>\"; exit\n");
        follower.until(expected).await;
        assert_eq!(follower.exit().await.code, Some(0));
    }
}

#[tokio::test]
async fn only_listed_shells_are_started() {
    let folder = Folder::new();
    let command = Command::Shell {
        shell: Some("/bin/cat".into()),
        login: true,
    };
    let refused = folder.try_start("one", on_pty(command)).await;
    let error = refused.unwrap_err();
    assert!(matches!(error, Error::ShellRefused { .. }));
    assert_eq!(error.code().0, 4110);
}

#[tokio::test]
async fn programs_start_where_they_are_told() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().canonicalize().unwrap();
    let mut config = on_pty(program(&["pwd"]));
    config.cwd = Some(path.clone());
    let (_folder, mut follower) = start(config).await;
    follower.finish().await;
    assert_eq!(follower.text().trim_end(), path.to_str().unwrap());
}

#[tokio::test]
async fn modes_are_applied() {
    let mut config = on_pty(line("stty -a"));
    let modes = BTreeMap::from([(1, 5), (2, 255), (53, 0), (38, 0), (200, 1)]);
    config.pty.as_mut().unwrap().modes = modes;
    let (_folder, mut follower) = start(config).await;
    follower.finish().await;
    let text = follower.text();
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
    let (_folder, mut follower) = start(config).await;
    follower.finish().await;
    assert!(follower.text().contains("-iutf8"));
}

#[tokio::test]
async fn many_terminals_run_side_by_side() {
    let folder = Folder::new();
    let mut followers = Vec::new();
    for number in 0..32 {
        let command = line(format!("echo number {number}; exec cat"));
        followers.push(folder.start(&format!("t{number}"), on_pty(command)).await);
    }
    for (number, follower) in followers.iter_mut().enumerate() {
        follower.until(&format!("number {number}\r\n")).await;
        follower.write(format!("typed {number}\n"));
    }
    for (number, follower) in followers.iter_mut().enumerate() {
        // Once as echo, once from the program.
        let twice = format!("typed {number}\r\ntyped {number}\r\n");
        follower.until(&twice).await;
        follower.session.end();
    }
    for follower in &followers {
        let ended = timeout(support::DEADLINE, follower.session.wait_ended());
        ended.await.unwrap();
        assert_eq!(follower.session.exit_status().unwrap().signal, Some(1));
    }
}
