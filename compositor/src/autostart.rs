//! The programs that are started with every desktop, as entries in `autostart` folders name them.

use std::collections::BTreeSet;
use std::env;
use std::path::{Path, PathBuf};

use crate::apps::{App, Entry};

/// The folders of such entries, the person's own first.
pub(crate) fn folders() -> Vec<PathBuf> {
    let own = env::var_os("XDG_CONFIG_HOME")
        .filter(|home| !home.is_empty())
        .map(PathBuf::from)
        .or_else(|| Some(PathBuf::from(env::var_os("HOME")?).join(".config")));
    let shared = env::var_os("XDG_CONFIG_DIRS").filter(|dirs| !dirs.is_empty());
    let shared = shared.unwrap_or_else(|| "/etc/xdg".into());
    own.into_iter()
        .chain(env::split_paths(&shared).collect::<Vec<_>>())
        .filter(|folder| folder.is_absolute())
        .map(|folder| folder.join("autostart"))
        .collect()
}

/// What is to be started, by name. An entry hides those of the same name in later folders, also when
/// it starts nothing itself.
pub(crate) fn entries(folders: &[PathBuf]) -> Vec<App> {
    let mut seen = BTreeSet::new();
    let mut apps = Vec::new();
    for folder in folders {
        let Ok(listing) = std::fs::read_dir(folder) else {
            continue;
        };
        for path in listing.flatten().map(|entry| entry.path()).take(ENTRIES) {
            let id = path.file_name().and_then(|name| name.to_str());
            let Some(id) = id.and_then(|name| name.strip_suffix(".desktop")) else {
                continue;
            };
            if seen.insert(id.to_owned()) {
                apps.extend(started(id, &path));
            }
        }
    }
    apps.sort_by(|one, other| one.id.cmp(&other.id));
    apps.truncate(ENTRIES);
    apps
}

/// Reads an entry; `None` when it is not to be started here.
fn started(id: &str, path: &Path) -> Option<App> {
    let entry = Entry::read(path)?;
    // The key that settings programs write where a person switches an entry off.
    let off = entry.value("X-GNOME-Autostart-enabled") == "false";
    // Conditions ask for settings and files of desktops that this one is not.
    let conditional = !entry.value("AutostartCondition").is_empty();
    let starts = entry.is_for_us() && !off && !conditional;
    starts.then(|| entry.app(id)).flatten()
}

/// The most entries that are looked at in a folder, and the most that are started.
const ENTRIES: usize = 64;

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    #[test]
    fn what_hides_or_belongs_to_others_is_not_started() {
        let dir = tempfile::tempdir().unwrap();
        let [own, shared] = ["own", "shared"].map(|name| dir.path().join(name));
        let write = |folder: &PathBuf, name: &str, more: &str| {
            fs::create_dir_all(folder).unwrap();
            let text =
                format!("[Desktop Entry]\nType=Application\nName=X\nExec=sh -c true\n{more}\n");
            fs::write(folder.join(format!("{name}.desktop")), text).unwrap();
        };
        write(&own, "hidden", "Hidden=true");
        write(&shared, "hidden", "");
        write(&shared, "plain", "NoDisplay=true");
        write(&shared, "only-others", "OnlyShowIn=GNOME;KDE;");
        write(&shared, "only-us", "OnlyShowIn=GNOME;VROOM;");
        write(&shared, "not-us", "NotShowIn=VROOM;");
        write(&shared, "not-others", "NotShowIn=KDE;");
        write(&shared, "not-installed", "TryExec=no-such-program-here");
        write(&shared, "conditional", "AutostartCondition=GSettings a b");
        write(&shared, "off", "X-GNOME-Autostart-enabled=false");
        fs::write(shared.join("README"), "no entry").unwrap();
        let ids: Vec<_> = entries(&[own, shared, dir.path().join("none")])
            .into_iter()
            .map(|app| app.id)
            .collect();
        assert_eq!(ids, ["not-others", "only-us", "plain"]);
    }
}
