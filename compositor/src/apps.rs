//! The programs that a desktop can start, as desktop entries name them.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

/// A program that can be started.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct App {
    /// The name of its entry without the ending, which is also the id of its windows.
    pub(crate) id: String,
    /// What people call it.
    pub(crate) name: String,
    /// What it is, in a few words; empty when it does not say.
    pub(crate) comment: String,
    /// The name or the path of its icon.
    pub(crate) icon: String,
    /// The program and its arguments.
    pub(crate) command: Vec<String>,
    /// Whether it wants a terminal around it.
    pub(crate) terminal: bool,
    /// What else it is found by, in lower case.
    keywords: String,
}

impl App {
    /// A program that no entry names.
    #[cfg(test)]
    pub(crate) fn for_tests(name: &str, command: &[&str]) -> Self {
        Self {
            id: name.to_lowercase(),
            name: name.to_owned(),
            comment: String::new(),
            icon: String::new(),
            command: command.iter().map(|part| (*part).to_owned()).collect(),
            terminal: false,
            keywords: String::new(),
        }
    }

    /// How well a search fits, better ones lower; `None` when it does not.
    pub(crate) fn rank(&self, search: &str) -> Option<u32> {
        let name = self.name.to_lowercase();
        if search.is_empty() {
            return Some(0);
        }
        if name.starts_with(search) {
            return Some(1);
        }
        if name.split_whitespace().any(|word| word.starts_with(search)) {
            return Some(2);
        }
        if name.contains(search) || self.id.to_lowercase().contains(search) {
            return Some(3);
        }
        let more = self.keywords.contains(search) || self.comment.to_lowercase().contains(search);
        more.then_some(4)
    }
}

/// All programs that are installed and want to be seen, by name.
pub(crate) fn installed() -> Vec<App> {
    let mut entries = BTreeMap::new();
    // Earlier folders win.
    for folder in folders() {
        collect(&folder.join("applications"), "", 0, &mut entries);
    }
    let mut apps: Vec<_> = entries.into_values().flatten().collect();
    apps.sort_by_key(|app| app.name.to_lowercase());
    apps
}

/// The folders with data of programs, the person's own first.
fn folders() -> Vec<PathBuf> {
    let own = std::env::var_os("XDG_DATA_HOME")
        .map(PathBuf::from)
        .or_else(|| Some(PathBuf::from(std::env::var_os("HOME")?).join(".local/share")));
    let shared = std::env::var_os("XDG_DATA_DIRS").filter(|dirs| !dirs.is_empty());
    let shared = shared.unwrap_or_else(|| "/usr/local/share:/usr/share".into());
    own.into_iter()
        .chain(std::env::split_paths(&shared).collect::<Vec<_>>())
        .filter(|folder| folder.is_absolute())
        .collect()
}

fn collect(folder: &Path, prefix: &str, depth: usize, entries: &mut BTreeMap<String, Option<App>>) {
    let Ok(listing) = std::fs::read_dir(folder) else {
        return;
    };
    for entry in listing.flatten().take(ENTRIES) {
        let path = entry.path();
        let Some(name) = path.file_name().and_then(|name| name.to_str()) else {
            continue;
        };
        if let Some(id) = name.strip_suffix(".desktop") {
            let id = format!("{prefix}{id}");
            if !entries.contains_key(&id) && entries.len() < ENTRIES {
                let app = Entry::read(&path).and_then(|entry| entry.shown(&id));
                entries.insert(id, app);
            }
        } else if path.is_dir() && depth < FOLDER_DEPTH {
            collect(&path, &format!("{prefix}{name}-"), depth + 1, entries);
        }
    }
}

/// What a desktop entry says.
pub(crate) struct Entry(BTreeMap<String, String>);

impl Entry {
    /// Reads the entry in a file; `None` when there is none, or it is too large.
    pub(crate) fn read(path: &Path) -> Option<Self> {
        let size = std::fs::metadata(path).ok()?.len();
        let text = (size <= ENTRY_BYTES).then(|| std::fs::read_to_string(path).ok());
        Some(Self::parse(&text.flatten()?))
    }

    fn parse(text: &str) -> Self {
        let mut values = BTreeMap::new();
        let mut inside = false;
        for line in text.lines().map(str::trim) {
            if line.starts_with('[') {
                inside = line == "[Desktop Entry]";
            } else if inside && let Some((key, value)) = line.split_once('=') {
                let value = value.trim().to_owned();
                values.entry(key.trim().to_owned()).or_insert(value);
            }
        }
        Self(values)
    }

    /// What it says about something; empty when it says nothing.
    pub(crate) fn value(&self, key: &str) -> &str {
        self.0.get(key).map_or("", String::as_str)
    }

    fn is(&self, key: &str) -> bool {
        self.value(key) == "true"
    }

    /// Whether it is a program for this desktop among others.
    pub(crate) fn is_for_us(&self) -> bool {
        let names_us = |key| self.value(key).split(';').any(|name| name == DESKTOP_NAME);
        let shown = self.value("OnlyShowIn").is_empty() || names_us("OnlyShowIn");
        self.value("Type") == "Application" && !self.is("Hidden") && shown && !names_us("NotShowIn")
    }

    /// The program, if it is installed and wants to be seen here.
    fn shown(&self, id: &str) -> Option<App> {
        let app = (self.is_for_us() && !self.is("NoDisplay")).then(|| self.app(id));
        app.flatten().filter(|app| !app.name.is_empty())
    }

    /// The program, if it is installed.
    pub(crate) fn app(&self, id: &str) -> Option<App> {
        let tried = self.value("TryExec");
        if !tried.is_empty() && find_program(tried).is_none() {
            return None;
        }
        let command = split_exec(self.value("Exec"))?;
        find_program(command.first()?)?;
        let keywords = [self.value("Keywords"), self.value("GenericName")];
        Some(App {
            id: id.to_owned(),
            name: unescape(self.value("Name")),
            comment: unescape(self.value("Comment")),
            icon: self.value("Icon").to_owned(),
            command,
            terminal: self.is("Terminal"),
            keywords: keywords.join(" ").to_lowercase(),
        })
    }
}

fn unescape(value: &str) -> String {
    let mut out = String::new();
    let mut letters = value.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' => match letters.next() {
                Some('s') => out.push(' '),
                Some('n' | 't' | 'r') => out.push(' '),
                Some(other) => out.push(other),
                None => {}
            },
            letter => out.push(letter),
        }
    }
    out
}

/// Splits a command as desktop entries write them, without the places for files.
fn split_exec(exec: &str) -> Option<Vec<String>> {
    let mut arguments = Vec::new();
    let mut current = String::new();
    let (mut quoted, mut started) = (false, false);
    let mut letters = exec.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '"' => {
                quoted = !quoted;
                started = true;
            }
            '\\' if quoted => {
                current.extend(letters.next());
            }
            '%' => match letters.next() {
                Some('%') => {
                    current.push('%');
                    started = true;
                }
                // Files, links, icons and names: nothing of that is given here.
                Some(_) => {}
                None => return None,
            },
            letter if letter.is_whitespace() && !quoted => {
                if started {
                    arguments.push(std::mem::take(&mut current));
                }
                started = false;
            }
            letter => {
                current.push(letter);
                started = true;
            }
        }
    }
    if started {
        arguments.push(current);
    }
    (!quoted && !arguments.is_empty()).then_some(arguments)
}

/// Where a program lies.
pub(crate) fn find_program(name: &str) -> Option<PathBuf> {
    use std::os::unix::fs::PermissionsExt as _;
    let runs = |path: &Path| {
        std::fs::metadata(path)
            .is_ok_and(|metadata| metadata.is_file() && metadata.permissions().mode() & 0o111 != 0)
    };
    if name.contains('/') {
        return Some(PathBuf::from(name)).filter(|path| runs(path));
    }
    let path = std::env::var_os("PATH").unwrap_or_else(|| OsString::from("/usr/bin:/bin"));
    std::env::split_paths(&path)
        .map(|folder| folder.join(name))
        .find(|path| runs(path))
}

/// The file of an icon, at least as large as `side` where there is one.
pub(crate) fn icon_file(icon: &str, side: u32) -> Option<PathBuf> {
    if icon.starts_with('/') {
        return Some(PathBuf::from(icon)).filter(|path| path.extension() == Some("png".as_ref()));
    }
    if icon.is_empty() || icon.contains('/') {
        return None;
    }
    let sizes = [32, 48, 64, 96, 128, 256, 512];
    let (large, small): (Vec<_>, Vec<_>) = sizes.into_iter().partition(|size| *size >= side);
    let order = large.into_iter().chain(small.into_iter().rev());
    for size in order {
        for theme in ["hicolor", "Adwaita"] {
            for kind in ["apps", "legacy", "devices", "categories"] {
                for folder in folders() {
                    let path = folder
                        .join("icons")
                        .join(theme)
                        .join(format!("{size}x{size}"))
                        .join(kind)
                        .join(format!("{icon}.png"));
                    if path.is_file() {
                        return Some(path);
                    }
                }
            }
        }
    }
    folders()
        .into_iter()
        .map(|folder| folder.join("pixmaps").join(format!("{icon}.png")))
        .find(|path| path.is_file())
}

/// What this desktop is called where entries name the desktops that they are for.
pub const DESKTOP_NAME: &str = "VROOM";

/// The most entries that are read.
const ENTRIES: usize = 2000;

/// The largest entry that is read.
const ENTRY_BYTES: u64 = 256 * 1024;

/// How deep folders of entries may be nested.
const FOLDER_DEPTH: usize = 3;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_lose_their_places_for_files() {
        let split = |exec| split_exec(exec).unwrap();
        assert_eq!(split("foot"), ["foot"]);
        assert_eq!(split("/usr/bin/chromium %U"), ["/usr/bin/chromium"]);
        assert_eq!(
            split("sh -c \"echo \\\"a b\\\" 100%%\" %f"),
            ["sh", "-c", "echo \"a b\" 100%"]
        );
        assert_eq!(split_exec("\"open"), None);
        assert_eq!(split_exec(""), None);
        assert_eq!(split_exec("a %"), None);
    }

    #[test]
    fn entries_that_hide_are_not_shown() {
        let entry = |more: &str| {
            let text = format!(
                "[Desktop Entry]\nType=Application\nName=A\\sshell\nExec=sh -i\n{more}\n[Desktop Action x]\nName=Other"
            );
            Entry::parse(&text).shown("a")
        };
        let app = entry("Comment=Types").unwrap();
        assert_eq!(
            (app.name.as_str(), app.comment.as_str()),
            ("A shell", "Types")
        );
        assert_eq!(app.command, ["sh", "-i"]);
        assert_eq!(entry("NoDisplay=true"), None);
        assert_eq!(entry("Hidden=true"), None);
        assert_eq!(entry("OnlyShowIn=GNOME;"), None);
        assert_eq!(entry("TryExec=no-such-program-here"), None);
        assert!(entry("TryExec=sh").is_some());
    }

    #[test]
    fn a_search_finds_the_beginning_of_names_first() {
        let text =
            "[Desktop Entry]\nType=Application\nName=Web Browser\nExec=sh\nKeywords=internet;";
        let app = Entry::parse(text).shown("chromium").unwrap();
        assert_eq!(app.rank("web"), Some(1));
        assert_eq!(app.rank("brow"), Some(2));
        assert_eq!(app.rank("rows"), Some(3));
        assert_eq!(app.rank("chrom"), Some(3));
        assert_eq!(app.rank("internet"), Some(4));
        assert_eq!(app.rank("terminal"), None);
    }
}
