//! The token: the one secret that a person carries from the server to a client.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use subtle::ConstantTimeEq as _;

/// A secret text, compared in constant time and never printed by `Debug`.
#[derive(Clone)]
pub(crate) struct Secret(String);

impl Secret {
    /// Makes a new one of 256 random bits.
    ///
    /// # Errors
    ///
    /// When the system has no random numbers to give.
    pub(crate) fn random() -> io::Result<Self> {
        let mut bytes = [0; SECRET_BYTES];
        getrandom::fill(&mut bytes).map_err(io::Error::other)?;
        Ok(Self(URL_SAFE_NO_PAD.encode(bytes)))
    }

    /// Takes a text that is one already.
    pub(crate) fn of(text: String) -> Self {
        Self(text)
    }

    /// The text, to hand to its owner.
    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }

    /// Whether a client said the same; takes as long for a near miss as for a far one.
    pub(crate) fn matches(&self, said: &str) -> bool {
        self.0.as_bytes().ct_eq(said.as_bytes()).into()
    }
}

impl std::fmt::Debug for Secret {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Secret(..)")
    }
}

/// Why there is no token.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub(crate) enum TokenError {
    /// There is no folder for it.
    #[error(
        "cannot tell where the token belongs: set HOME or XDG_STATE_HOME, or pass --token-file"
    )]
    NoPlace,
    /// Others can read it.
    #[error(
        "{} can be read by others (mode {mode:04o}); run `chmod 600` on it, or delete it to have a \
         new one made", path.display()
    )]
    Exposed {
        /// The file.
        path: PathBuf,
        /// Its mode.
        mode: u32,
    },
    /// It belongs to somebody else.
    #[error("{} belongs to user {owner}, who could change it; use a file of your own", path.display())]
    Foreign {
        /// The file.
        path: PathBuf,
        /// Whose it is.
        owner: u32,
    },
    /// What it holds is too easy to guess.
    #[error("{} holds fewer than {TOKEN_CHARS_MIN} characters; delete it to have one made", path.display())]
    Weak {
        /// The file.
        path: PathBuf,
    },
    /// It cannot be read or made.
    #[error("cannot use {}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
}

/// Reads the token, or makes one when the file is missing.
///
/// # Errors
///
/// When others could read or change the file, when it holds no good token, or when it cannot be
/// read or made.
pub(crate) fn load(given: Option<&Path>) -> Result<Secret, TokenError> {
    let path = match given {
        Some(path) => path.to_path_buf(),
        None => usual_place().ok_or(TokenError::NoPlace)?,
    };
    let failed = |source| TokenError::Io {
        path: path.clone(),
        source,
    };
    match fs::metadata(&path) {
        Ok(metadata) => read(&path, &metadata),
        Err(error) if error.kind() == io::ErrorKind::NotFound => make(&path).map_err(failed),
        Err(error) => Err(failed(error)),
    }
}

fn read(path: &Path, metadata: &fs::Metadata) -> Result<Secret, TokenError> {
    let mode = metadata.mode() & 0o7777;
    if mode & 0o077 != 0 {
        return Err(TokenError::Exposed {
            path: path.into(),
            mode,
        });
    }
    let owner = metadata.uid();
    if owner != nix::unistd::geteuid().as_raw() && owner != 0 {
        return Err(TokenError::Foreign {
            path: path.into(),
            owner,
        });
    }
    let text = fs::read_to_string(path).map_err(|source| TokenError::Io {
        path: path.into(),
        source,
    })?;
    let text = text.trim();
    if text.chars().count() < TOKEN_CHARS_MIN {
        return Err(TokenError::Weak { path: path.into() });
    }
    Ok(Secret(text.into()))
}

fn make(path: &Path) -> io::Result<Secret> {
    if let Some(folder) = path
        .parent()
        .filter(|folder| !folder.as_os_str().is_empty())
    {
        fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(folder)?;
    }
    let token = Secret::random()?;
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    writeln!(file, "{}", token.reveal())?;
    file.sync_all()?;
    Ok(token)
}

fn usual_place() -> Option<PathBuf> {
    let variable = |name| std::env::var_os(name).filter(|value| !value.is_empty());
    let state = variable("XDG_STATE_HOME").map(PathBuf::from);
    let state =
        state.or_else(|| variable("HOME").map(|home| PathBuf::from(home).join(".local/state")));
    state.map(|folder| folder.join("vroom/token"))
}

/// The random bytes of a secret.
const SECRET_BYTES: usize = 32;

/// The fewest characters that a token of somebody's own making may have.
const TOKEN_CHARS_MIN: usize = 22;

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    #[test]
    fn a_missing_file_is_made_for_the_owner_only_and_kept() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep/er/token");
        let made = load(Some(&path)).unwrap();
        assert_eq!(fs::metadata(&path).unwrap().mode() & 0o7777, 0o600);
        assert!(made.reveal().len() >= 43);
        assert!(load(Some(&path)).unwrap().matches(made.reveal()));
    }

    #[test]
    fn a_file_that_others_can_read_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        drop(load(Some(&path)).unwrap());
        for mode in [0o640, 0o604, 0o620] {
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
            assert!(matches!(load(Some(&path)), Err(TokenError::Exposed { .. })));
        }
    }

    #[test]
    fn a_short_token_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("token");
        fs::write(&path, "secret\n").unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o600)).unwrap();
        assert!(matches!(load(Some(&path)), Err(TokenError::Weak { .. })));
    }

    #[test]
    fn debug_does_not_show_it() {
        let secret = Secret::random().unwrap();
        assert!(!format!("{secret:?}").contains(secret.reveal()));
        assert!(!secret.matches(""));
    }
}
