//! The HTTP surface: the page, who may call, and what is refused.

use crate::client::{http, raw};
use crate::daemon::Daemon;

#[tokio::test]
async fn the_page_is_served_with_a_strict_policy() {
    let daemon = Daemon::start(&["--desktop", "none"]);
    let (status, head, body) = http(&daemon, "GET", "/", &[], "").await;
    assert_eq!(status, 200);
    assert!(head.contains("content-type: text/html"), "{head}");
    assert!(
        body.to_ascii_lowercase().starts_with("<!doctype html>"),
        "{body}"
    );
    for header in [
        "x-content-type-options: nosniff",
        "referrer-policy: no-referrer",
        "cross-origin-opener-policy: same-origin",
        "permissions-policy: ",
        "frame-ancestors 'none'",
        "require-trusted-types-for 'script'",
    ] {
        assert!(head.contains(header), "{header}: {head}");
    }
    assert!(
        !head.contains("unsafe-inline") && !head.contains("'unsafe-eval'"),
        "{head}"
    );

    let (status, head, body) = http(&daemon, "HEAD", "/", &[], "").await;
    assert_eq!((status, body.as_str()), (200, ""));
    assert!(head.contains("content-length"), "{head}");
    let (status, _, body) = http(&daemon, "GET", "/healthz", &[], "").await;
    assert_eq!((status, body.as_str()), (200, r#"{"status":"ok"}"#));
}

#[tokio::test]
async fn what_is_not_there_is_not_found_and_wrong_methods_say_so() {
    let daemon = Daemon::start(&["--desktop", "none"]);
    for path in [
        "/index.html.bak",
        "/../Cargo.toml",
        "/..%2fCargo.toml",
        "//",
        "/assets/",
        "/%00",
    ] {
        let (status, _, body) = http(&daemon, "GET", path, &[], "").await;
        assert_eq!(status, 404, "{path}");
        assert!(body.starts_with(r#"{"error":{"#), "{body}");
    }
    for (method, path) in [
        ("GET", "/login"),
        ("GET", "/offer"),
        ("DELETE", "/candidate"),
        ("POST", "/"),
        ("POST", "/healthz"),
        ("PUT", "/vroom"),
    ] {
        let (status, head, _) = http(&daemon, method, path, &[], "").await;
        assert_eq!(status, 405, "{method} {path}");
        assert!(head.contains("\nallow: "), "{head}");
    }
}

#[tokio::test]
async fn foreign_hosts_and_origins_are_refused_everywhere() {
    let daemon = Daemon::start_with(
        "hosts = [\"desk.example.org\"]\norigins = [\"https://portal.example.org\"]",
        &["--desktop", "none"],
    );
    let own = daemon.address().to_string();
    let port = daemon.address().port();
    let localhost = format!("localhost:{port}");
    let page = format!("http://{own}");
    let sibling = format!("http://127.0.0.1:{}", port.wrapping_add(1));
    let cases: [(&str, Option<&str>, u16); 12] = [
        (&own, None, 200),
        (&own, Some(&page), 200),
        (&localhost, None, 200),
        ("[::1]", None, 200),
        ("desk.example.org", Some("https://desk.example.org"), 200),
        (&own, Some("https://portal.example.org"), 200),
        ("rebound.example", None, 421),
        ("192.0.2.1", None, 421),
        (&own, Some("null"), 403),
        (&own, Some(&sibling), 403),
        (&own, Some("https://evil.example"), 403),
        (&localhost, Some(&page), 403),
    ];
    for (host, origin, expected) in cases {
        let mut headers = vec![("Host", host), ("Content-Type", "application/json")];
        headers.extend(origin.map(|origin| ("Origin", origin)));
        let (status, _, body) = http(&daemon, "GET", "/healthz", &headers, "").await;
        assert_eq!(status, expected, "{host} {origin:?}: {body}");
        let login = serde_json::json!({"token": daemon.token()}).to_string();
        let (status, _, body) = http(&daemon, "POST", "/login", &headers, &login).await;
        assert_eq!(status, expected, "{host} {origin:?}: {body}");
        let upgrade = [
            ("Upgrade", "websocket"),
            ("Connection", "Upgrade"),
            ("Sec-WebSocket-Version", "13"),
            ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
        ];
        let mut request = String::from("GET /omux HTTP/1.1\r\n");
        for (name, value) in headers.iter().chain(&upgrade) {
            request.push_str(&format!("{name}: {value}\r\n"));
        }
        request.push_str("\r\n");
        let answer = first_line(&daemon, request.as_bytes()).await;
        let expected = if expected == 200 { 101 } else { expected };
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {expected}")),
            "{host} {origin:?}: {answer}"
        );
    }
}

#[tokio::test]
async fn a_simple_request_of_a_foreign_page_changes_nothing() {
    let daemon = Daemon::start(&["--desktop", "none"]);
    let body = serde_json::json!({"token": daemon.token()}).to_string();
    for media_type in [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data",
    ] {
        let headers = [("Content-Type", media_type)];
        let (status, _, _) = http(&daemon, "POST", "/login", &headers, &body).await;
        assert_eq!(status, 415);
    }
    let (status, _, _) = http(&daemon, "POST", "/login", &[], &body).await;
    assert_eq!(status, 415);
}

#[tokio::test]
async fn large_and_broken_bodies_are_refused() {
    let daemon = Daemon::start(&["--desktop", "none"]);
    let json = [("Content-Type", "application/json")];
    let large = format!(r#"{{"token":"{}"}}"#, "x".repeat(10_000));
    let (status, _, _) = http(&daemon, "POST", "/login", &json, &large).await;
    assert_eq!(status, 413);
    for body in ["", "{", "[]", r#"{"token":7}"#, "\u{0}"] {
        let (status, _, _) = http(&daemon, "POST", "/login", &json, body).await;
        assert_eq!(status, 400, "{body:?}");
    }
    let header = format!("GET / HTTP/1.1\r\nX: {}\r\n\r\n", "x".repeat(100_000));
    let answer = raw(&daemon, header.as_bytes()).await;
    assert!(
        answer.starts_with(b"HTTP/1.1 431"),
        "{}",
        String::from_utf8_lossy(&answer)
    );
}

#[tokio::test]
async fn only_unknown_subprotocols_are_a_bad_request() {
    let daemon = Daemon::start(&["--desktop", "none"]);
    for (offered, expected) in [("chat", 400), ("chat, omux", 101), ("xumux.0.1", 101)] {
        let request = format!(
            "GET /omux/vroom HTTP/1.1\r\nHost: {}\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
             Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n\
             Sec-WebSocket-Protocol: {offered}\r\n\r\n",
            daemon.address()
        );
        let answer = first_line(&daemon, request.as_bytes()).await;
        assert!(
            answer.starts_with(&format!("HTTP/1.1 {expected}")),
            "{offered}: {answer}"
        );
    }
}

/// Sends a request and reads the status line of the answer.
async fn first_line(daemon: &Daemon, request: &[u8]) -> String {
    use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
    let mut stream = tokio::net::TcpStream::connect(daemon.address())
        .await
        .unwrap();
    stream.write_all(request).await.unwrap();
    let mut line = String::new();
    let mut stream = BufReader::new(stream);
    tokio::time::timeout(crate::daemon::WAIT, stream.read_line(&mut line))
        .await
        .unwrap()
        .unwrap();
    line
}
