//! What the session says and asks: its bus, notifications of real programs, addresses, conversation.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use nix::sys::signal::Signal;
use vroom_protocol::Code;
use vroom_protocol::graphical::{
    Chat, ClientMessage, Mode, Notice, NoticeAnswer, NotificationKind, ServerMessage,
};

use crate::client::WebClient;
use crate::daemon::{Daemon, is_alive, wait_until};

const ALL: [&str; 3] = ["sharing", "notifications", "chat"];

/// A desktop with a program that shows nothing and goes on.
fn desktop(config: &str) -> Daemon {
    Daemon::start_with(config, &["--no-sound", "--", "sleep", "1000"])
}

/// The socket of the session's bus.
fn bus(daemon: &Daemon) -> PathBuf {
    let folders = std::fs::read_dir(daemon.folder()).unwrap().flatten();
    let mut sockets = folders.map(|folder| folder.path().join("bus"));
    sockets.find(|path| path.exists()).expect("a session bus")
}

/// A program on the session's bus.
fn on_bus(daemon: &Daemon, program: &str) -> Command {
    let mut command = Command::new(program);
    command.env(
        "DBUS_SESSION_BUS_ADDRESS",
        format!("unix:path={}", bus(daemon).display()),
    );
    command
}

/// Runs `notify-send` (package libnotify-bin) until somebody saw to what it says.
fn notify(daemon: &Daemon, args: &[&str]) -> tokio::task::JoinHandle<Output> {
    let mut command = on_bus(daemon, "notify-send");
    command.arg("--wait").args(args).stdout(Stdio::piped());
    let child = command
        .spawn()
        .expect("notify-send (package libnotify-bin)");
    tokio::task::spawn_blocking(move || child.wait_with_output().unwrap())
}

async fn noticed(client: &mut WebClient, is_it: impl Fn(&Notice) -> bool) -> (String, Notice) {
    client
        .told("a notice", |message| match message {
            ServerMessage::Notification(told) => told
                .notice
                .filter(|notice| is_it(notice))
                .map(|notice| (told.text, notice)),
            _ => None,
        })
        .await
}

async fn told(client: &mut WebClient) -> (NotificationKind, String) {
    client
        .told("NOTIFICATION", |message| match message {
            ServerMessage::Notification(told) => Some((told.kind, told.text)),
            _ => None,
        })
        .await
}

fn answer(id: u32, action: Option<&str>) -> ClientMessage {
    let action = action.map(str::to_owned);
    ClientMessage::Notice(NoticeAnswer { id, action })
}

#[tokio::test]
async fn a_program_notifies_everybody_and_is_answered_by_who_drives() {
    let daemon = desktop("");
    let mut driver = WebClient::login(&daemon).await;
    let handshake = driver.handshake(&ALL).await;
    assert!(
        handshake
            .capabilities
            .iter()
            .any(|each| each == "notifications")
    );
    driver.set_mode(Mode::Interact).await;
    let mut watcher = WebClient::login(&daemon).await;
    watcher.handshake(&ALL).await;
    let mut simple = WebClient::login(&daemon).await;
    simple.handshake(&[]).await;

    let program = notify(
        &daemon,
        &[
            "-a",
            "Mail",
            "-A",
            "open=Read it",
            "<b>New</b> mail",
            "From <b>Ann</b> &amp; Bob",
        ],
    );
    let (text, notice) = noticed(&mut driver, |_| true).await;
    assert_eq!(text, "<b>New</b> mail\nFrom Ann & Bob");
    assert_eq!(
        (notice.app.as_str(), notice.body.as_str()),
        ("Mail", "From Ann & Bob")
    );
    assert_eq!(notice.actions[0].label, "Read it");
    assert!(!notice.earlier && !notice.urgent);
    assert_eq!(
        noticed(&mut watcher, |_| true).await,
        (text.clone(), notice.clone())
    );
    assert_eq!(told(&mut simple).await, (NotificationKind::Info, text));

    watcher.tell(&answer(notice.id, Some("open"))).await;
    assert_eq!(watcher.error().await, Code::NOT_ALLOWED);
    driver.tell(&answer(notice.id, Some("not offered"))).await;
    assert_eq!(driver.error().await, Code::NO_SUCH_TARGET);
    driver.tell(&answer(notice.id, Some("open"))).await;
    let output = program.await.unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), "open");
    noticed(&mut watcher, |each| each.closed && each.id == notice.id).await;
    noticed(&mut driver, |each| each.closed && each.id == notice.id).await;
}

#[tokio::test]
async fn a_notification_ends_when_it_is_put_away_or_its_time_is_up() {
    let daemon = desktop("");
    let mut driver = WebClient::login(&daemon).await;
    driver.handshake(&ALL).await;
    driver.set_mode(Mode::Interact).await;
    let program = notify(&daemon, &["-u", "critical", "Disk full"]);
    let (_, notice) = noticed(&mut driver, |_| true).await;
    assert!(notice.urgent);
    driver.tell(&answer(notice.id, None)).await;
    assert!(program.await.unwrap().status.success());
    let program = notify(&daemon, &["-t", "300", "For a moment"]);
    let (_, notice) = noticed(&mut driver, |each| each.title == "For a moment").await;
    noticed(&mut driver, |each| each.closed && each.id == notice.id).await;
    assert!(program.await.unwrap().status.success());
}

#[tokio::test]
async fn who_comes_later_finds_what_is_not_over() {
    let daemon = desktop("");
    let sent = on_bus(&daemon, "notify-send").arg("Still there").status();
    assert!(sent.expect("notify-send (package libnotify-bin)").success());
    let mut late = WebClient::login(&daemon).await;
    late.handshake(&ALL).await;
    let (_, notice) = noticed(&mut late, |_| true).await;
    assert_eq!(
        (notice.title.as_str(), notice.earlier),
        ("Still there", true)
    );
}

#[tokio::test]
async fn a_flood_of_notifications_costs_nobody_anything() {
    let daemon = desktop("");
    let mut client = WebClient::login(&daemon).await;
    client.handshake(&ALL).await;
    let script = "body=$(head -c 9000 /dev/zero | tr '\\0' x); for i in $(seq 80); do notify-send \"$i\" \"$body\"; done; notify-send last";
    let mut flood = on_bus(&daemon, "sh");
    flood.args(["-c", script]).stdout(Stdio::null());
    let flood = tokio::task::spawn_blocking(move || flood.status().unwrap());
    let (_, last) = noticed(&mut client, |each| each.title == "last").await;
    assert!(flood.await.unwrap().success());
    let mut late = WebClient::login(&daemon).await;
    late.handshake(&ALL).await;
    let (_, oldest) = noticed(&mut late, |_| true).await;
    assert_eq!(oldest.id, last.id - 63, "no more than 64 are kept");
    assert!(oldest.body.len() <= 2000);
}

/// The processes of a daemon that are called so.
fn called(daemon: &Daemon, name: &str) -> Vec<u32> {
    let is_called = |pid: &u32| {
        std::fs::read_to_string(format!("/proc/{pid}/comm")).is_ok_and(|comm| comm.trim() == name)
    };
    daemon.descendants().into_iter().filter(is_called).collect()
}

#[test]
fn the_session_has_a_bus_of_its_own_that_ends_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let found = folder.path().join("found");
    let script = format!(
        "echo $DBUS_SESSION_BUS_ADDRESS > '{}'; exec sleep 1000",
        found.display()
    );
    let daemon = Daemon::start_in(
        folder,
        "",
        &["--no-sound", "--", "sh", "-c", &script],
        &[(
            "DBUS_SESSION_BUS_ADDRESS",
            Path::new("unix:path=/run/of-the-person/bus"),
        )],
    );
    let written = || std::fs::read_to_string(&found).unwrap_or_default();
    wait_until("the program", || written().ends_with('\n'));
    let ours = format!("unix:path={}", bus(&daemon).display());
    assert!(written().starts_with(&ours), "{}", written());
    let pids = called(&daemon, "dbus-daemon");
    assert_eq!(pids.len(), 1);
    drop(daemon);
    wait_until("the bus of one that was killed", || !is_alive(pids[0]));

    let daemon = desktop("");
    let pids = called(&daemon, "dbus-daemon");
    daemon.signal(Signal::SIGTERM);
    wait_until("the bus of one that was ended", || !is_alive(pids[0]));
}

#[test]
fn without_dbus_the_log_says_what_is_missing() {
    let nothing = tempfile::tempdir().unwrap();
    let daemon = Daemon::start_in(
        tempfile::tempdir().unwrap(),
        "",
        &["--no-sound", "--", "/bin/sleep", "1000"],
        &[("PATH", nothing.path())],
    );
    let log = daemon.log();
    assert!(log.contains("no session bus"), "{log}");
    assert!(log.contains("install dbus"), "{log}");
}

#[test]
fn a_desktop_starts_what_its_folders_name() {
    let folder = tempfile::tempdir().unwrap();
    let autostart = folder.path().join("autostart");
    std::fs::create_dir(&autostart).unwrap();
    let started = folder.path().join("started");
    let entry = |name: &str, more: &str| {
        let exec = format!("sh -c \"env > {}.{name}\"", started.display());
        let text = format!("[Desktop Entry]\nType=Application\nName=x\nExec={exec}\n{more}\n");
        std::fs::write(autostart.join(format!("{name}.desktop")), text).unwrap();
    };
    entry("a", "NotShowIn=VROOM;");
    entry("b", "Hidden=true");
    entry("c", "");
    let config = "[desktop]\nstyle = \"desktop\"\n";
    let none = folder.path().join("none");
    let daemon = Daemon::start_in(
        folder,
        config,
        &["--no-sound", "--", "sleep", "1000"],
        &[("XDG_CONFIG_DIRS", &none)],
    );
    let file = |name: &str| daemon.folder().join(format!("started.{name}"));
    let env = || std::fs::read_to_string(file("c")).unwrap_or_default();
    wait_until("the entry", || env().contains("WAYLAND_DISPLAY=wayland-1"));
    assert!(env().contains("DBUS_SESSION_BUS_ADDRESS=unix:path="));
    assert!(!file("a").exists() && !file("b").exists());
}

/// A desktop whose browser is this script; the file is what it was called with.
fn with_browser(script: &str) -> (Daemon, PathBuf) {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = tempfile::tempdir().unwrap();
    let (browser, opened) = (folder.path().join("browser"), folder.path().join("opened"));
    let text = format!("#!/bin/sh\nopened='{}'\n{script}\n", opened.display());
    std::fs::write(&browser, text).unwrap();
    std::fs::set_permissions(&browser, std::fs::Permissions::from_mode(0o755)).unwrap();
    let config = format!(
        "[browser]\ncommand = [{:?}, \"--new-tab\"]\n",
        browser.display()
    );
    let args = ["--no-sound", "--", "sleep", "1000"];
    (Daemon::start_in(folder, &config, &args, &[]), opened)
}

fn navigate(url: &str) -> ClientMessage {
    ClientMessage::Navigate {
        url: url.into(),
        new_tab: true,
    }
}

#[tokio::test]
async fn an_address_is_opened_by_who_drives_in_the_browser_of_the_session() {
    let (daemon, opened) = with_browser("echo \"$@\" $WAYLAND_DISPLAY >> \"$opened\"");
    let mut driver = WebClient::login(&daemon).await;
    let handshake = driver.handshake(&ALL).await;
    assert!(handshake.capabilities.iter().any(|each| each == "navigate"));
    driver.tell(&navigate("https://example.org/watching")).await;
    assert_eq!(driver.error().await, Code::NOT_ALLOWED);
    driver.set_mode(Mode::Interact).await;
    for bad in [
        "file:///etc/passwd",
        "javascript:alert(1)",
        "--help",
        "example.org",
        "",
    ] {
        driver.tell(&navigate(bad)).await;
        let (kind, text) = driver
            .told("a refusal", |message| match message {
                ServerMessage::Notification(told) if told.text.contains("https://") => {
                    Some((told.kind, told.text))
                }
                _ => None,
            })
            .await;
        assert_eq!(kind, NotificationKind::Error, "{bad}: {text}");
    }
    driver
        .tell(&navigate("https://example.org/a?b=$(c)&d=;e"))
        .await;
    let browsing = driver.state(|state| state.state == "browsing").await;
    assert_eq!(browsing.loading, Some(true));
    let read = || std::fs::read_to_string(&opened).unwrap_or_default();
    wait_until("the browser", || read().ends_with('\n'));
    assert_eq!(
        read(),
        "--new-tab https://example.org/a?b=$(c)&d=;e wayland-1\n"
    );
}

#[tokio::test]
async fn a_browser_that_fails_is_told_to_who_asked() {
    let (daemon, _) = with_browser("exit 3");
    let mut driver = WebClient::login(&daemon).await;
    driver.handshake(&ALL).await;
    driver.set_mode(Mode::Interact).await;
    driver.tell(&navigate("http://example.org")).await;
    let (kind, text) = told(&mut driver).await;
    assert_eq!(kind, NotificationKind::Error);
    assert!(text.contains("browser ended with status 3"), "{text}");
    driver.state(|state| state.state == "idle").await;
}

#[tokio::test]
async fn where_there_is_no_browser_that_is_said() {
    for (config, says) in [
        ("[browser]\nenabled = false\n", "no browser here"),
        (
            "[browser]\ncommand = [\"no-such-browser\"]\n",
            "no-such-browser is not installed",
        ),
    ] {
        let daemon = desktop(config);
        let mut driver = WebClient::login(&daemon).await;
        driver.handshake(&ALL).await;
        driver.set_mode(Mode::Interact).await;
        driver.tell(&navigate("http://example.org")).await;
        let (kind, text) = told(&mut driver).await;
        assert_eq!(kind, NotificationKind::Error);
        assert!(text.contains(says), "{text}");
    }
}

#[tokio::test]
async fn who_joins_is_told_what_was_said_and_by_whom() {
    let daemon = Daemon::start(&["--desktop", "synthetic", "--size", "640x480"]);
    let mut one = WebClient::login(&daemon).await;
    one.handshake(&ALL).await;
    let own = one.share_state(|_| true).await.own_id;
    one.tell(&ClientMessage::Chat(Chat::said("<b>hello</b>")))
        .await;
    let line = chat(&mut one).await;
    let mut two = WebClient::login(&daemon).await;
    two.handshake(&ALL).await;
    let earlier = chat(&mut two).await;
    assert_eq!(earlier.text, "<b>hello</b>");
    assert_eq!(
        (earlier.from, earlier.id, earlier.earlier),
        (Some(own), line.id, true)
    );
    assert!(earlier.name.is_some_and(|name| !name.is_empty()));
    for _ in 0..40 {
        one.tell(&ClientMessage::Chat(Chat::said("flood"))).await;
    }
    assert_eq!(one.error().await, Code::RATE_LIMITED);
}

async fn chat(client: &mut WebClient) -> Chat {
    client
        .told("CHAT", |message| match message {
            ServerMessage::Chat(chat) => Some(chat),
            _ => None,
        })
        .await
}
