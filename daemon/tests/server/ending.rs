//! How it ends, and what is left: nothing.

use std::time::{Duration, Instant};

use nix::sys::signal::Signal;
use vroom_protocol::Code;

use crate::client::WebClient;
use crate::daemon::{Daemon, ended_well, is_alive, wait_until};
use crate::terminal::Terminal;

/// The time that everything has to be gone in.
const LIMIT: Duration = Duration::from_secs(2);

#[tokio::test]
async fn everything_that_was_started_ends_within_two_seconds() {
    let daemon = Daemon::start(&["--desktop", "headless", "--", "foot"]);
    wait_until("foot runs its shell", || daemon.descendants().len() >= 2);
    let mut client = WebClient::login(&daemon).await;
    client.handshake(&["sharing"]).await;
    let mut stubborn = Terminal::inherit(&mut client, "").await;
    stubborn.allocate(&mut client).await;
    stubborn
        .exec(
            &mut client,
            "trap '' HUP TERM; printf deaf; while :; do sleep 100; done",
        )
        .await;
    stubborn.says(&mut client, "deaf").await;
    // foot, its shell, the deaf shell and its sleep, which starts after the word is out.
    wait_until("all four run", || daemon.descendants().len() >= 4);
    let processes = daemon.descendants();
    let folder = daemon.folder().to_owned();
    let watcher = tokio::spawn(async move { client.closed().await });

    let (status, took, rest) = tokio::task::spawn_blocking(|| daemon.terminate())
        .await
        .unwrap();
    assert!(ended_well(status), "{status:?}");
    assert!(took < LIMIT, "{took:?}");
    assert!(
        rest.is_empty(),
        "only the ready line goes to standard output: {rest:?}"
    );
    assert_eq!(watcher.await.unwrap(), Code::GOING_AWAY);
    // A shell inside the session's own terminal program hears of the end from that.
    let deadline = Instant::now() + LIMIT.saturating_sub(took);
    while let Some(left) = processes.iter().find(|pid| is_alive(**pid)) {
        assert!(Instant::now() < deadline, "process {left} is left");
        std::thread::yield_now();
    }
    assert!(
        !folder.exists() || leftovers(&folder).is_empty(),
        "{:?}",
        leftovers(&folder)
    );
}

fn leftovers(folder: &std::path::Path) -> Vec<std::ffi::OsString> {
    let entries = std::fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name());
    entries
        .filter(|name| name.to_string_lossy().starts_with("vroom-"))
        .collect()
}

#[test]
fn an_idle_server_ends_at_once() {
    for desktop in ["none", "synthetic", "headless"] {
        let daemon = Daemon::start(&["--desktop", desktop, "--", "foot"]);
        let (status, took, rest) = daemon.terminate();
        assert!(ended_well(status), "{desktop}: {status:?}");
        assert!(took < LIMIT, "{desktop}: {took:?}");
        assert!(rest.is_empty());
    }
}

#[tokio::test]
async fn under_nohup_it_stays_and_its_programs_still_hear_a_hangup() {
    let daemon = Daemon::start_deaf(&["--desktop", "none"]);
    daemon.signal(Signal::SIGHUP);
    let mut client = WebClient::login(&daemon).await;
    let mut terminal = Terminal::inherit(&mut client, "").await;
    terminal
        .exec(&mut client, "grep SigIgn /proc/self/status; echo done")
        .await;
    terminal.says(&mut client, "done").await;
    let output = String::from_utf8_lossy(&terminal.output).into_owned();
    let mask = output.split_whitespace().nth(1).unwrap();
    let ignored = u64::from_str_radix(mask, 16).unwrap();
    assert_eq!(ignored & 1, 0, "{output}");
}

#[test]
fn killed_it_leaves_no_sound_server_behind() {
    let daemon = Daemon::start(&["--desktop", "headless", "--", "foot"]);
    let is_called = |pid: u32, name: &str| {
        let called = std::fs::read_to_string(format!("/proc/{pid}/comm"));
        called.is_ok_and(|called| called.trim_end() == name)
    };
    let find = |name: &str| {
        let all = daemon.descendants().into_iter();
        all.filter(|pid| is_called(*pid, name)).collect::<Vec<_>>()
    };
    wait_until("both run", || {
        find("pipewire").len() == 1 && find("wireplumber").len() == 1
    });
    let servers = [find("pipewire"), find("wireplumber")].concat();
    daemon.signal(Signal::SIGKILL);
    wait_until("both are gone", || {
        !servers.iter().any(|pid| is_alive(*pid))
    });
}

#[test]
fn it_may_end_with_its_session() {
    let daemon = Daemon::start(&["--on-exit", "exit", "--", "sh", "-c", "exec sleep 1000"]);
    wait_until("the session runs", || !daemon.descendants().is_empty());
    for pid in daemon.descendants() {
        let pid = nix::unistd::Pid::from_raw(i32::try_from(pid).unwrap());
        nix::sys::signal::kill(pid, Signal::SIGKILL).unwrap();
    }
    wait_until("it ends by itself", || daemon.log().contains("ending"));
}

#[tokio::test]
async fn an_ended_session_is_told_and_the_desktop_stays() {
    let daemon = Daemon::start(&["--", "true"]);
    let mut client = WebClient::login(&daemon).await;
    client.handshake(&[]).await;
    let state = client
        .state(|state| {
            state
                .desktop
                .as_ref()
                .is_some_and(|desktop| desktop.ended.is_some())
        })
        .await;
    let ended = state.desktop.unwrap().ended.unwrap();
    assert!(ended.contains("true"), "{ended}");
}

#[test]
fn systemd_is_told_when_it_is_ready_and_when_it_stops() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("notify");
    let socket = std::os::unix::net::UnixDatagram::bind(&path).unwrap();
    socket.set_read_timeout(Some(crate::daemon::WAIT)).unwrap();
    let told = || {
        let mut buffer = [0; 256];
        let length = socket.recv(&mut buffer).unwrap();
        String::from_utf8_lossy(&buffer[..length]).into_owned()
    };
    let args = ["--desktop", "none"];
    let daemon = Daemon::start_in(folder, "", &args, &[("NOTIFY_SOCKET", &path)]);
    assert!(told().contains("READY=1"));
    daemon.terminate();
    assert!(told().contains("STOPPING=1"));
}
