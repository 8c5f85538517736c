//! The folder where a running server keeps what others of its user need to find.

use std::fs::DirBuilder;
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

use anyhow::Context as _;

use crate::listen::UnixSocket;

/// The folder of one running server: its terminals, and the socket that it takes orders on.
///
/// The socket also keeps two servers apart: whoever listens on it has the folder.
#[derive(Debug)]
pub(crate) struct StateDir {
    path: PathBuf,
}

impl StateDir {
    /// Takes the folder, and makes it where it is missing; only its owner may enter it.
    ///
    /// When another server has the usual folder this one gets one of its own, with terminals that no
    /// later server finds.
    ///
    /// # Errors
    ///
    /// When the folder cannot be used, or another server has the one that was asked for.
    pub(crate) fn take(given: Option<&Path>) -> anyhow::Result<(Self, UnixSocket)> {
        let path = given.map_or_else(usual_place, |path| Ok(path.to_path_buf()))?;
        match listen(&path) {
            Ok(socket) => Ok((Self { path }, socket)),
            Err(error) if error.kind() == io::ErrorKind::AddrInUse && given.is_none() => {
                let mut name = path.file_name().unwrap_or_default().to_owned();
                name.push(format!("-{}", std::process::id()));
                let own = path.with_file_name(name);
                tracing::warn!(taken = %path.display(), "another vroomd keeps its terminals there; those of this one are not found again, unless --state-dir names a folder of its own");
                let socket = listen(&own).with_context(|| format!("using {}", own.display()))?;
                Ok((Self { path: own }, socket))
            }
            Err(error) => Err(error).with_context(|| format!("using {}", path.display())),
        }
    }

    /// Where the holders of terminals have their sockets.
    pub(crate) fn terminals(&self) -> PathBuf {
        self.path.join("terminals")
    }
}

/// Where the orders of [`control`](crate::control) are taken.
pub(crate) fn control_socket(given: Option<&Path>) -> anyhow::Result<PathBuf> {
    let path = given.map_or_else(usual_place, |path| Ok(path.to_path_buf()))?;
    Ok(path.join(SOCKET))
}

fn listen(path: &Path) -> io::Result<UnixSocket> {
    DirBuilder::new().recursive(true).mode(0o700).create(path)?;
    let metadata = path.metadata()?;
    if metadata.uid() != nix::unistd::geteuid().as_raw() || metadata.mode() & 0o077 != 0 {
        let text = "others can enter it; it has to be a folder of your own with mode 0700";
        return Err(io::Error::new(io::ErrorKind::PermissionDenied, text));
    }
    UnixSocket::bind(&path.join(SOCKET))
}

fn usual_place() -> anyhow::Result<PathBuf> {
    let folder = |name| {
        let value = std::env::var_os(name).filter(|value| !value.is_empty());
        value.map(PathBuf::from)
    };
    let runtime = folder("XDG_RUNTIME_DIR").or_else(|| {
        let usual = PathBuf::from(format!("/run/user/{}", nix::unistd::geteuid()));
        usual.is_dir().then_some(usual)
    });
    let state = || {
        let state = folder("XDG_STATE_HOME");
        state.or_else(|| folder("HOME").map(|home| home.join(".local/state")))
    };
    let place = runtime.or_else(state).map(|folder| folder.join("vroom"));
    place.context("cannot tell where terminals belong: set XDG_RUNTIME_DIR, or pass --state-dir")
}

/// The socket in the folder.
const SOCKET: &str = "control.sock";

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[tokio::test]
    async fn two_servers_do_not_share_a_folder() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state");
        let (state, socket) = StateDir::take(Some(&path)).unwrap();
        assert_eq!(path.metadata().unwrap().mode() & 0o777, 0o700);
        assert_eq!(state.terminals(), path.join("terminals"));
        assert!(StateDir::take(Some(&path)).is_err());
        drop(socket);
        assert!(StateDir::take(Some(&path)).is_ok());
    }

    #[tokio::test]
    async fn a_folder_that_others_enter_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::set_permissions(folder.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
        assert!(StateDir::take(Some(folder.path())).is_err());
    }
}
