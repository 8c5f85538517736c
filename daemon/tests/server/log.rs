//! What never gets into the log, at any level.

use vroom_protocol::graphical::{ButtonInput, Chat, ClientMessage, Clipboard, ClipboardData, Mode};

use crate::client::{WebClient, login};
use crate::daemon::Daemon;
use crate::terminal::Terminal;

#[tokio::test]
async fn secrets_typing_clipboard_and_output_are_not_logged() {
    let daemon = Daemon::start(&[
        "--desktop",
        "synthetic",
        "--log",
        "trace",
        "--log-format",
        "json",
    ]);
    let (_, body) = login(&daemon, daemon.token()).await;
    let key = body["session"].as_str().unwrap().to_owned();
    login(&daemon, "wrong-secret-1").await;
    let auth = vroom_protocol::Auth::Session(key.clone());
    let mut client = WebClient::connect(&daemon, Some(auth)).await;
    client.welcome().await;
    client
        .handshake(&["text", "keyboard", "clipboard", "sharing"])
        .await;
    client.set_mode(Mode::Interact).await;
    let button = client.open("button").await.unwrap();
    client
        .send(button, ButtonInput::Text("typed-secret-2".into()).encode())
        .await;
    client
        .tell(&ClientMessage::Paste {
            text: "pasted-secret-3".into(),
        })
        .await;
    let set = Clipboard::Set(ClipboardData::text("copied-secret-4"));
    client.tell(&ClientMessage::Clipboard(set)).await;
    let chat = Chat::said("said-secret-5");
    client.tell(&ClientMessage::Chat(chat)).await;
    let mut terminal = Terminal::inherit(&mut client, "").await;
    terminal.allocate(&mut client).await;
    terminal
        .exec(&mut client, "read x; echo shown-secret-6")
        .await;
    terminal.write(&mut client, b"input-secret-7\n").await;
    terminal.exit(&mut client).await;
    client.set_mode(Mode::View).await;

    let log = daemon.log();
    assert!(log.lines().count() > 10, "trace says something: {log}");
    for line in log.lines() {
        let parsed = serde_json::from_str::<serde_json::Value>(line);
        assert!(parsed.is_ok_and(|line| line["level"].is_string()), "{line}");
    }
    for secret in [daemon.token(), &key] {
        assert!(!log.contains(secret), "a credential is in the log");
    }
    for number in 1..=7 {
        let found = log
            .lines()
            .find(|line| line.contains(&format!("-secret-{number}")));
        assert_eq!(found, None);
    }
}
