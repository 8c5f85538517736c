//! After the end nothing is left. These tests look at the whole process, so they are one test.
#![expect(
    clippy::unwrap_used,
    reason = "a test fails where its own functions fail"
)]

mod support;

use std::time::{Duration, Instant};

use support::{Driver, end, line, on_pipes};
use vroom_terminal::END_PATIENCE;

#[tokio::test]
async fn nothing_is_left() {
    // A program that goes when it is told.
    let mut driver = Driver::spawn(on_pipes(line("echo ready; sleep 1000 & wait")));
    driver.until("ready").await;
    let start = Instant::now();
    end(&driver.program).await;
    assert!(
        start.elapsed() < Duration::from_secs(4),
        "nobody had to be killed"
    );
    assert_eq!(driver.exit().await.signal, Some(1));
    assert_nothing_left(&driver);
    // Again is harmless.
    end(&driver.program).await;

    // One that does not, and a whole family of them.
    let stubborn =
        "trap '' HUP TERM INT; (while :; do sleep 1; done) & echo ready; while :; do sleep 1; done";
    let mut driver = Driver::spawn(on_pipes(line(stubborn)));
    driver.until("ready").await;
    let start = Instant::now();
    end(&driver.program).await;
    assert!(start.elapsed() >= END_PATIENCE, "it had its time");
    assert_eq!(driver.exit().await.signal, Some(9));
    assert_nothing_left(&driver);

    // Less patience, also for an end that has begun.
    let mut driver = Driver::spawn(on_pipes(line(stubborn)));
    driver.until("ready").await;
    let start = Instant::now();
    driver.program.end();
    driver.program.end_within(Duration::from_millis(100));
    end(&driver.program).await;
    assert!(start.elapsed() < Duration::from_secs(4));
    assert_nothing_left(&driver);

    // A child that outlives its parent.
    let mut driver = Driver::spawn(on_pipes(line(
        "(trap '' HUP; echo child; exec sleep 1000) & read go",
    )));
    driver.until("child").await;
    driver.write("\n");
    driver.exit().await;
    end(&driver.program).await;
    assert_nothing_left(&driver);

    // Dropping is ending.
    let mut driver = Driver::spawn(on_pipes(line("echo ready; exec sleep 1000")));
    driver.until("ready").await;
    let pid = driver.program.pid();
    drop(driver);
    let start = Instant::now();
    while exists(pid) {
        assert!(start.elapsed() < support::DEADLINE);
        tokio::task::yield_now().await;
    }
}

fn assert_nothing_left(driver: &Driver) {
    let pid = driver.program.pid();
    assert!(!exists(pid), "not even a zombie");
    let family: Vec<String> = family(pid);
    assert!(family.is_empty(), "{family:?}");
    assert_eq!(threads(), [""; 0]);
    assert!(driver.program.history().is_ended());
}

fn exists(pid: u32) -> bool {
    std::fs::metadata(format!("/proc/{pid}")).is_ok()
}

/// The processes that are in the group of another.
fn family(leader: u32) -> Vec<String> {
    let processes = std::fs::read_dir("/proc").unwrap().filter_map(Result::ok);
    processes
        .filter_map(|entry| std::fs::read_to_string(entry.path().join("stat")).ok())
        .filter(|stat| {
            let (_, fields) = stat.rsplit_once(')').unwrap();
            let fields: Vec<&str> = fields.split_ascii_whitespace().collect();
            let leader = leader.to_string();
            fields[0] != "Z" && fields[2] == leader
        })
        .collect()
}

/// The names of the threads that serve programs; the one that ends a program may still be leaving.
fn threads() -> Vec<String> {
    let tasks = std::fs::read_dir("/proc/self/task").unwrap();
    tasks
        .filter_map(|task| std::fs::read_to_string(task.ok()?.path().join("comm")).ok())
        .map(|name| name.trim_end().to_owned())
        .filter(|name| name.starts_with("program-") && name != "program-end")
        .collect()
}
