//! What is no mux, or a wrong one.

use std::time::{Duration, Instant};

use bytes::Bytes;
use vroom_protocol::graphical::Mode;
use vroom_protocol::{ChannelId, Code};

use crate::client::{WebClient, raw, tcp, token};
use crate::daemon::Daemon;

const HELLO: &[u8] = br#"{"version":[0,1,0],"channels":[]}"#;

fn omux(frames: &[&[u8]]) -> Vec<u8> {
    [&[&b"OMUX"[..]], frames].concat().concat()
}

fn frame(channel: u8, kind: u8, flags: u8, payload: &[u8]) -> Vec<u8> {
    let length = u16::try_from(payload.len()).unwrap().to_be_bytes();
    [&[channel, kind, flags, 0], &length[..], payload].concat()
}

/// The code of the CLOSE that ends an answer of the mux.
fn close_code(answer: &[u8]) -> Option<u64> {
    let text = String::from_utf8_lossy(answer);
    let at = text.rfind("\"code\":")?;
    let digits = text.get(at + 7..)?.chars().take_while(char::is_ascii_digit);
    digits.collect::<String>().parse().ok()
}

#[tokio::test]
async fn a_wrong_magic_learns_nothing() {
    let daemon = Daemon::start_with("[limits]\npre_auth_ms = 1000", &["--desktop", "none"]);
    for start in [
        &b"OMUZ"[..],
        b"OMU",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    ] {
        let answer = raw(&daemon, start).await;
        let is_http = answer.starts_with(b"HTTP/1.1 400");
        assert!(
            answer.is_empty() || is_http,
            "{}",
            String::from_utf8_lossy(&answer)
        );
    }
}

#[tokio::test]
async fn garbage_before_hello_gets_its_code() {
    let daemon = Daemon::start(&["--desktop", "none"]);
    let cases: [(&str, Vec<u8>, u16); 9] = [
        ("a reserved byte", vec![0, 1, 0, 1, 0, 0], 1002),
        ("a reserved flag", vec![0, 1, 8, 0, 0, 0], 1002),
        ("a fragment", frame(0, 1, 2, HELLO), 1002),
        ("a ping first", frame(0, 0x10, 0, &[0, 0, 0, 1]), 1002),
        ("another channel first", frame(9, 1, 0, b""), 1002),
        ("no JSON", frame(0, 1, 0, b"\xff\xfe{}"), 4001),
        ("no version", frame(0, 1, 0, b"{}"), 4001),
        (
            "a lying length",
            vec![0, 1, 1, 0, 0xff, 0xff, 0xff, 0xff],
            4005,
        ),
        ("a large HELLO", vec![0, 1, 0, 0, 0xff, 0xff], 4005),
    ];
    for (name, bytes, expected) in cases {
        let answer = raw(&daemon, &omux(&[&bytes])).await;
        assert!(answer.starts_with(b"OMUX"), "{name}");
        assert_eq!(
            close_code(&answer),
            Some(expected.into()),
            "{name}: {answer:?}"
        );
    }
}

#[tokio::test]
async fn the_other_dialect_is_refused_in_its_own_words() {
    let daemon = Daemon::start(&["--desktop", "none"]);
    let length = u32::try_from(HELLO.len()).unwrap().to_be_bytes();
    let hello = [&[0, 0, 1, 0][..], &length, HELLO].concat();
    let answer = raw(&daemon, &omux(&[&hello])).await;
    let close = answer.strip_prefix(b"OMUX").expect("the magic");
    let (header, payload) = close
        .split_first_chunk::<8>()
        .expect("an eight-byte header");
    assert_eq!(header[..4], [0, 0, 0x20, 0], "CLOSE on channel 0");
    let length = u32::from_be_bytes([header[4], header[5], header[6], header[7]]);
    assert_eq!(length as usize, payload.len());
    let close: serde_json::Value = serde_json::from_slice(payload).unwrap();
    assert_eq!(close["code"], 4006);
}

#[tokio::test]
async fn silence_before_hello_is_ended_by_the_deadline() {
    let daemon = Daemon::start_with("[limits]\npre_auth_ms = 700", &["--desktop", "none"]);
    for silence in [
        &b""[..],
        b"O",
        b"OMUX",
        b"GET / HTTP/1.1\r\nHost: x\r\n",
        b"\x16",
    ] {
        let started = Instant::now();
        let answer = raw(&daemon, silence).await;
        let took = started.elapsed();
        assert!(
            took < Duration::from_secs(5),
            "{silence:?} was let wait for {took:?}"
        );
        if silence == b"OMUX" {
            assert_eq!(close_code(&answer), Some(4007), "{answer:?}");
            assert!(took >= Duration::from_millis(500), "{took:?}");
        }
    }
}

#[tokio::test]
async fn bytes_that_trickle_do_not_move_the_deadline() {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let daemon = Daemon::start_with("[limits]\npre_auth_ms = 700", &["--desktop", "none"]);
    let stream = tokio::net::TcpStream::connect(daemon.address())
        .await
        .unwrap();
    let (mut reader, mut writer) = stream.into_split();
    let started = Instant::now();
    let trickle = tokio::spawn(async move {
        let mut tick = tokio::time::interval(Duration::from_millis(50));
        for byte in b"GET / HTTP/1.1\r\nHost: localhost\r\nX: "
            .iter()
            .chain([b'x'; 1000].iter())
        {
            tick.tick().await;
            if writer.write_all(&[*byte]).await.is_err() {
                return;
            }
        }
    });
    let mut rest = Vec::new();
    // Reset or closed are both an end.
    drop(
        tokio::time::timeout(crate::daemon::WAIT, reader.read_to_end(&mut rest))
            .await
            .unwrap(),
    );
    assert!(started.elapsed() < Duration::from_secs(5));
    trickle.abort();
}

#[tokio::test]
async fn a_fragment_that_never_ends_costs_its_sender_only() {
    let daemon = Daemon::start(&["--desktop", "synthetic"]);
    let mut bystander = WebClient::login(&daemon).await;
    bystander.handshake(&[]).await;
    let before = daemon.resident_kib();
    let hello = serde_json::json!({
        "version": [0, 1, 0],
        "auth": {"type": "token", "token": daemon.token()},
        "channels": [{"name": "button", "reliable": true, "ordered": true}],
    });
    let mut bytes = omux(&[&frame(0, 1, 0, hello.to_string().as_bytes())]);
    let piece = frame(0, 0x83, 2, &[b'x'; 60_000]);
    for _ in 0..1000 {
        bytes.extend_from_slice(&piece);
    }
    let answer = raw(&daemon, &bytes).await;
    assert_eq!(close_code(&answer), Some(4005), "the reassembly is bounded");
    let grown = daemon.resident_kib().saturating_sub(before);
    assert!(grown < 32 * 1024, "{grown} KiB");
    bystander.set_mode(Mode::Interact).await;
    bystander.set_mode(Mode::View).await;
}

#[tokio::test]
async fn unknown_channels_and_types_are_errors_and_close_nothing() {
    let daemon = Daemon::start(&["--desktop", "synthetic"]);
    let mut client = tcp(&daemon, Some(token(&daemon))).await;
    client.welcome().await;
    assert_eq!(client.open("data").await, Err(Code::UNSUPPORTED));
    assert_eq!(client.open("pointer").await, Err(Code::WRONG_STATE));
    assert_eq!(client.open("video").await, Err(Code::WRONG_STATE));
    assert_eq!(
        client.open("vroom.terminal.pty").await,
        Err(Code::WRONG_STATE)
    );
    client
        .send(
            ChannelId::CONTROL,
            (0x81, Bytes::from_static(b"{\"mode\":\"view\"}")),
        )
        .await;
    assert_eq!(client.error().await, Code::WRONG_STATE);
    client.handshake(&["pointer"]).await;
    client
        .send(ChannelId::CONTROL, (0x81, Bytes::from_static(b"a")))
        .await;
    assert_eq!(client.error().await, Code::INVALID_MESSAGE);
    client
        .send(ChannelId::CONTROL, (0x8f, Bytes::from_static(b"{}")))
        .await;
    assert_eq!(client.error().await, Code::UNSUPPORTED);
    let pointer = client.open("pointer").await.unwrap();
    client
        .send(pointer, (1, Bytes::from_static(&[1, 2, 3])))
        .await;
    assert_eq!(client.error().await, Code::INVALID_MESSAGE);
    client.send(pointer, (0x55, Bytes::new())).await;
    assert_eq!(client.error().await, Code::UNSUPPORTED);
    client.set_mode(Mode::Interact).await;
}
