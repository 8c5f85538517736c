//! The folder of the holders.

use std::fs::{DirBuilder, File, Permissions};
use std::io::{self, ErrorKind};
use std::os::fd::{AsRawFd, OwnedFd};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::sync::Arc;
use std::time::Duration;

use rustix::process::geteuid;
use tokio::io::AsyncWriteExt;
use tokio::net::UnixStream;
use tokio::process::Command;
use tokio::task::JoinSet;
use tokio::time::timeout;

use super::attach::{Beginning, Found};
use crate::hold::{Keep, MAGIC, SOCKET_SUFFIX, START, START_BYTES, Start, socket_path};
use crate::spawn::keep_files_from_children;
use crate::{Error, Meta, Session, SpawnConfig};

/// The folder where the terminals of one user have their sockets, and the program that holds them.
///
/// Its asynchronous methods need a tokio runtime with I/O and time, on which the sessions live, too.
#[derive(Clone, Debug)]
pub struct Holds {
    dir: PathBuf,
    /// Through it sockets are reached, however long the path is.
    handle: Arc<File>,
    executable: PathBuf,
    keep: Keep,
}

impl Holds {
    /// Opens the folder, and makes it where it is missing; only its owner may enter it.
    ///
    /// `executable` is `vroom-hold`; see [`Self::find_executable`].
    ///
    /// # Errors
    ///
    /// When the folder cannot be made, or belongs to someone else.
    pub fn open(dir: PathBuf, executable: PathBuf) -> Result<Self, Error> {
        let dir = std::path::absolute(dir)?;
        DirBuilder::new().recursive(true).mode(0o700).create(&dir)?;
        let handle = File::open(&dir)?;
        let found = handle.metadata()?;
        if !found.is_dir() || found.uid() != geteuid().as_raw() {
            let why = format!("{}: not a folder of this user", dir.display());
            return Err(io::Error::new(ErrorKind::PermissionDenied, why).into());
        }
        if found.mode() & 0o077 != 0 {
            handle.set_permissions(Permissions::from_mode(0o700))?;
        }
        Ok(Self {
            dir,
            handle: Arc::new(handle),
            executable: std::path::absolute(executable)?,
            keep: Keep::default(),
        })
    }

    /// How long holders that are started from now on keep what nobody asks for.
    #[must_use]
    pub fn with_keep(self, keep: Keep) -> Self {
        Self { keep, ..self }
    }

    /// Where `vroom-hold` is: what `VROOM_HOLD` names, or beside this program, or in `PATH`.
    pub fn find_executable() -> Option<PathBuf> {
        if let Some(named) = std::env::var_os("VROOM_HOLD").filter(|named| !named.is_empty()) {
            return Some(named.into());
        }
        let own = std::env::current_exe().ok();
        let beside = own.as_deref().and_then(Path::parent).map(Path::to_owned);
        let path = std::env::var_os("PATH").unwrap_or_default();
        let folders = beside.into_iter().chain(std::env::split_paths(&path));
        let mut candidates = folders.map(|folder| folder.join(EXECUTABLE));
        candidates.find(|candidate| candidate.is_file())
    }

    /// Starts a program on a terminal that outlives this process.
    ///
    /// The session begins without answering the program's queries: who starts it watches it.
    ///
    /// # Errors
    ///
    /// When the program cannot be found or started; [`Error::BadId`] when the id is taken or none at
    /// all; [`Error::Holder`] when there is too much to know about it or the holder does not start.
    pub async fn start(&self, config: SpawnConfig, meta: Meta) -> Result<Arc<Session>, Error> {
        if config.pty.is_none() {
            return Err(Error::NoPty);
        }
        if !Meta::is_id(&meta.id) {
            return Err(Error::BadId { id: meta.id });
        }
        if !meta.is_possible() {
            return Err(Error::Holder("cannot keep so much about it"));
        }
        let id = meta.id.clone();
        let start = Start {
            config,
            meta,
            keep: self.keep,
            dir: self.dir.clone(),
            executable: self.executable.clone(),
        };
        let mut message = [MAGIC, START].concat();
        let mut body = Vec::new();
        start.encode(&mut body);
        let length = u32::try_from(body.len()).map_err(|_| Error::BadCommand)?;
        if u64::from(length) > START_BYTES {
            return Err(Error::BadCommand);
        }
        message.extend_from_slice(&length.to_le_bytes());
        message.extend_from_slice(&body);
        let begin = async {
            let mut stream = self.launch(&id)?;
            // A holder that is none ends, and then the answer is missing, too.
            let told = stream.write_all(&message).await;
            let begun = Beginning::new(stream).with_new().await;
            told?;
            begun
        };
        let begun = timeout(PATIENCE, begin).await;
        begun.map_err(|_| Error::Holder("does not answer"))?
    }

    /// Finds all terminals that live in the folder, also those whose program has ended.
    ///
    /// Each begins with answering the program's queries: nobody watches it yet. What is left of
    /// holders that died is removed.
    pub async fn recover(&self) -> Vec<Arc<Session>> {
        let entries = match std::fs::read_dir(&self.dir) {
            Ok(entries) => entries,
            Err(error) => {
                tracing::warn!(%error, "the folder of the terminals cannot be read");
                return Vec::new();
            }
        };
        let mut found = JoinSet::new();
        for entry in entries.filter_map(Result::ok) {
            let name = entry.file_name();
            let id = name
                .to_str()
                .and_then(|name| name.strip_suffix(SOCKET_SUFFIX));
            if let Some(id) = id.filter(|id| Meta::is_id(id)) {
                let (holds, id) = (self.clone(), id.to_owned());
                found.spawn(async move { holds.recover_one(&id).await });
            }
        }
        let mut sessions = Vec::new();
        while let Some(session) = found.join_next().await {
            sessions.extend(session.ok().flatten());
        }
        sessions.sort_by_key(|session: &Arc<Session>| session.meta().created);
        sessions
    }

    async fn recover_one(&self, id: &str) -> Option<Arc<Session>> {
        let found = timeout(PATIENCE, self.attach(id)).await;
        match found.unwrap_or(Err(Error::Holder("does not answer"))) {
            Ok(session) => Some(session),
            Err(Error::Io(error)) if error.kind() == ErrorKind::ConnectionRefused => {
                tracing::info!(id, "the holder of a terminal has died");
                if let Err(error) = std::fs::remove_file(socket_path(&self.dir, id)) {
                    tracing::warn!(id, %error, "its socket cannot be removed");
                }
                None
            }
            Err(error) => {
                tracing::warn!(id, %error, "a terminal was not recovered");
                None
            }
        }
    }

    /// Takes one terminal over; tried again when its holder just becomes another.
    async fn attach(&self, id: &str) -> Result<Arc<Session>, Error> {
        let mut tries = 1;
        loop {
            let stream = UnixStream::connect(self.reach(id)).await?;
            match Beginning::new(stream).with_old().await {
                Ok(Found::Session(session)) => return Ok(session),
                Ok(Found::Upgrading) if tries < TRIES_MAX => {}
                Ok(Found::Upgrading) => return Err(Error::Holder("is of another version")),
                Err(Error::Io(error)) if is_cut(&error) && tries < TRIES_MAX => {}
                Err(error) => return Err(error),
            }
            tries += 1;
        }
    }

    /// The socket of a terminal by a short path.
    fn reach(&self, id: &str) -> PathBuf {
        let folder = format!("/proc/self/fd/{}", self.handle.as_raw_fd());
        socket_path(Path::new(&folder), id)
    }

    /// Starts a holder and returns the connection to it.
    fn launch(&self, id: &str) -> Result<UnixStream, Error> {
        let (ours, theirs) = std::os::unix::net::UnixStream::pair()?;
        ours.set_nonblocking(true)?;
        keep_files_from_children();
        let child = Command::new(&self.executable)
            .arg(id)
            .env_clear()
            // It is looked up in the user database where it is missing, which costs memory.
            .env("SHELL", "/bin/sh")
            .stdin(Stdio::from(OwnedFd::from(theirs)))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn();
        // When it ends before us, tokio sees to it that no zombie stays.
        drop(child.map_err(|source| Error::Start {
            program: self.executable.display().to_string(),
            source,
        })?);
        Ok(UnixStream::from_std(ours)?)
    }
}

/// Whether a connection ended before it should.
fn is_cut(error: &io::Error) -> bool {
    let kinds = [
        ErrorKind::UnexpectedEof,
        ErrorKind::ConnectionReset,
        ErrorKind::BrokenPipe,
    ];
    kinds.contains(&error.kind())
}

/// The program that holds a terminal.
const EXECUTABLE: &str = "vroom-hold";

/// How long a holder may take to answer; without an answer it counts as broken.
const PATIENCE: Duration = Duration::from_secs(20);

/// How often a holder is asked that goes away while it answers.
const TRIES_MAX: usize = 3;
