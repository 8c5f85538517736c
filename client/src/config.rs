//! `config.toml`: hosts under names of one's own.
//!
//! ```toml
//! [defaults]
//! predict = "auto"
//!
//! [hosts.work]
//! hostname = "work.example.org"
//! user = "alice"
//! identity = "~/.ssh/work"
//! ```

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use serde::Deserialize;

use crate::options::{OptionError, Options};
use crate::paths;

/// The content of `config.toml`.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// What holds for every host that does not say otherwise.
    defaults: Host,
    /// What holds for one host, by the name that is typed.
    hosts: BTreeMap<String, Host>,
}

/// What is set for a host.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct Host {
    hostname: Option<String>,
    port: Option<u16>,
    user: Option<String>,
    identity: OneOrMany,
    identities_only: Option<bool>,
    jump: Option<String>,
    forward_local: OneOrMany,
    forward_remote: OneOrMany,
    forward_dynamic: OneOrMany,
    forward_agent: Option<String>,
    predict: Option<String>,
    escape: Option<String>,
    host_key: Option<String>,
    connect_timeout: Option<u64>,
    send_env: OneOrMany,
    env: BTreeMap<String, String>,
}

/// One text, or a list of them.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

/// Why the configuration cannot be used.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// It cannot be read.
    #[error("cannot read {}: {source}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// It is not what it should be; the cause names the line.
    #[error("{}: {source}", path.display())]
    Syntax {
        /// The file.
        path: PathBuf,
        /// Where and what.
        source: Box<toml::de::Error>,
    },
    /// A value means nothing.
    #[error("{}: hosts.{host}: {source}", path.display())]
    Value {
        /// The file.
        path: PathBuf,
        /// Where.
        host: String,
        /// What.
        source: OptionError,
    },
}

impl Config {
    /// Reads the file that was named, or the usual one if there is one.
    pub fn load(named: Option<&Path>) -> Result<Self, ConfigError> {
        let path = match named {
            Some(path) => path.to_path_buf(),
            None => match paths::config_dir() {
                Some(dir) => dir.join("config.toml"),
                None => return Ok(Self::default()),
            },
        };
        match std::fs::read_to_string(&path) {
            Ok(text) => Self::parse(&text, &path),
            Err(error) if error.kind() == io::ErrorKind::NotFound && named.is_none() => {
                Ok(Self::default())
            }
            Err(source) => Err(ConfigError::Io { path, source }),
        }
    }

    /// Reads the text of a file and checks every host in it.
    pub fn parse(text: &str, path: &Path) -> Result<Self, ConfigError> {
        let config: Self = toml::from_str(text).map_err(|source| ConfigError::Syntax {
            path: path.to_path_buf(),
            source: Box::new(source),
        })?;
        let defaults = ("defaults", &config.defaults);
        let hosts = config
            .hosts
            .iter()
            .map(|(name, host)| (name.as_str(), host));
        for (name, host) in hosts.chain([defaults]) {
            host.options().map_err(|source| ConfigError::Value {
                path: path.to_path_buf(),
                host: name.to_owned(),
                source,
            })?;
        }
        Ok(config)
    }

    /// What is set for a host, over what is set for all.
    #[must_use]
    pub fn options(&self, host: &str) -> Options {
        // Checked when the file was read.
        let options = |host: &Host| host.options().unwrap_or_default();
        let own = self.hosts.get(host).map(options).unwrap_or_default();
        own.or(options(&self.defaults))
    }

    /// The names that were given to hosts.
    pub fn aliases(&self) -> impl Iterator<Item = &str> {
        self.hosts.keys().map(String::as_str)
    }
}

impl Host {
    fn options(&self) -> Result<Options, OptionError> {
        let mut options = Options {
            host_name: self.hostname.clone(),
            port: self.port,
            user: self.user.clone(),
            identity_files: self.identity.iter().map(PathBuf::from).collect(),
            identities_only: self.identities_only,
            proxy_jump: self.jump.clone(),
            local_forwards: self.forward_local.iter().map(str::to_owned).collect(),
            remote_forwards: self.forward_remote.iter().map(str::to_owned).collect(),
            dynamic_forwards: self.forward_dynamic.iter().map(str::to_owned).collect(),
            connect_timeout: self.connect_timeout.map(std::time::Duration::from_secs),
            send_env: self.send_env.iter().map(str::to_owned).collect(),
            set_env: self.env.clone().into_iter().collect(),
            ..Options::default()
        };
        let by_name = [
            ("ForwardAgent", &self.forward_agent),
            ("Predict", &self.predict),
            ("EscapeChar", &self.escape),
            ("StrictHostKeyChecking", &self.host_key),
        ];
        for (name, value) in by_name {
            if let Some(value) = value {
                options.set(name, value)?;
            }
        }
        Ok(options)
    }
}

impl OneOrMany {
    fn iter(&self) -> impl Iterator<Item = &str> {
        match self {
            Self::One(text) => std::slice::from_ref(text),
            Self::Many(texts) => texts.as_slice(),
        }
        .iter()
        .map(String::as_str)
    }
}

impl Default for OneOrMany {
    fn default() -> Self {
        Self::Many(Vec::new())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cli::Predict;

    #[test]
    fn a_host_is_put_over_the_defaults() {
        let text = "
            [defaults]
            user = \"alice\"
            predict = \"never\"
            [hosts.work]
            hostname = \"work.example.org\"
            predict = \"always\"
            identity = [\"~/a\", \"~/b\"]
            forward_local = \"8080:localhost:80\"
        ";
        let config = Config::parse(text, Path::new("config.toml")).unwrap();
        let options = config.options("work");
        assert_eq!(options.host_name.as_deref(), Some("work.example.org"));
        assert_eq!(options.user.as_deref(), Some("alice"));
        assert_eq!(options.predict, Some(Predict::Always));
        assert_eq!(options.identity_files.len(), 2);
        assert_eq!(options.local_forwards, ["8080:localhost:80"]);
        assert_eq!(config.options("other").predict, Some(Predict::Never));
    }

    #[test]
    fn a_mistake_is_told_with_its_line() {
        let text = "[hosts.a]\nprot = 22\n";
        let error = Config::parse(text, Path::new("c.toml")).unwrap_err();
        let error = error.to_string();
        assert!(error.contains("line 2"), "{error}");
        assert!(error.contains("prot"), "{error}");
    }

    #[test]
    fn a_value_without_meaning_is_told_with_its_host() {
        let text = "[hosts.a]\npredict = \"maybe\"\n";
        let error = Config::parse(text, Path::new("c.toml")).unwrap_err();
        let error = error.to_string();
        assert!(
            error.contains("hosts.a") && error.contains("maybe"),
            "{error}"
        );
    }
}
