//! What was recorded: listed, and opened for whoever may fetch it.

use std::fs::{self, File, OpenOptions};
use std::io::{self, BufRead as _, BufReader, Read as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use nix::fcntl::OFlag;
use serde_json::{Value, json};

use super::timeline;
use crate::hub::unix_seconds;

/// The folder that recordings lie in.
#[derive(Debug)]
pub(crate) struct Shelf(PathBuf);

impl Shelf {
    pub(super) fn new(folder: &Path) -> Self {
        Self(folder.to_owned())
    }

    /// The newest recordings, the newest first; blocks.
    pub(crate) fn list(&self) -> Value {
        let entries = fs::read_dir(&self.0).into_iter().flatten().flatten();
        let is_recording = |name: &String| is_plain(name) && name.starts_with(char::is_numeric);
        let mut ids: Vec<_> = entries
            .filter_map(|entry| entry.file_name().into_string().ok())
            .filter(is_recording)
            .collect();
        ids.sort_unstable_by(|a, b| b.cmp(a));
        ids.truncate(LISTED);
        ids.iter().filter_map(|id| self.describe(id)).collect()
    }

    /// Opens a file of a recording; blocks.
    pub(crate) fn open(&self, id: &str, name: &str) -> io::Result<(File, u64)> {
        if !is_plain(id) || !is_plain(name) {
            return Err(io::ErrorKind::NotFound.into());
        }
        let mut options = OpenOptions::new();
        options
            .read(true)
            .custom_flags((OFlag::O_NOFOLLOW | OFlag::O_NONBLOCK).bits());
        let file = options.open(self.0.join(id).join(name))?;
        let metadata = file.metadata()?;
        if !metadata.is_file() {
            return Err(io::ErrorKind::NotFound.into());
        }
        Ok((file, metadata.len()))
    }

    fn describe(&self, id: &str) -> Option<Value> {
        let (file, _) = self.open(id, timeline::NAME).ok()?;
        let mut line = String::new();
        BufReader::new(file.take(LINE_BYTES))
            .read_line(&mut line)
            .ok()?;
        let start: Value = serde_json::from_str(&line).ok()?;
        let mut files: Vec<(String, u64)> = fs::read_dir(self.0.join(id))
            .ok()?
            .flatten()
            .filter_map(|entry| {
                Some((
                    entry.file_name().into_string().ok()?,
                    entry.metadata().ok()?,
                ))
            })
            .filter(|(name, metadata)| is_plain(name) && metadata.is_file())
            .map(|(name, metadata)| (name, metadata.len()))
            .collect();
        files.sort_unstable();
        let files: Vec<_> = files
            .into_iter()
            .map(|(name, bytes)| json!({"name": name, "bytes": bytes}))
            .collect();
        Some(json!({
            "id": id,
            "by": start["by"].as_str()?,
            "began": start["unix_ms"].as_u64()? / 1000,
            "files": files,
        }))
    }
}

/// Whether a name leads nowhere else.
fn is_plain(name: &str) -> bool {
    let known = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '.';
    (1..=NAME_CHARS).contains(&name.len()) && !name.starts_with('.') && name.chars().all(known)
}

/// What a recording is called that begins at this time, in UTC, so that names are in order.
pub(super) fn id_of(time: SystemTime) -> String {
    let seconds = unix_seconds(time);
    let (days, rest) = (seconds / 86_400, seconds % 86_400);
    let (year, month, day) = date_of(days);
    let (hour, minute, second) = (rest / 3600, rest / 60 % 60, rest % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}-{minute:02}-{second:02}Z")
}

/// The date of a day since 1970 (H. Hinnant, `civil_from_days`).
fn date_of(days: u64) -> (u64, u64, u64) {
    let days = days + 719_468;
    let (era, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let (day, month) = (
        day - (153 * month + 2) / 5 + 1,
        if month < 10 { month + 3 } else { month - 9 },
    );
    (year + era * 400 + u64::from(month <= 2), month, day)
}

/// The recordings that are listed.
const LISTED: usize = 200;

/// The first line of a timeline.
const LINE_BYTES: u64 = 64 * 1024;

/// The longest name.
const NAME_CHARS: usize = 100;

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn names_are_dates() {
        let name = |seconds| id_of(SystemTime::UNIX_EPOCH + Duration::from_secs(seconds));
        assert_eq!(name(0), "1970-01-01T00-00-00Z");
        assert_eq!(name(951_827_696), "2000-02-29T12-34-56Z");
        assert_eq!(name(1_796_071_023), "2026-11-30T20-37-03Z");
    }

    #[test]
    fn what_lies_elsewhere_is_not_opened() {
        let folder = tempfile::tempdir().unwrap();
        let shelf = Shelf::new(&folder.path().join("all"));
        assert_eq!(shelf.list(), json!([]));
        let one = folder.path().join("all/2026-11-30T20-37-03Z");
        fs::create_dir_all(&one).unwrap();
        fs::write(folder.path().join("secret"), "s").unwrap();
        fs::write(
            one.join("timeline.jsonl"),
            "{\"by\":\"ann\",\"unix_ms\":5000}\n",
        )
        .unwrap();
        std::os::unix::fs::symlink(folder.path().join("secret"), one.join("link")).unwrap();
        let id = "2026-11-30T20-37-03Z";
        assert!(shelf.open(id, "timeline.jsonl").is_ok());
        for (id, name) in [
            (id, "link"),
            (id, "../../secret"),
            (id, ".."),
            ("..", "secret"),
            ("", "timeline.jsonl"),
            (id, ""),
        ] {
            assert!(shelf.open(id, name).is_err(), "{id}/{name}");
        }
        let listed = shelf.list();
        assert_eq!(listed[0]["by"], "ann");
        assert_eq!(listed[0]["began"], 5);
        assert_eq!(
            listed[0]["files"],
            json!([{"name": "timeline.jsonl", "bytes": 28}])
        );
    }
}
