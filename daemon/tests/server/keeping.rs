//! Terminals that outlive their clients and the server.

use serde_json::Value;
use vroom_protocol::mux::SessionControl;
use vroom_protocol::terminal::PtyRequest;
use vroom_protocol::{Code, Event};
use vroom_transport::{LinkRx, LinkTx};

use crate::client::{Client, TcpClient, WebClient, http};
use crate::daemon::{Daemon, WAIT};
use crate::terminal::Terminal;

const ARGS: [&str; 2] = ["--desktop", "none"];

/// The terminals that there are.
async fn list(daemon: &Daemon) -> Vec<Value> {
    let bearer = format!("Bearer {}", daemon.token());
    let headers = [("Authorization", &*bearer)];
    let (status, _, body) = http(daemon, "GET", "/terminals", &headers, "").await;
    assert_eq!(status, 200, "{body}");
    let body: Value = serde_json::from_str(&body).unwrap();
    body["sessions"].as_array().unwrap().clone()
}

/// Waits until the list is like this.
async fn listed(daemon: &Daemon, is_it: impl Fn(&[Value]) -> bool) -> Vec<Value> {
    let deadline = std::time::Instant::now() + WAIT;
    loop {
        let entries = list(daemon).await;
        if is_it(&entries) {
            return entries;
        }
        assert!(std::time::Instant::now() < deadline, "{entries:?}");
        tokio::task::yield_now().await;
    }
}

/// Starts a program that stays.
async fn keep(client: &mut Client<impl LinkRx, impl LinkTx>, name: &str, line: &str) -> Terminal {
    let mut terminal = Terminal::flowing(client, "").await;
    let request = PtyRequest {
        persist: true,
        name: Some(name.to_owned()),
        ..PtyRequest::default()
    };
    terminal.allocate_as(client, request).await;
    terminal.exec(client, line).await;
    terminal
}

#[tokio::test]
async fn a_killed_server_loses_no_terminal_no_screen_and_no_exit_status() {
    let daemon = Daemon::start(&ARGS);
    let mut client = WebClient::login(&daemon).await;
    let script = "printf 'be%s\\033[3' gin; read a; printf '1mgot %s' $a; read b; exit 7";
    let mut terminal = keep(&mut client, "work", script).await;
    terminal.says(&mut client, "begin\x1b[3").await;
    let daemon = daemon.replace(&ARGS);

    // In the middle of a sequence: the screen is right, and what follows completes it.
    let entry = listed(&daemon, |entries| entries.len() == 1).await;
    assert_eq!(
        (&entry[0]["name"], &entry[0]["exit"]),
        (&"work".into(), &Value::Null)
    );
    let mut client = TcpClient::login_resumable(&daemon).await;
    let mut terminal = Terminal::flowing(&mut client, "").await;
    terminal.attach(&mut client, "work").await.unwrap();
    terminal.shows(&mut client, "begin").await;
    let screen = terminal.screens.last().unwrap().1.clone();
    assert!(
        screen.ends_with(b"\x1b[3"),
        "{:?}",
        String::from_utf8_lossy(&screen)
    );
    terminal.write(&mut client, b"it\n").await;
    terminal.says(&mut client, "1mgot it").await;

    // Its end is seen by nobody, and the server dies once more.
    terminal.write(&mut client, b"\n").await;
    drop(client);
    listed(&daemon, |entries| {
        entries.iter().any(|entry| entry["exit"] == 7)
    })
    .await;
    let daemon = daemon.replace(&ARGS);
    let entries = listed(&daemon, |entries| entries.len() == 1).await;
    assert_eq!(entries[0]["exit"], 7);
    let id = entries[0]["sessionId"].as_str().unwrap().to_owned();
    let mut client = WebClient::login(&daemon).await;
    let mut terminal = Terminal::flowing(&mut client, "").await;
    terminal.attach(&mut client, &id).await.unwrap();
    assert_eq!(terminal.exit(&mut client).await.exit_code, Some(7));
    listed(&daemon, <[Value]>::is_empty).await;
}

#[tokio::test]
async fn a_terminal_is_listed_renamed_and_ended() {
    let daemon = Daemon::start(&ARGS);
    let mut client = WebClient::login(&daemon).await;
    let mut terminal = keep(&mut client, "one", "cat").await;
    let id = terminal.id();
    let control = SessionControl::Rename {
        session_id: id.clone(),
        name: "two".to_owned(),
    };
    client
        .connection
        .session_control(std::time::Instant::now(), control)
        .unwrap();
    let names = client
        .find("SESSION_LIST_RESPONSE", |event| match event {
            Event::SessionList(sessions) => Some(
                sessions
                    .iter()
                    .map(|entry| entry.name.clone())
                    .collect::<Vec<_>>(),
            ),
            _ => None,
        })
        .await;
    assert_eq!(names, ["two"]);
    let control = SessionControl::End {
        session_id: "unknown".to_owned(),
    };
    client
        .connection
        .session_control(std::time::Instant::now(), control)
        .unwrap();
    assert_eq!(client.error().await, Code::NO_SUCH_TERMINAL);
    let control = SessionControl::End { session_id: id };
    client
        .connection
        .session_control(std::time::Instant::now(), control)
        .unwrap();
    let exit = terminal.exit(&mut client).await;
    assert_eq!(
        exit.reason.as_deref(),
        Some("ended from a list of sessions")
    );
    listed(&daemon, <[Value]>::is_empty).await;
}

#[tokio::test]
async fn who_detaches_leaves_what_runs() {
    let daemon = Daemon::start(&ARGS);
    let mut client = WebClient::login(&daemon).await;
    let mut terminal = Terminal::flowing(&mut client, "").await;
    terminal.allocate(&mut client).await;
    terminal.exec(&mut client, "echo here; cat").await;
    terminal.says(&mut client, "here").await;
    let now = std::time::Instant::now();
    client.connection.detach(now, "later").unwrap();
    assert_eq!(client.closed().await, Code::NORMAL);
    drop(client);
    let entries = listed(&daemon, |entries| {
        entries.iter().any(|entry| entry["attachedClients"] == 0)
    });
    assert_eq!(entries.await[0]["exit"], Value::Null);
    let mut client = WebClient::login(&daemon).await;
    let mut again = Terminal::flowing(&mut client, "").await;
    again.attach(&mut client, &terminal.id()).await.unwrap();
    again.shows(&mut client, "here").await;
}

#[tokio::test]
async fn an_idle_terminal_ends_only_where_that_is_said_and_says_so() {
    let config = "[terminal]\nidle_timeout = 1";
    let daemon = Daemon::start_with(config, &ARGS);
    let mut client = WebClient::login(&daemon).await;
    let terminal = keep(&mut client, "idle", "sleep 1000").await;
    let id = terminal.id();
    drop(client);
    listed(&daemon, |entries| {
        entries.iter().any(|entry| !entry["exit"].is_null())
    })
    .await;
    let mut client = WebClient::login(&daemon).await;
    let mut terminal = Terminal::flowing(&mut client, "").await;
    terminal.attach(&mut client, &id).await.unwrap();
    let exit = terminal.exit(&mut client).await;
    assert_eq!(exit.reason.as_deref(), Some("idle for 1 seconds"));
}

#[tokio::test]
async fn a_user_has_only_so_many_terminals() {
    let daemon = Daemon::start_with("[terminal]\nper_user = 1", &ARGS);
    let mut client = WebClient::login(&daemon).await;
    keep(&mut client, "first", "cat").await;
    let mut second = Terminal::flowing(&mut client, "#2").await;
    let refused = second.ask(&mut client, PtyRequest::default()).await;
    assert_eq!(refused, Err(Code::LIMIT_REACHED));
}
