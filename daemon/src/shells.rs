//! The terminal half of a session: all terminals of one connection.

use std::collections::BTreeMap;
use std::future::pending;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Instant;

use bytes::Bytes;
use futures_util::future::select_all;
use vroom_protocol::terminal::{ChannelName, Plane, Server, TERMINALS_MAX};
use vroom_protocol::{ChannelId, Code, Connection};

use crate::daemon::Daemon;
use crate::identity::Identity;
use crate::origin::Origin;
use crate::shell::Shell;

/// All terminals of one connection, by the key of their channels.
#[derive(Debug)]
pub(crate) struct Shells {
    daemon: Arc<Daemon>,
    origin: Origin,
    shells: BTreeMap<Option<String>, Shell>,
    auth_failures: u8,
    /// Where programs that are started find the client's SSH agent.
    agent: Option<PathBuf>,
    /// The channel whose last words are awaited before the connection is closed.
    last_words: Option<ChannelId>,
}

impl Shells {
    /// Starts without any.
    pub(crate) fn new(daemon: Arc<Daemon>, origin: Origin) -> Self {
        Self {
            daemon,
            origin,
            shells: BTreeMap::new(),
            auth_failures: 0,
            agent: None,
            last_words: None,
        }
    }

    /// The transport is lost: nobody is waited for.
    pub(crate) fn leave(&mut self) {
        for shell in self.shells.values_mut() {
            shell.leave();
        }
    }

    /// Another transport carries them from now on.
    pub(crate) fn come_back(&mut self, origin: Origin) {
        self.origin = origin;
        for shell in self.shells.values_mut() {
            shell.come_back();
        }
    }

    /// The client leaves on purpose, and what runs is to stay.
    pub(crate) fn detach(&self) {
        for shell in self.shells.values() {
            shell.detach();
        }
    }

    /// Where programs that are started from now on find the client's SSH agent.
    pub(crate) fn set_agent(&mut self, socket: Option<&Path>) {
        if self.agent.as_deref() != socket {
            self.agent = socket.map(Path::to_owned);
        }
    }

    /// Decides about a channel that the client asks for.
    pub(crate) fn check(&self, name: &ChannelName) -> Result<(), (Code, &'static str)> {
        if !self.daemon.settings.terminals {
            return Err((Code::NOT_ALLOWED, "there are no terminals here"));
        }
        let shell = self.shells.get(&name.key);
        let expected = match name.plane {
            // The same name twice is refused by the mux; this is one whose pair is still closing.
            Plane::Control if shell.is_some() => return Err((Code::NAME_IN_USE, "still closing")),
            Plane::Control if self.shells.len() >= TERMINALS_MAX => {
                return Err((Code::LIMIT_REACHED, "too many terminals"));
            }
            Plane::Control => true,
            Plane::Pty => shell.is_some_and(Shell::expects_pty),
            Plane::Stderr => shell.is_some_and(Shell::expects_stderr),
        };
        if expected {
            Ok(())
        } else {
            Err((Code::WRONG_STATE, "that channel is not expected now"))
        }
    }

    /// A channel is open.
    pub(crate) fn on_opened(
        &mut self,
        now: Instant,
        connection: &mut Connection,
        id: ChannelId,
        name: &ChannelName,
        identity: &mut Option<Identity>,
    ) {
        if name.plane == Plane::Control {
            let shell = Shell::new(now, id, name.clone(), self.auth_failures);
            self.shells.insert(name.key.clone(), shell);
            return;
        }
        if let Some(shell) = self.shells.get_mut(&name.key) {
            shell.on_opened(now, id, name.plane);
        }
        self.work(now, connection, &name.key, identity);
    }

    /// A channel is gone.
    pub(crate) fn on_closed(
        &mut self,
        now: Instant,
        connection: &mut Connection,
        name: &ChannelName,
    ) {
        if name.plane == Plane::Control {
            if let Some(shell) = self.shells.remove(&name.key) {
                shell.close_channels(now, connection, "the terminal is closed");
            }
        } else if let Some(shell) = self.shells.get_mut(&name.key) {
            shell.on_closed(name.plane);
        }
    }

    /// A message came; credentials in it may change who the client is.
    pub(crate) fn on_message(
        &mut self,
        now: Instant,
        connection: &mut Connection,
        name: &ChannelName,
        message: (u8, Bytes),
        identity: &mut Option<Identity>,
    ) {
        if let Some(shell) = self.shells.get_mut(&name.key) {
            shell.on_message(now, connection, name.plane, message);
        }
        self.work(now, connection, &name.key, identity);
    }

    /// Sends what the programs wrote.
    pub(crate) fn pump(
        &mut self,
        now: Instant,
        connection: &mut Connection,
        identity: &mut Option<Identity>,
    ) {
        let keys: Vec<_> = self.shells.keys().cloned().collect();
        for key in keys {
            if let Some(shell) = self.shells.get_mut(&key) {
                shell.pump(now, connection, &self.daemon, identity.as_ref());
            }
            self.work(now, connection, &key, identity);
        }
        let said = |channel| connection.queued_bytes(channel) == 0;
        if self.last_words.is_some_and(said) {
            connection.close(now, Code::AUTH_FAILED, "too many failures");
        }
    }

    /// Waits until one of the programs wrote something or ended; cancel-safe.
    pub(crate) async fn ready(&mut self) {
        let running: Vec<_> = self
            .shells
            .values_mut()
            .filter(|shell| shell.is_running())
            .map(|shell| Box::pin(shell.ready()))
            .collect();
        if running.is_empty() {
            return pending().await;
        }
        select_all(running).await;
    }

    /// When a terminal has lasted too long in its stage.
    pub(crate) fn deadline(&self) -> Option<Instant> {
        self.shells.values().filter_map(Shell::deadline).min()
    }

    /// Does what one terminal's client asked for.
    fn work(
        &mut self,
        now: Instant,
        connection: &mut Connection,
        key: &Option<String>,
        identity: &mut Option<Identity>,
    ) {
        let Some(shell) = self.shells.get_mut(key) else {
            return;
        };
        let over = {
            shell.set_agent(self.agent.as_deref());
            shell.work(now, connection, &self.daemon, self.origin, identity)
        };
        // Pairs that try side by side share the tries of their connection.
        self.auth_failures = self.auth_failures.saturating_add(shell.new_failures());
        if self.auth_failures >= Server::AUTH_FAILURES_MAX {
            self.last_words.get_or_insert(shell.control());
        }
        if let Some(reason) = over {
            // The control channel's own end removes it from the table.
            shell.close_channels(now, connection, &reason);
        }
    }
}
