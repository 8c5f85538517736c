//! The man pages and completions in the tree are those of the command line.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;

fn files(dir: &Path) -> BTreeMap<String, String> {
    let entries = std::fs::read_dir(dir).unwrap();
    let read = |entry: std::io::Result<std::fs::DirEntry>| {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        // The pages of the server lie beside ours.
        let is_ours = !name.contains("vroomd");
        is_ours.then(|| (name, std::fs::read_to_string(entry.path()).unwrap()))
    };
    entries.filter_map(read).collect()
}

#[test]
fn the_tree_holds_what_the_command_line_generates() {
    let packaging = Path::new(env!("CARGO_MANIFEST_DIR")).join("../packaging");
    for what in ["man", "completions"] {
        let dir = tempfile::tempdir().unwrap();
        let status = Command::new(env!("CARGO_BIN_EXE_vroom"))
            .args(["generate", what])
            .arg(dir.path())
            .status()
            .unwrap();
        assert!(status.success());
        let generated = files(dir.path());
        assert!(generated.len() >= 4, "{what}: {:?}", generated.keys());
        assert_eq!(
            files(&packaging.join(what)),
            generated,
            "run `vroom generate {what} packaging/{what}`"
        );
    }
}

#[test]
fn the_man_pages_are_well_made() {
    let man = Path::new(env!("CARGO_MANIFEST_DIR")).join("../packaging/man");
    let entries = std::fs::read_dir(man).unwrap();
    let pages: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    assert!(pages.len() >= 12, "{pages:?}");
    let linted = Command::new("mandoc")
        .args(["-T", "lint"])
        .args(pages)
        .output();
    let linted = match linted {
        Ok(linted) => linted,
        Err(error) => panic!("mandoc: {error}; it is in the Debian package mandoc"),
    };
    assert_eq!(String::from_utf8_lossy(&linted.stdout), "");
    assert!(linted.status.success(), "{linted:?}");
}
