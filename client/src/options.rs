//! `-o` and `config.toml` options, which go by the names of ssh_config.

use std::path::PathBuf;
use std::time::Duration;

use crate::cli::Predict;
use crate::target;

/// What was set; what was not is left to whoever is asked next.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Options {
    /// The real name of the host.
    pub host_name: Option<String>,
    /// Its port.
    pub port: Option<u16>,
    /// Who to log in as.
    pub user: Option<String>,
    /// Files with private keys.
    pub identity_files: Vec<PathBuf>,
    /// Whether only those keys are tried.
    pub identities_only: Option<bool>,
    /// What happens with unknown host keys.
    pub strict_host_key_checking: Option<HostKeyChecking>,
    /// Where known hosts are kept.
    pub known_hosts: Option<PathBuf>,
    /// How long connecting may take.
    pub connect_timeout: Option<Duration>,
    /// How often the server is asked whether it is there; zero for as the server likes.
    pub alive_interval: Option<Duration>,
    /// Names of variables to send, `*` at the end is any ending.
    pub send_env: Vec<String>,
    /// Variables to set.
    pub set_env: Vec<(String, String)>,
    /// Servers to go through, separated by commas.
    pub proxy_jump: Option<String>,
    /// The escape character, or none.
    pub escape: Option<Escape>,
    /// Whether a terminal is asked for.
    pub request_tty: Option<RequestTty>,
    /// How much is said.
    pub log_level: Option<LogLevel>,
    /// Whether the agent is forwarded.
    pub forward_agent: Option<Consent>,
    /// `-L` forwards.
    pub local_forwards: Vec<String>,
    /// `-R` forwards.
    pub remote_forwards: Vec<String>,
    /// `-D` forwards.
    pub dynamic_forwards: Vec<String>,
    /// Whether a forward that cannot be made ends it all.
    pub exit_on_forward_failure: Option<bool>,
    /// Whether forwards may be used by other machines.
    pub gateway_ports: Option<bool>,
    /// Whether questions may be asked.
    pub batch_mode: Option<bool>,
    /// Where the agent is; `none` for nowhere.
    pub identity_agent: Option<String>,
    /// When typed characters are shown before they are confirmed.
    pub predict: Option<Predict>,
}

/// What happens with unknown host keys.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum HostKeyChecking {
    /// Unknown ones are refused.
    Yes,
    /// The person is asked.
    Ask,
    /// Unknown ones are kept without a question.
    AcceptNew,
    /// Nothing is checked.
    No,
}

/// The escape character.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Escape {
    /// There is none.
    None,
    /// This one.
    Char(u8),
}

/// Whether a terminal is asked for.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum RequestTty {
    /// Never.
    No,
    /// When standard input is one.
    Yes,
    /// Always.
    Force,
    /// When there is no command and standard input is one.
    Auto,
}

/// How much is said.
#[derive(Clone, Copy, Debug, Default, Eq, Ord, PartialEq, PartialOrd)]
pub enum LogLevel {
    /// Errors only.
    Quiet,
    /// What a person should know.
    #[default]
    Info,
    /// What happens.
    Verbose,
    /// All of it.
    Debug,
}

/// Whether something may be used.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Consent {
    /// Without a question.
    Yes,
    /// After a question each time.
    Ask,
    /// Never.
    No,
}

/// What is wrong with an option.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[non_exhaustive]
pub enum OptionError {
    /// It has no value.
    #[error("{0:?} needs a value: NAME=VALUE")]
    NoValue(String),
    /// Nobody knows it.
    #[error("the option {0:?} is not known here")]
    Unknown(String),
    /// Its value means nothing.
    #[error("{name} cannot be {value:?}; it is {expected}")]
    Value {
        /// The option.
        name: &'static str,
        /// Its value.
        value: String,
        /// What it may be.
        expected: &'static str,
    },
}

impl Options {
    /// Reads `NAME=VALUE` or `NAME VALUE`; the first of several counts, as for ssh.
    pub fn set_line(&mut self, line: &str) -> Result<(), OptionError> {
        let line = line.trim();
        let (name, value) = line
            .split_once(['=', ' ', '\t'])
            .ok_or_else(|| OptionError::NoValue(line.to_owned()))?;
        let value = value.trim().trim_start_matches('=').trim();
        let value = value
            .strip_prefix('"')
            .and_then(|value| value.strip_suffix('"'))
            .unwrap_or(value);
        if value.is_empty() {
            return Err(OptionError::NoValue(line.to_owned()));
        }
        self.set(name.trim(), value)
    }

    /// Sets an option by its name in ssh_config, in any case.
    pub fn set(&mut self, name: &str, value: &str) -> Result<(), OptionError> {
        match name.to_ascii_lowercase().as_str() {
            "hostname" => first(&mut self.host_name, value.to_owned()),
            "port" => {
                let port = target::parse_port(value)
                    .map_err(|_| wrong("Port", value, "a number from 1 to 65535"))?;
                first(&mut self.port, port);
            }
            "user" => first(&mut self.user, value.to_owned()),
            "identityfile" => self.identity_files.push(value.into()),
            "identitiesonly" => first(&mut self.identities_only, yes_no("IdentitiesOnly", value)?),
            "identityagent" => first(&mut self.identity_agent, value.to_owned()),
            "stricthostkeychecking" => {
                let checking = HostKeyChecking::parse(value)?;
                first(&mut self.strict_host_key_checking, checking);
            }
            "userknownhostsfile" => first(&mut self.known_hosts, value.into()),
            "connecttimeout" => {
                let timeout = seconds("ConnectTimeout", value)?;
                first(&mut self.connect_timeout, timeout);
            }
            "serveraliveinterval" => {
                let interval = seconds("ServerAliveInterval", value)?;
                first(&mut self.alive_interval, interval);
            }
            "sendenv" => self
                .send_env
                .extend(value.split_whitespace().map(str::to_owned)),
            "setenv" => {
                let pair = value
                    .split_once('=')
                    .ok_or_else(|| wrong("SetEnv", value, "NAME=VALUE"))?;
                self.set_env.push((pair.0.to_owned(), pair.1.to_owned()));
            }
            "proxyjump" => first(&mut self.proxy_jump, value.to_owned()),
            "escapechar" => first(&mut self.escape, Escape::parse(value)?),
            "requesttty" => first(&mut self.request_tty, RequestTty::parse(value)?),
            "loglevel" => first(&mut self.log_level, LogLevel::parse(value)?),
            "forwardagent" => first(&mut self.forward_agent, Consent::parse(value)?),
            "localforward" => self.local_forwards.push(forward(value)),
            "remoteforward" => self.remote_forwards.push(forward(value)),
            "dynamicforward" => self.dynamic_forwards.push(value.to_owned()),
            "exitonforwardfailure" => first(
                &mut self.exit_on_forward_failure,
                yes_no("ExitOnForwardFailure", value)?,
            ),
            "gatewayports" => first(&mut self.gateway_ports, yes_no("GatewayPorts", value)?),
            "batchmode" => first(&mut self.batch_mode, yes_no("BatchMode", value)?),
            "predict" => first(&mut self.predict, predict(value)?),
            // Means nothing here, and scripts that were made for ssh say it.
            "tcpkeepalive"
            | "compression"
            | "serveralivecountmax"
            | "controlmaster"
            | "controlpath"
            | "controlpersist" => {}
            _ => return Err(OptionError::Unknown(name.to_owned())),
        }
        Ok(())
    }

    /// Fills in from `other` what is not set here; lists grow.
    #[must_use]
    pub fn or(mut self, other: Self) -> Self {
        self.host_name = self.host_name.or(other.host_name);
        self.port = self.port.or(other.port);
        self.user = self.user.or(other.user);
        self.identity_files.extend(other.identity_files);
        self.identities_only = self.identities_only.or(other.identities_only);
        self.strict_host_key_checking = self
            .strict_host_key_checking
            .or(other.strict_host_key_checking);
        self.known_hosts = self.known_hosts.or(other.known_hosts);
        self.connect_timeout = self.connect_timeout.or(other.connect_timeout);
        self.alive_interval = self.alive_interval.or(other.alive_interval);
        self.send_env.extend(other.send_env);
        self.set_env.extend(other.set_env);
        self.proxy_jump = self.proxy_jump.or(other.proxy_jump);
        self.escape = self.escape.or(other.escape);
        self.request_tty = self.request_tty.or(other.request_tty);
        self.log_level = self.log_level.or(other.log_level);
        self.forward_agent = self.forward_agent.or(other.forward_agent);
        self.local_forwards.extend(other.local_forwards);
        self.remote_forwards.extend(other.remote_forwards);
        self.dynamic_forwards.extend(other.dynamic_forwards);
        self.exit_on_forward_failure = self
            .exit_on_forward_failure
            .or(other.exit_on_forward_failure);
        self.gateway_ports = self.gateway_ports.or(other.gateway_ports);
        self.batch_mode = self.batch_mode.or(other.batch_mode);
        self.identity_agent = self.identity_agent.or(other.identity_agent);
        self.predict = self.predict.or(other.predict);
        self
    }
}

impl HostKeyChecking {
    fn parse(value: &str) -> Result<Self, OptionError> {
        match value.to_ascii_lowercase().as_str() {
            "yes" => Ok(Self::Yes),
            "ask" => Ok(Self::Ask),
            "accept-new" => Ok(Self::AcceptNew),
            "no" | "off" => Ok(Self::No),
            _ => Err(wrong(
                "StrictHostKeyChecking",
                value,
                "yes, ask, accept-new or no",
            )),
        }
    }
}

impl Escape {
    /// Reads a character, `^X` or `none`.
    pub fn parse(value: &str) -> Result<Self, OptionError> {
        match value.as_bytes() {
            b"none" => Ok(Self::None),
            [char] if char.is_ascii() => Ok(Self::Char(*char)),
            [b'^', char @ (b'@'..=b'_' | b'a'..=b'z')] => {
                Ok(Self::Char(char.to_ascii_uppercase() & 0x1F))
            }
            _ => Err(wrong("EscapeChar", value, "one character, ^X or none")),
        }
    }
}

impl RequestTty {
    fn parse(value: &str) -> Result<Self, OptionError> {
        match value.to_ascii_lowercase().as_str() {
            "no" => Ok(Self::No),
            "yes" => Ok(Self::Yes),
            "force" => Ok(Self::Force),
            "auto" => Ok(Self::Auto),
            _ => Err(wrong("RequestTTY", value, "no, yes, force or auto")),
        }
    }
}

impl LogLevel {
    fn parse(value: &str) -> Result<Self, OptionError> {
        match value.to_ascii_lowercase().as_str() {
            "quiet" | "fatal" | "error" => Ok(Self::Quiet),
            "info" => Ok(Self::Info),
            "verbose" | "debug" | "debug1" => Ok(Self::Verbose),
            "debug2" | "debug3" => Ok(Self::Debug),
            _ => Err(wrong("LogLevel", value, "quiet, info, verbose or debug2")),
        }
    }
}

impl Consent {
    fn parse(value: &str) -> Result<Self, OptionError> {
        match value.to_ascii_lowercase().as_str() {
            "yes" => Ok(Self::Yes),
            "ask" => Ok(Self::Ask),
            "no" => Ok(Self::No),
            _ => Err(wrong("ForwardAgent", value, "yes, ask or no")),
        }
    }
}

fn predict(value: &str) -> Result<Predict, OptionError> {
    match value.to_ascii_lowercase().as_str() {
        "auto" => Ok(Predict::Auto),
        "always" | "yes" => Ok(Predict::Always),
        "never" | "no" => Ok(Predict::Never),
        _ => Err(wrong("Predict", value, "auto, always or never")),
    }
}

/// `port host:hostport` of a configuration file is `port:host:hostport` of the command line.
fn forward(value: &str) -> String {
    value.split_whitespace().collect::<Vec<_>>().join(":")
}

fn yes_no(name: &'static str, value: &str) -> Result<bool, OptionError> {
    match value.to_ascii_lowercase().as_str() {
        "yes" | "true" => Ok(true),
        "no" | "false" => Ok(false),
        _ => Err(wrong(name, value, "yes or no")),
    }
}

fn seconds(name: &'static str, value: &str) -> Result<Duration, OptionError> {
    let seconds = value.trim_end_matches('s').parse().map(Duration::from_secs);
    seconds.map_err(|_| wrong(name, value, "a number of seconds"))
}

fn first<T>(slot: &mut Option<T>, value: T) {
    slot.get_or_insert(value);
}

fn wrong(name: &'static str, value: &str, expected: &'static str) -> OptionError {
    OptionError::Value {
        name,
        value: value.to_owned(),
        expected,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_those_of_ssh_in_any_case() {
        let mut options = Options::default();
        for line in [
            "stricthostkeychecking=accept-new",
            "ConnectTimeout 5",
            "IdentityFile = \"~/a key\"",
            "EscapeChar=^B",
            "SetEnv=A=b=c",
            "LocalForward 8080 localhost:80",
        ] {
            options.set_line(line).unwrap();
        }
        assert_eq!(
            options.strict_host_key_checking,
            Some(HostKeyChecking::AcceptNew)
        );
        assert_eq!(options.connect_timeout, Some(Duration::from_secs(5)));
        assert_eq!(options.identity_files, [PathBuf::from("~/a key")]);
        assert_eq!(options.escape, Some(Escape::Char(2)));
        assert_eq!(options.set_env, [("A".to_owned(), "b=c".to_owned())]);
        assert_eq!(options.local_forwards, ["8080:localhost:80"]);
    }

    #[test]
    fn the_first_of_several_counts() {
        let mut options = Options::default();
        options.set_line("Port=1").unwrap();
        options.set_line("Port=2").unwrap();
        assert_eq!(options.port, Some(1));
    }

    #[test]
    fn mistakes_are_named() {
        let mut options = Options::default();
        let error = options.set_line("Prot=1").unwrap_err();
        assert_eq!(error.to_string(), "the option \"Prot\" is not known here");
        let error = options.set_line("Port=x").unwrap_err().to_string();
        assert_eq!(
            error,
            "Port cannot be \"x\"; it is a number from 1 to 65535"
        );
        assert!(options.set_line("Port").is_err());
        assert!(options.set_line("Port=").is_err());
    }
}
