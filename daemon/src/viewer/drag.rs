//! Files that a viewer drags into the desktop, and out of it.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt as _;
use std::path::{Component, Path, PathBuf};

use vroom_desktop::{self as desktop, DragEvent};
use vroom_protocol::graphical::{Drag, DragNews, Paths, capability};

use super::Viewer;
use crate::floor::Denied;

impl Viewer {
    /// Does what the client does with files.
    pub(super) fn drag(&self, drag: Drag) -> Result<(), Denied> {
        let Some(seat) = self
            .seat
            .as_ref()
            .filter(|_| self.negotiation.is_usable(capability::DRAG))
        else {
            return Err(Denied::NotAllowed);
        };
        match drag {
            Drag::Enter { x, y } => seat.drag(desktop::Drag::Enter, Some((x, y))),
            Drag::Leave => seat.drag(desktop::Drag::Leave, None),
            Drag::Drop { x, y, paths } => {
                let files = self.root().map(|root| uri_list(&root, &paths));
                let files = files.unwrap_or_default();
                // A list that says nothing would be taken for an empty drag.
                let drag = if files.is_empty() {
                    desktop::Drag::Leave
                } else {
                    desktop::Drag::Drop(files.into_bytes().into())
                };
                seat.drag(drag, Some((x, y)))
            }
            Drag::Take => seat.drag(desktop::Drag::Take, None),
        }
    }

    /// What the client is told about a drag.
    pub(super) fn drag_news(&self, event: &DragEvent) -> DragNews {
        match event {
            DragEvent::Begun => DragNews::Begin,
            DragEvent::Ended { taken } => DragNews::End { taken: *taken },
            DragEvent::Files(list) => {
                let addresses = addresses(list);
                let found = self.root().map(|root| below(&root, &addresses));
                let paths = Paths::new(found.unwrap_or_default());
                let elsewhere = addresses.len().saturating_sub(paths.len());
                DragNews::Files {
                    paths,
                    elsewhere: u32::try_from(elsewhere).unwrap_or(u32::MAX),
                }
            }
        }
    }

    /// The folder that `file-transfer` shows, as programs know it.
    pub(super) fn root(&self) -> Option<PathBuf> {
        let root = self.daemon.files_root()?;
        Some(root.canonicalize().unwrap_or(root))
    }
}

/// Paths of `file-transfer` as a list for programs (RFC 2483); those that lead out are left out.
pub(super) fn uri_list(root: &Path, paths: &Paths) -> String {
    let inside = |path: &&str| {
        let path = Path::new(path)
            .strip_prefix(root)
            .unwrap_or(Path::new(path));
        let mut parts = path.components();
        !path.as_os_str().is_empty()
            && parts.all(|part| matches!(part, Component::Normal(_) | Component::CurDir))
    };
    let line = |path: &str| {
        let whole = root.join(path);
        let clean: PathBuf = whole.components().collect();
        format!("file://{}\r\n", escape(clean.as_os_str()))
    };
    paths.iter().filter(inside).map(line).collect()
}

/// The addresses of a list, without its comments.
pub(super) fn addresses(list: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(list);
    let lines = text
        .split(['\r', '\n'])
        .map(|line| line.trim_matches(['\0', ' ']));
    let said = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
    said.map(str::to_owned).collect()
}

/// Those of the addresses that are files below the root, as `file-transfer` names them.
pub(super) fn below(root: &Path, addresses: &[String]) -> Vec<String> {
    let path = |address: &String| {
        let rest = address.strip_prefix("file://")?;
        // A host may stand before the path, and it is this one.
        let path = unescape(rest.get(rest.find('/')?..)?)?;
        let path = Path::new(OsStr::from_bytes(&path));
        let below = path.strip_prefix(root).ok()?;
        let plain = below
            .components()
            .all(|part| matches!(part, Component::Normal(_)));
        below
            .to_str()
            .filter(|path| plain && !path.is_empty())
            .map(str::to_owned)
    };
    addresses.iter().filter_map(path).collect()
}

/// A path as it stands in an address.
fn escape(path: &OsStr) -> String {
    let mut escaped = String::new();
    for byte in path.as_bytes() {
        if byte.is_ascii_alphanumeric() || b"/-_.~".contains(byte) {
            escaped.push(char::from(*byte));
        } else {
            escaped.push_str(&format!("%{byte:02X}"));
        }
    }
    escaped
}

/// What an address says; `None` when it is no address.
fn unescape(escaped: &str) -> Option<Vec<u8>> {
    let mut bytes = escaped.bytes();
    let mut path = Vec::new();
    while let Some(byte) = bytes.next() {
        if byte != b'%' {
            path.push(byte);
            continue;
        }
        let digits = [bytes.next()?, bytes.next()?];
        let digits = std::str::from_utf8(&digits).ok()?;
        // A sign is no digit, but a number may begin with it.
        if !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return None;
        }
        path.push(u8::from_str_radix(digits, 16).ok()?);
    }
    Some(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn paths(paths: &[&str]) -> Paths {
        Paths::new(paths.iter().map(|path| (*path).to_owned()))
    }

    #[test]
    fn a_path_and_its_address_name_the_same_file() {
        let root = Path::new("/home/a b");
        let names = ["Downloads/ü #1%.txt", "x"];
        let list = uri_list(root, &paths(&names));
        assert_eq!(
            list,
            "file:///home/a%20b/Downloads/%C3%BC%20%231%25.txt\r\nfile:///home/a%20b/x\r\n"
        );
        assert_eq!(below(root, &addresses(list.as_bytes())), names);
    }

    #[test]
    fn no_path_of_a_drop_leads_out() {
        let root = Path::new("/home/a");
        let bad = ["../b", "/etc/passwd", "x/../../b", "", "/home/ab/c"];
        assert_eq!(uri_list(root, &paths(&bad)), "");
        assert_eq!(
            uri_list(root, &paths(&["/home/a/x", "./y"])),
            "file:///home/a/x\r\nfile:///home/a/y\r\n"
        );
    }

    #[test]
    fn only_files_below_the_root_are_offered() {
        let root = Path::new("/home/a");
        let list = "# a comment\r\nfile:///home/a/x\r\nfile://host/home/a/y\nfile:///home/ab/z\r\n\
                    https://example.org/home/a/x\r\nfile:///home/a/../b\r\nfile:///home/a/%zz\r\nfile:///home/a\0";
        let addresses = addresses(list.as_bytes());
        assert_eq!(addresses.len(), 7);
        assert_eq!(below(root, &addresses), ["x", "y"]);
    }
}
