//! The table in `docs/protocol.md` that says which test proves which requirement.

use std::collections::BTreeMap;
use std::fs;

/// The requirements that the table numbers.
const REQUIREMENTS: u32 = 102;

#[test]
fn every_requirement_has_a_row() {
    let rows = rows();
    for number in 1..=REQUIREMENTS {
        assert!(
            rows.contains_key(&number),
            "requirement {number} is missing"
        );
    }
    assert_eq!(rows.len(), REQUIREMENTS as usize, "a row too many");
}

#[test]
fn every_test_that_the_table_names_exists() {
    let mut named = 0;
    for (number, row) in rows() {
        let proofs: Vec<&str> = row
            .split('`')
            .skip(1)
            .step_by(2)
            .filter(|code| code.contains("::"))
            .collect();
        assert!(
            !proofs.is_empty() || row.contains("not built yet"),
            "requirement {number} names no test and does not say `not built yet`"
        );
        for proof in proofs {
            let (path, name) = proof.split_once("::").unwrap();
            assert!(exists(path, name), "requirement {number}: no test {proof}");
            named += 1;
        }
    }
    assert!(named > 50, "the table was read");
}

/// Whether the file holds a test of that name: a function in Rust, a title elsewhere.
fn exists(path: &str, name: &str) -> bool {
    let Ok(text) = fs::read_to_string(vroom_tests::root().join(path)) else {
        return false;
    };
    if path.ends_with(".rs") {
        text.contains(&format!("fn {name}("))
    } else {
        ["'", "\"", "`"]
            .iter()
            .any(|quote| text.contains(&format!("{quote}{name}{quote}")))
    }
}

/// Requirement number to the whole row of the table.
fn rows() -> BTreeMap<u32, String> {
    let text = fs::read_to_string(vroom_tests::root().join("docs/protocol.md")).unwrap();
    let table = text
        .split_once("## Conformance")
        .expect("a section named Conformance")
        .1;
    let mut rows = BTreeMap::new();
    for line in table.lines().filter(|line| line.starts_with("| ")) {
        let number = line
            .split('|')
            .nth(1)
            .and_then(|cell| cell.trim().parse().ok());
        if let Some(number) = number {
            let before = rows.insert(number, line.to_owned());
            assert!(before.is_none(), "requirement {number} stands twice");
        }
    }
    rows
}
