//! Who may depend on whom, as `docs/architecture.md` draws it.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

/// Every crate of ours and the crates of ours that it may name.
const ARROWS: &[(&str, &[&str])] = &[
    ("vroom-protocol", &[]),
    ("vroom-desktop", &[]),
    ("vroom-predict", &[]),
    ("vroom-predict-tty", &["vroom-predict"]),
    ("vroom-predict-wasm", &["vroom-predict"]),
    ("vroom-transport", &["vroom-protocol"]),
    ("vroom-terminal", &["vroom-protocol"]),
    ("vroom-input", &["vroom-protocol", "vroom-desktop"]),
    ("vroom-compositor", &["vroom-desktop"]),
    ("vroom-media", &["vroom-desktop"]),
    (
        "vroom-daemon",
        &[
            "vroom-protocol",
            "vroom-desktop",
            "vroom-transport",
            "vroom-terminal",
            "vroom-input",
            "vroom-compositor",
            "vroom-media",
        ],
    ),
    (
        "vroom-client",
        &[
            "vroom-protocol",
            "vroom-transport",
            "vroom-predict",
            "vroom-predict-tty",
        ],
    ),
    ("vroom-fake-encoder", &[]),
    ("vroom-wlcs", &["vroom-compositor", "vroom-desktop"]),
    (
        "vroom-tests",
        &["vroom-protocol", "vroom-transport", "vroom-terminal"],
    ),
];

/// What tests share.
const HARNESS: &str = "vroom-tests";

#[test]
fn crates_depend_only_along_the_arrows() {
    let allowed: BTreeMap<&str, BTreeSet<&str>> = ARROWS
        .iter()
        .map(|(name, to)| (*name, to.iter().copied().collect()))
        .collect();
    let metadata = metadata();
    let packages = metadata["packages"].as_array().unwrap();
    assert_eq!(packages.len(), ARROWS.len(), "a crate without an arrow");
    for package in packages {
        let name = package["name"].as_str().unwrap();
        let may = allowed
            .get(name)
            .unwrap_or_else(|| panic!("{name} has no arrows"));
        for dependency in package["dependencies"].as_array().unwrap() {
            let to = dependency["name"].as_str().unwrap();
            // Any test may use the harness.
            let is_harness = to == HARNESS && dependency["kind"] == "dev";
            if to.starts_with("vroom-") && to != name && !is_harness {
                assert!(may.contains(to), "{name} must not depend on {to}");
            }
        }
    }
}

#[test]
fn the_protocol_has_no_runtime_below_it() {
    let output = Command::new(env!("CARGO"))
        .args([
            "tree",
            "-p",
            "vroom-protocol",
            "-e",
            "normal",
            "--prefix",
            "none",
            "--offline",
        ])
        .current_dir(vroom_tests::root())
        .output()
        .unwrap();
    assert!(output.status.success(), "cargo tree failed");
    let tree = String::from_utf8(output.stdout).unwrap();
    assert!(tree.contains("ciborium"), "the tree was read");
    for banned in [
        "tokio",
        "mio",
        "async-std",
        "smol",
        "socket2",
        "gstreamer",
        "smithay",
    ] {
        let found = tree
            .lines()
            .any(|line| line.split(' ').next() == Some(banned));
        assert!(!found, "vroom-protocol pulls in {banned}");
    }
}

fn metadata() -> serde_json::Value {
    let output = Command::new(env!("CARGO"))
        .args([
            "metadata",
            "--no-deps",
            "--format-version",
            "1",
            "--offline",
        ])
        .current_dir(vroom_tests::root())
        .output()
        .unwrap();
    assert!(output.status.success(), "cargo metadata failed");
    serde_json::from_slice(&output.stdout).unwrap()
}
