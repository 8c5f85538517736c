//! Sessions that go on after their transport was lost.

use std::time::Instant;

use bytes::{BufMut as _, Bytes, BytesMut};
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout_at;
use vroom_protocol::Code;
use vroom_protocol::graphical::Mode;

use crate::client::{Lost, TcpClient, WebClient};
use crate::daemon::{Daemon, WAIT};
use crate::terminal::Terminal;

fn start() -> Daemon {
    Daemon::start(&["--desktop", "none"])
}

#[tokio::test]
async fn no_byte_is_lost_when_the_transport_is() {
    let daemon = start();
    let mut client = TcpClient::login_resumable(&daemon).await;
    let mut terminal = Terminal::inherit(&mut client, "").await;
    terminal.allocate(&mut client).await;
    // Lines that cannot be mistaken for one another, and a sequence that is cut in two.
    let script = "stty raw -echo; seq 1 60000; printf '\\033[3'; head -c 1 >/dev/null; printf '1m'; seq 60001 90000";
    terminal.exec(&mut client, script).await;
    terminal.says(&mut client, "\n1000\n").await;
    let lost = client.suspend().await;
    drop(client);

    let mut client = WebClient::resume(&daemon, lost).await;
    client.resumed().await.unwrap();
    terminal.says(&mut client, "\n60000\n\x1b[3").await;
    let lost = client.let_go();
    drop(client);

    let mut client = TcpClient::resume(&daemon, lost).await;
    client.resumed().await.unwrap();
    terminal.write(&mut client, b"x").await;
    assert_eq!(terminal.exit(&mut client).await.exit_code, Some(0));
    let lines = |range: std::ops::RangeInclusive<u32>| {
        range.map(|line| format!("{line}\n")).collect::<String>()
    };
    let expected = format!("{}\x1b[31m{}", lines(1..=60000), lines(60001..=90000));
    assert_eq!(terminal.output.len(), expected.len());
    assert!(terminal.output == expected.as_bytes());
}

#[tokio::test]
async fn no_key_is_lost_or_doubled() {
    let daemon = start();
    let mut client = TcpClient::login_resumable(&daemon).await;
    let mut terminal = Terminal::inherit(&mut client, "").await;
    terminal.allocate(&mut client).await;
    let mut typed = Vec::new();
    let script = "stty raw -echo; printf ready; head -c 6000";
    terminal.exec(&mut client, script).await;
    terminal.says(&mut client, "ready").await;
    let mut lost = None;
    for round in 0..10 {
        if let Some(lost) = lost.take() {
            client = TcpClient::resume(&daemon, lost).await;
            client.resumed().await.unwrap();
        }
        for key in 0..100 {
            let keys = format!("{round}{key:03}. ");
            typed.extend_from_slice(keys.as_bytes());
            terminal.write(&mut client, keys.as_bytes()).await;
        }
        // What was typed last may be on its way, or not have left.
        lost = Some(if round == 0 {
            client.suspend().await
        } else {
            client.let_go()
        });
    }
    client = TcpClient::resume(&daemon, lost.unwrap()).await;
    client.resumed().await.unwrap();
    terminal.exit(&mut client).await;
    assert_eq!(
        String::from_utf8_lossy(&terminal.output),
        format!("ready{}", String::from_utf8_lossy(&typed))
    );
}

#[tokio::test]
async fn the_old_transport_is_told_that_another_took_over() {
    let daemon = start();
    let mut old = TcpClient::login_resumable(&daemon).await;
    let mut terminal = Terminal::inherit(&mut old, "").await;
    terminal.allocate(&mut old).await;
    terminal.exec(&mut old, "read a; echo got $a").await;
    let lost = old.suspend().await;
    let mut new = WebClient::resume(&daemon, lost).await;
    new.resumed().await.unwrap();
    let close = loop {
        let frame = old.receive_raw().await.expect("CLOSE");
        if frame.get(..2) == Some(&[0, 0x20]) {
            break frame;
        }
    };
    let body: Value = serde_json::from_slice(close.get(6..).unwrap()).unwrap();
    assert_eq!(body["code"], 4115);
    terminal.write(&mut new, b"it\n").await;
    terminal.says(&mut new, "got it").await;
}

#[tokio::test]
async fn a_session_is_for_who_began_it_and_for_as_long_as_it_is_kept() {
    let daemon = start();
    let lose = async || -> Lost {
        let mut client = TcpClient::login_resumable(&daemon).await;
        client.suspend().await
    };
    let token = Some(daemon.token());
    let known = lose().await.session.session_id().expose().to_owned();
    let answer = async |id: &str, last: u64, token: Option<&str>| -> (Value, Value) {
        let answer = ask(&daemon, id, last, token).await;
        (answer["success"].clone(), answer["code"].clone())
    };
    let refused = |code: u16| (Value::Bool(false), Value::from(code));
    assert_eq!(answer("unknown", 0, token).await, refused(4100));
    assert_eq!(answer(&known, 0, None).await, refused(4100));
    assert_eq!(answer(&known, 1000, token).await, refused(4103));
    assert_eq!(answer(&known, 0, token).await.0, Value::Bool(true));

    // One more than is kept for a user, and the oldest is given up.
    let first = lose().await.session.session_id().expose().to_owned();
    for _ in 0..64 {
        drop(lose().await);
    }
    let deadline = Instant::now() + WAIT;
    // Asking for what cannot be replayed leaves it where it is.
    while answer(&first, 1000, token).await != refused(4101) {
        // As long as not all of the others have arrived, it is still there.
        assert!(Instant::now() < deadline);
        drop(lose().await);
    }
}

#[tokio::test]
async fn what_is_no_longer_kept_cannot_be_replayed() {
    let daemon = start();
    let mut client = TcpClient::login_resumable(&daemon).await;
    let mut terminal = Terminal::inherit(&mut client, "").await;
    terminal.allocate(&mut client).await;
    terminal.exec(&mut client, "echo begin; cat").await;
    terminal.says(&mut client, "begin").await;
    let lost = client.suspend().await;
    let id = lost.session.session_id().expose().to_owned();
    let token = Some(daemon.token());
    // The other transport confirms a number, after which nothing before it is kept.
    let answered = ask(&daemon, &id, 3, token).await;
    assert_eq!(answered["success"], true);
    let answered = ask(&daemon, &id, 0, token).await;
    assert_eq!(answered["code"], 4102);
}

#[tokio::test]
async fn a_driver_who_is_lost_lets_go_and_comes_back_looking_on() {
    let daemon = Daemon::start(&["--desktop", "synthetic"]);
    let mut other = WebClient::login(&daemon).await;
    other.handshake(&["sharing"]).await;
    let mut driver = TcpClient::login_resumable(&daemon).await;
    driver.handshake(&["pointer", "keyboard", "sharing"]).await;
    driver.set_mode(Mode::Interact).await;
    other.share_state(|share| share.driver.is_some()).await;
    let lost = driver.suspend().await;
    drop(driver);
    other
        .share_state(|share| share.driver.is_none() && share.participants.len() == 1)
        .await;

    let mut driver = WebClient::resume(&daemon, lost).await;
    driver.resumed().await.unwrap();
    driver.state(|state| state.mode == Some(Mode::View)).await;
    driver
        .share_state(|share| share.participants.len() == 2)
        .await;
    driver.set_mode(Mode::Interact).await;
}

#[tokio::test]
async fn a_session_that_was_closed_is_gone() {
    let daemon = start();
    let mut client = TcpClient::login_resumable(&daemon).await;
    let lost = client.suspend().await;
    // The CLOSE of the side that lets go leaves, and is answered in kind.
    client.flush().await;
    while client.receive_raw().await.is_some() {}
    let mut client = TcpClient::resume(&daemon, lost).await;
    assert_eq!(client.resumed().await, Err(Code::SESSION_NOT_FOUND));
    client.welcome().await;
}

/// Sends a RESUME_REQUEST over TCP, and returns the answer.
async fn ask(daemon: &Daemon, id: &str, last: u64, token: Option<&str>) -> Value {
    let mut body = serde_json::json!({"sessionId": id, "lastSequence": last});
    if let Some(token) = token {
        body["auth"] = serde_json::json!({"type": "token", "token": token});
    }
    let body = body.to_string();
    let mut request = BytesMut::from(&b"OMUX"[..]);
    request.put_slice(&[0, 0x31, 0, 0]);
    request.put_u16(u16::try_from(body.len()).unwrap());
    request.put_slice(body.as_bytes());
    let exchange = async {
        let mut stream = TcpStream::connect(daemon.address()).await.unwrap();
        stream.write_all(&request).await.unwrap();
        let mut header = [0; 10];
        stream.read_exact(&mut header).await.unwrap();
        assert_eq!(header.get(..6), Some(&b"OMUX\0\x32"[..]));
        let length = u16::from_be_bytes([header[8], header[9]]);
        let mut answer = vec![0; length.into()];
        stream.read_exact(&mut answer).await.unwrap();
        Bytes::from(answer)
    };
    let answer = timeout_at((Instant::now() + WAIT).into(), exchange).await;
    serde_json::from_slice(&answer.expect("an answer")).unwrap()
}
