//! All terminals of the server, so that none is left when it ends.

use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use futures_util::future::join_all;
use vroom_terminal::{
    ALLOWED, Account, Command, Environment, Error, PtySpec, SpawnConfig, StderrTo, Terminal,
    environment,
};

/// All terminals of the server.
#[derive(Debug)]
pub(crate) struct Terminals {
    account: Account,
    base: Vec<(OsString, OsString)>,
    started: AtomicU64,
    running: Mutex<Vec<Weak<Terminal>>>,
}

/// What a client wants to run.
#[derive(Debug)]
pub(crate) struct Program {
    /// The program.
    pub(crate) command: Command,
    /// The terminal it runs on; `None` for pipes.
    pub(crate) pty: Option<PtySpec>,
    /// Where standard error goes without a terminal.
    pub(crate) stderr: StderrTo,
    /// Its environment.
    pub(crate) env: Environment,
    /// Where it starts.
    pub(crate) cwd: Option<PathBuf>,
}

impl Terminals {
    /// Runs terminals as this user, with windows on `display`.
    pub(crate) fn new(
        mut account: Account,
        shell: Option<PathBuf>,
        display: Option<PathBuf>,
    ) -> Self {
        if let Some(shell) = shell {
            account.shell = shell;
        }
        let inherited = INHERITED
            .iter()
            .filter_map(|name| Some(((*name).into(), std::env::var_os(name)?)));
        let mut base: Vec<(OsString, OsString)> = inherited.collect();
        if let Some(display) = display {
            base.push(("WAYLAND_DISPLAY".into(), display.into()));
        }
        Self {
            account,
            base,
            started: AtomicU64::new(0),
            running: Mutex::default(),
        }
    }

    /// The environment for a program, and the names that were refused.
    pub(crate) fn environment(
        &self,
        set: impl IntoIterator<Item = (String, String)>,
    ) -> Environment {
        environment(&self.account, self.base.iter().cloned(), &ALLOWED, set)
    }

    /// The name of the user that programs run as.
    pub(crate) fn user(&self) -> &str {
        &self.account.name
    }

    /// A name for one more terminal.
    pub(crate) fn next_id(&self) -> String {
        format!("t{}", self.started.fetch_add(1, Ordering::Relaxed) + 1)
    }

    /// Starts a program.
    pub(crate) fn spawn(&self, program: Program) -> Result<Arc<Terminal>, Error> {
        let terminal = Terminal::spawn(SpawnConfig {
            command: program.command,
            account: self.account.clone(),
            pty: program.pty,
            stderr: program.stderr,
            env: program.env,
            cwd: program.cwd,
        })?;
        let mut running = self.lock();
        running.retain(|terminal| terminal.strong_count() > 0);
        running.push(Arc::downgrade(&terminal));
        Ok(terminal)
    }

    /// Ends everything that was started; what does not go by itself is killed.
    pub(crate) async fn end(&self) {
        let running: Vec<_> = self
            .lock()
            .drain(..)
            .filter_map(|weak| weak.upgrade())
            .collect();
        for terminal in &running {
            terminal.end_within(PATIENCE);
        }
        join_all(running.iter().map(|terminal| terminal.wait_ended())).await;
    }

    fn lock(&self) -> MutexGuard<'_, Vec<Weak<Terminal>>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// What programs in terminals have in common with the server itself.
const INHERITED: [&str; 4] = ["LANG", "TZ", "XDG_RUNTIME_DIR", "DBUS_SESSION_BUS_ADDRESS"];

/// How long programs may take to end when the server does; then they are killed.
const PATIENCE: Duration = Duration::from_millis(800);
