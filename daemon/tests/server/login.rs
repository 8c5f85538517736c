//! Credentials, right and wrong.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};

use vroom_protocol::{Auth, Code};

use crate::client::{WebClient, http, login, token};
use crate::daemon::{Daemon, command};

#[tokio::test]
async fn a_token_buys_a_session_key_that_opens_everything() {
    let daemon = Daemon::start(&["--desktop", "synthetic", "--size", "640x480"]);
    let (status, body) = login(&daemon, daemon.token()).await;
    assert_eq!(status, 200, "{body}");
    assert_eq!(
        (&body["role"], &body["desktop"]),
        (&"owner".into(), &"synthetic".into())
    );
    assert_eq!(
        (&body["size"]["width"], &body["size"]["height"]),
        (&640.into(), &480.into())
    );
    let key = body["session"].as_str().unwrap().to_owned();
    assert!(key.len() >= 43);

    for credential in [key.as_str(), daemon.token()] {
        let bearer = format!("Bearer {credential}");
        let headers = [("Authorization", bearer.as_str())];
        let (status, _, body) = http(&daemon, "GET", "/sessions", &headers, "").await;
        assert_eq!(status, 200, "{body}");
        let body: serde_json::Value = serde_json::from_str(&body).unwrap();
        assert_eq!(body["sessions"][0]["kind"], "graphical");
        assert_eq!(body["sessions"][0]["width"], 640);
        let (status, _, body) = http(&daemon, "GET", "/ice", &headers, "").await;
        assert_eq!((status, body.as_str()), (200, r#"{"iceServers":[]}"#));
    }

    let mut client = WebClient::connect(&daemon, Some(Auth::Session(key))).await;
    let welcome = client.welcome().await;
    assert_eq!(welcome.role.as_deref(), Some("owner"));
    let mut client = WebClient::connect(&daemon, Some(token(&daemon))).await;
    assert!(client.welcome().await.session.is_some());
}

#[tokio::test]
async fn without_credentials_nothing_is_answered() {
    let daemon = Daemon::start(&["--desktop", "none"]);
    for (method, path) in [
        ("GET", "/sessions"),
        ("GET", "/ice"),
        ("GET", "/metrics"),
        ("GET", "/candidate?connection=x"),
        ("POST", "/candidate"),
    ] {
        let (status, _, body) = http(&daemon, method, path, &[], "{}").await;
        assert_eq!(status, 401, "{path}: {body}");
        assert!(body.starts_with(r#"{"error":{"code":4000,"#), "{body}");
    }
    let json = [("Content-Type", "application/json")];
    let (status, _, body) = http(&daemon, "POST", "/offer", &json, r#"{"sdp":"v=0"}"#).await;
    assert_eq!(status, 401, "{body}");
}

#[tokio::test]
async fn wrong_credentials_are_refused_and_then_penalised() {
    let daemon = Daemon::start(&["--desktop", "none"]);
    let (status, body) = login(&daemon, daemon.token()).await;
    assert_eq!(status, 200);
    let key = body["session"].as_str().unwrap().to_owned();

    let mut client = WebClient::connect(&daemon, Some(Auth::Token("wrong".into()))).await;
    assert_eq!(client.closed().await, Code::AUTH_FAILED);
    let (status, body) = login(&daemon, "wrong").await;
    assert_eq!((status, &body["error"]["code"]), (401, &4000.into()));
    let mut wrong = 2;
    while login(&daemon, "wrong").await.0 == 401 {
        wrong += 1;
        assert!(wrong < 20, "nobody may guess for ever");
    }
    assert!(wrong >= 3, "a few mistakes are free");
    let (status, body) = login(&daemon, daemon.token()).await;
    assert_eq!(
        (status, &body["error"]["code"]),
        (429, &4004.into()),
        "now it has to wait"
    );
    let mut client = WebClient::connect(&daemon, Some(token(&daemon))).await;
    assert_eq!(client.closed().await, Code::RATE_LIMITED);
    let mut client = WebClient::connect(&daemon, Some(Auth::Session(key))).await;
    client.welcome().await;
}

#[tokio::test]
async fn every_unknown_kind_of_credential_is_refused() {
    let daemon = Daemon::start(&["--desktop", "none"]);
    for auth in [
        Auth::Pairing("1234".into()),
        Auth::Share("x".into()),
        // The peer of a TCP connection is nobody.
        Auth::Peer,
    ] {
        let mut client = WebClient::connect(&daemon, Some(auth)).await;
        assert_eq!(client.closed().await, Code::AUTH_FAILED);
    }
}

#[test]
fn the_token_file_is_private_and_a_public_one_is_refused() {
    let daemon = Daemon::start(&["--desktop", "none"]);
    let path = daemon.folder().join("vroom/token");
    assert_eq!(fs::metadata(&path).unwrap().mode() & 0o7777, 0o600);
    assert_eq!(fs::read_to_string(&path).unwrap().trim(), daemon.token());

    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    let mut vroomd = command(daemon.folder());
    let refused = vroomd
        .args(["--desktop", "none", "--listen", "127.0.0.1:0"])
        .output()
        .unwrap();
    assert_eq!(refused.status.code(), Some(1));
    assert!(refused.stdout.is_empty());
    let said = String::from_utf8(refused.stderr).unwrap();
    assert!(
        said.contains("can be read by others") && said.contains("chmod 600"),
        "{said}"
    );
    assert!(!said.contains(daemon.token()));
}

#[tokio::test]
async fn metrics_count_what_is_shown_and_are_not_for_strangers() {
    let daemon = Daemon::start(&["--desktop", "synthetic", "--size", "640x480"]);
    let bearer = format!("Bearer {}", daemon.token());
    let headers = [("Authorization", bearer.as_str())];
    let (status, _, before) = http(&daemon, "GET", "/metrics", &headers, "").await;
    assert_eq!(status, 200, "{before}");
    assert!(before.contains("\nvroom_pictures_total 0\n"), "{before}");
    assert!(before.contains("# TYPE vroom_stage_seconds histogram\n"));
    assert!(before.contains("\nvroom_stage_seconds_count{stage=\"encode\"} 0\n"));
    let (status, ..) = http(&daemon, "POST", "/metrics", &headers, "").await;
    assert_eq!(status, 405);
}
