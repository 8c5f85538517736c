//! What programs find around them. Nothing here may depend on what runs beside it.

mod support;

use std::os::fd::AsRawFd;

use nix::fcntl::{FcntlArg, fcntl};
use support::sessions::Folder;
use support::{Driver, line, on_pipes, on_pty, program};
use vroom_terminal::{ALLOWED, environment};

#[tokio::test]
async fn the_environment_is_what_was_built_and_no_more() {
    let mut config = on_pty(program(&["env"]));
    let set_env = [
        ("LC_TIME", "de_DE.UTF-8"),
        ("COLORTERM", "24bit"),
        ("BASH_ENV", "/tmp/evil"),
    ];
    let set_env = set_env.map(|(name, value)| (name.to_owned(), value.to_owned()));
    config.env = environment(&config.account, [], &ALLOWED, set_env);
    assert_eq!(config.env.refused, ["BASH_ENV"]);
    let folder = Folder::new();
    let mut follower = folder.start("one", config).await;
    follower.finish().await;
    let text = follower.text();
    let mut names: Vec<&str> = text
        .lines()
        .filter_map(|line| Some(line.split_once('=')?.0))
        .collect();
    names.sort_unstable();
    let expected = [
        "COLORTERM",
        "HOME",
        "LANG",
        "LC_TIME",
        "LOGNAME",
        "PATH",
        "SHELL",
        "TERM",
        "USER",
    ];
    assert_eq!(names, expected);
    assert!(text.contains("COLORTERM=24bit"));
    assert!(text.contains("TERM=xterm"));
}

#[tokio::test]
async fn without_a_terminal_there_is_no_term() {
    let mut driver = Driver::spawn(on_pipes(program(&["env"])));
    driver.finish().await;
    assert!(!driver.text().contains("TERM="));
}

#[tokio::test]
async fn an_unknown_terminal_type_becomes_a_common_one() {
    let mut config = on_pty(line("echo $TERM"));
    config.pty.as_mut().unwrap().kind.term = "xterm-no-such".into();
    let folder = Folder::new();
    let mut follower = folder.start("one", config).await;
    follower.finish().await;
    assert_eq!(follower.text(), "xterm-256color\r\n");
}

#[tokio::test]
async fn no_file_of_ours_is_open_in_a_program() {
    // A file that a careless library left open to children, with a number that no shell uses.
    let file = std::fs::File::open("/dev/null").unwrap();
    let leaked = fcntl(file.as_raw_fd(), FcntlArg::F_DUPFD(100)).unwrap();
    let leaked = leaked.to_string();
    let mut driver = Driver::spawn(on_pipes(line("echo /proc/$$/fd/*")));
    driver.finish().await;
    let text = driver.text();
    let paths = text.split_whitespace();
    let open: Vec<&str> = paths.filter_map(|path| path.rsplit('/').next()).collect();
    assert!(
        open.starts_with(&["0", "1", "2"]) || open.starts_with(&["0", "1", "10"]),
        "{text}"
    );
    assert!(!open.contains(&leaked.as_str()), "{text}");
}

#[tokio::test]
async fn no_signal_is_ignored_or_blocked_in_a_program() {
    let command = program(&["grep", "-E", "Sig(Ign|Blk)", "/proc/self/status"]);
    let mut driver = Driver::spawn(on_pipes(command));
    driver.finish().await;
    let text = driver.text();
    let masks: Vec<u64> = text
        .split_whitespace()
        .filter_map(|word| u64::from_str_radix(word, 16).ok())
        .collect();
    // Signal 32 and above are not for programs to choose, but for the C library and the system.
    let standard: Vec<u64> = masks.iter().map(|mask| mask & 0x7fff_ffff).collect();
    assert_eq!(standard, [0, 0], "{text}");
}
