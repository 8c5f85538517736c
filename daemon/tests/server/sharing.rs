//! Several people at one terminal.

use vroom_protocol::graphical::Role;
use vroom_protocol::mux::SessionControl;
use vroom_protocol::terminal::{PtyRequest, ShareAction, WindowSize};
use vroom_protocol::{Auth, Code};

use crate::client::{WebClient, http};
use crate::daemon::Daemon;
use crate::terminal::Terminal;

fn start() -> Daemon {
    Daemon::start(&["--desktop", "synthetic"])
}

/// Starts a program on a terminal of the owner's.
async fn begin(client: &mut WebClient, line: &str) -> Terminal {
    let mut terminal = Terminal::flowing(client, "").await;
    terminal.allocate(client).await;
    terminal.exec(client, line).await;
    terminal
}

/// Joins a terminal over a connection of its own.
async fn join(daemon: &Daemon, auth: Option<Auth>, id: &str) -> (WebClient, Terminal) {
    let mut client = match auth {
        Some(auth) => WebClient::connect(daemon, Some(auth)).await,
        None => WebClient::connect(daemon, Some(Auth::Token(daemon.token().to_owned()))).await,
    };
    client.welcome().await;
    let mut terminal = Terminal::flowing(&mut client, "").await;
    terminal.attach(&mut client, id).await.unwrap();
    (client, terminal)
}

async fn invite(client: &mut WebClient, terminal: &mut Terminal, role: Role) -> (String, String) {
    let action = ShareAction::Invite {
        ttl_s: 3600,
        uses: Some(2),
        role,
    };
    let invited = terminal.share(client, action).await.invited.unwrap();
    assert_eq!(invited.url, format!("/#share={}", invited.token));
    (invited.link, invited.token)
}

#[tokio::test]
async fn a_view_link_writes_by_no_message_on_any_channel_and_is_cut_when_revoked() {
    let daemon = start();
    let mut owner = WebClient::login(&daemon).await;
    let script = "stty -echo; trap 'echo signalled' INT USR1 WINCH; printf ready; \
                  while read line; do echo \"<$line>\"; done";
    let mut terminal = begin(&mut owner, script).await;
    terminal.says(&mut owner, "ready").await;
    let (link, token) = invite(&mut owner, &mut terminal, Role::Viewer).await;

    // The page comes in by HTTP, and learns where it is.
    let body = serde_json::json!({ "share": token }).to_string();
    let json = [("Content-Type", "application/json")];
    let (status, _, body) = http(&daemon, "POST", "/login", &json, &body).await;
    let body: serde_json::Value = serde_json::from_str(&body).unwrap();
    assert_eq!((status, &body["role"]), (200, &"viewer".into()));
    assert_eq!(body["terminal"], terminal.id());
    let key = body["session"].as_str().unwrap().to_owned();

    let id = terminal.id();
    let (mut client, mut view) = join(&daemon, Some(Auth::Session(key)), &id).await;
    view.shows(&mut client, "ready").await;
    let granted = view.granted.clone().unwrap();
    assert_eq!((granted.readonly, granted.role), (true, Some(Role::Viewer)));
    view.write(&mut client, b"typed\n\x03").await;
    view.error(&mut client, Code::NOT_ALLOWED).await;
    view.signal(&mut client, 2).await;
    view.signal(&mut client, 10).await;
    view.resize(&mut client, WindowSize::new(5, 5)).await;
    for action in [
        ShareAction::Take,
        ShareAction::Request,
        ShareAction::Kick { to: "1".into() },
        ShareAction::Role {
            to: "2".into(),
            role: Role::Operator,
        },
        ShareAction::Invite {
            ttl_s: 60,
            uses: None,
            role: Role::Viewer,
        },
    ] {
        let answer = view.share(&mut client, action).await;
        assert!(answer.reason.is_some() && answer.invited.is_none() && answer.links.is_none());
    }
    for name in [
        "pointer",
        "button",
        "video",
        "file-transfer",
        "port-forward-ctl",
    ] {
        assert_eq!(client.open(name).await, Err(Code::NOT_ALLOWED), "{name}");
    }
    let mut other = Terminal::flowing(&mut client, "#2").await;
    let refused = other.ask(&mut client, PtyRequest::default()).await;
    assert_eq!(refused, Err(Code::NOT_ALLOWED));
    let control = SessionControl::End {
        session_id: terminal.id(),
    };
    let now = std::time::Instant::now();
    client.connection.session_control(now, control).unwrap();
    assert_eq!(client.error().await, Code::NOT_ALLOWED);

    // Nothing of that reached the program: what it says next is what the owner types.
    let before = terminal.output.len();
    terminal.write(&mut owner, b"mine\n").await;
    terminal.says(&mut owner, "<mine>").await;
    let said = terminal.output.get(before..).unwrap();
    assert_eq!(String::from_utf8_lossy(said), "<mine>\r\n");
    view.says(&mut client, "<mine>").await;

    let state = terminal
        .share(&mut owner, ShareAction::Revoke { link })
        .await;
    assert_eq!(state.links.unwrap(), []);
    assert_eq!(client.closed().await, Code::REVOKED);
    let mut late = WebClient::connect(&daemon, Some(Auth::Share(token))).await;
    assert_eq!(late.closed().await, Code::AUTH_FAILED);
}

#[tokio::test]
async fn the_floor_is_taken_asked_for_and_handed_over() {
    let daemon = start();
    let mut owner = WebClient::login(&daemon).await;
    let mut terminal = begin(&mut owner, "stty -echo; printf ready; cat").await;
    terminal.says(&mut owner, "ready").await;
    let (_, token) = invite(&mut owner, &mut terminal, Role::Operator).await;
    let (mut guest, mut other) = join(&daemon, Some(Auth::Share(token)), &terminal.id()).await;
    let first = terminal.share(&mut owner, ShareAction::Take).await;
    assert_eq!(first.driver, Some(first.own_id.clone()));

    // Whoever does not drive neither types nor takes.
    other.write(&mut guest, b"early\n").await;
    other.error(&mut guest, Code::DRIVER_BUSY).await;
    let refused = other.share(&mut guest, ShareAction::Take).await;
    assert!(refused.reason.is_some());
    let asked = other.share(&mut guest, ShareAction::Request).await;
    assert_eq!(asked.requested_by, Some(asked.own_id.clone()));
    let to = asked.own_id;
    terminal
        .share_state(&mut owner, |share| share.requested_by.as_ref() == Some(&to))
        .await;
    let granted = terminal
        .share(&mut owner, ShareAction::Grant { to: to.clone() })
        .await;
    assert_eq!(granted.driver, Some(to));
    other.write(&mut guest, b"late\n").await;
    other.says(&mut guest, "late").await;
    terminal.says(&mut owner, "late").await;
    assert!(!terminal.output.windows(5).any(|window| window == b"early"));
    // The driver's size rules, and the others are told.
    other.resize(&mut guest, WindowSize::new(33, 77)).await;
    terminal
        .until(&mut owner, |terminal| {
            terminal.size == Some(WindowSize::new(33, 77))
        })
        .await;
    // Who releases drives no longer, and whoever types next does.
    let freed = other.share(&mut guest, ShareAction::Release).await;
    assert_eq!(freed.driver, None);
    terminal.write(&mut owner, b"again\n").await;
    terminal.says(&mut owner, "again").await;
    let own_id = first.own_id;
    terminal
        .share_state(&mut owner, |share| share.driver.as_ref() == Some(&own_id))
        .await;
}

#[tokio::test]
async fn what_a_program_asks_behind_a_flood_is_answered() {
    let daemon = start();
    let mut owner = WebClient::login(&daemon).await;
    let script = "stty raw -echo; printf ready; head -c 1 > /dev/null; seq 1 200000; \
                  printf '\\033[5n'; head -c 4 | od -An -tx1; cat";
    let mut terminal = begin(&mut owner, script).await;
    terminal.says(&mut owner, "ready").await;
    // A terminal that has more to parse than it may have: it gets the screen instead of the rest.
    terminal.acknowledges = false;
    terminal.write(&mut owner, b"\n").await;
    terminal
        .until(&mut owner, |terminal| terminal.output.len() > 200 * 1024)
        .await;
    terminal.acknowledges = true;
    let has = |terminal: &Terminal, bytes: &[u8]| {
        let has = |text: &[u8]| text.windows(bytes.len()).any(|window| window == bytes);
        has(&terminal.output) || terminal.screens.iter().any(|(_, screen)| has(screen))
    };
    let is_told = |terminal: &Terminal| has(terminal, b"1b 5b 30 6e");
    // The question may also come behind the screen; then this terminal is the one to answer.
    let is_asked = |terminal: &Terminal| has(terminal, b"\x1b[5n");
    terminal
        .until(&mut owner, |terminal| {
            is_told(terminal) || is_asked(terminal)
        })
        .await;
    if is_asked(&terminal) {
        terminal.write(&mut owner, b"\x1b[0n").await;
    }
    terminal.until(&mut owner, is_told).await;
}

#[tokio::test]
async fn what_an_interrupted_program_says_does_not_wait_for_what_is_not_shown_any_more() {
    let daemon = start();
    let mut owner = WebClient::login(&daemon).await;
    let script = "trap 'sleep 0.2; printf stop''ped; cat' INT; printf ready; read a; \
                  seq 1 60000; printf wri''tten; sleep 1000";
    let mut terminal = begin(&mut owner, script).await;
    terminal.says(&mut owner, "ready").await;
    // It has more to parse than it may have, and never says how far it is.
    terminal.acknowledges = false;
    terminal.write(&mut owner, b"\n").await;
    let has = |terminal: &Terminal, text: &[u8]| {
        let has = |bytes: &[u8]| bytes.windows(text.len()).any(|window| window == text);
        has(&terminal.output) || terminal.screens.iter().any(|(_, screen)| has(screen))
    };
    terminal
        .until(&mut owner, |terminal| has(terminal, b"written"))
        .await;
    terminal.write(&mut owner, b"\x03").await;
    terminal
        .until(&mut owner, |terminal| has(terminal, b"stopped"))
        .await;
}

#[tokio::test]
async fn a_stalled_viewer_slows_nobody_and_catches_up() {
    let daemon = start();
    let mut owner = WebClient::login(&daemon).await;
    let mut terminal = begin(
        &mut owner,
        "printf ready; read a; seq 1 600000; echo do''ne; cat",
    )
    .await;
    terminal.says(&mut owner, "ready").await;
    let id = terminal.id();
    let (mut lame, mut stalled) = join(&daemon, None, &id).await;
    stalled.acknowledges = false;
    stalled.shows(&mut lame, "ready").await;
    stalled.share_state(&mut lame, |_| true).await;
    let own_id = stalled.share.clone().unwrap().own_id;
    let mut viewers = Vec::new();
    for _ in 0..3 {
        viewers.push(join(&daemon, None, &id).await);
    }
    terminal.write(&mut owner, b"\n").await;
    let is_done = |terminal: &Terminal| {
        let has = |bytes: &[u8]| bytes.windows(4).any(|window| window == b"done");
        has(&terminal.output) || terminal.screens.iter().any(|(_, screen)| has(screen))
    };
    terminal.until(&mut owner, is_done).await;
    for (client, viewer) in &mut viewers {
        viewer.until(client, is_done).await;
    }
    terminal
        .share_state(&mut owner, |share| {
            let mut participants = share.participants.iter();
            participants.any(|participant| participant.id == own_id && participant.lagging)
        })
        .await;
    // The stalled one got no more than it may have, perhaps what came in its last moment, and then
    // the screen: what it missed it needs not.
    stalled.acknowledges = true;
    stalled.until(&mut lame, is_done).await;
    let flood = terminal.parsed;
    assert!(flood > 4_000_000, "{flood}");
    let came = stalled.output.len() as u64;
    assert!(came < flood / 2, "{came}");
}
