//! What is in force for one server: flags over options over `config.toml` over what is usual.

use std::path::{Path, PathBuf};

use crate::auth::credentials::Credentials;
use crate::auth::{Agent, KeySources, Prover};
use crate::cli::Reach;
use crate::config::{Config, ConfigError};
use crate::error::Error;
use crate::forward::Forwards;
use crate::net::{Dialer, Plan, Way};
use crate::options::{HostKeyChecking, LogLevel, OptionError, Options};
use crate::paths;
use crate::remote::Remote;
use crate::target::{Place, Target, TargetError};
use crate::trust::Trust;
use crate::ui::Ui;

/// What is in force for one server.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The server, as it was named.
    pub target: Target,
    /// All that was set.
    pub options: Options,
    /// The ways to it.
    pub plan: Plan,
    /// How much is said, and whether anything may be asked.
    pub ui: Ui,
    ipv4: bool,
    ipv6: bool,
    /// What this host is called in the files of the user.
    reach: Reach,
}

/// What is wrong with the settings: the command line has to be written in another way.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum SettingsError {
    /// The target cannot be read.
    #[error(transparent)]
    Target(#[from] TargetError),
    /// An option cannot be used.
    #[error(transparent)]
    Option(#[from] OptionError),
    /// The configuration cannot be used.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// There is no way to go.
    #[error(transparent)]
    Plan(#[from] Error),
}

impl Settings {
    /// Puts together what was said in all places.
    pub fn resolve(host: &str, port: Option<u16>, reach: &Reach) -> Result<Self, SettingsError> {
        let target = Target::parse(host)?;
        let mut options = Options {
            port,
            user: reach.user.clone(),
            identity_files: reach.identity.clone(),
            proxy_jump: reach.jump.clone(),
            log_level: match (reach.quiet, reach.verbose) {
                (true, _) => Some(LogLevel::Quiet),
                (_, 0) => None,
                (_, 1) => Some(LogLevel::Verbose),
                _ => Some(LogLevel::Debug),
            },
            ..Options::default()
        };
        for line in &reach.option {
            options.set_line(line)?;
        }
        if options.user.is_none() {
            options.user.clone_from(&target.user);
        }
        let config = Config::load(reach.config.as_deref())?;
        let options = options.or(config.options(alias(&target.place)));
        let plan = Plan::new(&target.place, options.host_name.as_deref(), options.port)?;
        let level = options.log_level.unwrap_or_default();
        let ui = Ui::new(level, options.batch_mode == Some(true));
        Ok(Self {
            target,
            options,
            plan,
            ui,
            ipv4: reach.ipv4,
            ipv6: reach.ipv6,
            reach: reach.clone(),
        })
    }

    /// The name under which a login for this server is kept.
    #[must_use]
    pub fn known_as(&self) -> String {
        match self.plan.ways.first() {
            Some(Way::Net(hop)) => hop.known_as(),
            Some(Way::Unix(path)) => format!("unix:{}", path.display()),
            None => self.plan.name.clone(),
        }
    }

    /// What makes transports to it.
    pub fn dialer(&self, jump: Option<Forwards>) -> Result<Dialer, Error> {
        let saved = match Credentials::usual() {
            Some(credentials) => credentials.get(&self.known_as())?,
            None => None,
        };
        Ok(
            Dialer::new(self.plan.clone(), self.trust()?, self.ui.clone())
                .through(jump)
                .family(self.ipv4, self.ipv6)
                .times(self.options.connect_timeout, self.options.alive_interval)
                .saved(saved),
        )
    }

    /// How it proves that it is the right one.
    pub fn trust(&self) -> Result<Trust, Error> {
        let known_hosts = match &self.options.known_hosts {
            Some(path) => paths::expand(path),
            None => paths::config_dir()
                .map(|dir| dir.join("known_hosts"))
                .ok_or_else(|| {
                    Error::Declined(
                        "there is no place for known hosts: set HOME or UserKnownHostsFile"
                            .to_owned(),
                    )
                })?,
        };
        let checking = self.options.strict_host_key_checking;
        Ok(Trust::new(
            checking.unwrap_or(HostKeyChecking::Ask),
            known_hosts,
        ))
    }

    /// What proves to it who we are.
    #[must_use]
    pub fn prover(&self) -> Prover {
        let sources = KeySources {
            agent: self.agent(),
            files: self.identity_files(),
            only_files: self.options.identities_only == Some(true),
        };
        let user = self.options.user.clone();
        Prover::new(user, self.plan.name.clone(), sources, self.ui.clone())
    }

    /// The agent, where there is one that may be used.
    #[must_use]
    pub fn agent(&self) -> Option<Agent> {
        match self.options.identity_agent.as_deref() {
            Some("none") => None,
            Some("SSH_AUTH_SOCK") | None => Agent::of_environment(),
            Some(path) => Some(Agent::at(&paths::expand(Path::new(path)))),
        }
    }

    /// The files of keys that would be tried.
    #[must_use]
    pub fn key_files(&self) -> Vec<PathBuf> {
        match self.identity_files() {
            files if files.is_empty() => crate::auth::usual_key_files(),
            files => files,
        }
    }

    fn identity_files(&self) -> Vec<PathBuf> {
        let mut files: Vec<PathBuf> = Vec::new();
        for file in &self.options.identity_files {
            let file = paths::expand(file);
            if !files.contains(&file) {
                files.push(file);
            }
        }
        files
    }

    /// Connects; goes through other servers where that is wanted.
    pub async fn connect(&self, persistent: bool) -> Result<Remote, Error> {
        let jump = match &self.options.proxy_jump {
            Some(jumps) if jumps != "none" => Some(Box::pin(self.jump(jumps)).await?),
            _ => None,
        };
        let dialer = self.dialer(jump)?;
        Remote::connect(dialer, persistent).await
    }

    /// Connects to the last of several servers, each through the one before.
    async fn jump(&self, jumps: &str) -> Result<Forwards, Error> {
        let (before, last) = match jumps.rsplit_once(',') {
            Some((before, last)) => (Some(before.to_owned()), last),
            None => (None, jumps),
        };
        let reach = Reach {
            jump: Some(before.unwrap_or_else(|| "none".to_owned())),
            user: None,
            option: Vec::new(),
            ..self.reach.clone()
        };
        let settings = Self::resolve(last.trim(), None, &reach)
            .map_err(|error| Error::Declined(format!("the jump over {last}: {error}")))?;
        let remote = settings.connect(true).await?;
        crate::commands::log_in(&settings, &remote).await?;
        Ok(Forwards::new(remote, settings.ui.clone()))
    }
}

/// The name that the configuration may know a place by.
fn alias(place: &Place) -> &str {
    match place {
        Place::Host { host, .. } | Place::Url { host, .. } => host,
        Place::Unix(_) => "",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn resolve(host: &str, reach: &Reach) -> Settings {
        Settings::resolve(host, None, reach).unwrap()
    }

    #[test]
    fn flags_go_over_options_over_the_file() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("config.toml");
        let text = "[hosts.work]\nhostname = \"w.example\"\nuser = \"file\"\nport = 1\n";
        std::fs::write(&path, text).unwrap();
        let mut reach = Reach {
            config: Some(path),
            ..Reach::default()
        };
        assert_eq!(resolve("work", &reach).known_as(), "w.example:1");
        assert_eq!(
            resolve("work", &reach).options.user.as_deref(),
            Some("file")
        );
        let user = resolve("me@work", &reach).options.user;
        assert_eq!(user.as_deref(), Some("me"));
        reach.option = vec!["User=option".into(), "Port=2".into()];
        let settings = resolve("me@work", &reach);
        assert_eq!(settings.options.user.as_deref(), Some("option"));
        assert_eq!(settings.known_as(), "w.example:2");
        reach.user = Some("flag".into());
        let settings = resolve("work:3", &reach);
        assert_eq!(settings.options.user.as_deref(), Some("flag"));
        assert_eq!(settings.known_as(), "w.example:3");
    }
}
