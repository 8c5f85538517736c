//! Where files of the user lie.

use std::path::{Path, PathBuf};

/// `$XDG_CONFIG_HOME/vroom`, usually `~/.config/vroom`.
#[must_use]
pub fn config_dir() -> Option<PathBuf> {
    absolute("XDG_CONFIG_HOME")
        .or_else(|| home().map(|home| home.join(".config")))
        .map(|dir| dir.join("vroom"))
}

/// The token that a server of this user on this machine made.
#[must_use]
pub fn local_token() -> Option<PathBuf> {
    absolute("XDG_STATE_HOME")
        .or_else(|| home().map(|home| home.join(".local/state")))
        .map(|dir| dir.join("vroom/token"))
}

/// The Unix socket of a server of this user on this machine, where there is one.
#[must_use]
pub fn local_socket() -> Option<PathBuf> {
    let path = absolute("XDG_RUNTIME_DIR")?.join("vroom/vroomd.sock");
    path.exists().then_some(path)
}

/// `~/.ssh`.
#[must_use]
pub fn ssh_dir() -> Option<PathBuf> {
    home().map(|home| home.join(".ssh"))
}

/// Puts the home folder in the place of a leading `~`.
#[must_use]
pub fn expand(path: &Path) -> PathBuf {
    match (path.strip_prefix("~"), home()) {
        (Ok(rest), Some(home)) => home.join(rest),
        _ => path.to_path_buf(),
    }
}

fn home() -> Option<PathBuf> {
    absolute("HOME")
}

fn absolute(variable: &str) -> Option<PathBuf> {
    let path = PathBuf::from(std::env::var_os(variable)?);
    path.is_absolute().then_some(path)
}
