//! All terminals of the server: started, found again, listed, and ended by their rules.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::{Duration, SystemTime};

use futures_util::future::join_all;
use tokio::sync::watch;
use tokio::time::{Instant, sleep, sleep_until, timeout};
use vroom_protocol::Code;
use vroom_protocol::graphical::{Recording, Role};
use vroom_protocol::mux::{SessionControl, SessionEntry, SessionKind};
use vroom_terminal::{
    ALLOWED, Account, Command, Environment, Error, Holds, Meta, Piped, PtySpec, SpawnConfig,
    StderrTo, environment,
};

use crate::auth::Auth;
use crate::hub::unix_seconds;
use crate::identity::Identity;
use crate::party::Party;
use crate::token::Secret;

/// All terminals of the server.
#[derive(Debug)]
pub(crate) struct Terminals {
    account: Account,
    base: Vec<(OsString, OsString)>,
    holds: Holds,
    rules: Rules,
    parties: Mutex<BTreeMap<String, Arc<Party>>>,
    /// The programs on pipes, which end with their client.
    pipes: Mutex<Vec<Weak<Piped>>>,
    /// What everybody at them is told of the recording.
    recording: Mutex<Option<Recording>>,
    /// Counts those that were added.
    changes: watch::Sender<u64>,
}

/// How many terminals there may be, and how long they last.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rules {
    /// How long one lasts that nobody is at and that does nothing; `None` for ever.
    pub(crate) idle: Option<Duration>,
    /// Terminals of one user at a time.
    pub(crate) per_user: usize,
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
    /// Runs terminals as this user, with windows on `display`, under holders in `holds`.
    pub(crate) fn new(
        mut account: Account,
        shell: Option<PathBuf>,
        display: Vec<(&'static str, OsString)>,
        holds: Holds,
        rules: Rules,
    ) -> Self {
        if let Some(shell) = shell {
            account.shell = shell;
        }
        let inherited = INHERITED
            .iter()
            .filter_map(|name| Some(((*name).into(), std::env::var_os(name)?)));
        let mut base: Vec<(OsString, OsString)> = inherited.collect();
        base.extend(
            display
                .into_iter()
                .map(|(name, value)| (name.into(), value)),
        );
        Self {
            account,
            base,
            holds,
            rules,
            parties: Mutex::default(),
            pipes: Mutex::default(),
            recording: Mutex::default(),
            changes: watch::Sender::new(0),
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

    /// The home of that user.
    pub(crate) fn home(&self) -> &Path {
        &self.account.home
    }

    /// A name for one more terminal, or why there cannot be one.
    pub(crate) fn next_id(&self, user: &str) -> Result<String, (Code, &'static str)> {
        let own = self.parties();
        let own = own.values().filter(|party| party.owner() == user).count();
        if own >= self.rules.per_user {
            return Err((Code::LIMIT_REACHED, "you have too many terminals"));
        }
        let random = Secret::random().map_err(|_| (Code::PTY_FAILED, "no random numbers"))?;
        let random: String = random.reveal().chars().take(ID_CHARS).collect();
        Ok(format!("t{random}"))
    }

    /// Starts a program on pipes.
    pub(crate) fn spawn(&self, program: Program) -> Result<Arc<Piped>, Error> {
        let program = Piped::spawn(self.config(program))?;
        let mut pipes = self.pipes();
        pipes.retain(|program| program.strong_count() > 0);
        pipes.push(Arc::downgrade(&program));
        Ok(program)
    }

    /// Starts a program on a terminal that outlives the server.
    pub(crate) async fn start(
        self: &Arc<Self>,
        auth: &Arc<Auth>,
        program: Program,
        meta: Meta,
    ) -> Result<Arc<Party>, Error> {
        let session = self.holds.start(self.config(program), meta).await?;
        let party = Party::new(session);
        self.keep(auth, Arc::clone(&party));
        Ok(party)
    }

    /// Finds the terminals of an earlier server again.
    pub(crate) async fn recover(self: &Arc<Self>, auth: &Arc<Auth>) {
        for session in self.holds.recover().await {
            let party = Party::new(session);
            party.recall();
            tracing::info!(id = party.session().id(), "a terminal was found again");
            self.keep(auth, party);
        }
    }

    /// Finds a terminal by its id, or by a name that only one has, for somebody who may join it.
    pub(crate) fn find(&self, identity: &Identity, id: &str) -> Option<(Arc<Party>, Role)> {
        let parties = self.parties();
        let own = |party: &Arc<Party>| Some((Arc::clone(party), party.role_of(identity)?));
        if let Some(party) = parties.get(id) {
            return own(party);
        }
        let is_it = |party: &&Arc<Party>| party.session().meta().name.as_deref() == Some(id);
        let mut named = parties.values().filter(is_it).filter_map(own);
        named.next().filter(|_| named.next().is_none())
    }

    /// The terminals that somebody may join.
    pub(crate) fn list(&self, identity: &Identity) -> Vec<SessionEntry> {
        let parties = self.parties();
        let own = parties
            .values()
            .filter_map(|party| Some(entry(party, party.role_of(identity)?)));
        own.collect()
    }

    /// All of them.
    pub(crate) fn all(&self) -> Vec<Arc<Party>> {
        self.parties().values().cloned().collect()
    }

    /// Waits for one more; cancel-safe.
    pub(crate) fn watch(&self) -> watch::Receiver<u64> {
        self.changes.subscribe()
    }

    /// Tells everybody at all terminals, and whoever comes, that they are recorded, or not any more.
    pub(crate) fn set_recording(&self, recording: Option<&Recording>) {
        let mut known = self.recording();
        *known = recording.cloned();
        for party in self.all() {
            party.set_recording(recording);
        }
    }

    /// Renames or ends a terminal.
    pub(crate) fn control(
        &self,
        identity: &Identity,
        control: &SessionControl,
    ) -> Result<(), (Code, &'static str)> {
        let unknown = (Code::NO_SUCH_TERMINAL, "there is no such terminal");
        let id = match control {
            SessionControl::Rename { session_id, .. } | SessionControl::End { session_id } => {
                session_id
            }
        };
        let (party, role) = self.find(identity, id).ok_or(unknown)?;
        if role < Role::Owner || !identity.may_manage() {
            return Err((Code::NOT_ALLOWED, "only its owner may do that"));
        }
        match control {
            SessionControl::Rename { name, .. } => self.rename(&party, name),
            SessionControl::End { .. } => {
                party.end("ended from a list of sessions");
                if party.session().exit_status().is_some() {
                    party.set_seen();
                }
                Ok(())
            }
        }
    }

    fn rename(&self, party: &Party, name: &str) -> Result<(), (Code, &'static str)> {
        if name.chars().count() > NAME_CHARS || name.chars().any(char::is_control) {
            return Err((Code::INVALID_MESSAGE, "a name is one short line"));
        }
        let id = party.session().id();
        let is_taken = |other: &Arc<Party>| {
            let meta = other.session().meta();
            other.owner() == party.owner() && meta.id != id && meta.name.as_deref() == Some(name)
        };
        if !name.is_empty() && self.parties().values().any(is_taken) {
            return Err((Code::NAME_IN_USE, "another terminal has that name"));
        }
        party
            .session()
            .set_name((!name.is_empty()).then(|| name.to_owned()));
        Ok(())
    }

    /// Ends everything that does not outlive the server; what does not go by itself is killed.
    pub(crate) async fn end(&self) {
        let pipes: Vec<_> = self
            .pipes()
            .drain(..)
            .filter_map(|weak| weak.upgrade())
            .collect();
        for program in &pipes {
            program.end_within(PATIENCE);
        }
        let parties: Vec<_> = std::mem::take(&mut *self.parties()).into_values().collect();
        let passing: Vec<_> = parties
            .iter()
            .map(|party| party.session())
            .filter(|session| !session.meta().persist)
            .collect();
        for session in &passing {
            session.end_within(PATIENCE);
        }
        let passing = passing.iter().map(|session| async move {
            session.wait_ended().await;
            session.forget();
        });
        tokio::join!(
            join_all(pipes.iter().map(|program| program.wait_ended())),
            join_all(passing)
        );
    }

    fn config(&self, program: Program) -> SpawnConfig {
        SpawnConfig {
            command: program.command,
            account: self.account.clone(),
            pty: program.pty,
            stderr: program.stderr,
            env: program.env,
            cwd: program.cwd,
        }
    }

    /// Keeps a terminal until its end was seen, or nobody will ever see it.
    fn keep(self: &Arc<Self>, auth: &Arc<Auth>, party: Arc<Party>) {
        let id = party.session().id().to_owned();
        {
            let recording = self.recording();
            party.set_recording(recording.as_ref());
            self.parties().insert(id.clone(), Arc::clone(&party));
        }
        self.changes.send_modify(|changes| *changes += 1);
        let (all, auth, rules) = (Arc::downgrade(self), Arc::clone(auth), self.rules);
        tokio::spawn(async move {
            watch_over(&party, rules).await;
            if let Some(all) = all.upgrade() {
                all.parties().remove(&id);
            }
            auth.links().revoke_all(&id);
            tracing::debug!(id, "a terminal is gone");
        });
    }

    fn parties(&self) -> MutexGuard<'_, BTreeMap<String, Arc<Party>>> {
        self.parties.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn recording(&self) -> MutexGuard<'_, Option<Recording>> {
        self.recording
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
    }

    fn pipes(&self) -> MutexGuard<'_, Vec<Weak<Piped>>> {
        self.pipes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Waits until a terminal is over: it ended and that was seen, nobody can come back to it, or it is
/// lost. Nothing ends in silence: what ends it is said to whoever looks later.
async fn watch_over(party: &Party, rules: Rules) {
    let session = party.session();
    let mut changes = party.watch();
    let started = Instant::now();
    loop {
        changes.mark_unchanged();
        if session.is_lost() {
            return;
        }
        let is_deserted = party.is_deserted();
        let joined = party.was_joined();
        let ended = session.exit_status().is_some();
        let persists = session.meta().persist;
        if ended && is_deserted && (party.is_seen() || (joined && !persists)) {
            session.forget();
            return;
        }
        // One that somebody left, or that an earlier server left and nobody came back to.
        let orphaned_at = (!persists && is_deserted && !ended).then(|| {
            if joined {
                Instant::now()
            } else {
                started + ORPHANED
            }
        });
        if orphaned_at.is_some_and(|at| at <= Instant::now()) {
            party.end("its client is gone");
            // The program may take its time, and is killed after that.
            drop(timeout(PATIENCE_MAX, session.wait_ended()).await);
            session.forget();
            return;
        }
        let idle_at = rules
            .idle
            .filter(|_| is_deserted && !ended)
            .map(|idle| (idle, rest_of(session.last_activity(), idle)));
        if let Some((idle, left)) = idle_at
            && left.is_zero()
        {
            tracing::info!(id = session.id(), "a terminal was idle for too long");
            party.end(&format!("idle for {} seconds", idle.as_secs()));
            drop(timeout(PATIENCE_MAX, session.wait_ended()).await);
            continue;
        }
        let idle = async {
            match idle_at {
                Some((_, left)) => sleep(left).await,
                None => std::future::pending().await,
            }
        };
        let orphaned = async {
            match orphaned_at {
                Some(at) => sleep_until(at).await,
                None => std::future::pending().await,
            }
        };
        let exit = async {
            if ended {
                std::future::pending::<()>().await;
            }
            session.wait_exit().await;
        };
        tokio::select! {
            _ = changes.changed() => {}
            () = exit => {}
            () = session.lost() => {}
            () = idle => {}
            () = orphaned => {}
        }
    }
}

/// How much of a time since some moment is left.
fn rest_of(since: SystemTime, time: Duration) -> Duration {
    time.saturating_sub(since.elapsed().unwrap_or_default())
}

fn entry(party: &Party, role: Role) -> SessionEntry {
    let session = party.session();
    let (meta, size) = (session.meta(), session.size());
    let title = session.state().borrow().title.to_string();
    let exit = session.exit_status().filter(|_| !party.is_seen());
    let exit = exit.map(|exit| match (exit.code, exit.signal) {
        (Some(code), _) => code.into(),
        (None, Some(signal)) => 128 + u32::from(signal),
        (None, None) => UNKNOWN_EXIT,
    });
    SessionEntry {
        session_id: meta.id,
        name: meta.name.unwrap_or_default(),
        created: unix_seconds(meta.created),
        last_activity: unix_seconds(session.last_activity()),
        attached_clients: u32::try_from(party.attached()).unwrap_or(u32::MAX),
        kind: Some(SessionKind::Terminal),
        title: Some(title).filter(|title| !title.is_empty()),
        rows: Some(size.rows),
        cols: Some(size.cols),
        role: Some(role.name().to_owned()),
        exit,
        pid: Some(session.pid()),
        ..SessionEntry::default()
    }
}

/// What programs in terminals have in common with the server itself.
const INHERITED: [&str; 4] = ["LANG", "TZ", "XDG_RUNTIME_DIR", "DBUS_SESSION_BUS_ADDRESS"];

/// How long programs may take to end when the server does; then they are killed.
const PATIENCE: Duration = Duration::from_millis(800);

/// How long the end of one terminal is waited for; a little more than its processes have.
const PATIENCE_MAX: Duration = Duration::from_secs(10);

/// How long a terminal that does not outlive its client waits for it after the server was restarted.
const ORPHANED: Duration = Duration::from_secs(300);

/// The random characters of an id.
const ID_CHARS: usize = 12;

/// The longest name of a terminal.
pub(crate) const NAME_CHARS: usize = 128;

/// What is listed when nobody knows how a program ended.
const UNKNOWN_EXIT: u32 = 255;
