//! Programs to test, and someone who reads them.
#![allow(
    dead_code,
    unreachable_pub,
    clippy::panic,
    clippy::unwrap_used,
    reason = "each test uses a part of it, and fails where it fails"
)]

pub mod sessions;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::signal::unix::{SignalKind, signal};
use tokio::time::timeout;
use vroom_terminal::{
    ALLOWED, Account, Command, Exit, History, Piped, PtySize, PtySpec, Read, SpawnConfig, StderrTo,
    TermKind, environment,
};

/// Far longer than anything here takes; a test that needs it has failed.
pub const DEADLINE: Duration = Duration::from_secs(30);

/// A command on a PTY.
pub fn on_pty(command: Command) -> SpawnConfig {
    SpawnConfig {
        pty: Some(PtySpec {
            kind: TermKind {
                term: "xterm".into(),
                truecolor: true,
            },
            size: PtySize::default(),
            modes: BTreeMap::new(),
        }),
        ..on_pipes(command)
    }
}

/// A command on pipes.
pub fn on_pipes(command: Command) -> SpawnConfig {
    let account = Account {
        shell: "/bin/sh".into(),
        ..Account::current().unwrap()
    };
    SpawnConfig {
        command,
        env: environment(&account, [], &ALLOWED, []),
        account,
        pty: None,
        stderr: StderrTo::Output,
        cwd: None,
    }
}

/// A line for the shell.
pub fn line(line: impl Into<String>) -> Command {
    Command::Line(line.into())
}

/// A program and its arguments.
pub fn program(argv: &[&str]) -> Command {
    Command::Program(argv.iter().map(|word| (*word).to_owned()).collect())
}

/// Someone who reads a program on pipes and has seen all it wrote.
pub struct Driver {
    pub program: Arc<Piped>,
    pub seen: Vec<u8>,
}

impl Driver {
    pub fn spawn(config: SpawnConfig) -> Self {
        // In the background of a script these are ignored, and programs would ignore them, too;
        // what we handle they do not. A handler stays when its receiver is gone.
        for kind in [
            SignalKind::hangup(),
            SignalKind::interrupt(),
            SignalKind::quit(),
        ] {
            drop(signal(kind).unwrap());
        }
        let program = Piped::spawn(config).unwrap();
        program.set_reader_offset(Some(0));
        Self {
            program,
            seen: Vec::new(),
        }
    }

    pub fn write(&self, bytes: impl AsRef<[u8]>) {
        let bytes = bytes.as_ref().to_vec();
        self.program.write(bytes.into()).unwrap();
    }

    /// Reads until a text was seen; the text may be old.
    pub async fn until(&mut self, text: &str) {
        while !find(&self.seen, text.as_bytes()) {
            let more = timeout(DEADLINE, self.more()).await;
            let seen = String::from_utf8_lossy(&self.seen);
            assert_eq!(more, Ok(true), "{text:?} did not come, but {seen:?}");
        }
    }

    /// Reads until so many bytes were seen.
    pub async fn until_bytes(&mut self, count: usize) {
        while self.seen.len() < count {
            let more = timeout(DEADLINE, self.more()).await;
            assert_eq!(more, Ok(true), "{} of {count} bytes came", self.seen.len());
        }
    }

    /// Reads to the end and says how the program ended.
    pub async fn finish(&mut self) -> Exit {
        while timeout(DEADLINE, self.more()).await.unwrap() {}
        self.exit().await
    }

    pub async fn exit(&self) -> Exit {
        timeout(DEADLINE, self.program.wait_exit()).await.unwrap()
    }

    /// What was seen, as text.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.seen).into_owned()
    }

    /// Reads what comes next; `false` at the end.
    async fn more(&mut self) -> bool {
        let history = self.program.history();
        let offset = self.seen.len() as u64;
        history.changed(offset).await;
        match history.read_from(offset, 16 * 1024) {
            Read::Bytes(bytes) => {
                self.seen.extend_from_slice(&bytes);
                self.program.set_reader_offset(Some(self.seen.len() as u64));
                true
            }
            Read::Ended => false,
            other => panic!("a driver is never {other:?}"),
        }
    }
}

/// Reads all of a history that is not paced.
pub async fn read_all(history: &History) -> Vec<u8> {
    let mut all = Vec::new();
    loop {
        let offset = all.len() as u64;
        timeout(DEADLINE, history.changed(offset)).await.unwrap();
        match history.read_from(offset, usize::MAX) {
            Read::Bytes(bytes) => all.extend_from_slice(&bytes),
            Read::Ended => return all,
            other => panic!("{other:?}"),
        }
    }
}

/// Ends a program and waits until nothing is left of it.
pub async fn end(program: &Piped) {
    program.end();
    timeout(DEADLINE, program.wait_ended()).await.unwrap();
}

pub fn find(bytes: &[u8], text: &[u8]) -> bool {
    bytes.windows(text.len()).any(|window| window == text)
}

/// Every value of a byte, several times over.
pub fn all_bytes() -> Vec<u8> {
    (0..4).flat_map(|_| 0..=255u8).collect()
}

/// Waits until a process writes no more: until nothing about it changes between two looks.
pub async fn until_stuck(pid: u32) {
    let look = || {
        let read = |file: &str| std::fs::read_to_string(format!("/proc/{pid}/{file}")).unwrap();
        (read("stat"), read("io"))
    };
    let start = Instant::now();
    let mut looks = tokio::time::interval(Duration::from_millis(50));
    looks.tick().await;
    let mut before = look();
    loop {
        looks.tick().await;
        let now = look();
        if now == before {
            return;
        }
        before = now;
        assert!(start.elapsed() < DEADLINE, "it goes on and on");
    }
}
