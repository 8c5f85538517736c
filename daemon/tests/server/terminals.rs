//! Terminals, over every transport.

use std::time::{Duration, Instant};

use vroom_protocol::terminal::{
    AuthRequest, Capabilities, ClientConfig, PtyRequest, TerminalInfo, WindowSize,
};
use vroom_protocol::{Auth, Code};
use vroom_transport::{LinkRx, LinkTx};

use crate::client::{Client, WebClient, tcp, token, unix};
use crate::daemon::{Daemon, is_alive, wait_until};
use crate::terminal::Terminal;

fn start() -> Daemon {
    Daemon::start(&["--desktop", "none"])
}

/// All that a terminal is for, over whatever link.
async fn works(client: &mut Client<impl LinkRx, impl LinkTx>) {
    // All 256 byte values there and back, on a PTY that changes none.
    let mut echo = Terminal::inherit(client, "").await;
    echo.allocate(client).await;
    echo.exec(client, "stty raw -echo; printf ready; head -c 256")
        .await;
    echo.says(client, "ready").await;
    let bytes: Vec<u8> = (0..=255).collect();
    echo.write(client, &bytes).await;
    let exit = echo.exit(client).await;
    assert_eq!(exit.exit_code, Some(0), "{exit:?}");
    assert_eq!(echo.output.strip_prefix(b"ready"), Some(&bytes[..]));

    let mut failing = Terminal::inherit(client, "#f").await;
    failing.allocate(client).await;
    failing
        .exec(client, "printf '%s ' \"$TERM\"; stty size; exit 7")
        .await;
    assert_eq!(failing.exit(client).await.exit_code, Some(7));
    assert_eq!(
        String::from_utf8_lossy(&failing.output),
        "xterm-256color 24 80\r\n"
    );
}

#[tokio::test]
async fn terminals_work_over_websocket_tcp_and_unix_sockets() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("sock");
    let daemon = Daemon::start(&["--desktop", "none", "--unix", path.to_str().unwrap()]);
    works(&mut WebClient::login(&daemon).await).await;
    let mut client = tcp(&daemon, Some(token(&daemon))).await;
    client.welcome().await;
    works(&mut client).await;
    let mut client = unix(&path, Some(Auth::Peer)).await;
    client.welcome().await;
    works(&mut client).await;
}

#[tokio::test]
async fn a_shell_takes_sizes_and_signals() {
    let daemon = start();
    let mut client = WebClient::login(&daemon).await;
    let mut shell = Terminal::inherit(&mut client, "").await;
    shell.allocate(&mut client).await;
    shell.shell(&mut client).await;
    shell
        .write(&mut client, b"stty -echo; PS1=; echo be''gin\n")
        .await;
    shell.says(&mut client, "begin").await;
    shell.resize(&mut client, WindowSize::new(40, 120)).await;
    shell
        .write(&mut client, b"stty size; sleep 1000; echo status $?\n")
        .await;
    shell.says(&mut client, "40 120").await;
    // The program that sleeps is in the foreground once the shell waits for it.
    shell.write(&mut client, b"").await;
    wait_until("the sleep runs", || {
        daemon.descendants().iter().any(|pid| {
            let name = std::fs::read_to_string(format!("/proc/{pid}/comm")).unwrap_or_default();
            name.trim() == "sleep"
        })
    });
    shell.signal(&mut client, 15).await;
    shell.says(&mut client, "status 143").await;
    shell.write(&mut client, b"exit 3\n").await;
    assert_eq!(shell.exit(&mut client).await.exit_code, Some(3));
}

#[tokio::test]
async fn programs_find_what_was_agreed_on() {
    let daemon = start();
    let mut client = WebClient::login(&daemon).await;
    for (key, truecolor, term, expected) in [
        (
            "#a",
            true,
            "xterm-256color",
            "xterm-256color truecolor tester",
        ),
        ("#b", false, "vt100", "vt100 none tester"),
        // Programs could not draw on one that nobody describes.
        (
            "#c",
            false,
            "no-such-terminal",
            "xterm-256color none tester",
        ),
    ] {
        let mut capabilities = Capabilities::transparent();
        capabilities.terminal = Some(TerminalInfo {
            name: Some("tester".to_owned()),
            truecolor: Some(truecolor),
            ..TerminalInfo::default()
        });
        let config = ClientConfig {
            capabilities,
            ..ClientConfig::default()
        };
        let started = Terminal::start_with(&mut client, key, config).await;
        let mut terminal = started.unwrap();
        let proved = terminal.authenticate(&mut client, AuthRequest::INHERIT);
        proved.await.unwrap();
        let request = PtyRequest {
            term: Some(term.to_owned()),
            ..PtyRequest::default()
        };
        terminal.allocate_as(&mut client, request).await;
        let line = "printf '%s %s %s' \"$TERM\" \"${COLORTERM:-none}\" \"$TERM_PROGRAM\"";
        terminal.exec(&mut client, line).await;
        terminal.exit(&mut client).await;
        assert_eq!(String::from_utf8_lossy(&terminal.output), expected);
    }
}

#[tokio::test]
async fn a_killed_program_says_by_what() {
    let daemon = start();
    let mut client = WebClient::login(&daemon).await;
    let mut terminal = Terminal::inherit(&mut client, "").await;
    terminal.allocate(&mut client).await;
    terminal.exec(&mut client, "exec sleep 1000").await;
    terminal.signal(&mut client, 9).await;
    let exit = terminal.exit(&mut client).await;
    assert_eq!((exit.exit_code, exit.signal), (None, Some(9)));
    assert_eq!(exit.signal_name.as_deref(), Some("KILL"));
}

#[tokio::test]
async fn a_program_without_a_pty_reads_to_the_end_of_its_input() {
    let daemon = start();
    let mut client = WebClient::login(&daemon).await;
    let mut terminal = Terminal::inherit(&mut client, "").await;
    terminal.exec(&mut client, "tty; cat; echo done").await;
    terminal.write(&mut client, b"a\0b\n").await;
    terminal.end_input(&mut client).await;
    assert_eq!(terminal.exit(&mut client).await.exit_code, Some(0));
    assert_eq!(terminal.output, b"not a tty\na\0b\ndone\n");
}

#[tokio::test]
async fn what_does_not_exist_exits_with_127() {
    let daemon = start();
    let mut client = WebClient::login(&daemon).await;
    let mut terminal = Terminal::inherit(&mut client, "").await;
    terminal.allocate(&mut client).await;
    terminal.exec(&mut client, "/nonexistent/program").await;
    assert_eq!(terminal.exit(&mut client).await.exit_code, Some(127));
}

#[tokio::test]
async fn two_terminals_do_not_mix() {
    let daemon = start();
    let mut client = WebClient::login(&daemon).await;
    let mut one = Terminal::inherit(&mut client, "").await;
    let mut two = Terminal::inherit(&mut client, "#2").await;
    one.allocate(&mut client).await;
    two.allocate(&mut client).await;
    one.exec(&mut client, "stty -echo; printf 1; read a; echo one $a")
        .await;
    two.exec(&mut client, "stty -echo; printf 2; read a; echo two $a")
        .await;
    one.says(&mut client, "1").await;
    two.says(&mut client, "2").await;
    two.write(&mut client, b"b\n").await;
    one.write(&mut client, b"a\n").await;
    one.exit(&mut client).await;
    two.exit(&mut client).await;
    assert_eq!(
        (&one.output[..], &two.output[..]),
        (&b"1one a\r\n"[..], &b"2two b\r\n"[..])
    );
}

#[tokio::test]
async fn the_sixty_fifth_terminal_is_one_too_many() {
    let daemon = start();
    let mut client = WebClient::login(&daemon).await;
    for number in 0..64 {
        client
            .open(&format!("vroom.terminal.control#{number}"))
            .await
            .unwrap();
    }
    let one_more = client.open("vroom.terminal.control#64").await;
    assert_eq!(one_more, Err(Code::LIMIT_REACHED));
}

#[tokio::test]
async fn endless_output_to_one_who_does_not_read_is_bounded_and_stops_nobody() {
    let daemon = start();
    let mut stalled = WebClient::login(&daemon).await;
    let mut yes = Terminal::inherit(&mut stalled, "").await;
    yes.allocate(&mut stalled).await;
    yes.exec(&mut stalled, "yes").await;
    yes.says(&mut stalled, "y\r\ny\r\n").await;
    // From here on nothing is read from the stalled one.
    let before = daemon.resident_kib();
    let mut other = WebClient::login(&daemon).await;
    let started = Instant::now();
    for round in 0..20 {
        let mut terminal = Terminal::inherit(&mut other, &format!("#{round}")).await;
        terminal.allocate(&mut other).await;
        terminal.exec(&mut other, "echo here").await;
        terminal.exit(&mut other).await;
        assert_eq!(terminal.output, b"here\r\n");
    }
    assert!(
        started.elapsed() < Duration::from_secs(20),
        "{:?}",
        started.elapsed()
    );
    // 4 MiB of history and 20 MiB for a screen full of lines, and not what `yes` would write.
    let grown = daemon.resident_kib().saturating_sub(before);
    assert!(grown < 40 * 1024, "{grown} KiB");
    // It is still there, and stops at once when it is told to.
    yes.write(&mut stalled, b"\x03").await;
    let exit = yes.exit(&mut stalled).await;
    assert_eq!(exit.signal, Some(2));
}

#[tokio::test]
async fn a_closed_connection_leaves_no_process() {
    let daemon = start();
    let mut client = WebClient::login(&daemon).await;
    let mut terminal = Terminal::inherit(&mut client, "").await;
    terminal.allocate(&mut client).await;
    terminal.exec(&mut client, "sleep 1000 & sleep 1000").await;
    wait_until("both sleep", || daemon.descendants().len() >= 3);
    let processes = daemon.descendants();
    drop(client);
    wait_until("all are gone", || {
        !processes.iter().any(|pid| is_alive(*pid))
    });
}

#[tokio::test]
async fn another_user_is_not_served() {
    let daemon = start();
    let mut client = WebClient::login(&daemon).await;
    let auth = AuthRequest {
        user: Some("nobody-of-this-name".into()),
        ..AuthRequest::INHERIT
    };
    let refused = Terminal::open(&mut client, "", auth).await;
    assert_eq!(refused.err(), Some(Code::AUTH_FAILED));
}

#[tokio::test]
async fn terminals_can_be_switched_off() {
    let daemon = Daemon::start_with("[terminal]\nenabled = false", &["--desktop", "none"]);
    let mut client = WebClient::login(&daemon).await;
    let refused = client.open("vroom.terminal.control").await;
    assert_eq!(refused, Err(Code::NOT_ALLOWED));
}
