//! Many who do not say who they are.

use std::time::{Duration, Instant};

use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;
use vroom_protocol::Code;
use vroom_protocol::terminal::AuthRequest;

use crate::client::{WebClient, login, tcp, token};
use crate::daemon::{Daemon, WAIT};
use crate::terminal::Terminal;

#[tokio::test]
async fn a_thousand_idle_sockets_do_not_stop_a_login() {
    let daemon = Daemon::start(&["--desktop", "none"]);
    let before = daemon.resident_kib();
    let mut idle = Vec::new();
    for _ in 0..1000 {
        idle.push(TcpStream::connect(daemon.address()).await.unwrap());
    }
    let started = Instant::now();
    let (status, _) = login(&daemon, daemon.token()).await;
    assert_eq!(status, 200);
    let mut client = WebClient::connect(&daemon, Some(token(&daemon))).await;
    client.welcome().await;
    assert!(
        started.elapsed() < Duration::from_secs(5),
        "{:?}",
        started.elapsed()
    );
    let grown = daemon.resident_kib().saturating_sub(before);
    assert!(grown < 32 * 1024, "{grown} KiB");
    // The oldest had to go to make room.
    let mut byte = [0];
    let first = tokio::time::timeout(WAIT, idle[0].read(&mut byte))
        .await
        .unwrap();
    assert!(matches!(first, Ok(0) | Err(_)), "{first:?}");
}

#[tokio::test]
async fn without_credentials_only_a_terminal_may_be_opened_to_prove_oneself() {
    let daemon = Daemon::start(&["--desktop", "synthetic"]);
    let mut client = tcp(&daemon, None).await;
    let welcome = client.welcome().await;
    assert_eq!(
        (welcome.session, welcome.user, welcome.role),
        (None, None, None)
    );
    for name in ["pointer", "button", "video"] {
        assert_eq!(client.open(name).await, Err(Code::AUTH_FAILED));
    }
    assert_eq!(
        client.open("vroom.terminal.pty").await,
        Err(Code::WRONG_STATE)
    );
    client
        .send(
            vroom_protocol::ChannelId::CONTROL,
            (0x80, bytes::Bytes::from_static(b"{}")),
        )
        .await;
    assert_eq!(client.error().await, Code::AUTH_FAILED);
    let refused = Terminal::open(&mut client, "", AuthRequest::INHERIT).await;
    assert_eq!(refused.err(), Some(Code::AUTH_FAILED));
    let auth = AuthRequest {
        user: None,
        method: vroom_protocol::terminal::AuthMethod::Token(daemon.token().to_owned()),
    };
    let mut terminal = Terminal::open(&mut client, "#2", auth).await.unwrap();
    terminal.allocate(&mut client).await;
    terminal.exec(&mut client, "echo proved").await;
    terminal.exit(&mut client).await;
    assert_eq!(terminal.output, b"proved\r\n");
    client.handshake(&[]).await;
}

#[tokio::test]
async fn one_who_never_proves_anything_is_closed() {
    let limits = "[limits]\npre_auth_ms = 300\nunprivileged_ms = 900";
    let daemon = Daemon::start_with(limits, &["--desktop", "none"]);
    let mut client = tcp(&daemon, None).await;
    client.welcome().await;
    let started = Instant::now();
    client.closed().await;
    assert!(started.elapsed() < Duration::from_secs(10));

    let mut client = tcp(&daemon, Some(token(&daemon))).await;
    client.welcome().await;
    let mut stays = tcp(&daemon, None).await;
    stays.welcome().await;
    // The one without credentials goes; the other one has all the time in the world.
    stays.closed().await;
    assert!(client.open("nothing").await.is_err());
}

#[tokio::test]
async fn three_failures_in_terminals_end_the_connection() {
    let daemon = Daemon::start(&["--desktop", "none"]);
    let mut client = tcp(&daemon, None).await;
    client.welcome().await;
    for suffix in ["", "#2", "#3"] {
        let refused = Terminal::open(&mut client, suffix, AuthRequest::INHERIT).await;
        assert_eq!(refused.err(), Some(Code::AUTH_FAILED));
    }
    assert_eq!(client.closed().await, Code::AUTH_FAILED);
}

#[tokio::test]
async fn failures_of_terminals_side_by_side_are_added_up() {
    let daemon = Daemon::start(&["--desktop", "none"]);
    let mut client = tcp(&daemon, None).await;
    client.welcome().await;
    let mut terminals = Vec::new();
    for suffix in ["", "#2", "#3"] {
        terminals.push(Terminal::start(&mut client, suffix).await.unwrap());
    }
    for mut terminal in terminals {
        let verdict = terminal
            .authenticate(&mut client, AuthRequest::INHERIT)
            .await;
        assert_eq!(verdict, Err(Code::AUTH_FAILED));
    }
    assert_eq!(client.closed().await, Code::AUTH_FAILED);
}
