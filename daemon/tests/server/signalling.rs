//! Offers that are not answered, and why.

use serde_json::json;

use crate::client::http;
use crate::daemon::Daemon;

/// Posts something as one who is allowed to.
async fn post(daemon: &Daemon, path: &str, body: &str) -> (u16, serde_json::Value) {
    let bearer = format!("Bearer {}", daemon.token());
    let headers = [
        ("Content-Type", "application/json"),
        ("Authorization", bearer.as_str()),
    ];
    let (status, _, body) = http(daemon, "POST", path, &headers, body).await;
    (status, serde_json::from_str(&body).unwrap_or_default())
}

#[tokio::test]
async fn each_bad_offer_has_its_answer() {
    let daemon = Daemon::start(&["--desktop", "synthetic"]);
    let sdp = "v=0\r\no=- 1 2 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\n";
    let video = format!("{sdp}m=video 9 UDP/TLS/RTP/SAVPF 96\r\na=rtpmap:96 VP8/90000\r\n");
    let large = "x".repeat(300 * 1024);
    for (body, status, code) in [
        (json!({"sdp": "nonsense"}), 400, 4001),
        (json!({"sdp": sdp}), 400, 4001),
        (json!({"sdp": video}), 422, 1003),
        (json!({"sdp": sdp, "type": "answer"}), 400, 4001),
        (json!({"sdp": sdp, "connection": "x"}), 400, 1003),
        (
            json!({"sdp": sdp, "session": "of somebody else"}),
            404,
            4100,
        ),
        (json!({"sdp": large}), 413, 4005),
        (json!({"type": "offer"}), 400, 4001),
    ] {
        for path in ["/offer", "/api/offer"] {
            let (got, answer) = post(&daemon, path, &body.to_string()).await;
            assert_eq!(got, status, "{answer}");
            assert_eq!(answer["error"]["code"], code, "{answer}");
        }
    }
    let candidate = json!({"candidate": "candidate:1 1 UDP 1 192.0.2.1 1 typ host"});
    let (status, answer) = post(&daemon, "/candidate", &candidate.to_string()).await;
    assert_eq!((status, &answer["error"]["code"]), (404, &4118.into()));
}

#[tokio::test]
async fn an_offer_may_carry_its_token_and_a_wrong_one_counts() {
    let daemon = Daemon::start(&["--desktop", "synthetic"]);
    let headers = [("Content-Type", "application/json")];
    let body = |token: &str| json!({"sdp": "nonsense", "token": token}).to_string();
    let right = body(daemon.token());
    assert_eq!(
        http(&daemon, "POST", "/offer", &headers, &right).await.0,
        400
    );
    let wrong = body("wrong");
    while http(&daemon, "POST", "/offer", &headers, &wrong).await.0 == 401 {}
    assert_eq!(
        http(&daemon, "POST", "/offer", &headers, &right).await.0,
        429
    );
}

#[tokio::test]
async fn without_webrtc_the_client_is_sent_elsewhere() {
    let daemon = Daemon::start(&["--desktop", "synthetic", "--no-webrtc"]);
    let (status, answer) = post(&daemon, "/offer", &json!({"sdp": "v=0"}).to_string()).await;
    assert_eq!(status, 503);
    assert!(
        answer["error"]["reason"]
            .as_str()
            .unwrap()
            .contains("WebSocket")
    );
}
