//! Sessions to test, and someone who follows them.

use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use rustix::net::sockopt::socket_peercred;
use tempfile::TempDir;
use tokio::time::timeout;
use vroom_terminal::{Error, Exit, Holds, Keep, Meta, Read, Session, SpawnConfig};

use super::{DEADLINE, find};

/// A folder of holders that goes with everything in it.
pub struct Folder {
    pub dir: TempDir,
    pub holds: Holds,
}

impl Folder {
    pub fn new() -> Self {
        Self::keeping(Keep::default())
    }

    pub fn keeping(keep: Keep) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let holds = Holds::open(dir.path().join("terminals"), executable().into()).unwrap();
        let holds = holds.with_keep(keep);
        Self { dir, holds }
    }

    pub async fn start(&self, id: &str, config: SpawnConfig) -> Follower {
        Follower::new(self.try_start(id, config).await.unwrap())
    }

    pub async fn try_start(&self, id: &str, config: SpawnConfig) -> Result<Arc<Session>, Error> {
        let mut meta = Meta::new(id);
        meta.persist = true;
        self.holds.start(config, meta).await
    }

    /// The only terminal that is found.
    pub async fn recover_one(&self) -> Follower {
        let mut found = self.holds.recover().await;
        assert_eq!(found.len(), 1, "{found:?}");
        Follower::new(found.remove(0))
    }

    /// The names of the sockets that are there.
    pub fn sockets(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.dir.path().join("terminals")).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names.collect()
    }

    /// The processes that hold terminals of this folder.
    pub fn holders(&self) -> Vec<u32> {
        let names = self.sockets().into_iter();
        let paths = names.map(|name| self.dir.path().join("terminals").join(name));
        let streams = paths.filter_map(|path| UnixStream::connect(path).ok());
        let peers = streams.filter_map(|stream| socket_peercred(stream).ok());
        peers
            .map(|peer| peer.pid.as_raw_nonzero().get().unsigned_abs())
            .collect()
    }
}

impl Drop for Folder {
    /// Leaves no holder behind, whatever became of the test.
    fn drop(&mut self) {
        let holders = self.holders();
        for holder in &holders {
            let programs = format!("/proc/{holder}/task/{holder}/children");
            let programs = std::fs::read_to_string(programs).unwrap_or_default();
            let programs = programs.split_whitespace().map(|pid| pid.parse().unwrap());
            // Some programs of tests are deaf to everything else. They may have gone by themselves.
            for program in programs {
                kill(Pid::from_raw(program), Signal::SIGKILL).unwrap_or_default();
            }
            let holder = Pid::from_raw(i32::try_from(*holder).unwrap());
            kill(holder, Signal::SIGTERM).unwrap_or_default();
        }
        let start = Instant::now();
        while holders.iter().any(|holder| session_of(*holder).is_some()) {
            assert!(start.elapsed() < DEADLINE, "a holder does not end");
            std::thread::sleep(Duration::from_millis(5));
        }
    }
}

/// The program that is tested here.
pub fn executable() -> &'static str {
    env!("CARGO_BIN_EXE_vroom-hold")
}

/// The session that a process is in; `None` when it has ended.
pub fn session_of(pid: u32) -> Option<u32> {
    let stat = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
    let (_, fields) = stat.rsplit_once(')')?;
    let mut fields = fields.split_ascii_whitespace();
    let is_dead = fields.next()? == "Z";
    let session = fields.nth(2)?.parse().ok();
    session.filter(|_| !is_dead)
}

pub fn exists(pid: u32) -> bool {
    Path::new(&format!("/proc/{pid}")).exists()
}

pub fn processes(wanted: impl Fn(u32) -> bool) -> Vec<u32> {
    let entries = std::fs::read_dir("/proc").unwrap().filter_map(Result::ok);
    let pids = entries.filter_map(|entry| entry.file_name().to_str()?.parse().ok());
    pids.filter(|pid| wanted(*pid)).collect()
}

/// Waits until something is so that nobody tells us of.
pub async fn until(what: &str, mut is_so: impl FnMut() -> bool) {
    let waited = timeout(DEADLINE, async {
        let mut looks = tokio::time::interval(Duration::from_millis(5));
        while !is_so() {
            looks.tick().await;
        }
    });
    assert!(waited.await.is_ok(), "never: {what}");
}

/// Someone who follows a session and has seen all it showed since.
pub struct Follower {
    pub session: Arc<Session>,
    pub seen: Vec<u8>,
    pub offset: u64,
    pub typed: u64,
    /// Whether output may come faster than it is read; then what was seen begins anew.
    pub may_miss: bool,
}

impl Follower {
    pub fn new(session: Arc<Session>) -> Self {
        Self {
            offset: session.history().first(),
            seen: Vec::new(),
            may_miss: false,
            typed: session.input_offset("me"),
            session,
        }
    }

    /// Types as one writer.
    pub fn write(&mut self, bytes: impl AsRef<[u8]>) {
        let bytes = bytes.as_ref().to_vec();
        let count = bytes.len() as u64;
        self.session.write("me", self.typed, bytes.into()).unwrap();
        self.typed += count;
    }

    /// Reads until a text was seen; the text may be old.
    pub async fn until(&mut self, text: &str) {
        while !find(&self.seen, text.as_bytes()) {
            let more = timeout(DEADLINE, self.more()).await;
            let from = self.seen.len().saturating_sub(2000);
            let seen = String::from_utf8_lossy(&self.seen[from..]);
            assert_eq!(more, Ok(true), "{text:?} did not come, but {seen:?}");
        }
    }

    /// Reads what comes next; `false` at the end.
    pub async fn more(&mut self) -> bool {
        let history = self.session.history();
        timeout(DEADLINE, history.changed(self.offset))
            .await
            .unwrap();
        match history.read_from(self.offset, 64 * 1024) {
            Read::Bytes(bytes) => {
                self.offset += bytes.len() as u64;
                self.seen.extend_from_slice(&bytes);
                true
            }
            Read::Ended => false,
            Read::Behind { first } if self.may_miss => {
                self.offset = first;
                self.seen.clear();
                true
            }
            other => panic!("{other:?}"),
        }
    }

    /// Reads to the end.
    pub async fn finish(&mut self) {
        while self.more().await {}
    }

    pub async fn exit(&self) -> Exit {
        timeout(DEADLINE, self.session.wait_exit()).await.unwrap()
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.seen).into_owned()
    }

    /// Ends the program and lets go of everything.
    pub async fn forget(&self) {
        self.session.end_within(Duration::from_millis(200));
        self.session.forget();
        timeout(DEADLINE, self.session.lost()).await.unwrap();
    }
}
