//! The socket at which programs find the client's SSH agent.

use std::fs;
use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use tokio::net::UnixListener;

use crate::token::Secret;

/// The socket at which programs find the client's SSH agent; it goes when this is dropped.
#[derive(Debug)]
pub(super) struct AgentSocket {
    /// A folder that nobody else gets into.
    folder: PathBuf,
    path: PathBuf,
}

impl AgentSocket {
    /// Makes a folder that nobody else gets into, and listens in it.
    pub(super) fn bind() -> io::Result<(Self, UnixListener)> {
        let base = std::env::var_os("XDG_RUNTIME_DIR")
            .map(PathBuf::from)
            .filter(|base| base.is_dir());
        Self::bind_in(&base.unwrap_or_else(std::env::temp_dir))
    }

    fn bind_in(base: &Path) -> io::Result<(Self, UnixListener)> {
        let secret = Secret::random()?;
        let name: String = secret.reveal().chars().take(NAME_CHARS).collect();
        let folder = base.join(format!("vroom-agent-{name}"));
        // Made anew or not at all: a folder that somebody put there is not used.
        fs::DirBuilder::new().mode(0o700).create(&folder)?;
        let agent = Self {
            path: folder.join("agent"),
            folder,
        };
        let listener = UnixListener::bind(&agent.path)?;
        Ok((agent, listener))
    }

    /// Where it is.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

impl Drop for AgentSocket {
    fn drop(&mut self) {
        if let Err(error) = fs::remove_dir_all(&self.folder) {
            tracing::warn!(%error, path = %self.folder.display(), "an agent's folder stays behind");
        }
    }
}

/// The part of the folder's name that nobody guesses: 6 bits each.
const NAME_CHARS: usize = 16;

#[cfg(test)]
mod tests {
    use std::os::unix::fs::MetadataExt as _;

    use super::*;

    #[tokio::test]
    async fn the_socket_is_private_and_goes_with_its_folder() {
        let base = tempfile::tempdir().unwrap();
        let (agent, _listener) = AgentSocket::bind_in(base.path()).unwrap();
        assert_eq!(fs::metadata(&agent.folder).unwrap().mode() & 0o7777, 0o700);
        assert!(agent.path().exists());
        drop(agent);
        assert_eq!(fs::read_dir(base.path()).unwrap().count(), 0);
    }
}
