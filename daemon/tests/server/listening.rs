//! Where it listens, and the commands besides serving.

use std::process::Command;

use crate::client::{tcp, unix};
use crate::daemon::{Daemon, command};
use vroom_protocol::{Auth, Code};

fn fails(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(output.stdout.is_empty(), "{:?}", output.stdout);
    String::from_utf8(output.stderr).unwrap()
}

#[test]
fn plain_text_beyond_loopback_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let said = fails(command(folder.path()).args(["--desktop", "none", "--listen", "0.0.0.0:0"]));
    assert!(
        said.contains("0.0.0.0:0") && said.contains("--allow-insecure-listen"),
        "{said}"
    );
}

#[test]
fn a_port_in_use_is_said_in_words() {
    let daemon = Daemon::start(&["--desktop", "none"]);
    let address = daemon.address().to_string();
    let folder = tempfile::tempdir().unwrap();
    let said = fails(command(folder.path()).args(["--desktop", "none", "--listen", &address]));
    assert!(said.contains(&format!("listening on {address}")), "{said}");
}

#[test]
fn an_unknown_layout_or_encoder_is_said_in_words() {
    let folder = tempfile::tempdir().unwrap();
    let start = ["--listen", "127.0.0.1:0", "--desktop", "synthetic"];
    let said = fails(
        command(folder.path())
            .args(start)
            .args(["--layout", "klingon"]),
    );
    assert!(said.contains("klingon"), "{said}");
    let said = fails(
        command(folder.path())
            .args(start)
            .args(["--encoder", "nonsense"]),
    );
    assert!(said.contains("nonsense"), "{said}");
}

#[test]
fn validate_says_where_a_file_is_wrong() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("vroomd.toml");
    let validate = || {
        let mut command = command(folder.path());
        command.arg("validate").arg("--config").arg(&file);
        command
    };
    std::fs::write(&file, "[desktop]\nsize = \"800x600\"\n").unwrap();
    let output = validate().output().unwrap();
    assert!(output.status.success());
    assert_eq!(
        String::from_utf8(output.stdout).unwrap(),
        "the configuration is valid\n"
    );
    for (content, expected) in [
        ("[desktop]\nsise = \"800x600\"\n", "line 2, column 1"),
        ("[desktop]\nsize = \"1x1\"\n", "1x1"),
        ("listen = [\"everywhere\"]\n", "everywhere"),
        ("listen = [\"0.0.0.0:1\"]\n", "refusing"),
        ("listen = 7\n", "line 1"),
    ] {
        std::fs::write(&file, content).unwrap();
        let said = fails(&mut validate());
        assert!(said.contains(expected), "{content}: {said}");
    }
    std::fs::remove_file(&file).unwrap();
    assert!(fails(&mut validate()).contains("vroomd.toml"));
}

#[test]
fn wrong_usage_has_its_own_status() {
    let folder = tempfile::tempdir().unwrap();
    let output = command(folder.path()).arg("--nonsense").output().unwrap();
    assert_eq!(output.status.code(), Some(2));
    let output = command(folder.path()).arg("version").output().unwrap();
    assert!(output.stdout.starts_with(b"vroomd "));
}

#[tokio::test]
async fn a_unix_socket_knows_its_peer_and_is_removed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("vroomd.sock");
    let daemon = Daemon::start(&["--desktop", "none", "--unix", path.to_str().unwrap()]);
    let mut client = unix(&path, Some(Auth::Peer)).await;
    assert_eq!(client.welcome().await.role.as_deref(), Some("owner"));
    let mut client = tcp(&daemon, Some(Auth::Peer)).await;
    assert_eq!(client.closed().await, Code::AUTH_FAILED);
    let mode = std::os::unix::fs::MetadataExt::mode(&std::fs::metadata(&path).unwrap());
    assert_eq!(mode & 0o777, 0o600);
    daemon.terminate();
    assert!(!path.exists());
}
