//! What `vroom login` saved: one secret per server, readable by nobody else.

use std::collections::BTreeMap;
use std::fmt;
use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};
use vroom_protocol::Auth;

use crate::error::Error;
use crate::paths;

/// A secret that a server knows us by.
#[derive(Clone, Deserialize, PartialEq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Saved {
    /// The token of the server.
    Token(String),
    /// A session key that the server gave for a pairing code.
    Session(String),
}

impl Saved {
    /// What a HELLO says.
    #[must_use]
    pub fn auth(&self) -> Auth {
        match self {
            Self::Token(token) => Auth::Token(token.clone()),
            Self::Session(key) => Auth::Session(key.clone()),
        }
    }
}

impl fmt::Debug for Saved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Token(_) => "Token(..)",
            Self::Session(_) => "Session(..)",
        })
    }
}

/// The file of saved secrets.
#[derive(Clone, Debug)]
pub struct Credentials {
    path: PathBuf,
}

#[derive(Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
struct Content {
    hosts: BTreeMap<String, Saved>,
}

impl Credentials {
    /// The usual file, where there is a place for it.
    #[must_use]
    pub fn usual() -> Option<Self> {
        let dir = paths::config_dir()?;
        Some(Self::at(&dir.join("credentials.toml")))
    }

    /// This file.
    #[must_use]
    pub fn at(path: &Path) -> Self {
        Self {
            path: path.to_path_buf(),
        }
    }

    /// Where it lies.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// How many servers there are secrets for.
    pub fn count(&self) -> Result<usize, Error> {
        Ok(self.load()?.hosts.len())
    }

    /// What is saved for a server.
    pub fn get(&self, host: &str) -> Result<Option<Saved>, Error> {
        Ok(self.load()?.hosts.remove(host))
    }

    /// Saves a secret in the place of an earlier one.
    pub fn set(&self, host: &str, saved: Saved) -> Result<(), Error> {
        let mut content = self.load()?;
        content.hosts.insert(host.to_owned(), saved);
        self.store(&content)
    }

    /// Forgets a server; says whether it was there.
    pub fn remove(&self, host: &str) -> Result<bool, Error> {
        let mut content = self.load()?;
        let was_there = content.hosts.remove(host).is_some();
        if was_there {
            self.store(&content)?;
        }
        Ok(was_there)
    }

    fn load(&self) -> Result<Content, Error> {
        let metadata = match fs::metadata(&self.path) {
            Ok(metadata) => metadata,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Content::default()),
            Err(source) => return Err(self.failed(source)),
        };
        if metadata.mode() & 0o077 != 0 {
            return Err(self.failed(io::Error::other(
                "others can read it; run `chmod 600` on it, or delete it",
            )));
        }
        let text = fs::read_to_string(&self.path).map_err(|source| self.failed(source))?;
        // The message of the parser would quote the line, and with it the secret.
        toml::from_str(&text).map_err(|_| {
            self.failed(io::Error::other(
                "it is damaged; delete it and log in again",
            ))
        })
    }

    /// Writes a new file and puts it in the place of the old one, so that none is ever half there.
    fn store(&self, content: &Content) -> Result<(), Error> {
        let text = toml::to_string(content)
            .map_err(|error| self.failed(io::Error::other(error.to_string())))?;
        let write = || {
            if let Some(dir) = self.path.parent() {
                fs::DirBuilder::new()
                    .recursive(true)
                    .mode(0o700)
                    .create(dir)?;
            }
            let new = self
                .path
                .with_extension(format!("new-{}", std::process::id()));
            let mut file = OpenOptions::new()
                .create_new(true)
                .write(true)
                .mode(0o600)
                .open(&new)?;
            file.write_all(text.as_bytes())?;
            file.sync_all()?;
            fs::rename(&new, &self.path)
        };
        write().map_err(|source| self.failed(source))
    }

    fn failed(&self, source: io::Error) -> Error {
        Error::File {
            path: self.path.clone(),
            source,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn secrets_are_kept_from_others() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("vroom/credentials.toml");
        let credentials = Credentials::at(&path);
        assert_eq!(credentials.get("h:1").unwrap(), None);
        credentials
            .set("h:1", Saved::Token("hunter2".into()))
            .unwrap();
        credentials
            .set("[::1]:2", Saved::Session("key".into()))
            .unwrap();
        let mode = fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let saved = credentials.get("h:1").unwrap().unwrap();
        assert_eq!(saved, Saved::Token("hunter2".into()));
        assert!(!format!("{saved:?}").contains("hunter2"));
        assert!(credentials.remove("h:1").unwrap());
        assert!(!credentials.remove("h:1").unwrap());
        assert!(credentials.get("[::1]:2").unwrap().is_some());
        fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
        assert!(credentials.get("[::1]:2").is_err());
    }

    #[test]
    fn a_damaged_file_is_not_quoted() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("credentials.toml");
        fs::write(&path, "[hosts]\na = { token = \"hunter2 }\n").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        let error = Credentials::at(&path).get("a").unwrap_err().to_string();
        assert!(!error.contains("hunter2"), "{error}");
    }
}
