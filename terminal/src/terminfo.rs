//! Which terminal types the system knows.

use std::path::{Path, PathBuf};

/// The terminal type to announce: the wanted one where the system has its description.
pub(crate) fn term_or_fallback(wanted: &str, home: &Path) -> String {
    let directories = [home.join(".terminfo")]
        .into_iter()
        .chain(TERMINFO_DIRECTORIES.map(PathBuf::from));
    if is_known(wanted, directories) {
        wanted.to_owned()
    } else {
        FALLBACK_TERM.to_owned()
    }
}

/// Whether one of the directories has a description of this name.
fn is_known(name: &str, directories: impl IntoIterator<Item = PathBuf>) -> bool {
    // The name becomes a path below.
    let plain = name
        .chars()
        .all(|char| char.is_ascii_alphanumeric() || "+-._".contains(char));
    let Some(first) = name.bytes().next().filter(|first| *first != b'.' && plain) else {
        return false;
    };
    // One letter, or its number where file names do not tell upper case from lower.
    let folders = [char::from(first).to_string(), format!("{first:x}")];
    directories.into_iter().any(|directory| {
        folders
            .iter()
            .any(|folder| directory.join(folder).join(name).is_file())
    })
}

/// What nearly everything understands and nearly every system describes.
const FALLBACK_TERM: &str = "xterm-256color";

/// Where Debian, Fedora and Arch keep them.
const TERMINFO_DIRECTORIES: [&str; 4] = [
    "/etc/terminfo",
    "/lib/terminfo",
    "/usr/share/terminfo",
    "/usr/local/share/terminfo",
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_type_becomes_the_common_one() {
        let home = tempfile::tempdir().unwrap();
        for wanted in ["xterm-no-such", "", ".", "../x/xterm", "x/../../etc/passwd"] {
            assert_eq!(term_or_fallback(wanted, home.path()), FALLBACK_TERM);
        }
    }

    #[test]
    fn a_type_in_the_home_directory_is_known() {
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().join(".terminfo/v");
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("vroom-test"), b"").unwrap();
        assert_eq!(term_or_fallback("vroom-test", home.path()), "vroom-test");
        let folder = home.path().join(".terminfo/77");
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("wroom-test"), b"").unwrap();
        assert_eq!(term_or_fallback("wroom-test", home.path()), "wroom-test");
    }
}
