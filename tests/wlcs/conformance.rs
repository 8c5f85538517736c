//! Runs wlcs, the Wayland conformance suite, and holds what came out against a list in the tree.
//!
//! The list says of every test whether it passes, fails or is skipped by wlcs itself; any other
//! outcome is a failure here, be it better or worse. What was found is left in `tests/out`.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test says what is wrong by panicking"
)]

use std::collections::{BTreeMap, VecDeque};
use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::time::Duration;

#[test]
fn the_suite_of_debian_passes_as_listed() {
    let wlcs = debians().expect("wlcs is not installed; install the package wlcs");
    compare(&wlcs, "debian-12");
}

/// Run by `make wlcs`, which builds what it needs.
#[test]
#[ignore = "needs a wlcs that is built from its source"]
fn the_newest_suite_passes_as_listed() {
    let wlcs = std::env::var_os("WLCS").expect("WLCS names a wlcs");
    compare(Path::new(&wlcs), "upstream");
}

/// Runs all tests and compares what came out with the list of that name.
fn compare(wlcs: &Path, name: &str) {
    let tests = list(wlcs);
    assert!(tests.len() > 1000, "wlcs has told its tests");
    let (disabled, tests): (Vec<_>, Vec<_>) = tests
        .into_iter()
        .partition(|test| test.contains("DISABLED_"));
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let listed = here.join(format!("{name}.txt"));
    let expected = std::fs::read_to_string(&listed).unwrap_or_default();
    let expected: BTreeMap<&str, &str> = expected
        .lines()
        .filter_map(|line| line.split_once(' '))
        .map(|(word, test)| (test, word))
        .collect();
    let mut seen = run_all(wlcs, &tests, WORKERS);
    // A busy machine makes tests wait in vain, so what is not as listed has a second try alone.
    let differs = |test: &String| {
        let before = expected.get(test.as_str());
        before.is_some_and(|before| *before != seen[test].word())
    };
    let again: Vec<_> = tests.iter().filter(|test| differs(test)).cloned().collect();
    seen.extend(run_all(wlcs, &again, 1));
    let by_itself = || Outcome::Skipped("disabled".into());
    seen.extend(disabled.into_iter().map(|test| (test, by_itself())));

    let mut text = String::new();
    for (test, outcome) in &seen {
        writeln!(text, "{} {test}", outcome.word()).unwrap();
    }
    let out = here.join("../out");
    std::fs::create_dir_all(&out).unwrap();
    let found = out.join(format!("wlcs-{name}.txt"));
    std::fs::write(&found, &text).unwrap();
    let mut wrong = String::new();
    for (test, outcome) in &seen {
        let before = expected.get(test.as_str()).copied();
        if before != Some(outcome.word()) {
            let before = before.unwrap_or("not listed");
            writeln!(wrong, "{test}: {before} before, now {}", outcome.story()).unwrap();
        }
    }
    for test in expected.keys().filter(|test| !seen.contains_key(**test)) {
        writeln!(wrong, "{test}: wlcs does not have it any more").unwrap();
    }
    assert!(
        wrong.is_empty(),
        "{wrong}where it is better now, copy {} to {}",
        found.display(),
        listed.display()
    );
}

/// How a test came out.
enum Outcome {
    Passes,
    /// What wlcs said about it.
    Fails(String),
    /// Why wlcs itself did not run it.
    Skipped(String),
}

impl Outcome {
    fn word(&self) -> &'static str {
        match self {
            Self::Passes => "passes",
            Self::Fails(_) => "fails",
            Self::Skipped(_) => "skipped",
        }
    }

    fn story(&self) -> String {
        match self {
            Self::Passes => "passes".into(),
            Self::Fails(why) => format!("fails:\n{why}"),
            Self::Skipped(why) => format!("skipped: {why}"),
        }
    }
}

/// Runs tests in some processes at a time, and again what a process that died has left.
fn run_all(wlcs: &Path, tests: &[String], workers: usize) -> BTreeMap<String, Outcome> {
    let batches = tests.chunks(BATCH).map(|batch| batch.to_vec().into());
    let batches: Mutex<VecDeque<VecDeque<String>>> = Mutex::new(batches.collect());
    let seen = Mutex::new(BTreeMap::new());
    std::thread::scope(|scope| {
        for _ in 0..workers {
            scope.spawn(|| {
                loop {
                    let Some(mut batch) = batches.lock().unwrap().pop_front() else {
                        return;
                    };
                    let mut vain = 0;
                    while !batch.is_empty() {
                        let mut run = Run::start(wlcs, &batch);
                        let came = run.outcomes();
                        vain += u32::from(came.is_empty());
                        assert!(vain < STARTS, "wlcs ran none of {batch:?}");
                        batch.retain(|test| !came.iter().any(|(name, _)| name == test));
                        seen.lock().unwrap().extend(came);
                    }
                }
            });
        }
    });
    seen.into_inner().unwrap()
}

/// One process of wlcs.
struct Run {
    child: Child,
    lines: Receiver<String>,
}

impl Run {
    fn start(wlcs: &Path, tests: &VecDeque<String>) -> Self {
        let filter: Vec<&str> = tests.iter().map(String::as_str).collect();
        let mut child = Command::new(wlcs)
            .arg(integration())
            .arg(format!("--gtest_filter={}", filter.join(":")))
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let out = BufReader::new(child.stdout.take().unwrap());
        let (sender, lines) = channel();
        std::thread::spawn(move || {
            let mut lines = out.lines().map_while(Result::ok);
            lines.try_for_each(|line| sender.send(line))
        });
        Self { child, lines }
    }

    /// How the tests came out, up to the one that killed the process or did not end.
    fn outcomes(&mut self) -> Vec<(String, Outcome)> {
        let mut outcomes = Vec::new();
        let mut running: Option<String> = None;
        let mut said = String::new();
        loop {
            let line = match self.lines.recv_timeout(PATIENCE) {
                Ok(line) => line,
                Err(error) => {
                    if let Some(test) = running {
                        let why = match error {
                            RecvTimeoutError::Timeout => "it does not end",
                            RecvTimeoutError::Disconnected => "the process ended with it",
                        };
                        outcomes.push((test, Outcome::Fails(format!("{said}{why}\n"))));
                    }
                    return outcomes;
                }
            };
            let (mark, rest) = line.split_at_checked(MARK).unwrap_or(("", &line));
            let name = rest.trim_start().split([' ', ',']).next().unwrap_or("");
            let is_running = running.as_deref() == Some(name);
            match mark.trim_matches(['[', ']', ' ']) {
                "RUN" => {
                    running = Some(name.to_owned());
                    said.clear();
                }
                "OK" if is_running => outcomes.push((name.to_owned(), Outcome::Passes)),
                "FAILED" if is_running => {
                    let why = std::mem::take(&mut said);
                    outcomes.push((name.to_owned(), Outcome::Fails(why)));
                }
                "SKIP" | "SKIPPED" if is_running => {
                    let why = std::mem::take(&mut said);
                    outcomes.push((name.to_owned(), Outcome::Skipped(why.trim().into())));
                }
                _ => {
                    said.push_str(line.trim_start_matches("[          ] "));
                    said.push('\n');
                    continue;
                }
            }
            if mark.trim_matches(['[', ']', ' ']) != "RUN" {
                running = None;
            }
        }
    }
}

impl Drop for Run {
    fn drop(&mut self) {
        // It has ended by itself unless one of its tests does not.
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// The names of all tests.
fn list(wlcs: &Path) -> Vec<String> {
    let output = Command::new(wlcs)
        .arg(integration())
        .arg("--gtest_list_tests")
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    let mut suite = "";
    let mut tests = Vec::new();
    for line in text.lines() {
        let line = line.split('#').next().unwrap_or("").trim_end();
        if line.starts_with(' ') {
            tests.push(format!("{suite}{}", line.trim_start()));
        } else if line.ends_with('.') {
            suite = line;
        }
    }
    tests
}

/// The library that wlcs loads, which lies beside this program.
fn integration() -> PathBuf {
    let here = std::env::current_exe().unwrap();
    here.with_file_name("libvroom_wlcs.so")
}

/// The wlcs of the distribution, in its folder of the machine's architecture.
fn debians() -> Option<PathBuf> {
    let folders = std::fs::read_dir("/usr/lib").ok()?;
    let paths = folders.map_while(Result::ok);
    let mut paths = paths.map(|folder| folder.path().join("wlcs/wlcs"));
    paths.find(|path| path.is_file())
}

/// The processes at a time; most of them wait most of the time.
const WORKERS: usize = 4;

/// The tests of one process.
const BATCH: usize = 20;

/// How often a process may end up without a test in a batch; on a busy machine some do.
const STARTS: u32 = 4;

/// The length of the mark before each line of a result.
const MARK: usize = 12;

/// How long a test may say nothing. wlcs itself gives up waiting after ten seconds.
const PATIENCE: Duration = Duration::from_secs(40);
