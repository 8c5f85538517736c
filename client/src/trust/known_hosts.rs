//! The file of known hosts: one host with its port and its fingerprint per line.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::Path;

use super::Fingerprint;
use crate::error::Error;

/// The hosts that are known.
#[derive(Clone, Debug, Default)]
pub struct KnownHosts {
    entries: Vec<Entry>,
}

#[derive(Clone, Debug)]
struct Entry {
    line: usize,
    host: String,
    fingerprint: Fingerprint,
}

/// What the file says about a host.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Verdict {
    /// It has this key.
    Known,
    /// It has another key.
    Changed {
        /// The line that says so, counted from 1.
        line: usize,
    },
    /// Nothing.
    Unknown,
}

impl KnownHosts {
    /// Reads the file; a missing one knows nobody.
    pub fn load(path: &Path) -> Result<Self, Error> {
        match fs::read_to_string(path) {
            Ok(text) => Ok(Self::parse(&text)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Self::default()),
            Err(source) => Err(failed(path, source)),
        }
    }

    /// Reads the text of the file; a line that means nothing is passed over.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let entries = text.lines().zip(1..).filter_map(|(text, line)| {
            let mut words = text.split_whitespace();
            let host = words.next().filter(|host| !host.starts_with('#'))?;
            Some(Entry {
                line,
                host: host.to_owned(),
                fingerprint: Fingerprint::parse(words.next()?)?,
            })
        });
        Self {
            entries: entries.collect(),
        }
    }

    /// How many keys are known.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether none is.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// What is known about a host; several lines of one host are several keys that it may have.
    #[must_use]
    pub fn verdict(&self, host: &str, fingerprint: &Fingerprint) -> Verdict {
        let mut of_host = self.entries.iter().filter(|entry| entry.host == host);
        let Some(first) = of_host.next() else {
            return Verdict::Unknown;
        };
        if first.fingerprint == *fingerprint
            || of_host.any(|entry| entry.fingerprint == *fingerprint)
        {
            return Verdict::Known;
        }
        Verdict::Changed { line: first.line }
    }

    /// Adds a host at the end of the file, which is made when missing.
    pub fn add(path: &Path, host: &str, fingerprint: &Fingerprint) -> Result<(), Error> {
        let write = || {
            if let Some(dir) = path.parent() {
                fs::DirBuilder::new()
                    .recursive(true)
                    .mode(0o700)
                    .create(dir)?;
            }
            let mut file = OpenOptions::new()
                .create(true)
                .append(true)
                .mode(0o600)
                .open(path)?;
            file.write_all(format!("{host} {fingerprint}\n").as_bytes())
        };
        write().map_err(|source| failed(path, source))
    }
}

fn failed(path: &Path, source: io::Error) -> Error {
    Error::File {
        path: path.to_path_buf(),
        source,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_may_have_several_keys() {
        let (one, two, three) = (
            Fingerprint([1; 32]),
            Fingerprint([2; 32]),
            Fingerprint([3; 32]),
        );
        let text = format!("# comment\n\nh:1 {one}\nh:1 {two}  old\nbroken\n");
        let hosts = KnownHosts::parse(&text);
        assert_eq!(hosts.verdict("h:1", &one), Verdict::Known);
        assert_eq!(hosts.verdict("h:1", &two), Verdict::Known);
        assert_eq!(hosts.verdict("h:1", &three), Verdict::Changed { line: 3 });
        assert_eq!(hosts.verdict("h:2", &one), Verdict::Unknown);
    }
}
