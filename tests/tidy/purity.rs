//! Words that must not stand in the tree.

use std::process::Command;

#[test]
fn the_protocol_reads_no_clock_and_opens_no_socket() {
    let output = Command::new("grep")
        .args([
            "-rnE",
            "Instant::now|SystemTime::now|TcpStream|UdpSocket|std::thread|std::fs",
            "protocol/src",
        ])
        .current_dir(vroom_tests::root())
        .output()
        .unwrap();
    let found = String::from_utf8(output.stdout).unwrap();
    let outside_tests: Vec<&str> = found
        .lines()
        .filter(|line| !line.contains("//"))
        // The virtual network of the tests has to begin somewhere; it is behind a feature.
        .filter(|line| !line.contains("tests.rs") && !line.starts_with("protocol/src/testing"))
        .collect();
    assert!(outside_tests.is_empty(), "{outside_tests:#?}");
}

#[test]
fn seams_and_codecs_hold_no_unsafe_code() {
    for crate_dir in ["protocol", "desktop", "terminal", "client/predict"] {
        let lib = vroom_tests::root().join(crate_dir).join("src/lib.rs");
        let text = std::fs::read_to_string(lib).unwrap();
        assert!(
            text.contains("#![forbid(unsafe_code)]"),
            "{crate_dir} may hold unsafe code"
        );
    }
}
