//! The user that programs run as.

use std::path::{Path, PathBuf};

use nix::unistd::{AccessFlags, Uid, User, access};

use crate::Error;

/// The user that programs run as, from the system's user database.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Account {
    /// The login name.
    pub name: String,
    /// The home directory; `/` when there is none.
    pub home: PathBuf,
    /// The login shell; `/bin/sh` when there is none that runs.
    pub shell: PathBuf,
}

impl Account {
    /// The user that this process runs as.
    ///
    /// # Errors
    ///
    /// When the user database does not have it.
    pub fn current() -> Result<Self, Error> {
        let uid = Uid::effective();
        let user = User::from_uid(uid).map_err(std::io::Error::from)?;
        let user = user.ok_or(Error::NoAccount { uid: uid.as_raw() })?;
        let home = if user.dir.is_dir() {
            user.dir
        } else {
            PathBuf::from("/")
        };
        let shell = if user.shell.is_file() && access(&user.shell, AccessFlags::X_OK).is_ok() {
            user.shell
        } else {
            PathBuf::from(FALLBACK_SHELL)
        };
        Ok(Self {
            name: user.name,
            home,
            shell,
        })
    }
}

/// Whether a user may choose this shell.
pub(crate) fn is_listed_shell(shell: &Path) -> bool {
    let listed = std::fs::read_to_string(SHELLS).unwrap_or_default();
    listed
        .lines()
        .map(str::trim)
        .any(|line| line.starts_with('/') && Path::new(line) == shell)
}

const FALLBACK_SHELL: &str = "/bin/sh";
const SHELLS: &str = "/etc/shells";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_listed_shells_are_shells() {
        assert!(is_listed_shell(Path::new("/bin/sh")));
        assert!(!is_listed_shell(Path::new("/bin/cat")));
        assert!(!is_listed_shell(Path::new("sh")));
        assert!(!is_listed_shell(Path::new("")));
    }

    #[test]
    fn the_present_user_has_a_shell_and_a_home() {
        let account = Account::current().unwrap();
        assert!(account.shell.is_file());
        assert!(account.home.is_dir());
    }
}
